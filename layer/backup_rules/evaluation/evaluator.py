"""From a Config event to PutEvaluations, loudly.

rdklib's own `Evaluator` turns an AWS error into a returned dictionary: the invocation succeeds, nothing is reported and
stale verdicts stay for ever. This one raises, puts what could be judged, and cleans up by (type, id) in linear time.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import boto3
import rdklib
from rdklib import ComplianceType, Evaluation

from backup_rules.arns import Arn, Place
from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, field
from backup_rules.aws.calls import Calls, monotonic_deadline
from backup_rules.aws.clients import WORKERS, AccountClientFactory
from backup_rules.aws.kept import NOTHING, Kept
from backup_rules.aws.memory import gaps_noticed, note_gap
from backup_rules.aws.rates import Clock, Pace
from backup_rules.aws.strangers import refuse_strangers
from backup_rules.errors import IncompleteEvaluationError, InvalidEventError, ReadError, StrangerError
from backup_rules.evaluation.events import ConfigEvent, read_event
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.renewal import Renewal, held_evaluations
from backup_rules.evaluation.rule import BackupConfigRule, Outcome
from backup_rules.evaluation.subjects import PLAN, SELECTION, Verdict
from backup_rules.logs import log
from backup_rules.wording.annotations import shorten
from backup_rules.wording.quoting import shown

BATCH = 100  # https://docs.aws.amazon.com/config/latest/APIReference/API_PutEvaluations.html

MOST_TOLD = 20

Key = tuple[str, str]

_SHOWN = (ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT)


class Evaluator(rdklib.Evaluator):
    """Runs one rule for one event. Use a new one, with a new rule, for each invocation."""

    def __init__(self, config_rule: BackupConfigRule[Any, Any], clock: Clock = time) -> None:
        """`clock`: what the time that is left is taken from, and what waits."""
        super().__init__(config_rule, expected_resource_types=[PLAN, SELECTION])
        self._rule = config_rule
        self._clock = clock
        self._renewal = Renewal()

    def handle(self, event: Any, context: Any) -> dict[str, Any]:
        """Judge, put the evaluations, and return how many there were of each compliance type; none for a stranger.

        Raises:
            InvalidEventError, InvalidRuleParametersError: nothing was read or put.
            ReadError: AWS could not be read, or the evaluations not be put; older verdicts stand.
            IncompleteEvaluationError: some subjects could not be judged; the others' evaluations were put.
        """
        started = time.monotonic()
        line: dict[str, Any] = {"rule": type(self._rule).__name__}
        try:
            summary = self._handle(event, context, line)
        except StrangerError as error:
            log("INFO", "stranger refused", **line, **_duration(started), reason=str(error))
            return {"rule": line["config_rule"], "account": line["account"], "evaluations": {}}
        except Exception as error:
            log("ERROR", "evaluation failed", **line, **_duration(started), error=f"{type(error).__name__}: {error}")
            raise
        log("INFO", "evaluation put", **line, **_duration(started))
        return summary

    def _handle(self, event: Any, context: Any, line: dict[str, Any]) -> dict[str, Any]:
        config_event = read_event(event)
        self._renewal = Renewal.of_environment()
        line |= {"config_rule": config_event.rule_name, "account": config_event.account}
        parameters = self._rule.evaluate_parameters(dict(config_event.parameters))
        place = Place(_partition(config_event), config_event.account, _region())
        line["region"] = place.region
        clients = AccountClientFactory(place.account, place.region, self._role_to_assume(event, parameters))
        if parameters.assume_role_mode:
            refuse_strangers(clients, place)
        seconds_left = monotonic_deadline(context, self._clock)
        # A handler that is called by hand, outside of Lambda, is alone: nobody else has a share.
        pace = None if seconds_left is None else Pace(self._clock)
        calls = Calls(place, clients, seconds_left, pace, self._clock)
        kept = self._kept(config_event, calls, clients)
        try:
            if not parameters.assume_role_mode:
                _check_own_account(calls, context)
            account = Account(calls, kept)
            _check_organization(account)
            return self._evaluate(config_event, account, parameters, line)
        finally:
            kept.save()
            if kept.taken:
                line["kept"] = kept.taken
            line |= {"aws_calls": sum(calls.counts.values()), "calls": dict(calls.counts)}

    def _kept(self, event: ConfigEvent, calls: Calls, clients: AccountClientFactory) -> Kept:
        bucket = os.environ.get("KEPT_READS_BUCKET")
        if not bucket:
            return NOTHING
        # Imported only where it is needed: it takes a part of a cold start.
        from backup_rules.aws.kept_in_bucket import KeptInBucket  # noqa: PLC0415

        return KeptInBucket(
            calls.place,
            bucket,
            lambda: clients.own_client("s3"),
            reader=event.rule_name,
            clock=self._clock,
            seconds_left=calls.seconds_left,
            alone=calls.pace.alone if calls.pace else lambda _: None,
            direct=WORKERS if event.trigger is not None else 0,
        )

    def _role_to_assume(self, event: Any, parameters: RuleParameters) -> str | None:
        """The role that the parameters name, in the account of the role that AWS Config names; or the latter."""
        if not parameters.assume_role_mode:
            return None
        role = event.get("executionRoleArn")
        if not isinstance(role, str) or Arn.parse(role) is None:
            raise InvalidEventError(
                f"executionRoleArn is {shown(role)}; with AssumeRoleMode=true AWS Config sends the ARN of a role."
            )
        return f"{role.partition('/')[0]}/{parameters.execution_role_name}" if parameters.execution_role_name else role

    def _evaluate(
        self, event: ConfigEvent, account: Account, parameters: RuleParameters, line: dict[str, Any]
    ) -> dict[str, Any]:
        invocation = Invocation(account, parameters, event.now, event.trigger)
        outcome = self._judge(event, invocation)
        evaluations = [_evaluation(each, event) for each in outcome.verdicts]
        subjects = {each.subject.key for each in outcome.verdicts} | set(outcome.failures)
        unread = [*outcome.gaps, *outcome.unread]
        cleared: list[dict[str, str]] = []
        renewed = evaluations
        if event.trigger is None:
            if not event.test_mode:
                with gaps_noticed() as gaps:
                    cleared, renewed = self._of_a_run(event, account, outcome, subjects, evaluations)
                unread += gaps.values()
        elif not evaluations and not outcome.failures and not outcome.gaps:
            cleared = [_not_applicable(event.trigger.key, event)]
        not_put = _put(event, account, [*cleared, *renewed])
        counts = Counter(each["ComplianceType"] for each in (*cleared, *evaluations))
        line |= {
            "subjects": len(subjects),
            "problems": counts[ComplianceType.NON_COMPLIANT],
            "put": len(cleared) + len(renewed) - sum(not_put.values()),
            "not_judged": len(outcome.failures),
            **({"unchanged": len(evaluations) - len(renewed)} if self._renewal.only_changes else {}),
            "excluded_plans": len(invocation.excluded_plans),
            "excluded_resources": len(invocation.excluded_resources),
        }
        troubles = dict.fromkeys([*_incomplete(outcome), *not_put, *map(str, unread)])
        if troubles:
            raise IncompleteEvaluationError(" ".join(_first(list(troubles))))
        return {"rule": event.rule_name, "account": event.account, "evaluations": dict(counts)}

    def _of_a_run(
        self,
        event: ConfigEvent,
        account: Account,
        outcome: Outcome,
        subjects: set[Key],
        evaluations: list[dict[str, str]],
    ) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        """What a periodic run puts: what is gone is cleared, and the verdicts are renewed as far as they have to be.

        Where subjects may be missing, none of those that are not there is known to be gone.
        """
        renewal = self._renewal
        if outcome.gaps and not renewal.only_changes:
            return [], evaluations
        try:
            held = held_evaluations(account, event.rule_name, every=renewal.only_changes)
        except ReadError as error:
            note_gap(error)  # what is held is not known: everything is put, and the invocation fails naming why
            return [], evaluations
        gone = [key for key, each in held.items() if key not in subjects and each.compliance in _SHOWN]
        cleared = [] if outcome.gaps else [_not_applicable(key, event) for key in gone]
        return cleared, renewal.to_put(evaluations, held, event.now)

    def _judge(self, event: ConfigEvent, invocation: Invocation[RuleParameters]) -> Outcome:
        if event.trigger is not None and (event.trigger.gone or event.trigger.plan_id is None):
            return Outcome()
        return self._rule.judge(invocation)


def _duration(started: float) -> dict[str, int]:
    return {"duration_ms": round((time.monotonic() - started) * 1000)}


def _region() -> str:
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or boto3.Session().region_name
    if not region:
        raise InvalidEventError(
            "No Region is known: the environment variable AWS_REGION, which Lambda sets, is missing."
        )
    return str(region)


def _partition(event: ConfigEvent) -> str:
    return event.partition or str(boto3.Session().get_partition_for_region(_region()))


def _check_own_account(calls: Calls, context: Any) -> None:
    """Without a role to assume, only the function's own account can be judged: any other's verdicts would be wrong."""
    function = Arn.parse(str(getattr(context, "invoked_function_arn", "")))
    if function is not None and function.account == calls.place.account:
        return
    own = calls.one("sts", "GetCallerIdentity", lambda it: field(it, "Account", str))
    if own != calls.place.account:
        raise InvalidEventError(
            f"AssumeRoleMode is false, so this function reads its own account {own}, but the event asks about account"
            f" {calls.place.account}. Set AssumeRoleMode to true and name the member role in ExecutionRoleName."
        )


def _check_organization(account: Account) -> None:
    """AWS Config may invoke the function for any AWS account; with ORGANIZATION_ID, those of others are refused.

    The pack's own role for functions cannot assume a role of another organization (`aws:ResourceOrgID`) and needs no
    more. This is for a role without that condition; it costs a call of AWS Organizations each time.
    """
    served = os.environ.get("ORGANIZATION_ID")
    if not served:
        return
    from backup_rules.aws import organizations  # noqa: PLC0415 - what few need, no cold start pays for

    if (found := organizations.organization_id(account)) != served:
        raise InvalidEventError(
            f"The event is about account {account.place.account}, which is in {found or 'no organization'}; this"
            f" function serves organization {served} only."
        )


def _evaluation(verdict: Verdict, event: ConfigEvent) -> dict[str, str]:
    evaluation = Evaluation(
        verdict.compliance, verdict.subject.resource_id, verdict.subject.resource_type, verdict.annotation
    )
    evaluation.orderingTimestamp = event.ordering_timestamp
    evaluation.is_valid()
    return dict(evaluation.get_json())


def _not_applicable(key: Key, event: ConfigEvent) -> dict[str, str]:
    evaluation = Evaluation(ComplianceType.NOT_APPLICABLE, key[1], key[0])
    evaluation.orderingTimestamp = event.ordering_timestamp
    return dict(evaluation.get_json())


def _put(event: ConfigEvent, account: Account, evaluations: list[dict[str, str]]) -> dict[str, int]:
    """Put all evaluations, batch by batch.

    Returns:
        What was not put, in words, with the number of evaluations: a refused batch holds back no other.
    """

    def refused(answer: Answer) -> list[Any]:
        return list(answer.get("FailedEvaluations") or [])

    not_put: dict[str, int] = {}
    for start in range(0, len(evaluations), BATCH):
        batch = evaluations[start : start + BATCH]
        try:
            failed = account.calls.one(
                "config",
                "PutEvaluations",
                refused,
                at_the_end=True,
                Evaluations=batch,
                ResultToken=event.result_token,
                TestMode=event.test_mode,
            )
        except ReadError as error:
            named = shorten(", ".join(f"{each['ComplianceResourceId']}" for each in batch), 200)
            not_put[f"{len(batch)} evaluations were not put ({named}): {error}"] = len(batch)
            continue
        if failed:
            text = (
                f"config:PutEvaluations in account {account.place.account}, {account.place.region} refused"
                f" {len(failed)} evaluations of {event.rule_name}, the first: {shorten(repr(failed[0]), 200)}."
            )
            not_put[text] = not_put.get(text, 0) + len(failed)
    return not_put


def _incomplete(outcome: Outcome) -> list[str]:
    if not outcome.failures:
        return []
    total = len(outcome.verdicts) + len(outcome.failures)
    failures = "; ".join(_each_failure(outcome.failures.items()))
    return [f"{len(outcome.failures)} of {total} subjects could not be judged and keep their last verdict: {failures}"]


def _each_failure(failures: Iterable[tuple[Key, ReadError]]) -> list[str]:
    """Each failure once, with the subjects that it concerns."""
    subjects: dict[str, list[str]] = {}
    for (resource_type, resource_id), error in failures:
        subjects.setdefault(str(error), []).append(f"{resource_type} {resource_id}")
    return _first([f"{shorten(', '.join(named), 500)}: {error}" for error, named in subjects.items()])


def _first(texts: list[str]) -> list[str]:
    """The first twenty, and how many more there are: none is worth an error that nobody can read."""
    more = len(texts) - MOST_TOLD
    return texts if more <= 0 else [*texts[:MOST_TOLD], f"(+{more} more)"]

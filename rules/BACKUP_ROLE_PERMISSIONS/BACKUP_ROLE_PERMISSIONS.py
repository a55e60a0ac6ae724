"""The role of every backup selection may do what AWS Backup does under it for the resources that are assigned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from backup_rules.aws import backup, iam, resources
from backup_rules.aws.account import Account
from backup_rules.aws.iam import simulate
from backup_rules.aws.memory import remembered
from backup_rules.errors import ReadError, VanishedError
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject
from backup_rules.iam.denials import Answers, actions_by_subject, answers_to, problems, withheld
from backup_rules.iam.needs import Assignment, needs_of, types_to_list
from backup_rules.iam.permissions import Probe, probes_for, requests_for
from backup_rules.iam.trust import RoleArn, parse_role_arn
from backup_rules.logs import log
from backup_rules.plans.plans import AUTOMATIC_EFS_PLAN_PREFIX
from backup_rules.resources.resource_types import DYNAMODB, ResourceType
from backup_rules.selections.picking import SelectionSummary
from backup_rules.selections.words import called
from backup_rules.shared_rules.role_checks import role_arn_of
from backup_rules.wording.annotations import name
from backup_rules.wording.findings import Finding, NotApplicable

SERVICE_LINKED_PATH = "/aws-service-role/backup.amazonaws.com/"

Probes = dict[SelectionSummary, tuple[Probe, ...]]


class BACKUP_ROLE_PERMISSIONS(BackupConfigRule[RuleParameters, SelectionSummary]):
    """Verdicts are about selections. IAM is asked once for each role, about all that its selections need."""

    def subjects(self, invocation: Invocation[RuleParameters]) -> Iterable[Subject[SelectionSummary]]:
        account, subjects = invocation.account, invocation.selections()
        account.side_by_side(_read, [subject.of for subject in subjects])
        roles = dict.fromkeys(_role(subject.of, account) for subject in subjects)
        account.side_by_side(lambda _, role: _answers(invocation, role), [each for each in roles if each is not None])
        return subjects

    def findings(self, subject: Subject[SelectionSummary], invocation: Invocation[RuleParameters]) -> Iterator[Finding]:
        summary = subject.of
        role_arn = role_arn_of(summary, invocation.account)
        role = _role(summary, invocation.account)
        if role is None:
            yield NotApplicable(
                f"{name(role_arn, 130) or 'Nothing'} is no role of account"
                f" {invocation.account.place.account}, so there are no permissions to judge: see BACKUP_ROLE_ASSUMABLE."
            )
            return
        if summary.plan_id.startswith(AUTOMATIC_EFS_PLAN_PREFIX) and role.path == SERVICE_LINKED_PATH:
            yield NotApplicable(f"Role {role.name} is AWS Backup's own: AWS keeps its permissions.")
            return
        _read(invocation.account, summary)
        answers = _answers(invocation, role)
        if answers is None:
            named = str(role) if len(str(role)) <= 100 else role.name
            yield NotApplicable(
                f"Role {named} of {called(summary)} does not exist, so there are no permissions to judge: see"
                " BACKUP_ROLE_ASSUMABLE."
            )
            return
        with invocation.account.calls.reading("iam", "SimulatePrincipalPolicy", str(role)):
            found = withheld(_probes(invocation)[summary], answers)
        if found:  # an annotation rarely has room for all of them
            log(
                "INFO",
                "actions withheld",
                role=str(role),
                selection=subject.resource_id,
                actions=actions_by_subject(found),
            )
        yield from problems(role.name, summary, found)


def _role(summary: SelectionSummary, account: Account) -> RoleArn | None:
    """The selection's role, if it is one of this account."""
    role = parse_role_arn(summary.role_arn or "")
    return role if role is not None and role.is_in(account.place) else None


def _read(account: Account, summary: SelectionSummary) -> Assignment:
    """The selection and its plan.

    Raises:
        ReadError, VanishedError: when either cannot be read, or is there no more.
    """
    return Assignment(backup.plan_of(account, summary), backup.selection(account, summary))


def _readable(invocation: Invocation[RuleParameters]) -> Iterator[Assignment]:
    """The judged selections but for those that cannot be read: each of them fails by itself."""
    for subject in invocation.selections():
        try:
            yield _read(invocation.account, subject.of)
        except (ReadError, VanishedError):
            continue


@remembered
def _probes(invocation: Invocation[RuleParameters]) -> Probes:
    """What to ask for each selection."""
    account, place = invocation.account, invocation.account.place
    assignments = tuple(_readable(invocation))
    if not assignments:
        return {}
    wanted = frozenset[ResourceType]().union(*(types_to_list(each.selection, place) for each in assignments))
    needs = needs_of(assignments, resources.could_be_picked(account, wanted), place)
    if any(DYNAMODB in each.types for each in needs.values()):
        advanced = backup.advanced_features(account).get(DYNAMODB.opt_in_key)
        needs = {summary: replace(each, advanced_dynamodb=advanced) for summary, each in needs.items()}
    return {summary: probes_for(each, place) for summary, each in needs.items()}


@remembered
def _probes_by_role(invocation: Invocation[RuleParameters]) -> dict[str, tuple[Probe, ...]]:
    """All that is asked about each role, by its ARN, each question once."""
    found: dict[str, dict[Probe, None]] = {}
    for summary, probes in _probes(invocation).items():
        found.setdefault(summary.role_arn or "", {}).update(dict.fromkeys(probes))
    return {role_arn: tuple(probes) for role_arn, probes in found.items()}


@remembered
def _answers(invocation: Invocation[RuleParameters], role: RoleArn) -> Answers | None:
    """IAM's answers about the role, to all that its selections need; None when there is no such role."""
    account, role_arn = invocation.account, str(role)
    found = iam.role(account, role.name)
    if found is None or found.arn != role_arn:
        return None
    results = simulate(account, role_arn, requests_for(_probes_by_role(invocation).get(role_arn, ()), account.place))
    if results is None:
        return None
    with account.calls.reading("iam", "SimulatePrincipalPolicy", role_arn):
        return answers_to(results)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_ROLE_PERMISSIONS()).handle(event, context)

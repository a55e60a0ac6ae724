"""Every resource type that a selection picks by tag, by service or by `*` is turned on in the Region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from backup_rules.arns import Place
from backup_rules.aws import backup, organizations, resources
from backup_rules.aws.memory import gaps_noticed, note_gap, remembered
from backup_rules.errors import InvalidRuleParametersError
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import TRUE_OR_FALSE, WORDS, RuleParameters, parameter
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject, account_subject
from backup_rules.plans.plans import ORGANIZATION_PLAN_PREFIX
from backup_rules.resources.resource_types import OPT_IN_KEYS, ResourceType
from backup_rules.selections.opt_in import OptIn, Reach, may_be_skipped, opt_in_findings, reach, required_problem
from backup_rules.selections.picking import SelectionSummary
from backup_rules.selections.untagged import types_without_tags
from backup_rules.wording.annotations import name
from backup_rules.wording.findings import Finding, NotApplicable
from backup_rules.wording.quoting import shown


@dataclass(frozen=True)
class Parameters(RuleParameters):
    """`strict`: report types assigned by ARN or type as well. `required_resource_types`: a verdict on the account.

    `ignored_resource_types` are turned off on purpose.
    """

    strict: bool = parameter(TRUE_OR_FALSE, default=False)
    required_resource_types: tuple[str, ...] = parameter(WORDS, default=())
    ignored_resource_types: tuple[str, ...] = parameter(WORDS, default=())


class BACKUP_SERVICE_OPT_IN(BackupConfigRule[Parameters, SelectionSummary | Place]):
    """Verdicts are about selections, and about the account where types are required."""

    parameters_type = Parameters

    def subjects(self, invocation: Invocation[Parameters]) -> Iterable[Subject[SelectionSummary | Place]]:
        _check_keys(invocation)
        selections = invocation.selections()
        invocation.account.side_by_side(backup.selection, (subject.of for subject in selections))
        yield from selections
        if invocation.parameters.required_resource_types and invocation.only is None:
            yield account_subject(invocation.account.place)

    def findings(
        self, subject: Subject[SelectionSummary | Place], invocation: Invocation[Parameters]
    ) -> Iterator[Finding]:
        account, place = invocation.account, invocation.account.place
        if isinstance(subject.of, Place):
            required = invocation.parameters.required_resource_types
            problem = required_problem(required, backup.opt_in(account), place.region)
            if problem is not None:
                yield problem
            return
        if (
            subject.of.plan_id.startswith(ORGANIZATION_PLAN_PREFIX)
            and organizations.management_account(account) != place.account
        ):
            yield NotApplicable(
                f"Plan {name(subject.of.plan_name)} comes from an organization's backup policy: the opt-in settings of"
                " the management account decide. Judge them there."
            )
            return
        selection = backup.selection(account, subject.of)
        opt_in = _opt_in(invocation)
        with gaps_noticed() as gaps:
            reached = _reach(invocation).get(subject.of, {})
            kept_out = frozenset(each for each in types_without_tags(selection, place) if opt_in.keeps_out(each))
            listed = resources.listed_types(account, kept_out)
        for gap in gaps.values() if may_be_skipped(selection, opt_in) else ():
            note_gap(gap)
        yield from opt_in_findings(selection, reached, opt_in, listed)


def _check_keys(invocation: Invocation[Parameters]) -> None:
    """That the parameters name opt-in keys that the pack knows, or that the Region's settings have.

    Raises:
        InvalidRuleParametersError: naming the parameter, the key and those that the settings have.
    """
    parameters = invocation.parameters
    for parameter_name, keys in (
        ("RequiredResourceTypes", parameters.required_resource_types),
        ("IgnoredResourceTypes", parameters.ignored_resource_types),
    ):
        unknown = [key for key in keys if key not in OPT_IN_KEYS]
        if unknown and not set(unknown) <= set(backup.opt_in(invocation.account)):
            raise InvalidRuleParametersError(
                f"{parameter_name} is {shown(','.join(keys))}; allowed is a comma-separated list of"
                f" {', '.join(dict.fromkeys((*OPT_IN_KEYS, *backup.opt_in(invocation.account))))}."
            )


def _opt_in(invocation: Invocation[Parameters]) -> OptIn:
    parameters = invocation.parameters
    return OptIn(
        backup.opt_in(invocation.account),
        invocation.account.place,
        strict=parameters.strict,
        ignored=frozenset(parameters.ignored_resource_types),
    )


@remembered
def _reach(invocation: Invocation[Parameters]) -> dict[SelectionSummary, Reach]:
    """What the judged selections pick, read at once for all; a selection that cannot be read fails by itself.

    Resources without tags are read of such types only as are turned off, or not supported.
    """
    account, opt_in = invocation.account, _opt_in(invocation)
    selections = backup.readable_selections(account, [subject.of for subject in invocation.selections()])
    if not selections:
        return {}
    untagged = frozenset[ResourceType]().union(*(types_without_tags(each, account.place) for each in selections))
    wanted = [each for each in untagged if opt_in.keeps_out(each)]
    return reach(selections, resources.could_be_picked(account, wanted))


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_SERVICE_OPT_IN()).handle(event, context)

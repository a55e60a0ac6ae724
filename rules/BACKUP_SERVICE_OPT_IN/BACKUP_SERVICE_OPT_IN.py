"""Every resource type that a selection picks by tag, by service or by `*` is turned on in the Region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from backup_rules.arns import Place
from backup_rules.aws import backup, organizations, resources
from backup_rules.aws.account import Account
from backup_rules.aws.memory import remembered
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import TRUE_OR_FALSE, RuleParameters, choices_list, parameter
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject, account_subject
from backup_rules.plans.plans import ORGANIZATION_PLAN_PREFIX
from backup_rules.resources.resource_types import OPT_IN_KEYS, Resource
from backup_rules.selections.opt_in import Reach, opt_in_findings, reach, required_problem
from backup_rules.selections.picking import Selection, SelectionSummary, elements, types_named
from backup_rules.wording.findings import Finding, NotApplicable


@dataclass(frozen=True)
class Parameters(RuleParameters):
    """`strict`: report types assigned by ARN or type as well. `required_resource_types`: a verdict on the account."""

    strict: bool = parameter(TRUE_OR_FALSE, default=False)
    required_resource_types: tuple[str, ...] = parameter(choices_list(OPT_IN_KEYS), default=())


class BACKUP_SERVICE_OPT_IN(BackupConfigRule[Parameters, SelectionSummary | Place]):
    """Verdicts are about selections, and about the account where types are required."""

    parameters_type = Parameters

    def subjects(self, invocation: Invocation[Parameters]) -> Iterable[Subject[SelectionSummary | Place]]:
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
            problem = required_problem(
                invocation.parameters.required_resource_types, backup.opt_in(account), place.region
            )
            if problem is not None:
                yield problem
            return
        if (
            subject.of.plan_id.startswith(ORGANIZATION_PLAN_PREFIX)
            and organizations.management_account(account) != place.account
        ):
            yield NotApplicable(
                f"Plan {subject.of.plan_name} comes from an organization's backup policy: the opt-in settings of the"
                " management account decide. Judge them there."
            )
            return
        selection = backup.selection(account, subject.of)
        reached = _reach(invocation).get(subject.of, {})
        yield from opt_in_findings(
            selection, reached, backup.opt_in(account), place, strict=invocation.parameters.strict
        )


@remembered
def _reach(invocation: Invocation[Parameters]) -> dict[SelectionSummary, Reach]:
    """What the judged selections pick, read at once for all; a selection that cannot be read fails by itself."""
    selections = backup.readable_selections(invocation.account, [subject.of for subject in invocation.selections()])
    return reach(selections, _candidates(invocation.account, selections))


def _candidates(account: Account, selections: Iterable[Selection]) -> Iterable[Resource]:
    """The resources that could be picked: the tagged ones, and where databases are named, those without tags too."""
    named = [element for selection in selections for element in elements(selection)]
    if not named:
        return ()
    services = {"rds"} & {kind.service for element in named for kind in types_named(element)}
    return resources.with_untagged(account, services)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_SERVICE_OPT_IN()).handle(event, context)

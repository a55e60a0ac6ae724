"""Every plan has a selection, and every selection can match something in the account and Region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backup_rules.aws import backup, resources
from backup_rules.aws.memory import remembered
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject
from backup_rules.plans.plans import PlanSummary
from backup_rules.selections.empty import LISTED_SERVICES, LeftOut, empty_problems, left_out, notes
from backup_rules.selections.picking import SelectionIndex, SelectionSummary, alike, elements, types_named
from backup_rules.wording.annotations import name
from backup_rules.wording.findings import Finding, Problem


class BACKUP_SELECTION_NOT_EMPTY(BackupConfigRule[RuleParameters, PlanSummary | SelectionSummary]):
    """Verdicts are about plans and about selections."""

    def subjects(self, invocation: Invocation[RuleParameters]) -> Iterable[Subject[PlanSummary | SelectionSummary]]:
        selections, plans = invocation.selections(), invocation.plans()
        invocation.account.side_by_side(backup.selection, (subject.of for subject in selections))
        without = [plan.of for plan in plans if not backup.selection_summaries(invocation.account, plan.of)]
        invocation.account.side_by_side(backup.plan, without)
        return (*plans, *selections)

    def findings(
        self, subject: Subject[PlanSummary | SelectionSummary], invocation: Invocation[RuleParameters]
    ) -> Iterator[Finding]:
        account = invocation.account
        if isinstance(subject.of, PlanSummary):
            if not backup.selection_summaries(account, subject.of):
                backup.plan(
                    account, subject.of
                )  # a plan deleted meanwhile has no selections either, and gets no verdict
                yield Problem(
                    f"Plan {name(subject.of.name)} has no selection, so it backs up nothing.",
                    "Give it selections in the backup policy."
                    if subject.of.from_organization
                    else "Assign resources to it under AWS Backup > Backup plans > Assign resources, or delete the"
                    " plan.",
                )
            return
        selection = backup.selection(account, subject.of)
        services = LISTED_SERVICES & {kind.service for element in elements(selection) for kind in types_named(element)}
        sight = _sight(invocation, services)
        if subject.of not in sight.picking:
            problems = list(empty_problems(selection, sight.left_out.get(subject.of, {}), account.place))
            if problems:
                yield from problems
                return
        yield from notes(selection, account.place)


@dataclass(frozen=True, slots=True)
class Sight:
    """Which of the judged selections pick something of what can be listed, and what the others name but leave out."""

    picking: frozenset[SelectionSummary]
    left_out: Mapping[SelectionSummary, LeftOut]


@remembered
def _sight(invocation: Invocation[RuleParameters], services: frozenset[str]) -> Sight:
    selections = backup.readable_selections(invocation.account, [subject.of for subject in invocation.selections()])
    candidates = resources.with_untagged(invocation.account, services)
    groups = alike(selections)
    index = SelectionIndex(groups)
    picks = {pick.selection.summary for resource in candidates for pick in index.selections_picking(resource)}
    empty = [first for first in groups if first.summary not in picks]
    examples = left_out(empty, candidates) if empty else {}
    return Sight(
        frozenset(each.summary for first, group in groups.items() if first.summary in picks for each in group),
        {each.summary: examples.get(first.summary, {}) for first in empty for each in groups[first]},
    )


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_SELECTION_NOT_EMPTY()).handle(event, context)

"""Every plan has a selection, and every selection can match something in the account and Region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from backup_rules.aws import backup, resources
from backup_rules.aws.memory import gaps_noticed, note_gap, remembered
from backup_rules.errors import ReadError
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject
from backup_rules.plans.plans import PlanSummary
from backup_rules.resources.resource_types import ResourceType
from backup_rules.selections.empty import LeftOut, empty_problems, left_out, notes
from backup_rules.selections.joining import ResourceTable
from backup_rules.selections.picking import SelectionSummary, alike
from backup_rules.selections.untagged import types_without_tags
from backup_rules.values import dataclass
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
                    rests_on_absence=True,
                )
            return
        selection = backup.selection(account, subject.of)
        sight = _sight(invocation)
        if subject.of not in sight.picking:
            for gap in sight.gaps:  # what it picks, it picks whatever else there may be
                note_gap(gap)
            examples = sight.left_out.get(subject.of, {})
            problems = list(empty_problems(selection, examples, sight.listed, account.place))
            if problems:
                yield from problems
                return
        yield from notes(selection, account.place)


@dataclass(frozen=True, slots=True)
class Sight:
    """Which of the judged selections pick something that is known, and what the others name but leave out.

    `listed` are the types of which all resources are known, `gaps` what is missing from those that are.
    """

    picking: frozenset[SelectionSummary]
    left_out: Mapping[SelectionSummary, LeftOut]
    listed: frozenset[ResourceType]
    gaps: tuple[ReadError, ...]


@remembered
def _sight(invocation: Invocation[RuleParameters]) -> Sight:
    """What the judged selections pick, for all at once: of the tagged resources, and only then of the others."""
    account, place = invocation.account, invocation.account.place
    selections = backup.readable_selections(account, [subject.of for subject in invocation.selections()])
    if not selections:
        return Sight(frozenset(), {}, frozenset(), ())
    groups = alike(selections)
    with gaps_noticed() as gaps:
        candidates = ResourceTable(resources.tagged_resources(account))
        waiting = [each for each in groups if not candidates.picked(each)]
        untagged = frozenset[ResourceType]().union(*(types_without_tags(each, place) for each in waiting))
        if untagged:
            candidates = ResourceTable(resources.could_be_picked(account, untagged))
            waiting = [each for each in waiting if not candidates.picked(each)]
        listed = resources.listed_types(account, untagged)
    examples = left_out(waiting, candidates)
    empty = {each.summary for first in waiting for each in groups[first]}
    return Sight(
        frozenset(each.summary for each in selections if each.summary not in empty),
        {each.summary: examples.get(first.summary, {}) for first in waiting for each in groups[first]},
        listed,
        tuple(gaps.values()),
    )


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_SELECTION_NOT_EMPTY()).handle(event, context)

"""Every plan has a selection, and every selection can match something in the account and Region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backup_rules.aws.account import Account
from backup_rules.aws.file_systems import file_systems, volumes
from backup_rules.evaluation.evaluation import Run
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject
from backup_rules.plans.plans import PlanSummary
from backup_rules.resources.resource_types import Resource
from backup_rules.selections.empty import LISTED_SERVICES, LeftOut, empty_problems, left_out, notes
from backup_rules.selections.picking import SelectionIndex, SelectionSummary, alike, elements, types_named
from backup_rules.wording.annotations import name
from backup_rules.wording.findings import Finding, Problem


class BACKUP_SELECTION_NOT_EMPTY(BackupConfigRule[RuleParameters, PlanSummary | SelectionSummary]):
    """Verdicts are about plans and about selections."""

    def subjects(self, run: Run[RuleParameters]) -> Iterable[Subject[PlanSummary | SelectionSummary]]:
        selections, plans = run.selections(), run.plans()
        run.account.side_by_side(run.account.selection, (subject.of for subject in selections))
        without = [plan.of for plan in plans if not run.account.selection_summaries(plan.of)]
        run.account.side_by_side(run.account.plan, without)
        return (*plans, *selections)

    def findings(self, subject: Subject[PlanSummary | SelectionSummary], run: Run[RuleParameters]) -> Iterator[Finding]:
        account = run.account
        if isinstance(subject.of, PlanSummary):
            if not account.selection_summaries(subject.of):
                account.plan(subject.of)  # a plan deleted meanwhile has no selections either, and gets no verdict
                yield Problem(
                    f"Plan {name(subject.of.name)} has no selection, so it backs up nothing.",
                    "Give it selections in the backup policy."
                    if subject.of.from_organization
                    else "Assign resources to it under AWS Backup > Backup plans > Assign resources, or delete the"
                    " plan.",
                )
            return
        selection = account.selection(subject.of)
        services = LISTED_SERVICES & {kind.service for element in elements(selection) for kind in types_named(element)}
        sight = account.once(("sight", services), lambda: _sight(run, services))
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


def _sight(run: Run[RuleParameters], services: Iterable[str]) -> Sight:
    selections = run.account.readable_selections(subject.of for subject in run.selections())
    candidates = {resource.arn: resource for resource in run.account.tagged_resources()}
    for service in services:
        candidates |= {resource.arn: resource for resource in _all_of(service, run.account)}
    groups = alike(selections)
    index = SelectionIndex(groups)
    picks = {pick.selection.summary for resource in candidates.values() for pick in index.selections_picking(resource)}
    empty = [first for first in groups if first.summary not in picks]
    examples = left_out(empty, candidates.values()) if empty else {}
    return Sight(
        frozenset(each.summary for first, group in groups.items() if first.summary in picks for each in group),
        {each.summary: examples.get(first.summary, {}) for first in empty for each in groups[first]},
    )


def _all_of(service: str, account: Account) -> Iterable[Resource]:
    if service == "rds":
        return [database.resource for database in account.databases()]
    return [*(each.resource for each in file_systems(account)), *(each.resource for each in volumes(account))]


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_SELECTION_NOT_EMPTY()).handle(event, context)

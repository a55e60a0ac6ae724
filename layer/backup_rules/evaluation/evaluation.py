"""One evaluation by a rule: what it reads, with which parameters, as of when, and what it is narrowed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from backup_rules.aws.account import Account
from backup_rules.evaluation.events import Trigger
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.subjects import Subject, plan_subject, selection_subject
from backup_rules.plans.plans import PlanSummary
from backup_rules.selections.picking import SelectionSummary

P = TypeVar("P", bound=RuleParameters)


@dataclass(frozen=True)
class Run(Generic[P]):
    """One evaluation. `now` is the event's, in UTC.

    With `only`, the configuration item of one plan or selection has changed and nothing else is judged.
    """

    account: Account
    parameters: P
    now: datetime
    only: Trigger | None = None

    def plans(self) -> tuple[Subject[PlanSummary], ...]:
        """The plans to judge, without the excluded ones."""
        return tuple(plan_subject(plan) for plan in self._plans())

    def selections(self) -> tuple[Subject[SelectionSummary], ...]:
        """The selections to judge, without those of excluded plans."""
        plans = self._plans()
        self.account.side_by_side(self.account.selection_summaries, plans)
        return tuple(
            selection_subject(selection)
            for plan in plans
            for selection in self.account.selection_summaries(plan)
            if self.only is None or self.only.selection_id in {None, selection.id}
        )

    def _plans(self) -> tuple[PlanSummary, ...]:
        return tuple(
            plan
            for plan in self.account.plan_summaries()
            if not self.parameters.excludes(plan.name, plan.id) and (self.only is None or self.only.plan_id == plan.id)
        )

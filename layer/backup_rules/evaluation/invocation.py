"""One invocation of a rule: what it reads, with which parameters, as of when, and what it is narrowed to."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

from backup_rules.aws import backup
from backup_rules.aws.account import Account
from backup_rules.aws.memory import Memory
from backup_rules.evaluation.events import Trigger
from backup_rules.evaluation.parameters import ResourceParameters, RuleParameters
from backup_rules.evaluation.subjects import Subject, plan_subject, selection_subject
from backup_rules.plans.plans import PlanSummary
from backup_rules.resources.resource_types import Resource
from backup_rules.selections.picking import SelectionSummary

P = TypeVar("P", bound=RuleParameters)


class Invocation(Memory, Generic[P]):
    """One invocation of a rule. What the rule works out for all subjects at once is remembered here.

    `now` is the event's, in UTC. `excluded_plans` (ids) and `excluded_resources` (ARNs) were met and are not reported.
    With `only`, the configuration item of one plan or selection has changed and nothing else is judged.
    """

    def __init__(self, account: Account, parameters: P, now: datetime, only: Trigger | None = None) -> None:
        super().__init__()
        self.account = account
        self.parameters = parameters
        self.now = now
        self.only = only
        self.excluded_plans: set[str] = set()
        self.excluded_resources: set[str] = set()

    def plans(self) -> tuple[Subject[PlanSummary], ...]:
        """The plans to judge, without the excluded ones."""
        return tuple(plan_subject(plan) for plan in self._plans())

    def selections(self) -> tuple[Subject[SelectionSummary], ...]:
        """The selections to judge, without those of excluded plans."""
        return tuple(
            selection_subject(selection)
            for selection in backup.selections_of(self.account, self._plans())
            if self.only is None or self.only.selection_id in {None, selection.id}
        )

    def excludes_plan(self, name: str, plan_id: str) -> bool:
        """Whether the parameters exclude the plan. What they exclude is kept for the log line."""
        excluded = self.parameters.excludes(name, plan_id)
        if excluded:
            self.excluded_plans.add(plan_id)
        return excluded

    def excludes_resource(self, resource: Resource) -> bool:
        """Whether the parameters of a rule about resources exclude this one, in the same way."""
        excluded = isinstance(self.parameters, ResourceParameters) and self.parameters.excludes_resource(resource)
        if excluded:
            self.excluded_resources.add(resource.arn)
        return excluded

    def _plans(self) -> tuple[PlanSummary, ...]:
        return tuple(
            plan
            for plan in backup.plan_summaries(self.account)
            if (self.only is None or self.only.plan_id == plan.id) and not self.excludes_plan(plan.name, plan.id)
        )

"""What is kept of answers that cannot change, for the next rule and the next day: here, nothing.

A selection is never updated, and a version of a plan neither: AWS Backup has no operation that could. So a selection's
id with its plan's, and a plan's with its version's, name content for ever. Which of them exist is listed each time.
`kept_in_bucket` keeps them, where a bucket is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from backup_rules.aws.answers import Answer
from backup_rules.plans.plans import PlanSummary
from backup_rules.selections.picking import SelectionSummary

T = TypeVar("T")

PLANS, SELECTIONS = "plans", "selections"


class Kept:
    """Nothing is kept: every answer is read from AWS. What keeps something overrides these."""

    taken = 0
    """How many answers were at hand."""

    def read(self, kind: str, plan_id: str, its_id: str, parse: Callable[[Answer], T | None]) -> T | None:
        """The answer that is kept, parsed; None where there is none that can be trusted.

        Args:
            kind: `PLANS` or `SELECTIONS`.
            plan_id: the plan.
            its_id: which version of the plan, or which of its selections.
            parse: reads the answer, and says None to one that is not of what was listed.
        """
        del kind, plan_id, its_id, parse
        return None

    def note(self, kind: str, plan_id: str, its_id: str, answer: Answer) -> None:
        """Keep an answer of AWS that could be read."""

    def plans_listed(self, plans: Iterable[PlanSummary]) -> None:
        """These plans exist, in these versions, and no others."""

    def selections_listed(self, plan_id: str, selections: Iterable[SelectionSummary]) -> None:
        """The plan has these selections and no others."""

    def in_own_order(self, subjects: list[T]) -> list[T]:
        """The order in which this reader asks for them: each its own, where readers share what they read."""
        return subjects

    def save(self) -> None:
        """The invocation ends: what was read is there for the next."""


NOTHING = Kept()

"""Accounts that AWS leaves on an older backup policy, as their effective one is invalid, and how that is told.

Source: https://docs.aws.amazon.com/organizations/latest/userguide/invalid-policy-alerts.html
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from backup_rules.values import dataclass
from backup_rules.wording.annotations import listing, name
from backup_rules.wording.findings import Problem
from backup_rules.wording.quoting import quote


@dataclass(frozen=True, slots=True)
class ValidationError:
    """An error in an effective policy, in AWS's words. `policies` are the ids of those that contributed to it."""

    code: str
    message: str
    path: str
    policies: tuple[str, ...] = ()

    def __str__(self) -> str:
        message = f" {quote(self.message)}" if self.message else ""
        return f"{self.code}{message}{self.where}"

    @property
    def where(self) -> str:
        """` at plans/nightly/rules`, to follow what is wrong."""
        return f" at {name(self.path, 80)}" if self.path else ""


class NotTold(Enum):
    """Why AWS does not tell an account which accounts have an invalid policy; why the rule says nothing there."""

    NO_POLICY_TYPE = "Backup policies are not enabled in the organization."
    NO_ADMINISTRATOR = "This account is neither the organization's management account nor a delegated administrator."


def invalid_policy_problem(accounts: Sequence[str], first: ValidationError | None) -> Problem:
    """The problem of the organization whose `accounts` (by id, at least one) have an invalid effective policy.

    `first` is the first error of the first account; None where it has none any more.
    """
    several = len(accounts) > 1
    frozen = (
        f"{len(accounts)} accounts have an invalid effective backup policy, so they keep the last valid one"
        if several
        else f"Account {accounts[0]} has an invalid effective backup policy, so it keeps the last valid one"
    )
    unchanged = " and get no change" if several else " and gets no change"
    which = f", {accounts[0]} first" if several else ""
    policies = f"policy {listing(first.policies, most=2)}" if first and first.policies else "the backup policy"
    remedies = (f"Correct {policies} in AWS Organizations.", "Correct the policy in AWS Organizations.")
    if first is None:
        return Problem.worded((f"{frozen}{which}.",), *remedies)
    errors = (str(first), f"{first.code}{first.where}", first.code)
    return Problem.worded(tuple(f"{frozen}{unchanged}{which}: {error}." for error in errors), *remedies)

"""What an invocation of the rule does in the ordinary account, where its permissions do not tell."""

from __future__ import annotations

from collections.abc import Mapping

from backup_rules_cli.costs.counts import CALLS as ALL_CALLS
from backup_rules_cli.costs.counts import LISTING, Count, Invocation, Trigger, none, of_selections

CALLS: Mapping[str, Count] = {
    "backup:GetBackupPlan": none,
    **{action: of_selections(ALL_CALLS[action]) for action in LISTING},
}


def evaluations(invocation: Invocation) -> int:
    """How many evaluations an invocation puts."""
    return {Trigger.PLAN: 1, Trigger.SELECTION: 1}.get(invocation.trigger, invocation.plans + invocation.selections)

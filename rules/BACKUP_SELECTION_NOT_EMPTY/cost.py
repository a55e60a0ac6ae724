"""What a run of the rule does in the ordinary account, where its permissions do not tell."""

from __future__ import annotations

from collections.abc import Mapping

from backup_rules_cli.costs.counts import CALLS as ALL_CALLS
from backup_rules_cli.costs.counts import LISTING, Count, Run, Trigger, none, of_selections

CALLS: Mapping[str, Count] = {
    "backup:GetBackupPlan": none,
    **{action: of_selections(ALL_CALLS[action]) for action in LISTING},
}


def evaluations(run: Run) -> int:
    """How many evaluations a run puts."""
    return {Trigger.PLAN: 1, Trigger.SELECTION: 1}.get(run.trigger, run.plans + run.selections)

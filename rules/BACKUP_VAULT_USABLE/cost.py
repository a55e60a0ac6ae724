"""What an invocation of the rule does in the ordinary account, where its permissions do not tell."""

from __future__ import annotations

from collections.abc import Mapping

from backup_rules_cli.costs.counts import CALLS as ALL_CALLS
from backup_rules_cli.costs.counts import Count, Invocation, none, with_local_plans

CALLS: Mapping[str, Count] = {
    # All plans are compared, the organization's too; nothing more is read while none of them is continuous.
    "backup:GetBackupPlan": lambda invocation: (
        (invocation.account.plans if invocation.account.local_plans else 0) if invocation.scheduled else 1
    ),
    "backup:ListBackupSelections": none,
    "backup:GetBackupSelection": none,
    "tag:GetResources": none,
    "backup:ListBackupVaults": with_local_plans(ALL_CALLS["backup:ListBackupVaults"]),
}


def evaluations(invocation: Invocation) -> int:
    """How many evaluations an invocation puts."""
    return invocation.plans

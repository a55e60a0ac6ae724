"""What a run of the rule does in the ordinary account, where its permissions do not tell."""

from __future__ import annotations

from collections.abc import Mapping

from backup_rules_cli.costs.counts import CALLS as ALL_CALLS
from backup_rules_cli.costs.counts import Count, Run, none, with_local_plans

CALLS: Mapping[str, Count] = {
    # All plans are compared, the organization's too; nothing more is read while none of them is continuous.
    "backup:GetBackupPlan": lambda run: (run.account.plans if run.account.local_plans else 0) if run.scheduled else 1,
    "backup:ListBackupSelections": none,
    "backup:GetBackupSelection": none,
    "tag:GetResources": none,
    "backup:ListBackupVaults": with_local_plans(ALL_CALLS["backup:ListBackupVaults"]),
}


def evaluations(run: Run) -> int:
    """How many evaluations a run puts."""
    return run.plans

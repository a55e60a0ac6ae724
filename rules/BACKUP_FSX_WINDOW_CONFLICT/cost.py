"""What an invocation of the rule does in the ordinary account, where its permissions do not tell."""

from __future__ import annotations

from collections.abc import Mapping

from backup_rules_cli.costs.counts import Count, none

CALLS: Mapping[str, Count] = {
    "backup:GetBackupPlan": none,
    "tag:GetResources": none,
    "fsx:DescribeFileSystems": lambda _: 1,
    "fsx:DescribeVolumes": lambda _: 1,
}

evaluations = none

"""What a run of the rule does in the ordinary account, where its permissions do not tell."""

from __future__ import annotations

from collections.abc import Mapping

from backup_rules_cli.costs.counts import RDS_PAGE, TAGGING_PAGE, Count, Run, pages

CALLS: Mapping[str, Count] = {
    "backup:GetBackupPlan": lambda run: run.plans if run.account.databases else 0,
    "rds:DescribeDBClusters": lambda _: 1,
    "rds:DescribeDBInstances": lambda run: pages(run.account.databases, RDS_PAGE),
    "tag:GetResources": lambda run: pages(run.account.databases, TAGGING_PAGE) if run.account.databases else 0,
}


def evaluations(run: Run) -> int:
    """How many evaluations a run puts."""
    return run.account.databases

"""What an invocation of the rule does in the ordinary account, where its permissions do not tell."""

from __future__ import annotations

from collections.abc import Mapping

from backup_rules_cli.costs.counts import RDS_PAGE, TAGGING_PAGE, Count, Invocation, pages

CALLS: Mapping[str, Count] = {
    "backup:GetBackupPlan": lambda invocation: invocation.plans if invocation.account.databases else 0,
    "rds:DescribeDBClusters": lambda _: 1,
    "rds:DescribeDBInstances": lambda invocation: pages(invocation.account.databases, RDS_PAGE),
    "tag:GetResources": lambda invocation: (
        pages(invocation.account.databases, TAGGING_PAGE) if invocation.account.databases else 0
    ),
}


def evaluations(invocation: Invocation) -> int:
    """How many evaluations an invocation puts."""
    return invocation.account.databases

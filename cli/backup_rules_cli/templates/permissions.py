"""The IAM statements under which the rules read an account: the actions that rule folders declare, scoped by resource.

Which actions know resources, and which: https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from backup_rules_cli.catalogue import COMMON_PERMISSIONS, RuleFolder
from backup_rules_cli.templates.intrinsics import sub


@dataclass(frozen=True)
class Scope:
    """Actions on one kind of resource. Regions are `*`: a role is for all Regions of its account."""

    sid: str
    resource: str
    actions: frozenset[str]


# An action that stands nowhere here is granted on `*`, and a test fails when AWS could have scoped it.
SCOPES = (
    Scope(
        "BackupPlans",
        "arn:${AWS::Partition}:backup:*:${AWS::AccountId}:backup-plan:*",
        frozenset({"backup:GetBackupPlan", "backup:GetBackupSelection", "backup:ListBackupSelections"}),
    ),
    Scope(
        "BackupVaults",
        "arn:${AWS::Partition}:backup:*:${AWS::AccountId}:backup-vault:*",
        frozenset({"backup:DescribeBackupVault", "backup:GetBackupVaultAccessPolicy"}),
    ),
    Scope(
        "ConfigRules",
        "arn:${AWS::Partition}:config:*:${AWS::AccountId}:config-rule/*",
        frozenset({"config:GetComplianceDetailsByConfigRule"}),
    ),
    Scope(
        "DatabaseClusters",
        "arn:${AWS::Partition}:rds:*:${AWS::AccountId}:cluster:*",
        frozenset({"rds:DescribeDBClusters"}),
    ),
    Scope(
        "DatabaseInstances",
        "arn:${AWS::Partition}:rds:*:${AWS::AccountId}:db:*",
        frozenset({"rds:DescribeDBInstances"}),
    ),
    # A vault's key may belong to another account, whose key policy then decides as well.
    Scope("Keys", "arn:${AWS::Partition}:kms:*:*:key/*", frozenset({"kms:DescribeKey"})),
    Scope(
        "Roles",
        "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*",
        frozenset({"iam:GetRole", "iam:SimulatePrincipalPolicy"}),
    ),
)


def needed_actions(rules: Iterable[RuleFolder]) -> frozenset[str]:
    """What all these rules together need in the account that they judge."""
    return COMMON_PERMISSIONS.union(*(rule.permissions for rule in rules))


def reading_statements(rules: Sequence[RuleFolder]) -> list[dict[str, Any]]:
    """Statements that allow what the rules need, and nothing else."""
    actions = needed_actions(rules)
    found = [
        _allow(scope.sid, scope.actions & actions, sub(scope.resource)) for scope in SCOPES if scope.actions & actions
    ]
    rest = actions.difference(*(scope.actions for scope in SCOPES))
    return [*found, _allow("WithoutResources", rest, "*")] if rest else found


def _allow(sid: str, actions: Iterable[str], resource: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resource}

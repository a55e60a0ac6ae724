"""Amazon RDS, which also lists the clusters of Aurora, DocumentDB and Neptune."""

from __future__ import annotations

from typing import Any

from backup_rules.aws import tagging
from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, arn, field, once, optional, tags
from backup_rules.aws.memory import remembered
from backup_rules.resources.databases import Database
from backup_rules.resources.resource_types import RDS_INSTANCE, Resource, Unsupported, cluster_type

# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
_BACKUP_TARGETS = ("region", "outposts", "local")


@remembered
def listed_databases(account: Account) -> tuple[Database, ...]:
    """All DB instances (members of clusters among them) and DB clusters, with the tags that RDS tells."""
    account.side_by_side(lambda it, read: read(it), (_instances, _clusters))
    return (*_instances(account), *_clusters(account))


@remembered
def databases(account: Account) -> tuple[Database, ...]:
    """All DB instances and clusters of the Region, those without tags too, with all their tags."""
    return tagging.with_tags(account, listed_databases(account))


@remembered
def _instances(account: Account) -> tuple[Database, ...]:
    listed = account.calls.items("rds", "DescribeDBInstances", "DBInstances", _instance)
    return once(listed, lambda each: each.resource.arn)


@remembered
def _clusters(account: Account) -> tuple[Database, ...]:
    listed = account.calls.items("rds", "DescribeDBClusters", "DBClusters", _cluster)
    return once(listed, lambda each: each.resource.arn)


def _instance(answer: Answer) -> Database:
    member = optional(answer, "DBClusterIdentifier", str) is not None
    return Database(
        resource=Resource(
            arn=arn(answer, "DBInstanceArn"),
            type=RDS_INSTANCE,
            tags=tags(optional(answer, "TagList", list) or []),
            config_id=field(answer, "DbiResourceId", str),
            cluster_member=member,
            unsupported=_unsupported(answer),
        ),
        identifier=field(answer, "DBInstanceIdentifier", str),
        **_windows(answer),
    )


def _cluster(answer: Answer) -> Database:
    return Database(
        resource=Resource(
            arn=arn(answer, "DBClusterArn"),
            type=cluster_type(field(answer, "Engine", str)),
            tags=tags(optional(answer, "TagList", list) or []),
            config_id=field(answer, "DbClusterResourceId", str),
        ),
        identifier=field(answer, "DBClusterIdentifier", str),
        **_windows(answer),
    )


def _unsupported(answer: Answer) -> Unsupported | None:
    target = optional(answer, "BackupTarget", str) or "region"
    if target not in _BACKUP_TARGETS:
        raise ValueError(f"BackupTarget is {target!r}; the rules know {', '.join(_BACKUP_TARGETS)}")
    if target != "region":
        return Unsupported.OTHER_BACKUP_TARGET
    return Unsupported.CUSTOM_ORACLE if field(answer, "Engine", str).startswith("custom-oracle") else None


def _windows(answer: Answer) -> dict[str, Any]:
    return {
        "engine": field(answer, "Engine", str),
        "backup_window": optional(answer, "PreferredBackupWindow", str),
        "maintenance_window": optional(answer, "PreferredMaintenanceWindow", str),
        "retention_days": optional(answer, "BackupRetentionPeriod", int),
        "continuous_by_backup": bool(optional(answer, "AwsBackupRecoveryPointArn", str)),
    }

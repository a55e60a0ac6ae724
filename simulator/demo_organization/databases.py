"""Rule BACKUP_RDS_WINDOW_CONFLICT: windows of databases, in payments-production, eu-west-1."""

from __future__ import annotations

from typing import Any

from aws_simulator.core import rds
from demo_organization.site import Site, key_value, nightly, tags_are

_PICKED = {"database-backup": "nightly"}
_QUIET_DAY, _QUIET_WEEK = "12:00-12:30", "tue:13:00-tue:13:30"


def windows(site: Site) -> None:
    """Plan `databases-nightly` starts at 02:30 UTC and picks databases by tag.

    Healthy: `customers-db` (both windows at noon), `edge-db` (its window begins 61 minutes after the start),
    `cache-db` (automated backups are off), `audit-db` (AWS Backup manages its continuous backups), `reporting`
    (Aurora, which is exempt) and the Neptune cluster `graph`. Broken: `orders-db` (backup window half an hour after),
    `brink-db` (exactly one hour after), `billing-db` (weekly maintenance), the Multi-AZ cluster `catalog` and the
    DocumentDB cluster `sessions`.
    """
    instance(site, "customers-db")
    instance(site, "edge-db", PreferredBackupWindow="03:31-04:01")
    instance(site, "cache-db", PreferredBackupWindow="02:30-03:00", BackupRetentionPeriod=0)
    audit = instance(site, "audit-db", PreferredBackupWindow="02:30-03:00")
    rds.set_recovery_point(
        site.account.id,
        site.region,
        audit,
        site.arn("backup", "recovery-point:continuous:db-audit-1a2b3c4d"),
    )
    instance(site, "orders-db", PreferredBackupWindow="03:00-03:30")
    instance(site, "brink-db", PreferredBackupWindow="03:30-04:00")
    instance(site, "billing-db", PreferredMaintenanceWindow="tue:03:00-tue:03:30")
    _cluster(site, "reporting", "aurora-postgresql", PreferredBackupWindow="02:30-03:00")
    _cluster(site, "graph", "neptune")
    _cluster(site, "sessions", "docdb", PreferredBackupWindow="03:00-03:30")
    multi_az = {"DBClusterInstanceClass": "db.m5d.large", "AllocatedStorage": 100, "StorageType": "io1", "Iops": 1000}
    _cluster(site, "catalog", "mysql", PreferredBackupWindow="03:00-03:30", **multi_az)

    plan = site.plan("databases-nightly", nightly(ScheduleExpression="cron(30 2 ? * * *)"))
    site.selection(plan, "databases", ListOfTags=tags_are(**_PICKED))


def instance(site: Site, name: str, **changes: Any) -> str:
    """A PostgreSQL DB instance whose windows are far from the night; its ARN."""
    settings = {
        "DBInstanceIdentifier": name,
        "DBInstanceClass": "db.t4g.medium",
        "Engine": "postgres",
        "AllocatedStorage": 20,
        "MasterUsername": "payments",
        "ManageMasterUserPassword": True,
        "BackupRetentionPeriod": 7,
        "PreferredBackupWindow": _QUIET_DAY,
        "PreferredMaintenanceWindow": _QUIET_WEEK,
        "Tags": key_value(_PICKED),
    }
    made = site.client("rds").create_db_instance(**settings | changes)["DBInstance"]
    site.remember(name, made["DbiResourceId"])
    return str(made["DBInstanceArn"])


def _cluster(site: Site, name: str, engine: str, **changes: Any) -> None:
    settings = {
        "DBClusterIdentifier": name,
        "Engine": engine,
        "MasterUsername": "payments",
        "MasterUserPassword": "simulated-password",
        "BackupRetentionPeriod": 7,
        "PreferredBackupWindow": _QUIET_DAY,
        "PreferredMaintenanceWindow": _QUIET_WEEK,
        "Tags": key_value(_PICKED),
    }
    made = site.client("rds").create_db_cluster(**settings | changes)["DBCluster"]
    site.remember(name, made["DbClusterResourceId"])

"""Databases of Amazon RDS, Aurora, DocumentDB and Neptune, as far as their backups depend on it."""

from __future__ import annotations

from backup_rules.resources.resource_types import Resource
from backup_rules.values import dataclass


@dataclass(frozen=True, slots=True)
class Database:
    """A DB instance or DB cluster with its windows (UTC, in AWS's notation) and who backs it up continuously.

    `retention_days` is that of RDS's own automated backups: 0 means that they are off.
    """

    resource: Resource
    identifier: str
    engine: str
    backup_window: str | None
    maintenance_window: str | None
    retention_days: int | None
    continuous_by_backup: bool

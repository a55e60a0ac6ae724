"""What the RDS API of moto lacks: DocumentDB, distinct resource ids, pages of clusters, continuous backups.

The real `DescribeDBClusters` and `DescribeDBInstances` list the clusters and instances of DocumentDB and Neptune too.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult, PaginatedResult
from moto.rds.models import DBCluster, DBInstance, rds_backends
from moto.rds.responses import RDSResponse

_DOCDB = "docdb"
_DOCDB_VERSION = "5.0.0"
_DOCDB_PORT = 27017
_STAND_IN = "aurora-mysql"
"""An engine that moto knows and that is made of a cluster with member instances, as DocumentDB is."""


def set_recovery_point(account: str, region: str, arn: str, recovery_point_arn: str | None) -> None:
    """Says that AWS Backup manages the continuous backups of a DB instance or cluster; None ends it."""
    backend = rds_backends[account][region]
    for database in [*backend.databases.values(), *backend.clusters.values()]:
        if database.arn == arn:
            database.aws_backup_recovery_point_arn = recovery_point_arn
            return
    raise ValueError(f"{account} has no DB instance or cluster {arn!r} in {region}")


def _describe_db_clusters(self: RDSResponse) -> ActionResult:
    filters = {each["Name"]: each["Values"] for each in self.params.get("Filters", [])}
    clusters = self.backend.describe_db_clusters(self.params.get("DBClusterIdentifier"), filters)
    return PaginatedResult({"DBClusters": clusters})


def _with_docdb(init: Callable[..., None]) -> Callable[..., None]:
    """Makes a database of engine `docdb` as one of the stand-in, and gives it its own engine afterwards."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it becomes the class's own
        engine = kwargs.get("engine")
        if engine == _DOCDB:
            kwargs |= {"engine": _STAND_IN, "port": kwargs.get("port") or _DOCDB_PORT}
        init(self, *args, **kwargs)
        if engine == _DOCDB:
            self.engine = _DOCDB
        if isinstance(self, DBInstance):
            self.dbi_resource_id = f"db-{uuid.uuid4().hex[:26].upper()}"
        elif engine == _DOCDB:
            self.engine_version = kwargs.get("engine_version") or _DOCDB_VERSION

    setattr(__init__, "knows_docdb", True)  # noqa: B010 - a function has no such attribute by type
    return __init__


def install() -> None:
    """Extends moto's RDS. Idempotent."""
    setattr(RDSResponse, "describe_db_clusters", _describe_db_clusters)  # noqa: B010 - mypy forbids assigning to a method
    for model in (DBCluster, DBInstance):
        init = vars(model)["__init__"]
        if not hasattr(init, "knows_docdb"):
            setattr(model, "__init__", _with_docdb(init))  # noqa: B010 - as above

"""What the RDS API of moto lacks: DocumentDB, RDS Custom, backup targets, distinct ids, pages, continuous backups.

The real `DescribeDBClusters` and `DescribeDBInstances` list the clusters and instances of DocumentDB and Neptune too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from moto.moto_api._internal import mock_random
from moto.rds import models
from moto.rds.models import DBCluster, DBInstance, rds_backends
from moto.rds.responses import RDSResponse

from aws_simulator.core.operations import Paging, Request, implement, page

_DOCDB = "docdb"
_DOCDB_VERSION = "5.0.0"
_DOCDB_PORT = 27017
_PAGING = Paging(size_parameter="MaxRecords", largest=100, refusal="InvalidParameterValue", continuation="Marker")
_STAND_IN = "aurora-mysql"
"""An engine that moto knows and that is made of a cluster with member instances, as DocumentDB is."""
_CUSTOM = re.compile(r"custom-((?:oracle|sqlserver)-\w+?)(?:-cdb)?")
"""RDS Custom's engines: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"""


def set_recovery_point(account: str, region: str, arn: str, recovery_point_arn: str | None) -> None:
    """Says that AWS Backup manages the continuous backups of a DB instance or cluster; None ends it."""
    backend = rds_backends[account][region]
    for database in [*backend.databases.values(), *backend.clusters.values()]:
        if database.arn == arn:
            database.aws_backup_recovery_point_arn = recovery_point_arn
            return
    raise ValueError(f"{account} has no DB instance or cluster {arn!r} in {region}")


def _describe_db_clusters(request: Request) -> dict[str, Any]:
    filters = {each["Name"]: each["Values"] for each in request.parameters.get("Filters") or []}
    backend = rds_backends[request.account][request.region]
    clusters, marker = page(
        backend.describe_db_clusters(request.parameters.get("DBClusterIdentifier"), filters), request, _PAGING
    )
    return {"DBClusters": clusters, "Marker": marker}


_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = 24 * 60
_WEEK = 7 * _DAY
_TIME = r"([01]\d|2[0-3]):([0-5]\d)"
_WEEKLY = re.compile(rf"([a-z]{{3}}):{_TIME}-([a-z]{{3}}):{_TIME}")
_DAILY = re.compile(rf"{_TIME}-{_TIME}")


def _problem_of_windows(maintenance_window: str, backup_window: str | None) -> str | None:
    """Why RDS refuses the windows of a DB instance. moto's own check fails on windows that wrap the end of the week."""
    weekly = _WEEKLY.fullmatch(maintenance_window)
    if weekly is None or weekly[1] not in _WEEKDAYS or weekly[4] not in _WEEKDAYS:
        return (
            f"Invalid maintenance window format: {maintenance_window}. Should be specified as a range "
            "ddd:hh24:mi-ddd:hh24:mi (24H Clock UTC). Example: Sun:23:45-Mon:00:15"
        )
    start = _WEEKDAYS.index(weekly[1]) * _DAY + int(weekly[2]) * 60 + int(weekly[3])
    end = _WEEKDAYS.index(weekly[4]) * _DAY + int(weekly[5]) * 60 + int(weekly[6])
    length = (end - start) % _WEEK
    if length < 30:
        return "The maintenance window must be at least 30 minutes."
    if length > _DAY:
        return "Maintenance window must be less than 24 hours."
    daily = _DAILY.fullmatch(backup_window or "")
    if daily is None:
        return f"Invalid backup window format: {backup_window}. Should be specified as a range hh24:mi-hh24:mi"
    backup_start = int(daily[1]) * 60 + int(daily[2])
    backup_length = (int(daily[3]) * 60 + int(daily[4]) - backup_start) % _DAY
    if (backup_start - start) % _DAY < length or (start - backup_start) % _DAY < backup_length:
        return "The backup window and maintenance window must not overlap."
    return None


def _with_more_engines(init: Callable[..., None]) -> Callable[..., None]:
    """Makes a database of DocumentDB or RDS Custom as one of a stand-in, and gives it its own engine afterwards."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it becomes the class's own
        engine = kwargs.get("engine")
        stand_in = _stand_in(engine)
        if engine == _DOCDB:
            kwargs["port"] = kwargs.get("port") or _DOCDB_PORT
        if stand_in:
            kwargs["engine"] = stand_in
        init(self, *args, **kwargs)
        if stand_in:
            self.engine = engine
        if isinstance(self, DBInstance):
            self.backup_target = kwargs.get("backup_target") or "region"
            self.dbi_resource_id = f"db-{mock_random.uuid4().hex[:26].upper()}"
        elif engine == _DOCDB:
            self.engine_version = kwargs.get("engine_version") or _DOCDB_VERSION

    setattr(__init__, "knows_more_engines", True)  # noqa: B010 - a function has no such attribute by type
    return __init__


def _stand_in(engine: str | None) -> str | None:
    if engine == _DOCDB:
        return _STAND_IN
    custom = _CUSTOM.fullmatch(engine or "")
    return custom[1] if custom else None


def install() -> None:
    """Extends moto's RDS. Idempotent."""
    implement(RDSResponse, {"DescribeDBClusters": _describe_db_clusters})
    setattr(models, "valid_preferred_maintenance_window", _problem_of_windows)  # noqa: B010 - mypy forbids assigning to a function
    for model in (DBCluster, DBInstance):
        init = vars(model)["__init__"]
        if not hasattr(init, "knows_more_engines"):
            setattr(model, "__init__", _with_more_engines(init))  # noqa: B010 - as above

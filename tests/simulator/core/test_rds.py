"""RDS, DocumentDB and Neptune of the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_simulator.core import rds
from aws_simulator.core.accounts import account_session
from aws_simulator.core.operations import page_size
from aws_simulator.simulation import simulated_aws

ACCOUNT, REGION = "111122223333", "eu-west-1"
WINDOWS = {"PreferredBackupWindow": "02:00-02:30", "PreferredMaintenanceWindow": "sun:23:45-mon:00:15"}
USER = {"MasterUsername": "root", "MasterUserPassword": "Secret1234"}


@pytest.fixture
def client() -> Iterator[Any]:
    with simulated_aws():
        yield account_session(ACCOUNT, REGION).client("rds")


def create_cluster(client: Any, name: str, engine: str, **more: Any) -> dict[str, Any]:
    cluster: dict[str, Any] = client.create_db_cluster(
        DBClusterIdentifier=name, Engine=engine, BackupRetentionPeriod=7, **USER, **WINDOWS, **more
    )["DBCluster"]
    return cluster


def create_instance(client: Any, name: str, engine: str, **more: Any) -> None:
    client.create_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.t3.small", Engine=engine, **more)


@pytest.mark.parametrize(
    ("engine", "more"),
    [
        ("aurora-mysql", {}),
        ("aurora-postgresql", {"EngineMode": "provisioned"}),
        ("docdb", {}),
        ("docdb", {"EngineVersion": "4.0.0"}),
        ("neptune", {}),
        (
            "mysql",
            {"DBClusterInstanceClass": "db.m5d.large", "AllocatedStorage": 100, "Iops": 1000, "StorageType": "io1"},
        ),
        ("postgres", {}),
    ],
)
def test_clusters_of_every_engine_tell_their_windows(client: Any, engine: str, more: dict[str, Any]) -> None:
    create_cluster(client, "one", engine, **more)
    (cluster,) = client.describe_db_clusters()["DBClusters"]
    assert cluster.items() >= {"Engine": engine, "BackupRetentionPeriod": 7, **WINDOWS, **more}.items()
    assert cluster["DBClusterArn"] == f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:one"
    assert cluster["DbClusterResourceId"].startswith("cluster-")
    assert cluster["EngineMode"] == "provisioned"


@pytest.mark.parametrize("engine", ["aurora-mysql", "docdb", "neptune"])
def test_members_name_their_cluster(client: Any, engine: str) -> None:
    create_cluster(client, "one", engine)
    create_instance(client, "member", engine, DBClusterIdentifier="one")
    (instance,) = client.describe_db_instances()["DBInstances"]
    assert (instance["Engine"], instance["DBClusterIdentifier"]) == (engine, "one")
    (cluster,) = client.describe_db_clusters()["DBClusters"]
    assert [member["DBInstanceIdentifier"] for member in cluster["DBClusterMembers"]] == ["member"]


def test_instances_have_distinct_resource_ids_and_their_windows(client: Any) -> None:
    for name in ("one", "two"):
        create_instance(client, name, "postgres", AllocatedStorage=20, BackupRetentionPeriod=0, **USER, **WINDOWS)
    instances = client.describe_db_instances()["DBInstances"]
    assert len({each["DbiResourceId"] for each in instances}) == 2
    for each in instances:
        assert each.items() >= {"BackupRetentionPeriod": 0, **WINDOWS}.items()
        assert "DBClusterIdentifier" not in each


@pytest.mark.parametrize(
    ("maintenance", "backup", "message"),
    [
        pytest.param("sun:23:45-mon:00:15", "00:15-00:45", None, id="end of the week, side by side"),
        pytest.param("sun:23:45-mon:00:15", "00:00-00:30", "must not overlap", id="overlap after midnight"),
        pytest.param("tue:01:00-tue:01:30", "00:45-01:15", "must not overlap", id="backup begins before"),
        pytest.param("mon:10:00-mon:10:20", "02:00-02:30", "at least 30 minutes", id="too short"),
        pytest.param("mon:10:00-wed:10:00", "02:00-02:30", "less than 24 hours", id="too long"),
        pytest.param("monday:10:00-11:00", "02:00-02:30", "Invalid maintenance window format", id="no window"),
    ],
)
def test_windows_of_an_instance_are_checked(client: Any, maintenance: str, backup: str, message: str | None) -> None:
    windows = {"PreferredMaintenanceWindow": maintenance, "PreferredBackupWindow": backup}
    if message is None:
        create_instance(client, "one", "postgres", AllocatedStorage=20, **USER, **windows)
        assert client.describe_db_instances()["DBInstances"][0].items() >= windows.items()
        return
    with pytest.raises(ClientError, match=message):
        create_instance(client, "one", "postgres", AllocatedStorage=20, **USER, **windows)


def test_pages(client: Any) -> None:
    for name in ("one", "two", "three"):
        create_cluster(client, name, "docdb")
        create_instance(client, f"solo-{name}", "mysql", AllocatedStorage=20, **USER)
    with page_size(2):
        clusters = list(client.get_paginator("describe_db_clusters").paginate())
        instances = list(client.get_paginator("describe_db_instances").paginate())
    assert [len(page["DBClusters"]) for page in clusters] == [2, 1]
    assert [len(page["DBInstances"]) for page in instances] == [2, 1]
    assert len({each["DBClusterIdentifier"] for page in clusters for each in page["DBClusters"]}) == 3


def test_continuous_backups_that_aws_backup_manages(client: Any) -> None:
    arn = create_cluster(client, "one", "mysql", AllocatedStorage=100)["DBClusterArn"]
    create_instance(client, "solo", "mysql", AllocatedStorage=20, **USER)
    solo = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:solo"
    recovery_point = f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:continuous:db-1"
    assert "AwsBackupRecoveryPointArn" not in client.describe_db_instances()["DBInstances"][0]
    for each in (arn, solo):
        rds.set_recovery_point(ACCOUNT, REGION, each, recovery_point)
    assert client.describe_db_clusters()["DBClusters"][0]["AwsBackupRecoveryPointArn"] == recovery_point
    assert client.describe_db_instances()["DBInstances"][0]["AwsBackupRecoveryPointArn"] == recovery_point
    rds.set_recovery_point(ACCOUNT, REGION, solo, None)
    assert "AwsBackupRecoveryPointArn" not in client.describe_db_instances()["DBInstances"][0]
    with pytest.raises(ValueError, match="db:missing"):
        rds.set_recovery_point(ACCOUNT, REGION, "arn:aws:rds:eu-west-1:111122223333:db:missing", recovery_point)


def test_what_does_not_exist(client: Any) -> None:
    with pytest.raises(client.exceptions.DBClusterNotFoundFault):
        client.describe_db_clusters(DBClusterIdentifier="missing")
    with pytest.raises(client.exceptions.DBInstanceNotFoundFault):
        client.describe_db_instances(DBInstanceIdentifier="missing")


@pytest.mark.parametrize("engine", ["custom-oracle-ee", "custom-oracle-ee-cdb", "custom-sqlserver-se", "mysql"])
@pytest.mark.parametrize("target", [None, "region", "outposts"])
def test_an_instance_tells_its_custom_engine_and_where_its_backups_are_kept(
    client: Any, engine: str, target: str | None
) -> None:
    create_instance(client, "ledger", engine, **({"BackupTarget": target} if target else {}))
    (found,) = client.describe_db_instances(DBInstanceIdentifier="ledger")["DBInstances"]
    assert (found["Engine"], found["BackupTarget"]) == (engine, target or "region")

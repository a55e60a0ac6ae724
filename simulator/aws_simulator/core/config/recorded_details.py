"""What AWS Config's recorder reads of a resource beyond its name and tags, under the names of AWS's published schemas.

Of each type only what moto knows of it. The moto of a service that nobody asked yet is not imported for this.
Source: https://github.com/awslabs/aws-config-resource-schema/tree/master/config/properties/resource-types
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from moto.core.base_backend import BackendDict
from moto.s3.models import FakeBucket
from moto.utilities.utils import get_partition

from aws_simulator.core.backup.state import state_in

Details = tuple[dict[str, Any], dict[str, Any]]
"""`configuration` and `supplementaryConfiguration`."""

Reader = Callable[[str, str, str], Details]
"""Reads a resource by account, Region and name (the last part of its ARN)."""


def details_of(resource_type: str, account: str, region: str, name: str) -> Details:
    """What is recorded of the resource; nothing of what exists as a tagged ARN only."""
    read = readers.get(resource_type)
    return read(account, region, name) if read else ({}, {})


def _backend(service: str, account: str, place: str) -> Any:
    """The service's backend in that Region (or partition), or None before it was first used."""
    for backends in list(BackendDict._instances):  # noqa: SLF001 - moto has no public list
        if backends.service_name == service and account in backends and place in backends[account].keys():  # noqa: SIM118 - moto's `in` answers for Regions without a backend too
            return backends[account][place]
    return None


def _fields(service: str, kept_in: str, **attributes: str) -> Reader:
    """A reader of the attributes of what moto keeps by name in `kept_in`; `a.b` in an attribute leads further."""

    def read(account: str, region: str, name: str) -> Details:
        found = getattr(_backend(service, account, region), kept_in, {}).get(name)
        if found is None:
            return {}, {}
        configuration = {key: _plain(_attribute(found, path)) for key, path in attributes.items()}
        return {key: value for key, value in configuration.items() if value is not None}, {}

    return read


def _attribute(found: Any, path: str) -> Any:
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _bucket(account: str, region: str, name: str) -> Details:
    bucket: FakeBucket | None = getattr(_backend("s3", account, get_partition(region)), "buckets", {}).get(name)
    if bucket is None:
        return {}, {}
    supplementary: dict[str, Any] = {
        # `Off` where versioning was never enabled.
        "BucketVersioningConfiguration": {"status": bucket.versioning_status or "Off", "isMfaDeleteEnabled": None},
        "BucketLoggingConfiguration": {
            "destinationBucketName": bucket.logging.get("TargetBucket"),
            "logFilePrefix": bucket.logging.get("TargetPrefix"),
        },
        "IsRequesterPaysEnabled": bucket.payer != "BucketOwner",
    }
    if bucket.public_access_block:
        supplementary["PublicAccessBlockConfiguration"] = bucket.public_access_block.to_config_dict()
    return {"name": name, "creationDate": bucket.creation_date.isoformat()}, supplementary


def _table(account: str, region: str, name: str) -> Details:
    table = getattr(_backend("dynamodb", account, region), "tables", {}).get(name)
    return (_camel_case(table.describe("Table")["Table"]) if table else {}), {}


def _camel_case(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key[0].lower() + key[1:]: _camel_case(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_camel_case(each) for each in value]
    return _plain(value)


def _instance(account: str, region: str, name: str) -> Details:
    for reservation in getattr(_backend("ec2", account, region), "reservations", {}).values():
        for each in reservation.instances:
            if each.id == name:
                return {
                    "instanceId": name,
                    "instanceType": each.instance_type,
                    "imageId": each.image_id,
                    "state": {"name": each._state.name},  # noqa: SLF001 - moto keeps it there
                    "subnetId": each.subnet_id,
                    "vpcId": each.vpc_id,
                }, {}
    return {}, {}


def _file_system(account: str, region: str, name: str) -> Details:
    found = getattr(_backend("efs", account, region), "file_systems_by_id", {}).get(name)
    if found is None:
        return {}, {}
    return {
        "FileSystemId": name,
        "Arn": found.file_system_arn,
        "Encrypted": found.encrypted,
        "KmsKeyId": found.kms_key_id,
        "PerformanceMode": found.performance_mode,
        "ThroughputMode": found.throughput_mode,
        "BackupPolicy": {"Status": (found.backup_policy or {}).get("Status", "DISABLED")},
    }, {}


def _cluster(account: str, region: str, name: str) -> Details:
    """An EKS cluster. AWS's schema has no `AccessConfig`, which CloudFormation's type has; here it is recorded."""
    found = getattr(_backend("eks", account, region), "clusters", {}).get(name)
    if found is None:
        return {}, {}
    return {
        "Name": name,
        "Arn": found.arn,
        "ClusterStatus": found.status,
        "Version": found.version,
        "RoleArn": found.role_arn,
        "Endpoint": found.endpoint,
        "AccessConfig": {"AuthenticationMode": found.access_config["authenticationMode"]},
    }, {}


def _vault(account: str, region: str, name: str) -> Details:
    vault = state_in(account, region).vaults.get(name)
    if vault is None:
        return {}, {}
    names = ("BackupVaultName", "BackupVaultArn", "EncryptionKeyArn")
    return {key: vault[key] for key in names if vault.get(key)}, {}


_DATABASE = {
    "engine": "engine",
    "engineVersion": "engine_version",
    "backupRetentionPeriod": "backup_retention_period",
    "preferredBackupWindow": "preferred_backup_window",
    "preferredMaintenanceWindow": "preferred_maintenance_window",
    "storageEncrypted": "storage_encrypted",
    "kmsKeyId": "kms_key_id",
    "deletionProtection": "deletion_protection",
}

readers: dict[str, Reader] = {
    "AWS::Backup::BackupVault": _vault,
    "AWS::DynamoDB::Table": _table,
    "AWS::EC2::Instance": _instance,
    "AWS::EC2::Volume": _fields(
        "ec2",
        "volumes",
        volumeId="id",
        volumeType="volume_type",
        size="size",
        encrypted="encrypted",
        kmsKeyId="kms_key_id",
        availabilityZone="availability_zone",
        snapshotId="snapshot_id",
        iops="iops",
        throughput="throughput",
        createTime="create_time",
    ),
    "AWS::EFS::FileSystem": _file_system,
    "AWS::EKS::Cluster": _cluster,
    "AWS::RDS::DBCluster": _fields(
        "rds",
        "clusters",
        dBClusterIdentifier="db_cluster_identifier",
        dBClusterArn="db_cluster_arn",
        dbClusterResourceId="db_cluster_resource_id",
        status="status",
        **_DATABASE,
    ),
    "AWS::RDS::DBInstance": _fields(
        "rds",
        "databases",
        dBInstanceIdentifier="db_instance_identifier",
        dBInstanceArn="db_instance_arn",
        dbiResourceId="dbi_resource_id",
        dBInstanceClass="db_instance_class",
        dBInstanceStatus="status",
        dBClusterIdentifier="db_cluster_identifier",
        multiAZ="multi_az",
        **_DATABASE,
    ),
    "AWS::Redshift::Cluster": _fields(
        "redshift",
        "clusters",
        clusterIdentifier="cluster_identifier",
        clusterStatus="status",
        nodeType="node_type",
        numberOfNodes="number_of_nodes",
        dBName="db_name",
        encrypted="encrypted",
        automatedSnapshotRetentionPeriod="automated_snapshot_retention_period",
        preferredMaintenanceWindow="preferred_maintenance_window",
    ),
    "AWS::S3::Bucket": _bucket,
}
"""Who reads what by type. What simulates more of AWS adds its own."""

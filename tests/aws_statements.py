"""AWS's managed policies for backups, and the statements that AWS lists for each service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from backup_rules.iam.permissions import BACKUP_POLICY, S3_BACKUP_POLICY
from backup_rules.resources.resource_types import (
    AURORA,
    CLOUDFORMATION,
    DOCUMENTDB,
    DSQL,
    DYNAMODB,
    EBS,
    EC2,
    EFS,
    EKS,
    FSX_FILE_SYSTEM,
    FSX_VOLUME,
    NEPTUNE,
    RDS_CLUSTER,
    RDS_INSTANCE,
    REDSHIFT,
    REDSHIFT_SERVERLESS,
    S3,
    SAP_HANA,
    STORAGE_GATEWAY,
    TIMESTREAM,
    VIRTUAL_MACHINE,
    ResourceType,
)

Policy = Mapping[str, Any]


def managed(name: str, partition: str = "aws") -> Policy:
    """AWS's managed policy as moto ships it; in another partition its ARNs are that partition's."""
    text = json.dumps(_managed()[name]["Document"]).replace('"arn:aws:', f'"arn:{partition}:')
    found: Policy = json.loads(text)
    return found


@cache
def _managed() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(aws_managed_policies_data)
    return found


# https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html#customer-managed-policies;
# DSQL's is printed there as DSQLBackupPermissions.
_CLUSTERS = ("DynamoDBBackupPermissions", "RDSClusterModifyPermissions", "GetResourcesPermissions", "KMSPermissions")
_FSX = (
    "FsxBackupPermissions",
    "FsxCreateBackupPermissions",
    "FsxPermissions",
    "FsxVolumePermissions",
    "FsxListTagsPermissions",
    "FsxDeletePermissions",
    "FsxResourcePermissions",
    "KMSPermissions",
)
_BY_SERVICE: dict[ResourceType, tuple[str, ...]] = {
    AURORA: (*_CLUSTERS, "BackupVaultPermissions"),
    NEPTUNE: (*_CLUSTERS, "BackupVaultPermissions"),
    DSQL: ("DSQLResourcePermissionsForBackup", "GetResourcesPermissions", "BackupVaultPermissions", "KMSPermissions"),
    DYNAMODB: (
        "DynamoDBPermissions",
        "DynamoDBBackupResourcePermissions",
        "DynamodbBackupPermissions",
        "KMSDynamoDBPermissions",
    ),
    EBS: (
        "EBSResourcePermissions",
        "EBSTagAndDeletePermissions",
        "EBSCopyPermissions",
        "EBSSnapshotTierPermissions",
        "GetResourcesPermissions",
        "BackupVaultPermissions",
    ),
    EC2: (
        "EBSCopyPermissions",
        "EC2CopyPermissions",
        "EC2Permissions",
        "EC2TagPermissions",
        "EC2ModifyPermissions",
        "EBSResourcePermissions",
        "GetResourcesPermissions",
        "BackupVaultPermissions",
    ),
    EFS: ("EFSPermissions", "GetResourcesPermissions", "BackupVaultPermissions"),
    FSX_FILE_SYSTEM: _FSX,
    FSX_VOLUME: _FSX,
    RDS_INSTANCE: (*_CLUSTERS, "RDSBackupPermissions", "BackupVaultPermissions"),
    RDS_CLUSTER: (*_CLUSTERS, "RDSBackupPermissions", "BackupVaultPermissions"),
    STORAGE_GATEWAY: (
        "StorageGatewayPermissions",
        "EBSTagAndDeletePermissions",
        "GetResourcesPermissions",
        "BackupVaultPermissions",
    ),
    VIRTUAL_MACHINE: ("BackupGatewayBackupPermissions",),
    # Not on that page: DocumentDB as its kin, and of the others the statements that bear the service's name.
    DOCUMENTDB: (*_CLUSTERS, "BackupVaultPermissions"),
    CLOUDFORMATION: ("CloudformationStackPermissions",),
    EKS: ("EKSClusterConfigurationBackup", "CreateBackupAccessEntry", "AssociateBackupAccessPolicy"),
    REDSHIFT: (
        "RedshiftCreatePermissions",
        "RedshiftSnapshotPermissions",
        "RedshiftPermissions",
        "RedshiftResourcePermissions",
    ),
    REDSHIFT_SERVERLESS: (
        "RedshiftServerlessCreatePermissions",
        "RedshiftServerlessSnapshotPermissions",
        "RedshiftServerlessGetPermissions",
        "RedshiftServerlessResourcePermissions",
        "RedshiftServerlessListPermissions",
    ),
    SAP_HANA: ("SSMSAPPermissions", "SSMSAPResourcePermissions"),
    TIMESTREAM: ("TimestreamResourcePermissions", "TimestreamEndpointPermissions"),
}


def documented(kind: ResourceType) -> list[dict[str, Any]]:
    """The statements that AWS lists for backups of the type, word for word."""
    if kind is S3:
        return list(managed(S3_BACKUP_POLICY)["Statement"])
    found = [each for each in managed(BACKUP_POLICY)["Statement"] if each["Sid"] in _BY_SERVICE[kind]]
    assert {each["Sid"] for each in found} == set(_BY_SERVICE[kind])
    if kind is STORAGE_GATEWAY:  # "Add the following statement."
        found.append({"Effect": "Allow", "Action": ["ec2:DescribeSnapshots"], "Resource": "*"})
    return found

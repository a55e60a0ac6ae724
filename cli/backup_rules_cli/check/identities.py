"""What AWS would call declared resources: names and ARNs, made up from what a document calls them where it gives none.

A made-up name tells one resource of a document from another, and no more: nothing is judged by its wording.
Source of the formats: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backup_rules.arns import Place

PLAN, SELECTION, VAULT = "AWS::Backup::BackupPlan", "AWS::Backup::BackupSelection", "AWS::Backup::BackupVault"
AIR_GAPPED = "AWS::Backup::LogicallyAirGappedBackupVault"
REGION_SETTINGS = "Backup::RegionSettings"
"""No type of CloudFormation's: what `UpdateRegionSettings` takes."""
ROLE, KEY = "AWS::IAM::Role", "AWS::KMS::Key"
MANAGED_POLICY = "AWS::IAM::ManagedPolicy"
BACKUP_POLICY = "AWS::Organizations::Policy"


@dataclass(frozen=True)
class Kind:
    """How a type of resources is named: the property that names it, its ARN, and what `Ref` gives."""

    named_by: str
    arn: str
    """With {partition}, {region}, {account} and {name}."""
    ref_is_arn: bool = False
    made_up: str = "{name}"
    """What AWS makes up where the document gives no name."""
    arn_attributes: tuple[str, ...] = ("Arn",)
    name_attributes: tuple[str, ...] = ()


def _arn(service: str, path: str) -> str:
    return f"arn:{{partition}}:{service}:{{region}}:{{account}}:{path}"


KINDS: Mapping[str, Kind] = {
    PLAN: Kind(
        "",
        _arn("backup", "backup-plan:{name}"),
        arn_attributes=("BackupPlanArn",),
        name_attributes=("BackupPlanId",),
    ),
    SELECTION: Kind("", "", name_attributes=("SelectionId",)),
    VAULT: Kind(
        "BackupVaultName",
        _arn("backup", "backup-vault:{name}"),
        arn_attributes=("BackupVaultArn",),
        name_attributes=("BackupVaultName",),
    ),
    AIR_GAPPED: Kind(
        "BackupVaultName",
        _arn("backup", "backup-vault:{name}"),
        arn_attributes=("BackupVaultArn",),
        name_attributes=("BackupVaultName",),
    ),
    ROLE: Kind("RoleName", "arn:{partition}:iam::{account}:role{path}{name}"),
    MANAGED_POLICY: Kind(
        "ManagedPolicyName",
        "arn:{partition}:iam::{account}:policy{path}{name}",
        ref_is_arn=True,
        arn_attributes=("PolicyArn",),
    ),
    KEY: Kind("", _arn("kms", "key/{name}"), name_attributes=("KeyId",)),
    "AWS::DynamoDB::Table": Kind("TableName", _arn("dynamodb", "table/{name}")),
    "AWS::DynamoDB::GlobalTable": Kind("TableName", _arn("dynamodb", "table/{name}"), name_attributes=("TableId",)),
    "AWS::Serverless::SimpleTable": Kind("TableName", _arn("dynamodb", "table/{name}")),
    "AWS::EC2::Volume": Kind("", _arn("ec2", "volume/{name}"), made_up="vol-{name}", name_attributes=("VolumeId",)),
    "AWS::EC2::Instance": Kind("", _arn("ec2", "instance/{name}"), made_up="i-{name}", name_attributes=("InstanceId",)),
    "AWS::EFS::FileSystem": Kind(
        "", _arn("elasticfilesystem", "file-system/{name}"), made_up="fs-{name}", name_attributes=("FileSystemId",)
    ),
    "AWS::S3::Bucket": Kind("BucketName", "arn:{partition}:s3:::{name}"),
    "AWS::RDS::DBInstance": Kind("DBInstanceIdentifier", _arn("rds", "db:{name}"), arn_attributes=("DBInstanceArn",)),
    "AWS::RDS::DBCluster": Kind("DBClusterIdentifier", _arn("rds", "cluster:{name}"), arn_attributes=("DBClusterArn",)),
    "AWS::DocDB::DBCluster": Kind("DBClusterIdentifier", _arn("rds", "cluster:{name}"), arn_attributes=()),
    "AWS::Neptune::DBCluster": Kind("DBClusterIdentifier", _arn("rds", "cluster:{name}"), arn_attributes=()),
    "AWS::FSx::FileSystem": Kind(
        "", _arn("fsx", "file-system/{name}"), made_up="fs-{name}", arn_attributes=("ResourceARN",)
    ),
    "AWS::FSx::Volume": Kind(
        "",
        _arn("fsx", "volume/fs/{name}"),
        made_up="fsvol-{name}",
        arn_attributes=("ResourceARN",),
        name_attributes=("VolumeId",),
    ),
    "AWS::EKS::Cluster": Kind("Name", _arn("eks", "cluster/{name}")),
    "AWS::Redshift::Cluster": Kind("ClusterIdentifier", _arn("redshift", "cluster:{name}"), arn_attributes=()),
    "AWS::RedshiftServerless::Namespace": Kind(
        "", _arn("redshift-serverless", "namespace/{name}"), arn_attributes=("Namespace.NamespaceArn",)
    ),
    "AWS::Timestream::Table": Kind("", _arn("timestream", "database/database/table/{name}"), name_attributes=("Name",)),
    "AWS::DSQL::Cluster": Kind("", _arn("dsql", "cluster/{name}"), arn_attributes=("ResourceArn",)),
}

SAME_IN_CONFIG: Mapping[str, str] = {
    "AWS::DynamoDB::GlobalTable": "AWS::DynamoDB::Table",
    "AWS::Serverless::SimpleTable": "AWS::DynamoDB::Table",
}
"""AWS Config's type, where it is another."""

ID = "__id"
"""The id that AWS gave, of what has no name, where a document tells it."""


def name_of(type_name: str, called: str, properties: Mapping[str, Any]) -> str:
    """The name that AWS gives the resource: the document's, or one made up from what the document calls it."""
    kind = KINDS[type_name]
    given = properties.get(kind.named_by or ID)
    if isinstance(given, str) and given:
        return given
    return kind.made_up.format(name=re.sub(r"[^A-Za-z0-9-]", "-", called))


def arn_of(type_name: str, name: str, properties: Mapping[str, Any], place: Place) -> str:
    """The ARN of the resource of that name."""
    path = properties.get("Path")
    where = {"partition": place.partition, "region": place.region, "account": place.account}
    return KINDS[type_name].arn.format(name=name, path=path if isinstance(path, str) else "/", **where)


def attribute(type_name: str, called: str, properties: Mapping[str, Any], attribute: str, place: Place) -> str | None:
    """The value of an attribute, as far as it follows from the name; None where it does not. "": what `Ref` gives."""
    kind = KINDS.get(type_name)
    if kind is None:
        return None
    name = name_of(type_name, called, properties)
    if attribute in kind.arn_attributes or (kind.ref_is_arn and not attribute):
        return arn_of(type_name, name, properties, place)
    return name if not attribute or attribute in kind.name_attributes else None

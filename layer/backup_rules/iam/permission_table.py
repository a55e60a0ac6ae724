"""What a role must be allowed to do for each resource type, and where that is told: the one place where it stands.

AWS lists for each service which statements of its own policies a role needs, by their Sids, and those are enough for
resources without tags: https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html#customer-managed-policies.
For types that the page does not list, the statements of the policies themselves are taken that name their service:
AWSBackupServiceRolePolicyForBackup (version 30) and AWSBackupServiceRolePolicyForS3Backup (version 5). An action stands
on each resource that the service authorises it on; `*` where it has no resource of its own
(https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).

What the lists hold and a backup does not fail without is not demanded: `backup:DescribeBackupVault` and
`backup:CopyIntoBackupVault` on the plan's own vault, and what only deletes, shares or moves backups later.

What IAM's simulator cannot judge is not asked:
- Actions that the service lists without a resource while AWS's own policies grant them on ARNs only: on `*` the grant
  does not match, and on an ARN the simulator denies them to everybody. These are `fsx:DescribeFileSystems`,
  `fsx:DescribeVolumes`, `fsx:DescribeBackups`, `redshift:DescribeClusterSnapshots`, `timestream:GetAwsBackupStatus`,
  `cloudformation:ListStacks`, `ssm-sap:BackupDatabase`, `ssm-sap:GetDatabase` and `ssm-sap:UpdateHanaBackupSettings`.
- KMS: which resources are encrypted with a customer's key is not read, and keys are mostly granted by key policies and
  grants, which the simulator leaves out.
- What only some resources need: VSS snapshots of Windows instances, the volumes inside an EKS cluster, the resources
  nested in a stack.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

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
from backup_rules.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY_RESOURCE = "*"


class When(Enum):
    """For which backups a permission is needed."""

    ALWAYS = auto()
    CONTINUOUS = auto()
    COPIED = auto()
    # By `ResourceTypeManagementPreference`: AWS Backup manages the backups of the type fully, or does not, or nobody
    # tells which.
    FULLY_MANAGED = auto()
    NOT_FULLY_MANAGED = auto()
    NOT_TOLD = auto()


@dataclass(frozen=True, slots=True)
class Permission:
    """Actions that a role needs on a resource, all of them; with `either`, one of them is enough.

    `source` is where AWS says so: the Sid of a statement of its managed policies. `resources`
    are templates: `{partition}`, `{region}`, `{account}`, and of a picked resource `{resource}` (its ARN), `{name}`
    (what follows the type in it) and `{container}` (its ARN without the last type and name). With several resources
    each action is needed on all of them. `context` holds the condition keys that AWS's own policies and examples ask
    for, beside those that every call carries.
    """

    source: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = (ANY_RESOURCE,)
    when: When = When.ALWAYS
    either: bool = False
    context: tuple[tuple[str, str], ...] = ()


def _on(resources: str, source: str, *actions: str, when: When = When.ALWAYS) -> Permission:
    return Permission(source, actions, tuple(resources.split()), when)


# AWS Backup's own mark on what it makes, on which AWS's policies condition what may be done to it later.
# https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html
_MADE_BY_BACKUP = (
    (
        "aws:ResourceTag/aws:backup:source-resource",
        "arn:{partition}:ec2:{region}:{account}:volume/vol-0a1b2c3d4e5f60718",
    ),
)


def _on_backups(resources: str, source: str, *actions: str, when: When = When.ALWAYS) -> Permission:
    return Permission(source, actions, tuple(resources.split()), when, context=_MADE_BY_BACKUP)


RECOVERY_POINT = "recovery-point:1EB3B5E7-9EB0-435A-A80B-108B488B0D45"
_VOLUME_SNAPSHOT = "arn:{partition}:ec2:{region}::snapshot/snap-0a1b2c3d4e5f60718"
_IMAGE = "arn:{partition}:ec2:{region}::image/ami-0a1b2c3d4e5f60718"
_DB_SNAPSHOT = "arn:{partition}:rds:{region}:{account}:snapshot:awsbackup:job-1eb3b5e7-9eb0-435a-a80b-108b488b0d45"
_CLUSTER_SNAPSHOT = _DB_SNAPSHOT.replace(":snapshot:", ":cluster-snapshot:")
_TABLE_BACKUP = "{resource}/backup/01489602797149-73d8d5bc"
_FSX_BACKUP = "arn:{partition}:fsx:{region}:{account}:backup/backup-0a1b2c3d4e5f60718"
_REDSHIFT_SNAPSHOT = "arn:{partition}:redshift:{region}:{account}:snapshot:{name}/awsbackup-1eb3b5e7"
_NAMESPACE_SNAPSHOT = (
    "arn:{partition}:redshift-serverless:{region}:{account}:snapshot/1eb3b5e7-9eb0-435a-a80b-108b488b0d45"
)
_BUCKET_RULE = "arn:{partition}:events:{region}:{account}:rule/AwsBackupManagedRule-1eb3b5e7"
_ACCESS_ENTRY = (
    "arn:{partition}:eks:{region}:{account}:access-entry/{name}/role/{account}/AWSBackup/"
    "1eb3b5e7-9eb0-435a-a80b-108b488b0d45"
)
_EKS_ACCESS_POLICY = "arn:{partition}:eks::aws:cluster-access-policy/AWSBackupFullAccessPolicyForBackup"


# The Sid is misnamed in AWS's policy: the statement holds the actions of RDS.
_RDS = "DynamoDBBackupPermissions"

_CLUSTER = (
    _on("{resource}", _RDS, "rds:DescribeDBClusters", "rds:CreateDBClusterSnapshot", "rds:ListTagsForResource"),
    _on(
        _CLUSTER_SNAPSHOT,
        _RDS,
        "rds:CreateDBClusterSnapshot",
        "rds:DescribeDBClusterSnapshots",
        "rds:AddTagsToResource",
    ),
    _on(_CLUSTER_SNAPSHOT, _RDS, "rds:CopyDBClusterSnapshot", when=When.COPIED),
)

_FSX = (
    _on(f"{{resource}} {_FSX_BACKUP}", "FsxCreateBackupPermissions", "fsx:CreateBackup"),
    _on("{resource}", "FsxListTagsPermissions", "fsx:ListTagsForResource"),
    _on_backups(_FSX_BACKUP, "FsxResourcePermissions", "fsx:TagResource"),
    _on_backups(_FSX_BACKUP, "FsxResourcePermissions", "fsx:CopyBackup", when=When.COPIED),
)

PERMISSIONS: Mapping[ResourceType, tuple[Permission, ...]] = {
    AURORA: (
        *_CLUSTER,
        _on("{resource}", "RDSClusterPermissions", "rds:ModifyDBCluster", when=When.CONTINUOUS),
        _on("{resource}", _RDS, "rds:DescribeDBClusterAutomatedBackups", when=When.CONTINUOUS),
    ),
    DOCUMENTDB: _CLUSTER,
    NEPTUNE: _CLUSTER,
    RDS_CLUSTER: _CLUSTER,
    RDS_INSTANCE: (
        _on("{resource}", _RDS, "rds:DescribeDBInstances", "rds:CreateDBSnapshot", "rds:ListTagsForResource"),
        _on(_DB_SNAPSHOT, _RDS, "rds:CreateDBSnapshot", "rds:DescribeDBSnapshots", "rds:AddTagsToResource"),
        _on(_DB_SNAPSHOT, _RDS, "rds:CopyDBSnapshot", when=When.COPIED),
        _on("{resource}", "RDSModifyPermissions", "rds:ModifyDBInstance", when=When.CONTINUOUS),
    ),
    DYNAMODB: (
        _on("{resource}", "DynamoDBPermissions", "dynamodb:DescribeTable"),
        _on("{resource}", "DynamodbBackupPermissions", "dynamodb:ListTagsOfResource"),
        # With advanced DynamoDB backup AWS Backup starts a job of its own, without it the table's on-demand backup.
        _on("{resource}", "DynamodbBackupPermissions", "dynamodb:StartAwsBackupJob", when=When.FULLY_MANAGED),
        _on("{resource}", "DynamoDBPermissions", "dynamodb:CreateBackup", when=When.NOT_FULLY_MANAGED),
        Permission(
            "DynamodbBackupPermissions",
            ("dynamodb:StartAwsBackupJob", "dynamodb:CreateBackup"),
            ("{resource}",),
            When.NOT_TOLD,
            either=True,
        ),
        _on(
            _TABLE_BACKUP,
            "DynamoDBBackupResourcePermissions",
            "dynamodb:DescribeBackup",
            when=When.NOT_FULLY_MANAGED,
        ),
    ),
    EBS: (
        _on(f"{{resource}} {_VOLUME_SNAPSHOT}", "EBSResourcePermissions", "ec2:CreateSnapshot"),
        _on_backups(_VOLUME_SNAPSHOT, "EBSTagAndDeletePermissions", "ec2:CreateTags", "ec2:DeleteSnapshot"),
        _on(ANY_RESOURCE, "EBSResourcePermissions", "ec2:DescribeVolumes", "ec2:DescribeSnapshots"),
        _on_backups(_VOLUME_SNAPSHOT, "EBSCopyPermissions", "ec2:CopySnapshot", when=When.COPIED),
    ),
    EC2: (
        _on(f"{{resource}} {_IMAGE} {_VOLUME_SNAPSHOT}", "EC2Permissions", "ec2:CreateImage"),
        _on("{resource}", "EC2Permissions", "ec2:DescribeInstanceAttribute"),
        _on_backups(_IMAGE, "EC2TagPermissions", "ec2:CreateTags"),
        _on_backups(_IMAGE, "EC2Permissions", "ec2:DeregisterImage"),
        _on(ANY_RESOURCE, "EC2Permissions", "ec2:DescribeInstances", "ec2:DescribeImages"),
        _on_backups(_IMAGE, "EC2CopyPermissions", "ec2:CopyImage", when=When.COPIED),
    ),
    EFS: (_on("{resource}", "EFSPermissions", "elasticfilesystem:Backup", "elasticfilesystem:DescribeTags"),),
    EKS: (
        _on("{resource}", "EKSClusterConfigurationBackup", "eks:DescribeCluster"),
        _on("{resource}", "CreateBackupAccessEntry", "eks:CreateAccessEntry"),
        Permission(
            "AssociateBackupAccessPolicy",
            ("eks:AssociateAccessPolicy",),
            (_ACCESS_ENTRY,),
            context=(("eks:accessScope", "cluster"), ("eks:policyArn", _EKS_ACCESS_POLICY)),
        ),
        _on(ANY_RESOURCE, "EKSClusterConfigurationBackup", "eks:ListClusters"),
    ),
    FSX_FILE_SYSTEM: _FSX,
    FSX_VOLUME: _FSX,
    S3: (
        _on(
            "{resource}",
            "S3BucketPermissions",
            "s3:GetBucketVersioning",
            "s3:GetBucketNotification",
            "s3:PutBucketNotification",
            "s3:GetBucketLocation",
            "s3:GetBucketTagging",
            "s3:GetBucketAcl",
            "s3:GetInventoryConfiguration",
            "s3:PutInventoryConfiguration",
            "s3:ListBucket",
            "s3:ListBucketVersions",
        ),
        _on(
            "{resource}/example-object",
            "S3ObjectPermissions",
            "s3:GetObject",
            "s3:GetObjectAcl",
            "s3:GetObjectTagging",
            "s3:GetObjectVersion",
            "s3:GetObjectVersionAcl",
            "s3:GetObjectVersionTagging",
        ),
        _on(
            _BUCKET_RULE,
            "EventBridgePermissionsForAwsBackupManagedRule",
            "events:PutRule",
            "events:PutTargets",
            "events:DescribeRule",
            "events:ListTargetsByRule",
            "events:EnableRule",
            "events:DisableRule",
            "events:RemoveTargets",
            "events:DeleteRule",
        ),
        _on(ANY_RESOURCE, "CloudWatchGetMetricDataPermissions", "cloudwatch:GetMetricData"),
        _on(ANY_RESOURCE, "S3ListBucketPermissions", "s3:ListAllMyBuckets"),
        _on(ANY_RESOURCE, "EventBridgeListRulesPermissions", "events:ListRules"),
    ),
    STORAGE_GATEWAY: (
        _on(
            "{resource}",
            "StorageGatewayPermissions",
            "storagegateway:CreateSnapshot",
            "storagegateway:ListTagsForResource",
        ),
        # A volume's backups are EBS snapshots.
        _on_backups(_VOLUME_SNAPSHOT, "EBSTagAndDeletePermissions", "ec2:CreateTags", "ec2:DeleteSnapshot"),
        _on(ANY_RESOURCE, "EBSResourcePermissions", "ec2:DescribeSnapshots"),
    ),
    VIRTUAL_MACHINE: (
        _on(
            "{resource}",
            "BackupGatewayBackupPermissions",
            "backup-gateway:Backup",
            "backup-gateway:ListTagsForResource",
        ),
    ),
    REDSHIFT: (
        _on("{resource}", "RedshiftPermissions", "redshift:DescribeClusters"),
        _on("{resource}", "RedshiftCreatePermissions", "redshift:DescribeTags"),
        _on(_REDSHIFT_SNAPSHOT, "RedshiftCreatePermissions", "redshift:CreateClusterSnapshot"),
        _on(_REDSHIFT_SNAPSHOT, "RedshiftResourcePermissions", "redshift:CreateTags"),
    ),
    REDSHIFT_SERVERLESS: (
        _on(
            f"{{resource}} {_NAMESPACE_SNAPSHOT}",
            "RedshiftServerlessCreatePermissions",
            "redshift-serverless:CreateSnapshot",
        ),
        _on("{resource}", "RedshiftServerlessGetPermissions", "redshift-serverless:GetNamespace"),
        _on("{resource}", "RedshiftServerlessListPermissions", "redshift-serverless:ListTagsForResource"),
        _on_backups(
            _NAMESPACE_SNAPSHOT,
            "RedshiftServerlessResourcePermissions",
            "redshift-serverless:GetSnapshot",
            "redshift-serverless:TagResource",
        ),
        _on(_NAMESPACE_SNAPSHOT, "RedshiftServerlessListPermissions", "redshift-serverless:ListSnapshots"),
        _on(ANY_RESOURCE, "RedshiftServerlessListPermissions", "redshift-serverless:ListNamespaces"),
    ),
    TIMESTREAM: (
        _on("{resource}", "TimestreamResourcePermissions", "timestream:StartAwsBackupJob", "timestream:DescribeTable"),
        _on("{container}", "TimestreamResourcePermissions", "timestream:DescribeDatabase", "timestream:ListTables"),
        _on(ANY_RESOURCE, "TimestreamEndpointPermissions", "timestream:DescribeEndpoints"),
    ),
    CLOUDFORMATION: (
        _on(
            "{resource}",
            "CloudformationStackPermissions",
            "cloudformation:DescribeStacks",
            "cloudformation:ListStackResources",
            "cloudformation:GetTemplate",
        ),
    ),
    SAP_HANA: (_on(ANY_RESOURCE, "SSMSAPPermissions", "ssm-sap:GetOperation", "ssm-sap:ListDatabases"),),
    DSQL: (
        _on(
            "{resource}",
            "DSQLResourcePermissionsForBackup",
            "dsql:StartBackupJob",
            "dsql:GetBackupJob",
            "dsql:GetCluster",
        ),
        _on(ANY_RESOURCE, "DSQLResourcePermissionsForBackup", "dsql:ListClusters"),
    ),
}

# `backup:TagResource` comes from a notice: since 30 September 2025 jobs that tag recovery points fail without it.
# https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html#policy-updates
TAG_RECOVERY_POINT = "backup:TagResource"

# The types whose recovery points AWS Backup keeps itself: it tags them under the role. DynamoDB is one of them with
# advanced backup.
# https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-feature-availability.html#features-by-resource
FULLY_MANAGED: frozenset[ResourceType] = frozenset(
    {CLOUDFORMATION, DSQL, EFS, EKS, S3, SAP_HANA, TIMESTREAM, VIRTUAL_MACHINE}
)

# Those that have continuous backups, which AWS Backup keeps and tags itself, too.
# https://docs.aws.amazon.com/aws-backup/latest/devguide/point-in-time-recovery.html
CONTINUOUSLY_KEPT: frozenset[ResourceType] = frozenset({AURORA, RDS_INSTANCE, S3, SAP_HANA})

# The ARN of a resource of each type, where no picked one is known.
EXAMPLES: Mapping[ResourceType, str] = {
    AURORA: "cluster:example",
    DOCUMENTDB: "cluster:example",
    NEPTUNE: "cluster:example",
    RDS_CLUSTER: "cluster:example",
    RDS_INSTANCE: "db:example",
    DYNAMODB: "table/example",
    EBS: "volume/vol-0a1b2c3d4e5f60718",
    EC2: "instance/i-0a1b2c3d4e5f60718",
    EFS: "file-system/fs-0a1b2c3d4e5f60718",
    EKS: "cluster/example",
    FSX_FILE_SYSTEM: "file-system/fs-0a1b2c3d4e5f60718",
    FSX_VOLUME: "volume/fs-0a1b2c3d4e5f60718/fsvol-0a1b2c3d4e5f60718",
    S3: "amzn-s3-demo-bucket",
    STORAGE_GATEWAY: "gateway/sgw-1a2b3c4d/volume/vol-0a1b2c3d4e5f60718",
    VIRTUAL_MACHINE: "vm/vm-0a1b2c3d4e5f60718",
    REDSHIFT: "cluster:example",
    REDSHIFT_SERVERLESS: "namespace/1eb3b5e7-9eb0-435a-a80b-108b488b0d45",
    TIMESTREAM: "database/example/table/example",
    CLOUDFORMATION: "stack/example/1eb3b5e7-9eb0-435a-a80b-108b488b0d45",
    SAP_HANA: "HANA/example",
    DSQL: "cluster/abcdefghijklmnopqrstuvwxyz",
}

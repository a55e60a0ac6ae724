"""What AWS Backup protects: one table of opt-in key, ARN, AWS Config type and tagging filter.

The opt-in keys are those of `DescribeRegionSettings` ("Service opt-in" in the console); AWS publishes no single list,
so the table joins the API models, the Organizations guide's "supported resource types" and the AWS managed policies.
Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeRegionSettings.html,
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_backup_syntax.html and
https://docs.aws.amazon.com/config/latest/developerguide/resource-config-reference.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from backup_rules.arns import Arn
from backup_rules.values import dataclass


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A kind of resource that AWS Backup protects, under one opt-in key.

    `resource_prefix` is how the resource part of its ARNs begins. `config_type` is None where AWS Config knows no such
    type: no evaluation can be about it. `tagging_filter` is its name for `tag:GetResources`.
    """

    opt_in_key: str
    service: str
    resource_prefix: str
    config_type: str | None
    tagging_filter: str
    singular: str
    plural: str

    def count(self, number: int) -> str:
        """`3 file systems`, in the words a person uses for this type."""
        return f"{number} {self.singular if number == 1 else self.plural}"


def _type(  # noqa: PLR0913, PLR0917 - one row of the table
    key: str, service: str, prefix: str, config_type: str | None, tagging_filter: str, singular: str, plural: str = ""
) -> ResourceType:
    return ResourceType(key, service, prefix, config_type, tagging_filter, singular, plural or f"{singular}s")


AURORA = _type("Aurora", "rds", "cluster:", "AWS::RDS::DBCluster", "rds:cluster", "Aurora cluster")
DOCUMENTDB = _type("DocumentDB", "rds", "cluster:", "AWS::RDS::DBCluster", "rds:cluster", "DocumentDB cluster")
NEPTUNE = _type("Neptune", "rds", "cluster:", "AWS::RDS::DBCluster", "rds:cluster", "Neptune cluster")
RDS_CLUSTER = _type("RDS", "rds", "cluster:", "AWS::RDS::DBCluster", "rds:cluster", "Multi-AZ DB cluster")
RDS_INSTANCE = _type("RDS", "rds", "db:", "AWS::RDS::DBInstance", "rds:db", "DB instance")
DYNAMODB = _type("DynamoDB", "dynamodb", "table/", "AWS::DynamoDB::Table", "dynamodb:table", "DynamoDB table")
EBS = _type("EBS", "ec2", "volume/", "AWS::EC2::Volume", "ec2:volume", "EBS volume")
EC2 = _type("EC2", "ec2", "instance/", "AWS::EC2::Instance", "ec2:instance", "EC2 instance")
EFS = _type(
    "EFS",
    "elasticfilesystem",
    "file-system/",
    "AWS::EFS::FileSystem",
    "elasticfilesystem:file-system",
    "EFS file system",
)
EKS = _type("EKS", "eks", "cluster/", "AWS::EKS::Cluster", "eks:cluster", "EKS cluster")
FSX_FILE_SYSTEM = _type("FSx", "fsx", "file-system/", None, "fsx:file-system", "FSx file system")
FSX_VOLUME = _type("FSx", "fsx", "volume/", None, "fsx:volume", "FSx volume")
S3 = _type("S3", "s3", "", "AWS::S3::Bucket", "s3", "S3 bucket")
STORAGE_GATEWAY = _type(
    "Storage Gateway", "storagegateway", "gateway/", None, "storagegateway:gateway", "Storage Gateway volume"
)
VIRTUAL_MACHINE = _type("VirtualMachine", "backup-gateway", "vm/", None, "backup-gateway:vm", "virtual machine")
REDSHIFT = _type("Redshift", "redshift", "cluster:", "AWS::Redshift::Cluster", "redshift:cluster", "Redshift cluster")
REDSHIFT_SERVERLESS = _type(
    "Redshift Serverless",
    "redshift-serverless",
    "namespace/",
    None,
    "redshift-serverless:namespace",
    "Redshift Serverless namespace",
)
TIMESTREAM = _type("Timestream", "timestream", "database/", None, "timestream:table", "Timestream table")
CLOUDFORMATION = _type(
    "CloudFormation",
    "cloudformation",
    "stack/",
    "AWS::CloudFormation::Stack",
    "cloudformation:stack",
    "CloudFormation stack",
)
SAP_HANA = _type("SAP HANA on Amazon EC2", "ssm-sap", "HANA/", None, "ssm-sap", "SAP HANA database")
DSQL = _type("DSQL", "dsql", "cluster/", None, "dsql:cluster", "Aurora DSQL cluster")

RESOURCE_TYPES: tuple[ResourceType, ...] = (
    AURORA,
    DOCUMENTDB,
    NEPTUNE,
    RDS_CLUSTER,
    RDS_INSTANCE,
    DYNAMODB,
    EBS,
    EC2,
    EFS,
    EKS,
    FSX_FILE_SYSTEM,
    FSX_VOLUME,
    S3,
    STORAGE_GATEWAY,
    VIRTUAL_MACHINE,
    REDSHIFT,
    REDSHIFT_SERVERLESS,
    TIMESTREAM,
    CLOUDFORMATION,
    SAP_HANA,
    DSQL,
)

OPT_IN_KEYS: tuple[str, ...] = tuple(dict.fromkeys(each.opt_in_key for each in RESOURCE_TYPES))

# "This does not apply to Aurora, Neptune, and Amazon DocumentDB": for these the opt-in counts even when they are
# assigned by ARN or by type. https://docs.aws.amazon.com/aws-backup/latest/devguide/getting-started.html#service-opt-in
# For FSx AWS's texts disagree: that page does not name it; "Enable the respective opt-in settings" says the one about
# shared resource types, https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html. A missed
# backup costs more than a click.
OPT_IN_ALWAYS_APPLIES: frozenset[ResourceType] = frozenset({AURORA, DOCUMENTDB, NEPTUNE, FSX_FILE_SYSTEM, FSX_VOLUME})


def cluster_type(engine: str) -> ResourceType:
    """The type behind an `rds:…:cluster:` ARN, which only the engine of `DescribeDBClusters` tells."""
    if engine.startswith("aurora"):
        return AURORA
    return {"docdb": DOCUMENTDB, "neptune": NEPTUNE}.get(engine, RDS_CLUSTER)


def type_of(arn: Arn, cluster_engines: Mapping[str, str]) -> ResourceType | None:
    """The protected type that `arn` names, or None for what AWS Backup does not protect.

    Args:
        arn: a full ARN, without wildcards.
        cluster_engines: engine by ARN of the DB clusters, as read from `DescribeDBClusters`. A cluster that is missing
            there was deleted meanwhile (`tag:GetResources` lists resources for a while after): None.
    """
    if arn.service == "rds" and arn.resource.startswith("cluster:"):
        engine = cluster_engines.get(str(arn))
        return cluster_type(engine) if engine is not None else None
    if arn.service == "s3":
        return S3 if "/" not in arn.resource and ":" not in arn.resource else None
    if arn.service == "timestream":
        return TIMESTREAM if "/table/" in arn.resource else None
    for each in RESOURCE_TYPES:
        if each.service == arn.service and arn.resource.startswith(each.resource_prefix):
            name = arn.resource[len(each.resource_prefix) :]
            # `table/orders/index/by-date` and `volume/fs-1/fsvol-2` are the two kinds of deeper paths: only the latter
            # and those of stacks are resources of their own that AWS Backup protects.
            if each is DYNAMODB and "/" in name:
                return None
            return each if name else None
    return None


class Unsupported(Enum):
    """What bears the ARN of a protected type, and yet AWS Backup cannot back it up: what it is, and what to do instead.

    Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/getting-started.html (ONTAP, OpenZFS),
    https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateBackup.html (Lustre) and
    https://docs.aws.amazon.com/aws-backup/latest/devguide/creating-a-backup.html (RDS Custom, Outposts)
    """

    ONTAP_FILE_SYSTEM = "ONTAP file system", "AWS Backup backs up its volumes: {act} them instead."
    OPENZFS_VOLUME = "OpenZFS volume", "AWS Backup backs up its file system: {act} that instead."
    GATEWAY = "Storage Gateway", "AWS Backup backs up its volumes: {act} them instead."
    SCRATCH = "SCRATCH Lustre file system", "AWS Backup backs up persistent ones only: move the data to one."
    LINKED_TO_REPOSITORY = (
        "Lustre file system with a data repository",
        "AWS Backup backs up none that is linked: unlink it, or protect the repository.",
    )
    OTHER_BACKUP_TARGET = (
        "DB instance whose backups go to an Outpost",
        "AWS Backup needs BackupTarget region: use RDS's own backups.",
    )
    CUSTOM_ORACLE = "RDS Custom for Oracle instance", "AWS Backup does not support it: use RDS's own backups."

    def __init__(self, what: str, instead: str) -> None:
        self.what = what
        self.instead = instead


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that AWS Backup could protect, with its tags.

    `config_id` is the id under which AWS Config knows it, and None where Config has no such type. A DB instance that is
    a member of a cluster (`cluster_member`) is never picked itself: its cluster is. Nor is what is `unsupported`.
    """

    arn: str
    type: ResourceType
    tags: Mapping[str, str] = field(default_factory=dict)
    config_id: str | None = None
    cluster_member: bool = False
    unsupported: Unsupported | None = None

    @property
    def short_name(self) -> str:
        """What a person calls it: `i-0abc`, `orders`: the last part of the ARN."""
        return self.arn.split(":", 5)[-1].removeprefix(self.type.resource_prefix)


def unsupported_by_arn(arn: Arn, kind: ResourceType) -> Unsupported | None:
    """Why AWS Backup cannot back it up, where the ARN alone tells."""
    return Unsupported.GATEWAY if kind is STORAGE_GATEWAY and "/volume/" not in arn.resource else None


def config_id(arn: Arn, resource_type: ResourceType) -> str | None:
    """The id of AWS Config for the resource, where the ARN tells it (not so for RDS, whose ids only RDS tells)."""
    if resource_type.config_type is None or resource_type.service == "rds":
        return None
    if resource_type is CLOUDFORMATION:
        return str(arn)
    return arn.resource.removeprefix(resource_type.resource_prefix)

"""What a selection's role must be allowed to do, and who withholds it: the questions for IAM's policy simulator.

The tables below are the one place where the permissions stand. They are the core of what AWS recommends for each
resource type, https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html#customer-managed-policies,
with the actions of AWSBackupServiceRolePolicyForBackup (version 30) and AWSBackupServiceRolePolicyForS3Backup (5). An
action stands on each resource that the service authorises it on; `*` where it has no resource of its own
(https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).

What the simulator cannot judge is not asked:
- Actions that the service lists without a resource while AWS's own policies grant them on ARNs only: on `*` the grant
  does not match, and on an ARN the simulator denies them to everybody. These are `fsx:DescribeFileSystems`,
  `fsx:DescribeVolumes`, `fsx:DescribeBackups`, `redshift:DescribeClusterSnapshots`, `timestream:GetAwsBackupStatus`,
  `cloudformation:ListStacks`, `ssm-sap:BackupDatabase`, `ssm-sap:GetDatabase` and `ssm-sap:UpdateHanaBackupSettings`.
- KMS: which resources are encrypted with a customer's key is not read, and keys are mostly granted by key policies and
  grants, which the simulator leaves out.
- What only some resources need: VSS snapshots of Windows instances, the volumes inside an EKS cluster, the resources
  nested in a stack, `backup:TagResource` for DynamoDB tables (only where advanced DynamoDB backup is on).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
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
    RESOURCE_TYPES,
    S3,
    SAP_HANA,
    STORAGE_GATEWAY,
    TIMESTREAM,
    VIRTUAL_MACHINE,
    ResourceType,
)
from backup_rules.selections.words import called
from backup_rules.wording.annotations import listing, name
from backup_rules.wording.findings import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from backup_rules.arns import Place
    from backup_rules.selections.picking import SelectionSummary

BACKUP_POLICY = "AWSBackupServiceRolePolicyForBackup"
S3_BACKUP_POLICY = "AWSBackupServiceRolePolicyForS3Backup"

ANY_RESOURCE = "*"

# A call judges every action on every ARN that it is given. This many combinations fit on one page of the answer
# (`MaxItems`), also in the older form of the answer that has an item for each.
COMBINATIONS_A_CALL = 1_000


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """A condition key with the value that it has in the simulated calls. `kind` is its `ContextKeyType`."""

    key: str
    value: str
    kind: str = "string"


@dataclass(frozen=True, slots=True)
class Permission:
    """Actions that a role needs on a resource, all of them; with `either`, one of them is enough.

    `resource` is a template: `{partition}`, `{region}`, `{account}`, and of a picked resource `{resource}` (its ARN),
    `{name}` (what follows the type in it) and `{container}` (its ARN without the last type and name). With several
    resources each action is needed on all of them. `context` holds the condition keys that AWS's own managed policy
    asks for, beside those that every call carries.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...] = (ANY_RESOURCE,)
    either: bool = False
    context: tuple[tuple[str, str], ...] = ()


def _on(resources: str, *actions: str) -> Permission:
    return Permission(actions, tuple(resources.split()))


_RECOVERY_POINT = "recovery-point:1EB3B5E7-9EB0-435A-A80B-108B488B0D45"
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

_CLUSTER = (
    _on(
        "{resource}",
        "rds:DescribeDBClusters",
        "rds:CreateDBClusterSnapshot",
        "rds:ListTagsForResource",
    ),
    _on(
        _CLUSTER_SNAPSHOT,
        "rds:CreateDBClusterSnapshot",
        "rds:CopyDBClusterSnapshot",
        "rds:DescribeDBClusterSnapshots",
        "rds:AddTagsToResource",
    ),
)

CORE_PERMISSIONS: Mapping[ResourceType, tuple[Permission, ...]] = {
    AURORA: _CLUSTER,
    DOCUMENTDB: _CLUSTER,
    NEPTUNE: _CLUSTER,
    RDS_CLUSTER: _CLUSTER,
    RDS_INSTANCE: (
        _on("{resource}", "rds:DescribeDBInstances", "rds:CreateDBSnapshot", "rds:ListTagsForResource"),
        _on(
            _DB_SNAPSHOT,
            "rds:CreateDBSnapshot",
            "rds:CopyDBSnapshot",
            "rds:DescribeDBSnapshots",
            "rds:AddTagsToResource",
        ),
    ),
    DYNAMODB: (
        _on("{resource}", "dynamodb:DescribeTable", "dynamodb:ListTagsOfResource"),
        # With advanced DynamoDB backup AWS Backup starts a job of its own, without it the table's on-demand backup.
        Permission(("dynamodb:StartAwsBackupJob", "dynamodb:CreateBackup"), ("{resource}",), either=True),
        _on(_TABLE_BACKUP, "dynamodb:DescribeBackup"),
    ),
    EBS: (
        _on(f"{{resource}} {_VOLUME_SNAPSHOT}", "ec2:CreateSnapshot"),
        _on(_VOLUME_SNAPSHOT, "ec2:CreateTags", "ec2:DeleteSnapshot"),
        _on(ANY_RESOURCE, "ec2:DescribeVolumes", "ec2:DescribeSnapshots"),
    ),
    EC2: (
        _on(f"{{resource}} {_IMAGE} {_VOLUME_SNAPSHOT}", "ec2:CreateImage"),
        _on("{resource}", "ec2:DescribeInstanceAttribute"),
        _on(f"{_IMAGE} {_VOLUME_SNAPSHOT}", "ec2:CreateTags"),
        _on(_IMAGE, "ec2:DeregisterImage"),
        _on(ANY_RESOURCE, "ec2:DescribeInstances", "ec2:DescribeImages"),
    ),
    EFS: (_on("{resource}", "elasticfilesystem:Backup", "elasticfilesystem:DescribeTags"),),
    EKS: (
        _on("{resource}", "eks:DescribeCluster", "eks:CreateAccessEntry"),
        Permission(
            ("eks:AssociateAccessPolicy",),
            (_ACCESS_ENTRY,),
            context=(("eks:accessScope", "cluster"), ("eks:policyArn", _EKS_ACCESS_POLICY)),
        ),
        _on(ANY_RESOURCE, "eks:ListClusters"),
    ),
    FSX_FILE_SYSTEM: (
        _on(f"{{resource}} {_FSX_BACKUP}", "fsx:CreateBackup"),
        _on("{resource}", "fsx:ListTagsForResource"),
        _on(_FSX_BACKUP, "fsx:TagResource"),
    ),
    FSX_VOLUME: (
        _on(f"{{resource}} {_FSX_BACKUP}", "fsx:CreateBackup"),
        _on("{resource}", "fsx:ListTagsForResource"),
        _on(_FSX_BACKUP, "fsx:TagResource"),
    ),
    S3: (
        _on(
            "{resource}",
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
            "s3:GetObject",
            "s3:GetObjectAcl",
            "s3:GetObjectTagging",
            "s3:GetObjectVersion",
            "s3:GetObjectVersionAcl",
            "s3:GetObjectVersionTagging",
        ),
        _on(
            _BUCKET_RULE,
            "events:PutRule",
            "events:PutTargets",
            "events:DescribeRule",
            "events:ListTargetsByRule",
            "events:EnableRule",
            "events:DisableRule",
            "events:RemoveTargets",
            "events:DeleteRule",
        ),
        _on(ANY_RESOURCE, "cloudwatch:GetMetricData", "s3:ListAllMyBuckets", "events:ListRules"),
    ),
    STORAGE_GATEWAY: (_on("{resource}", "storagegateway:CreateSnapshot", "storagegateway:ListTagsForResource"),),
    VIRTUAL_MACHINE: (_on("{resource}", "backup-gateway:Backup", "backup-gateway:ListTagsForResource"),),
    REDSHIFT: (
        _on("{resource}", "redshift:DescribeClusters", "redshift:DescribeTags"),
        _on(_REDSHIFT_SNAPSHOT, "redshift:CreateClusterSnapshot", "redshift:CreateTags"),
    ),
    REDSHIFT_SERVERLESS: (
        _on(f"{{resource}} {_NAMESPACE_SNAPSHOT}", "redshift-serverless:CreateSnapshot"),
        _on("{resource}", "redshift-serverless:GetNamespace", "redshift-serverless:ListTagsForResource"),
        _on(
            _NAMESPACE_SNAPSHOT,
            "redshift-serverless:GetSnapshot",
            "redshift-serverless:TagResource",
            "redshift-serverless:ListSnapshots",
        ),
        _on(ANY_RESOURCE, "redshift-serverless:ListNamespaces"),
    ),
    TIMESTREAM: (
        _on("{resource}", "timestream:StartAwsBackupJob", "timestream:DescribeTable"),
        _on("{container}", "timestream:DescribeDatabase", "timestream:ListTables"),
        _on(ANY_RESOURCE, "timestream:DescribeEndpoints"),
    ),
    CLOUDFORMATION: (
        _on(
            "{resource}",
            "cloudformation:DescribeStacks",
            "cloudformation:ListStackResources",
            "cloudformation:GetTemplate",
        ),
    ),
    SAP_HANA: (_on(ANY_RESOURCE, "ssm-sap:GetOperation", "ssm-sap:ListDatabases"),),
    DSQL: (
        _on("{resource}", "dsql:StartBackupJob", "dsql:GetBackupJob", "dsql:GetCluster"),
        _on(ANY_RESOURCE, "dsql:ListClusters"),
    ),
}

# Besides the core, for backup rules with continuous backup.
CONTINUOUS_PERMISSIONS: Mapping[ResourceType, tuple[Permission, ...]] = {
    AURORA: (_on("{resource}", "rds:ModifyDBCluster", "rds:DescribeDBClusterAutomatedBackups"),),
    RDS_INSTANCE: (_on("{resource}", "rds:ModifyDBInstance"),),
}

# The types whose recovery points AWS Backup keeps itself: it tags them under the role.
# https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-feature-availability.html#features-by-resource
FULLY_MANAGED: frozenset[ResourceType] = frozenset(
    {CLOUDFORMATION, DSQL, EFS, EKS, S3, SAP_HANA, TIMESTREAM, VIRTUAL_MACHINE}
)

# Those that have continuous backups, which AWS Backup keeps and tags itself, too.
_CONTINUOUS: frozenset[ResourceType] = frozenset({AURORA, RDS_INSTANCE, S3, SAP_HANA})

# The ARN of a resource of each type, where no picked one is known.
_EXAMPLES: Mapping[ResourceType, str] = {
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


@dataclass(frozen=True, slots=True)
class Duties:
    """What AWS Backup does under a role for a selection.

    Attributes:
        types: the types that the selection picks.
        by_tags: whether the selection picks by tags (ListOfTags or Conditions): AWS Backup looks them up itself.
        tagged: whether something picked carries tags, or the backup rules add some: both end up on recovery points.
        continuous: whether a backup rule of the plan makes continuous backups.
        vault_names: the vaults of the plan's backup rules.
        copy_vault_arns: the vaults that its copy actions write to.
        representatives: by type the ARN of a picked resource, so that a role that is scoped to names is judged by one
            of them. Take one per type and role, not one per selection: each distinct ARN enlarges the calls.
    """

    types: frozenset[ResourceType]
    by_tags: bool = False
    tagged: bool = False
    continuous: bool = False
    vault_names: frozenset[str] = frozenset()
    copy_vault_arns: frozenset[str] = frozenset()
    representatives: Mapping[ResourceType, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Probe:
    """One question: may the role call one of these actions on these resources?

    `asks` holds (action, ARN or `*`); one allowed pair is enough. `subject` is what it is for, as a reader knows it;
    `managed_policy` is AWS's policy that would allow it.
    """

    asks: tuple[tuple[str, str], ...]
    subject: str
    managed_policy: str = BACKUP_POLICY
    context: tuple[ContextEntry, ...] = ()

    @property
    def action(self) -> str:
        """The action by which the probe is named: the first, which AWS recommends."""
        return self.asks[0][0]


@dataclass(frozen=True, slots=True)
class SimulationRequest:
    """One call of `SimulatePrincipalPolicy` for a role. No `resource_arns`: the actions are judged on `*`."""

    actions: tuple[str, ...]
    resource_arns: tuple[str, ...]
    context: tuple[ContextEntry, ...]


class Decision(StrEnum):
    """IAM's words for how a simulated call ends."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """How one action on one resource (an ARN, or `*`) ends.

    The two booleans are None where the role has no permissions boundary, or the account no organization.
    `missing_context` names the condition keys of the role's policies that the simulation had no value for.
    """

    action: str
    resource: str
    decision: Decision
    allowed_by_boundary: bool | None = None
    allowed_by_organizations: bool | None = None
    missing_context: tuple[str, ...] = ()


class WithheldBy(StrEnum):
    """Who keeps a permission from the role, in the order in which it has to be settled."""

    SERVICE_CONTROL_POLICY = "service control policy"
    PERMISSIONS_BOUNDARY = "permissions boundary"
    EXPLICIT_DENY = "explicit deny"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Denial:
    """A probe that the role does not pass, and why.

    `unknown_conditions` are condition keys on which the role's policies might allow the action after all: the
    simulation has no value for them.
    """

    probe: Probe
    withheld_by: WithheldBy
    unknown_conditions: tuple[str, ...] = ()


def probes_for(duties: Duties, place: Place) -> tuple[Probe, ...]:
    """What to ask about a role that has these duties, each question once."""
    return tuple(dict.fromkeys(_probes(duties, place)))


def _probes(duties: Duties, place: Place) -> Iterator[Probe]:
    if duties.by_tags:
        yield Probe((("tag:GetResources", ANY_RESOURCE),), "tag-based selections")
    yield from _vault_probes(duties, place)
    for each in RESOURCE_TYPES:
        if each in duties.types:
            yield from _type_probes(each, duties, place)


def _vault_probes(duties: Duties, place: Place) -> Iterator[Probe]:
    # AWS's policy for S3 holds no permission on vaults and is enough for S3 backups.
    if duties.types != {S3}:
        for vault_name in sorted(duties.vault_names):
            vault = f"arn:{place.partition}:backup:{place.region}:{place.account}:backup-vault:{vault_name}"
            yield Probe((("backup:DescribeBackupVault", vault),), "backup vaults")
            yield Probe((("backup:CopyIntoBackupVault", vault),), "backup vaults")
    for vault in sorted(duties.copy_vault_arns):
        yield Probe((("backup:CopyIntoBackupVault", vault),), "copies")
    if duties.copy_vault_arns:
        yield Probe(_on_recovery_points("backup:CopyFromBackupVault", place), "copies")


def _type_probes(kind: ResourceType, duties: Duties, place: Place) -> Iterator[Probe]:
    policy = S3_BACKUP_POLICY if kind is S3 else BACKUP_POLICY
    names = _names(kind, duties.representatives.get(kind), place)
    permissions = CORE_PERMISSIONS[kind] + (CONTINUOUS_PERMISSIONS.get(kind, ()) if duties.continuous else ())
    for permission in permissions:
        context = tuple(ContextEntry(key, value.format(**names)) for key, value in permission.context)
        for resource in (template.format(**names) for template in permission.resources):
            asks = tuple((action, resource) for action in permission.actions)
            for choice in (asks,) if permission.either else ((ask,) for ask in asks):
                yield Probe(choice, kind.plural, policy, context)
    if (duties.tagged or duties.by_tags) and (kind in FULLY_MANAGED or (duties.continuous and kind in _CONTINUOUS)):
        yield Probe(_on_recovery_points("backup:TagResource", place), kind.plural, policy)


def _on_recovery_points(action: str, place: Place) -> tuple[tuple[str, str], ...]:
    """The action on a recovery point, whose ARN the service reference gives with a star for the account."""
    return tuple(
        (action, f"arn:{place.partition}:backup:{place.region}:{account}:{_RECOVERY_POINT}")
        for account in (place.account, "*")
    )


def _names(kind: ResourceType, representative: str | None, place: Place) -> dict[str, str]:
    region, account = ("", "") if kind is S3 else (place.region, place.account)
    example = f"arn:{place.partition}:{kind.service}:{region}:{account}:{_EXAMPLES[kind]}"
    # A picked ARN of another depth (a whole gateway) contains what is backed up (its volumes).
    resource = representative if representative and representative.count("/") == example.count("/") else example
    return {
        "partition": place.partition,
        "region": place.region,
        "account": place.account,
        "resource": resource,
        "name": resource.split(":", 5)[-1].removeprefix(kind.resource_prefix),
        "container": resource.rsplit("/", 2)[0],
    }


def requests_for(probes: Iterable[Probe], place: Place) -> tuple[SimulationRequest, ...]:
    """The calls that answer all probes: as few as they allow, for one role.

    Every request carries the same context, which is true of whatever AWS Backup calls in this place, besides keys that
    only one service knows. So probes never have to be kept apart for their context, and as a call judges every action
    on every ARN, only two things part them: actions without a resource (`*` may not stand beside ARNs), and
    `COMBINATIONS_A_CALL`. The pairs that nobody asked about are judged along and not looked at.
    """
    asked = tuple(dict.fromkeys(probes))
    on_anything = [probe for probe in asked if probe.asks[0][1] == ANY_RESOURCE]
    on_arns = [probe for probe in asked if probe.asks[0][1] != ANY_RESOURCE]
    batches = ([on_anything] if on_anything else []) + list(_batches(on_arns))
    return tuple(_request(batch, place) for batch in batches)


def _batches(probes: Sequence[Probe]) -> Iterator[list[Probe]]:
    batch: list[Probe] = []
    actions: set[str] = set()
    arns: set[str] = set()
    for probe in probes:
        with_actions = actions | {action for action, _ in probe.asks}
        with_arns = arns | {arn for _, arn in probe.asks}
        if batch and len(with_actions) * len(with_arns) > COMBINATIONS_A_CALL:
            yield batch
            batch = []
            with_actions = {action for action, _ in probe.asks}
            with_arns = {arn for _, arn in probe.asks}
        batch.append(probe)
        actions, arns = with_actions, with_arns
    if batch:
        yield batch


def _request(probes: Sequence[Probe], place: Place) -> SimulationRequest:
    asks = [ask for probe in probes for ask in probe.asks]
    own = (entry for probe in probes for entry in probe.context)
    return SimulationRequest(
        actions=tuple(dict.fromkeys(action for action, _ in asks)),
        resource_arns=tuple(dict.fromkeys(arn for _, arn in asks if arn != ANY_RESOURCE)),
        context=tuple(dict.fromkeys((*_common_context(place), *own))),
    )


def _common_context(place: Place) -> tuple[ContextEntry, ...]:
    # AWS's managed policies ask that the role and the resource be of one account; a missing Region or transport would
    # make the usual Deny statements of service control policies (`StringNotEquals aws:RequestedRegion`) fit.
    return (
        ContextEntry("aws:PrincipalAccount", place.account),
        ContextEntry("aws:ResourceAccount", place.account),
        ContextEntry("aws:RequestedRegion", place.region),
        ContextEntry("aws:SecureTransport", "true", "boolean"),
    )


def judge(probes: Iterable[Probe], results: Iterable[SimulationResult]) -> tuple[Denial, ...]:
    """Which probes the role does not pass.

    Raises:
        ValueError: the results contradict one another, or lack a probe's answer: nothing may be concluded.
    """
    answers: dict[tuple[str, str], SimulationResult] = {}
    for result in results:
        known = answers.setdefault((result.action, result.resource), result)
        if known.decision is not result.decision:
            raise ValueError(
                f"{result.action} on {result.resource} is simulated as {known.decision} and as {result.decision}"
            )
    denials = (_denial(probe, [_answer(answers, *ask) for ask in probe.asks]) for probe in dict.fromkeys(probes))
    return tuple(denial for denial in denials if denial is not None)


def _answer(answers: Mapping[tuple[str, str], SimulationResult], action: str, resource: str) -> SimulationResult:
    try:
        return answers[action, resource]
    except KeyError:
        raise ValueError(f"the simulation has no answer for {action} on {resource}") from None


def _denial(probe: Probe, answers: Sequence[SimulationResult]) -> Denial | None:
    if any(answer.decision is Decision.ALLOWED for answer in answers):
        return None
    first = answers[0]
    if first.allowed_by_organizations is False:
        return Denial(probe, WithheldBy.SERVICE_CONTROL_POLICY)
    if first.allowed_by_boundary is False:
        return Denial(probe, WithheldBy.PERMISSIONS_BOUNDARY)
    if first.decision is Decision.EXPLICIT_DENY:
        return Denial(probe, WithheldBy.EXPLICIT_DENY)
    return Denial(probe, WithheldBy.POLICY, _unknown_conditions(first))


# Conditions on tags that AWS itself puts on its things, in its managed policies for backups and restores: none of them
# is about an action that is asked about here.
_CONDITIONS_ON_AWS_TAGS = frozenset({"aws:resourcetag/amazonfsx", "aws:resourcetag/aws:backup:source-resource"})

# How the names of actions begin whose requests can carry tags. With events:PutRule AWS Backup sends none: AWS's policy
# for S3 does not grant the events:TagResource that this takes.
_TAGGING = ("AddTags", "CopyDB", "Create", "Tag")


def _unknown_conditions(result: SimulationResult) -> tuple[str, ...]:
    """The keys that can be conditions of the action: IAM names those of all the role's policies, whatever they allow.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """
    return tuple(key for key in result.missing_context if _may_decide(key.lower(), result))


def _may_decide(key: str, result: SimulationResult) -> bool:
    """Whether a request of the action can carry the condition key (in lower case)."""
    service, _, operation = result.action.partition(":")
    owner, _, rest = key.partition(":")
    if owner not in {"aws", service.lower()} or key in _CONDITIONS_ON_AWS_TAGS:
        return False
    if rest.startswith("resourcetag/"):
        return result.resource != ANY_RESOURCE
    if rest.startswith("requesttag/") or key == "aws:tagkeys":
        return operation.startswith(_TAGGING)
    return key != "ec2:createaction" or operation == "CreateTags"


def problems(role_name: str, selection: SelectionSummary, denials: Iterable[Denial]) -> tuple[Problem, ...]:
    """What the role of the selection lacks and what to do about it: a problem for each withholder.

    Of each subject three actions are named, and how many more there are. Where that does not fit into an annotation,
    first fewer actions are named, then names are shortened, then the selection is left out, which the verdict is about
    anyway. Only then is not every subject named.
    """
    by_withholder: dict[WithheldBy, list[Denial]] = {each: [] for each in WithheldBy}
    for denial in denials:
        by_withholder[denial.withheld_by].append(denial)
    return tuple(_problem(role_name, selection, by, found) for by, found in by_withholder.items() if found)


def _problem(role_name: str, selection: SelectionSummary, by: WithheldBy, denials: Sequence[Denial]) -> Problem:
    subjects: dict[str, dict[str, None]] = {}
    for denial in denials:
        subjects.setdefault(denial.probe.subject, {})[denial.probe.action] = None
    why, remedy = _why(by, denials)
    every = len(subjects)
    # Characters of the selection's and the plan's names (None: neither is named), actions and subjects to tell.
    wordings = [(26, 3, every), (26, 2, every), (26, 1, every), (16, 1, every), (None, 3, every), (None, 2, every)]
    wordings += [(length, 1, number) for number in range(every, 0, -1) for length in (26, 16, None)]
    words = [
        f"Role {name(role_name, 2 * length if length else 60)}{f' of {called(selection, length)}' if length else ''}"
        f" lacks {_lacking(subjects, *most)}: {why}."
        for length, *most in wordings
    ]
    return Problem.worded(words, remedy)


def _lacking(subjects: Mapping[str, Iterable[str]], most_actions: int, most_subjects: int) -> str:
    parts = [f"{listing(tuple(actions), most_actions)} ({subject})" for subject, actions in subjects.items()]
    others = len(parts) - most_subjects
    return "; ".join(parts[:most_subjects]) + (f"; and for {others} more" if others else "")


def _why(by: WithheldBy, denials: Sequence[Denial]) -> tuple[str, str]:
    """Who withholds it, to end a sentence, and what to do."""
    match by:
        case WithheldBy.SERVICE_CONTROL_POLICY:
            return "a service control policy withholds it", "Allow it in that policy."
        case WithheldBy.PERMISSIONS_BOUNDARY:
            return "its permissions boundary withholds it", "Allow it in the boundary."
        case WithheldBy.EXPLICIT_DENY:
            return "a policy of the role denies it", "Remove that Deny."
        case WithheldBy.POLICY:
            policies = dict.fromkeys(denial.probe.managed_policy for denial in denials)
            keys = dict.fromkeys(key for denial in denials for key in denial.unknown_conditions)
            unless = f" (unless its conditions on {listing(tuple(keys), 2)} hold)" if keys else ""
            return f"no policy of the role allows it{unless}", f"Attach {' and '.join(policies)}."

"""What `terraform show -json` prints of a plan or a state, in CloudFormation's words.

Values that are known after apply are followed to what they refer to, by the configuration that a plan carries.
Source: https://developer.hashicorp.com/terraform/internals/json-format and, for the resources' arguments,
https://registry.terraform.io/providers/hashicorp/aws/latest/docs
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

from backup_rules.arns import Place
from backup_rules_cli.check import identities
from backup_rules_cli.check.identities import BACKUP_POLICY, KEY, PLAN, REGION_SETTINGS, ROLE, SELECTION, VAULT
from backup_rules_cli.check.terraform_values import AFTER_APPLY, KINDS, Known, Resource
from backup_rules_cli.check.things import Array, Object, Thing, Unknown, at_of, unknowns


def is_terraform(document: Any) -> bool:
    """Whether the document is a plan or a state, as `terraform show -json` prints it."""
    return (
        isinstance(document, Mapping)
        and "format_version" in document
        and ("planned_values" in document or "values" in document or "terraform_version" in document)
    )


def things(document: Object, place: Place, region: str | None = None) -> Iterator[Thing]:
    """The resources that the plan or state has; with `region`, those of that Region and those of none.

    Those of which it is not told are taken for the Region of most.
    """
    known = Known(document, place)
    here = {region} | ({None} if region is not None and region == regions(document)[0] else set())
    for address, resource in known.resources.items():
        kind = str(resource.get("type"))
        make = _MAKERS.get(kind)
        elsewhere = region is not None and kind not in _OF_NO_REGION and known.region(address) not in here
        if make is None or elsewhere:
            continue
        at = at_of(resource, document.at)
        for made, properties in make(Resource(known, address, resource)):
            yield Thing(made, address, properties, at, address)


def regions(document: Object) -> list[str]:
    """The Regions of the resources, most named first; a provider's key, or nothing, for one that is not known."""
    known = Known(document, Place("aws", "", ""))
    counted = Counter(
        known.region(address)
        for address, each in known.resources.items()
        if each.get("type") in _MAKERS and each.get("type") not in _OF_NO_REGION
    )
    return [region for region, _ in counted.most_common() if region is not None]


# Resources

Made = Iterator[tuple[str, Object]]


def _plan(it: Resource) -> Made:
    rules = Array(it.at)
    for number in it.blocks("rule"):
        rules.append(_rule(it, number))
    whole = it.get("rule")
    body = it.object(
        {"BackupPlanName": it.get("name"), "BackupPlanRule": whole if isinstance(whole, Unknown) else rules}
    )
    yield PLAN, it.object({**it.naming(PLAN), "BackupPlan": body})


def _rule(it: Resource, number: int) -> Object:
    def argument(name: str) -> Any:
        return it.get("rule", number, name)

    def lifecycle(*path: Any) -> Any:
        if it.open_blocks(*path):
            return it.object({"DeleteAfterDays": AFTER_APPLY, "MoveToColdStorageAfterDays": AFTER_APPLY})
        days = {
            "DeleteAfterDays": it.get(*path, 0, "delete_after"),
            "MoveToColdStorageAfterDays": it.get(*path, 0, "cold_storage_after"),
        }
        return (
            it.object({key: value for key, value in days.items() if value not in {None, 0}})
            if it.blocks(*path)
            else None
        )

    copies = [
        it.object(
            {
                "DestinationBackupVaultArn": it.get("rule", number, "copy_action", each, "destination_vault_arn"),
                "Lifecycle": lifecycle("rule", number, "copy_action", each, "lifecycle"),
            }
        )
        for each in it.blocks("rule", number, "copy_action")
    ]
    return it.object(
        {
            "RuleName": argument("rule_name"),
            "TargetBackupVaultName": argument("target_vault_name"),
            "TargetLogicallyAirGappedBackupVaultArn": argument("target_logically_air_gapped_backup_vault_arn"),
            "ScheduleExpression": argument("schedule"),
            "ScheduleExpressionTimezone": argument("schedule_expression_timezone"),
            "StartWindowMinutes": argument("start_window"),
            "CompletionWindowMinutes": argument("completion_window"),
            "EnableContinuousBackup": argument("enable_continuous_backup"),
            "RecoveryPointTags": argument("recovery_point_tags") or None,
            "Lifecycle": lifecycle("rule", number, "lifecycle"),
            "CopyActions": AFTER_APPLY if it.open_blocks("rule", number, "copy_action") else copies or None,
        }
    )


def _selection(it: Resource) -> Made:
    tags = [
        it.object(
            {
                "ConditionType": it.get("selection_tag", each, "type"),
                "ConditionKey": it.get("selection_tag", each, "key"),
                "ConditionValue": it.get("selection_tag", each, "value"),
            }
        )
        for each in it.blocks("selection_tag")
    ]
    body = it.object(
        {
            "SelectionName": it.get("name"),
            "IamRoleArn": it.get("iam_role_arn"),
            "Resources": it.listed("resources") or None,
            # Of these two Terraform says that they are known after apply where nobody gives them.
            "NotResources": (it.listed("not_resources") or None) if it.gives("not_resources") else None,
            "Conditions": _conditions(it) if it.gives("condition") else None,
            "ListOfTags": AFTER_APPLY if it.open_blocks("selection_tag") else tags or None,
        }
    )
    yield SELECTION, it.object({"BackupPlanId": it.get("plan_id"), "BackupSelection": body})


_OPERATORS = {
    "string_equals": "StringEquals",
    "string_not_equals": "StringNotEquals",
    "string_like": "StringLike",
    "string_not_like": "StringNotLike",
}


def _conditions(it: Resource) -> Any:
    if it.open_blocks("condition"):
        return AFTER_APPLY
    found: dict[str, list[Any]] = {}
    for block, (name, operator) in product(it.blocks("condition"), _OPERATORS.items()):
        if it.open_blocks("condition", block, name):
            return AFTER_APPLY
        for each in it.blocks("condition", block, name):
            condition = {
                "ConditionKey": it.get("condition", block, name, each, "key"),
                "ConditionValue": it.get("condition", block, name, each, "value"),
            }
            found.setdefault(operator, []).append(it.object(condition))
    return found or None


def _vault(it: Resource) -> Made:
    lock = next(_of(it, "aws_backup_vault_lock_configuration", "backup_vault_name"), None)
    policy = next(_of(it, "aws_backup_vault_policy", "backup_vault_name"), None)
    limits: Object | Unknown | None = (
        None
        if lock is None
        else it.object(
            {"MinRetentionDays": lock.get("min_retention_days"), "MaxRetentionDays": lock.get("max_retention_days")}
        )
    )
    text = None if policy is None else policy.get("policy")
    if lock is None and any(_of(it, "aws_backup_vault_lock_configuration", "backup_vault_name", unresolved=True)):
        limits = AFTER_APPLY
    if policy is None and any(_of(it, "aws_backup_vault_policy", "backup_vault_name", unresolved=True)):
        text = AFTER_APPLY
    yield (
        VAULT,
        it.object(
            {
                "BackupVaultName": it.get("name"),
                "EncryptionKeyArn": it.get("kms_key_arn")
                if it.values.get("kms_key_arn") or it.known.gives(it.address, "kms_key_arn")
                else None,
                "LockConfiguration": limits,
                "AccessPolicy": text,
            }
        ),
    )


def _air_gapped(it: Resource) -> Made:
    yield (
        identities.AIR_GAPPED,
        it.object(
            {
                "BackupVaultName": it.get("name"),
                "MinRetentionDays": it.get("min_retention_days"),
                "MaxRetentionDays": it.get("max_retention_days"),
            }
        ),
    )


def _of(it: Resource, kind: str, argument: str, *, unresolved: bool = False) -> Iterator[Resource]:
    """The resources of a type that belong to this one. With `unresolved`, those of which it is not known, too."""
    own_kind = KINDS[str(it.known.resources[it.address]["type"])]
    name = identities.name_of(own_kind, it.address, it.naming(own_kind))
    owned, nobodys = it.known.owned(kind, argument)
    found = [*owned.get(name, ()), *(nobodys if unresolved else ())]
    own_region = it.known.region(it.address) if found else None
    for other in found:
        told = {own_region, it.known.region(other.address)} - {None}
        if kind in _OF_NO_REGION or len(told) < 2:
            yield other


def _settings(it: Resource) -> Made:
    yield (
        REGION_SETTINGS,
        it.object(
            {
                "ResourceTypeOptInPreference": it.get("resource_type_opt_in_preference"),
                "ResourceTypeManagementPreference": it.get("resource_type_management_preference") or None,
            }
        ),
    )


def _role(it: Resource) -> Made:
    inline = [
        it.object(
            {
                "PolicyName": it.get("inline_policy", each, "name"),
                "PolicyDocument": _policy(it.get("inline_policy", each, "policy")),
            }
        )
        for each in it.blocks("inline_policy")
        if it.get("inline_policy", each, "policy")
    ]
    attached = _of(it, "aws_iam_role_policy", "role")
    own = [it.object({"PolicyDocument": _policy(each.get("policy"))}) for each in attached]
    managed = it.get("managed_policy_arns")
    arns = (
        list(managed)
        if isinstance(managed, list)
        else [managed]
        if isinstance(managed, Unknown) and it.known.gives(it.address, "managed_policy_arns")
        else []
    )
    arns += [each.get("policy_arn") for each in _of(it, "aws_iam_role_policy_attachment", "role")]
    arns += [each.get("policy_arn") for each in _of(it, "aws_iam_policy_attachment", "roles")]
    attachments = {
        "aws_iam_role_policy": "role",
        "aws_iam_role_policy_attachment": "role",
        "aws_iam_policy_attachment": "roles",
    }
    elsewhere = [
        given
        for kind, argument in attachments.items()
        for each in _of(it, kind, argument, unresolved=True)
        for given in [each.get(argument)]
        if next(unknowns(given), None) is not None
    ]
    yield (
        ROLE,
        it.object(
            {
                "RoleName": it.get("name") if it.values.get("name") else None,
                "Path": it.get("path") if it.values.get("path") else None,
                "AssumeRolePolicyDocument": _policy(it.get("assume_role_policy")),
                "Policies": [*inline, *own],
                "ManagedPolicyArns": list(dict.fromkeys(arns)) if all(isinstance(each, str) for each in arns) else arns,
                "PermissionsBoundary": it.get("permissions_boundary") or None,
                "__open_policies": elsewhere or None,  # which role these belong to is not known
            }
        ),
    )


def _policy(text: Any) -> Any:
    """A policy, which Terraform keeps as JSON text."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return Unknown("it is no JSON", "correct it")


def _managed_policy(it: Resource) -> Made:
    yield (
        "AWS::IAM::ManagedPolicy",
        it.object(
            {"ManagedPolicyName": it.get("name"), "Path": it.get("path"), "PolicyDocument": _policy(it.get("policy"))}
        ),
    )


def _key(it: Resource) -> Made:
    enabled = it.get("is_enabled")
    yield KEY, it.object({**it.naming(KEY), "Enabled": True if enabled is None else enabled})


def _organization_policy(it: Resource) -> Made:
    if (it.get("type") or "SERVICE_CONTROL_POLICY") == "BACKUP_POLICY":
        yield BACKUP_POLICY, it.object({"Name": it.get("name"), "Type": "BACKUP_POLICY", "Content": it.get("content")})


def _resource(kind: str, **arguments: str) -> Callable[[Resource], Made]:
    """A resource whose arguments have other names: CloudFormation's by Terraform's."""

    def make(it: Resource) -> Made:
        naming = it.naming(kind)
        told = {
            ours: it.get(theirs)
            for ours, theirs in arguments.items()
            if it.values.get(theirs) is not None or it.known.gives(it.address, theirs)
        }
        tags = it.tags()
        tags_key = "FileSystemTags" if kind == "AWS::EFS::FileSystem" else "Tags"
        as_list = [{"Key": key, "Value": value} for key, value in tags.items()] if isinstance(tags, Mapping) else tags
        yield kind, it.object({**naming, **told, tags_key: as_list})

    return make


def _file_system(key: str, kind: str) -> Callable[[Resource], Made]:
    """A file system of FSx: a resource type for each kind."""

    def make(it: Resource) -> Made:
        tags = it.tags()
        settings = it.object(
            {
                "WeeklyMaintenanceStartTime": it.get("weekly_maintenance_start_time"),
                "DailyAutomaticBackupStartTime": it.get("daily_automatic_backup_start_time"),
                "AutomaticBackupRetentionDays": it.get("automatic_backup_retention_days"),
                "DeploymentType": it.get("deployment_type"),
                "ImportPath": it.get("import_path") if it.values.get("import_path") else None,
            }
        )
        as_list = [{"Key": key, "Value": value} for key, value in tags.items()] if isinstance(tags, Mapping) else tags
        yield (
            "AWS::FSx::FileSystem",
            it.object(
                {
                    **it.naming("AWS::FSx::FileSystem"),
                    "FileSystemType": kind,
                    f"{key}Configuration": settings,
                    "Tags": as_list,
                }
            ),
        )

    return make


def _bucket(it: Resource) -> Made:
    versioned = next(iter(_of(it, "aws_s3_bucket_versioning", "bucket")), None)
    status = None if versioned is None else versioned.get("versioning_configuration", 0, "status")
    own = it.get("versioning", 0, "enabled")
    if status is None and own is not None:
        status = own if isinstance(own, Unknown) else "Enabled" if own else None
    if status is None and not isinstance(it.get("versioning"), list):
        status = Unknown("versioning may be set by another resource", "judge with an account (--with-account)")
    tags = it.tags()
    as_list = [{"Key": key, "Value": value} for key, value in tags.items()] if isinstance(tags, Mapping) else tags
    yield (
        "AWS::S3::Bucket",
        it.object(
            {
                **it.naming("AWS::S3::Bucket"),
                "VersioningConfiguration": {"Status": status} if status is not None else None,
                "Tags": as_list,
            }
        ),
    )


_OF_NO_REGION = frozenset(
    {
        "aws_iam_role",
        "aws_iam_policy",
        "aws_iam_role_policy",
        "aws_iam_role_policy_attachment",
        "aws_iam_policy_attachment",
        "aws_organizations_policy",
    }
)
_WINDOWS = {
    "PreferredBackupWindow": "backup_window",
    "PreferredMaintenanceWindow": "maintenance_window",
    "BackupRetentionPeriod": "backup_retention_period",
    "Engine": "engine",
    "BackupTarget": "backup_target",
}
_CLUSTER_WINDOWS = {
    "PreferredBackupWindow": "preferred_backup_window",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "BackupRetentionPeriod": "backup_retention_period",
    "Engine": "engine",
}
_MAKERS: Mapping[str, Callable[[Resource], Made]] = {
    "aws_backup_plan": _plan,
    "aws_backup_selection": _selection,
    "aws_backup_vault": _vault,
    "aws_backup_logically_air_gapped_vault": _air_gapped,
    "aws_backup_region_settings": _settings,
    "aws_iam_role": _role,
    "aws_iam_policy": _managed_policy,
    "aws_kms_key": _key,
    "aws_organizations_policy": _organization_policy,
    "aws_s3_bucket": _bucket,
    "aws_db_instance": _resource("AWS::RDS::DBInstance", **_WINDOWS),
    "aws_rds_cluster": _resource("AWS::RDS::DBCluster", **_CLUSTER_WINDOWS),
    "aws_docdb_cluster": _resource("AWS::DocDB::DBCluster", **_CLUSTER_WINDOWS),
    "aws_neptune_cluster": _resource("AWS::Neptune::DBCluster", **_CLUSTER_WINDOWS),
    "aws_fsx_windows_file_system": _file_system("Windows", "WINDOWS"),
    "aws_fsx_lustre_file_system": _file_system("Lustre", "LUSTRE"),
    "aws_fsx_ontap_file_system": _file_system("Ontap", "ONTAP"),
    "aws_fsx_openzfs_file_system": _file_system("OpenZFS", "OPENZFS"),
    **{
        name: _resource(kind)
        for name, kind in KINDS.items()
        if kind.startswith(("AWS::DynamoDB", "AWS::EC2", "AWS::EFS", "AWS::EKS", "AWS::Redshift", "AWS::Timestream"))
    },
}

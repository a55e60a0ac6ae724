"""What `terraform show -json` prints of a plan or a state, in CloudFormation's words.

Values that are known after apply are followed to what they refer to, by the configuration that a plan carries.
Source: https://developer.hashicorp.com/terraform/internals/json-format and, for the resources' arguments,
https://registry.terraform.io/providers/hashicorp/aws/latest/docs
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from backup_rules.arns import Place
from backup_rules_cli.check import identities
from backup_rules_cli.check.identities import BACKUP_POLICY, KEY, PLAN, REGION_SETTINGS, ROLE, SELECTION, VAULT
from backup_rules_cli.check.things import Array, Object, Position, Thing, Unknown, at_of

AFTER_APPLY = Unknown(
    "Terraform knows it after apply", "judge the state after apply, or with an account (--with-account)"
)

Values = Mapping[str, Any]


def is_terraform(document: Any) -> bool:
    """Whether the document is a plan or a state, as `terraform show -json` prints it."""
    return (
        isinstance(document, Mapping)
        and "format_version" in document
        and ("planned_values" in document or "values" in document or "terraform_version" in document)
    )


def things(document: Object, place: Place) -> Iterator[Thing]:
    """The resources that the plan or state has."""
    known = _Known(document, place)
    for address, resource in known.resources.items():
        make = _MAKERS.get(str(resource.get("type")))
        if make is None:
            continue
        at = at_of(resource, document.at)
        for kind, properties in make(_Resource(known, address, resource)):
            yield Thing(kind, address, properties, at, address)


class _Known:
    """A plan's values, its unknown ones, and its configuration's references."""

    def __init__(self, document: Object, place: Place) -> None:
        self.place = place
        values = document.get("planned_values") or document.get("values") or {}
        self.resources: dict[str, Any] = {
            str(each.get("address")): each
            for each in _resources(values.get("root_module"))
            if each.get("mode") != "data"
        }
        self.data: dict[str, Any] = {
            str(each.get("address")): each.get("values")
            for source in (values, _inside(document, "prior_state", "values"))
            for each in _resources(_inside(source, "root_module"))
            if each.get("mode") == "data"
        }
        self.unknown = {
            str(each.get("address")): _inside(each, "change", "after_unknown")
            for each in document.get("resource_changes") or ()
            if isinstance(each, Mapping)
        }
        self._expressions: dict[str, Any] = {}
        self._arguments: dict[str, Any] = {}
        """Of each module, by its prefix: what its variables are given."""
        self._by_plain: dict[str, list[str]] = {}
        for address in self.resources:
            self._by_plain.setdefault(_without_index(address), []).append(address)
        self._configure(_inside(document, "configuration", "root_module"), "")

    def _configure(self, module: Any, prefix: str) -> None:
        if not isinstance(module, Mapping):
            return
        for each in module.get("resources") or ():
            if isinstance(each, Mapping):
                self._expressions[f"{prefix}{each.get('address')}"] = each.get("expressions") or {}
        calls = module.get("module_calls")
        for name, call in calls.items() if isinstance(calls, Mapping) else ():
            inner = f"{prefix}module.{name}."
            self._arguments[inner] = _inside(call, "expressions") or {}
            self._configure(_inside(call, "module"), inner)

    def gives(self, address: str, argument: str) -> bool:
        """Whether the configuration gives the argument; what is unknown and not given, AWS chooses."""
        return argument in (self._expressions.get(_without_index(address)) or {})

    def referred(self, address: str, path: tuple[Any, ...]) -> tuple[str, str] | None:
        """What an argument refers to, if to one thing: its address in the plan, and the attribute."""
        found: Any = self._expressions.get(_without_index(address))
        for step in path:
            if not _has(found, step):
                break
            found = found[step]
        number = path[-1] if path and isinstance(path[-1], int) else 0
        return self._target(_inside(found, "references"), _module_of(address), number, address)

    def _target(self, references: Any, prefix: str, number: int, address: str) -> tuple[str, str] | None:
        """The resource that the references name, in the order of a list; variables are followed to the caller."""
        named = [str(each) for each in references] if isinstance(references, list) else []
        found = [each for each in (self._resource(name, prefix, address) for name in named) if each and each[1]]
        if found:
            return found[number] if number < len(found) else found[0] if len(found) == 1 else None
        for name in named:
            if name.startswith("var.") and prefix in self._arguments:
                given = _inside(self._arguments[prefix].get(name.split(".")[1]), "references")
                outer = _module_of(prefix.removesuffix("."))
                return self._target(given, outer, number, address)
        plain = [each for each in (self._resource(name, prefix, address) for name in named) if each]
        return plain[0] if plain else None

    def _resource(self, reference: str, prefix: str, address: str) -> tuple[str, str] | None:
        """A reference such as `aws_iam_role.backup[0].arn`: the address of the resource, and the attribute."""
        parts = _without_index(reference).split(".")
        same = self._by_plain.get(f"{prefix}{'.'.join(parts[:2])}")
        if not same or len(parts) < 2:
            return None
        mine = next((each for each in same if _index(each) == _index(address)), same[0])
        return mine, ".".join(parts[2:])


def _module_of(address: str) -> str:
    """The module of a resource or of a module: `module.backup.`, or nothing for the root."""
    parts = _without_index(address).split(".")
    return "".join(f"{each}." for each in parts[:-2]) if len(parts) > 2 else ""


class _Resource:
    """A resource, whose arguments are asked for by name."""

    def __init__(self, known: _Known, address: str, resource: Mapping[str, Any]) -> None:
        self.known = known
        self.address = address
        values = resource.get("values")
        self.values: Values = values if isinstance(values, Mapping) else {}
        self.at = at_of(resource, Position(""))
        self.called = str(resource.get("name", address))

    def get(self, *path: Any) -> Any:
        """An argument; None where it is not given."""
        found: Any = self.values
        unknown: Any = self.known.unknown.get(self.address)
        for step in path:
            unknown = unknown[step] if _has(unknown, step) else unknown if unknown is True else None
            found = found[step] if _has(found, step) else None
        if unknown is True and found is None:
            return self._followed(path)
        if isinstance(found, list) and isinstance(unknown, list):
            return [self.get(*path, number) for number in range(max(len(found), len(unknown)))]
        if isinstance(found, Mapping) and isinstance(unknown, Mapping) and any(unknown.values()):
            return Object(at_of(found, self.at), {key: self.get(*path, key) for key in {**found, **unknown}})
        return found

    def _followed(self, path: tuple[Any, ...]) -> Any:
        """What the argument will be: that of what it refers to."""
        referred = self.known.referred(self.address, path)
        while referred is None and path and isinstance(path[-1], int):
            path = path[:-1]
            referred = self.known.referred(self.address, path)
        if referred is None:
            return AFTER_APPLY
        address, attribute = referred
        resource = self.known.resources[address]
        kind = _KINDS.get(str(resource.get("type")))
        if kind is None:
            return AFTER_APPLY
        other = _Resource(self.known, address, resource)
        properties = other.naming(kind)
        if attribute in {"arn", "target_arn"}:
            name = identities.name_of(kind, address, properties)
            return identities.arn_of(kind, name, properties, self.known.place)
        if attribute in {"id", "name", "identifier", "key_id", "bucket", "role", ""}:
            return identities.name_of(kind, address, properties)
        return AFTER_APPLY

    def naming(self, kind: str) -> dict[str, Any]:
        """The properties that the name follows from."""
        named_by = identities.KINDS[kind].named_by or identities.ID
        keys = _NAMES if named_by != identities.ID else ("id",)
        given = next((self.values[key] for key in keys if isinstance(self.values.get(key), str)), None)
        path = self.values.get("path")
        return {**({named_by: given} if given else {}), **({"Path": path} if isinstance(path, str) else {})}

    def object(self, entries: Mapping[str, Any]) -> Object:
        """Properties, without those that are not given."""
        return Object(self.at, {key: value for key, value in entries.items() if value is not None})

    def blocks(self, *path: Any) -> list[int]:
        """The numbers of the blocks of that name."""
        found = self.get(*path)
        return list(range(len(found))) if isinstance(found, list) else []

    def tags(self) -> Any:
        """All tags, those of the provider too."""
        found = self.get("tags_all")
        return found if found is not None else self.get("tags")


_NAMES = ("name", "identifier", "cluster_identifier", "bucket", "table_name")


def _inside(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _has(value: Any, step: Any) -> bool:
    if isinstance(value, Mapping):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def _resources(module: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(module, Mapping):
        yield from (each for each in module.get("resources") or () if isinstance(each, Mapping))
        for child in module.get("child_modules") or ():
            yield from _resources(child)


def _without_index(address: str) -> str:
    found, depth = [], 0
    for character in address:
        depth += (character == "[") - (character == "]")
        if depth == 0 and character != "]":
            found.append(character)
    return "".join(found)


def _index(address: str) -> str:
    return address[address.rindex("[") :] if address.endswith("]") else ""


# Resources

Made = Iterator[tuple[str, Object]]


def _plan(it: _Resource) -> Made:
    rules = Array(it.at)
    for number in it.blocks("rule"):
        rules.append(_rule(it, number))
    whole = it.get("rule")
    body = it.object(
        {"BackupPlanName": it.get("name"), "BackupPlanRule": whole if isinstance(whole, Unknown) else rules}
    )
    yield PLAN, it.object({**it.naming(PLAN), "BackupPlan": body})


def _rule(it: _Resource, number: int) -> Object:
    def argument(name: str) -> Any:
        return it.get("rule", number, name)

    def lifecycle(*path: Any) -> Any:
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
            "CopyActions": copies or None,
        }
    )


def _selection(it: _Resource) -> Made:
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
    conditions: dict[str, list[Any]] = {}
    operators = {
        "string_equals": "StringEquals",
        "string_not_equals": "StringNotEquals",
        "string_like": "StringLike",
        "string_not_like": "StringNotLike",
    }
    for block in it.blocks("condition"):
        for name, operator in operators.items():
            for each in it.blocks("condition", block, name):
                condition = {
                    "ConditionKey": it.get("condition", block, name, each, "key"),
                    "ConditionValue": it.get("condition", block, name, each, "value"),
                }
                conditions.setdefault(operator, []).append(it.object(condition))
    body = it.object(
        {
            "SelectionName": it.get("name"),
            "IamRoleArn": it.get("iam_role_arn"),
            "Resources": it.get("resources") or None,
            "NotResources": it.get("not_resources") or None,
            "ListOfTags": tags or None,
            "Conditions": conditions or None,
        }
    )
    yield SELECTION, it.object({"BackupPlanId": it.get("plan_id"), "BackupSelection": body})


def _vault(it: _Resource) -> Made:
    lock = next(iter(_of(it, "aws_backup_vault_lock_configuration", "backup_vault_name")), None)
    policy = next(iter(_of(it, "aws_backup_vault_policy", "backup_vault_name")), None)
    limits = (
        None
        if lock is None
        else it.object(
            {"MinRetentionDays": lock.get("min_retention_days"), "MaxRetentionDays": lock.get("max_retention_days")}
        )
    )
    text = None if policy is None else policy.get("policy")
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


def _air_gapped(it: _Resource) -> Made:
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


def _of(it: _Resource, kind: str, argument: str) -> Iterator[_Resource]:
    """The resources of a type that belong to this one."""
    properties = it.naming(_KINDS[str(it.known.resources[it.address]["type"])])
    name = identities.name_of(_KINDS[str(it.known.resources[it.address]["type"])], it.address, properties)
    for address, each in it.known.resources.items():
        if each.get("type") == kind:
            other = _Resource(it.known, address, each)
            if other.get(argument) == name:
                yield other


def _settings(it: _Resource) -> Made:
    yield (
        REGION_SETTINGS,
        it.object(
            {
                "ResourceTypeOptInPreference": it.get("resource_type_opt_in_preference"),
                "ResourceTypeManagementPreference": it.get("resource_type_management_preference") or None,
            }
        ),
    )


def _role(it: _Resource) -> Made:
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


def _managed_policy(it: _Resource) -> Made:
    yield (
        "AWS::IAM::ManagedPolicy",
        it.object(
            {"ManagedPolicyName": it.get("name"), "Path": it.get("path"), "PolicyDocument": _policy(it.get("policy"))}
        ),
    )


def _key(it: _Resource) -> Made:
    enabled = it.get("is_enabled")
    yield KEY, it.object({**it.naming(KEY), "Enabled": True if enabled is None else enabled})


def _organization_policy(it: _Resource) -> Made:
    if (it.get("type") or "SERVICE_CONTROL_POLICY") == "BACKUP_POLICY":
        yield BACKUP_POLICY, it.object({"Name": it.get("name"), "Type": "BACKUP_POLICY", "Content": it.get("content")})


def _resource(kind: str, **arguments: str) -> Callable[[_Resource], Made]:
    """A resource whose arguments have other names: CloudFormation's by Terraform's."""

    def make(it: _Resource) -> Made:
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


def _file_system(key: str, kind: str) -> Callable[[_Resource], Made]:
    """A file system of FSx: a resource type for each kind."""

    def make(it: _Resource) -> Made:
        tags = it.tags()
        settings = it.object(
            {
                "WeeklyMaintenanceStartTime": it.get("weekly_maintenance_start_time"),
                "DailyAutomaticBackupStartTime": it.get("daily_automatic_backup_start_time"),
                "AutomaticBackupRetentionDays": it.get("automatic_backup_retention_days"),
                "DeploymentType": it.get("deployment_type"),
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


def _bucket(it: _Resource) -> Made:
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


_WINDOWS = {
    "PreferredBackupWindow": "backup_window",
    "PreferredMaintenanceWindow": "maintenance_window",
    "BackupRetentionPeriod": "backup_retention_period",
    "Engine": "engine",
}
_CLUSTER_WINDOWS = {
    "PreferredBackupWindow": "preferred_backup_window",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "BackupRetentionPeriod": "backup_retention_period",
    "Engine": "engine",
}
_KINDS: Mapping[str, str] = {
    "aws_backup_plan": PLAN,
    "aws_backup_selection": SELECTION,
    "aws_backup_vault": VAULT,
    "aws_backup_logically_air_gapped_vault": identities.AIR_GAPPED,
    "aws_iam_role": ROLE,
    "aws_kms_key": KEY,
    "aws_dynamodb_table": "AWS::DynamoDB::Table",
    "aws_ebs_volume": "AWS::EC2::Volume",
    "aws_instance": "AWS::EC2::Instance",
    "aws_efs_file_system": "AWS::EFS::FileSystem",
    "aws_s3_bucket": "AWS::S3::Bucket",
    "aws_db_instance": "AWS::RDS::DBInstance",
    "aws_rds_cluster": "AWS::RDS::DBCluster",
    "aws_docdb_cluster": "AWS::DocDB::DBCluster",
    "aws_neptune_cluster": "AWS::Neptune::DBCluster",
    "aws_fsx_windows_file_system": "AWS::FSx::FileSystem",
    "aws_fsx_lustre_file_system": "AWS::FSx::FileSystem",
    "aws_fsx_ontap_file_system": "AWS::FSx::FileSystem",
    "aws_fsx_openzfs_file_system": "AWS::FSx::FileSystem",
    "aws_eks_cluster": "AWS::EKS::Cluster",
    "aws_redshift_cluster": "AWS::Redshift::Cluster",
    "aws_timestreamwrite_table": "AWS::Timestream::Table",
}
_MAKERS: Mapping[str, Callable[[_Resource], Made]] = {
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
        for name, kind in _KINDS.items()
        if kind.startswith(("AWS::DynamoDB", "AWS::EC2", "AWS::EFS", "AWS::EKS", "AWS::Redshift", "AWS::Timestream"))
    },
}

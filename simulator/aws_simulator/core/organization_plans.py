"""What AWS Backup makes of an effective backup policy in one account and Region: backup plans and their selections.

Pure: from the tree that `aws_simulator.core.policy_inheritance` computes to documents as `backup:CreateBackupPlan` and
`backup:CreateBackupSelection` take them. Sources:
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_backup_syntax.html and, for the look of
the plans in a member account, https://docs.aws.amazon.com/aws-backup/latest/devguide/logging-using-cloudtrail.html

A plan that AWS Backup cannot make (a value that can't be, selections of two kinds) is left out; it tells nobody but
CloudTrail (`InvalidOrganizationBackupPlan`). A policy that AWS Organizations finds invalid (`policy_validation`) does
not come here at all. Whether vault and role exist nobody checks: such plans appear, and their jobs fail or never start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MIN_START_WINDOW_MINUTES = 60

Document = dict[str, Any]

_CONDITIONS = {
    "string_equals": "StringEquals",
    "string_not_equals": "StringNotEquals",
    "string_like": "StringLike",
    "string_not_like": "StringNotLike",
}
_BACKUP_OPTIONS = {
    "windows_vss": "WindowsVSS",
    "backup_acls": "BackupACLs",
    "backup_object_tags": "BackupObjectTags",
}


@dataclass(frozen=True, slots=True)
class OrganizationPlan:
    """A plan of the policy as it appears in an account."""

    plan: Document
    selections: tuple[Document, ...]
    tags: Mapping[str, str]


def organization_plans(policy: Mapping[str, Any], account: str, region: str) -> list[OrganizationPlan]:
    """The valid plans of the effective policy that cover the Region, in the order of the policy."""
    plans = []
    for name, elements in (policy.get("plans") or {}).items():
        try:
            if region not in _texts(elements["regions"]):
                continue
            plans.append(_organization_plan(name, _replaced(elements, account, region)))
        except (KeyError, TypeError, ValueError, AttributeError):
            # A required element is missing, or an element is of another kind than it must be.
            continue
    return plans


def _replaced(value: Any, account: str, region: str) -> Any:
    if isinstance(value, Mapping):
        return {
            _replaced(name, account, region): _replaced(element, account, region) for name, element in value.items()
        }
    if isinstance(value, list):
        return [_replaced(element, account, region) for element in value]
    return value.replace("$account", account).replace("$region", region) if isinstance(value, str) else value


def _organization_plan(name: str, elements: Mapping[str, Any]) -> OrganizationPlan:
    rules = [_rule(rule_name, rule) for rule_name, rule in elements["rules"].items()]
    selections = _selections(elements["selections"])
    if not rules or not selections:
        raise ValueError("A plan needs a rule and a selection")
    plan: Document = {"BackupPlanName": name, "Rules": rules}
    if "advanced_backup_settings" in elements:
        plan["AdvancedBackupSettings"] = [
            {
                "ResourceType": resource_type.upper(),
                "BackupOptions": {_BACKUP_OPTIONS.get(option, option): value for option, value in options.items()},
            }
            for resource_type, options in elements["advanced_backup_settings"].items()
        ]
    return OrganizationPlan(plan, tuple(selections), _tags(elements.get("backup_plan_tags")))


def _rule(name: str, elements: Mapping[str, Any]) -> Document:
    rule: Document = {
        "RuleName": name,
        "TargetBackupVaultName": elements["target_backup_vault_name"],
        "ScheduleExpression": elements["schedule_expression"],
    }
    optional: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
        "ScheduleExpressionTimezone": ("schedule_expression_timezone", str),
        "TargetLogicallyAirGappedBackupVaultArn": ("target_logically_air_gapped_backup_vault_arn", str),
        "StartWindowMinutes": ("start_backup_window_minutes", int),
        "CompletionWindowMinutes": ("complete_backup_window_minutes", int),
        "EnableContinuousBackup": ("enable_continuous_backup", _boolean),
        "Lifecycle": ("lifecycle", _lifecycle),
        "CopyActions": ("copy_actions", _copy_actions),
        "RecoveryPointTags": ("recovery_point_tags", _tags),
        "IndexActions": ("index_actions", lambda actions: [{"ResourceTypes": _texts(actions["resource_types"])}]),
        "ScanActions": ("scan_actions", _scan_actions),
    }
    for field, (element, read) in optional.items():
        if element in elements:
            rule[field] = read(elements[element])
    if rule.get("StartWindowMinutes", MIN_START_WINDOW_MINUTES) < MIN_START_WINDOW_MINUTES:
        raise ValueError(f"A start window is at least {MIN_START_WINDOW_MINUTES} minutes")
    return rule


def _selections(elements: Mapping[str, Any]) -> list[Document]:
    """The selections by tags, or those by resource types: a plan has one kind only."""
    if len(elements) != 1:
        raise ValueError("A plan has selections by tags or by resources, not both")
    ((kind, selections),) = elements.items()
    read = {"tags": _by_tags, "resources": _by_resources}[kind]
    return [
        {
            "SelectionName": name,
            "IamRoleArn": selection["iam_role_arn"],
            **read(selection),
            **_conditions(selection.get("conditions")),
        }
        for name, selection in selections.items()
    ]


def _by_tags(selection: Mapping[str, Any]) -> Document:
    key = selection["tag_key"]
    return {
        "ListOfTags": [
            {"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value}
            for value in _texts(selection["tag_value"])
        ]
    }


def _by_resources(selection: Mapping[str, Any]) -> Document:
    left_out = selection.get("not_resource_types")
    return {"Resources": _texts(selection["resource_types"])} | ({"NotResources": _texts(left_out)} if left_out else {})


def _conditions(elements: Mapping[str, Any] | None) -> Document:
    if not elements:
        return {}
    return {
        "Conditions": {
            _CONDITIONS[kind]: [
                {"ConditionKey": condition["condition_key"], "ConditionValue": condition["condition_value"]}
                for condition in conditions.values()
            ]
            for kind, conditions in elements.items()
        }
    }


def _lifecycle(elements: Mapping[str, Any]) -> Document:
    fields: Mapping[str, tuple[str, Callable[[str], Any]]] = {
        "MoveToColdStorageAfterDays": ("move_to_cold_storage_after_days", int),
        "DeleteAfterDays": ("delete_after_days", int),
        "OptInToArchiveForSupportedResources": ("opt_in_to_archive_for_supported_resources", _boolean),
    }
    days = dict(elements)
    return {field: read(days[element]) for field, (element, read) in fields.items() if element in days}


def _copy_actions(elements: Mapping[str, Any]) -> list[Document]:
    """One for each destination; the ARN also stands as the entry's name, and counts when it stands nowhere else."""
    return [
        {"DestinationBackupVaultArn": copy.get("target_backup_vault_arn", name)}
        | ({"Lifecycle": _lifecycle(copy["lifecycle"])} if "lifecycle" in copy else {})
        for name, copy in elements.items()
    ]


def _scan_actions(elements: Mapping[str, Any]) -> list[Document]:
    return [{"MalwareScanner": scanner, "ScanMode": action["scan_mode"]} for scanner, action in elements.items()]


def _tags(elements: Mapping[str, Any] | None) -> dict[str, str]:
    return {tag["tag_key"]: tag["tag_value"] for tag in (elements or {}).values()}


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(each) for each in value]


def _boolean(value: str) -> bool:
    return {"true": True, "false": False}[value.lower()]

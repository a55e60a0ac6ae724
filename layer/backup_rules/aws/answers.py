"""AWS's answers, typed: from the dictionaries of boto3 to the dataclasses that rules judge.

Each function raises KeyError, TypeError or ValueError for an answer that lacks what AWS documents as required, or holds
another type; `Calls` makes a ReadError of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from backup_rules.plans import plans
from backup_rules.selections import picking as selections

T = TypeVar("T")
Answer = Mapping[str, Any]


def field(answer: Answer, key: str, kind: type[T]) -> T:
    """The value under `key`, which must be there and of the type `kind`."""
    value = answer[key]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{key} is {value!r}, not {kind.__name__}")
    return value


def optional(answer: Answer, key: str, kind: type[T]) -> T | None:
    """The value under `key` if there is one; it must then be of the type `kind`."""
    return None if answer.get(key) is None else field(answer, key, kind)


def moment(answer: Answer, key: str) -> datetime:
    """A time stamp, in UTC."""
    value = field(answer, key, datetime)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def optional_moment(answer: Answer, key: str) -> datetime | None:
    """A time stamp in UTC if there is one."""
    return None if answer.get(key) is None else moment(answer, key)


def texts(answer: Answer, key: str) -> tuple[str, ...]:
    """A list of strings; AWS leaves empty lists out."""
    found = optional(answer, key, list) or []
    if not all(isinstance(each, str) for each in found):
        raise TypeError(f"{key} is {found!r}, not a list of strings")
    return tuple(found)


def tags(listing: list[Answer]) -> dict[str, str]:
    """`[{"Key": …, "Value": …}]` as a dictionary."""
    return {field(tag, "Key", str): field(tag, "Value", str) for tag in listing}


def plan_summary(answer: Answer) -> plans.PlanSummary:
    """An item of `ListBackupPlans`."""
    return plans.PlanSummary(
        id=field(answer, "BackupPlanId", str),
        arn=field(answer, "BackupPlanArn", str),
        name=field(answer, "BackupPlanName", str),
        version_id=optional(answer, "VersionId", str) or "",
        creation_date=optional_moment(answer, "CreationDate"),
        last_execution_date=optional_moment(answer, "LastExecutionDate"),
    )


def plan(answer: Answer, summary: plans.PlanSummary) -> plans.Plan | None:
    """The answer of `GetBackupPlan`; None for a plan that has been deleted meanwhile."""
    if answer.get("DeletionDate") is not None:
        return None
    body = field(answer, "BackupPlan", dict)
    return plans.Plan(
        summary=summary,
        creation_date=moment(answer, "CreationDate"),
        rules=tuple(_backup_rule(rule) for rule in field(body, "Rules", list)),
    )


def _backup_rule(answer: Answer) -> plans.BackupRule:
    start = optional(answer, "StartWindowMinutes", int)
    completion = optional(answer, "CompletionWindowMinutes", int)
    schedule = optional(answer, "ScheduleExpression", str)
    return plans.BackupRule(
        id=optional(answer, "RuleId", str) or "",
        name=field(answer, "RuleName", str),
        vault_name=field(answer, "TargetBackupVaultName", str),
        schedule_expression=plans.DEFAULT_SCHEDULE if schedule is None else schedule,
        schedule_timezone=optional(answer, "ScheduleExpressionTimezone", str) or plans.DEFAULT_TIMEZONE,
        start_window_minutes=plans.DEFAULT_START_WINDOW_MINUTES if start is None else start,
        completion_window_minutes=plans.DEFAULT_COMPLETION_WINDOW_MINUTES if completion is None else completion,
        lifecycle=_lifecycle(answer),
        continuous=optional(answer, "EnableContinuousBackup", bool) or False,
        copy_actions=tuple(
            plans.CopyAction(field(copy, "DestinationBackupVaultArn", str), _lifecycle(copy))
            for copy in optional(answer, "CopyActions", list) or []
        ),
        air_gapped_vault_arn=optional(answer, "TargetLogicallyAirGappedBackupVaultArn", str),
    )


def _lifecycle(answer: Answer) -> plans.Lifecycle:
    lifecycle = optional(answer, "Lifecycle", dict) or {}
    return plans.Lifecycle(
        delete_after_days=_days(lifecycle, "DeleteAfterDays"),
        move_to_cold_storage_after_days=_days(lifecycle, "MoveToColdStorageAfterDays"),
    )


def _days(lifecycle: Answer, key: str) -> int | None:
    days = optional(lifecycle, key, int)
    return None if days is None or days < 0 else days  # -1 is AWS Backup's other word for "never"


def selection_summary(answer: Answer, plan: plans.PlanSummary) -> selections.SelectionSummary:
    """An item of `ListBackupSelections`."""
    return selections.SelectionSummary(
        id=field(answer, "SelectionId", str),
        name=field(answer, "SelectionName", str),
        plan_id=plan.id,
        plan_name=plan.name,
        role_arn=optional(answer, "IamRoleArn", str) or "",
        creation_date=optional_moment(answer, "CreationDate"),
    )


def selection(answer: Answer, summary: selections.SelectionSummary) -> selections.Selection:
    """The answer of `GetBackupSelection`."""
    body = field(answer, "BackupSelection", dict)
    conditions = optional(body, "Conditions", dict) or {}
    return selections.Selection(
        summary=summary,
        resources=texts(body, "Resources"),
        not_resources=texts(body, "NotResources"),
        list_of_tags=_conditions(body, "ListOfTags"),
        string_equals=_conditions(conditions, "StringEquals"),
        string_not_equals=_conditions(conditions, "StringNotEquals"),
        string_like=_conditions(conditions, "StringLike"),
        string_not_like=_conditions(conditions, "StringNotLike"),
    )


def _conditions(answer: Answer, key: str) -> tuple[selections.TagCondition, ...]:
    return tuple(
        selections.TagCondition(field(each, "ConditionKey", str), field(each, "ConditionValue", str))
        for each in optional(answer, key, list) or []
    )

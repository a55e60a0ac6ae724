"""What AWS Backup answers about plans and selections, typed: now, or when it was kept.

Each function raises KeyError, TypeError or ValueError for an answer that cannot be read.
"""

from __future__ import annotations

from backup_rules.aws.answers import Answer, field, moment, optional, optional_moment, texts
from backup_rules.plans.plans import (
    DEFAULT_COMPLETION_WINDOW_MINUTES,
    DEFAULT_SCHEDULE,
    DEFAULT_START_WINDOW_MINUTES,
    DEFAULT_TIMEZONE,
    MOST_WINDOW_MINUTES,
    BackupRule,
    CopyAction,
    Lifecycle,
    Plan,
    PlanSummary,
)
from backup_rules.selections.picking import Selection, SelectionSummary, TagCondition


def plan_summary(answer: Answer) -> PlanSummary:
    """An item of `ListBackupPlans`."""
    return PlanSummary(
        id=field(answer, "BackupPlanId", str),
        arn=field(answer, "BackupPlanArn", str),
        name=field(answer, "BackupPlanName", str),
        version_id=optional(answer, "VersionId", str) or "",
        creation_date=optional_moment(answer, "CreationDate"),
        last_execution_date=optional_moment(answer, "LastExecutionDate"),
    )


def plan(answer: Answer, summary: PlanSummary) -> Plan | None:
    """The answer of `GetBackupPlan`; None for a plan that has been deleted meanwhile."""
    if answer.get("DeletionDate") is not None:
        return None
    rules = field(field(answer, "BackupPlan", dict), "Rules", list)
    if not rules:  # AWS Backup takes no plan without one
        raise ValueError("Rules is empty")
    return Plan(
        summary=summary,
        creation_date=moment(answer, "CreationDate"),
        rules=tuple(_backup_rule(rule) for rule in rules),
    )


def kept_plan(answer: Answer, summary: PlanSummary) -> Plan | None:
    """A kept answer of `GetBackupPlan`; None for one that is not of this version of the plan as it is listed."""
    named = field(field(answer, "BackupPlan", dict), "BackupPlanName", str)
    return plan(answer, summary) if named == summary.name else None


def _backup_rule(answer: Answer) -> BackupRule:
    start, completion = _minutes(answer, "StartWindowMinutes"), _minutes(answer, "CompletionWindowMinutes")
    schedule = optional(answer, "ScheduleExpression", str)
    return BackupRule(
        id=optional(answer, "RuleId", str) or "",
        name=field(answer, "RuleName", str),
        vault_name=field(answer, "TargetBackupVaultName", str),
        schedule_expression=DEFAULT_SCHEDULE if schedule is None else schedule,
        schedule_timezone=optional(answer, "ScheduleExpressionTimezone", str) or DEFAULT_TIMEZONE,
        start_window_minutes=DEFAULT_START_WINDOW_MINUTES if start is None else start,
        completion_window_minutes=DEFAULT_COMPLETION_WINDOW_MINUTES if completion is None else completion,
        lifecycle=_lifecycle(answer),
        continuous=optional(answer, "EnableContinuousBackup", bool) or False,
        copy_actions=tuple(
            CopyAction(field(copy, "DestinationBackupVaultArn", str), _lifecycle(copy))
            for copy in optional(answer, "CopyActions", list) or []
        ),
        air_gapped_vault_arn=optional(answer, "TargetLogicallyAirGappedBackupVaultArn", str),
        recovery_point_tags=bool(optional(answer, "RecoveryPointTags", dict)),
    )


def _minutes(answer: Answer, key: str) -> int | None:
    """A window; AWS Backup takes up to 100 years."""
    minutes = optional(answer, key, int)
    if minutes is not None and abs(minutes) > MOST_WINDOW_MINUTES:
        raise ValueError(f"{key} is {minutes}; AWS Backup takes at most {MOST_WINDOW_MINUTES}")
    return minutes


def _lifecycle(answer: Answer) -> Lifecycle:
    lifecycle = optional(answer, "Lifecycle", dict) or {}
    return Lifecycle(
        delete_after_days=_days(lifecycle, "DeleteAfterDays"),
        move_to_cold_storage_after_days=_days(lifecycle, "MoveToColdStorageAfterDays"),
    )


def _days(lifecycle: Answer, key: str) -> int | None:
    days = optional(lifecycle, key, int)
    return None if days is None or days < 0 else days  # -1 is AWS Backup's other word for "never"


def selection_summary(answer: Answer, of_plan: PlanSummary) -> SelectionSummary:
    """An item of `ListBackupSelections`."""
    return SelectionSummary(
        id=field(answer, "SelectionId", str),
        name=field(answer, "SelectionName", str),
        plan_id=of_plan.id,
        plan_name=of_plan.name,
        role_arn=optional(answer, "IamRoleArn", str),
        creation_date=optional_moment(answer, "CreationDate"),
    )


def selection(answer: Answer, summary: SelectionSummary) -> Selection:
    """The answer of `GetBackupSelection`."""
    body = field(answer, "BackupSelection", dict)
    conditions = optional(body, "Conditions", dict) or {}
    return Selection(
        summary=summary,
        resources=texts(body, "Resources"),
        not_resources=texts(body, "NotResources"),
        list_of_tags=_conditions(body, "ListOfTags"),
        string_equals=_conditions(conditions, "StringEquals"),
        string_not_equals=_conditions(conditions, "StringNotEquals"),
        string_like=_conditions(conditions, "StringLike"),
        string_not_like=_conditions(conditions, "StringNotLike"),
    )


def kept_selection(answer: Answer, summary: SelectionSummary) -> Selection | None:
    """A kept answer of `GetBackupSelection`; None for one that is not of the selection as it is listed."""
    body = field(answer, "BackupSelection", dict)
    told = field(body, "SelectionName", str), optional(body, "IamRoleArn", str)
    return selection(answer, summary) if told == (summary.name, summary.role_arn) else None


def _conditions(answer: Answer, key: str) -> tuple[TagCondition, ...]:
    return tuple(
        TagCondition(field(each, "ConditionKey", str), field(each, "ConditionValue", str))
        for each in optional(answer, key, list) or []
    )

"""AWS Backup: plans, selections, opt-in, vaults and jobs.

Every function raises ReadError when AWS cannot be asked or its answer cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from sys import intern
from typing import Any, TypeVar

from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, field, moment, once, optional, optional_moment, texts
from backup_rules.aws.memory import gaps_noticed, remembered
from backup_rules.errors import ReadError, VanishedError
from backup_rules.plans.jobs import BackupJob, JobState
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
from backup_rules.vaults.vaults import VAULT_STATES, VAULT_TYPES, Vault

T = TypeVar("T")

_PAGE = {"PaginationConfig": {"PageSize": 1000}}

# Plans and selections


@remembered
def plan_summaries(account: Account) -> tuple[PlanSummary, ...]:
    """All plans of the Region, each once, those of organization policies and of EFS among them."""
    listed = account.calls.items("backup", "ListBackupPlans", "BackupPlansList", _read_plan_summary, **_PAGE)
    return tuple({each.id: each for each in reversed(listed)}.values())[::-1]


@remembered
def plan(account: Account, summary: PlanSummary) -> Plan:
    """The plan whole.

    Raises:
        VanishedError: when the plan was deleted after it had been listed.
    """
    found = _unless_gone(account, "GetBackupPlan", lambda it: _read_plan(it, summary), BackupPlanId=summary.id)
    if found is None:
        raise VanishedError(f"Plan {summary.id} has been deleted.")
    return found


def plan_of(account: Account, selection: SelectionSummary) -> Plan:
    """The plan of a selection, whole. Which other plans could be listed does not matter.

    Raises:
        VanishedError: when it was deleted after it had been listed.
    """
    with gaps_noticed():
        its_own = next((each for each in plan_summaries(account) if each.id == selection.plan_id), None)
    if its_own is None:
        raise VanishedError(f"Plan {selection.plan_id} has been deleted.")
    return plan(account, its_own)


@remembered
def selection_summaries(account: Account, plan: PlanSummary) -> tuple[SelectionSummary, ...]:
    """The selections of a plan, each once; none when it was deleted after it had been listed."""
    try:
        listed = account.calls.items(
            "backup",
            "ListBackupSelections",
            "BackupSelectionsList",
            lambda item: _read_selection_summary(item, plan),
            BackupPlanId=plan.id,
            **_PAGE,
        )
    except ReadError as error:
        if _gone(error):
            return ()
        raise
    return tuple({each.id: each for each in reversed(listed)}.values())[::-1]


@remembered
def selection(account: Account, summary: SelectionSummary) -> Selection:
    """The selection whole.

    Raises:
        VanishedError: when it was deleted after it had been listed.
    """
    found = _unless_gone(
        account,
        "GetBackupSelection",
        lambda it: _read_selection(it, summary),
        BackupPlanId=summary.plan_id,
        SelectionId=summary.id,
    )
    if found is None:
        raise VanishedError(f"Selection {summary.id} of plan {summary.plan_id} has been deleted.")
    return found


def plans(account: Account, summaries: Iterable[PlanSummary]) -> tuple[Plan, ...]:
    """Several plans, read side by side; those that vanished are left out, and those that cannot be read are a gap."""
    return account.each(plan, summaries)


def selections(account: Account, summaries: Iterable[SelectionSummary]) -> tuple[Selection, ...]:
    """Several selections, in the same way."""
    return account.each(selection, summaries)


def readable_selections(account: Account, summaries: Iterable[SelectionSummary]) -> tuple[Selection, ...]:
    """Those that can be read: for what is worked out for many at once, while each failure stays its own."""
    with gaps_noticed():
        return selections(account, summaries)


def selections_of(account: Account, plans: Iterable[PlanSummary]) -> tuple[SelectionSummary, ...]:
    """The selections of these plans. A plan whose selections cannot be listed is a gap."""
    return tuple(each for listed in account.each(selection_summaries, plans) for each in listed)


@remembered
def all_selections(account: Account) -> tuple[Selection, ...]:
    """All selections of all plans of the Region. What cannot be read of them is a gap."""
    return selections(account, selections_of(account, plan_summaries(account)))


def _unless_gone(account: Account, operation: str, parse: Callable[[Answer], T | None], **parameters: Any) -> T | None:
    try:
        return account.calls.one("backup", operation, parse, **parameters)
    except ReadError as error:
        if _gone(error):
            return None
        raise


def _gone(error: ReadError) -> bool:
    # The operations on selections have another word for a plan that is not there.
    missing_plan = error.code == "InvalidParameterValueException" and "cannot find" in str(error).lower()
    return missing_plan or error.code == "ResourceNotFoundException"


def _read_plan_summary(answer: Answer) -> PlanSummary:
    """An item of `ListBackupPlans`."""
    return PlanSummary(
        id=field(answer, "BackupPlanId", str),
        arn=field(answer, "BackupPlanArn", str),
        name=field(answer, "BackupPlanName", str),
        version_id=optional(answer, "VersionId", str) or "",
        creation_date=optional_moment(answer, "CreationDate"),
        last_execution_date=optional_moment(answer, "LastExecutionDate"),
    )


def _read_plan(answer: Answer, summary: PlanSummary) -> Plan | None:
    """The answer of `GetBackupPlan`; None for a plan that has been deleted meanwhile."""
    if answer.get("DeletionDate") is not None:
        return None
    body = field(answer, "BackupPlan", dict)
    return Plan(
        summary=summary,
        creation_date=moment(answer, "CreationDate"),
        rules=tuple(_backup_rule(rule) for rule in field(body, "Rules", list)),
    )


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


def _read_selection_summary(answer: Answer, plan: PlanSummary) -> SelectionSummary:
    """An item of `ListBackupSelections`."""
    return SelectionSummary(
        id=field(answer, "SelectionId", str),
        name=field(answer, "SelectionName", str),
        plan_id=plan.id,
        plan_name=plan.name,
        role_arn=optional(answer, "IamRoleArn", str) or "",
        creation_date=optional_moment(answer, "CreationDate"),
    )


def _read_selection(answer: Answer, summary: SelectionSummary) -> Selection:
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


def _conditions(answer: Answer, key: str) -> tuple[TagCondition, ...]:
    return tuple(
        TagCondition(field(each, "ConditionKey", str), field(each, "ConditionValue", str))
        for each in optional(answer, key, list) or []
    )


# Service opt-in


@remembered
def opt_in(account: Account) -> dict[str, bool]:
    """Service opt-in of the Region by opt-in key. A key that is missing: AWS Backup has no such type here."""
    return _region_settings(account)[0]


@remembered
def advanced_features(account: Account) -> dict[str, bool]:
    """Whether AWS Backup manages the backups of a type fully, by opt-in key. A key that is missing: not told.

    `ResourceTypeManagementPreference` of
    https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeRegionSettings.html
    """
    return _region_settings(account)[1]


@remembered
def _region_settings(account: Account) -> tuple[dict[str, bool], dict[str, bool]]:
    def parse(answer: Answer) -> tuple[dict[str, bool], dict[str, bool]]:
        opted_in = field(answer, "ResourceTypeOptInPreference", dict)
        managed = optional(answer, "ResourceTypeManagementPreference", dict) or {}
        return _flags(opted_in), _flags(managed)

    return account.calls.one("backup", "DescribeRegionSettings", parse)


def _flags(preferences: Answer) -> dict[str, bool]:
    return {str(key): field(preferences, key, bool) for key in preferences}


# Vaults


@remembered
def vaults(account: Account) -> Mapping[str, Vault]:
    """All vaults of the Region by their exact name."""
    listed = account.calls.items("backup", "ListBackupVaults", "BackupVaultList", _read_vault, **_PAGE)
    return {vault.name: vault for vault in listed}


@remembered
def described_vault(account: Account, name: str) -> Vault:
    """The vault with its state and its lock."""
    return account.calls.one("backup", "DescribeBackupVault", _read_described_vault, BackupVaultName=name)


@remembered
def vault_access_policy(account: Account, name: str) -> str | None:
    """The vault's access policy as AWS has it, a JSON text; None where it has none."""
    try:
        return account.calls.one(
            "backup", "GetBackupVaultAccessPolicy", lambda it: field(it, "Policy", str), BackupVaultName=name
        )
    except ReadError as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise


def _read_described_vault(answer: Answer) -> Vault:
    vault = _read_vault(answer)
    if vault.state not in {None, *VAULT_STATES}:
        raise ValueError(f"VaultState is {vault.state!r}; the rules know {', '.join(VAULT_STATES)}")
    if vault.type not in VAULT_TYPES:
        raise ValueError(f"VaultType is {vault.type!r}; the rules know {', '.join(VAULT_TYPES)}")
    return vault


def _read_vault(answer: Answer) -> Vault:
    # A key that AWS owns can neither be read nor be disabled.
    owned_by_aws = optional(answer, "EncryptionKeyType", str) == "AWS_OWNED_KMS_KEY"
    return Vault(
        name=field(answer, "BackupVaultName", str),
        arn=field(answer, "BackupVaultArn", str),
        state=optional(answer, "VaultState", str),
        type=optional(answer, "VaultType", str) or "BACKUP_VAULT",
        encryption_key_arn=None if owned_by_aws else optional(answer, "EncryptionKeyArn", str),
        locked=optional(answer, "Locked", bool) or False,
        min_retention_days=optional(answer, "MinRetentionDays", int),
        max_retention_days=optional(answer, "MaxRetentionDays", int),
    )


# Jobs


@remembered
def backup_jobs(account: Account, since: datetime) -> tuple[BackupJob, ...]:
    """All jobs of the Region created at `since` or later, each once; AWS keeps those of the last 30 days."""
    listed = account.calls.items(
        "backup",
        "ListBackupJobs",
        "BackupJobs",
        _read_job,
        ByCreatedAfter=since - timedelta(seconds=1),  # AWS lists what was created later than that
        **_PAGE,
    )
    return once(listed, lambda each: each.id)


def _read_job(answer: Answer) -> BackupJob:
    creator = optional(answer, "CreatedBy", dict) or {}
    return BackupJob(
        id=field(answer, "BackupJobId", str),
        state=_state(field(answer, "State", str)),
        created=moment(answer, "CreationDate"),
        plan_id=_shared(creator, "BackupPlanId"),
        rule_id=_shared(creator, "BackupRuleId"),
        plan_version=_shared(creator, "BackupPlanVersion"),
        start_by=optional_moment(answer, "StartBy"),
        status_message=optional(answer, "StatusMessage", str),
        message_category=_shared(answer, "MessageCategory"),
        resource_arn=optional(answer, "ResourceArn", str),
        resource_type=_shared(answer, "ResourceType"),
        backup_type=_shared(answer, "BackupType"),
        is_parent=optional(answer, "IsParent", bool) or False,
        parent_job_id=optional(answer, "ParentJobId", str),
    )


def _state(word: str) -> JobState:
    return JobState(word) if word in list(JobState) else JobState.UNKNOWN


def _shared(answer: Answer, key: str) -> str | None:
    """A text that thousands of jobs have in common, kept in memory once."""
    text = optional(answer, key, str)
    return None if text is None else intern(text)

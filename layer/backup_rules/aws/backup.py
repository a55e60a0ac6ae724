"""AWS Backup: plans, selections, opt-in, vaults and jobs.

Every function raises ReadError when AWS cannot be asked or its answer cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from sys import intern
from typing import TYPE_CHECKING, Any, TypeVar

from backup_rules.aws import backup_answers
from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, field, moment, once, optional, optional_moment
from backup_rules.aws.kept import PLANS, SELECTIONS
from backup_rules.aws.memory import gaps_noticed, remembered
from backup_rules.errors import ReadError, VanishedError
from backup_rules.plans.plans import (
    Plan,
    PlanSummary,
)
from backup_rules.selections.picking import Selection, SelectionSummary

if TYPE_CHECKING:
    from backup_rules.plans.jobs import BackupJob, JobState
    from backup_rules.vaults.vaults import Vault

# What only some rules ask for is imported by those who read it: a cold start pays for every class.

T = TypeVar("T")

_PAGE = {"PaginationConfig": {"PageSize": 1000}}

# Plans and selections


@remembered
def plan_summaries(account: Account) -> tuple[PlanSummary, ...]:
    """All plans of the Region, each once, those of organization policies and of EFS among them."""
    listed = account.calls.items("backup", "ListBackupPlans", "BackupPlansList", backup_answers.plan_summary, **_PAGE)
    found = tuple({each.id: each for each in reversed(listed)}.values())[::-1]
    account.kept.plans_listed(found)
    return found


@remembered
def plan(account: Account, summary: PlanSummary) -> Plan:
    """The plan whole.

    Raises:
        VanishedError: when the plan was deleted after it had been listed.
    """

    def parse(answer: Answer) -> Plan | None:
        read = backup_answers.plan(answer, summary)
        version = optional(answer, "VersionId", str)
        if read is not None and version:
            account.kept.note(PLANS, summary.id, version, answer)
        return read

    found = account.kept.read(PLANS, summary.id, summary.version_id, lambda it: backup_answers.kept_plan(it, summary))
    if found is None:
        found = _unless_gone(account, "GetBackupPlan", parse, BackupPlanId=summary.id)
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
            lambda item: backup_answers.selection_summary(item, plan),
            BackupPlanId=plan.id,
            **_PAGE,
        )
    except ReadError as error:
        if _gone(error):
            return ()
        raise
    found = tuple({each.id: each for each in reversed(listed)}.values())[::-1]
    account.kept.selections_listed(plan.id, found)
    return found


@remembered
def selection(account: Account, summary: SelectionSummary) -> Selection:
    """The selection whole.

    Raises:
        VanishedError: when it was deleted after it had been listed.
    """

    def parse(answer: Answer) -> Selection:
        read = backup_answers.selection(answer, summary)
        account.kept.note(
            SELECTIONS,
            summary.plan_id,
            summary.id,
            {"SelectionId": summary.id, "BackupPlanId": summary.plan_id, **answer},
        )
        return read

    found = account.kept.read(
        SELECTIONS, summary.plan_id, summary.id, lambda it: backup_answers.kept_selection(it, summary)
    )
    if found is None:
        found = _unless_gone(account, "GetBackupSelection", parse, BackupPlanId=summary.plan_id, SelectionId=summary.id)
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
    from backup_rules.vaults.vaults import VAULT_STATES, VAULT_TYPES  # noqa: PLC0415 - see above

    vault = _read_vault(answer)
    if vault.state not in {None, *VAULT_STATES}:
        raise ValueError(f"VaultState is {vault.state!r}; the rules know {', '.join(VAULT_STATES)}")
    if vault.type not in VAULT_TYPES:
        raise ValueError(f"VaultType is {vault.type!r}; the rules know {', '.join(VAULT_TYPES)}")
    return vault


def _read_vault(answer: Answer) -> Vault:
    from backup_rules.vaults.vaults import Vault  # noqa: PLC0415 - see above

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
    from backup_rules.plans.jobs import BackupJob  # noqa: PLC0415 - see above

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
    from backup_rules.plans.jobs import JobState  # noqa: PLC0415 - see above

    return JobState(word) if word in list(JobState) else JobState.UNKNOWN


def _shared(answer: Answer, key: str) -> str | None:
    """A text that thousands of jobs have in common, kept in memory once."""
    text = optional(answer, key, str)
    return None if text is None else intern(text)

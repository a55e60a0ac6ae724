"""The backup jobs of the Region: one listing, for all plans."""

from __future__ import annotations

from datetime import datetime, timedelta
from sys import intern

from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, field, moment, optional, optional_moment
from backup_rules.plans.jobs import BackupJob, JobState


def backup_jobs(account: Account, since: datetime) -> tuple[BackupJob, ...]:
    """All jobs created at `since` or later; AWS keeps those of the last 30 days."""
    return account.calls.items(
        "backup",
        "ListBackupJobs",
        "BackupJobs",
        _job,
        ByCreatedAfter=since - timedelta(seconds=1),  # AWS lists what was created later than that
        PaginationConfig={"PageSize": 1000},
    )


def _job(answer: Answer) -> BackupJob:
    creator = optional(answer, "CreatedBy", dict) or {}
    return BackupJob(
        id=field(answer, "BackupJobId", str),
        state=JobState(field(answer, "State", str)),
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


def _shared(answer: Answer, key: str) -> str | None:
    """A text that thousands of jobs have in common, kept in memory once."""
    text = optional(answer, key, str)
    return None if text is None else intern(text)

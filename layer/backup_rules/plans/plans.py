"""Backup plans and their backup rules, with the defaults that AWS Backup applies.

Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRule.html and
https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html
"""

from __future__ import annotations

from datetime import datetime

from backup_rules.values import dataclass

DEFAULT_SCHEDULE = "cron(0 5 ? * * *)"
DEFAULT_TIMEZONE = "Etc/UTC"
DEFAULT_START_WINDOW_MINUTES = 480
DEFAULT_COMPLETION_WINDOW_MINUTES = 10_080

# 100 years: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRuleInput.html
MOST_WINDOW_MINUTES = 52_560_000

ORGANIZATION_PLAN_PREFIX = "orgs/"
AUTOMATIC_EFS_PLAN_PREFIX = "aws/efs/"


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """How long a recovery point is kept, in days from its creation. None: never (kept for ever, never moved)."""

    delete_after_days: int | None = None
    move_to_cold_storage_after_days: int | None = None


@dataclass(frozen=True, slots=True)
class CopyAction:
    """A copy of each recovery point to another vault, which may be in another Region or account."""

    destination_vault_arn: str
    lifecycle: Lifecycle = Lifecycle()


@dataclass(frozen=True, slots=True)
class BackupRule:
    """A backup rule of a plan (never just "rule", which is AWS Config's). Windows are in minutes.

    `recovery_point_tags`: whether it adds tags of its own (`RecoveryPointTags`) to what it backs up.
    """

    id: str
    name: str
    vault_name: str
    schedule_expression: str = DEFAULT_SCHEDULE
    schedule_timezone: str = DEFAULT_TIMEZONE
    start_window_minutes: int = DEFAULT_START_WINDOW_MINUTES
    completion_window_minutes: int = DEFAULT_COMPLETION_WINDOW_MINUTES
    lifecycle: Lifecycle = Lifecycle()
    continuous: bool = False
    copy_actions: tuple[CopyAction, ...] = ()
    air_gapped_vault_arn: str | None = None
    recovery_point_tags: bool = False


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """A plan as `ListBackupPlans` tells of it."""

    id: str
    arn: str
    name: str
    version_id: str
    creation_date: datetime | None = None
    last_execution_date: datetime | None = None

    @property
    def from_organization(self) -> bool:
        """Whether an Organizations backup policy made the plan."""
        return self.id.startswith(ORGANIZATION_PLAN_PREFIX)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan whole. `creation_date` is that of this version: the plan's last update (UTC)."""

    summary: PlanSummary
    creation_date: datetime
    rules: tuple[BackupRule, ...]

    @property
    def id(self) -> str:
        return self.summary.id

    @property
    def name(self) -> str:
        return self.summary.name

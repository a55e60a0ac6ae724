"""Rule BACKUP_WINDOW_CONFIGURED: schedules and start windows of plans, in payments-production, eu-west-1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demo_organization.site import RAN, SILENT, History, Site, nightly


def schedules(site: Site) -> None:
    """Plans that never run, run less often than they read, or not at the times meant.

    Healthy: `thin-backups` (a run swallowed now and then), `dublin-nightly` (a time zone), `all-defaults` (nothing but
    what AWS requires) and `noon-and-midnight` (a schedule without `cron( )`). Broken: the others, as they are called.
    """
    tables = [site.table("catalog"), site.table("prices")]
    for number, (name, (rules, history)) in enumerate(_PLANS.items()):
        plan = site.plan(name, *rules, history=history)
        site.selection(plan, f"{name}-tables", Resources=[tables[number % 2]])


def _rule(name: str, expression: str, **changes: Any) -> dict[str, Any]:
    return nightly(name, ScheduleExpression=expression, **changes)


# AWS's CloudFormation sample keeps daily, weekly and monthly backups ever longer:
# https://docs.aws.amazon.com/aws-backup/latest/devguide/integrate-cloudformation-with-aws-backup.html
_THIN_BACKUPS = [
    {
        "RuleName": "RuleForDailyBackups",
        "TargetBackupVaultName": "Default",
        "ScheduleExpression": "cron(0 5 ? * * *)",
        "Lifecycle": {"DeleteAfterDays": 7},
    },
    {
        "RuleName": "RuleForWeeklyBackups",
        "TargetBackupVaultName": "Default",
        "ScheduleExpression": "cron(0 5 ? * 1 *)",
        "Lifecycle": {"DeleteAfterDays": 35},
    },
    {
        "RuleName": "RuleForMonthlyBackups",
        "TargetBackupVaultName": "Default",
        "ScheduleExpression": "cron(0 5 1 * ? *)",
        "Lifecycle": {"DeleteAfterDays": 90},
    },
]

_PLANS: Mapping[str, tuple[list[dict[str, Any]], History]] = {
    "thin-backups": (_THIN_BACKUPS, RAN),
    "dublin-nightly": ([_rule("nightly", "cron(30 1 ? * * *)", ScheduleExpressionTimezone="Europe/Dublin")], RAN),
    "all-defaults": ([{"RuleName": "defaults", "TargetBackupVaultName": "Default"}], RAN),
    "noon-and-midnight": ([_rule("twice-a-day", "0 0/12 * * ? *")], RAN),
    "invoices-every-day": ([_rule("every-day", "rate(1 day)")], SILENT),
    "year-end-2024": ([_rule("year-end", "cron(0 3 31 12 ? 2024)")], SILENT),
    "february-30": ([_rule("end-of-february", "cron(0 3 30 2 ? *)")], SILENT),
    "half-hour-window": ([_rule("nightly", "cron(0 4 ? * * *)", StartWindowMinutes=30)], RAN),
    "daily-never-runs": (
        [
            _rule("daily", "cron(0 5 ? * * *)", Lifecycle={"DeleteAfterDays": 7}),
            _rule("daily-for-audit", "cron(30 5 ? * * *)", Lifecycle={"DeleteAfterDays": 365}),
        ],
        RAN,
    ),
    "only-once-a-day": ([_rule("twice-a-day", "cron(0 12/12 * * ? *)")], RAN),
    "atlantis-nightly": (
        [_rule("nightly", "cron(0 5 ? * * *)", ScheduleExpressionTimezone="Europe/Atlantis")],
        SILENT,
    ),
}

"""How long a year of 300 plans with 10 backup rules each takes to judge: `python tests/bench/bench_schedules.py`.

Ends with 1 when that takes the 10 seconds that the project holds itself to, or longer.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from backup_rules.plans.plans import BackupRule, Lifecycle
from backup_rules.schedules.schedules import Schedule
from backup_rules.schedules.swallowed_runs import swallowed_by
from backup_rules.schedules.windows import BlockedWeek, ClockWindow, WeekOfRuns, backup_window, maintenance_window

PLANS = 300
DATABASES_OF_A_PLAN = 20
LIMIT_SECONDS = 10
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ZONES = ("Etc/UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# Ten backup rules of a plan: schedule ({m} is the minute and {h} the hour, of the plan), start window, retention.
RULES = (
    ("cron({m} * * * ? *)", 60, 2),
    ("cron({m} 0/4 * * ? *)", 60, 3),
    ("cron({m} 0/12 * * ? *)", 120, 7),
    ("cron({m} {h} ? * * *)", 480, 14),
    ("cron({m} {h} ? * MON-FRI *)", 60, 21),
    ("cron({m} {h} ? * SUN *)", 480, 35),
    ("cron({m} {h} ? * 7L *)", 480, 180),
    ("cron({m} {h} 1 * ? *)", 480, 365),
    ("cron({m} {h} LW 3/3 ? *)", 480, 1095),
    ("cron({m} {h} 31 12 ? *)", 1440, None),
)


def plans() -> list[list[BackupRule]]:
    return [
        [
            BackupRule(
                id=f"{plan}-{number}",
                name=f"rule-{number}",
                vault_name="vault",
                schedule_expression=expression.format(m=plan % 60, h=plan % 24),
                schedule_timezone=ZONES[plan // 60 % len(ZONES)],  # no two plans share a schedule
                start_window_minutes=start_window,
                lifecycle=Lifecycle(days),
            )
            for number, (expression, start_window, days) in enumerate(RULES)
        ]
        for plan in range(PLANS)
    ]


def databases(plan: int) -> list[BlockedWeek]:
    weeks = []
    for number in range(DATABASES_OF_A_PLAN):
        hour, day = (plan + number) % 24, DAYS[(plan + number) % 7]
        windows = [
            backup_window(f"{hour:02}:{number:02}-{hour:02}:{number + 30:02}"),
            maintenance_window(f"{day}:{hour:02}:30-{day}:{hour:02}:59"),
        ]
        weeks.append(BlockedWeek.of(windows, 60))
    return weeks


@contextmanager
def timed(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"  {what:<60} {time.perf_counter() - start:6.2f} s")  # noqa: T201 - the figures are what this is for


def judge_schedules(rules: list[BackupRule]) -> int:
    findings = 0
    for rule in rules:
        schedule = Schedule.parse(rule.schedule_expression, rule.schedule_timezone)
        findings += schedule.never_again(NOW) or schedule.hour_step_pitfall() is not None
    return findings


def judge_databases(rules: list[BackupRule], weeks: list[BlockedWeek]) -> int:
    conflicts = 0
    for rule in rules:
        runs = WeekOfRuns.ahead(Schedule.parse(rule.schedule_expression, rule.schedule_timezone), NOW)
        conflicts += sum(week.first_conflict(runs) is not None for week in weeks)
    return conflicts


def judge_allowed_window(rules: list[BackupRule], allowed: ClockWindow) -> int:
    return sum(
        allowed.first_refused(
            Schedule.parse(rule.schedule_expression, rule.schedule_timezone), NOW, rule.start_window_minutes
        )
        is not None
        for rule in rules
    )


def main() -> int:
    """Prints the figures; 1 when the limit is missed."""
    all_plans = plans()
    allowed = ClockWindow.parse("00:00-23:59", "Europe/Berlin")
    begin = time.perf_counter()
    print(f"{PLANS} plans x {len(RULES)} backup rules, a year ahead:")  # noqa: T201
    with timed("schedules: parsed, never again, hour step"):
        sum(judge_schedules(rules) for rules in all_plans)
    with timed("overlapping start windows: rules that never run"):
        sum(swallowed_by(rule, rules, NOW) is not None for rules in all_plans for rule in rules)
    with timed(f"windows of {PLANS * DATABASES_OF_A_PLAN} databases against each run"):
        sum(judge_databases(rules, databases(plan)) for plan, rules in enumerate(all_plans))
    with timed("allowed window, each run and its start window"):
        sum(judge_allowed_window(rules, allowed) for rules in all_plans)
    seconds = time.perf_counter() - begin
    print(f"  {'in all':<60} {seconds:6.2f} s (limit: {LIMIT_SECONDS} s)")  # noqa: T201
    return int(seconds >= LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())

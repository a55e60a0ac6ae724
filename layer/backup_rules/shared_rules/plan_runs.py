"""The runs of a plan that must have started jobs, with what came of each: read from AWS Backup, and joined."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from backup_rules.aws import backup
from backup_rules.aws.account import Account
from backup_rules.aws.memory import gaps_noticed
from backup_rules.plans.jobs import JobLog, RunOutcome, earliest_start, expected_runs
from backup_rules.plans.plans import BackupRule, Plan, PlanSummary
from backup_rules.schedules.schedules import Schedule
from backup_rules.schedules.swallowed_runs import swallowed_runs


def job_log(account: Account, summaries: Iterable[PlanSummary], now: datetime, lookback: timedelta) -> JobLog:
    """The jobs of these plans, from the first run on that is looked at."""
    with gaps_noticed():  # a plan that cannot be read is its own verdict's matter
        plans = backup.plans(account, summaries)
    rules = [rule for plan in plans for rule in plan.rules]
    return JobLog.of(backup.backup_jobs(account, earliest_start(rules, now=now, lookback=lookback)))


def in_force_since(account: Account, plan: Plan) -> datetime:
    """Since when the plan is as it is: its last update, or its oldest selection where that came later."""
    created = [each.creation_date for each in backup.selection_summaries(account, plan.summary) if each.creation_date]
    return max(plan.creation_date, min(created, default=plan.creation_date))


def outcomes(  # noqa: PLR0913 - whose runs, and as of when they are judged
    rule: BackupRule, plan: Plan, since: datetime, log: JobLog, *, now: datetime, lookback: timedelta
) -> tuple[RunOutcome, ...]:
    """What came of each run that must have started jobs. `since` is when the plan came into force.

    Raises:
        ScheduleError: the schedule cannot be read.
    """
    schedule = Schedule.parse(rule.schedule_expression, rule.schedule_timezone)
    first = earliest_start([rule], now=now, lookback=lookback)
    starts = list(schedule.runs(first, now))
    runs = expected_runs(
        rule,
        starts,
        now=now,
        last_update=since,
        lookback=lookback,
        # AWS Backup may well leave out a start in the hour that the clock leaps over.
        swallowed={
            *swallowed_runs(rule, plan.rules, first, now),
            *(start for start in starts if schedule.moved_by_clock_change(start)),
        },
    )
    return log.outcomes(plan.id, rule.id, runs)

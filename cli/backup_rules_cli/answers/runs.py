"""When the backup rules of a plan run, and what came of the runs that were due."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from backup_rules.aws import backup
from backup_rules.aws.memory import remembered
from backup_rules.plans.job_messages import cause_of, reason
from backup_rules.plans.jobs import BackupJob, JobLog, RunOutcome
from backup_rules.plans.plans import BackupRule, Plan
from backup_rules.schedules.schedules import Schedule, ScheduleError
from backup_rules.schedules.swallowed_runs import swallowed_runs
from backup_rules.shared_rules import plan_runs
from backup_rules_cli.answers.judging import SYMPTOM, JudgedAccount

RUNS_SHOWN = 5
_FAR_AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class NextRun:
    """A scheduled start, when its windows close (UTC), and in which zone the schedule is written.

    `swallowed_by` names the longer-retained backup rule that runs in its place.
    """

    backup_rule: str
    at: datetime
    start_by: datetime
    complete_by: datetime
    timezone: str
    swallowed_by: str | None = None

    @property
    def local(self) -> datetime:
        """The start in the schedule's own zone."""
        return self.at.astimezone(ZoneInfo(self.timezone))


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that must have started jobs, and its jobs, those that are part of another among them."""

    backup_rule: str
    outcome: RunOutcome

    @property
    def started(self) -> bool:
        """Whether a job was created inside its start window."""
        return self.outcome.started


@dataclass(frozen=True, slots=True)
class JobInWords:
    """What became of a job: AWS's message, what to do about it, and the rule that looks into it."""

    job: BackupJob
    message: str
    advice: str
    look_at: str | None


def next_runs(plan: Plan, now: datetime, most: int = RUNS_SHOWN) -> tuple[NextRun, ...]:
    """The coming runs of all its backup rules, the first ones first; none of a schedule that cannot be read."""
    return tuple(islice(_all_coming(plan, now), most))


def runs_until(plan: Plan, now: datetime, end: datetime) -> tuple[NextRun, ...]:
    """All coming runs up to `end` (excluded), the first ones first; none of a schedule that cannot be read."""
    return tuple(_all_coming(plan, now, end))


def _all_coming(plan: Plan, now: datetime, end: datetime | None = None) -> Iterator[NextRun]:
    return heapq.merge(*(_coming(rule, plan, now, end) for rule in plan.rules), key=lambda each: each.at)


def _coming(rule: BackupRule, plan: Plan, now: datetime, end: datetime | None) -> Iterator[NextRun]:
    try:
        schedule = Schedule.parse(rule.schedule_expression, rule.schedule_timezone)
    except ScheduleError:
        return
    first = schedule.next_run(now)
    if first is None:
        return
    start, complete = timedelta(minutes=rule.start_window_minutes), timedelta(minutes=rule.completion_window_minutes)
    for at in schedule.runs(first, end or first + _FAR_AHEAD):
        by = swallowed_runs(rule, plan.rules, at, at + timedelta(seconds=1)).get(at)
        yield NextRun(rule.name, at, at + start, at + complete, rule.schedule_timezone, by.name if by else None)


def never_again(plan: Plan, now: datetime) -> Iterator[tuple[str, str]]:
    """The backup rules that do not run any more, and why."""
    for rule in plan.rules:
        try:
            if Schedule.parse(rule.schedule_expression, rule.schedule_timezone).never_again(now):
                yield rule.name, f"never runs again: {rule.schedule_expression}"
        except ScheduleError as error:
            yield rule.name, f"its schedule cannot be read: {error}"


def past_runs(plan: Plan, judged: JudgedAccount) -> tuple[PastRun, ...]:
    """The runs that must have started jobs, the latest first, as far back as the rule about the symptom looks.

    Raises:
        ReadError: jobs or selections cannot be read.
    """
    symptom = judged.by(SYMPTOM)
    if symptom is None:
        return ()
    account, now, lookback = judged.account, judged.now, symptom.invocation.parameters.lookback
    log = _job_log(judged, lookback)
    since = plan_runs.in_force_since(account, plan)
    found = []
    for rule in plan.rules:
        try:
            outcomes = plan_runs.outcomes(rule, plan, since, log, now=now, lookback=lookback)
        except ScheduleError:
            continue
        found += [PastRun(rule.name, each) for each in outcomes]
    return tuple(sorted(found, key=lambda each: (each.outcome.run.start, each.backup_rule), reverse=True))


@remembered
def _job_log(judged: JudgedAccount, lookback: timedelta) -> JobLog:
    """The jobs of all plans, as the rule about the symptom asked for them."""
    return plan_runs.job_log(judged.account, backup.plan_summaries(judged.account), judged.now, lookback)


def in_words(job: BackupJob) -> JobInWords:
    """What became of the job. Of one that ended well there is no more to say than its message."""
    message = " ".join(reason(job.message).split())
    if not (job.state.ended_badly or job.with_issues):
        return JobInWords(job, message, "", None)
    cause = cause_of(job)
    return JobInWords(job, message, cause.advice, cause.look_at)

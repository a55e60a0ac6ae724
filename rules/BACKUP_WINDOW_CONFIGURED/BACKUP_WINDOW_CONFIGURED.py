"""The backup rules of a plan have a schedule that runs as it reads, and windows that leave AWS Backup time to start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backup_rules.aws import backup
from backup_rules.errors import InvalidRuleParametersError
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import Kind, RuleParameters, parameter, whole_number
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject
from backup_rules.plans.plans import BackupRule, Plan, PlanSummary
from backup_rules.plans.words import called
from backup_rules.schedules.schedules import Schedule, ScheduleError
from backup_rules.schedules.swallowed_runs import swallowed_by
from backup_rules.schedules.time_zones import time_zone
from backup_rules.schedules.windows import ClockWindow
from backup_rules.wording.annotations import NAMES, NamesShown, name
from backup_rules.wording.findings import Finding, Note, Problem

# https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRule.html
MIN_START_WINDOW_MINUTES = 60

_MINUTES = whole_number(1, 52_560_000)  # AWS Backup's longest window: 100 years
_CLOCK_WINDOW = Kind(
    "HH:MM-HH:MM from 00:00 to 24:00, start and end apart, such as 22:00-06:00",
    lambda text: ClockWindow.parse(text).text,
)
_TIME_ZONE = Kind("an IANA time zone such as Europe/Berlin or UTC", lambda text: time_zone(text.strip()).key)


@dataclass(frozen=True)
class Parameters(RuleParameters):
    """What is asked of the windows beyond AWS's own limits; None: nothing."""

    min_start_window_minutes: int | None = parameter(_MINUTES, default=None)
    max_start_window_minutes: int | None = parameter(_MINUTES, default=None)
    min_completion_window_minutes: int | None = parameter(_MINUTES, default=None)
    allowed_window: str | None = parameter(_CLOCK_WINDOW, default=None)
    allowed_window_timezone: str = parameter(_TIME_ZONE, default="UTC")

    def __post_init__(self) -> None:
        shortest, longest = self.min_start_window_minutes, self.max_start_window_minutes
        if shortest is not None and longest is not None and shortest > longest:
            raise InvalidRuleParametersError(
                f"Parameter MinStartWindowMinutes is {shortest}; allowed is at most MaxStartWindowMinutes, {longest}."
            )

    @property
    def zoned_window(self) -> ClockWindow | None:
        """`allowed_window` on the clock of `allowed_window_timezone`."""
        if self.allowed_window is None:
            return None
        return ClockWindow.parse(self.allowed_window, self.allowed_window_timezone)


class BACKUP_WINDOW_CONFIGURED(BackupConfigRule[Parameters, PlanSummary]):
    """Verdicts are about plans. Continuous backup rules are judged as any other: their jobs run by the schedule."""

    parameters_type = Parameters

    def subjects(self, invocation: Invocation[Parameters]) -> Iterable[Subject[PlanSummary]]:
        plans = invocation.plans()
        invocation.account.side_by_side(backup.plan, [subject.of for subject in plans])
        return plans

    def findings(self, subject: Subject[PlanSummary], invocation: Invocation[Parameters]) -> Iterator[Finding]:
        plan = backup.plan(invocation.account, subject.of)
        for rule in plan.rules:
            yield from _schedule_problems(rule, plan, invocation)
            yield from _window_problems(rule, plan, invocation.parameters)


def _schedule_problems(rule: BackupRule, plan: Plan, invocation: Invocation[Parameters]) -> Iterator[Finding]:
    who = _who(rule, plan)
    try:
        schedule = Schedule.parse(rule.schedule_expression, rule.schedule_timezone)
    except ScheduleError as error:
        where = "backup policy" if plan.summary.from_organization else "plan"
        yield Problem(f"{who} has a schedule that AWS Backup cannot run: {error}.", f"Correct it in the {where}.")
        return
    if schedule.never_again(invocation.now):
        last = schedule.previous_run(invocation.now)
        again = " again" if last is not None and last >= (plan.summary.creation_date or plan.creation_date) else ""
        yield Problem(
            f"{who} never runs{again}: {name(rule.schedule_expression)} ({rule.schedule_timezone}) has no start after"
            f" {invocation.now:%Y-%m-%d}.",
            "Correct the day, month or year of the schedule.",
        )
        return
    swallower = swallowed_by(rule, plan.rules, invocation.now)
    if swallower is not None:
        words = (
            f"{_who(rule, plan, shown)} never runs: AWS Backup runs only backup rule {name(swallower.name, shown[0])},"
            " which keeps its backups longer, as their start windows always overlap."
            for shown in NAMES
        )
        yield Problem.worded(words, "Move one of the schedules, or shorten the start windows, until they are apart.")
    pitfall = schedule.hour_step_pitfall()
    if pitfall is not None:
        yield Problem(f"{who}: {pitfall}.") if pitfall.serious else Note(f"{who}: {pitfall}.")
    yield from _outside_allowed_window(rule, schedule, who, invocation)


def _outside_allowed_window(
    rule: BackupRule, schedule: Schedule, who: str, invocation: Invocation[Parameters]
) -> Iterator[Problem]:
    window = invocation.parameters.zoned_window
    refused = None if window is None else window.first_refused(schedule, invocation.now, rule.start_window_minutes)
    if refused is not None:
        closing = refused + timedelta(minutes=rule.start_window_minutes)
        yield Problem(
            f"{who} may start {_span(refused, closing)}, outside the allowed window {window}.",
            "Move the schedule, or shorten the start window.",
        )


def _window_problems(rule: BackupRule, plan: Plan, parameters: Parameters) -> Iterator[Problem]:
    who, minutes = _who(rule, plan), rule.start_window_minutes
    shortest, longest = parameters.min_start_window_minutes, parameters.max_start_window_minutes
    completion = parameters.min_completion_window_minutes
    if minutes < max(MIN_START_WINDOW_MINUTES, shortest or 0):
        least = max(MIN_START_WINDOW_MINUTES, shortest or 0)
        whose = "MinStartWindowMinutes" if least == shortest else "AWS Backup's minimum"
        yield Problem(
            f"{who} has a start window of {minutes} minutes, shorter than {least} ({whose}): a job that cannot start"
            " within it expires.",
            f"Set the start window to {least} minutes or more.",
        )
    if longest is not None and minutes > longest:
        yield Problem(
            f"{who} has a start window of {minutes} minutes, longer than {longest} (MaxStartWindowMinutes).",
            f"Set the start window to {longest} minutes or less.",
        )
    if completion is not None and rule.completion_window_minutes < completion:
        yield Problem(
            f"{who} has a completion window of {rule.completion_window_minutes} minutes, shorter than {completion}"
            " (MinCompletionWindowMinutes): a job that takes longer is cancelled.",
            f"Set the completion window to {completion} minutes or more.",
        )


def _who(rule: BackupRule, plan: Plan, shown: NamesShown = NAMES[0]) -> str:
    return f"Backup rule {called(rule, plan, shown)}"


def _span(start: datetime, end: datetime) -> str:
    """`2026-01-31 05:00 to 13:00 UTC`."""
    shown_end = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M} to {shown_end} UTC"


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_WINDOW_CONFIGURED()).handle(event, context)

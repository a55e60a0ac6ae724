"""Whether the schedule of a plan starts backups inside, or too close before, a window of what it backs up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from itertools import product

from backup_rules.plans.plans import BackupRule, Plan
from backup_rules.plans.words import called
from backup_rules.schedules.cron import ScheduleError
from backup_rules.schedules.schedules import Schedule
from backup_rules.schedules.time_zones import TimeZoneError
from backup_rules.schedules.windows import BlockedWeek, WeekOfRuns, Window, hour_name
from backup_rules.wording.annotations import NAMES, name
from backup_rules.wording.findings import Note, Problem


def conflicts(  # noqa: PLR0913 - what is judged, and how strictly
    plan: Plan,
    rules: Iterable[BackupRule],
    windows: tuple[Window, ...],
    what: str,
    *,
    buffer_minutes: int,
    whole_start_window: bool,
    now: datetime,
    lesser_buffer_minutes: int | None = None,
    first_only: bool = False,
    further: bool = False,
) -> Iterator[Problem | Note]:
    """For each backup rule the next start, in the coming year, that one of the windows of `what` (a name) blocks.

    A rule whose schedule cannot be read never runs: that is BACKUP_WINDOW_CONFIGURED's matter, and noted here. Where
    another text of AWS asks for `lesser_buffer_minutes` only, and by that nothing is blocked, the problem says so.
    `first_only`: of the rules that conflict the first is enough. `further`: another problem of the subject has been
    found already, so that those found here are counted and no more; so is each but the first that is found here.
    """
    found = False
    blocked_by_start_window: dict[int, BlockedWeek] = {}
    for rule in rules:
        start_window = rule.start_window_minutes if whole_start_window else 0
        blocked = blocked_by_start_window.get(start_window)
        if blocked is None:
            blocked = blocked_by_start_window[start_window] = BlockedWeek.of(windows, buffer_minutes, start_window)
        try:
            week = _week_ahead(rule.schedule_expression, rule.schedule_timezone, now)
        except (ScheduleError, TimeZoneError):
            yield Note(f"The schedule of backup rule {name(rule.name)} cannot be read: see BACKUP_WINDOW_CONFIGURED.")
            continue
        if first_only and found:
            continue
        if further:
            if blocked.minutes & week.minutes:
                yield Problem(f"{rule.id} of {plan.id} conflicts with {what}.")  # read by nobody
                found = True
            continue
        conflict = blocked.first_conflict(week)
        if conflict is None:
            continue
        free = blocked.free_hour((conflict.run.hour + 1) % 24)
        start = "could start a backup after" if whole_start_window else "starts"
        disputed = ""
        if lesser_buffer_minutes is not None and lesser_buffer_minutes < buffer_minutes:
            lesser = BlockedWeek.of(windows, lesser_buffer_minutes, start_window)
            if lesser.first_conflict(week) is None:
                disputed = f" ({lesser_buffer_minutes} by AWS's newest guide)"
        words = (
            f"Backup rule {called(rule, plan, shown)} {start}"
            f" {conflict.run:%Y-%m-%d %H:%M} UTC, inside or within {buffer_minutes} minutes{disputed} before the"
            f" {conflict.window.kind} of {name(what, of_what)}, {conflict.window.span}."
            for shown, of_what in (*product(NAMES[:3], (60,)), *product(NAMES[2:], (26,)))
        )
        yield Problem.worded(words, *_remedies(free))
        found = further = True


def _remedies(free_hour: int | None) -> tuple[str, ...]:
    """What to do, the fullest wording first."""
    if free_hour is None:
        return ("No full hour is free every day: move the window, or start on other days.",)
    return f"Start it at {hour_name(free_hour)}, which is free every day.", f"Start it at {hour_name(free_hour)}."


@lru_cache(maxsize=4096)
def _week_ahead(expression: str, timezone: str, now: datetime) -> WeekOfRuns:
    return WeekOfRuns.ahead(Schedule.parse(expression, timezone), now)

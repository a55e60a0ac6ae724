"""Backup rules of one plan whose start windows overlap: AWS Backup runs only the one with the longer retention.

The whole start windows count, not just the scheduled starts. One that ends as another begins does not overlap it: so
come AWS's own figures, by which an hourly rule with start windows of an hour beside a twelve-hourly rule with start
windows of eight hours makes 10 backups a day. Rules that are retained equally long leave each other alone, and a run
counts as swallowed whether or not the longer-retained run is swallowed by a third rule.

Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from backup_rules.plans.plans import BackupRule
from backup_rules.schedules.schedules import YEAR_AHEAD, Schedule, ScheduleError
from backup_rules.schedules.time_zones import instant, seconds

_MOSTLY_ENOUGH = timedelta(days=10)
"""Most rules that are not swallowed have a run within these days that shows it; the year's others need no look then."""


def swallowed_runs(
    rule: BackupRule, plan_rules: Sequence[BackupRule], start: datetime, end: datetime
) -> dict[datetime, BackupRule]:
    """The runs of `rule` from `start` up to `end` (excluded) that never make a backup, each with the rule that runs.

    Rules without a schedule that can be read, and continuous rules, neither swallow nor are swallowed.
    """
    found = _swallowing_rules(rule, plan_rules, start, end)
    return {instant(run): swallower for run, swallower in found if swallower is not None}


def swallowed_by(rule: BackupRule, plan_rules: Sequence[BackupRule], now: datetime) -> BackupRule | None:
    """The rule that swallows every run of `rule` in the year from `now` on, if each of them is swallowed.

    When several rules do so between them, the one that swallows most. None also when no run is to come.
    """
    swallowers: Counter[BackupRule] = Counter()
    soon, end = now + _MOSTLY_ENOUGH, now + YEAR_AHEAD
    for since, until in ((now, soon), (soon, end)):
        for _, swallower in _swallowing_rules(rule, plan_rules, since, until):
            if swallower is None:
                return None
            swallowers[swallower] += 1
    return swallowers.most_common(1)[0][0] if swallowers else None


def _swallowing_rules(
    rule: BackupRule, plan_rules: Sequence[BackupRule], start: datetime, end: datetime
) -> Iterator[tuple[int, BackupRule | None]]:
    """Each run of `rule`, with the first of the plan's longer-retained rules whose start window overlaps its own."""
    schedule = _schedule(rule)
    if schedule is None:
        return
    length = rule.start_window_minutes * 60
    rivals = []
    for other in plan_rules:
        other_schedule = _schedule(other)
        if other_schedule is not None and _retained_longer(other, rule):
            rivals.append((other, other.start_window_minutes * 60, _runs_around(other_schedule, start, end)))
    if not rivals:  # nothing to go through a year of runs for
        yield from ((run, None) for run in schedule.timestamps(start, end))
        return
    for run in schedule.timestamps(start, end):
        overlapping = (other for other, other_length, runs in rivals if _overlaps(run, length, runs, other_length))
        yield run, next(overlapping, None)


def _schedule(rule: BackupRule) -> Schedule | None:
    if rule.continuous:
        return None
    try:
        return Schedule.parse(rule.schedule_expression, rule.schedule_timezone)
    except ScheduleError:
        return None


def _retained_longer(rule: BackupRule, other: BackupRule) -> bool:
    """Whether `rule` keeps its recovery points longer than `other`; without an end is longest."""
    days, other_days = rule.lifecycle.delete_after_days, other.lifecycle.delete_after_days
    return other_days is not None and (days is None or days > other_days)


@lru_cache(maxsize=32)  # the rules of one plan: a year of hourly runs takes 70 kB
def _runs_around(schedule: Schedule, start: datetime, end: datetime) -> array[int]:
    """The runs from `start` up to `end`, the last before and the first after: all that can decide an overlap."""
    before, after = schedule.previous_run(start), schedule.next_run(end - timedelta(seconds=1))
    runs = array("q", [] if before is None else [seconds(before)])
    runs.extend(schedule.timestamps(start, end))
    if after is not None:
        runs.append(seconds(after))
    return runs


def _overlaps(run: int, length: int, others: Sequence[int], other_length: int) -> bool:
    """Whether the start window of `run` overlaps one of `others`: their last before its end must close after `run`."""
    position = bisect_left(others, run + length)
    return position > 0 and others[position - 1] + other_length > run

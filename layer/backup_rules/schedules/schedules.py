"""Schedules of backup rules: a cron expression and a time zone, and the instants at which AWS Backup starts a run.

AWS does not say what AWS Backup does at a change of the clock, except that a schedule "might be impacted". Here
- a start that falls into the hour that the clock leaps over runs once, at the instant of the leap (02:30 in New York on
  the second Sunday of March: 03:00 local, 07:00 UTC); `moved_by_clock_change` tells such runs, since EventBridge
  Scheduler, for one, leaves them out;
- a start in the hour that the clock shows twice runs once, the first time;
- a schedule of every hour follows the hours as they pass: none in the leap, both of the repeated hour.

Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html and
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from backup_rules.plans.plans import DEFAULT_TIMEZONE
from backup_rules.schedules import cron, time_zones
from backup_rules.schedules.cron import ScheduleError
from backup_rules.schedules.time_zones import SECONDS_A_DAY, TimeZoneError, instant, seconds
from backup_rules.values import dataclass

__all__ = ["YEAR_AHEAD", "HourStepPitfall", "Schedule", "ScheduleError"]

YEAR_AHEAD = timedelta(days=366)
"""How far ahead a schedule is judged: each date of the calendar comes once, 29 February in a leap year."""

_LOOKING_BACK_DAYS = (2, 40, 400)
"""How far `previous_run` looks, each if the one before found nothing: daily, weekly or monthly, yearly schedules."""


@dataclass(frozen=True, slots=True)
class HourStepPitfall:
    """An Hours field such as `12/12` that reads as every twelve hours but runs once a day.

    AWS Backup counts hours from 00:00 to 23:59 of a day and begins anew the next, so a start as late as the step, or
    later, loses runs. `remedy` is the Hours field that runs as often as `text` reads. `5/1`, AWS's own example of an
    hourly schedule, is one too, and not `serious` while it runs twelve times a day or more.
    """

    text: str
    reads_runs_a_day: int
    runs_a_day: int
    remedy: str

    @property
    def serious(self) -> bool:
        """Whether so many runs are lost that nobody can have meant it."""
        return self.reads_runs_a_day < 24 or self.runs_a_day < 12

    def __str__(self) -> str:
        return (
            f"Hours field {self.text} runs {_times(self.runs_a_day)} a day, not {_times(self.reads_runs_a_day)}, "
            f"since AWS Backup counts hours to 23:59 only: write {self.remedy}"
        )


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a backup rule runs. Two schedules with the same expression and time zone are equal."""

    expression: str
    timezone: str
    _cron: cron.Cron = field(repr=False, compare=False)

    @classmethod
    def parse(cls, expression: str, timezone: str = DEFAULT_TIMEZONE) -> Schedule:
        """The schedule of an AWS cron expression, bare or in `cron( )`, in an IANA time zone.

        Raises:
            ScheduleError: the expression is not of AWS's grammar, or the time zone is unknown.
        """
        return _parse(expression, timezone)

    def runs(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The runs from `start` up to `end` (excluded), in order, as aware UTC times; found as they are asked for."""
        return (instant(run) for run in self.timestamps(start, end))

    def timestamps(self, start: datetime, end: datetime) -> Iterator[int]:
        """As `runs`, in POSIX seconds: for work on many runs."""
        return self._timestamps(_ceiling(start), _ceiling(end))

    def timestamps_of_week(self, start: datetime, end: datetime) -> Iterator[int]:
        """As `timestamps`, with the first run at each minute of the week (UTC), but without most of its repetitions."""
        return self._timestamps(_ceiling(start), _ceiling(end), once_a_week=True)

    def next_run(self, after: datetime) -> datetime | None:
        """The first run later than `after`, or None when there is none up to the year 2199."""
        first = seconds(after) + 1
        for year in self._cron.years:
            if year >= after.year - 1 and self._cron.fires_in(year):
                begin, end = _local_year(year)
                run = next(self._timestamps(max(begin, first), end), None)
                if run is not None:
                    return instant(run)
        return None

    def previous_run(self, before: datetime) -> datetime | None:
        """The last run earlier than `before`, or None when there is none from 1970 on."""
        end = _ceiling(before)
        for days in _LOOKING_BACK_DAYS:
            run = self._last(end - days * SECONDS_A_DAY, end)
            if run is not None:
                return instant(run)
        for year in reversed(self._cron.years):
            if year <= before.year and self._cron.fires_in(year):
                begin, year_end = _local_year(year)
                run = self._last(begin, min(year_end, end))
                if run is not None:
                    return instant(run)
        return None

    def never_again(self, after: datetime) -> bool:
        """Whether no run comes later than `after`: a year in the past, or a date that no calendar has."""
        return self.next_run(after) is None

    def moved_by_clock_change(self, run: datetime) -> bool:
        """Whether `run` stands for a start in the hour that the clock leapt over: AWS Backup may well leave it out."""
        at = seconds(run)
        stretch = next(time_zones.stretches(self.timezone, at, at + 1))
        wall = at + stretch.offset
        return stretch.start == at and self._leapt_over(stretch) and not self._means(wall, wall + 1)

    def hour_step_pitfall(self) -> HourStepPitfall | None:
        """The hour step that runs less often than it reads, if there is one.

        `H/N` alone in the Hours field reads as every N hours: 24/N runs a day, rounded down. It falls short when H is
        not before N (`12/12`, `20/6`, `8/4`); `0/12` and `8/12` are as they read. A step over a range (`8-18/2`) has
        its end in sight, and a list names its hours: neither is taken for a pitfall.
        """
        hours = self._cron.hour_step
        if hours is None or hours.runs_a_day >= 24 // hours.step:
            return None
        remedy = f"{hours.first % hours.step}/{hours.step}"
        return HourStepPitfall(f"{hours.first}/{hours.step}", 24 // hours.step, hours.runs_a_day, remedy)

    def _last(self, start: int, end: int) -> int | None:
        last = deque(self._timestamps(start, end), maxlen=1)
        return last[0] if last else None

    def _timestamps(self, start: int, end: int, *, once_a_week: bool = False) -> Iterator[int]:
        if start >= end:
            return
        for stretch in time_zones.stretches(self.timezone, start, end):
            first_wall = max(start, stretch.start) + stretch.offset
            if not self._cron.every_hour:
                if stretch.start >= start and self._leapt_over(stretch):
                    yield stretch.start
                    first_wall += 1  # a start at the very instant of the leap is that same run
                first_wall = max(first_wall, stretch.first_new_wall)
            for wall in self._cron.walls(first_wall, stretch.end + stretch.offset, once_a_week=once_a_week):
                yield wall - stretch.offset

    def _leapt_over(self, stretch: time_zones.Stretch) -> bool:
        return not self._cron.every_hour and self._means(*stretch.gap)

    def _means(self, first_wall: int, end_wall: int) -> bool:
        return next(self._cron.walls(first_wall, end_wall), None) is not None


@lru_cache(maxsize=4096)
def _parse(expression: str, timezone: str) -> Schedule:
    parsed = cron.parse(expression)
    try:
        time_zones.time_zone(timezone)
    except TimeZoneError as error:
        raise ScheduleError(str(error)) from error
    return Schedule(expression, timezone, parsed)


def _ceiling(at: datetime) -> int:
    """Whole POSIX seconds, fractions counted as one more."""
    return -((time_zones.EPOCH - at) // timedelta(seconds=1))


def _local_year(year: int) -> tuple[int, int]:
    """From, to (excluded): a time that holds the year of every time zone, and no more than two days beside it."""
    start = datetime(year, 1, 1, tzinfo=UTC) - timedelta(days=1)
    end = datetime(year + 1, 1, 1, tzinfo=UTC) + timedelta(days=1)
    return seconds(start), seconds(end)

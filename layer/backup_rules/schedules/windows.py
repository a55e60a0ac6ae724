"""Windows of databases and file systems, the times in which they block backups, and the week that both are laid on.

A snapshot backup that is due inside a window, or less than a buffer before it, fails: [start - buffer, end) is blocked.
A start exactly one buffer before the window is a conflict. RDS, Neptune, DocumentDB and FSx windows are in UTC; those
of FSx are given by their start and last 30 minutes. A *minute of the week* counts from Monday 00:00 UTC.

Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html,
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html and
https://docs.aws.amazon.com/fsx/latest/APIReference/API_WindowsFileSystemConfiguration.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Self

from backup_rules.schedules.schedules import YEAR_AHEAD, Schedule
from backup_rules.schedules.time_zones import instant, seconds, stretches, time_zone
from backup_rules.values import dataclass
from backup_rules.wording.annotations import name as shortened
from backup_rules.wording.quoting import quote

MINUTES_AN_HOUR = 60
MINUTES_A_DAY = 24 * MINUTES_AN_HOUR
MINUTES_A_WEEK = 7 * MINUTES_A_DAY

BACKUP_WINDOW = "automated backup window"
MAINTENANCE_WINDOW = "maintenance window"
FSX_WINDOW_MINUTES = 30

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_THURSDAY = 3  # 1 January 1970
_CLOCK = r"([01][0-9]|2[0-3]):([0-5][0-9])"
_DAY_NAME = f"({'|'.join(_DAYS)})"


@dataclass(frozen=True, slots=True)
class Window:
    """A window that comes back every day, or (with a `weekday`, 0 for Monday) every week.

    `start` is in minutes of the day, `length` in minutes; a window may run past midnight and past the end of the week.
    """

    kind: str
    start: int
    length: int
    weekday: int | None = None

    def __str__(self) -> str:
        """As AWS writes it: `maintenance window sun:23:45-mon:00:15 UTC`."""
        return f"{self.kind} {self.span}"

    @property
    def span(self) -> str:
        """When it is: `sun:23:45-mon:00:15 UTC`."""
        begin = self.starts[0]
        return f"{self._moment(begin)}-{self._moment(begin + self.length)} UTC"

    def _moment(self, minute: int) -> str:
        return (
            _clock(minute % MINUTES_A_DAY)
            if self.weekday is None
            else f"{_DAYS[minute // MINUTES_A_DAY % 7]}:{_clock(minute % MINUTES_A_DAY)}"
        )

    @property
    def starts(self) -> tuple[int, ...]:
        """The minutes of the week at which the window begins."""
        days = range(7) if self.weekday is None else (self.weekday,)
        return tuple(day * MINUTES_A_DAY + self.start for day in days)

    def blocked_minutes(self, lead: int) -> int:
        """The minutes of the week from `lead` before the window to its end (excluded), as bits of a number."""
        mask = 0
        for start in self.starts:
            mask |= _span(start - lead, lead + self.length)
        return mask


def _span(start: int, length: int) -> int:
    """`length` minutes from `start` as bits, those past either end of the week wrapped around."""
    if length >= MINUTES_A_WEEK:
        return (1 << MINUTES_A_WEEK) - 1
    bits = ((1 << length) - 1) << (start % MINUTES_A_WEEK)
    return (bits | bits >> MINUTES_A_WEEK) & ((1 << MINUTES_A_WEEK) - 1)


def backup_window(text: str) -> Window:
    """The daily window of RDS, Neptune or DocumentDB: `hh24:mi-hh24:mi`.

    Raises:
        ValueError: the text has another form.
    """
    match = re.fullmatch(f"{_CLOCK}-{_CLOCK}", text)
    length = (_minute(match[3], match[4]) - _minute(match[1], match[2])) % MINUTES_A_DAY if match else 0
    if not match or not length:
        raise _malformed(BACKUP_WINDOW, text, "hh24:mi-hh24:mi")
    return Window(BACKUP_WINDOW, _minute(match[1], match[2]), length)


def maintenance_window(text: str) -> Window:
    """The weekly window of RDS, Neptune or DocumentDB: `ddd:hh24:mi-ddd:hh24:mi`, days in any case.

    Raises:
        ValueError: the text has another form.
    """
    match = re.fullmatch(f"{_DAY_NAME}:{_CLOCK}-{_DAY_NAME}:{_CLOCK}", text.lower())
    if match:
        weekday, start = _DAYS.index(match[1]), _minute(match[2], match[3])
        length = (
            _DAYS.index(match[4]) * MINUTES_A_DAY + _minute(match[5], match[6]) - weekday * MINUTES_A_DAY - start
        ) % MINUTES_A_WEEK
        if length:
            return Window(MAINTENANCE_WINDOW, start, length, weekday)
    raise _malformed(MAINTENANCE_WINDOW, text, "ddd:hh24:mi-ddd:hh24:mi")


def fsx_backup_window(start: str) -> Window:
    """The daily window of an FSx file system, from its `DailyAutomaticBackupStartTime`: `HH:MM`.

    Raises:
        ValueError: the text has another form.
    """
    match = re.fullmatch(_CLOCK, start)
    if not match:
        raise _malformed(BACKUP_WINDOW, start, "HH:MM")
    return Window(BACKUP_WINDOW, _minute(match[1], match[2]), FSX_WINDOW_MINUTES)


def fsx_maintenance_window(start: str) -> Window:
    """The weekly window of an FSx file system, from its `WeeklyMaintenanceStartTime`: `d:HH:MM`, 1 is Monday.

    Raises:
        ValueError: the text has another form.
    """
    match = re.fullmatch(f"([1-7]):{_CLOCK}", start)
    if not match:
        raise _malformed(MAINTENANCE_WINDOW, start, "d:HH:MM with d from 1 (Monday) to 7")
    return Window(MAINTENANCE_WINDOW, _minute(match[2], match[3]), FSX_WINDOW_MINUTES, int(match[1]) - 1)


def _malformed(kind: str, text: str, allowed: str) -> ValueError:
    return ValueError(f"{kind} {quote(shortened(text))} is malformed. Allowed: {allowed}, in UTC")


def _minute(hours: str, minutes: str) -> int:
    return int(hours) * MINUTES_AN_HOUR + int(minutes)


@lru_cache(maxsize=MINUTES_A_DAY)
def _clock(minute: int) -> str:
    return f"{minute // MINUTES_AN_HOUR:02}:{minute % MINUTES_AN_HOUR:02}"


@dataclass(frozen=True, slots=True)
class WeekOfRuns:
    """Runs laid on one week: of all those at the same minute of the week only the first, in order of time.

    Whatever conflicts with a daily or weekly window does so by its minute of the week, so a year of runs need not be
    gone through for each database: a daily schedule leaves 7 of them, or 14 where the clock changes.
    """

    runs: tuple[tuple[int, datetime], ...]
    minutes: int

    @classmethod
    def of(cls, runs: Iterable[datetime]) -> WeekOfRuns:
        """The week of any runs, given in order of time."""
        return cls.of_timestamps(seconds(run) for run in runs)

    @classmethod
    def ahead(cls, schedule: Schedule, now: datetime) -> WeekOfRuns:
        """The week of a schedule's runs in the year from `now` on."""
        return _week_ahead(schedule, now)

    @classmethod
    def of_timestamps(cls, timestamps: Iterable[int]) -> WeekOfRuns:
        """As `of`, from POSIX seconds."""
        first: dict[int, int] = {}
        for at in timestamps:
            first.setdefault((at // 60 + _THURSDAY * MINUTES_A_DAY) % MINUTES_A_WEEK, at)
        minutes = bytearray(MINUTES_A_WEEK // 8)
        for minute in first:
            minutes[minute // 8] |= 1 << minute % 8
        runs = tuple((minute, instant(at)) for minute, at in first.items())
        return cls(runs, int.from_bytes(minutes, "little"))


@lru_cache(maxsize=256)
def _week_ahead(schedule: Schedule, now: datetime) -> WeekOfRuns:
    return WeekOfRuns.of_timestamps(schedule.timestamps_of_week(now, now + YEAR_AHEAD))


@dataclass(frozen=True, slots=True)
class Conflict:
    """The first run that falls into a blocked time, and the window that blocks it."""

    run: datetime
    window: Window


@dataclass(frozen=True, slots=True)
class BlockedWeek:
    """The minutes of the week at which no run may be due, and which window each is due to."""

    minutes: int
    by_window: tuple[tuple[Window, int], ...]

    @classmethod
    def of(cls, windows: Iterable[Window], buffer_minutes: int, start_window_minutes: int = 0) -> BlockedWeek:
        """What `windows` block.

        Args:
            windows: in the order in which they are told of when several block the same run.
            buffer_minutes: how long before a window the blocked time begins.
            start_window_minutes: the start window of the backup rule, where the whole of it counts: a backup may start
                at any instant of it, its last included. 0: only the scheduled start counts.
        """
        return _blocked(tuple(windows), buffer_minutes + start_window_minutes)

    def first_conflict(self, week: WeekOfRuns) -> Conflict | None:
        """The earliest of the runs that is blocked, if any is."""
        blocked = self.minutes & week.minutes
        if not blocked:
            return None
        minute, run = next((minute, run) for minute, run in week.runs if blocked >> minute & 1)
        return Conflict(run, next(window for window, mask in self.by_window if mask >> minute & 1))

    def free_hour(self, from_hour: int = 0) -> int | None:
        """The first hour, counted from `from_hour` on and around midnight, at which a daily run would never be blocked.

        A run at HH:00 UTC on every day of the week is meant; None when each hour is blocked on some day.
        """
        hours = ((from_hour + later) % 24 for later in range(24))
        return next((hour for hour in hours if not self.minutes & _daily(hour)), None)


@lru_cache(maxsize=1024)
def _blocked(windows: tuple[Window, ...], lead: int) -> BlockedWeek:
    by_window = tuple((window, window.blocked_minutes(lead)) for window in windows)
    minutes = 0
    for _, mask in by_window:
        minutes |= mask
    return BlockedWeek(minutes, by_window)


@lru_cache(maxsize=24)
def _daily(hour: int) -> int:
    return sum(1 << day * MINUTES_A_DAY + hour * MINUTES_AN_HOUR for day in range(7))


def hour_name(hour: int) -> str:
    """`05:00 UTC`."""
    return f"{_clock(hour * MINUTES_AN_HOUR)} UTC"


@dataclass(frozen=True, slots=True)
class ClockWindow:
    """A time of the day, on the clock of a time zone, in which backups are to start: `22:00-06:00` runs over midnight.

    `start` is in minutes of the day, `length` in minutes.
    """

    text: str
    timezone: str
    start: int
    length: int

    @classmethod
    def parse(cls, text: str, timezone: str = "Etc/UTC") -> Self:
        """The window written as `HH:MM-HH:MM`; `24:00` may stand for its end at midnight.

        Raises:
            ValueError: the text has another form or the window no length, or the time zone is unknown. The message
                names the value and what is allowed.
        """
        match = re.fullmatch(rf"\s*{_CLOCK}\s*-\s*(?:{_CLOCK}|24:00)\s*", text)
        start = _minute(match[1], match[2]) if match else 0
        end = _minute(match[3], match[4]) if match and match[3] else MINUTES_A_DAY
        if not match or start == end:
            allowed = "HH:MM-HH:MM from 00:00 to 24:00, start and end apart, such as 22:00-06:00"
            raise ValueError(f"window {quote(shortened(text))} is malformed. Allowed: {allowed}")
        time_zone(timezone)
        return cls(f"{_clock(start)}-{_clock(end)}", timezone, start, (end - start) % MINUTES_A_DAY or MINUTES_A_DAY)

    def __str__(self) -> str:
        return f"{self.text} {self.timezone}"

    def admits(self, run: datetime, start_window_minutes: int) -> bool:
        """Whether `run` lies in the window and its start window closes inside it, by what the zone's clock shows.

        Both ends of the window count as inside. A window of the whole day admits every run.
        """
        zone = time_zone(self.timezone)
        shown = run.astimezone(zone).replace(tzinfo=None)
        closing = (run + timedelta(minutes=start_window_minutes)).astimezone(zone).replace(tzinfo=None)
        into_window = (shown.hour * MINUTES_AN_HOUR + shown.minute - self.start) % MINUTES_A_DAY
        return self.length == MINUTES_A_DAY or into_window + (closing - shown) / timedelta(minutes=1) <= self.length

    def first_refused(self, schedule: Schedule, now: datetime, start_window_minutes: int) -> datetime | None:
        """The first run of `schedule` in the year from `now` on that the window does not admit, if there is one."""
        if self.length == MINUTES_A_DAY:
            return None
        end = now + YEAR_AHEAD
        if start_window_minutes >= 2 * MINUTES_A_DAY:  # no window of the day is as long, whatever the clock does
            return next(schedule.runs(now, end), None)
        start_window = timedelta(minutes=start_window_minutes)
        changes = _clock_changes(self.timezone, now, end + start_window)
        # Between these, the clock is set alike at all starts, and alike as their start windows close.
        edges = sorted({now, end, *(edge for change in changes for edge in (change - start_window, change))})
        for since, until in pairwise(edge for edge in edges if now <= edge <= end):
            for run in schedule.timestamps_of_week(since, until):
                if not self.admits(instant(run), start_window_minutes):
                    return instant(run)
        return None


@lru_cache(maxsize=64)
def _clock_changes(timezone: str, start: datetime, end: datetime) -> tuple[datetime, ...]:
    return tuple(instant(stretch.start) for stretch in stretches(timezone, seconds(start), seconds(end)))

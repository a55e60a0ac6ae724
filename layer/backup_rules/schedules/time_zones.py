"""IANA time zones, and the stretches of time between two changes of a zone's clock.

Instants are POSIX seconds (UTC). A *wall* time is what the zone's clock shows, counted in the same seconds as if it
were UTC: wall = instant + offset. Only zones of the tz database are known, by their exact name, so that a name can
neither lead to another file nor to the machine's own setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from backup_rules.values import dataclass
from backup_rules.wording.annotations import name as shortened
from backup_rules.wording.quoting import quote

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS_A_DAY = 86_400


class TimeZoneError(ValueError):
    """The name is no IANA time zone. The message names it and what is allowed."""


def time_zone(zone_name: str) -> ZoneInfo:
    """The zone of that IANA name, which is case-sensitive (`Europe/Berlin`, `Etc/UTC`).

    Raises:
        TimeZoneError: there is no such zone.
    """
    if zone_name not in _names():
        quoted = quote(shortened(zone_name))
        raise TimeZoneError(f"time zone {quoted} is unknown. Allowed: an IANA name such as Europe/Berlin or Etc/UTC")
    return ZoneInfo(zone_name)


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    listed = resources.files("tzdata").joinpath("zones").read_text("utf-8").split()
    return frozenset(listed) - {"Factory"}  # a placeholder for a machine that was never set up


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which the zone's clock runs evenly: from `start` up to `end` (excluded) it is `offset` off UTC.

    `offset_before` is that of the time before `start`: when it is smaller, the wall times between the two do not
    exist (the gap); when it is greater, they are shown a second time (the repeated hour).
    """

    start: int
    end: int
    offset: int
    offset_before: int

    @property
    def gap(self) -> tuple[int, int]:
        """The wall times that the clock leaps over at `start`: from, to (excluded); empty without a leap forward."""
        return self.start + self.offset_before, self.start + self.offset

    @property
    def first_new_wall(self) -> int:
        """The first wall time of the stretch that the clock did not show before."""
        return self.start + max(self.offset, self.offset_before)


def stretches(zone_name: str, start: int, end: int) -> Iterator[Stretch]:
    """The stretches that touch the time from `start` up to `end` (excluded), in order; the last may end early."""
    first_year = instant(start).year - 1
    begin = _year_start(first_year)
    offset = offset_before = _offset(time_zone(zone_name), begin)
    for year in range(first_year, instant(end).year + 1):
        for change, new_offset in _changes(zone_name, year):
            if start < change:
                yield Stretch(begin, min(change, end), offset, offset_before)
            if change >= end:
                return
            begin, offset, offset_before = change, new_offset, offset
    yield Stretch(begin, end, offset, offset_before)


@lru_cache(maxsize=4096)
def _changes(zone_name: str, year: int) -> tuple[tuple[int, int], ...]:
    """The clock changes of a (UTC) year: instant, and offset from then on. At most one a day is seen."""
    zone = time_zone(zone_name)
    start, end = _year_start(year), _year_start(year + 1)
    changes = []
    offset = _offset(zone, start - 1)
    for day in range(start, end, SECONDS_A_DAY):
        next_offset = _offset(zone, day + SECONDS_A_DAY - 1)
        if next_offset != offset:
            changes.append((_change_within(zone, day - 1, day + SECONDS_A_DAY - 1), next_offset))
            offset = next_offset
    return tuple(changes)


def _change_within(zone: ZoneInfo, before: int, after: int) -> int:
    """The first second with the offset of `after`, by bisection; `before` has another one."""
    wanted = _offset(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == wanted:
            after = middle
        else:
            before = middle
    return after


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = instant(at).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _year_start(year: int) -> int:
    return seconds(datetime(year, 1, 1, tzinfo=UTC))


def instant(at: int) -> datetime:
    """POSIX seconds as an aware UTC time."""
    return EPOCH + timedelta(seconds=at)


def seconds(at: datetime) -> int:
    """An aware time in whole POSIX seconds, fractions dropped."""
    return (at - EPOCH) // timedelta(seconds=1)

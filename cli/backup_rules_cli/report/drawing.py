"""Where the parts of a week's picture lie. In units of the drawing, which a template writes as SVG.

Time runs from left to right. Rows from top to bottom: a clock for each time zone, a lane for each backup rule, a lane
for each database or file system. A conflict is a cross in both lanes that it joins, with a line between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from backup_rules_cli.report.week import UTC_ZONES, WEEK, ClockChange, Start, Week

WIDTH = 1200
GUTTER = 250
_RIGHT = 10
_PLOT = WIDTH - GUTTER - _RIGHT
_CLOCK_ROW = 22
_LANE = 44
_BOX_TOP, _BOX = 19, 20
_CROSS_TOP = 10
"""A cross stands above the box that it is about, and hides nothing of it."""
_TITLE = 30
_LEGEND = 34
_DAY_NAME = 70
"""The width of `Wed 02 Dec`, and some air."""
_MOST_TITLES = 60
"""Starts of a lane that get a text of their own to hover on; beyond it only conflicts do."""
_NARROWEST = 3.0


@dataclass(frozen=True, slots=True)
class Tick:
    """Where a day begins on a clock, or the week in it; `label` is the day, empty where there is no room for it."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class ClockRow:
    """The days as a time zone has them."""

    name: str
    y: float
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A stretch of time; `kind` is how it is drawn."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class StartMark:
    """A start with its start window. `text` is to hover on; empty: none."""

    kind: str
    box: Box
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A lane: two lines of text in the gutter, and what lies in it."""

    name: str
    below: str
    y: float
    marks: tuple[StartMark, ...] = ()
    boxes: tuple[Box, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cross:
    """A conflict: from the lane of the start down to that of the window."""

    x: float
    y: float
    y_window: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A change of the clock."""

    x: float
    label: str
    at_end: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """All of it."""

    week: Week
    title: str
    description: str
    height: float
    clocks: tuple[ClockRow, ...]
    rows: tuple[Row, ...]
    crosses: tuple[Cross, ...]
    changes: tuple[Line, ...]
    top: float
    bottom: float
    width: int = WIDTH
    gutter: int = GUTTER


def picture(week: Week) -> Picture:
    """The week, laid out."""
    clocks = tuple(_clocks(week))
    top = _TITLE + _CLOCK_ROW * len(clocks) + 8
    rule_rows = [top + number * _LANE for number in range(len(week.lanes))]
    windows_top = top + len(week.lanes) * _LANE + (10 if week.windows else 0)
    window_rows = {each.name: windows_top + number * _LANE for number, each in enumerate(week.windows)}
    bottom = windows_top + len(week.windows) * _LANE
    rows = [*_rule_rows(week, rule_rows), *_window_rows(week, window_rows)]
    return Picture(
        week=week,
        title=f"The week ahead of plan {week.plan}",
        description=description(week),
        height=bottom + _LEGEND + (18 if week.changes else 0),
        clocks=clocks,
        rows=tuple(rows),
        crosses=tuple(_crosses(week, rule_rows, window_rows)),
        changes=tuple(_change(week, each) for each in week.changes),
        top=top,
        bottom=bottom,
    )


def description(week: Week) -> str:
    """The picture in words, for who does not see it."""
    number = sum(1 for _ in week.starts)
    told = [f"{number} starts from {week.since:%Y-%m-%d %H:%M} to {week.until:%Y-%m-%d %H:%M} UTC."]
    told += [f"Backup rule {lane.backup_rule}: {lane.why}." for lane in week.lanes if lane.why]
    met = {(each.name, str(each.window)) for start in week.starts for each in start.meets}
    if met:
        named = "; ".join(f"{window} of {name}" for name, window in sorted(met))
        told.append(f"{week.conflicts} of them conflict with a window: {named}.")
    if week.swallowed:
        told.append(f"{week.swallowed} do not run: a backup rule that is kept longer runs in their place.")
    told += [f"{each} at {each.at:%Y-%m-%d %H:%M} UTC." for each in week.changes]
    return " ".join(told)


def in_words(start: Start) -> str:
    """A start, for a table or to hover on."""
    run = start.run
    zone = "" if run.timezone in UTC_ZONES else f" = {run.local:%a %H:%M} {run.timezone}"
    told = [
        f"{run.at:%a %Y-%m-%d %H:%M} UTC{zone}, backup rule {run.backup_rule}, start window to {run.start_by:%H:%M}"
    ]
    told += [f"conflict: {each.window} of {each.name}" for each in start.meets]
    if run.swallowed_by:
        told.append(f"does not run: {run.swallowed_by} overlaps it and is kept longer")
    if start.moved:
        told.append("stands for a time that the clock leaps over")
    return "; ".join(told)


def _x(week: Week, at: datetime) -> float:
    part = (at - week.since) / WEEK
    return round(GUTTER + min(1.0, max(0.0, part)) * _PLOT, 1)


def _clocks(week: Week) -> Iterator[ClockRow]:
    for number, zone in enumerate(("UTC", *week.timezones)):
        yield ClockRow(zone, _TITLE + number * _CLOCK_ROW, tuple(_ticks(week, ZoneInfo(zone))))


def _ticks(week: Week, zone: ZoneInfo) -> Iterator[Tick]:
    first = week.since.astimezone(zone).date()
    for number in range(9):
        midnight, after = (datetime.combine(first + timedelta(days=number + more), time(), zone) for more in (0, 1))
        begins, ends = max(midnight, week.since), min(after, week.until)
        if begins < ends:
            room = _x(week, ends) - _x(week, begins)
            yield Tick(_x(week, begins), f"{midnight:%a %d %b}" if room > _DAY_NAME else "")


def _rule_rows(week: Week, ys: Sequence[float]) -> Iterator[Row]:
    for lane, y in zip(week.lanes, ys, strict=True):
        talkative = len(lane.starts) <= _MOST_TITLES
        marks = tuple(_mark(week, each, y, named=talkative or bool(each.meets)) for each in lane.starts)
        zone = "" if lane.timezone in UTC_ZONES else f" {lane.timezone}"
        yield Row(lane.backup_rule, f"{lane.schedule}{zone}", y, marks=marks, note=lane.why)


def _mark(week: Week, start: Start, y: float, *, named: bool) -> StartMark:
    kind = "swallowed" if start.run.swallowed_by else "conflict" if start.meets else "start"
    box = _box(kind, week, start.run.at, start.run.start_by, y + _BOX_TOP, _BOX)
    return StartMark(kind, box, in_words(start) if named else "")


def _window_rows(week: Week, ys: Mapping[str, float]) -> Iterator[Row]:
    for lane in week.windows:
        y = ys[lane.name]
        boxes = []
        for block in lane.blocks:
            if block.opens > week.since:
                boxes.append(_box("buffer", week, max(block.blocked_from, week.since), block.opens, y + _BOX_TOP, _BOX))
            if block.opens < week.until:
                kind = "maintenance" if block.window.weekday is not None else "window"
                boxes.append(_box(kind, week, max(block.opens, week.since), block.closes, y + _BOX_TOP, _BOX))
        kinds = ", ".join(dict.fromkeys(each.window.span.removesuffix(" UTC") for each in lane.blocks))
        yield Row(lane.name, kinds, y, boxes=tuple(boxes))


def _box(kind: str, week: Week, since: datetime, until: datetime, y: float, height: float) -> Box:  # noqa: PLR0913, PLR0917
    x, end = _x(week, since), _x(week, until)
    return Box(kind, x, y, round(max(_NARROWEST, end - x), 1), height)


def _crosses(week: Week, rule_ys: Sequence[float], window_ys: Mapping[str, float]) -> Iterator[Cross]:
    for lane, y in zip(week.lanes, rule_ys, strict=True):
        for start in lane.starts:
            for met in start.meets:
                below = window_ys.get(met.name)
                yield Cross(_x(week, start.run.at), y + _CROSS_TOP, None if below is None else below + _CROSS_TOP)


def _change(week: Week, change: ClockChange) -> Line:
    x = _x(week, change.at)
    return Line(x, f"{change}, {change.at:%a %H:%M} UTC", x > GUTTER + _PLOT / 2)

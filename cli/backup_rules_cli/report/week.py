"""The week ahead of a plan: its starts, the windows of what it picks, and where these meet. Facts, not yet drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from backup_rules.aws.memory import gaps_noticed, remembered
from backup_rules.errors import BackupRulesError
from backup_rules.plans.plans import BackupRule, Plan
from backup_rules.schedules import time_zones
from backup_rules.schedules.schedules import Schedule
from backup_rules.schedules.time_zones import TimeZoneError, instant, seconds
from backup_rules.schedules.windows import Window
from backup_rules.shared_rules.window_rule import PickedWindows, WindowRule
from backup_rules_cli.answers.judging import JudgedAccount
from backup_rules_cli.answers.plans import PlanAnswer
from backup_rules_cli.answers.runs import NextRun, runs_until

WEEK = timedelta(days=7)
UTC_ZONES = frozenset({"Etc/UTC", "UTC"})


@dataclass(frozen=True, slots=True)
class Met:
    """A window that a start meets: it is due inside it, or less than the buffer before it. `name` is whose."""

    name: str
    window: Window


@dataclass(frozen=True, slots=True)
class Start:
    """A coming run, the windows that it meets, and whether it stands for a time that the clock leaps over."""

    run: NextRun
    meets: tuple[Met, ...] = ()
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """The starts of a backup rule in the week, in order. `schedule` is as written; `why` there is none."""

    backup_rule: str
    schedule: str
    timezone: str
    starts: tuple[Start, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A window in the week: from when on no backup may start, when it opens, and when it closes (UTC)."""

    window: Window
    blocked_from: datetime
    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class WindowLane:
    """The windows of a database or a file system in the week."""

    name: str
    buffer_minutes: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class ClockChange:
    """The clock of a time zone leaps forward (minutes above 0) or back."""

    at: datetime
    timezone: str
    minutes: int

    def __str__(self) -> str:
        way = "forward" if self.minutes > 0 else "back"
        return f"{self.timezone} sets its clock {way} by {abs(self.minutes)} minutes"


@dataclass(frozen=True, slots=True)
class Week:
    """A plan's coming week, in UTC. `timezones` are those of its schedules, UTC left out."""

    plan: str
    since: datetime
    until: datetime
    lanes: tuple[Lane, ...]
    windows: tuple[WindowLane, ...]
    changes: tuple[ClockChange, ...]
    timezones: tuple[str, ...]
    windows_not_drawn: int = 0

    @property
    def starts(self) -> Iterator[Start]:
        """All of them."""
        return (start for lane in self.lanes for start in lane.starts)

    @property
    def conflicts(self) -> int:
        """How many starts meet a window."""
        return sum(bool(each.meets) for each in self.starts)

    @property
    def swallowed(self) -> int:
        """How many starts another backup rule takes the place of."""
        return sum(each.run.swallowed_by is not None for each in self.starts)


def week_of(answer: PlanAnswer, judged: JudgedAccount, most_windows: int = 12) -> Week | None:
    """The week ahead; None where the plan could not be read.

    Of many databases and file systems those that are met come first, and `most_windows` are drawn.
    """
    plan = answer.plan
    if plan is None:
        return None
    since, until = judged.now, judged.now + WEEK
    windows = [each for each in _windows(judged) if plan.id in each.plan_ids and each.windows]
    lanes = tuple(_lanes(plan, answer, windows, since, until))
    met = {each.name for lane in lanes for start in lane.starts for each in start.meets}
    ordered = sorted(windows, key=lambda each: each.name not in met)
    zones = tuple(dict.fromkeys(each.timezone for each in lanes if each.timezone not in UTC_ZONES and not each.why))
    return Week(
        plan=plan.name,
        since=since,
        until=until,
        lanes=lanes,
        windows=tuple(_window_lane(each, since, until) for each in ordered[:most_windows]),
        changes=tuple(change for zone in zones for change in _changes(zone, since, until)),
        timezones=zones,
        windows_not_drawn=max(0, len(windows) - most_windows),
    )


@remembered
def _windows(judged: JudgedAccount) -> tuple[PickedWindows, ...]:
    """Of all that plans of the account pick, each once; what cannot be read, the rules about windows tell."""
    found: dict[str, PickedWindows] = {}
    for folder in judged.folders:
        each = judged.judged(folder)
        if isinstance(each.rule, WindowRule) and each.error is None:
            try:
                with gaps_noticed():
                    listed = tuple(each.rule.windows(each.invocation))
            except BackupRulesError:
                continue
            for its in listed:
                known = found.get(its.name)
                plans = its.plan_ids | (known.plan_ids if known else frozenset())
                found[its.name] = PickedWindows(
                    its.name, plans, its.windows, its.buffer_minutes, its.whole_start_window, its.managed
                )
    return tuple(found.values())


def _lanes(
    plan: Plan, answer: PlanAnswer, windows: Iterable[PickedWindows], since: datetime, until: datetime
) -> Iterator[Lane]:
    coming = runs_until(plan, since, until)
    never = dict(answer.never_again)
    for rule in plan.rules:
        runs = [each for each in coming if each.backup_rule == rule.name]
        # Most windows block no run of the week: each is asked once, before it is asked of every run.
        met = [each for each in windows if each.conflict(rule, *(run.at for run in runs)) is not None]
        starts = tuple(Start(each, tuple(_meets(rule, each, met)), _moved(rule, each)) for each in runs)
        why = never.get(rule.name, "")
        if not starts and not why:
            why = "no run in this week"
        yield Lane(rule.name, rule.schedule_expression, rule.schedule_timezone, starts, why)


def _meets(rule: BackupRule, run: NextRun, windows: Iterable[PickedWindows]) -> Iterator[Met]:
    for each in windows:
        conflict = each.conflict(rule, run.at)
        if conflict is not None:
            yield Met(each.name, conflict.window)


def _moved(rule: BackupRule, run: NextRun) -> bool:
    return Schedule.parse(rule.schedule_expression, rule.schedule_timezone).moved_by_clock_change(run.at)


def _window_lane(its: PickedWindows, since: datetime, until: datetime) -> WindowLane:
    blocks = (block for window in its.windows for block in _blocks(window, its.buffer_minutes, since, until))
    return WindowLane(its.name, its.buffer_minutes, tuple(sorted(blocks, key=lambda each: each.opens)))


def _blocks(window: Window, buffer_minutes: int, since: datetime, until: datetime) -> Iterator[Block]:
    """When the window is, in and around the week: its minutes count from Monday 00:00 UTC."""
    midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=since.weekday())
    for week in (-1, 0, 1):
        for start in window.starts:
            opens = monday + week * WEEK + timedelta(minutes=start)
            closes = opens + timedelta(minutes=window.length)
            blocked_from = opens - timedelta(minutes=buffer_minutes)
            if blocked_from < until and closes > since:
                yield Block(window, blocked_from, opens, closes)


def _changes(timezone: str, since: datetime, until: datetime) -> Iterator[ClockChange]:
    try:
        stretches = tuple(time_zones.stretches(timezone, seconds(since), seconds(until)))
    except TimeZoneError:
        return
    for each in stretches:
        if each.start > seconds(since):
            yield ClockChange(instant(each.start), timezone, (each.offset - each.offset_before) // 60)

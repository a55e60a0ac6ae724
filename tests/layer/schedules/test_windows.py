"""Windows of databases and file systems, and the runs that fall into them."""

# ruff: noqa: E501 - the tables read best with a case on a line

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backup_rules.schedules.schedules import YEAR_AHEAD, Schedule
from backup_rules.schedules.windows import (
    BACKUP_WINDOW,
    MAINTENANCE_WINDOW,
    BlockedWeek,
    ClockWindow,
    Conflict,
    WeekOfRuns,
    Window,
    backup_window,
    fsx_backup_window,
    fsx_maintenance_window,
    hour_name,
    maintenance_window,
)
from tests.strategies import CronExpression, cron_expressions

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
NOW = MONDAY + timedelta(hours=9, minutes=30)


def find_conflict(
    runs: Iterable[datetime], windows: Iterable[Window], buffer_minutes: int, start_window_minutes: int = 0
) -> Conflict | None:
    return BlockedWeek.of(windows, buffer_minutes, start_window_minutes).first_conflict(WeekOfRuns.of(runs))


def free_hour(
    windows: Iterable[Window], buffer_minutes: int, start_window_minutes: int = 0, *, from_hour: int = 0
) -> int | None:
    return BlockedWeek.of(windows, buffer_minutes, start_window_minutes).free_hour(from_hour)


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("day", DAYS)
def test_every_day_of_the_week_is_read_as_that_day(day: str) -> None:
    window = maintenance_window(f"{day}:02:00-{day}:03:00")
    blocked = [each for each in DAYS if find_conflict([at(f"{each}:02:30")], [window], 60) is not None]
    assert blocked == [day]


def at(text: str) -> datetime:
    """`sun:05:00` of the week from Monday, 23 November 2026 on."""
    day, clock = text.split(":", 1)
    hour, minute = map(int, clock.split(":"))
    return MONDAY + timedelta(days=DAYS.index(day), hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("window", "text"),
    [
        (backup_window("03:00-03:30"), "automated backup window 03:00-03:30 UTC"),
        (backup_window("23:45-00:15"), "automated backup window 23:45-00:15 UTC"),
        (maintenance_window("sun:05:00-sun:05:30"), "maintenance window sun:05:00-sun:05:30 UTC"),
        (maintenance_window("Sun:23:45-Mon:00:15"), "maintenance window sun:23:45-mon:00:15 UTC"),
        (maintenance_window("sat:23:00-mon:01:00"), "maintenance window sat:23:00-mon:01:00 UTC"),
        (fsx_backup_window("05:00"), "automated backup window 05:00-05:30 UTC"),
        (fsx_backup_window("23:45"), "automated backup window 23:45-00:15 UTC"),
        (fsx_maintenance_window("1:05:00"), "maintenance window mon:05:00-mon:05:30 UTC"),
        (fsx_maintenance_window("2:05:00"), "maintenance window tue:05:00-tue:05:30 UTC"),
        (fsx_maintenance_window("4:05:00"), "maintenance window thu:05:00-thu:05:30 UTC"),
        (fsx_maintenance_window("7:23:45"), "maintenance window sun:23:45-mon:00:15 UTC"),
    ],
)
def test_windows_are_told_as_aws_writes_them(window: Window, text: str) -> None:
    assert str(window) == text


@pytest.mark.parametrize(
    "text", ["", "03:00", "3:00-3:30", "03:00-24:00", "03:00-03:60", "03:00-03:00", "03:00-03:30\n", " 03:00-03:30"]
)
def test_a_malformed_backup_window_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"automated backup window .* is malformed\. Allowed: hh24:mi-hh24:mi, in UTC"):
        backup_window(text)


@pytest.mark.parametrize(
    "text", ["", "05:00-05:30", "sun:05:00", "so:05:00-so:05:30", "sun:25:00-sun:05:30", "sun:05:00-sun:05:00"]
)
def test_a_malformed_maintenance_window_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"maintenance window .* is malformed\. Allowed: ddd:hh24:mi-ddd:hh24:mi"):
        maintenance_window(text)


@pytest.mark.parametrize("text", ["", "0:05:00", "8:05:00", "sun:05:00", "1:24:00", "1:05:00-1:05:30"])
def test_a_malformed_fsx_maintenance_window_is_named(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"maintenance window .* is malformed\. Allowed: d:HH:MM with d from 1 \(Monday\) to 7"
    ):
        fsx_maintenance_window(text)


@pytest.mark.parametrize("text", ["", "5:00", "24:00", "05:00-05:30"])
def test_a_malformed_fsx_backup_window_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"automated backup window .* is malformed\. Allowed: HH:MM, in UTC"):
        fsx_backup_window(text)


@pytest.mark.parametrize(
    ("window", "buffer", "blocked", "free"),
    [
        pytest.param(backup_window("03:00-03:30"), 60, ["mon:02:00", "wed:02:59", "sun:03:00", "mon:03:29"], ["mon:01:59", "sun:03:30"], id="daily"),
        pytest.param(backup_window("03:00-03:30"), 0, ["mon:03:00", "mon:03:29"], ["mon:02:59", "mon:03:30"], id="no buffer"),
        pytest.param(backup_window("00:30-01:00"), 60, ["mon:23:30", "sun:23:30", "mon:00:00", "mon:00:59"], ["mon:23:29", "mon:01:00"], id="buffer over midnight"),
        pytest.param(backup_window("23:45-00:15"), 60, ["tue:22:45", "tue:00:14", "mon:00:14"], ["tue:22:44", "mon:00:15"], id="daily window over midnight"),
        pytest.param(maintenance_window("sun:05:00-sun:05:30"), 60, ["sun:04:00", "sun:05:29"], ["sun:03:59", "sun:05:30", "mon:05:00", "sat:05:00"], id="weekly"),
        pytest.param(maintenance_window("mon:00:00-mon:00:30"), 60, ["sun:23:00", "sun:23:59", "mon:00:29"], ["sun:22:59", "mon:00:30", "mon:23:00"], id="buffer over the end of the week"),
        pytest.param(maintenance_window("sun:23:45-mon:00:15"), 60, ["sun:22:45", "mon:00:00", "mon:00:14"], ["sun:22:44", "mon:00:15"], id="weekly window over the end of the week"),
        pytest.param(fsx_maintenance_window("1:02:00"), 240, ["sun:22:00", "mon:00:00", "mon:02:29"], ["sun:21:59", "mon:02:30"], id="FSx, four hours over the end of the week"),
        pytest.param(fsx_backup_window("05:00"), 240, ["thu:01:00", "thu:05:29"], ["thu:00:59", "thu:05:30"], id="FSx, daily"),
    ],
)  # fmt: skip
def test_blocked_times(window: Window, buffer: int, blocked: list[str], free: list[str]) -> None:
    for moment in blocked:
        assert find_conflict([at(moment)], [window], buffer) == Conflict(at(moment), window)
    for moment in free:
        assert find_conflict([at(moment)], [window], buffer) is None


@pytest.mark.parametrize(
    ("run", "start_window", "conflict"),
    [
        pytest.param("mon:00:59", 60, False, id="closes a minute before the blocked time"),
        pytest.param("mon:01:00", 60, True, id="closes as the blocked time begins: its last instant counts"),
        pytest.param("mon:18:00", 480, True, id="closes as the next day's blocked time begins"),
        pytest.param("mon:17:59", 480, False, id="closes a minute before the next day's blocked time"),
        pytest.param("mon:03:29", 60, True, id="begins in the window"),
        pytest.param("mon:03:30", 60, False, id="begins as the window ends"),
        pytest.param("mon:03:30", 60 * 24, True, id="a start window of a day"),
        pytest.param("mon:03:30", 60 * 24 * 400, True, id="a start window of more than a year"),
    ],
)
def test_the_whole_start_window_counts_on_demand(run: str, start_window: int, conflict: bool) -> None:
    windows = [backup_window("03:00-03:30")]
    assert (find_conflict([at(run)], windows, 60, start_window) is not None) is conflict


def test_seconds_of_a_run_do_not_matter() -> None:
    window = backup_window("03:00-03:30")
    assert find_conflict([at("mon:03:29") + timedelta(seconds=59)], [window], 60) is not None
    assert find_conflict([at("mon:01:59") + timedelta(seconds=59)], [window], 60) is None


def test_the_first_conflict_in_time_is_found_and_the_first_window_told() -> None:
    daily, weekly = backup_window("03:00-03:30"), maintenance_window("tue:05:00-tue:05:30")
    runs = [at("mon:12:00"), at("tue:04:30"), at("wed:03:00")]
    assert find_conflict(runs, [daily, weekly], 60) == Conflict(at("tue:04:30"), weekly)
    both = maintenance_window("wed:02:00-wed:04:00")
    assert find_conflict([at("wed:03:00")], [daily, both], 60) == Conflict(at("wed:03:00"), daily)
    assert find_conflict([at("wed:03:00")], [both, daily], 60) == Conflict(at("wed:03:00"), both)


@pytest.mark.parametrize(("runs", "windows"), [([], [backup_window("03:00-03:30")]), ([at("mon:03:00")], [])])
def test_no_runs_or_no_windows_make_no_conflict(runs: list[datetime], windows: list[Window]) -> None:
    assert find_conflict(runs, windows, 60) is None


def test_a_monthly_run_that_hits_a_weekly_window_months_from_now_is_found() -> None:
    monthly = Schedule.parse("0 5 1 * ? *")
    sunday = maintenance_window("sun:05:00-sun:05:30")
    conflict = BlockedWeek.of([sunday], 60).first_conflict(WeekOfRuns.ahead(monthly, NOW))
    assert conflict == Conflict(datetime(2027, 8, 1, 5, tzinfo=UTC), sunday)


def test_a_run_that_only_conflicts_on_the_other_side_of_a_clock_change_is_found() -> None:
    at_five_in_berlin = Schedule.parse("0 5 * * ? *", "Europe/Berlin")  # 04:00 UTC in winter, 03:00 in summer
    window = backup_window("03:00-03:30")
    conflict = BlockedWeek.of([window], 30).first_conflict(WeekOfRuns.ahead(at_five_in_berlin, NOW))
    assert conflict == Conflict(datetime(2027, 3, 28, 3, tzinfo=UTC), window)


def test_a_week_of_runs_keeps_the_first_at_each_minute_of_the_week() -> None:
    daily = WeekOfRuns.ahead(Schedule.parse("0 5 * * ? *", "Europe/Berlin"), NOW)
    assert len(daily.runs) == 14
    assert [run for _, run in daily.runs] == sorted(run for _, run in daily.runs)
    assert daily.runs[0] == (1 * 1440 + 4 * 60, datetime(2026, 11, 24, 4, tzinfo=UTC))
    assert daily == WeekOfRuns.of(Schedule.parse("0 5 * * ? *", "Europe/Berlin").runs(NOW, NOW + YEAR_AHEAD))


@settings(max_examples=50)
@given(cron_expressions(), st.sampled_from(["Etc/UTC", "Europe/Berlin", "Australia/Lord_Howe"]), st.integers(0, 10_000))
def test_the_week_ahead_is_that_of_all_runs_of_the_year(cron: CronExpression, zone: str, minutes: int) -> None:
    fields = cron.text.strip(" cron()").split()
    schedule = Schedule.parse(" ".join(["7,52", *fields[1:]]), zone)
    now = NOW + minutes * MINUTE
    assert WeekOfRuns.ahead(schedule, now) == WeekOfRuns.of(schedule.runs(now, now + YEAR_AHEAD))


def test_a_free_hour_conflicts_with_neither_window() -> None:
    windows = [backup_window("03:00-03:30"), maintenance_window("sun:05:00-sun:05:30")]
    assert free_hour(windows, 60) == 0
    assert free_hour(windows, 60, from_hour=2) == 6  # 02:00 and 03:00 are blocked daily, 04:00 and 05:00 on Sundays
    assert free_hour(windows, 60, from_hour=23) == 23
    assert free_hour([backup_window("23:30-00:30")], 60, from_hour=23) == 1
    assert free_hour(windows, 60, 480, from_hour=19) == 6  # from 18:00 on, eight hours run into 02:00
    assert free_hour([], 60, from_hour=7) == 7


def test_no_hour_is_free_when_windows_take_the_day() -> None:
    assert free_hour([backup_window("03:00-03:30")], 24 * 60) is None
    assert free_hour([backup_window("03:00-03:30")], 60, 24 * 60) is None


def test_an_hour_is_named_in_utc() -> None:
    assert hour_name(5) == "05:00 UTC"


# Against a brute force over minutes

day_minutes = st.integers(0, 1439)
window_strategy = st.builds(
    Window,
    st.sampled_from([BACKUP_WINDOW, MAINTENANCE_WINDOW]),
    day_minutes,
    st.integers(1, 1439),
    st.one_of(st.none(), st.integers(0, 6)),
)
moments = st.integers(0, 3 * 7 * 1440).map(lambda minutes: MONDAY + minutes * MINUTE)


def blocked_by_hand(run: datetime, window: Window, buffer: int, start_window: int) -> bool:
    """Goes through the window's occurrences of all days around, asking whether [run, run + start window] meets one."""
    for days in range(-30, 60):
        day = MONDAY + timedelta(days=days)
        if window.weekday is not None and day.weekday() != window.weekday:
            continue
        start = day + window.start * MINUTE
        blocked_from, blocked_to = start - buffer * MINUTE, start + window.length * MINUTE
        if run < blocked_to and run + start_window * MINUTE >= blocked_from:
            return True
    return False


@settings(max_examples=150)
@given(
    st.lists(moments, max_size=8).map(sorted),
    st.lists(window_strategy, max_size=3),
    st.sampled_from([0, 30, 60, 180, 240, 1440]),
    st.sampled_from([0, 60, 480, 1440, 10080]),
)
@example([MONDAY], [Window(MAINTENANCE_WINDOW, 0, 30, 0)], 60, 0)
def test_conflicts_are_those_that_a_brute_force_finds(
    runs: list[datetime], windows: list[Window], buffer: int, start_window: int
) -> None:
    expected = next(
        (
            Conflict(run, window)
            for run in runs
            for window in windows
            if blocked_by_hand(run, window, buffer, start_window)
        ),
        None,
    )
    assert find_conflict(runs, windows, buffer, start_window) == expected


@settings(max_examples=50)
@given(st.lists(window_strategy, max_size=3), st.sampled_from([60, 240]), st.sampled_from([0, 480]), st.integers(0, 23))
def test_free_hours_are_those_that_a_brute_force_finds(
    windows: list[Window], buffer: int, start_window: int, from_hour: int
) -> None:
    week = [MONDAY + timedelta(days=day) for day in range(7)]
    free = [
        hour
        for hour in [*range(from_hour, 24), *range(from_hour)]
        if not any(
            blocked_by_hand(day + timedelta(hours=hour), window, buffer, start_window)
            for day in week
            for window in windows
        )
    ]
    assert free_hour(windows, buffer, start_window, from_hour=from_hour) == (free[0] if free else None)


# The window that a plan's schedules are allowed


@pytest.mark.parametrize(
    ("text", "zone", "run", "start_window", "admitted"),
    [
        ("01:00-05:00", "Etc/UTC", "2026-11-23T01:00", 240, True),
        ("01:00-05:00", "Etc/UTC", "2026-11-23T01:00", 241, False),
        ("01:00-05:00", "Etc/UTC", "2026-11-23T00:59", 60, False),
        ("01:00-05:00", "Etc/UTC", "2026-11-23T05:00", 0, True),
        ("01:00-05:00", "Etc/UTC", "2026-11-23T05:00", 60, False),
        ("01:00-05:00", "Etc/UTC", "2026-11-23T05:01", 0, False),
        ("01:00-05:00", "Etc/UTC", "2026-11-23T01:00", 1440 + 60, False),
        ("22:00-06:00", "Etc/UTC", "2026-11-23T22:00", 480, True),
        ("22:00-06:00", "Etc/UTC", "2026-11-23T23:00", 480, False),
        ("22:00-06:00", "Etc/UTC", "2026-11-24T02:00", 240, True),
        ("22:00-06:00", "Etc/UTC", "2026-11-23T21:59", 60, False),
        ("22:00-00:00", "Etc/UTC", "2026-11-23T23:00", 60, True),
        ("22:00-24:00", "Etc/UTC", "2026-11-23T23:00", 60, True),
        ("22:00-24:00", "Etc/UTC", "2026-11-23T23:01", 60, False),
        ("00:00-24:00", "Etc/UTC", "2026-11-23T23:00", 480, True),
        ("22:00-06:00", "Europe/Berlin", "2026-11-23T21:00", 480, True),
        ("22:00-06:00", "Europe/Berlin", "2026-07-23T21:00", 480, False),
        ("22:00-06:00", "Europe/Berlin", "2026-07-23T20:00", 480, True),
        # The night of a clock change has an hour less, or more, for a start window of eight hours.
        ("22:00-06:00", "Europe/Berlin", "2027-03-27T21:00", 480, False),
        ("22:00-06:00", "Europe/Berlin", "2027-03-27T21:00", 420, True),
        ("22:00-06:00", "Europe/Berlin", "2026-10-24T20:00", 540, True),
    ],
)
def test_what_a_clock_window_admits(text: str, zone: str, run: str, start_window: int, admitted: bool) -> None:
    instant = datetime.fromisoformat(run).replace(tzinfo=UTC)
    assert ClockWindow.parse(text, zone).admits(instant, start_window) is admitted


@settings(max_examples=200)
@given(day_minutes, day_minutes, moments, st.integers(0, 2000))
def test_a_clock_window_admits_what_stays_inside_all_the_time(
    start: int, end: int, run: datetime, start_window: int
) -> None:
    if start == end:
        return
    text = f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    begin = 2 * (run.hour * 60 + run.minute)  # in half minutes, so that a hole of one minute is seen
    length = 2 * ((end - start) % 1440)
    stays = all((begin + n - 2 * start) % 2880 <= length for n in range(2 * start_window + 1))
    assert ClockWindow.parse(text).admits(run, start_window) is stays


@pytest.mark.parametrize(
    "text", ["", "22-06", "22:00", "22:00-25:00", "24:00-06:00", "22:00-22:00", "22:00\u201306:00", "x" * 999]
)
def test_a_malformed_clock_window_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"window .* is malformed\. Allowed: HH:MM-HH:MM") as raised:
        ClockWindow.parse(text)
    assert len(str(raised.value)) < 200


def test_a_clock_window_in_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match='time zone "Berlin" is unknown'):
        ClockWindow.parse("22:00-06:00", "Berlin")


def test_a_clock_window_is_told_with_its_time_zone() -> None:
    assert str(ClockWindow.parse(" 22:00 - 06:00 ", "Europe/Berlin")) == "22:00-06:00 Europe/Berlin"
    assert str(ClockWindow.parse("00:00-24:00")) == "00:00-24:00 Etc/UTC"


@pytest.mark.parametrize(
    ("text", "zone", "schedule", "start_window", "refused"),
    [
        pytest.param("01:00-05:00", "Etc/UTC", "0 1 * * ? *", 240, None, id="always inside"),
        pytest.param("01:00-05:00", "Etc/UTC", "0 1 * * ? *", 241, "2026-11-24T01:00", id="closes outside"),
        pytest.param("01:00-05:00", "Etc/UTC", "0 1,5 * * ? *", 60, "2026-11-24T05:00", id="one start of two outside"),
        pytest.param("02:00-06:00", "Europe/Berlin", "0 1 * * ? *", 120, None, id="inside in winter and summer"),
        pytest.param("02:00-06:00", "Europe/Berlin", "0 3 * * ? *", 120, "2027-03-28T03:00", id="outside in summer"),
        pytest.param("22:00-06:00", "Europe/Berlin", "0 21 * * ? *", 480, "2027-03-27T21:00", id="outside in the short night"),
        pytest.param("00:00-24:00", "Etc/UTC", "0 21 * * ? *", 6000, None, id="the whole day admits all"),
        pytest.param("01:00-00:59", "Etc/UTC", "0 1 * * ? *", 52_560_000, "2026-11-24T01:00", id="a start window of a century"),
        pytest.param("01:00-05:00", "Etc/UTC", "0 9 * * ? 2025", 52_560_000, None, id="no run at all"),
    ],
)  # fmt: skip
def test_the_first_run_of_a_year_that_a_clock_window_refuses(
    text: str, zone: str, schedule: str, start_window: int, refused: str | None
) -> None:
    found = ClockWindow.parse(text, zone).first_refused(Schedule.parse(schedule), NOW, start_window)
    assert found == (datetime.fromisoformat(refused).replace(tzinfo=UTC) if refused else None)


@settings(max_examples=40)
@given(
    day_minutes,
    day_minutes,
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    st.integers(0, 23),
    st.sampled_from([0, 60, 480]),
)
def test_the_first_refused_run_is_that_of_going_through_the_year(
    start: int, end: int, zone: str, hour: int, start_window: int
) -> None:
    if start == end:
        return
    window = ClockWindow.parse(f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}", zone)
    schedule = Schedule.parse(f"15 {hour} * * ? *", "Europe/Berlin")
    runs = schedule.runs(NOW, NOW + YEAR_AHEAD)
    expected = next((run for run in runs if not window.admits(run, start_window)), None)
    assert window.first_refused(schedule, NOW, start_window) == expected


def test_a_run_is_not_taken_for_another_whose_start_window_alone_is_alike() -> None:
    """Summer's last run starts at 22:30 and closes after the change; from the next night on, it starts at 21:30."""
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    refused = ClockWindow.parse("22:00-06:00", "Europe/Berlin").first_refused(
        Schedule.parse("30 20 * * ? *"), summer, 300
    )
    assert refused == datetime(2026, 10, 25, 20, 30, tzinfo=UTC)

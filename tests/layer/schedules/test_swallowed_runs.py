"""Backup rules of one plan whose start windows overlap."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_rules.plans.plans import BackupRule, Lifecycle
from backup_rules.schedules.schedules import Schedule
from backup_rules.schedules.swallowed_runs import swallowed_by, swallowed_runs

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
DAY = timedelta(days=1)


def rule(
    name: str, schedule: str, start_window: int, days: int | None, zone: str = "Etc/UTC", *, continuous: bool = False
) -> BackupRule:
    return BackupRule(
        id=f"id-of-{name}",
        name=name,
        vault_name="vault",
        schedule_expression=schedule,
        schedule_timezone=zone,
        start_window_minutes=start_window,
        lifecycle=Lifecycle(delete_after_days=days),
        continuous=continuous,
    )


def test_aws_own_example_leaves_ten_backups_a_day() -> None:
    hourly = rule("hourly", "cron(0 * * * ? *)", 60, 7)
    twelve_hourly = rule("twelve-hourly", "cron(0 0/12 * * ? *)", 480, 30)
    plan = [hourly, twelve_hourly]
    day = MIDNIGHT, MIDNIGHT + DAY
    swallowed = swallowed_runs(hourly, plan, *day)
    assert [run.hour for run in swallowed] == [*range(8), *range(12, 20)]
    assert set(swallowed.values()) == {twelve_hourly}
    assert swallowed_runs(twelve_hourly, plan, *day) == {}
    assert 24 - len(swallowed) + 2 == 10
    assert swallowed_by(hourly, plan, NOW) is None


@pytest.mark.parametrize(
    ("daily", "longer", "swallowed"),
    [
        pytest.param(("0 5 * * ? *", 60), ("0 5 * * ? *", 60), True, id="the same start"),
        pytest.param(("0 5 * * ? *", 60), ("59 5 * * ? *", 60), True, id="the longer one starts within"),
        pytest.param(("0 5 * * ? *", 60), ("0 6 * * ? *", 60), False, id="the longer one starts as it ends"),
        pytest.param(("0 6 * * ? *", 60), ("1 5 * * ? *", 60), True, id="the longer one ends within"),
        pytest.param(("0 6 * * ? *", 60), ("0 5 * * ? *", 60), False, id="the longer one ends as it starts"),
        pytest.param(("0 1 * * ? *", 60), ("0 22 * * ? *", 240), True, id="over midnight"),
        pytest.param(("0 1 * * ? *", 60), ("0 22 * * ? *", 180), False, id="up to it from before midnight"),
        pytest.param(
            ("0 5 * * ? *", 60), ("0 6 L * ? *", 60 * 24 * 40), True, id="a start window of more than a month"
        ),
        pytest.param(("0 5 ? * SUN *", 480), ("0 5 * * ? *", 480), True, id="weekly by daily"),
        pytest.param(("0 5 * * ? *", 480), ("0 5 ? * SUN *", 480), False, id="daily by weekly: now and then only"),
    ],
)
def test_which_rule_never_runs(daily: tuple[str, int], longer: tuple[str, int], swallowed: bool) -> None:
    short, long = rule("short", *daily, 7), rule("long", *longer, 35)
    assert swallowed_by(short, [short, long], NOW) == (long if swallowed else None)
    assert swallowed_by(long, [short, long], NOW) is None


@pytest.mark.parametrize(
    ("days", "other_days", "swallowed"),
    [(7, 35, True), (35, 35, False), (35, 7, False), (7, None, True), (None, 7, False), (None, None, False)],
)
def test_only_the_longer_retention_swallows(days: int | None, other_days: int | None, swallowed: bool) -> None:
    one, other = rule("one", "0 5 * * ? *", 480, days), rule("other", "0 6 * * ? *", 480, other_days)
    assert swallowed_by(one, [one, other], NOW) == (other if swallowed else None)


def test_time_zones_are_taken_into_account() -> None:
    tokyo = rule("tokyo", "0 5 * * ? *", 60, 7, "Asia/Tokyo")
    same = rule("same", "0 20 * * ? *", 60, 35)
    other = rule("other", "0 5 * * ? *", 60, 35)
    assert swallowed_by(tokyo, [tokyo, same], NOW) == same
    assert swallowed_by(tokyo, [tokyo, other], NOW) is None
    half_the_year = rule("half the year", "0 5 * * ? *", 60, 7, "Europe/Berlin")
    assert swallowed_by(half_the_year, [half_the_year, replace(other, schedule_expression="0 3 * * ? *")], NOW) is None


def test_one_run_of_the_year_is_enough_to_be_left_alone() -> None:
    local = rule("local", "0 5 * * ? *", 60, 7, "Europe/Berlin")
    winter = rule("winter", "0 4 * * ? *", 60, 35)
    assert swallowed_by(local, [local, winter], NOW) is None  # from 28 March on
    daily = rule("daily", "0 5 * * ? *", 60, 7)
    all_but_one = [
        rule("other months", "0 5 * 12-10 ? *", 60, 35),
        rule("november", "0 5 1-24,26-30 11 ? *", 60, 35),
        rule("next november", "0 5 25 11 ? 2027", 60, 35),
    ]
    assert swallowed_by(daily, [daily, *all_but_one], NOW) is None  # on 25 November 2026
    assert swallowed_by(daily, [daily, *all_but_one], NOW + 2 * DAY) == all_but_one[0]


def test_several_rules_may_swallow_one_between_them_and_the_busiest_is_named() -> None:
    daily = rule("daily", "0 5 * * ? *", 60, 7)
    sundays = rule("sundays", "0 5 ? * SUN *", 60, 35)
    other_days = rule("other days", "0 5 ? * MON-SAT *", 60, 14)
    assert swallowed_by(daily, [daily, sundays, other_days], NOW) == other_days
    assert swallowed_by(daily, [daily, sundays], NOW) is None


@pytest.mark.parametrize(
    "other",
    [
        rule("continuous", "0 5 * * ? *", 480, 35, continuous=True),
        rule("unreadable", "rate(1 day)", 480, 35),
        rule("nowhere", "0 5 * * ? *", 480, 35, "Middle/Earth"),
        rule("past", "0 5 * * ? 2020", 480, 35),
    ],
    ids=lambda other: other.name,
)
def test_rules_without_coming_runs_swallow_nothing_and_are_not_swallowed(other: BackupRule) -> None:
    daily, forever = rule("daily", "0 5 * * ? *", 60, 7), rule("forever", "0 5 * * ? *", 60, None)
    assert swallowed_by(daily, [daily, other], NOW) is None
    assert swallowed_by(other, [forever, other], NOW) is None
    assert swallowed_runs(other, [forever, other], NOW, NOW + 3 * DAY) == {}


def test_a_plan_of_one_rule_swallows_nothing() -> None:
    hourly = rule("hourly", "0 * * * ? *", 480, 7)
    assert swallowed_by(hourly, [hourly], NOW) is None


def test_daily_weekly_monthly_plans_work_as_they_are_meant() -> None:
    daily = rule("daily", "0 5 * * ? *", 480, 7)
    weekly = rule("weekly", "0 5 ? * SUN *", 480, 35)
    monthly = rule("monthly", "0 5 1 * ? *", 480, 365)
    plan = [daily, weekly, monthly]
    assert [swallowed_by(each, plan, NOW) for each in plan] == [None, None, None]
    week = swallowed_runs(daily, plan, MIDNIGHT, MIDNIGHT + 8 * DAY)
    assert [(run.day, swallower.name) for run, swallower in week.items()] == [(29, "weekly"), (1, "monthly")]


schedules = st.builds(
    "{} {} {} * {} *".format,
    st.integers(0, 59),
    st.sampled_from(["0", "5", "22", "0/6", "0/12", "8-10"]),
    st.sampled_from(["?"]),
    st.sampled_from(["*", "MON", "SAT,SUN", "MON-FRI"]),
)
plan_rules = st.builds(
    rule,
    st.sampled_from(["a", "b", "c", "d"]),
    schedules,
    st.sampled_from([60, 90, 480, 1440, 20_000]),
    st.sampled_from([1, 7, 35, None]),
    st.sampled_from(["Etc/UTC", "Europe/Berlin"]),
)


def swallowed_by_hand(run: datetime, of: BackupRule, plan: list[BackupRule]) -> BackupRule | None:
    """Compares the run's start window with each one of every other rule, from a month before on."""
    end = run + timedelta(minutes=of.start_window_minutes)
    for other in plan:
        longer = other.lifecycle.delete_after_days or 10**6
        if longer <= (of.lifecycle.delete_after_days or 10**6):
            continue
        schedule = Schedule.parse(other.schedule_expression, other.schedule_timezone)
        for other_run in schedule.runs(run - 30 * DAY, end):
            if other_run < end and other_run + timedelta(minutes=other.start_window_minutes) > run:
                return other
    return None


@settings(max_examples=80)
@given(st.lists(plan_rules, min_size=2, max_size=4), st.integers(0, 3000))
def test_swallowed_runs_are_those_that_a_brute_force_finds(plan: list[BackupRule], minutes: int) -> None:
    start = datetime(2027, 3, 26, tzinfo=UTC) + timedelta(minutes=minutes)
    end = start + 4 * DAY
    of = plan[0]
    expected = {
        run: swallower
        for run in Schedule.parse(of.schedule_expression, of.schedule_timezone).runs(start, end)
        if (swallower := swallowed_by_hand(run, of, plan)) is not None
    }
    assert swallowed_runs(of, plan, start, end) == expected


def test_the_ends_of_the_asked_time_hide_no_overlap() -> None:
    short, long = rule("short", "30 5 * * ? *", 60, 7), rule("long", "0 6 * * ? *", 60, 35)
    at_six = MIDNIGHT + timedelta(hours=6)
    assert set(swallowed_runs(short, [short, long], at_six - DAY / 24, at_six)) == {MIDNIGHT + timedelta(hours=5.5)}
    later = replace(short, schedule_expression="30 6 * * ? *")
    from_half_past = MIDNIGHT + timedelta(hours=6.5)
    assert set(swallowed_runs(later, [later, long], from_half_past, from_half_past + DAY / 24)) == {from_half_past}

"""The preview of runs, against dates looked up in a calendar and against an independent library."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from aws_croniter import AwsCroniter  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_simulator.core.schedules import next_runs

NOVEMBER = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("expression", "zone", "expected"),
    [
        pytest.param("cron(0 5 ? * * *)", "UTC", ["2026-11-24 05:00", "2026-11-25 05:00"], id="daily"),
        pytest.param("0 12 * * ? *", "UTC", ["2026-11-24 12:00", "2026-11-25 12:00"], id="bare, not now itself"),
        pytest.param("cron(15 * ? * * *)", "UTC", ["2026-11-23 12:15", "2026-11-23 13:15"], id="hourly"),
        pytest.param("cron(0 5 L * ? *)", "UTC", ["2026-11-30 05:00", "2026-12-31 05:00"], id="last day"),
        pytest.param("cron(0 5 LW * ? *)", "UTC", ["2026-11-30 05:00", "2026-12-31 05:00"], id="last workday"),
        pytest.param("cron(0 5 LW 2 ? *)", "UTC", ["2027-02-26 05:00", "2028-02-29 05:00"], id="last workday, Sunday"),
        pytest.param("cron(0 5 1W 5,8 ? *)", "UTC", ["2027-05-03 05:00", "2027-08-02 05:00"], id="workday at the 1st"),
        pytest.param("cron(0 5 ? * 6L *)", "UTC", ["2026-11-27 05:00", "2026-12-25 05:00"], id="last Friday"),
        pytest.param("cron(0 5 ? * L *)", "UTC", ["2026-11-28 05:00", "2026-12-05 05:00"], id="Saturdays"),
        pytest.param("cron(0 5 ? * MON#1 *)", "UTC", ["2026-12-07 05:00", "2027-01-04 05:00"], id="first Monday"),
        pytest.param("cron(0 5 ? * FRI-SUN *)", "UTC", ["2026-11-27 05:00", "2026-11-28 05:00"], id="wrapped days"),
        pytest.param("cron(0 5 29 FEB ? *)", "UTC", ["2028-02-29 05:00", "2032-02-29 05:00"], id="leap day"),
        pytest.param("cron(0 5 ? * * 2027/2)", "UTC", ["2027-01-01 05:00", "2027-01-02 05:00"], id="year step"),
        pytest.param("cron(0 5 ? * * 2020)", "UTC", [], id="past"),
        pytest.param("cron(0 5 30 FEB ? *)", "UTC", [], id="never"),
        pytest.param("rate(1 day)", "UTC", [], id="no cron"),
        pytest.param("cron(0 5 ? * ? *)", "UTC", [], id="two question marks"),
        pytest.param("cron(61 5 ? * * *)", "UTC", [], id="out of range"),
        pytest.param("cron(0 5 ? * * *)", "Mars/Olympus", [], id="no time zone"),
        pytest.param("cron(0 5 ? * * *)", "Asia/Tokyo", ["2026-11-23 20:00", "2026-11-24 20:00"], id="Tokyo"),
        pytest.param(
            "cron(30 1 ? 3 7L *)", "Europe/Berlin", ["2027-03-27 00:30", "2028-03-25 00:30"], id="before a clock change"
        ),
    ],
)
def test_next_runs(expression: str, zone: str, expected: list[str]) -> None:
    runs = next_runs(expression, zone, NOVEMBER, 2)
    assert [f"{run:%Y-%m-%d %H:%M}" for run in runs] == expected


def numbers(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high).map(str)
    return st.one_of(st.just("*"), number, st.builds(lambda a, b: f"{a},{b}", number, number))


@settings(max_examples=60)
@given(
    minute=numbers(0, 59),
    hour=numbers(0, 23),
    day=st.one_of(numbers(1, 28), st.just("L")),
    month=numbers(1, 12),
    weekday=st.one_of(numbers(1, 7), st.sampled_from(["MON-FRI", "2#3", "6L"])),
)
def test_agrees_with_aws_croniter(minute: str, hour: str, day: str, month: str, weekday: str) -> None:
    for expression in (f"{minute} {hour} {day} {month} ? *", f"{minute} {hour} ? {month} {weekday} *"):
        expected = AwsCroniter(expression).get_next(NOVEMBER, 3)
        assert next_runs(f"cron({expression})", "UTC", NOVEMBER, 3) == expected

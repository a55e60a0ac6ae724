"""Schedules: AWS's cron grammar, time zones, and the runs they make."""

# ruff: noqa: E501 - the tables read best with a case on a line

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from aws_croniter import AwsCroniter  # type: ignore[import-untyped]
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backup_rules.schedules.schedules import YEAR_AHEAD, Schedule, ScheduleError
from tests.strategies import AWS_CRONITER, CRONSIM, CronExpression, cron_expressions

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def runs(expression: str, start: str, end: str, zone: str = "Etc/UTC") -> list[str]:
    found = Schedule.parse(expression, zone).runs(utc(start), utc(end))
    return [run.strftime("%Y-%m-%d %H:%M") for run in found]


def days(expression: str, start: str, end: str) -> list[str]:
    return [run[:10] for run in runs(f"0 0 {expression}", start, end)]


# The grammar


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param("cron(0 5 ? * * *)", ["05:00"], id="the default of AWS Backup"),
        pytest.param("0 5 ? * * *", ["05:00"], id="bare"),
        pytest.param("  cron(  0\t5 ?  * * * )\n", ["05:00"], id="blanks around and between"),
        pytest.param("0 12 * * ? *", ["12:00"], id="AWS's example of every noon"),
        pytest.param("05 07 * * ? *", ["07:05"], id="leading zeros"),
        pytest.param("0 9,6,9 * * ? *", ["06:00", "09:00"], id="a list, out of order and twice"),
        pytest.param("0 22-2 * * ? *", ["00:00", "01:00", "02:00", "22:00", "23:00"], id="a range around midnight"),
        pytest.param("0 20-4/4 * * ? *", ["00:00", "04:00", "20:00"], id="a step over a range around midnight"),
        pytest.param("0/20 3 * * ? *", ["03:00", "03:20", "03:40"], id="a step from a value"),
        pytest.param("*/20 3 * * ? *", ["03:00", "03:20", "03:40"], id="a step over all"),
        pytest.param("1-10/3 3 * * ? *", ["03:01", "03:04", "03:07", "03:10"], id="a step over a range"),
        pytest.param("0 6-6/2 * * ? *", ["06:00"], id="a step over a range of one"),
        pytest.param("0 0/24 * * ? *", ["00:00"], id="a step as wide as the field"),
        pytest.param(
            "58-1 23,0 * * ? *",
            ["00:00", "00:01", "00:58", "00:59"] + [f"23:{m}" for m in ("00", "01", "58", "59")],
            id="minutes around the hour",
        ),
    ],
)
def test_times_of_the_day(expression: str, expected: list[str]) -> None:
    assert [run[11:] for run in runs(expression, "2026-11-23", "2026-11-24")] == expected


@pytest.mark.parametrize(
    ("fields", "start", "end", "expected"),
    [
        pytest.param("? * FRI-MON *", "2026-11-23", "2026-11-30", ["2026-11-23", "2026-11-27", "2026-11-28", "2026-11-29"], id="weekdays around the week"),
        pytest.param("? * 1 *", "2026-11-23", "2026-11-30", ["2026-11-29"], id="1 is Sunday"),
        pytest.param("? * 7 *", "2026-11-23", "2026-11-30", ["2026-11-28"], id="7 is Saturday"),
        pytest.param("? * mOn,wed *", "2026-11-23", "2026-11-30", ["2026-11-23", "2026-11-25"], id="names in any case"),
        pytest.param("? * MON/2 *", "2026-11-22", "2026-11-29", ["2026-11-23", "2026-11-25", "2026-11-27"], id="a step of weekdays"),
        pytest.param("? * L *", "2026-11-23", "2026-12-07", ["2026-11-28", "2026-12-05"], id="L alone is Saturday"),
        pytest.param("? * 6L *", "2026-11-01", "2027-01-01", ["2026-11-27", "2026-12-25"], id="last Friday"),
        pytest.param("? * friL *", "2026-11-01", "2027-01-01", ["2026-11-27", "2026-12-25"], id="last Friday by name"),
        pytest.param("? * SUNL,2L *", "2026-11-01", "2026-12-01", ["2026-11-29", "2026-11-30"], id="two last weekdays"),
        pytest.param("? * 3#2 *", "2026-11-01", "2027-01-01", ["2026-11-10", "2026-12-08"], id="second Tuesday"),
        pytest.param("? * MON#5 *", "2026-11-01", "2027-04-01", ["2026-11-30", "2027-03-29"], id="fifth Monday, not every month"),
        pytest.param("L * ? *", "2027-01-01", "2027-05-01", ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"], id="last of the month"),
        pytest.param("l * ? *", "2028-02-01", "2028-03-01", ["2028-02-29"], id="last of a leap February, in lower case"),
        pytest.param("L-3 * ? *", "2027-01-01", "2027-03-01", ["2027-01-28", "2027-02-25"], id="three before the last"),
        pytest.param("L-30 * ? *", "2027-01-01", "2027-04-01", ["2027-01-01", "2027-03-01"], id="thirty before the last, in months of 31"),
        pytest.param("15,L * ? *", "2027-02-01", "2027-03-01", ["2027-02-15", "2027-02-28"], id="a list with L"),
        pytest.param("LW * ? *", "2027-01-01", "2027-06-01", ["2027-01-29", "2027-02-26", "2027-03-31", "2027-04-30", "2027-05-31"], id="last weekday"),
        pytest.param("1W * ? *", "2027-05-01", "2027-09-01", ["2027-05-03", "2027-06-01", "2027-07-01", "2027-08-02"], id="weekday nearest to the first, not a month before"),
        pytest.param("31W * ? *", "2027-01-01", "2027-06-01", ["2027-01-29", "2027-03-31", "2027-05-31"], id="31W skips shorter months"),
        pytest.param("15W * ? *", "2027-05-01", "2027-09-01", ["2027-05-14", "2027-06-15", "2027-07-15", "2027-08-16"], id="weekday nearest to the 15th"),
        pytest.param("31 * ? *", "2027-01-01", "2027-06-01", ["2027-01-31", "2027-03-31", "2027-05-31"], id="31 skips shorter months"),
        pytest.param("28-2 2 ? *", "2027-01-01", "2028-01-01", ["2027-02-01", "2027-02-02", "2027-02-28"], id="days around the month"),
        pytest.param("1 NOV-FEB ? *", "2026-06-01", "2027-06-01", ["2026-11-01", "2026-12-01", "2027-01-01", "2027-02-01"], id="months around the year"),
        pytest.param("1 jan,7/5 ? *", "2026-06-01", "2027-06-01", ["2026-07-01", "2026-12-01", "2027-01-01"], id="months by name and step"),
        pytest.param("29 2 ? *", "2024-01-01", "2033-01-01", ["2024-02-29", "2028-02-29", "2032-02-29"], id="leap days"),
        pytest.param("29 2 ? *", "2096-01-01", "2105-01-01", ["2096-02-29", "2104-02-29"], id="2100 is no leap year"),
        pytest.param("1 1 ? 2027/2", "2026-01-01", "2032-01-01", ["2027-01-01", "2029-01-01", "2031-01-01"], id="a step of years"),
        pytest.param("1 1 ? 2027-2028,2031", "2026-01-01", "2034-01-01", ["2027-01-01", "2028-01-01", "2031-01-01"], id="years listed"),
    ],
)  # fmt: skip
def test_days(fields: str, start: str, end: str, expected: list[str]) -> None:
    assert days(fields, start, end) == expected


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("0 5 * * * *", ['Day-of-month ("*")', 'Day-of-week ("*")', 'must be "?"']),
        ("0 5 ? * ? *", ["exactly one", 'must be "?"']),
        ("0 5 1 * MON *", ["exactly one", '"1"', '"MON"']),
        ("0 5 * * *", ["5 fields", "6 fields"]),
        ("0 0 5 * * ? *", ["7 fields", "6 fields"]),
        ("", ["0 fields"]),
        ("cron()", ["0 fields"]),
        ("cron(0 5 ? * * *", ["Minutes", '"cron(0"']),
        ("rate(12 hours)", ["rate(12 hours)", "not accepted by AWS Backup"]),
        ("at(2027-01-01T00:00:00)", ["not accepted by AWS Backup"]),
        ("60 5 ? * * *", ['Minutes field "60"', "0-59"]),
        ("-1 5 ? * * *", ['Minutes field "-1"', "0-59"]),
        ("0,,5 5 ? * * *", ["Minutes", "missing"]),
        ("1.5 5 ? * * *", ["Minutes", '"1.5"']),
        ("٣ 5 ? * * *", ["Minutes"]),
        ("0/0 5 ? * * *", ["Minutes", 'step "0"', "1-60"]),
        ("0/61 5 ? * * *", ["Minutes", 'step "61"']),
        ("0/ 5 ? * * *", ["Minutes", 'step ""']),
        ("/5 5 ? * * *", ["Minutes", "missing"]),
        ("*-5 5 ? * * *", ["Minutes", '"*"']),
        ("1-2-3 5 ? * * *", ["Minutes", '"2-3"']),
        ("? 5 ? * * *", ["Minutes", '"?"']),
        ("L 5 ? * * *", ["Minutes", '"L"']),
        ("0 24 ? * * *", ['Hours field "24"', "24 is not in 0-23"]),
        ("0 5 0 * ? *", ["Day-of-month", "1-31"]),
        ("0 5 32 * ? *", ["Day-of-month", "1-31"]),
        ("0 5 32W * ? *", ["Day-of-month", "1-31"]),
        ("0 5 1-5W * ? *", ["Day-of-month", '"1-5"']),
        ("0 5 L-31 * ? *", ["Day-of-month", "1-30"]),
        ("0 5 MON * ? *", ["Day-of-month", '"MON"']),
        ("0 5 3#2 * ? *", ["Day-of-month", '"3#2"']),
        ("0 5 ?,1 * ? *", ["Day-of-month", '"?" stands only alone']),
        ("0 5 ? 13 * *", ["Month", "1-12"]),
        ("0 5 ? SEPT * *", ["Month", "JAN-DEC"]),
        ("0 5 ? ? * *", ["Month", '"?"']),
        ("0 5 ? * 0 *", ["Day-of-week", "1 is Sunday"]),
        ("0 5 ? * 8 *", ["Day-of-week", "1-7"]),
        ("0 5 ? * MONDAY *", ["Day-of-week", '"MONDAY"', "SUN-SAT"]),
        ("0 5 ? * 3W *", ["Day-of-week", '"3W"']),
        ("0 5 ? * LW *", ["Day-of-week", '"LW"']),
        ("0 5 ? * 3#6 *", ["Day-of-week", "1-5"]),
        ("0 5 ? * 3# *", ["Day-of-week", "1-5"]),
        ("0 5 ? * 3#1,6#3 *", ["Day-of-week", "alone"]),
        ("0 5 ? * * 1969", ["Year", "1970-2199"]),
        ("0 5 ? * * 2200", ["Year", "1970-2199"]),
        ("0 5 ? * * 2030-2028", ["Year", "2030-2028"]),
        ("0 5 ? * * " + "9" * 5000, ["Year"]),
        ("x" * 5000, ["1 fields"]),
    ],
)
def test_what_the_grammar_refuses(expression: str, told: list[str]) -> None:
    with pytest.raises(ScheduleError) as raised:
        Schedule.parse(expression)
    for words in told:
        assert words in str(raised.value)
    assert len(str(raised.value)) <= 180  # leaves an annotation room for the names of plan and rule


@pytest.mark.parametrize(
    "zone",
    ["", "Europe", "Europe/Berln", "europe/berlin", "../../etc/passwd", "/etc/passwd", "Europe/../UTC", "localtime",
     "posixrules", "Factory", "\0", "UTC\n", "é", "\ud800", "A" * 5000],
)  # fmt: skip
def test_an_unknown_time_zone_is_named(zone: str) -> None:
    with pytest.raises(ScheduleError, match=r"time zone .* is unknown\. Allowed: an IANA name") as raised:
        Schedule.parse("0 5 ? * * *", zone)
    assert len(str(raised.value)) <= 180


# Runs against a brute force


def matching_minutes(cron: CronExpression, start: datetime, end: datetime) -> Iterator[datetime]:
    """Every minute of the clock, one after the other, that the expression means."""
    known: dict[date, bool] = {}
    moment = start
    while moment < end:
        day = moment.date()
        if day not in known:
            known[day] = cron.means_day(day)
        if known[day] and moment.hour in cron.hours and moment.minute in cron.minutes:
            yield moment
        moment += MINUTE


instants = st.datetimes(datetime(2024, 1, 1), datetime(2033, 1, 1)).map(  # noqa: DTZ001 - the zone is set next
    lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC)
)


@settings(max_examples=120)
@given(cron_expressions(), instants, st.integers(1, 60 * 24 * 9))
def test_runs_are_the_minutes_that_a_brute_force_finds(cron: CronExpression, start: datetime, minutes: int) -> None:
    end = start + minutes * MINUTE
    assert list(Schedule.parse(cron.text).runs(start, end)) == list(matching_minutes(cron, start, end))


@settings(max_examples=100)
@given(cron_expressions(), st.dates(date(2023, 6, 1), date(2033, 1, 1)))
def test_days_of_a_year_are_those_that_a_brute_force_finds(cron: CronExpression, first: date) -> None:
    start = datetime.combine(first, datetime.min.time(), UTC)
    expected = [first + timedelta(days=n) for n in range(400) if cron.means_day(first + timedelta(days=n))]
    day_fields = " ".join(cron.text.strip(" cron()").split()[2:])
    found = Schedule.parse(f"0 0 {day_fields}").runs(start, start + timedelta(days=400))
    assert [run.date() for run in found] == expected


@settings(max_examples=100)
@given(cron_expressions(), instants, st.integers(0, 59_999_999))
def test_next_and_previous_run_are_the_nearest_from_any_instant(
    cron: CronExpression, moment: datetime, microseconds: int
) -> None:
    moment += timedelta(microseconds=microseconds)
    schedule = Schedule.parse(cron.text)
    around = timedelta(days=800)
    later = next(schedule.runs(moment + timedelta(microseconds=1), moment + around), None)
    if later is not None:
        assert schedule.next_run(moment) == later
        assert schedule.previous_run(later + timedelta(microseconds=1)) == later
        earlier = schedule.previous_run(later)
        assert earlier is None or earlier <= moment
        assert list(schedule.runs(moment + timedelta(microseconds=1), later)) == []
        if earlier is not None:
            assert list(schedule.runs(earlier, later)) == [earlier]
            assert schedule.next_run(earlier) == later


@settings(max_examples=150)
@given(cron_expressions(AWS_CRONITER), instants)
def test_agrees_with_aws_croniter(cron: CronExpression, moment: datetime) -> None:
    oracle = AwsCroniter(cron.text.strip().removeprefix("cron(").removesuffix(")").strip())
    try:
        expected = oracle.get_next(moment)[0]
    except (ValueError, TypeError):  # it gives up on dates such as 30 February
        assume(False)  # noqa: FBT003 - Hypothesis's own way to leave an example out
    found = Schedule.parse(cron.text).next_run(moment)
    if expected is None:  # it also gives up after a few months without the day
        assert found is None or found > moment + timedelta(days=60)
    else:
        assert found == expected


@settings(max_examples=80)
@given(cron_expressions(CRONSIM), instants)
def test_agrees_with_cronsim(cron: CronExpression, moment: datetime) -> None:
    minutes, hours, day_of_month, months, day_of_week, _ = cron.text.strip(" cron()").split()
    text = f"{minutes} {hours} {day_of_month.replace('?', '*')} {months} {sunday_as_zero(day_of_week)}"
    try:
        oracle = CronSim(text, moment)
    except Exception:  # noqa: BLE001 - FRIL, and dates that never come
        assume(False)  # noqa: FBT003
    expected = list(islice(oracle, 5))
    schedule = Schedule.parse(cron.text)
    assert list(islice(schedule.runs(moment + MINUTE, datetime(2199, 1, 1, tzinfo=UTC)), 5)) == expected


def sunday_as_zero(day_of_week: str) -> str:
    """AWS's Day-of-week field in the numbers of Unix: 0 for Sunday. Only what cronsim knows is kept."""
    if day_of_week in "?*":
        return "*"
    day, hash_sign, nth = day_of_week.partition("#")
    if hash_sign:
        return f"{int(day) - 1}#{nth}" if day.isdigit() else f"{day}#{nth}"
    numbers = [f"{int(part) - 1}" if part.isdigit() else part for part in _parts(day_of_week)]
    return "".join(numbers)


def _parts(text: str) -> Iterator[str]:
    """Numbers, and what stands between them."""
    while text:
        length = next((n for n, c in enumerate(text) if c.isdigit() != text[0].isdigit()), len(text))
        yield text[:length]
        text = text[length:]


# Intervals and edges


def test_start_is_included_and_end_is_not() -> None:
    assert runs("0 5 ? * * *", "2026-11-23 05:00", "2026-11-24 05:00") == ["2026-11-23 05:00"]
    start = utc("2026-11-23 05:00:00.000001")
    assert list(Schedule.parse("0 5 ? * * *").runs(start, utc("2026-11-24 05:00:00.000001"))) == [
        utc("2026-11-24 05:00")
    ]


@pytest.mark.parametrize("end", ["2026-11-23 05:00", "2026-11-22"])
def test_an_empty_interval_has_no_runs(end: str) -> None:
    assert runs("* * ? * * *", "2026-11-23 05:00", end) == []


def test_runs_in_another_time_zone_are_told_in_utc() -> None:
    berlin = datetime(2026, 11, 23, 0, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    run = next(Schedule.parse("0 5 ? * * *", "Asia/Kolkata").runs(berlin, berlin + timedelta(days=1)))
    assert run == utc("2026-11-22 23:30")
    assert run.tzinfo is UTC


def test_an_instant_without_time_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        Schedule.parse("0 5 ? * * *").next_run(NOW.replace(tzinfo=None))


@pytest.mark.parametrize("seconds", [0, 1, 30, 59, 59.5])
def test_previous_run_is_right_seconds_after_a_run(seconds: float) -> None:
    schedule = Schedule.parse("0 5 ? * * *")
    run = utc("2026-11-23 05:00")
    expected = run if seconds else utc("2026-11-22 05:00")
    assert schedule.previous_run(run + timedelta(seconds=seconds)) == expected
    assert schedule.next_run(run + timedelta(seconds=seconds)) == utc("2026-11-24 05:00")


@pytest.mark.parametrize(
    ("expression", "never"),
    [
        ("0 5 30 2 ? *", True),
        ("0 5 31 4,6,9,11 ? *", True),
        ("0 5 31W 2 ? *", True),
        ("0 5 L-30 2 ? *", True),
        ("0 5 ? * * 2025", True),
        ("0 5 ? * * 1970-2025", True),
        ("0 5 29 2 ? 2025-2027", True),
        ("30 9 23 11 ? 2026", True),  # is due at this very instant
        ("31 9 23 11 ? 2026", False),
        ("0 5 29 2 ? *", False),
        ("0 5 ? 2 SUN#5 *", False),  # 2032
        ("0 5 ? * * 2199", False),
    ],
)
def test_never_again(expression: str, never: bool) -> None:
    assert Schedule.parse(expression).never_again(NOW) is never


def test_the_last_run_of_the_grammars_years() -> None:
    schedule = Schedule.parse("0 5 31 12 ? 2199", "America/New_York")
    assert schedule.next_run(NOW) == utc("2199-12-31 10:00")
    assert schedule.next_run(utc("2199-12-31 10:00")) is None
    assert schedule.previous_run(NOW) is None


def test_rare_runs_are_found_in_both_directions() -> None:
    schedule = Schedule.parse("0 5 ? 2 SUN#5 *")
    assert schedule.next_run(NOW) == utc("2032-02-29 05:00")
    assert schedule.previous_run(NOW) == utc("2004-02-29 05:00")


def test_a_schedule_of_every_minute_is_found_as_it_is_asked_for() -> None:
    schedule = Schedule.parse("* * ? * * *", "Europe/Berlin")
    assert list(islice(schedule.runs(NOW, utc("2199-01-01")), 2)) == [NOW, NOW + MINUTE]


def test_equal_texts_make_equal_schedules() -> None:
    assert Schedule.parse("0 5 ? * * *") == Schedule.parse("0 5 ? * * *", "Etc/UTC")
    assert Schedule.parse("0 5 ? * * *") != Schedule.parse("0 5 ? * * *", "Europe/Berlin")


def test_a_year_ahead_holds_each_date_once() -> None:
    assert len(list(Schedule.parse("0 5 ? * * *").runs(NOW, NOW + YEAR_AHEAD))) == 366


# Changes of the clock


@pytest.mark.parametrize(
    ("zone", "expression", "start", "end", "expected"),
    [
        pytest.param("America/New_York", "30 2 * * ? *", "2027-03-13", "2027-03-16",
                     ["2027-03-13 07:30", "2027-03-14 07:00", "2027-03-15 06:30"], id="New York, in the gap: when it ends"),
        pytest.param("America/New_York", "0 2 * * ? *", "2027-03-14", "2027-03-15", ["2027-03-14 07:00"], id="New York, first of the gap"),
        pytest.param("America/New_York", "0 3 * * ? *", "2027-03-14", "2027-03-15", ["2027-03-14 07:00"], id="New York, end of the gap"),
        pytest.param("America/New_York", "30 2,3 * * ? *", "2027-03-14", "2027-03-15",
                     ["2027-03-14 07:00", "2027-03-14 07:30"], id="New York, in the gap and after"),
        pytest.param("America/New_York", "0,15,30 2,3 * * ? *", "2027-03-14 06:00", "2027-03-14 07:10",
                     ["2027-03-14 07:00"], id="New York, many starts in the gap: one run"),
        pytest.param("America/New_York", "59 1 * * ? *", "2027-03-14", "2027-03-15", ["2027-03-14 06:59"], id="New York, before the gap"),
        pytest.param("America/New_York", "30 2 * * ? *", "2027-03-14", "2027-03-14 07:00", [], id="New York, asked up to the end of the gap"),
        pytest.param("America/New_York", "30 2 * * ? *", "2027-03-14 07:00:00.5", "2027-03-15", [], id="New York, asked from after the end of the gap"),
        pytest.param("America/New_York", "30 1 * * ? *", "2026-10-31", "2026-11-03",
                     ["2026-10-31 05:30", "2026-11-01 05:30", "2026-11-02 06:30"], id="New York, repeated hour: the first"),
        pytest.param("America/New_York", "30 1 * * ? *", "2026-11-01 05:31", "2026-11-01 12:00", [], id="New York, asked amid the repeated hour"),
        pytest.param("America/New_York", "0 2 * * ? *", "2026-11-01", "2026-11-02", ["2026-11-01 07:00"], id="New York, after the repeated hour"),
        pytest.param("America/New_York", "30 * * * ? *", "2027-03-14 05:00", "2027-03-14 09:00",
                     ["2027-03-14 05:30", "2027-03-14 06:30", "2027-03-14 07:30", "2027-03-14 08:30"], id="New York, hourly through the gap"),
        pytest.param("America/New_York", "30 * * * ? *", "2026-11-01 04:00", "2026-11-01 08:00",
                     ["2026-11-01 04:30", "2026-11-01 05:30", "2026-11-01 06:30", "2026-11-01 07:30"], id="New York, hourly through the repeated hour"),
        pytest.param("America/New_York", "0 0/2 * * ? *", "2027-03-14 04:00", "2027-03-14 09:00",
                     ["2027-03-14 05:00", "2027-03-14 07:00", "2027-03-14 08:00"], id="New York, two-hourly through the gap"),
        pytest.param("Europe/Berlin", "30 2 * * ? *", "2027-03-28", "2027-03-29", ["2027-03-28 01:00"], id="Berlin, in the gap"),
        pytest.param("Europe/Berlin", "30 2 * * ? *", "2027-10-31", "2027-11-01", ["2027-10-31 00:30"], id="Berlin, repeated hour"),
        pytest.param("Australia/Lord_Howe", "15 2 * * ? *", "2026-10-03", "2026-10-04 15:31",
                     ["2026-10-03 15:30", "2026-10-04 15:15"], id="Lord Howe, in a gap of half an hour"),
        pytest.param("Australia/Lord_Howe", "45 1 * * ? *", "2027-04-03", "2027-04-04 15:30",
                     ["2027-04-03 14:45", "2027-04-04 15:15"], id="Lord Howe, half an hour repeated"),
        pytest.param("America/Sao_Paulo", "0 0 * * ? *", "2018-11-03", "2018-11-06",
                     ["2018-11-03 03:00", "2018-11-04 03:00", "2018-11-05 02:00"], id="Sao Paulo, a gap at midnight"),
        pytest.param("America/Sao_Paulo", "30 23 * * ? *", "2018-02-17", "2018-02-20",
                     ["2018-02-17 01:30", "2018-02-18 01:30", "2018-02-19 02:30"], id="Sao Paulo, the hour before midnight repeated"),
        pytest.param("America/Sao_Paulo", "0 5 * * ? *", "2026-10-31", "2026-11-02",
                     ["2026-10-31 08:00", "2026-11-01 08:00"], id="Sao Paulo today, no change"),
        pytest.param("America/St_Johns", "30 23 * * ? *", "2009-11-01", "2009-11-02 04:00",
                     ["2009-11-01 02:00", "2009-11-02 03:00"], id="St. John's, an hour repeated over midnight"),
        pytest.param("Pacific/Apia", "0 5 * * ? *", "2011-12-29", "2012-01-01",
                     ["2011-12-29 15:00", "2011-12-30 10:00", "2011-12-30 15:00", "2011-12-31 15:00"], id="Apia, a day that never was"),
        pytest.param("Asia/Kathmandu", "0 0 * * ? *", "2026-11-23", "2026-11-24", ["2026-11-23 18:15"], id="Kathmandu, a quarter of an hour"),
        pytest.param("Europe/Dublin", "30 1 * * ? *", "2027-03-28", "2027-03-29", ["2027-03-28 01:00"], id="Dublin, whose winter is the exception"),
    ],
)  # fmt: skip
def test_changes_of_the_clock(zone: str, expression: str, start: str, end: str, expected: list[str]) -> None:
    assert runs(expression, start, end, zone) == expected


def test_runs_moved_by_a_clock_change_are_told() -> None:
    schedule = Schedule.parse("30 2 * * ? *", "America/New_York")
    year = list(schedule.runs(NOW, NOW + YEAR_AHEAD))
    assert [run for run in year if schedule.moved_by_clock_change(run)] == [utc("2027-03-14 07:00")]


@pytest.mark.parametrize("expression", ["0 3 * * ? *", "0 2,3 * * ? *", "0 * * * ? *"])
def test_a_run_that_is_due_at_the_leap_anyway_is_not_moved(expression: str) -> None:
    schedule = Schedule.parse(expression, "America/New_York")
    assert utc("2027-03-14 07:00") in set(schedule.runs(utc("2027-03-14"), utc("2027-03-15")))
    assert not schedule.moved_by_clock_change(utc("2027-03-14 07:00"))


CHANGES = [
    ("America/New_York", "2027-03-14 07:00"),
    ("America/New_York", "2026-11-01 06:00"),
    ("Europe/Berlin", "2027-03-28 01:00"),
    ("Europe/Berlin", "2026-10-25 01:00"),
    ("Australia/Lord_Howe", "2026-10-03 15:30"),
    ("Australia/Lord_Howe", "2027-04-03 15:00"),
    ("America/Sao_Paulo", "2018-11-04 03:00"),
    ("America/Sao_Paulo", "2018-02-18 02:00"),
    ("America/St_Johns", "2009-11-01 02:31"),
    ("Pacific/Apia", "2011-12-30 10:00"),
    ("Antarctica/Troll", "2027-03-28 01:00"),
    ("Africa/Casablanca", "2027-02-07 02:00"),
]


def brute_force_in_zone(cron: CronExpression, zone: str, start: datetime, end: datetime) -> Iterator[datetime]:
    """Looks at the zone's clock every minute.

    A schedule of every hour runs whenever the clock shows a start. Any other runs when the clock first comes to a start
    or has just leapt over one: a time that was shown before does not count again.
    """
    furthest = datetime.min  # noqa: DTZ901 - what a wall clock shows has no zone
    moment = start - timedelta(hours=26)
    while moment < end:
        shown = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        if len(cron.hours) == 24:
            due = any(True for _ in matching_minutes(cron, shown, shown + MINUTE))
        else:
            since = max(furthest + MINUTE, shown - timedelta(hours=26)) if furthest > datetime.min else shown  # noqa: DTZ901
            due = shown > furthest and any(True for _ in matching_minutes(cron, since, shown + MINUTE))
        if due and moment >= start:
            yield moment
        furthest = max(furthest, shown)
        moment += MINUTE


@settings(max_examples=60)
@given(cron_expressions(), st.sampled_from(CHANGES), st.integers(-1500, 300), st.integers(1, 1800))
def test_runs_around_a_change_of_the_clock_match_a_brute_force(
    cron: CronExpression, change: tuple[str, str], before: int, minutes: int
) -> None:
    zone, instant = change
    start = utc(instant) + before * MINUTE
    end = start + minutes * MINUTE
    expected = list(brute_force_in_zone(cron, zone, start, end))
    schedule = Schedule.parse(cron.text, zone)
    assert list(schedule.runs(start, end)) == expected
    if expected:
        assert schedule.next_run(start - MINUTE) == expected[0]
        assert schedule.previous_run(end) == expected[-1]


@settings(max_examples=60)
@given(st.integers(0, 59), st.sets(st.integers(0, 23), min_size=1, max_size=3), st.sampled_from(CHANGES[:6]))
def test_agrees_with_cronsim_on_changes_of_the_clock(minute: int, hours: set[int], change: tuple[str, str]) -> None:
    zone, instant = change
    start = utc(instant) - timedelta(days=2)
    listed = ",".join(map(str, sorted(hours)))
    oracle = CronSim(f"{minute} {listed} * * *", start.astimezone(ZoneInfo(zone)))
    expected = {run.astimezone(UTC) for run in islice(oracle, 12)}
    end = max(expected)
    found = set(Schedule.parse(f"{minute} {listed} * * ? *", zone).runs(start + MINUTE, end + MINUTE))
    assert found == expected


# The hour step that runs less often than it reads


@pytest.mark.parametrize(
    ("hours", "runs_a_day", "reads", "remedy"),
    [
        ("12/12", 1, 2, "0/12"),
        ("13/12", 1, 2, "1/12"),
        ("23/12", 1, 2, "11/12"),
        ("20/6", 1, 4, "2/6"),
        ("6/6", 3, 4, "0/6"),
        ("8/4", 4, 6, "0/4"),
        ("22/7", 1, 3, "1/7"),
    ],
)
def test_hour_steps_that_fall_short(hours: str, runs_a_day: int, reads: int, remedy: str) -> None:
    pitfall = Schedule.parse(f"0 {hours} * * ? *").hour_step_pitfall()
    assert pitfall is not None
    assert (pitfall.runs_a_day, pitfall.reads_runs_a_day, pitfall.remedy) == (runs_a_day, reads, remedy)
    assert len(runs(f"0 {hours} * * ? *", "2026-11-23", "2026-11-24")) == runs_a_day
    assert len(runs(f"0 {remedy} * * ? *", "2026-11-23", "2026-11-24")) >= reads
    assert Schedule.parse(f"0 {remedy} * * ? *").hour_step_pitfall() is None


@pytest.mark.parametrize(
    "hours",
    [
        "0/12",
        "00/12",
        "8/12",
        "11/12",
        "0/5",
        "4/5",
        "5/5",
        "0/24",
        "12/24",
        "12",
        "*",
        "*/12",
        "8-18/2",
        "12/12,0",
        "0,12",
    ],
)
def test_hours_that_run_as_they_read(hours: str) -> None:
    assert Schedule.parse(f"0 {hours} * * ? *").hour_step_pitfall() is None


def test_the_pitfall_says_what_happens_and_what_to_write() -> None:
    pitfall = Schedule.parse("cron(0 12/12 * * ? *)").hour_step_pitfall()
    assert str(pitfall) == (
        "Hours field 12/12 runs once a day, not twice, since AWS Backup counts hours to 23:59 only: write 0/12"
    )

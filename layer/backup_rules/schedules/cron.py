"""AWS's cron grammar: what the six fields of an expression allow, on a wall clock without time zone.

`Minutes Hours Day-of-month Month Day-of-week Year`, bare or inside `cron(…)`. Where AWS's page leaves a form open, the
reading of Quartz is taken, whose grammar this is:
- A range may wrap around: `FRI-MON`, `NOV-FEB`, `22-2`; not so in the Year field.
- A step begins at a value and goes to the end of the field (`0/15`), or goes over a range (`1-10/3`) or all (`*/5`).
- `L` is the last day of the month, or alone in Day-of-week Saturday; `L-3` is three days before the last of the month.
- `LW` is the last weekday (Monday to Friday) of the month; `15W` the weekday nearest to the 15th in the same month. A
  month without that day has none: `31W` never runs in April.
- `6L` or `FRIL` is the last Friday of the month, `6#3` or `FRI#3` the third. `#` stands alone in its field.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html and
https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import field
from datetime import date

from backup_rules.values import dataclass
from backup_rules.wording.annotations import name as shortened
from backup_rules.wording.quoting import quote

SECONDS_A_DAY = 86_400
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SATURDAY = 7
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class ScheduleError(ValueError):
    """A schedule that AWS Backup cannot run. A sentence that names the field, its text and what is allowed there."""


@dataclass(frozen=True, slots=True)
class Field:
    """One of the six fields: its lowest and highest value, the names of its values from the lowest, its grammar."""

    name: str
    low: int
    high: int
    allowed: str
    names: tuple[str, ...] = ()
    wraps: bool = True

    def error(self, text: str, reason: str) -> ScheduleError:
        return ScheduleError(f"{self.name} field {quote(shortened(text, 24))}: {reason}. Allowed: {self.allowed}")


MINUTES = Field("Minutes", 0, 59, "0-59 , - * /")
HOURS = Field("Hours", 0, 23, "0-23 , - * /")
DAY_OF_MONTH = Field("Day-of-month", 1, 31, "1-31 , - * ? / L W")
MONTH = Field("Month", 1, 12, "1-12 or JAN-DEC , - * /", _MONTHS)
DAY_OF_WEEK = Field("Day-of-week", 1, 7, "1-7 (1 is Sunday) or SUN-SAT , - * ? / L #", _WEEKDAYS)
YEAR = Field("Year", 1970, 2199, "1970-2199 , - * /", wraps=False)
FIELDS = (MINUTES, HOURS, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, YEAR)


@dataclass(frozen=True, slots=True)
class DaysOfMonth:
    """What the Day-of-month field asks for; a day that answers to any of these is meant.

    `before_last` counts days back from the last of the month (0 is `L`), `nearest_weekday` holds the n of each `nW`.
    """

    numbers: frozenset[int] = frozenset()
    before_last: frozenset[int] = frozenset()
    nearest_weekday: frozenset[int] = frozenset()
    last_weekday: bool = False

    def in_month(self, first_weekday: int, length: int) -> list[int]:
        """The days meant in a month of `length` days whose first is `first_weekday` (0 is Monday), in order."""
        days = {day for day in self.numbers if day <= length}
        days |= {length - back for back in self.before_last if back < length}
        days |= {_nearest_weekday(day, first_weekday, length) for day in self.nearest_weekday if day <= length}
        if self.last_weekday:
            days.add(_nearest_weekday(length, first_weekday, length))
        return sorted(days)


def _nearest_weekday(day: int, first_weekday: int, length: int) -> int:
    """The day from Monday to Friday nearest to `day` that lies in the same month."""
    weekday = (first_weekday + day - 1) % 7
    if weekday == 5:
        return day - 1 if day > 1 else day + 2
    if weekday == 6:
        return day + 1 if day < length else day - 2
    return day


@dataclass(frozen=True, slots=True)
class DaysOfWeek:
    """What the Day-of-week field asks for, with 1 for Sunday; a day that answers to any of these is meant.

    `last` holds the weekdays whose last occurrence in the month is meant, `nth` pairs of weekday and occurrence.
    """

    numbers: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()
    nth: frozenset[tuple[int, int]] = frozenset()

    def in_month(self, first_weekday: int, length: int) -> list[int]:
        """The days meant in a month of `length` days whose first is `first_weekday` (0 is Monday), in order."""
        return [day for day in range(1, length + 1) if self._means(day, (first_weekday + day) % 7 + 1, length)]

    def _means(self, day: int, weekday: int, length: int) -> bool:
        return (
            weekday in self.numbers
            or (weekday in self.last and day + 7 > length)
            or (weekday, (day + 6) // 7) in self.nth
        )


@dataclass(frozen=True, slots=True)
class HourStep:
    """`first/step` in the Hours field: each `step` hours from `first` to the end of the day."""

    first: int
    step: int

    @property
    def runs_a_day(self) -> int:
        return len(range(self.first, 24, self.step))


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression. `hour_step` is set when the Hours field is a single step from a value: `8/12`."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: DaysOfMonth | DaysOfWeek
    months: tuple[int, ...]
    years: tuple[int, ...]
    hour_step: HourStep | None
    times: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        times = tuple(hour * 3600 + minute * 60 for hour in self.hours for minute in self.minutes)
        object.__setattr__(self, "times", times)

    @property
    def every_hour(self) -> bool:
        return len(self.hours) == 24

    def walls(self, start: int, end: int, *, once_a_week: bool = False) -> Iterator[int]:
        """The wall times meant, in order, from `start` up to `end` (excluded), in seconds since 1970.

        With `once_a_week` a whole day is left out when one of the same weekday came before.
        """
        weekdays: set[int] = set()
        for day in self._days(start // SECONDS_A_DAY, -(-end // SECONDS_A_DAY)):
            begin = day * SECONDS_A_DAY
            if start <= begin and begin + SECONDS_A_DAY <= end:
                if day % 7 in weekdays:
                    continue
                if once_a_week:
                    weekdays.add(day % 7)
                yield from [begin + time for time in self.times]
            else:
                yield from [begin + time for time in self.times if start <= begin + time < end]

    def fires_in(self, year: int) -> bool:
        """Whether the expression means any day of that year."""
        return year in self.years and any(self._month_days(year, month) for month in self.months)

    def _days(self, first: int, end: int) -> Iterator[int]:
        """The days meant, counted from 1 January 1970, from `first` up to `end` (excluded)."""
        first_date = date.fromordinal(_EPOCH_DAY + first)
        last_date = date.fromordinal(_EPOCH_DAY + max(first, end - 1))
        for year in self.years[bisect_left(self.years, first_date.year) : bisect_right(self.years, last_date.year)]:
            for month in self.months:
                if not (first_date.year, first_date.month) <= (year, month) <= (last_date.year, last_date.month):
                    continue
                month_start = date(year, month, 1).toordinal() - _EPOCH_DAY
                for number in self._month_days(year, month):
                    day = month_start + number - 1
                    if first <= day < end:
                        yield day

    def _month_days(self, year: int, month: int) -> list[int]:
        return self.days.in_month(*calendar.monthrange(year, month))


def parse(expression: str) -> Cron:
    """The meaning of `expression`, with or without `cron( )`, blanks around it or not.

    Raises:
        ScheduleError: AWS's grammar does not allow it.
    """
    texts = _field_texts(expression)
    minutes, hours, day_of_month, month, day_of_week, year = texts
    for grammar, text in zip(FIELDS, texts, strict=True):
        if "?" in text and (text != "?" or grammar not in (DAY_OF_MONTH, DAY_OF_WEEK)):
            raise grammar.error(text, '"?" stands only alone, and in Day-of-month or Day-of-week')
    if (day_of_month == "?") == (day_of_week == "?"):
        raise ScheduleError(
            f"exactly one of Day-of-month ({quote(shortened(day_of_month, 24))}) and Day-of-week "
            f'({quote(shortened(day_of_week, 24))}) must be "?"'
        )
    return Cron(
        minutes=_sorted_values(MINUTES, minutes),
        hours=_sorted_values(HOURS, hours),
        days=_days_of_week(day_of_week) if day_of_month == "?" else _days_of_month(day_of_month),
        months=_sorted_values(MONTH, month),
        years=_sorted_values(YEAR, year),
        hour_step=_hour_step(hours),
    )


def _field_texts(expression: str) -> list[str]:
    text = expression.strip()
    if text.startswith(("rate(", "at(")):
        raise ScheduleError(
            f"{quote(shortened(text, 40))} is not accepted by AWS Backup. Allowed: cron expressions only"
        )
    if text.startswith("cron(") and text.endswith(")"):
        text = text.removeprefix("cron(").removesuffix(")")
    texts = text.split()
    if len(texts) != 6:
        raise ScheduleError(
            f"the cron expression {quote(shortened(text, 40))} has {len(texts)} fields. Allowed: 6 fields, Minutes "
            "Hours Day-of-month Month Day-of-week Year, such as cron(0 5 ? * * *)"
        )
    return texts


def _sorted_values(grammar: Field, text: str) -> tuple[int, ...]:
    return tuple(sorted({value for item in text.split(",") for value in _values(grammar, text, item)}))


def _values(grammar: Field, text: str, item: str) -> range | list[int]:
    """The values of one item of a list: a value, a range or all, with a step or without."""
    base, slash, step_text = item.partition("/")
    step = _step(grammar, text, step_text) if slash else 1
    if base == "*":
        return range(grammar.low, grammar.high + 1, step)
    first_text, dash, last_text = base.partition("-")
    first = _value(grammar, text, first_text)
    if dash:
        return _range(grammar, text, first, _value(grammar, text, last_text))[::step]
    return range(first, grammar.high + 1, step) if slash else [first]


def _range(grammar: Field, text: str, first: int, last: int) -> list[int]:
    if first <= last:
        return list(range(first, last + 1))
    if not grammar.wraps:
        raise grammar.error(text, f"the range {first}-{last} runs backwards")
    return [*range(first, grammar.high + 1), *range(grammar.low, last + 1)]


def _value(grammar: Field, text: str, value: str) -> int:
    if value.upper() in grammar.names:
        return grammar.low + grammar.names.index(value.upper())
    number = _number(value)
    if number is None:
        raise grammar.error(text, f"{quote(shortened(value, 24))} is not a value" if value else "a value is missing")
    if not grammar.low <= number <= grammar.high:
        raise grammar.error(text, f"{number} is not in {grammar.low}-{grammar.high}")
    return number


def _step(grammar: Field, text: str, step_text: str) -> int:
    most = grammar.high - grammar.low + 1
    step = _number(step_text)
    if step is None or not 1 <= step <= most:
        raise grammar.error(text, f"the step {quote(shortened(step_text, 24))} is not in 1-{most}")
    return step


def _number(text: str) -> int | None:
    """A number without sign. More digits than a year has are none: they cannot be in any field's range."""
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else None


def _days_of_month(text: str) -> DaysOfMonth:
    numbers: set[int] = set()
    before_last: set[int] = set()
    nearest_weekday: set[int] = set()
    last_weekday = False
    for item in text.split(","):
        word = item.upper()
        if word == "LW":
            last_weekday = True
        elif word == "L":
            before_last.add(0)
        elif word.startswith("L-"):
            before_last.add(_days_before_last(text, word.removeprefix("L-")))
        elif word.endswith("W"):
            nearest_weekday.add(_value(DAY_OF_MONTH, text, word.removesuffix("W")))
        else:
            numbers.update(_values(DAY_OF_MONTH, text, item))
    return DaysOfMonth(frozenset(numbers), frozenset(before_last), frozenset(nearest_weekday), last_weekday)


def _days_before_last(text: str, days_text: str) -> int:
    days = _number(days_text)
    if days is None or not 1 <= days <= 30:
        raise DAY_OF_MONTH.error(text, "L- takes 1-30 days before the last of the month")
    return days


def _days_of_week(text: str) -> DaysOfWeek:
    if "#" in text:
        return DaysOfWeek(nth=frozenset({_nth(text)}))
    numbers: set[int] = set()
    last: set[int] = set()
    for item in text.split(","):
        word = item.upper()
        if word == "L":
            numbers.add(_SATURDAY)
        elif word.endswith("L"):
            last.add(_value(DAY_OF_WEEK, text, word.removesuffix("L")))
        else:
            numbers.update(_values(DAY_OF_WEEK, text, item))
    return DaysOfWeek(frozenset(numbers), frozenset(last))


def _nth(text: str) -> tuple[int, int]:
    if "," in text:
        raise DAY_OF_WEEK.error(text, '"#" stands alone, not in a list')
    weekday, _, nth_text = text.partition("#")
    nth = _number(nth_text)
    if nth is None or not 1 <= nth <= 5:
        raise DAY_OF_WEEK.error(text, 'after "#" comes 1-5, the occurrence in the month')
    return _value(DAY_OF_WEEK, text, weekday), nth


def _hour_step(text: str) -> HourStep | None:
    """The step of an Hours field that is nothing but a start and a step. `*` starts at 0 and ends with the day too."""
    step = re.fullmatch(r"([0-9]{1,2})/([0-9]{1,2})", text)
    return HourStep(int(step[1]), int(step[2])) if step else None

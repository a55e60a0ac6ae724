"""Hypothesis strategies for cron expressions: each text comes with what it means, so that no test needs to parse it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import strategies as st

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True)
class CronExpression:
    """An expression of AWS's grammar, and its meaning in sets and a predicate on days."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    means_day: Callable[[date], bool]


@dataclass(frozen=True)
class FieldText:
    text: str
    values: frozenset[int]


@dataclass(frozen=True)
class Dialect:
    """How much of AWS's grammar to use, so that the libraries that know less of it can be asked too."""

    day_shapes: tuple[str, ...] = ("numbers", "weekdays", "L", "L-n", "LW", "nW", "weekday L", "nL", "n#m")
    wraps: bool = True
    weekday_steps: bool = True
    years: bool = True


AWS = Dialect()
AWS_CRONITER = Dialect(("numbers", "weekdays", "L", "nW", "nL", "n#m"), weekday_steps=False)
CRONSIM = Dialect(("numbers", "weekdays", "L", "nL", "n#m"), wraps=False, weekday_steps=False, years=False)


def going_round(first: int, last: int, low: int, high: int) -> list[int]:
    """From `first` to `last`, one by one, beginning at `low` again after `high`."""
    values = [first]
    while values[-1] != last:
        values.append(low if values[-1] == high else values[-1] + 1)
    return values


@st.composite
def items(
    draw: st.DrawFn, low: int, high: int, names: tuple[str, ...] = (), *, wraps: bool = True, steps: bool = True
) -> FieldText:
    """One item of a list."""

    def written(value: int) -> str:
        by_name = draw(st.booleans())
        if names and by_name:
            return draw(st.sampled_from((names[value - low], names[value - low].lower())))
        return str(value)

    value = st.integers(low, high)
    shapes = ["value", "range", "step", "all by step", "range by step"] if steps else ["value", "range"]
    shape = draw(st.sampled_from(shapes))
    first, last, step = draw(value), draw(value), draw(st.integers(1, min(high - low + 1, 12)))
    if not wraps:
        first, last = sorted((first, last))
    if first == last and shape == "range by step":  # cronsim takes 5-5/2 for 5/2
        shape = "value"
    covered = going_round(first, last, low, high)
    if shape == "value":
        return FieldText(written(first), frozenset({first}))
    if shape == "range":
        return FieldText(f"{written(first)}-{written(last)}", frozenset(covered))
    if shape == "step":
        return FieldText(
            f"{written(first)}/{step}",
            frozenset(v for v in range(low, high + 1) if v >= first and not (v - first) % step),
        )
    if shape == "all by step":
        return FieldText(f"*/{step}", frozenset(v for v in range(low, high + 1) if not (v - low) % step))
    by_step = frozenset(v for position, v in enumerate(covered) if not position % step)
    return FieldText(f"{written(first)}-{written(last)}/{step}", by_step)


@st.composite
def fields(
    draw: st.DrawFn, low: int, high: int, names: tuple[str, ...] = (), *, wraps: bool = True, steps: bool = True
) -> FieldText:
    if draw(st.integers(0, 3)) == 0:
        return FieldText("*", frozenset(range(low, high + 1)))
    listed = draw(st.lists(items(low, high, names, wraps=wraps, steps=steps), min_size=1, max_size=3))
    values = frozenset[int]().union(*(item.values for item in listed))
    return FieldText(",".join(item.text for item in listed), values)


@dataclass(frozen=True)
class DayText:
    """The two day fields of an expression."""

    day_of_month: str
    day_of_week: str
    means_day: Callable[[date], bool]


def aws_weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def last_of_month(day: date) -> date:
    while (day + timedelta(days=1)).month == day.month:
        day += timedelta(days=1)
    return day


def is_nearest_weekday(day: date, number: int) -> bool:
    """Whether `day` is the one from Monday to Friday nearest to the `number`th of its month."""
    if number > last_of_month(day).day or day.weekday() > 4:
        return False
    wanted = day.replace(day=number)
    weekdays = [wanted + timedelta(days=shift) for shift in (0, -1, 1, -2, 2)]
    return day == next(d for d in weekdays if d.month == day.month and d.weekday() <= 4)


def is_last_weekday(day: date) -> bool:
    later = (day + timedelta(days=n) for n in range(1, 8))
    return day.weekday() <= 4 and not any(d.month == day.month and d.weekday() <= 4 for d in later)


@st.composite
def day_texts(draw: st.DrawFn, dialect: Dialect = AWS) -> DayText:
    shape = draw(st.sampled_from(dialect.day_shapes))
    number, weekday = draw(st.integers(1, 31)), draw(st.integers(1, 7))
    back, nth = draw(st.integers(1, 30)), draw(st.integers(1, 5))
    weekday_text = draw(st.sampled_from([str(weekday), WEEKDAYS[weekday - 1], WEEKDAYS[weekday - 1].title()]))
    if shape == "numbers":
        chosen = draw(fields(1, 31, wraps=dialect.wraps))
        return DayText(chosen.text, "?", lambda day: day.day in chosen.values)
    if shape == "weekdays":
        chosen = draw(fields(1, 7, WEEKDAYS, wraps=dialect.wraps, steps=dialect.weekday_steps))
        return DayText("?", chosen.text, lambda day: aws_weekday(day) in chosen.values)
    return {
        "L": DayText("L", "?", lambda day: day == last_of_month(day)),
        "L-n": DayText(f"L-{back}", "?", lambda day: last_of_month(day).day - day.day == back),
        "LW": DayText("LW", "?", is_last_weekday),
        "nW": DayText(f"{number}W", "?", lambda day: is_nearest_weekday(day, number)),
        "weekday L": DayText("?", "L", lambda day: aws_weekday(day) == 7),
        "nL": DayText(
            "?",
            f"{weekday_text}L",
            lambda day: aws_weekday(day) == weekday and (day + timedelta(days=7)).month != day.month,
        ),
        "n#m": DayText(
            "?",
            f"{weekday_text}#{nth}",
            lambda day: aws_weekday(day) == weekday and nth == 1 + sum(day.day > 7 * n for n in range(1, 5)),
        ),
    }[shape]


def year_ranges() -> st.SearchStrategy[FieldText]:
    pairs = st.tuples(st.integers(2022, 2034), st.integers(0, 5))
    return pairs.map(lambda pair: FieldText(f"{pair[0]}-{sum(pair)}", frozenset(range(pair[0], sum(pair) + 1))))


@st.composite
def cron_expressions(draw: st.DrawFn, dialect: Dialect = AWS) -> CronExpression:
    minutes = draw(fields(0, 59, wraps=dialect.wraps))
    hours = draw(fields(0, 23, wraps=dialect.wraps))
    months = draw(fields(1, 12, MONTHS, wraps=dialect.wraps))
    years = FieldText("*", frozenset(range(1970, 2200)))
    if dialect.years and draw(st.booleans()):
        years = draw(year_ranges())
    days = draw(day_texts(dialect))
    text = f"{minutes.text} {hours.text} {days.day_of_month} {months.text} {days.day_of_week} {years.text}"
    return CronExpression(
        draw(st.sampled_from([text, f"cron({text})", f"  cron( {text} ) "])),
        minutes.values,
        hours.values,
        lambda day: day.year in years.values and day.month in months.values and days.means_day(day),
    )

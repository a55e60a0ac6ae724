"""The next runs of a schedule, as `GetBackupPlan` previews them.

It walks through the days one by one, which is slow and plain on purpose: it shares nothing with the rules, whose own
schedules it is meant to contradict when they are wrong. Grammar:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_NAMES_OF_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTHS = {name: number for number, name in enumerate(_NAMES_OF_MONTHS, start=1)}
_WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_DAYS_AHEAD = 12 * 366
"""How far ahead to look: every combination of leap day and weekday comes round within 12 years, but for 2100."""


def next_runs(expression: str, time_zone: str, after: datetime, count: int) -> list[datetime]:
    """The next `count` runs later than `after`, in UTC; fewer when the schedule ends, none if it is not valid."""
    try:
        runs = _runs(expression, ZoneInfo(time_zone), after)
        return [run for run, _ in zip(runs, range(count), strict=False)]
    except (ValueError, KeyError):
        return []


def _runs(expression: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    fields = expression.strip().removeprefix("cron(").removesuffix(")").upper().split()
    minutes, hours, day_of_month, months, day_of_week, years = fields
    times = [
        time(hour, minute)
        for hour in sorted(_expand(hours, 0, 23, {}))
        for minute in sorted(_expand(minutes, 0, 59, {}))
    ]
    allowed_months = _expand(months, 1, 12, _MONTHS)
    allowed_years = _expand(years, 1970, 2199, {})
    # A day early, since the local date may lag behind that of UTC.
    first = after.astimezone(zone).date() - timedelta(days=1)
    for offset in range(_DAYS_AHEAD):
        day = first + timedelta(days=offset)
        if day.year not in allowed_years or day.month not in allowed_months:
            continue
        if not _on_day(day, day_of_month, day_of_week):
            continue
        for at in times:
            run = datetime.combine(day, at, zone).astimezone(UTC)
            if run > after:
                yield run


def _on_day(day: date, day_of_month: str, day_of_week: str) -> bool:
    if (day_of_month == "?") == (day_of_week == "?"):
        raise ValueError("Exactly one of day-of-month and day-of-week must be '?'")
    if day_of_week == "?":
        return any(_is_day_of_month(day, part) for part in day_of_month.split(","))
    return any(_is_day_of_week(day, part) for part in day_of_week.split(","))


def _is_day_of_month(day: date, part: str) -> bool:
    last = monthrange(day.year, day.month)[1]
    if part == "L":
        return day.day == last
    if part == "LW":
        return day == _nearest_workday(day.replace(day=last))
    if part.endswith("W"):
        wanted = int(part[:-1])
        return wanted <= last and day == _nearest_workday(day.replace(day=wanted))
    return day.day in _expand(part, 1, 31, {})


def _nearest_workday(day: date) -> date:
    candidates = [day + timedelta(days=shift) for shift in (0, -1, 1, -2, 2)]
    return next(each for each in candidates if each.month == day.month and each.weekday() < 5)


def _is_day_of_week(day: date, part: str) -> bool:
    weekday = day.isoweekday() % 7 + 1
    if part == "L":
        return weekday == 7
    if part.endswith("L"):
        in_last_week = (day + timedelta(days=7)).month != day.month
        return in_last_week and weekday in _expand(part[:-1], 1, 7, _WEEKDAYS)
    if "#" in part:
        wanted, nth = part.split("#")
        return weekday in _expand(wanted, 1, 7, _WEEKDAYS) and (day.day - 1) // 7 + 1 == int(nth)
    return weekday in _expand(part, 1, 7, _WEEKDAYS)


def _expand(field: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    values: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            start, end = low, high
        elif "-" in span:
            start, end = (_number(each, names) for each in span.split("-"))
        else:
            start = _number(span, names)
            end = high if step else start
        if not (low <= start <= high and low <= end <= high):
            raise ValueError(f"{part!r} is outside {low}-{high}")
        length = high - low + 1
        reach = (end - start) % length
        values.update(low + (start - low + shift) % length for shift in range(0, reach + 1, int(step or 1)))
    return values


def _number(text: str, names: dict[str, int]) -> int:
    return names[text] if text in names else int(text)

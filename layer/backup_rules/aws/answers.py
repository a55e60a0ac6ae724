"""The fields of AWS's answers, typed.

Each function raises KeyError, TypeError or ValueError for an answer that lacks what AWS documents as required, or holds
another type; `Calls` makes a ReadError of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from backup_rules.arns import Arn

T = TypeVar("T")
Answer = Mapping[str, Any]


def field(answer: Answer, key: str, kind: type[T]) -> T:
    """The value under `key`, which must be there and of the type `kind`."""
    value = answer[key]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{key} is {value!r}, not {kind.__name__}")
    return value


def optional(answer: Answer, key: str, kind: type[T]) -> T | None:
    """The value under `key` if there is one; it must then be of the type `kind`."""
    return None if answer.get(key) is None else field(answer, key, kind)


def arn(answer: Answer, key: str) -> str:
    """An ARN, as it stands."""
    text = field(answer, key, str)
    if Arn.parse(text) is None:
        raise ValueError(f"{key} is {text!r}, not an ARN")
    return text


def moment(answer: Answer, key: str) -> datetime:
    """A time stamp, in UTC."""
    value = field(answer, key, datetime)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def optional_moment(answer: Answer, key: str) -> datetime | None:
    """A time stamp in UTC if there is one."""
    return None if answer.get(key) is None else moment(answer, key)


def texts(answer: Answer, key: str) -> tuple[str, ...]:
    """A list of strings; AWS leaves empty lists out."""
    found = optional(answer, key, list) or []
    if not all(isinstance(each, str) for each in found):
        raise TypeError(f"{key} is {found!r}, not a list of strings")
    return tuple(found)


def tags(listing: list[Answer]) -> dict[str, str]:
    """`[{"Key": …, "Value": …}]` as a dictionary."""
    return {field(tag, "Key", str): field(tag, "Value", str) for tag in listing}


def text(item: object) -> str:
    """An item of a listing that is a string."""
    if not isinstance(item, str):
        raise TypeError(f"{item!r} is no string")
    return item


def once(listed: Iterable[T], key: Callable[[T], str]) -> tuple[T, ...]:
    """Each thing once, as it was told last: a listing that shifts between pages tells some twice."""
    return tuple({key(each): each for each in listed}.values())

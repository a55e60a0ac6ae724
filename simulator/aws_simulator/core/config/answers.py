"""Answers of AWS Config in pages, and the messages with which it refuses a request."""

from __future__ import annotations

import base64
import bisect
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from moto.config.exceptions import InvalidNextTokenException, ValidationException

from aws_simulator.core.operations import current_page_size

Key = TypeVar("Key", bound=tuple[str, ...])


def answered(content: dict[str, Any], token: str | None = None) -> str:
    """The answer as JSON, with the token of the next page if there is one."""
    return json.dumps(content | ({"NextToken": token} if token else {}))


def paged(keys: Sequence[Key], size: int, token: str | None) -> tuple[Sequence[Key], str | None]:
    """The keys (sorted) after the one that `token` stands for, and the token for the next page."""
    start = bisect.bisect_right(keys, _key_of(token)) if token else 0
    size = min(size, current_page_size() or size)
    page = keys[start : start + size]
    more = start + size < len(keys)
    return page, base64.urlsafe_b64encode(json.dumps(page[-1]).encode()).decode() if more else None


def _key_of(token: str) -> Any:
    try:
        return tuple(json.loads(base64.urlsafe_b64decode(token)))
    except ValueError:
        raise InvalidNextTokenException from None


def limit_of(asked: int | None, *, default: int, maximum: int) -> int:
    """How many are answered at once.

    Raises:
        ValidationException: more were asked for than there may be.
    """
    if asked and asked > maximum:
        raise ValidationException(constraint(asked, "limit", f"Member must have value less than or equal to {maximum}"))
    return asked or default


def constraint(value: object, member: str, demand: str) -> str:
    """What AWS says where one value of a request is not allowed."""
    return f"1 validation error detected: {violation(value, member, demand)}"


def violation(value: object, member: str, demand: str) -> str:
    """The same, of one among several."""
    return f"Value '{value}' at '{member}' failed to satisfy constraint: {demand}"


def at_most(length: int) -> str:
    """The demand on a text or a list."""
    return f"Member must have length less than or equal to {length}"

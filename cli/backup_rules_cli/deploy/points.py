"""Statements about AWS that a probe looks at, and the waiting until there is something to see."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from backup_rules_cli.console import indented, show, titled, width

WAIT_SECONDS = 1800.0
POLL_SECONDS = 10.0

_T = TypeVar("_T")


@dataclass(frozen=True)
class Point:
    """A statement about AWS, whether it holds (None: could not look), and what was seen."""

    statement: str
    holds: bool | None
    seen: str


def until(read: Callable[[], _T], is_enough: Callable[[_T], bool]) -> _T:
    """What is read once it is enough, or when the time is up."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        found = read()
        if is_enough(found) or time.monotonic() >= deadline:
            return found
        time.sleep(POLL_SECONDS)


_WORDS = {True: "HOLDS", False: "DOES NOT", None: "NOT SHOWN"}


def report(points: Iterable[Point], where: str) -> None:
    """Print each point, and how many hold."""
    seen = tuple(points)
    failed = sum(point.holds is False for point in seen)
    shown = sum(point.holds is not None for point in seen)
    columns = width()
    show(titled(f"What was seen of AWS in {where}", f"{shown - failed} of {shown} hold", columns))
    for point in seen:
        show([f"{_WORDS[point.holds]:<10} {point.statement}"])
        show(indented(point.seen, columns, 11))

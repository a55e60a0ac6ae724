"""Small words of what is printed."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 account`, `2,000 accounts`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

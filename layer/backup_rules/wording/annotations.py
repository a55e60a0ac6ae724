"""Annotations: the only thing that a reader of the AWS Config console sees of a verdict.

AWS Config takes 1 to 256 characters: https://docs.aws.amazon.com/config/latest/APIReference/API_Evaluation.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MAX_ANNOTATION = 256
_ELLIPSIS = "…"


def shorten(text: str, length: int) -> str:
    """`text` in at most `length` characters, cut after a whole word where it has words to cut after.

    A single word that is too long (an ARN, a tag value) loses its middle: both ends tell more than one.
    """
    if len(text) <= length:
        return text
    head = text[: length - 1].rsplit(" ", 1)[0].rstrip(" ,;:") if " " in text[: length - 1] else ""
    if len(head) >= length // 2:
        return head + _ELLIPSIS
    tail = (length - 1) // 2
    return text[: length - 1 - tail] + _ELLIPSIS + text[len(text) - tail :]


def name(text: str, length: int = 60) -> str:
    """A name or ARN as it stands in an annotation: whole where it is of usual length, its middle left out otherwise."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return text[: length - 1 - tail] + _ELLIPSIS + text[len(text) - tail :]


def sentence(text: str) -> str:
    """`text` with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def listing(names: Sequence[str], most: int = 3) -> str:
    """`a, b, c and 4 more`."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def annotation(statements: Sequence[tuple[str, str]], shorter: Iterable[tuple[str, str]] = ()) -> str:
    """One annotation for several problems: the first in full, and how many more there are.

    Args:
        statements: for each problem what is wrong, and what to do. Where both do not fit, what is wrong is shortened
            at a word: what to do stays whole.
        shorter: other wordings of the first problem, each shorter than the one before. The first that fits is taken,
            and the last is shortened where none does.
    """
    more = f" (+{len(statements) - 1} more)" if len(statements) > 1 else ""
    what = ending = ""
    for what, remedy in (statements[0], *shorter):
        ending = (f" {remedy}" if remedy else "") + more
        if len(what) + len(ending) <= MAX_ANNOTATION:
            return what + ending
    room = MAX_ANNOTATION - len(ending)
    if room < MAX_ANNOTATION // 3:  # a remedy that leaves no room for the problem is itself shortened
        return shorten(what + ending, MAX_ANNOTATION)
    return shorten(what, room) + ending

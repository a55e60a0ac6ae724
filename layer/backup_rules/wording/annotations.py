"""Annotations: the only thing that a reader of the AWS Config console sees of a verdict.

AWS Config takes 1 to 256 characters: https://docs.aws.amazon.com/config/latest/APIReference/API_Evaluation.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backup_rules.wording.quoting import plain

MAX_ANNOTATION = 256
_ELLIPSIS = "…"

NamesShown = tuple[int, int]
"""How many characters are shown of the name of a selection or backup rule, and of its plan's."""

NAMES: tuple[NamesShown, ...] = ((50, 50), (26, 50), (12, 50), (26, 26), (16, 16), (12, 12))
"""The fullest first: AWS Backup admits 50. The plan's name is cut last, as it is what people search for."""


def size(text: str) -> int:
    """How long AWS Config may take the text to be: in UTF-16 units, the stricter of the ways to count."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def shorten(text: str, length: int) -> str:
    """`text` in at most `length` UTF-16 units, cut after a whole word where it has words to cut after.

    A single word that is too long (an ARN, a tag value) loses its middle: both ends tell more than one.
    """
    if size(text) <= length:
        return text
    beginning = _beginning(text, length - 1)
    head = beginning.rsplit(" ", 1)[0].rstrip(" ,;:") if " " in beginning else ""
    return head + _ELLIPSIS if size(head) >= length // 2 else _without_middle(text, length)


def name(text: str, length: int = 60) -> str:
    """A name or ARN as it stands in an annotation: whole where it is of usual length, its middle left out otherwise.

    What cannot be seen in it, or would break the line, is escaped.
    """
    text = plain(text)
    return text if size(text) <= length else _without_middle(text, length)


def _without_middle(text: str, length: int) -> str:
    tail = (length - 1) // 2
    return _beginning(text, length - 1 - tail) + _ELLIPSIS + _beginning(text[::-1], tail)[::-1]


def _beginning(text: str, length: int) -> str:
    """As many whole characters of `text` as `length` UTF-16 units hold."""
    found = text[:length]
    while size(found) > length:
        found = found[: len(found) - max(1, (size(found) - length) // 2)]
    return found


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
    for wording, remedy in (statements[0], *shorter):
        what, ending = plain(wording), (f" {plain(remedy)}" if remedy else "") + more
        if size(what) + size(ending) <= MAX_ANNOTATION:
            return what + ending
    room = MAX_ANNOTATION - size(ending)
    if room < MAX_ANNOTATION // 3:  # a remedy that leaves no room for the problem is itself shortened
        return shorten(what + ending, MAX_ANNOTATION)
    return shorten(what, room) + ending

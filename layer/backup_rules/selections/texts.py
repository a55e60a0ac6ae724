"""Many texts, in which those that match a wild card are found without trying each."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from backup_rules.selections.wildcards import Wildcard

_LAST_CHARACTER = 0x10FFFF
_FEW = 8  # so many are tried one by one sooner than all are searched


class Texts:
    """Texts, numbered from 0 in the order in which they were given.

    What a pattern begins and ends with, and what of it follows a `*` and begins with a colon (`:table/` in
    `arn:aws:dynamodb:*:*:table/*`), is looked up in sorted order. Only where that leaves many are all searched for the
    longest piece between two `*`.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    def equal_to(self, text: str) -> Sequence[int]:
        """The numbers of the texts that are `text`."""
        return self._exact.get(text, ())

    def matching(self, pattern: Wildcard) -> Sequence[int]:
        """The numbers of the texts that match the pattern."""
        if "*" not in pattern.text:
            return self.equal_to(pattern.text)
        start, *middle, end = pattern.text.split("*")
        stretch = self._forwards.beginning_with(start)
        if not end and not middle and not self._blanks:
            return stretch.numbers()
        if end:
            stretch = min(stretch, self._backwards.beginning_with(end[::-1]), key=len)
        for piece in (*middle, end):
            if piece.startswith(":") and len(piece) > 1:
                stretch = min(stretch, self._from_colons.beginning_with(piece), key=len)
        found: Iterable[int]
        longest = max(middle, key=len, default="")
        if longest and len(stretch) > max(_FEW, len(self.texts) // 8):
            found = self._containing(longest)
        else:
            found = dict.fromkeys(stretch.numbers())
        return [each for each in found if pattern.matches(self.texts[each])]

    def _containing(self, piece: str) -> Iterable[int]:
        if "\n" in piece:
            return range(len(self.texts))
        joined, starts = self._joined
        found = []
        position = joined.find(piece)
        while position >= 0:
            number = bisect_right(starts, position) - 1
            found.append(number)
            position = joined.find(piece, starts[number + 1]) if number + 1 < len(starts) else -1
        return found

    @cached_property
    def _exact(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, text in enumerate(self.texts):
            found.setdefault(text, []).append(number)
        return found

    @cached_property
    def _blanks(self) -> bool:
        return any(character.isspace() for character in set("".join(self.texts)))

    @cached_property
    def _forwards(self) -> _Sorted:
        return _Sorted([(text, number) for number, text in enumerate(self.texts)])

    @cached_property
    def _backwards(self) -> _Sorted:
        return _Sorted([(text[::-1], number) for number, text in enumerate(self.texts)])

    @cached_property
    def _from_colons(self) -> _Sorted:
        return _Sorted([(rest, number) for number, text in enumerate(self.texts) for rest in _from_each_colon(text)])

    @cached_property
    def _joined(self) -> tuple[str, list[int]]:
        starts, position = [], 0
        for text in self.texts:
            starts.append(position)
            position += len(text) + 1
        return "\n".join(self.texts), starts


class _Sorted:
    """Texts in order, each with its number."""

    def __init__(self, texts: list[tuple[str, int]]) -> None:
        texts.sort()
        self._texts = [text for text, _ in texts]
        self._numbers = [number for _, number in texts]

    def beginning_with(self, start: str) -> _Stretch:
        """The texts that begin so."""
        if not start:
            return _Stretch(self._numbers, 0, len(self._numbers))
        low = bisect_left(self._texts, start)
        if ord(start[-1]) == _LAST_CHARACTER:
            after = (n for n in range(low, len(self._texts)) if not self._texts[n].startswith(start))
            high = next(after, len(self._texts))
        else:
            high = bisect_left(self._texts, start[:-1] + chr(ord(start[-1]) + 1), low)
        return _Stretch(self._numbers, low, high)


class _Stretch:
    """A part of texts in order; a text may come more than once."""

    def __init__(self, numbers: list[int], low: int, high: int) -> None:
        self._numbers, self._low, self._high = numbers, low, high

    def __len__(self) -> int:
        return self._high - self._low

    def numbers(self) -> list[int]:
        return self._numbers[self._low : self._high]


def _from_each_colon(text: str) -> Iterator[str]:
    position = text.find(":")
    while position >= 0:
        yield text[position:]
        position = text.find(":", position + 1)

"""AWS Backup's wildcard: `*` stands for zero or more characters that are no white space, and nothing else is special.

Letter case counts, and there is no `?`. What is white space AWS leaves open; here it is what Unicode calls so
(`str.isspace`), the no-break space among it. Since a `*` never reaches across white space, a text matches a pattern
when both fall into the same number of words, apart by the same white space, and each word matches its own: so each
piece between two `*` can be taken at its first place in the word, and nothing is ever tried twice.

Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import Self

from backup_rules.values import dataclass


@dataclass(frozen=True, slots=True)
class Wildcard:
    """A pattern, taken apart once and matched often.

    Matching takes time in proportion to the length of the text times that of the longest piece of the pattern, at most.
    """

    text: str
    _words: tuple[tuple[str, ...], ...]
    _blanks: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """The pattern that `text` writes."""
        words, blanks = _split(text)
        return cls(text, tuple(tuple(word.split("*")) for word in words), blanks)

    def matches(self, text: str) -> bool:
        """Whether the whole of `text` is what the pattern stands for."""
        if not text.startswith(self._words[0][0]):
            return False
        words, blanks = _split(text)
        return blanks == self._blanks and all(map(_word_matches, self._words, words))


@lru_cache(maxsize=4_096)  # thousands of selections name the same few patterns
def overlap(one: str, other: str, *, never_in_other: str = "") -> bool:
    """Whether some text matches both patterns.

    Takes time in proportion to the product of their lengths, at most.

    Args:
        one: a pattern.
        other: the other one.
        never_in_other: characters that the stars of `other`, besides white space, do not stand for.
    """
    words, blanks = _split(one)
    other_words, other_blanks = _split(other)
    pairs = zip(words, other_words, strict=False)
    return blanks == other_blanks and all(_words_overlap(*pair, never_in_other) for pair in pairs)


def covers(pattern: str, other: str) -> bool:
    """Whether every text that matches the pattern `other` certainly matches `pattern` too.

    A `*` in `other` can only be met by a `*` in `pattern`, which then meets whatever the former stands for.
    """
    return Wildcard.of(pattern).matches(other)


def _split(text: str) -> tuple[list[str], tuple[str, ...]]:
    """The words of `text`, some perhaps empty, and each character of white space between them."""
    if not text or text.split(None, 1) == [text]:
        return [text], ()
    words, blanks, start = [], [], 0
    for position, character in enumerate(text):
        if character.isspace():
            words.append(text[start:position])
            blanks.append(character)
            start = position + 1
    words.append(text[start:])
    return words, tuple(blanks)


def _word_matches(pieces: tuple[str, ...], word: str) -> bool:
    """Whether `word` consists of the pieces in their order, with anything between two of them."""
    if len(pieces) == 1:
        return word == pieces[0]
    first, *middle, last = pieces
    position, end = len(first), len(word) - len(last)
    if position > end or not word.startswith(first) or not word.endswith(last):
        return False
    for piece in middle:
        found = word.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True


@lru_cache(maxsize=4096)  # the same few patterns are held against all types again and again
def _words_overlap(one: str, other: str, never_in_other: str) -> bool:
    if _literals_clash(one, other) or _literals_clash(one[::-1], other[::-1]):
        return False
    start, end = _common_literals(one, other), 0
    if start < min(len(one), len(other)):
        end = _common_literals(one[start:][::-1], other[start:][::-1])
    one, other = one[start : len(one) - end], other[start : len(other) - end]
    # reachable[j]: some text matches both what has been read of `one` and the first j characters of `other`.
    reachable = [True, *([False] * len(other))]
    for j, theirs in enumerate(other):
        reachable[j + 1] = reachable[j] and theirs == "*"
    for ours in one:
        before, reachable = reachable, [reachable[0] and ours == "*"]
        for j, theirs in enumerate(other):
            if ours == "*":
                # Our star stands for nothing, or takes in what the other side has here.
                reachable.append(before[j + 1] or reachable[j])
            elif theirs == "*":
                reachable.append(reachable[j] or (before[j + 1] and ours not in never_in_other))
            else:
                reachable.append(before[j] and ours == theirs)
    return reachable[-1]


def _common_literals(one: str, other: str) -> int:
    """How many characters stand at the beginning of both, before the first `*` of either."""
    for number, (ours, theirs) in enumerate(zip(one, other, strict=False)):
        if ours != theirs or ours == "*":
            return number
    return min(len(one), len(other))


def _literals_clash(one: str, other: str) -> bool:
    """Whether the two differ before the first `*` of either: the usual case, found without comparing the rest."""
    for ours, theirs in zip(one, other, strict=False):
        if ours == "*" or theirs == "*":
            return False
        if ours != theirs:
            return True
    return False

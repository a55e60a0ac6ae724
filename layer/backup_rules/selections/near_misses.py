r"""Near misses: tags that a person takes for the wanted one, and AWS Backup does not.

AWS compares tag keys and values character by character. Two of them are near when they become equal

* by folding letter case (`Difference.CASE`). Unicode's full case folding, so `STRASSE` and `straße` are near, and with
  them `strasse`. The four Turkish letters (small and capital i, each with dot, and without: U+0131, U+0130) count as
  one: `İSTANBUL` and `istanbul` differ in case to those who write Turkish, and a dotless `daily` is what software set
  to Turkish makes of `DAILY`;
* by folding white space (`Difference.WHITE_SPACE`): at both ends it is dropped, each run within counts as one blank.
  White space is what Unicode calls so (the no-break spaces U+00A0, U+2007 and U+202F, the wide blank U+3000, tabs, line
  breaks) and letters drawn as a blank (U+2800, U+3164). Characters without width (U+200B, U+FEFF, U+00AD, joiners,
  direction marks) count as nothing at all, wherever they stand;
* or only by both.

A letter and its accent may be one character or two (é: U+00E9, or e and U+0301). No person sees that, so it never makes
two texts unlike; where it is the only difference, it counts as `WHITE_SPACE`, whose rule is about what can't be seen.

Not near: `a b` and `ab`, `my-tag` and `my tag`, a letter with an accent and the one without, full-width letters. There
a person sees two tags.

Source: https://repost.aws/knowledge-center/aws-backup-troubleshoot-scheduled-backup-plans
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from enum import Flag
from typing import TYPE_CHECKING

from backup_rules.selections.picking import Operator, conditions
from backup_rules.selections.texts import Texts
from backup_rules.selections.wildcards import Wildcard
from backup_rules.values import dataclass
from backup_rules.wording.quoting import BLANK_LOOKING, ZERO_WIDTH, quote, quote_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from backup_rules.selections.picking import Selection

__all__ = [
    "Difference",
    "NearMiss",
    "WantedTag",
    "WantedTags",
    "difference",
    "fold",
    "near_keys",
    "near_misses",
    "near_pattern",
    "quote",
    "quote_tag",
    "stray_white_space",
    "wanted_tags",
    "white_space_at_ends",
]

_DOTLESS_I = "\u0131"
_COMBINING_DOT = "\u0307"
_FOLDED_CHARACTERS = str.maketrans(dict.fromkeys(ZERO_WIDTH, "") | dict.fromkeys(BLANK_LOOKING, " "))


class Difference(Flag):
    """In what a tag differs from the wanted one. `SAME` is false, any other is true."""

    SAME = 0
    CASE = 1
    WHITE_SPACE = 2


def difference(wanted: str, found: str) -> Difference | None:
    """In what `found` differs from `wanted` to AWS though not to a person; None when they are two things to both."""
    if wanted == found:
        return Difference.SAME
    if fold(wanted) != fold(found):
        return None
    if _fold_white_space(wanted) == _fold_white_space(found):
        return Difference.WHITE_SPACE
    if _fold_case(wanted) == _fold_case(found):
        return Difference.CASE
    return Difference.CASE | Difference.WHITE_SPACE


def near_pattern(pattern: str, found: str) -> Difference | None:
    """The same for a StringLike pattern: what must be folded, in both, before `found` matches it; None: never."""
    if Wildcard.of(pattern).matches(found):
        return Difference.SAME
    for folding, outcome in _FOLDINGS:
        if Wildcard.of(folding(pattern)).matches(folding(found)):
            return outcome
    return None


def fold(text: str) -> str:
    """What near texts have in common: the text without its case and with its white space folded."""
    return _fold_case(_fold_white_space(text))


def white_space_at_ends(text: str) -> bool:
    """Whether `text` begins or ends with white space or a character without width."""
    return any(_fold_white_space(end) == "" for end in (text[:1], text[-1:]) if end)


def _as_it_is(text: str) -> str:
    return text


def _compose(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _fold_white_space(text: str) -> str:
    return _compose(" ".join(text.translate(_FOLDED_CHARACTERS).split()))


def _fold_case(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text).casefold()
    dotless = decomposed.replace(_DOTLESS_I, "i").replace(f"i{_COMBINING_DOT}", "i")
    return _compose(dotless)


_FOLDINGS: tuple[tuple[Callable[[str], str], Difference], ...] = (
    (_compose, Difference.WHITE_SPACE),
    (_fold_white_space, Difference.WHITE_SPACE),
    (_fold_case, Difference.CASE),
    (fold, Difference.CASE | Difference.WHITE_SPACE),
)


@dataclass(frozen=True, slots=True)
class WantedTag:
    """A tag that a selection asks for, its key bare. With `is_pattern`, `value` may hold `*` (StringLike)."""

    key: str
    value: str
    is_pattern: bool = False

    def __str__(self) -> str:
        return quote_tag(self.key, self.value)

    def value_difference(self, found: str) -> Difference | None:
        """In what the value `found` differs from the wanted one; None when it is another."""
        return near_pattern(self.value, found) if self.is_pattern else difference(self.value, found)


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A tag as found (`key`, `value`) that differs from the wanted one in `difference`, never `SAME`."""

    wanted: WantedTag
    key: str
    value: str
    difference: Difference

    @property
    def key_differs(self) -> bool:
        """Whether the key must be renamed, and not (or not only) the value corrected."""
        return self.key != self.wanted.key


def wanted_tags(selection: Selection) -> tuple[WantedTag, ...]:
    """What the selection asks for, by ListOfTags and by StringEquals and StringLike conditions.

    A condition whose key lacks `aws:ResourceTag/` asks for no tag. A ListOfTags key is taken as it is written.
    """
    listed = (WantedTag(tag.key, tag.value) for tag in selection.list_of_tags)
    conditional = (
        WantedTag(condition.key, condition.value, condition.operator is Operator.STRING_LIKE)
        for condition in conditions(selection)
        if condition.key is not None and not condition.negative
    )
    return tuple(dict.fromkeys((*listed, *conditional)))


def stray_white_space(selection: Selection) -> tuple[str, ...]:
    """The selection's own tags whose key or value begins or ends with white space, quoted as they stand.

    Negative conditions are among them: they leave out other resources than they seem to.
    """
    listed = [("tag", tag.key, tag.key, tag.value) for tag in selection.list_of_tags]
    conditional = [
        (condition.operator.value, condition.written_key, condition.key or condition.written_key, condition.value)
        for condition in conditions(selection)
    ]
    return tuple(
        f"{what} {quote_tag(key, value)}"
        for what, written_key, key, value in (*listed, *conditional)
        if white_space_at_ends(written_key) or white_space_at_ends(key) or white_space_at_ends(value)
    )


class WantedTags:
    """Many wanted tags, found again by folded key and value: looking up a tag takes no longer for many selections.

    Patterns of a near key are tried one by one, but for tags that were looked up together before.
    """

    def __init__(self, wanted: Iterable[WantedTag]) -> None:
        self._plain: dict[tuple[str, str], list[WantedTag]] = defaultdict(list)
        self._patterns: dict[str, list[WantedTag]] = defaultdict(list)
        self._keys: set[str] = set()
        self._looked_up: dict[tuple[str, str], tuple[WantedTag, ...]] = {}
        for each in dict.fromkeys(wanted):
            key = fold(each.key)
            self._keys.add(key)
            if each.is_pattern:
                self._patterns[key].append(each)
            else:
                self._plain[key, fold(each.value)].append(each)

    def near_keys(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Those of `keys` that are a wanted key or near one: the only ones whose values need reading."""
        return tuple(key for key in keys if fold(key) in self._keys)

    def look_up(self, tags: Iterable[tuple[str, str]]) -> None:
        """Find the patterns that these tags may be near, for all of them at once."""
        values: dict[str, dict[str, None]] = defaultdict(dict)
        for key, value in tags:
            if fold(key) in self._patterns:
                values[key][value] = None
        for key, of_key in values.items():
            patterns = self._patterns[fold(key)]
            near: dict[str, set[int]] = {value: set() for value in of_key}
            for folding in (_as_it_is, *(folding for folding, _ in _FOLDINGS)):
                folded = Texts([folding(value) for value in of_key])
                every = list(of_key)
                for number, wanted in enumerate(patterns):
                    for found in folded.matching(Wildcard.of(folding(wanted.value))):
                        near[every[found]].add(number)
            for value, numbers in near.items():
                self._looked_up[key, value] = tuple(patterns[number] for number in sorted(numbers))

    def near(self, key: str, value: str) -> tuple[NearMiss, ...]:
        """The wanted tags that the tag narrowly misses. Empty for a tag that is wanted as it is, or by no one."""
        folded = fold(key)
        patterns = self._looked_up.get((key, value))
        if patterns is None:
            patterns = tuple(self._patterns.get(folded, ()))
        candidates = (*self._plain.get((folded, fold(value)), ()), *patterns)
        return tuple(miss for wanted in candidates if (miss := _near_miss(wanted, key, value)))

    def near_misses(self, tags: Mapping[str, str]) -> tuple[NearMiss, ...]:
        """The near misses of one resource, but for wanted tags that it carries exactly as well."""
        return tuple(
            miss
            for key, value in tags.items()
            for miss in self.near(key, value)
            if miss.wanted.key not in tags or miss.wanted.value_difference(tags[miss.wanted.key]) is not Difference.SAME
        )


def near_keys(wanted: Iterable[WantedTag], keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """For each wanted key, those of `keys` that are the same or near, in their order."""
    by_fold: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        by_fold[fold(key)].append(key)
    return {each: tuple(by_fold.get(fold(each), ())) for each in dict.fromkeys(tag.key for tag in wanted)}


def near_misses(wanted: Iterable[WantedTag], tags: Mapping[str, str]) -> tuple[NearMiss, ...]:
    """The near misses among the tags of one resource. For many resources, make one `WantedTags`."""
    return WantedTags(wanted).near_misses(tags)


def _near_miss(wanted: WantedTag, key: str, value: str) -> NearMiss | None:
    of_key = difference(wanted.key, key)
    of_value = wanted.value_difference(value)
    if of_key is None or of_value is None or not (of_key | of_value):
        return None
    return NearMiss(wanted, key, value, of_key | of_value)

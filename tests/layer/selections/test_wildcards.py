"""AWS Backup's wildcard, against an oracle that tries every possibility."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_rules.selections.wildcards import Wildcard, covers, overlap

patterns = st.text(alphabet="ab* \u00a0", max_size=8)
texts = st.text(alphabet="ab \u00a0", max_size=8)
ALL_SHORT_TEXTS = ["".join(letters) for length in range(5) for letters in product("ab ", repeat=length)]


def matches_by_trying(pattern: str, text: str) -> bool:
    """The meaning of a pattern, word for word: each star is tried as nothing, and as one character more."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return matches_by_trying(pattern[1:], text) or (
            bool(text) and not text[0].isspace() and matches_by_trying(pattern, text[1:])
        )
    return bool(text) and pattern[0] == text[0] and matches_by_trying(pattern[1:], text[1:])


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        pytest.param("*", "", True, id="a star is nothing at all"),
        pytest.param("", "", True, id="the empty pattern, the empty text"),
        pytest.param("", "a", False, id="the empty pattern, any other text"),
        pytest.param("include*", "include-me", True, id="at the end"),
        pytest.param("*exclude*", "do-exclude-me", True, id="at both ends"),
        pytest.param("arn:aws:rds:*:*:db:*", "arn:aws:rds:eu-west-1:111122223333:db:orders", True, id="in the middle"),
        pytest.param("arn:aws:ec2:*", "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1", True, id="across colons"),
        pytest.param("a*a", "a", False, id="two letters do not share one"),
        pytest.param("*ab*ba*", "aba", False, id="two pieces do not share a letter"),
        pytest.param("*aab", "aaab", True, id="a piece is found where it overlaps itself"),
        pytest.param("prod*", "Prod-1", False, id="letter case counts"),
        pytest.param("prod?", "prod1", False, id="no question mark"),
        pytest.param("prod?", "prod?", True, id="a question mark is itself"),
        pytest.param("[a-z]*", "b", False, id="no classes"),
        pytest.param("a.c", "abc", False, id="no regular expression"),
        pytest.param("prod*", "prod east", False, id="no star over a blank"),
        pytest.param("prod*", "prod\n", False, id="no star over a line break"),
        pytest.param("prod*", "prod\u00a0east", False, id="no star over a no-break space"),
        pytest.param("prod* *", "prod-1 east", True, id="stars around a written blank"),
        pytest.param("*b *cd", "xb yb cd", False, id="a blank between two pieces"),
        pytest.param("* *", " ", True, id="stars of nothing around a blank"),
        pytest.param("a *", "a\tb", False, id="a blank is no tab"),
    ],
)
def test_matches(pattern: str, text: str, *, expected: bool) -> None:
    assert Wildcard.of(pattern).matches(text) is expected


@settings(max_examples=200)
@given(patterns, texts)
def test_matches_like_the_oracle(pattern: str, text: str) -> None:
    assert Wildcard.of(pattern).matches(text) is matches_by_trying(pattern, text)


@settings(max_examples=150)
@given(st.lists(st.text(alphabet="ab ", max_size=3), min_size=1, max_size=4), st.data())
def test_what_a_pattern_was_made_for_matches(pieces: list[str], data: st.DataObject) -> None:
    fillings = data.draw(st.lists(st.text(alphabet="ab", max_size=3), min_size=len(pieces), max_size=len(pieces)))
    text = "".join(piece + filling for piece, filling in zip(pieces, fillings, strict=True))
    assert Wildcard.of("".join(f"{piece}*" for piece in pieces)).matches(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        pytest.param("*a" * 2_000 + "b", "a" * 20_000, id="a piece per letter, and then none"),
        pytest.param("*" * 20_000 + "b", "a" * 20_000, id="a run of stars"),
        pytest.param("*aaaaaaaaaaaaaaab" * 200, "a" * 20_000, id="pieces that nearly fit everywhere"),
        pytest.param("* " * 2_000 + "b", " a" * 2_000, id="a star between blanks"),
    ],
)
def test_many_stars_end_in_time(pattern: str, text: str) -> None:
    """Trying every share of the text among the stars would take longer than the universe has existed."""
    assert not Wildcard.of(pattern).matches(text)
    assert Wildcard.of(pattern).matches(pattern)


def test_overlap_of_many_stars_ends_in_time() -> None:
    assert not overlap("*a" * 200 + "b", "*ab" * 200 + "c*d")


@settings(max_examples=100)
@given(st.text(alphabet="ab* ", max_size=3), st.text(alphabet="ab* ", max_size=3))
def test_overlap_and_covers_like_the_oracle(one: str, other: str) -> None:
    """Two patterns of three characters have a text of at most four in common, if they have any."""
    in_one = {text for text in ALL_SHORT_TEXTS if matches_by_trying(one, text)}
    in_other = {text for text in ALL_SHORT_TEXTS if matches_by_trying(other, text)}
    assert overlap(one, other) is bool(in_one & in_other)
    if covers(one, other):
        assert in_other <= in_one


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param("prod*", "*east", True, id="each leaves open what the other wants"),
        pytest.param("prod*", "test*", False, id="unlike beginnings"),
        pytest.param("*prod", "*test", False, id="unlike ends"),
        pytest.param("a*b", "ab", True, id="a star of nothing"),
        pytest.param("a*c*b", "ab", False, id="a piece that is missing"),
        pytest.param("a*b*a", "*ab*ba*", True, id="pieces of one inside the stars of the other"),
        pytest.param("*", "a b", False, id="no star over a blank"),
        pytest.param("arn:aws:ec2:*:volume/*", "arn:*:ec2:eu-west-1:111122223333:*", True, id="two ARNs"),
    ],
)
def test_overlap(one: str, other: str, *, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


def test_overlap_with_stars_that_stand_for_less() -> None:
    template = "arn:aws:ec2:eu-west-1:111122223333:volume/*"
    assert overlap("arn:aws:ec2:*:*:volume/v*", template, never_in_other=":")
    assert overlap("arn:aws:ec2:*:instance/*", template)
    assert not overlap("arn:aws:ec2:*:instance/*", template, never_in_other=":")


@pytest.mark.parametrize(
    ("pattern", "other", "expected"),
    [
        pytest.param("arn:aws:ec2:*", "arn:aws:ec2:*:*:volume/*", True, id="a service and one of its types"),
        pytest.param("*", "arn:aws:ec2:*", True, id="everything"),
        pytest.param("arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*", False, id="the other way round"),
        pytest.param("a*", "a* *", False, id="not across a blank"),
    ],
)
def test_covers(pattern: str, other: str, *, expected: bool) -> None:
    assert covers(pattern, other) is expected

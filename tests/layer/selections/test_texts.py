"""Texts that match a pattern are found in order as they are one by one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_rules.selections.texts import Texts
from backup_rules.selections.wildcards import Wildcard

alphabet = "ab: \n\U0010ffff"
texts = st.lists(st.text(alphabet, max_size=6), max_size=12)


@settings(max_examples=400)
@given(texts, st.text(alphabet + "***", max_size=7))
def test_what_matches(some: list[str], pattern: str) -> None:
    wildcard = Wildcard.of(pattern)
    expected = [number for number, text in enumerate(some) if wildcard.matches(text)]
    assert sorted(Texts(some).matching(wildcard)) == expected


@pytest.mark.parametrize("pattern", ["*-77-*", "*:77:*", "a-7*", "*-b", "a*b", "*", "a-77-b", "*7*7*", "*\n*"])
def test_of_thousands(pattern: str) -> None:
    """So many that the longest piece is searched for in all of them."""
    some = [f"{'a' if n % 2 else 'c'}-{n}-{':' if n % 3 else ''}{n}:b" for n in range(2_000)]
    wildcard = Wildcard.of(pattern)
    expected = [number for number, text in enumerate(some) if wildcard.matches(text)]
    assert sorted(Texts(some).matching(wildcard)) == expected

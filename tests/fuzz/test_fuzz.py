"""A round of `make fuzz` with one seed, and that it sees what it is there to see."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tests.fuzz.fuzz import MOST_GROWTH, growth, try_target
from tests.fuzz.targets import GROWING, TARGETS, Target


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_answers_or_refuses_in_few_words(name: str) -> None:
    try_target(TARGETS[name], 1, examples=50)


@pytest.mark.parametrize("name", GROWING)
def test_four_times_the_size_takes_about_four_times_as_long(name: str) -> None:
    assert growth(name) < MOST_GROWTH


def _fails(text: str) -> None:
    if "a" in text:
        raise KeyError(text)


def _says_too_much(text: str) -> None:
    raise ValueError(text * 3_000)


@pytest.mark.parametrize("read", [_fails, _says_too_much])
def test_what_a_reader_must_not_do_is_found(read: object) -> None:
    assert callable(read)
    with pytest.raises((KeyError, AssertionError)):
        try_target(Target(st.text("ab", min_size=1), read, (ValueError,)), 1)

"""A round of `make fuzz` with one seed, and that it sees what it is there to see."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from tests.fuzz import guided
from tests.fuzz.fuzz import MOST_GROWTH, as_test, growth, try_target
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


def test_bytes_become_what_a_reader_is_given() -> None:
    """As atheris gives them."""
    test: Any = as_test(Target(st.text("ab", min_size=1), _fails, (ValueError,)), 1, 1, lambda: None)
    with pytest.raises(KeyError) as raised:
        [test.hypothesis.fuzz_one_input(bytes([each]) * 64) for each in range(256)]
    assert "given '" in " ".join(raised.value.__notes__)


def test_what_was_tried_is_read_from_what_the_fuzzer_prints() -> None:
    printed = "#2\tINITED cov: 7 ft: 7\n#4096\tpulse  cov: 31 ft: 50\nDone 5802 runs in 13 second(s)\n"
    assert guided.tried(printed).split() == ["5,802", "tried", "31", "places", "reached"]


def test_a_reader_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["guided", "--target", "crom"])
    with pytest.raises(SystemExit):
        guided.main()
    assert "no reader is called crom; there are event, " in capsys.readouterr().err

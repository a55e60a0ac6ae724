"""What a person sees of a tag in an annotation."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_rules.wording.quoting import quote, quote_tag


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("backup", '"backup"', id="plain"),
        pytest.param("backup ", '"backup "', id="the quotes show a blank at the end"),
        pytest.param(" my  tag", '" my  tag"', id="blanks stand as they are"),
        pytest.param("", '""', id="empty"),
        pytest.param("backup\u00a0", r'"backup\u00a0"', id="no-break space"),
        pytest.param("back\u200bup\ufeff", r'"back\u200bup\ufeff"', id="no width"),
        pytest.param("a\u2007b\u202fc\u3000d", r'"a\u2007b\u202fc\u3000d"', id="other blanks"),
        pytest.param("\u2800\u3164", r'"\u2800\u3164"', id="letters that are drawn as a blank"),
        pytest.param("a\tb\nc\rd", r'"a\tb\nc\rd"', id="tab and line breaks"),
        pytest.param("a\x00\x1b", r'"a\u0000\u001b"', id="control characters"),
        pytest.param('say "yes"', r'"say \"yes\""', id="quotes"),
        pytest.param("a\\b", r'"a\\b"', id="backslash"),
        pytest.param("\U000e0041", r'"\U000e0041"', id="beyond four digits"),
        pytest.param("Größe 日本 ı", '"Größe 日本 ı"', id="letters of any script stand"),  # noqa: RUF001 - a letter too
        pytest.param("caf\u00e9", '"café"', id="accent, one character"),
        pytest.param("cafe\u0301", r'"cafe\u0301"', id="accent, a character of its own"),
        pytest.param("กำ\u0e49", '"กำ\u0e49"', id="marks that have no joint form stand"),
    ],
)
def test_quote(text: str, expected: str) -> None:
    assert quote(text) == expected


@given(st.text())
def test_nothing_is_lost_and_nothing_is_hidden(text: str) -> None:
    quoted = quote(text)
    assert quoted.isprintable()
    assert ast.literal_eval(quoted) == text


def test_a_tag_is_key_and_value() -> None:
    assert quote_tag("backup", "true ") == '"backup"="true "'

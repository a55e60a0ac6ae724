r"""Tag keys and values as a person must see them in an annotation: in double quotes, with nothing invisible.

A plain blank stands as it is, since the quotes show it even at the end. What does not show, or shows as a blank
without being one, is escaped: `\t`, `\u00a0` (no-break space), `\u200b` (zero-width space). So is a combining mark that
is kept apart from its letter, though Unicode has a single character for both: `"cafe\u0301"`.
"""

from __future__ import annotations

import unicodedata

# Characters that take no room. Not all of Unicode's "format" characters: some of those are drawn. The variation
# selectors and the tag characters, which only alter an emoji, are left alone.
ZERO_WIDTH = frozenset(
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"
)
# Letters and symbols, to Unicode, that are drawn as a blank: the Hangul fillers and the empty Braille pattern.
BLANK_LOOKING = frozenset("\u115f\u1160\u2800\u3164\uffa0")

_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


MOST_SHOWN = 200


def shown(value: object) -> str:
    """A value from outside, of whatever shape, in at most 200 characters."""
    try:
        text = plain(repr(value)[: MOST_SHOWN + 1])
    except (RecursionError, ValueError):
        text = f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"


def quote(text: str) -> str:
    """`text` in double quotes; quotes, backslashes and what cannot be seen are escaped."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    decomposed = not unicodedata.is_normalized("NFC", text)
    return '"' + "".join(_visible(character, decomposed=decomposed) for character in text) + '"'


def plain(text: str) -> str:
    """`text` with what cannot be seen, breaks the line or turns its direction escaped; everything else as it stands.

    For names, ARNs and messages from wherever: what a person reads shows no more and no less than is there.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(each) if _hides(each) else each for each in text)


def quote_tag(key: str, value: str) -> str:
    """`"backup"="true"`: a tag in the way the annotations write it."""
    return f"{quote(key)}={quote(value)}"


def _visible(character: str, *, decomposed: bool) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if _hides(character) or (decomposed and unicodedata.combining(character)):
        return _escaped(character)
    return character


def _hides(character: str) -> bool:
    return character in ZERO_WIDTH or character in BLANK_LOOKING or not character.isprintable()


def _escaped(character: str) -> str:
    code = ord(character)
    return _ESCAPES.get(character) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")

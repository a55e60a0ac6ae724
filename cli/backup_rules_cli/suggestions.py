"""What a person may have meant by a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean X?`, with the blank, or nothing when no known name is near. Case, `-` and `_` do not count."""
    plain = {_plain(each): each for each in known}
    close = difflib.get_close_matches(_plain(name), plain, n=1)
    return f" Did you mean {plain[close[0]]}?" if close else ""


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")

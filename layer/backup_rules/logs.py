"""Structured logs: one JSON object a line on standard output, which CloudWatch Logs can be queried by."""

from __future__ import annotations

import json
import sys

LONGEST_TEXT = 4000


def log(level: str, message: str, **fields: object) -> None:
    """Write one line. `level` is `INFO`, `WARNING` or `ERROR`; the other fields are for queries such as
    `filter problems > 0`.

    What cannot be seen is escaped as JSON escapes it, so that no name from elsewhere changes how a line looks.
    """
    bounded = {key: value[:LONGEST_TEXT] if isinstance(value, str) else value for key, value in fields.items()}
    line = json.dumps({"level": level, "message": message, **bounded}, default=str, ensure_ascii=False)
    sys.stdout.write(f"{_visible(line)}\n")  # in one write: accounts are served side by side
    sys.stdout.flush()


def _visible(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in line)

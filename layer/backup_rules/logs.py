"""Structured logs: one JSON object a line on standard output, which CloudWatch Logs can be queried by."""

from __future__ import annotations

import json
import sys


def log(level: str, message: str, **fields: object) -> None:
    """Write one line. `level` is `INFO` or `ERROR`; the other fields are for queries such as `filter problems > 0`."""
    line = json.dumps({"level": level, "message": message, **fields}, default=str, ensure_ascii=False)
    sys.stdout.write(f"{line}\n")  # in one write: accounts are served side by side
    sys.stdout.flush()

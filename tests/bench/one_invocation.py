"""One invocation of one rule in a process of its own, as in Lambda, for `bench_scale.py`.

Reads the event as JSON from standard input; prints the handler's own log line, and last a JSON object with its figures.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import time
from pathlib import Path


def peak_mib() -> float:
    """The most memory that the process has held, as Lambda counts it. Linux only, as Lambda is."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise ValueError("/proc/self/status has no VmHWM: this needs Linux.")
    return int(found[1]) / 1024


def main() -> None:
    event = json.load(sys.stdin)
    rule = importlib.import_module(sys.argv[1])
    imported = peak_mib()
    began, cpu_began = time.perf_counter(), time.process_time()
    rule.lambda_handler(event, None)
    figures = {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu_began,
        "imported_mib": imported,
        "peak_mib": peak_mib(),
    }
    print(json.dumps(figures))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()

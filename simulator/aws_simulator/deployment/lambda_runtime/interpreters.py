"""Which Python runs a function: the one that its `Runtime` names, where this machine has it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass
from functools import cache

import findpython


@dataclass(frozen=True)
class Interpreter:
    """A Python. `missing` names the runtime that was asked for, where this machine has none and another stands in."""

    path: str
    version: str
    """`3.13.1`."""
    missing: str = ""

    @property
    def minor(self) -> str:
        """`3.13`."""
        return ".".join(self.version.split(".")[:2])

    @property
    def line(self) -> str:
        """What Lambda logs of it when a process starts, and what stands in for what."""
        stands_in = f" (in place of {self.missing}, which this machine does not have)" if self.missing else ""
        return f"INIT_START Runtime Version: python:{self.version}{stands_in}"


@cache
def interpreter_of(runtime: str) -> Interpreter:
    """The Python of a `Runtime` such as `python3.13`; where there is none, that which runs the simulator."""
    own = Interpreter(sys.executable, platform.python_version(), missing=runtime)
    named = re.fullmatch(r"python(\d+)\.(\d+)", runtime)
    if named is None:
        return own
    major, minor = map(int, named.groups())
    if (major, minor) == sys.version_info[:2]:
        return Interpreter(own.path, own.version)
    found = findpython.find(major, minor, pre=False)
    return own if found is None else Interpreter(str(found.executable), str(found.version))

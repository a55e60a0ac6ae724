"""Bytecode beside the sources that AWS Lambda runs, so that a cold start need not compile them.

Lambda mounts code and layers where nothing can be written, so that Python would compile each module in every cold
start: some 60 ms. Only a Python of the runtime's own minor version can make what that runtime reads; where this machine
has none, nothing is made. Another version ignores it, and compiles the sources, which are always there.

Columns are left out, which takes off a quarter: tracebacks name the line, as they did before Python 3.11.

A layer cannot be edited, so its bytecode is taken as it is ("unchecked"). A function's code can, in the console; its
bytecode is taken only while it fits the source ("checked").

Source: https://docs.python.org/3/reference/import.html#cached-bytecode-invalidation
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import findpython

LAYER_MOUNT, FUNCTION_MOUNT = "/opt", "/var/task"
"""Where Lambda puts a layer and a function's code: what a traceback names."""
SUFFIX = ".pyc"


@cache
def python_of(runtime: str) -> str | None:
    """The Python on this machine that has the version of a `Runtime` such as `python3.13`; None where there is none."""
    named = re.fullmatch(r"python(\d+)\.(\d+)", runtime)
    found = findpython.find(int(named[1]), int(named[2]), pre=False) if named else None
    return None if found is None else str(found.executable)


def bytecode(sources: Mapping[str, bytes], runtime: str, mount: str) -> dict[str, bytes]:
    """What `runtime` would make of these modules, by the names under which it looks for it; nothing without its Python.

    The same Python makes the same bytes of the same modules, whatever else this machine is like.

    Args:
        sources: modules by their names relative to `mount`; other files may be among them.
        runtime: such as `python3.13`.
        mount: `LAYER_MOUNT` or `FUNCTION_MOUNT`.

    Raises:
        ValueError: a module cannot be compiled; the message is the compiler's.
    """
    python = python_of(runtime)
    modules = {name: content for name, content in sources.items() if name.endswith(".py")}
    if python is None or not modules:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in modules.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        mode = "unchecked-hash" if mount == LAYER_MOUNT else "checked-hash"
        command = [python, "-s", "-S", "-X", "no_debug_ranges", "-m", "compileall", "-q", "-s", folder, "-p", mount]
        command += ["--invalidation-mode", mode, folder]
        made = subprocess.run(  # noqa: S603 - a Python of this machine
            command, capture_output=True, text=True, check=False, env={"PYTHONHASHSEED": "0"}, cwd=folder
        )
        if made.returncode:
            raise ValueError(made.stdout.strip())
        found = sorted(Path(folder).rglob(f"*{SUFFIX}"))
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}

"""The simulator and its seeded organization know nothing of the rules: a verdict must not come from shared code."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from local.catalogue import ROOT

LOCAL = ROOT / "local"
FORBIDDEN = {"backup_rules", "rules"}
SIMULATOR = sorted((LOCAL / "simulator").rglob("*.py"))
MODULES = [*SIMULATOR, *sorted((LOCAL / "organization").rglob("*.py"))]


def imported(code: str) -> set[str]:
    """All modules that the code imports, wherever in it, by their full names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@cache
def foreign(path: Path) -> set[str]:
    """What the module imports of the rules."""
    return {name for name in imported(path.read_text(encoding="utf-8")) if name.split(".")[0] in FORBIDDEN}


@cache
def own_modules(path: Path) -> set[Path]:
    """The files of `local` that the module imports."""
    files = set()
    for name in imported(path.read_text(encoding="utf-8")):
        if name.split(".")[0] == "local":
            parts = name.split(".")
            candidates = [Path(*parts[:length]) for length in range(2, len(parts) + 1)]
            files |= {ROOT / each.with_suffix(".py") for each in candidates}
            files |= {ROOT / each / "__init__.py" for each in candidates}
    return {path for path in files if path.is_file()}


def reached_from(start: Path) -> set[Path]:
    """The module, and all of `local` that it imports, directly or not."""
    seen: set[Path] = set()
    waiting = {start}
    while waiting:
        path = waiting.pop()
        seen.add(path)
        waiting |= own_modules(path) - seen
    return seen


def test_the_scan_finds_the_modules() -> None:
    assert {"tagging.py", "selections.py", "expected.py"} <= {path.name for path in MODULES}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(LOCAL)))
def test_no_module_imports_the_rules(module: Path) -> None:
    assert not foreign(module)


@pytest.mark.parametrize("module", SIMULATOR, ids=lambda path: str(path.relative_to(LOCAL)))
def test_what_the_simulator_imports_does_not_import_them_either(module: Path) -> None:
    assert not {str(path.relative_to(ROOT)) for path in reached_from(module) if foreign(path)}

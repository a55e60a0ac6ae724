"""The simulator and its seeded organization know nothing of the rules: a verdict must not come from shared code.

And the simulator's rooms: imports run down only, without a circle.
"""

from __future__ import annotations

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from backup_rules_cli.catalogue import ROOT

FOLDER = ROOT / "simulator"
FORBIDDEN = {"backup_rules", "rules"}
SIMULATOR = sorted((FOLDER / "aws_simulator").rglob("*.py"))
MODULES = [*SIMULATOR, *sorted((FOLDER / "demo_organization").rglob("*.py"))]
OURS = {"backup_rules", "backup_rules_cli", "demo_organization", "tests"}


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


def test_the_scan_finds_the_modules() -> None:
    assert {"tagging.py", "selections.py", "expected.py"} <= {path.name for path in MODULES}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_module_imports_the_rules(module: Path) -> None:
    assert not foreign(module)


@pytest.mark.parametrize("module", SIMULATOR, ids=lambda path: str(path.relative_to(FOLDER)))
def test_the_simulator_stands_by_itself(module: Path) -> None:
    assert not {name for name in imported(module.read_text(encoding="utf-8")) if name.split(".")[0] in OURS}


ROOMS = {
    "core": {"core"},
    "deployment": {"core", "deployment"},
    "extras": {"core", "extras"},
    "simulation": {"core", "deployment", "extras"},
    "server": {"core", "simulation"},
}
"""What each room, and each module above the rooms, may import of the simulator."""
NAMES = {
    ".".join(path.relative_to(FOLDER / "aws_simulator").with_suffix("").parts).removesuffix(".__init__"): path
    for path in SIMULATOR
    if path != FOLDER / "aws_simulator" / "__init__.py"
}


def own_imports(path: Path) -> set[str]:
    """The simulator's modules that a module imports, also within functions and for type checkers only."""
    names = {name.removeprefix("aws_simulator.") for name in imported(path.read_text(encoding="utf-8"))}
    return {name if name in NAMES else name.rpartition(".")[0] for name in names} & set(NAMES)


def test_every_room_has_its_place() -> None:
    assert {name.split(".")[0] for name in NAMES} == set(ROOMS)


@pytest.mark.parametrize("module", NAMES)
def test_imports_run_down(module: str) -> None:
    assert {name.split(".")[0] for name in own_imports(NAMES[module])} <= ROOMS[module.split(".", maxsplit=1)[0]]


def test_no_modules_import_each_other_in_a_circle() -> None:
    # Raises CycleError, naming the circle.
    order = tuple(TopologicalSorter({name: own_imports(path) for name, path in NAMES.items()}).static_order())
    assert order.index("core.operations") < order.index("deployment.lambda_runtime.runtime") < order.index("simulation")

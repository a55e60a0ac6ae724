"""The rooms of the layer: imports run down only, and what judges imports nothing of what reads."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from backup_rules_cli.catalogue import ROOT

LAYER = ROOT / "layer" / "backup_rules"

# From the ground up: a room may import those before it. `aws` reads and stands above all that judges, so that no
# judging room can reach it.
FROM_THE_GROUND_UP = (
    "values",
    "arns",
    "wording",
    "errors",
    "logs",
    "compliance_changes",
    "resources",
    "plans",
    "schedules",
    "selections",
    "iam",
    "vaults",
    "organization",
    "aws",
    "evaluation",
    "shared_rules",
)
OURS = {"backup_rules", "backup_rules_cli", "aws_simulator", "demo_organization", "rules", "tests"}


def modules() -> dict[str, Path]:
    """The layer's modules by their names within the package."""
    return {
        ".".join(path.relative_to(LAYER).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(LAYER.rglob("*.py"))
    }


def imported(path: Path) -> set[str]:
    """What a module imports, wherever in it: full names, those of members included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def own_imports(path: Path) -> set[str]:
    """The layer's modules that a module imports."""
    known = modules()
    names = {name.removeprefix("backup_rules.") for name in imported(path) if name.startswith("backup_rules.")}
    return {name if name in known else name.rpartition(".")[0] for name in names} - {""}


def test_every_room_has_its_place() -> None:
    assert {name.split(".")[0] for name in modules()} - {"__init__"} == set(FROM_THE_GROUND_UP)


@pytest.mark.parametrize("module", [name for name in modules() if name != "__init__"])
def test_imports_run_down(module: str) -> None:
    room = module.split(".", maxsplit=1)[0]
    below = set(FROM_THE_GROUND_UP[: FROM_THE_GROUND_UP.index(room) + 1])
    assert {each.split(".")[0] for each in own_imports(modules()[module])} <= below
    assert {name.split(".")[0] for name in imported(modules()[module])} & OURS <= {"backup_rules"}


def test_no_modules_import_each_other_in_a_circle() -> None:
    # Raises CycleError, naming the circle.
    order = tuple(TopologicalSorter({name: own_imports(path) for name, path in modules().items()}).static_order())
    assert order.index("wording.quoting") < order.index("evaluation.evaluator")

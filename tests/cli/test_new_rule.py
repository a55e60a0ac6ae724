"""`backup-rules new-rule`: what it writes passes what every rule must, once it is filled in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backup_rules_cli.errors import CommandError
from backup_rules_cli.new_rule import check_name, contents, write
from backup_rules_cli.resources import ROOT

NAME = "BACKUP_EXAMPLE"
TREE = (
    "rules",
    "layer",
    "cli",
    "simulator",
    "tests",
    "functions",
    "remediation",
    "rdk-config",
    "cloudformation",
    "docs",
)
FILES = ("pyproject.toml", "README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md", "SECURITY.md", "Makefile")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with a new rule in it, filled in, and all that is made from the rules made anew."""
    tree = tmp_path_factory.mktemp("project") / "copy"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in TREE:
        shutil.copytree(ROOT / name, tree / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, tree / name)
    (tree / ".venv").symlink_to(ROOT / ".venv")
    for path in write(NAME, tree):
        path.write_text(path.read_text(encoding="utf-8").replace("REPLACE", "said"), encoding="utf-8")
    for command in ("templates", "docs"):
        run(tree, "-m", "backup_rules_cli", command)
    return tree


def run(tree: Path, *arguments: str) -> str:
    paths = (tree / "cli", tree / "layer", tree / "simulator", tree)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    finished = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *arguments], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode in {0, 1}, finished.stdout[-3000:] + finished.stderr[-3000:]
    if "pytest" in arguments:
        assert finished.returncode == 0, finished.stdout[-3000:]
    return finished.stdout


def test_the_new_rule_passes_what_every_rule_must(copy: Path) -> None:
    own = (
        f"tests/rules/test_{NAME}.py",
        f"rules/{NAME}",
        "tests/rules/test_every_rule.py",
        "tests/rdk/test_settings.py",
    )
    run(copy, "-m", "pytest", "-p", "no:cacheprovider", "-q", *own, "tests/cloudformation/test_conformance_pack.py")


@pytest.mark.slow
def test_the_demo_organization_shows_it(copy: Path) -> None:
    chosen = f"{NAME} or planted_thing"
    run(copy, "-m", "pytest", "-p", "no:cacheprovider", "-q", "tests/simulator/test_demo_organization.py", "-k", chosen)
    found = run(copy, "-m", "backup_rules_cli", "evaluate", "--rules", NAME, "--format", "json")
    assert '"compliance": "NON_COMPLIANT"' in found


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("EXAMPLE", "is no name of a rule: allowed are capital letters"),
        ("BACKUP_lower", "is no name of a rule"),
        ("BACKUP__TWICE", "is no name of a rule"),
        ("BACKUP_../../etc", "is no name of a rule"),
        ("BACKUP_" + "X" * 31, "has 38 characters: .* 37 are allowed"),
    ],
)
def test_names_that_are_refused(name: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        check_name(name)


def test_a_rule_that_is_there_is_left_alone(tmp_path: Path) -> None:
    write(NAME, tmp_path)
    with pytest.raises(CommandError, match=f"There is a rule {NAME} already"):
        write(NAME, tmp_path)
    assert len(list(tmp_path.rglob("*.*"))) == len(contents(NAME))

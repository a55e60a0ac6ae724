"""The wheel alone: built, installed in an environment of its own, and used in a folder that holds no checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from backup_rules_cli.package import package
from backup_rules_cli.resources import ROOT

pytestmark = pytest.mark.slow

RULES = "BACKUP_ROLE_ASSUMABLE,BACKUP_TAG_CASE"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True)  # noqa: S603 - our own project
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`backup-rules` of an environment with the wheel, and with what it depends on from the tests' environment.

    A path in a .pth file brings the packages that lie there, and not the editable installation of the checkout, which
    is a .pth file itself.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    install = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    subprocess.run([*install, "--no-deps", str(wheel)], check=True)  # noqa: S603 - our own project
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return folder / "bin" / "backup-rules"


def run(program: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: text for key, text in os.environ.items() if not key.startswith(("AWS_", "PYTHON"))}
    return subprocess.run(  # noqa: S603 - our own program
        [str(program), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def judged(text: str) -> Mapping[str, object]:
    found: dict[str, object] = json.loads(text)
    del found["evaluated_at"]
    return found


def test_it_holds_what_the_commands_need_and_no_leftovers(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    resources = "backup_rules_cli/resources/"
    for name in ("rules", "cloudformation", "functions", "remediation", "rdk-config"):
        inside = {each.removeprefix(resources) for each in names if each.startswith(f"{resources}{name}/")}
        tracked = subprocess.run(["git", "ls-files", name], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603, S607
        assert set(tracked.stdout.split()) <= inside
    assert not [name for name in names if name.endswith((".pyc", ".zip")) or name.startswith("tests/")]


def test_it_judges_as_the_checkout_does(program: Path, tmp_path: Path) -> None:
    arguments = ("evaluate", "--format", "json", "--rules", RULES)
    there = run(program, tmp_path, *arguments)
    here = run(Path(sys.executable).with_name("backup-rules"), ROOT, *arguments)
    assert (there.returncode, here.returncode) == (1, 1), there.stderr
    assert judged(there.stdout) == judged(here.stdout)
    assert json.loads(there.stdout)["evaluations"]
    assert list(tmp_path.iterdir()) == []


def test_it_packs_the_same_functions(program: Path, tmp_path: Path) -> None:
    done = run(program, tmp_path, "package", "--destination", "packed")
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "packed" / "manifest.json").read_text(encoding="utf-8"))
    assert made["hash"] == package(tmp_path / "here").hash


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["--help"], 0, "evaluate"),
        (["costs", "--accounts", "350"], 0, "| 350 |"),
        (["query", "--show"], 0, "SELECT accountId"),
        (["rdk-rules", "--into", "rdk"], 0, "rules are in rdk"),
        (["remediation-pack", "--management-account", "111122223333"], 0, "AWS::Config::RemediationConfiguration"),
        (["deploy", "--profile", "nobody"], 2, "The config profile (nobody) could not be found"),
        (["docs"], 2, "Work in a checkout"),
        (["templates"], 2, "Work in a checkout"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_every_command_finds_what_it_needs(
    program: Path, tmp_path: Path, arguments: list[str], status: int, told: str
) -> None:
    done = run(program, tmp_path, *arguments)
    assert done.returncode == status, done.stderr
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_without_its_rules_it_fails(program: Path, tmp_path: Path) -> None:
    hidden = next(program.parents[1].glob("lib/*/site-packages/backup_rules_cli/resources/rules"))
    aside = hidden.rename(hidden.with_name("aside"))
    try:
        done = run(program, tmp_path, "evaluate", "--format", "json")
    finally:
        aside.rename(hidden)
    assert (done.returncode, done.stdout) == (2, "")
    assert "There are no rules in" in done.stderr

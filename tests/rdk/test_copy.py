"""`backup-rules rdk-rules`: rule folders for RDK to work in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from backup_rules_cli import catalogue, rdk_copy
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.main import main


def parameters(copy: Path) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads((copy / "parameters.json").read_text(encoding="utf-8"))["Parameters"]
    return whole


def test_a_copy_has_code_and_metadata_and_nothing_else(tmp_path: Path) -> None:
    copies = rdk_copy.copy_rules(tmp_path)
    assert [copy.name for copy in copies] == [folder.name for folder in rule_folders()]
    for folder, copy in zip(rule_folders(), copies, strict=True):
        assert {path.name for path in copy.iterdir()} == {f"{folder.name}.py", "parameters.json"}
        assert (copy / f"{folder.name}.py").read_bytes() == (folder.path / f"{folder.name}.py").read_bytes()


def test_metadata_stays_but_for_the_parameters(tmp_path: Path) -> None:
    changed = {"InputParameters", "OptionalParameters"}
    for folder, copy in zip(rule_folders(), rdk_copy.copy_rules(tmp_path), strict=True):
        kept = {key: value for key, value in folder.metadata.items() if key not in changed}
        assert {key: value for key, value in parameters(copy).items() if key not in changed} == kept


def test_a_parameter_goes_to_the_rules_that_have_it(tmp_path: Path) -> None:
    given = {"BufferMinutes": "90", "ExcludedPlans": "sandbox-*"}
    copies = {copy.name: parameters(copy) for copy in rdk_copy.copy_rules(tmp_path, given)}
    databases = json.loads(copies["BACKUP_RDS_WINDOW_CONFLICT"]["InputParameters"])
    assert databases == {"BufferMinutes": "90", "WholeStartWindow": "false", "ExcludedPlans": "sandbox-*"}
    assert json.loads(copies["BACKUP_TAG_CASE"]["InputParameters"]) == {"ExcludedPlans": "sandbox-*"}
    assert {copy["OptionalParameters"] for copy in copies.values()} == {"{}"}


def test_only_schedules(tmp_path: Path) -> None:
    for copy in rdk_copy.copy_rules(tmp_path, periodic_only=True):
        assert "SourceEvents" not in parameters(copy)
        assert parameters(copy)["SourcePeriodic"]


def test_copies_are_replaced_and_all_else_stays(tmp_path: Path) -> None:
    rdk_copy.copy_rules(tmp_path)
    (tmp_path / "BACKUP_TAG_CASE" / "BACKUP_TAG_CASE.zip").touch()
    (tmp_path / "terraform_rdk_rules").mkdir()
    assert main(["rdk-rules", "--into", str(tmp_path), "--rules", "BACKUP_TAG_CASE"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"BACKUP_TAG_CASE", "terraform_rdk_rules"}
    assert not (tmp_path / "BACKUP_TAG_CASE" / "BACKUP_TAG_CASE.zip").exists()


def test_rules_of_others_stay(tmp_path: Path) -> None:
    theirs = tmp_path / "THEIR_OWN_RULE" / "parameters.json"
    theirs.parent.mkdir()
    theirs.write_text("{}", encoding="utf-8")
    assert main(["rdk-rules", "--into", str(tmp_path), "--rules", "BACKUP_TAG_CASE"]) == 0
    assert theirs.read_text(encoding="utf-8") == "{}"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the rules that stands for the checkout's own."""
    rules = tmp_path / "checkout" / "rules"
    shutil.copytree(catalogue.RULES, rules, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(catalogue, "RULES", rules)
    monkeypatch.setattr(rdk_copy, "RULES", rules)
    return rules


@pytest.mark.parametrize("into", ["rules", "rules/BACKUP_TAG_CASE", "rules/new", "link", "linked"])
def test_the_source_is_refused_and_stays(
    source: Path, into: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source.parent)
    Path("link").symlink_to(source)
    Path("linked").mkdir()
    (Path("linked") / "BACKUP_TAG_CASE").symlink_to(source / "BACKUP_TAG_CASE")
    before = sorted((path, path.stat().st_size) for path in source.rglob("*"))
    assert main(["rdk-rules", "--into", into]) == 2
    assert "name another folder" in capsys.readouterr().err
    assert sorted((path, path.stat().st_size) for path in source.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--parameter", "BufferMinutes=long"], "Parameter BufferMinutes is 'long'"),
        (["--parameter", "Buffer=90"], "has a parameter Buffer"),
        (["--parameter", "BufferMinutes"], "not of the form Name=value"),
        (["--parameter", "BufferMinutes=90", "--rules", "BACKUP_TAG_CASE"], "has a parameter BufferMinutes"),
        (["--rules", "BACKUP_NOTHING"], "There is no rule BACKUP_NOTHING"),
    ],
)
def test_what_is_not_allowed_writes_nothing(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rdk-rules", "--into", str(tmp_path), *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())

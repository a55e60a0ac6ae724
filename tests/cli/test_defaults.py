"""What `.backup-rules.toml` says is what would be typed; what is typed wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backup_rules_cli.main import main

RULES = ["BACKUP_TAG_CASE", "BACKUP_TAG_WHITESPACE"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listed(capsys: Any, *arguments: str) -> list[str]:
    assert main(["evaluate", "--list-rules", *arguments]) == 0
    return [line.split()[0] for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".backup-rules.toml", "[evaluate]\nrules = ['BACKUP_TAG_CASE', 'BACKUP_TAG_WHITESPACE']\n"),
        (".backup-rules.toml", "[evaluate]\nrules = 'BACKUP_TAG_CASE, BACKUP_TAG_WHITESPACE'\n"),
        ("pyproject.toml", "[tool.backup-rules.evaluate]\nrules = ['BACKUP_TAG_CASE', 'BACKUP_TAG_WHITESPACE']\n"),
    ],
)
def test_options_have_what_the_file_says(folder: Path, capsys: Any, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    assert listed(capsys) == RULES
    assert listed(capsys, "--rules", "BACKUP_VAULT_USABLE") == ["BACKUP_VAULT_USABLE"]


def test_the_own_file_is_before_the_projects(folder: Path, capsys: Any) -> None:
    (folder / "pyproject.toml").write_text(
        "[tool.backup-rules.evaluate]\nrules = 'BACKUP_VAULT_USABLE'\n", encoding="utf-8"
    )
    (folder / ".backup-rules.toml").write_text("[evaluate]\nrules = 'BACKUP_TAG_CASE'\n", encoding="utf-8")
    assert listed(capsys) == ["BACKUP_TAG_CASE"]


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ("BufferMinutes = 'soon'", "Parameter BufferMinutes is 'soon'"),
        ("BACKUP_RDS_WINDOW_CONFLICT = {BufferMinutes = 'late'}", "Parameter BufferMinutes is 'late'"),
        ("BACKUP_TAG_CASE = {BufferMinutes = '90'}", "has a parameter BACKUP_TAG_CASE.BufferMinutes"),
    ],
)
def test_parameters_are_given_to_all_rules_or_to_one(folder: Path, capsys: Any, parameters: str, told: str) -> None:
    (folder / ".backup-rules.toml").write_text(f"[evaluate.parameter]\n{parameters}\n", encoding="utf-8")
    assert main(["evaluate", "--quiet"]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[evaluat]\n", "there is no command 'evaluat'. Did you mean evaluate?"),
        ("[evaluate]\nregoin = 'eu-west-1'\n", "there is no option 'regoin'. Did you mean region?"),
        ("[evaluate]\nregion = 3\n", "region is 3; it must be a text, a list of texts, or a table."),
        ("[evaluate]\nall = 'yes'\n", "all is 'yes'; allowed are true and false."),
        ("[evaluate]\nformat = 'xml'\n", "'xml' is not one of"),
        ("[evaluate]\noutput = 5\n", "evaluate: output is 5; it must be a text."),
        ("[evaluate]\nseverity = ['high']\n", "evaluate: severity is ['high']; it must be a text."),
        ("evaluate = 1\n", "it must be a table of options"),
        ("[", ".backup-rules.toml cannot be read"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, capsys: Any, text: str, told: str) -> None:
    (folder / ".backup-rules.toml").write_text(text, encoding="utf-8")
    assert main(["evaluate", "--list-rules"]) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.out == ""


def test_a_list_is_one_parameter_with_commas(folder: Path, demo_reading: tuple[Path, Any], capsys: Any) -> None:
    given = ["evaluate", "--from", str(demo_reading[0]), "--rules", "BACKUP_WINDOW_CONFIGURED", "--quiet"]
    (folder / ".backup-rules.toml").write_text(
        "[evaluate.parameter]\nExcludedPlans = ['half-hour-*', 'february-30']\n", encoding="utf-8"
    )
    main([*given, "--format", "csv"])
    listed = capsys.readouterr().out
    assert "daily-never-runs" in listed
    assert "half-hour-window" not in listed
    assert "february-30" not in listed
    (folder / ".backup-rules.toml").write_text("[evaluate.parameter]\nExcludedPlans = [{a = 1}]\n", encoding="utf-8")
    assert main(given) == 2
    told = ".backup-rules.toml, evaluate: ExcludedPlans is [{'a': 1}]; it must be a text, a number, or a list of them."
    assert told in capsys.readouterr().err


def test_a_number_is_taken_where_an_option_is_one(folder: Path, capsys: Any) -> None:
    (folder / ".backup-rules.toml").write_text("[costs]\nregions = 3\n", encoding="utf-8")
    assert main(["costs", "--accounts", "10"]) == 0
    from_file = capsys.readouterr().out
    (folder / ".backup-rules.toml").unlink()
    assert main(["costs", "--accounts", "10", "--regions", "3"]) == 0
    assert capsys.readouterr().out == from_file


def test_a_section_that_is_no_table_is_named(folder: Path, capsys: Any) -> None:
    (folder / "pyproject.toml").write_text("[tool]\nbackup-rules = 3\n", encoding="utf-8")
    assert main(["evaluate", "--list-rules"]) == 2
    assert "pyproject.toml: tool.backup-rules is 3; it must be a table of commands." in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[", "[tool.other]\nx = 1\n", "tool = 1\n"])
def test_a_project_file_of_others_is_left_alone(folder: Path, capsys: Any, text: str) -> None:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    assert len(listed(capsys)) > 10

"""`backup-rules check`: which files are looked at, how broken ones are told, and whose a comment is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from backup_rules_cli.catalogue import ROOT
from backup_rules_cli.main import main

Check = Callable[..., tuple[int, dict[str, Any]]]
TEMPLATE = """Resources:
  Plan:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlan:
        BackupPlanName: nightly
        BackupPlanRule: [{RuleName: Daily, TargetBackupVault: main, StartWindowMinutes: 30}]
  Vault:
    Type: AWS::Backup::BackupVault
    Properties: {BackupVaultName: main}
Outputs:
  Name: {Value: main}
"""
IGNORE = "# backup-rules: ignore BACKUP_WINDOW_CONFIGURED it is a test"
SEVERAL = "---\nkind: One\n---\nkind: Two\n"


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Check:
    """Runs the command in a folder; gives how it ended, and what is printed as JSON."""
    monkeypatch.chdir(tmp_path)

    def judge(*arguments: str) -> tuple[int, dict[str, Any]]:
        status = main(["check", "--format", "json", *arguments])
        return status, json.loads(capsys.readouterr().out)

    return judge


@pytest.mark.parametrize(
    ("before", "ignores"),
    [
        ("  Plan:\n", True),
        ("    Type: AWS::Backup::BackupPlan\n", True),
        ("        BackupPlanRule", True),
        ("  Vault:\n", False),
        ("    Type: AWS::Backup::BackupVault\n", False),
        ("Outputs:\n", False),
        ("  Name:", False),
    ],
)
def test_a_comment_is_that_of_the_resource_that_it_stands_in(
    check: Check, tmp_path: Path, before: str, ignores: bool
) -> None:
    indent = " " * (len(before) - len(before.lstrip()))
    (tmp_path / "t.yaml").write_text(TEMPLATE.replace(before, f"{indent}{IGNORE}\n{before}"), encoding="utf-8")
    status, document = check("t.yaml")
    assert status == (0 if ignores else 1)
    assert len(document["excluded"]) == ignores


def test_a_comment_in_json_is_a_text_of_it(check: Check, tmp_path: Path) -> None:
    template = yaml.safe_load(TEMPLATE)
    template["Resources"]["Plan"]["Metadata"] = {"Why": IGNORE.removeprefix("# "), "Else": 1}
    (tmp_path / "t.json").write_text(json.dumps(template), encoding="utf-8")
    status, document = check("t.json")
    assert (status, [each["reason"] for each in document["excluded"]]) == (0, ["it is a test"])


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("Resources:\n  A: {Type: x}\n  A: {Type: y}\n", 2, 3, "Duplicate found 'A'"),
        (f"{TEMPLATE}---\nkind: Other\n", 14, 1, "more than one YAML document, and CloudFormation takes one"),
        ("Resources:\n  A:\n\tB: 1\n", 3, 1, "cannot start any token"),
    ],
)
def test_where_a_file_is_broken(check: Check, tmp_path: Path, text: str, line: int, column: int, words: str) -> None:
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    status, document = check("t.yaml")
    (broken,) = document["broken_files"]
    assert (status, broken["line"], broken["column"]) == (2, line, column)
    assert words in broken["error"]
    assert "unicode string" not in broken["error"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("k.yaml", SEVERAL), ("tsconfig.json", '{\n // as TypeScript takes it\n "strict": true}'), ("p.json", '{"a": 1}')],
)
def test_files_of_another_kind_are_no_matter_in_a_folder(check: Check, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "t.yaml").write_text(TEMPLATE.replace("30", "60"), encoding="utf-8")
    status, document = check(".")
    assert (status, document["broken_files"], document["others"]) == (0, [], [])
    assert check(name)[0] == 2
    assert check("--any-files", name)[0] == 0


@pytest.mark.parametrize("text", [TEMPLATE + "  Bad: [\n", TEMPLATE.encode("utf-16")])
def test_a_broken_template_in_a_folder_is_told(check: Check, tmp_path: Path, text: str | bytes) -> None:
    (tmp_path / "t.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    for arguments in ((".",), ("--any-files", "t.yaml")):
        status, document = check(*arguments)
        assert (status, len(document["broken_files"])) == (2, 1)


def test_several_answers_in_one_file(check: Check, tmp_path: Path) -> None:
    rules = [{"RuleName": "r", "TargetBackupVaultName": "v", "StartWindowMinutes": 30}]
    text = yaml.safe_dump_all([{"BackupPlanName": "p", "Rules": rules}, {"BackupVaultList": []}])
    (tmp_path / "answers.yaml").write_text(text, encoding="utf-8")
    status, document = check("answers.yaml")
    assert status == 1
    assert {each["rule"] for each in document["findings"] if each["state"] == "broken"} == {
        "BACKUP_VAULT_USABLE",
        "BACKUP_WINDOW_CONFIGURED",
    }


def test_a_folder_in_which_nothing_is_checked_is_not_well(check: Check, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "self.yaml").symlink_to(tmp_path / "loop", target_is_directory=True)
    (tmp_path / "loop" / "gone.yaml").symlink_to("nowhere")
    for name in ("empty", "loop"):
        status, document = check(name)
        assert (status, document["files"], document["others"]) == (2, [], [name])


def test_the_hook_takes_any_files_and_runs_once() -> None:
    """The files of a commit are of many kinds; answers and policies belong together."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["entry"].split()[1:] == ["check", "--any-files"]
    assert hook["require_serial"] is True

"""The page that lists all rules: made from their folders, complete, and up to date."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backup_rules_cli import rules_page
from backup_rules_cli.catalogue import COMMON_PERMISSIONS, ROOT, RuleFolder, rule_folders
from backup_rules_cli.main import main

FOLDERS = rule_folders()
EVERY_RULE = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
COMMON = {"ExecutionRoleName", "AssumeRoleMode", "ExcludedPlans"}
NEW = "BACKUP_EXAMPLE_OF_A_RULE"


def entry(folder: RuleFolder, page: str = "") -> str:
    """The part of the page about one rule."""
    text = page or rules_page.PAGE.read_text(encoding="utf-8")
    return text.split(f"\n### {folder.name}\n", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]


def cells(text: str, name: str) -> list[str]:
    """The cells of the row that begins with `name`."""
    (row,) = (line for line in text.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in row.strip("|").split(" | ")][1:]


def test_the_committed_page_is_the_generated_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", "--check"]) == 0, capsys.readouterr().err


def test_a_stale_page_is_noticed_and_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    committed = rules_page.PAGE.read_text(encoding="utf-8")
    stale = tmp_path / "docs" / "rules.md"
    stale.parent.mkdir()
    stale.write_text("something else\n", encoding="utf-8")
    monkeypatch.setattr(rules_page, "PAGE", stale)
    assert main(["docs", "--check"]) == 1
    assert "docs/rules.md is stale: run `make docs`." in capsys.readouterr().err
    assert stale.read_text(encoding="utf-8") == "something else\n"
    assert main(["docs"]) == 0
    assert stale.read_text(encoding="utf-8") == committed


@EVERY_RULE
def test_a_rule_is_there_with_all_that_describes_it(folder: RuleFolder) -> None:
    text = entry(folder)
    about = folder.about
    assert about["Title"] in text
    assert cells(text, "Condition") == [about["Condition"]]
    assert cells(text, "Severity") == [about["Severity"].lower()]
    assert cells(text, "How to fix it") == [about["Remediation"]]
    assert cells(text, "Name in AWS Config") == [f"`{folder.config_rule_name}`"]
    assert cells(text, "Description") == [folder.metadata["Description"]]
    assert set(cells(text, "Permissions")[0].replace("`", "").split(", ")) == folder.permissions
    (runs,) = cells(text, "Runs")
    assert runs.startswith("every 6 hours" if folder.frequency == "Six_Hours" else "every 24 hours")
    assert all(f"`{trigger}`" in runs for trigger in folder.triggers)
    assert ("on changes" in runs) == bool(folder.triggers)
    (link,) = {part.split(")", 1)[0] for part in text.split("](")[1:]}
    assert (rules_page.PAGE.parent / link).resolve() == folder.path / "README.md"


@EVERY_RULE
def test_its_parameters_are_there_with_default_and_allowed_values(folder: RuleFolder) -> None:
    text = entry(folder)
    declared = type(folder.rule()).parameters_type.names()
    own = (set(folder.defaults) | set(folder.optional)) - COMMON
    assert {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")} == own
    for name in own:
        default, allowed, meaning, in_templates = cells(text, f"`{name}`")
        assert default == (f"`{folder.defaults[name]}`" if name in folder.defaults else "none")
        assert allowed == declared[name].metadata["kind"].allowed
        assert meaning
        assert in_templates.endswith(f"{name}`")


def test_what_all_rules_share_is_said_once() -> None:
    head = rules_page.PAGE.read_text(encoding="utf-8").split("\n## Rule set", 1)[0]
    assert cells(head, "`AssumeRoleMode`") == ["`true`", "true or false"]
    for name in COMMON:
        assert len(cells(head, f"`{name}`")) == 2
    assert all(f"`{action}`" in head for action in COMMON_PERMISSIONS)


def test_each_rule_is_in_the_table_and_its_link_leads_to_it() -> None:
    page = rules_page.PAGE.read_text(encoding="utf-8")
    for folder in FOLDERS:
        assert page.count(f"| [{folder.name}](#{folder.name.lower()}) |") == 1
        assert page.count(f"\n### {folder.name}\n") == 1


@pytest.mark.parametrize(
    ("rule", "subject"),
    [
        ("BACKUP_POLICY_ATTACHED", "the account"),
        ("BACKUP_PLAN_RAN_ON_SCHEDULE", "plans"),
        ("BACKUP_FSX_WINDOW_CONFLICT", "selections, as AWS Config knows no FSx types"),
    ],
)
def test_the_page_says_what_verdicts_are_about(rule: str, subject: str) -> None:
    (folder,) = rule_folders(rule)
    assert cells(entry(folder), "Verdicts are about") == [subject]


# --- A rule that is made anew ---------------------------------------------------------------------------------------


@pytest.fixture
def new(tmp_path: Path) -> RuleFolder:
    """The folder of a new rule: a copy of another under its own name."""
    (original,) = rule_folders("BACKUP_SERVICE_OPT_IN")
    folder = tmp_path / NEW
    folder.mkdir()
    for source, target in (
        (f"{original.name}.py", f"{NEW}.py"),
        ("README.md", "README.md"),
        ("parameters.json", "parameters.json"),
    ):
        text = (original.path / source).read_text(encoding="utf-8").replace(original.name, NEW)
        (folder / target).write_text(text, encoding="utf-8")
    return RuleFolder(NEW, folder)


def change(folder: RuleFolder, file: str, changed: Callable[[str], str]) -> None:
    path = folder.path / file
    before = path.read_text(encoding="utf-8")
    path.write_text(changed(before), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != before


def without(part: str, name: str, value: Any = None) -> Callable[[str], str]:
    """The metadata without an element, or with an empty one."""

    def changed(text: str) -> str:
        metadata = json.loads(text)
        if value is None:
            del metadata[part][name]
        else:
            metadata[part][name] = value
        return json.dumps(metadata)

    return changed


def test_a_new_rule_appears_with_nothing_else_edited(new: RuleFolder) -> None:
    page = rules_page.page([*FOLDERS, new])
    assert cells(entry(new, page), "Name in AWS Config") == ["`backup-example-of-a-rule`"]
    assert len(page) > len((ROOT / "docs" / "rules.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("file", "changed", "lacking"),
    [
        *(
            ("parameters.json", without("About", name), name)
            for name in ("Title", "Condition", "Severity", "Remediation", "Permissions")
        ),
        *(
            ("parameters.json", without("Parameters", name), name)
            for name in ("Description", "SourcePeriodic", "RuleSets")
        ),
        ("parameters.json", without("About", "Title", ""), "Title"),
        ("parameters.json", without("Parameters", "RuleSets", []), "RuleSets"),
        (f"{NEW}.py", lambda text: text.replace("Verdicts are about", "It judges"), "what its verdicts are about"),
        ("README.md", lambda text: text.replace("| `Strict` |", "| `Lax` |"), "Strict"),
    ],
)
def test_a_rule_that_lacks_something_is_refused_by_name(
    file: str, changed: Callable[[str], str], lacking: str, new: RuleFolder
) -> None:
    change(new, file, changed)
    with pytest.raises(ValueError, match=lacking) as raised:
        rules_page.page([new])
    assert NEW in str(raised.value)


def test_a_rule_without_a_page_is_refused(new: RuleFolder) -> None:
    (new.path / "README.md").unlink()
    with pytest.raises(ValueError, match=f"{NEW} lacks page README.md"):
        rules_page.page([new])

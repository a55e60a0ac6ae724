"""What every rule folder must have: metadata that agrees with its code, a page, tests, a row in the README."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import unittest
from pathlib import Path

import pytest
import yaml
from rdk.rdk import accepted_resource_types

from backup_rules_cli.catalogue import COMMON_PERMISSIONS, ROOT, RuleFolder, rule_folders
from backup_rules_cli.docs import table, with_table
from backup_rules_cli.new_rule import check_name
from tests.front_door import ACCOUNT

FOLDERS = rule_folders()
EVERY_RULE = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)

CONTRACT = {
    "BACKUP_SERVICE_OPT_IN",
    "BACKUP_WINDOW_CONFIGURED",
    "BACKUP_ROLE_ASSUMABLE",
    "BACKUP_ROLE_PERMISSIONS",
    "BACKUP_TAG_CASE",
    "BACKUP_TAG_WHITESPACE",
    "BACKUP_POLICY_ATTACHED",
    "BACKUP_POLICY_VAULT_EXISTS",
    "BACKUP_POLICY_VAULT_NAME_CASE",
    "BACKUP_RDS_WINDOW_CONFLICT",
    "BACKUP_FSX_WINDOW_CONFLICT",
    "BACKUP_PLAN_RAN_ON_SCHEDULE",
    "BACKUP_SELECTION_NOT_EMPTY",
    "BACKUP_POLICY_ROLE_EXISTS",
    "BACKUP_VAULT_USABLE",
    "BACKUP_POLICY_VALID",
    "BACKUP_RESOURCE_READY",
}

HEADINGS = [
    "What it finds",
    "Why that stops backups",
    "Verdicts",
    "Examples",
    "How to fix it",
    "Parameters",
    "Permissions",
    "Limits",
    "Sources",
]


def page(folder: RuleFolder) -> str:
    path = folder.path / "README.md"
    assert path.is_file(), f"{folder.name} has no page: write {path}, with the headings of the other rules' pages."
    return path.read_text(encoding="utf-8")


def section(folder: RuleFolder, heading: str) -> str:
    return page(folder).split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def blocks(folder: RuleFolder, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page(folder), re.DOTALL | re.MULTILINE)


def test_the_pack_is_the_contracts() -> None:
    assert {folder.name for folder in FOLDERS} >= CONTRACT


@EVERY_RULE
def test_folder_class_and_rule_name_are_one(folder: RuleFolder) -> None:
    assert folder.metadata["RuleName"] == folder.name
    assert folder.metadata["CodeKey"] == f"{folder.name}.zip"
    assert type(folder.rule()).__name__ == folder.name
    assert callable(folder.module().lambda_handler)


@EVERY_RULE
def test_names_fit_aws_config(folder: RuleFolder) -> None:
    """A conformance pack appends 27 characters to a rule's name, and some of Config's inputs take 64."""
    check_name(folder.name)
    assert re.fullmatch(r"[a-z0-9-]{1,37}", folder.config_rule_name)
    assert 1 <= len(folder.metadata["Description"]) <= 256


@EVERY_RULE
def test_parameters_are_declared_alike_in_code_and_metadata(folder: RuleFolder) -> None:
    declared = type(folder.rule()).parameters_type
    fields = declared.names()
    assert set(folder.defaults) | set(folder.optional) == set(fields)
    assert not set(folder.defaults) & set(folder.optional)
    by_default = declared()
    assert declared.read(folder.defaults) == by_default
    for name in folder.optional:
        if name != "AssumeRoleMode":
            assert getattr(by_default, fields[name].name) in (None, ()), f"{name} has a default"


@EVERY_RULE
def test_optional_parameters_left_blank_are_not_given(folder: RuleFolder) -> None:
    declared = type(folder.rule()).parameters_type
    blank = {name: "" for name in folder.optional if name != "AssumeRoleMode"}
    assert declared.read({**folder.defaults, **blank}) == declared()


@EVERY_RULE
def test_triggers_are_types_that_rdk_and_config_know(folder: RuleFolder) -> None:
    assert set(folder.triggers) <= set(accepted_resource_types)
    assert folder.frequency in {"One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours"}
    if folder.name in CONTRACT:
        runs_every_six_hours = folder.name == "BACKUP_PLAN_RAN_ON_SCHEDULE"
        assert folder.frequency == ("Six_Hours" if runs_every_six_hours else "TwentyFour_Hours")


@EVERY_RULE
def test_a_rule_without_change_triggers_has_no_word_of_them(folder: RuleFolder) -> None:
    """RDK leaves a rule out, without a word, whose `SourceEvents` is empty: the whole line has to go."""
    assert folder.metadata.get("SourceEvents") != "", "Remove SourceEvents: RDK takes no rule where it is empty."


@EVERY_RULE
def test_nothing_is_left_to_be_filled_in(folder: RuleFolder) -> None:
    """As `backup-rules new-rule` marks it."""
    files = [*folder.path.glob("*.py"), *folder.path.glob("*.json"), *folder.path.glob("*.md")]
    assert [path.name for path in files if "REPLACE" in path.read_text(encoding="utf-8")] == []


CHANGE_TRIGGERED = {
    "BACKUP_SERVICE_OPT_IN",
    "BACKUP_WINDOW_CONFIGURED",
    "BACKUP_ROLE_ASSUMABLE",
    "BACKUP_ROLE_PERMISSIONS",
    "BACKUP_SELECTION_NOT_EMPTY",
    "BACKUP_VAULT_USABLE",
}


def test_the_rules_that_run_on_changes_are_the_contracts() -> None:
    contracts = {folder.name for folder in FOLDERS if folder.triggers and folder.name in CONTRACT}
    assert contracts == CHANGE_TRIGGERED


@EVERY_RULE
def test_metadata_for_readers_is_complete(folder: RuleFolder) -> None:
    about = folder.about
    assert about["Condition"]
    assert about["Severity"] in {"LOW", "MEDIUM", "HIGH", "CRITICAL"}
    assert 1 <= len(about["Remediation"]) <= 512  # what a finding's recommendation may hold
    assert about["Permissions"]
    assert about["Permissions"] == sorted(folder.permissions)


@EVERY_RULE
def test_titles_say_what_is_so_where_all_is_well(folder: RuleFolder) -> None:
    """As Security Hub writes its own: "S3 general purpose buckets should …", without a full stop."""
    title = folder.about["Title"]
    assert 1 <= len(title) <= 100
    assert not title.endswith(".")
    assert not title.startswith("Ensure")


@EVERY_RULE
def test_what_aws_backup_or_a_role_is_able_to_do_is_told_by_can(folder: RuleFolder) -> None:
    for text in (folder.metadata["Description"], folder.about["Title"], folder.about["Condition"]):
        assert not re.search(r"\bmay\b", text), text


@EVERY_RULE
def test_the_page_names_the_permissions_that_are_declared(folder: RuleFolder) -> None:
    named = set(re.findall(r"`([a-z]+:[A-Z]\w+)`", section(folder, "Permissions")))
    assert named - COMMON_PERMISSIONS == folder.permissions


@EVERY_RULE
def test_the_page_has_the_headings_of_all_pages(folder: RuleFolder) -> None:
    text = page(folder)
    assert text.startswith(f"# {folder.name}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS


@EVERY_RULE
def test_the_page_lists_each_parameter_with_its_default(folder: RuleFolder) -> None:
    rows = {
        cells[1].strip(" `"): cells[2].strip(" `")
        for line in section(folder, "Parameters").splitlines()
        if (cells := line.split("|"))[1:] and line.startswith("|")
    }
    for name in (*folder.defaults, *folder.optional):
        assert name in rows, f"{name} is not on the page"
    for name, default in folder.defaults.items():
        assert rows[name] == default


@EVERY_RULE
def test_the_examples_on_the_page_fit_an_annotation(folder: RuleFolder) -> None:
    quotes = re.findall(r"(?:^> .*\n)+", section(folder, "Examples") + "\n", re.MULTILINE)
    assert quotes
    for quote in quotes:
        text = " ".join(line[2:].strip() for line in quote.splitlines()).strip("`")
        assert len(text) <= 256, text


@pytest.fixture(scope="module")
def lint_of_pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What cfn-lint finds in the templates on each page, by rule; one run, as its start is what takes time."""
    files = tmp_path_factory.mktemp("templates")
    for folder in FOLDERS:
        for number, template in enumerate(blocks(folder, "yaml")):
            (files / f"{folder.name}.{number}.yaml").write_text(template, encoding="utf-8")
    found = subprocess.run(  # noqa: S603 - our own tool, our own files
        [ROOT / ".venv/bin/cfn-lint", "--format", "json", "--regions", "eu-west-1", "--", *sorted(files.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )
    findings: dict[str, list[str]] = {}
    for each in json.loads(found.stdout):
        findings.setdefault(Path(each["Filename"]).name.split(".")[0], []).append(each["Message"])
    return findings


@EVERY_RULE
def test_the_cloudformation_on_the_page_is_valid(folder: RuleFolder, lint_of_pages: dict[str, list[str]]) -> None:
    assert blocks(folder, "yaml")
    assert lint_of_pages.get(folder.name, []) == []


@EVERY_RULE
def test_the_page_shows_a_command(folder: RuleFolder) -> None:
    assert any("aws " in block for block in blocks(folder, "sh") + blocks(folder, "console") + blocks(folder, "bash"))


@EVERY_RULE
def test_pages_name_no_account_but_the_examples(folder: RuleFolder) -> None:
    assert set(re.findall(r"\b\d{12}\b", page(folder))) <= {ACCOUNT, "444455556666", "123456789012", "777788889999"}


@EVERY_RULE
def test_the_rule_has_tests_of_its_own_that_rdk_finds(folder: RuleFolder) -> None:
    path = folder.path / f"{folder.name}_test.py"
    spec = importlib.util.spec_from_file_location(f"{folder.name}_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert unittest.defaultTestLoader.loadTestsFromModule(module).countTestCases() >= 2
    assert (ROOT / "tests" / "rules" / f"test_{folder.name}.py").exists()


def test_the_readme_lists_every_rule() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_table(readme, table(FOLDERS)) == readme, "run `make docs`"


@EVERY_RULE
def test_parameters_json_is_what_rdk_reads(folder: RuleFolder) -> None:
    whole = json.loads((folder.path / "parameters.json").read_text(encoding="utf-8"))
    assert whole["Version"] == "1.0"
    assert json.loads(whole["Tags"]) == []
    assert re.fullmatch(r"python3\.1[0-9]-lib", folder.metadata["SourceRuntime"])
    assert yaml.safe_load(folder.metadata["InputParameters"]) == json.loads(folder.metadata["InputParameters"])

"""`rdk-config/`: the Region sets exist in AWS, and the README names the rule sets as RDK lists them."""

from __future__ import annotations

import argparse
import re

import boto3
import pytest
import yaml
from rdk import rdk

from backup_rules_cli.catalogue import ROOT, RULES, rule_folders

SETTINGS = ROOT / "rdk-config"
REGION_SETS: dict[str, list[str]] = yaml.safe_load((SETTINGS / "regions.yaml").read_text(encoding="utf-8"))
README = (SETTINGS / "README.md").read_text(encoding="utf-8")
RULE_SETS = {
    match[1]: re.findall(r"`(\w+)`", match[2])
    for match in re.finditer(r"^\| `([\w-]+)` \|[^|`]*\|([^|]*)\|$", README, re.MULTILINE)
}


def listed(*arguments: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words that `rdk rulesets list` prints after its first line's colon."""
    monkeypatch.chdir(RULES)
    capsys.readouterr()
    command = rdk.get_command_parser().parse_args(["rulesets", "list", *arguments])
    assert not rdk.rdk(command).process_command()
    return capsys.readouterr().out.partition(":")[2].split()


@pytest.mark.parametrize("name", REGION_SETS)
def test_rdk_reads_the_set_and_its_regions_exist(name: str) -> None:
    partition = name if name in {"aws-cn", "aws-us-gov"} else "aws"
    session = boto3.Session()
    with_both = set.intersection(
        *(set(session.get_available_regions(each, partition_name=partition)) for each in ("backup", "config"))
    )
    options = argparse.Namespace(region_file=str(SETTINGS / "regions.yaml"), region_set=name)
    regions = rdk.parse_region_file(options)
    assert regions == sorted(set(regions))
    assert set(regions) <= with_both


def test_rdk_takes_the_default_set_where_none_is_named() -> None:
    options = argparse.Namespace(region_file=str(SETTINGS / "regions.yaml"), region_set=None)
    assert rdk.parse_region_file(options) == REGION_SETS["default"]


@pytest.mark.parametrize("name", REGION_SETS)
def test_the_readme_counts_the_regions(name: str) -> None:
    row = re.search(rf"^\| `{name}` \| (?:the )?(\d+)\b", README, re.MULTILINE)
    assert row is not None, f"{name} is not in the README"
    assert int(row[1]) == len(REGION_SETS[name])


def test_the_readme_names_the_rule_sets_that_rdk_lists(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(RULE_SETS) == listed(capsys=capsys, monkeypatch=monkeypatch)


@pytest.mark.parametrize("name", RULE_SETS)
def test_the_readme_names_the_rules_of_the_set_as_rdk_lists_them(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert RULE_SETS[name] == listed(name, capsys=capsys, monkeypatch=monkeypatch)


def test_every_rule_is_in_a_set() -> None:
    assert {rule for rules in RULE_SETS.values() for rule in rules} == {folder.name for folder in rule_folders()}

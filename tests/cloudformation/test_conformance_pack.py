"""conformance-pack.yaml: one Config rule for each rule folder, within what AWS Config takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from backup_rules_cli.catalogue import RuleFolder
from tests.cloudformation.rendering import NEEDED, RULES, committed, rendered

PACK = "conformance-pack.yaml"
CONFIG_RULES = {each["Properties"]["ConfigRuleName"]: each["Properties"] for each in rendered(PACK).values()}


def functions_used(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "Ref" or key.startswith("Fn::"):
                yield f"{key} {value}" if key == "Ref" and str(value).startswith("AWS::") else key
            yield from functions_used(value)
    elif isinstance(node, list):
        for item in node:
            yield from functions_used(item)


def inputs(rule: str, given: dict[str, str] | None = None) -> dict[str, Any]:
    found = rendered(PACK, given)
    (properties,) = (each["Properties"] for each in found.values() if each["Properties"]["ConfigRuleName"] == rule)
    return dict(properties["InputParameters"])


def test_it_uses_only_what_is_known_to_work_in_a_pack() -> None:
    used = set(functions_used(committed(PACK)))
    assert used == {"Ref", "Ref AWS::NoValue", "Fn::If", "Fn::Join", "Fn::Equals", "Fn::Not"}
    assert {each["Type"] for each in committed(PACK)["Resources"].values()} == {"AWS::Config::ConfigRule"}
    assert set().union(*committed(PACK)["Parameters"].values()) == {"Type", "Default", "Description"}


def test_it_has_at_most_sixty_parameters() -> None:
    assert len(committed(PACK)["Parameters"]) <= 60


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_is_as_its_folder_says(rule: RuleFolder) -> None:
    made = CONFIG_RULES[rule.config_rule_name]
    details = made["Source"]["SourceDetails"]
    kinds = ["ScheduledNotification"]
    if rule.triggers:
        kinds += ["ConfigurationItemChangeNotification", "OversizedConfigurationItemChangeNotification"]
    assert [each["MessageType"] for each in details] == kinds
    assert details[0]["MaximumExecutionFrequency"] == rule.frequency
    # PutConfigRule refuses a Scope for a rule that runs on its schedule only.
    assert made.get("Scope", {}) == ({"ComplianceResourceTypes": list(rule.triggers)} if rule.triggers else {})
    assert made["Description"] == rule.metadata["Description"]
    assert made["Source"]["Owner"] == "CUSTOM_LAMBDA"
    prefix = NEEDED[PACK]["FunctionArnPrefix"]
    assert made["Source"]["SourceIdentifier"] == prefix + rule.config_rule_name
    assert made["InputParameters"] == {"ExecutionRoleName": "BackupConfigRulesMemberRole", **rule.defaults}


def test_parameters_reach_the_rule_as_texts() -> None:
    given = {"RdsWindowConflictBufferMinutes": "180", "ExcludedPlans": "sandbox-*,orgs/*"}
    assert inputs("backup-rds-window-conflict", given) == {
        "ExecutionRoleName": "BackupConfigRulesMemberRole",
        "ExcludedPlans": "sandbox-*,orgs/*",
        "BufferMinutes": "180",
        "WholeStartWindow": "false",
    }
    assert inputs("backup-fsx-window-conflict", given)["BufferMinutes"] == "240"


def test_what_is_blank_is_left_out() -> None:
    given = {"WindowConfiguredAllowedWindow": "22:00-06:00", "WindowConfiguredAllowedWindowTimezone": ""}
    assert inputs("backup-window-configured", given) == {
        "ExecutionRoleName": "BackupConfigRulesMemberRole",
        "AllowedWindow": "22:00-06:00",
    }


def test_the_given_frequency_is_that_of_the_rule() -> None:
    found = rendered(PACK, {"TagCaseFrequency": "Three_Hours"})["TagCase"]["Properties"]
    assert found["Source"]["SourceDetails"][0]["MaximumExecutionFrequency"] == "Three_Hours"


def test_names_with_prefix_leave_room_for_what_a_pack_appends() -> None:
    found = rendered(PACK, {"RuleNamePrefix": "second-8"}).values()
    names = [each["Properties"]["ConfigRuleName"] for each in found]
    assert all(re.fullmatch(r"second-8[a-z0-9-]+", name) and len(name) <= 37 for name in names)
    assert len(set(names)) == len(RULES)


def longest(declared: dict[str, Any]) -> str:
    """The longest value that CloudFormation lets through."""
    if "AllowedValues" in declared:
        return str(max(declared["AllowedValues"], key=len))
    bound = re.search(r"\{\d+,(\d+)\}\$", declared["AllowedPattern"])
    return "9" * int(bound[1] if bound else declared["MaxLength"])


def test_the_parameters_of_no_rule_exceed_what_config_takes() -> None:
    """1,024 characters as JSON, with every parameter as long as organization.yaml lets it be."""
    declared = committed("organization.yaml")["Parameters"]
    long = {
        key: longest(declared[key])
        for key in committed(PACK)["Parameters"]
        if key in declared and not key.endswith("Frequency") and key not in {"FunctionArnPrefix", "RuleNamePrefix"}
    }
    long["ExecutionRoleName"] = longest(declared["MemberRoleName"])
    sizes = {key: len(json.dumps(each["Properties"]["InputParameters"])) for key, each in rendered(PACK, long).items()}
    assert max(sizes.values()) <= 1024
    assert sizes["ServiceOptIn"] > 384 + 256 + 64, "the long values have arrived"

"""conformance-pack.yaml: one Config rule for each rule folder, within what AWS Config takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from aws_simulator.deployment.cloudformation.templates import parse
from backup_rules_cli.catalogue import RuleFolder, rule_folders
from backup_rules_cli.templates.conformance_pack import PackedRule, at_defaults, conformance_pack
from backup_rules_cli.templates.rule_parameters import RuleParameter, own_parameters
from backup_rules_cli.templates.yaml_text import yaml_text
from tests.cloudformation.rendering import NEEDED, RULES, committed, render, rendered

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


def packed(name: str, frequency: str = "TwentyFour_Hours", **parameters: str) -> PackedRule:
    return PackedRule(rule_folders(name)[0], frequency, parameters)


def made(*rules: PackedRule, prefix: str = "", **given: str) -> dict[str, dict[str, Any]]:
    """The Config rules of a pack, by name."""
    found = render(parse(yaml_text(conformance_pack(rules, prefix), "")), {**NEEDED[PACK], **given})
    return {each["Properties"]["ConfigRuleName"]: each["Properties"] for each in found.values()}


def test_it_uses_only_what_is_known_to_work_in_a_pack() -> None:
    used = set(functions_used(committed(PACK)))
    assert used == {"Ref", "Ref AWS::NoValue", "Fn::If", "Fn::Join", "Fn::Equals", "Fn::Not"}
    assert {each["Type"] for each in committed(PACK)["Resources"].values()} == {"AWS::Config::ConfigRule"}
    assert set().union(*committed(PACK)["Parameters"].values()) == {"Type", "Default", "Description"}


def test_names_frequencies_and_the_rules_parameters_are_plain_text() -> None:
    """As in every pack that AWS publishes; else nobody knows whether AWS Config takes it."""
    assert set(committed(PACK)["Parameters"]) == {"FunctionArnPrefix", "ExecutionRoleName", "ExcludedPlans"}
    for resource in committed(PACK)["Resources"].values():
        assert "Condition" not in resource
        properties = dict(resource["Properties"])
        source = dict(properties.pop("Source"))
        assert source.pop("SourceIdentifier").keys() == {"Fn::Join"}
        shared = {key: properties["InputParameters"][key] for key in ("ExecutionRoleName", "ExcludedPlans")}
        assert all(isinstance(value, dict) for value in shared.values())
        own = {key: each for key, each in properties.pop("InputParameters").items() if key not in shared}
        assert list(functions_used([properties, source, own])) == []


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
    rules = (packed("BACKUP_RDS_WINDOW_CONFLICT", BufferMinutes="180"), packed("BACKUP_FSX_WINDOW_CONFLICT"))
    found = made(*rules, ExcludedPlans="sandbox-*,orgs/*")
    assert found["backup-rds-window-conflict"]["InputParameters"] == {
        "ExecutionRoleName": "BackupConfigRulesMemberRole",
        "ExcludedPlans": "sandbox-*,orgs/*",
        "BufferMinutes": "180",
        "WholeStartWindow": "false",
    }
    assert found["backup-fsx-window-conflict"]["InputParameters"]["BufferMinutes"] == "240"


def test_what_is_blank_is_left_out() -> None:
    (rule,) = made(packed("BACKUP_WINDOW_CONFIGURED", AllowedWindow="22:00-06:00", AllowedWindowTimezone="")).values()
    assert rule["InputParameters"] == {
        "ExecutionRoleName": "BackupConfigRulesMemberRole",
        "AllowedWindow": "22:00-06:00",
    }


def test_the_given_frequency_is_that_of_the_rule() -> None:
    (rule,) = made(packed("BACKUP_TAG_CASE", "Three_Hours")).values()
    assert rule["Source"]["SourceDetails"][0]["MaximumExecutionFrequency"] == "Three_Hours"


def test_names_with_prefix_leave_room_for_what_a_pack_appends() -> None:
    names = list(made(*at_defaults(RULES), prefix="second-8"))
    assert all(re.fullmatch(r"second-8[a-z0-9-]+", name) and len(name) <= 37 for name in names)
    assert len(set(names)) == len(RULES)
    with pytest.raises(ValueError, match="The rule name prefix is 'second-89'; allowed: at most 8 characters"):
        conformance_pack(at_defaults(RULES), "second-89")


def longest(parameter: RuleParameter) -> str:
    """The longest value that the settings let through."""
    constraint = parameter.constraint
    if "AllowedValues" in constraint:
        return str(max(constraint["AllowedValues"], key=len))
    bound = re.search(r"\{\d+,(\d+)\}\$", constraint["AllowedPattern"])
    return "9" * int(bound[1] if bound else constraint["MaxLength"])


def test_the_parameters_of_no_rule_exceed_what_config_takes() -> None:
    """1,024 characters as JSON, with every parameter as long as the settings and organization.yaml let it be."""
    rules = [
        PackedRule(rule, rule.frequency, {each.key: longest(each) for each in own_parameters(rule)}) for rule in RULES
    ]
    declared = committed("organization.yaml")["Parameters"]
    shared = {"ExecutionRoleName": "r" * 64, "ExcludedPlans": "p" * declared["ExcludedPlans"]["MaxLength"]}
    sizes = {name: len(json.dumps(each["InputParameters"])) for name, each in made(*rules, **shared).items()}
    assert max(sizes.values()) <= 1024
    assert sizes["backup-service-opt-in"] > 320 + 256 + 256, "the long values have arrived"

"""single-account.yaml: everything for one account and Region, without an organization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.config_rules import config_rule
from backup_rules_cli.templates.declarations import interface
from backup_rules_cli.templates.functions import (
    PARAMETER_GROUPS,
    common_resources,
    function_conditions,
    function_id,
    function_parameters,
    permission_id,
    rule_resources,
)
from backup_rules_cli.templates.intrinsics import get_att, join, ref
from backup_rules_cli.templates.permissions import reading_statements
from backup_rules_cli.templates.rule_parameters import (
    EXCLUDED_PLANS,
    all_parameters,
    excluded_plans_declaration,
    frequency,
    frequency_declarations,
    input_parameters,
    on,
    parameter_conditions,
    parameter_declarations,
    prefix,
    rule_conditions,
    rule_name_prefix,
)


def single_account(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """The template: functions that read their own account, and the Config rules that invoke them."""
    resources = common_resources(rules, reading_statements(rules))
    for rule in rules:
        resources |= rule_resources(rule, {"Properties": {"SourceAccount": ref("AWS::AccountId")}})
        resources[f"{prefix(rule)}Rule"] = {
            **config_rule(
                rule,
                name=join(ref("RuleNamePrefix"), rule.config_rule_name),
                source=get_att(function_id(rule), "Arn"),
                inputs={"AssumeRoleMode": "false", **input_parameters(rule)},
                frequency=ref(frequency(rule)),
            ),
            "Condition": on(rule),
            "DependsOn": [permission_id(rule)],
        }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "AWS Backup Config rules: functions and rules for this account and Region alone.",
        "Metadata": interface(
            {
                **PARAMETER_GROUPS,
                "Rules": ("RuleNamePrefix", EXCLUDED_PLANS),
                "Rules: how often each runs": [frequency(rule) for rule in rules],
                "Rules: their parameters": [parameter.name for parameter in all_parameters(rules)],
            }
        ),
        "Parameters": {
            **function_parameters(rules),
            **rule_name_prefix(rules),
            **excluded_plans_declaration(),
            **frequency_declarations(rules),
            **parameter_declarations(rules),
        },
        "Conditions": {
            **rule_conditions(rules),
            **function_conditions(rules),
            **parameter_conditions(rules),
        },
        "Resources": resources,
        "Outputs": {
            "FailureQueueUrl": {
                "Description": "The queue of the events that failed at every try.",
                "Value": ref("FailureQueue"),
            }
        },
    }

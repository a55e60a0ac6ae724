"""conformance-pack.yaml: all rules as a conformance pack, whose functions are in a central account.

A pack's template knows Parameters, Conditions and Resources of two types; whether pseudo parameters have a value in it
is not documented, so that what they would give is asked for instead (FunctionArnPrefix).
https://docs.aws.amazon.com/config/latest/developerguide/custom-conformance-pack.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.config_rules import config_rule
from backup_rules_cli.templates.intrinsics import join, ref
from backup_rules_cli.templates.names import MEMBER_ROLE_NAME
from backup_rules_cli.templates.rule_parameters import (
    excluded_plans_declaration,
    frequency_declarations,
    parameter_conditions,
    parameter_declarations,
    prefix,
    rule_conditions,
    rule_name_prefix_length,
)
from backup_rules_cli.templates.yaml_text import Noted


def conformance_pack(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """The pack's template."""
    access = {"ExecutionRoleName": ref("ExecutionRoleName")}
    return {
        "Parameters": {
            "FunctionArnPrefix": {
                "Type": "String",
                "Description": (
                    "The ARN of the functions up to their rule's name, as the stack of the functions puts it out:"
                    " arn:aws:lambda:eu-west-1:444455556666:function:backup-config-rules-"
                ),
            },
            "ExecutionRoleName": {
                "Type": "String",
                "Default": MEMBER_ROLE_NAME,
                "Description": "The name of the IAM role that the functions assume in each account.",
            },
            "RuleNamePrefix": {
                "Type": "String",
                "Default": "",
                "Description": (
                    "What the names of all Config rules begin with, so that several packs can live side by side: at"
                    f" most {rule_name_prefix_length(rules)} lower-case letters, digits and hyphens."
                ),
            },
            **excluded_plans_declaration(checked=False),
            **frequency_declarations(rules, checked=False),
            **parameter_declarations(rules, checked=False),
        },
        "Conditions": {**rule_conditions(rules), **parameter_conditions(rules)},
        "Resources": {
            Noted(prefix(rule), f"{rule.name}: {rule.about['Title']}."): config_rule(
                rule, join(ref("FunctionArnPrefix"), rule.config_rule_name), access
            )
            for rule in rules
        },
    }

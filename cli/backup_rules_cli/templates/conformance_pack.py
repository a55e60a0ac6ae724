"""conformance-pack.yaml: the rules as a conformance pack, whose functions are in a central account.

Of AWS's own packs (https://github.com/awslabs/aws-config-rules, 122 of them) none computes a rule's name or frequency:
here both are plain text, as is what a deployment sets for a rule, and rules that are off are not in the pack. What is
left to parameters: whose functions, which role, which plans not to report. Whether pseudo parameters have a value in a
pack is not documented, so what they would give is asked for (FunctionArnPrefix).
https://docs.aws.amazon.com/config/latest/developerguide/custom-conformance-pack.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.config_rules import config_rule
from backup_rules_cli.templates.intrinsics import given, if_, join, ref
from backup_rules_cli.templates.names import MEMBER_ROLE_NAME
from backup_rules_cli.templates.rule_parameters import (
    EXCLUDED_PLANS,
    RULE_NAME_LENGTH,
    excluded_plans_declaration,
    own_parameters,
    prefix,
    rule_name_prefix_length,
)
from backup_rules_cli.templates.yaml_text import Noted


@dataclass(frozen=True)
class PackedRule:
    """A rule of a pack: how often it runs (`TwentyFour_Hours`), and its own parameters beside their defaults."""

    folder: RuleFolder
    frequency: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, str]:
        """Its own parameters that are not blank."""
        values = {each.key: self.parameters.get(each.key, each.default) for each in own_parameters(self.folder)}
        return {key: value for key, value in values.items() if value}


def at_defaults(rules: Sequence[RuleFolder]) -> tuple[PackedRule, ...]:
    """The rules as their folders say."""
    return tuple(PackedRule(rule, rule.frequency) for rule in rules)


def conformance_pack(rules: Sequence[PackedRule], rule_name_prefix: str = "") -> dict[str, Any]:
    """The pack's template, with the rules that are on.

    Raises:
        ValueError: when a rule's name would be too long with the prefix.
    """
    longest = rule_name_prefix_length([rule.folder for rule in rules])
    if len(rule_name_prefix) > longest:
        raise ValueError(
            f"The rule name prefix is {rule_name_prefix!r}; allowed: at most {longest} characters, as a rule's name in"
            f" a pack has at most {RULE_NAME_LENGTH}."
        )
    access = {
        "ExecutionRoleName": ref("ExecutionRoleName"),
        EXCLUDED_PLANS: if_(f"Has{EXCLUDED_PLANS}", ref(EXCLUDED_PLANS)),
    }
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
            **excluded_plans_declaration(checked=False),
        },
        "Conditions": {f"Has{EXCLUDED_PLANS}": given(EXCLUDED_PLANS)},
        "Resources": {
            Noted(prefix(rule.folder), f"{rule.folder.name}: {rule.folder.about['Title']}."): config_rule(
                rule.folder,
                name=f"{rule_name_prefix}{rule.folder.config_rule_name}",
                source=join(ref("FunctionArnPrefix"), rule.folder.config_rule_name),
                inputs={**access, **rule.inputs},
                frequency=rule.frequency,
            )
            for rule in rules
        },
    }

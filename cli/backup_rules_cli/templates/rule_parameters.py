"""What a deployer sets for each rule: whether and how often it runs, and its own parameters.

Names: `<Rule>Frequency` and `<Rule><Parameter>`, where `<Rule>` is `RdsWindowConflict` for BACKUP_RDS_WINDOW_CONFLICT.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.declarations import text
from backup_rules_cli.templates.intrinsics import Intrinsic, differs, given, if_, ref

FREQUENCIES = ("One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours")
OFF = "Off"

EXCLUDED_PLANS = "ExcludedPlans"
# Set by the templates themselves, or once for all rules.
SHARED = ("ExecutionRoleName", "AssumeRoleMode", EXCLUDED_PLANS)

# AWS Config admits 1,024 characters for a rule's parameters, as JSON: these lengths keep every rule below it.
# https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigRule.html
ROLE_LENGTH, PLANS_LENGTH, LIST_LENGTH, TEXT_LENGTH = 64, 320, 256, 64

# What a conformance pack appends, `-conformance-pack-` and nine characters, leaves 37 of the 64 characters that
# GetComplianceDetailsByConfigRule takes.
RULE_NAME_LENGTH = 37
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
FUNCTION_NAME_LENGTH = 64


@dataclass(frozen=True)
class RuleParameter:
    """One parameter of a rule's own, as a parameter of a template."""

    rule: RuleFolder
    key: str
    default: str

    @property
    def name(self) -> str:
        """Its name in a template: `RdsWindowConflictBufferMinutes`."""
        return prefix(self.rule) + self.key

    @property
    def condition(self) -> str:
        """The name of the condition that it is given."""
        return f"Has{self.name}"

    @property
    def meaning(self) -> str:
        """What its row on the rule's page says.

        Raises:
            ValueError: when the page has no row for it.
        """
        page = (self.rule.path / "README.md").read_text(encoding="utf-8")
        row = re.search(rf"^\|\s*`?{self.key}`?\s*\|[^|]*\|(.+)\|\s*$", page, re.MULTILINE)
        if row is None:
            raise ValueError(f"{self.rule.path / 'README.md'} has no row for the parameter {self.key}.")
        return "; ".join(cell.strip().replace("`", "") for cell in row[1].split("|"))

    @property
    def description(self) -> str:
        """For whom fills in the template's form."""
        blank = "" if self._kind is bool else " Blank: the rule's default." if self.default else " Blank: not set."
        return f"{self.rule.name}, {self.key}: {self.meaning.rstrip('.')}.{blank}"

    @property
    def _kind(self) -> Any:
        """Its type in the rule's code."""
        declared = self.rule.rule().parameters_type
        return typing.get_type_hints(declared)[declared.names()[self.key].name]

    @property
    def constraint(self) -> dict[str, Any]:
        """What CloudFormation can check of it, by its type in the rule's code."""
        kind = self._kind
        if kind is bool:
            return {"AllowedValues": ["true", "false"]}
        if int in (kind, *typing.get_args(kind)):
            return {"AllowedPattern": "^[0-9]{0,9}$", "ConstraintDescription": "must be a whole number, or blank."}
        is_list = typing.get_origin(kind) is tuple
        return text_constraint(LIST_LENGTH if is_list else TEXT_LENGTH)

    def refusal(self, value: str) -> str | None:
        """Why a template does not take `value`, to end a sentence; None where it does."""
        constraint = self.constraint
        if value not in constraint.get("AllowedValues", (value,)):
            return f"must be one of {', '.join(constraint['AllowedValues'])}."
        fits = len(value) <= constraint.get("MaxLength", len(value)) and value.isascii()
        if not fits or not re.search(constraint.get("AllowedPattern", ""), value):
            return str(constraint["ConstraintDescription"])
        return None


def text_constraint(length: int) -> dict[str, Any]:
    """For a text that is put into the JSON of a rule's parameters."""
    return {
        "MaxLength": length,
        "AllowedPattern": r'^[^"\\]*$',
        "ConstraintDescription": f"must have at most {length} characters, without quotation marks and backslashes.",
    }


def prefix(rule: RuleFolder) -> str:
    """`RdsWindowConflict` for BACKUP_RDS_WINDOW_CONFLICT: the beginning of its parameters' names and logical ids."""
    return "".join(word.capitalize() for word in rule.name.removeprefix("BACKUP_").split("_"))


def frequency(rule: RuleFolder) -> str:
    """The name of the template parameter that says how often the rule runs."""
    return f"{prefix(rule)}Frequency"


def on(rule: RuleFolder) -> str:
    """The name of the condition that the rule is not left out."""
    return f"{prefix(rule)}On"


def own_parameters(rule: RuleFolder) -> tuple[RuleParameter, ...]:
    """The rule's own parameters, those with a default first."""
    texts = {**rule.defaults, **dict.fromkeys(rule.optional, "")}
    return tuple(RuleParameter(rule, key, default) for key, default in texts.items() if key not in SHARED)


def all_parameters(rules: Sequence[RuleFolder]) -> tuple[RuleParameter, ...]:
    """The own parameters of all rules."""
    return tuple(parameter for rule in rules for parameter in own_parameters(rule))


def frequency_declarations(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """The template parameters `<Rule>Frequency`."""
    return {
        frequency(rule): {
            "Type": "String",
            "Default": rule.frequency,
            "AllowedValues": [*FREQUENCIES, OFF],
            "Description": f"How often {rule.name} runs. {OFF} leaves it out. {rule.about['Condition']}",
        }
        for rule in rules
    }


def parameter_declarations(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """The template parameters `<Rule><Parameter>`."""
    return {
        parameter.name: {
            "Type": "String",
            "Default": parameter.default,
            **parameter.constraint,
            "Description": parameter.description,
        }
        for parameter in all_parameters(rules)
    }


def excluded_plans_declaration(*, checked: bool = True) -> dict[str, Any]:
    """The template parameter `ExcludedPlans`, which all rules share."""
    return {
        EXCLUDED_PLANS: {
            "Type": "String",
            "Default": "",
            **(text_constraint(PLANS_LENGTH) if checked else {}),
            "Description": (
                "Names or ids of backup plans that no rule reports, comma-separated; * stands for any characters and ?"
                f" for any one. At most {PLANS_LENGTH} characters."
            ),
        }
    }


def rule_conditions(rules: Sequence[RuleFolder]) -> dict[str, Intrinsic]:
    """`<Rule>On`: the rule is not left out."""
    return {on(rule): differs(frequency(rule), OFF) for rule in rules}


def parameter_conditions(rules: Sequence[RuleFolder]) -> dict[str, Intrinsic]:
    """`Has<Rule><Parameter>` and `HasExcludedPlans`: the parameter is not blank."""
    found = {f"Has{EXCLUDED_PLANS}": given(EXCLUDED_PLANS)}
    return found | {parameter.condition: given(parameter.name) for parameter in all_parameters(rules)}


def input_parameters(rule: RuleFolder) -> dict[str, Any]:
    """The rule's `InputParameters`: each parameter that is not blank."""
    found = {EXCLUDED_PLANS: if_(f"Has{EXCLUDED_PLANS}", ref(EXCLUDED_PLANS))}
    return found | {each.key: if_(each.condition, ref(each.name)) for each in own_parameters(rule)}


def rule_name_prefix_length(rules: Sequence[RuleFolder]) -> int:
    """How long a prefix of all rules' names may be: 8 characters, or what the longest name leaves."""
    return min(8, RULE_NAME_LENGTH - max(len(rule.config_rule_name) for rule in rules))


def rule_name_prefix(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """The template parameter `RuleNamePrefix`."""
    length = rule_name_prefix_length(rules)
    return {
        "RuleNamePrefix": text(
            "What the names of all Config rules begin with, so that several packs can live side by side.",
            "",
            pattern=f"^[a-z0-9-]{{0,{length}}}$",
            constraint=f"must have at most {length} lower-case letters, digits and hyphens.",
        )
    }

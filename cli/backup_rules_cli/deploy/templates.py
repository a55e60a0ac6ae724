"""CloudFormation templates as a person wants to see them before they are deployed: which resources, which roles.

Conditions are decided and parameters filled in with the values of one deployment. What only AWS can tell (the ARN of a
resource that is not there yet) stays a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from backup_rules_cli.catalogue import ROOT

try:
    from yaml import CBaseLoader as _BaseLoader  # in C: the templates are long
except ImportError:  # PyYAML was built without it
    from yaml import BaseLoader as _BaseLoader  # type: ignore[assignment]  # the same, in Python

FOLDER = ROOT / "cloudformation"

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
_LONGEST_VALUE = 4096

_SHOWN = 3

_NOTHING = object()


class _Loader(_BaseLoader):
    """Every scalar a text; CloudFormation's short forms (`!Sub …`) in their long form."""


def _short_form(loader: _Loader, suffix: str, node: Node) -> dict[str, Any]:
    if isinstance(node, MappingNode):
        value: Any = loader.construct_mapping(node, deep=True)
    elif isinstance(node, SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


@dataclass(frozen=True)
class Resource:
    """A resource that a deployment has, with its properties as far as they are known beforehand."""

    name: str
    type: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Role:
    """An IAM role: who may assume it, under which condition, and which actions it may call on what."""

    name: str
    trusted: tuple[str, ...]
    actions: tuple[str, ...]
    managed: tuple[str, ...]


@dataclass(frozen=True)
class Template:
    """The text of a template."""

    text: str

    @staticmethod
    @cache
    def of(name: str) -> Template:
        """A template of `cloudformation/`, without its suffix. It is read once, and the same in all of a deployment."""
        return Template((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))

    @cached_property
    def document(self) -> dict[str, Any]:
        """What the text says, intrinsic functions in their long form."""
        return dict(yaml.load(self.text, Loader=_Loader))  # noqa: S506 - it makes texts, lists and mappings only

    @property
    def defaults(self) -> dict[str, str | None]:
        """The parameters, with their default; None for one that must be given."""
        return {name: each.get("Default") for name, each in (self.document.get("Parameters") or {}).items()}

    def effective(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """The values of all parameters when these are given."""
        return {name: value for name, value in {**self.defaults, **parameters}.items() if value is not None}

    def refusals(self, parameters: Mapping[str, str]) -> list[str]:
        """Why CloudFormation would not admit these parameters, a sentence each; the values of defaults are admitted."""
        found = []
        for name, value in parameters.items():
            declared = (self.document.get("Parameters") or {}).get(name)
            if declared is None:
                found.append(f"The template has no parameter {name}.")
            elif not _admits(declared, value):
                allowed = declared.get("ConstraintDescription") or f"must be one of {declared.get('AllowedValues')}"
                found.append(f"Parameter {name} is {value!r}; it {allowed.rstrip('.')}.")
        return found

    def resources(self, parameters: Mapping[str, str], pseudo: Mapping[str, str]) -> list[Resource]:
        """The resources that a stack has, given its parameters and the pseudo parameters (`AWS::Region`, …)."""
        values = _Values({**pseudo, **self.effective(parameters)}, self.document)
        return [
            Resource(name, each["Type"], values.of(each.get("Properties") or {}))
            for name, each in self.document["Resources"].items()
            if "Condition" not in each or values.holds(each["Condition"])
        ]


def _admits(declared: Mapping[str, Any], value: str) -> bool:
    if len(value.encode()) > _LONGEST_VALUE or len(value) > int(declared.get("MaxLength", _LONGEST_VALUE)):
        return False
    if value not in declared.get("AllowedValues", (value,)):
        return False
    each = value.split(",") if declared["Type"] == "CommaDelimitedList" else [value]
    return all(re.search(declared.get("AllowedPattern", ""), one) for one in each)


def roles(resources: list[Resource], pseudo: Mapping[str, str]) -> Iterator[Role]:
    """The IAM roles among the resources, and those in the template of a StackSet."""
    for resource in resources:
        properties = resource.properties
        if resource.type == "AWS::IAM::Role":
            yield _role(resource)
        elif resource.type == "AWS::CloudFormation::StackSet" and isinstance(properties.get("TemplateBody"), str):
            given = {each["ParameterKey"]: each["ParameterValue"] for each in properties.get("Parameters") or ()}
            yield from roles(Template(properties["TemplateBody"]).resources(given, pseudo), pseudo)


def _role(resource: Resource) -> Role:
    properties = resource.properties
    trust = _listed(properties["AssumeRolePolicyDocument"].get("Statement"))
    statements = [
        statement
        for policy in _listed(properties.get("Policies"))
        for statement in _listed(policy["PolicyDocument"].get("Statement"))
    ]
    return Role(
        str(properties.get("RoleName", resource.name)),
        tuple(text for statement in trust for text in _trusted(statement)),
        tuple(text for statement in statements for text in _allowed(statement)),
        tuple(str(arn).rpartition("/")[2] for arn in _listed(properties.get("ManagedPolicyArns"))),
    )


def _when(statement: Mapping[str, Any]) -> str:
    """The conditions of a statement, to end a sentence."""
    conditions = [
        f"{key} {'/'.join(map(str, _listed(value)))}"
        for operands in (statement.get("Condition") or {}).values()
        for key, value in operands.items()
    ]
    return f" when {' and '.join(conditions)}" if conditions else ""


def _trusted(statement: Mapping[str, Any]) -> Iterator[str]:
    for principals in (statement.get("Principal") or {}).values():
        for principal in _listed(principals):
            yield f"{principal}{_when(statement)}"


def _allowed(statement: Mapping[str, Any]) -> Iterator[str]:
    denied = "not " if statement.get("Effect") == "Deny" else ""
    resources = [str(each) for each in _listed(statement.get("Resource"))]
    more = f" and {len(resources) - 1} more such" if len(resources) > _SHOWN else ""
    where = "" if resources == ["*"] else f" on {', '.join(resources[:1] if more else resources)}{more}"
    yield f"{denied}{', '.join(map(str, _listed(statement.get('Action'))))}{where}{_when(statement)}"


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


class _Values:
    """Intrinsic functions, worked out with the parameters' values."""

    def __init__(self, parameters: Mapping[str, str], document: Mapping[str, Any]) -> None:
        self._parameters = parameters
        self._conditions: Mapping[str, Any] = document.get("Conditions") or {}
        self._mappings: Mapping[str, Any] = document.get("Mappings") or {}

    def holds(self, condition: Any) -> bool:
        """Whether a condition, by its name or as an expression, is true."""
        if isinstance(condition, str):
            return self.holds(self._conditions[condition])
        ((function, operand),) = condition.items()
        if function == "Fn::Equals":
            left, right = (self.of(each) for each in operand)
            return bool(left == right)
        if function == "Condition":
            return self.holds(operand)
        each = [self.holds(one) for one in operand]
        return {"Fn::Not": not each[0], "Fn::And": all(each), "Fn::Or": any(each)}[function]

    def of(self, value: Any) -> Any:
        """The value, with nothing in it left to work out that can be known."""
        if isinstance(value, list):
            return [each for each in map(self.of, value) if each is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, operand),) = value.items()
            if function == "Ref":
                return _NOTHING if operand == "AWS::NoValue" else self._parameters.get(operand, operand)
            if function.startswith("Fn::") and hasattr(self, f"_{function[4:].lower()}"):
                return getattr(self, f"_{function[4:].lower()}")(operand)
        worked_out = {key: self.of(each) for key, each in value.items()}
        return {key: each for key, each in worked_out.items() if each is not _NOTHING}

    def _if(self, operand: list[Any]) -> Any:
        condition, then, otherwise = operand
        return self.of(then if self.holds(condition) else otherwise)

    def _join(self, operand: list[Any]) -> str:
        return str(operand[0]).join(str(each) for each in _listed(self.of(operand[1])))

    def _getatt(self, operand: list[str]) -> str:
        return ".".join(operand)

    def _split(self, operand: list[Any]) -> list[str]:
        return str(self.of(operand[1])).split(str(operand[0]))

    def _select(self, operand: list[Any]) -> Any:
        items = self.of(operand[1])
        return items[int(operand[0])] if isinstance(items, list) else items

    def _findinmap(self, operand: list[Any]) -> Any:
        first, second, third = map(self.of, operand[:3])
        return self._mappings[first][second][third]

    def _sub(self, operand: Any) -> str:
        text, given = operand if isinstance(operand, list) else (operand, {})
        own = {key: self.of(each) for key, each in given.items()}

        def filled(match: re.Match[str]) -> str:
            name = match[1]
            return f"${{{name[1:]}}}" if name.startswith("!") else str({**self._parameters, **own}.get(name, name))

        return re.sub(r"\$\{([^}]+)\}", filled, text)

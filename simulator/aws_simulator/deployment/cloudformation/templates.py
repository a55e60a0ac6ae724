"""CloudFormation templates: read, checked, and their intrinsic functions evaluated.

Nothing here calls AWS or keeps a stack: what a template refers to beyond itself comes in as a function.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import yaml

from aws_simulator.core.operations import AwsError

try:
    from yaml import CSafeLoader as _SafeLoader  # in C: the templates are long
except ImportError:  # PyYAML was built without it
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]  # the same, in Python

MAX_BODY_BYTES = 51_200
MAX_PARAMETERS = 200
SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Hooks",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
        "Transform",
    }
)

Document = dict[str, Any]

_NO_VALUE = object()
_REFERENCE = re.compile(r"\$\{(!?)([^{}]+)\}")


def refused(message: str) -> AwsError:
    """CloudFormation's error for whatever is wrong with a template or a request."""
    return AwsError("ValidationError", message)


# --- Reading --------------------------------------------------------------------------------------------------------


class _Loader(_SafeLoader):
    """YAML with CloudFormation's short forms. Names are texts, and so is the date of a policy's Version."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's
        self.flatten_mapping(node)
        return {str(key.value): self.construct_object(value, deep=deep) for key, value in node.value}


def _short_form(loader: yaml.Loader, suffix: str, node: yaml.Node) -> Document:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # the third kind of node
    if suffix in {"Ref", "Condition"}:
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(text: str) -> Document:
    """The template as a dictionary, short forms written out.

    Raises:
        AwsError: ValidationError, when it is neither JSON nor YAML, or has no resources.
    """
    try:
        template = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise refused(f"Template format error: YAML not well-formed. {error}") from error
    if not isinstance(template, dict):
        raise refused("Template format error: unsupported structure.")
    unknown = sorted(set(template) - SECTIONS)
    if unknown:
        raise refused(f"Invalid template property or properties [{', '.join(unknown)}]")
    if not template.get("Resources"):
        raise refused("Template format error: At least one Resources member must be defined.")
    return template


# --- Parameters -----------------------------------------------------------------------------------------------------


def parameter_values(template: Document, given: Mapping[str, str]) -> dict[str, Any]:
    """What `Ref` of each parameter gives: a text, or a list of texts.

    Raises:
        AwsError: ValidationError: a parameter is unknown or missing, or its value is not allowed.
    """
    declared: Mapping[str, Document] = template.get("Parameters") or {}
    if len(declared) > MAX_PARAMETERS:
        raise refused(f"Template format error: Number of parameters, {len(declared)}, is greater than {MAX_PARAMETERS}")
    unknown = [name for name in given if name not in declared]
    if unknown:
        raise refused(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [name for name, each in declared.items() if name not in given and "Default" not in each]
    if missing:
        raise refused(f"Parameters: [{', '.join(missing)}] must have values")
    return {
        name: _parameter_value(name, each, as_text(given.get(name, each.get("Default"))))
        for name, each in declared.items()
    }


def _parameter_value(name: str, declared: Document, value: str) -> Any:
    kind = declared.get("Type", "String")
    is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
    parts = [part.strip() for part in value.split(",")] if is_list else [value]
    for part in parts:
        _check_parameter(name, declared, part, number="Number" in kind)
    return parts if is_list else value


def _check_parameter(name: str, declared: Document, value: str, *, number: bool) -> None:
    allowed = [as_text(each) for each in declared.get("AllowedValues", [])]
    if allowed and value not in allowed:
        raise refused(f"Parameter '{name}' must be one of AllowedValues")
    pattern = declared.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, value):
        demand = declared.get("ConstraintDescription", f"Parameter {name} must match pattern {pattern}")
        raise refused(f"Parameter {name} failed to satisfy constraint: {demand}")
    if number:
        _check_number(name, declared, value)
    elif len(value) < int(declared.get("MinLength", 0)):
        raise refused(f"Parameter '{name}' must contain at least {declared['MinLength']} characters")
    elif len(value) > int(declared.get("MaxLength", len(value))):
        raise refused(f"Parameter '{name}' must contain at most {declared['MaxLength']} characters")


def _check_number(name: str, declared: Document, value: str) -> None:
    try:
        amount = float(value)
    except ValueError:
        raise refused(f"Parameter '{name}' must be a number.") from None
    if amount < float(declared.get("MinValue", amount)):
        raise refused(f"Parameter '{name}' must be a number not less than {declared['MinValue']}")
    if amount > float(declared.get("MaxValue", amount)):
        raise refused(f"Parameter '{name}' must be a number not greater than {declared['MaxValue']}")


def as_text(value: Any) -> str:
    """A scalar of a template as CloudFormation hands it on: numbers and booleans are texts as well."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


# --- References -----------------------------------------------------------------------------------------------------


def references(node: Any) -> Iterator[str]:
    """The names that `Ref`, `Fn::GetAtt` and `Fn::Sub` within the node refer to, pseudo parameters among them."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == "Ref":
                yield str(value)
            elif name == "Fn::GetAtt":
                yield _attribute_of(value)[0]
            elif name == "Fn::Sub":
                text, own = (value[0], value[1]) if isinstance(value, list) else (value, {})
                found = (match[2].partition(".")[0] for match in _REFERENCE.finditer(text) if not match[1])
                yield from (each for each in found if each not in own)
                yield from references(own)
            else:
                yield from references(value)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def creation_order(template: Document) -> list[str]:
    """The resources, each after those that it refers to or depends on.

    Raises:
        AwsError: ValidationError: a reference leads nowhere, or resources wait for each other.
    """
    resources: Mapping[str, Document] = template["Resources"]
    known = {*(template.get("Parameters") or {}), *resources}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for logical_id, resource in resources.items():
        wanted = [name for name in references(resource.get("Properties")) if not name.startswith("AWS::")]
        explicit = resource.get("DependsOn", [])
        wanted += [explicit] if isinstance(explicit, str) else explicit
        missing = sorted({name for name in wanted if name not in known})
        if missing:
            raise _unresolved(missing, "Resources")
        sorter.add(logical_id, *(name for name in wanted if name in resources))
    _check_conditions(template)
    missing = sorted({name for name in references(template.get("Outputs")) if not name.startswith("AWS::")} - known)
    if missing:
        raise _unresolved(missing, "Outputs")
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise refused(f"Circular dependency between resources: [{', '.join(error.args[1][1:])}]") from error


def _check_conditions(template: Document) -> None:
    """Conditions know parameters only, and whoever names a condition names one that there is."""
    declared = template.get("Conditions") or {}
    named = {name for name in references(declared) if not name.startswith("AWS::")}
    missing = sorted(named - set(template.get("Parameters") or {}))
    if missing:
        raise _unresolved(missing, "Conditions")
    for section in ("Resources", "Outputs"):
        for each in (template.get(section) or {}).values():
            condition = each.get("Condition") if isinstance(each, Mapping) else None
            for name in [*([condition] if condition else []), *_conditions_of(each)]:
                if name not in declared:
                    raise refused(
                        f"Template format error: Unresolved condition dependency {name} in the {section} block"
                    )


def _conditions_of(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == "Fn::If" and isinstance(value, list):
                yield str(value[0])
            yield from _conditions_of(value)
    elif isinstance(node, list):
        for each in node:
            yield from _conditions_of(each)


def _unresolved(names: Sequence[str], section: str) -> AwsError:
    return refused(
        f"Template format error: Unresolved resource dependencies [{', '.join(names)}] in the {section} block of the "
        "template"
    )


def _attribute_of(value: Any) -> tuple[str, str]:
    parts = value.split(".", 1) if isinstance(value, str) else [str(part) for part in value]
    return parts[0], ".".join(parts[1:])


# --- Evaluation -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Surroundings:
    """What a template refers to beyond its own text."""

    values: Mapping[str, Any]
    """Parameters and pseudo parameters."""

    reference: Callable[[str], str]
    """`Ref` of a resource."""

    attribute: Callable[[str, str], Any]
    """`Fn::GetAtt` of a resource."""

    exported: Callable[[str], str]
    """`Fn::ImportValue`."""


class Evaluation:
    """The intrinsic functions of one template, with given parameters, in one account and Region."""

    def __init__(self, template: Document, surroundings: Surroundings) -> None:
        self._template = template
        self._around = surroundings
        self._conditions: dict[str, bool] = {}

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template is true."""
        if condition not in self._conditions:
            declared = self._template.get("Conditions") or {}
            if condition not in declared:
                raise refused(f"Template format error: Unresolved condition dependency {condition}")
            self._conditions[condition] = self._is_true(declared[condition])
        return self._conditions[condition]

    def value(self, node: Any) -> Any:
        """The node with every intrinsic function replaced by its value, and without what is `AWS::NoValue`."""
        value = self._value(node)
        return None if value is _NO_VALUE else value

    def _value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for value in map(self._value, node) if value is not _NO_VALUE]
        if not isinstance(node, Mapping):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name == "Ref":
                return self._reference(argument)
            if str(name).startswith("Fn::"):
                function = _FUNCTIONS.get(name)
                if function is None:
                    raise refused(f"Template format error: Unrecognized intrinsic function {name}")
                return function(self, argument)
        evaluated = {name: self._value(value) for name, value in node.items()}
        return {name: value for name, value in evaluated.items() if value is not _NO_VALUE}

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self._around.values:
            return self._around.values[name]
        return self._around.reference(name)

    def _is_true(self, node: Any) -> bool:
        ((name, argument),) = node.items()
        if name == "Condition":
            return self.holds(argument)
        if name == "Fn::Not":
            return not self._is_true(argument[0])
        if name in {"Fn::And", "Fn::Or"}:
            parts = [self._is_true(part) for part in argument]
            return all(parts) if name == "Fn::And" else any(parts)
        if name == "Fn::Equals":
            first, second = (self._value(part) for part in argument)
            return bool(_comparable(first) == _comparable(second))
        raise refused(f"Template format error: {name} is no function for conditions")

    def _if(self, argument: Any) -> Any:
        condition, then, otherwise = argument
        return self._value(then if self.holds(condition) else otherwise)

    def _join(self, argument: Any) -> str:
        separator, parts = argument
        return str(separator).join(as_text(part) for part in self._value(parts))

    def _split(self, argument: Any) -> list[str]:
        separator, text = argument
        return str(self._value(text)).split(separator)

    def _select(self, argument: Any) -> Any:
        index, choices = (self._value(part) for part in argument)
        if not 0 <= int(index) < len(choices):
            raise refused(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
        return choices[int(index)]

    def _sub(self, argument: Any) -> str:
        text, own = (argument[0], argument[1]) if isinstance(argument, list) else (argument, {})

        def put(match: re.Match[str]) -> str:
            if match[1]:
                return f"${{{match[2]}}}"
            if match[2] in own:
                return as_text(self._value(own[match[2]]))
            name, dot, attribute = match[2].partition(".")
            return as_text(self._around.attribute(name, attribute) if dot else self._reference(name))

        return _REFERENCE.sub(put, text)

    def _attribute(self, argument: Any) -> Any:
        return self._around.attribute(*_attribute_of(argument))

    def _find(self, argument: Any) -> Any:
        name, first, second = (self._value(part) for part in argument[:3])
        try:
            return self._value(self._template["Mappings"][name][first][second])
        except KeyError:
            if len(argument) > 3:
                return self._value(argument[3]["DefaultValue"])
            raise refused(f"Template error: Unable to get mapping for {name}::{first}::{second}") from None

    def _import(self, argument: Any) -> str:
        return self._around.exported(self._value(argument))

    def _base64(self, argument: Any) -> str:
        return base64.b64encode(str(self._value(argument)).encode()).decode()

    def _zones(self, argument: Any) -> list[str]:
        region = self._value(argument) or self._around.values["AWS::Region"]
        return [f"{region}{zone}" for zone in "abc"]

    def _json(self, argument: Any) -> str:
        return json.dumps(self._value(argument))

    def _length(self, argument: Any) -> int:
        return len(self._value(argument))


_FUNCTIONS: Mapping[str, Callable[[Evaluation, Any], Any]] = {
    "Fn::Base64": Evaluation._base64,  # noqa: SLF001 - its own
    "Fn::FindInMap": Evaluation._find,  # noqa: SLF001 - its own
    "Fn::GetAZs": Evaluation._zones,  # noqa: SLF001 - its own
    "Fn::GetAtt": Evaluation._attribute,  # noqa: SLF001 - its own
    "Fn::If": Evaluation._if,  # noqa: SLF001 - its own
    "Fn::ImportValue": Evaluation._import,  # noqa: SLF001 - its own
    "Fn::Join": Evaluation._join,  # noqa: SLF001 - its own
    "Fn::Length": Evaluation._length,  # noqa: SLF001 - its own
    "Fn::Select": Evaluation._select,  # noqa: SLF001 - its own
    "Fn::Split": Evaluation._split,  # noqa: SLF001 - its own
    "Fn::Sub": Evaluation._sub,  # noqa: SLF001 - its own
    "Fn::ToJsonString": Evaluation._json,  # noqa: SLF001 - its own
}


def _comparable(value: Any) -> Any:
    return [as_text(each) for each in value] if isinstance(value, list) else as_text(value)


def resource_types(template: Document) -> Iterable[str]:
    """The types of its resources, each once, in alphabetical order."""
    return sorted({str(resource.get("Type")) for resource in template["Resources"].values()})

"""CloudFormation and SAM templates: parameters, mappings, conditions and functions, as far as they can be known.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, product
from typing import Any

from backup_rules.arns import Place
from backup_rules_cli.check import identities
from backup_rules_cli.check.decoding import BrokenFileError, parsed, placed
from backup_rules_cli.check.things import Array, Object, Position, Thing, Unknown, at_of, unknowns

STACK_SET = "AWS::CloudFormation::StackSet"
STACK_NAME = "a-stack-name-that-is-not-known-here"
"""Stands where a template names its stack; told as the template writes it."""
WHEN_DEPLOYED = "judge the account when it is deployed (backup-rules evaluate)"
_NO_VALUE = object()
_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
_LOOP = "Fn::ForEach::"
_DEEPEST = 60
_MOST_TOGETHER = 4
"""Open comparisons of which every combination is tried; of more, each by itself."""
_TRANSFORMS = ("AWS::Serverless-", "AWS::LanguageExtensions", "AWS::SecretsManager-", "AWS::CodeDeployBlueGreen")
"""What AWS's own transforms make of a template changes nothing that is judged, or is followed here."""
_MADE_BY_MACRO = Unknown("a macro makes it", "judge the processed template")
_READ: Mapping[str, tuple[str, ...]] = {
    identities.PLAN: ("BackupPlan",),
    identities.SELECTION: ("BackupPlanId", "BackupSelection"),
    identities.VAULT: ("BackupVaultName", "LockConfiguration", "AccessPolicy", "EncryptionKeyArn"),
    identities.ROLE: ("AssumeRolePolicyDocument", "ManagedPolicyArns", "Policies"),
    identities.BACKUP_POLICY: ("Content",),
}
"""The properties that are read of a type, all of which a macro leaves open that makes them all."""
_OF_RESOURCES = ("Tags", "FileSystemTags", "VersioningConfiguration", "FileSystemType", "AccessConfig")
_POLICIES = frozenset({"AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy"})
_JUDGED = frozenset(identities.KINDS) | _POLICIES | {identities.BACKUP_POLICY, STACK_SET}


def is_template(document: Any) -> bool:
    """Whether the document is a template."""
    if not isinstance(document, Mapping) or not isinstance(document.get("Resources"), Mapping):
        return False
    resources = document["Resources"]
    typed = any(isinstance(each, Mapping) and isinstance(each.get("Type"), str) for each in resources.values())
    looped = any(str(each).startswith((_LOOP, "Fn::Transform")) for each in resources)
    return typed or looped or "AWSTemplateFormatVersion" in document


@dataclass
class Reading:
    """How a template is read: parameters' values, what is not named, and what open comparisons are taken to give.

    `open` collects the comparisons of conditions that are open: why, by what is compared.
    """

    parameters: Mapping[str, Any]
    not_named: Mapping[str, Unknown] = field(default_factory=dict)
    assumed: Mapping[str, bool] = field(default_factory=dict)
    open: dict[str, Unknown] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    """Resources that are referred to, and not made: CloudFormation refuses the template."""
    inside: str = ""
    """The StackSet whose template it is."""

    def of_stack_set(self, name: str, parameters: Mapping[str, Any]) -> Reading:
        """The same for the template of a StackSet."""
        return replace(self, parameters=parameters, inside=f"{self.inside}{name}/")


def things(document: Object, place: Place, reading: Reading) -> Iterator[Thing]:
    """The resources of the template that exist, with what is known of their properties."""
    template = _Template(document, place, reading)
    for name in template.resources:
        if str(template.resources[name]["Type"]) not in _JUDGED:
            continue
        exists = template.exists(name)
        if exists is False:
            continue
        body = template.resources[name]
        properties = template.properties(name)
        if isinstance(exists, Unknown):
            properties = Object(at_of(body, document.at), {**properties, "__exists": exists}, properties.keys_at)
        thing = Thing(str(body["Type"]), name, properties, template.at(name), f"Resources/{name}")
        yield thing
        if thing.type == STACK_SET:
            yield from _deployed(thing, place, reading)


def worlds(document: Object, place: Place, reading: Reading) -> list[list[Thing]]:
    """The template's resources for each way in which the open conditions may turn out; none where none is open.

    What refers to a resource that is not made, CloudFormation refuses: that way nothing is deployed.
    """
    found: list[list[Thing]] = []
    refused: list[list[Thing]] = []
    for assumed in _ways(sorted(reading.open)):
        one = replace(reading, assumed=assumed, open={}, missing=[])
        made = list(things(document, place, one))
        (refused if one.missing else found).append(made)
    return found or refused


def _ways(compared: Sequence[str]) -> Iterator[dict[str, bool]]:
    if not compared:
        return
    if len(compared) <= _MOST_TOGETHER:
        for each in product((True, False), repeat=len(compared)):
            yield dict(zip(compared, each, strict=True))
        return
    for whole in (True, False):
        yield dict.fromkeys(compared, whole)
        for one in compared:
            yield {**dict.fromkeys(compared, whole), one: not whole}


def macros(document: Mapping[str, Any]) -> list[str]:
    """The macros that may change the whole template, other than AWS's own whose effect is known."""
    given = document.get("Transform")
    named = given if isinstance(given, list) else [] if given is None else [given]
    texts = [
        each if isinstance(each, str) else str(each.get("Name")) for each in named if isinstance(each, (str, dict))
    ]
    resources = document.get("Resources")
    inner = [whole for whole in (document, resources) if isinstance(whole, Mapping) and "Fn::Transform" in whole]
    return [each for each in texts if not each.startswith(_TRANSFORMS)] + ["Fn::Transform"] * bool(inner)


def _deployed(stack_set: Thing, place: Place, reading: Reading) -> Iterator[Thing]:
    """What a StackSet brings to each of its accounts; it stands where the StackSet does."""
    text, pairs = stack_set.properties.get("TemplateBody"), stack_set.properties.get("Parameters")
    if not isinstance(text, str):
        return
    try:
        document = placed(parsed(text, stack_set.at), stack_set.at)
    except BrokenFileError:
        return
    if not isinstance(document, Object) or not is_template(document):
        return
    given = {
        str(each.get("ParameterKey")): each.get("ParameterValue")
        for each in (pairs if isinstance(pairs, list) else ())
        if isinstance(each, Mapping)
    }
    for each in things(document, place, reading.of_stack_set(stack_set.name, given)):
        path = f"{stack_set.path}/Properties/TemplateBody/{each.path}"
        properties = each.properties
        if "__exists" in stack_set.properties:
            properties = {**properties, "__exists": stack_set.properties["__exists"]}
        yield Thing(each.type, f"{stack_set.name}/{each.name}", properties, stack_set.at, path)


class _Template:
    def __init__(self, document: Object, place: Place, reading: Reading) -> None:
        given = reading.parameters
        self._document = document
        self._place = place
        self._reading = reading
        self._deciding = False
        """Whether a condition or a mapping's key is made: what is not named must not be made up there."""
        self._parameters = {
            name: _parameter(name, each, given)
            for name, each in _section(document, "Parameters").items()
            if isinstance(each, Mapping)
        }
        self._mappings = _section(document, "Mappings")
        self._conditions = _section(document, "Conditions")
        self._known_conditions: dict[str, Any] = {}
        self._properties: dict[str, Object] = {}
        self._busy: set[str] = set()
        found = self._unrolled(_section(document, "Resources"), {})
        self.resources = {
            name: each
            for name, each in found.items()
            if isinstance(each, Mapping) and isinstance(each.get("Type"), str)
        }

    def at(self, name: str) -> Position:
        """Where a resource stands: its name."""
        body = self.resources[name]
        keys = getattr(self._document.get("Resources"), "keys_at", {})
        found = keys.get(name, at_of(body, self._document.at))
        return found if isinstance(found, Position) else self._document.at

    def exists(self, name: str) -> bool | Unknown:
        condition = self.resources[name].get("Condition")
        return True if not isinstance(condition, str) else self._condition(condition)

    def properties(self, name: str) -> Object:
        if name not in self._properties:
            body = self.resources[name].get("Properties")
            at = at_of(body, self._document.at)
            found = self._resolved(body if isinstance(body, Mapping) else Object(at), {})
            if not isinstance(found, Object):
                read = _READ.get(str(self.resources[name]["Type"]), _OF_RESOURCES)
                found = Object(at, {**dict.fromkeys(read, found), "__properties": found})
            self._properties[name] = found
        return self._properties[name]

    def _naming(self, name: str, kind: str) -> dict[str, Any]:
        """The properties that the name and the ARN of a resource follow from."""
        body = self.resources[name].get("Properties")
        wanted = {"Path", identities.KINDS[kind].named_by} if kind in identities.KINDS else set()
        own = body if isinstance(body, Mapping) else {}
        return {key: self._resolved(own[key], {}) for key in wanted if key in own}

    # Loops of AWS::LanguageExtensions

    def _unrolled(self, entries: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in entries.items():
            if not key.startswith(_LOOP):
                found[key] = value
                continue
            if not (isinstance(value, list) and len(value) == 3 and isinstance(value[2], Mapping)):
                continue
            variable, collection, body = value
            items = self._resolved(collection, variables)
            missing = next(unknowns(items), None)
            if missing is not None:  # once, with the variable open
                self._parameters.setdefault(str(variable), missing)
                found |= self._unrolled(body, variables)
                continue
            if not isinstance(items, list):
                continue
            for item in items:
                inner = {**variables, str(variable): str(item)}
                for name, each in self._unrolled(body, inner).items():
                    found[_with_variables(name, inner)] = _replaced(each, inner)
        return found

    # Values

    def _resolved(self, value: Any, variables: Mapping[str, Any], depth: int = 0) -> Any:
        if depth > _DEEPEST:
            return Unknown("it is nested too deeply to be followed", "write it plainly")
        if isinstance(value, Object):
            if len(value) == 1:
                (name,) = value
                if name in {"Ref", "Condition"} or name.startswith("Fn::"):
                    return self._function(name, value[name], variables, depth)
            if "Fn::Transform" in value:
                return _MADE_BY_MACRO
            entries = {}
            for key, each in self._unrolled(value, variables).items():
                found = self._resolved(each, variables, depth + 1)
                if found is not _NO_VALUE:
                    entries[key] = found
            return Object(value.at, entries, value.keys_at)
        if isinstance(value, list):
            items = (self._resolved(each, variables, depth + 1) for each in value)
            return Array(at_of(value, self._document.at), [each for each in items if each is not _NO_VALUE])
        return _dynamic(value) if isinstance(value, str) else value

    def _decisive(self, value: Any) -> Any:
        """A value on which it depends what else is read."""
        before, self._deciding = self._deciding, True
        try:
            return self._resolved(value, {})
        finally:
            self._deciding = before

    def _function(self, name: str, argument: Any, variables: Mapping[str, Any], depth: int) -> Any:  # noqa: C901, PLR0911, PLR0912 - a case for each function
        def resolved(each: Any) -> Any:
            return self._resolved(each, variables, depth + 1)

        match name:
            case "Ref":
                return self._ref(str(argument))
            case "Fn::GetAtt":
                parts = argument.split(".", 1) if isinstance(argument, str) else argument
                if isinstance(parts, list) and len(parts) == 2:
                    return self._attribute(str(parts[0]), resolved(parts[1]))
            case "Fn::Sub":
                return self._sub(argument, resolved)
            case "Fn::Join":
                return _joined(resolved(argument))
            case "Fn::If":
                if isinstance(argument, list) and len(argument) == 3:
                    return self._if(argument, resolved)
            case "Fn::Select":
                return _selected(resolved(argument))
            case "Fn::Split":
                return _split(resolved(argument))
            case "Fn::FindInMap":
                return self._found_in_map(argument, resolved)
            case "Fn::ToJsonString":
                whole = resolved(argument)
                return next(unknowns(whole), None) or json.dumps(whole)
            case "Fn::Base64" | "Fn::Cidr" | "Fn::Length":
                return Unknown(f"it is made by {name}", "write it plainly")
            case "Fn::ImportValue":
                what = resolved(argument)
                told = f" {what}" if isinstance(what, str) else ""
                return Unknown(f"another stack exports it{told}", "write in its place what it exports")
            case "Fn::GetAZs":
                return Unknown("the account's Availability Zones are not known", "write them plainly")
            case "Fn::Transform":
                return _MADE_BY_MACRO
            case _:
                pass
        return Unknown(f"{name} is not written as CloudFormation takes it", "correct it")

    def _ref(self, name: str) -> Any:
        if name in self._parameters:
            return self._parameters[name]
        if name in self.resources:
            return self._attribute(name, "")
        if self._deciding and name in self._reading.not_named:
            return self._reading.not_named[name]
        if name in {"AWS::StackId", "AWS::NotificationARNs"}:
            return Unknown(f"{name} is known when it is deployed", WHEN_DEPLOYED)
        pseudo = {
            "AWS::AccountId": self._place.account,
            "AWS::Region": self._place.region,
            "AWS::Partition": self._place.partition,
            "AWS::URLSuffix": "amazonaws.com.cn" if self._place.partition == "aws-cn" else "amazonaws.com",
            "AWS::StackName": self._reading.parameters.get("AWS::StackName", STACK_NAME),
            "AWS::NoValue": _NO_VALUE,
        }
        if name in pseudo:
            return pseudo[name]
        return Unknown(f"{name} is neither a parameter nor a resource of the template", "correct the reference")

    def _attribute(self, name: str, attribute: Any) -> Any:
        if name not in self.resources or isinstance(attribute, Unknown):
            return Unknown(f"{name} is no resource of the template", "correct the reference")
        exists = self.exists(name)
        if isinstance(exists, Unknown):
            return exists
        if not exists:
            self._reading.missing.append(name)
        kind = str(self.resources[name]["Type"])
        if name in self._busy:
            return Unknown(f"{name} refers to itself", "correct the reference")
        self._busy.add(name)
        try:
            found = identities.attribute(kind, name, self._naming(name, kind), str(attribute), self._place)
        finally:
            self._busy.discard(name)
        if found is None:
            what = f"attribute {attribute}" if attribute else "the id"
            return Unknown(f"{what} of {name} ({kind}) is known when it is deployed", WHEN_DEPLOYED)
        return found

    def _sub(self, argument: Any, resolved: Any) -> Any:
        text, own = (argument, {}) if isinstance(argument, str) else (None, {})
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], Mapping):
            text, own = argument[0], {key: resolved(each) for key, each in argument[1].items()}
        if not isinstance(text, str):
            return Unknown("Fn::Sub is not written as CloudFormation takes it", "correct it")
        missing: list[Unknown] = []

        def value(variable: re.Match[str]) -> str:
            name = variable[1].strip()
            parts = name.split(".", 1)
            found = own[name] if name in own else self._attribute(*parts) if len(parts) == 2 else self._ref(name)
            if isinstance(found, (Unknown, list, Mapping)) or found is _NO_VALUE:
                missing.append(found if isinstance(found, Unknown) else Unknown(f"{name} is no text", "correct it"))
                return ""
            return _text(found)

        whole = _VARIABLE.sub(value, text)
        return missing[0] if missing else _dynamic(whole.replace("${!", "${"))

    def _if(self, argument: list[Any], resolved: Any) -> Any:
        holds = self._condition(str(argument[0]))
        if isinstance(holds, Unknown):
            both = [resolved(argument[1]), resolved(argument[2])]
            return both[0] if both[0] is not _NO_VALUE and both[0] == both[1] else holds
        return resolved(argument[1] if holds else argument[2])

    def _found_in_map(self, argument: Any, resolved: Any) -> Any:
        if not isinstance(argument, list) or len(argument) < 3:
            return Unknown("Fn::FindInMap is not written as CloudFormation takes it", "correct it")
        keys = [self._decisive(each) for each in argument[:3]]
        for each in keys:
            if isinstance(each, Unknown):
                return each
        found: Any = self._mappings
        for key in keys:
            found = found.get(_text(key)) if isinstance(found, Mapping) else None
        if found is None:
            default = (
                argument[3].get("DefaultValue") if len(argument) > 3 and isinstance(argument[3], Mapping) else None
            )
            if default is not None:
                return resolved(default)
            return Unknown(
                f"the mapping has no {'/'.join(map(_text, keys))}", "correct the mapping, or name the Region (--region)"
            )
        return self._resolved(found, {})

    # Conditions

    def _condition(self, name: str) -> bool | Unknown:
        if name not in self._known_conditions:
            if name not in self._conditions:
                return Unknown(f"there is no condition {name}", "correct the name")
            self._known_conditions[name] = Unknown(f"condition {name} refers to itself", "correct it")
            self._known_conditions[name] = self._holds(self._conditions[name])
        found = self._known_conditions[name]
        return (
            found if isinstance(found, (bool, Unknown)) else Unknown(f"condition {name} is no condition", "correct it")
        )

    def _holds(self, value: Any) -> Any:  # noqa: PLR0911 - a case for each function
        if not isinstance(value, Mapping) or len(value) != 1:
            return Unknown("a condition is not written as CloudFormation takes it", "correct it")
        ((name, argument),) = value.items()
        if name == "Condition":
            return self._condition(str(argument))
        arguments = argument if isinstance(argument, list) else [argument]
        if name == "Fn::Equals" and len(arguments) == 2:
            one, other = (self._decisive(each) for each in arguments)
            missing = next(unknowns([one, other]), None)
            return _text(one) == _text(other) if missing is None else self._assumed(arguments, missing)
        parts = [self._holds(each) for each in arguments]
        open_parts = [each for each in parts if isinstance(each, Unknown)]
        if name == "Fn::Not":
            return open_parts[0] if open_parts else not parts[0]
        if name in {"Fn::And", "Fn::Or"}:
            decisive = name == "Fn::Or"
            if decisive in parts:
                return decisive
            return open_parts[0] if open_parts else not decisive
        return self._assumed(
            [value], Unknown(f"{name} in a condition cannot be followed", "give the parameters (--parameters)")
        )

    def _assumed(self, compared: list[Any], missing: Unknown) -> bool | Unknown:
        """What an open comparison is taken to give."""
        key = f"{self._reading.inside}{json.dumps(compared, default=str, sort_keys=True)}"
        if key in self._reading.assumed:
            return self._reading.assumed[key]
        self._reading.open[key] = missing
        return missing


def _dynamic(text: str) -> Any:
    """The text; open where CloudFormation puts something else into it when it is deployed."""
    if "{{resolve:" not in text:
        return text
    return Unknown(f"it is resolved when it is deployed: {text}", "write it plainly")


def _section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if isinstance(found, Mapping) else {}


def _parameter(name: str, declared: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    kind = str(declared.get("Type", "String"))
    value = given.get(name, declared.get("Default"))
    if isinstance(value, Unknown):
        return value
    if value is None:
        return Unknown(f"parameter {name} has no default", f"give {name} with --parameters")
    if kind.startswith("AWS::SSM::Parameter::Value"):
        return Unknown(f"parameter {name} is kept in Parameter Store", "judge the processed template")
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return value if isinstance(value, list) else [each.strip() for each in _text(value).split(",")]
    return _dynamic(_text(value))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _joined(argument: Any) -> Any:
    if not (isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list)):
        return argument if isinstance(argument, Unknown) else _unread("Fn::Join", argument)
    for each in (argument[0], *argument[1]):
        if isinstance(each, Unknown):
            return each
    return _dynamic(_text(argument[0]).join(map(_text, argument[1])))


def _selected(argument: Any) -> Any:
    if not (isinstance(argument, list) and len(argument) == 2):
        return _unread("Fn::Select", argument)
    index, items = argument
    if isinstance(items, list) and _text(index).isdecimal() and int(_text(index)) < len(items):
        return items[int(_text(index))]
    return _unread("Fn::Select", argument)


def _split(argument: Any) -> Any:
    if isinstance(argument, list) and len(argument) == 2 and all(isinstance(each, str) for each in argument):
        return argument[1].split(argument[0]) if argument[0] else _unread("Fn::Split", argument)
    return _unread("Fn::Split", argument)


def _unread(name: str, argument: Any) -> Unknown:
    parts = argument if isinstance(argument, list) else [argument]
    found = next(
        (
            each
            for each in chain.from_iterable([each] if not isinstance(each, list) else each for each in parts)
            if isinstance(each, Unknown)
        ),
        None,
    )
    return found or Unknown(f"{name} is not written as CloudFormation takes it", "correct it")


def _with_variables(text: str, variables: Mapping[str, Any]) -> str:
    for name, value in variables.items():
        text = text.replace(f"${{{name}}}", str(value)).replace(f"&{{{name}}}", re.sub(r"[^A-Za-z0-9]", "", str(value)))
    return text


def _replaced(value: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(value, Object):
        if len(value) == 1 and isinstance(value.get("Ref"), str) and value["Ref"] in variables:
            return variables[value["Ref"]]
        return Object(
            value.at,
            {_with_variables(key, variables): _replaced(each, variables) for key, each in value.items()},
            value.keys_at,
        )
    if isinstance(value, list):
        return Array(at_of(value, Position("")), [_replaced(each, variables) for each in value])
    return _with_variables(value, variables) if isinstance(value, str) else value

"""Rule parameters: declared once, with type, default and allowed values; read from the strings that AWS Config passes.

A rule declares a frozen dataclass that extends `RuleParameters`; `snake_case` fields are `CamelCase` parameters:

    @dataclass(frozen=True)
    class Parameters(RuleParameters):
        buffer_minutes: int = parameter(whole_number(0, 1440), default=60)
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Generic, Self, TypeVar

from backup_rules.errors import InvalidRuleParametersError
from backup_rules.resources.resource_types import Resource
from backup_rules.values import dataclass
from backup_rules.wording.quoting import shown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """How a parameter's text is read. `read` raises ValueError for what is not `allowed` (words for a person)."""

    allowed: str
    read: Callable[[str], T]


def whole_number(low: int, high: int) -> Kind[int]:
    """A whole number from `low` to `high`, both allowed."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text.strip()) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return Kind(f"a whole number from {low} to {high}", read)


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text.strip().lower()]


TRUE_OR_FALSE: Kind[bool] = Kind("true or false", _truth)


def choices_list(choices: tuple[str, ...]) -> Kind[tuple[str, ...]]:
    """A comma-separated list, each of `choices` (exactly as written there); blanks around the commas are ignored."""

    def read(text: str) -> tuple[str, ...]:
        words = _words(text)
        if not set(words) <= set(choices):
            raise ValueError
        return words

    return Kind(f"a comma-separated list of {', '.join(choices)}", read)


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in (part.strip() for part in text.split(",")) if word))


WORDS: Kind[tuple[str, ...]] = Kind("a comma-separated list", _words)


# https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html: a path of 512 characters, a name of 64
_LONGEST_ROLE = 512 + 64


def _role_name(text: str) -> str:
    if (
        len(text) > _LONGEST_ROLE
        or not re.fullmatch(r"(?:[\x21-\x2e\x30-\x7e]+/)*[\w+=,.@-]{1,64}", text, re.ASCII)
        or text.startswith("arn:")
    ):
        raise ValueError
    return text


ROLE_NAME: Kind[str] = Kind(
    "the name of an IAM role, with its path but no leading slash (path/name), not an ARN", _role_name
)


def _region(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]{1,2}", text.strip()):
        raise ValueError
    return text.strip()


REGION: Kind[str] = Kind("a Region of AWS, such as eu-west-1", _region)


def parameter(kind: Kind[Any], *, default: Any) -> Any:
    """A dataclass field that is a rule parameter. A `default` of None or () means: may be left out or blank."""
    return dataclasses.field(default=default, metadata={"kind": kind})


@dataclass(frozen=True)
class RuleParameters:
    """What every rule takes: rdklib's own two parameters, and the plans that are not reported."""

    execution_role_name: str | None = parameter(ROLE_NAME, default=None)
    assume_role_mode: bool = parameter(TRUE_OR_FALSE, default=True)
    excluded_plans: tuple[str, ...] = parameter(WORDS, default=())

    @classmethod
    def names(cls) -> dict[str, dataclasses.Field[Any]]:
        """The fields by parameter name."""
        return {_parameter_name(field.name): field for field in dataclasses.fields(cls)}

    @classmethod
    def read(cls, texts: Mapping[str, object]) -> Self:
        """The parameters of an event's `ruleParameters`.

        Raises:
            InvalidRuleParametersError: for an unknown parameter, or a value that is not allowed.
        """
        fields = cls.names()
        values: dict[str, Any] = {}
        for key, given in texts.items():
            if key not in fields:
                raise InvalidRuleParametersError(_unknown(key, tuple(fields)))
            field = fields[key]
            kind: Kind[object] = field.metadata["kind"]
            text = _text(key, given, kind.allowed)
            if not text.strip() and field.default in (None, ()):
                continue
            try:
                values[field.name] = kind.read(text)
            except (ValueError, KeyError):
                raise InvalidRuleParametersError(_refusal(key, given, kind.allowed)) from None
        return cls(**values)

    def excludes(self, plan_name: str, plan_id: str) -> bool:
        """Whether `ExcludedPlans` names the plan, by name or id; `*` and `?` stand for any characters and any one."""
        return _named_by(self.excluded_plans, plan_name, plan_id)


@dataclass(frozen=True)
class ResourceParameters(RuleParameters):
    """And of rules whose verdicts are about resources: the resources that are not reported."""

    excluded_resources: tuple[str, ...] = parameter(WORDS, default=())

    def excludes_resource(self, resource: Resource) -> bool:
        """Whether `ExcludedResources` names the resource: by ARN, by its id in AWS Config, or as people call it."""
        return _named_by(self.excluded_resources, resource.arn, resource.config_id or "", resource.short_name)


def _named_by(patterns: Iterable[str], *names: str) -> bool:
    """Whether one of the patterns is one of the names, letter case included; `[` stands for itself."""
    literal = [pattern.replace("[", "[[]") for pattern in patterns]
    return any(fnmatchcase(each, pattern) for each in names for pattern in literal)


def _parameter_name(field_name: str) -> str:
    return "".join(word.capitalize() for word in field_name.split("_"))


def _text(key: str, given: object, allowed: str) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, bool | int):
        return str(given)
    raise InvalidRuleParametersError(_refusal(key, given, allowed))


def _refusal(key: str, given: object, allowed: str) -> str:
    return f"Parameter {key} is {shown(given)}; allowed is {allowed}."


def _unknown(key: str, known: tuple[str, ...]) -> str:
    import difflib  # noqa: PLC0415 - what only a mistake needs, no cold start pays for

    close = difflib.get_close_matches(key[:100].lower(), [name.lower() for name in known], n=1)
    hint = next((f" Did you mean {name}?" for name in known if close and name.lower() == close[0]), "")
    return f"Unknown parameter {shown(key)}.{hint} Allowed are {', '.join(known)}."

"""The JSON document of a backup policy, read element by element, with the path that leads to each.

Nothing here raises over what a policy holds: what cannot be read is noted as a defect and reads as nothing at all.
Inheritance operators that AWS left in place are merged: `{"@@assign": x}` is x.

Source: https://docs.aws.amazon.com/organizations/latest/userguide/policy-operators.html
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import field
from enum import StrEnum
from typing import Any, Self

from backup_rules.arns import Arn, Place
from backup_rules.values import dataclass
from backup_rules.wording.annotations import name as shortened
from backup_rules.wording.quoting import quote

# Ten levels are what the documented syntax needs; far more is no policy, and would exhaust the interpreter's stack.
MAX_DEPTH = 40

_OPERATOR_PREFIX = "@@"
_VALUE_OPERATORS = ("@@assign", "@@append")
_PLAIN_SEGMENT = re.compile(r"[\w$-]+")
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,9}")


class DefectKind(StrEnum):
    """What is the matter with an element.

    AWS cannot read it; it is required and not there; it breaks a limit that AWS documents; or one on which AWS's own
    texts disagree.
    """

    MALFORMED = "malformed"
    MISSING = "missing"
    BEYOND_LIMIT = "beyond a limit"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class PolicyDefect:
    """Something that makes the policy invalid, so that the account stays on the last valid one.

    `path` leads to it (`plans.nightly.rules.daily.target_backup_vault_name`; `$` is the document itself), `message`
    follows the path in a sentence. `plan` is the plan concerned, None where it is the policy as a whole. `segments` are
    the path in parts, with each place in a list as a number.
    """

    path: str
    message: str
    kind: DefectKind
    plan: str | None = None
    segments: tuple[str | int, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.path} {self.message}"


def read_document(text: str, place: Place) -> Element:
    """The root of the policy that `text` writes as JSON, its operators merged; empty where it cannot be read."""
    root = Element(None, (), place, [])
    try:
        tree = json.loads(text, object_pairs_hook=_JsonObject.of, parse_constant=_refuse_constant)
    except RecursionError:
        root.malformed("is nested too deeply to be read")
        return root
    except ValueError as error:
        root.malformed(f"is not JSON: {error}")
        return root
    if not isinstance(tree, dict):
        root.malformed(f"is {_kind_of(tree)}; an object with plans is expected")
        return root
    return root.containing(_merged(tree, root))


class _JsonObject(dict[str, Any]):
    """A JSON object that remembers which of its keys were written more than once."""

    duplicates: tuple[str, ...] = ()

    @classmethod
    def of(cls, pairs: list[tuple[str, Any]]) -> Self:
        result = cls(pairs)
        if len(result) < len(pairs):
            times = Counter(name for name, _ in pairs)
            result.duplicates = tuple(name for name in result if times[name] > 1)
        return result


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def _merged(value: Any, element: Element) -> Any:
    """`value` without inheritance operators: `{"@@assign": x}` is x, and what child policies may do is left out."""
    if len(element.segments) > MAX_DEPTH:
        element.malformed("is nested too deeply to be read")
        return None
    if isinstance(value, list):
        return [_merged(item, element.at(index)) for index, item in enumerate(value)]
    if not isinstance(value, _JsonObject):
        return value
    for name in value.duplicates:
        element.at(name).malformed("is written more than once")
    names = [name for name in value if not name.startswith(_OPERATOR_PREFIX)]
    operator = next((name for name in _VALUE_OPERATORS if name in value), None)
    if operator is None:
        return {name: _merged(value[name], element.at(name)) for name in names}
    if names:
        element.malformed(f"has {operator} beside {', '.join(map(repr, names))}")
        return None
    return _merged(value[operator], element.at(operator))


@dataclass(frozen=True, slots=True)
class Element:
    """An element of the policy, and the way that led to it. What cannot be read in it is noted in `defects`.

    An element that is not there has the value None, like a JSON null, and reads as nothing at all.
    """

    value: Any
    segments: tuple[str | int, ...]
    place: Place
    defects: list[PolicyDefect]

    @property
    def path(self) -> str:
        return _path(self.segments)

    @property
    def present(self) -> bool:
        return self.value is not None

    @property
    def is_object(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def size(self) -> int:
        """How many named things are in it, none where it is no object."""
        return len(self.value) if self.is_object else 0

    def containing(self, value: Any) -> Element:
        """The same place in the policy with another value in it."""
        return Element(value, self.segments, self.place, self.defects)

    def at(self, name: str | int) -> Element:
        """The place below this one, empty."""
        return Element(None, (*self.segments, name), self.place, self.defects)

    def child(self, name: str) -> Element:
        value = self.value.get(name) if self.is_object else None
        return self.at(name).containing(value)

    def members(self) -> Iterator[tuple[str, Element]]:
        """The named things in this element, none where it is not there."""
        if self.present and self.expect_object():
            for name in self.value:
                yield name, self.child(name)

    def required_members(self, name: str, what: str) -> Iterator[tuple[str, Element]]:
        child = self.child(name)
        if not child.present:
            child.missing(f"is missing: the plan has no {what}")
        elif child.value == {}:
            child.missing(f"is empty: the plan has no {what}")
        yield from child.members()

    def text(self) -> str | None:
        """A string; a number or a boolean is taken as JSON writes it."""
        if self.value is None or isinstance(self.value, str):
            return self.value
        if isinstance(self.value, (bool, int)):
            return json.dumps(self.value)
        self.malformed(f"is {_kind_of(self.value)}; a string is expected")
        return None

    def required_text(self, name: str, what: str, *, is_arn: bool = False) -> str | None:
        """The string in the child `name`; None, and a defect, where there is none."""
        child = self.child(name)
        text = child.text()
        if not child.present or (text is not None and not text.strip()):
            child.missing(f"is {'empty' if child.present else 'missing'}; {what} is required")
            return None
        return child.resolved(text) if text is not None and is_arn else text

    def texts(self) -> tuple[str, ...]:
        """A list of strings, or a string in the place of a list of one."""
        if not self.present:
            return ()
        elements = [self]
        if isinstance(self.value, list):
            elements = [self.at(index).containing(item) for index, item in enumerate(self.value)]
        for element in elements:
            if not element.present:
                element.malformed("is null; a string is expected")
        return tuple(text for text in (element.text() for element in elements) if text is not None)

    def required_texts(self, name: str, what: str, *, may_be_blank: bool = False) -> tuple[str, ...]:
        """The strings in the child `name`; none, and a defect, where there are none."""
        child = self.child(name)
        texts = child.texts()
        if not child.present or child.value == []:
            child.missing(f"is {'empty' if child.present else 'missing'}; {what} required")
        elif not may_be_blank and any(not text.strip() for text in texts):
            child.missing(f"has an empty entry; {what} required")
        return texts

    def whole_number(self) -> int | None:
        """A whole number, which AWS writes as a string mostly."""
        value = self.value
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value.strip()):
            return int(value)
        self.malformed(f"is {_shown(value)}; a whole number is expected")
        return None

    def truth(self) -> bool:
        """A boolean or its name in any letter case; False where there is none."""
        value = self.value
        if value is None or isinstance(value, bool):
            return bool(value)
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        self.malformed(f"is {_shown(value)}; true or false is expected")
        return False

    def vault_arn(self) -> str | None:
        """The ARN of a backup vault with `$account` and `$region` replaced; None where there is none."""
        text = self.text()
        if text is None:
            return None
        arn = Arn.parse(self.resolved(text))
        if arn is None or arn.service != "backup" or not arn.resource.startswith("backup-vault:"):
            self.malformed(f"is {_shown(text)}; the ARN of a backup vault is expected")
            return None
        return str(arn)

    def resolved(self, text: str) -> str:
        return text.replace("$account", self.place.account).replace("$region", self.place.region)

    def expect_object(self) -> bool:
        """Whether this is an object; noted as a defect where it is not."""
        if not self.is_object:
            self.malformed(f"is {_kind_of(self.value)}; an object is expected")
        return self.is_object

    def malformed(self, message: str) -> None:
        self._note(message, DefectKind.MALFORMED)

    def missing(self, message: str) -> None:
        self._note(message, DefectKind.MISSING)

    def beyond_limit(self, message: str) -> None:
        self._note(message, DefectKind.BEYOND_LIMIT)

    def disputed(self, message: str) -> None:
        self._note(message, DefectKind.DISPUTED)

    def _note(self, message: str, kind: DefectKind) -> None:
        plan = str(self.segments[1]) if len(self.segments) > 1 and self.segments[0] == "plans" else None
        self.defects.append(PolicyDefect(self.path, message, kind, plan, self.segments))


def _path(segments: tuple[str | int, ...]) -> str:
    """Segments joined by dots; a place in a list, or a name with a dot or colon in it (an ARN), stands in brackets."""
    path = ""
    for segment in segments:
        if isinstance(segment, str) and _PLAIN_SEGMENT.fullmatch(segment):
            path += f".{segment}" if path else segment
        else:
            path += f"[{json.dumps(segment)}]"
    return path or "$"


def _kind_of(value: Any) -> str:
    names = {type(None): "null", bool: "a boolean", str: "a string", list: "a list", int: "a number", float: "a number"}
    return names.get(type(value), "an object")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return quote(shortened(value))
    return _kind_of(value) if isinstance(value, (dict, list)) else json.dumps(value)

"""CloudFormation templates as YAML that people read: short intrinsic tags, comments, a stable order, folded prose.

A template is plain data with intrinsic functions in their long form, `{"Ref": "Name"}`; it is written as `!Ref Name`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from functools import cache
from typing import Any, Self

import yaml

WIDTH = 110

_TAGS = {
    "Ref": "!Ref",
    "Fn::And": "!And",
    "Fn::Equals": "!Equals",
    "Fn::GetAtt": "!GetAtt",
    "Fn::If": "!If",
    "Fn::Join": "!Join",
    "Fn::Not": "!Not",
    "Fn::Select": "!Select",
    "Fn::Sub": "!Sub",
}


class Noted(str):
    """A key with a comment, which is written above it."""

    __slots__ = ("comment",)
    comment: str

    def __new__(cls, key: str, comment: str) -> Self:
        noted = super().__new__(cls, key)
        noted.comment = comment
        return noted


def yaml_text(template: Mapping[str, Any], header: str) -> str:
    """The template as a YAML document that begins with `header` as a comment."""
    return "\n".join([*_comment(header), *_block(template)]) + "\n"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH, break_on_hyphens=False, break_long_words=False)]


def _block(value: Any) -> list[str]:
    """A map or list, a line each, beginning at the left margin."""
    found: list[str] = []
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, Noted):
                found += _comment(key.comment)
            found += _entry(f"{_scalar(str(key))}:", item)
        return found
    for item in value:
        compact = _inline(item) is None and _intrinsic(item) is None and isinstance(item, list | Mapping)
        found += _indented(_block(item), "- ") if compact else _entry("-", item)
    return found


def _entry(lead: str, value: Any) -> list[str]:
    """`lead` (a key or a dash) with its value, on one line where it fits."""
    inline = _inline(value)
    if inline is not None and (len(lead) + len(inline) < WIDTH or not isinstance(value, str)):
        return [f"{lead} {inline}"]
    if isinstance(value, str):
        if "\n" in value:
            return [f"{lead} |", *_indented(value.splitlines())]
        if " ".join(value.split()) == value:
            folded = textwrap.wrap(value, WIDTH - 4, break_on_hyphens=False, break_long_words=False)
            return [f"{lead} >-", *_indented(folded)]
        return [f"{lead} {inline}"]
    call = _intrinsic(value)
    if call is not None:
        return [f"{lead} {call[0]}", *_indented(_block(call[1]))]
    return [lead, *_indented(_block(value))]


def _indented(lines: list[str], first: str = "  ") -> list[str]:
    found = [f"  {line}" if line else "" for line in lines]
    if found and first != "  ":
        found[0] = first + lines[0]
    return found


def _intrinsic(value: Any) -> tuple[str, Any] | None:
    """The short tag and the argument of an intrinsic function."""
    if isinstance(value, Mapping) and len(value) == 1:
        ((key, argument),) = value.items()
        if key in _TAGS:
            return _TAGS[key], argument
    return None


def _inline(value: Any) -> str | None:
    """The value on one line, or None where it has none, or a long one."""
    if not isinstance(value, list | Mapping):
        return None if isinstance(value, str) and "\n" in value else _scalar(value)
    if not value:
        return "[]" if isinstance(value, list) else "{}"
    call = _intrinsic(value)
    if call is not None:
        argument = _flow(call[1]) if isinstance(call[1], list) else _inline(call[1])
        return None if argument is None else f"{call[0]} {argument}"
    if isinstance(value, list) and not any(isinstance(item, list | Mapping) for item in value):
        return _flow(value)
    return None


def _flow(items: list[Any]) -> str | None:
    found = []
    for item in items:
        text = _flow(item) if isinstance(item, list) else _inline(item)
        if text is None:
            return None
        found.append(_scalar(item, flow=True) if isinstance(item, str) else text)
    line = f"[{', '.join(found)}]"
    return line if len(line) < WIDTH - 10 else None


@cache
def _scalar(value: Any, *, flow: bool = False) -> str:
    if not isinstance(value, str):
        return str(yaml.safe_dump(value)).splitlines()[0]
    context = (f"[{value}]", [value]) if flow else (f"a: {value}", {"a": value})
    try:
        plain = yaml.safe_load(context[0]) == context[1]
    except yaml.YAMLError:
        plain = False
    return value if plain and value else "'" + value.replace("'", "''") + "'"

"""A file's text as a tree that knows where everything stands.

YAML and JSON are read by cfn-lint's decoder, which keeps positions and knows CloudFormation's short forms.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from cfnlint.decode import cfn_json, cfn_yaml
from yaml.error import MarkedYAMLError

from backup_rules_cli.check.things import Array, Object, Position

LARGEST = 64 * 1024 * 1024
"""Bytes of a file."""


class Several(Array):
    """The documents of a file that has more than one."""


class BrokenFileError(Exception):
    """A file that cannot be read: where, and why."""

    def __init__(self, at: Position, why: str) -> None:
        self.at = at
        self.why = " ".join(why.split())
        super().__init__(f"{at}: {self.why}")


def decoded(path: Path) -> Any:
    """What the file holds.

    Raises:
        BrokenFileError: it is no YAML or JSON, or cannot be read at all.
    """
    here = Position(str(path))
    try:
        if path.stat().st_size > LARGEST:
            raise BrokenFileError(here, f"has more than {LARGEST // 1024 // 1024} MB")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BrokenFileError(here, error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise BrokenFileError(here, f"is not UTF-8: {error.reason} at byte {error.start}") from None
    if not text.strip():
        raise BrokenFileError(here, "is empty")
    return placed(parsed(text, here), here)


def may_be_judged(path: Path) -> bool:
    """Whether a file that cannot be read may be of a kind that is judged: it names something of the kind."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST).replace(b"\0", b"")  # UTF-16 too
    except OSError:
        return True
    return any(each in text for each in _WORDS)


_WORDS = (b"AWS::", b"Resources", b"format_version", b"plans", b"Backup", b"DBInstances", b"FileSystems")


def parsed(text: str, here: Position) -> Any:
    """The decoder's nodes.

    Raises:
        BrokenFileError: it is no YAML or JSON.
    """
    try:
        if text.lstrip()[:1] in {"{", "["}:
            return _json(text, here)
        return _yaml(text, here)
    except cfn_yaml.CfnParseError as error:
        raise BrokenFileError(_first_match(error.matches, here), f"is no YAML: {_said(error.matches)}") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = here if mark is None else Position(here.file, mark.line + 1, mark.column + 1)
        raise BrokenFileError(at, f"is no YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
        raise BrokenFileError(here, f"is no YAML: {' '.join(str(error).split())[:200]}") from None
    except RecursionError:
        raise BrokenFileError(here, "is nested too deeply") from None


def _yaml(text: str, here: Position) -> Any:
    """The decoder's nodes; a list of them, of a file with several documents."""
    try:
        return cfn_yaml.loads(text, here.file)
    except cfn_yaml.CfnParseError as error:
        if "expected a single document" not in str(error.matches[0].message if error.matches else ""):
            raise
    loader = cfn_yaml.CfnFullLoader(text, here.file)
    loader.add_multi_constructor("!", cfn_yaml.multi_constructor)
    found = []
    while loader.check_data():
        found.append(loader.get_data())
    return Several(here, found)


def _json(text: str, here: Position) -> Any:
    try:
        return cfn_json.loads(text)
    except cfn_json.JSONDecodeError as error:
        raise BrokenFileError(_first_match(error.matches, here), f"is no JSON: {_said(error.matches)}") from None
    except (json.JSONDecodeError, TypeError):
        pass
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        at = Position(here.file, error.lineno, error.colno)
        why = "holds more than one JSON document" if error.msg == "Extra data" else f"is no JSON: {error.msg}"
        raise BrokenFileError(at, why) from None
    raise BrokenFileError(here, "is JSON that cannot be read")


def _first_match(matches: Any, here: Position) -> Position:
    first = matches[0] if matches else None
    return here if first is None else Position(here.file, max(1, first.linenumber), max(1, first.columnnumber))


def _said(matches: Any) -> str:
    return " ".join(str(matches[0].message).split())[:200] if matches else "it cannot be read"


def placed(value: Any, here: Position) -> Any:
    """The decoder's nodes as plain values, objects and lists with positions."""
    if isinstance(value, dict):
        at = _mark(value, here)
        keys = {str(key): _mark(key, at) for key in value}
        return Object(at, {str(key): placed(each, keys[str(key)]) for key, each in value.items()}, keys)
    if isinstance(value, Several):
        return Several(here, [placed(each, here) for each in value])
    if isinstance(value, list):
        at = _mark(value, here)
        return Array(at, [placed(each, at) for each in value])
    return str(value) if isinstance(value, str) else value


def _mark(node: Any, otherwise: Position) -> Position:
    mark = getattr(node, "start_mark", None)
    return otherwise if mark is None else Position(otherwise.file, mark.line + 1, mark.column + 1)

"""What a document declares: resources in CloudFormation's words, where each stands, and what is not known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Position:
    """Where something stands; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Unknown:
    """A value that a document leaves open: why, and what would settle it (to go after "to settle it, ")."""

    why: str
    settle: str


class Object(dict[str, Any]):
    """A mapping of a document, which knows where it and its keys stand."""

    def __init__(self, at: Position, entries: Mapping[str, Any] = {}, keys: Mapping[str, Position] = {}) -> None:
        super().__init__(entries)
        self.at = at
        self.keys_at = dict(keys)


class Array(list[Any]):
    """A list of a document, which knows where it stands."""

    def __init__(self, at: Position, items: Sequence[Any] = ()) -> None:
        super().__init__(items)
        self.at = at


@dataclass
class Thing:
    """One declared resource.

    `type` and `properties` are CloudFormation's, whatever the document's language. `name` is what the document calls
    it, `path` where in the document's structure it is.
    """

    type: str
    name: str
    properties: Mapping[str, Any]
    at: Position
    path: str


@dataclass
class Documented:
    """All that is judged together: the things of a document, or of several that belong together.

    `ignored` are rules by line, with the reason of an ignore comment. `open` says of kinds of things (CloudFormation
    types) that all there are, are here: what an AWS command has listed, is listed whole.
    """

    called: str
    things: list[Thing] = field(default_factory=list)
    policies: list[Any] = field(default_factory=list)
    whole: set[str] = field(default_factory=set)
    account: str = ""
    region: str = ""


def unknowns(value: Any) -> Iterator[Unknown]:
    """All that is not known in a value, in its order."""
    if isinstance(value, Unknown):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from unknowns(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from unknowns(each)


def at_of(value: Any, otherwise: Position) -> Position:
    """Where a value stands, as far as it knows."""
    found = getattr(value, "at", otherwise)
    return found if isinstance(found, Position) else otherwise

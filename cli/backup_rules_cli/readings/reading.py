"""What a reading holds: for each account and Region the questions that were put to AWS, and how each was answered.

A question is an operation of a service with its parameters. What asks for the next page is no part of it, nor how long
a page is; page tokens are replaced by numbers. What AWS answers is kept as botocore gives it, without what nobody who
looks at backups needs to see: passwords and where they lie, names of those who log in, mail addresses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from backup_rules.arns import Place

Question = tuple[str, str, str]
"""Service, operation in AWS's letter case, and the parameters as text."""

# Members of the answers of RDS, FSx and Organizations. Those of IAM and Backup are left whole: a condition of a trust
# policy that is missing would let in whom it keeps out, and neither tells secrets.
_LEFT_OUT = re.compile(r"password|secret|credential|user_?name|e-?mail", re.IGNORECASE)
_TELLING = frozenset({"rds", "fsx", "organizations"})
_PAGE_TOKENS = ("NextToken", "nextToken", "Marker", "PaginationToken")

# How what JSON has no word for is written. An object of AWS's that has such a key itself is written as a list of pairs.
_MOMENT, _OBJECT = "$moment", "$object"


@dataclass(frozen=True)
class Refusal:
    """That a question was not answered. `kind` is that of the SDK's exception, `ClientError` where AWS refused."""

    kind: str
    code: str
    message: str


@dataclass
class Answered:
    """The answer to a question: one, or the pages of a listing; and what ended it, if it ended badly.

    `whole`: nothing more would have come. Of what was not heard to its end, the rest is not known.
    """

    pages: list[Any] = field(default_factory=list)
    refusal: Refusal | None = None
    whole: bool = False


@dataclass
class PlaceRead:
    """What was asked of one account in one Region."""

    place: Place
    answers: dict[Question, Answered] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock, repr=False)


@dataclass
class Reading:
    """What was read at a time; names of accounts by id; and which accounts and Regions could not be entered, and why.

    `failures` are account, Region, and why.
    """

    read_at: datetime
    source: str
    names: dict[str, str] = field(default_factory=dict)
    places: list[PlaceRead] = field(default_factory=list)
    failures: list[tuple[str, str, str]] = field(default_factory=list)

    def of(self, place: Place) -> PlaceRead:
        """What was asked of the place; from now on there is such a thing."""
        found = next((each for each in self.places if each.place == place), None)
        if found is None:
            found = PlaceRead(place)
            self.places.append(found)
        return found


def question(service: str, operation: str, parameters: Mapping[str, Any]) -> Question:
    """The question that a call puts."""
    asked = {key: value for key, value in parameters.items() if key != "PaginationConfig"}
    return service, operation, json.dumps(in_json(asked), sort_keys=True, ensure_ascii=False)


def answer_of(service: str, answer: Mapping[str, Any], number: int) -> Any:
    """What is kept of an answer, the page with that number, counted from one."""
    kept = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    for token in _PAGE_TOKENS:
        if kept.get(token):
            kept[token] = f"page {number + 1}"
    return in_json(_without_secrets(kept) if service in _TELLING else kept)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_secrets(each) for key, each in value.items() if not _LEFT_OUT.search(key)}
    if isinstance(value, list):
        return [_without_secrets(each) for each in value]
    return value


def in_json(value: Any) -> Any:
    """What AWS answers, or is asked, in what JSON has words for.

    Raises:
        TypeError: there is something else in it.
    """
    if isinstance(value, Mapping):
        pairs = {str(key): in_json(each) for key, each in value.items()}
        return {_OBJECT: list(map(list, pairs.items()))} if any(key.startswith("$") for key in pairs) else pairs
    if isinstance(value, list | tuple):
        return [in_json(each) for each in value]
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        return {_MOMENT: moment.astimezone(UTC).isoformat()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} cannot be kept in a reading")


def from_json(value: Any) -> Any:
    """What `in_json` was made from. A time stamp is aware, in UTC.

    Raises:
        TypeError, ValueError: it was made by something else.
    """
    if isinstance(value, list):
        return [from_json(each) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {_MOMENT}:
        return datetime.fromisoformat(_text(value[_MOMENT]))
    if set(value) == {_OBJECT}:
        return {_text(key): from_json(each) for key, each in value[_OBJECT]}
    return {key: from_json(each) for key, each in value.items()}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value

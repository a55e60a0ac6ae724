"""Tags that are open: what a resource may bear, and what a selection may ask for, each tried against the other.

The values to try are those that decide: the one that the other side has, one that misses it by letter case, another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from backup_rules_cli.check.things import Thing, Unknown

PREFIX = "aws:ResourceTag/"
_KEYS = {"AWS::EFS::FileSystem": "FileSystemTags"}
_ANOTHER = "a value that is not known here"


def tags_key(thing: Thing) -> str:
    """The property that has the tags of a resource."""
    return _KEYS.get(thing.type, "Tags")


def with_replica_tags(thing: Thing, region: str) -> Thing:
    """The resource; a global table with the tags of its replica in the Region, which is where it has them."""
    replicas = thing.properties.get("Replicas")
    if thing.type != "AWS::DynamoDB::GlobalTable" or "Tags" in thing.properties or replicas is None:
        return thing
    here = next((each for each in _listed(replicas) if _plain(each).get("Region") == region), None)
    missing = next((each for each in (replicas, *_listed(replicas)) if isinstance(each, Unknown)), None)
    tags = missing if here is None else _plain(here).get("Tags")
    return replace(thing, properties={**thing.properties, "Tags": tags})


def open_in_tags(thing: Thing) -> bool:
    """Whether something in the tags of a resource is not known."""
    given = thing.properties.get(tags_key(thing))
    return isinstance(given, Unknown) or any(isinstance(part, Unknown) for pair in _pairs(given) for part in pair)


def with_tried_tags(thing: Thing, asked: Mapping[str, list[str]], number: int) -> Thing:
    """The resource with values in the place of what is open in its tags."""
    if not open_in_tags(thing):
        return thing
    given = thing.properties.get(tags_key(thing))
    found: dict[str, Any] = {}
    whole = isinstance(given, Unknown)
    for key, value in _pairs(given):
        if isinstance(key, Unknown):
            whole = True
        else:
            found[key] = _tried(asked.get(key, []), number) if isinstance(value, Unknown) else value
    if whole and number:
        found = {key: _tried(values, number) for key, values in asked.items()} | found
    listed = [{"Key": key, "Value": value} for key, value in found.items()]
    return replace(thing, properties={**thing.properties, tags_key(thing): listed})


def _tried(asked: list[str], number: int) -> str:
    if not asked or number == 0:
        return _ANOTHER
    return asked[0] if number == 1 else asked[-1] if asked[-1] != asked[0] else asked[0].swapcase()


def asked_by(bodies: Iterable[Any]) -> dict[str, list[str]]:
    """The values that selections ask for, by tag key."""
    found: dict[str, list[str]] = {}
    for entry in _conditions(bodies):
        key, value = entry.get("ConditionKey"), entry.get("ConditionValue")
        if isinstance(key, str) and isinstance(value, (str, int, float)):
            found.setdefault(key.removeprefix(PREFIX), []).append(str(value))
    return found


def with_tried_values(body: Any, borne: Mapping[str, list[str]], number: int) -> Any:
    """A selection with values in the place of those that it asks for and that are not known."""
    if isinstance(body, Mapping):
        body = {key: with_tried_values(each, borne, number) for key, each in body.items()}
        if isinstance(body.get("ConditionValue"), Unknown) and number:
            values = borne.get(str(body.get("ConditionKey", "")).removeprefix(PREFIX), [])
            return {**body, "ConditionValue": values[0 if number == 1 else -1]} if values else body
        return body
    return [with_tried_values(each, borne, number) for each in body] if isinstance(body, list) else body


def borne_by(things: Iterable[Thing]) -> dict[str, list[str]]:
    """The values that resources bear, by tag key."""
    found: dict[str, list[str]] = {}
    for thing in things:
        for key, value in _pairs(thing.properties.get(tags_key(thing))):
            if isinstance(key, str) and isinstance(value, str):
                found.setdefault(key, []).append(value)
    return found


def _conditions(bodies: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for body in bodies:
        conditions = _plain(_plain(body).get("Conditions"))
        for listed in (_plain(body).get("ListOfTags"), *conditions.values()):
            yield from (each for each in _listed(listed) if isinstance(each, Mapping))


def _pairs(given: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(given, Mapping):
        yield from given.items()
    for each in _listed(given):
        if isinstance(each, Unknown):
            yield each, each
        elif isinstance(each, Mapping):
            yield each.get("Key", ""), each.get("Value", "")


def _plain(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []

"""Service opt-in: which types a selection reaches only because they are turned on, and what happens when they are not.

Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/getting-started.html#service-opt-in and
https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from backup_rules.findings import Problem
from backup_rules.resource_types import Resource, ResourceType
from backup_rules.selections import (
    Element,
    ElementKind,
    Pick,
    Selection,
    SelectionIndex,
    SelectionSummary,
    conditions,
    elements,
    opt_in_applies,
    types_named,
)

TURN_ON = "Turn it on under AWS Backup > Settings > Service opt-in."

_EXPLICIT = {ElementKind.ARN, ElementKind.TYPE_WILDCARD}


@dataclass(slots=True)
class Reached:
    """How many resources of a type a selection picks, by which element the first of them, and how."""

    by: Element
    number: int = 0
    gated: int = 0


Reach = dict[ResourceType, Reached]


def reach(selections: Iterable[Selection], resources: Iterable[Resource]) -> dict[SelectionSummary, Reach]:
    """What each selection picks of the resources, by type. Selections that pick nothing are left out."""
    index = SelectionIndex(selections)
    found: dict[SelectionSummary, Reach] = {}
    for resource in resources:
        for pick in index.selections_picking(resource):
            _add(found.setdefault(pick.selection.summary, {}), resource, pick)
    return found


def _add(reached: Reach, resource: Resource, pick: Pick) -> None:
    gated = opt_in_applies(resource.type, pick.elements)
    entry = reached.setdefault(resource.type, Reached(pick.elements[0]))
    if gated and not entry.gated:
        entry.by = pick.elements[0]
    entry.number += 1
    entry.gated += gated


def opt_in_problems(
    selection: Selection, reached: Reach, opt_in: Mapping[str, bool], region: str, *, strict: bool
) -> Iterator[Problem]:
    """What the selection misses, by opt-in key.

    Args:
        selection: judged by its elements, for the types that they name without regard to what exists.
        reached: what it picks of the resources that could be listed.
        opt_in: the Region's settings; a key that is missing is a type that AWS Backup does not support there.
        region: the Region, for the annotation.
        strict: whether types that are assigned by ARN or by type are reported as well.
    """
    for kind, entry in reached.items():
        if kind.opt_in_key not in opt_in:
            yield _unsupported(kind, region, entry.by)
        elif not opt_in[kind.opt_in_key] and (entry.gated or strict):
            number = entry.gated or entry.number
            yield Problem(
                f"Resource type {kind.opt_in_key} is turned off in {region}, so this selection's"
                f" {entry.by.describe()} skips {kind.count(number)}."
                if entry.gated
                else f"Resource type {kind.opt_in_key} is turned off in {region}; this selection names"
                f" {kind.count(number)} by {entry.by.describe()}.",
                TURN_ON,
            )
    for element in elements(selection):
        for kind in _named_unseen(element, selection, reached, strict=strict):
            if kind.opt_in_key not in opt_in:
                yield _unsupported(kind, region, element)
            elif not opt_in[kind.opt_in_key]:
                yield Problem(
                    f"Resource type {kind.opt_in_key} is turned off in {region}, and this selection names it by"
                    f" {element.describe()}.",
                    TURN_ON,
                )


def _unsupported(kind: ResourceType, region: str, element: Element) -> Problem:
    return Problem(
        f"AWS Backup does not support resource type {kind.opt_in_key} in {region}, so this selection's"
        f" {element.describe()} backs up no {kind.plural} there.",
        "Take it out of the selection, or protect these resources by other means.",
    )


def _named_unseen(element: Element, selection: Selection, reached: Reach, *, strict: bool) -> tuple[ResourceType, ...]:
    """The types that an element names by itself, of which no resource was listed: resources without tags are not.

    RDS is left out: its databases are all listed, so a type that is not among them reaches nothing.
    """
    listed = {kind.service for kind in reached}
    named = tuple(kind for kind in types_named(element) if kind.service != "rds" and kind.service not in listed)
    if any(not condition.negative for condition in conditions(selection)):
        return ()  # nothing without tags passes
    counts = element.kind is ElementKind.SERVICE_WILDCARD or (strict and element.kind in _EXPLICIT)
    return _one_of_each_key(named) if counts else ()


def _one_of_each_key(kinds: Iterable[ResourceType]) -> tuple[ResourceType, ...]:
    return tuple({kind.opt_in_key: kind for kind in kinds}.values())


def required_problem(required: Iterable[str], opt_in: Mapping[str, bool], region: str) -> Problem | None:
    """That required opt-in keys are turned off, or not to be had, in the Region."""
    wanted = list(required)
    off = [key for key in wanted if opt_in.get(key) is False]
    missing = [key for key in wanted if key not in opt_in]
    if not off and not missing:
        return None
    parts = []
    if off:
        parts.append(f"turned off: {', '.join(off)}")
    if missing:
        parts.append(f"not supported by AWS Backup there: {', '.join(missing)}")
    return Problem(
        f"Required resource types in {region} are {'; '.join(parts)}.",
        "Turn them on under AWS Backup > Settings > Service opt-in." if off else "",
    )

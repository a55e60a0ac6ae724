"""Service opt-in: which types a selection reaches only because they are turned on, and what happens when they are not.

Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/getting-started.html#service-opt-in and
https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from backup_rules.arns import Place
from backup_rules.resources.resource_types import S3, Resource, ResourceType
from backup_rules.selections.picking import (
    Element,
    ElementKind,
    Pick,
    Selection,
    SelectionIndex,
    SelectionSummary,
    alike,
    conditions,
    elements,
    opt_in_applies,
    resource_pattern,
    types_named,
)
from backup_rules.selections.unmatchable import why_never
from backup_rules.selections.wildcards import covers
from backup_rules.wording.annotations import name
from backup_rules.wording.findings import Finding, Note, Problem

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
    groups = alike(selections)
    index = SelectionIndex(groups)
    found: dict[SelectionSummary, Reach] = {}
    for resource in resources:
        for pick in index.selections_picking(resource):
            _add(found.setdefault(pick.selection.summary, {}), resource, pick)
    return {
        each.summary: found[first.summary]
        for first, group in groups.items()
        if first.summary in found
        for each in group
    }


def _add(reached: Reach, resource: Resource, pick: Pick) -> None:
    gated = opt_in_applies(resource.type, pick.elements)
    entry = reached.setdefault(resource.type, Reached(pick.elements[0]))
    if gated and not entry.gated:
        entry.by = pick.elements[0]
    entry.number += 1
    entry.gated += gated


def opt_in_findings(
    selection: Selection, reached: Reach, opt_in: Mapping[str, bool], place: Place, *, strict: bool
) -> Iterator[Finding]:
    """What the selection misses, by opt-in key.

    Args:
        selection: judged by its elements too, for the types that they name without regard to what is listed.
        reached: what it picks of the resources that could be listed.
        opt_in: the Region's settings; a key that is missing is a type that AWS Backup does not support there.
        place: the account and Region of the selection.
        strict: whether types that are assigned by ARN or by type are reported as well.
    """
    reported: set[str] = set()
    for kind, entry in reached.items():
        finding = _about_reached(kind, entry, opt_in, place.region, strict=strict)
        if finding is not None:
            yield finding
        if isinstance(finding, Problem):
            reported.add(kind.opt_in_key)
    for element in elements(selection):
        for kind in _named_unseen(element, selection, place):
            problem = _about_named(kind, element, opt_in, place.region, strict=strict)
            if problem is not None and kind.opt_in_key not in reported:
                reported.add(kind.opt_in_key)
                yield problem


def _about_reached(
    kind: ResourceType, entry: Reached, opt_in: Mapping[str, bool], region: str, *, strict: bool
) -> Finding | None:
    """What becomes of the listed resources of a type that the selection picks."""
    if kind.opt_in_key not in opt_in:
        return _unsupported(kind, region, entry.by)
    if opt_in[kind.opt_in_key]:
        return None
    off = f"Resource type {kind.opt_in_key} is turned off in {region}"
    by = name(entry.by.describe(), 100)
    if entry.gated:
        return Problem(f"{off}, so this selection's {by} skips {kind.count(entry.gated)}.", TURN_ON)
    if strict:
        return Problem(f"{off}; this selection names {kind.count(entry.number)} by {by}.", TURN_ON)
    return Note(f"{off}, but AWS Backup backs up what is named by ARN or type all the same: {by}.")


def _about_named(
    kind: ResourceType, element: Element, opt_in: Mapping[str, bool], region: str, *, strict: bool
) -> Problem | None:
    """What becomes of a type that an element names, though no such resource is listed."""
    if kind.opt_in_key not in opt_in:
        return _unsupported(kind, region, element)
    if opt_in[kind.opt_in_key] or (element.kind in _EXPLICIT and not strict):
        return None
    return Problem(
        f"Resource type {kind.opt_in_key} is turned off in {region}, and this selection names it by"
        f" {name(element.describe(), 100)}.",
        TURN_ON,
    )


def _unsupported(kind: ResourceType, region: str, element: Element) -> Problem:
    return Problem(
        f"AWS Backup does not support resource type {kind.opt_in_key} in {region}, so this selection's"
        f" {name(element.describe(), 100)} backs up no {kind.plural} there.",
        "Take it out of the selection, or protect these resources by other means.",
    )


def _named_unseen(element: Element, selection: Selection, place: Place) -> tuple[ResourceType, ...]:
    """The types of which an element may pick resources that are not listed, as those without tags are not.

    RDS is left out: its databases are all listed, so a type that is not among them reaches nothing.
    """
    if any(not condition.negative for condition in conditions(selection)):
        return ()  # nothing without tags passes
    if why_never(element.text, place) is not None:
        return ()
    return tuple(
        kind for kind in types_named(element) if kind.service != "rds" and not _left_out(kind, selection, place)
    )


def _left_out(kind: ResourceType, selection: Selection, place: Place) -> bool:
    """Whether the selection's NotResources name all resources of the type."""
    where = ":" if kind is S3 else f"{place.region}:{place.account}"
    every = f"arn:{place.partition}:{kind.service}:{where}:{kind.resource_prefix}*"
    return any(covers(resource_pattern(entry).text, every) for entry in selection.not_resources)


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
        "Turn them on under AWS Backup > Settings > Service opt-in."
        if off
        else "Take them out of RequiredResourceTypes for this Region.",
    )

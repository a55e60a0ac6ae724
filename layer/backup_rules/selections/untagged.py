"""What a selection reaches beyond the tagged resources: `*`, wild cards and ARNs pick what bears no tag at all, too."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules.arns import Place
from backup_rules.resources.resource_types import RESOURCE_TYPES, S3, ResourceType
from backup_rules.selections.picking import (
    Element,
    ElementKind,
    Selection,
    conditions,
    elements,
    resource_pattern,
    types_named,
)
from backup_rules.selections.wildcards import covers, overlap


def reached_without_tags(selection: Selection, place: Place) -> Iterator[tuple[ResourceType, Element]]:
    """The types of which the selection may pick resources without tags, each with every element that reaches them.

    With a positive condition it picks none: nothing without tags passes. A type is left out where NotResources name all
    that the element reaches of it, or where the element is about another account, Region or partition.
    """
    if any(not condition.negative for condition in conditions(selection)):
        return
    excluded = [resource_pattern(entry).text for entry in selection.not_resources]
    for element in elements(selection):
        if element.kind is ElementKind.TAG:
            continue
        pattern = resource_pattern(element.text or "*").text
        for kind in RESOURCE_TYPES if element.kind is ElementKind.EVERYTHING else types_named(element):
            every = arns_of(kind, place)
            reach = element.text if element.kind is ElementKind.ARN else every
            if overlap(pattern, every) and not any(covers(entry, reach) for entry in excluded):
                yield kind, element


def types_without_tags(selection: Selection, place: Place) -> frozenset[ResourceType]:
    """The types of which the selection may pick resources without tags."""
    return frozenset(kind for kind, _ in reached_without_tags(selection, place))


def arns_of(kind: ResourceType, place: Place) -> str:
    """The pattern of all ARNs of the type in the place."""
    where = ":" if kind is S3 else f"{place.region}:{place.account}"
    return f"arn:{place.partition}:{kind.service}:{where}:{kind.resource_prefix}*"

"""What AWS Backup does under the roles of selections: the duties that `permissions` asks about, from what they pick.

A selection picks a type when it picks a resource of the type that could be listed, or when one of its elements names
the type: resources without tags are in no list. Where a positive condition stands, nothing without tags is picked, so
only listed resources count. The ARNs of Aurora, Multi-AZ, DocumentDB and Neptune clusters look alike, and so do the
permissions that they need: where a selection names clusters and picks none that exists, Aurora stands for all four.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backup_rules.arns import Place
from backup_rules.iam.permissions import Duties
from backup_rules.plans.plans import Plan
from backup_rules.resources.resource_types import AURORA, RDS_INSTANCE, S3, Resource, ResourceType
from backup_rules.selections.picking import (
    Element,
    ElementKind,
    Selection,
    SelectionIndex,
    SelectionSummary,
    conditions,
    elements,
    resource_pattern,
    types_named,
)
from backup_rules.selections.wildcards import covers, overlap

# Selections of one role may name different resources, and a role may be scoped to some of them. So many ARNs of a type
# are asked about for a role; further selections are judged by the first. It keeps the number of IAM calls bounded.
REPRESENTATIVES_OF_A_TYPE = 3


@dataclass(frozen=True, slots=True)
class Assignment:
    """A selection with the plan that it belongs to."""

    plan: Plan
    selection: Selection


@dataclass(slots=True)
class _Picked:
    """The types of what a selection picks, each with the ARN of the first such resource; and whether any bears tags."""

    first_by_type: dict[ResourceType, str]
    tagged: bool = False


def names_databases(selection: Selection) -> bool:
    """Whether an element of the selection names databases: what they are, and which exist, only RDS tells."""
    return any(kind.service == "rds" for element in elements(selection) for kind in types_named(element))


def duties(
    assignments: Iterable[Assignment], resources: Iterable[Resource], place: Place
) -> dict[SelectionSummary, Duties]:
    """What AWS Backup does for each selection.

    Args:
        assignments: the selections that are judged.
        resources: all that could be listed of what they might pick.
        place: the account and Region, out of which no selection reaches.
    """
    assigned, listed = tuple(assignments), tuple(resources)
    picked = _picked((each.selection for each in assigned), listed)
    members = frozenset(each.arn for each in listed if each.cluster_member)
    chosen: dict[tuple[str, ResourceType], list[str]] = defaultdict(list)
    found = {}
    for each in assigned:
        summary, rules = each.selection.summary, each.plan.rules
        named = [(kind, element) for kind, element in _named(each.selection, place) if element.text not in members]
        arns = {kind: element.text for kind, element in reversed(named) if element.kind is ElementKind.ARN}
        representatives = arns | picked[summary].first_by_type
        found[summary] = Duties(
            types=_with_named(frozenset(picked[summary].first_by_type), frozenset(kind for kind, _ in named)),
            by_tags=bool(each.selection.list_of_tags or conditions(each.selection)),
            tagged=picked[summary].tagged,
            continuous=any(rule.continuous for rule in rules),
            vault_names=frozenset(rule.vault_name for rule in rules),
            copy_vault_arns=frozenset(copy.destination_vault_arn for rule in rules for copy in rule.copy_actions),
            representatives={
                kind: _shared(arn, chosen[summary.role_arn, kind]) for kind, arn in representatives.items()
            },
        )
    return found


def _picked(selections: Iterable[Selection], resources: Iterable[Resource]) -> dict[SelectionSummary, _Picked]:
    judged = tuple(selections)
    found = {each.summary: _Picked({}) for each in judged}
    index = SelectionIndex(judged)
    for resource in resources:
        for pick in index.selections_picking(resource):
            picked = found[pick.selection.summary]
            picked.first_by_type.setdefault(resource.type, resource.arn)
            picked.tagged = picked.tagged or bool(resource.tags)
    return found


def _named(selection: Selection, place: Place) -> Iterator[tuple[ResourceType, Element]]:
    """The types that elements of the selection name, and may pick here without that any such resource was listed."""
    if any(not condition.negative for condition in conditions(selection)):
        return
    excluded = [resource_pattern(entry).text for entry in selection.not_resources]
    for element in elements(selection):
        for kind in types_named(element):
            reach = element.text if element.kind is ElementKind.ARN else _arns_of(kind, place)
            if overlap(resource_pattern(element.text).text, _arns_of(kind, place)) and not any(
                covers(entry, reach) for entry in excluded
            ):
                yield kind, element


def _arns_of(kind: ResourceType, place: Place) -> str:
    """The pattern of all ARNs of the type in the place."""
    where = ":" if kind is S3 else f"{place.region}:{place.account}"
    return f"arn:{place.partition}:{kind.service}:{where}:{kind.resource_prefix}*"


def _with_named(picked: frozenset[ResourceType], named: frozenset[ResourceType]) -> frozenset[ResourceType]:
    clusters = frozenset(kind for kind in named if kind.service == "rds" and kind is not RDS_INSTANCE)
    stand_in = frozenset({AURORA}) if clusters and not clusters & picked else frozenset()
    return picked | (named - clusters) | stand_in


def _shared(arn: str, chosen: list[str]) -> str:
    """`arn`, or the first of those that have been chosen for the role when there are enough of them."""
    if arn not in chosen:
        if len(chosen) >= REPRESENTATIVES_OF_A_TYPE:
            return chosen[0]
        chosen.append(arn)
    return arn

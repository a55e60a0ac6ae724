"""What AWS Backup does under the roles of selections: the needs that `permissions` asks about, from what they pick.

A selection picks a type when it picks a resource of the type that could be listed, or when one of its elements names
the type: not all resources without tags are in a list. `*` names no type: only what is listed counts. Where a positive
condition stands, nothing without tags is picked, so only listed resources count. The ARNs of Aurora, Multi-AZ,
DocumentDB and Neptune clusters look alike, and so do the permissions that they need: where a selection names clusters
and picks none that exists, Aurora stands for all four.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from backup_rules.arns import Place
from backup_rules.iam.permissions import Needs
from backup_rules.plans.plans import Plan
from backup_rules.resources.resource_types import AURORA, RDS_INSTANCE, Resource, ResourceType
from backup_rules.selections.joining import ResourceTable, first
from backup_rules.selections.picking import ElementKind, Selection, SelectionSummary, alike, conditions
from backup_rules.selections.untagged import reached_without_tags
from backup_rules.values import dataclass

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
    """The types of what a selection picks, each with the ARN of the first such resource; and those that bear tags."""

    first_by_type: dict[ResourceType, str]
    tagged_types: set[ResourceType]


def types_to_list(selection: Selection, place: Place) -> frozenset[ResourceType]:
    """The types whose resources without tags must be listed to tell what the selection needs of its role.

    `*` reaches all types of which there are any, and what databases are, and which exist, only RDS tells. Of all other
    elements it is enough that they name a type.
    """
    return frozenset(
        kind
        for kind, element in reached_without_tags(selection, place)
        if element.kind is ElementKind.EVERYTHING or kind.service == "rds"
    )


def needs_of(
    assignments: Iterable[Assignment],
    resources: Iterable[Resource],
    place: Place,
) -> Mapping[SelectionSummary, Needs]:
    """What AWS Backup needs of the role of each selection.

    Args:
        assignments: the selections that are judged.
        resources: all that could be listed of what they might pick.
        place: the account and Region, out of which no selection reaches.
    """
    assigned, listed = tuple(assignments), tuple(resources)
    picked = _picked((each.selection for each in assigned), listed)
    members = frozenset(each.arn for each in listed if each.cluster_member)
    chosen: dict[tuple[str | None, ResourceType], list[str]] = defaultdict(list)
    found = {}
    for each in assigned:
        summary, rules = each.selection.summary, each.plan.rules
        named = [
            (kind, element)
            for kind, element in reached_without_tags(each.selection, place)
            if element.kind is not ElementKind.EVERYTHING and element.text not in members
        ]
        arns = {kind: element.text for kind, element in reversed(named) if element.kind is ElementKind.ARN}
        representatives = arns | picked[summary].first_by_type
        copied_to = [copy.destination_vault_arn for rule in rules for copy in rule.copy_actions]
        found[summary] = Needs(
            types=_with_named(frozenset(picked[summary].first_by_type), frozenset(kind for kind, _ in named)),
            by_tags=bool(each.selection.list_of_tags or conditions(each.selection)),
            tagged_types=frozenset(picked[summary].tagged_types),
            recovery_point_tags=any(rule.recovery_point_tags for rule in rules),
            continuous=any(rule.continuous for rule in rules),
            vault_arns_copied_to=frozenset(
                copied_to + [rule.air_gapped_vault_arn for rule in rules if rule.air_gapped_vault_arn]
            ),
            representatives={
                kind: _shared(arn, chosen[summary.role_arn, kind]) for kind, arn in representatives.items()
            },
        )
    return found


def _picked(selections: Iterable[Selection], resources: Iterable[Resource]) -> dict[SelectionSummary, _Picked]:
    table = ResourceTable(resources)
    # AWS's own tags (`aws:cloudformation:stack-name`) are put on no recovery point: nobody but AWS can set them.
    tagged = table.where(lambda each: not all(key.startswith("aws:") for key in each.tags))
    found: dict[SelectionSummary, _Picked] = {}
    for one, group in alike(selections).items():
        by_type = table.by_type(table.picked(one))
        picked = _Picked(
            {kind: table.resources[first(here)].arn for kind, here in by_type.items()},
            {kind for kind, here in by_type.items() if here & tagged},
        )
        found |= {each.summary: picked for each in group}
    return found


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

"""The resources that selections narrowly miss by a tag, and that none picks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from backup_rules.resources.resource_types import Resource
from backup_rules.selections.joining import ResourceTable
from backup_rules.selections.near_misses import Difference, NearMiss, WantedTag, WantedTags, wanted_tags
from backup_rules.selections.picking import Selection
from backup_rules.values import dataclass


@dataclass(frozen=True, slots=True)
class Missed:
    """A resource that no selection picks, with the near misses of its tags, and its tags if they were as wanted."""

    resource: Resource
    misses: tuple[NearMiss, ...]
    corrected: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NearMisses:
    """What the judged selections narrowly miss.

    `asking` holds the judged selections by what they ask for; `by_wanted` the missed resources, in the same way.
    """

    asking: Mapping[WantedTag, tuple[Selection, ...]]
    missed: Mapping[str, Missed]
    by_wanted: Mapping[WantedTag, tuple[tuple[Resource, NearMiss], ...]]


def near_misses_of(
    difference: Difference, judged: Iterable[Selection], picking: Iterable[Selection], carriers: Iterable[Resource]
) -> NearMisses:
    """What the judged selections miss of the carriers by such a difference.

    Args:
        difference: letter case or white space. A tag that differs in both counts for each.
        judged: the selections that are reported.
        picking: all selections: a resource that any of them picks is not missed.
        carriers: the resources that carry a tag near a wanted one. A member of a cluster is backed up with its cluster
            whatever its own tags say.
    """
    asking: dict[WantedTag, list[Selection]] = defaultdict(list)
    for selection in judged:
        for tag in wanted_tags(selection):
            asking[tag].append(selection)
    table = ResourceTable(carriers)
    picked = 0
    for selection in picking if table.resources else ():
        picked |= table.picked(selection)
    wanted = WantedTags(asking)
    wanted.look_up(tag for each in table.resources for tag in each.tags.items())
    missed: dict[str, Missed] = {}
    by_wanted: dict[WantedTag, list[tuple[Resource, NearMiss]]] = defaultdict(list)
    for number, resource in enumerate(table.resources):
        near = wanted.near_misses(resource.tags)
        misses = tuple(each for each in near if each.difference & difference)
        if not misses or resource.cluster_member or picked >> number & 1:
            continue
        missed[resource.arn] = Missed(resource, misses, _corrected(resource.tags, near))
        for miss in {each.wanted: each for each in reversed(misses)}.values():
            by_wanted[miss.wanted].append((resource, miss))
    return NearMisses(
        {tag: tuple(found) for tag, found in asking.items()},
        missed,
        {tag: tuple(found) for tag, found in by_wanted.items()},
    )


def _corrected(tags: Mapping[str, str], misses: Iterable[NearMiss]) -> dict[str, str]:
    """The tags with the wanted ones in place of their near misses: a pattern itself too, since it matches itself."""
    near = tuple(misses)
    replaced = {miss.key for miss in near}
    kept = {key: value for key, value in tags.items() if key not in replaced}
    return kept | {miss.wanted.key: miss.wanted.value for miss in near}

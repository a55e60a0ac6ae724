"""What the selections of an account pick, by which elements, and what they narrowly miss."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backup_rules.aws import backup, resources
from backup_rules.aws.account import Account
from backup_rules.aws.memory import gaps_noticed, remembered
from backup_rules.resources.resource_types import Resource
from backup_rules.selections.near_misses import NearMiss
from backup_rules.selections.picking import (
    Element,
    ElementKind,
    Selection,
    SelectionIndex,
    SelectionSummary,
    alike,
    elements,
)
from backup_rules.selections.untagged import types_without_tags
from backup_rules.shared_rules.near_miss_rule import NearMissRule
from backup_rules_cli.answers.judging import JudgedAccount


@dataclass(frozen=True, slots=True)
class Pick:
    """That a selection picks a resource, and by which elements. Without one: it names an ARN that was not seen."""

    selection: SelectionSummary
    resource: Resource | None
    elements: tuple[Element, ...]

    @property
    def arn(self) -> str:
        """What is picked."""
        return self.resource.arn if self.resource else self.elements[0].text


@dataclass(frozen=True, slots=True)
class Missed:
    """That a selection narrowly misses a resource by a tag, and which rule says so."""

    selection: SelectionSummary
    resource: Resource
    miss: NearMiss
    rule: str


def _readable(account: Account) -> tuple[Selection, ...]:
    """All selections that can be read. Whoever asks about one that cannot be, is told so by reading it."""
    with gaps_noticed():
        return backup.all_selections(account)


@remembered
def _index(account: Account) -> tuple[dict[Selection, list[Selection]], SelectionIndex]:
    """The selections that ask for the same, and what finds those that pick a resource."""
    groups = alike(_readable(account))
    return groups, SelectionIndex(groups)


@remembered
def candidates(account: Account) -> tuple[Resource, ...]:
    """The resources that the selections of the account could pick. What cannot be read of them is a gap.

    Those with tags, and of the types of which some selection may pick what has none, all that is known.
    """
    selections = _readable(account)
    types = {kind for each in alike(selections) for kind in types_without_tags(each, account.place)}
    return resources.could_be_picked(account, types)


@remembered
def picks(account: Account) -> dict[SelectionSummary, tuple[Pick, ...]]:
    """What each selection picks, of those that can be read. What cannot be read of resources is a gap."""
    groups, index = _index(account)
    found: dict[Selection, dict[str, tuple[Resource, tuple[Element, ...]]]] = defaultdict(dict)
    for resource in candidates(account):
        for pick in index.selections_picking(resource):
            found[pick.selection][resource.arn] = resource, pick.elements
    known = {each.arn for each in candidates(account)}
    made = {}
    for first, group in groups.items():
        seen = found[first].values()
        unseen = [each for each in elements(first) if each.kind is ElementKind.ARN and each.text not in known]
        for selection in group:
            listed = (Pick(selection.summary, resource, by) for resource, by in seen)
            named = (Pick(selection.summary, None, (each,)) for each in unseen)
            made[selection.summary] = (*listed, *named)
    return made


def plans_picking(account: Account, resource: Resource) -> Iterator[Pick]:
    """By which selections of any plan the resource is picked."""
    groups, index = _index(account)
    for pick in index.selections_picking(resource):
        yield from (Pick(each.summary, resource, pick.elements) for each in groups[pick.selection])


def missed(judged: JudgedAccount, selections: Iterable[SelectionSummary] | None = None) -> Iterator[Missed]:
    """What the selections (all, where none are given) narrowly miss, as the rules about tags find it.

    Raises:
        ReadError: it cannot be read.
    """
    by_selection = _missed(judged)
    for each in by_selection if selections is None else selections:
        yield from by_selection.get(each, ())


@remembered
def _missed(judged: JudgedAccount) -> dict[SelectionSummary, list[Missed]]:
    made: dict[SelectionSummary, list[Missed]] = {}
    for folder in judged.folders:
        each = judged.judged(folder)
        if not isinstance(each.rule, NearMissRule) or each.error is not None:
            continue
        found = each.rule.near_misses(each.invocation)
        for near in found.missed.values():
            for miss in near.misses:
                for selection in found.asking[miss.wanted]:
                    of_it = made.setdefault(selection.summary, [])
                    of_it.append(Missed(selection.summary, near.resource, miss, folder.name))
    return made

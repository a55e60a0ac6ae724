"""What `BACKUP_TAG_CASE` and `BACKUP_TAG_WHITESPACE` share: resources that a selection narrowly misses by a tag.

Finding them costs calls by distinct tag keys, not by resources: of all keys in use only those near a wanted key have
their values read, and of those only the near ones their resources.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from backup_rules.aws.account import Account
from backup_rules.evaluation.evaluation import Run
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject, resource_subject
from backup_rules.resources.resource_types import Resource
from backup_rules.selections.near_misses import (
    Difference,
    NearMiss,
    WantedTag,
    WantedTags,
    wanted_tags,
    white_space_at_ends,
)
from backup_rules.selections.picking import Picker, Selection, SelectionIndex, SelectionSummary
from backup_rules.selections.words import called, changes
from backup_rules.wording.annotations import name, sentence
from backup_rules.wording.findings import Finding, Problem
from backup_rules.wording.quoting import quote_tag


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
    wanted, index = WantedTags(asking), SelectionIndex(picking)
    missed: dict[str, Missed] = {}
    by_wanted: dict[WantedTag, list[tuple[Resource, NearMiss]]] = defaultdict(list)
    for resource in carriers:
        near = wanted.near_misses(resource.tags)
        misses = tuple(each for each in near if each.difference & difference)
        if not misses or resource.cluster_member or index.selections_picking(resource):
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


class NearMissRule(BackupConfigRule[RuleParameters, SelectionSummary | Resource]):
    """Verdicts are about selections, and about each resource that one of them narrowly misses and none picks."""

    difference: ClassVar[Difference]
    unlike: ClassVar[str]
    """How the tags differ, after "carries it": `in other letter case`."""
    reason: ClassVar[str]
    """Why that matters: `Tags are case-sensitive`."""

    def subjects(self, run: Run[RuleParameters]) -> Iterable[Subject[SelectionSummary | Resource]]:
        selections = run.selections()
        found = self.near_misses(run)
        resources = (resource_subject(each.resource) for each in found.missed.values())
        return (*selections, *(each for each in resources if each is not None))

    def findings(self, subject: Subject[SelectionSummary | Resource], run: Run[RuleParameters]) -> Iterator[Finding]:
        found = self.near_misses(run)
        if isinstance(subject.of, Resource):
            yield from self._about_resource(found.missed[subject.of.arn], found)
        else:
            yield from self._about_selection(run.account.selection(subject.of), found)

    def near_misses(self, run: Run[RuleParameters]) -> NearMisses:
        """What the judged selections narrowly miss, worked out once."""

        def work_out() -> NearMisses:
            picking = run.account.all_selections()
            subjects = {subject.of for subject in run.selections()}
            judged = [each for each in picking if each.summary in subjects]
            return near_misses_of(self.difference, judged, picking, self._carriers(judged, run.account))

        return run.account.once("near misses", work_out)

    def _carriers(self, judged: Iterable[Selection], account: Account) -> tuple[Resource, ...]:
        """The resources that carry a tag which narrowly misses a wanted one."""
        asked = dict.fromkeys(tag for selection in judged for tag in wanted_tags(selection))
        if not asked:
            return ()
        wanted = WantedTags(asked)
        keys = wanted.near_keys(account.tag_keys())
        account.side_by_side(account.tag_values, keys)
        near = {
            key: [
                value
                for value in account.tag_values(key)
                if any(miss.difference & self.difference for miss in wanted.near(key, value))
            ]
            for key in keys
        }
        return account.resources_tagged(near)

    def _about_resource(self, missed: Missed, found: NearMisses) -> Iterator[Problem]:
        resource = missed.resource
        for miss in missed.misses:
            askers = found.asking[miss.wanted]
            first, others = askers[0].summary, len(askers) - 1
            more = f" (and {others} more)" if others else ""
            words = (
                f"{name(resource.short_name, of_resource)} carries {_shown(miss.key, miss.value, of_tag)};"
                f" {called(first, of_selection)}{more} asks for"
                f" {_shown(miss.wanted.key, miss.wanted.value, of_tag)}."
                for of_selection, of_resource, of_tag in _LENGTHS
            )
            left_out = _left_out(missed, askers)
            yield Problem.worded(words, *(f"{remedy}{left_out}" for remedy in self._remedies(miss, first)))

    def _about_selection(self, selection: Selection, found: NearMisses) -> Iterator[Problem]:
        for tag in wanted_tags(selection):
            carriers = found.by_wanted.get(tag, ())
            if not carriers:
                continue
            resource, miss = carriers[0]
            number = f"{len(carriers)} resources carry" if len(carriers) > 1 else "1 resource carries"
            words = (
                f"{sentence(called(selection.summary, of_selection))} asks for {_shown(tag.key, tag.value, of_tag)};"
                f" {number} it {self.unlike}, such as {resource.type.singular}"
                f" {name(resource.short_name, of_resource)} with {_shown(miss.key, miss.value, of_tag)}."
                for of_selection, of_resource, of_tag in _LENGTHS
            )
            yield Problem.worded(words, *self._remedies(miss, selection.summary))

    def _remedies(self, miss: NearMiss, asker: SelectionSummary) -> tuple[str, ...]:
        """What to correct. Where the selection has white space at an end, it is the selection."""
        if white_space_at_ends(miss.wanted.key) or white_space_at_ends(miss.wanted.value):
            return without_white_space(asker, before=f"{self.reason}: ")
        return (f"{self.reason}: {_correction(miss)}.",)


# How much is shown of the names of a selection and its plan, of a resource's name, and of a tag, which tells what is
# wrong: as much as an annotation holds.
_LENGTHS = ((26, 40, 60), (20, 26, 60), (16, 20, 48), (12, 12, 40), (12, 12, 30))


def without_white_space(selection: SelectionSummary, *, before: str = "") -> tuple[str, ...]:
    """What to do about a selection whose own tag begins or ends with white space, the fullest wording first."""
    return changes(selection, "correct the tag", "without the white space", before=before)


def _shown(key: str, value: str, length: int) -> str:
    return name(quote_tag(key, value), length)


def _correction(miss: NearMiss) -> str:
    """What to correct of the resource, to end a sentence."""
    if miss.key_differs:
        return "rename the tag key" if miss.wanted.value_difference(miss.value) is Difference.SAME else "retag it"
    return "correct the tag value"


def _left_out(missed: Missed, askers: Iterable[Selection]) -> str:
    """What to know where a corrected tag would not be enough."""
    corrected = replace(missed.resource, tags=missed.corrected)
    picked = any(Picker.of(each).picks(corrected) for each in askers)
    return "" if picked else " The selection's other elements leave it out, too."

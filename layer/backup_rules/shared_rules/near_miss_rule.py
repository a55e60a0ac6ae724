"""What `BACKUP_TAG_CASE` and `BACKUP_TAG_WHITESPACE` share: resources that a selection narrowly misses by a tag.

Finding them costs calls by distinct tag keys, not by resources: of all keys in use only those near a wanted key have
their values read, and of those only the near ones their resources.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import ClassVar

from backup_rules.aws import backup, resources, tagging
from backup_rules.aws.account import Account
from backup_rules.aws.memory import gaps_noticed, note_gap, remembered
from backup_rules.errors import ReadError
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import ResourceParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject, resource_subject
from backup_rules.resources.resource_types import Resource
from backup_rules.selections.missed import Missed, NearMisses, near_misses_of
from backup_rules.selections.near_misses import (
    Difference,
    NearMiss,
    WantedTags,
    wanted_tags,
    white_space_at_ends,
)
from backup_rules.selections.picking import Picker, Selection, SelectionSummary
from backup_rules.selections.words import called, changes
from backup_rules.wording.annotations import NamesShown, name, sentence
from backup_rules.wording.findings import Finding, Problem
from backup_rules.wording.quoting import quote_tag


class NearMissRule(BackupConfigRule[ResourceParameters, SelectionSummary | Resource]):
    """Verdicts are about selections, and about each resource that one of them narrowly misses and none picks."""

    parameters_type = ResourceParameters
    difference: ClassVar[Difference]
    unlike: ClassVar[str]
    """How the tags differ, after "carries it": `in other letter case`."""
    reason: ClassVar[str]
    """Why that matters: `Tags are case-sensitive`."""

    def subjects(self, invocation: Invocation[ResourceParameters]) -> Iterable[Subject[SelectionSummary | Resource]]:
        selections = invocation.selections()
        found, gaps = _near_misses(invocation, self)
        for gap in gaps:  # a resource that is not seen keeps its verdict
            note_gap(gap)
        resources = (resource_subject(each.resource) for each in found.missed.values())
        return (*selections, *(each for each in resources if each is not None))

    def findings(
        self, subject: Subject[SelectionSummary | Resource], invocation: Invocation[ResourceParameters]
    ) -> Iterator[Finding]:
        found, gaps = _near_misses(invocation, self)
        if isinstance(subject.of, Resource):
            yield from self._about_resource(found.missed[subject.of.arn], found)
            return
        problems = tuple(self._about_selection(backup.selection(invocation.account, subject.of), found))
        yield from problems
        for gap in () if problems else gaps:  # what is missed, is missed whatever else there may be
            note_gap(gap)

    def near_misses(self, invocation: Invocation[ResourceParameters]) -> NearMisses:
        """What the judged selections narrowly miss, worked out once."""
        return _near_misses(invocation, self)[0]

    def _work_out(self, invocation: Invocation[ResourceParameters]) -> tuple[NearMisses, tuple[ReadError, ...]]:
        picking = backup.all_selections(invocation.account)
        subjects = {subject.of for subject in invocation.selections()}
        judged = [each for each in picking if each.summary in subjects]
        with gaps_noticed() as gaps:
            carriers = self._carriers(judged, invocation.account)
        reported = [each for each in carriers if not invocation.excludes_resource(each)]
        return near_misses_of(self.difference, judged, picking, reported), tuple(gaps.values())

    def _carriers(self, judged: Iterable[Selection], account: Account) -> tuple[Resource, ...]:
        """The resources that carry a tag which narrowly misses a wanted one."""
        asked = dict.fromkeys(tag for selection in judged for tag in wanted_tags(selection))
        if not asked:
            return ()
        wanted = WantedTags(asked)
        keys = wanted.near_keys(tagging.tag_keys(account))
        account.side_by_side(tagging.tag_values, keys)
        wanted.look_up((key, value) for key in keys for value in tagging.tag_values(account, key))
        near = {
            key: [
                value
                for value in tagging.tag_values(account, key)
                if any(miss.difference & self.difference for miss in wanted.near(key, value))
            ]
            for key in keys
        }
        return resources.resources_tagged(account, near)

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
            remedies = (f"{remedy}{left_out}" for remedy in self._remedies(miss, first))
            yield Problem.worded(words, *remedies, rests_on_absence=True)  # that no selection picks it

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
            yield Problem.worded(words, *self._remedies(miss, selection.summary), rests_on_absence=True)

    def _remedies(self, miss: NearMiss, asker: SelectionSummary) -> tuple[str, ...]:
        """What to correct. Where the selection has white space at an end, it is the selection."""
        if white_space_at_ends(miss.wanted.key) or white_space_at_ends(miss.wanted.value):
            return without_white_space(asker, before=f"{self.reason}: ")
        return (f"{self.reason}: {_correction(miss)}.",)


@remembered
def _near_misses(
    invocation: Invocation[ResourceParameters], rule: NearMissRule
) -> tuple[NearMisses, tuple[ReadError, ...]]:
    return rule._work_out(invocation)  # noqa: SLF001 - of this module


# How much is shown of the names of a selection and its plan, of a resource's name, and of a tag, which tells what is
# wrong: as much as an annotation holds.
_LENGTHS: tuple[tuple[NamesShown, int, int], ...] = (
    ((50, 50), 40, 60),
    ((26, 50), 26, 60),
    ((16, 50), 20, 60),
    ((12, 50), 12, 40),
    ((16, 16), 20, 48),
    ((12, 12), 12, 40),
    ((12, 12), 12, 30),
)


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

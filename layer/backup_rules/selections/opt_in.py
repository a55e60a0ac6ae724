"""Service opt-in: which types a selection reaches only because they are turned on, and what happens when they are not.

Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/getting-started.html#service-opt-in and
https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from backup_rules.arns import Place
from backup_rules.resources.resource_types import OPT_IN_ALWAYS_APPLIES, RESOURCE_TYPES, Resource, ResourceType
from backup_rules.selections.joining import Joined, ResourceTable, first
from backup_rules.selections.picking import (
    Element,
    ElementKind,
    Selection,
    SelectionSummary,
    alike,
    elements,
    types_named,
)
from backup_rules.selections.untagged import reached_without_tags
from backup_rules.selections.words import called
from backup_rules.values import dataclass
from backup_rules.wording.annotations import NamesShown, name
from backup_rules.wording.findings import Finding, Note, Problem

TURN_ON = "Turn it on under AWS Backup > Settings > Service opt-in."

_EXPLICIT = {ElementKind.ARN, ElementKind.TYPE_WILDCARD}
_ANY_TYPE = {ElementKind.TAG, ElementKind.EVERYTHING}

# How much is shown of what picks, of the names of selection and plan, and of a resource: as an annotation has room.
_LENGTHS: tuple[tuple[int, NamesShown, int], ...] = (
    (60, (50, 50), 30),
    (60, (26, 50), 20),
    (40, (20, 50), 20),
    (24, (12, 50), 20),
    (24, (12, 50), 12),
    (30, (16, 16), 16),
    (24, (12, 12), 12),
)


@dataclass(slots=True)
class Reached:
    """How many resources of a type a selection picks, by which element the first of them (`example`), and how.

    `gated` is how many it picks by virtue of the opt-in only; where there are any, the first is one of these.
    """

    by: Element
    example: Resource
    number: int
    gated: int


Reach = dict[ResourceType, Reached]


@dataclass(frozen=True, slots=True)
class OptIn:
    """The Region's settings by opt-in key, and how they are judged.

    A key that is missing is a type that AWS Backup does not support there. `strict`: types that are assigned by ARN or
    by type are reported as well. `ignored`: keys that are turned off on purpose.
    """

    settings: Mapping[str, bool]
    place: Place
    strict: bool = False
    ignored: frozenset[str] = frozenset()

    def keeps_out(self, kind: ResourceType) -> bool:
        """Whether the type is turned off, or not supported, and not so on purpose."""
        return not self.settings.get(kind.opt_in_key) and kind.opt_in_key not in self.ignored


def reach(selections: Iterable[Selection], resources: Iterable[Resource]) -> dict[SelectionSummary, Reach]:
    """What each selection picks of the resources, by type. Selections that pick nothing are left out."""
    groups = alike(selections)
    table = ResourceTable(resources)
    found: dict[SelectionSummary, Reach] = {}
    for one, group in groups.items():
        reached = _reached(table.join(one), table)
        if reached:
            found |= {each.summary: reached for each in group}
    return found


def _reached(joined: Joined, table: ResourceTable) -> Reach:
    explicit = joined.named_by(*_EXPLICIT)
    reached = {}
    for kind, picked in table.by_type(joined.picked).items():
        gated = picked if kind in OPT_IN_ALWAYS_APPLIES else picked & ~explicit  # as `picking.opt_in_applies`
        example = table.resources[first(gated or picked)]
        by = joined.picker.picks(example)[0]
        reached[kind] = Reached(by, example, picked.bit_count(), gated.bit_count())
    return reached


def may_be_skipped(selection: Selection, opt_in: OptIn) -> bool:
    """Whether it matters which resources there are: some that the selection may pick would be kept out."""

    def kept_out(kind: ResourceType, element: Element) -> bool:
        by_itself = element.kind in _EXPLICIT and kind not in OPT_IN_ALWAYS_APPLIES
        told = opt_in.strict or not by_itself or kind.opt_in_key not in opt_in.settings
        return told and opt_in.keeps_out(kind)

    return any(
        kept_out(kind, element)
        for element in elements(selection)
        for kind in (RESOURCE_TYPES if element.kind in _ANY_TYPE else types_named(element))
    )


def opt_in_findings(
    selection: Selection, reached: Reach, opt_in: OptIn, listed: Collection[ResourceType]
) -> Iterator[Finding]:
    """What the selection misses, by opt-in key.

    Args:
        selection: judged by its elements too, for the types that they name without regard to what is known to be there.
        reached: what it picks of the resources that are known.
        opt_in: the Region's settings.
        listed: the types whose resources are all known, tagged or not.
    """
    told: set[str] = set()
    for kind, entry in reached.items():
        finding = _about_reached(kind, entry, selection.summary, opt_in)
        if finding is not None:
            told.add(kind.opt_in_key)
            yield finding
    for kind, element in reached_without_tags(selection, opt_in.place):
        if kind in reached or kind.opt_in_key in told or element.kind is ElementKind.EVERYTHING:
            continue
        finding = _about_named(kind, element, selection.summary, opt_in, there_is_none=kind in listed)
        if finding is not None:
            told.add(kind.opt_in_key)
            yield finding


def _about_reached(kind: ResourceType, entry: Reached, selection: SelectionSummary, opt_in: OptIn) -> Finding | None:
    """What becomes of the resources of a type that the selection picks."""
    if not opt_in.keeps_out(kind):
        return None
    region = opt_in.place.region
    off = f"Resource type {kind.opt_in_key} is turned off in {region}"
    if kind.opt_in_key not in opt_in.settings:
        words = (
            f"AWS Backup does not support resource type {kind.opt_in_key} in {region}, so {_by(entry.by, by)} of"
            f" {called(selection, whose)} backs up none of {kind.count(entry.number)}{_such_as(entry, example)}."
            for by, whose, example in _LENGTHS
        )
        return Problem.worded(words, "Take it out of the selection, or protect these by other means.")
    if entry.gated:
        words = (
            f"{off}, so {_by(entry.by, by)} of {called(selection, whose)} skips"
            f" {kind.count(entry.gated)}{_such_as(entry, example)}."
            for by, whose, example in _LENGTHS
        )
        return Problem.worded(words, TURN_ON)
    if opt_in.strict:
        words = (
            f"{off}; {_by(entry.by, by)} of {called(selection, whose)} names"
            f" {kind.count(entry.number)}{_such_as(entry, example)}."
            for by, whose, example in _LENGTHS
        )
        return Problem.worded(words, TURN_ON)
    return Note(f"{off}, but AWS Backup backs up what is named by ARN or type all the same: {_by(entry.by, 100)}.")


def _about_named(
    kind: ResourceType, element: Element, selection: SelectionSummary, opt_in: OptIn, *, there_is_none: bool
) -> Finding | None:
    """What becomes of a type that an element names, though no such resource is known to be there."""
    if not opt_in.keeps_out(kind):
        return None
    region = opt_in.place.region
    supported = kind.opt_in_key in opt_in.settings
    by_itself = element.kind in _EXPLICIT and kind not in OPT_IN_ALWAYS_APPLIES
    if supported and by_itself and opt_in.strict and not there_is_none:
        words = (
            f"Resource type {kind.opt_in_key} is turned off in {region}; {called(selection, whose)} names it by"
            f" {_by(element, by)}."
            for by, whose, _ in _LENGTHS
        )
        return Problem.worded(words, TURN_ON)
    if supported and by_itself:
        return None
    off = f"is turned off in {region}" if supported else f"is not supported by AWS Backup in {region}"
    known = "there is none" if there_is_none else "none is known there, though some may be, without tags"
    return Note(f"Resource type {kind.opt_in_key} {off}; {_by(element, 80)} names {kind.plural}, but {known}.")


def _by(element: Element, length: int) -> str:
    return name(element.describe(), length)


def _such_as(entry: Reached, length: int) -> str:
    such_as = "such as " if entry.number > 1 else ""
    return f", {such_as}{name(entry.example.short_name, length)}"


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

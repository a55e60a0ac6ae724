"""Selections that pick nothing: told apart from those that pick what cannot be listed (resources without tags)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from backup_rules.arns import Place
from backup_rules.resources.resource_types import Resource, ResourceType
from backup_rules.selections.joining import ResourceTable, first, last
from backup_rules.selections.picking import (
    Element,
    ElementKind,
    Selection,
    SelectionSummary,
    conditions,
    elements,
    tags_narrow_nothing,
    types_named,
)
from backup_rules.selections.unmatchable import contradiction, misspelt_keys, why_never
from backup_rules.selections.words import callings, changes
from backup_rules.values import dataclass
from backup_rules.wording.annotations import name, sentence
from backup_rules.wording.findings import Note, Problem
from backup_rules.wording.quoting import quote_tag

LeftOut = dict[Element, Resource]


def left_out(selections: Iterable[Selection], resources: ResourceTable) -> dict[SelectionSummary, LeftOut]:
    """An example of what each element of these selections names, though the selection picks none of it.

    Its conditions or its NotResources leave the resource out; or, where nothing else is named, it is a member of a
    cluster or cannot be backed up.
    """
    return {
        each.summary: {
            element: resources.resources[first(fit) if (fit := named & resources.can_be_picked) else last(named)]
            for element, named in resources.join(each).named.items()
        }
        for each in selections
    }


def empty_problems(
    selection: Selection, examples: Mapping[Element, Resource], listed: Collection[ResourceType], place: Place
) -> Iterator[Problem]:
    """Why nothing matches a selection that picks no known resource; nothing where something might.

    Args:
        selection: picks none of the resources that are known.
        examples: those of `left_out`.
        listed: the types of which all resources are known; of the others, only those with tags.
        place: the account and Region.
    """
    clash = contradiction(selection)
    if clash is not None:
        yield _problem(selection, Reason(clash, "change one of the two", "without one of the two"), by_itself=True)
        return
    reasons = [
        _why_nothing(element, selection, examples.get(element), listed, place) for element in elements(selection)
    ]
    if all(reason is not None for reason in reasons):
        by_itself = all(reason.by_itself for reason in reasons if reason is not None)
        yield from (_problem(selection, reason, by_itself=by_itself) for reason in reasons if reason is not None)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an element picks nothing, and how the selection is to be changed (`words.changes`), or what to do instead.

    `by_itself`: it would pick nothing whatever resources there are.
    """

    why: str
    edit: str
    anew: str
    before: str = ""
    instead: str = ""
    by_itself: bool = False


def _problem(selection: Selection, reason: Reason, *, by_itself: bool) -> Problem:
    words = (f"{sentence(whose)} picks nothing: {reason.why}." for whose in callings(selection.summary))
    edits = changes(selection.summary, reason.edit, reason.anew, before=reason.before)
    return Problem.worded(words, *((reason.instead,) if reason.instead else edits), rests_on_absence=not by_itself)


def _why_nothing(
    element: Element,
    selection: Selection,
    example: Resource | None,
    listed: Collection[ResourceType],
    place: Place,
) -> Reason | None:
    """Why an element picks nothing, or None where it may pick resources that cannot be listed."""
    required = [condition for condition in conditions(selection) if not condition.negative]
    named = types_named(element)
    all_listed = bool(named) and all(kind in listed for kind in named)
    if (misspelt := _misspelt(element, selection)) is not None:
        return Reason(misspelt, "write the key so", "with the key so written", by_itself=True)
    if example is not None and (required or all_listed or element.kind in {ElementKind.TAG, ElementKind.ARN}):
        return _why_left_out(element, selection, example)
    if element.kind is ElementKind.TAG:
        return Reason(
            f"no resource that AWS Backup protects carries {_short(element)} here",
            "correct the tag",
            "with the right tag",
            before=f"tag the resources in {place.region}, or ",
        )
    if element.text and (never := why_never(element.text, place)) is not None:
        anew = "with ARNs of this account and Region"
        return Reason(never, "name ARNs of this account and Region", anew, by_itself=True)
    if required:
        what = f"no resource that {_short(element)} names meets {required[0]}"
        return Reason(what, "correct the condition", "with another condition", before="tag the resources, or ")
    nothing = Reason(
        f"{_short(element)} names nothing that exists here",
        "correct or remove the ARN",
        "with the right ARN, if it is still needed",
    )
    return nothing if all_listed else None


def _misspelt(element: Element, selection: Selection) -> str | None:
    """A key that keeps the element from picking anything: its own, or that of a condition that must hold."""
    own = (tag for tag in selection.list_of_tags if quote_tag(tag.key, tag.value) == element.text)
    decisive = replace(selection, list_of_tags=tuple(own), string_not_equals=(), string_not_like=())
    return next(iter(misspelt_keys(decisive)), None)


def _why_left_out(element: Element, selection: Selection, example: Resource) -> Reason:
    """Why the selection does not pick a resource that one of its elements names."""
    if example.unsupported is not None:
        act = "tag" if element.kind is ElementKind.TAG else "name"
        what = f"{example.unsupported.what} {name(example.short_name, 40)}, which AWS Backup cannot back up"
        return Reason(f"{_short(element)} names {what}", "", "", instead=example.unsupported.instead.format(act=act))
    if example.cluster_member:
        return Reason(
            f"{_short(element)} names {example.short_name}, a member of a DB cluster, and a cluster is backed up whole",
            "name it",
            "with the cluster",
            before="tag the cluster, or ",
        )
    failed = next((str(each) for each in conditions(selection) if not each.holds(example.tags)), None)
    what = f"{failed or 'NotResources'} leaves out what {_short(element)} names, such as {name(example.short_name, 40)}"
    if failed is None:
        return Reason(what, "correct NotResources", "with other NotResources")
    return Reason(what, "correct the condition", "with another condition", before="tag the resources, or ")


def _short(element: Element) -> str:
    return name(element.describe(), 80)


def notes(selection: Selection, place: Place) -> Iterator[Note]:
    """What a reader should know of a selection that picks something."""
    if tags_narrow_nothing(selection):
        yield Note(
            'The tags narrow nothing: with "*" among its resources, this selection picks every resource. To narrow it,'
            ' remove the "*", or turn the tags into conditions.'
        )
    for entry in selection.resources:
        if "*" in entry.rpartition(":")[2].rstrip("*"):
            yield Note(
                "AWS's texts disagree on whether a wild card may stand elsewhere than at the end, as in"
                f" {name(entry)}: see that its resources have recovery points."
            )
        never = why_never(entry, place)
        if never is not None:
            yield Note(f"One entry picks nothing: {never}.")
    for misspelt in misspelt_keys(selection):
        yield Note(f"Has no effect as written: {misspelt}.")

"""Selections that pick nothing: told apart from those that pick what cannot be listed (resources without tags)."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules.annotations import name
from backup_rules.arns import Place
from backup_rules.findings import Note, Problem
from backup_rules.selections import (
    Element,
    ElementKind,
    Selection,
    conditions,
    elements,
    tags_narrow_nothing,
    types_named,
)
from backup_rules.unmatchable import contradiction, misspelt_keys, why_never

# Of these services every resource is listed, with tags or without: what is not there does not exist.
LISTED_SERVICES = frozenset({"rds", "fsx"})


def empty_problems(selection: Selection, place: Place) -> Iterator[Problem]:
    """Why nothing matches a selection that picks none of the listed resources; nothing where something might.

    The listed resources are those with tags, of all protected types, and all of `LISTED_SERVICES`.
    """
    who = f"Selection {name(selection.summary.name, 40)} of plan {name(selection.summary.plan_name, 40)} picks nothing:"
    clash = contradiction(selection)
    if clash is not None:
        yield Problem(f"{who} {clash}.", "Change one of the two.")
        return
    reasons = [_why_nothing(element, selection, place) for element in elements(selection)]
    if any(reason is None for reason in reasons):
        return
    for reason in reasons:
        if reason is not None:
            what, remedy = reason
            yield Problem(f"{who} {what}.", remedy)


def _why_nothing(element: Element, selection: Selection, place: Place) -> tuple[str, str] | None:
    """Why an element picks nothing, or None where it may pick resources that cannot be listed."""
    required = [condition for condition in conditions(selection) if not condition.negative]
    misspelt = misspelt_keys(selection)
    if misspelt and (required or element.kind is ElementKind.TAG):
        return misspelt[0], "Assign the resources again with the key so written."
    if element.kind is ElementKind.TAG:
        return (
            f"no resource that AWS Backup protects carries {element.describe()} here",
            f"Tag the resources in {place.region}, or correct the selection's tag.",
        )
    if element.text and (never := why_never(element.text, place)) is not None:
        return never, "Name resources of this account and Region by their ARN."
    if required:
        return (
            f"no resource that {element.describe()} names meets {required[0]}",
            "Tag the resources, or correct the selection's condition.",
        )
    named = types_named(element)
    if named and all(kind.service in LISTED_SERVICES for kind in named):
        return f"{element.describe()} names nothing that exists here", "Correct the ARN, or remove the selection."
    return None


def notes(selection: Selection, place: Place) -> Iterator[Note]:
    """What a reader should know of a selection that picks something."""
    if tags_narrow_nothing(selection):
        yield Note(
            'The tags narrow nothing: with "*" among its resources, this selection picks every resource. To narrow it,'
            ' remove the "*", or turn the tags into conditions.'
        )
    for entry in selection.resources:
        never = why_never(entry, place)
        if never is not None:
            yield Note(f"One entry picks nothing: {never}.")
    for misspelt in misspelt_keys(selection):
        yield Note(f"Has no effect as written: {misspelt}.")

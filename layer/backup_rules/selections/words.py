"""How an annotation names a selection, and what it says where the selection itself must change."""

from __future__ import annotations

from backup_rules.plans.plans import ORGANIZATION_PLAN_PREFIX
from backup_rules.selections.picking import SelectionSummary
from backup_rules.wording.annotations import NAMES, NamesShown, name, sentence


def called(selection: SelectionSummary, shown: NamesShown = NAMES[0]) -> str:
    """`selection nightly of plan prod`; longer names lose their middle."""
    of_selection, of_plan = shown
    return f"selection {name(selection.name, of_selection)} of plan {name(selection.plan_name, of_plan)}"


def callings(selection: SelectionSummary) -> tuple[str, ...]:
    """What the selection may be called, the fullest first, as an annotation has room."""
    return tuple(dict.fromkeys(called(selection, shown) for shown in NAMES))


def of_policy(selection: SelectionSummary) -> bool:
    """Whether a backup policy makes the selection, so that nobody can change it in this account."""
    return selection.plan_id.startswith(ORGANIZATION_PLAN_PREFIX)


def changes(selection: SelectionSummary, edit: str, anew: str, *, before: str = "") -> tuple[str, ...]:
    """What to do about a selection that must change, in several wordings, the fullest first.

    A backup policy is edited. Any other selection is deleted and created again, as AWS Backup has no operation that
    updates one: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Operations.html

    Args:
        selection: the selection that must change.
        edit: the change, to go before "in the selection": `correct the tag`.
        anew: how the selection is to be created again: `with the right tag`.
        before: what the sentence begins with: `Tag the resources, or `.
    """
    if of_policy(selection):
        return (sentence(f"{before}{edit} in the backup policy."),)
    return (
        sentence(f"{before}delete the selection and create it again {anew}."),
        sentence(f"{before}{edit} in the selection."),
    )

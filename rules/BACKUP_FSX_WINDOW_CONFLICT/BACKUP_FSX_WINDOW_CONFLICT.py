"""No backup of an FSx file system is scheduled inside, or within four hours before, one of its windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from backup_rules.aws.account import Account
from backup_rules.aws.file_systems import FileSystem, file_systems, volumes
from backup_rules.errors import ReadError
from backup_rules.evaluation.evaluation import Run
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.parameters import TRUE_OR_FALSE, RuleParameters, parameter, whole_number
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject, selection_subject
from backup_rules.plans.plans import Plan
from backup_rules.schedules.window_conflicts import conflicts
from backup_rules.schedules.windows import Window, fsx_backup_window, fsx_maintenance_window
from backup_rules.selections.picking import SelectionIndex
from backup_rules.wording.findings import Finding, Note, Problem


@dataclass(frozen=True)
class Parameters(RuleParameters):
    """`buffer_minutes`: how long before a window no backup may start. `whole_start_window`: judge all of it."""

    buffer_minutes: int = parameter(whole_number(0, 1440), default=240)
    whole_start_window: bool = parameter(TRUE_OR_FALSE, default=False)


@dataclass(frozen=True)
class Picked:
    """What a selection picks of FSx: file systems, each with the name under which it is picked (or its volume)."""

    plan: Plan
    file_systems: tuple[tuple[str, FileSystem], ...]


class BACKUP_FSX_WINDOW_CONFLICT(BackupConfigRule[Parameters, Picked]):
    """Verdicts are about selections, as AWS Config knows no FSx types."""

    parameters_type = Parameters

    def subjects(self, run: Run[Parameters]) -> Iterator[Subject[Picked]]:
        account = run.account
        summaries = {subject.of: subject for subject in run.selections()}
        index = SelectionIndex(account.selections(summaries))
        picked: dict[str, dict[str, tuple[str, FileSystem]]] = {}
        by_id = {each.id: each for each in file_systems(account)}
        candidates = [(each.resource, each.id, each) for each in by_id.values()]
        candidates += [
            (each.resource, each.id, by_id[each.file_system_id])
            for each in volumes(account)
            if each.kind == "ONTAP" and each.file_system_id in by_id
        ]
        for resource, its_id, file_system in candidates:
            for pick in index.selections_picking(resource):
                key = selection_subject(pick.selection.summary).resource_id
                picked.setdefault(key, {}).setdefault(file_system.id, (its_id, file_system))
        chosen = [subject for subject in summaries.values() if subject.resource_id in picked]
        wanted = {subject.of.plan_id for subject in chosen}
        plans = {
            plan.id: plan for plan in account.plans(each for each in account.plan_summaries() if each.id in wanted)
        }
        for subject in chosen:
            if subject.of.plan_id in plans:
                found = tuple(picked[subject.resource_id].values())
                yield Subject(*subject.key, Picked(plans[subject.of.plan_id], found))

    def findings(self, subject: Subject[Picked], run: Run[Parameters]) -> Iterator[Finding]:
        """The first file system with a conflict in full, and how many more there are."""
        conflicting: list[Problem] = []
        notes: list[Note] = []
        for named, file_system in subject.of.file_systems:
            found = list(
                conflicts(
                    subject.of.plan,
                    subject.of.plan.rules,
                    _windows(file_system, run.account),
                    file_system.id if named == file_system.id else f"{file_system.id} (volume {named})",
                    buffer_minutes=run.parameters.buffer_minutes,
                    whole_start_window=run.parameters.whole_start_window,
                    now=run.now,
                )
            )
            conflicting += [each for each in found if isinstance(each, Problem)][:1]
            notes += [each for each in found if isinstance(each, Note)]
        yield from conflicting
        yield from notes


def _windows(file_system: FileSystem, account: Account) -> tuple[Window, ...]:
    """The daily window, unless automatic backups are off, and the weekly one."""
    try:
        backups = file_system.backup_start if file_system.backup_retention_days != 0 else None
        daily = [fsx_backup_window(backups)] if backups else []
        weekly = [fsx_maintenance_window(file_system.maintenance_start)] if file_system.maintenance_start else []
    except ValueError as error:
        raise ReadError(
            f"FSx in account {account.place.account}, {account.place.region} answered a window of {file_system.id}"
            f" that cannot be read: {error}",
            "MalformedAnswer",
        ) from error
    return (*daily, *weekly)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_FSX_WINDOW_CONFLICT()).handle(event, context)

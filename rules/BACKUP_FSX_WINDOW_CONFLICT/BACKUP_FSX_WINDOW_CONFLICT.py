"""No backup of an FSx file system is scheduled inside, or within four hours before, one of its windows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from backup_rules.aws import backup
from backup_rules.aws.account import Account
from backup_rules.aws.fsx import file_systems, volumes
from backup_rules.aws.memory import remembered
from backup_rules.errors import ReadError
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import TRUE_OR_FALSE, RuleParameters, parameter, whole_number
from backup_rules.evaluation.subjects import SELECTION, Subject, selection_subject
from backup_rules.plans.plans import Plan
from backup_rules.resources.file_systems import FileSystem
from backup_rules.schedules.window_conflicts import conflicts
from backup_rules.schedules.windows import Window, fsx_backup_window, fsx_maintenance_window
from backup_rules.selections.joining import ResourceTable, first, members
from backup_rules.selections.picking import SelectionSummary
from backup_rules.shared_rules.window_rule import PickedWindows, WindowRule, note_missing
from backup_rules.wording.findings import Finding, Note, Problem

# AWS's article and older guides ask for four hours, the newest guide for three:
# https://docs.aws.amazon.com/aws-backup/latest/devguide/troubleshooting.html
NEWEST_GUIDES_BUFFER = 180


@dataclass(frozen=True)
class Parameters(RuleParameters):
    """`buffer_minutes`: how long before a window no backup may start. `whole_start_window`: judge all of it."""

    buffer_minutes: int = parameter(whole_number(0, 1440), default=240)
    whole_start_window: bool = parameter(TRUE_OR_FALSE, default=False)


@dataclass(frozen=True)
class Picked:
    """What a selection picks of FSx: file systems, each with the name under which it is picked (or its volume).

    `found` is the same as a set of numbers: see `joining`.
    """

    selection: SelectionSummary
    file_systems: tuple[tuple[str, FileSystem], ...]
    found: int


class BACKUP_FSX_WINDOW_CONFLICT(WindowRule[Picked]):
    """Verdicts are about selections, as AWS Config knows no FSx types."""

    parameters_type = Parameters

    def subjects(self, invocation: Invocation[Parameters]) -> Iterator[Subject[Picked]]:
        for subject_id, picked in _picked(invocation).items():
            yield Subject(SELECTION, subject_id, picked)

    def findings(self, subject: Subject[Picked], invocation: Invocation[Parameters]) -> Iterator[Finding]:
        """The first file system with a conflict in full, and how many more there are."""
        file_systems(invocation.account)  # a gap in these may hide a conflict; one in other selections may not
        volumes(invocation.account)
        plan = backup.plan_of(invocation.account, subject.of.selection)
        question = BACKUP_FSX_WINDOW_CONFLICT, plan.id, subject.of.found  # other selections of the plan pick the same
        yield from invocation.once(question, lambda: tuple(self._findings(plan, subject.of, invocation)))

    def _findings(self, plan: Plan, picked: Picked, invocation: Invocation[Parameters]) -> Iterator[Finding]:
        """As `findings`, of a plan and what one of its selections picks."""
        conflicting: list[Problem] = []
        notes: list[Note] = []
        plan_id, told, known = plan.id, _told(invocation), _known_windows(invocation)
        for named, file_system in picked.file_systems:
            _note_missing_windows(file_system, invocation.account)
            question = plan_id, named, file_system.id
            found = told.get(question)
            if found is None:  # else another selection of the plan picks it as well
                if file_system.id not in known:
                    known[file_system.id] = _windows(file_system, invocation.account)
                windows = known[file_system.id]
                found = told[question] = tuple(_conflicts(plan, named, file_system, windows, invocation, further=True))
            for each in found:
                if isinstance(each, Note):
                    notes.append(each)
                elif conflicting:
                    conflicting.append(each)
                else:  # the one that the annotation tells
                    in_full = _conflicts(plan, named, file_system, known[file_system.id], invocation, further=False)
                    conflicting += [whole for whole in in_full if isinstance(whole, Problem)]
        yield from conflicting
        yield from notes

    def windows(self, invocation: Invocation[Parameters]) -> Iterator[PickedWindows]:
        for picked in _picked(invocation).values():
            for named, file_system in picked.file_systems:
                with suppress(ReadError):  # its verdict tells
                    yield _windows_of(named, file_system, picked.selection.plan_id, invocation)


def _windows_of(named: str, file_system: FileSystem, plan_id: str, invocation: Invocation[Parameters]) -> PickedWindows:
    """The windows of what the plan picks under that name.

    Raises:
        ReadError: AWS's answer has a window that cannot be read.
    """
    called = file_system.id if named == file_system.id else f"{file_system.id} (volume {named})"
    return PickedWindows.of(called, (plan_id,), _windows(file_system, invocation.account), invocation.parameters)


Told = dict[tuple[str, str, str], tuple[Problem | Note, ...]]


@remembered
def _told(invocation: Invocation[Parameters]) -> Told:  # noqa: ARG001 - whose memory keeps it
    """What has been found so far: see `findings`."""
    return {}


@remembered
def _known_windows(invocation: Invocation[Parameters]) -> dict[str, tuple[Window, ...]]:  # noqa: ARG001 - as above
    """The windows of the file systems that have been looked at, by id."""
    return {}


def _conflicts(  # noqa: PLR0913 - who conflicts with what
    plan: Plan,
    named: str,
    file_system: FileSystem,
    windows: tuple[Window, ...],
    invocation: Invocation[Parameters],
    *,
    further: bool,
) -> Iterator[Problem | Note]:
    """The first conflict of a plan with the windows of a file system, picked under the name `named`; and all notes."""
    return conflicts(
        plan,
        plan.rules,
        windows,
        file_system.id if named == file_system.id else f"{file_system.id} (volume {named})",
        buffer_minutes=invocation.parameters.buffer_minutes,
        whole_start_window=invocation.parameters.whole_start_window,
        now=invocation.now,
        lesser_buffer_minutes=NEWEST_GUIDES_BUFFER,
        first_only=True,
        further=further,
    )


@remembered
def _picked(invocation: Invocation[Parameters]) -> dict[str, Picked]:
    """What the judged selections pick of FSx, by the id of the verdict's subject."""
    account = invocation.account
    selections = backup.selections(account, [subject.of for subject in invocation.selections()])
    by_id = {each.id: each for each in file_systems(account)}
    candidates = [(each.resource, each.id, each) for each in by_id.values()]
    candidates += [
        (each.resource, each.id, by_id[each.file_system_id])
        for each in volumes(account)
        if each.kind == "ONTAP" and each.file_system_id in by_id
    ]
    table = ResourceTable(resource for resource, _, _ in candidates)
    picked = [(each.summary, found) for each in selections if (found := table.picked(each))]
    by_id_of_subject, of_set = {}, dict[int, tuple[tuple[str, FileSystem], ...]]()
    for summary, found in sorted(picked, key=lambda each: first(each[1])):
        if found not in of_set:  # thousands of selections often pick the same
            of_it: dict[str, tuple[str, FileSystem]] = {}
            for number in members(found):
                _, its_id, file_system = candidates[number]
                of_it.setdefault(file_system.id, (its_id, file_system))
            of_set[found] = tuple(of_it.values())
        by_id_of_subject[selection_subject(summary).resource_id] = Picked(summary, of_set[found], found)
    return by_id_of_subject


def _note_missing_windows(file_system: FileSystem, account: Account) -> None:
    """FSx leaves out the daily window, and the days that backups are kept, where automatic backups are off."""
    if file_system.backup_retention_days and not file_system.unreadable:
        told = {"DailyAutomaticBackupStartTime": file_system.backup_start}
        note_missing(account, "fsx", "DescribeFileSystems", file_system.id, told)


def _windows(file_system: FileSystem, account: Account) -> tuple[Window, ...]:
    """The daily window, unless automatic backups are off, and the weekly one."""
    with account.calls.reading("fsx", "DescribeFileSystems", file_system.id):
        if file_system.unreadable:
            raise ValueError(file_system.unreadable)
        backups = file_system.backup_start if file_system.backup_retention_days != 0 else None
        daily = [fsx_backup_window(backups)] if backups else []
        weekly = [fsx_maintenance_window(file_system.maintenance_start)] if file_system.maintenance_start else []
    return (*daily, *weekly)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_FSX_WINDOW_CONFLICT()).handle(event, context)

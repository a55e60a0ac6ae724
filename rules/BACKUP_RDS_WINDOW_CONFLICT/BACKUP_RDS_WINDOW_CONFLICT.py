"""No backup of a database is scheduled inside, or within an hour before, one of its RDS windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from backup_rules.aws.account import Account, Database
from backup_rules.errors import ReadError
from backup_rules.evaluation.evaluation import Run
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.parameters import TRUE_OR_FALSE, RuleParameters, parameter, whole_number
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject, resource_subject
from backup_rules.plans.plans import Plan
from backup_rules.resources.resource_types import AURORA
from backup_rules.schedules.window_conflicts import conflicts
from backup_rules.schedules.windows import Window, backup_window, maintenance_window
from backup_rules.selections.picking import SelectionIndex
from backup_rules.wording.findings import Finding, Note


@dataclass(frozen=True)
class Parameters(RuleParameters):
    """`buffer_minutes`: how long before a window no backup may start. `whole_start_window`: judge all of it."""

    buffer_minutes: int = parameter(whole_number(0, 1440), default=60)
    whole_start_window: bool = parameter(TRUE_OR_FALSE, default=False)


@dataclass(frozen=True)
class PickedDatabase:
    """A database, and the plans that pick it; `reported` without the excluded ones."""

    database: Database
    plans: tuple[Plan, ...]
    reported: tuple[Plan, ...]


class BACKUP_RDS_WINDOW_CONFLICT(BackupConfigRule[Parameters, PickedDatabase]):
    """Verdicts are about DB instances, and Multi-AZ, Neptune and DocumentDB clusters. Aurora has no such windows."""

    parameters_type = Parameters

    def subjects(self, run: Run[Parameters]) -> Iterator[Subject[PickedDatabase]]:
        account = run.account
        index = SelectionIndex(account.all_selections())
        picked = [
            (database, {pick.selection.summary.plan_id for pick in index.selections_picking(database.resource)})
            for database in account.databases()
            if database.resource.type is not AURORA
        ]
        wanted = set[str]().union(*(plan_ids for _, plan_ids in picked))
        plans = {
            plan.id: plan for plan in account.plans(each for each in account.plan_summaries() if each.id in wanted)
        }
        for database, plan_ids in picked:
            its_plans = tuple(plan for plan_id, plan in plans.items() if plan_id in plan_ids)
            reported = tuple(plan for plan in its_plans if not run.parameters.excludes(plan.name, plan.id))
            subject = resource_subject(database.resource)
            if reported and subject is not None:
                yield Subject(*subject.key, PickedDatabase(database, its_plans, reported))

    def findings(self, subject: Subject[PickedDatabase], run: Run[Parameters]) -> Iterator[Finding]:
        database = subject.of.database
        if database.continuous_by_backup or any(rule.continuous for plan in subject.of.plans for rule in plan.rules):
            yield Note("AWS Backup manages this database's continuous backup, and keeps clear of its windows itself.")
            return
        windows = _windows(database, run.account)
        for plan in subject.of.reported:
            yield from conflicts(
                plan,
                plan.rules,
                windows,
                database.identifier,
                buffer_minutes=run.parameters.buffer_minutes,
                whole_start_window=run.parameters.whole_start_window,
                now=run.now,
            )


def _windows(database: Database, account: Account) -> tuple[Window, ...]:
    """The daily window, unless automated backups are off, and the weekly one."""
    try:
        daily = (
            [backup_window(database.backup_window)] if database.backup_window and database.retention_days != 0 else []
        )
        weekly = [maintenance_window(database.maintenance_window)] if database.maintenance_window else []
    except ValueError as error:
        raise ReadError(
            f"RDS in account {account.place.account}, {account.place.region} answered a window of"
            f" {database.identifier} that cannot be read: {error}",
            "MalformedAnswer",
        ) from error
    return (*daily, *weekly)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_RDS_WINDOW_CONFLICT()).handle(event, context)

"""No backup of a database is scheduled inside, or within an hour before, one of its RDS windows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from backup_rules.aws import backup, rds
from backup_rules.aws.account import Account
from backup_rules.aws.memory import gaps_noticed, remembered
from backup_rules.errors import ReadError
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import TRUE_OR_FALSE, ResourceParameters, parameter, whole_number
from backup_rules.evaluation.subjects import Subject, resource_subject
from backup_rules.plans.plans import Plan
from backup_rules.resources.databases import Database
from backup_rules.resources.resource_types import AURORA, RDS_INSTANCE
from backup_rules.schedules.window_conflicts import conflicts
from backup_rules.schedules.windows import Window, backup_window, maintenance_window
from backup_rules.selections.joining import ResourceTable
from backup_rules.selections.picking import alike
from backup_rules.shared_rules.window_rule import PickedWindows, WindowRule, note_missing
from backup_rules.wording.findings import Finding, Note, Problem


@dataclass(frozen=True)
class Parameters(ResourceParameters):
    """`buffer_minutes`: how long before a window no backup may start. `whole_start_window`: judge all of it."""

    buffer_minutes: int = parameter(whole_number(0, 1440), default=60)
    whole_start_window: bool = parameter(TRUE_OR_FALSE, default=False)


@dataclass(frozen=True)
class PickedDatabase:
    """A database, and the plans that pick it; `reported` without the excluded ones."""

    database: Database
    plans: tuple[Plan, ...]
    reported: tuple[Plan, ...]


class BACKUP_RDS_WINDOW_CONFLICT(WindowRule[PickedDatabase]):
    """Verdicts are about DB instances, and Multi-AZ, Neptune and DocumentDB clusters. Aurora has no such windows."""

    parameters_type = Parameters

    def subjects(self, invocation: Invocation[Parameters]) -> Iterator[Subject[PickedDatabase]]:
        for picked in _picked(invocation):
            subject = resource_subject(picked.database.resource)
            if picked.reported and subject is not None and not invocation.excludes_resource(picked.database.resource):
                yield Subject(*subject.key, picked)

    def findings(self, subject: Subject[PickedDatabase], invocation: Invocation[Parameters]) -> Iterator[Finding]:
        _plans(invocation)  # a plan or selection that cannot be read may pick this database, too
        picked = subject.of
        its = _windows_of(picked, invocation)
        if its.managed:
            yield Note(
                "AWS Backup manages this database's continuous backup and its daily window. Snapshots have to keep"
                " clear of the maintenance window all the same, and do."
            )
        problems = 0
        for plan in picked.reported:
            for each in conflicts(
                plan,
                filter(its.concerns, plan.rules),
                its.windows,
                its.name,
                buffer_minutes=its.buffer_minutes,
                whole_start_window=its.whole_start_window,
                now=invocation.now,
                further=problems > 0,
            ):
                problems += isinstance(each, Problem)
                yield each

    def windows(self, invocation: Invocation[Parameters]) -> Iterator[PickedWindows]:
        for picked in _picked(invocation):
            with suppress(ReadError):  # its verdict tells
                yield _windows_of(picked, invocation)


def _windows_of(picked: PickedDatabase, invocation: Invocation[Parameters]) -> PickedWindows:
    """The windows in which AWS Backup has to let the database alone.

    Raises:
        ReadError: AWS's answer has a window that cannot be read.
    """
    database = picked.database
    # Only instances have point-in-time recovery by AWS Backup: of a cluster, a continuous rule takes snapshots.
    managed = database.resource.type is RDS_INSTANCE and (
        database.continuous_by_backup or any(rule.continuous for plan in picked.plans for rule in plan.rules)
    )
    windows = _windows(database, invocation.account, managed=managed)
    plans = (plan.id for plan in picked.reported)
    return PickedWindows.of(database.identifier, plans, windows, invocation.parameters, managed=managed)


def _picked(invocation: Invocation[Parameters]) -> Iterator[PickedDatabase]:
    """The databases that plans pick."""
    by_plan = _databases_by_plan(invocation)
    plans = [(by_plan[plan_id], plan) for plan_id, plan in _plans(invocation).items()]
    for number, database in enumerate(rds.databases(invocation.account)):
        if database.resource.type is not AURORA:
            its_plans = tuple(plan for picked, plan in plans if picked >> number & 1)
            reported = tuple(plan for plan in its_plans if not invocation.excludes_plan(plan.name, plan.id))
            yield PickedDatabase(database, its_plans, reported)


@remembered
def _databases_by_plan(invocation: Invocation[Parameters]) -> dict[str, int]:
    """Which of the databases each plan picks, by the plan's id: see `joining`. Plans that pick none are left out."""
    with gaps_noticed():  # a database that cannot be read is its own matter
        table = ResourceTable(each.resource for each in rds.databases(invocation.account))
    found: dict[str, int] = {}
    for one, group in alike(backup.all_selections(invocation.account)).items():
        if picked := table.picked(one):
            for each in group:
                found[each.summary.plan_id] = found.get(each.summary.plan_id, 0) | picked
    return found


@remembered
def _plans(invocation: Invocation[Parameters]) -> dict[str, Plan]:
    """The plans that pick databases, by id."""
    account, wanted = invocation.account, _databases_by_plan(invocation)
    found = backup.plans(account, [each for each in backup.plan_summaries(account) if each.id in wanted])
    return {plan.id: plan for plan in found}


def _windows(database: Database, account: Account, *, managed: bool) -> tuple[Window, ...]:
    """The daily window, unless automated backups are off or AWS Backup has it in hand, and the weekly one."""
    operation = "DescribeDBInstances" if database.resource.type is RDS_INSTANCE else "DescribeDBClusters"
    has_daily = database.retention_days != 0 and not managed
    daily, weekly = database.backup_window if has_daily else None, database.maintenance_window
    if has_daily and database.retention_days:
        note_missing(account, "rds", operation, database.identifier, {"PreferredBackupWindow": daily})
    with account.calls.reading("rds", operation, database.identifier):
        windows = [backup_window(daily)] if daily else []
        return (*windows, maintenance_window(weekly)) if weekly else tuple(windows)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_RDS_WINDOW_CONFLICT()).handle(event, context)

"""Backup plans and their versions."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any

from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition

from aws_simulator.core.backup.selections import new_selection
from aws_simulator.core.backup.state import Document, Plan, Version, at, given, immutable, page_of, state_in, tag
from aws_simulator.core.operations import AwsError, Handler, Request, now
from aws_simulator.core.schedules import next_runs


def _new_plan(account: str, region: str, plan_id: str, document: Mapping[str, Any]) -> Plan:
    arn = f"arn:{get_partition(region)}:backup:{region}:{account}:backup-plan:{plan_id}"
    plan = Plan(plan_id, arn, None, [_new_version(document, {})])
    state_in(account, region).plans[plan_id] = plan
    return plan


def _new_version(document: Mapping[str, Any], rule_ids: Mapping[str, str]) -> Version:
    """A version of a plan; rules keep the id that a rule of their name had before."""
    stored = deepcopy(dict(document))
    for rule in stored.get("Rules") or []:
        rule.setdefault("RuleId", rule_ids.get(rule["RuleName"]) or str(mock_random.uuid4()))
    return Version(base64.b64encode(str(mock_random.uuid4()).encode()).decode(), now(), stored)


def _create_backup_plan(request: Request) -> Document:
    document: Document = request.parameters["BackupPlan"]
    for plan in at(request).plans.values():
        if plan.deleted is None and _without_rule_ids(plan.current.document) == document:
            raise AwsError("AlreadyExistsException", "Backup plan with the same plan document already exists")
    plan = _new_plan(request.account, request.region, str(mock_random.uuid4()), document)
    plan.creator_request_id = request.parameters.get("CreatorRequestId") or plan.plan_id
    tag(request, plan.arn, request.parameters.get("BackupPlanTags") or {})
    return _plan_head(plan) | _advanced_settings(plan)


def _without_rule_ids(document: Document) -> Document:
    rules = [{key: value for key, value in rule.items() if key != "RuleId"} for rule in document["Rules"]]
    return document | {"Rules": rules}


def _update_backup_plan(request: Request) -> Document:
    plan = _plan(request)
    if plan.made_by_organization:
        raise immutable(f"Backup plan cannot be updated for backup plan {plan.plan_id} created by organizations")
    rule_ids = {rule["RuleName"]: rule["RuleId"] for rule in plan.current.document["Rules"]}
    plan.versions.append(_new_version(request.parameters["BackupPlan"], rule_ids))
    return _plan_head(plan) | _advanced_settings(plan)


def _get_backup_plan(request: Request) -> Document:
    plan = _plan(request, deleted=True)
    version_id = request.parameters.get("VersionId") or plan.current.version_id
    version = next((each for each in plan.versions if each.version_id == version_id), None)
    if version is None:
        raise _no_plan()
    answer = _plan_head(plan) | _advanced_settings(plan) | {"BackupPlan": version.document}
    answer |= {"VersionId": version.version_id, "CreationDate": version.created}
    count = int(request.parameters.get("MaxScheduledRunsPreview") or 0)
    if not 0 <= count <= 10:
        raise AwsError("InvalidParameterValueException", "MaxScheduledRunsPreview must be between 0 and 10")
    if count:
        answer["ScheduledRunsPreview"] = _preview(version.document, count)
    return answer


def _preview(document: Document, count: int) -> list[Document]:
    """The next runs of all rules, soonest first. AWS merges runs whose start windows overlap; here all are shown."""
    runs = [
        {
            "ExecutionTime": run,
            "RuleId": rule["RuleId"],
            "RuleExecutionType": "CONTINUOUS_AND_SNAPSHOTS" if rule.get("EnableContinuousBackup") else "SNAPSHOTS",
        }
        for rule in document["Rules"]
        for run in next_runs(
            rule.get("ScheduleExpression") or "cron(0 5 ? * * *)",
            rule.get("ScheduleExpressionTimezone") or "Etc/UTC",
            now(),
            count,
        )
    ]
    return sorted(runs, key=lambda run: run["ExecutionTime"])[:count]


def _list_backup_plans(request: Request) -> Document:
    with_deleted = bool(request.parameters.get("IncludeDeleted"))
    plans = [each for each in at(request).plans.values() if with_deleted or each.deleted is None]
    listed, token = page_of(plans, request)
    members = [
        _plan_head(each) | _advanced_settings(each) | {"BackupPlanName": each.current.document["BackupPlanName"]}
        for each in listed
    ]
    return {"BackupPlansList": members, "NextToken": token}


def _list_backup_plan_versions(request: Request) -> Document:
    plan = _plan(request, deleted=True)
    listed, token = page_of(list(reversed(plan.versions)), request)
    members = [
        _plan_head(plan)
        | {"VersionId": each.version_id, "CreationDate": each.created}
        | {"BackupPlanName": each.document["BackupPlanName"]}
        for each in listed
    ]
    return {"BackupPlanVersionsList": members, "NextToken": token}


def _delete_backup_plan(request: Request) -> Document:
    plan = _plan(request)
    if plan.made_by_organization:
        raise immutable(f"Backup plan cannot be deleted for backup plan {plan.plan_id} created by organizations")
    if plan.selections:
        raise AwsError(
            "InvalidRequestException", "Related backup plan selections must be deleted prior to backup plan deletion"
        )
    plan.deleted = now()
    return _plan_head(plan)


def _plan_head(plan: Plan) -> Document:
    return given(
        BackupPlanId=plan.plan_id,
        BackupPlanArn=plan.arn,
        VersionId=plan.current.version_id,
        CreationDate=plan.current.created,
        CreatorRequestId=plan.creator_request_id,
        DeletionDate=plan.deleted,
        LastExecutionDate=plan.last_execution,
    )


def _advanced_settings(plan: Plan) -> Document:
    return given(AdvancedBackupSettings=plan.current.document.get("AdvancedBackupSettings"))


def _plan(request: Request, *, deleted: bool = False) -> Plan:
    plan = at(request).plans.get(request.text("BackupPlanId"))
    if plan is None or (plan.deleted is not None and not deleted):
        raise _no_plan()
    return plan


def _no_plan() -> AwsError:
    return AwsError("ResourceNotFoundException", "Failed reading Backup plan with provided version")


def add_plan(  # noqa: PLR0913 - what a plan is made of
    account: str,
    region: str,
    plan: Mapping[str, Any],
    *,
    plan_id: str,
    selections: Sequence[Mapping[str, Any]] = (),
    creator_request_id: str | None = None,
) -> list[str]:
    """A plan that AWS makes itself: `orgs/<uuid>` for an organization's policy, `aws/efs/<uuid>` for Amazon EFS.

    Adding a plan of the same id again is an update: a new version, with the given selections instead of the old ones.

    Args:
        account: where the plan appears.
        region: where the plan appears.
        plan: `BackupPlanName` and `Rules`, as for `CreateBackupPlan`; a rule may bring its `RuleId`.
        plan_id: the whole id, with its prefix.
        selections: `SelectionName`, `IamRoleArn` and so on, as for `CreateBackupSelection`.
        creator_request_id: what `ListBackupPlans` says of who made it.

    Returns:
        The ids of the selections.
    """
    existing = state_in(account, region).plans.get(plan_id)
    if existing is None:
        stored = _new_plan(account, region, plan_id, plan)
    else:
        stored = existing
        rule_ids = {rule["RuleName"]: rule["RuleId"] for rule in stored.current.document["Rules"]}
        stored.versions.append(_new_version(plan, rule_ids))
        stored.selections.clear()
        stored.deleted = None
    stored.creator_request_id = creator_request_id
    return [new_selection(stored, each).selection_id for each in selections]


def remove_plan(account: str, region: str, plan_id: str) -> None:
    """Ends a plan with its selections, as AWS does when an organization's policy no longer names it."""
    plan = _existing_plan(account, region, plan_id)
    plan.selections.clear()
    plan.deleted = now()


def set_last_execution(account: str, region: str, plan_id: str, instant: datetime) -> None:
    """When the plan last ran, as `GetBackupPlan` and `ListBackupPlans` tell it."""
    _existing_plan(account, region, plan_id).last_execution = instant


def _existing_plan(account: str, region: str, plan_id: str) -> Plan:
    plans = state_in(account, region).plans
    if plan_id not in plans:
        raise ValueError(f"{account} has no backup plan {plan_id!r} in {region}; it has {sorted(plans)}")
    return plans[plan_id]


HANDLERS: dict[str, Handler] = {
    "CreateBackupPlan": _create_backup_plan,
    "UpdateBackupPlan": _update_backup_plan,
    "GetBackupPlan": _get_backup_plan,
    "ListBackupPlans": _list_backup_plans,
    "ListBackupPlanVersions": _list_backup_plan_versions,
    "DeleteBackupPlan": _delete_backup_plan,
}

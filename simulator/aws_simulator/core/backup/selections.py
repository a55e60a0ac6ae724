"""Backup selections: what a plan backs up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.moto_api._internal import mock_random

from aws_simulator.core.backup.state import Document, Plan, Selection, at, given, immutable, page_of
from aws_simulator.core.operations import AwsError, Handler, Request, now

_LARGEST = {"resources": 500, "wildcards": 30, "tags": 30, "conditions": 30, "selections": 100}
"""https://docs.aws.amazon.com/aws-backup/latest/devguide/aws-backup-limits.html"""


@dataclass(slots=True)
class _Switches:
    roles_checked: bool = False


_switches = _Switches()


@contextmanager
def roles_checked() -> Iterator[None]:
    """`CreateBackupSelection` refuses roles that do not exist or do not name AWS Backup in their trust policy.

    AWS does so when the selection is made; roles that break afterwards are what the rules look for, and are easier to
    set up without the check.
    """
    before, _switches.roles_checked = _switches.roles_checked, True
    try:
        yield
    finally:
        _switches.roles_checked = before


def _create_backup_selection(request: Request) -> Document:
    plan = _plan_of_selection(request)
    if plan.made_by_organization:
        raise immutable(f"Cannot create selection for backup plan {plan.plan_id} created by organizations")
    document: Document = request.parameters["BackupSelection"]
    _check_selection(document)
    if len(plan.selections) >= _LARGEST["selections"]:
        raise AwsError("LimitExceededException", f"A backup plan has at most {_LARGEST['selections']} selections")
    if _switches.roles_checked:
        _check_role(request, str(document["IamRoleArn"]))
    selection = new_selection(plan, document)
    selection.creator_request_id = request.parameters.get("CreatorRequestId")
    return {"SelectionId": selection.selection_id, "BackupPlanId": plan.plan_id, "CreationDate": selection.created}


def new_selection(plan: Plan, document: Mapping[str, Any], selection_id: str | None = None) -> Selection:
    """Stores a selection; AWS answers with all of its lists, empty ones too."""
    conditions: Document = {kind: [] for kind in ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")}
    complete = {"Resources": [], "NotResources": [], "ListOfTags": []} | deepcopy(dict(document))
    complete["Conditions"] = conditions | (complete.get("Conditions") or {})
    for tag in complete["ListOfTags"]:
        tag["ConditionType"] = str(tag["ConditionType"]).upper()
    selection = Selection(selection_id or str(mock_random.uuid4()), now(), None, complete)
    plan.selections[selection.selection_id] = selection
    return selection


def _check_selection(document: Document) -> None:
    resources, tags = document.get("Resources") or [], document.get("ListOfTags") or []
    if not resources and not tags:
        raise _invalid_selection("Either 'ListOfTags' or 'Resources' section must be non-empty.")
    if not re.fullmatch(r"[a-zA-Z0-9\-_.]{1,50}", document["SelectionName"]):
        raise _invalid_selection("SelectionName must contain 1 to 50 alphanumeric or '-_.' characters.")
    for name in ("Resources", "NotResources"):
        arns = document.get(name) or []
        wildcards = [arn for arn in arns if "*" in arn]
        if len(arns) > _LARGEST["resources"] or len(wildcards) > _LARGEST["wildcards"]:
            raise _invalid_selection(
                f"'{name}' has at most {_LARGEST['resources']} ARNs, {_LARGEST['wildcards']} of them with wildcards."
            )
    if len(tags) > _LARGEST["tags"]:
        raise _invalid_selection(f"'ListOfTags' has at most {_LARGEST['tags']} tags.")
    # CloudFormation and the guide's examples write `StringEquals`.
    other = next((tag["ConditionType"] for tag in tags if tag["ConditionType"].upper() != "STRINGEQUALS"), None)
    if other is not None:
        raise _invalid_selection(f"ConditionType must be STRINGEQUALS, not {other}.")
    if sum(len(each) for each in (document.get("Conditions") or {}).values()) > _LARGEST["conditions"]:
        raise _invalid_selection(f"'Conditions' has at most {_LARGEST['conditions']} conditions.")


def _invalid_selection(reason: str) -> AwsError:
    return AwsError("InvalidParameterValueException", f"Invalid backup selection. {reason}")


def _check_role(request: Request, arn: str) -> None:
    try:
        role = iam_backends[request.account][request.partition].get_role_by_arn(arn)
    except NotFoundException:
        role = None
    if role is None or "backup.amazonaws.com" not in role.assume_role_policy_document:
        raise AwsError("InvalidParameterValueException", f"IAM Role {arn} cannot be assumed by AWS Backup")


def _get_backup_selection(request: Request) -> Document:
    selection = _selection(request)
    return given(
        BackupSelection=selection.document,
        SelectionId=selection.selection_id,
        BackupPlanId=request.text("BackupPlanId"),
        CreationDate=selection.created,
        CreatorRequestId=selection.creator_request_id,
    )


def _list_backup_selections(request: Request) -> Document:
    plan = _plan_of_selection(request)
    listed, token = page_of(list(plan.selections.values()), request)
    members = [
        given(
            SelectionId=each.selection_id,
            SelectionName=each.document["SelectionName"],
            BackupPlanId=plan.plan_id,
            CreationDate=each.created,
            CreatorRequestId=each.creator_request_id,
            IamRoleArn=each.document["IamRoleArn"],
        )
        for each in listed
    ]
    return {"BackupSelectionsList": members, "NextToken": token}


def _delete_backup_selection(request: Request) -> Document:
    plan, selection = _plan_of_selection(request), _selection(request)
    if plan.made_by_organization:
        raise immutable(f"Cannot delete selection for backup plan {plan.plan_id} created by organizations")
    del plan.selections[selection.selection_id]
    return {}


def _plan_of_selection(request: Request) -> Plan:
    plan_id = request.text("BackupPlanId")
    plan = at(request).plans.get(plan_id)
    if plan is None or plan.deleted is not None:
        raise AwsError("InvalidParameterValueException", f"Cannot find Backup plan with ID {plan_id}")
    return plan


def _selection(request: Request) -> Selection:
    selection_id = request.text("SelectionId")
    selection = _plan_of_selection(request).selections.get(selection_id)
    if selection is None:
        raise AwsError("ResourceNotFoundException", f"Cannot find Backup selection with ID {selection_id}")
    return selection


HANDLERS: dict[str, Handler] = {
    "CreateBackupSelection": _create_backup_selection,
    "GetBackupSelection": _get_backup_selection,
    "ListBackupSelections": _list_backup_selections,
    "DeleteBackupSelection": _delete_backup_selection,
}

"""CloudFormation's operations on change sets.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aws_simulator.core.operations import AwsError, Handler, Request, now
from aws_simulator.deployment.cloudformation.asked import given_parameters, stack_of, template_of
from aws_simulator.deployment.cloudformation.stack_api import ENGINE, check_updatable, differs, new_stack, run_update
from aws_simulator.deployment.cloudformation.stacks import Stack, StackFailedError, state_of
from aws_simulator.deployment.cloudformation.templates import Document, parameter_values, parse, refused


@dataclass
class ChangeSet:
    """Changes of a stack that wait to be executed. A failed one has nothing to execute."""

    name: str
    id: str
    stack: Stack
    kind: str
    template_text: str
    given: dict[str, str]
    created: datetime
    request: Mapping[str, Any]
    changes: list[Document] = field(default_factory=list)
    status: str = "CREATE_COMPLETE"
    execution: str = "AVAILABLE"
    reason: str | None = None


def _create_change_set(request: Request) -> Document:
    state = state_of(request.account, request.region)
    name, kind = request.text("ChangeSetName"), request.parameters.get("ChangeSetType", "UPDATE")
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
        raise refused(f"Invalid change set name: {name}")
    existing = _existing(request)
    if kind == "CREATE":
        if existing is not None and existing.status != "REVIEW_IN_PROGRESS":
            raise refused(f"Stack [{existing.name}] already exists and cannot be created again with the changeSet.")
        text, given = template_of(request), given_parameters(request)
        ENGINE.check(parse(text), given, request.parameters.get("Capabilities") or [])
        stack = existing or new_stack(request, text, given)
        if existing is None:
            stack.note("REVIEW_IN_PROGRESS", "User Initiated")
    else:
        if existing is None:
            raise refused(f"Stack [{request.text('StackName')}] does not exist")
        stack = existing
        check_updatable(stack)
        text, given = template_of(request, stack), given_parameters(request, stack.given)
        ENGINE.check(parse(text), given, request.parameters.get("Capabilities") or [])
    identity = f"{stack.id.rpartition(':stack/')[0]}:changeSet/{name}/{uuid.uuid4()}"
    made = ChangeSet(name, identity, stack, kind, text, given, now(), request.parameters)
    made.changes = _changes(stack, parse(text), given, kind)
    tags = request.parameters.get("Tags")
    same_tags = tags is None or [dict(tag) for tag in tags] == stack.tags
    if kind == "UPDATE" and not differs(stack, text, given) and same_tags:
        made.status, made.execution = "FAILED", "UNAVAILABLE"
        made.reason = (
            "The submitted information didn't contain changes. Submit different information to create a change set."
        )
    state.change_sets[identity] = made
    return {"Id": identity, "StackId": stack.id}


def _existing(request: Request) -> Stack | None:
    try:
        stack = stack_of(request)
    except AwsError:
        return None
    return None if stack.deleted is not None else stack


def _changes(stack: Stack, template: Document, given: Mapping[str, str], kind: str) -> list[Document]:
    """The resources to add, those to remove, and those whose text or whose parameters differ."""
    new, old = template["Resources"], {} if kind == "CREATE" else stack.template["Resources"]
    other_values = kind == "CREATE" or parameter_values(template, given) != parameter_values(
        stack.template, stack.given
    )
    changes = []
    for name in sorted({*new, *old}):
        if name not in old:
            action, declared = "Add", new[name]
        elif name not in new:
            action, declared = "Remove", old[name]
        elif new[name] != old[name] or other_values:
            action, declared = "Modify", new[name]
        else:
            continue
        change = {"Action": action, "LogicalResourceId": name, "ResourceType": declared["Type"]}
        if name in stack.resources:
            change["PhysicalResourceId"] = stack.resources[name].made.id
        changes.append({"Type": "Resource", "ResourceChange": change})
    return changes


def change_set_of(request: Request) -> ChangeSet:
    """The change set that the request names, by id or by name and stack.

    Raises:
        AwsError: ChangeSetNotFound.
    """
    state, name = state_of(request.account, request.region), request.text("ChangeSetName")
    if name in state.change_sets:
        return state.change_sets[name]  # type: ignore[no-any-return]  # the state names no type of this module
    wanted = request.parameters.get("StackName")
    for each in reversed(state.change_sets.values()):
        if each.name == name and wanted in {None, each.stack.name, each.stack.id}:
            return each  # type: ignore[no-any-return]  # as above
    raise AwsError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)


def _describe_change_set(request: Request) -> Document:
    made = change_set_of(request)
    document = {
        "ChangeSetName": made.name,
        "ChangeSetId": made.id,
        "StackId": made.stack.id,
        "StackName": made.stack.name,
        "Description": made.request.get("Description"),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in made.given.items()],
        "CreationTime": made.created,
        "ExecutionStatus": made.execution,
        "Status": made.status,
        "StatusReason": made.reason,
        "Capabilities": made.request.get("Capabilities") or [],
        "Tags": made.request.get("Tags") or [],
        "Changes": made.changes,
        "ChangeSetType": made.kind,
    }
    return {name: value for name, value in document.items() if value is not None}


def _execute_change_set(request: Request) -> Document:
    made = change_set_of(request)
    if made.execution != "AVAILABLE":
        raise AwsError(
            "InvalidChangeSetStatus",
            f"ChangeSet [{made.id}] cannot be executed in its current status of [{made.status}]",
        )
    stack = made.stack
    tags = made.request.get("Tags")
    if tags is not None:
        stack.tags = [dict(tag) for tag in tags]
    stack.capabilities = list(made.request.get("Capabilities") or [])
    made.execution = "EXECUTE_COMPLETE"
    if made.kind == "CREATE":
        stack.template_text, stack.given = made.template_text, made.given
        stack.disable_rollback = made.request.get("OnStackFailure") == "DO_NOTHING"
        try:
            ENGINE.create(stack)
        except StackFailedError:
            return {}  # the stack's status tells
    else:
        run_update(stack, made.template_text, made.given)
    return {}


def _delete_change_set(request: Request) -> Document:
    try:
        made = change_set_of(request)
    except AwsError:
        return {}
    state_of(request.account, request.region).change_sets.pop(made.id)
    return {}


def _list_change_sets(request: Request) -> Document:
    stack = stack_of(request)
    summaries = [
        {
            "StackId": stack.id,
            "StackName": stack.name,
            "ChangeSetId": each.id,
            "ChangeSetName": each.name,
            "ExecutionStatus": each.execution,
            "Status": each.status,
            "CreationTime": each.created,
        }
        for each in state_of(request.account, request.region).change_sets.values()
        if each.stack is stack
    ]
    return {"Summaries": summaries}


HANDLERS: Mapping[str, Handler] = {
    "CreateChangeSet": _create_change_set,
    "DeleteChangeSet": _delete_change_set,
    "DescribeChangeSet": _describe_change_set,
    "ExecuteChangeSet": _execute_change_set,
    "ListChangeSets": _list_change_sets,
}

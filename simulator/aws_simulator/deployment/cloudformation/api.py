"""CloudFormation's operations: stacks, change sets, exports.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlparse

from botocore.exceptions import ClientError

from aws_simulator.core.operations import AwsError, Handler, Paging, Request, now, page
from aws_simulator.deployment.cloudformation import clients
from aws_simulator.deployment.cloudformation.stacks import (
    Engine,
    Event,
    Resource,
    Stack,
    StackFailedError,
    stack_id,
    state_of,
)
from aws_simulator.deployment.cloudformation.templates import (
    MAX_BODY_BYTES,
    Document,
    as_text,
    parameter_values,
    parse,
    refused,
    resource_types,
)
from aws_simulator.deployment.cloudformation.types import type_of

MAX_OBJECT_BYTES = 1_048_576
_UPDATABLE = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "ROLLBACK_FAILED"}
)
_PAGING = Paging(size_parameter=None, largest=100, refusal="ValidationError")

_engine = Engine(type_of)


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


# --- What a request asks for ----------------------------------------------------------------------------------------


def template_of(request: Request, stack: Stack | None = None, *, previous: bool = False) -> str:
    """The text of the template that the request brings, points to, or wants kept.

    Raises:
        AwsError: ValidationError: none, too large, or an object that cannot be read.
    """
    given = request.parameters
    if given.get("TemplateBody"):
        body = request.text("TemplateBody")
        if len(body.encode()) > MAX_BODY_BYTES:
            raise refused(
                f"1 validation error detected: Value '{body}' at 'templateBody' failed to satisfy constraint: "
                f"Member must have length less than or equal to {MAX_BODY_BYTES}"
            )
        return body
    if given.get("TemplateURL"):
        return _object_at(request)
    if stack is not None and (given.get("UsePreviousTemplate") or previous):
        return stack.template_text
    raise refused("Either Template URL or Template Body must be specified.")


def _object_at(request: Request) -> str:
    url = urlparse(request.text("TemplateURL"))
    path = unquote(url.path).lstrip("/")
    virtual = re.fullmatch(r"(?P<bucket>.+)\.s3[.-].*amazonaws\.com(\.cn)?", url.netloc)
    bucket, key = (virtual["bucket"], path) if virtual else (path.partition("/")[0], path.partition("/")[2])
    try:
        answer = clients.call(request.account, request.region, "s3", "get_object", {"Bucket": bucket, "Key": key})
    except ClientError as error:
        raise refused(f"S3 error: {error.response['Error']['Message']}") from error
    text: bytes = answer["Body"].read()
    if len(text) > MAX_OBJECT_BYTES:
        raise refused(f"Template may not exceed {MAX_OBJECT_BYTES} bytes in size.")
    return text.decode()


def given_parameters(request: Request, previous: Mapping[str, str] | None = None) -> dict[str, str]:
    """The parameters of a request; those with UsePreviousValue come from what the stack has."""
    given = {}
    for each in request.parameters.get("Parameters") or []:
        key = each["ParameterKey"]
        if not each.get("UsePreviousValue"):
            given[key] = each.get("ParameterValue", "")
        elif previous is not None and key in previous:
            given[key] = previous[key]
        elif previous is None:
            raise refused(f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for it")
    return given


def _find(request: Request, name: str = "StackName") -> Stack:
    return state_of(request.account, request.region).stack(request.text(name))


# --- Stacks ---------------------------------------------------------------------------------------------------------


def _new_stack(request: Request, text: str, given: Mapping[str, str]) -> Stack:
    name = request.text("StackName")
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
        raise refused(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    identity = stack_id(request.account, request.region, name)
    tags = [dict(tag) for tag in request.parameters.get("Tags") or []]
    stack = Stack(name, identity, request.account, request.region, text, dict(given), now(), tags)
    stack.capabilities = list(request.parameters.get("Capabilities") or [])
    state_of(request.account, request.region).stacks[identity] = stack
    return stack


def _create_stack(request: Request) -> Document:
    text, given = template_of(request), given_parameters(request)
    state = state_of(request.account, request.region)
    name = request.text("StackName")
    if any(stack.name == name and stack.deleted is None for stack in state.stacks.values()):
        raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
    _engine.check(parse(text), given, request.parameters.get("Capabilities") or [])
    stack = _new_stack(request, text, given)
    stack.protected = bool(request.parameters.get("EnableTerminationProtection"))
    on_failure = request.parameters.get("OnFailure")
    stack.disable_rollback = bool(request.parameters.get("DisableRollback")) or on_failure == "DO_NOTHING"
    try:
        _engine.create(stack)
    except StackFailedError:
        if on_failure == "DELETE":
            stack.note("DELETE_COMPLETE")
            stack.deleted = now()
    return {"StackId": stack.id}


def _update_stack(request: Request) -> Document:
    stack = _find(request)
    _check_updatable(stack)
    text, given = template_of(request, stack), given_parameters(request, stack.given)
    _engine.check(parse(text), given, request.parameters.get("Capabilities") or [])
    tags = request.parameters.get("Tags")
    same_tags = tags is None or [dict(tag) for tag in tags] == stack.tags
    if not _differs(stack, text, given) and same_tags:
        raise refused("No updates are to be performed.")
    if tags is not None:
        stack.tags = [dict(tag) for tag in tags]
    stack.capabilities = list(request.parameters.get("Capabilities") or [])
    _run_update(stack, text, given)
    return {"StackId": stack.id}


def _differs(stack: Stack, text: str, given: Mapping[str, str]) -> bool:
    new, old = parse(text), stack.template
    return new != old or parameter_values(new, given) != parameter_values(old, stack.given)


def _run_update(stack: Stack, text: str, given: Mapping[str, str]) -> None:
    try:
        _engine.update(stack, text, given)
    except StackFailedError:
        return  # the stack's status tells


def _check_updatable(stack: Stack) -> None:
    if stack.deleted is not None:
        raise refused(f"Stack [{stack.name}] does not exist")
    if stack.status not in _UPDATABLE:
        raise refused(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def _delete_stack(request: Request) -> Document:
    state, name = state_of(request.account, request.region), request.text("StackName")
    try:
        stack = state.stack(name)
    except AwsError:
        return {}  # deleting what is not there succeeds
    if stack.deleted is not None:
        return {}
    if stack.protected:
        raise refused(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    try:
        _engine.delete(stack, retain=request.parameters.get("RetainResources") or ())
    except StackFailedError:
        return {}  # the stack's status tells
    for identity in [each.id for each in state.change_sets.values() if each.stack is stack]:
        del state.change_sets[identity]
    return {}


def _set_protection(request: Request) -> Document:
    stack = _find(request)
    stack.protected = bool(request.parameters.get("EnableTerminationProtection"))
    return {"StackId": stack.id}


# --- Looking at stacks ----------------------------------------------------------------------------------------------


def _describe_stacks(request: Request) -> Document:
    state = state_of(request.account, request.region)
    if request.parameters.get("StackName"):
        return {"Stacks": [_stack_document(_find(request))]}
    stacks = [stack for stack in state.stacks.values() if stack.deleted is None]
    return _listed("Stacks", [_stack_document(stack) for stack in stacks], request)


def _stack_document(stack: Stack) -> Document:
    declared: Mapping[str, Document] = stack.template.get("Parameters") or {}
    values = {name: stack.given.get(name, as_text(each.get("Default", ""))) for name, each in declared.items()}
    document = {
        "StackId": stack.id,
        "StackName": stack.name,
        "Description": stack.template.get("Description"),
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": "****" if declared[name].get("NoEcho") else value}
            for name, value in values.items()
        ],
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "DisableRollback": stack.disable_rollback,
        "NotificationARNs": [],
        "Capabilities": stack.capabilities,
        "Outputs": stack.outputs,
        "Tags": stack.tags,
        "EnableTerminationProtection": stack.protected,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    return {name: value for name, value in document.items() if value is not None}


def _list_stacks(request: Request) -> Document:
    wanted = request.parameters.get("StackStatusFilter")
    summaries = [
        {
            "StackId": stack.id,
            "StackName": stack.name,
            "CreationTime": stack.created,
            "StackStatus": stack.status,
            **({"StackStatusReason": stack.reason} if stack.reason else {}),
            **({"LastUpdatedTime": stack.updated} if stack.updated else {}),
            **({"DeletionTime": stack.deleted} if stack.deleted else {}),
        }
        for stack in state_of(request.account, request.region).stacks.values()
        if not wanted or stack.status in wanted
    ]
    return _listed("StackSummaries", summaries, request)


def _describe_stack_events(request: Request) -> Document:
    stack = _find(request)
    return _listed("StackEvents", [_event_document(stack, event) for event in stack.events[::-1]], request)


def _event_document(stack: Stack, event: Event) -> Document:
    document = {
        "StackId": stack.id,
        "StackName": stack.name,
        "EventId": event.id,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.type,
        "Timestamp": event.time,
        "ResourceStatus": event.status,
    }
    return document | ({"ResourceStatusReason": event.reason} if event.reason else {})


def _describe_stack_resources(request: Request) -> Document:
    wanted = request.parameters.get("LogicalResourceId")
    if request.parameters.get("StackName"):
        stack = _find(request)
    else:
        stack = _owner(request, request.text("PhysicalResourceId"))
    resources = [each for each in stack.resources.values() if wanted in {None, each.logical_id}]
    return {"StackResources": [_resource_document(stack, each, "Timestamp") for each in resources]}


def _owner(request: Request, physical_id: str) -> Stack:
    for stack in state_of(request.account, request.region).stacks.values():
        if any(resource.made.id == physical_id for resource in stack.resources.values()):
            return stack
    raise refused(f"Stack for {physical_id} does not exist")


def _describe_stack_resource(request: Request) -> Document:
    stack, wanted = _find(request), request.text("LogicalResourceId")
    if wanted not in stack.resources:
        raise refused(f"Resource {wanted} does not exist for stack {stack.name}")
    return {"StackResourceDetail": _resource_document(stack, stack.resources[wanted], "LastUpdatedTimestamp")}


def _list_stack_resources(request: Request) -> Document:
    stack = _find(request)
    summaries = []
    for each in stack.resources.values():
        document = _resource_document(stack, each, "LastUpdatedTimestamp")
        summaries.append({name: value for name, value in document.items() if name not in {"StackId", "StackName"}})
    return _listed("StackResourceSummaries", summaries, request)


def _resource_document(stack: Stack, resource: Resource, time: str) -> Document:
    document = {
        "StackName": stack.name,
        "StackId": stack.id,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.made.id,
        "ResourceType": resource.type,
        time: resource.changed,
        "ResourceStatus": resource.status,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }
    return document | ({"ResourceStatusReason": resource.reason} if resource.reason else {})


def _get_template(request: Request) -> Document:
    state = state_of(request.account, request.region)
    named = request.parameters.get("ChangeSetName")
    text = _change_set(request).template_text if named else state.stack(request.text("StackName")).template_text
    return {"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]}


def _template_summary(request: Request) -> Document:
    text = _find(request).template_text if request.parameters.get("StackName") else template_of(request)
    template = parse(text)
    return {
        "Parameters": _declared(template),
        "Description": template.get("Description", ""),
        "Capabilities": _capabilities(template),
        "ResourceTypes": list(resource_types(template)),
    } | ({"Version": template["AWSTemplateFormatVersion"]} if "AWSTemplateFormatVersion" in template else {})


def _declared(template: Document) -> list[Document]:
    return [
        {
            "ParameterKey": name,
            "ParameterType": each.get("Type", "String"),
            "NoEcho": bool(each.get("NoEcho", False)),
            **({"DefaultValue": as_text(each["Default"])} if "Default" in each else {}),
            **({"Description": each["Description"]} if "Description" in each else {}),
            "ParameterConstraints": {"AllowedValues": [as_text(value) for value in each.get("AllowedValues", [])]},
        }
        for name, each in (template.get("Parameters") or {}).items()
    ]


def _capabilities(template: Document) -> list[str]:
    try:
        _engine.check(template, _placeholders(template), [])
    except AwsError as error:
        if error.code == "InsufficientCapabilitiesException":
            return re.findall(r"CAPABILITY_\w+", error.message)
        raise
    return []


def _placeholders(template: Document) -> dict[str, str]:
    """A value for each parameter without default, so that the rest of the template can be looked at."""
    missing = {}
    for name, each in (template.get("Parameters") or {}).items():
        if "Default" not in each:
            missing[name] = as_text(each["AllowedValues"][0]) if each.get("AllowedValues") else "0"
            each.pop("AllowedPattern", None)
            each.pop("MinLength", None)
    return missing


def _validate_template(request: Request) -> Document:
    template = parse(template_of(request))
    capabilities = _capabilities(template)
    parameters = [
        {
            "ParameterKey": each["ParameterKey"],
            "DefaultValue": each.get("DefaultValue", ""),
            "NoEcho": each["NoEcho"],
            "Description": each.get("Description", ""),
        }
        for each in _declared(template)
    ]
    return {
        "Parameters": parameters,
        "Description": template.get("Description", ""),
        "Capabilities": capabilities,
        "DeclaredTransforms": [],
    }


def _list_exports(request: Request) -> Document:
    exports = state_of(request.account, request.region).exports()
    return _listed(
        "Exports",
        [{"ExportingStackId": owner, "Name": name, "Value": value} for name, (owner, value) in exports.items()],
        request,
    )


def _listed(name: str, items: list[Document], request: Request) -> Document:
    shown, token = page(items, request, _PAGING)
    return {name: shown} | ({"NextToken": token} if token else {})


# --- Change sets ----------------------------------------------------------------------------------------------------


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
        _engine.check(parse(text), given, request.parameters.get("Capabilities") or [])
        stack = existing or _new_stack(request, text, given)
        if existing is None:
            stack.note("REVIEW_IN_PROGRESS", "User Initiated")
    else:
        if existing is None:
            raise refused(f"Stack [{request.text('StackName')}] does not exist")
        stack = existing
        _check_updatable(stack)
        text, given = template_of(request, stack), given_parameters(request, stack.given)
        _engine.check(parse(text), given, request.parameters.get("Capabilities") or [])
    identity = f"{stack.id.rpartition(':stack/')[0]}:changeSet/{name}/{uuid.uuid4()}"
    made = ChangeSet(name, identity, stack, kind, text, given, now(), request.parameters)
    made.changes = _changes(stack, parse(text), given, kind)
    tags = request.parameters.get("Tags")
    same_tags = tags is None or [dict(tag) for tag in tags] == stack.tags
    if kind == "UPDATE" and not _differs(stack, text, given) and same_tags:
        made.status, made.execution = "FAILED", "UNAVAILABLE"
        made.reason = (
            "The submitted information didn't contain changes. Submit different information to create a change set."
        )
    state.change_sets[identity] = made
    return {"Id": identity, "StackId": stack.id}


def _existing(request: Request) -> Stack | None:
    try:
        stack = _find(request)
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


def _change_set(request: Request) -> ChangeSet:
    state, name = state_of(request.account, request.region), request.text("ChangeSetName")
    if name in state.change_sets:
        return state.change_sets[name]  # type: ignore[no-any-return]  # the state names no type of this module
    wanted = request.parameters.get("StackName")
    for each in reversed(state.change_sets.values()):
        if each.name == name and wanted in {None, each.stack.name, each.stack.id}:
            return each  # type: ignore[no-any-return]  # as above
    raise AwsError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)


def _describe_change_set(request: Request) -> Document:
    made = _change_set(request)
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
    made = _change_set(request)
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
            _engine.create(stack)
        except StackFailedError:
            return {}  # the stack's status tells
    else:
        _run_update(stack, made.template_text, made.given)
    return {}


def _delete_change_set(request: Request) -> Document:
    try:
        made = _change_set(request)
    except AwsError:
        return {}
    state_of(request.account, request.region).change_sets.pop(made.id)
    return {}


def _list_change_sets(request: Request) -> Document:
    stack = _find(request)
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
    "CreateStack": _create_stack,
    "DeleteChangeSet": _delete_change_set,
    "DeleteStack": _delete_stack,
    "DescribeChangeSet": _describe_change_set,
    "DescribeStackEvents": _describe_stack_events,
    "DescribeStackResource": _describe_stack_resource,
    "DescribeStackResources": _describe_stack_resources,
    "DescribeStacks": _describe_stacks,
    "ExecuteChangeSet": _execute_change_set,
    "GetTemplate": _get_template,
    "GetTemplateSummary": _template_summary,
    "ListChangeSets": _list_change_sets,
    "ListExports": _list_exports,
    "ListStackResources": _list_stack_resources,
    "ListStacks": _list_stacks,
    "UpdateStack": _update_stack,
    "UpdateTerminationProtection": _set_protection,
    "ValidateTemplate": _validate_template,
}

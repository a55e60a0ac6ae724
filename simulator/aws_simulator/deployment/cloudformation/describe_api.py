"""CloudFormation's operations that look at stacks, templates and exports.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from aws_simulator.core.operations import AwsError, Handler, Paging, Request, page
from aws_simulator.deployment.cloudformation.asked import stack_of, template_of
from aws_simulator.deployment.cloudformation.change_set_api import change_set_of
from aws_simulator.deployment.cloudformation.stack_api import ENGINE
from aws_simulator.deployment.cloudformation.stacks import Event, Resource, Stack, state_of
from aws_simulator.deployment.cloudformation.templates import Document, as_text, parse, refused, resource_types

_PAGING = Paging(size_parameter=None, largest=100, refusal="ValidationError")


def _describe_stacks(request: Request) -> Document:
    state = state_of(request.account, request.region)
    if request.parameters.get("StackName"):
        return {"Stacks": [_stack_document(stack_of(request))]}
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
    stack = stack_of(request)
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
        stack = stack_of(request)
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
    stack, wanted = stack_of(request), request.text("LogicalResourceId")
    if wanted not in stack.resources:
        raise refused(f"Resource {wanted} does not exist for stack {stack.name}")
    return {"StackResourceDetail": _resource_document(stack, stack.resources[wanted], "LastUpdatedTimestamp")}


def _list_stack_resources(request: Request) -> Document:
    stack = stack_of(request)
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
    text = change_set_of(request).template_text if named else state.stack(request.text("StackName")).template_text
    return {"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]}


def _template_summary(request: Request) -> Document:
    text = stack_of(request).template_text if request.parameters.get("StackName") else template_of(request)
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
        ENGINE.check(template, _placeholders(template), [])
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


HANDLERS: Mapping[str, Handler] = {
    "DescribeStackEvents": _describe_stack_events,
    "DescribeStackResource": _describe_stack_resource,
    "DescribeStackResources": _describe_stack_resources,
    "DescribeStacks": _describe_stacks,
    "GetTemplate": _get_template,
    "GetTemplateSummary": _template_summary,
    "ListExports": _list_exports,
    "ListStackResources": _list_stack_resources,
    "ListStacks": _list_stacks,
    "ValidateTemplate": _validate_template,
}

"""The operations of stack sets.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from aws_simulator.core.operations import AwsError, Handler, Paging, Request, now, page
from aws_simulator.core.organizations import organization_of
from aws_simulator.deployment.cloudformation.asked import given_parameters, template_of
from aws_simulator.deployment.cloudformation.stack_sets import (
    CLOSED,
    PRINCIPAL,
    SERVICE_MANAGED,
    Instance,
    Operation,
    StackSet,
    accounts_of,
    begin,
    deploy,
    filtered,
    finish,
    has_access,
    organization_for,
    withdraw,
)
from aws_simulator.deployment.cloudformation.stacks import state_of
from aws_simulator.deployment.cloudformation.templates import Document, parse, refused

_PAGING = Paging(size_parameter="MaxResults", largest=100, refusal="ValidationError")
_KEPT = (
    "AdministrationRoleARN",
    "AutoDeployment",
    "Capabilities",
    "Description",
    "ExecutionRoleName",
    "ManagedExecution",
    "Tags",
)


# --- Stack sets -----------------------------------------------------------------------------------------------------


def _create_stack_set(request: Request) -> Document:
    name, model = request.text("StackSetName"), request.parameters.get("PermissionModel", "SELF_MANAGED")
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
        raise refused(
            f"1 validation error detected: Value '{name}' at 'stackSetName' failed to satisfy constraint: Member "
            "must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    if model == SERVICE_MANAGED and "AutoDeployment" not in request.parameters:
        raise refused("You must specify AutoDeployment for a stack set with service managed permissions")
    owner = _owner(request, service_managed=model == SERVICE_MANAGED)
    sets = state_of(owner, request.region).stack_sets
    if any(each.name == name and each.status == "ACTIVE" for each in sets.values()):
        raise AwsError("NameAlreadyExistsException", f"StackSet {name} already exists", 409)
    text = template_of(request)
    parse(text)
    identity = f"{name}:{uuid.uuid4()}"
    given = {key: request.parameters[key] for key in _KEPT if key in request.parameters}
    sets[identity] = StackSet(
        name, identity, owner, request.region, model, text, given_parameters(request), given, now()
    )
    return {"StackSetId": identity}


def _owner(request: Request, *, service_managed: bool) -> str:
    """The account that a stack set lives in: for service-managed ones, the management account."""
    if not service_managed:
        return request.account
    organization = organization_for(request.account, request.region, request.parameters.get("CallAs"))
    return str(organization.account_id)


def _find(request: Request) -> StackSet:
    name = request.text("StackSetName")
    owners = [request.account]
    if request.parameters.get("CallAs") == "DELEGATED_ADMIN":
        owners = [_owner(request, service_managed=True)]
    for owner in owners:
        for each in state_of(owner, request.region).stack_sets.values():
            if name in {each.name, each.id} and each.status == "ACTIVE":
                return each  # type: ignore[no-any-return]  # the state names no type of this module
    raise AwsError("StackSetNotFoundException", f"StackSet {name} not found", 404)


def _update_stack_set(request: Request) -> Document:
    stack_set = _find(request)
    text = stack_set.template_text
    if not request.parameters.get("UsePreviousTemplate"):
        text = template_of(request)
    parse(text)
    stack_set.template_text = text
    stack_set.parameters = given_parameters(request, stack_set.parameters)
    stack_set.given |= {key: request.parameters[key] for key in _KEPT if key in request.parameters}
    operation = begin(stack_set, "UPDATE")
    for account, region in list(stack_set.instances):
        deploy(stack_set, operation, account, region)
    finish(operation, _preferences(request))
    return {"OperationId": operation.id}


def _preferences(request: Request) -> Mapping[str, Any]:
    return request.parameters.get("OperationPreferences") or {}


def _delete_stack_set(request: Request) -> Document:
    try:
        stack_set = _find(request)
    except AwsError as error:
        if error.code == "StackSetNotFoundException":
            return {}
        raise
    if stack_set.instances:
        raise AwsError("StackSetNotEmptyException", "StackSet is not empty", 409)
    stack_set.status = "DELETED"
    return {}


def _describe_stack_set(request: Request) -> Document:
    return {"StackSet": _document(_find(request))}


def _document(stack_set: StackSet) -> Document:
    document = {
        "StackSetName": stack_set.name,
        "StackSetId": stack_set.id,
        "StackSetARN": stack_set.arn,
        "Status": stack_set.status,
        "TemplateBody": stack_set.template_text,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in stack_set.parameters.items()],
        "PermissionModel": stack_set.model,
        "Tags": [],
        **stack_set.given,
    }
    if stack_set.model == SERVICE_MANAGED:
        units = {unit for target in stack_set.targets for unit in target["OrganizationalUnitIds"]}
        document["OrganizationalUnitIds"] = sorted(units)
    document["Regions"] = sorted({region for _, region in stack_set.instances})
    return document


def _list_stack_sets(request: Request) -> Document:
    owner = request.account
    if request.parameters.get("CallAs") == "DELEGATED_ADMIN":
        owner = _owner(request, service_managed=True)
    wanted = request.parameters.get("Status")
    summaries = [
        {
            "StackSetName": each.name,
            "StackSetId": each.id,
            "Status": each.status,
            "PermissionModel": each.model,
            **{key: each.given[key] for key in ("AutoDeployment", "Description") if key in each.given},
        }
        for each in state_of(owner, request.region).stack_sets.values()
        if wanted in {None, each.status}
    ]
    return _listed("Summaries", summaries, request)


# --- Instances ------------------------------------------------------------------------------------------------------


def _create_instances(request: Request) -> Document:
    stack_set = _find(request)
    overrides = {each["ParameterKey"]: each["ParameterValue"] for each in _overrides(request) or []}
    members = _members(request, stack_set, remember=overrides)
    operation = begin(stack_set, "CREATE")
    for region in _regions(request):
        for account, unit in members.items():
            deploy(stack_set, operation, account, region, unit, overrides)
    finish(operation, _preferences(request))
    return {"OperationId": operation.id}


def _overrides(request: Request) -> list[Mapping[str, str]] | None:
    given: list[Mapping[str, str]] | None = request.parameters.get("ParameterOverrides")
    return given


def _regions(request: Request) -> list[str]:
    return list(request.parameters["Regions"])


def _members(
    request: Request, stack_set: StackSet, *, remember: Mapping[str, str] | None = None
) -> Mapping[str, str | None]:
    """The accounts that a request is about, by their OU; with `remember`, its OUs become targets."""
    targets = request.parameters.get("DeploymentTargets") or {}
    if stack_set.model != SERVICE_MANAGED:
        accounts = request.parameters.get("Accounts") or targets.get("Accounts") or []
        return dict.fromkeys(accounts)
    units = targets.get("OrganizationalUnitIds")
    if not units:
        raise refused("OrganizationalUnitIds are required")
    organization = organization_for(request.account, request.region, request.parameters.get("CallAs"))
    members = filtered(accounts_of(organization, units), targets)
    if remember is not None:
        target = {"OrganizationalUnitIds": sorted(units), "Regions": _regions(request), "Overrides": dict(remember)}
        if target not in stack_set.targets:
            stack_set.targets.append(target)
    return members


def _closed_members(request: Request, stack_set: StackSet) -> dict[str, str]:
    """The closed accounts of the request's units: nothing can be deleted in them, and their stacks are let go.

    AWS skips them; whether it then counts the stack set as empty, it does not say.
    """
    units = (request.parameters.get("DeploymentTargets") or {}).get("OrganizationalUnitIds")
    if stack_set.model != SERVICE_MANAGED or not units:
        return {}
    return accounts_of(organization_of(request.account, request.partition), units, CLOSED)


def _update_instances(request: Request) -> Document:
    stack_set = _find(request)
    changes = _overrides(request)
    operation = begin(stack_set, "UPDATE")
    for region in _regions(request):
        for account in _members(request, stack_set):
            instance = stack_set.instances.get((account, region))
            if instance is None:
                raise AwsError("StackInstanceNotFoundException", "The specified stack instance doesn't exist.", 404)
            overrides = instance.overrides
            if changes is not None:
                overrides = {each["ParameterKey"]: each["ParameterValue"] for each in changes}
            deploy(stack_set, operation, account, region, instance.unit, overrides)
    finish(operation, _preferences(request))
    return {"OperationId": operation.id}


def _delete_instances(request: Request) -> Document:
    stack_set = _find(request)
    operation = begin(stack_set, "DELETE")
    retain = bool(request.parameters.get("RetainStacks"))
    for region in _regions(request):
        for account in _members(request, stack_set):
            withdraw(stack_set, operation, account, region, retain=retain)
        for account in _closed_members(request, stack_set):
            withdraw(stack_set, operation, account, region, retain=True)
    targets = request.parameters.get("DeploymentTargets") or {}
    gone = set(targets.get("OrganizationalUnitIds") or ())
    if not targets.get("Accounts"):
        for target in stack_set.targets:
            if set(target["OrganizationalUnitIds"]) <= gone:
                target["Regions"] = [each for each in target["Regions"] if each not in _regions(request)]
        stack_set.targets = [target for target in stack_set.targets if target["Regions"]]
    finish(operation, _preferences(request))
    return {"OperationId": operation.id}


def _instance_document(stack_set: StackSet, instance: Instance) -> Document:
    document = {
        "StackSetId": stack_set.id,
        "Region": instance.region,
        "Account": instance.account,
        "StackId": instance.stack.id,
        "Status": instance.status,
        "StackInstanceStatus": {"DetailedStatus": _detailed_status(instance)},
        "StatusReason": instance.reason,
        "OrganizationalUnitId": instance.unit,
        "DriftStatus": "NOT_CHECKED",
    }
    return {name: value for name, value in document.items() if value is not None}


def _detailed_status(instance: Instance) -> str:
    if instance.skipped:
        return "SKIPPED_SUSPENDED_ACCOUNT"
    return "SUCCEEDED" if instance.status == "CURRENT" else "FAILED"


def _list_instances(request: Request) -> Document:
    stack_set = _find(request)
    account, region = request.parameters.get("StackInstanceAccount"), request.parameters.get("StackInstanceRegion")
    summaries = [
        _instance_document(stack_set, each)
        for each in stack_set.instances.values()
        if account in {None, each.account} and region in {None, each.region}
    ]
    return _listed("Summaries", summaries, request)


def _describe_instance(request: Request) -> Document:
    stack_set = _find(request)
    instance = stack_set.instances.get((request.text("StackInstanceAccount"), request.text("StackInstanceRegion")))
    if instance is None:
        raise AwsError("StackInstanceNotFoundException", "The specified stack instance doesn't exist.", 404)
    overrides = [{"ParameterKey": key, "ParameterValue": value} for key, value in instance.overrides.items()]
    return {"StackInstance": _instance_document(stack_set, instance) | {"ParameterOverrides": overrides}}


# --- Operations -----------------------------------------------------------------------------------------------------


def _operation(request: Request, stack_set: StackSet) -> Operation:
    identity = request.text("OperationId")
    if identity not in stack_set.operations:
        raise AwsError("OperationNotFoundException", f"Operation {identity} not found", 404)
    return stack_set.operations[identity]


def _describe_operation(request: Request) -> Document:
    stack_set = _find(request)
    operation = _operation(request, stack_set)
    document = _operation_summary(operation) | {"StackSetId": stack_set.id}
    return {"StackSetOperation": document}


def _operation_summary(operation: Operation) -> Document:
    return {
        "OperationId": operation.id,
        "Action": operation.action,
        "Status": operation.status,
        "CreationTimestamp": operation.started,
        "EndTimestamp": operation.started,
    }


def _list_operations(request: Request) -> Document:
    operations = reversed(_find(request).operations.values())
    return _listed("Summaries", [_operation_summary(each) for each in operations], request)


def _list_results(request: Request) -> Document:
    operation = _operation(request, _find(request))
    summaries = [
        {"Account": account, "Region": region, "Status": status} | ({"StatusReason": reason} if reason else {})
        for account, region, status, reason in operation.results
    ]
    return _listed("Summaries", summaries, request)


def _listed(name: str, items: list[Document], request: Request) -> Document:
    shown, token = page(items, request, _PAGING)
    return {name: shown} | ({"NextToken": token} if token else {})


# --- Trusted access -------------------------------------------------------------------------------------------------


def _activate_access(request: Request) -> Document:
    organization = organization_of(request.account, request.partition)
    if organization.account_id != request.account:
        raise AwsError("InvalidOperationException", "Only the management account can activate trusted access.")
    organization.enable_aws_service_access(ServicePrincipal=PRINCIPAL)
    return {}


def _deactivate_access(request: Request) -> Document:
    organization_of(request.account, request.partition).disable_aws_service_access(ServicePrincipal=PRINCIPAL)
    return {}


def _describe_access(request: Request) -> Document:
    access = has_access(organization_of(request.account, request.partition))
    return {"Status": "ENABLED" if access else "DISABLED"}


HANDLERS: Mapping[str, Handler] = {
    "ActivateOrganizationsAccess": _activate_access,
    "CreateStackInstances": _create_instances,
    "CreateStackSet": _create_stack_set,
    "DeactivateOrganizationsAccess": _deactivate_access,
    "DeleteStackInstances": _delete_instances,
    "DeleteStackSet": _delete_stack_set,
    "DescribeOrganizationsAccess": _describe_access,
    "DescribeStackInstance": _describe_instance,
    "DescribeStackSet": _describe_stack_set,
    "DescribeStackSetOperation": _describe_operation,
    "ListStackInstances": _list_instances,
    "ListStackSetOperationResults": _list_results,
    "ListStackSetOperations": _list_operations,
    "ListStackSets": _list_stack_sets,
    "UpdateStackInstances": _update_instances,
    "UpdateStackSet": _update_stack_set,
}

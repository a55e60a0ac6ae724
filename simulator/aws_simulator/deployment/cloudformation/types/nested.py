"""CloudFormation in CloudFormation: stack sets, and stacks within stacks."""

from __future__ import annotations

from typing import Any

from aws_simulator.deployment.cloudformation.resources import (
    Made,
    Properties,
    ResourceType,
    Scope,
    gone,
    only,
    tag_list,
)

# --- Stack sets -----------------------------------------------------------------------------------------------------

_SET = (
    "AdministrationRoleARN",
    "AutoDeployment",
    "CallAs",
    "Capabilities",
    "Description",
    "ExecutionRoleName",
    "ManagedExecution",
    "Parameters",
    "TemplateBody",
    "TemplateURL",
)


def _put_stack_set(scope: Scope, properties: Properties, made: Made | None) -> Made:
    name, call_as = properties["StackSetName"], properties.get("CallAs")
    given = only(properties, *_SET)
    preferences = properties.get("OperationPreferences")
    if made:
        answer = scope.call(
            "cloudformation",
            "update_stack_set",
            StackSetName=name,
            Tags=tag_list(properties),
            OperationPreferences=preferences,
            **given,
        )
        _await(scope, name, call_as, answer["OperationId"])
        identity = made.id
    else:
        identity = scope.call(
            "cloudformation",
            "create_stack_set",
            StackSetName=name,
            PermissionModel=properties["PermissionModel"],
            Tags=tag_list(properties),
            **given,
        )["StackSetId"]
    try:
        _follow_groups(scope, properties, made)
    except Exception:
        if not made:
            _delete_stack_set(scope, Made(identity, handle=(name, call_as, properties.get("StackInstancesGroup"))))
        raise
    handle = name, call_as, properties.get("StackInstancesGroup")
    return Made(identity, {"StackSetId": identity}, handle=handle)


def _follow_groups(scope: Scope, properties: Properties, made: Made | None) -> None:
    """Instances of the groups that are there, and none of those that the template no longer has."""
    name, call_as = properties["StackSetName"], properties.get("CallAs")
    groups = properties.get("StackInstancesGroup") or []
    for old in (made.handle[2] or []) if made else []:
        if old not in groups:
            _delete_instances(scope, name, call_as, old)
    for group in groups:
        answer = scope.call(
            "cloudformation",
            "create_stack_instances",
            StackSetName=name,
            CallAs=call_as,
            OperationPreferences=properties.get("OperationPreferences"),
            **_targets(group),
            **({"ParameterOverrides": group["ParameterOverrides"]} if group.get("ParameterOverrides") else {}),
        )
        _await(scope, name, call_as, answer["OperationId"])


def _targets(group: Properties) -> dict[str, Any]:
    targets = dict(group["DeploymentTargets"])
    if "OrganizationalUnitIds" in targets:
        return {"DeploymentTargets": targets, "Regions": group["Regions"]}
    return {"Accounts": targets["Accounts"], "Regions": group["Regions"]}


def _await(scope: Scope, name: str, call_as: str | None, operation: str) -> None:
    asked = {"StackSetName": name, "OperationId": operation, "CallAs": call_as}
    outcome = scope.call("cloudformation", "describe_stack_set_operation", **asked)["StackSetOperation"]
    if outcome["Status"] != "SUCCEEDED":
        results = scope.call("cloudformation", "list_stack_set_operation_results", **asked)["Summaries"]
        failed = [f"{each['Account']}: {each.get('StatusReason')}" for each in results if each["Status"] == "FAILED"]
        raise ValueError(f"StackSet operation {operation} {outcome['Status']}: {'; '.join(failed)}")


def _delete_instances(scope: Scope, name: str, call_as: str | None, group: Properties) -> None:
    scope.call(
        "cloudformation",
        "delete_stack_instances",
        StackSetName=name,
        CallAs=call_as,
        RetainStacks=False,
        **_targets(group),
    )


def _delete_stack_set(scope: Scope, made: Made) -> None:
    name, call_as, groups = made.handle
    with gone("StackSetNotFoundException"):
        for group in groups or []:
            _delete_instances(scope, name, call_as, group)
        scope.call("cloudformation", "delete_stack_set", StackSetName=name, CallAs=call_as)


# --- Stacks ---------------------------------------------------------------------------------------------------------


def _put_stack(scope: Scope, properties: Properties, made: Made | None) -> Made:
    parameters = [
        {"ParameterKey": key, "ParameterValue": value if isinstance(value, str) else ",".join(map(str, value))}
        for key, value in (properties.get("Parameters") or {}).items()
    ]
    given = {
        "TemplateURL": properties["TemplateURL"],
        "Parameters": parameters,
        "Capabilities": ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Tags": tag_list(properties),
    }
    if made:
        identity = made.id
        scope.call("cloudformation", "update_stack", StackName=identity, **given)
    else:
        name = scope.generated_name(128)
        identity = scope.call("cloudformation", "create_stack", StackName=name, **given)["StackId"]
    (stack,) = scope.call("cloudformation", "describe_stacks", StackName=identity)["Stacks"]
    if stack["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        if not made:
            scope.call("cloudformation", "delete_stack", StackName=identity)
        raise ValueError(f"Embedded stack {identity} was not successfully created: {stack.get('StackStatusReason')}")
    outputs = {f"Outputs.{each['OutputKey']}": each["OutputValue"] for each in stack.get("Outputs") or []}
    return Made(identity, outputs)


def _delete_stack(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("cloudformation", "delete_stack", StackName=made.id)


TYPES = (
    ResourceType(
        "AWS::CloudFormation::StackSet",
        _put_stack_set,
        _delete_stack_set,
        frozenset({"PermissionModel", "StackSetName"}),
    ),
    ResourceType("AWS::CloudFormation::Stack", _put_stack, _delete_stack),
)

"""IAM: roles and their inline policies. (moto has the managed policies of a template.)"""

from __future__ import annotations

import json
from collections.abc import Mapping
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


def _put_role(scope: Scope, properties: Properties, made: Made | None) -> Made:
    name = made.id if made else properties.get("RoleName") or scope.generated_name()
    trust = _document(properties["AssumeRolePolicyDocument"])
    if made:
        role = _change_role(scope, name, trust, properties)
    else:
        role = scope.call(
            "iam",
            "create_role",
            RoleName=name,
            AssumeRolePolicyDocument=trust,
            Tags=tag_list(properties),
            **only(properties, "Description", "MaxSessionDuration", "Path", "PermissionsBoundary"),
        )["Role"]
    try:
        _attach(scope, name, frozenset(properties.get("ManagedPolicyArns") or ()))
        _inline(scope, name, properties.get("Policies") or [])
    except Exception:
        if not made:
            _delete_role(scope, Made(name))
        raise
    return Made(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})


def _change_role(scope: Scope, name: str, trust: str, properties: Properties) -> Mapping[str, Any]:
    scope.call("iam", "update_assume_role_policy", RoleName=name, PolicyDocument=trust)
    scope.call(
        "iam",
        "update_role",
        RoleName=name,
        Description=properties.get("Description", ""),
        MaxSessionDuration=properties.get("MaxSessionDuration", 3600),
    )
    boundary = properties.get("PermissionsBoundary")
    if boundary:
        scope.call("iam", "put_role_permissions_boundary", RoleName=name, PermissionsBoundary=boundary)
    else:
        with gone():
            scope.call("iam", "delete_role_permissions_boundary", RoleName=name)
    role: Mapping[str, Any] = scope.call("iam", "get_role", RoleName=name)["Role"]
    return role


def _attach(scope: Scope, name: str, wanted: frozenset[str]) -> None:
    answer = scope.call("iam", "list_attached_role_policies", RoleName=name)
    attached = {policy["PolicyArn"] for policy in answer["AttachedPolicies"]}
    for arn in sorted(wanted - attached):
        scope.call("iam", "attach_role_policy", RoleName=name, PolicyArn=arn)
    for arn in sorted(attached - wanted):
        scope.call("iam", "detach_role_policy", RoleName=name, PolicyArn=arn)


def _inline(scope: Scope, name: str, policies: list[Mapping[str, Any]]) -> None:
    for policy in policies:
        scope.call(
            "iam",
            "put_role_policy",
            RoleName=name,
            PolicyName=policy["PolicyName"],
            PolicyDocument=_document(policy["PolicyDocument"]),
        )
    wanted = {policy["PolicyName"] for policy in policies}
    for old in scope.call("iam", "list_role_policies", RoleName=name)["PolicyNames"]:
        if old not in wanted:
            scope.call("iam", "delete_role_policy", RoleName=name, PolicyName=old)


def _document(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _delete_role(scope: Scope, made: Made) -> None:
    with gone():
        _attach(scope, made.id, frozenset())
        _inline(scope, made.id, [])
        scope.call("iam", "delete_role", RoleName=made.id)


TYPES = (ResourceType("AWS::IAM::Role", _put_role, _delete_role, frozenset({"Path", "RoleName"})),)

"""AWS IAM: roles, and what their permissions come to (`SimulatePrincipalPolicy`).

IAM answers a simulation in two forms, and both are read: one result for each action, whose `ResourceSpecificResults`
tell the resources apart (its own `EvalDecision` is the most restrictive of them), and formerly one for each action and
resource. Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, field, optional, texts
from backup_rules.aws.memory import remembered
from backup_rules.errors import ReadError
from backup_rules.iam.denials import Decision, SimulationResult
from backup_rules.iam.permission_table import ANY_RESOURCE
from backup_rules.iam.permissions import SimulationRequest
from backup_rules.iam.roles import Role

_NO_SUCH_ROLE = frozenset({"NoSuchEntity", "NoSuchEntityException"})


@remembered
def role(account: Account, role_name: str) -> Role | None:
    """The role of that name (without path), or None when the account has none."""

    def parse(answer: Answer) -> Role:
        role = field(answer, "Role", dict)
        policy = role["AssumeRolePolicyDocument"]
        if not isinstance(policy, dict | str):
            raise TypeError("AssumeRolePolicyDocument is no policy document")
        return Role(field(role, "Arn", str), policy)

    try:
        return account.calls.one("iam", "GetRole", parse, RoleName=role_name)
    except ReadError as error:
        if error.code in _NO_SUCH_ROLE:
            return None
        raise


@remembered
def simulate(
    account: Account, role_arn: str, requests: tuple[SimulationRequest, ...]
) -> tuple[SimulationResult, ...] | None:
    """What IAM says to the requests for the role; None when there is no such role."""
    waiting, found = list(requests), list[SimulationResult]()
    while waiting:
        request = waiting.pop(0)
        try:
            results = account.calls.items(
                "iam", "SimulatePrincipalPolicy", "EvaluationResults", _as_it_is, **arguments(request, role_arn)
            )
        except ReadError as error:
            if error.code in _NO_SUCH_ROLE:
                return None
            parts = split(request, str(error))
            if len(parts) < 2:
                raise
            waiting[:0] = parts
            continue
        with account.calls.reading("iam", "SimulatePrincipalPolicy", role_arn):
            found.extend(parse_results(request, results))
    return tuple(found)


def _as_it_is(item: Answer) -> Answer:
    return item


def arguments(request: SimulationRequest, role_arn: str) -> dict[str, Any]:
    """The keyword arguments of boto3's `simulate_principal_policy`."""
    found: dict[str, Any] = {
        "PolicySourceArn": role_arn,
        "ActionNames": list(request.actions),
        "ContextEntries": [
            {"ContextKeyName": entry.key, "ContextKeyValues": [entry.value], "ContextKeyType": entry.kind}
            for entry in request.context
        ],
    }
    if request.resource_arns:
        found["ResourceArns"] = list(request.resource_arns)
    return found


def parse_results(request: SimulationRequest, results: Sequence[Answer]) -> tuple[SimulationResult, ...]:
    """What `EvaluationResults` (of all pages) say about the actions and resources of `request`.

    Raises:
        KeyError, TypeError, ValueError: a field is missing, of another type, or holds a decision that IAM does not
            know; or a denial does not tell which of several resources it is about.
    """
    return tuple(parsed for result in results for parsed in _parse(request, result))


def _parse(request: SimulationRequest, result: Answer) -> Iterator[SimulationResult]:
    # IAM compares action names without regard to case, and may give its own spelling back.
    named = field(result, "EvalActionName", str)
    action = next((each for each in request.actions if each.lower() == named.lower()), named)
    decision = _decision(result, "EvalDecision")
    boundary = _flag(result, "PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary")
    organizations = _flag(result, "OrganizationsDecisionDetail", "AllowedByOrganizations")
    missing = texts(result, "MissingContextValues")
    specific = optional(result, "ResourceSpecificResults", list) or []
    if request.resource_arns and specific:
        for each in specific:
            own_boundary = _flag(each, "PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary")
            yield SimulationResult(
                action=action,
                resource=field(each, "EvalResourceName", str),
                decision=_decision(each, "EvalResourceDecision"),
                allowed_by_boundary=boundary if own_boundary is None else own_boundary,
                allowed_by_organizations=organizations,
                missing_context=texts(each, "MissingContextValues") or missing,
            )
        return
    for resource in _resources(request, result, decision):
        yield SimulationResult(action, resource, decision, boundary, organizations, missing)


def _resources(request: SimulationRequest, result: Answer, decision: Decision) -> tuple[str, ...]:
    """Which resources a result is about that does not tell them apart; its name for them may be a mere template."""
    name = optional(result, "EvalResourceName", str)
    if not request.resource_arns:
        return (ANY_RESOURCE,)
    if name in request.resource_arns:
        return (name,)
    if len(request.resource_arns) == 1 or decision is Decision.ALLOWED:
        return request.resource_arns
    raise ValueError(
        f"{result['EvalActionName']} is simulated as {decision} without saying on which of "
        f"{len(request.resource_arns)} resources (EvalResourceName is {name!r}, ResourceSpecificResults is empty)"
    )


def _decision(answer: Answer, key: str) -> Decision:
    value = field(answer, key, str)
    try:
        return Decision(value)
    except ValueError:
        allowed = ", ".join(Decision)
        raise ValueError(f"{key} is {value!r}; IAM knows {allowed}") from None


def _flag(answer: Answer, detail: str, key: str) -> bool | None:
    found = optional(answer, detail, dict)
    return None if found is None else optional(found, key, bool)


def split(request: SimulationRequest, message: str) -> tuple[SimulationRequest, ...]:
    """The requests to make instead of one that IAM refused because its simulator knows only some of the actions.

    `InvalidInput: Invalid Input Actions: [a,b] and [c] require different authorization information.` is not documented
    and widely met: the simulator keeps actions of services newer than itself (as in the smaller partitions) apart.

    Returns:
        A request for each group of actions that the message names; none when the message says something else.
    """
    if "require different authorization information" not in message:
        return ()
    groups = [
        tuple(action for action in request.actions if action in {name.strip() for name in group.split(",")})
        for group in re.findall(r"\[([^\]]*)\]", message)
    ]
    if len(groups) < 2 or not all(groups) or sorted(sum(groups, ())) != sorted(request.actions):
        return ()
    return tuple(replace(request, actions=group) for group in groups)

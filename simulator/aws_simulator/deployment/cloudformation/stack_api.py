"""CloudFormation's operations on stacks: made, changed, deleted.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from aws_simulator.core.operations import AwsError, Handler, Request, now
from aws_simulator.deployment.cloudformation.asked import given_parameters, stack_of, template_of
from aws_simulator.deployment.cloudformation.stacks import Engine, Stack, StackFailedError, stack_id, state_of
from aws_simulator.deployment.cloudformation.templates import Document, parameter_values, parse, refused
from aws_simulator.deployment.cloudformation.types import type_of

_UPDATABLE = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "ROLLBACK_FAILED"}
)

ENGINE = Engine(type_of)


def new_stack(request: Request, text: str, given: Mapping[str, str]) -> Stack:
    """A stack of this template, with nothing made yet."""
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
    ENGINE.check(parse(text), given, request.parameters.get("Capabilities") or [])
    stack = new_stack(request, text, given)
    stack.protected = bool(request.parameters.get("EnableTerminationProtection"))
    on_failure = request.parameters.get("OnFailure")
    stack.disable_rollback = bool(request.parameters.get("DisableRollback")) or on_failure == "DO_NOTHING"
    try:
        ENGINE.create(stack)
    except StackFailedError:
        if on_failure == "DELETE":
            stack.note("DELETE_COMPLETE")
            stack.deleted = now()
    return {"StackId": stack.id}


def _update_stack(request: Request) -> Document:
    stack = stack_of(request)
    check_updatable(stack)
    text, given = template_of(request, stack), given_parameters(request, stack.given)
    ENGINE.check(parse(text), given, request.parameters.get("Capabilities") or [])
    tags = request.parameters.get("Tags")
    same_tags = tags is None or [dict(tag) for tag in tags] == stack.tags
    if not differs(stack, text, given) and same_tags:
        raise refused("No updates are to be performed.")
    if tags is not None:
        stack.tags = [dict(tag) for tag in tags]
    stack.capabilities = list(request.parameters.get("Capabilities") or [])
    run_update(stack, text, given)
    return {"StackId": stack.id}


def differs(stack: Stack, text: str, given: Mapping[str, str]) -> bool:
    """Whether the template or its parameters are others than the stack has."""
    new, old = parse(text), stack.template
    return new != old or parameter_values(new, given) != parameter_values(old, stack.given)


def run_update(stack: Stack, text: str, given: Mapping[str, str]) -> None:
    """Bring the stack into step; its status tells how that went."""
    try:
        ENGINE.update(stack, text, given)
    except StackFailedError:
        return  # the stack's status tells


def check_updatable(stack: Stack) -> None:
    """Refuse a stack that is in no state to be updated.

    Raises:
        AwsError: ValidationError.
    """
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
        ENGINE.delete(stack, retain=request.parameters.get("RetainResources") or ())
    except StackFailedError:
        return {}  # the stack's status tells
    for identity in [each.id for each in state.change_sets.values() if each.stack is stack]:
        del state.change_sets[identity]
    return {}


def _set_protection(request: Request) -> Document:
    stack = stack_of(request)
    stack.protected = bool(request.parameters.get("EnableTerminationProtection"))
    return {"StackId": stack.id}


HANDLERS: Mapping[str, Handler] = {
    "CreateStack": _create_stack,
    "DeleteStack": _delete_stack,
    "UpdateStack": _update_stack,
    "UpdateTerminationProtection": _set_protection,
}

"""CloudFormation as the project's templates meet it.

moto's own skips a resource of a type that it does not know, and calls the stack complete. Here such a template is
refused, as AWS refuses a type that it does not know; templates are checked (parameters, capabilities, references); a
stack that fails is rolled back, with the reason in its events; updates go by what changed, conditions included; and
stack sets reach the accounts of an organization. Resource types call the API of their service, so that what a stack
made is what the API shows, and what the API refuses fails the stack.

CloudFormation itself may do everything here: whether the caller's permissions suffice for a stack is not checked.

moto takes seconds to import its CloudFormation, with most of its services. So `install` only arranges that the first
request to CloudFormation brings all this along.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from moto import backends


def install() -> None:
    """Has moto's CloudFormation extended as soon as somebody asks for it. Idempotent."""
    get_backend: Callable[[Any], Any] = backends.get_backend
    if hasattr(get_backend, "extends_cloudformation"):
        return

    @wraps(get_backend)
    def extended(name: Any) -> Any:
        if name == "cloudformation":
            extend()
        return get_backend(name)

    setattr(extended, "extends_cloudformation", True)  # noqa: B010 - a function has no such attribute by type
    setattr(backends, "get_backend", extended)  # noqa: B010 - mypy forbids assigning to a function


def extend() -> None:
    """Puts these operations into moto's CloudFormation, which it imports. Idempotent."""
    from moto.cloudformation.responses import CloudFormationResponse  # noqa: PLC0415 - see the module's text

    from aws_simulator.core import tagging  # noqa: PLC0415 - as above
    from aws_simulator.core.config import recorded_details  # noqa: PLC0415 - as above
    from aws_simulator.core.operations import implement  # noqa: PLC0415 - as above
    from aws_simulator.deployment.cloudformation import (  # noqa: PLC0415 - as above
        change_set_api,
        describe_api,
        stack_api,
        stack_set_api,
        stacks,
    )

    if getattr(CloudFormationResponse, "extended", False):
        return
    for module in (stack_api, describe_api, change_set_api, stack_set_api):
        implement(CloudFormationResponse, module.HANDLERS)
    tagging.listings.append(stacks.tagged_stacks)
    recorded_details.readers["AWS::CloudFormation::Stack"] = stacks.recorded_stack
    CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER = {}  # these answers have AWS's form already
    CloudFormationResponse.extended = True

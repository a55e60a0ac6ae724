"""A Lambda function's resource-based policy as one document: `PutResourcePolicy`, which moto lacks.

It replaces the statements of `AddPermission`, and is what `GetPolicy` shows. AWS Config asks it when a rule is put.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_PutResourcePolicy.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from moto.awslambda import urls
from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.awslambda.responses import LambdaResponse

from aws_simulator.core.config import rules
from aws_simulator.core.iam.policies import MalformedPolicyError, parse_document
from aws_simulator.core.operations import AwsError, Handler, Request, implement

MAX_POLICY_BYTES = 20_480

Document = dict[str, Any]


def _function(request: Request) -> LambdaFunction:
    arn = request.text("ResourceArn")
    try:
        return lambda_backends[request.account][request.region].get_function(arn)
    except UnknownFunctionException:
        raise _missing(f"Function not found: {arn}") from None


def _missing(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, 404)


def _check_revision(function: LambdaFunction, request: Request) -> None:
    revision = request.parameters.get("RevisionId")
    if revision and revision != function.policy.revision:
        raise AwsError(
            "PreconditionFailedException",
            "The RevisionId provided does not match the latest RevisionId for the resource policy.",
            412,
        )


def _put(request: Request) -> Document:
    function, policy = _function(request), request.text("Policy")
    if len(policy.encode()) > MAX_POLICY_BYTES:
        raise AwsError("PolicyLengthExceededException", f"The policy is longer than {MAX_POLICY_BYTES} bytes.")
    try:
        parse_document("resource", policy)
        statements = json.loads(policy)["Statement"]
    except (KeyError, MalformedPolicyError, ValueError) as error:
        raise AwsError("InvalidParameterValueException", f"The policy cannot be read: {error}") from error
    _check_revision(function, request)
    function.policy.statements = [dict(each) for each in ([statements] if isinstance(statements, dict) else statements)]
    function.policy.revision = str(uuid.uuid4())
    return {"Policy": policy, "RevisionId": function.policy.revision}


def _get(request: Request) -> Document:
    policy = _function(request).policy
    if not policy.statements:
        raise _missing("The resource you requested does not exist.")
    document = {"Version": "2012-10-17", "Id": "default", "Statement": policy.statements}
    return {"Policy": json.dumps(document), "RevisionId": policy.revision}


def _delete(request: Request) -> Document:
    function = _function(request)
    if not function.policy.statements:
        raise _missing("The resource you requested does not exist.")
    _check_revision(function, request)
    function.policy.statements = []
    function.policy.revision = str(uuid.uuid4())
    return {}


HANDLERS: Mapping[str, Handler] = {
    "DeleteResourcePolicy": _delete,
    "GetResourcePolicy": _get,
    "PutResourcePolicy": _put,
}


def _check_invoker(function_arn: str, principal: str, account: str, rule_arn: str | None) -> None:
    # Slow, and not needed where no rule with a function is put.
    from aws_simulator.deployment.lambda_runtime.functions import function_at  # noqa: PLC0415
    from aws_simulator.deployment.lambda_runtime.permissions import check_invoker  # noqa: PLC0415

    check_invoker(function_at(function_arn), principal, account, rule_arn)


def install() -> None:
    """Puts these operations into moto's Lambda, and has AWS Config ask for the permission. Idempotent."""
    if _check_invoker not in rules.function_checks:
        rules.function_checks.append(_check_invoker)
    implement(LambdaResponse, HANDLERS)
    dispatch: Callable[..., Any] = LambdaResponse.dispatch
    urls.url_paths[r"{0}/(?P<api_version>[^/]+)/resource-policy/(?P<resource_arn>.+)$"] = dispatch

"""Who may invoke a function, and what Lambda itself may do with the function's role.

These are Lambda's own checks. They hold whether or not `authorization.enforced_permissions` is on, which governs
the calls that the function makes.
"""

from __future__ import annotations

import json

from moto.iam.exceptions import NotFoundException
from moto.iam.models import Role, iam_backends
from moto.sts.models import sts_backends

from aws_simulator.core.iam.patterns import Context
from aws_simulator.core.iam.policies import Statement, decide, parse_document
from aws_simulator.core.iam.principals import policies_of_role
from aws_simulator.core.operations import AwsError
from aws_simulator.deployment.lambda_runtime.environment import Credentials
from aws_simulator.deployment.lambda_runtime.functions import Function

INVOKE = "lambda:InvokeFunction"
_LAMBDA = "lambda.amazonaws.com"
_SESSION_SECONDS = 12 * 3600


def check_invoker(
    function: Function, principal: str | None, source_account: str | None, source_arn: str | None
) -> None:
    """Whether the function's resource-based policy lets this service invoke it. None: no service asks.

    The request carries `aws:SourceAccount` and `aws:SourceArn`, where given, and what tells a service's own call. It
    carries no `aws:SourceOrgID`: AWS does not document that services which invoke functions fill it.

    Raises:
        AwsError: `AccessDeniedException`.
    """
    if principal is None:
        return
    known = {
        "aws:sourceaccount": source_account,
        "aws:sourcearn": source_arn,
        "aws:principalisawsservice": "true",
        "aws:principalservicename": principal,
    }
    context = {key: (value,) for key, value in known.items() if value}
    policy = json.dumps({"Version": "2012-10-17", "Statement": function.policy_statements})
    statements = parse_document("resource", policy).statements
    if _service_may(statements, principal, INVOKE, function.arn, context):
        return
    raise AwsError(
        "AccessDeniedException",
        f"User: {principal} is not authorized to perform: {INVOKE} on resource: {function.arn} because no"
        f" resource-based policy allows the {INVOKE} action",
        403,
    )


def role_session(function: Function) -> Credentials:
    """A new session of the function's role, named after the function, as Lambda gives to its process.

    Raises:
        AwsError: `AccessDeniedException` when there is no such role, or it does not trust Lambda.
    """
    role = role_of(function)
    if role is None or not _trusts_lambda(role, function):
        raise AwsError("AccessDeniedException", "The role defined for the function cannot be assumed by Lambda.", 403)
    session = sts_backends[function.account][function.partition].assume_role(
        region_name=function.region,
        role_session_name=function.name,
        role_arn=function.role,
        policy="",
        duration=_SESSION_SECONDS,
        external_id="",
    )
    return Credentials(session.access_key_id, session.secret_access_key, session.session_token)


def role_of(function: Function) -> Role | None:
    """The function's role, as long as it exists."""
    try:
        return iam_backends[function.account][function.partition].get_role_by_arn(function.role)
    except NotFoundException:
        return None


def role_may(function: Function, action: str, resource: str) -> bool:
    """Whether the function's role allows Lambda to do this in its name: write logs, send to a destination."""
    role = role_of(function)
    return role is not None and decide(policies_of_role(role), action, resource, _from(function)).allowed


def _trusts_lambda(role: Role, function: Function) -> bool:
    statements = parse_document("trust", role.assume_role_policy_document).statements
    return _service_may(statements, _LAMBDA, "sts:AssumeRole", role.arn, _from(function))


def _from(function: Function) -> Context:
    return {
        "aws:sourceaccount": (function.account,),
        "aws:sourcearn": (function.unqualified_arn,),
        "aws:requestedregion": (function.region,),
    }


def _service_may(statements: tuple[Statement, ...], service: str, action: str, resource: str, context: Context) -> bool:
    speaking = [
        statement
        for statement in statements
        if _is_about(statement, service) and statement.applies(action, resource, context)
    ]
    return bool(speaking) and not any(statement.denies for statement in speaking)


def _is_about(statement: Statement, service: str) -> bool:
    principal = statement.principal
    if not isinstance(principal, dict):
        return bool(principal == "*")
    listed = principal.get("Service", [])
    return service in ([listed] if isinstance(listed, str) else listed) or principal.get("AWS") == "*"

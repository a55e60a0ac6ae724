"""What a request of CloudFormation asks for: a template, its parameters, a stack.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlparse

from botocore.exceptions import ClientError

from aws_simulator.core.operations import Request
from aws_simulator.deployment.cloudformation import clients
from aws_simulator.deployment.cloudformation.stacks import Stack, state_of
from aws_simulator.deployment.cloudformation.templates import MAX_BODY_BYTES, refused

MAX_OBJECT_BYTES = 1_048_576


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


def stack_of(request: Request, name: str = "StackName") -> Stack:
    """The stack that the request names.

    Raises:
        AwsError: ValidationError: there is none.
    """
    return state_of(request.account, request.region).stack(request.text(name))

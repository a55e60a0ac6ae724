"""What a request about a conformance pack brings: its template, as AWS Config takes it, and its parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from aws_simulator.core.operations import AwsError, Paging, Request, page
from aws_simulator.deployment.cloudformation import clients
from aws_simulator.deployment.cloudformation import templates as cloudformation_templates

Document = dict[str, Any]

RESOURCE_TYPES = frozenset({"AWS::Config::ConfigRule", "AWS::Config::RemediationConfiguration"})
MAX_BODY_BYTES = 51_200
MAX_OBJECT_BYTES = 300 * 1024
MAX_PARAMETERS = 60
MAX_RULES = 130


def check_template(text: str, parameters: Mapping[str, str], code: str) -> None:
    """What AWS Config refuses before it makes anything. `code` is the error's code.

    Raises:
        AwsError: with that code.
    """
    try:
        template = cloudformation_templates.parse(text)
        cloudformation_templates.creation_order(template)
        if len(parameters) > MAX_PARAMETERS or len(template.get("Parameters") or {}) > MAX_PARAMETERS:
            raise cloudformation_templates.refused(f"A conformance pack has at most {MAX_PARAMETERS} parameters.")
        cloudformation_templates.parameter_values(template, parameters)
    except AwsError as error:
        raise AwsError(code, error.message) from error
    other = sorted(set(cloudformation_templates.resource_types(template)) - RESOURCE_TYPES)
    if other:
        raise AwsError(code, f"Template validation error: resource types [{', '.join(other)}] are not supported.")
    resources: Mapping[str, Document] = template["Resources"]
    rules = [each for each in resources.values() if each["Type"] == "AWS::Config::ConfigRule"]
    if len(rules) > MAX_RULES:
        raise AwsError(code, f"A conformance pack has at most {MAX_RULES} rules.")
    for logical_id, each in resources.items():
        _check_plain(logical_id, each, code)
        role = ((each.get("Properties") or {}).get("Parameters") or {}).get("AutomationAssumeRole")
        if role is not None and any(True for _ in _functions(role)):
            raise AwsError(
                code,
                f"Template validation error: {logical_id}: the automation execution role must be an exact ARN, "
                "without intrinsic functions.",
            )


def _check_plain(logical_id: str, resource: Mapping[str, Any], code: str) -> None:
    """Intrinsic functions where public packs have some, and nowhere else: if AWS Config takes them there, nobody tells.

    The packs are the 122 of https://github.com/awslabs/aws-config-rules, and one of the Government of Canada.

    Raises:
        AwsError: with this code, where the resource has another.
    """
    parts = {**(resource.get("Properties") or {}), **{key: resource[key] for key in resource if key != "Properties"}}
    parts["Source"], source = dict(parts.get("Source") or {}), (parts.get("Source") or {}).get("SourceIdentifier")
    parts["Source"].pop("SourceIdentifier", None)
    allowed: list[tuple[str, Any, set[str]]] = [
        ("InputParameters", parts.pop("InputParameters", None), {"Fn::If", "Ref", "Ref AWS::NoValue"}),
        ("Source.SourceIdentifier", source, {"Fn::Join", "Fn::Sub", "Ref"}),
        ("Parameters", parts.pop("Parameters", None), {"Ref"}),
        *((name, part, set()) for name, part in parts.items()),
    ]
    for name, part, functions in allowed:
        other = sorted(set(_functions(part)) - functions)
        if other:
            raise AwsError(
                code, f"Template validation error: {logical_id}: {name} has {', '.join(other)}, as no public pack has."
            )


def _functions(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == "Ref" and str(value).startswith("AWS::"):
                yield f"Ref {value}"
            elif name == "Ref" or str(name).startswith("Fn::"):
                yield str(name)
            yield from _functions(value)
    elif isinstance(node, list):
        for each in node:
            yield from _functions(each)


def template_text(request: Request, code: str) -> str:
    """The template of the request: an object of S3 wins over a body."""
    uri, body = request.parameters.get("TemplateS3Uri"), request.parameters.get("TemplateBody")
    if uri:
        return _object(request, str(uri), code)
    if not body:
        raise AwsError("ValidationException", "Template body is invalid")
    if len(body.encode()) > MAX_BODY_BYTES:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have "
            f"length less than or equal to {MAX_BODY_BYTES}",
        )
    return str(body)


def _object(request: Request, uri: str, code: str) -> str:
    place = re.fullmatch(r"s3://(?P<Bucket>[^/]+)/(?P<Key>.+)", uri)
    if place is None:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{uri}' at 'templateS3Uri' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: s3://.*",
        )
    try:
        located = call(request, "s3", "get_bucket_location", {"Bucket": place["Bucket"]})
        answer = call(request, "s3", "get_object", place.groupdict())
    except ClientError as error:
        raise AwsError(code, f"Unable to read {uri}: {error.response['Error']['Message']}") from error
    if (located.get("LocationConstraint") or "us-east-1") != request.region:
        raise AwsError(code, f"The bucket of {uri} must be in the Region of the conformance pack.")
    content: bytes = answer["Body"].read()
    if len(content) > MAX_OBJECT_BYTES:
        raise AwsError(code, f"The template at {uri} is larger than {MAX_OBJECT_BYTES // 1024} KB.")
    return content.decode()


def call(request: Request, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What AWS answers to the account of the request."""
    return clients.call(request.account, request.region, service, operation, parameters)


def input_parameters(request: Request) -> dict[str, str]:
    """The values for the template's parameters, by name."""
    given = request.parameters.get("ConformancePackInputParameters") or []
    return {each["ParameterName"]: each["ParameterValue"] for each in given}


def delivery(request: Request) -> dict[str, str]:
    """Where results are to be kept, as the request says."""
    names = ("DeliveryS3Bucket", "DeliveryS3KeyPrefix")
    return {name: request.parameters[name] for name in names if request.parameters.get(name)}


def listed(name: str, items: Sequence[Document], request: Request, paging: Paging) -> Document:
    """One page of an answer.

    Raises:
        AwsError: InvalidLimitException: more were asked for at once than there may be.
    """
    if int(request.parameters.get("Limit") or 0) > paging.largest:
        raise AwsError("InvalidLimitException", f"The specified limit is outside the allowable range: {paging.largest}")
    shown, token = page(items, request, paging)
    return {name: shown} | ({"NextToken": token} if token else {})

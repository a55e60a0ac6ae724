"""Calls that an AWS service makes by itself in some account: CloudFormation, and AWS Config for conformance packs.

They go through boto3 like anybody's, so that what the service answers and refuses is the same. No credentials of the
account are needed; where permissions are enforced, these calls are not asked for any.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any

import botocore.session
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.loaders import Loader
from botocore.model import Shape

_account: ContextVar[str] = ContextVar("account")


def call(account: str, region: str, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of one operation, named as boto3 names its methods.

    `parameters` may be as a template has them: numbers and booleans as text, JSON documents written out.

    Raises:
        botocore.exceptions.ClientError: what the service refuses.
        botocore.exceptions.ParamValidationError: what botocore refuses.
    """
    client = _client(service, region)
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
    token = _account.set(account)
    try:
        answer: dict[str, Any] = getattr(client, operation)(**_fitted(parameters, model.input_shape))
    finally:
        _account.reset(token)
    return answer


@cache
def _client(service: str, region: str) -> Any:
    session = botocore.session.Session()
    session.register_component("data_loader", _loader())
    client = session.create_client(
        service,
        region_name=region,
        aws_access_key_id="simulated",
        aws_secret_access_key="simulated",  # noqa: S106 - nobody checks it
        # A program under test may point its own clients to a server; these stay in the process.
        config=Config(ignore_configured_endpoint_urls=True, retries={"total_max_attempts": 1}),
    )
    client.meta.events.register("before-sign", _name_account)
    return client


@cache
def _loader() -> Loader:
    loader: Loader = botocore.session.get_session().get_component("data_loader")
    return loader


def _name_account(request: AWSRequest, **_: Any) -> None:
    request.headers["x-moto-account-id"] = _account.get()


def _fitted(value: Any, shape: Shape | None) -> Any:
    """The value in the types that the shape asks for."""
    if shape is None or value is None:
        return value
    kind = shape.type_name
    if kind == "structure" and isinstance(value, Mapping):
        members = shape.members
        return {name: _fitted(each, members.get(name)) for name, each in value.items()}
    if kind == "map" and isinstance(value, Mapping):
        return {str(name): _fitted(each, shape.value) for name, each in value.items()}
    if kind == "list":
        items = value if isinstance(value, list) else [value]
        return [_fitted(each, shape.member) for each in items]
    return _scalar(value, kind)


def _scalar(value: Any, kind: str) -> Any:
    if kind in {"integer", "long"}:
        return int(value)
    if kind in {"float", "double"}:
        return float(value)
    if kind == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if kind == "string" and not isinstance(value, str):
        return json.dumps(value)
    return value

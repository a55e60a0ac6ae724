"""Functions as moto keeps them, read into what it takes to run one."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.awslambda.utils import get_backend
from moto.utilities.utils import get_partition

from aws_simulator.core.operations import AwsError

RETRIES = 2
"""How often a failed event is tried again, unless the function says otherwise:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""


@dataclass(frozen=True)
class Function:
    """A deployed function. Equal ones can be served by the same process."""

    arn: str
    """As it was invoked: with a version when that was asked for."""
    account: str
    region: str
    name: str
    version: str
    handler: str
    runtime: str
    timeout: int
    memory: int
    role: str
    variables: Mapping[str, str]
    code: bytes
    layers: tuple[bytes, ...]
    model: LambdaFunction = field(compare=False, repr=False)

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return str(get_partition(self.region))

    @property
    def unqualified_arn(self) -> str:
        """Without a version."""
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{self.name}"

    @property
    def log_group(self) -> str:
        """Where what it prints is written."""
        return f"/aws/lambda/{self.name}"

    @property
    def asynchronous(self) -> Mapping[str, Any]:
        """Its EventInvokeConfig; empty when it has none."""
        # moto adds a new one at each change, and AWS replaces the old one.
        configured = self.model.event_invoke_config
        return dict(configured[-1].config) if configured else {}

    @property
    def retries(self) -> int:
        """How often a failed event is tried again."""
        return int(self.asynchronous.get("MaximumRetryAttempts", RETRIES))

    @property
    def on_failure(self) -> str | None:
        """The ARN of the destination for events of which all tries have failed."""
        destinations = self.asynchronous.get("DestinationConfig") or {}
        return (destinations.get("OnFailure") or {}).get("Destination")

    @property
    def policy_statements(self) -> list[dict[str, Any]]:
        """The statements of its resource-based policy."""
        return [_with_service_of_china(each) for each in self.model.policy.statements]


def _with_service_of_china(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement with a service of China told as one: moto knows services by the ending amazonaws.com only."""
    principal = statement.get("Principal")
    if isinstance(principal, str) and principal.endswith(".amazonaws.com.cn"):
        return statement | {"Principal": {"Service": principal}}
    return statement


def function_at(arn: str) -> Function:
    """The function with that ARN.

    Raises:
        AwsError: `ResourceNotFoundException` when there is none, `ValidationException` when it is no function's ARN.
    """
    parts = arn.split(":")
    if len(parts) not in {7, 8} or parts[2] != "lambda" or parts[5] != "function":
        raise AwsError("ValidationException", f"{arn} is not the ARN of a Lambda function.")
    region, account, name = parts[3], parts[4], parts[6]
    qualifier = parts[7] if len(parts) == 8 else None
    try:
        model = get_backend(account, region).get_function(name, qualifier)
    except UnknownFunctionException as error:
        raise AwsError("ResourceNotFoundException", f"Function not found: {arn}", 404) from error
    return read(model, arn)


def read(model: LambdaFunction, arn: str | None = None) -> Function:
    """The function that moto keeps as `model`, invoked by `arn`."""
    return Function(
        arn=arn or model.function_arn,
        account=model.account_id,
        region=model.region,
        name=model.function_name,
        version=str(model.version),
        handler=str(model.handler),
        runtime=str(model.run_time),
        timeout=int(model.timeout),
        memory=int(model.memory_size),
        role=model.role,
        variables=dict(model.environment_vars or {}),
        code=model.code_bytes,
        layers=tuple(_layer(each["Arn"]) for each in model.layers),
        model=model,
    )


def _layer(arn: str) -> bytes:
    _, _, _, region, account, *_ = arn.split(":")
    version = lambda_backends[account][region].layers_versions_by_arn(arn)
    if version is None:
        raise AwsError("ResourceNotFoundException", f"Layer version {arn} does not exist.", 404)
    content: bytes = version.code_bytes
    return content


def unpack(content: bytes, folder: Path) -> Path:
    """Unpacks a zip over what `folder` holds already; makes the folder.

    Raises:
        AwsError: `InvalidParameterValueException` when it is no zip.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(folder)
    except zipfile.BadZipFile as error:
        raise AwsError("InvalidParameterValueException", "Could not unzip uploaded file. Please check it.") from error
    return folder

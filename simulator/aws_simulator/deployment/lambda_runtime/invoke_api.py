"""moto's `Invoke`, and the services that invoke functions within moto (SNS among them), led to the runtime."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import unquote

from moto.awslambda.models import LambdaFunction
from moto.awslambda.responses import LambdaResponse

from aws_simulator.core.operations import Answer, AwsError, error_answer
from aws_simulator.deployment.lambda_runtime.environment import Invocation
from aws_simulator.deployment.lambda_runtime.functions import read
from aws_simulator.deployment.lambda_runtime.telemetry import platform_lines

_LOG_TAIL_BYTES = 4096


class Runtime(Protocol):
    """What runs functions: a `LambdaRuntime`."""

    def invoke(self, function_arn: str, event: Any) -> Invocation: ...

    def start_event(self, function_arn: str, event: Any) -> str: ...


@contextmanager
def answered_by(runtime: Runtime) -> Iterator[None]:
    """Leads moto's functions to `runtime` while it lasts."""

    def invoke(self: LambdaResponse) -> Answer:
        try:
            return _invoke(self, runtime)
        except AwsError as error:
            return error_answer(self, error)

    def run(self: LambdaFunction, event: Any = None) -> tuple[str, bool, str]:
        invocation = runtime.invoke(self.function_arn, event)
        return json.dumps(invocation.payload), invocation.error is not None, "\n".join(invocation.log_lines)

    before = LambdaResponse.invoke, LambdaFunction._invoke_lambda  # noqa: SLF001 - moto's only way to the code
    setattr(LambdaResponse, "invoke", invoke)  # noqa: B010 - mypy forbids assigning to a method
    setattr(LambdaFunction, "_invoke_lambda", run)  # noqa: B010 - as above
    try:
        yield
    finally:
        setattr(LambdaResponse, "invoke", before[0])  # noqa: B010 - as above
        setattr(LambdaFunction, "_invoke_lambda", before[1])  # noqa: B010 - as above


def _invoke(response: LambdaResponse, runtime: Runtime) -> Answer:
    """The Invoke API: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    name, qualifier = unquote(response.path.rsplit("/", 2)[-2]), response._get_param("Qualifier")  # noqa: SLF001 - moto's own way for a response to read its request
    function = read(response.backend.get_function(name, qualifier))
    arn = function.unqualified_arn + (f":{qualifier}" if qualifier else "")
    try:
        event = json.loads(response.body or "{}")
    except ValueError as error:
        raise AwsError("InvalidRequestContentException", f"Could not parse request body into json: {error}") from error
    kind = response.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
    if kind == "DryRun":
        return 204, {"status": "204"}, ""
    if kind == "Event":
        runtime.start_event(arn, event)
        return 202, {"status": "202"}, ""
    invocation = runtime.invoke(arn, event)
    headers = {"Content-Type": "application/json", "X-Amz-Executed-Version": function.version}
    if invocation.error is not None:
        headers["X-Amz-Function-Error"] = "Unhandled"
    if response.headers.get("X-Amz-Log-Type") == "Tail":
        tail = "\n".join(platform_lines(function, invocation)).encode()[-_LOG_TAIL_BYTES:]
        headers["X-Amz-Log-Result"] = base64.b64encode(tail).decode()
    return 200, headers, json.dumps(invocation.payload)

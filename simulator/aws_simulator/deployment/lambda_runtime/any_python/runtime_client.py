# ruff: noqa: INP001 - on the path of functions, no package
"""The native half of awslambdaric in Python, for interpreters that it was not built for on this machine.

It has what `awslambdaric.lambda_runtime_client` calls, over the Runtime API:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import http.client
import json
import os

_PREFIX = "/2018-06-01/runtime/"
_DEADLINE = "Lambda-Runtime-Deadline-Ms"
_agent = {"User-Agent": ""}


def initialize_client(user_agent: str) -> None:
    """Remember how the runtime names itself."""
    _agent["User-Agent"] = user_agent


def next() -> tuple[bytes, dict[str, str | int]]:  # noqa: A001 - named by awslambdaric
    """Wait for an event: its text, and what comes with it, the deadline as a number."""
    text, headers = _call("GET", "invocation/next")
    return text, {**headers, _DEADLINE: int(headers[_DEADLINE])}


def post_invocation_result(
    invoke_id: str, result: bytes, content_type: str = "application/json", invocation_id: str | None = None
) -> None:
    """Hand over what the handler returned."""
    _call("POST", f"invocation/{invoke_id}/response", result, _headers(invocation_id, content_type))


def post_error(invoke_id: str, error: str, xray_fault: str, invocation_id: str | None = None) -> None:
    """Hand over what the handler raised."""
    kind = json.loads(error).get("errorType") or "Unknown"
    told = {"Lambda-Runtime-Function-Error-Type": kind, "Lambda-Runtime-Function-XRay-Error-Cause": xray_fault}
    _call("POST", f"invocation/{invoke_id}/error", error.encode(), _headers(invocation_id, "application/json") | told)


def _headers(invocation_id: str | None, content_type: str) -> dict[str, str]:
    return {"Content-Type": content_type, **({"Lambda-Runtime-Invocation-Id": invocation_id} if invocation_id else {})}


def _call(
    method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        connection.request(method, _PREFIX + path, body, {**_agent, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in {200, 202}:
            raise RuntimeError(f"the Runtime API answered {answer.status} to {method} {path}")
        return text, dict(answer.getheaders())
    finally:
        connection.close()

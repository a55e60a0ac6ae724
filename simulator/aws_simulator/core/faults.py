"""What goes wrong between a program and AWS, on demand, and a record of the calls that reached AWS.

Everything here sits in front of moto's response classes, so that it works in process and in moto's server alike. Only
a time-out differs: in process botocore's own exception is raised, the server keeps its caller waiting.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from threading import Lock
from typing import Any

from botocore.exceptions import ReadTimeoutError
from moto.core.responses import BaseResponse
from moto.core.utils import get_pagination_model

from aws_simulator.core.operations import Answer, AwsError, current_page_size, error_answer, parameters_of, protocol_of

SERVER_TIMEOUT_SECONDS = 70
"""How long the server keeps silent on a time-out: longer than the 60 seconds that botocore waits by default."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that reached AWS. `service` is botocore's name of it; `parameters` are under AWS's names."""

    account: str
    region: str
    service: str
    operation: str
    parameters: Mapping[str, Any] = field(hash=False)

    @property
    def action(self) -> str:
        """The IAM action that permits the call, such as `tag:GetResources`."""
        prefix = {"resourcegroupstaggingapi": "tag", "efs": "elasticfilesystem"}.get(self.service, self.service)
        return f"{prefix}:{self.operation}"


Kind = Callable[[BaseResponse, Call, Callable[[], Answer]], Answer]
"""What a fault does: it may answer itself, or spoil the answer that it gets from its third argument."""


def error(code: str, message: str, status: int = 400) -> Kind:
    """The given error of AWS."""

    def answer(response: BaseResponse, _call: Call, _answer: Callable[[], Answer]) -> Answer:
        return error_answer(response, AwsError(code, message, status))

    return answer


def denied(response: BaseResponse, call: Call, _: Callable[[], Answer]) -> Answer:
    """No permission for the action, as IAM words it."""
    by_query = protocol_of(response) not in {"json", "rest-json"}
    code = "AccessDenied" if by_query else "AccessDeniedException"
    caller = f"arn:{response.partition}:sts::{call.account}:assumed-role/simulated/simulated"
    message = (
        f"User: {caller} is not authorized to perform: {call.action} "
        f"because no identity-based policy allows the {call.action} action"
    )
    return error_answer(response, AwsError(code, message, 400 if protocol_of(response) == "json" else 403))


_THROTTLED = {"resourcegroupstaggingapi": "ThrottledException", "organizations": "TooManyRequestsException"}


def throttled(response: BaseResponse, call: Call, _: Callable[[], Answer]) -> Answer:
    """Too many calls a second; botocore tries again."""
    common = "ThrottlingException" if protocol_of(response).endswith("json") else "Throttling"
    return error_answer(response, AwsError(_THROTTLED.get(call.service, common), "Rate exceeded"))


server_error: Kind = error(
    "InternalFailure", "The request processing has failed because of an unknown error, exception or failure.", 500
)
"""AWS fails with HTTP status 500; botocore tries again."""


def timeout(response: BaseResponse, _call: Call, answer: Callable[[], Answer]) -> Answer:
    """No answer within the time that the caller waits; botocore tries again."""
    if response.is_werkzeug_request:
        time.sleep(SERVER_TIMEOUT_SECONDS)
        return answer()
    raise ReadTimeoutError(endpoint_url=response.uri)


def malformed(_response: BaseResponse, _call: Call, answer: Callable[[], Answer]) -> Answer:
    """The true answer, cut off in the middle. botocore reads such JSON as an answer without any field."""
    status, headers, body = answer()
    text = body.decode() if isinstance(body, bytes) else body
    return status, headers, text[: len(text) // 2]


@dataclass(slots=True)
class Fault:
    """A fault while it lasts. `struck` counts the calls that it has hit, so that a test can tell that it did."""

    kind: Kind
    service: str
    operation: str | None
    account: str | None
    region: str | None
    nth: Collection[int] | None
    when: Callable[[Mapping[str, Any]], bool] | None
    seen: int = 0
    struck: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def strikes(self, call: Call) -> bool:
        """Whether this call is hit. The count of `nth` starts at 1 and counts the calls that match all else."""
        matches = (
            self.service == call.service
            and self.operation in {None, call.operation}
            and self.account in {None, call.account}
            and self.region in {None, call.region}
            and (self.when is None or self.when(call.parameters))
        )
        if not matches:
            return False
        with self._lock:
            self.seen += 1
            if self.nth is not None and self.seen not in self.nth:
                return False
            self.struck += 1
            return True


_faults: list[Fault] = []
_records: list[list[Call]] = []


@contextmanager
def failing(  # noqa: PLR0913 - each narrows which calls fail
    kind: Kind,
    service: str,
    operation: str | None = None,
    *,
    account: str | None = None,
    region: str | None = None,
    nth: Collection[int] | None = None,
    when: Callable[[Mapping[str, Any]], bool] | None = None,
) -> Iterator[Fault]:
    """Calls fail in this way as long as the context lasts.

    Args:
        kind: `denied`, `throttled`, `server_error`, `timeout`, `malformed` or `error(code, message, status)`.
        service: botocore's name of the service: `backup`, `resourcegroupstaggingapi`, `iam` …
        operation: AWS's name of the operation, or None for all of the service.
        account: only calls made in this account.
        region: only calls made in this Region.
        nth: only these calls, counted from 1 among those that match all else. Retries count too.
        when: only calls with parameters for which this is true.
    """
    fault = Fault(kind, service, operation, account, region, nth, when)
    _faults.append(fault)
    try:
        yield fault
    finally:
        _remove(_faults, fault)


@contextmanager
def recorded_calls() -> Iterator[list[Call]]:
    """The calls that reach AWS while the context lasts, failed ones and retries among them, in the order of arrival."""
    calls: list[Call] = []
    _records.append(calls)
    try:
        yield calls
    finally:
        _remove(_records, calls)


def _remove(items: list[Any], item: object) -> None:
    """By identity: two recordings without calls are equal."""
    items[:] = [each for each in items if each is not item]


def install() -> None:
    """Puts faults, records and page sizes in front of moto's answers. Idempotent."""
    answer: Callable[[BaseResponse], Answer] = BaseResponse.call_action
    if hasattr(answer, "records_calls"):
        return

    @wraps(answer)
    def call_action(self: BaseResponse) -> Answer:
        if not (_faults or _records or current_page_size()):
            return answer(self)
        call = _call(self)
        for calls in tuple(_records):
            calls.append(call)
        _shrink_page(self, call)
        fault = next((each for each in tuple(_faults) if each.strikes(call)), None)
        return answer(self) if fault is None else fault.kind(self, call, lambda: answer(self))

    setattr(call_action, "records_calls", True)  # noqa: B010 - a function has no such attribute by type
    setattr(BaseResponse, "call_action", call_action)  # noqa: B010 - mypy forbids assigning to a method


def _call(response: BaseResponse) -> Call:
    operation = response._get_action()  # noqa: SLF001 - moto offers no public way
    try:
        parameters = parameters_of(response)
    except Exception:  # noqa: BLE001 - moto answers what it cannot read with an error of its own
        parameters = {}
    return Call(response.current_account, response.region, response.boto3_service_name, operation or "", parameters)


def _shrink_page(response: BaseResponse, call: Call) -> None:
    """Asks moto's own list operations for smaller pages; those of this package look at `page_size` themselves."""
    size = current_page_size()
    if size is None:
        return
    limit = _limit_name(call)
    if limit is None:
        return
    wanted = min(size, int(call.parameters.get(limit) or size))
    if response.automated_parameter_parsing:
        response.params[limit] = wanted
    if protocol_of(response) == "json":
        if isinstance(response.body, str):
            response.body = json.dumps(json.loads(response.body or "{}") | {limit: wanted})
    else:
        response.querystring[limit] = [str(wanted)]


def _limit_name(call: Call) -> str | None:
    try:
        limit = get_pagination_model(call.service)[call.operation].get("limit_key")
    except (KeyError, ValueError):
        return None
    return None if limit is None else str(limit)

"""How an operation that moto lacks is added to it: a plain function from a request to an answer.

moto finds the operation and its parameters with botocore's own service models. A handler given to `implement` becomes
a method of moto's response class; what it returns is serialized by the model again, so that requests and answers pass
the same checks in process and through moto's server. Handlers keep their state in moto's backends, one per account and
Region, which are emptied when a simulation ends.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from xml.sax.saxutils import escape

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.utilities.utils import get_partition

Answer = tuple[int, dict[str, Any], Any]
"""HTTP status, headers and body, as moto's response classes hand them on."""

Item = TypeVar("Item")


class AwsError(Exception):
    """What AWS answers instead of a result: an error code, a message in AWS's words, and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """One call as it reached the simulator: who asks, where, and for what (parameters under AWS's names)."""

    account: str
    region: str
    parameters: Mapping[str, Any]

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return str(get_partition(self.region))

    def text(self, name: str) -> str:
        """A parameter that botocore requires to be there."""
        return str(self.parameters[name])

    def time(self, name: str) -> datetime | None:
        """A timestamp of the request in UTC; moto hands them over without a time zone."""
        value: datetime | None = self.parameters.get(name)
        return None if value is None else value.replace(tzinfo=UTC)


Handler = Callable[[Request], Mapping[str, Any]]


@dataclass(slots=True)
class _Settings:
    page_size: int | None = None
    now: datetime | None = None


_settings = _Settings()


def now() -> datetime:
    """The simulated present, in UTC: the machine's clock unless `clock` holds it."""
    return _settings.now or datetime.now(UTC)


@contextmanager
def clock(instant: datetime) -> Iterator[None]:
    """Holds the simulated present of AWS Backup (creation dates, job ages, next runs) at an instant with time zone."""
    before, _settings.now = _settings.now, instant.astimezone(UTC)
    try:
        yield
    finally:
        _settings.now = before


@contextmanager
def page_size(size: int) -> Iterator[None]:
    """No page of any list operation holds more than `size` items, whatever the caller asked for."""
    if size < 1:
        raise ValueError(f"page_size must be at least 1, not {size}")
    before, _settings.page_size = _settings.page_size, size
    try:
        yield
    finally:
        _settings.page_size = before


def current_page_size() -> int | None:
    """The size that `page_size` holds pages to, or None."""
    return _settings.page_size


def implement(response_class: type[BaseResponse], handlers: Mapping[str, Handler]) -> None:
    """Adds operations to a response class of moto, or replaces them. Handlers are named as AWS names the operation."""
    for operation, handler in handlers.items():
        setattr(response_class, camelcase_to_underscores(operation), _method(handler))


def _method(handler: Handler) -> Callable[[BaseResponse], ActionResult | Answer]:
    def method(self: BaseResponse) -> ActionResult | Answer:
        request = Request(self.current_account, self.region, parameters_of(self))
        try:
            return ActionResult(handler(request))
        except AwsError as error:
            return error_answer(self, error)

    return method


def parameters_of(response: BaseResponse) -> dict[str, Any]:
    """The parameters of the request that `response` is about to answer, read with botocore's model."""
    model = get_service_model(response.boto3_service_name)
    # `_get_action` also finds the parameters in the path, as `uri_match`.
    operation = model.operation_model(response._get_action())  # noqa: SLF001 - moto offers no public way
    request = response.normalized_request
    protocol = determine_request_protocol(model, request.content_type)
    parser: Any = PROTOCOL_PARSERS[protocol]
    parsed: dict[str, Any] = parser(operation).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": response.uri_match,
        }
    )
    return parsed


def protocol_of(response: BaseResponse) -> str:
    """The wire protocol of the answer: json, rest-json, query, ec2 or rest-xml."""
    return str(response.determine_response_protocol(get_service_model(response.boto3_service_name)))


def error_answer(response: BaseResponse, error: AwsError) -> Answer:
    """The error in the wire format of the service, also for codes that its model does not list."""
    protocol = protocol_of(response)
    if protocol.endswith("json"):
        body = json.dumps({"__type": error.code, "message": error.message, "Message": error.message})
        headers = {"Content-Type": "application/json", "X-Amzn-ErrorType": error.code}
    else:
        entry = f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
        request_id = "<RequestId>00000000-0000-0000-0000-000000000000</RequestId>"
        body = {
            "query": f"<ErrorResponse>{entry}{request_id}</ErrorResponse>",
            "ec2": f"<Response><Errors>{entry}</Errors>{request_id}</Response>",
        }.get(protocol, entry)
        headers = {"Content-Type": "text/xml"}
    # moto takes the status of an answer from its headers.
    return error.status, headers | {"status": str(error.status)}, body


@dataclass(frozen=True, slots=True)
class Paging:
    """How a service divides its lists into pages.

    `size_parameter` names the parameter with the number of items (None: the caller has no say), `largest` is what it
    gets when it asks for nothing, `continuation` names the parameter with the page to go on with, and `refusal` is the
    error code for one that was never given.
    """

    size_parameter: str | None
    largest: int
    refusal: str
    continuation: str = "NextToken"


def page(items: Sequence[Item], request: Request, paging: Paging) -> tuple[list[Item], str | None]:
    """The page of `items`, which are in a stable order, that the request asks for, and the token of the next."""
    asked = request.parameters.get(paging.size_parameter) if paging.size_parameter else None
    size = min(int(asked or paging.largest), current_page_size() or paging.largest)
    start = _position(request.parameters.get(paging.continuation), paging.refusal)
    end = start + size
    return list(items[start:end]), _token(end) if end < len(items) else None


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(f"position {position}".encode()).decode()


def _position(token: str | None, refusal: str) -> int:
    if not token:
        return 0
    try:
        word, number = base64.urlsafe_b64decode(token.encode()).decode().split(" ")
        if word == "position":
            return int(number)
    except (ValueError, binascii.Error):
        pass
    raise AwsError(refusal, f"The pagination token {token!r} is not valid.")

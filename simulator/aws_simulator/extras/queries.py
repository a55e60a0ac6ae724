"""AWS Config's advanced queries over all that an aggregator collects; and stored queries.

Source: https://docs.aws.amazon.com/config/latest/APIReference/API_SelectAggregateResourceConfig.html
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import Any

from moto.config.models import config_backends
from moto.config.responses import ConfigResponse

from aws_simulator.core.config.queries import LARGEST_PAGE, MAX_EXPRESSION, answered, query_of
from aws_simulator.core.config.recorded_items import recorded_items
from aws_simulator.core.operations import AwsError, Handler, Paging, Request, implement, page
from aws_simulator.extras import aggregators

MAX_DESCRIPTION = 256

Answer = dict[str, Any]


@dataclass(slots=True)
class _State:
    """The stored queries of one account and Region, by name, as `GetStoredQuery` answers them."""

    stored: dict[str, Answer] = field(default_factory=dict)


def _state(account: str, region: str) -> _State:
    # moto empties this dictionary when it resets the backend.
    state: _State = vars(config_backends[account][region]).setdefault("_stored_queries", _State())
    return state


def _select_aggregate(request: Request) -> Answer:
    places = aggregators.places(request)
    query = query_of(request)
    items = [item for account, region in places for item in recorded_items(account, region, query.types)]
    return answered(request, query, items)


# --- Stored queries -------------------------------------------------------------------------------------------------


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
        raise _invalid(f"The query name {name!r} must have 1 to 64 letters, digits, hyphens and underscores.")


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def _not_found(name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"The stored query {name} does not exist.")


def _put(request: Request) -> Answer:
    given = request.parameters["StoredQuery"]
    name, expression, description = given["QueryName"], given.get("Expression") or "", given.get("Description") or ""
    _check_name(name)
    if not 1 <= len(expression) <= MAX_EXPRESSION:
        raise _invalid(f"The expression must have 1 to {MAX_EXPRESSION} characters, not {len(expression)}.")
    if len(description) > MAX_DESCRIPTION:
        raise _invalid(f"The description must have at most {MAX_DESCRIPTION} characters, not {len(description)}.")
    stored = _state(request.account, request.region).stored
    query_id = stored[name]["QueryId"] if name in stored else f"query-{uuid.uuid4().hex[:20]}"
    place = f"arn:{request.partition}:config:{request.region}:{request.account}"
    stored[name] = {
        "QueryId": query_id,
        "QueryArn": f"{place}:stored-query/{name}/{query_id}",
        "QueryName": name,
        "Description": description,
        "Expression": expression,
    }
    return {"QueryArn": stored[name]["QueryArn"]}


def _get(request: Request) -> Answer:
    name = request.text("QueryName")
    stored = _state(request.account, request.region).stored
    if name not in stored:
        raise _not_found(name)
    return {"StoredQuery": stored[name]}


def _list(request: Request) -> Answer:
    stored = _state(request.account, request.region).stored
    paging = Paging("MaxResults", largest=LARGEST_PAGE, refusal="InvalidNextTokenException")
    names, token = page(sorted(stored), request, paging)
    metadata = [{key: value for key, value in stored[name].items() if key != "Expression"} for name in names]
    return {"StoredQueryMetadata": metadata} | ({"NextToken": token} if token else {})


def _delete(request: Request) -> Answer:
    name = request.text("QueryName")
    stored = _state(request.account, request.region).stored
    if name not in stored:
        raise _not_found(name)
    del stored[name]
    return {}


HANDLERS: dict[str, Handler] = {
    "DeleteStoredQuery": _delete,
    "GetStoredQuery": _get,
    "ListStoredQueries": _list,
    "PutStoredQuery": _put,
    "SelectAggregateResourceConfig": _select_aggregate,
}


def install() -> None:
    """Teaches moto's AWS Config aggregators, queries over them and stored queries. Idempotent."""
    implement(ConfigResponse, HANDLERS | aggregators.HANDLERS)

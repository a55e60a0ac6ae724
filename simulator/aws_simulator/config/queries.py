"""AWS Config's advanced queries: over one account, or over all that an aggregator collects; and stored queries.

Sources: https://docs.aws.amazon.com/config/latest/developerguide/querying-AWS-resources.html and
https://docs.aws.amazon.com/config/latest/APIReference/API_SelectAggregateResourceConfig.html
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.config.models import config_backends
from moto.config.responses import ConfigResponse

from aws_simulator.config import aggregators
from aws_simulator.config.query_language import Query, QueryError, parse
from aws_simulator.config.recorded_items import Item, recorded_items
from aws_simulator.operations import AwsError, Handler, Paging, Request, implement, page

MAX_EXPRESSION = 4096
MAX_DESCRIPTION = 256
_DEFAULT_ROWS = 25
_DEFAULT_GROUPS = 500
_LARGEST_PAGE = 100

Answer = dict[str, Any]


@dataclass(slots=True)
class _State:
    """The stored queries of one account and Region, by name, as `GetStoredQuery` answers them."""

    stored: dict[str, Answer] = field(default_factory=dict)


def _state(account: str, region: str) -> _State:
    # moto empties this dictionary when it resets the backend.
    state: _State = vars(config_backends[account][region]).setdefault("_stored_queries", _State())
    return state


# --- Queries --------------------------------------------------------------------------------------------------------


def _select(request: Request) -> Answer:
    query = _query(request)
    return _answered(request, query, recorded_items(request.account, request.region, query.types))


def _select_aggregate(request: Request) -> Answer:
    places = aggregators.places(request)
    query = _query(request)
    items = [item for account, region in places for item in recorded_items(account, region, query.types)]
    return _answered(request, query, items)


def _query(request: Request) -> Query:
    expression = request.text("Expression")
    if not 1 <= len(expression) <= MAX_EXPRESSION:
        raise AwsError(
            "ValidationException",
            "1 validation error detected: Value at 'expression' failed to satisfy constraint: Member must have length "
            f"between 1 and {MAX_EXPRESSION}",
        )
    try:
        return parse(expression)
    except QueryError as error:
        raise AwsError("InvalidExpressionException", str(error)) from error


def _answered(request: Request, query: Query, items: Sequence[Item]) -> Answer:
    try:
        rows = query.answer(items)
    except QueryError as error:
        raise AwsError("InvalidExpressionException", str(error)) from error
    listed, token = page(rows, request, _paging(request, query))
    answer = {
        "Results": [json.dumps(row) for row in listed],
        "QueryInfo": {"SelectFields": [{"Name": name} for name in query.names]},
    }
    return answer | ({"NextToken": token} if token and query.pages else {})


def _paging(request: Request, query: Query) -> Paging:
    """A page has 500 rows by default when the query aggregates, else 25."""
    name = "Limit" if request.parameters.get("Limit") else "MaxResults"
    asked = request.parameters.get(name)
    if asked and not 0 <= int(asked) <= _LARGEST_PAGE:
        raise AwsError("InvalidLimitException", f"The limit {asked} is outside the allowable range.")
    default = _DEFAULT_GROUPS if query.aggregates else _DEFAULT_ROWS
    return Paging(name, largest=int(asked or default), refusal="InvalidNextTokenException")


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
    paging = Paging("MaxResults", largest=_LARGEST_PAGE, refusal="InvalidNextTokenException")
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
    "SelectResourceConfig": _select,
}


def install() -> None:
    """Teaches moto's AWS Config queries and aggregators. Idempotent."""
    implement(ConfigResponse, HANDLERS | aggregators.HANDLERS)

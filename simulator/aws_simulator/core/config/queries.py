"""AWS Config's advanced queries over what is recorded in one account and Region.

Source: https://docs.aws.amazon.com/config/latest/developerguide/querying-AWS-resources.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from moto.config.responses import ConfigResponse

from aws_simulator.core.config.query_language import Query, QueryError, parse
from aws_simulator.core.config.recorded_items import Item, recorded_items
from aws_simulator.core.operations import AwsError, Handler, Paging, Request, implement, page

MAX_EXPRESSION = 4096
_DEFAULT_ROWS = 25
_DEFAULT_GROUPS = 500
LARGEST_PAGE = 100

Answer = dict[str, Any]


def _select(request: Request) -> Answer:
    query = query_of(request)
    return answered(request, query, recorded_items(request.account, request.region, query.types))


def query_of(request: Request) -> Query:
    """The query in the request.

    Raises:
        AwsError: ValidationException or InvalidExpressionException.
    """
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


def answered(request: Request, query: Query, items: Sequence[Item]) -> Answer:
    """A page of what the query says of the items.

    Raises:
        AwsError: InvalidExpressionException, InvalidLimitException or InvalidNextTokenException.
    """
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
    if asked and not 0 <= int(asked) <= LARGEST_PAGE:
        raise AwsError("InvalidLimitException", f"The limit {asked} is outside the allowable range.")
    default = _DEFAULT_GROUPS if query.aggregates else _DEFAULT_ROWS
    return Paging(name, largest=int(asked or default), refusal="InvalidNextTokenException")


HANDLERS: dict[str, Handler] = {"SelectResourceConfig": _select}


def install() -> None:
    """Teaches moto's AWS Config queries. Idempotent."""
    implement(ConfigResponse, HANDLERS)

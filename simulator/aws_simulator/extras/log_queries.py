"""CloudWatch Logs Insights: queries that filter log lines and sum them up; moto knows no `stats` and no `filter`.

Of the query language there are `filter` (`in`, `like /…/`, `=`), `stats` (`count(*)`, `max`, `latest`, with `by`) and
`limit`, on `@timestamp`, `@message` and the fields of JSON lines; anything else is refused. It is complete at once.
Sources: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

from moto.logs.models import LogsBackend, logs_backends
from moto.logs.responses import LogsResponse

from aws_simulator.core.operations import AwsError, Handler, Request, implement

MOST_ROWS = 10_000
DEFAULT_ROWS = 10_000

Row = dict[str, Any]
_FIELD = r"@?\w+"
_STAT = re.compile(rf"(count|max|latest)\((\*|{_FIELD})\)\s+as\s+(\w+)")


def install() -> None:
    """Puts the queries into moto's CloudWatch Logs. Idempotent."""
    implement(LogsResponse, HANDLERS)


def _start_query(request: Request) -> dict[str, Any]:
    backend = logs_backends[request.account][request.region]
    asked = request.parameters
    groups = asked.get("logGroupNames") or [asked["logGroupName"]]
    for group in groups:
        if group not in backend.groups:
            raise AwsError("ResourceNotFoundException", f"Log group '{group}' does not exist")
    since, until = int(asked["startTime"]) * 1000, int(asked["endTime"]) * 1000
    rows = [row for group in groups for row in _rows(backend, group) if since <= row["@timestamp"] <= until]
    for command in re.split(r"\s*\|\s*(?![^/]*/\s*(?:\||$))", request.text("queryString").strip()):
        rows = _done(command, rows)
    identity = str(uuid4())
    vars(backend).setdefault("_insights", {})[identity] = rows[: int(asked.get("limit") or DEFAULT_ROWS)]
    return {"queryId": identity}


def _query_results(request: Request) -> dict[str, Any]:
    known: dict[str, list[Row]] = vars(logs_backends[request.account][request.region]).get("_insights", {})
    identity = request.text("queryId")
    if identity not in known:
        raise AwsError("ResourceNotFoundException", f"Query '{identity}' does not exist")
    results = [
        [{"field": name, "value": str(value)} for name, value in row.items() if value is not None]
        for row in known[identity]
    ]
    return {"status": "Complete", "results": results}


def _rows(backend: LogsBackend, group: str) -> Iterator[Row]:
    for stream in list(backend.groups[group].streams.values()):
        for event in list(stream.events):
            row: Row = {"@timestamp": int(event.timestamp), "@message": event.message}
            with suppress(ValueError):
                fields = json.loads(event.message)
                if isinstance(fields, dict):
                    row |= fields
            yield row


def _done(command: str, rows: list[Row]) -> list[Row]:
    verb, _, rest = command.partition(" ")
    if verb == "filter":
        holds = _condition(rest.strip())
        return [row for row in rows if holds(row)]
    if verb == "stats":
        return _summed(rest, rows)
    if verb == "limit" and rest.strip().isdigit() and int(rest) <= MOST_ROWS:
        return rows[: int(rest)]
    raise AwsError("MalformedQueryException", f"The simulator does not know this command: {command}")


def _condition(text: str) -> Callable[[Row], bool]:
    if found := re.fullmatch(rf"({_FIELD}) in (\[.*\])", text):
        name, values = found[1], json.loads(found[2])
        return lambda row: row.get(name) in values
    if found := re.fullmatch(rf"({_FIELD}) like /(.*)/", text):
        name, pattern = found[1], re.compile(found[2])
        return lambda row: pattern.search(str(row.get(name, ""))) is not None
    if found := re.fullmatch(rf'({_FIELD}) = "([^"]*)"', text):
        name, value = found[1], found[2]
        return lambda row: row.get(name) == value
    raise AwsError("MalformedQueryException", f"The simulator does not know this condition: {text}")


def _summed(text: str, rows: list[Row]) -> list[Row]:
    what, _, by = text.partition(" by ")
    stats = [_STAT.fullmatch(each.strip()) for each in what.split(",")]
    if not all(stats):
        raise AwsError("MalformedQueryException", f"The simulator does not know these statistics: {what}")
    names = [each.strip() for each in by.split(",")] if by else []
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(name) for name in names), []).append(row)
    return [
        dict(zip(names, key, strict=True)) | {each[3]: _stat(each[1], each[2], of) for each in stats if each}
        for key, of in groups.items()
    ]


def _stat(function: str, name: str, rows: list[Row]) -> Any:
    if function == "count":
        return len(rows)
    if function == "max":
        return max((row[name] for row in rows if name in row), default=None)
    return max(rows, key=lambda row: row["@timestamp"]).get(name)


HANDLERS: dict[str, Handler] = {"StartQuery": _start_query, "GetQueryResults": _query_results}

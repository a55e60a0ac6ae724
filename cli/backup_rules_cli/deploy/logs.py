"""When each rule last put evaluations for each account, and where it fails, asked of CloudWatch Logs.

A function writes a line per invocation: in a large organization millions within two periods. So CloudWatch sums them up
(Logs Insights), one query a function, several at a time; what comes back is a row an account and outcome.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from backup_rules_cli.deploy.aws import Access, AwsCallError
from backup_rules_cli.deploy.health import RuleHealth
from backup_rules_cli.deploy.settings import RuleSettings, Settings

MOST_ROWS = 10_000
"""So many rows a query answers: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""

AT_A_TIME = 10
"""Queries; an account may run 30 at once in a Region, of others' as well."""

POLL_SECONDS = 0.5
_BUSY = frozenset({"LimitExceededException", "ThrottlingException"})
_UNDER_WAY = frozenset({"Scheduled", "Running"})

_PUT, _FAILED = "evaluation put", "evaluation failed"
_TEXT_LENGTH = 600

_QUERY = (
    'filter message in ["{put}", "{failed}"] | filter account like /^{prefix}/'
    " | stats max(@timestamp) as at, latest(error) as why, count(*) as number by account, message | limit {most}"
)


def read_logs(
    settings: Settings, access: Access, region: str, accounts: Collection[str], now: datetime
) -> list[RuleHealth]:
    """How each rule of the pack is in a Region, for these accounts; failures for others are only counted.

    Raises:
        AwsCallError: they cannot be read.
    """
    reached = frozenset(accounts)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        work = [pool.submit(_read_rule, settings, access, region, reached, rule, now) for rule in settings.rules_on]
        return [each.result() for each in work]


def _read_rule(  # noqa: PLR0913, PLR0917 - one function, and what is known of the whole
    settings: Settings, access: Access, region: str, reached: frozenset[str], rule: RuleSettings, now: datetime
) -> RuleHealth:
    health = RuleHealth(rule.folder.name, rule.frequency)
    group = f"/aws/lambda/{settings.function(rule.folder)}"
    try:
        for row in _rows(access, region, group, now - health.lookback, now):
            account, failed = row.get("account", ""), row.get("message") == _FAILED
            if account in reached:
                health.note(account, _seconds(row["at"]), row.get("why", "")[:_TEXT_LENGTH] if failed else None)
            elif failed:
                health.strangers += int(row["number"])
    except AwsCallError as error:
        if error.code != "ResourceNotFoundException":
            raise
        health.unreadable = f"Its function has no log group {group} in {region}: the function is not deployed there."
    return health


def _rows(access: Access, region: str, group: str, since: datetime, until: datetime) -> Iterator[Mapping[str, str]]:
    """A row an account and outcome. Where they are too many for one answer, by the first digits of the accounts."""
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        query = _QUERY.format(put=_PUT, failed=_FAILED, prefix=prefix, most=MOST_ROWS)
        rows = _answer(access, region, group, query, since, until)
        if len(rows) >= MOST_ROWS:
            waiting += [f"{prefix}{digit}" for digit in range(10)]
        else:
            yield from rows


def _answer(  # noqa: PLR0913, PLR0917 - one query
    access: Access, region: str, group: str, query: str, since: datetime, until: datetime
) -> list[Mapping[str, str]]:
    begin, end = int(since.timestamp()), int(until.timestamp()) + 1
    while True:
        try:
            started = access.call(
                "logs", region, "start_query", logGroupName=group, startTime=begin, endTime=end, queryString=query
            )
            break
        except AwsCallError as error:  # others' queries run, too
            if error.code not in _BUSY:
                raise
        time.sleep(POLL_SECONDS)
    while True:
        answer = access.call("logs", region, "get_query_results", queryId=started["queryId"])
        if answer["status"] not in _UNDER_WAY:
            break
        time.sleep(POLL_SECONDS)
    if answer["status"] != "Complete":
        text = f"The query of {group} in {region} ended as {answer['status']}."
        raise AwsCallError(text, str(answer["status"]), text)
    return [{each["field"]: each["value"] for each in row} for row in answer["results"]]


def _seconds(moment: str) -> float:
    """Epoch seconds of what Logs Insights answers for a time: milliseconds, or `2026-11-27 09:30:00.000` in UTC."""
    if "-" in moment:
        return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
    return float(moment) / 1000

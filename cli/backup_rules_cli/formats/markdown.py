"""Markdown, for a pull request or an issue: the problems in a table for each account and Region."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from backup_rules_cli.console import printable
from backup_rules_cli.formats.records import Record
from backup_rules_cli.reports import COMPLIANT, NON_COMPLIANT, Report

# What could begin markup, HTML, a link, a mention, a reference or a formula within a table's cell.
_MARKUP = re.compile(r"[\\`*_\[\]<>|~&@#$]|:(?=//)|(?<=www)\.", re.IGNORECASE)


def text(report: Report, records: Sequence[Record]) -> str:
    """The problems, what could not be judged, and how many there are of both."""
    return "\n".join((*_lines(report, records), ""))


def _lines(report: Report, records: Sequence[Record]) -> Iterator[str]:
    counts = Counter(each.compliance for each in records)
    yield "# AWS Backup Config rules"
    yield ""
    yield (
        f"{plain(report.source[:1].upper() + report.source[1:])}, {report.now:%Y-%m-%d %H:%M} UTC:"
        f" {counts[NON_COMPLIANT]} NON\\_COMPLIANT, {counts[COMPLIANT]} COMPLIANT, {len(report.failures)} failed."
    )
    problems = [each for each in records if each.compliance == NON_COMPLIANT]
    for (account, name, region), found in groupby(
        problems, lambda each: (each.account, each.account_name, each.region)
    ):
        yield ""
        yield f"## {plain(f'{name} ({account}) {region}'.strip())}"
        yield ""
        yield "| Severity | Rule | Resource | What is wrong, and what to do |"
        yield "|---|---|---|---|"
        for each in sorted(found, key=lambda each: (each.rule, each.resource_type, each.resource_id)):
            resource = f"{plain(each.resource_type)}<br>{plain(each.resource)}"
            yield f"| {each.severity} | {plain(each.rule)} | {resource} | {plain(each.annotation)} |"
    if report.failures:
        yield ""
        yield "## Could not be judged"
        yield ""
        yield "| Rule | Account | Region | Why |"
        yield "|---|---|---|---|"
        for failure in report.failures:
            cells = (failure.rule, failure.account, failure.region, failure.error)
            yield f"| {' | '.join(map(plain, cells))} |"


def plain(value: str) -> str:
    """`value` on one line, in which nothing is markup."""
    return _MARKUP.sub(r"\\\g<0>", printable(value))

"""Comma-separated values, for a spreadsheet. No cell is a formula, whoever chose what it holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields

from backup_rules_cli.console import printable
from backup_rules_cli.formats.records import Record
from backup_rules_cli.reports import Report

# What makes spreadsheets calculate: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four are full-width


def text(report: Report, records: Sequence[Record]) -> str:
    """A row for each evaluation under a row of names; what could not be judged is FAILED."""
    out = io.StringIO()
    names = [each.name for each in fields(Record)]
    writer = csv.DictWriter(out, names, restval="", lineterminator="\r\n")
    writer.writeheader()
    for each in records:
        writer.writerow({name: cell(value) for name, value in asdict(each).items()})
    for failure in report.failures:
        row = {"rule": failure.rule, "account": failure.account, "region": failure.region}
        row |= {"compliance": "FAILED", "annotation": failure.error}
        writer.writerow({name: cell(value) for name, value in row.items()})
    return out.getvalue()


def cell(value: str) -> str:
    """`value` on one line; with an apostrophe in front where a spreadsheet would calculate it."""
    shown = printable(value)
    return f"'{shown}" if value.lstrip().startswith(_FORMULA) else shown

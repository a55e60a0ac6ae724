"""What an evaluation found, in the forms in which people and programs take it. All are written from `records`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from backup_rules_cli.formats import asff, comma_separated, documents, junit, markdown, ocsf, sarif
from backup_rules_cli.formats.records import Record
from backup_rules_cli.reports import Report

FORMATS: Mapping[str, Callable[[Report, Sequence[Record]], str]] = {
    "json": documents.text,
    "csv": comma_separated.text,
    "markdown": markdown.text,
    "junit": junit.text,
    "sarif": sarif.text,
    "asff": asff.text,
    "ocsf": ocsf.text,
}
"""The text of each format, beside the table."""

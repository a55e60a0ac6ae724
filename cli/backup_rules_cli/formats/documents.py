"""One JSON object, as `evaluation.schema.json` beside this module describes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from backup_rules_cli.console import as_json
from backup_rules_cli.formats.records import Record
from backup_rules_cli.reports import Report


def document(report: Report, records: Sequence[Record]) -> dict[str, Any]:
    """`evaluations`, `excluded`, `failures`, and `counts` by compliance type."""
    return {
        "source": report.source,
        "evaluated_at": report.now.isoformat(),
        "evaluations": [asdict(each) for each in records],
        "excluded": [asdict(each.found) | {"reason": each.reason} for each in report.quiet],
        "failures": [asdict(each) for each in report.failures],
        "counts": dict(Counter(each.compliance for each in records)),
    }


def text(report: Report, records: Sequence[Record]) -> str:
    """The object as JSON."""
    return as_json(document(report, records)) + "\n"

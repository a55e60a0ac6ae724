"""SARIF 2.1.0, as code scanning reads it: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from backup_rules_cli.console import as_json, printable
from backup_rules_cli.formats.records import Record
from backup_rules_cli.reports import NON_COMPLIANT, Report

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}


def text(report: Report, records: Sequence[Record]) -> str:
    """One run: a rule for each rule with problems, a result for each problem, a notification for each failure."""
    problems = [each for each in records if each.compliance == NON_COMPLIANT]
    rules = {each.rule: each for each in problems}
    order = {name: index for index, name in enumerate(rules)}
    run = {
        "tool": {
            "driver": {"name": "aws-backup-config-rules", "rules": [_rule(each) for each in rules.values()]},
        },
        "invocations": [
            {
                "executionSuccessful": not report.failures,
                "endTimeUtc": f"{report.now:%Y-%m-%dT%H:%M:%S}Z",
                "toolExecutionNotifications": [
                    {
                        "level": "error",
                        "message": {"text": f"{each.rule} {each.account} {each.region}: {each.error}"},
                    }
                    for each in report.failures
                ],
            }
        ],
        "results": [_result(each, order[each.rule]) for each in problems],
    }
    return as_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


def _rule(each: Record) -> dict[str, Any]:
    return {
        "id": each.rule,
        "shortDescription": {"text": each.title},
        "help": {"text": each.fix},
        "defaultConfiguration": {"level": LEVELS[each.severity]},
        "properties": {"severity": each.severity, "page": each.page},
    }


def _result(each: Record, index: int) -> dict[str, Any]:
    path = (each.partition, each.account, each.region, each.resource_type, each.resource_id)
    fingerprint = hashlib.sha256("\n".join(each.key).encode(errors="replace")).hexdigest()
    name = f"{each.account_name} ({each.account}) {each.region} {each.resource}".strip()
    return {
        "ruleId": each.rule,
        "ruleIndex": index,
        "level": LEVELS[each.severity],
        "message": {"text": printable(each.annotation)},
        "locations": [
            {
                # Code scanning shows no result without a file: a resource has a path of its own instead.
                "physicalLocation": {
                    "artifactLocation": {"uri": "/".join(quote(printable(part), safe="") for part in path)}
                },
                "logicalLocations": [{"name": printable(each.resource), "fullyQualifiedName": printable(name)}],
            }
        ],
        "partialFingerprints": {"backupRules/v1": fingerprint},
        "properties": {"plan": printable(each.plan), "selection": printable(each.selection)},
    }

"""Compliance Findings of the Open Cybersecurity Schema Framework, as Security Lake and others read them.

https://schema.ocsf.io/1.3.0/classes/compliance_finding, with the profile `cloud`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from backup_rules_cli.console import as_json, printable
from backup_rules_cli.formats.records import Record
from backup_rules_cli.reports import COMPLIANT, NON_COMPLIANT, Report

OCSF_VERSION = "1.3.0"
_PRODUCT = "AWS Backup Config rules"
_ARTICLE = "https://repost.aws/knowledge-center/aws-backup-troubleshoot-scheduled-backup-plans"
_FINDINGS, _COMPLIANCE_FINDING, _CREATE = 2, 2003, 1
_INFORMATIONAL = 1
_SEVERITIES = {"low": 2, "medium": 3, "high": 4, "critical": 5}
_NAMES = {1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"}
_STATUSES = {COMPLIANT: (1, "Pass"), NON_COMPLIANT: (3, "Fail")}
_NOT_APPLICABLE = (99, "Not applicable")


def text(report: Report, records: Sequence[Record]) -> str:
    """A JSON list with a finding for each evaluation."""
    moment = int(report.now.timestamp() * 1000)
    return as_json([_finding(each, moment) for each in records]) + "\n"


def _finding(each: Record, moment: int) -> dict[str, Any]:
    severity = _SEVERITIES[each.severity] if each.compliance == NON_COMPLIANT else _INFORMATIONAL
    status_id, status = _STATUSES.get(each.compliance, _NOT_APPLICABLE)
    said = {"message": printable(each.annotation)} if each.annotation else {}
    return {
        "activity_id": _CREATE,
        "activity_name": "Create",
        "category_uid": _FINDINGS,
        "category_name": "Findings",
        "class_uid": _COMPLIANCE_FINDING,
        "class_name": "Compliance Finding",
        "type_uid": _COMPLIANCE_FINDING * 100 + _CREATE,
        "type_name": "Compliance Finding: Create",
        "time": moment,
        "severity_id": severity,
        "severity": _NAMES[severity],
        "status_id": 1,
        "status": "New",
        **said,
        "metadata": {
            "version": OCSF_VERSION,
            "profiles": ["cloud"],
            "product": {"name": _PRODUCT, "vendor_name": _PRODUCT, "version": _version()},
        },
        "cloud": {
            "provider": "AWS",
            "region": each.region,
            "account": {
                "uid": each.account,
                "type_id": 10,
                "type": "AWS Account",
                **({"name": printable(each.account_name)} if each.account_name else {}),
            },
        },
        "compliance": {
            "control": each.rule,
            "standards": ["Why are my scheduled backup plans in AWS Backup not running?"],
            "status_id": status_id,
            "status": status,
        },
        "finding_info": {
            "uid": hashlib.sha256("\n".join(each.key).encode(errors="replace")).hexdigest(),
            "title": each.title,
            "types": ["Software and Configuration Checks"],
            **({"desc": printable(each.annotation)} if each.annotation else {}),
        },
        "remediation": {"desc": each.fix, "references": [_ARTICLE]},
        "resources": [
            {
                "uid": printable(each.resource_id),
                "name": printable(each.resource),
                "type": each.resource_type,
                "region": each.region,
                "cloud_partition": each.partition,
            }
        ],
    }


def _version() -> str:
    try:
        return version("aws-backup-config-rules")
    except PackageNotFoundError:  # run from the sources
        return "0"

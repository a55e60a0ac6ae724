"""Findings in the AWS Security Finding Format, as `aws securityhub batch-import-findings --findings` takes them.

They are those of the forwarder (functions/forward_findings), with the same ids: whoever imports both has each once.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from functools import cache
from types import ModuleType

from backup_rules.compliance_changes import Change, Rule
from backup_rules_cli.console import as_json, printable
from backup_rules_cli.formats.records import Record
from backup_rules_cli.reports import NON_COMPLIANT, Report
from backup_rules_cli.resources import ROOT


def text(report: Report, records: Sequence[Record]) -> str:
    """A JSON list with a finding for each problem. The API takes 100 at a time."""
    moment = f"{report.now:%Y-%m-%dT%H:%M:%S}.000Z"
    finding, described = _forwarder().finding, _forwarder().Described()
    problems = [each for each in records if each.compliance == NON_COMPLIANT]
    found = [finding(_change(each, moment), described, moment, "") for each in problems]
    for each in found:
        del each["ProductFields"]["ConfigRuleArn"]  # no Config rule was asked
    return as_json(found) + "\n"


def _change(each: Record, moment: str) -> Change:
    name = each.rule.lower().replace("_", "-")
    return Change(
        partition=each.partition,
        account=each.account,
        region=each.region,
        rule=Rule(each.rule, each.title, each.severity.upper(), each.fix),
        rule_name=name,
        rule_arn="",
        full_rule_name=name,
        resource_type=each.resource_type,
        resource_id=printable(each.resource_id),
        compliance=each.compliance,
        previous=None,
        annotation=printable(each.annotation),
        recorded=moment,
    )


@cache
def _forwarder() -> ModuleType:
    """The module of the function that makes findings."""
    path = ROOT / "functions" / "forward_findings" / "asff.py"
    spec = importlib.util.spec_from_file_location("forwarded_findings", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"{path} is missing.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look it up
    spec.loader.exec_module(module)
    return module

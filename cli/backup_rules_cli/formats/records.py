"""One result of one rule with all that is told about it: what every format is written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.invoke import Evaluated
from backup_rules_cli.places import partition_of
from backup_rules_cli.reports import Report


@dataclass(frozen=True)
class Record:
    """What a rule says of one resource. `plan` and `selection` are names, where the resource is one of them."""

    rule: str
    title: str
    severity: str
    """`high`, `medium` …"""
    account: str
    account_name: str
    partition: str
    region: str
    resource_type: str
    resource_id: str
    plan: str
    selection: str
    compliance: str
    annotation: str
    fix: str
    page: str
    """The rule's page, in the project."""

    @property
    def resource(self) -> str:
        """The resource as a person would call it."""
        return f"{self.plan} / {self.selection}".strip(" /") or self.resource_id

    @property
    def key(self) -> tuple[str, ...]:
        """What is judged by which rule, and where: the same from run to run."""
        return self.rule, self.account, self.region, self.resource_type, self.resource_id


def records(report: Report, folders: Sequence[RuleFolder]) -> list[Record]:
    """A record for each evaluation, in the report's order."""
    return [record(report, each, folders) for each in report.evaluated]


def record(report: Report, each: Evaluated, folders: Sequence[RuleFolder]) -> Record:
    """All that is told of one evaluation."""
    folder = next(folder for folder in folders if folder.name == each.rule)
    about = folder.about
    plan, selection = report.things.get((each.account, each.region, each.resource_id), ("", ""))
    return Record(
        rule=each.rule,
        title=about["Title"],
        severity=folder.severity,
        account=each.account,
        account_name=report.names.get(each.account, ""),
        partition=partition_of(each.region) or "aws",
        region=each.region,
        resource_type=each.resource_type,
        resource_id=each.resource_id,
        plan=plan,
        selection=selection,
        compliance=each.compliance,
        annotation=each.annotation,
        fix=about["Remediation"],
        page=f"rules/{each.rule}/README.md",
    )

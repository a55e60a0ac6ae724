"""What an evaluation found, printed for a person in 100 columns, or as JSON for a machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from backup_rules_cli.console import WIDTH, indented, titled
from backup_rules_cli.invoke import Evaluated

_MORE = "backup-rules explain PLAN tells all of one plan, and what mends it; report draws them all."
NON_COMPLIANT, COMPLIANT, NOT_APPLICABLE = "NON_COMPLIANT", "COMPLIANT", "NOT_APPLICABLE"


@dataclass(frozen=True)
class Failure:
    """An evaluation that failed: nothing was concluded, and nothing put."""

    rule: str
    account: str
    region: str
    error: str

    @property
    def where(self) -> str:
        """The account, or the profile that gave none, and the Region, where one is known."""
        return ", ".join(filter(None, (self.account, self.region)))


@dataclass(frozen=True)
class Quiet:
    """A problem that is not reported, and why."""

    found: Evaluated
    reason: str


@dataclass
class Report:
    """Evaluations as AWS Config has stored them, and those that failed. `names` of accounts by id."""

    source: str
    now: datetime
    names: dict[str, str]
    evaluated: list[Evaluated] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    quiet: list[Quiet] = field(default_factory=list)
    things: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    """Names of plans and selections by account, Region and resource id: that of the plan, and of the selection."""

    @property
    def problems(self) -> list[Evaluated]:
        """What is NON_COMPLIANT."""
        return [each for each in self.evaluated if each.compliance == NON_COMPLIANT]


def as_table(
    report: Report, *, seconds: float, everything: bool, columns: int = WIDTH, quiet: bool = False
) -> list[str]:
    """Per account and Region: resource, rule, verdict, and the annotation in full; then the counts, in lines.

    COMPLIANT evaluations are shown with `everything`, or when they carry a note; excluded ones with `quiet`.
    """
    return [
        *_places(report, everything=everything, columns=columns),
        *(_quiet(report, columns) if quiet else ()),
        *_failures(report, columns),
        *_counts(report, seconds, columns),
    ]


def _places(report: Report, *, everything: bool, columns: int) -> Iterator[str]:
    for (account, region), found in groupby(report.evaluated, key=lambda each: (each.account, each.region)):
        here = list(found)
        shown = [each for each in here if everything or each.compliance != COMPLIANT or each.annotation]
        counts = Counter(each.compliance for each in here)
        title = f"{report.names.get(account, 'account')} ({account})  {region}"
        tally = f"{counts[NON_COMPLIANT]} NON_COMPLIANT, {counts[COMPLIANT]} COMPLIANT"
        yield from titled(title, tally, columns)
        for each in sorted(shown, key=_order):
            yield from evaluation_lines(each, columns)
        yield ""


def _order(each: Evaluated) -> tuple[bool, str, str, str]:
    return each.compliance != NON_COMPLIANT, each.rule, each.resource_type, each.resource_id


def evaluation_lines(each: Evaluated, columns: int) -> Iterator[str]:
    """The verdict and the rule, the resource, and the annotation in full."""
    yield f"{each.compliance:<14} {each.rule}"
    resource = (each.resource_type, each.resource_id)
    one_line = len("  ".join(resource)) + 15 <= columns  # a selection's id is long
    yield from (f"{'':<14} {line}" for line in (("  ".join(resource),) if one_line else resource))
    yield from indented(each.annotation, columns, 15)


def _quiet(report: Report, columns: int) -> Iterator[str]:
    if report.quiet:
        yield f"Excluded ({len(report.quiet)})"
        yield "─" * columns
    for each in report.quiet:
        yield from evaluation_lines(each.found, columns)
        yield from indented(f"Excluded: {each.reason}", columns, 15)
    if report.quiet:
        yield ""


def _failures(report: Report, columns: int) -> Iterator[str]:
    if report.failures:
        yield f"Could not be judged ({len(report.failures)})"
        yield "─" * columns
    for each in report.failures:
        yield f"{'FAILED':<14} {each.rule}  {each.account}  {each.region}"
        yield from indented(each.error, columns, 15)
    if report.failures:
        yield ""


def _counts(report: Report, seconds: float, columns: int) -> Iterator[str]:
    by_rule = {rule: Counter[str]() for rule in sorted({each.rule for each in report.evaluated})}
    for each in report.evaluated:
        by_rule[each.rule][each.compliance] += 1
    yield f"{'Rule':<34}{NON_COMPLIANT:>16}{COMPLIANT:>12}"
    for rule, counts in by_rule.items():
        yield f"{rule:<34}{counts[NON_COMPLIANT]:>16}{counts[COMPLIANT]:>12}"
    places = {(each.account, each.region) for each in report.evaluated}
    accounts = {account for account, _ in places}
    verdicts = Counter(each.compliance for each in report.evaluated)
    tally = [f"{verdicts[NON_COMPLIANT]} NON_COMPLIANT", f"{verdicts[COMPLIANT]} COMPLIANT"]
    if verdicts[NOT_APPLICABLE]:  # AWS Config stores these, and does not list them
        tally.append(f"{verdicts[NOT_APPLICABLE]} NOT_APPLICABLE")
    if report.quiet:
        tally.append(f"{len(report.quiet)} excluded")
    if report.failures:
        tally.append(f"{len(report.failures)} failed")
    yield ""
    yield f"{len(report.evaluated)} evaluations (accounts: {len(accounts)}, account-Region pairs: {len(places)})"
    yield f"{', '.join(tally)}."
    yield f"{report.source[:1].upper()}{report.source[1:]}, {seconds:.0f} s."
    if report.problems:
        yield from indented(_MORE, columns, 0)

"""What was found in all files, with what is told beside it; and what comments, exclusions and a baseline keep quiet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from backup_rules.arns import Place
from backup_rules_cli import known
from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.check.decoding import BrokenFileError
from backup_rules_cli.check.identities import PLAN
from backup_rules_cli.check.judging import BROKEN, Judged
from backup_rules_cli.check.things import Position
from backup_rules_cli.invoke import Evaluated
from backup_rules_cli.reports import NON_COMPLIANT, Report

_IGNORE = "backup-rules: ignore"
_RULE = re.compile(r"([A-Z]+(?:_[A-Z]+)+)[,\s:]*")


@dataclass(frozen=True)
class Finding:
    """What a rule says of a thing in a file, with what everybody tells of the rule."""

    judged: Judged
    title: str
    severity: str
    fix: str
    page: str
    place: Place
    kind: str
    """Of the document: `CloudFormation template`."""
    source: str
    """The line of the file that it is about, if there is one."""
    quiet: str = ""
    """Why it is not reported."""

    @property
    def at(self) -> Position:
        return self.judged.at


@dataclass
class Findings:
    """All of a command: what was found, which files could not be read, and what else there is to tell."""

    now: datetime
    files: list[str] = field(default_factory=list)
    found: list[Finding] = field(default_factory=list)
    broken_files: list[BrokenFileError] = field(default_factory=list)
    others: list[Position] = field(default_factory=list)
    starts: dict[str, list[int]] = field(default_factory=dict)
    """By template: the lines on which its resources and sections start."""
    gets: list[dict[str, Any]] = field(default_factory=list)
    """What accounts get of backup policies, plan by plan."""

    def of(self, state: str) -> list[Finding]:
        """The findings of a state that are not kept quiet."""
        return [each for each in self.found if each.judged.state == state and not each.quiet]

    @property
    def quiet(self) -> list[Finding]:
        """Problems that are known."""
        return [each for each in self.found if each.quiet]


def finding(judged: Judged, folders: Sequence[RuleFolder], place: Place, kind: str, called: str) -> Finding:
    """A finding with what its rule's folder says."""
    folder = next(each for each in folders if each.name == judged.rule)
    about = folder.about
    if not judged.at.file:
        judged = replace(judged, at=Position(called))
    return Finding(
        judged,
        about["Title"],
        folder.severity,
        about["Remediation"],
        f"rules/{judged.rule}/README.md",
        place,
        kind,
        line_of(judged.at),
    )


def _lines(path: str) -> tuple[str, ...]:
    try:
        return _read(path, Path(path).stat().st_mtime_ns)
    except OSError:
        return ()


@cache
def _read(path: str, _modified: int) -> tuple[str, ...]:
    return tuple(Path(path).read_text(encoding="utf-8-sig", errors="replace").splitlines())


def line_of(at: Position) -> str:
    """The line of the file, without what would not fit."""
    lines = _lines(at.file)
    return lines[at.line - 1].rstrip()[:200] if 0 < at.line <= len(lines) else ""


# Comments


def heed_comments(findings: Findings) -> Iterator[str]:
    """Keep quiet what a comment in the file ignores; yields what is wrong with comments.

    A comment stands in the resource, or on the line before it.
    """
    used: set[tuple[str, int]] = set()
    starts = {name: list(lines) for name, lines in findings.starts.items()}
    for each in findings.found:
        starts.setdefault(each.at.file, []).append(each.judged.start.line)
    for index, each in enumerate(findings.found):
        if each.judged.state != BROKEN:
            continue
        start = each.judged.start.line
        later = [line for line in starts[each.at.file] if line > start]
        end = min(later, default=len(_lines(each.at.file)) + 2) - 1
        for number, rules, reason in _comments(each.at.file):
            if not start - 1 <= number < max(end, start + 1) or each.judged.rule not in rules or not reason:
                continue
            used.add((each.at.file, number))
            findings.found[index] = replace(each, quiet=reason)
    for name in findings.files:
        for number, rules, reason in _comments(name):
            if not rules or not reason:
                what = "a reason" if rules else "the names of rules"
                yield f"{name}:{number}: the comment ignores nothing: it needs {what}."
            elif (name, number) not in used:
                yield f"{name}:{number}: the comment ignores nothing that was found."


def _comments(path: str) -> tuple[tuple[int, tuple[str, ...], str], ...]:
    found = []
    for number, line in enumerate(_lines(path), 1):
        before, mark, rest = line.partition(_IGNORE)
        if mark:
            if before.count('"') % 2:  # in a text of JSON
                rest = rest.partition('"')[0]
            rest = rest.rstrip().removesuffix("*/").strip()
            rules = []
            while match := _RULE.match(rest):
                rules.append(match[1])
                rest = rest[match.end() :]
            found.append((number, tuple(rules), rest.strip(" -:")))
    return tuple(found)


# Exclusions and baseline


def report_of(findings: Findings) -> tuple[Report, dict[Evaluated, int]]:
    """The problems as `evaluate` has them, for exclusions and baselines; and which finding each is."""
    report = Report("files", findings.now, {})
    indexes: dict[Evaluated, int] = {}
    for index, each in enumerate(findings.found):
        if each.judged.state != BROKEN or each.quiet:
            continue
        resource = f"{each.at.file}:{each.judged.name}"
        evaluated = Evaluated(
            each.judged.rule,
            each.place.account,
            each.place.region,
            each.judged.kind,
            resource,
            NON_COMPLIANT,
            each.judged.text,
        )
        plan = each.judged.name if each.judged.kind == PLAN else ""
        selection = "" if each.judged.kind == PLAN else each.judged.name
        report.things[each.place.account, each.place.region, resource] = plan, selection
        report.evaluated.append(evaluated)
        indexes[evaluated] = index
    return report, indexes


def keep_quiet(
    findings: Findings,
    exclusions: Sequence[known.Exclusion],
    baseline: known.Baseline | None,
    save_to: Path | None,
) -> list[str]:
    """Keep quiet what exclusions and the baseline know; what there is to tell of them."""
    report, indexes = report_of(findings)
    told = list(known.exclude(report, exclusions)) if exclusions else []
    if save_to:
        known.save_baseline(report, save_to)
    if baseline:
        baseline.quieten(report)
    for each in report.quiet:
        index = indexes[each.found]
        findings.found[index] = replace(findings.found[index], quiet=each.reason)
    return told

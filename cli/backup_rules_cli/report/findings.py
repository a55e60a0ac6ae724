"""All findings of a report, by their cause: each once, with the plans that it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from backup_rules.arns import Place
from backup_rules.resources.resource_types import Resource
from backup_rules_cli.answers import fixes
from backup_rules_cli.answers.conditions import Finding, State
from backup_rules_cli.answers.exclusions import why_excluded
from backup_rules_cli.answers.judging import SYMPTOM, JudgedAccount, in_order
from backup_rules_cli.answers.plans import PlanAnswer
from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.known import Exclusion, valid_on

CellKey = tuple[int, str]
"""A plan by its number in the report, and a rule."""


@dataclass(eq=False)
class Found:
    """A finding in the report. `plans` are the numbers of those that it concerns; none: it is about what none picks."""

    number: int
    place: Place
    finding: Finding
    plans: list[int] = field(default_factory=list)


@dataclass
class Cause:
    """What one rule found, and what it read to find it. `excluded` is known and left alone."""

    folder: RuleFolder
    broken: list[Found] = field(default_factory=list)
    unknown: list[Found] = field(default_factory=list)
    excluded: list[Found] = field(default_factory=list)
    read: dict[str, None] = field(default_factory=dict)

    @property
    def rule(self) -> str:
        return self.folder.name

    @property
    def title(self) -> str:
        return str(self.folder.about["Title"])

    @property
    def severity(self) -> str:
        return self.folder.severity

    @property
    def remedy(self) -> str:
        return str(self.folder.about["Remediation"])

    @property
    def page(self) -> str:
        return f"rules/{self.rule}/README.md"

    @property
    def all(self) -> tuple[Found, ...]:
        """What is broken, what nobody could look at, and what is excluded."""
        return (*self.broken, *self.unknown, *self.excluded)

    @property
    def plans_stopped(self) -> int:
        """How many plans it breaks."""
        return len({plan for each in self.broken for plan in each.plans})


@dataclass
class Findings:
    """The causes, in the order of the conditions, and where a cell of the matrix leads."""

    causes: tuple[Cause, ...]
    first: dict[CellKey, int] = field(default_factory=dict)

    @property
    def broken(self) -> int:
        """How many findings are broken conditions, what is excluded left out."""
        return sum(len(each.broken) for each in self.causes)

    @property
    def stopping_most(self) -> list[Cause]:
        """The three causes that break most plans, in the order of the conditions where equal. The symptom is none."""
        stopping = [each for each in self.causes if each.plans_stopped and each.rule != SYMPTOM]
        return sorted(stopping, key=lambda each: -each.plans_stopped)[:3]


class _Collected:
    """Gathers findings; one about what several plans pick is the same in all of them."""

    def __init__(self, folders: Iterable[RuleFolder]) -> None:
        self.causes = {each.name: Cause(each) for each in in_order(folders)}
        self.first: dict[CellKey, int] = {}
        self.quiet: set[CellKey] = set()
        """Cells that lead to what is excluded, as long as there is nothing else."""
        self.known: dict[tuple[object, ...], Found] = {}

    def add(self, rule: str, place: Place, finding: Finding, plan: int | None) -> None:
        if finding.state not in {State.BROKEN, State.UNKNOWN}:
            return
        key = rule, place, finding.resource_type, finding.resource_id, finding.text, finding.state, finding.excluded
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = Found(len(self.known) + 1, place, finding)
            cause = self.causes[rule]
            quiet = finding.excluded is not None
            of_state = cause.broken if finding.state is State.BROKEN else cause.unknown
            (cause.excluded if quiet else of_state).append(found)
        if plan is not None:
            found.plans.append(plan)
            cell = plan, rule
            if cell not in self.first or (cell in self.quiet and finding.excluded is None):
                self.first[cell] = found.number
                (self.quiet.discard if finding.excluded is None else self.quiet.add)(cell)


def findings(
    answers: Sequence[PlanAnswer],
    places: Sequence[JudgedAccount],
    exclusions: Sequence[Exclusion],
    today: date,
    folders: Iterable[RuleFolder],
) -> Findings:
    """Those of the plans, and then what the rules found about things that no plan picks."""
    collected = _Collected(folders)
    seen: set[tuple[str, Place, str, str]] = set()
    for number, answer in enumerate(answers):
        for condition in answer.conditions:
            collected.causes[condition.rule].read |= dict.fromkeys(condition.evidence.operations)
            for each in condition.findings:
                seen.add((condition.rule, answer.place, each.resource_type, each.resource_id))
                collected.add(condition.rule, answer.place, each, number)
    valid = valid_on(today, exclusions)
    for judged in places:
        for rule, each in _of_no_plan(judged, seen):
            reason = why_excluded(each, rule, judged.place, "", valid)
            told = Finding(each.resource_type, each.resource_id, each.name, each.state, each.text, each.fix, reason)
            collected.add(rule, judged.place, told, None)
    return Findings(tuple(collected.causes.values()), collected.first)


def _of_no_plan(judged: JudgedAccount, seen: set[tuple[str, Place, str, str]]) -> Iterator[tuple[str, Finding]]:
    for folder in judged.folders:
        for verdict in judged.judged(folder).outcome.verdicts:
            subject = verdict.subject
            if verdict.compliance != "NON_COMPLIANT" or (folder.name, judged.place, *subject.key) in seen:
                continue
            name = subject.of.short_name if isinstance(subject.of, Resource) else subject.resource_id
            fix = fixes.commands(judged, folder, verdict)
            yield folder.name, Finding(*subject.key, name, State.BROKEN, verdict.annotation, fix)

"""What is known and left alone, in an explanation: the findings that an exclusions file names, with their reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from backup_rules.arns import Place
from backup_rules.evaluation.subjects import PLAN, SELECTION
from backup_rules_cli.answers.conditions import Condition, Finding, State
from backup_rules_cli.answers.judging import JudgedAccount
from backup_rules_cli.answers.plans import PlanAnswer
from backup_rules_cli.invoke import Evaluated
from backup_rules_cli.known import Exclusion, expired_on, nothing_excluded, valid_on


def excluding(answer: PlanAnswer, exclusions: Sequence[Exclusion], today: date) -> PlanAnswer:
    """The answer, with what is excluded marked so. One that has expired excludes nothing."""
    valid = valid_on(today, exclusions)
    marked = tuple(_marked(each, answer, valid) for each in answer.conditions)
    return replace(answer, conditions=marked) if valid else answer


def _marked(condition: Condition, answer: PlanAnswer, exclusions: Sequence[Exclusion]) -> Condition:
    found = tuple(_reason(each, condition.rule, answer, exclusions) for each in condition.findings)
    return replace(condition, findings=found)


def _reason(finding: Finding, rule: str, answer: PlanAnswer, exclusions: Sequence[Exclusion]) -> Finding:
    why = why_excluded(finding, rule, answer.place, answer.summary.name, exclusions)
    return finding if why is None else replace(finding, excluded=why)


def why_excluded(finding: Finding, rule: str, place: Place, plan: str, exclusions: Sequence[Exclusion]) -> str | None:
    """The reason of the first of these exclusions that is about the finding; None: it is reported."""
    found = _first(finding, rule, place, plan, exclusions)
    return None if found is None else found.reason


def _first(finding: Finding, rule: str, place: Place, plan: str, exclusions: Sequence[Exclusion]) -> Exclusion | None:
    if finding.state is not State.BROKEN:
        return None
    evaluated = _evaluated(finding, rule, place)
    selection = finding.name if finding.resource_type == SELECTION else ""
    return next((each for each in exclusions if each.excludes(evaluated, plan, selection)), None)


def told_of(
    exclusions: Sequence[Exclusion], answers: Iterable[PlanAnswer], places: Iterable[JudgedAccount], today: date
) -> Iterator[str]:
    """What should be told of exclusions where all is looked at: which have expired, and which exclude nothing here."""
    yield from expired_on(today, exclusions)
    valid = valid_on(today, exclusions)
    used = {*_used_by_plans(answers, valid), *_used_beside(places, valid)} if valid else set()
    yield from (nothing_excluded(each) for each in valid if each not in used)


def _used_by_plans(answers: Iterable[PlanAnswer], valid: Sequence[Exclusion]) -> Iterator[Exclusion | None]:
    for answer in answers:
        for condition in answer.conditions:
            for each in condition.findings:
                yield _first(each, condition.rule, answer.place, answer.summary.name, valid)


def _used_beside(places: Iterable[JudgedAccount], valid: Sequence[Exclusion]) -> Iterator[Exclusion | None]:
    """By findings about the account, or about what no plan picks."""
    for judged in places:
        for folder in judged.folders:
            for verdict in judged.judged(folder).outcome.verdicts:
                if verdict.compliance == "NON_COMPLIANT" and verdict.subject.resource_type not in {PLAN, SELECTION}:
                    subject = verdict.subject.key
                    finding = Finding(*subject, subject[1], State.BROKEN, verdict.annotation)
                    yield _first(finding, folder.name, judged.place, "", valid)


def _evaluated(finding: Finding, rule: str, place: Place) -> Evaluated:
    subject = finding.resource_type, finding.resource_id
    return Evaluated(rule, place.account, place.region, *subject, "NON_COMPLIANT", finding.text)

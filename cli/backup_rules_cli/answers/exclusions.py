"""What is known and left alone, in an explanation: the findings that an exclusions file names, with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from backup_rules.arns import Place
from backup_rules.evaluation.subjects import SELECTION
from backup_rules_cli.answers.conditions import Condition, Finding, State
from backup_rules_cli.answers.plans import PlanAnswer
from backup_rules_cli.invoke import Evaluated
from backup_rules_cli.known import Exclusion, valid_on


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
    if finding.state is not State.BROKEN:
        return None
    evaluated = _evaluated(finding, rule, place)
    selection = finding.name if finding.resource_type == SELECTION else ""
    return next((each.reason for each in exclusions if each.excludes(evaluated, plan, selection)), None)


def _evaluated(finding: Finding, rule: str, place: Place) -> Evaluated:
    subject = finding.resource_type, finding.resource_id
    return Evaluated(rule, place.account, place.region, *subject, "NON_COMPLIANT", finding.text)

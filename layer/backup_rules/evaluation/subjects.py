"""What a verdict is about, and the verdict that follows from what was found about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from rdklib import ComplianceType

from backup_rules.arns import Place
from backup_rules.plans.plans import PlanSummary
from backup_rules.resources.resource_types import Resource
from backup_rules.selections.picking import SelectionSummary
from backup_rules.values import dataclass
from backup_rules.wording.annotations import annotation
from backup_rules.wording.findings import Finding, NotApplicable, Note, Problem

T_co = TypeVar("T_co", covariant=True)

PLAN = "AWS::Backup::BackupPlan"
SELECTION = "AWS::Backup::BackupSelection"
ACCOUNT = "AWS::::Account"


@dataclass(frozen=True, slots=True)
class Subject(Generic[T_co]):
    """What a verdict is about: the type and id that AWS Config shows, and the thing itself (`of`)."""

    resource_type: str
    resource_id: str
    of: T_co

    @property
    def key(self) -> tuple[str, str]:
        """What tells one evaluation from another."""
        return self.resource_type, self.resource_id


def plan_subject(plan: PlanSummary) -> Subject[PlanSummary]:
    """A plan, by its id."""
    return Subject(PLAN, plan.id, plan)


def selection_subject(selection: SelectionSummary) -> Subject[SelectionSummary]:
    """A selection, by the id that CloudFormation and AWS Config give it."""
    return Subject(SELECTION, f"{selection.id}_{selection.plan_id}", selection)


def account_subject(place: Place) -> Subject[Place]:
    """The account, in the Region that is judged."""
    return Subject(ACCOUNT, place.account, place)


def resource_subject(resource: Resource) -> Subject[Resource] | None:
    """A resource, or None where AWS Config knows no such type, so that no verdict can be about it."""
    if resource.type.config_type is None or resource.config_id is None:
        return None
    return Subject(resource.type.config_type, resource.config_id, resource)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A subject's compliance, with its annotation (empty: none)."""

    subject: Subject[object]
    compliance: str
    annotation: str = ""


def verdict(subject: Subject[object], findings: Iterable[Finding]) -> Verdict:
    """NON_COMPLIANT for any problem; else NOT_APPLICABLE where something says so; else COMPLIANT."""
    found = list(dict.fromkeys(findings))
    problems = [each for each in found if isinstance(each, Problem)]
    if problems:
        told = annotation([(each.what, each.remedy) for each in problems], problems[0].shorter)
        return Verdict(subject, ComplianceType.NON_COMPLIANT, told)
    reasons = [(each.why, "") for each in found if isinstance(each, NotApplicable)]
    if reasons:
        return Verdict(subject, ComplianceType.NOT_APPLICABLE, annotation(reasons))
    notes = [(each.text, "") for each in found if isinstance(each, Note)]
    return Verdict(subject, ComplianceType.COMPLIANT, annotation(notes) if notes else "")

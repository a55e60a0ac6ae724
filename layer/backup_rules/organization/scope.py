"""Which part of the effective backup policy a rule judges in a Region, and what of it may have gone unseen.

One rule, `BACKUP_POLICY_ATTACHED`, reports whatever is the matter with a policy. The rules about the vaults and roles
that it names point there, and report only what kept them from seeing one: nothing that they could not look at passes
for compliant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum

from backup_rules.organization.effective_policy import EffectivePolicy, PolicyPlan
from backup_rules.organization.policy_document import DefectKind, PolicyDefect
from backup_rules.values import dataclass
from backup_rules.wording.annotations import name
from backup_rules.wording.findings import Finding, NotApplicable, Note, Problem

Path = tuple[str | int, ...]

REPORTED_BY = "BACKUP_POLICY_ATTACHED"
UNTIL_THEN = "until then the account keeps the last valid policy"
"""What AWS does meanwhile: https://docs.aws.amazon.com/organizations/latest/userguide/invalid-policy-alerts.html."""

_FROZEN = f"The effective backup policy is invalid, so the account keeps the last valid one: see {REPORTED_BY}."

# Elements without which a backup rule or a selection is not among those that were read, or lacks what it names.
_WAY_TO_VAULTS = (
    "schedule_expression",
    "target_backup_vault_name",
    "target_logically_air_gapped_backup_vault_arn",
    "copy_actions",
)
_WAY_TO_ROLES = ("iam_role_arn", "tag_key", "tag_value", "resource_types")


class Sought(Enum):
    """What a rule looks for in the policy."""

    VAULTS = "vaults"
    ROLES = "roles"

    def hidden_by(self, defect: PolicyDefect) -> bool:
        """Whether one may go unseen because of the defect: what is there but breaks a limit is seen."""
        if defect.kind is DefectKind.BEYOND_LIMIT:
            return False
        hides = _hides_vaults if self is Sought.VAULTS else _hides_roles
        return hides(defect.segments[2:])


@dataclass(frozen=True, slots=True)
class PolicyScope:
    """The plans to judge, and what is to be said whatever they hold: what may be hidden, or why there are none."""

    plans: tuple[PolicyPlan, ...]
    findings: tuple[Finding, ...]


def scope_of(policy: EffectivePolicy, region: str, sought: Sought, excludes: Callable[[str], bool]) -> PolicyScope:
    """What a rule about vaults or roles judges: the plans for `region`, without those that `excludes` names.

    A plan whose Regions cannot be read may be one of them.
    """
    plans = tuple(plan for plan in policy.plans_for(region) if not excludes(plan.name))
    defects = tuple(reported_defects(policy, excludes))
    findings: tuple[Finding, ...] = tuple(
        _hidden(defect, sought)
        for defect in defects
        if sought.hidden_by(defect) and _may_concern(policy, defect, region)
    )
    if not plans and not findings:
        findings = (no_plan(region),)
    elif defects:
        findings += (Note(_FROZEN),)
    return PolicyScope(plans, findings)


def reported_defects(policy: EffectivePolicy, excludes: Callable[[str], bool]) -> Iterator[PolicyDefect]:
    """What makes the policy invalid, without the excluded plans."""
    return (defect for defect in policy.defects if defect.plan is None or not excludes(defect.plan))


def defect_problem(defect: PolicyDefect) -> Problem:
    """A defect as the one rule that is about defects reports it, with the path that leads to it."""
    return Problem(
        f"In this account's effective backup policy, {defect}.",
        f"Correct the policy in AWS Organizations: {UNTIL_THEN}.",
    )


def no_plan(region: str) -> NotApplicable:
    """Nothing of the policy is judged in `region`."""
    return NotApplicable(f"No plan of the effective backup policy that is judged here covers {region}.")


def _hidden(defect: PolicyDefect, sought: Sought) -> Problem:
    where = name(defect.path, 90) if defect.segments else "its text"
    return Problem(
        f"Not all {sought.value} of this account's effective backup policy can be looked at: {where}"
        f" {'is missing' if defect.kind is DefectKind.MISSING else 'cannot be read'}.",
        f"Correct it as {REPORTED_BY} says: {UNTIL_THEN}.",
    )


def _hides_vaults(path: Path) -> bool:
    """Whether a vault may go unseen because of a defect at `path` (within its plan)."""
    match path:
        case () | ("regions", *_) | ("rules",) | ("rules", _):
            return True
        case ("rules", _, element, *below):
            return element in _WAY_TO_VAULTS and "lifecycle" not in below
        case _:
            return False


def _hides_roles(path: Path) -> bool:
    """Whether a role may go unseen because of a defect at `path` (within its plan)."""
    match path:
        case () | ("regions", *_) | ("selections",) | ("selections", _) | ("selections", _, _):
            return True
        case ("selections", _, _, element, *_):
            return element in _WAY_TO_ROLES
        case _:
            return False


def _may_concern(policy: EffectivePolicy, defect: PolicyDefect, region: str) -> bool:
    """Whether the defect is not surely about a plan for other Regions only."""
    plan = None if defect.plan is None else policy.plan(defect.plan)
    if plan is None or not plan.regions or plan.covers(region):
        return True
    return any(each.segments[2:3] == ("regions",) for each in policy.defects_of(plan.name))

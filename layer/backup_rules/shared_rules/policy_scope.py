"""Which part of the effective backup policy a rule judges in this Region, and what of it cannot be read.

`BACKUP_POLICY_ATTACHED` reports whatever is the matter with a policy. The rules about the policy's vaults and roles
report only what keeps them from seeing one: nothing that they could not look at passes for compliant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backup_rules.aws.organization import NoPolicy, effective_policy
from backup_rules.evaluation.evaluation import Run
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.organization.effective_policy import EffectivePolicy, PolicyPlan
from backup_rules.organization.policy_document import PolicyDefect
from backup_rules.plans.plans import ORGANIZATION_PLAN_PREFIX
from backup_rules.wording.findings import Finding, NotApplicable, Problem

Path = tuple[str | int, ...]

# Elements without which a backup rule or a selection is not among those that were read, or lacks what it names.
_WAY_TO_VAULTS = (
    "schedule_expression",
    "target_backup_vault_name",
    "target_logically_air_gapped_backup_vault_arn",
    "copy_actions",
)
_WAY_TO_ROLES = ("iam_role_arn", "tag_key", "tag_value", "resource_types")

NO_POLICY_WORDS = {
    NoPolicy.NOT_IN_ORGANIZATION: "The account is in no organization, so no backup policy can reach it.",
    NoPolicy.NONE_IN_EFFECT: "The account has no effective backup policy.",
}


@dataclass(frozen=True, slots=True)
class PolicyScope:
    """The plans to judge, and what is to be said whatever they hold: what cannot be read, or why there are none."""

    plans: tuple[PolicyPlan, ...]
    findings: tuple[Finding, ...]


def hides_vaults(path: Path) -> bool:
    """Whether a vault may go unseen because of a defect at `path` (within its plan)."""
    match path:
        case () | ("regions", *_) | ("rules",) | ("rules", _):
            return True
        case ("rules", _, element, *below):
            return element in _WAY_TO_VAULTS and "lifecycle" not in below
        case _:
            return False


def hides_roles(path: Path) -> bool:
    """Whether a role may go unseen because of a defect at `path` (within its plan)."""
    match path:
        case () | ("regions", *_) | ("selections",) | ("selections", _) | ("selections", _, _):
            return True
        case ("selections", _, _, element, *_):
            return element in _WAY_TO_ROLES
        case _:
            return False


def policy_scope(run: Run[RuleParameters], hides: Callable[[Path], bool]) -> PolicyScope:
    """What a rule about vaults or roles judges: the plans for the Region, without the excluded ones.

    A plan whose Regions cannot be read may be one of them.

    Raises:
        ReadError: when the effective policy cannot be asked for.
    """
    policy, region, parameters = effective_policy(run.account), run.account.place.region, run.parameters
    if isinstance(policy, NoPolicy):
        return PolicyScope((), (NotApplicable(NO_POLICY_WORDS[policy]),))
    plans = tuple(plan for plan in policy.plans_for(region) if not is_excluded(plan.name, parameters))
    findings: tuple[Finding, ...] = tuple(
        defect_problem(defect)
        for defect in reported_defects(policy, parameters)
        if hides(defect.segments[2:]) and _may_concern(policy, defect, region)
    )
    if not plans and not findings:
        findings = (NotApplicable(f"No plan of the effective backup policy that is judged here covers {region}."),)
    return PolicyScope(plans, findings)


def _may_concern(policy: EffectivePolicy, defect: PolicyDefect, region: str) -> bool:
    """Whether the defect is not surely about a plan for other Regions only."""
    plan = None if defect.plan is None else policy.plan(defect.plan)
    if plan is None or not plan.regions or plan.covers(region):
        return True
    return any(each.segments[2:3] == ("regions",) for each in policy.defects_of(plan.name))


def is_excluded(plan_name: str, parameters: RuleParameters) -> bool:
    """Whether `ExcludedPlans` names the policy's plan. Its id is not known but for the beginning, `orgs/`."""
    return parameters.excludes(plan_name, ORGANIZATION_PLAN_PREFIX)


def reported_defects(policy: EffectivePolicy, parameters: RuleParameters) -> tuple[PolicyDefect, ...]:
    """What cannot be read in the policy, without the excluded plans."""
    return tuple(
        defect for defect in policy.unreadable if defect.plan is None or not is_excluded(defect.plan, parameters)
    )


def defect_problem(defect: PolicyDefect) -> Problem:
    """A defect as it is reported, with the path that leads to it."""
    return Problem(
        f"In this account's effective backup policy, {defect}.",
        "Correct the policy in AWS Organizations: AWS Backup makes no plan of an incomplete one.",
    )

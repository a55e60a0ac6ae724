"""The part of the effective backup policy that a rule judges in the account and Region, read."""

from __future__ import annotations

from backup_rules.aws.organizations import effective_policy
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.organization.effective_policy import NoPolicy
from backup_rules.organization.scope import PolicyScope, Sought, scope_of
from backup_rules.plans.plans import ORGANIZATION_PLAN_PREFIX
from backup_rules.wording.findings import NotApplicable

NO_POLICY_WORDS = {
    NoPolicy.NOT_IN_ORGANIZATION: "The account is in no organization, so no backup policy can reach it.",
    NoPolicy.NONE_IN_EFFECT: "The account has no effective backup policy.",
}


def policy_scope(invocation: Invocation[RuleParameters], sought: Sought) -> PolicyScope:
    """What a rule about vaults or roles judges.

    Raises:
        ReadError: when the effective policy cannot be asked for.
    """
    policy = effective_policy(invocation.account)
    if isinstance(policy, NoPolicy):
        return PolicyScope((), (NotApplicable(NO_POLICY_WORDS[policy]),))
    return scope_of(
        policy, invocation.account.place.region, sought, lambda plan: is_excluded(plan, invocation.parameters)
    )


def is_excluded(plan_name: str, parameters: RuleParameters) -> bool:
    """Whether `ExcludedPlans` names the policy's plan. Its id is not known but for the beginning, `orgs/`."""
    return parameters.excludes(plan_name, ORGANIZATION_PLAN_PREFIX)

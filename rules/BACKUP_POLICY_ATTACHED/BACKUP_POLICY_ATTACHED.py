"""The account has an effective backup policy that can be read, with the plans it must have, in the Regions it must."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from backup_rules.arns import Place
from backup_rules.aws import organizations
from backup_rules.aws.organizations import effective_policy
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import TRUE_OR_FALSE, WORDS, RuleParameters, parameter
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject, account_subject
from backup_rules.organization.effective_policy import EffectivePolicy, NoPolicy
from backup_rules.organization.scope import defect_problem, no_plan, reported_defects
from backup_rules.shared_rules.policy_scope import NO_POLICY_WORDS, is_excluded
from backup_rules.wording.annotations import listing, name
from backup_rules.wording.findings import Finding, NotApplicable, Note, Problem


@dataclass(frozen=True)
class Parameters(RuleParameters):
    """Which plans the policy must have, and whether there must be one: at all, and in this Region."""

    required_plans: tuple[str, ...] = parameter(WORDS, default=())
    require_this_region: bool = parameter(TRUE_OR_FALSE, default=False)
    required: bool = parameter(TRUE_OR_FALSE, default=True)


class BACKUP_POLICY_ATTACHED(BackupConfigRule[Parameters, Place]):
    """The verdict is about the account. Defects of the policy count in every Region, since they stop it in all."""

    parameters_type = Parameters

    def subjects(self, invocation: Invocation[Parameters]) -> Iterable[Subject[Place]]:
        return (account_subject(invocation.account.place),)

    def findings(self, subject: Subject[Place], invocation: Invocation[Parameters]) -> Iterator[Finding]:
        policy = effective_policy(invocation.account)
        if isinstance(policy, NoPolicy):
            yield self._absence(policy, invocation, subject.of.account)
            return
        for defect in reported_defects(policy, lambda plan: is_excluded(plan, invocation.parameters)):
            yield defect_problem(defect)
        for doubt in policy.doubts:
            yield Note(f"In this account's effective backup policy, {doubt}; AWS's own texts disagree.")
        yield from self._required_plans(policy, invocation, subject.of)
        yield from self._region(policy, invocation, subject.of.region)

    def _absence(self, reason: NoPolicy, invocation: Invocation[Parameters], account: str) -> Finding:
        if reason is NoPolicy.NOT_IN_ORGANIZATION or not invocation.parameters.required:
            return NotApplicable(NO_POLICY_WORDS[reason])
        if organizations.management_account(invocation.account) == account:
            return Problem(
                f"Management account {account} has no effective backup policy: backup policies are not enabled in the"
                " organization, or none is attached to the root or this account.",
                "Enable them under AWS Organizations > Policies, and attach one.",
            )
        return Problem(
            f"Member account {account} has no effective backup policy: none is attached to the account, an OU above it"
            " or the root.",
            "Attach one in the management account, after seeing that backup policies are enabled there.",
        )

    def _required_plans(
        self, policy: EffectivePolicy, invocation: Invocation[Parameters], place: Place
    ) -> Iterator[Finding]:
        """The required plans that are not there, as far as the policy could be read."""
        readable = all(defect.plan is not None for defect in policy.defects)
        for required in invocation.parameters.required_plans:
            plan = policy.plan(required)
            if is_excluded(required, invocation.parameters):
                continue
            if plan is None and readable:
                yield Problem(
                    f"The effective backup policy of account {place.account} has no plan {name(required)} (it has"
                    f" {listing([name(each.name) for each in policy.plans]) or 'none'}).",
                    "Attach the policy with that plan to the account, an OU above it or the root.",
                )
            elif plan is not None and plan.regions and not plan.covers(place.region):
                yield Problem(
                    f"Plan {name(plan.name)} of the effective backup policy does not cover {place.region} (it covers"
                    f" {listing(plan.regions)}).",
                    "Add the Region to the plan's regions.",
                )

    def _region(self, policy: EffectivePolicy, invocation: Invocation[Parameters], region: str) -> Iterator[Finding]:
        plans = policy.plans_for(region)
        if not plans and invocation.parameters.require_this_region:
            covered = sorted({each for plan in policy.plans for each in plan.regions})
            yield Problem(
                f"No plan of the effective backup policy covers {region} (they cover"
                f" {listing(covered, most=5) or 'no Region'}).",
                "Add the Region to the regions of a plan.",
            )
        elif all(is_excluded(plan.name, invocation.parameters) for plan in plans):
            yield no_plan(region)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_POLICY_ATTACHED()).handle(event, context)

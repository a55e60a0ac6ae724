"""Every role that the account's effective backup policy names for this Region exists, and AWS Backup can assume it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from backup_rules.arns import Place
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject, account_subject
from backup_rules.iam.role_findings import NamedIn
from backup_rules.organization.effective_policy import PolicyPlan
from backup_rules.organization.scope import Sought
from backup_rules.shared_rules.policy_scope import policy_scope
from backup_rules.shared_rules.role_checks import read_roles, role_problems
from backup_rules.wording.annotations import NAMES, name
from backup_rules.wording.findings import Finding


class BACKUP_POLICY_ROLE_EXISTS(BackupConfigRule[RuleParameters, Place]):
    """The verdict is about the account, in which the roles must be: nothing checks that when a policy is attached."""

    def subjects(self, invocation: Invocation[RuleParameters]) -> Iterable[Subject[Place]]:
        return (account_subject(invocation.account.place),)

    def findings(
        self,
        subject: Subject[Place],  # noqa: ARG002 - the account of the run
        invocation: Invocation[RuleParameters],
    ) -> Iterator[Finding]:
        scope = policy_scope(invocation, Sought.ROLES)
        yield from scope.findings
        roles = _roles(scope.plans)
        read_roles(invocation.account, roles)
        for role_arn, whose in roles.items():
            yield from role_problems(role_arn, whose, invocation.account, NamedIn.BACKUP_POLICY)


def _roles(plans: Iterable[PolicyPlan]) -> dict[str, tuple[str, ...]]:
    """Each role once, with the selection that names it, the fullest wording first: the first, and how many more."""
    named: dict[str, list[tuple[str, str]]] = {}
    for plan in plans:
        for selection in plan.selections:
            named.setdefault(selection.role_arn, []).append((selection.name, plan.name))
    return {
        role_arn: tuple(
            f"selection {name(selection, of_selection)} of policy plan {name(plan, of_plan)}"
            + (f" and {more} more" if more else "")
            for of_selection, of_plan in NAMES
        )
        for role_arn, ((selection, plan), more) in ((arn, (names[0], len(names) - 1)) for arn, names in named.items())
    }


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_POLICY_ROLE_EXISTS()).handle(event, context)

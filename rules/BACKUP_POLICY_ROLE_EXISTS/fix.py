"""What makes the roles that the backup policy names, or lets AWS Backup assume them."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules.iam.role_findings import NamedIn
from backup_rules.organization.scope import Sought
from backup_rules.shared_rules.policy_scope import policy_scope
from backup_rules.shared_rules.role_checks import role_problems
from backup_rules.wording.findings import Problem
from backup_rules_cli.answers.fixes import Broken, trusted_role


def commands(broken: Broken) -> Iterator[str]:
    """For each role that AWS Backup cannot assume, what makes or mends it."""
    rule = broken.judged.by("BACKUP_POLICY_ROLE_EXISTS")
    if rule is None:
        return
    scope = policy_scope(rule.invocation, Sought.ROLES)
    roles = dict.fromkeys(selection.role_arn for plan in scope.plans for selection in plan.selections)
    for role_arn in roles:
        found = role_problems(role_arn, "the policy", broken.account, NamedIn.BACKUP_POLICY)
        if any(isinstance(each, Problem) for each in found):
            yield from trusted_role(role_arn, broken.account)

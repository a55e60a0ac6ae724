"""The account's effective backup policy writes the names of vaults as the vaults are called, letter case included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from backup_rules.arns import Place
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject, account_subject
from backup_rules.organization.scope import Sought
from backup_rules.shared_rules.policy_scope import policy_scope
from backup_rules.shared_rules.policy_vaults import policy_vaults
from backup_rules.wording.annotations import listing
from backup_rules.wording.findings import Finding, Note, Problem
from backup_rules.wording.quoting import quote


class BACKUP_POLICY_VAULT_NAME_CASE(BackupConfigRule[RuleParameters, Place]):
    """The verdict is about the account. A vault that is missing altogether is `BACKUP_POLICY_VAULT_EXISTS`."""

    def subjects(self, invocation: Invocation[RuleParameters]) -> Iterable[Subject[Place]]:
        return (account_subject(invocation.account.place),)

    def findings(self, subject: Subject[Place], invocation: Invocation[RuleParameters]) -> Iterator[Finding]:
        scope = policy_scope(invocation, Sought.VAULTS)
        yield from scope.findings
        place = subject.of
        for vault in policy_vaults(scope.plans, invocation.account):
            if vault.match.other_case:
                existing = listing([quote(each) for each in vault.match.other_case], most=2)
                yield Problem(
                    f"{vault.label} is called {existing} in account {place.account}, {place.region}.",
                    "Names are case-sensitive: correct the policy, or create the vault that it names.",
                )
            elif vault.match.missing:
                yield Note(f"Vault {quote(vault.name)} does not exist in any case: see BACKUP_POLICY_VAULT_EXISTS.")


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_POLICY_VAULT_NAME_CASE()).handle(event, context)

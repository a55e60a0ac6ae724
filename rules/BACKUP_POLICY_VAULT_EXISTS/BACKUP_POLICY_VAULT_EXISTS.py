"""Every vault that the account's effective backup policy names for this Region exists here."""

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
from backup_rules.vaults.vaults import DEFAULT_VAULT
from backup_rules.wording.findings import Finding, Note, Problem
from backup_rules.wording.quoting import quote


class BACKUP_POLICY_VAULT_EXISTS(BackupConfigRule[RuleParameters, Place]):
    """The verdict is about the account. A name in other letter case is `BACKUP_POLICY_VAULT_NAME_CASE`."""

    def subjects(self, invocation: Invocation[RuleParameters]) -> Iterable[Subject[Place]]:
        return (account_subject(invocation.account.place),)

    def findings(self, subject: Subject[Place], invocation: Invocation[RuleParameters]) -> Iterator[Finding]:
        scope = policy_scope(invocation, Sought.VAULTS)
        yield from scope.findings
        place = subject.of
        for vault in policy_vaults(scope.plans, invocation.account):
            if vault.match.missing:
                yield Problem(
                    f"{vault.label} does not exist in account {place.account}, {place.region}.",
                    _DEFAULT_REMEDY if vault.name == DEFAULT_VAULT else "Create a vault of that name there.",
                    rests_on_absence=True,
                )
            elif not vault.match.exact:
                yield Note(f"Vault {quote(vault.name)} exists in other letter case: see BACKUP_POLICY_VAULT_NAME_CASE.")


_DEFAULT_REMEDY = (
    "Default only exists once the AWS Backup console was opened in the Region: open it there, or create the vault."
)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_POLICY_VAULT_EXISTS()).handle(event, context)

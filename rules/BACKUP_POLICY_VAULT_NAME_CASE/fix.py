"""What makes the vaults that the backup policy names in other letter case."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules.organization.scope import Sought
from backup_rules.shared_rules.policy_scope import policy_scope
from backup_rules.shared_rules.policy_vaults import policy_vaults
from backup_rules_cli.answers.fixes import Broken, create_vault, policy_in_effect


def commands(broken: Broken) -> Iterator[str]:
    """A command for each vault that exists in other letter case only; else what shows the policy, to be corrected."""
    rule = broken.judged.by("BACKUP_POLICY_VAULT_NAME_CASE")
    if rule is None:
        return
    scope = policy_scope(rule.invocation, Sought.VAULTS)
    vaults = [
        vault
        for vault in policy_vaults(scope.plans, broken.account)
        if not vault.match.exact and not vault.match.missing
    ]
    if not vaults:
        yield from policy_in_effect()
    yield from (create_vault(vault.name, broken.place.region) for vault in vaults)

"""The vaults that an effective backup policy names for an account and Region, and whether they exist there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backup_rules.annotations import name as shortened
from backup_rules.aws.account import Account
from backup_rules.aws.vault_names import vault_names
from backup_rules.organization_policy import NamedVault, PolicyPlan
from backup_rules.vaults import VaultNameMatch, VaultPurpose, match_vault_name

_VERBS = {
    VaultPurpose.TARGET: "backs up to it",
    VaultPurpose.AIR_GAPPED: "backs up to it (air-gapped)",
    VaultPurpose.COPY: "copies to it",
}


@dataclass(frozen=True, slots=True)
class PolicyVault:
    """A vault's name as the policy writes it, which existing vault it means, and which backup rules want it.

    `users` is a clause: `backup rule daily of plan nightly backs up to it, and 2 more`.
    """

    name: str
    match: VaultNameMatch
    users: str


def policy_vaults(plans: Sequence[PolicyPlan], account: Account) -> tuple[PolicyVault, ...]:
    """Each vault of the plans once, in the order of the policy; without plans, nothing is read.

    Raises:
        ReadError: when the vaults cannot be listed.
    """
    named: dict[str, list[NamedVault]] = {}
    for vault in (vault for plan in plans for vault in plan.vaults(account.place)):
        named.setdefault(vault.name, []).append(vault)
    if not named:
        return ()
    existing = vault_names(account)
    return tuple(PolicyVault(name, match_vault_name(name, existing), _users(users)) for name, users in named.items())


def _users(vaults: Sequence[NamedVault]) -> str:
    first = vaults[0]
    more = f" (and {len(vaults) - 1} more)" if len(vaults) > 1 else ""
    return (
        f"backup rule {shortened(first.rule_name, 40)} of plan {shortened(first.plan_name, 40)}{more}"
        f" {_VERBS[first.purpose]}"
    )

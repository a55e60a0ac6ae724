"""The vaults that an effective backup policy names for an account and Region, and whether they exist there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backup_rules.aws.account import Account
from backup_rules.aws.vaults import vaults
from backup_rules.organization.effective_policy import NamedVault, PolicyPlan
from backup_rules.vaults.vaults import VaultNameMatch, VaultPurpose, match_vault_name
from backup_rules.wording.annotations import name as shortened
from backup_rules.wording.quoting import quote

_WORDS = {
    VaultPurpose.TARGET: "Vault",
    VaultPurpose.AIR_GAPPED: "Air-gapped vault",
    VaultPurpose.COPY: "Copy destination vault",
}


@dataclass(frozen=True, slots=True)
class PolicyVault:
    """A vault's name as the policy writes it, which existing vault it means, and who names it.

    `label` begins a sentence: `Vault "prod" of the backup policy (plan nightly, backup rule daily and 2 more)`.
    """

    name: str
    match: VaultNameMatch
    label: str


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
    existing = vaults(account).keys()
    return tuple(PolicyVault(name, match_vault_name(name, existing), _label(users)) for name, users in named.items())


def _label(users: Sequence[NamedVault]) -> str:
    first = users[0]
    more = f" and {len(users) - 1} more" if len(users) > 1 else ""
    plan, rule = shortened(first.plan_name, 40), shortened(first.rule_name, 40)
    return f"{_WORDS[first.purpose]} {quote(first.name)} of the backup policy (plan {plan}, backup rule {rule}{more})"

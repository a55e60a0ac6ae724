"""The vaults that an effective backup policy names for an account and Region, and which existing vault each means."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from backup_rules.arns import Place
from backup_rules.organization.effective_policy import NamedVault, PolicyPlan
from backup_rules.values import dataclass
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


def vaults_by_name(plans: Sequence[PolicyPlan], place: Place) -> dict[str, list[NamedVault]]:
    """Each vault of the plans in `place` once, with all that name it, in the order of the policy."""
    named: dict[str, list[NamedVault]] = {}
    for vault in (vault for plan in plans for vault in plan.vaults(place)):
        named.setdefault(vault.name, []).append(vault)
    return named


def matched(named: Mapping[str, Sequence[NamedVault]], existing: Collection[str]) -> tuple[PolicyVault, ...]:
    """Each named vault beside the vaults that exist."""
    return tuple(PolicyVault(name, match_vault_name(name, existing), _label(users)) for name, users in named.items())


def _label(users: Sequence[NamedVault]) -> str:
    first = users[0]
    more = f" and {len(users) - 1} more" if len(users) > 1 else ""
    plan, rule = shortened(first.plan_name, 40), shortened(first.rule_name, 40)
    return f"{_WORDS[first.purpose]} {quote(first.name)} of the backup policy (plan {plan}, backup rule {rule}{more})"

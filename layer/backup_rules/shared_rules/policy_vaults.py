"""The vaults that an effective backup policy names, read and looked for in the account and Region."""

from __future__ import annotations

from collections.abc import Sequence

from backup_rules.aws.account import Account
from backup_rules.aws.backup import vaults
from backup_rules.aws.memory import gaps_noticed, note_gap
from backup_rules.organization.effective_policy import PolicyPlan
from backup_rules.organization.named_vaults import PolicyVault, matched, vaults_by_name


def policy_vaults(plans: Sequence[PolicyPlan], account: Account) -> tuple[PolicyVault, ...]:
    """Each vault of the plans once, in the order of the policy; without plans, nothing is read.

    Raises:
        ReadError: when the vaults cannot be listed.
    """
    named = vaults_by_name(plans, account.place)
    if not named:
        return ()
    with gaps_noticed() as gaps:
        found = matched(named, vaults(account).keys())
    for gap in () if all(each.match.exact for each in found) else gaps.values():  # what is there, is there
        note_gap(gap)
    return found

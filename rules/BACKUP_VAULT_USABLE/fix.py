"""What makes the vaults of the plan, or enables their keys; else how the plan is changed."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules.aws import backup, kms
from backup_rules.vaults.vaults import KeyState, match_vault_name, vault_uses
from backup_rules_cli.answers.fixes import Broken, aws, create_vault, edit_plan


def commands(broken: Broken) -> Iterator[str]:
    """A command for each missing vault and each key that is disabled or about to be deleted."""
    plan, region = broken.plan(), broken.place.region
    if plan is None:
        return
    existing = backup.vaults(broken.account)
    names = dict.fromkeys(use.name for rule in plan.rules for use in vault_uses(rule, broken.place))
    told = False
    for name in names:
        if match_vault_name(name, existing.keys()).missing:
            told = True
            yield create_vault(name, region)
        elif name in existing:
            key = existing[name].encryption_key_arn
            state = kms.key_state(broken.account, key) if key else KeyState.ENABLED
            if state is KeyState.PENDING_DELETION and key:
                yield aws("kms", "cancel-key-deletion", region=region, key_id=key)
            if state in {KeyState.PENDING_DELETION, KeyState.DISABLED} and key:
                told = True
                yield aws("kms", "enable-key", region=region, key_id=key)
    if not told:
        yield from edit_plan(plan.summary, region)

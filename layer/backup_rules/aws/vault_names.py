"""The names of the backup vaults of the Region, where no more is asked of them."""

from __future__ import annotations

from backup_rules.aws.account import Account
from backup_rules.aws.answers import field


def vault_names(account: Account) -> frozenset[str]:
    """The names of all vaults in the account and Region, as they are spelled."""
    return account.once(
        "vault names",
        lambda: frozenset(
            account.calls.items(
                "backup",
                "ListBackupVaults",
                "BackupVaultList",
                lambda item: field(item, "BackupVaultName", str),
                PaginationConfig={"PageSize": 1000},
            )
        ),
    )

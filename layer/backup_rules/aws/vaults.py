"""Backup vaults, and what is read beside them: the state of their KMS key and their access policy.

`ListBackupVaults` tells which vaults there are; of those that a plan uses, `DescribeBackupVault` tells state and lock.
"""

from __future__ import annotations

from collections.abc import Mapping

from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, field, optional
from backup_rules.errors import ReadError
from backup_rules.vaults.vaults import KeyState, Vault, VaultFacts


def vaults(account: Account) -> Mapping[str, Vault]:
    """All vaults of the Region by their exact name."""

    def read() -> Mapping[str, Vault]:
        listed = account.calls.items(
            "backup", "ListBackupVaults", "BackupVaultList", _vault, PaginationConfig={"PageSize": 1000}
        )
        return {vault.name: vault for vault in listed}

    return account.once("vaults", read)


def vault_facts(account: Account, vault: Vault) -> VaultFacts:
    """The vault described, with its key's state and its access policy.

    Raises:
        ReadError: the key or the policy cannot be read. It concerns this vault alone.
    """
    described = _described(account, vault)
    key_arn = described.encryption_key_arn
    return VaultFacts(
        described,
        key_state=None if key_arn is None else _key_state(account, key_arn),
        access_policy=_access_policy(account, vault.name),
    )


def _described(account: Account, vault: Vault) -> Vault:
    return account.once(
        ("vault", vault.name),
        lambda: account.calls.one("backup", "DescribeBackupVault", _vault, BackupVaultName=vault.name),
    )


def _vault(answer: Answer) -> Vault:
    # A key that AWS owns can neither be read nor be disabled.
    owned_by_aws = optional(answer, "EncryptionKeyType", str) == "AWS_OWNED_KMS_KEY"
    return Vault(
        name=field(answer, "BackupVaultName", str),
        arn=field(answer, "BackupVaultArn", str),
        state=optional(answer, "VaultState", str),
        type=optional(answer, "VaultType", str) or "BACKUP_VAULT",
        encryption_key_arn=None if owned_by_aws else optional(answer, "EncryptionKeyArn", str),
        locked=optional(answer, "Locked", bool) or False,
        min_retention_days=optional(answer, "MinRetentionDays", int),
        max_retention_days=optional(answer, "MaxRetentionDays", int),
    )


def _key_state(account: Account, key_arn: str) -> KeyState:
    def parse(answer: Answer) -> KeyState:
        return KeyState(field(field(answer, "KeyMetadata", dict), "KeyState", str))

    def read() -> KeyState:
        try:
            return account.calls.one("kms", "DescribeKey", parse, KeyId=key_arn)
        except ReadError as error:
            if error.code == "NotFoundException":
                return KeyState.NOT_FOUND
            raise

    return account.once(("key", key_arn), read)


def _access_policy(account: Account, vault_name: str) -> str | None:
    def read() -> str | None:
        try:
            return account.calls.one(
                "backup",
                "GetBackupVaultAccessPolicy",
                lambda it: field(it, "Policy", str),
                BackupVaultName=vault_name,
            )
        except ReadError as error:
            if error.code == "ResourceNotFoundException":
                return None
            raise

    return account.once(("vault access policy", vault_name), read)

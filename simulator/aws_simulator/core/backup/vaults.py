"""Backup vaults, their locks and access policies."""

from __future__ import annotations

import json
import re
from datetime import timedelta

from moto.kms.models import kms_backends

from aws_simulator.core.backup.state import Document, at, given, page_of, state_in, tag
from aws_simulator.core.operations import AwsError, Handler, Request, now


def _create_backup_vault(request: Request) -> Document:
    name = request.text("BackupVaultName")
    if not re.fullmatch(r"[a-zA-Z0-9\-_]{2,50}", name):
        raise AwsError(
            "InvalidParameterValueException", f"Backup vault name {name!r} does not match [a-zA-Z0-9-_]{{2,50}}"
        )
    vault = _new_vault(request, name, request.parameters.get("EncryptionKeyArn"))
    vault |= given(CreatorRequestId=request.parameters.get("CreatorRequestId"))
    return {key: vault[key] for key in ("BackupVaultName", "BackupVaultArn", "CreationDate")}


def _create_logically_air_gapped_backup_vault(request: Request) -> Document:
    vault = _new_vault(request, request.text("BackupVaultName"), request.parameters.get("EncryptionKeyArn"))
    vault |= {
        "VaultType": "LOGICALLY_AIR_GAPPED_BACKUP_VAULT",
        "Locked": True,
        "MinRetentionDays": request.parameters["MinRetentionDays"],
        "MaxRetentionDays": request.parameters["MaxRetentionDays"],
    }
    return {key: vault[key] for key in ("BackupVaultName", "BackupVaultArn", "CreationDate", "VaultState")}


def _new_vault(request: Request, name: str, key_arn: str | None) -> Document:
    vaults = at(request).vaults
    if name in vaults:
        raise AwsError("AlreadyExistsException", "Backup vault with the same name already exists")
    arn = f"arn:{request.partition}:backup:{request.region}:{request.account}:backup-vault:{name}"
    vaults[name] = {
        "BackupVaultName": name,
        "BackupVaultArn": arn,
        "VaultType": "BACKUP_VAULT",
        "VaultState": "AVAILABLE",
        "EncryptionKeyArn": key_arn or _aws_managed_key(request.account, request.region),
        "CreationDate": now(),
        "NumberOfRecoveryPoints": 0,
        "Locked": False,
    }
    tag(request, arn, request.parameters.get("BackupVaultTags") or {})
    return vaults[name]


def _aws_managed_key(account: str, region: str) -> str:
    """The key `alias/aws/backup`, which AWS Backup makes for the first vault that names no key."""
    kms = kms_backends[account][region]
    key_id = kms.get_key_id_from_alias("alias/aws/backup")
    if key_id is None:
        key = kms.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "Default key of AWS Backup", None)
        key.key_manager = "AWS"
        kms.create_alias(key.id, "alias/aws/backup")
        key_id = key.id
    return str(kms.keys[key_id].arn)


def _describe_backup_vault(request: Request) -> Document:
    return _vault(request)


def _list_backup_vaults(request: Request) -> Document:
    wanted = request.parameters.get("ByVaultType")
    vaults = [each for each in at(request).vaults.values() if wanted in {None, each["VaultType"]}]
    listed, token = page_of(vaults, request)
    return {"BackupVaultList": listed, "NextToken": token}


def _delete_backup_vault(request: Request) -> Document:
    name = _vault(request)["BackupVaultName"]
    del at(request).vaults[name]
    at(request).access_policies.pop(name, None)
    return {}


def _vault(request: Request) -> Document:
    vault = at(request).vaults.get(request.text("BackupVaultName"))
    if vault is None:
        # "either the resource does not exist or you do not have permissions":
        # https://docs.aws.amazon.com/aws-backup/latest/devguide/troubleshooting.html
        raise AwsError("AccessDeniedException", "Insufficient privileges to perform this action.", 403)
    return vault


def _put_backup_vault_access_policy(request: Request) -> Document:
    name, policy = _vault(request)["BackupVaultName"], request.parameters.get("Policy")
    try:
        json.loads(policy or "")
    except ValueError:
        raise AwsError("InvalidParameterValueException", "Policy document is not valid JSON") from None
    at(request).access_policies[name] = str(policy)
    return {}


def _get_backup_vault_access_policy(request: Request) -> Document:
    vault = _vault(request)
    policy = at(request).access_policies.get(vault["BackupVaultName"])
    if policy is None:
        raise AwsError(
            "ResourceNotFoundException", f"Access policy of backup vault {vault['BackupVaultName']} does not exist"
        )
    return {key: vault[key] for key in ("BackupVaultName", "BackupVaultArn")} | {"Policy": policy}


def _delete_backup_vault_access_policy(request: Request) -> Document:
    at(request).access_policies.pop(_vault(request)["BackupVaultName"], None)
    return {}


def _put_backup_vault_lock_configuration(request: Request) -> Document:
    vault = _unlockable_vault(request)
    shortest, longest = (request.parameters.get(key) for key in ("MinRetentionDays", "MaxRetentionDays"))
    grace = request.parameters.get("ChangeableForDays")
    if shortest is not None and shortest < 1:
        raise AwsError("InvalidParameterValueException", "MinRetentionDays must be at least 1 day")
    if longest is not None and longest > 36500:
        raise AwsError("InvalidParameterValueException", "MaxRetentionDays cannot exceed 36500 days")
    if shortest is not None and longest is not None and shortest > longest:
        raise AwsError("InvalidParameterValueException", "MinRetentionDays cannot be greater than MaxRetentionDays")
    if grace is not None and grace < 3:
        raise AwsError("InvalidParameterValueException", "ChangeableForDays must be at least 3 days")
    for key in ("MinRetentionDays", "MaxRetentionDays", "LockDate"):
        vault.pop(key, None)
    lock_date = None if grace is None else now() + timedelta(days=grace)
    vault |= given(Locked=True, MinRetentionDays=shortest, MaxRetentionDays=longest, LockDate=lock_date)
    return {}


def _delete_backup_vault_lock_configuration(request: Request) -> Document:
    vault = _unlockable_vault(request)
    for key in ("MinRetentionDays", "MaxRetentionDays", "LockDate"):
        vault.pop(key, None)
    vault["Locked"] = False
    return {}


def _unlockable_vault(request: Request) -> Document:
    vault = _vault(request)
    if vault.get("LockDate") is not None and now() >= vault["LockDate"]:
        raise AwsError("InvalidRequestException", "Vault Lock configuration is immutable and cannot be modified")
    return vault


def add_vault(account: str, region: str, name: str) -> None:
    """A vault whose name no caller may choose, such as `aws/efs/automatic-backup-vault`."""
    _new_vault(Request(account, region, {}), name, None)


def set_vault_state(account: str, region: str, name: str, state: str) -> None:
    """CREATING, AVAILABLE or FAILED."""
    state_in(account, region).vaults[name]["VaultState"] = state


HANDLERS: dict[str, Handler] = {
    "CreateBackupVault": _create_backup_vault,
    "CreateLogicallyAirGappedBackupVault": _create_logically_air_gapped_backup_vault,
    "DescribeBackupVault": _describe_backup_vault,
    "ListBackupVaults": _list_backup_vaults,
    "DeleteBackupVault": _delete_backup_vault,
    "PutBackupVaultAccessPolicy": _put_backup_vault_access_policy,
    "GetBackupVaultAccessPolicy": _get_backup_vault_access_policy,
    "DeleteBackupVaultAccessPolicy": _delete_backup_vault_access_policy,
    "PutBackupVaultLockConfiguration": _put_backup_vault_lock_configuration,
    "DeleteBackupVaultLockConfiguration": _delete_backup_vault_lock_configuration,
}

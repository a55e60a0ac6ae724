"""Creates the backup vaults that the account's effective backup policy names for this Region and that do not exist."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from remediation.shared import RefusedError, texts


def handler(events: dict[str, Any], _context: object) -> dict[str, Any]:
    """Creates each missing vault, and leaves alone those that exist in whatever letter case.

    Raises:
        RefusedError: when the policy names no vault here, or one that cannot be made so simply; then none is made.
    """
    account, region = events["Account"], events["Region"]
    if events["ResourceId"] != account:
        raise RefusedError(
            f"{events['ResourceId']} is not this account, {account}: the vaults would be made in {account}."
        )
    plans = policy(account)
    try:
        named, air_gapped = vaults_named(plans, account, region)
    except (AttributeError, TypeError) as error:
        raise RefusedError(
            f"The effective backup policy of account {account} cannot be read: {error}. See BACKUP_POLICY_ATTACHED."
        ) from error
    asked = texts(events["VaultNames"])
    strangers = [name for name in asked if name not in named]
    if strangers:
        raise RefusedError(f"The effective backup policy names no vault {', '.join(strangers)} in {account}, {region}.")
    wanted = [name for name in named if name in asked or not asked]
    if not wanted:
        raise RefusedError(f"The effective backup policy of account {account} names no vault in {region}.")
    backup = boto3.client("backup")
    pages = backup.get_paginator("list_backup_vaults").paginate()
    existing = [vault["BackupVaultName"] for page in pages for vault in page["BackupVaultList"]]
    folded = {name.casefold(): name for name in existing}
    missing = [name for name in wanted if name.casefold() not in folded]
    refuse_what_is_not_simple(missing, air_gapped)
    in_other_case = [
        f"{name} (exists as {folded[name.casefold()]})"
        for name in wanted
        if name not in existing and name.casefold() in folded
    ]
    if not missing and in_other_case:
        raise RefusedError(
            f"{', '.join(in_other_case)}: the policy and the vault differ in letter case, which another vault would not"
            " settle. Correct the name in the policy: see BACKUP_POLICY_VAULT_NAME_CASE."
        )
    key = {"EncryptionKeyArn": events["EncryptionKeyArn"]} if events["EncryptionKeyArn"] else {}
    created = [name for name in missing if create(backup, name, key)]
    summary = f"Created in {region}: {', '.join(created)}." if created else "Nothing changed: all vaults exist."
    if in_other_case:
        summary += f" Left alone: {', '.join(in_other_case)}."
    return {"Created": created, "LeftAlone": in_other_case, "Summary": summary}


def policy(account: str) -> Any:
    """The plans of the effective backup policy, by name."""
    try:
        answer = boto3.client("organizations").describe_effective_policy(PolicyType="BACKUP_POLICY")
    except ClientError as error:
        if error.response["Error"]["Code"] not in (
            "EffectivePolicyNotFoundException",
            "AWSOrganizationsNotInUseException",
        ):
            raise
        raise RefusedError(f"Account {account} has no effective backup policy: {error}") from error
    return assigned(json.loads(answer["EffectivePolicy"]["PolicyContent"])).get("plans", {})


def assigned(element: Any) -> Any:
    """The policy without inheritance operators, some of which AWS leaves in place."""
    if isinstance(element, list):
        return [assigned(each) for each in element]
    if not isinstance(element, dict):
        return element
    for operator in ("@@assign", "@@append"):
        if operator in element:
            return assigned(element[operator])
    return {name: assigned(value) for name, value in element.items() if not name.startswith("@@")}


def vaults_named(plans: Any, account: str, region: str) -> tuple[list[str], set[str]]:
    """The vaults that must exist here, in the order of the policy, and which of them are logically air-gapped."""
    named: dict[str, bool] = {}
    air_gapped: set[str] = set()
    for plan in plans.values():
        regions = plan.get("regions", [])
        if region not in ([regions] if isinstance(regions, str) else regions):
            continue
        for rule in plan.get("rules", {}).values():
            if rule.get("target_backup_vault_name"):
                named[rule["target_backup_vault_name"]] = True
            gapped = name_in(rule.get("target_logically_air_gapped_backup_vault_arn", ""), account, region)
            if gapped:
                named[gapped] = True
                air_gapped.add(gapped)
            for key, copy in rule.get("copy_actions", {}).items():
                arn = copy.get("target_backup_vault_arn", key) if isinstance(copy, dict) else copy
                destination = name_in(arn, account, region)
                if destination:
                    named[destination] = True
    return list(named), air_gapped


def name_in(arn: object, account: str, region: str) -> str | None:
    """The vault's name where the ARN is of this account and Region."""
    parts = str(arn).replace("$account", account).replace("$region", region).split(":")
    if len(parts) == 7 and parts[2:6] == ["backup", region, account, "backup-vault"]:
        return parts[6]
    return None


def refuse_what_is_not_simple(missing: Collection[str], air_gapped: Collection[str]) -> None:
    """Refuse vaults whose name AWS Backup would not take, and those that need decisions of a person."""
    bad = [name for name in missing if not re.fullmatch(r"[a-zA-Z0-9_-]{2,50}", name)]
    if bad:
        raise RefusedError(
            f"{', '.join(map(repr, bad))} cannot be the name of a backup vault (2 to 50 letters, digits, '-' or '_'):"
            " correct the policy."
        )
    gapped = [name for name in missing if name in air_gapped]
    if gapped:
        raise RefusedError(
            f"{', '.join(gapped)} is to be a logically air-gapped vault, whose retention limits can never be changed:"
            " create it by hand, or name the other vaults in VaultNames."
        )


def create(backup: Any, name: str, key: Mapping[str, str]) -> bool:
    """Whether the vault was created; not, where another run was quicker."""
    try:
        backup.create_backup_vault(BackupVaultName=name, **key)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
        return False
    return True

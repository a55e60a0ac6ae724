"""Rule BACKUP_VAULT_USABLE: vaults of plans, in analytics-staging, us-east-1."""

from __future__ import annotations

import json
from typing import Any

from aws_simulator.core import backup
from demo_organization.site import (
    BACKUP_POLICY,
    RAN,
    S3_BACKUP_POLICY,
    History,
    Site,
    key_value,
    nightly,
    tags_are,
)

_NO_VAULT = History(
    "FAILED", "Backup job failed because backup vault sessions-archive does not exist.", "RESOURCE_NOT_FOUND"
)


def usable(site: Site) -> None:
    """Healthy: plans into usable vaults.

    `events-nightly` (a customer managed key, and a copy), `ledgers-nightly` (a lock that admits 35 days) and
    `sealed-nightly` (an air-gapped vault beside the ordinary one).
    """
    site.vault("events", EncryptionKeyArn=_key(site))
    site.vault("events-copies")
    copy = {"DestinationBackupVaultArn": site.arn("backup", "backup-vault:events-copies")}
    _plan(site, "events-nightly", "events", CopyActions=[copy])
    _locked(site, "ledgers", MinRetentionDays=7, MaxRetentionDays=365)
    _plan(site, "ledgers-nightly", "ledgers")
    sealed = site.client("backup").create_logically_air_gapped_backup_vault(
        BackupVaultName="sealed", MinRetentionDays=7, MaxRetentionDays=90
    )
    _plan(site, "sealed-nightly", "events", TargetLogicallyAirGappedBackupVaultArn=sealed["BackupVaultArn"])


def missing(site: Site) -> None:
    """Broken: `sessions-nightly` (no such vault) and `clicks-nightly` (the vault is called `clicks`)."""
    _plan(site, "sessions-nightly", "sessions-archive", history=_NO_VAULT)
    site.vault("clicks")
    _plan(
        site,
        "clicks-nightly",
        "Clicks",
        history=_failed("Backup vault Clicks does not exist."),
    )


def keys(site: Site) -> None:
    """Broken: `logs-nightly` (its vault's key is disabled) and `metrics-nightly` (pending deletion)."""
    kms = site.client("kms")
    disabled, doomed = _key(site), _key(site)
    site.vault("logs", EncryptionKeyArn=disabled)
    site.vault("metrics", EncryptionKeyArn=doomed)
    kms.disable_key(KeyId=disabled.rsplit("/", 1)[-1])
    kms.schedule_key_deletion(KeyId=doomed.rsplit("/", 1)[-1])
    failed = _failed("KMS key is either disabled or pending deletion or access to KMS key is denied", "KMS_KEY_ERROR")
    _plan(site, "logs-nightly", "logs", history=failed)
    _plan(site, "metrics-nightly", "metrics", history=failed)


def locks(site: Site) -> None:
    """Broken: `compliance-nightly` (35 days, at least 365 asked) and `exports-nightly` (for ever, at most 30)."""
    _locked(site, "compliance", MinRetentionDays=365)
    _locked(site, "exports", MaxRetentionDays=30)
    outside = "The lifecycle is outside the valid range for backup vault {}."
    _plan(site, "compliance-nightly", "compliance", history=_failed(outside.format("compliance")))
    exports = {"RuleName": "nightly", "TargetBackupVaultName": "exports"}
    site.selection(
        site.plan("exports-nightly", exports, history=_failed(outside.format("exports"))),
        "exports-tables",
        Resources=[site.table("exports")],
    )


def access(site: Site) -> None:
    """Broken: `frozen-nightly` (its access policy denies jobs to everyone) and `new-nightly` (still being made)."""
    site.vault("frozen")
    site.client("backup").put_backup_vault_access_policy(BackupVaultName="frozen", Policy=json.dumps(_FROZEN))
    _plan(site, "frozen-nightly", "frozen", history=_failed("Access Denied trying to call AWS Backup service"))
    site.vault("new")
    backup.set_vault_state(site.account.id, site.region, "new", "CREATING")
    _plan(site, "new-nightly", "new", history=_failed("Backup vault new is not available."))


def shared_buckets(site: Site) -> None:
    """Broken: `uploads-nightly`, whose continuous and whose periodic rule back up one bucket to different vaults."""
    site.vault("uploads")
    site.client("s3").create_bucket(Bucket="uploads-analytics")
    site.client("s3").put_bucket_tagging(Bucket="uploads-analytics", Tagging={"TagSet": key_value({"uploads": "yes"})})
    role = site.role("UploadsBackupRole", BACKUP_POLICY, S3_BACKUP_POLICY)
    clash = "Bucket uploads-analytics already has continuous backup enabled for another vault."
    plan = site.plan(
        "uploads-nightly",
        nightly(TargetBackupVaultName="events"),
        nightly(RuleName="continuous", TargetBackupVaultName="uploads", EnableContinuousBackup=True),
        history=_failed(clash),
    )
    site.selection(plan, "uploads-buckets", role, ListOfTags=tags_are(uploads="yes"))
    site.selection(plan, "uploads-more", role, Resources=["arn:aws:s3:::uploads-*"])


def _failed(message: str, category: str = "MISCELLANEOUS") -> History:
    return History("FAILED", message, category)


_FROZEN = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "NoNewRecoveryPoints",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["backup:StartBackupJob", "backup:CopyIntoBackupVault"],
            "Resource": "*",
        }
    ],
}


def _plan(site: Site, name: str, vault: str, history: History = RAN, **rule: Any) -> None:
    """A plan for a table of its own, into that vault."""
    plan = site.plan(name, nightly(TargetBackupVaultName=vault, **rule), history=history)
    topic = name.removesuffix("-nightly")
    site.selection(plan, f"{topic}-tables", Resources=[site.table(topic)])


def _key(site: Site) -> str:
    return str(site.client("kms").create_key(Description="Backups")["KeyMetadata"]["Arn"])


def _locked(site: Site, name: str, **lock: int) -> None:
    site.vault(name)
    site.client("backup").put_backup_vault_lock_configuration(BackupVaultName=name, **lock)

"""Rule BACKUP_VAULT_USABLE: vaults of plans, in analytics-staging, us-east-1."""

from __future__ import annotations

import json
from typing import Any

from aws_simulator.core import backup
from demo_organization.site import RAN, SILENT, History, Site, nightly

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
    _plan(site, "clicks-nightly", "Clicks", history=SILENT)


def keys(site: Site) -> None:
    """Broken: `logs-nightly` (its vault's key is disabled) and `metrics-nightly` (pending deletion)."""
    kms = site.client("kms")
    disabled, doomed = _key(site), _key(site)
    site.vault("logs", EncryptionKeyArn=disabled)
    site.vault("metrics", EncryptionKeyArn=doomed)
    kms.disable_key(KeyId=disabled.rsplit("/", 1)[-1])
    kms.schedule_key_deletion(KeyId=doomed.rsplit("/", 1)[-1])
    _plan(site, "logs-nightly", "logs")
    _plan(site, "metrics-nightly", "metrics")


def locks(site: Site) -> None:
    """Broken: `compliance-nightly` (35 days, at least 365 asked) and `exports-nightly` (for ever, at most 30)."""
    _locked(site, "compliance", MinRetentionDays=365)
    _locked(site, "exports", MaxRetentionDays=30)
    _plan(site, "compliance-nightly", "compliance")
    site.selection(
        site.plan("exports-nightly", {"RuleName": "nightly", "TargetBackupVaultName": "exports"}),
        "exports-tables",
        Resources=[site.table("exports")],
    )


def access(site: Site) -> None:
    """Broken: `frozen-nightly` (its access policy denies jobs to everyone) and `new-nightly` (still being made)."""
    site.vault("frozen")
    site.client("backup").put_backup_vault_access_policy(BackupVaultName="frozen", Policy=json.dumps(_FROZEN))
    _plan(site, "frozen-nightly", "frozen")
    site.vault("new")
    backup.set_vault_state(site.account.id, site.region, "new", "CREATING")
    _plan(site, "new-nightly", "new")


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

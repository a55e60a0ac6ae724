"""Backup vaults, and what keeps a backup rule from storing its recovery points in one.

A vault name is exact, letter case included. A job fails when its vault is missing or not available, when the vault's
KMS key cannot be used, when Vault Lock does not admit the retention, and when the vault's access policy denies it.

Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeBackupVault.html,
https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html and
https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum

from backup_rules.arns import Arn, Place
from backup_rules.plans.plans import BackupRule, Lifecycle
from backup_rules.values import dataclass
from backup_rules.vaults.access_policy import COPY_INTO_VAULT, START_BACKUP_JOB, vault_denials
from backup_rules.wording.annotations import name as shortened
from backup_rules.wording.quoting import quote

AVAILABLE = "AVAILABLE"
DEFAULT_VAULT = "Default"
STANDARD, AIR_GAPPED = "BACKUP_VAULT", "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"
VAULT_TYPES = (STANDARD, AIR_GAPPED, "RESTORE_ACCESS_BACKUP_VAULT")
VAULT_STATES = ("CREATING", AVAILABLE, "FAILED")

# https://docs.aws.amazon.com/aws-backup/latest/devguide/point-in-time-recovery-retention-period.html
MAX_CONTINUOUS_RETENTION_DAYS = 35

_VAULT_RESOURCE = "backup-vault:"
_FOR_EVER = Lifecycle()


@dataclass(frozen=True, slots=True)
class Vault:
    """A backup vault, in AWS's words. The days are those of Vault Lock, and hold whenever they are set.

    `encryption_key_arn` is None where AWS names no key. `state` is None where AWS tells none, which is no problem.
    """

    name: str
    arn: str
    state: str | None = AVAILABLE
    type: str = "BACKUP_VAULT"
    encryption_key_arn: str | None = None
    locked: bool = False
    min_retention_days: int | None = None
    max_retention_days: int | None = None


class KeyState(StrEnum):
    """The states of a KMS key as `kms:DescribeKey` names them, and one for a key that it does not find."""

    CREATING = "Creating"
    ENABLED = "Enabled"
    DISABLED = "Disabled"
    PENDING_DELETION = "PendingDeletion"
    PENDING_IMPORT = "PendingImport"
    PENDING_REPLICA_DELETION = "PendingReplicaDeletion"
    UNAVAILABLE = "Unavailable"
    UPDATING = "Updating"
    NOT_FOUND = "NotFound"

    @property
    def usable(self) -> bool:
        """Whether the key encrypts. A multi-Region key does so also while its primary Region is updated."""
        return self in (KeyState.ENABLED, KeyState.UPDATING)


@dataclass(frozen=True, slots=True)
class VaultFacts:
    """A vault and what is read beside it: None for the key where it has none, for the policy where it has none.

    `key_withheld`: the key is of another account, which does not let it be described.
    """

    vault: Vault
    key_state: KeyState | None = None
    access_policy: str | None = None
    key_withheld: bool = False


class VaultPurpose(StrEnum):
    """What a backup rule wants of a vault."""

    TARGET = "target"
    AIR_GAPPED = "air-gapped target"
    COPY = "copy destination"


@dataclass(frozen=True, slots=True)
class VaultUse:
    """A vault of this account and Region that a backup rule names, what for, and how long it keeps things there.

    `continuous`: what is kept there is a continuous backup, or a copy that keeps the retention of one.
    """

    name: str
    purpose: VaultPurpose
    lifecycle: Lifecycle = _FOR_EVER
    continuous: bool = False

    @property
    def actions(self) -> tuple[str, ...]:
        """What AWS Backup does to the vault, for which an access policy may stand in its way."""
        return (COPY_INTO_VAULT,) if self.purpose is VaultPurpose.COPY else (START_BACKUP_JOB, COPY_INTO_VAULT)


@dataclass(frozen=True, slots=True)
class VaultNameMatch:
    """Which of the existing vaults a name means: `exact` itself, or those `other_case` that differ in case only."""

    exact: bool
    other_case: tuple[str, ...] = ()

    @property
    def missing(self) -> bool:
        """Whether no vault has the name in any letter case."""
        return not self.exact and not self.other_case


class VaultProblemKind(StrEnum):
    """Why a vault cannot be used."""

    MISSING = "missing"
    OTHER_CASE = "other case"
    ELSEWHERE = "in another account or Region"
    WRONG_KIND = "of another kind"
    NOT_AVAILABLE = "not available"
    KEY_UNUSABLE = "key unusable"
    RETENTION_NOT_ADMITTED = "retention not admitted"
    ACCESS_DENIED = "access denied"


@dataclass(frozen=True, slots=True)
class VaultProblem:
    """What is wrong with the vault of a backup rule, and what to do about it, a sentence each."""

    kind: VaultProblemKind
    vault_name: str
    purpose: VaultPurpose
    finding: str
    remedy: str


def vault_name_in(arn: str, place: Place) -> str | None:
    """The name of the vault that `arn` names, or None when it is no vault of this account and Region."""
    parsed = Arn.parse(arn)
    if parsed is None or parsed.service != "backup" or not parsed.resource.startswith(_VAULT_RESOURCE):
        return None
    if (parsed.account, parsed.region) != (place.account, place.region):
        return None
    return parsed.resource.removeprefix(_VAULT_RESOURCE)


def match_vault_name(name: str, existing: Collection[str]) -> VaultNameMatch:
    """Look for a vault of that name: vault names are case-sensitive."""
    if name in existing:
        return VaultNameMatch(exact=True)
    folded = name.casefold()
    return VaultNameMatch(exact=False, other_case=tuple(sorted(each for each in existing if each.casefold() == folded)))


def vault_uses(rule: BackupRule, place: Place) -> tuple[VaultUse, ...]:
    """The vaults of this account and Region that the backup rule needs: its target first, then its copies'."""
    uses = [VaultUse(rule.vault_name, VaultPurpose.TARGET, rule.lifecycle, continuous=rule.continuous)]
    air_gapped = vault_name_in(rule.air_gapped_vault_arn or "", place)
    if air_gapped is not None:
        uses.append(VaultUse(air_gapped, VaultPurpose.AIR_GAPPED, rule.lifecycle, continuous=rule.continuous))
    for copy in rule.copy_actions:
        destination = vault_name_in(copy.destination_vault_arn, place)
        if destination is not None:
            # Without a retention of its own, a copy keeps that of what it is copied from.
            inherits = copy.lifecycle.delete_after_days is None
            lifecycle = rule.lifecycle if inherits else copy.lifecycle
            uses.append(VaultUse(destination, VaultPurpose.COPY, lifecycle, continuous=inherits and rule.continuous))
    return tuple(uses)


def vault_problems(rule: BackupRule, place: Place, vaults: Mapping[str, VaultFacts]) -> tuple[VaultProblem, ...]:
    """All that keeps the backup rule from its vaults; `vaults` are the existing ones of the Region by exact name.

    Copies to another account or Region are not looked at.

    Raises:
        ValueError: a vault's access policy cannot be read; the message names the vault.
    """
    problems = list(_air_gapped_elsewhere(rule, place))
    for use in vault_uses(rule, place):
        facts = vaults.get(use.name)
        if facts is None:
            problems.append(_missing(rule, use, place, vaults))
        else:
            problems.extend(_unusable(rule, use, place, facts))
    return tuple(problems)


def retention_problem(vault: Vault, lifecycle: Lifecycle, *, continuous: bool = False) -> str | None:
    """How the retention offends the vault's limits, to follow "the backup rule", or None when it is admitted.

    A recovery point without an end to its retention is kept for ever, which is more than any maximum. A continuous
    backup is never kept longer than 35 days, so without a retention of its own it only offends a minimum above that.
    """
    days = lifecycle.delete_after_days
    low, high = vault.min_retention_days, vault.max_retention_days
    if days is None and continuous:
        too_short, too_long = low is not None and low > MAX_CONTINUOUS_RETENTION_DAYS, False
        kept = f"at most {MAX_CONTINUOUS_RETENTION_DAYS} days (continuous backup)"
    else:
        too_short = low is not None and days is not None and days < low
        too_long = high is not None and (days is None or days > high)
        kept = "for ever" if days is None else f"for {_days(days)}"
    return f"keeps backups {kept}, but the vault's lock admits {_range(low, high)}" if too_short or too_long else None


def _air_gapped_elsewhere(rule: BackupRule, place: Place) -> Iterator[VaultProblem]:
    arn = rule.air_gapped_vault_arn
    if arn is None or vault_name_in(arn, place) is not None:
        return
    yield VaultProblem(
        VaultProblemKind.ELSEWHERE,
        arn,
        VaultPurpose.AIR_GAPPED,
        f"Backup rule {shortened(rule.name)} names {quote(arn)}, which is no vault of this account and Region.",
        "Name an air-gapped vault of this account and Region.",
    )


def _missing(rule: BackupRule, use: VaultUse, place: Place, vaults: Mapping[str, VaultFacts]) -> VaultProblem:
    match = match_vault_name(use.name, vaults.keys())
    if match.missing:
        kind, what = VaultProblemKind.MISSING, f"which does not exist in {place.region}"
        remedy = "Create it there, or name a vault that exists."
        if use.name == DEFAULT_VAULT:
            remedy = "Open the AWS Backup console in that Region once, which creates it, or name another vault."
    else:
        kind = VaultProblemKind.OTHER_CASE
        what = f"but the vault is called {quote(match.other_case[0])}: vault names are case-sensitive"
        remedy = "Correct the name in the backup rule."
    return _problem(kind, rule, use, what, remedy)


def _unusable(rule: BackupRule, use: VaultUse, place: Place, facts: VaultFacts) -> Iterator[VaultProblem]:
    vault = facts.vault
    if vault.state not in (None, AVAILABLE):
        remedy = (
            "Wait until it is available." if vault.state == "CREATING" else "Name another vault, or create it anew."
        )
        kind = VaultProblemKind.NOT_AVAILABLE
        yield _problem(kind, rule, use, f"whose state is {vault.state}, not {AVAILABLE}", remedy)
    if vault.type != STANDARD and use.purpose is VaultPurpose.TARGET:
        kind, what = VaultProblemKind.WRONG_KIND, f"which is {_KINDS.get(vault.type, vault.type)}"
        yield _problem(kind, rule, use, what, "Name a standard vault, and the air-gapped one beside it.")
    if vault.type != AIR_GAPPED and use.purpose is VaultPurpose.AIR_GAPPED:
        kind, what = VaultProblemKind.WRONG_KIND, f"which is {_KINDS.get(vault.type, vault.type)}"
        yield _problem(kind, rule, use, what, "Name a logically air-gapped vault there.")
    if facts.key_state is not None and not facts.key_state.usable:
        words, remedy = _KEY_WORDS[facts.key_state]
        what = f"whose KMS key {shortened(_key_id(vault))} {words}"
        yield _problem(VaultProblemKind.KEY_UNUSABLE, rule, use, what, remedy)
    retention = retention_problem(vault, use.lifecycle, continuous=use.continuous)
    if retention is not None:
        kind, remedy = VaultProblemKind.RETENTION_NOT_ADMITTED, "Change the retention, or name another vault."
        yield _problem(kind, rule, use, f"and {retention}", remedy)
    if facts.access_policy is not None:
        for denial in vault_denials(facts.access_policy, vault.arn, place, use.actions):
            what = f"whose access policy denies {denial.action} ({denial.statement})"
            remedy = "Remove that Deny, or exempt the roles that AWS Backup uses."
            yield _problem(VaultProblemKind.ACCESS_DENIED, rule, use, what, remedy)


_KINDS = {
    STANDARD: "a standard vault",
    AIR_GAPPED: "a logically air-gapped vault",
    "RESTORE_ACCESS_BACKUP_VAULT": "a vault for restores only",
}

_VERBS = {
    VaultPurpose.TARGET: "backs up to vault",
    VaultPurpose.AIR_GAPPED: "backs up to air-gapped vault",
    VaultPurpose.COPY: "copies to vault",
}

_KEY_WORDS = {
    KeyState.DISABLED: ("is disabled", "Enable the key."),
    KeyState.PENDING_DELETION: ("is scheduled for deletion", "Cancel the key's deletion, and enable it."),
    KeyState.PENDING_REPLICA_DELETION: ("is scheduled for deletion", "Keep the key, or use a vault with another one."),
    KeyState.PENDING_IMPORT: ("has no key material", "Import the key's material."),
    KeyState.UNAVAILABLE: ("is in a key store that is disconnected", "Connect the key store."),
    KeyState.CREATING: ("is still being created", "Wait until the key is enabled."),
    KeyState.NOT_FOUND: ("no longer exists", "Use a vault whose key exists."),
}


def _problem(kind: VaultProblemKind, rule: BackupRule, use: VaultUse, what: str, remedy: str) -> VaultProblem:
    finding = f"Backup rule {shortened(rule.name)} {_VERBS[use.purpose]} {quote(use.name)}, {what}."
    return VaultProblem(kind, use.name, use.purpose, finding, remedy)


def _key_id(vault: Vault) -> str:
    """The key's id, which is what the KMS console shows of its ARN."""
    return (vault.encryption_key_arn or "").rpartition("/")[2]


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _range(low: int | None, high: int | None) -> str:
    if low is None:
        return f"at most {_days(high or 0)}"
    return f"at least {_days(low)}" if high is None else f"{low} to {_days(high)}"

"""Backup vaults, and what keeps a backup rule from storing its recovery points in one.

A vault name is exact, letter case included. A job fails when its vault is missing or not available, when the vault's
KMS key cannot be used, when Vault Lock does not admit the retention, and when the vault's access policy denies it.

An access policy is judged for AWS Backup as such, not for one role: a Deny counts that concerns everyone in this
account, or AWS Backup's service principal, and that applies for certain. So a Deny for named roles is left out, and
one with conditions too, unless all of them are about `aws:PrincipalAccount`, which is known. `NotPrincipal` counts when
nothing that it exempts could be AWS Backup or one of this account's roles.

Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeBackupVault.html,
https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html,
https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html and
https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from backup_rules.arns import Arn, Place
from backup_rules.iam.trust import effect_of, service_principals
from backup_rules.plans.plans import BackupRule, Lifecycle
from backup_rules.wording.annotations import name as shortened
from backup_rules.wording.quoting import quote

START_BACKUP_JOB = "backup:StartBackupJob"
COPY_INTO_VAULT = "backup:CopyIntoBackupVault"

AVAILABLE = "AVAILABLE"
DEFAULT_VAULT = "Default"
STANDARD, AIR_GAPPED = "BACKUP_VAULT", "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"
VAULT_TYPES = (STANDARD, AIR_GAPPED, "RESTORE_ACCESS_BACKUP_VAULT")
VAULT_STATES = ("CREATING", AVAILABLE, "FAILED")

# https://docs.aws.amazon.com/aws-backup/latest/devguide/point-in-time-recovery-retention-period.html
MAX_CONTINUOUS_RETENTION_DAYS = 35

_VAULT_RESOURCE = "backup-vault:"
_ACCOUNT = re.compile(r"[0-9]{12}")
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


@dataclass(frozen=True, slots=True)
class Denial:
    """An action that a statement of a vault's access policy denies; the statement by its Sid, or by its number."""

    action: str
    statement: str


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


def denials(policy: str, vault: Vault, place: Place, actions: Collection[str]) -> tuple[Denial, ...]:
    """Which of the actions the access policy denies AWS Backup for certain, and by which statement (the first).

    Raises:
        ValueError: the policy is not one; the message names the vault and what is wrong.
    """
    found: dict[str, Denial] = {}
    try:
        for label, statement in _statements(policy):
            if effect_of(statement) == "Deny":
                for action in actions:
                    if action not in found and _denies(statement, action, vault, place):
                        found[action] = Denial(action, label)
    except ValueError as error:
        raise ValueError(f"The access policy of vault {vault.name} can't be read: {error}") from error
    return tuple(found[action] for action in actions if action in found)


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
        for denial in denials(facts.access_policy, vault, place, use.actions):
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


def _statements(policy: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The policy's statements, with the Sid or else the number by which a person finds them."""
    try:
        document = json.loads(policy)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(document, dict) or "Statement" not in document:
        raise ValueError("it is no object with a Statement")
    for number, statement in enumerate(_as_list(document["Statement"]), start=1):
        if not isinstance(statement, dict) or effect_of(statement) is None:
            raise ValueError(f"statement {number} is no object with the Effect Allow or Deny")
        yield str(statement.get("Sid") or f"statement {number}"), statement


def _denies(statement: Mapping[str, Any], action: str, vault: Vault, place: Place) -> bool:
    """Whether the Deny statement meets AWS Backup for certain when it does `action` to the vault."""
    # All four are read, whatever the first ones say: a statement that is none must not pass for one that spares us.
    return all(
        (
            _names_backup(statement, place),
            _names(statement, "Action", action.lower(), ignore_case=True),
            _names(statement, "Resource", vault.arn),
            _conditions_hold(statement.get("Condition", {}), place),
        )
    )


def _names(statement: Mapping[str, Any], key: str, text: str, *, ignore_case: bool = False) -> bool:
    """Whether the statement's element `key` names `text`, or its opposite (`NotAction`) does not."""
    negated = f"Not{key}"
    if (key in statement) == (negated in statement):
        raise ValueError(f"a Deny must have either {key} or {negated}")
    patterns = _texts(statement.get(key, statement.get(negated)), key)
    named = any(_matches(pattern.lower() if ignore_case else pattern, text) for pattern in patterns)
    return named == (key in statement)


def _matches(pattern: str, text: str) -> bool:
    """IAM's wildcards: `*` for any run of characters, `?` for any one; a bracket is nothing special."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _names_backup(statement: Mapping[str, Any], place: Place) -> bool:
    """Whether the statement is about everyone here or about AWS Backup, as far as that is certain."""
    if ("Principal" in statement) == ("NotPrincipal" in statement):
        raise ValueError("a Deny must have either Principal or NotPrincipal")
    if "Principal" in statement:
        return any(_is_backup(kind, name, place) for kind, name in _principals(statement["Principal"]))
    return not any(_may_be_backup(kind, name, place) for kind, name in _principals(statement["NotPrincipal"]))


def _principals(principal: Any) -> Iterator[tuple[str, str]]:
    if isinstance(principal, str):
        yield "AWS", principal
    elif isinstance(principal, dict):
        for kind, names in principal.items():
            yield from ((kind, name) for name in _texts(names, "Principal"))
    else:
        raise ValueError(f"its Principal is {principal!r}")  # noqa: TRY004 - see denials()


def _is_backup(kind: str, name: str, place: Place) -> bool:
    """Whether a principal is everyone, this whole account, or AWS Backup's service."""
    if kind == "Service":
        return name == "*" or name in service_principals(place.partition)
    root = f"arn:{place.partition}:iam::{place.account}:root"
    return kind == "AWS" and name in ("*", place.account, root)


def _may_be_backup(kind: str, name: str, place: Place) -> bool:
    """Whether a principal may be one that AWS Backup acts as: its service, or whatever is not surely elsewhere."""
    if kind != "AWS":
        return _is_backup(kind, name, place)
    arn = Arn.parse(name)
    account = arn.account if arn else name
    return account == place.account or not _ACCOUNT.fullmatch(account)


def _conditions_hold(block: Any, place: Place) -> bool:
    """Whether all conditions hold for certain when one of this account's roles calls; none at all hold."""
    if not isinstance(block, dict) or not all(isinstance(keys, dict) for keys in block.values()):
        raise ValueError(f"its Condition is {block!r}")
    return all(
        key.lower() == "aws:principalaccount" and _account_condition_holds(operator, _texts(values, key), place)
        for operator, keys in block.items()
        for key, values in keys.items()
    )


def _account_condition_holds(operator: str, values: list[str], place: Place) -> bool:
    operator = operator.removesuffix("IfExists")
    if operator in ("StringEquals", "StringNotEquals"):
        found = place.account in values
    elif operator in ("StringLike", "StringNotLike"):
        found = any(_matches(value, place.account) for value in values)
    else:
        return False
    return found != ("Not" in operator)


def _texts(value: Any, what: str) -> list[str]:
    texts = _as_list(value)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"its {what} is {value!r}")
    return texts


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

"""The access policy of a vault: whether it denies AWS Backup what a backup or a copy takes.

It is judged for AWS Backup as such, not for one role: a Deny counts that concerns everyone in this account, or AWS
Backup's service principal, and that applies for certain. So a Deny for named roles is left out, and one with conditions
too, unless all of them are about `aws:PrincipalAccount`, which is known. `NotPrincipal` counts when nothing that it
exempts could be AWS Backup or one of this account's roles.

Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html
"""

from __future__ import annotations

import re
from collections.abc import Collection

from backup_rules.arns import Arn, Place
from backup_rules.iam.policy import Context, Statement, Truth, read_statements, service_principals
from backup_rules.values import dataclass

START_BACKUP_JOB = "backup:StartBackupJob"
COPY_INTO_VAULT = "backup:CopyIntoBackupVault"

_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, slots=True)
class VaultDenial:
    """An action that a statement of a vault's access policy denies; the statement by its Sid, or by its number."""

    action: str
    statement: str


def vault_denials(policy: str, vault_arn: str, place: Place, actions: Collection[str]) -> tuple[VaultDenial, ...]:
    """Which of the actions the access policy denies AWS Backup for certain, and by which statement (the first).

    Raises:
        ValueError: the policy is not one; the message names the vault and what is wrong.
    """
    found: dict[str, VaultDenial] = {}
    what = f"the access policy of vault {vault_arn.rpartition(':')[2]}"
    for number, statement in enumerate(read_statements(policy, what), start=1):
        if statement.allow:
            continue
        if statement.resource is None:
            raise ValueError(f"Statement {number} of {what} must have either Resource or NotResource")
        if not (statement.resource.covers(vault_arn) and _concerns_backup(statement, place)):
            continue
        for action in actions:
            if action not in found and statement.action.covers(action, ignore_case=True):
                found[action] = VaultDenial(action, statement.label)
    return tuple(found[action] for action in actions if action in found)


def _concerns_backup(statement: Statement, place: Place) -> bool:
    """Whether the statement is about everyone here or about AWS Backup, as far as that is certain."""
    principal = statement.principal
    if principal.negated:
        about_backup = not any(_may_be_backup(kind, name, place) for kind, name in principal.names)
    else:
        about_backup = any(_is_backup(kind, name, place) for kind, name in principal.names)
    context = Context(known={"aws:principalaccount": {place.account}})
    return about_backup and Truth.all(each.holds(context) for each in statement.conditions) is Truth.YES


def _is_backup(kind: str, name: str, place: Place) -> bool:
    """Whether a principal is everyone, this whole account, or AWS Backup's service."""
    if name == "*":
        return True
    if kind == "Service":
        return name in service_principals(place.partition)
    return kind == "AWS" and name in (place.account, f"arn:{place.partition}:iam::{place.account}:root")


def _may_be_backup(kind: str, name: str, place: Place) -> bool:
    """Whether a principal may be one that AWS Backup acts as: its service, or whatever is not surely elsewhere."""
    if kind != "AWS" or name == "*":
        return _is_backup(kind, name, place)
    arn = Arn.parse(name)
    account = arn.account if arn else name
    return account == place.account or not _ACCOUNT.fullmatch(account)

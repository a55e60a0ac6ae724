"""Whether a role's trust policy lets AWS Backup assume the role.

The request that is judged: AWS Backup's service principal calls `sts:AssumeRole` on behalf of one account in one
Region. Of its context some keys are known (the source account, the service), some are never there (an external id,
multi-factor authentication), and the rest depend on what a policy cannot tell (the source address, the hour).

A condition on the rest is *undecided*. An undecided Allow counts and an undecided Deny does not, so that no role is
reported on a guess; both are named in `Trust.undecided`, so that no reader takes the guess for a fact.

Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from backup_rules.arns import Arn, Place
from backup_rules.iam.policy import (
    SERVICE_PRINCIPAL,
    Condition,
    Context,
    Statement,
    Truth,
    matches,
    read_statements,
    service_principals,
)
from backup_rules.values import dataclass

ASSUME_ROLE = "sts:AssumeRole"

_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, slots=True)
class RoleArn:
    """`arn:partition:iam::account:role/path/name`; the path begins and ends with a slash, and is `/` mostly."""

    partition: str
    account: str
    path: str
    name: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role{self.path}{self.name}"

    def is_in(self, place: Place) -> bool:
        """Whether the role belongs to the account and the partition of `place`."""
        return (self.partition, self.account) == (place.partition, place.account)


def parse_role_arn(text: str) -> RoleArn | None:
    """The role that `text` names, or None when it is no ARN of a role: a bare name, a user, an assumed-role session."""
    arn = Arn.parse(text)
    if arn is None or arn.service != "iam" or arn.region or not _ACCOUNT.fullmatch(arn.account):
        return None
    kind, _, rest = arn.resource.partition("/")
    path, _, name = rest.rpartition("/")
    if kind != "role" or not _ROLE_NAME.fullmatch(name):
        return None
    return RoleArn(arn.partition, arn.account, f"/{path}/" if path else "/", name)


def what_it_is(text: str) -> str:
    """What a text that is no role ARN is instead, to end the sentence "… is"."""
    arn = Arn.parse(text)
    if arn is None:
        return "a bare name, not an ARN" if text and ":" not in text else "not an ARN"
    kinds = {
        ("iam", "user"): "the ARN of a user",
        ("iam", "group"): "the ARN of a group",
        ("iam", "policy"): "the ARN of a policy",
        ("iam", "instance-profile"): "the ARN of an instance profile",
        ("sts", "assumed-role"): "the ARN of a session of a role",
    }
    return kinds.get((arn.service, arn.resource.partition("/")[0]), "not the ARN of a role")


class TrustProblemKind(StrEnum):
    """Why AWS Backup cannot assume the role."""

    NOT_TRUSTED = "no statement allows it"
    DENIED = "a statement denies it"
    EXCLUDED = "a condition never holds"


@dataclass(frozen=True, slots=True)
class TrustProblem:
    """Why a role cannot be assumed: `message` follows the role's name, `remedy` is a sentence of its own."""

    kind: TrustProblemKind
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Trust:
    """What a trust policy says: a problem or none, and the conditions that could not be decided, as they read."""

    problem: TrustProblem | None
    undecided: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether AWS Backup may assume the role, as far as the policy can tell."""
        return self.problem is None


def trust(document: Mapping[str, Any] | str, place: Place) -> Trust:
    """Whether the trust policy lets AWS Backup assume the role for `place`.

    Args:
        document: `AssumeRolePolicyDocument` as boto3 gives it, or as JSON, URL-encoded or not.
        place: the account and Region whose backups need the role.

    Raises:
        ValueError: the document is no policy; the message names what is wrong and where.
    """
    context = _context(place)
    judged = [_Judged(each, place, context) for each in read_statements(document, "the trust policy")]
    denying = [each for each in judged if each.applies and not each.statement.allow]
    allowing = [each for each in judged if each.applies and each.statement.allow]
    problem = _denial(denying) or _missing_allow(judged, allowing, place)
    sure = any(each.holds is Truth.YES for each in allowing)
    return Trust(problem, _undecided(denying if sure else denying + allowing))


class _Judged:
    """A statement, and what it comes to when AWS Backup assumes the role in this place."""

    def __init__(self, statement: Statement, place: Place, context: Context) -> None:
        self.statement = statement
        self.names_backup = _names_backup(statement, place)
        self.applies = self.names_backup and statement.action.covers(ASSUME_ROLE, ignore_case=True)
        self.conditions = tuple((each, each.holds(context)) for each in statement.conditions)
        self.holds = Truth.all(holds for _, holds in self.conditions)


def _denial(denying: Sequence[_Judged]) -> TrustProblem | None:
    if any(each.holds is Truth.YES for each in denying):
        return TrustProblem(
            TrustProblemKind.DENIED,
            f"denies {SERVICE_PRINCIPAL} {ASSUME_ROLE} in its trust policy",
            "Remove that Deny or exempt AWS Backup from it.",
        )
    return None


def _missing_allow(judged: Sequence[_Judged], allowing: Sequence[_Judged], place: Place) -> TrustProblem | None:
    if any(each.holds is not Truth.NO for each in allowing):
        return None
    for each in allowing:
        broken = next(condition for condition, holds in each.conditions if holds is Truth.NO)
        return TrustProblem(
            TrustProblemKind.EXCLUDED,
            f"trusts {SERVICE_PRINCIPAL} only where {broken}: its condition {_why_not(broken, place)}",
            "Correct or remove that condition.",
        )
    if any(each.statement.allow and each.names_backup for each in judged):
        return TrustProblem(
            TrustProblemKind.NOT_TRUSTED,
            f"names {SERVICE_PRINCIPAL} in its trust policy, but does not allow it {ASSUME_ROLE}",
            f"Allow {ASSUME_ROLE} there.",
        )
    return TrustProblem(
        TrustProblemKind.NOT_TRUSTED,
        f"does not trust {SERVICE_PRINCIPAL}",
        f"Allow {SERVICE_PRINCIPAL} {ASSUME_ROLE} in its trust policy.",
    )


def _undecided(judged: Sequence[_Judged]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            str(condition)
            for each in judged
            if each.holds is Truth.UNDECIDED
            for condition, holds in each.conditions
            if holds is Truth.UNDECIDED
        )
    )


def _names_backup(statement: Statement, place: Place) -> bool:
    ours = service_principals(place.partition)
    named = any(name == "*" or (kind == "Service" and name in ours) for kind, name in statement.principal.names)
    return named is not statement.principal.negated


# The source ARN is known up to its account: which of AWS Backup's resources it names is not documented.
_SOURCE_ARN = "aws:sourcearn"

# What a service principal's call to sts:AssumeRole never carries.
_NEVER_SENT = frozenset(
    {
        "sts:externalid",
        "sts:sourceidentity",
        "sts:transitivetagkeys",
        "aws:multifactorauthpresent",
        "aws:multifactorauthage",
        "aws:federatedprovider",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:tagkeys",
        "aws:username",
        "aws:vpcsourceip",
    }
)
_NEVER_SENT_BEGINNINGS = ("aws:principaltag/", "aws:requesttag/", "saml:", "cognito-identity.amazonaws.com:")


def _never_sent(key: str) -> bool:
    return key in _NEVER_SENT or key.startswith(_NEVER_SENT_BEGINNINGS)


def _context(place: Place) -> Context:
    """What AWS Backup's call carries for certain."""
    return Context(
        known={
            "aws:sourceaccount": {place.account},
            "aws:resourceaccount": {place.account},
            "aws:principalservicename": service_principals(place.partition),
            "aws:principalisawsservice": {"true"},
            "aws:securetransport": {"true"},
        },
        partly_known={_SOURCE_ARN: lambda wanted, globs: _source_arn_matches(wanted, place, globs=globs)},
        never_sent=_never_sent,
    )


def _why_not(condition: Condition, place: Place) -> str:
    """Why a condition that does not hold fails, as the end of a sentence."""
    key = condition.key.lower()
    if _never_sent(key):
        return "never holds, as AWS Backup sends no such key"
    accounts = (part for value in condition.values for part in value.split(":")[4:5])
    if key == _SOURCE_ARN and any(matches(part, place.account) for part in accounts):
        return "excludes AWS Backup in this Region"
    if key in (_SOURCE_ARN, "aws:sourceaccount", "aws:resourceaccount"):
        return "excludes this account"
    return "never holds for AWS Backup"


def _source_arn_matches(wanted: str, place: Place, *, globs: bool) -> Truth:
    """Whether `wanted` fits an ARN of AWS Backup in this place, of which the part after the account is not known."""
    ours = ("arn", place.partition, "backup", place.region, place.account)
    parts = wanted.split(":", 5)
    if len(parts) < 6:  # `arn:aws:backup:*` or `*`: the last star stands for all the rest
        if not globs or not wanted.endswith("*"):
            return Truth.NO
        return Truth.of(all(matches(part, our) for part, our in zip(parts, ours, strict=False)))
    if not all(matches(part, our) if globs else part == our for part, our in zip(parts, ours, strict=False)):
        return Truth.NO
    return Truth.YES if globs and parts[5] == "*" else Truth.UNDECIDED

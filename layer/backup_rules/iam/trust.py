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

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Self
from urllib.parse import unquote

from backup_rules.arns import Arn, Place

SERVICE_PRINCIPAL = "backup.amazonaws.com"
ASSUME_ROLE = "sts:AssumeRole"

# The DNS suffixes of the partitions whose service principals are not named after amazonaws.com alone.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services
_PARTITION_SUFFIXES = {
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
}

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


class _Truth(Enum):
    NO = 0
    UNDECIDED = 1
    YES = 2

    def negated(self) -> _Truth:
        return _Truth(2 - self.value)

    @classmethod
    def of(cls, value: bool) -> _Truth:  # noqa: FBT001 - turns a bool into a truth
        return cls.YES if value else cls.NO

    @classmethod
    def any(cls, truths: Iterable[_Truth]) -> _Truth:
        return cls(max((truth.value for truth in truths), default=0))


@dataclass(frozen=True, slots=True)
class _Condition:
    """One operator, one key, its values; and whether it holds for AWS Backup in this place."""

    operator: str
    key: str
    values: tuple[str, ...]
    holds: _Truth
    why_not: str

    def __str__(self) -> str:
        quoted = " or ".join(f'"{value}"' for value in self.values)
        sign = {"StringEquals": "=", "StringLike": "=", "ArnLike": "=", "ArnEquals": "="}.get(
            self.operator, self.operator
        )
        return f"{self.key} {sign} {quoted}"


@dataclass(frozen=True, slots=True)
class _Statement:
    allow: bool
    principal_matches: bool
    action_matches: bool
    conditions: tuple[_Condition, ...]

    @property
    def applies(self) -> bool:
        return self.principal_matches and self.action_matches

    @property
    def holds(self) -> _Truth:
        return _Truth(min((condition.holds.value for condition in self.conditions), default=_Truth.YES.value))

    @classmethod
    def read(cls, statement: Any, place: Place, where: str) -> Self:
        if not isinstance(statement, Mapping):
            raise ValueError(f"{where} of the trust policy is {statement!r}, not an object")  # noqa: TRY004 - see trust()
        effect = effect_of(statement)
        if effect is None:
            raise ValueError(
                f'{where} of the trust policy has Effect {statement.get("Effect")!r}; allowed are "Allow" and "Deny"'
            )
        return cls(
            allow=effect == "Allow",
            principal_matches=_either(statement, "Principal", "NotPrincipal", where, _names_backup(place)),
            action_matches=_either(statement, "Action", "NotAction", where, _names_assume_role),
            conditions=tuple(_conditions(statement.get("Condition", {}), place, where)),
        )


def effect_of(statement: Mapping[str, Any]) -> str | None:
    """`Allow` or `Deny`, in whatever letter case it is written; None for anything else.

    Trust policies with `"Effect": "allow"` work: https://github.com/hashicorp/terraform-provider-aws had one in its
    example of `aws_backup_selection` for years.
    """
    effect = statement.get("Effect")
    return {"allow": "Allow", "deny": "Deny"}.get(effect.lower()) if isinstance(effect, str) else None


def service_principals(partition: str) -> frozenset[str]:
    """AWS Backup's names as a principal: `backup.amazonaws.com` everywhere, and the partition's own besides."""
    suffix = _PARTITION_SUFFIXES.get(partition)
    return frozenset({SERVICE_PRINCIPAL, f"backup.{suffix}"} if suffix else {SERVICE_PRINCIPAL})


def trust(document: Mapping[str, Any] | str, place: Place) -> Trust:
    """Whether the trust policy lets AWS Backup assume the role for `place`.

    Args:
        document: `AssumeRolePolicyDocument` as boto3 gives it, or as JSON, URL-encoded or not.
        place: the account and Region whose backups need the role.

    Raises:
        ValueError: the document is no policy; the message names what is wrong and where.
    """
    body = _body(document)
    listed = body.get("Statement")
    if listed is None:
        raise ValueError("the trust policy has no Statement")
    statements = [
        _Statement.read(each, place, f"Statement {number}") for number, each in enumerate(_as_list(listed), start=1)
    ]
    applying = [statement for statement in statements if statement.applies]
    denying = [statement for statement in applying if not statement.allow]
    allowing = [statement for statement in applying if statement.allow]
    problem = _denial(denying) or _missing_allow(statements, allowing)
    sure = any(statement.holds is _Truth.YES for statement in allowing)
    return Trust(problem, _undecided(denying if sure else denying + allowing))


def _body(document: Mapping[str, Any] | str) -> Mapping[str, Any]:
    if isinstance(document, Mapping):
        return document
    text = unquote(document) if document.lstrip()[:1] == "%" else document
    try:
        body = json.loads(text)
    except ValueError as error:
        raise ValueError(f"the trust policy is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ValueError(f"the trust policy is {body!r}, not an object")  # noqa: TRY004 - see trust()
    return body


def _denial(denying: list[_Statement]) -> TrustProblem | None:
    if any(statement.holds is _Truth.YES for statement in denying):
        return TrustProblem(
            TrustProblemKind.DENIED,
            f"denies {SERVICE_PRINCIPAL} {ASSUME_ROLE} in its trust policy",
            "Remove that Deny or exempt AWS Backup from it.",
        )
    return None


def _missing_allow(statements: list[_Statement], allowing: list[_Statement]) -> TrustProblem | None:
    if any(statement.holds is not _Truth.NO for statement in allowing):
        return None
    for statement in allowing:
        broken = next(condition for condition in statement.conditions if condition.holds is _Truth.NO)
        return TrustProblem(
            TrustProblemKind.EXCLUDED,
            f"trusts {SERVICE_PRINCIPAL} only where {broken}: its condition {broken.why_not}",
            "Correct or remove that condition.",
        )
    if any(each.allow and each.principal_matches for each in statements):
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


def _undecided(statements: list[_Statement]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            str(condition)
            for statement in statements
            if statement.holds is _Truth.UNDECIDED
            for condition in statement.conditions
            if condition.holds is _Truth.UNDECIDED
        )
    )


def _either(statement: Mapping[str, Any], key: str, negated: str, where: str, names: Callable[[Any], bool]) -> bool:
    """Whether the statement's `key` names what is asked for, or its `negated` does not."""
    if (key in statement) == (negated in statement):
        raise ValueError(f"{where} of the trust policy must have either {key} or {negated}")
    try:
        return names(statement[key]) if key in statement else not names(statement[negated])
    except TypeError as error:
        raise ValueError(f"{where} of the trust policy: {error}") from error


def _names_backup(place: Place) -> Callable[[Any], bool]:
    ours = service_principals(place.partition) | {"*"}

    def names(principal: Any) -> bool:
        if principal == "*":
            return True
        if not isinstance(principal, Mapping):
            raise TypeError(f'a principal is {principal!r}; allowed are "*" and an object')
        # A star stands for every principal, services among them, whichever kind it is written under.
        return any(
            name == "*" or (kind == "Service" and name in ours)
            for kind, listed in principal.items()
            for name in _texts(listed, f"principal {kind}")
        )

    return names


def _names_assume_role(actions: Any) -> bool:
    return any(_matches(action.lower(), ASSUME_ROLE.lower()) for action in _texts(actions, "action"))


def _conditions(block: Any, place: Place, where: str) -> Iterable[_Condition]:
    if not isinstance(block, Mapping):
        raise ValueError(f"{where} of the trust policy has the Condition {block!r}, not an object")  # noqa: TRY004 - see trust()
    for operator, keys in block.items():
        if not isinstance(keys, Mapping):
            raise ValueError(f"{where} of the trust policy has {operator}: {keys!r}, not an object")  # noqa: TRY004 - see trust()
        for key, listed in keys.items():
            try:
                values = tuple(_texts(listed, f"value of {key}"))
            except TypeError as error:
                raise ValueError(f"{where} of the trust policy: {error}") from error
            holds = _holds(operator, key, values, place)
            yield _Condition(operator, key, values, holds, _why_not(key, values, place))


# What AWS Backup's call carries for certain, by condition key in lower case. The source ARN is known up to its account:
# which of AWS Backup's resources it names is not documented.
_SOURCE_ARN = "aws:sourcearn"


def _known(key: str, place: Place) -> frozenset[str] | None:
    """The value of the key, or the values of which AWS Backup sends one; None where the value is not known."""
    return {
        "aws:sourceaccount": frozenset({place.account}),
        "aws:resourceaccount": frozenset({place.account}),
        "aws:principalservicename": service_principals(place.partition),
        "aws:principalisawsservice": frozenset({"true"}),
        "aws:securetransport": frozenset({"true"}),
    }.get(key)


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


def _why_not(key: str, values: tuple[str, ...], place: Place) -> str:
    """Why a condition on `key` that does not hold fails, as the end of a sentence."""
    lowered = key.lower()
    if _never_sent(lowered):
        return "never holds, as AWS Backup sends no such key"
    if lowered == _SOURCE_ARN and any(_matches(part, place.account) for v in values for part in v.split(":")[4:5]):
        return "excludes AWS Backup in this Region"
    if lowered in (_SOURCE_ARN, "aws:sourceaccount", "aws:resourceaccount"):
        return "excludes this account"
    return "never holds for AWS Backup"


def _holds(operator: str, key: str, values: tuple[str, ...], place: Place) -> _Truth:
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = "Not" in name
    base = name.replace("Not", "", 1)
    lowered = key.lower()
    if name == "Null":
        return _is_null(lowered, values, place)
    if _never_sent(lowered):
        return _holds_without_the_key(quantifier, negated=negated, if_exists=if_exists)
    test = _OPERATORS.get(base)
    if test is None or any("${" in value for value in values):
        return _Truth.UNDECIDED
    if lowered == _SOURCE_ARN:
        globs = base in ("StringLike", "ArnEquals", "ArnLike")
        found = _Truth.any(_source_arn_matches(value, place, globs=globs) for value in values)
    else:
        known = _known(lowered, place)
        if known is None:
            return _Truth.UNDECIDED
        found = _Truth.of(any(test(value, sent) for value in values for sent in known))
    return found.negated() if negated else found


def _holds_without_the_key(quantifier: str, *, negated: bool, if_exists: bool) -> _Truth:
    if quantifier:
        return _Truth.of(if_exists or quantifier == "ForAllValues")
    return _Truth.of(negated or if_exists)


def _is_null(key: str, values: tuple[str, ...], place: Place) -> _Truth:
    if _never_sent(key):
        absent = True
    elif key == _SOURCE_ARN or _known(key, place) is not None:
        absent = False
    else:
        return _Truth.UNDECIDED
    return _Truth.of(any(value.lower() == str(absent).lower() for value in values))


def _source_arn_matches(wanted: str, place: Place, *, globs: bool) -> _Truth:
    """Whether `wanted` fits an ARN of AWS Backup in this place, of which the part after the account is not known."""
    ours = ("arn", place.partition, "backup", place.region, place.account)
    parts = wanted.split(":", 5)
    if len(parts) < 6:  # `arn:aws:backup:*` or `*`: the last star stands for all the rest
        if not globs or not wanted.endswith("*"):
            return _Truth.NO
        return _Truth.of(all(_matches(part, our) for part, our in zip(parts, ours, strict=False)))
    if not all(_matches(part, our) if globs else part == our for part, our in zip(parts, ours, strict=False)):
        return _Truth.NO
    return _Truth.YES if globs and parts[5] == "*" else _Truth.UNDECIDED


def _matches(pattern: str, text: str) -> bool:
    """IAM's wildcards: `*` for any run of characters, `?` for any one. Never worse than one length times the other."""
    at = star = 0
    restart: int | None = None
    position = 0
    while position < len(text):
        if at < len(pattern) and pattern[at] == "*":
            restart, star, at = at + 1, position, at + 1
        elif at < len(pattern) and pattern[at] in ("?", text[position]):
            at, position = at + 1, position + 1
        elif restart is not None:
            star += 1
            at, position = restart, star
        else:
            return False
    return pattern[at:].strip("*") == ""


# ArnEquals and ArnLike are the same operator under two names.
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, known: wanted == known,
    "StringEqualsIgnoreCase": lambda wanted, known: wanted.lower() == known.lower(),
    "StringLike": _matches,
    "ArnEquals": _matches,
    "ArnLike": _matches,
    "Bool": lambda wanted, known: wanted.lower() == known.lower(),
}


def _texts(value: Any, what: str) -> list[str]:
    """The strings of a policy element that may be one or a list; numbers and booleans as JSON writes them."""
    texts = [json.dumps(each) if isinstance(each, bool | int) else each for each in _as_list(value)]
    for each in texts:
        if not isinstance(each, str):
            raise TypeError(f"a {what} is {each!r}, not a string")
    return texts


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

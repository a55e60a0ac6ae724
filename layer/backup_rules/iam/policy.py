"""IAM policies as they are written, read once for all: trust policies of roles and access policies of vaults.

A statement is taken apart into what it names; whom and what that concerns is for those who know what is asked. Whether
a condition holds is three-valued, as much of a request's context is not known from outside (see `Context`).

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import field
from enum import Enum
from typing import Any
from urllib.parse import unquote

from backup_rules.values import dataclass

SERVICE_PRINCIPAL = "backup.amazonaws.com"

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


def service_principals(partition: str) -> frozenset[str]:
    """AWS Backup's names as a principal: `backup.amazonaws.com` everywhere, and the partition's own besides."""
    suffix = _PARTITION_SUFFIXES.get(partition)
    return frozenset({SERVICE_PRINCIPAL, f"backup.{suffix}"} if suffix else {SERVICE_PRINCIPAL})


class Truth(Enum):
    """Whether something holds, as far as that can be told."""

    NO = 0
    UNDECIDED = 1
    YES = 2

    def negated(self) -> Truth:
        """What its opposite is."""
        return Truth(2 - self.value)

    @classmethod
    def of(cls, value: bool) -> Truth:  # noqa: FBT001 - turns a bool into a truth
        """The truth of what is known."""
        return cls.YES if value else cls.NO

    @classmethod
    def any(cls, truths: Iterable[Truth]) -> Truth:
        """Whether one of several holds."""
        return cls(max((truth.value for truth in truths), default=0))

    @classmethod
    def all(cls, truths: Iterable[Truth]) -> Truth:
        """Whether all of several hold."""
        return cls(min((truth.value for truth in truths), default=2))


def _nothing(_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a request's context. Condition keys are in lower case.

    Attributes:
        known: the value of a key, or the values of which the request carries one.
        partly_known: for a key of whose value only a part is known, whether it equals a wanted one; `globs` tells
            whether that is a pattern.
        never_sent: whether the request never carries the key.
    """

    known: Mapping[str, Collection[str]] = field(default_factory=dict)
    partly_known: Mapping[str, Callable[[str, bool], Truth]] = field(default_factory=dict)
    never_sent: Callable[[str], bool] = _nothing


@dataclass(frozen=True, slots=True)
class Named:
    """What an element of a statement names; with `negated` (`NotAction`), the element means all but that."""

    names: tuple[str, ...]
    negated: bool = False

    def covers(self, text: str, *, ignore_case: bool = False) -> bool:
        """Whether the element means `text`; the names may be patterns."""
        wanted = text.lower() if ignore_case else text
        named = any(matches(name.lower() if ignore_case else name, wanted) for name in self.names)
        return named is not self.negated


@dataclass(frozen=True, slots=True)
class Principals:
    """Whom a statement names, by kind (`AWS`, `Service`, …); with `negated` (`NotPrincipal`), it means all others.

    `"*"` stands for everyone, services among them: it is written alone or under a kind.
    """

    names: tuple[tuple[str, str], ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator, one key, its values."""

    operator: str
    key: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        quoted = " or ".join(f'"{value}"' for value in self.values)
        sign = "=" if self.operator in {"StringEquals", "StringLike", "ArnLike", "ArnEquals"} else self.operator
        return f"{self.key} {sign} {quoted}"

    def holds(self, context: Context) -> Truth:
        """Whether the condition holds for a request with this context."""
        quantifier, _, name = self.operator.rpartition(":")
        if_exists = name.endswith("IfExists")
        name = name.removesuffix("IfExists")
        negated = "Not" in name
        key = self.key.lower()
        if name == "Null":
            return self._is_null(key, context)
        if context.never_sent(key):
            without_key = quantifier == "ForAllValues" if quantifier else negated
            return Truth.of(without_key or if_exists)
        base = name.replace("Not", "", 1)
        test = _OPERATORS.get(base)
        if test is None or any("${" in value for value in self.values):
            return Truth.UNDECIDED
        if key in context.partly_known:
            globs = test is matches
            found = Truth.any(context.partly_known[key](value, globs) for value in self.values)
        elif key in context.known:
            found = Truth.of(any(test(value, sent) for value in self.values for sent in context.known[key]))
        else:
            return Truth.UNDECIDED
        return found.negated() if negated else found

    def _is_null(self, key: str, context: Context) -> Truth:
        if context.never_sent(key):
            absent = True
        elif key in context.known or key in context.partly_known:
            absent = False
        else:
            return Truth.UNDECIDED
        return Truth.of(any(value.lower() == str(absent).lower() for value in self.values))


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a policy. `label` is its Sid or else its number, by which a person finds it.

    `resource` is None in a trust policy, which is about its own role.
    """

    label: str
    allow: bool
    principal: Principals
    action: Named
    resource: Named | None
    conditions: tuple[Condition, ...]


def read_statements(document: Mapping[str, Any] | str, what: str) -> tuple[Statement, ...]:
    """The statements of a policy that is attached to something, a role or a vault.

    `Effect` counts in any letter case: trust policies with `"Effect": "allow"` work, and the Terraform provider's own
    example of `aws_backup_selection` had one for years (https://github.com/hashicorp/terraform-provider-aws).

    Args:
        document: the policy as boto3 gives it, or as JSON, URL-encoded or not.
        what: what a person calls it: "the trust policy".

    Raises:
        ValueError: the document is no policy; the message names what is wrong and where.
    """
    listed = _body(document, what).get("Statement")
    if listed is None:
        raise ValueError(f"{what} has no Statement")
    return tuple(_statement(each, number, what) for number, each in enumerate(_as_list(listed), start=1))


def _body(document: Mapping[str, Any] | str, what: str) -> Mapping[str, Any]:
    if isinstance(document, Mapping):
        return document
    text = unquote(document) if document.lstrip()[:1] == "%" else document
    try:
        body = json.loads(text)
    except RecursionError as error:
        raise ValueError(f"{what} is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"{what} is not JSON: {error}") from error
    return _object(body, f"{what} is")


def _statement(body: Any, number: int, what: str) -> Statement:
    where = f"Statement {number} of {what}"
    _object(body, f"{where} is")
    effect = body.get("Effect")
    if not isinstance(effect, str) or effect.lower() not in ("allow", "deny"):
        raise ValueError(f'{where} has Effect {effect!r}; allowed are "Allow" and "Deny"')
    principal, nobody = _either(body, "Principal", where)
    resource = _named(body, "Resource", where) if {"Resource", "NotResource"} & body.keys() else None
    return Statement(
        label=str(body.get("Sid") or f"statement {number}"),
        allow=effect.lower() == "allow",
        principal=Principals(tuple(_principals(principal, where)), nobody),
        action=_named(body, "Action", where),
        resource=resource,
        conditions=tuple(_conditions(body.get("Condition", {}), where)),
    )


def _either(body: Mapping[str, Any], key: str, where: str) -> tuple[Any, bool]:
    """The element `key` or its opposite, of which a statement has one; and whether it is the opposite."""
    negated = f"Not{key}"
    if (key in body) == (negated in body):
        raise ValueError(f"{where} must have either {key} or {negated}")
    return body.get(key, body.get(negated)), negated in body


def _named(body: Mapping[str, Any], key: str, where: str) -> Named:
    names, negated = _either(body, key, where)
    return Named(tuple(_texts(names, f"{where}: {key}")), negated)


def _principals(principal: Any, where: str) -> Iterator[tuple[str, str]]:
    if principal == "*":
        yield "*", "*"
        return
    if not isinstance(principal, Mapping):
        raise ValueError(f'{where}: Principal is {principal!r}; allowed are "*" and an object')  # noqa: TRY004 - as all of these
    for kind, names in principal.items():
        yield from ((kind, name) for name in _texts(names, f"{where}: Principal {kind}"))


def _conditions(block: Any, where: str) -> Iterator[Condition]:
    for operator, keys in _object(block, f"{where}: Condition is").items():
        for key, values in _object(keys, f"{where}: {operator} is").items():
            yield Condition(operator, key, tuple(_texts(values, f"{where}: {key}")))


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} {value!r}, not an object")  # noqa: TRY004 - a policy is a value, whatever is wrong with it
    return value


def _texts(value: Any, what: str) -> list[str]:
    """The strings of a policy element that may be one or a list; numbers and booleans as JSON writes them."""
    texts = [json.dumps(each) if isinstance(each, bool | int) else each for each in _as_list(value)]
    for each in texts:
        if not isinstance(each, str):
            raise ValueError(f"{what} is {each!r}, not a string")  # noqa: TRY004 - as above
    return texts


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def matches(pattern: str, text: str) -> bool:
    """IAM's wild cards: `*` for any run of characters, `?` for any one. Never worse than one length times the other."""
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


def _same(wanted: str, known: str) -> bool:
    return wanted == known


def _same_but_for_case(wanted: str, known: str) -> bool:
    return wanted.lower() == known.lower()


# ArnEquals and ArnLike are the same operator under two names.
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _same,
    "StringEqualsIgnoreCase": _same_but_for_case,
    "StringLike": matches,
    "ArnEquals": matches,
    "ArnLike": matches,
    "Bool": _same_but_for_case,
}

"""The Condition element of an IAM policy.

All operators and all keys of an element must hold; of the values of a key one is enough, and for a negated operator
none may match. A key that the request does not carry fails, except for negated operators, `…IfExists`, `ForAllValues:`
and `Null`.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from operator import eq, ge, gt, le, lt
from typing import Final, Self

from aws_simulator.core.iam.patterns import Context, Token, compile_pattern, literal, matches, matches_arn, variables

Comparison = Callable[[str, tuple[Token, ...]], bool]
"""Does a value of the request fit a value of the policy?"""


class UnknownOperatorError(ValueError):
    """A condition names an operator that IAM does not have."""


def _numbers(compare: Callable[[Decimal, Decimal], bool]) -> Comparison:
    def holds(value: str, wanted: tuple[Token, ...]) -> bool:
        try:
            return compare(Decimal(value), Decimal(literal(wanted)))
        except InvalidOperation:
            return False

    return holds


def _dates(compare: Callable[[datetime, datetime], bool]) -> Comparison:
    def holds(value: str, wanted: tuple[Token, ...]) -> bool:
        try:
            return compare(parse_date(value), parse_date(literal(wanted)))
        except ValueError:
            return False

    return holds


def parse_date(text: str) -> datetime:
    """A date as conditions write it: ISO 8601, or seconds since 1970; UTC where no offset is given.

    Raises:
        ValueError: the text is neither.
    """
    if text.lstrip("-").isdigit() and len(text) > len("2026"):
        return datetime.fromtimestamp(int(text), tz=UTC)
    year_or_month = {4: "-01-01", 7: "-01"}.get(len(text), "")
    date = datetime.fromisoformat(text + year_or_month)
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _ip_address(value: str, wanted: tuple[Token, ...]) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(literal(wanted), strict=False)
    except ValueError:
        return False


def _arn(value: str, wanted: tuple[Token, ...]) -> bool:
    return value.startswith("arn:") and matches_arn(wanted, value)


_COMPARISONS: Final[dict[str, Comparison]] = {
    "StringEquals": lambda value, wanted: value == literal(wanted),
    "StringEqualsIgnoreCase": lambda value, wanted: value.casefold() == literal(wanted).casefold(),
    "StringLike": lambda value, wanted: matches(wanted, value),
    "NumericEquals": _numbers(eq),
    "NumericLessThan": _numbers(lt),
    "NumericLessThanEquals": _numbers(le),
    "NumericGreaterThan": _numbers(gt),
    "NumericGreaterThanEquals": _numbers(ge),
    "DateEquals": _dates(eq),
    "DateLessThan": _dates(lt),
    "DateLessThanEquals": _dates(le),
    "DateGreaterThan": _dates(gt),
    "DateGreaterThanEquals": _dates(ge),
    "Bool": lambda value, wanted: value.lower() == literal(wanted).lower(),
    "BinaryEquals": lambda value, wanted: value == literal(wanted),
    "IpAddress": _ip_address,
    "ArnEquals": _arn,
    "ArnLike": _arn,
}
_NEGATIONS: Final = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key: `{operator: {key: values}}`."""

    operator: str
    key: str
    values: tuple[str, ...]
    quantifier: str
    """`ForAllValues`, `ForAnyValue`, or nothing."""
    if_exists: bool

    @classmethod
    def parse(cls, operator: str, key: str, values: tuple[str, ...]) -> Self:
        """Raises:
        UnknownOperatorError: IAM has no such operator.
        """
        quantifier, _, bare = operator.rpartition(":")
        base = bare.removesuffix("IfExists")
        known = base == "Null" or base in _COMPARISONS or base in _NEGATIONS
        if not known or quantifier not in ("", "ForAllValues", "ForAnyValue"):
            raise UnknownOperatorError(f"The condition operator {operator} of key {key} is not one that IAM has.")
        return cls(base, key, values, quantifier, if_exists=bare != base)

    @property
    def keys(self) -> frozenset[str]:
        """The condition keys it needs, those of policy variables in its values too; spelled as they stand."""
        return frozenset({self.key}).union(*(variables(value) for value in self.values))

    def holds(self, context: Context, *, replace_variables: bool) -> bool:
        """Whether the request meets it."""
        actual = context.get(self.key.lower(), ())
        if self.operator == "Null":
            return any((value.lower() == "true") == (not actual) for value in self.values)
        if not actual:
            return self._holds_without_key()
        source = context if replace_variables else None
        compiled = [compile_pattern(value, source) for value in self.values]
        wanted = [tokens for tokens in compiled if tokens is not None]
        verdicts = [self._fits(value, wanted) for value in actual]
        if self.quantifier == "ForAllValues":
            return all(verdicts)
        if self.quantifier == "" and self.operator in _NEGATIONS:
            return all(verdicts)
        return any(verdicts)

    def _holds_without_key(self) -> bool:
        if self.quantifier == "ForAnyValue":
            return self.if_exists
        return self.if_exists or self.quantifier == "ForAllValues" or self.operator in _NEGATIONS

    def _fits(self, value: str, wanted: list[tuple[Token, ...]]) -> bool:
        positive = _NEGATIONS.get(self.operator)
        compare = _COMPARISONS[positive or self.operator]
        return any(compare(value, tokens) for tokens in wanted) != (positive is not None)

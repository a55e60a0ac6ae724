"""Rules that belong to a conformance pack: AWS Config makes and changes them, and nobody else may.

Source: https://docs.aws.amazon.com/config/latest/developerguide/service-linked-awsconfig-rules.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

SERVICE = "config-conforms.amazonaws.com"


@dataclass(frozen=True)
class Pack:
    """The conformance pack that is being made, in one account."""

    name: str
    ending: str
    """What every rule's name ends in, such as `-conformance-pack-n0q8yfwsp`."""

    account: str
    author: str
    """The account whose ids in role ARNs stand for the account that the pack is made in."""

    def rule_name(self, name: str) -> str:
        """The rule's name in the account."""
        return name + self.ending

    def in_account(self, value: Any) -> Any:
        """Remediation parameters with the ARNs of this account's roles, written with those of the author's."""
        if isinstance(value, Mapping):
            return {name: self.in_account(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.in_account(each) for each in value]
        if isinstance(value, str) and ":iam::" in value:
            return value.replace(f":iam::{self.author}:role/", f":iam::{self.account}:role/")
        return value


_current: ContextVar[Pack | None] = ContextVar("pack", default=None)


def current() -> Pack | None:
    """The pack that is being made or deleted just now, in this thread."""
    return _current.get()


@contextmanager
def acting_for(pack: Pack) -> Iterator[None]:
    """What happens within is done by AWS Config for the pack."""
    token = _current.set(pack)
    try:
        yield
    finally:
        _current.reset(token)

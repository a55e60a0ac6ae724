"""How many calls a second AWS Backup admits, as AWS publishes it, and how this invocation keeps to its share of them.

The rates are of an account and Region, and of everybody who works there. All rules of the pack together take half of
them; a rule takes the part of one among those that make the same call, as AWS Config may start all of them at once.
Source: https://docs.aws.amazon.com/general/latest/gr/bk.html (API request rate quotas)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

SERVICE = "backup"

TOGETHER = 50
"""Calls of all operations that AWS Backup admits a second."""

PUBLISHED: Mapping[str, int] = {
    "DescribeBackupVault": 5,
    "GetBackupPlan": 15,
    "GetBackupSelection": 15,
    "GetBackupVaultAccessPolicy": 15,
    "ListBackupJobs": 20,
    "ListBackupPlans": 20,
    "ListBackupSelections": 20,
    "ListBackupVaults": 20,
}
"""Calls of one operation that it admits a second. Any other that the rules make is bounded by `TOGETHER` alone."""

RULES_THAT_CALL: Mapping[str, int] = {
    "DescribeBackupVault": 1,
    "GetBackupPlan": 7,
    "GetBackupSelection": 9,
    "GetBackupVaultAccessPolicy": 1,
    "ListBackupJobs": 1,
    "ListBackupPlans": 12,
    "ListBackupSelections": 11,
    "ListBackupVaults": 3,
}
"""How many rules of the pack make the call; `RULES` ask AWS Backup anything. A test holds both to their permissions."""
RULES = 14

READ_ONCE = frozenset({"GetBackupPlan", "GetBackupSelection"})
"""Calls whose answers readers share (`kept_in_bucket`), so that each can see whether others make them too."""

PART_OF_ALL = 0.5
"""What the rules of the pack take of the published rates, all together."""

AT_ONCE = 20
"""Calls of one operation that need not wait, so that a small account is read as fast as it can be; twice as many of all
operations together. AWS Backup does not say how many it admits at once: where it throttles, none is left."""


class Clock(Protocol):
    """What tells the time and waits: the module `time`, or a clock that a test drives."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float, /) -> None: ...


@dataclass(slots=True)
class _Bucket:
    """Fills by `rate` tokens a second, up to `most`. Less than nothing: what is taken already from later seconds."""

    rate: float
    most: float
    tokens: float
    filled: float

    def wait(self, instant: float) -> float:
        """The seconds until there is a token to take."""
        self.tokens = min(self.most, self.tokens + (instant - self.filled) * self.rate)
        self.filled = instant
        return max(0.0, (1 - self.tokens) / self.rate)


class Pace:
    """The calls of one reader to AWS Backup, in one account and Region, at most at its share of the rates."""

    def __init__(self, clock: Clock, *, for_all_rules: bool = False) -> None:
        """Args:
        clock: tells the time.
        for_all_rules: this reader reads once what all rules need, as a person's terminal does; so it takes their part.
        """
        self._clock = clock
        self._for_all_rules = for_all_rules
        self._alone = False
        self._buckets: dict[str, _Bucket] = {}
        self._lock = Lock()

    def share(self, operation: str) -> float:
        """Calls of the operation a second that are this reader's; of all together for an operation without a rate."""
        rate = PUBLISHED.get(operation, TOGETHER)
        alone = self._for_all_rules or (self._alone and (operation in READ_ONCE or operation not in PUBLISHED))
        return rate * PART_OF_ALL / (1 if alone else RULES_THAT_CALL.get(operation, RULES))

    def alone(self, alone: bool) -> None:  # noqa: FBT001 - what it is about
        """Whether no other rule makes calls of `READ_ONCE` now: then this reader takes the part of all for them."""
        with self._lock:
            self._alone = alone
            for operation, bucket in self._buckets.items():
                bucket.wait(self._clock.monotonic())  # what has come so far came at the old rate
                bucket.rate = self.share(operation)

    def take(self, operation: str, most: float = math.inf) -> float:
        """The seconds that a call of the operation waits for its turn. If they are more than `most`, it gets none."""
        with self._lock:
            instant = self._clock.monotonic()
            bounds = [self._bucket("", AT_ONCE * 2, instant)]
            if operation in PUBLISHED:
                bounds.append(self._bucket(operation, AT_ONCE, instant))
            seconds = max(each.wait(instant) for each in bounds)
            if seconds <= most:
                for each in bounds:
                    each.tokens -= 1
            return seconds

    def throttled(self, operation: str) -> None:
        """AWS Backup has refused a call: others work here too, so that nothing is left of what need not wait."""
        with self._lock:
            for name in ("", operation):
                if name in self._buckets:
                    self._buckets[name].tokens = min(0.0, self._buckets[name].tokens)

    def _bucket(self, operation: str, at_once: float, instant: float) -> _Bucket:
        if operation not in self._buckets:
            self._buckets[operation] = _Bucket(self.share(operation), at_once, at_once, instant)
        return self._buckets[operation]

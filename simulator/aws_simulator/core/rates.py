"""How many calls a second AWS Backup admits, as AWS publishes it: more are throttled while `enforced_rates` lasts.

A bucket of tokens for each account, Region and operation, and one for all operations of an account and Region together.
A bucket holds what a second admits; how large AWS's are, it does not say. A call that is refused takes no token.
Source: https://docs.aws.amazon.com/general/latest/gr/bk.html (API request rate quotas)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from threading import Lock

from moto.core.responses import BaseResponse

from aws_simulator.core.faults import Call, throttled
from aws_simulator.core.operations import Answer

TOGETHER = 50
"""Calls of all operations."""
LISTS = 20
JOBS = 15
WRITES = 5
_READING = ("Describe", "Export", "Get", "List")
_NAMED = {
    "DeleteRecoveryPoint": 10,
    "DescribeBackupVault": 5,
    "DescribeProtectedResource": 10,
    "GetBackupPlan": 15,
    "GetBackupSelection": 15,
    "GetBackupVaultAccessPolicy": 15,
}


def rate_of(operation: str) -> int | None:
    """Calls of this operation of AWS Backup a second; None where only `TOGETHER` bounds it."""
    if operation in _NAMED:
        return _NAMED[operation]
    if operation.startswith("List"):
        return LISTS
    if operation.startswith("Describe") and operation.endswith("Job"):
        return JOBS
    return None if operation.startswith(_READING) else WRITES


@dataclass(slots=True)
class _Bucket:
    """Fills by `rate` tokens a second, up to as many."""

    rate: float
    filled: float
    tokens: float

    def fill(self, instant: float) -> bool:
        """Lets in what has come since; whether there is a token now."""
        self.tokens = min(self.rate, self.tokens + (instant - self.filled) * self.rate)
        self.filled = instant
        return self.tokens >= 1


@dataclass(slots=True)
class Limiter:
    """The buckets while they last. `throttled` counts the calls that were refused, by operation."""

    clock: Callable[[], float]
    part: float = 1
    throttled: dict[str, int] = field(default_factory=dict)
    _buckets: dict[tuple[str, str, str], _Bucket] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def admits(self, account: str, region: str, operation: str) -> bool:
        """Takes a token of each bucket that bounds the call, or none and says no."""
        rate = rate_of(operation)
        with self._lock:
            instant = self.clock()
            bounds = [self._bucket((account, region, ""), TOGETHER, instant)]
            if rate is not None:
                bounds.append(self._bucket((account, region, operation), rate, instant))
            if not all(bucket.fill(instant) for bucket in bounds):
                self.throttled[operation] = self.throttled.get(operation, 0) + 1
                return False
            for bucket in bounds:
                bucket.tokens -= 1
            return True

    def _bucket(self, key: tuple[str, str, str], rate: int, instant: float) -> _Bucket:
        left = rate * self.part
        return self._buckets.setdefault(key, _Bucket(left, instant, left))


_limiters: list[Limiter] = []


@contextmanager
def enforced_rates(clock: Callable[[], float] = time.monotonic, part: float = 1) -> Iterator[Limiter]:
    """AWS Backup throttles while the context lasts.

    Args:
        clock: seconds from any beginning; a test gives one that it drives.
        part: what others who work in the account leave of the rates.
    """
    limiter = Limiter(clock, part)
    _limiters.append(limiter)
    try:
        yield limiter
    finally:
        _limiters.remove(limiter)


def install() -> None:
    """Puts the buckets in front of moto's answers. Idempotent."""
    answer: Callable[[BaseResponse], Answer] = BaseResponse.call_action
    if hasattr(answer, "bounds_rates"):
        return

    @wraps(answer)
    def bounded(self: BaseResponse) -> Answer:
        if not _limiters or self.boto3_service_name != "backup":
            return answer(self)
        operation = str(self._get_action())
        if all(each.admits(self.current_account, self.region, operation) for each in tuple(_limiters)):
            return answer(self)
        return throttled(self, Call(self.current_account, self.region, "backup", operation, {}), lambda: answer(self))

    setattr(bounded, "bounds_rates", True)  # noqa: B010 - a function has no such attribute by type
    setattr(BaseResponse, "call_action", bounded)  # noqa: B010 - mypy forbids assigning to a method

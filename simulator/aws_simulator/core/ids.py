"""Ids that are the same in each run: moto draws all of them, and those of requests, from one generator.

`ids_from` gives the calls of one thread a generator of their own. What other threads make meanwhile, such as a server's
answer to a function of an earlier simulation, changes none of its ids.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from moto.moto_api._internal import mock_random
from moto.moto_api._internal.moto_random import MotoRandom


class _Own(threading.local):
    generator: Random | None = None


_own = _Own()


class _PerThread(MotoRandom):
    """moto's generator, but in threads that have their own."""

    def random(self) -> float:
        return super().random() if _own.generator is None else _own.generator.random()

    def getrandbits(self, k: int, /) -> int:
        return super().getrandbits(k) if _own.generator is None else _own.generator.getrandbits(k)


def install() -> None:
    """Teaches moto's generator to look for that of the thread. Idempotent."""
    mock_random.__class__ = _PerThread


@contextmanager
def ids_from(seed: str) -> Iterator[None]:
    """What this thread makes in the context has ids that follow from the seed alone."""
    before = _own.generator
    _own.generator = Random(seed)  # noqa: S311 - ids of a simulation
    try:
        yield
    finally:
        _own.generator = before

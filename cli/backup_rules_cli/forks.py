"""Parts of one piece of work in processes that are copies of this one, each with all that this one holds in memory.

A copy ends with its part, and what it took of memory with it. Where the system makes no safe copies of a process (all
but Linux), the work is to be done in one.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def can_fork() -> bool:
    """Whether processes can be copied here."""
    return sys.platform == "linux"


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


# What the copies do, the innermost last: they find it in their memory, as it need not be of a kind that can be sent.
_works: list[Callable[[int], object]] = []


def _do(number: int) -> Any:
    return _works[-1](number)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits; it ends the others


def in_processes(work: Callable[[int], T], parts: int, processes: int) -> Iterator[T]:
    """What `work` answers about each part, by number from 0, in order; so many at the same time.

    What a part raises is raised here.
    """
    _works.append(work)
    gc.collect()
    gc.freeze()  # what is there already is not gone through, so that its memory stays shared
    try:
        with multiprocessing.get_context("fork").Pool(processes, _begin, maxtasksperchild=1) as pool:
            yield from pool.imap(_do, range(parts))
    finally:
        gc.unfreeze()
        _works.pop()

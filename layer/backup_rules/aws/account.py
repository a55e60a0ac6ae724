"""One account in one Region, as the rules see it. What is asked of it stands in this package, a module per service."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from backup_rules.arns import Place
from backup_rules.aws.calls import Calls
from backup_rules.aws.clients import WORKERS
from backup_rules.aws.kept import NOTHING, Kept
from backup_rules.aws.memory import Memory, note_gap
from backup_rules.errors import ReadError, VanishedError

T = TypeVar("T")
K = TypeVar("K")


class Account(Memory):
    """The account and Region `place`, read through `calls`; each fact is read when first asked for, once.

    `kept` is what is known from before, of what cannot change.
    """

    def __init__(self, calls: Calls, kept: Kept = NOTHING) -> None:
        super().__init__()
        self.calls = calls
        self.kept = kept
        self.place: Place = calls.place

    def side_by_side(self, read: Callable[[Account, K], object], subjects: Iterable[K]) -> None:
        """Ask independent questions at the same time, to have the answers at hand.

        A question that fails, fails again for whoever asks it: nothing is raised here.
        """
        waiting = self.kept.in_own_order(list(subjects))
        if len(waiting) < 2:
            return
        with ThreadPoolExecutor(max_workers=min(WORKERS, len(waiting))) as pool:
            for future in [pool.submit(read, self, subject) for subject in waiting]:
                future.exception()

    def each(self, read: Callable[[Account, K], T], subjects: Iterable[K]) -> tuple[T, ...]:
        """The answers about several subjects, read side by side; those that vanished are left out.

        One that cannot be read leaves a gap: see `memory`.
        """
        waiting = list(subjects)
        self.side_by_side(read, waiting)
        found = []
        for subject in waiting:
            try:
                found.append(read(self, subject))
            except VanishedError:
                continue
            except ReadError as error:
                note_gap(error)
        return tuple(found)

"""Threads that take turns on one clock, so that a test drives what happens at the same time, and always the same way.

One thread works at a time. It gives way when it sleeps; then the one goes on whose sleep ends first, and the clock is
set to that instant. So an hour in which many wait for each other is over as soon as their work is done.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Sequence


class Stage:
    """The clock, and whose turn it is."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._sleepers: list[tuple[float, int, threading.Event]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._raised: list[Exception] = []

    def run(self, works: Sequence[Callable[[StageClock], object]]) -> None:
        """Do all of them at the same time; each gets the clock that it sleeps by. What the first raised is raised."""
        threads = []
        for work in works:
            clock = StageClock(self)
            self._put(0, clock.turn)
            threads.append(threading.Thread(target=self._perform, args=(work, clock)))
        for thread in threads:
            thread.start()
        self._next()
        for thread in threads:
            thread.join()
        if self._raised:
            raise self._raised[0]

    def sleep(self, seconds: float, turn: threading.Event) -> None:
        """Give way for so long."""
        self._put(seconds, turn)
        self._next()
        turn.wait()
        turn.clear()

    def _perform(self, work: Callable[[StageClock], object], clock: StageClock) -> None:
        clock.turn.wait()
        clock.turn.clear()
        try:
            work(clock)
        except Exception as error:  # noqa: BLE001 - raised to whoever runs the stage
            self._raised.append(error)
        finally:
            self._next()

    def _put(self, seconds: float, turn: threading.Event) -> None:
        with self._lock:
            heapq.heappush(self._sleepers, (self.seconds + max(0.0, seconds), next(self._order), turn))

    def _next(self) -> None:
        with self._lock:
            if self._sleepers:
                self.seconds, _, turn = heapq.heappop(self._sleepers)
                turn.set()


class StageClock:
    """The clock of one of those who take turns: `backup_rules.aws.rates.Clock`."""

    def __init__(self, stage: Stage) -> None:
        self.turn = threading.Event()
        self._stage = stage

    def monotonic(self) -> float:
        """The stage's seconds."""
        return self._stage.seconds

    def sleep(self, seconds: float) -> None:
        """Let others work meanwhile."""
        self._stage.sleep(seconds, self.turn)

"""Answers that are kept, each asked for once; and what is missing from them.

An answer may have gaps: an item of a listing that could not be read, a selection that could not be. Whoever works
something out from such an answer has the same gap, and a verdict that rests on it may be wrong. So each answer keeps
the gaps of all that it was made of, and passes them on to what is made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import wraps
from threading import Lock, local
from typing import Any, Concatenate, ParamSpec, TypeVar

from backup_rules.errors import ReadError

T = TypeVar("T")
P = ParamSpec("P")

Gaps = dict[str, ReadError]  # by what they say, in the order in which they were met


class _Noticing(local):
    """Of each thread: who is being told of gaps, the innermost last."""

    def __init__(self) -> None:
        self.listeners: list[Gaps] = []


_noticing = _Noticing()


def note_gap(error: ReadError) -> None:
    """Tell whoever is working something out that a part of it could not be read."""
    if _noticing.listeners:
        _noticing.listeners[-1].setdefault(str(error), error)


@contextmanager
def gaps_noticed() -> Iterator[Gaps]:
    """What is missing from all that is read within the context. It is not passed on by itself."""
    gaps: Gaps = {}
    _noticing.listeners.append(gaps)
    try:
        yield gaps
    finally:
        _noticing.listeners.pop()


class Memory:
    """What keeps answers."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, Future[tuple[Any, Gaps]]] = {}
        self._lock = Lock()

    def once(self, question: Hashable, ask: Callable[[], T]) -> T:
        """The answer to `question`, asked with `ask` by the first who wants it; a failure is kept as well."""
        with self._lock:
            answer: Future[tuple[Any, Gaps]] | None = self._answers.get(question)
            mine = answer is None
            if answer is None:
                answer = self._answers[question] = Future()
        if mine:
            try:
                with gaps_noticed() as gaps:
                    found = ask()
                answer.set_result((found, gaps))
            except BaseException as error:  # noqa: BLE001 - kept for everyone who asks; raised below
                answer.set_exception(error)
        value: T
        value, missing = answer.result()
        for gap in missing.values():
            note_gap(gap)
        return value


M = TypeVar("M", bound=Memory)


def remembered(ask: Callable[Concatenate[M, P], T]) -> Callable[Concatenate[M, P], T]:
    """A question that is asked once: the function's answer is kept by its first argument, a Memory.

    All other arguments tell one question from another, and so are hashable.
    """

    @wraps(ask)
    def answer(memory: M, /, *args: P.args, **kwargs: P.kwargs) -> T:
        question = (ask, args, *kwargs.items())
        return memory.once(question, lambda: ask(memory, *args, **kwargs))

    return answer

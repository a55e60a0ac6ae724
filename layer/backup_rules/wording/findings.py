"""What a rule finds about a subject: a problem, a note, or that it has nothing to say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from itertools import product
from typing import Self

from backup_rules.values import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with which named thing, and what to do (two sentences). Makes the verdict NON_COMPLIANT.

    `shorter` holds other wordings of both, for where an annotation has no room for these, the fullest first.
    `rests_on_absence`: the problem is that something is not there, so that what could not be read may disprove it.
    """

    what: str
    remedy: str = ""
    shorter: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    rests_on_absence: bool = False

    @classmethod
    def worded(
        cls, whats: Iterable[str], *remedies: str, rests_on_absence: bool = False, further: bool = False
    ) -> Self:
        """The problem in several wordings, the fullest first: each of `whats` with each of `remedies`.

        Of a `further` problem of a subject only the fullest is made: it is counted, and no annotation has it.
        """
        if further:
            return cls(next(iter(whats)), remedies[0], rests_on_absence=rests_on_absence)
        (what, remedy), *shorter = dict.fromkeys(product(whats, remedies))
        return cls(what, remedy, tuple(shorter), rests_on_absence)


@dataclass(frozen=True, slots=True)
class Note:
    """What a reader should know of a subject that is COMPLIANT."""

    text: str


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """Why the rule has nothing to say about the subject. Stands only where no problem was found."""

    why: str


Finding = Problem | Note | NotApplicable

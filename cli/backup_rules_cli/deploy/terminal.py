"""Asking a person, and telling how the work goes on."""

from __future__ import annotations

import sys
from dataclasses import dataclass


class CannotAskError(RuntimeError):
    """There is nobody to ask."""


@dataclass(frozen=True)
class Terminal:
    """Where a person sits, or not. With `yes`, every question has been answered beforehand."""

    yes: bool = False

    def agrees(self, question: str) -> bool:
        """Whether the person says yes; anything else is no.

        Raises:
            CannotAskError: there is no terminal to ask on.
        """
        if self.yes:
            return True
        if not sys.stdin.isatty():
            raise CannotAskError(f"{question} There is no terminal to ask on. Set YES=1 to go ahead.")
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")

    def say(self, text: str) -> None:
        """A line about the progress."""
        print(f"  {text}", flush=True)

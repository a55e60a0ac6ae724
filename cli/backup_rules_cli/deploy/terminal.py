"""Asking a person, and telling how the work goes on."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from backup_rules_cli import console
from backup_rules_cli.errors import CommandError


class CannotAskError(CommandError):
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
            raise CannotAskError(f"{question} There is no terminal to ask on. Give --yes (make: YES=1) to go ahead.")
        return console.prompt(f"{question} [y/N] ").strip().lower() in ("y", "yes")

    def say(self, text: str) -> None:
        """A line about the progress."""
        console.note(f"  {text}")

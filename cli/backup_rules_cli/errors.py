"""What ends a command: one line for the person, and an exit status."""

from __future__ import annotations

WELL, PROBLEMS, NOT_DONE = 0, 1, 2
"""Exit statuses of all commands: all is well; problems were found, or it was not wanted; it could not be done."""


class CommandError(Exception):
    """The command cannot do what it was asked for. The message names the thing, its value, and what to do."""

    def __init__(self, message: str, status: int = NOT_DONE) -> None:
        super().__init__(message)
        self.status = status


class UnknownNameError(CommandError, ValueError):
    """Something was named that does not exist: a rule, a parameter, a Region."""

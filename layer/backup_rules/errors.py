"""What can go wrong, told so that a person can act on it."""

from __future__ import annotations

from rdklib import InvalidParametersError

from backup_rules.wording.quoting import plain


class BackupRulesError(RuntimeError):
    """The root of the pack's own errors. A Lambda invocation that raises one has failed, and says so in its metrics.

    The message holds names and texts from elsewhere: what cannot be seen of them is escaped.
    """

    def __init__(self, message: str) -> None:
        super().__init__(plain(message))


class InvalidEventError(BackupRulesError):
    """The event is not one that AWS Config sends."""


class InvalidRuleParametersError(InvalidParametersError):
    """A rule parameter is unknown, or its value cannot be read. Names the parameter, the value and what is allowed."""


class ReadError(BackupRulesError):
    """An AWS call failed or answered something that cannot be read, so nothing may be concluded from it.

    The message names the operation, the account, the Region and, when the call was denied, the missing permission.
    `code` is AWS's error code, or the name of botocore's exception, or `MalformedAnswer`.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class OutOfTimeError(ReadError):
    """Too little time is left to the invocation for another call."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "OutOfTime")


class StrangerError(BackupRulesError):
    """The event is about an account outside the organization: nothing was read, and nobody here has a problem."""


class VanishedError(BackupRulesError):
    """A plan or selection was deleted after it had been listed: it is a subject no longer, and no failure."""


class IncompleteEvaluationError(BackupRulesError):
    """Some subjects could not be judged, or some evaluations not be put. All others were put."""

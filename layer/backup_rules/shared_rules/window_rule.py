"""What `BACKUP_RDS_WINDOW_CONFLICT` and `BACKUP_FSX_WINDOW_CONFLICT` share: the windows of what plans pick."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

from backup_rules.aws.account import Account
from backup_rules.aws.memory import note_gap
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.plans.plans import BackupRule
from backup_rules.schedules.windows import BlockedWeek, Conflict, WeekOfRuns, Window
from backup_rules.values import dataclass

S = TypeVar("S")


class WindowParameters(Protocol):
    """`buffer_minutes`: how long before a window no backup may start. `whole_start_window`: judge all of it."""

    @property
    def buffer_minutes(self) -> int: ...

    @property
    def whole_start_window(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class PickedWindows:
    """The windows of a database or a file system that plans pick, and how long before them no backup may start.

    `managed`: AWS Backup keeps the continuous backup of it clear of its windows by itself.
    """

    name: str
    plan_ids: frozenset[str]
    windows: tuple[Window, ...]
    buffer_minutes: int
    whole_start_window: bool = False
    managed: bool = False

    @classmethod
    def of(
        cls,
        name: str,
        plan_ids: Iterable[str],
        windows: tuple[Window, ...],
        parameters: WindowParameters,
        *,
        managed: bool = False,
    ) -> PickedWindows:
        """As the rule's parameters have it."""
        return cls(
            name, frozenset(plan_ids), windows, parameters.buffer_minutes, parameters.whole_start_window, managed
        )

    def concerns(self, rule: BackupRule) -> bool:
        """Whether backups by that backup rule must keep clear of the windows."""
        return not (self.managed and rule.continuous)

    def conflict(self, rule: BackupRule, *runs: datetime) -> Conflict | None:
        """The first of these runs of the backup rule that a window blocks, in order of time, if one is blocked."""
        if not self.concerns(rule):
            return None
        start_window = rule.start_window_minutes if self.whole_start_window else 0
        return BlockedWeek.of(self.windows, self.buffer_minutes, start_window).first_conflict(WeekOfRuns.of(runs))


class WindowRule(BackupConfigRule[Any, S]):
    """A rule about windows, which can also be asked for all of them."""

    @abstractmethod
    def windows(self, invocation: Invocation[Any]) -> Iterator[PickedWindows]:
        """Of all that is picked and has windows that can be read; why others cannot be, their verdicts tell.

        Raises:
            ReadError: databases, file systems or selections cannot be listed.
        """


def note_missing(account: Account, service: str, operation: str, whose: str, told: Mapping[str, str | None]) -> None:
    """A window (by its field's name) that the operation does not tell is a gap: a backup may meet it."""
    for key, window in told.items():
        if not window:
            why = ValueError(f"{key} is missing")
            note_gap(account.calls.malformed(service, operation, f" for {whose}", why))

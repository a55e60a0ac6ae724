"""Commands that settle what a rule found, filled in with the values of the account: `fix.py` beside the rule.

A rule's `fix.py` has one function, `commands(broken)`, which gives lines for a shell. What it needs beside the verdict
it reads as the rule did; what cannot be read makes no command. Where nothing can be written down, there is none.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backup_rules.arns import Place
from backup_rules.aws import backup
from backup_rules.aws.account import Account
from backup_rules.aws.memory import gaps_noticed
from backup_rules.errors import BackupRulesError
from backup_rules.evaluation.subjects import Verdict
from backup_rules.plans.plans import Plan, PlanSummary
from backup_rules.selections.picking import Selection, SelectionSummary
from backup_rules_cli.answers.judging import JudgedAccount
from backup_rules_cli.answers.picks import Pick, picks
from backup_rules_cli.catalogue import RuleFolder


@dataclass(frozen=True)
class Broken:
    """What a rule found NON_COMPLIANT, for its `fix.py`. `of` is the thing itself: a plan, a selection, …"""

    verdict: Verdict
    judged: JudgedAccount

    @property
    def of(self) -> Any:
        return self.verdict.subject.of

    @property
    def account(self) -> Account:
        return self.judged.account

    @property
    def place(self) -> Place:
        return self.judged.place

    @property
    def now(self) -> datetime:
        return self.judged.now

    def plan(self) -> Plan | None:
        """The plan that the verdict is about, or that of its selection.

        Raises:
            BackupRulesError: it cannot be read.
        """
        if isinstance(self.of, PlanSummary):
            return backup.plan(self.account, self.of)
        return backup.plan_of(self.account, self.of) if isinstance(self.of, SelectionSummary) else None

    def selection(self) -> Selection | None:
        """The selection that the verdict is about.

        Raises:
            BackupRulesError: it cannot be read.
        """
        return backup.selection(self.account, self.of) if isinstance(self.of, SelectionSummary) else None

    def picked(self) -> tuple[Pick, ...]:
        """What the selection picks.

        Raises:
            BackupRulesError: it cannot be read.
        """
        return picks(self.account).get(self.of, ()) if isinstance(self.of, SelectionSummary) else ()


def aws(service: str, operation: str, *, region: str | None = None, **options: str | Iterable[str]) -> str:
    """A command of the AWS CLI. Values are quoted for the shell; `_` in an option's name stands for `-`."""
    words = ["aws", service, operation]
    if region is not None:
        words += ["--region", region]
    for name, value in options.items():
        values = (value,) if isinstance(value, str) else tuple(value)
        words += [f"--{name.strip('_').replace('_', '-')}", *map(shlex.quote, values)]
    return " ".join(words)


def commands(judged: JudgedAccount, folder: RuleFolder, verdict: Verdict) -> tuple[str, ...]:
    """The commands that settle the verdict; none where the rule has no `fix.py`, or what it needs cannot be read."""
    module = folder.beside("fix")
    if module is None:
        return ()
    try:
        with gaps_noticed():
            return tuple(module.commands(Broken(verdict, judged)))
    except BackupRulesError:
        return ()

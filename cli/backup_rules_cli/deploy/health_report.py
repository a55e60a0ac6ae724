"""How a deployed pack is, printed for a person in 100 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from backup_rules.wording.annotations import name as shortened
from backup_rules_cli.console import indented, show, titled, width
from backup_rules_cli.deploy.health import RegionHealth, RuleHealth, Trouble, troubles
from backup_rules_cli.deploy.words import counted

_FEW = 20
"""So many accounts are listed one by one; of more, only those that have problems are told of."""


@dataclass(frozen=True)
class Reported:
    """What was read of one pack. `names` of accounts by id."""

    pack: str
    account: str
    names: Mapping[str, str]
    healths: Sequence[RegionHealth]


def report(read: Reported, *, everything: bool) -> bool:
    """Print it, and say whether all is well. With `everything`, every account is listed."""
    found = {id(health): troubles(health, read.names) for health in read.healths}
    for health in read.healths:
        show(_region(read, health, found[id(health)], everything=everything))
    total = sum(map(len, found.values()))
    accounts = {account for health in read.healths for account in health.accounts}
    what = f"{counted(len(accounts), 'account')}, {counted(len({each.region for each in read.healths}), 'Region')}"
    show([f"All is well: {what}." if not total else f"{counted(total, 'problem')}: {what}."])
    return not total


def _region(read: Reported, health: RegionHealth, found: Sequence[Trouble], *, everything: bool) -> Iterator[str]:
    title = f"{read.pack} in account {read.account}  {health.region}"
    tally = counted(len(found), "problem") if found else "well"
    columns = width()
    yield from titled(title, tally, columns)
    for each in found:
        yield f"{'PROBLEM':<8} {each.about}"
        yield from indented(each.text, columns, 9)
    if found:
        yield ""
    if health.rules:
        yield f"{'Rule':<34}{'Accounts':>9}{'Failing':>9}{'Silent':>9}{'Errors':>9}  Last evaluations put (UTC)"
        yield from (_rule(rule, health) for rule in health.rules)
        yield ""
    if health.accounts and (everything or len(health.accounts) <= _FEW):
        yield from _accounts(read, health)
        yield ""


def _rule(rule: RuleHealth, health: RegionHealth) -> str:
    failing = sum(map(rule.fails_in, health.accounts))
    silent = sum(map(rule.is_silent_in, health.accounts))
    last = _moment(max(rule.puts.values(), default=0.0))
    well = len(health.accounts) - failing - silent
    return f"{rule.name:<34}{well:>9,}{failing:>9,}{silent:>9,}{rule.errors:>9,}  {last}"


def _accounts(read: Reported, health: RegionHealth) -> Iterator[str]:
    yield f"{'Account':<43}{'Pack':<19}{'Member role':<13}{'Rules':>6}  Last evaluations put"
    for account in health.accounts:
        name = f"{shortened(read.names.get(account, ''), 27)} ({account})".strip()
        pack = _status(health.packs, account)
        role = _status(health.roles, account)
        well = sum(1 for rule in health.rules if account in rule.puts and not rule.fails_in(account))
        last = _moment(max((rule.puts.get(account, 0.0) for rule in health.rules), default=0.0))
        yield f"{name:<43}{pack:<19}{role:<13}{f'{well}/{len(health.rules)}':>6}  {last}"


def _status(statuses: Mapping[str, tuple[str, str]] | None, account: str) -> str:
    return "-" if statuses is None else statuses.get(account, ("missing", ""))[0]


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}" if seconds else "never"

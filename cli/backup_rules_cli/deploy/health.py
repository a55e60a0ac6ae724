"""How a deployed pack is, judged from what was read of it: no call to AWS in here, and no clock.

What counts is what became of the evaluations. A function that failed and succeeded later is well again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from backup_rules_cli.costs.months import HOURS
from backup_rules_cli.deploy.words import counted

METRIC_SECONDS = 60
NAMED = 10
"""So many accounts are named in a problem; of the others, the number is told."""

PACK_WELL = frozenset({"CREATE_SUCCESSFUL", "UPDATE_SUCCESSFUL"})
INSTANCE_WELL = frozenset({"CURRENT"})
RULE_WELL = frozenset({"ACTIVE", "EVALUATING"})


@dataclass
class RuleHealth:
    """One rule in one Region: per account, when (epoch seconds) it last put evaluations and when it last failed."""

    name: str
    frequency: str
    puts: dict[str, float] = field(default_factory=dict)
    failures: dict[str, float] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    """What the last failure said, for `NAMED` accounts at most."""
    strangers: int = 0
    """Failures for accounts that the pack does not reach: anybody's, where anybody may invoke the functions."""
    errors: int = 0
    """Failed invocations within two periods, as CloudWatch counts them."""
    last_error: float = 0.0
    unreadable: str = ""

    @property
    def lookback(self) -> timedelta:
        """Two periods: within them every account must have been evaluated."""
        return 2 * timedelta(hours=HOURS[self.frequency])

    def note(self, account: str, moment: float, failure: str | None) -> None:
        """Take in one log line of the function: evaluations were put, or the invocation failed."""
        into = self.puts if failure is None else self.failures
        if moment < into.get(account, 0.0):
            return
        into[account] = moment
        if failure is not None and (account in self.texts or len(self.texts) < NAMED):
            self.texts[account] = failure

    def fails_in(self, account: str) -> bool:
        """Whether the last evaluation of the account failed."""
        return self.failures.get(account, 0.0) > self.puts.get(account, 0.0)

    def is_silent_in(self, account: str) -> bool:
        """Whether it neither put an evaluation nor failed."""
        return account not in self.puts and account not in self.failures

    @property
    def has_recovered(self) -> bool:
        """Whether evaluations were put after the last failed invocation."""
        return max(self.puts.values(), default=0.0) >= self.last_error + METRIC_SECONDS


@dataclass
class RegionHealth:
    """The pack in one Region. Statuses are AWS's words, by account; None where there is nothing of the kind."""

    region: str
    accounts: tuple[str, ...]
    rules: list[RuleHealth] = field(default_factory=list)
    packs: Mapping[str, tuple[str, str]] | None = None
    roles: Mapping[str, tuple[str, str]] | None = None
    stack_sets: dict[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    """Like `roles`, of what else StackSets bring, by what it is."""
    config_rules: Mapping[str, str] | None = None
    failed_events: int = 0
    dead_letters: dict[str, int] = field(default_factory=dict)
    """How many compliance changes came to nothing, by the stack that gave up on them."""
    missing: list[str] = field(default_factory=list)
    """What was not deployed, or not completely: sentences."""


@dataclass(frozen=True)
class Trouble:
    """A problem: what it is about, and what is wrong."""

    about: str
    text: str


def troubles(health: RegionHealth, names: Mapping[str, str]) -> list[Trouble]:
    """Everything that is wrong with the pack in a Region. `names` are the accounts' by id."""
    found = [Trouble("stacks", text) for text in health.missing]
    found += _statuses("pack", health.packs, PACK_WELL, health, names)
    found += _statuses("member role", health.roles, INSTANCE_WELL, health, names)
    for what, statuses in health.stack_sets.items():
        found += _statuses(what, statuses, INSTANCE_WELL, health, names)
    found += _config_rules(health)
    found += _evaluations(health, names)
    found += _errors(health)
    if health.failed_events:
        found.append(
            Trouble(
                "failure queue",
                f"{counted(health.failed_events, 'event')} failed at every try and came to nothing; AWS Config asks"
                " again at the next period. Purge the queue once the cause is mended.",
            )
        )
    found += (
        Trouble(
            part,
            f"{counted(number, 'change')} of compliance could not be told of in any try: its function's log says why."
            " Redrive its dead-letter queue once the cause is mended.",
        )
        for part, number in health.dead_letters.items()
        if number
    )
    return found


def _statuses(
    what: str,
    statuses: Mapping[str, tuple[str, str]] | None,
    well: Iterable[str],
    health: RegionHealth,
    names: Mapping[str, str],
) -> Iterator[Trouble]:
    if statuses is None:
        return
    unwell: dict[tuple[str, str], list[str]] = {}
    for account in health.accounts:
        status, text = statuses.get(account, ("missing", ""))
        if status not in well:
            unwell.setdefault((status, text), []).append(account)
    for (status, text), accounts in unwell.items():
        yield Trouble(what, f"{status} in {listing(accounts, names)}.{f' {text}' if text else ''}")
    strangers = [each for each in statuses if each not in health.accounts]
    if strangers:
        yield Trouble(
            what,
            f"It also reaches {listing(strangers, names)}, outside the targets: run deploy again, which excludes them.",
        )


def _config_rules(health: RegionHealth) -> Iterator[Trouble]:
    for name, state in (health.config_rules or {}).items():
        if state not in RULE_WELL:
            yield Trouble(name, f"The Config rule is {state}.")


def _evaluations(health: RegionHealth, names: Mapping[str, str]) -> Iterator[Trouble]:
    rules = [rule for rule in health.rules if not rule.unreadable]
    for rule in health.rules:
        if rule.unreadable:
            yield Trouble(rule.name, rule.unreadable)
    failing = [each for each in health.accounts if rules and all(rule.fails_in(each) for rule in rules)]
    silent = [each for each in health.accounts if rules and all(rule.is_silent_in(each) for rule in rules)]
    for account in failing[:NAMED]:
        text = next((rule.texts[account] for rule in rules if account in rule.texts), "see the functions' logs")
        yield Trouble(names.get(account, account), f"All rules fail in {listing([account], names)}: {text}")
    if len(failing) > NAMED:
        yield Trouble("accounts", f"All rules fail in {counted(len(failing) - NAMED, 'more account')}.")
    if silent:
        yield Trouble(
            "evaluations",
            f"No rule was evaluated in {listing(silent, names)} within two periods. AWS Config evaluates within minutes"
            " after the pack is there: was it just deployed, verify again. Else it may not invoke the functions.",
        )
    whole = {*failing, *silent}
    for rule in rules:
        yield from _of_rule(rule, [each for each in health.accounts if each not in whole], names)


def _of_rule(rule: RuleHealth, accounts: list[str], names: Mapping[str, str]) -> Iterator[Trouble]:
    failing = [each for each in accounts if rule.fails_in(each)]
    by_text: dict[str, list[str]] = {}
    for each in failing:
        by_text.setdefault(rule.texts.get(each, "see the function's log"), []).append(each)
    for text, those in by_text.items():
        yield Trouble(rule.name, f"It fails in {listing(those, names)}: {text}")
    silent = [each for each in accounts if rule.is_silent_in(each)]
    if silent:
        yield Trouble(
            rule.name,
            f"No evaluation was put within {_hours(rule.lookback)} for {listing(silent, names)}.",
        )


def _errors(health: RegionHealth) -> Iterator[Trouble]:
    for rule in health.rules:
        told = any(map(rule.fails_in, health.accounts))
        errors = rule.errors - rule.strangers
        if errors > 0 and not rule.has_recovered and not told:
            yield Trouble(
                rule.name,
                f"{counted(errors, 'invocation')} of its function failed within {_hours(rule.lookback)}, and none"
                " has put evaluations since. Its log tells why; where it has no line of its own, the function did not"
                " start.",
            )


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:.0f} hours"


def listing(accounts: list[str], names: Mapping[str, str]) -> str:
    """`3 accounts: payments (123456789012), …`, or the one account."""
    named = [f"{names[each]} ({each})" if each in names else each for each in accounts[:NAMED]]
    if len(accounts) == 1:
        return named[0]
    more = f" and {len(accounts) - NAMED:,} more" if len(accounts) > NAMED else ""
    return f"{len(accounts):,} accounts: {', '.join(named)}{more}"

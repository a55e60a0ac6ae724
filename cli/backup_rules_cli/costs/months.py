"""What a month brings in one account and Region, and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.costs.calls import Account, Invocation, Trigger, calls, evaluations
from backup_rules_cli.costs.counts import CONFIG_PAGE

DAYS_A_MONTH = 30
HOURS_A_MONTH = DAYS_A_MONTH * 24
HOURS = {"One_Hour": 1, "Three_Hours": 3, "Six_Hours": 6, "Twelve_Hours": 12, "TwentyFour_Hours": 24}
OFF = "Off"


@dataclass(frozen=True)
class Month:
    """What happens in one account and Region in a month of 30 days, or the sum of several."""

    invocations: int = 0
    evaluations: int = 0
    calls: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Month) -> Month:
        return Month(
            self.invocations + other.invocations, self.evaluations + other.evaluations, self.calls + other.calls
        )

    def __mul__(self, times: int) -> Month:
        return Month(
            self.invocations * times,
            self.evaluations * times,
            Counter({action: count * times for action, count in self.calls.items()}),
        )

    @property
    def calls_by_service(self) -> Counter[str]:
        """By the prefix of the IAM actions."""
        found = Counter[str]()
        for action, count in self.calls.items():
            found[action.partition(":")[0]] += count
        return found


def month(folder: RuleFolder, account: Account, frequency: str | None = None, refresh_days: int | None = None) -> Month:
    """What one rule does in one account and Region in a month.

    Args:
        folder: the rule.
        account: of which size.
        frequency: as AWS Config spells it, or `Off`; None: the rule's own.
        refresh_days: with `put: changes`, after how many days everything is put again; None: each run puts all.
            Nothing changes in that month.
    """
    frequency = frequency or folder.frequency
    if frequency == OFF:
        return Month()
    times = {
        Trigger.SCHEDULE: HOURS_A_MONTH // HOURS[frequency],
        Trigger.PLAN: account.plan_changes,
        Trigger.SELECTION: account.selection_changes,
    }
    total = Month()
    for trigger, count in times.items():
        if trigger is Trigger.SCHEDULE or trigger.value in folder.triggers:
            invocation = Invocation(account, trigger)
            whole = Month(1, evaluations(folder, invocation), calls(folder, invocation)) * count
            total += (
                _changes_only(whole, evaluations(folder, invocation), refresh_days)
                if trigger is Trigger.SCHEDULE
                else whole
            )
    return total


def _changes_only(runs: Month, subjects: int, refresh_days: int | None) -> Month:
    """A month's scheduled runs of a rule, of so many subjects each, that find what AWS Config holds already.

    Each run puts one evaluation, the oldest; so fewer are left to be renewed when their days are over.
    """
    if refresh_days is None:
        return runs
    at_least = min(runs.invocations, runs.evaluations)
    put = min(runs.evaluations, max(at_least, -(-subjects * DAYS_A_MONTH // refresh_days)))
    puts = {"config:PutEvaluations": max(at_least, -(-put // CONFIG_PAGE))}
    return Month(runs.invocations, put, +Counter({**runs.calls, **puts}))


@dataclass(frozen=True)
class Prices:
    """US dollars. From pages that were not live when this was written: enter those of your Region and agreement.

    https://aws.amazon.com/config/pricing/ (the first tier; later ones cost less), https://aws.amazon.com/lambda/pricing/
    (arm64).
    """

    evaluation: float = 0.001
    configuration_item: float = 0.003
    million_requests: float = 0.20
    gb_second: float = 0.0000133334


@dataclass(frozen=True)
class Functions:
    """The central functions. `seconds` of an invocation on average, cold starts included, is an assumption."""

    seconds: float = 3.0
    memory_gb: float = 0.25
    concurrency: int = 1_000
    """Concurrent executions of the account in the Region: Lambda's default."""


@dataclass(frozen=True)
class Bill:
    """What a month costs, in US dollars, without free tiers."""

    config: float
    functions: float
    items: float

    @property
    def total(self) -> float:
        return self.config + self.functions + self.items


def bill(whole: Month, items: int, prices: Prices, functions: Functions) -> Bill:
    """The cost of what happens in a month, `items` recorded configuration items among it."""
    lambda_cost = whole.invocations * (
        prices.million_requests / 1_000_000 + functions.seconds * functions.memory_gb * prices.gb_second
    )
    return Bill(whole.evaluations * prices.evaluation, lambda_cost, items * prices.configuration_item)


def seconds_to_work_off(rules: int, accounts: int, functions: Functions, concurrency: int | None = None) -> float:
    """How long it takes when all accounts' schedules of so many rules fire in one Region at the same instant."""
    return rules * accounts * functions.seconds / (concurrency or functions.concurrency)


def months(
    folders: Sequence[RuleFolder], account: Account, frequencies: Mapping[str, str], refresh_days: int | None = None
) -> Month:
    """What all the rules do in one account and Region in a month; `frequencies` by rule, where they are not its own.

    With `refresh_days`, only changes are put: those of compliance are among the evaluations.
    """
    whole = sum((month(each, account, frequencies.get(each.name), refresh_days) for each in folders), Month())
    if refresh_days is None or not whole.evaluations:
        return whole
    return whole + Month(evaluations=account.compliance_changes)


def recorded_items(account: Account) -> int:
    """The configuration items that AWS Config records in a month of what the rules look at, and of their verdicts."""
    return account.plan_changes + account.selection_changes + account.compliance_changes

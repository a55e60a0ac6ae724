"""What a month brings in one account and Region, and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.costs.calls import Account, Invocation, Trigger, calls, evaluations

HOURS_A_MONTH = 30 * 24
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


def month(folder: RuleFolder, account: Account, frequency: str | None = None) -> Month:
    """What one rule does in one account and Region in a month; `frequency` as AWS Config spells it, or `Off`."""
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
            total += Month(1, evaluations(folder, invocation), calls(folder, invocation)) * count
    return total


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


def months(folders: Sequence[RuleFolder], account: Account, frequencies: Mapping[str, str]) -> Month:
    """What all the rules do in one account and Region in a month; `frequencies` by rule, where they are not its own."""
    return sum((month(folder, account, frequencies.get(folder.name)) for folder in folders), Month())


def recorded_items(account: Account) -> int:
    """The configuration items that AWS Config records in a month of what the rules look at, and of their verdicts."""
    return account.plan_changes + account.selection_changes + account.compliance_changes

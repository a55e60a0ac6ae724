"""AWS Backup's call rates: each reader keeps to its share, and a throttled call waits, on a clock that is driven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from aws_simulator.core.faults import failing, recorded_calls, server_error, throttled
from aws_simulator.core.rates import enforced_rates, rate_of
from backup_rules.aws import backup, rates
from backup_rules.aws.account import Account
from backup_rules.aws.calls import Calls, monotonic_deadline
from backup_rules.aws.rates import PUBLISHED, RULES, RULES_THAT_CALL, Pace
from backup_rules.errors import OutOfTimeError, ReadError
from backup_rules_cli.catalogue import rule_folders
from tests.front_door import Door, front_door


class DrivenClock:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.slept += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> DrivenClock:
    """The only clock there is: nothing else, botocore included, waits."""

    def waits(seconds: float) -> None:
        assert not seconds, f"somebody slept {seconds} s"

    monkeypatch.setattr("botocore.endpoint.time.sleep", waits)
    return DrivenClock()


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        it.role()
        yield it


def account_of(door: Door, clock: DrivenClock, *, seconds: float | None = 900, for_all_rules: bool = False) -> Account:
    """The account, read one call after the other, with so many seconds to go."""
    clients = SimpleNamespace(build_client=door.client)
    context = None if seconds is None else SimpleNamespace(get_remaining_time_in_millis=lambda: seconds * 1000)
    left = monotonic_deadline(context, clock)
    return Account(Calls(door.place, clients, left, Pace(clock, for_all_rules=for_all_rules), clock))


def read_all(account: Account) -> int:
    summaries = backup.selections_of(account, backup.plan_summaries(account))
    return len([backup.selection(account, each) for each in summaries])


def test_the_shares_are_by_how_many_rules_make_the_call() -> None:
    actions = Counter(action for folder in rule_folders() for action in folder.permissions)
    made = {action.removeprefix("backup:"): count for action, count in actions.items() if action.startswith("backup:")}
    assert {name: made[name] for name in RULES_THAT_CALL} == RULES_THAT_CALL
    assert set(RULES_THAT_CALL) == set(PUBLISHED)
    assert {name for name in made if rate_of(name) is not None} == set(PUBLISHED)
    assert {name: rate_of(name) for name in PUBLISHED} == PUBLISHED
    asking = [folder for folder in rule_folders() if any(each.startswith("backup:") for each in folder.permissions)]
    assert len(asking) == RULES


@pytest.mark.parametrize("operation", [*PUBLISHED, "DescribeRegionSettings"])
def test_all_rules_together_take_half_of_what_is_published(clock: DrivenClock, operation: str) -> None:
    readers = RULES_THAT_CALL.get(operation, RULES)
    half = PUBLISHED.get(operation, rates.TOGETHER) / 2
    assert readers * Pace(clock).share(operation) == pytest.approx(half)
    assert Pace(clock, for_all_rules=True).share(operation) == half
    pace = Pace(clock)
    for _ in range(600):
        clock.sleep(pace.take(operation))
    # The first twenty need not wait (forty, of an operation that only the rate of all bounds).
    at_once = rates.AT_ONCE * (1 if operation in PUBLISHED else 2)
    bound = min(half / readers, rates.TOGETHER / 2 / RULES)
    assert clock.slept == pytest.approx((600 - at_once) / bound, rel=0.05)


def test_a_small_account_waits_for_nothing(door: Door, clock: DrivenClock) -> None:
    for number in range(5):
        plan = door.plan(f"plan-{number}")
        for each in range(4):
            door.selection(plan, f"selection-{each}")
    assert read_all(account_of(door, clock)) == 20
    assert clock.slept == 0


@pytest.mark.parametrize(("for_all_rules", "a_second"), [(False, 7.5 / 9), (True, 7.5)])
def test_a_large_account_is_read_at_the_readers_share(
    door: Door, clock: DrivenClock, for_all_rules: bool, a_second: float
) -> None:
    plan = door.plan()
    for each in range(50):
        door.selection(plan, f"selection-{each}")
    with enforced_rates(clock.monotonic) as limiter:
        clock.seconds += 2
        assert read_all(account_of(door, clock, for_all_rules=for_all_rules)) == 50
    # AWS, which admits fifteen at once, throttles the sixteenth; then nothing is left of what need not wait.
    assert limiter.throttled["GetBackupSelection"] >= 1
    assert clock.slept == pytest.approx(35 / a_second, rel=0.2)


def test_a_throttled_call_is_tried_as_long_as_it_takes(door: Door, clock: DrivenClock) -> None:
    door.plan()
    with failing(throttled, "backup", "ListBackupPlans", nth=range(1, 13)), recorded_calls() as calls:
        assert len(backup.plan_summaries(account_of(door, clock))) == 1
    assert len(calls) == 13
    assert 40 < clock.slept < 120


def test_a_call_that_stays_throttled_ends_in_time(door: Door, clock: DrivenClock) -> None:
    began = clock.seconds
    with (
        failing(throttled, "backup", "ListBackupPlans"),
        pytest.raises(OutOfTimeError, match=r"before backup:ListBackupPlans .* s as AWS throttles it\.$"),
    ):
        backup.plan_summaries(account_of(door, clock, seconds=300))
    assert 250 < clock.seconds - began < 300 - 25


def test_a_wait_for_the_own_share_that_is_longer_than_the_time_left_is_not_begun(
    door: Door, clock: DrivenClock
) -> None:
    plan = door.plan()
    for each in range(60):
        door.selection(plan, f"selection-{each}")
    with pytest.raises(OutOfTimeError, match="at this function's share of AWS's call rates"):
        read_all(account_of(door, clock, seconds=30))
    assert clock.slept < 30 - 5


def test_without_an_end_a_throttled_call_gives_up_after_a_minute(door: Door, clock: DrivenClock) -> None:
    with (
        failing(throttled, "backup", "ListBackupPlans"),
        pytest.raises(ReadError, match="ThrottlingException: Rate exceeded"),
    ):
        backup.plan_summaries(account_of(door, clock, seconds=None))
    assert 45 < clock.slept < 70


def test_another_failure_between_is_tried_again_as_botocore_does(
    door: Door, clock: DrivenClock, monkeypatch: Any
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    door.plan()
    with failing(server_error, "backup", "ListBackupPlans", nth={1}) as fault:
        assert len(backup.plan_summaries(account_of(door, clock))) == 1
    assert fault.struck == 1

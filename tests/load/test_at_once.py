"""All rules at once against AWS Backup's call rates, half of which others take: a small account, on a driven clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise

import pytest

from backup_rules.aws.rates import PART_OF_ALL, PUBLISHED, TOGETHER
from backup_rules_cli.catalogue import rule_folders
from tests.load.at_once import Day, account, all_at_once
from tests.load.stage import Stage, StageClock

RULES = len(rule_folders())
READ_BEFORE = {"backup:GetBackupPlan", "backup:GetBackupSelection"}


def within_half(day: Day) -> None:
    """All rules together took half of the rates at most, but for what need not wait in the first seconds."""
    seconds = max(day.seconds.values())
    at_once = 15  # what AWS, of whose rates half are left, admits in its first second and the one after
    for operation, rate in PUBLISHED.items():
        assert day.asked[f"backup:{operation}"] <= rate * PART_OF_ALL * seconds + at_once, operation
    assert day.asked.total() <= TOGETHER * PART_OF_ALL * seconds + 2 * at_once


def test_every_function_ends_on_the_first_day_and_on_the_second_reads_nothing_again() -> None:
    with account(12, 5) as door:
        first, second = all_at_once(door, 60), all_at_once(door, 60, 1)
    for day in (first, second):
        assert day.failures == {}
        assert len(day.seconds) == RULES
        within_half(day)
    assert first.throttled > 0
    assert first.kept == second.kept == 12 + 12 * 5
    # Nine rules need all selections; read by each for itself, they would be 540.
    assert 60 <= first.asked["backup:GetBackupSelection"] < 300
    assert second.asked.keys() & READ_BEFORE == set()
    assert second.asked["backup:ListBackupSelections"] == first.asked["backup:ListBackupSelections"]


def test_what_does_not_end_in_its_time_leaves_less_for_the_next() -> None:
    days: list[Day] = []
    with account(8, 12) as door:
        while len(days) < 5 and (not days or days[-1].failures):
            days.append(all_at_once(door, 17, len(days)))
    first, *_, last = days
    assert first.failures
    assert all("Out of time before backup:" in why for why in first.failures.values())
    kept = [day.kept for day in days]
    assert 0 < kept[0] < 8 + 96
    assert all(before < after or after == 8 + 96 for before, after in pairwise(kept))
    assert (last.failures, last.kept) == ({}, 8 + 96)
    assert all(seconds <= 17 for day in days for seconds in day.seconds.values())


def test_a_rule_that_runs_alone_takes_what_all_would_and_no_more() -> None:
    with account(4, 30) as door:
        alone = all_at_once(door, 300, 0, "BACKUP_SELECTION_NOT_EMPTY")
    assert alone.failures == {}
    assert alone.asked["backup:GetBackupSelection"] == 120
    seconds = max(alone.seconds.values())
    # At a ninth of half of the rate, it would be two minutes; after the second merge, it is half of the rate.
    assert 120 / 7.5 < seconds < 60
    within_half(alone)


def test_those_who_take_turns_on_the_stage_wake_in_order_and_one_works_at_a_time() -> None:
    stage, working = Stage(), threading.Lock()
    seen: list[tuple[str, float]] = []
    works: list[Callable[[StageClock], object]] = []

    def sleeper(name: str, *waits: float) -> None:
        def work(clock: StageClock) -> None:
            for wait in waits:
                clock.sleep(wait)
                assert working.acquire(blocking=False)
                seen.append((name, clock.monotonic()))
                working.release()

        works.append(work)

    sleeper("a", 10, 10)
    sleeper("b", 5, 20)
    sleeper("c", 0, 12)
    stage.run(works)
    assert seen == [("c", 0), ("b", 5), ("a", 10), ("c", 12), ("a", 20), ("b", 25)]
    assert stage.seconds == pytest.approx(25)

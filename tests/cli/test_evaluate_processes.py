"""A large organization is judged in several processes, and found as in one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from backup_rules_cli import evaluate
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.forks import can_fork, in_processes
from backup_rules_cli.reports import Report

RULES = ("BACKUP_ROLE_ASSUMABLE", "BACKUP_POLICY_VAULT_EXISTS", "BACKUP_WINDOW_CONFIGURED")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not can_fork(), reason="only Linux copies processes safely")


def found(processes: int) -> Report:
    folders = rule_folders(*RULES)
    parameters: Mapping[str, Mapping[str, str]] = {each.name: {} for each in folders}
    return evaluate.evaluate_demo(folders, parameters, 13, quiet=True, named=True, processes=processes)


@pytest.mark.slow
def test_two_processes_find_what_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "ACCOUNTS_A_PART", 3)
    monkeypatch.setattr(evaluate, "datetime", SimpleNamespace(now=lambda _zone: NOW))
    alone, side_by_side = found(1), found(2)
    assert len({each.account for each in alone.evaluated}) == 13
    assert side_by_side == alone


def test_each_part_is_done_in_a_process_of_its_own_and_told_in_order() -> None:
    here = os.getpid()
    answers = list(in_processes(lambda number: (number, os.getpid()), 5, 2))
    assert [number for number, _ in answers] == [0, 1, 2, 3, 4]
    assert len({process for _, process in answers} - {here}) == 5


def test_what_a_part_raises_is_raised_here() -> None:
    def divide(number: int) -> float:
        return 1 / number

    with pytest.raises(ZeroDivisionError):
        list(in_processes(divide, 2, 2))

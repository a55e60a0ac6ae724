"""Ids of the demo organization are the same in each run, so that pages and people can speak of them."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta

from moto.moto_api._internal import mock_random

from aws_simulator.core import config
from aws_simulator.simulation import simulated_aws
from backup_rules_cli.catalogue import ROOT, planted
from demo_organization import Organization, seed

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def seeded(now: datetime, accounts: int) -> Organization:
    with simulated_aws():
        config.install(require_functions=False)
        return seed(now, accounts, plants=planted())


def test_ids_do_not_change_from_run_to_run() -> None:
    first, later, grown = seeded(NOW, 0), seeded(NOW + timedelta(days=200), 0), seeded(NOW, 2)
    assert later.ids == first.ids
    assert first.ids.items() <= grown.ids.items()


def test_what_other_threads_make_changes_no_id() -> None:
    alone = seeded(NOW, 0)
    ended = threading.Event()

    def make_ids() -> None:
        while not ended.wait(0.001):
            mock_random.uuid4()

    other = threading.Thread(target=make_ids)
    other.start()
    try:
        beside = seeded(NOW, 0)
    finally:
        ended.set()
        other.join()
    assert beside.ids == alone.ids


def test_the_ids_that_the_readme_shows_are_these() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"\bdb-[0-9A-F]{26}\b|\b[0-9a-f-]{36}_[0-9a-f-]{36}\b", page)
    assert len(shown) == 2
    assert set(shown) <= set(seeded(NOW, 0).ids.values())

"""`verify --probe` in a simulated sandbox: what it reports, and that nothing of it stays."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from aws_simulator.core.config.service import Clockwork
from aws_simulator.core.faults import denied, failing, recorded_calls
from aws_simulator.deployment.lambda_runtime import lambda_runtime
from backup_rules_cli.deploy import probe
from tests.cli.deploy.site import ALONE, HOME, Site, deploying
from tests.cli.deploy.test_deploy import made, roles, writes


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """AWS Config is at work in the sandbox."""
    monkeypatch.setattr(probe, "POLL_SECONDS", 0.2)
    monkeypatch.setattr(probe, "WAIT_SECONDS", 20.0)
    over = Event()
    with (
        deploying(tmp_path, monkeypatch) as found,
        lambda_runtime(found.url) as runtime,
        ThreadPoolExecutor(1) as pool,
    ):
        clockwork = Clockwork(runtime, [(ALONE, HOME)])

        def work() -> None:
            while not over.wait(0.2):
                clockwork.tick()

        done = pool.submit(work)
        yield found
        over.set()
        done.result()


def told(capsys: Any) -> str:
    """What was printed, in one line."""
    printed = capsys.readouterr()
    return " ".join((printed.out + printed.err).split())


def is_clean(site: Site) -> bool:
    """Whether nothing of it is left in the account."""
    config = site.client(ALONE, "config")
    return (
        made(site, ALONE) == {}
        and not config.describe_config_rules()["ConfigRules"]
        and not config.describe_conformance_packs()["ConformancePackDetails"]
        and not any("Probe" in each for each in roles(site, ALONE))
    )


def test_it_reports_what_holds_and_leaves_nothing(site: Site, capsys: Any) -> None:
    site.run("verify", "--probe", "--yes", profile="alone")
    text = told(capsys)
    for held in (
        "HOLDS CloudFormation takes the templates",
        "HOLDS A pack takes a custom rule with plain name and frequency CREATE_COMPLETE",
        "HOLDS AWS Config invokes the function and takes its evaluations",
        "HOLDS It does for a pack's rule as well",
        "HOLDS Logs Insights sums up the function's lines as verify reads them The last evaluation: 20",
        "NOT SHOWN AWS Config sends aws:SourceOrgID",
    ):
        assert held in text
    assert is_clean(site)


@pytest.mark.slow
def test_what_fails_on_the_way_is_told_and_the_rest_taken_away(site: Site, capsys: Any) -> None:
    with failing(denied, "config", "PutConformancePack"), failing(denied, "logs", "StartQuery"):
        assert site.run("verify", "--probe", "--yes", profile="alone") == 1
    text = told(capsys)
    assert "DOES NOT A pack takes a custom rule with plain name and frequency User: arn:aws:sts" in text
    assert "DOES NOT Logs Insights sums up the function's lines as verify reads them logs:StartQuery was denied" in text
    assert is_clean(site)


def test_without_a_yes_nothing_is_done(site: Site, capsys: Any) -> None:
    with recorded_calls() as calls:
        assert site.run("verify", "--probe", profile="alone") == 2
    assert "Probe? There is no terminal to ask on. Give --yes" in told(capsys)
    assert writes(calls) == []

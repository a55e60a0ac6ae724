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
from backup_rules_cli.deploy import points
from tests.cli.deploy.site import ALONE, ANALYTICS, CENTRAL, HOME, MANAGEMENT, PAYMENTS, Site, deploying
from tests.cli.deploy.test_deploy import made, roles, writes


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """AWS Config is at work in the sandbox."""
    monkeypatch.setattr(points, "POLL_SECONDS", 0.2)
    monkeypatch.setattr(points, "WAIT_SECONDS", 20.0)
    over = Event()
    with (
        deploying(tmp_path, monkeypatch) as found,
        lambda_runtime(found.url) as runtime,
        ThreadPoolExecutor(1) as pool,
    ):
        clockwork = Clockwork(runtime, [(ALONE, HOME), (CENTRAL, HOME), (PAYMENTS, HOME)])

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


def is_clean(site: Site, account: str = ALONE) -> bool:
    """Whether nothing of it is left in the account."""
    config = site.client(account, "config")
    return (
        made(site, account) == {}
        and not config.describe_config_rules()["ConfigRules"]
        and not config.describe_conformance_packs()["ConformancePackDetails"]
        and not any("Probe" in each for each in roles(site, account))
    )


def sandbox(site: Site) -> str:
    """A unit that holds one account."""
    organizations = site.client(MANAGEMENT, "organizations")
    unit = organizations.create_organizational_unit(ParentId=site.root, Name="Sandbox")["OrganizationalUnit"]["Id"]
    organizations.move_account(AccountId=PAYMENTS, SourceParentId=site.workloads, DestinationParentId=unit)
    return str(unit)


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
def test_in_an_organization_it_reaches_the_one_account_of_a_unit(site: Site, capsys: Any) -> None:
    """The simulator's AWS Config sends no aws:SourceOrgID, as AWS does not document it."""
    site.run("verify", "--probe", "--yes", "--probe-unit", sandbox(site))
    text = told(capsys)
    for seen in (
        f"for account payments ({PAYMENTS}) alone a role BackupRulesProbeMember by a StackSet",
        f"HOLDS A pack's failed accounts can be read after the stack was rolled back {PAYMENTS} CREATE_FAILED",
        "DOES NOT AWS Config sends aws:SourceOrgID (invoke_permission: organization)",
        "HOLDS A StackSet and an organization pack reach an account, and its rule is evaluated Evaluations were put for"
        f" {PAYMENTS} at 20",
    ):
        assert seen in text, text[text.index("What was seen") :]
    assert all(is_clean(site, account) for account in (CENTRAL, PAYMENTS, ANALYTICS))
    packs = site.client(CENTRAL, "config").describe_organization_conformance_packs()
    assert packs["OrganizationConformancePacks"] == []


def test_a_unit_with_more_than_a_sandbox_is_refused(site: Site, capsys: Any) -> None:
    with recorded_calls() as calls:
        assert site.run("verify", "--probe", "--yes", "--probe-unit", site.workloads) == 2
    assert f"Unit {site.workloads} holds 2 accounts that a StackSet reaches" in told(capsys)
    assert writes(calls) == []


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

"""Accounts without a recorder of AWS Config, which `deploy` leaves out by itself where the settings say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_simulator.core.faults import recorded_calls
from tests.cli.deploy.site import ANALYTICS, CENTRAL, HOME, MANAGEMENT, PAYMENTS, Site, deploying
from tests.cli.deploy.test_deploy import ONE_RULE, excluded, writes

SKIP = f"{ONE_RULE}skip_accounts_without_recorder: true\n"
AGGREGATED = {"RoleArn": f"arn:aws:iam::{CENTRAL}:role/Aggregator", "AllAwsRegions": True}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Every account has a vault, which AWS Config records where it runs; it does not in one of them."""
    with deploying(tmp_path, monkeypatch) as found:
        for account in (CENTRAL, PAYMENTS, ANALYTICS):
            found.client(account, "backup").create_backup_vault(BackupVaultName="Default")
        recorder(found, "stop")
        yield found


def recorder(site: Site, verb: str) -> None:
    client = site.client(PAYMENTS, "config")
    getattr(client, f"{verb}_configuration_recorder")(ConfigurationRecorderName="default")


def aggregate(site: Site) -> None:
    site.client(CENTRAL, "config").put_configuration_aggregator(
        ConfigurationAggregatorName="organization", OrganizationAggregationSource=AGGREGATED
    )


def told(capsys: Any) -> str:
    """What was printed, in one line."""
    printed = capsys.readouterr()
    return " ".join((printed.out + printed.err).split())


def test_an_account_without_one_is_left_out_until_it_has_one(site: Site, capsys: Any) -> None:
    aggregate(site)
    assert site.run("deploy", settings=SKIP) == 0
    assert f"Left out of {HOME}, as nothing is recorded there: payments ({PAYMENTS})" in told(capsys)
    assert excluded(site) == [PAYMENTS, MANAGEMENT]

    recorder(site, "start")
    assert site.run("deploy", settings=SKIP) == 0
    assert "Left out" not in told(capsys)
    assert excluded(site) == [MANAGEMENT]


def test_without_an_aggregator_nobody_knows(site: Site, capsys: Any) -> None:
    with recorded_calls() as calls:
        assert site.run("deploy", settings=SKIP) == 2
    assert "skip_accounts_without_recorder needs an aggregator over the organization and all Regions" in told(capsys)
    assert writes(calls) == []


def test_an_aggregator_that_has_nothing_is_not_believed(site: Site, capsys: Any) -> None:
    """Else a new one would leave out everybody."""
    aggregate(site)
    for account in (CENTRAL, ANALYTICS):
        site.client(account, "config").stop_configuration_recorder(ConfigurationRecorderName="default")
    assert site.run("deploy", settings=SKIP) == 2
    assert f"Aggregator organization has nothing of any account in {HOME}" in told(capsys)

"""Accounts without a recorder of AWS Config, which `deploy` leaves out by itself where the settings say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_simulator.core.accounts import account_session
from aws_simulator.core.faults import recorded_calls
from aws_simulator.deployment.authorization import enforced_permissions
from backup_rules_cli.deploy import recorders
from backup_rules_cli.deploy.aws import Access, AwsCallError
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
    text = told(capsys)
    assert "deployer_role_arn is blank, so that the member role admits the functions only" in text
    assert f"{HOME} has no aggregator over the organization and all Regions" in text
    assert writes(calls) == []


DEPLOYER = f"arn:aws:iam::{CENTRAL}:role/Deployer"
ASKS = f"{SKIP}deployer_role_arn: {DEPLOYER}\n"


@pytest.fixture
def deployer(site: Site) -> str:
    """The profile of a role that may do all."""
    iam = site.client(CENTRAL, "iam")
    iam.create_role(RoleName="Deployer", AssumeRolePolicyDocument="{}")
    iam.attach_role_policy(RoleName="Deployer", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    keys = account_session(CENTRAL, HOME, "Deployer", endpoint_url=site.url).get_credentials()
    assert keys is not None
    with (site.folder / "credentials").open("a", encoding="utf-8") as file:
        file.write(
            f"[deployer]\naws_access_key_id = {keys.access_key}\naws_secret_access_key = {keys.secret_key}\n"
            f"aws_session_token = {keys.token}\n"
        )
    return "deployer"


def run(site: Site, *options: str, settings: str = ASKS) -> int:
    """Deploy as that role, where permissions and trust count."""
    with enforced_permissions():
        return site.run("deploy", *options, profile="deployer", settings=settings)


@pytest.mark.usefixtures("deployer")
def test_the_member_role_tells_without_an_aggregator(site: Site, capsys: Any) -> None:
    recorder(site, "start")
    assert run(site, settings=f"{ONE_RULE}deployer_role_arn: {DEPLOYER}\n") == 0
    recorder(site, "stop")
    assert run(site) == 0
    assert f"Left out of {HOME}, as nothing is recorded there: payments ({PAYMENTS})" in told(capsys)
    assert excluded(site) == [PAYMENTS, MANAGEMENT]
    with recorded_calls() as calls:
        assert run(site, "--plan") == 0
    asked = [each.account for each in calls if each.operation == "DescribeConfigurationRecorderStatus"]
    assert sorted(asked) == [PAYMENTS, ANALYTICS, CENTRAL]


@pytest.mark.usefixtures("deployer")
def test_who_can_be_asked_by_neither_is_named(site: Site, capsys: Any) -> None:
    """Before the first deployment, the member role is nowhere."""
    assert run(site) == 2
    text = told(capsys)
    assert f"could not be asked by the member role nor by an aggregator in payments ({PAYMENTS}), analytics" in text
    assert "role BackupConfigRulesMemberRole is not there, or does not admit arn:aws:sts" in text
    aggregate(site)
    assert run(site) == 0
    assert excluded(site) == [PAYMENTS, MANAGEMENT]


def test_the_session_that_asks_may_do_nothing_else(site: Site, deployer: str) -> None:
    recorder(site, "start")
    assert run(site, settings=f"{ONE_RULE}deployer_role_arn: {DEPLOYER}\n") == 0
    role = f"arn:aws:iam::{ANALYTICS}:role/BackupConfigRulesMemberRole"
    with enforced_permissions():
        session = Access(deployer, HOME).under(role, recorders._STATUS_ONLY)
        session.call("config", HOME, "describe_configuration_recorder_status")
        with pytest.raises(AwsCallError, match="backup:ListBackupPlans was denied"):
            session.call("backup", HOME, "list_backup_plans")


def test_a_deployer_of_another_account_is_refused(site: Site, capsys: Any) -> None:
    stranger = f"arn:aws:iam::{PAYMENTS}:role/Deployer"
    assert site.run("deploy", settings=f"{ONE_RULE}deployer_role_arn: {stranger}\n") == 2
    assert f"deployer_role_arn {stranger} is of another account than the one that owns the pack" in told(capsys)


def test_an_aggregator_that_has_nothing_is_not_believed(site: Site, capsys: Any) -> None:
    """Else a new one would leave out everybody."""
    aggregate(site)
    for account in (CENTRAL, ANALYTICS):
        site.client(account, "config").stop_configuration_recorder(ConfigurationRecorderName="default")
    assert site.run("deploy", settings=SKIP) == 2
    assert f"Aggregator organization has nothing of any account in {HOME}" in told(capsys)

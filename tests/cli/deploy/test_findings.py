"""`make deploy` with Security Hub and alerts: findings and mails arrive from every account, and all goes again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.sns.models import sns_backends

from aws_simulator.core.config.service import run_rules
from aws_simulator.core.faults import recorded_calls
from aws_simulator.deployment.authorization import enforced_permissions
from aws_simulator.deployment.events import pump, run_schedules
from aws_simulator.deployment.lambda_runtime import LambdaRuntime, lambda_runtime
from backup_rules_cli.catalogue import ROOT, rule_folders
from tests.cli.deploy.site import ALONE, ANALYTICS, CENTRAL, HOME, MANAGEMENT, OTHER, PAYMENTS, Site, deploying, record
from tests.cli.deploy.test_deploy import made, roles, writes
from tests.pages import shell_blocks

ACCOUNTS = (MANAGEMENT, CENTRAL, PAYMENTS, ANALYTICS)
OPTIONS = ("--region", HOME, "--region", OTHER, "--management-profile", "management")
BIN = Path(sys.executable).parent
ROLE, PACK = "BackupConfigRulesFindingsRole", "backup-config-rules"
RULE = "BACKUP_SERVICE_OPT_IN"
SETTINGS = "rule_name_prefix: dev-\nrules:\n" + "".join(
    f"  {folder.name}: {'{parameters: {RequiredResourceTypes: FSx}}' if folder.name == RULE else 'off'}\n"
    for folder in rule_folders()
)
HUB = "security_hub: forwarder\nrule_pages_url: https://git.example.com/pack\n"
MAILS = "alerts: true\nalert_email: backups@example.com\n"
BOTH = SETTINGS + HUB + MAILS
CENTRAL_PARTS = {"event-bus", "forwarder", "mails", "insights", "events-everywhere"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The organization with a recorder and Security Hub in two Regions; the central account administers both."""
    with deploying(tmp_path, monkeypatch) as found:
        for region in (HOME, OTHER):
            for account in (*ACCOUNTS, ALONE):
                record(found, account, region)
                found.client(account, "securityhub", region).enable_security_hub()
            hub = found.client(MANAGEMENT, "securityhub", region)
            hub.enable_organization_admin_account(AdminAccountId=CENTRAL)
        yield found


def parts(site: Site, account: str, region: str = HOME) -> set[str]:
    """Which of the stacks there are, in an account."""
    wanted = {f"{PACK}-{part}": part for part in (*CENTRAL_PARTS, "events")}
    return {wanted[name] for name in made(site, account, region) if name in wanted}


def evaluate(site: Site, runtime: LambdaRuntime, account: str) -> None:
    """FSx is turned off, and the rule due."""
    site.client(account, "backup").update_region_settings(ResourceTypeOptInPreference={"FSx": False})
    with enforced_permissions():
        (run,) = run_rules(runtime, account, HOME)
    assert not run.failure


def findings(site: Site, account: str) -> list[tuple[str, str, str]]:
    """Account, severity and link of each finding, as Security Hub of an account shows them."""
    return sorted(
        (each["AwsAccountId"], each["Severity"]["Label"], each["Remediation"]["Recommendation"]["Url"])
        for each in site.client(account, "securityhub").get_findings()["Findings"]
    )


def told(capsys: Any) -> str:
    """What was printed, in one line."""
    printed = capsys.readouterr()
    return " ".join((printed.out + printed.err).split())


def test_findings_and_mails_of_every_account_arrive_and_all_of_it_goes(site: Site, capsys: Any) -> None:
    assert site.run("deploy", *OPTIONS, settings=BOTH) == 0

    plan = told(capsys)
    assert (
        "Security Hub: findings with reason and remedy; insights and automation rules in account 444455556666" in plan
    )
    assert "Alerts: rate(15 minutes), to backups@example.com" in plan
    assert f"{ROLE} in account {MANAGEMENT} and in every account reached" in plan
    for region in (HOME, OTHER):
        assert parts(site, CENTRAL, region) == CENTRAL_PARTS
        assert parts(site, MANAGEMENT, region) == {"events"}
    assert all(ROLE in roles(site, account) for account in ACCOUNTS)
    with lambda_runtime(site.url) as runtime:
        for account in (MANAGEMENT, PAYMENTS):
            evaluate(site, runtime, account)
        with enforced_permissions():
            assert [each.error for each in pump(runtime)] == [None]
            assert [each.error for each in run_schedules(runtime, CENTRAL, HOME)] == [None]
    page = f"https://git.example.com/pack/rules/{RULE}/README.md"
    assert findings(site, CENTRAL) == [(account, "HIGH", page) for account in (PAYMENTS, MANAGEMENT)]
    mails = [
        subject
        for topic in sns_backends[CENTRAL][HOME].topics.values()
        for _, _, subject, *_ in topic.sent_notifications
    ]
    assert mails == ["Backup rules: 2 new problems in 2 accounts"]

    assert site.run("verify", *OPTIONS, settings=BOTH) == 1  # most accounts were not evaluated
    assert not [each for each in ("finding events", "forwarder", "insights", "mails") if each in told(capsys)]
    with recorded_calls() as calls:
        assert site.run("deploy", *OPTIONS, settings=BOTH) == 0
    assert writes(calls) == []

    capsys.readouterr()
    assert site.run("deploy", *OPTIONS, settings=SETTINGS + MAILS) == 0
    assert "delete backup-config-rules-forwarder the settings do not ask for it" in told(capsys)
    assert parts(site, CENTRAL) == {"event-bus", "mails", "events-everywhere"}
    assert not any(ROLE in roles(site, account) for account in ACCOUNTS)

    assert site.run("undeploy", *OPTIONS, settings=BOTH) == 0
    assert "With the events' goes what sends them" in told(capsys)
    for region in (HOME, OTHER):
        assert [made(site, account, region) for account in ACCOUNTS] == [{}, {}, {}, {}]


def test_what_is_broken_is_told(site: Site, capsys: Any) -> None:
    options = ("--management-profile", "management")
    assert site.run("deploy", *options, settings=BOTH) == 0
    cloudformation = site.client(CENTRAL, "cloudformation")
    cloudformation.delete_stack(StackName=f"{PACK}-insights")
    cloudformation.delete_stack_instances(
        StackSetName=f"{PACK}-events",
        DeploymentTargets={
            "OrganizationalUnitIds": [site.workloads],
            "Accounts": [ANALYTICS],
            "AccountFilterType": "INTERSECTION",
        },
        Regions=[HOME],
        RetainStacks=False,
        CallAs="DELEGATED_ADMIN",
    )
    sqs = site.client(CENTRAL, "sqs")
    (queue,) = (each for each in sqs.list_queues()["QueueUrls"] if "mails-DeadLetters" in each)
    sqs.send_message(QueueUrl=queue, MessageBody="{}")
    capsys.readouterr()

    assert site.run("verify", *options, settings=BOTH) == 1

    problems = told(capsys)
    assert f"Stack {PACK}-insights does not exist." in problems
    assert f"PROBLEM finding events missing in analytics ({ANALYTICS})." in problems
    assert "PROBLEM mails 1 change of compliance could not be told of in any try" in problems


def test_built_in_findings_need_insights_alone(site: Site) -> None:
    linked = f"{SETTINGS}security_hub: built-in\nsecurity_hub_region: {OTHER}\n"
    assert site.run("deploy", *OPTIONS, settings=linked) == 0
    assert parts(site, CENTRAL, OTHER) == {"insights"}
    assert parts(site, CENTRAL, HOME) == set()


def test_security_hubs_administrator_may_be_another_account(site: Site, capsys: Any) -> None:
    """Insights and automation rules go there; a member could make none."""
    site.client(MANAGEMENT, "securityhub").enable_organization_admin_account(AdminAccountId=ANALYTICS)
    with recorded_calls() as calls:
        assert site.run("deploy", settings=BOTH) == 2
    assert f"Name a profile of account {ANALYTICS} with --security-hub-profile." in told(capsys)
    assert writes(calls) == []

    options = ("--security-hub-profile", "analytics")
    assert site.run("deploy", *options, settings=BOTH) == 0
    assert (parts(site, ANALYTICS), parts(site, CENTRAL)) == ({"insights"}, CENTRAL_PARTS - {"insights"})
    assert site.run("undeploy", settings=BOTH) == 0
    assert f"Not looked at: stack {PACK}-insights in another account" in told(capsys)
    assert site.run("undeploy", *options, settings=BOTH) == 0
    assert (parts(site, ANALYTICS), parts(site, CENTRAL)) == (set(), set())


def test_security_hub_that_is_off_is_told_before_anything_is_made(site: Site, capsys: Any) -> None:
    site.client(ALONE, "securityhub").disable_security_hub()
    with recorded_calls() as calls:
        assert site.run("deploy-single-account", profile="alone", settings=BOTH) == 2
    refusal = told(capsys)
    assert f"Security Hub CSPM is off in account {ALONE}, {HOME}." in refusal
    assert f"aws securityhub enable-security-hub --region {HOME}" in refusal
    assert writes(calls) == []


def test_one_account_alone(site: Site) -> None:
    assert site.run("deploy-single-account", profile="alone", settings=BOTH) == 0
    with lambda_runtime(site.url) as runtime:
        evaluate(site, runtime, ALONE)
        with enforced_permissions():
            assert [each.error for each in pump(runtime)] == [None]
    assert [account for account, *_ in findings(site, ALONE)] == [ALONE]
    assert site.run("undeploy", profile="alone", settings=BOTH) == 0
    assert made(site, ALONE) == {}


BY_HAND = {"finding-forwarder", "security-hub", "alerts"}


def test_the_pages_commands_by_hand_run_as_they_stand_and_deploy_leaves_them_alone(site: Site, capsys: Any) -> None:
    """With the real AWS CLI, in the account that owns the pack, after `make deploy`."""
    assert site.run("deploy", settings=SETTINGS) == 0
    pages = [block for page in ("security-hub", "alerts") for block in shell_blocks(ROOT / "docs" / f"{page}.md")]
    command = "\n".join(pages)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_ACCESS_KEY")}
    environment |= {"AWS_PROFILE": "central", "AWS_DEFAULT_REGION": HOME, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(  # noqa: S603 - the commands of our own pages
        ["/bin/bash", "-euc", command], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {f"{PACK}-{part}" for part in BY_HAND} <= set(made(site, CENTRAL))
    assert ROLE in roles(site, PAYMENTS)

    assert site.run("deploy", settings=SETTINGS) == 0
    assert site.run("undeploy", settings=SETTINGS) == 0
    left = told(capsys)
    for part in BY_HAND:
        assert f"Left: stack {PACK}-{part} in {HOME}, which was deployed by hand." in left
    assert f"Left: StackSet {PACK}-finding-events in {HOME}, which was deployed by hand." in left

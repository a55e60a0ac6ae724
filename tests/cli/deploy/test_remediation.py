"""`make deploy` with remediation: what reaches the accounts, that it works there, and that it goes again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_simulator.core.accounts import account_session
from aws_simulator.core.config.service import run_rules
from aws_simulator.core.faults import recorded_calls
from aws_simulator.deployment.authorization import enforced_permissions
from aws_simulator.deployment.lambda_runtime import LambdaRuntime, lambda_runtime
from backup_rules_cli.catalogue import rule_folders
from tests.cli.deploy.site import ALONE, ANALYTICS, CENTRAL, HOME, MANAGEMENT, OTHER, PAYMENTS, Site, deploying, record
from tests.cli.deploy.test_deploy import made, roles, writes

ACCOUNTS = (MANAGEMENT, CENTRAL, PAYMENTS, ANALYTICS)
REGIONS = (HOME, OTHER)
OPTIONS = ("--region", REGIONS[0], "--region", REGIONS[1], "--management-profile", "management")
ROLE, DOCUMENT = "BackupConfigRulesRemediationRole", "BackupConfigRules-TurnOnResourceTypes"
RULE = "BACKUP_SERVICE_OPT_IN"
SETTINGS = "rule_name_prefix: dev-\nrules:\n" + "".join(
    f"  {folder.name}: {'{parameters: {RequiredResourceTypes: FSx}}' if folder.name == RULE else 'off'}\n"
    for folder in rule_folders()
)
ON = f"{SETTINGS}remediation: true\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The organization with a recorder in two Regions."""
    with deploying(tmp_path, monkeypatch) as found:
        for account in ACCOUNTS:
            record(found, account, OTHER)
        yield found


def documents(site: Site, account: str, region: str = HOME) -> set[str]:
    owned = [{"Key": "Owner", "Values": ["Self"]}]
    answer = site.client(account, "ssm", region).list_documents(Filters=owned)["DocumentIdentifiers"]
    return {each["Name"] for each in answer}


def rule_name(site: Site, account: str, region: str = HOME) -> str:
    """The one rule of the pack, as it is called in an account."""
    (rule,) = site.client(account, "config", region).describe_config_rules()["ConfigRules"]
    return str(rule["ConfigRuleName"])


def remediations(site: Site, account: str, region: str = HOME) -> list[dict[str, Any]]:
    """How AWS Config would settle what the rule finds."""
    names = [rule_name(site, account, region)]
    answer = site.client(account, "config", region).describe_remediation_configurations(ConfigRuleNames=names)
    return list(answer["RemediationConfigurations"])


def verdict(site: Site, runtime: LambdaRuntime, account: str) -> str:
    """The rule is due; what it says about the account."""
    name = rule_name(site, account)
    with enforced_permissions():
        (run,) = run_rules(runtime, account, HOME, [name])
    assert not run.failure
    answer = site.client(account, "config").get_compliance_details_by_config_rule(ConfigRuleName=name)
    return str(answer["EvaluationResults"][0]["ComplianceType"])


def leave_out(site: Site, account: str, region: str) -> None:
    """Somebody takes the documents' StackSet out of an account."""
    site.client(CENTRAL, "cloudformation", region).delete_stack_instances(
        StackSetName="backup-config-rules-remediation-documents",
        DeploymentTargets={
            "OrganizationalUnitIds": [site.workloads],
            "Accounts": [account],
            "AccountFilterType": "INTERSECTION",
        },
        Regions=[region],
        RetainStacks=False,
        CallAs="DELEGATED_ADMIN",
    )


def operator(site: Site, account: str) -> Any:
    """AWS Config, as a person reaches it who may start remediations and nothing else."""
    iam, service = site.client(account, "iam"), {"Service": "ec2.amazonaws.com"}
    trust = [{"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}]
    allowed = ["config:StartRemediationExecution", "ssm:StartAutomationExecution", "iam:PassRole"]
    statements = [{"Effect": "Allow", "Action": allowed, "Resource": "*"}]
    iam.create_role(RoleName="Operator", AssumeRolePolicyDocument=policy(trust))
    iam.put_role_policy(RoleName="Operator", PolicyName="start", PolicyDocument=policy(statements))
    return account_session(account, HOME, "Operator", endpoint_url=site.url).client("config", endpoint_url=site.url)


def policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def told(capsys: Any) -> str:
    """What was printed, in one line."""
    return " ".join(capsys.readouterr().out.split())


def test_it_settles_findings_in_every_account_and_goes_with_the_pack(site: Site, capsys: Any) -> None:
    assert site.run("deploy", profile="management", settings=ON) == 0

    for account in ACCOUNTS:
        (remediation,) = remediations(site, account)
        assert (remediation["TargetId"], remediation["Automatic"]) == (DOCUMENT, False)
        role = remediation["Parameters"]["AutomationAssumeRole"]["StaticValue"]["Values"]
        assert role == [f"arn:aws:iam::{account}:role/{ROLE}"]
    with lambda_runtime(site.url) as runtime:
        for account in (PAYMENTS, MANAGEMENT):
            settle(site, runtime, account)

    capsys.readouterr()
    assert site.run("undeploy", profile="management", settings=ON) == 0
    assert "With the remediation's go its documents and its role in every account." in told(capsys)
    for account in ACCOUNTS:
        assert (made(site, account), documents(site, account), ROLE in roles(site, account)) == ({}, set(), False)


def settle(site: Site, runtime: LambdaRuntime, account: str) -> None:
    """In an account, the rule finds something, a person starts the remediation, and the rule finds it settled."""
    config = site.client(account, "config")
    site.client(account, "backup").update_region_settings(ResourceTypeOptInPreference={"FSx": False})
    assert verdict(site, runtime, account) == "NON_COMPLIANT"
    keys = [{"resourceType": "AWS::::Account", "resourceId": account}]
    name, person = rule_name(site, account), operator(site, account)
    with pytest.MonkeyPatch.context() as patch, enforced_permissions():
        patch.delenv("AWS_ENDPOINT_URL")  # it is the deploying person's; the automation runs within the simulation
        started = person.start_remediation_execution(ConfigRuleName=name, ResourceKeys=keys)
    assert started["FailedItems"] == []
    answer = config.describe_remediation_execution_status(ConfigRuleName=name)
    assert [each["State"] for each in answer["RemediationExecutionStatuses"]] == ["SUCCEEDED"]
    assert verdict(site, runtime, account) == "COMPLIANT"


def test_a_delegated_administrator_brings_it_once_and_takes_it_away(site: Site, capsys: Any) -> None:
    assert site.run("deploy", *OPTIONS, settings=ON) == 0
    plan = told(capsys)
    assert "Remediation: documents that a person may start for some findings; nothing starts by itself." in plan
    assert f"{ROLE} in account {MANAGEMENT} and in every account reached assumed by ssm.amazonaws.com when" in plan
    for account in ACCOUNTS:
        assert ROLE in roles(site, account)
        for region in REGIONS:
            assert DOCUMENT in documents(site, account, region)
            assert rule_name(site, account, region).startswith("dev-backup-service-opt-in-conformance-pack-")
            assert [each["TargetId"] for each in remediations(site, account, region)] == [DOCUMENT]
    assert site.run("verify", *OPTIONS, settings=ON) == 1
    assert "remediation" not in told(capsys)

    with recorded_calls() as calls:
        assert site.run("deploy", *OPTIONS, settings=ON) == 0
    assert "Nothing to change." in told(capsys)
    assert writes(calls) == []

    leave_out(site, ANALYTICS, OTHER)
    assert site.run("verify", *OPTIONS, settings=ON) == 1
    assert f"PROBLEM remediation documents missing in analytics ({ANALYTICS})." in told(capsys)

    with recorded_calls() as calls:
        assert site.run("deploy", *OPTIONS, settings=SETTINGS) == 0
    assert "delete backup-config-rules-remediation the settings do not ask for it" in told(capsys)
    assert [call.operation for call in writes(calls) if "Function" in call.operation] == []
    for account in ACCOUNTS:
        assert ROLE not in roles(site, account)
        for region in REGIONS:
            assert documents(site, account, region) == set()
            assert remediations(site, account, region) == []
    assert not any("remediation" in name for each in (CENTRAL, MANAGEMENT) for name in made(site, each))


def test_one_account_alone(site: Site) -> None:
    assert site.run("deploy-single-account", profile="alone", settings=ON) == 0
    assert DOCUMENT in documents(site, ALONE)
    assert ROLE in roles(site, ALONE)

    assert site.run("deploy-single-account", profile="alone", settings=SETTINGS) == 0
    assert (documents(site, ALONE), ROLE in roles(site, ALONE)) == (set(), False)


def test_a_second_pack_needs_a_role_of_its_own(site: Site, capsys: Any) -> None:
    site.client(CENTRAL, "iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}")

    assert site.run("deploy", settings=ON) == 2

    refusal = capsys.readouterr().err
    assert f"Role {ROLE} exists already in account {CENTRAL}, and stack backup-config-rules-remediation" in refusal
    assert "for remediation another remediation_role_name" in refusal
    mender = f"{ON}remediation_role_name: Mender\n"
    assert site.run("deploy", "--plan", *OPTIONS, settings=mender) == 0


def test_the_role_comes_before_the_pack_into_the_management_account(site: Site, capsys: Any) -> None:
    """AWS Config wants it there, whether or not the pack reaches that account."""
    with recorded_calls() as calls:
        assert site.run("deploy", settings=ON) == 2
    assert f"remediation: true needs role {ROLE} in management account {MANAGEMENT}, too" in capsys.readouterr().err
    assert writes(calls) == []

    assert site.run("deploy", *OPTIONS, settings=f"{ON}excluded_accounts: [{MANAGEMENT}]\n") == 0
    assert ROLE in roles(site, MANAGEMENT)
    assert site.client(MANAGEMENT, "config").describe_config_rules()["ConfigRules"] == []
    assert [each["TargetId"] for each in remediations(site, PAYMENTS)] == [DOCUMENT]

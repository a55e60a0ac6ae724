"""From the package to verdicts in every account, and back to the person who deployed.

`make deploy` brings the pack to a simulated organization; the AWS CLI makes one of the stacks. AWS Config invokes the
deployed zips, unpacked in interpreters that see nothing of the checkout, for every account, with permissions enforced.
Then something is broken at a time, and has to be told.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aws_simulator.core.config.service import RuleRun, run_rules
from aws_simulator.core.faults import denied, failing, recorded_calls
from aws_simulator.deployment.authorization import enforced_permissions
from aws_simulator.deployment.lambda_runtime import LambdaRuntime, lambda_runtime
from backup_rules_cli.catalogue import ROOT, rule_folders
from tests.cli.deploy.site import ALONE, ANALYTICS, CENTRAL, HOME, MANAGEMENT, PAYMENTS, Site, deploying

ACCOUNTS = (MANAGEMENT, CENTRAL, PAYMENTS, ANALYTICS)
ROLE = "BackupConfigRulesMemberRole"
ASSUMABLE = "backup-role-assumable"
SELECTION = "AWS::Backup::BackupSelection"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


@dataclass
class Deployed:
    """The organization with the pack in it, and the simulated Lambda service that runs its functions."""

    site: Site
    runtime: LambdaRuntime
    selections: dict[tuple[str, str], str] = field(default_factory=dict)
    """Config's ids of the selections, by account and name."""

    def evaluate(self, account: str, *rules: str) -> list[RuleRun]:
        """AWS Config's schedule is due for these rules of the pack, or all."""
        names = self.rule_names(account)
        with enforced_permissions():
            return run_rules(self.runtime, account, HOME, [names[rule] for rule in rules or names])

    def rule_names(self, account: str) -> dict[str, str]:
        """The names of the rules in an account, by those that the template gives them."""
        found = self.site.client(account, "config").get_paginator("describe_config_rules").paginate()
        names = [rule["ConfigRuleName"] for page in found for rule in page["ConfigRules"]]
        return {name.split("-conformance-pack-")[0]: name for name in names}

    def verdicts(self, account: str, rule: str) -> dict[str, str]:
        """Compliance by resource id, as the Config API of the account answers it."""
        answer = self.site.client(account, "config").get_compliance_details_by_config_rule(
            ConfigRuleName=self.rule_names(account)[rule]
        )
        return {
            each["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"]: each["ComplianceType"]
            for each in answer["EvaluationResults"]
        }


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """All rules, in all accounts of the organization; every account has a healthy selection and a broken one."""
    with (
        pytest.MonkeyPatch.context() as patch,
        deploying(tmp_path_factory.mktemp("site"), patch) as site,
        lambda_runtime(site.url) as runtime,
    ):
        made = Deployed(site, runtime)
        for account in ACCOUNTS:
            plant(made, account)
        member_role_by_cli(site)
        assert site.run("deploy", "--management-profile", "management") == 0
        yield made


def plant(made: Deployed, account: str) -> None:
    """A plan with a healthy selection, and with one whose role does not exist."""
    site = made.site
    site.client(account, "iam").create_role(RoleName="BackupRole", AssumeRolePolicyDocument=json.dumps(TRUST))
    backup = site.client(account, "backup")
    backup.create_backup_vault(BackupVaultName="Default")
    rules = [{"RuleName": "daily", "TargetBackupVaultName": "Default"}]
    plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": "nightly", "Rules": rules})["BackupPlanId"]
    tag = {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "true"}
    for name, role in (("healthy", "BackupRole"), ("broken", "NoSuchRole")):
        selection = {"SelectionName": name, "IamRoleArn": f"arn:aws:iam::{account}:role/{role}", "ListOfTags": [tag]}
        answer = backup.create_backup_selection(BackupPlanId=plan, BackupSelection=selection)
        made.selections[account, name] = f"{answer['SelectionId']}_{plan}"


def member_role_by_cli(site: Site) -> None:
    """The AWS CLI deploys the member role of the management account, as docs/deploying.md says."""
    organization = site.client(MANAGEMENT, "organizations").describe_organization()["Organization"]["Id"]
    parameters = {
        "MemberRoleName": ROLE,
        "CentralAccountId": CENTRAL,
        "FunctionRoleName": "BackupConfigRulesFunctions",
        "OrganizationId": organization,
    }
    command = [
        *(str(Path(sys.executable).parent / "aws"), "cloudformation", "deploy"),
        *("--template-file", str(ROOT / "cloudformation" / "member-role.yaml")),
        *("--stack-name", "backup-config-rules-member-role", "--capabilities", "CAPABILITY_NAMED_IAM"),
        *("--profile", "management", "--region", HOME, "--endpoint-url", site.url),
        *("--parameter-overrides", *(f"{key}={value}" for key, value in parameters.items())),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - the project's own aws
    assert done.returncode == 0, done.stdout + done.stderr


def failures(runs: Sequence[RuleRun]) -> dict[str, str]:
    """Why rules failed, by their names in the template."""
    return {run.rule.split("-conformance-pack-")[0]: run.failure for run in runs if run.failure}


def messages(made: Deployed, queue: str) -> list[dict[str, Any]]:
    """What lies in a queue of the account that owns the pack; it stays there."""
    client = made.site.client(CENTRAL, "sqs")
    url = client.get_queue_url(QueueName=queue)["QueueUrl"]
    answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return [json.loads(each["Body"]) for each in answer.get("Messages", [])]


def told(capsys: Any) -> str:
    """What was printed, in one line."""
    return " ".join(capsys.readouterr().out.split())


def verify(made: Deployed) -> int:
    return made.site.run("verify", "--management-profile", "management")


@pytest.mark.slow
def test_verdicts_arrive_in_every_account_and_verify_says_that_all_is_well(deployed: Deployed, capsys: Any) -> None:
    assert verify(deployed) == 1
    assert "No rule was evaluated in 4 accounts" in told(capsys)

    for account in ACCOUNTS:
        runs = deployed.evaluate(account)
        assert failures(runs) == {}
        assert len(runs) == len(rule_folders())
        expected = {
            deployed.selections[account, "healthy"]: "COMPLIANT",
            deployed.selections[account, "broken"]: "NON_COMPLIANT",
        }
        assert deployed.verdicts(account, ASSUMABLE) == expected

    assert verify(deployed) == 0
    assert "All is well: 4 accounts, 1 Region." in told(capsys)


def test_the_functions_keep_what_cannot_change_of_each_account_apart(deployed: Deployed) -> None:
    storage = deployed.site.client(CENTRAL, "s3")
    (bucket,) = [each["Name"] for each in storage.list_buckets()["Buckets"] if each["Name"].startswith("backup-rules-")]
    for account in ACCOUNTS:
        deployed.evaluate(account, "backup-selection-not-empty")
    keys = {each["Key"] for each in storage.list_objects_v2(Bucket=bucket)["Contents"]}
    assert keys == {f"{account}/{HOME}.json.gz" for account in ACCOUNTS}
    with recorded_calls() as calls:
        assert failures(deployed.evaluate(PAYMENTS, "backup-selection-not-empty")) == {}
    asked = [call.operation for call in calls if call.account == PAYMENTS and call.service == "backup"]
    assert asked == ["ListBackupPlans", "ListBackupSelections"]


def test_deploying_again_changes_nothing_not_even_what_the_cli_made(deployed: Deployed, capsys: Any) -> None:
    assert deployed.site.run("deploy", "--management-profile", "management") == 0

    plan = told(capsys)
    assert "leave backup-config-rules-member-role in account 999988887777" in plan
    assert "Nothing to change." in plan


def test_a_member_role_that_is_deleted_is_told(deployed: Deployed, capsys: Any) -> None:
    iam = deployed.site.client(ANALYTICS, "iam")
    (policy,) = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    document = iam.get_role_policy(RoleName=ROLE, PolicyName=policy)["PolicyDocument"]
    trust = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    before = deployed.verdicts(ANALYTICS, ASSUMABLE)
    iam.delete_role_policy(RoleName=ROLE, PolicyName=policy)
    iam.delete_role(RoleName=ROLE)

    runs = deployed.evaluate(ANALYTICS, ASSUMABLE, "backup-vault-usable")

    assert failures(runs).keys() == {ASSUMABLE, "backup-vault-usable"}
    assert deployed.verdicts(ANALYTICS, ASSUMABLE) == before
    assert failures(deployed.evaluate(PAYMENTS, ASSUMABLE)) == {}
    assert verify(deployed) == 1
    text = told(capsys)
    assert f"BACKUP_ROLE_ASSUMABLE It fails in analytics ({ANALYTICS}): " in text
    assert f"is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::{ANALYTICS}:role/{ROLE}" in text
    assert f"BACKUP_VAULT_USABLE It fails in analytics ({ANALYTICS}): " in text
    assert "payments (111122223333): " not in text
    assert "PROBLEM failure queue 2 events failed at every try" in text
    kept = messages(deployed, "backup-config-rules-failures")
    assert {(each["account"], each["condition"], each["tries"]) for each in kept} == {
        (ANALYTICS, "RetriesExhausted", 3)
    }
    assert {each["function"].split(":")[6] for each in kept} == {
        f"backup-config-rules-{ASSUMABLE}",
        "backup-config-rules-backup-vault-usable",
    }
    assert "token" not in json.dumps(kept).lower()

    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName=ROLE, PolicyName=policy, PolicyDocument=json.dumps(document))
    assert failures(deployed.evaluate(ANALYTICS, ASSUMABLE, "backup-vault-usable")) == {}
    assert verify(deployed) == 1
    assert "It fails in" not in told(capsys)


def test_a_permission_that_is_taken_away_is_told_by_name(deployed: Deployed, capsys: Any) -> None:
    iam = deployed.site.client(PAYMENTS, "iam")
    (policy,) = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    document = iam.get_role_policy(RoleName=ROLE, PolicyName=policy)["PolicyDocument"]
    without = json.dumps(document).replace('"iam:GetRole", ', "")
    assert without != json.dumps(document)
    iam.put_role_policy(RoleName=ROLE, PolicyName=policy, PolicyDocument=without)

    runs = deployed.evaluate(PAYMENTS, ASSUMABLE, "backup-selection-not-empty")

    assert failures(runs).keys() == {ASSUMABLE}
    assert verify(deployed) == 1
    text = told(capsys)
    assert f"BACKUP_ROLE_ASSUMABLE It fails in payments ({PAYMENTS}): " in text
    assert "The role that reads this account needs iam:GetRole." in text

    iam.put_role_policy(RoleName=ROLE, PolicyName=policy, PolicyDocument=json.dumps(document))
    assert failures(deployed.evaluate(PAYMENTS, ASSUMABLE)) == {}


def test_a_layer_that_is_gone_is_told_though_the_function_cannot_log(deployed: Deployed, capsys: Any) -> None:
    function = f"backup-config-rules-{ASSUMABLE}"
    client = deployed.site.client(CENTRAL, "lambda")
    layers = [layer["Arn"] for layer in client.get_function_configuration(FunctionName=function)["Layers"]]
    client.update_function_configuration(FunctionName=function, Layers=[])

    runs = deployed.evaluate(CENTRAL, ASSUMABLE)

    assert "No module named 'backup_rules'" in failures(runs)[ASSUMABLE]
    assert verify(deployed) == 1
    text = told(capsys)
    assert re.search(
        r"BACKUP_ROLE_ASSUMABLE \d+ invocations? of its function failed within 48 hours, and none has", text
    )
    assert "PROBLEM failure queue" in text

    client.update_function_configuration(FunctionName=function, Layers=layers)
    assert failures(deployed.evaluate(CENTRAL, ASSUMABLE)) == {}


def test_a_pack_of_one_account_goes_all_the_way_too(deployed: Deployed, capsys: Any) -> None:
    plant(deployed, ALONE)
    rules = "".join(f"  {folder.name}: off\n" for folder in rule_folders() if folder.config_rule_name != ASSUMABLE)
    settings = f"rules:\n{rules}"
    assert deployed.site.run("deploy-single-account", profile="alone", settings=settings) == 0

    assert failures(deployed.evaluate(ALONE)) == {}

    assert deployed.verdicts(ALONE, ASSUMABLE) == {
        deployed.selections[ALONE, "healthy"]: "COMPLIANT",
        deployed.selections[ALONE, "broken"]: "NON_COMPLIANT",
    }
    found = {name: answers(deployed, name) for name in ("findings", "plans-and-selections", "resources", "packs")}
    assert {name: [row["configuration"]["targetResourceId"] for row in rows] for name, rows in found.items()} == {
        "findings": [deployed.selections[ALONE, "broken"]],
        "plans-and-selections": [deployed.selections[ALONE, "broken"]],
        "resources": [],
        "packs": [],
    }
    capsys.readouterr()
    assert deployed.site.run("verify", profile="alone", settings=settings) == 0
    assert "All is well: 1 account, 1 Region." in told(capsys)


def test_strangers_may_not_invoke_the_functions_and_where_they_may_they_count_for_nothing(
    deployed: Deployed, capsys: Any
) -> None:
    """By default the accounts reached are admitted by name; `open` admits all, and what strangers do is no failure."""
    options = ("--management-profile", "management")
    function = f"arn:aws:lambda:{HOME}:{CENTRAL}:function:backup-config-rules-{ASSUMABLE}"
    rule = {
        "ConfigRuleName": "strangers",
        "Source": {
            "Owner": "CUSTOM_LAMBDA",
            "SourceIdentifier": function,
            "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}],
        },
    }
    stranger = deployed.site.client(ALONE, "config")
    with pytest.raises(stranger.exceptions.InsufficientPermissionsException):
        stranger.put_config_rule(ConfigRule=rule)

    assert deployed.site.run("deploy", *options, settings="invoke_permission: open\n") == 0
    assert "delete backup-config-rules-invoke-permissions the settings do not ask for it" in told(capsys)
    stranger.put_config_rule(ConfigRule=rule)
    with enforced_permissions():
        (refused,) = run_rules(deployed.runtime, ALONE, HOME, ["strangers"])
    invocation, *again = refused.tries
    assert not again, invocation.error
    assert invocation.error is None, "no alarm on errors, no second try, nothing in the failure queue"
    (line,) = [json.loads(each) for each in invocation.log_lines if "stranger refused" in each]
    assert (line["account"], line["reason"]) == (ALONE, f"Account {ALONE} is not of this organization.")
    assert failures(deployed.evaluate(PAYMENTS, ASSUMABLE)) == {}
    with failing(denied, "sts", "AssumeRole"):
        told_loudly = failures(deployed.evaluate(PAYMENTS, ASSUMABLE))
    assert "sts:AssumeRole" in told_loudly[ASSUMABLE], "of the organization's own accounts a missing role is a failure"
    assert failures(deployed.evaluate(PAYMENTS, ASSUMABLE)) == {}
    deployed.site.run("verify", *options)
    text = told(capsys)
    assert ALONE not in text
    assert "BACKUP_ROLE_ASSUMABLE It fails" not in text
    stranger.delete_config_rule(ConfigRuleName="strangers")

    assert deployed.site.run("deploy", *options) == 0
    assert "create backup-config-rules-invoke-permissions" in told(capsys)
    assert failures(deployed.evaluate(PAYMENTS, ASSUMABLE)) == {}
    with pytest.raises(stranger.exceptions.InsufficientPermissionsException):
        stranger.put_config_rule(ConfigRule=rule)
    assert deployed.site.run("deploy", *options) == 0
    assert "Nothing to change." in told(capsys)


def answers(deployed: Deployed, query: str) -> list[dict[str, Any]]:
    """What a stored query of the account alone answers."""
    config = deployed.site.client(ALONE, "config")
    stored = config.get_stored_query(QueryName=f"backup-config-rules-{query}")["StoredQuery"]
    rows = config.select_resource_config(Expression=stored["Expression"])["Results"]
    return [json.loads(row) for row in rows]

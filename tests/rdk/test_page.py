"""The commands of docs/rdk.md, run by the real `rdk` and `aws` against the simulator, section by section."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from aws_simulator.core.accounts import account_session
from aws_simulator.core.config import result_token
from aws_simulator.core.messages.config_events import scheduled_event
from aws_simulator.core.organizations import account_ids
from aws_simulator.core.tagging import tag_resource
from aws_simulator.deployment.authorization import enforced_permissions
from aws_simulator.deployment.lambda_runtime import lambda_runtime
from aws_simulator.server import serving
from backup_rules_cli.catalogue import ROOT, rule_folders
from backup_rules_cli.package import package
from backup_rules_cli.rdk_copy import copy_rules
from tests.rdk.test_settings import RULE_SETS

ACCOUNT = "123456789012"
"""That of the credentials that the page exports."""
MEMBER, EXCLUDED = "222233334444", "111122223333"
REGION = "eu-west-1"
RDK = f"# RDK {version('rdk').partition('.')[0]}\n"
PREFIX = "RDK-Rule-Function-"
LAYER = "backup-config-rules"


@cache
def sections() -> dict[str, list[str]]:
    """The blocks of commands by their heading, without those for the other version of RDK."""
    page = (ROOT / "docs" / "rdk.md").read_text(encoding="utf-8")
    found = {}
    for part in page.split("\n## ")[1:]:
        blocks = re.findall(r"^```sh\n(.*?)^```", part, re.DOTALL | re.MULTILINE)
        found[part.partition("\n")[0]] = [
            each for each in blocks if not each.startswith("# RDK ") or each.startswith(RDK)
        ]
    return {heading: blocks for heading, blocks in found.items() if blocks}


@dataclass(frozen=True)
class Desk:
    """A folder in which the commands are typed, and the simulator that they talk to."""

    folder: Path
    url: str

    def type_in(self, heading: str) -> str:
        """Run the section's blocks in order, each from the project's folder; what they print."""
        return "".join(self.run(block) for block in sections()[heading])

    def run(self, block: str) -> str:
        """Run one block from the project's folder; what it prints."""
        commands = "\n".join(line for line in block.splitlines() if not line.startswith("make "))
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'layer'}:{ROOT / 'tests' / 'rdk' / 'no_waiting'}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "simulated",
            "AWS_SECRET_ACCESS_KEY": "simulated",
            **({"AWS_ENDPOINT_URL": self.url} if self.url else {}),
        }
        done = subprocess.run(  # noqa: S603 - the commands of our own page
            ["/bin/bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout

    def client(self, service: str, region: str = REGION) -> Any:
        return account_session(ACCOUNT, region).client(service, region_name=region)

    def rules(self) -> set[str]:
        """The names of the Config rules."""
        pages = self.client("config").get_paginator("describe_config_rules").paginate()
        return {each["ConfigRuleName"] for page in pages for each in page["ConfigRules"]}

    def functions(self, region: str = REGION) -> dict[str, dict[str, Any]]:
        """The functions that RDK has deployed, by the name of the rule without underscores."""
        pages = self.client("lambda", region).get_paginator("list_functions").paginate()
        found = (each for page in pages for each in page["Functions"])
        return {each["FunctionName"].removeprefix(PREFIX): each for each in found}


def alike(*rules: str) -> set[str]:
    """The names of rules as RDK puts them into those of stacks and functions."""
    return {rule.replace("_", "") for rule in rules}


ALL = alike(*(folder.name for folder in rule_folders()))
TAGS = alike("BACKUP_TAG_CASE", "BACKUP_TAG_WHITESPACE")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """What `make package` makes is there, a copy of the rules, and a simulation with nothing in it."""
    for name in ("rules", "rdk-config"):
        (tmp_path / name).symlink_to(ROOT / name)
    package(tmp_path / "build" / "package")
    copy_rules(tmp_path / "build" / "rdk")
    with serving() as url:
        yield Desk(tmp_path, url.replace("127.0.0.1", "localhost"))


@pytest.fixture
def prepared(desk: Desk) -> Desk:
    """The bucket for code is there that `rdk init` makes, and the layer is published."""
    bucket = f"config-rule-code-bucket-{ACCOUNT}-{REGION}"
    desk.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    layer = (desk.folder / "build" / "package" / "layer.zip").read_bytes()
    desk.client("lambda").publish_layer_version(LayerName=LAYER, Content={"ZipFile": layer})
    return desk


def test_the_rules_are_tested(tmp_path: Path) -> None:
    (tmp_path / "rules").symlink_to(ROOT / "rules")
    printed = Desk(tmp_path, url="").type_in("Test the rules")
    assert printed.splitlines()[0].split() == ["RuleSets:", *RULE_SETS]
    assert "Testing BACKUP_TAG_CASE\n" in printed
    assert "Testing BACKUP_TAG_WHITESPACE\n" in printed


def test_one_account(desk: Desk) -> None:
    """To the end: the deployed function runs in an interpreter of its own, under the role that RDK has made."""
    tag_resource(ACCOUNT, REGION, f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-0abc", {"Backup": "true"})
    select_by_tag(desk)
    desk.type_in("Make a copy to work in")
    desk.type_in("Deploy to one account")
    assert set(desk.functions()) == ALL
    assert desk.rules() == {folder.name for folder in rule_folders()}
    layer = desk.client("lambda").list_layer_versions(LayerName=LAYER)["LayerVersions"][0]
    function = desk.functions()["BACKUPTAGCASE"]
    assert [each["Arn"] for each in function["Layers"]] == [layer["LayerVersionArn"]]
    assert function["Timeout"] == 900
    events = [event("BACKUP_TAG_CASE", parameters, desk) for parameters in ({}, {"AssumeRoleMode": "false"})]
    with lambda_runtime(desk.url) as runtime, enforced_permissions():
        for each in events:
            found = runtime.invoke(
                function["FunctionArn"], each, principal="config.amazonaws.com", source_account=ACCOUNT
            )
            assert found.error is None, found
            assert found.payload["evaluations"] == {"NON_COMPLIANT": 2}
    desk.type_in("Remove what was deployed")
    assert not desk.functions()
    assert not desk.rules()


def select_by_tag(desk: Desk) -> None:
    backup = desk.client("backup")
    rule = {"RuleName": "daily", "TargetBackupVaultName": "Default"}
    plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": "nightly", "Rules": [rule]})["BackupPlanId"]
    tag = {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "true"}
    role = f"arn:aws:iam::{ACCOUNT}:role/BackupRole"
    selection = {"SelectionName": "tagged", "IamRoleArn": role, "ListOfTags": [tag]}
    backup.create_backup_selection(BackupPlanId=plan, BackupSelection=selection)


def event(rule: str, parameters: dict[str, str], desk: Desk) -> dict[str, Any]:
    """As AWS Config sends it: with the role of the account's recorder."""
    (recorder,) = desk.client("config").describe_configuration_recorders()["ConfigurationRecorders"]
    return scheduled_event(
        rule_name=rule,
        account=ACCOUNT,
        region=REGION,
        token=result_token(ACCOUNT, REGION, rule),
        parameters=parameters,
        execution_role_arn=recorder["roleARN"],
        now=datetime.now(UTC),
    )


def test_several_regions(desk: Desk) -> None:
    deploy, undeploy = sections()["Deploy to several Regions"]
    desk.run(deploy)
    for region in ("eu-central-1", "eu-west-1"):
        assert set(desk.functions(region)) == TAGS
        (layer,) = desk.functions(region)["BACKUPTAGCASE"]["Layers"]
        assert f":{region}:" in layer["Arn"]
    desk.run(undeploy)
    for region in ("eu-central-1", "eu-west-1"):
        assert not desk.functions(region)


def test_functions_in_one_account_and_rules_in_another(prepared: Desk) -> None:
    prepared.type_in("Functions in one account, rules in another")
    assert set(prepared.functions()) == ALL
    assert all(function["Layers"] for function in prepared.functions().values())
    assert prepared.rules() == {folder.name for folder in rule_folders()}
    (rule,) = prepared.client("config").describe_config_rules(ConfigRuleNames=["BACKUP_TAG_CASE"])["ConfigRules"]
    assert json.loads(rule["InputParameters"]) == {"ExecutionRoleName": "BackupConfigRulesMemberRole"}


def test_organization_rules(prepared: Desk, organization: list[str]) -> None:
    """In the members, while they are deployed; RDK leaves nothing behind."""
    deploy, undeploy = sections()["As organization rules"]
    prepared.run(deploy)
    tags_and_schedule = RULE_SETS["tags"] + RULE_SETS["schedule"]
    assert set(prepared.functions()) == alike(*tags_and_schedule)
    for member in organization:
        config = account_session(member, REGION).client("config", region_name=REGION)
        rules = {each["ConfigRuleName"]: each for each in config.describe_config_rules()["ConfigRules"]}
        made = set() if member == EXCLUDED else set(tags_and_schedule)
        assert {name.removeprefix("OrgConfigRule-")[:-9] for name in rules} == made
        for rule in rules.values():
            assert [each["MessageType"] for each in rule["Source"]["SourceDetails"]] == ["ScheduledNotification"]
    prepared.run(undeploy)
    assert not prepared.functions()
    assert not prepared.rules()


@pytest.fixture
def organization(prepared: Desk) -> list[str]:
    """The account manages an organization; all accounts but the excluded one have a running recorder."""
    client = prepared.client("organizations")
    client.create_organization(FeatureSet="ALL")
    with account_ids([MEMBER, EXCLUDED]):
        for name in ("member", "excluded"):
            client.create_account(AccountName=name, Email=f"{name}@example.com")
    for account in (ACCOUNT, MEMBER):
        config = account_session(account, REGION).client("config", region_name=REGION)
        role = f"arn:aws:iam::{account}:role/rdk/config-role"
        config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "config-bucket"})
        config.start_configuration_recorder(ConfigurationRecorderName="default")
    return [ACCOUNT, MEMBER, EXCLUDED]


def test_terraform(prepared: Desk) -> None:
    prepared.type_in("As Terraform")
    folder = prepared.folder / "build" / "rdk"
    if RDK.startswith("# RDK 0"):
        found = {path.parent.name for path in folder.glob("*/*_rule.tf")}
    else:
        found = {path.stem for path in (folder / "terraform_rdk_rules").glob("BACKUP_*.tf")}
    assert alike(*found) == ALL


def test_every_section_with_commands_is_run_by_a_test() -> None:
    """And no other: a heading that changes here and not there would leave its commands untested."""
    typed = re.findall(r'(?:type_in\(|sections\(\)\[)"([^"]*)"', Path(__file__).read_text(encoding="utf-8"))
    assert set(typed) == set(sections())

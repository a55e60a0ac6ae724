"""Every block of commands on every page is run, by the real AWS CLI and the commands, or says why not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from aws_simulator.core.organizations import account_ids
from backup_rules_cli.catalogue import ROOT
from backup_rules_cli.main import main
from tests.blocks import Block, blocks, run
from tests.front_door import ACCOUNT, REGION, Door, front_door
from tests.organization import MANAGEMENT, Organization, assigned, policy_plan
from tests.test_pages import pages

BLOCKS = [block for page in pages() for block in blocks(page)]
# Blocks that are typed in the management account; all others in a member.
IN_MANAGEMENT = (
    "rules/BACKUP_POLICY_ATTACHED/README.md:1",
    "rules/BACKUP_POLICY_VALID/README.md:1",
    "rules/BACKUP_POLICY_VALID/README.md:2",
    "rules/BACKUP_POLICY_VAULT_NAME_CASE/README.md:1",
    "docs/deploying.md:2",
)
PLAN_JSON = "plan.json"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Door, Path, dict[str, str]]]:
    """An organization with all that the pages name: the door, the folder to type in, and what is called otherwise."""
    folder = tmp_path_factory.mktemp("typed")
    with front_door() as door, pytest.MonkeyPatch.context() as patch:
        organization = Organization.of(door)
        management = organization.management.client("organizations")
        policy = json.dumps(assigned({"plans": {"nightly": policy_plan()}}))
        made = management.create_policy(Name="nightly", Description="", Type="BACKUP_POLICY", Content=policy)
        with account_ids(["444455556666"]):
            management.create_account(AccountName="security", Email="security@example.com")
        door.evaluate("BACKUP_TAG_CASE")
        documents(folder)
        (folder / "policy.json").write_text(policy, encoding="utf-8")
        door.role()
        plan = door.plan("nightly")
        door.selection(plan, "databases")
        door.client("rds").create_db_instance(
            DBInstanceIdentifier="orders-db",
            DBInstanceClass="db.t3.micro",
            Engine="postgres",
            Tags=[{"Key": "backup", "Value": "true"}],
        )
        door.client("s3").create_bucket(Bucket="invoices", CreateBucketConfiguration={"LocationConstraint": REGION})
        key = door.client("kms").create_key()["KeyMetadata"]["KeyId"]
        door.client("kms").schedule_key_deletion(KeyId=key)
        door.client("backup").create_backup_vault(BackupVaultName="guarded")
        door.client("backup").put_backup_vault_access_policy(BackupVaultName="guarded", Policy="{}")
        system = door.client("fsx").create_file_system(
            FileSystemType="WINDOWS",
            StorageCapacity=300,
            SubnetIds=["subnet-0123456789abcdef0"],
            WindowsConfiguration={"ThroughputCapacity": 8},
        )["FileSystem"]["FileSystemId"]
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
        patch.setenv("AWS_PAGER", "")
        patch.chdir(folder)
        yield door, folder, {
            "r-examplerootid": organization.root,
            "p-examplepolicyid": made["Policy"]["PolicySummary"]["Id"],
            "0d4f2c1e-5b7a-4c3d-9e8f-444455556666": plan,
            "PLAN_ID": plan,
            "KEY_ID": key,
            "fs-0123456789abcdef0": system,
            "get-backup-vault-access-policy --backup-vault-name main": "get-backup-vault-access-policy"
            " --backup-vault-name guarded",
            "cloudformation/": f"{ROOT}/cloudformation/",
        }  # fmt: skip


def documents(folder: Path) -> None:
    """What `check` is given on its page: a template with its parameters, and policies of an organization."""
    for name in ("root", "ou", "account"):
        policy = assigned({"plans": {f"nightly-of-{name}": policy_plan()}})
        (folder / f"{name}.json").write_text(json.dumps(policy), encoding="utf-8")
    rule = {"RuleName": "daily", "TargetBackupVault": "Default", "ScheduleExpression": {"Ref": "Schedule"}}
    plan = {"BackupPlanName": "nightly", "BackupPlanRule": [rule]}
    template = {
        "Parameters": {"Schedule": {"Type": "String", "Default": "cron(0 5 ? * * *)"}},
        "Resources": {"Nightly": {"Type": "AWS::Backup::BackupPlan", "Properties": {"BackupPlan": plan}}},
    }
    (folder / "templates").mkdir()
    for path in ("template.yaml", "templates/nightly.yaml"):
        (folder / path).write_text(json.dumps(template), encoding="utf-8")  # JSON is YAML
    (folder / "production.json").write_text(json.dumps({"Schedule": "cron(0 3 ? * * *)"}), encoding="utf-8")


def sign_in(door: Door, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The door's credentials in the environment, and those of the profiles that the pages name."""
    credentials = door.session.get_credentials().get_frozen_credentials()
    keys = {
        "aws_access_key_id": credentials.access_key,
        "aws_secret_access_key": credentials.secret_key,
        "aws_session_token": credentials.token,
    }
    for name, value in keys.items():
        monkeypatch.setenv(name.upper(), value)
    lines = "".join(f"{name} = {value}\n" for name, value in keys.items())
    (folder / "config").write_text(f"[profile payments]\nregion = {REGION}\n{lines}", encoding="utf-8")


RUN = [each for each in BLOCKS if not (each.not_run or each.run_by)]


@pytest.mark.parametrize("page", dict.fromkeys(each.page for each in RUN))
def test_the_blocks_of_a_page_run_in_order(
    stage: tuple[Door, Path, dict[str, str]],
    demo_reading: tuple[Path, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    page: str,
) -> None:
    """A later block may need what an earlier one has made, as for a person who reads the page."""
    door, folder, instead = stage
    named = {"DEMO_READING": str(demo_reading[0]), "CONFIG_RULE_NAME": "backup-tag-case"}
    for block in (each for each in RUN if each.page == page):
        sign_in(door.at(account=MANAGEMENT) if str(block) in IN_MANAGEMENT else door, folder, monkeypatch)
        reading = folder / "payments.json.gz"
        if any(f"--from {reading.name}" in line for line in block.commands) and not reading.exists():
            assert main(["evaluate", "--quiet", "--profile", "payments", "--save", str(reading)]) == 1
        assert block.commands
        if any("enable-policy-type" in line for line in block.commands):
            organizations = door.at(account=MANAGEMENT).client("organizations")
            organizations.disable_policy_type(RootId=instead["r-examplerootid"], PolicyType="BACKUP_POLICY")
        for line in block.commands:
            run(line, folder, named, instead)
            if line.endswith(f"> {PLAN_JSON}"):
                correct(folder / PLAN_JSON)


def correct(path: Path) -> None:
    """What the page asks a person to do with the file before it goes back."""
    plan = json.loads(path.read_text(encoding="utf-8"))
    for rule in plan["Rules"]:
        del rule["RuleId"]
    path.write_text(json.dumps(plan), encoding="utf-8")


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.not_run], ids=str)
def test_what_is_not_run_says_why(block: Block) -> None:
    assert len(block.not_run.split()) > 3


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.run_by], ids=str)
def test_what_is_run_elsewhere_is_run_there(block: Block) -> None:
    """The test names the page, or the rule whose page it is."""
    path = ROOT / block.run_by
    assert path.is_file()
    page = Path(block.page)
    named = page.parent.name if page.name == "README.md" and page.parent.name else page.name
    assert named in path.read_text(encoding="utf-8")


def test_a_program_that_cannot_be_run_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="uv cannot be run here: say why not"):
        run("uv pip compile", tmp_path, {}, {})


@pytest.mark.parametrize("line", ["aws backup get-backup-plan --backup-plan-id gone", "make evaluate REGOIN=eu-west-1"])
def test_a_command_that_fails_is_noticed(
    stage: tuple[Door, Path, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    door, folder, _ = stage
    sign_in(door, folder, monkeypatch)
    with pytest.raises(AssertionError):
        run(line, folder, {}, {})


def test_every_page_was_looked_at() -> None:
    assert len(BLOCKS) > 60
    assert {each.page for each in BLOCKS} >= {"README.md", "docs/rdk.md", "rules/BACKUP_TAG_CASE/README.md"}
    assert ACCOUNT != MANAGEMENT

"""The simulator as a server, seen from the real AWS CLI and from boto3."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from aws_simulator.core import backup, faults
from aws_simulator.core.accounts import account_session
from aws_simulator.core.faults import failing
from aws_simulator.core.operations import page_size
from aws_simulator.server import how_to_use, serving

ACCOUNT, REGION = "123456789012", "eu-west-1"
ORGANIZATION_PLAN = "orgs/0a1b2c3d-0000-4000-8000-000000000001"
PLAN = {"BackupPlanName": "prod", "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "Default"}]}
SELECTION = {
    "SelectionName": "everything",
    "IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/nightly",
    "Resources": ["*"],
}
CLI = Path(sys.executable).with_name("aws")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as url:
        backup.add_plan(ACCOUNT, REGION, PLAN, plan_id=ORGANIZATION_PLAN, selections=[SELECTION])
        backup.add_plan(ACCOUNT, REGION, PLAN | {"BackupPlanName": "efs"}, plan_id="aws/efs/0a1b2c3d")
        yield url


def aws(url: str, *arguments: str) -> Any:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment |= {
        "AWS_ACCESS_KEY_ID": "simulated",
        "AWS_SECRET_ACCESS_KEY": "simulated",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [str(CLI), "--endpoint-url", url, "--output", "json", *arguments]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_the_aws_cli_lists_plans_and_their_selections(url: str) -> None:
    with page_size(1):
        plans = aws(url, "backup", "list-backup-plans")["BackupPlansList"]
    assert [plan["BackupPlanName"] for plan in plans] == ["prod", "efs"]
    selections = aws(url, "backup", "list-backup-selections", "--backup-plan-id", ORGANIZATION_PLAN)
    (selection,) = selections["BackupSelectionsList"]
    assert (selection["SelectionName"], selection["BackupPlanId"]) == ("everything", ORGANIZATION_PLAN)


@pytest.fixture
def client(url: str) -> Any:
    return account_session(ACCOUNT, REGION, endpoint_url=url).client("backup", endpoint_url=url)


@pytest.mark.parametrize("plan_id", [ORGANIZATION_PLAN, "aws/efs/0a1b2c3d"])
def test_ids_with_slashes_arrive_whole(client: Any, plan_id: str) -> None:
    answer = client.get_backup_plan(BackupPlanId=plan_id, MaxScheduledRunsPreview=1)
    assert answer["BackupPlanId"] == plan_id
    assert len(answer["ScheduledRunsPreview"]) == 1
    for member in client.list_backup_selections(BackupPlanId=plan_id)["BackupSelectionsList"]:
        selection = client.get_backup_selection(BackupPlanId=plan_id, SelectionId=member["SelectionId"])
        assert selection["BackupSelection"]["Resources"] == ["*"]
    client.tag_resource(ResourceArn=answer["BackupPlanArn"], Tags={"seen": "yes"})
    assert client.list_tags(ResourceArn=answer["BackupPlanArn"])["Tags"] == {"seen": "yes"}


def test_paths_that_end_in_a_slash_and_those_that_do_not(client: Any) -> None:
    plan_id = client.create_backup_plan(BackupPlan=PLAN | {"BackupPlanName": "made here"})["BackupPlanId"]
    client.update_backup_plan(BackupPlanId=plan_id, BackupPlan=PLAN | {"BackupPlanName": "changed here"})
    selection = client.create_backup_selection(BackupPlanId=plan_id, BackupSelection=SELECTION)
    client.delete_backup_selection(BackupPlanId=plan_id, SelectionId=selection["SelectionId"])
    client.delete_backup_plan(BackupPlanId=plan_id)
    client.create_backup_vault(BackupVaultName="Default")
    client.put_backup_vault_access_policy(BackupVaultName="Default", Policy="{}")
    client.delete_backup_vault_access_policy(BackupVaultName="Default")
    client.delete_backup_vault(BackupVaultName="Default")
    assert client.list_backup_jobs()["BackupJobs"] == []
    client.update_region_settings(ResourceTypeOptInPreference={"EBS": False})
    assert client.describe_region_settings()["ResourceTypeOptInPreference"]["EBS"] is False


def test_accounts_are_kept_apart(url: str, client: Any) -> None:
    other = account_session("444455556666", REGION, endpoint_url=url).client("backup", endpoint_url=url)
    assert other.list_backup_plans()["BackupPlansList"] == []
    assert client.list_backup_plans()["BackupPlansList"] != []


def test_errors_and_faults_reach_the_caller(url: str) -> None:
    session = account_session(ACCOUNT, REGION, endpoint_url=url)
    once = Config(retries={"total_max_attempts": 1})
    client = session.client("backup", endpoint_url=url, config=once)
    with pytest.raises(ClientError, match="Insufficient privileges to perform this action"):
        client.describe_backup_vault(BackupVaultName="missing")
    for fault, code in (
        (faults.denied, "AccessDenied"),
        (faults.throttled, "Thrott"),
        (faults.server_error, "Internal"),
    ):
        with failing(fault, "backup"), pytest.raises(ClientError, match=code):
            client.list_backup_plans()
    with failing(faults.malformed, "backup"):
        assert "BackupPlansList" not in client.list_backup_plans()


def test_it_listens_on_this_machine_only_and_says_how_to_use_it(url: str) -> None:
    assert url.startswith("http://127.0.0.1:")
    assert f"aws --endpoint-url {url} backup list-backup-plans" in how_to_use(url)

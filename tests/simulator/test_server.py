"""The simulator as a server, seen from the real AWS CLI and from boto3."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.moto_api._internal import mock_random

from aws_simulator.core import backup, faults
from aws_simulator.core.accounts import account_session
from aws_simulator.core.faults import failing
from aws_simulator.core.operations import page_size
from aws_simulator.server import how_to_use, new_access_key, serving

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


KEY = new_access_key()
LIST_PLANS = "/backup/plans/"


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """The host and port of a server that demands its key."""
    with serving(access_key=KEY) as url:
        yield url.removeprefix("http://")


def ask(address: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of a request that carries these headers, `_` for `-`."""
    connection = HTTPConnection(address, timeout=30)
    sent = {"Authorization": signed(KEY)} | {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, LIST_PLANS, headers={name: value for name, value in sent.items() if value})
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    connection.close()
    return found


def signed(key: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential={key}/20261127/{REGION}/backup/aws4_request, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:4599"},
        {"Host": "bucket.localhost:4599"},
        {"Host": "[::1]:4599"},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": "same-origin", "Origin": "http://localhost:4599", "Host": "localhost:4599"},
    ],
    ids=lambda headers: " ".join(headers.values()) or "as a program asks",
)
def test_this_machines_programs_are_answered(guarded: str, headers: dict[str, str]) -> None:
    status, answered, body = ask(guarded, **headers)
    assert (status, "BackupPlansList" in body) == (200, True)
    assert not [name for name in answered if name.startswith("access-control-")]


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Host": "example.com"},
        {"Host": "example.com:4599", "Origin": "http://example.com:4599"},
        {"Host": "127.0.0.1.example.com"},
        {"Host": "127.0.0.1@example.com"},
        {"Host": "localhost.example.com"},
        {"Host": "evillocalhost"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=lambda headers: " ".join(headers.values()),
)
def test_pages_of_other_sites_are_not(guarded: str, url: str, method: str, headers: dict[str, str]) -> None:
    for address in (guarded, url.removeprefix("http://")):
        status, answered, body = ask(address, method, **headers)
        assert (status, answered["x-amzn-errortype"]) == (403, "AccessDenied")
        assert "BackupPlansList" not in body
        assert not [name for name in answered if name.startswith("access-control-")]


@pytest.mark.parametrize("authorization", ["", "Basic eDp5", signed("simulated"), signed(KEY[:-1]), signed(KEY + "0")])
def test_without_a_key_of_this_start_nothing_is_answered(guarded: str, authorization: str) -> None:
    status, answered, body = ask(guarded, Authorization=authorization)
    assert (status, answered["x-amzn-errortype"]) == (403, "UnrecognizedClientException")
    assert "BackupPlansList" not in body


@pytest.mark.parametrize("service", ["backup", "config", "ec2", "iam", "s3", "sts"])
def test_the_refusal_has_the_form_of_the_services_errors(guarded: str, service: str) -> None:
    operation = {
        "backup": "list_backup_plans",
        "config": "describe_config_rules",
        "ec2": "describe_volumes",
        "iam": "list_roles",
        "s3": "list_buckets",
        "sts": "get_caller_identity",
    }[service]
    stranger = boto3.client(
        service,
        region_name=REGION,
        endpoint_url=f"http://{guarded}",
        aws_access_key_id="simulated",
        aws_secret_access_key="simulated",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ClientError, match="security token included in the request is invalid") as refused:
        getattr(stranger, operation)()
    assert refused.value.response["Error"]["Code"] == "UnrecognizedClientException"


def test_keys_that_the_simulation_gave_out_are_good_and_cannot_be_guessed(guarded: str) -> None:
    keys = set()
    for _ in range(2):
        mock_random.seed(1)
        credentials = account_session("444455556666", REGION).get_credentials()
        assert credentials is not None
        assert ask(guarded, Authorization=signed(credentials.access_key))[0] == 200
        keys.add(credentials.access_key)
    assert len(keys) == 2


def test_sigterm_ends_it_also_where_sigint_is_ignored() -> None:
    """As in the background of a script, or under nohup."""
    command = [sys.executable, "-m", "aws_simulator.server", "--port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own program
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509 - no threads that hold locks matter here
    ) as server:
        try:
            assert server.stdout is not None
            assert "listens on" in server.stdout.readline()
            server.terminate()
            assert server.wait(timeout=20) == 0
        finally:
            server.kill()

"""Faults, records and page sizes, seen from boto3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from aws_simulator.core import faults
from aws_simulator.core.accounts import account_session
from aws_simulator.core.faults import failing, recorded_calls
from aws_simulator.core.operations import page_size
from aws_simulator.simulation import simulated_aws

ACCOUNT, OTHER_ACCOUNT, REGION = "111122223333", "444455556666", "eu-west-1"
ONCE = Config(retries={"total_max_attempts": 1})

# One operation of each wire protocol: rest-json, json, query.
CALLS = [
    ("backup", "list_backup_plans", "ListBackupPlans", {}),
    ("kms", "list_keys", "ListKeys", {}),
    ("config", "describe_config_rules", "DescribeConfigRules", {}),
    ("resourcegroupstaggingapi", "get_resources", "GetResources", {}),
    ("rds", "describe_db_instances", "DescribeDBInstances", {}),
    ("iam", "get_role", "GetRole", {"RoleName": "nightly"}),
]


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with simulated_aws():
        yield


def client(service: str, account: str = ACCOUNT, region: str = REGION) -> Any:
    return account_session(account, region).client(service, config=ONCE)


def error_of(call: Any, **parameters: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error, metadata = caught.value.response["Error"], caught.value.response["ResponseMetadata"]
    return error["Code"], error["Message"], metadata["HTTPStatusCode"]


@pytest.mark.parametrize(("service", "method", "operation", "parameters"), CALLS)
class TestEveryProtocol:
    def test_denied(self, service: str, method: str, operation: str, parameters: dict[str, Any]) -> None:
        call = getattr(client(service), method)
        with failing(faults.denied, service, operation) as fault:
            code, message, status = error_of(call, **parameters)
        prefix = {"resourcegroupstaggingapi": "tag"}.get(service, service)
        assert code in {"AccessDenied", "AccessDeniedException"}
        assert f"is not authorized to perform: {prefix}:{operation} because no identity-based policy allows" in message
        assert status in {400, 403}
        assert fault.struck == 1

    def test_throttled(self, service: str, method: str, operation: str, parameters: dict[str, Any]) -> None:
        call = getattr(client(service), method)
        with failing(faults.throttled, service):
            code, message, _ = error_of(call, **parameters)
        assert "Thrott" in code
        assert message == "Rate exceeded"

    def test_server_error(self, service: str, method: str, operation: str, parameters: dict[str, Any]) -> None:
        call = getattr(client(service), method)
        with failing(faults.server_error, service, operation):
            assert error_of(call, **parameters)[::2] == ("InternalFailure", 500)

    def test_timeout(self, service: str, method: str, operation: str, parameters: dict[str, Any]) -> None:
        call = getattr(client(service), method)
        with failing(faults.timeout, service, operation), pytest.raises(ReadTimeoutError):
            call(**parameters)

    def test_any_error(self, service: str, method: str, operation: str, parameters: dict[str, Any]) -> None:
        call = getattr(client(service), method)
        with failing(faults.error("Strange", "a < b & c", 418), service, operation):
            assert error_of(call, **parameters) == ("Strange", "a < b & c", 418)


def test_a_malformed_answer_is_cut_off() -> None:
    backup, rds = client("backup"), client("rds")
    backup.create_backup_vault(BackupVaultName="Default")
    with failing(faults.malformed, "backup", "ListBackupVaults"):
        assert "BackupVaultList" not in backup.list_backup_vaults()
    with failing(faults.malformed, "rds"), pytest.raises(Exception, match="Unable to parse response"):
        rds.describe_db_instances()
    assert len(backup.list_backup_vaults()["BackupVaultList"]) == 1


def test_botocore_recovers_from_a_fault_of_the_first_attempt() -> None:
    backup = account_session(ACCOUNT, REGION).client("backup")
    with failing(faults.throttled, "backup", nth={1}) as fault, recorded_calls() as calls:
        assert backup.list_backup_plans()["BackupPlansList"] == []
    assert (fault.seen, fault.struck, len(calls)) == (2, 1, 2)


class TestWhichCallsFail:
    def test_only_those_of_an_account(self) -> None:
        with failing(faults.denied, "backup", account=OTHER_ACCOUNT) as fault:
            client("backup").list_backup_plans()
            with pytest.raises(ClientError, match=OTHER_ACCOUNT):
                client("backup", OTHER_ACCOUNT).list_backup_plans()
        assert fault.struck == 1

    def test_only_those_in_a_region(self) -> None:
        with failing(faults.denied, "backup", region="us-east-1"):
            client("backup").list_backup_plans()
            with pytest.raises(ClientError):
                client("backup", region="us-east-1").list_backup_plans()

    def test_only_an_operation(self) -> None:
        backup = client("backup")
        with failing(faults.denied, "backup", "ListBackupVaults"):
            backup.list_backup_plans()
            with pytest.raises(ClientError):
                backup.list_backup_vaults()

    def test_only_some_parameters(self) -> None:
        backup = client("backup")
        for name in ("one", "two"):
            backup.create_backup_vault(BackupVaultName=name)
        denied = failing(faults.denied, "backup", when=lambda asked: asked["BackupVaultName"] == "two")
        with denied:
            backup.describe_backup_vault(BackupVaultName="one")
            with pytest.raises(ClientError):
                backup.describe_backup_vault(BackupVaultName="two")
        backup.describe_backup_vault(BackupVaultName="two")

    def test_only_the_nth(self) -> None:
        backup = client("backup")
        outcomes = []
        with failing(faults.denied, "backup", nth={2, 4}):
            for _ in range(5):
                try:
                    backup.list_backup_plans()
                    outcomes.append("answered")
                except ClientError:
                    outcomes.append("denied")
        assert outcomes == ["answered", "denied", "answered", "denied", "answered"]

    def test_the_fault_of_the_outer_context_outlives_the_inner(self) -> None:
        backup = client("backup")
        with failing(faults.denied, "backup"):
            with failing(faults.denied, "backup"):
                pass
            with pytest.raises(ClientError):
                backup.list_backup_plans()


class TestRecords:
    def test_who_where_what(self) -> None:
        plan = {"BackupPlanName": "prod", "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "Default"}]}
        backup, tagging = client("backup"), client("resourcegroupstaggingapi", OTHER_ACCOUNT, "us-east-1")
        with recorded_calls() as calls:
            plan_id = backup.create_backup_plan(BackupPlan=plan, CreatorRequestId="once")["BackupPlanId"]
            backup.get_backup_plan(BackupPlanId=plan_id, MaxScheduledRunsPreview=1)
            tagging.get_resources(TagFilters=[{"Key": "backup", "Values": ["true"]}])
        backup.list_backup_plans()
        assert calls == [
            faults.Call(
                ACCOUNT, REGION, "backup", "CreateBackupPlan", {"BackupPlan": plan, "CreatorRequestId": "once"}
            ),
            faults.Call(
                ACCOUNT, REGION, "backup", "GetBackupPlan", {"BackupPlanId": plan_id, "MaxScheduledRunsPreview": 1}
            ),
            faults.Call(
                OTHER_ACCOUNT,
                "us-east-1",
                "resourcegroupstaggingapi",
                "GetResources",
                {"TagFilters": [{"Key": "backup", "Values": ["true"]}]},
            ),
        ]
        assert [call.action for call in calls] == [
            "backup:CreateBackupPlan",
            "backup:GetBackupPlan",
            "tag:GetResources",
        ]

    def test_records_within_records(self) -> None:
        backup = client("backup")
        with recorded_calls() as outer:
            with recorded_calls() as inner:
                backup.list_backup_plans()
            backup.list_backup_vaults()
        assert [len(inner), len(outer)] == [1, 2]

    def test_each_protocol_is_read(self) -> None:
        iam = client("iam")
        with recorded_calls() as calls, pytest.raises(ClientError):
            iam.get_role(RoleName="nightly")
        assert calls[0].parameters == {"RoleName": "nightly"}
        assert calls[0].action == "iam:GetRole"


class TestPageSize:
    def test_motos_own_operations_obey_too(self) -> None:
        iam = client("iam")
        for number in range(3):
            iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument="{}")
        with page_size(2), recorded_calls() as calls:
            listed = list(iam.get_paginator("list_roles").paginate())
        assert [len(page["Roles"]) for page in listed] == [2, 1]
        assert "MaxItems" not in calls[0].parameters

    def test_operations_that_answer_all_at_once_lose_nothing(self) -> None:
        kms = client("kms")
        keys = {kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(3)}
        with page_size(2):
            assert {key["KeyId"] for page in kms.get_paginator("list_keys").paginate() for key in page["Keys"]} == keys

    @pytest.mark.parametrize("size", [0, -1])
    def test_a_page_holds_something(self, size: int) -> None:
        with pytest.raises(ValueError, match="at least 1"), page_size(size):
            pass


class TestKeys:
    """KMS needs nothing beside moto: the states of keys, and key policies that deny."""

    def test_states(self) -> None:
        kms = client("kms")
        key_id = kms.create_key()["KeyMetadata"]["KeyId"]

        def state() -> str:
            return str(kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"])

        assert state() == "Enabled"
        kms.disable_key(KeyId=key_id)
        assert state() == "Disabled"
        kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
        assert state() == "PendingDeletion"

    def test_a_key_policy_denies(self) -> None:
        kms = client("kms")
        policy = (
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", '
            '"Action": "kms:DescribeKey", "Resource": "*"}]}'
        )
        key_id = kms.create_key(Policy=policy)["KeyMetadata"]["KeyId"]
        with pytest.raises(ClientError, match="AccessDeniedException"):
            kms.describe_key(KeyId=key_id)

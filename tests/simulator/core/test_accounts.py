"""Many accounts in one simulation."""

from __future__ import annotations

import json

import boto3
import pytest

from aws_simulator.core.accounts import account_session
from aws_simulator.simulation import simulated_aws

ALLOW = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


@pytest.mark.parametrize(
    ("account", "region", "partition"),
    [
        ("111122223333", "eu-west-1", "aws"),
        ("123456789012", "eu-west-1", "aws"),
        ("111122223333", "cn-north-1", "aws-cn"),
        ("111122223333", "us-gov-west-1", "aws-us-gov"),
    ],
)
def test_a_session_belongs_to_its_account(account: str, region: str, partition: str) -> None:
    with simulated_aws():
        identity = account_session(account, region).client("sts").get_caller_identity()
        assert identity["Account"] == account
        assert identity["Arn"].startswith(f"arn:{partition}:sts::{account}:assumed-role/")


def test_no_account_sees_what_is_anothers() -> None:
    accounts = [f"{number:012}" for number in range(1, 21)]
    with simulated_aws():
        clients = {account: account_session(account, "eu-west-1").client("backup") for account in accounts}
        for account, client in clients.items():
            client.create_backup_vault(BackupVaultName=f"vault-of-{account}")
        for account, client in clients.items():
            (vault,) = client.list_backup_vaults()["BackupVaultList"]
            assert vault["BackupVaultName"] == f"vault-of-{account}"


def test_credentials_end_with_their_simulation() -> None:
    with simulated_aws():
        client = account_session("111122223333", "eu-west-1").client("sts")
    with simulated_aws():
        assert client.get_caller_identity()["Account"] == "123456789012"


def test_every_account_has_the_policies_of_aws_and_keeps_its_own_to_itself() -> None:
    aws_arn = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
    with simulated_aws():
        first, second = (
            account_session(account, "eu-west-1").client("iam") for account in ("111122223333", "444455556666")
        )
        for client in (first, second):
            assert client.get_policy(PolicyArn=aws_arn)["Policy"]["Arn"] == aws_arn
            client.create_role(RoleName="nightly", AssumeRolePolicyDocument="{}")
        first.attach_role_policy(RoleName="nightly", PolicyArn=aws_arn)
        own = first.create_policy(
            PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [ALLOW]})
        )
        first.attach_role_policy(RoleName="nightly", PolicyArn=own["Policy"]["Arn"])

        def attached(client: object) -> int:
            return len(client.list_attached_role_policies(RoleName="nightly")["AttachedPolicies"])  # type: ignore[attr-defined]

        assert (attached(first), attached(second)) == (2, 0)
        assert second.list_policies(Scope="Local")["Policies"] == []
        with pytest.raises(second.exceptions.NoSuchEntityException):
            second.get_policy(PolicyArn=own["Policy"]["Arn"])


def test_a_simulation_within_a_simulation_is_the_same() -> None:
    with simulated_aws():
        client = account_session("111122223333", "eu-west-1").client("backup")
        client.create_backup_vault(BackupVaultName="Default")
        with simulated_aws():
            assert len(client.list_backup_vaults()["BackupVaultList"]) == 1
        assert len(client.list_backup_vaults()["BackupVaultList"]) == 1


def test_motos_settings_are_as_before_afterwards() -> None:
    from moto.core.config import default_user_config  # noqa: PLC0415 - only this test looks inside

    before = {key: dict(value) for key, value in default_user_config.items() if isinstance(value, dict)}
    with simulated_aws():
        assert boto3.client("sts", region_name="eu-west-1").get_caller_identity()["Account"] == "123456789012"
    assert {key: dict(value) for key, value in default_user_config.items() if isinstance(value, dict)} == before

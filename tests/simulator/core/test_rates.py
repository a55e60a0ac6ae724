"""The published call rates of AWS Backup, on a clock that the test drives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from aws_simulator.core import rates
from aws_simulator.core.accounts import account_session
from aws_simulator.core.faults import recorded_calls
from aws_simulator.simulation import simulated_aws

ACCOUNT, OTHER, REGION = "123456789012", "444455556666", "eu-west-1"


class Clock:
    """Seconds, as the test sets them."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Iterator[Clock]:
    with simulated_aws():
        yield Clock()


def backup(account: str = ACCOUNT, region: str = REGION) -> Any:
    """A client that does not try again."""
    return account_session(account, region).client("backup", config=Config(retries={"total_max_attempts": 1}))


def admitted(client: Any, operation: str, calls: int, **parameters: Any) -> int:
    """How many of so many calls at once are answered, by a result or by an error of another kind."""
    answered = 0
    for _ in range(calls):
        try:
            getattr(client, operation)(**parameters)
        except ClientError as error:
            answered += error.response["Error"]["Code"] != "ThrottlingException"
        else:
            answered += 1
    return answered


@pytest.mark.parametrize(
    ("operation", "rate", "parameters"),
    [
        ("list_backup_plans", 20, {}),
        ("list_backup_jobs", 20, {}),
        ("get_backup_plan", 15, {"BackupPlanId": "none"}),
        ("get_backup_selection", 15, {"BackupPlanId": "none", "SelectionId": "none"}),
        ("get_backup_vault_access_policy", 15, {"BackupVaultName": "none"}),
        ("describe_backup_job", 15, {"BackupJobId": "none"}),
        ("describe_backup_vault", 5, {"BackupVaultName": "none"}),
        ("delete_backup_vault", 5, {"BackupVaultName": "none"}),
        ("update_region_settings", 5, {}),
        ("describe_region_settings", 50, {}),
    ],
)
def test_a_second_admits_what_is_published(clock: Clock, operation: str, rate: int, parameters: dict[str, str]) -> None:
    client = backup()
    with rates.enforced_rates(clock) as limiter:
        assert admitted(client, operation, 60, **parameters) == rate
        clock.seconds += 0.5
        assert admitted(client, operation, 60, **parameters) == rate // 2
        clock.seconds += 60
        assert admitted(client, operation, 60, **parameters) == rate
        assert sum(limiter.throttled.values()) == 180 - 2 * rate - rate // 2


def test_others_can_have_taken_a_part(clock: Clock) -> None:
    with rates.enforced_rates(clock, 0.5):
        assert admitted(backup(), "list_backup_plans", 25) == 10
        assert admitted(backup(), "get_backup_plan", 25, BackupPlanId="none") == 7
        clock.seconds += 1
        assert admitted(backup(), "describe_region_settings", 60) == 25


def test_all_operations_together_are_bounded(clock: Clock) -> None:
    client = backup()
    with rates.enforced_rates(clock):
        lists = ("list_backup_plans", "list_backup_jobs", "list_backup_vaults")
        assert [admitted(client, each, 20) for each in lists] == [20, 20, 10]
        assert admitted(client, "describe_region_settings", 1) == 0


def test_accounts_and_regions_have_rates_of_their_own(clock: Clock) -> None:
    with rates.enforced_rates(clock):
        for client in (backup(), backup(OTHER), backup(region="us-east-1")):
            assert admitted(client, "list_backup_plans", 25) == 20
        assert account_session(ACCOUNT, REGION).client("iam").list_roles()["Roles"] == []


def test_a_throttled_call_says_so_as_aws_does_and_is_recorded(clock: Clock) -> None:
    client = backup()
    with rates.enforced_rates(clock), recorded_calls() as calls:
        admitted(client, "describe_backup_vault", 5, BackupVaultName="none")
        with pytest.raises(ClientError) as refused:
            client.describe_backup_vault(BackupVaultName="none")
    assert refused.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
    assert len(calls) == 6


def test_they_are_off_by_default(clock: Clock) -> None:
    client = backup()
    with rates.enforced_rates(clock):
        pass
    assert admitted(client, "list_backup_plans", 60) == 60

"""The document that creates the vaults whose lack BACKUP_POLICY_VAULT_EXISTS reports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from aws_simulator.core import faults
from aws_simulator.core.faults import failing
from tests.front_door import ACCOUNT, NOW, Door, front_door
from tests.organization import Organization, answering, policy_plan, policy_rule
from tests.remediation.automation import deploy, nothing_changes, run

RULE = "BACKUP_POLICY_VAULT_EXISTS"
DOCUMENT = "CreatePolicyVaults"
ARN = "arn:aws:backup:$region:$account:backup-vault"


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        deploy(it, DOCUMENT)
        yield it


@pytest.fixture
def organization(door: Door) -> Organization:
    return Organization.of(door)


def vaults(door: Door) -> dict[str, dict[str, Any]]:
    listed = door.client("backup").list_backup_vaults()["BackupVaultList"]
    return {vault["BackupVaultName"]: vault for vault in listed}


def compliance(door: Door, hours: int = 0) -> str:
    found = door.at(now=NOW + timedelta(hours=hours)).evaluate(RULE)
    return found["AWS::::Account", ACCOUNT].compliance


def refusal(door: Door, resource_id: str = ACCOUNT, **parameters: list[str]) -> str:
    with nothing_changes():
        outcome = run(door, DOCUMENT, resource_id, **parameters)
    assert outcome.failure is not None
    assert "RefusedError" in outcome.failure
    return outcome.failure


def test_missing_vaults_are_created(door: Door, organization: Organization) -> None:
    copy = policy_rule("prod", copy_actions={f"{ARN}:copies": {"target_backup_vault_arn": f"{ARN}:copies"}})
    away = policy_rule(
        "prod", copy_actions={"x": {"target_backup_vault_arn": "arn:aws:backup:us-east-1:$account:backup-vault:away"}}
    )
    organization.attach(
        {
            "plans": {
                "nightly": policy_plan(rules={"daily": copy, "weekly": away}),
                "default": policy_plan("Default"),
                "elsewhere": policy_plan("far", regions=["us-east-1"]),
            }
        }
    )
    assert compliance(door) == "NON_COMPLIANT"
    outcome = run(door, DOCUMENT, ACCOUNT)
    assert outcome.failure is None
    assert set(outcome.outputs["Create.Created"]) == {"prod", "copies", "Default"}
    assert set(vaults(door)) == {"prod", "copies", "Default"}
    assert compliance(door, hours=1) == "COMPLIANT"


def test_a_second_run_changes_nothing(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod")}})
    run(door, DOCUMENT, ACCOUNT)
    with nothing_changes():
        outcome = run(door, DOCUMENT, ACCOUNT)
    assert outcome.failure is None
    assert outcome.outputs["Create.Summary"] == ["Nothing changed: all vaults exist."]


def test_vaults_can_have_a_key_and_be_chosen(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod", "test")}})
    key = door.client("kms").create_key()["KeyMetadata"]["Arn"]
    outcome = run(door, DOCUMENT, ACCOUNT, VaultNames=["prod"], EncryptionKeyArn=[key])
    assert outcome.outputs["Create.Created"] == ["prod"]
    assert {name: vault["EncryptionKeyArn"] for name, vault in vaults(door).items()} == {"prod": key}
    assert "names no vault staging" in refusal(door, VaultNames=["staging"])


def test_what_aws_leaves_of_operators_is_read(door: Door) -> None:
    rule = policy_rule("prod", target_backup_vault_name={"@@assign": "prod"})
    plan = policy_plan(rules={"daily": rule}) | {"regions": {"@@assign": ["eu-west-1"]}}
    policy = {"plans": {"nightly": plan}}
    with failing(answering(json.dumps(policy)), "organizations", "DescribeEffectivePolicy"):
        assert compliance(door) == "NON_COMPLIANT"
        assert run(door, DOCUMENT, ACCOUNT).outputs["Create.Created"] == ["prod"]
        assert compliance(door, hours=1) == "COMPLIANT"


def test_names_that_differ_in_letter_case_are_left_alone(door: Door, organization: Organization) -> None:
    door.client("backup").create_backup_vault(BackupVaultName="Prod")
    organization.attach({"plans": {"nightly": policy_plan("prod")}})
    assert "prod (exists as Prod): the policy and the vault differ in letter case" in refusal(door)
    organization.attach({"plans": {"weekly": policy_plan("weekly")}})
    outcome = run(door, DOCUMENT, ACCOUNT)
    assert outcome.outputs["Create.LeftAlone"] == ["prod (exists as Prod)"]
    assert set(vaults(door)) == {"Prod", "weekly"}


def test_it_refuses_air_gapped_vaults_but_makes_the_others(door: Door, organization: Organization) -> None:
    rule = policy_rule("prod", target_logically_air_gapped_backup_vault_arn=f"{ARN}:gap")
    organization.attach({"plans": {"nightly": policy_plan(rules={"daily": rule})}})
    assert "gap is to be a logically air-gapped vault" in refusal(door)
    assert run(door, DOCUMENT, ACCOUNT, VaultNames=["prod"]).outputs["Create.Created"] == ["prod"]


def test_it_refuses_names_that_no_vault_can_have(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod", "my vault")}})
    assert "'my vault' cannot be the name of a backup vault" in refusal(door)
    assert vaults(door) == {}


def test_it_refuses_where_no_policy_names_a_vault(door: Door) -> None:
    assert "has no effective backup policy" in refusal(door)
    organization = Organization.of(door)
    assert "has no effective backup policy" in refusal(door)
    organization.attach({"plans": {"elsewhere": policy_plan("far", regions=["us-east-1"])}})
    assert "names no vault in eu-west-1" in refusal(door)
    with failing(answering('{"plans": {"p": {"regions": ["eu-west-1"], "rules": "x"}}}'), "organizations"):
        assert "cannot be read" in refusal(door)


def test_it_refuses_another_account(door: Door) -> None:
    assert "444455556666 is not this account" in refusal(door, "444455556666")


def test_a_failure_of_aws_is_told(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod")}})
    with failing(faults.denied, "backup", "CreateBackupVault"):
        outcome = run(door, DOCUMENT, ACCOUNT)
    assert outcome.failure is not None
    assert "not authorized to perform: backup:CreateBackupVault" in outcome.failure

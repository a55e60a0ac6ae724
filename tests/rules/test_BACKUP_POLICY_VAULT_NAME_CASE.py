"""BACKUP_POLICY_VAULT_NAME_CASE through the front door."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from aws_simulator.core import faults
from aws_simulator.core.faults import Kind, failing, recorded_calls
from aws_simulator.core.operations import page_size
from backup_rules.errors import IncompleteEvaluationError, InvalidRuleParametersError
from tests.front_door import Door, front_door
from tests.organization import OTHER_MEMBER, Organization, account_verdict, answering, policy_plan, policy_rule

RULE = "BACKUP_POLICY_VAULT_NAME_CASE"
HIDDEN = "Not all vaults of this account's effective backup policy can be looked at: "
CORRECT = "Correct it as BACKUP_POLICY_ATTACHED says: until then the account keeps the last valid policy."
COMPLIANT = ("COMPLIANT", "")
REMEDY = "Names are case-sensitive: correct the policy, or create the vault that it names."
NO_PLAN_HERE = ("NOT_APPLICABLE", "No plan of the effective backup policy that is judged here covers eu-west-1.")


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as door:
        yield door


@pytest.fixture
def organization(door: Door) -> Organization:
    return Organization.of(door)


def create_vaults(door: Door, *names: str) -> None:
    for name in names:
        door.client("backup").create_backup_vault(BackupVaultName=name)


def called(existing: str) -> str:
    return (
        f'Vault "prod" of the backup policy (plan nightly, backup rule to-prod) is called {existing} in account'
        f" 111122223333, eu-west-1. {REMEDY}"
    )


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        pytest.param(["prod"], COMPLIANT, id="exact"),
        pytest.param(["PROD"], ("NON_COMPLIANT", called('"PROD"')), id="other case"),
        pytest.param(["PROD", "prod"], COMPLIANT, id="exact beside other case"),
        pytest.param(["pROD", "Prod"], ("NON_COMPLIANT", called('"Prod", "pROD"')), id="two in other case"),
        pytest.param(
            ["prod2"],
            ("COMPLIANT", 'Vault "prod" does not exist in any case: see BACKUP_POLICY_VAULT_EXISTS.'),
            id="missing",
        ),
    ],
)
def test_names_of_vaults(
    door: Door, organization: Organization, existing: list[str], expected: tuple[str, str]
) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod")}})
    create_vaults(door, *existing)
    create_vaults(door.at(account=OTHER_MEMBER), "prod", "PROD")
    create_vaults(door.at(region="us-east-1"), "prod", "PROD")
    assert account_verdict(door, RULE) == expected


def test_the_destination_of_a_copy(door: Door, organization: Organization) -> None:
    arn = "arn:aws:backup:$region:$account:backup-vault:Copies"
    rule = policy_rule("prod", copy_actions={arn: {"target_backup_vault_arn": arn}})
    organization.attach({"plans": {"nightly": policy_plan(rules={"daily": rule})}})
    create_vaults(door, "prod", "copies")
    assert account_verdict(door, RULE) == (
        "NON_COMPLIANT",
        (
            'Copy destination vault "Copies" of the backup policy (plan nightly, backup rule daily) is called "copies"'
            f" in account 111122223333, eu-west-1. {REMEDY}"
        ),
    )


def test_several_names_in_other_case(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod", "default", "vault")}})
    create_vaults(door, "PROD", "Default", "vault")
    assert account_verdict(door, RULE) == ("NON_COMPLIANT", called('"PROD"') + " (+1 more)")


def test_what_does_not_concern_the_account_or_region_is_not_applicable(door: Door) -> None:
    in_none = "The account is in no organization, so no backup policy can reach it."
    assert account_verdict(door, RULE) == ("NOT_APPLICABLE", in_none)
    organization = Organization.of(door)
    assert account_verdict(door, RULE) == ("NOT_APPLICABLE", "The account has no effective backup policy.")
    organization.attach({"plans": {"far": policy_plan("prod", regions=["us-east-1"])}})
    create_vaults(door, "PROD")
    assert account_verdict(door, RULE) == NO_PLAN_HERE


@pytest.mark.parametrize(
    ("excluded", "expected"),
    [("weekly", ("NON_COMPLIANT", called('"PROD"'))), ("nightly", COMPLIANT), ("orgs/*", NO_PLAN_HERE)],
)
def test_excluded_plans(door: Door, organization: Organization, excluded: str, expected: tuple[str, str]) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod"), "weekly": policy_plan("vault")}})
    create_vaults(door, "PROD", "vault")
    assert account_verdict(door, RULE, ExcludedPlans=excluded) == expected


@pytest.mark.parametrize(
    ("content", "path"),
    [
        pytest.param("nightly", "its text cannot be read", id="not JSON"),
        pytest.param(
            json.dumps({"plans": {"n": policy_plan(rules={"r": policy_rule("v", target_backup_vault_name=None)})}}),
            "plans.n.rules.r.target_backup_vault_name is missing",
            id="no vault",
        ),
    ],
)
def test_a_policy_that_cannot_be_read_is_reported_with_its_path(
    door: Door, organization: Organization, content: str, path: str
) -> None:
    with failing(answering(content), "organizations", "DescribeEffectivePolicy"):
        compliance, annotation = account_verdict(door, RULE)
    assert compliance == "NON_COMPLIANT"
    assert annotation == f"{HIDDEN}{path}. {CORRECT}"


def test_vaults_are_listed_page_by_page(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod")}})
    create_vaults(door, "a1", "PROD", "prod")
    with page_size(1):
        assert account_verdict(door, RULE) == COMPLIANT


@pytest.mark.parametrize("operation", ["organizations:DescribeEffectivePolicy", "backup:ListBackupVaults"])
@pytest.mark.parametrize(
    "kind", [faults.denied, faults.throttled, faults.server_error, faults.timeout, faults.malformed]
)
def test_what_cannot_be_read_fails_the_evaluation(
    door: Door, organization: Organization, monkeypatch: pytest.MonkeyPatch, operation: str, kind: Kind
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    organization.attach({"plans": {"nightly": policy_plan("prod")}})
    create_vaults(door, "prod")
    with failing(kind, *operation.split(":")), pytest.raises(IncompleteEvaluationError, match=operation) as raised:
        door.evaluate(RULE)
    assert "111122223333" in str(raised.value)
    assert not door.stored(RULE)


def test_a_parameter_that_cannot_be_read(door: Door) -> None:
    with recorded_calls() as calls, pytest.raises(InvalidRuleParametersError, match="AssumeRoleMode is 'yes'"):
        door.evaluate(RULE, {"AssumeRoleMode": "yes"})
    assert "PutEvaluations" not in {call.operation for call in calls}

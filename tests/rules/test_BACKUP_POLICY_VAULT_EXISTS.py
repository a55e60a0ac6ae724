"""BACKUP_POLICY_VAULT_EXISTS through the front door."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from aws_simulator.core import faults
from aws_simulator.core.faults import Kind, failing, recorded_calls
from aws_simulator.core.operations import page_size
from backup_rules.errors import IncompleteEvaluationError, InvalidRuleParametersError
from tests.front_door import Door, front_door
from tests.organization import OTHER_MEMBER, Organization, account_verdict, answering, policy_plan, policy_rule

RULE = "BACKUP_POLICY_VAULT_EXISTS"
HIDDEN = "Not all vaults of this account's effective backup policy can be looked at: "
CORRECT = "Correct it as BACKUP_POLICY_ATTACHED says: until then the account keeps the last valid policy."
FROZEN = (
    "COMPLIANT",
    "The effective backup policy is invalid, so the account keeps the last valid one: see BACKUP_POLICY_ATTACHED.",
)
COMPLIANT = ("COMPLIANT", "")
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


def missing(vault: str, rule: str, *, remedy: str = "Create a vault of that name there.") -> str:
    return (
        f'Vault "{vault}" of the backup policy (plan nightly, backup rule {rule}) does not exist in account'
        f" 111122223333, eu-west-1. {remedy}"
    )


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        pytest.param(["prod", "Default"], COMPLIANT, id="both exist"),
        pytest.param(["Default"], ("NON_COMPLIANT", missing("prod", "to-prod")), id="one is missing"),
        pytest.param(
            ["prod"],
            (
                "NON_COMPLIANT",
                missing(
                    "Default",
                    "to-default",
                    remedy="Default only exists once the AWS Backup console was opened in the Region: open it there,"
                    " or create the vault.",
                ),
            ),
            id="Default is missing",
        ),
        pytest.param(["prod2", "pro"], ("NON_COMPLIANT", missing("prod", "to-prod") + " (+1 more)"), id="similar ones"),
        pytest.param(
            ["Prod", "Default"],
            ("COMPLIANT", 'Vault "prod" exists in other letter case: see BACKUP_POLICY_VAULT_NAME_CASE.'),
            id="other case",
        ),
    ],
)
def test_target_vaults(door: Door, organization: Organization, existing: list[str], expected: tuple[str, str]) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod", "Default")}})
    create_vaults(door, *existing)
    create_vaults(door.at(account=OTHER_MEMBER), "prod", "Default")
    create_vaults(door.at(region="us-east-1"), "prod", "Default")
    assert account_verdict(door, RULE) == expected


def copying(arn: str) -> dict[str, Any]:
    copy = policy_rule("prod", copy_actions={arn: {"target_backup_vault_arn": arn}})
    return policy_plan(rules={"daily": copy})


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        pytest.param(
            copying("arn:aws:backup:$region:$account:backup-vault:copies"),
            'Copy destination vault "copies" of the backup policy (plan nightly, backup rule daily) does not exist in'
            " account 111122223333, eu-west-1. Create a vault of that name there.",
            id="a copy to this Region",
        ),
        pytest.param(copying("arn:aws:backup:us-east-1:$account:backup-vault:copies"), "", id="to another Region"),
        pytest.param(copying("arn:aws:backup:$region:444455556666:backup-vault:copies"), "", id="to another account"),
        pytest.param(
            policy_plan(
                rules={
                    "daily": policy_rule(
                        "prod",
                        target_logically_air_gapped_backup_vault_arn="arn:aws:backup:$region:$account:backup-vault:gap",
                    )
                }
            ),
            'Air-gapped vault "gap" of the backup policy (plan nightly, backup rule daily) does not exist in account'
            " 111122223333, eu-west-1. Create a vault of that name there.",
            id="air-gapped",
        ),
    ],
)
def test_other_vaults_of_a_backup_rule(
    door: Door, organization: Organization, plan: dict[str, Any], expected: str
) -> None:
    organization.attach({"plans": {"nightly": plan}})
    create_vaults(door, "prod")
    assert account_verdict(door, RULE) == ("NON_COMPLIANT" if expected else "COMPLIANT", expected)


def test_a_vault_that_several_backup_rules_name_is_one_problem(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod"), "weekly": policy_plan("prod")}})
    assert account_verdict(door, RULE) == ("NON_COMPLIANT", missing("prod", "to-prod and 1 more"))


def test_what_does_not_concern_the_account_or_region_is_not_applicable(door: Door) -> None:
    in_none = "The account is in no organization, so no backup policy can reach it."
    assert account_verdict(door, RULE) == ("NOT_APPLICABLE", in_none)
    organization = Organization.of(door)
    assert account_verdict(door, RULE) == ("NOT_APPLICABLE", "The account has no effective backup policy.")
    organization.attach({"plans": {"far": policy_plan("prod", regions=["us-east-1"])}})
    with recorded_calls() as calls:
        assert account_verdict(door, RULE) == NO_PLAN_HERE
    assert "ListBackupVaults" not in {call.operation for call in calls}
    assert account_verdict(door.at(region="us-east-1"), RULE)[0] == "NON_COMPLIANT"


@pytest.mark.parametrize(
    ("excluded", "expected"),
    [("weekly", ("NON_COMPLIANT", missing("prod", "to-prod"))), ("night*", COMPLIANT), ("orgs/*", NO_PLAN_HERE)],
)
def test_excluded_plans(door: Door, organization: Organization, excluded: str, expected: tuple[str, str]) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod"), "weekly": policy_plan("vault")}})
    create_vaults(door, "vault")
    assert account_verdict(door, RULE, ExcludedPlans=excluded) == expected


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        pytest.param({"regions": None}, "plans.nightly.regions", id="Regions missing"),
        pytest.param({"regions": {"a": "b"}}, "plans.nightly.regions", id="Regions unreadable"),
        pytest.param({"rules": None}, "plans.nightly.rules", id="rules missing"),
        pytest.param({"rules": {"daily": "x"}}, "plans.nightly.rules.daily", id="backup rule unreadable"),
        pytest.param(
            {"rules": {"daily": policy_rule("x", schedule_expression=None)}},
            "plans.nightly.rules.daily.schedule_expression",
            id="schedule missing",
        ),
        pytest.param(
            {"rules": {"daily": policy_rule("x", target_backup_vault_name=["a", "b"])}},
            "plans.nightly.rules.daily.target_backup_vault_name",
            id="vault unreadable",
        ),
        pytest.param(
            {"rules": {"daily": policy_rule("prod", copy_actions={"prod": {}})}},
            "plans.nightly.rules.daily.copy_actions.prod",
            id="copy destination unreadable",
        ),
        pytest.param({"selections": None}, None, id="selections missing"),
        pytest.param(
            {"rules": {"daily": policy_rule("prod", lifecycle={"delete_after_days": "ten"})}}, None, id="lifecycle"
        ),
        pytest.param({"regions": ["us-east-1"], "rules": None}, None, id="rules missing in a plan for another Region"),
    ],
)
def test_what_may_hide_a_vault_is_reported_with_its_path(
    door: Door, organization: Organization, changes: dict[str, Any], path: str | None
) -> None:
    nightly = {name: value for name, value in (policy_plan("prod") | changes).items() if value is not None}
    plans = {"nightly": nightly, "whole": policy_plan("prod")}
    create_vaults(door, "prod")
    with failing(answering(json.dumps({"plans": plans})), "organizations", "DescribeEffectivePolicy"):
        compliance, annotation = account_verdict(door, RULE)
    if path is None:
        assert (compliance, annotation) == FROZEN
    else:
        assert compliance == "NON_COMPLIANT"
        assert annotation.startswith(f"{HIDDEN}{path} ")
        assert CORRECT in annotation


def test_a_policy_that_is_no_json_is_reported(door: Door, organization: Organization) -> None:
    with failing(answering("plans: {}"), "organizations", "DescribeEffectivePolicy"):
        compliance, annotation = account_verdict(door, RULE)
    assert compliance == "NON_COMPLIANT"
    assert annotation == f"{HIDDEN}its text cannot be read. {CORRECT}"


def test_vaults_are_listed_page_by_page(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"nightly": policy_plan("a1", "b2", "c3")}})
    create_vaults(door, "a1", "b2", "c3")
    with page_size(1), recorded_calls() as calls:
        assert account_verdict(door, RULE) == COMPLIANT
    assert [call.operation for call in calls].count("ListBackupVaults") == 3


@pytest.mark.parametrize("operation", ["organizations:DescribeEffectivePolicy", "backup:ListBackupVaults"])
@pytest.mark.parametrize(
    "kind", [faults.denied, faults.throttled, faults.server_error, faults.timeout, faults.malformed]
)
def test_what_cannot_be_read_fails_the_evaluation(
    door: Door, organization: Organization, monkeypatch: pytest.MonkeyPatch, operation: str, kind: Kind
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    organization.attach({"plans": {"nightly": policy_plan("prod")}})
    with failing(kind, *operation.split(":")), pytest.raises(IncompleteEvaluationError, match=operation) as raised:
        door.evaluate(RULE)
    assert "111122223333" in str(raised.value)
    assert not door.stored(RULE)


def test_the_second_page_of_vaults_fails_the_evaluation(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"nightly": policy_plan("a1", "b2")}})
    create_vaults(door, "a1", "b2")
    with (
        page_size(1),
        failing(faults.denied, "backup", "ListBackupVaults", nth=[2]) as fault,
        pytest.raises(IncompleteEvaluationError, match="needs backup:ListBackupVaults"),
    ):
        door.evaluate(RULE)
    assert fault.struck
    assert not door.stored(RULE)


def test_a_parameter_that_is_unknown(door: Door) -> None:
    with recorded_calls() as calls, pytest.raises(InvalidRuleParametersError, match="'RequiredPlans'"):
        door.evaluate(RULE, {"RequiredPlans": "nightly"})
    assert "PutEvaluations" not in {call.operation for call in calls}


def test_each_of_two_members_is_judged_under_its_own_credentials(door: Door, organization: Organization) -> None:
    """Other policies and vaults in each, evaluated in turn: a client kept from the account before would mix them up."""
    other = door.at(account=OTHER_MEMBER)
    organization.attach({"plans": {"nightly": policy_plan("first")}}, door.account)
    organization.attach({"plans": {"nightly": policy_plan("second")}}, other.account)
    create_vaults(door, "first", "only-here")
    create_vaults(other, "only-there")
    for _ in range(2):
        for member, compliance in ((door, "COMPLIANT"), (other, "NON_COMPLIANT")):
            with recorded_calls() as calls:
                found = account_verdict(member, RULE)
            assert found[0] == compliance
            assert found[1].startswith('Vault "second"') == (compliance == "NON_COMPLIANT")
            reads = [(call.service, call.account) for call in calls if call.service in {"backup", "organizations"}]
            assert sorted(reads) == [("backup", member.account), ("organizations", member.account)]
            assert {call.account for call in calls if call.operation == "PutEvaluations"} == {member.account}
    (stored,) = door.stored(RULE).values()
    assert (stored.compliance, stored.resource_id) == ("COMPLIANT", door.account)
    (stored,) = other.stored(RULE).values()
    assert (stored.compliance, stored.resource_id) == ("NON_COMPLIANT", other.account)

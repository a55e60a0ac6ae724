"""BACKUP_POLICY_VALID through the front door: what the management account is told of its members."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aws_simulator.core import faults
from aws_simulator.core.faults import Kind, failing, recorded_calls
from aws_simulator.core.operations import page_size
from backup_rules.errors import IncompleteEvaluationError, InvalidRuleParametersError
from tests.front_door import Door, front_door
from tests.organization import MANAGEMENT, OTHER_MEMBER, Organization, account_verdict, policy_plan, policy_rule

RULE = "BACKUP_POLICY_VALID"
COMPLIANT = ("COMPLIANT", "")
LISTS = "organizations:ListAccountsWithInvalidEffectivePolicy"
ERRORS = "organizations:ListEffectivePolicyValidationErrors"
NOT_MANAGEMENT = (
    "NOT_APPLICABLE",
    "This account is not the management account, which judges for the whole organization.",
)


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as door:
        yield door


@pytest.fixture
def organization(door: Door) -> Organization:
    return Organization.of(door)


@pytest.fixture
def management(organization: Organization) -> Door:
    return organization.management


def policies(organization: Organization) -> list[str]:
    listed = organization.management.client("organizations").list_policies(Filter="BACKUP_POLICY")["Policies"]
    return [policy["Id"] for policy in listed]


def delegate(organization: Organization, account: str) -> None:
    client = organization.management.client("organizations")
    client.enable_aws_service_access(ServicePrincipal="backup.amazonaws.com")
    client.register_delegated_administrator(AccountId=account, ServicePrincipal="backup.amazonaws.com")


BAD = {"plans": {"nightly": policy_plan(rules=None)}}


def test_valid_policies_are_compliant_in_the_management_account(organization: Organization, management: Door) -> None:
    assert account_verdict(management, RULE) == COMPLIANT
    organization.attach({"plans": {"nightly": policy_plan()}})
    assert account_verdict(management, RULE) == COMPLIANT


def test_an_account_with_an_invalid_policy_is_named_with_aws_s_error(
    door: Door, organization: Organization, management: Door
) -> None:
    many = {f"n{number}": policy_rule("v") for number in range(11)}
    organization.attach({"plans": {"nightly": policy_plan(rules=many)}}, door.account)
    assert account_verdict(management, RULE) == (
        "NON_COMPLIANT",
        f"Account {door.account} has an invalid effective backup policy, so it keeps the last valid one and gets no"
        " change: ELEMENTS_TOO_MANY \"'rules' exceeds the allowed maximum limit 10\" at plans/nightly/rules. Correct"
        f" policy {policies(organization)[0]} in AWS Organizations.",
    )


def test_several_accounts_are_counted_and_the_first_by_id_is_named(
    organization: Organization, management: Door
) -> None:
    organization.attach(BAD)
    assert account_verdict(management, RULE) == (
        "NON_COMPLIANT",
        "3 accounts have an invalid effective backup policy, so they keep the last valid one and get no change,"
        " 111122223333 first: KEY_REQUIRED \"'rules' is missing\" at plans/nightly. Correct policy"
        f" {policies(organization)[0]} in AWS Organizations.",
    )


def test_accounts_are_counted_over_all_pages(organization: Organization, management: Door) -> None:
    organization.attach(BAD)
    with page_size(1), recorded_calls() as calls:
        compliance, annotation = account_verdict(management, RULE)
    assert (compliance, annotation.startswith("3 accounts ")) == ("NON_COMPLIANT", True)
    asked = [call.operation for call in calls if call.service == "organizations"]
    assert asked.count("ListAccountsWithInvalidEffectivePolicy") == 3


def test_only_the_first_account_is_asked_about(organization: Organization, management: Door) -> None:
    organization.attach(BAD)
    with recorded_calls() as calls:
        account_verdict(management, RULE)
    asked = [call for call in calls if call.operation == "ListEffectivePolicyValidationErrors"]
    assert [call.parameters["AccountId"] for call in asked] == ["111122223333"]


def test_a_long_error_keeps_what_to_do(door: Door, organization: Organization, management: Door) -> None:
    organization.attach({"plans": {"p" * 90: policy_plan(rules={"r" * 90: {}})}}, door.account)
    organization.attach({"plans": {"p" * 90: {"rules": {"s" * 90: {"lifecycle": {"delete_after_days": "1"}}}}}})
    compliance, annotation = account_verdict(management, RULE)
    assert compliance == "NON_COMPLIANT"
    assert len(annotation) <= 256
    assert annotation.startswith("3 accounts have an invalid effective backup policy") or door.account in annotation
    assert annotation.endswith("in AWS Organizations.")


def test_an_account_that_is_corrected_in_between_is_counted_without_an_error(
    organization: Organization, management: Door
) -> None:
    organization.attach(BAD)
    with failing(faults.error("AccountNotFoundException", "No."), *ERRORS.split(":")):
        assert account_verdict(management, RULE) == (
            "NON_COMPLIANT",
            "3 accounts have an invalid effective backup policy, so they keep the last valid one, 111122223333 first."
            " Correct the backup policy in AWS Organizations.",
        )


# Who is told


def test_members_and_strangers_have_nothing_to_judge(door: Door) -> None:
    with recorded_calls() as calls:
        assert account_verdict(door, RULE) == (
            "NOT_APPLICABLE",
            "The account is in no organization, so no backup policy can reach it.",
        )
        organization = Organization.of(door)
        organization.attach(BAD)
        delegate(organization, OTHER_MEMBER)
        for member in (door, door.at(account=OTHER_MEMBER)):
            assert account_verdict(member, RULE) == NOT_MANAGEMENT
    assert "ListAccountsWithInvalidEffectivePolicy" not in {call.operation for call in calls}


def test_a_delegated_administrator_is_asked_where_it_is_chosen(door: Door, organization: Organization) -> None:
    organization.attach(BAD)
    delegate(organization, OTHER_MEMBER)
    chosen = {"DelegatedAdministrator": "true"}
    assert account_verdict(door.at(account=OTHER_MEMBER), RULE, **chosen)[0] == "NON_COMPLIANT"
    assert account_verdict(organization.management, RULE, **chosen)[0] == "NON_COMPLIANT"
    assert account_verdict(door, RULE, **chosen) == (
        "NOT_APPLICABLE",
        "This account is neither the organization's management account nor a delegated administrator.",
    )


def test_backup_policies_that_are_off(door: Door) -> None:
    management = Organization.of(door, enabled=False).management
    assert account_verdict(management, RULE) == (
        "NOT_APPLICABLE",
        "Backup policies are not enabled in the organization.",
    )


@pytest.mark.parametrize(("home", "compliance"), [("", "NON_COMPLIANT"), ("eu-west-1", "NON_COMPLIANT")])
def test_the_home_region_reports(organization: Organization, management: Door, home: str, compliance: str) -> None:
    organization.attach(BAD)
    assert account_verdict(management, RULE, HomeRegion=home)[0] == compliance


def test_other_regions_than_the_home_region_ask_nothing(organization: Organization, management: Door) -> None:
    organization.attach(BAD)
    with recorded_calls() as calls:
        assert account_verdict(management, RULE, HomeRegion="us-east-1") == (
            "NOT_APPLICABLE",
            "What concerns the whole organization is judged in us-east-1 only.",
        )
    assert "organizations" not in {call.service for call in calls}
    assert account_verdict(management.at(region="us-east-1"), RULE)[0] == "NON_COMPLIANT"


# What can't be asked


@pytest.mark.parametrize("operation", ["organizations:DescribeOrganization", LISTS, ERRORS])
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(faults.denied, id="denied"),
        pytest.param(faults.throttled, id="throttled"),
        pytest.param(faults.server_error, id="server error"),
        pytest.param(faults.timeout, id="time-out"),
        pytest.param(faults.malformed, id="malformed"),
        pytest.param(faults.error("UnsupportedAPIEndpointException", "No."), id="unsupported"),
        pytest.param(
            faults.error("AccessDeniedException", "You don't have permissions to access this resource."), id="refused"
        ),
    ],
)
@pytest.mark.parametrize("parameters", [{}, {"DelegatedAdministrator": "true"}], ids=["", "delegated"])
def test_what_cannot_be_read_fails_the_evaluation_and_the_verdict_stays(
    organization: Organization,
    management: Door,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    kind: Kind,
    parameters: dict[str, str],
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    organization.attach(BAD)
    before = account_verdict(management, RULE)
    with (
        failing(kind, *operation.split(":")) as fault,
        pytest.raises(IncompleteEvaluationError, match=operation) as raised,
    ):
        management.evaluate(RULE, parameters)
    assert fault.struck
    assert MANAGEMENT in str(raised.value)
    (kept,) = management.stored(RULE).values()
    assert (kept.compliance, kept.annotation) == before


def test_a_delegated_administrator_without_the_permission_fails(door: Door, organization: Organization) -> None:
    """IAM refuses in other words than AWS Organizations: the verdict must not be cleared."""
    organization.attach(BAD)
    delegate(organization, OTHER_MEMBER)
    administrator = door.at(account=OTHER_MEMBER)
    chosen = {"DelegatedAdministrator": "true"}
    before = account_verdict(administrator, RULE, **chosen)
    with failing(faults.denied, *LISTS.split(":")), pytest.raises(IncompleteEvaluationError, match=f"needs {LISTS}"):
        administrator.evaluate(RULE, chosen)
    (kept,) = administrator.stored(RULE).values()
    assert (kept.compliance, kept.annotation) == before


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"HomeRegion": "Ireland"}, "HomeRegion is 'Ireland'; allowed is a Region of AWS, such as eu-west-1"),
        ({"HomeRegion": "eu-west-1,us-east-1"}, "allowed is a Region of AWS"),
        (
            {"DelegatedAdministrator": "444455556666"},
            "DelegatedAdministrator is '444455556666'; allowed is true or false",
        ),
        ({"HomeRegions": "eu-west-1"}, "Did you mean HomeRegion"),
    ],
)
def test_parameters_that_are_refused(door: Door, parameters: dict[str, Any], named: str) -> None:
    with recorded_calls() as calls, pytest.raises(InvalidRuleParametersError, match=named):
        door.evaluate(RULE, parameters)
    assert "PutEvaluations" not in {call.operation for call in calls}

"""BACKUP_POLICY_ATTACHED through the front door: policies computed from what is attached in the organization."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from aws_simulator.core import faults
from aws_simulator.core.faults import Kind, failing, recorded_calls
from aws_simulator.core.organizations import set_effective_policies_supported
from backup_rules.errors import IncompleteEvaluationError, InvalidRuleParametersError
from tests.front_door import Door, front_door
from tests.organization import (
    MANAGEMENT,
    OTHER_MEMBER,
    Organization,
    account_verdict,
    answering,
    policy_plan,
    policy_rule,
)

RULE = "BACKUP_POLICY_ATTACHED"
CORRECT = "Correct the policy in AWS Organizations: until then the account keeps the last valid policy."
NO_ORGANIZATION = ("NOT_APPLICABLE", "The account is in no organization, so no backup policy can reach it.")
NO_POLICY = (
    "NON_COMPLIANT",
    (
        "Member account 111122223333 has no effective backup policy: none is attached to the account, an OU above it or"
        " the root. Attach one in the management account, after seeing that backup policies are enabled there."
    ),
)
NO_PLAN_HERE = ("NOT_APPLICABLE", "No plan of the effective backup policy that is judged here covers eu-west-1.")


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as door:
        yield door


@pytest.fixture
def organization(door: Door) -> Organization:
    return Organization.of(door)


# Is a policy in effect?


def test_an_account_outside_any_organization_is_not_applicable(door: Door) -> None:
    assert account_verdict(door, RULE) == NO_ORGANIZATION
    assert account_verdict(door, RULE, RequiredPlans="nightly", RequireThisRegion="true") == NO_ORGANIZATION


@pytest.mark.parametrize("attached_to", ["the root", "an OU", "the account"])
def test_a_policy_attached_above_the_account_is_in_effect(
    door: Door, organization: Organization, attached_to: str
) -> None:
    client = organization.management.client("organizations")
    unit = client.create_organizational_unit(ParentId=organization.root, Name="unit")["OrganizationalUnit"]["Id"]
    client.move_account(AccountId=door.account, SourceParentId=organization.root, DestinationParentId=unit)
    targets = {"the root": organization.root, "an OU": unit, "the account": door.account}
    organization.attach({"plans": {"nightly": policy_plan()}}, targets[attached_to])
    assert account_verdict(door, RULE) == ("COMPLIANT", "")
    assert account_verdict(door, RULE, RequiredPlans="nightly", RequireThisRegion="true") == ("COMPLIANT", "")


def test_a_policy_attached_to_another_member_is_not_in_effect(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"nightly": policy_plan()}}, OTHER_MEMBER)
    assert account_verdict(door, RULE) == NO_POLICY
    assert account_verdict(door.at(account=OTHER_MEMBER), RULE) == ("COMPLIANT", "")


def test_a_policy_type_that_is_off_is_worded_for_the_member_and_for_the_management_account(door: Door) -> None:
    organization = Organization.of(door, enabled=False)
    assert account_verdict(door, RULE) == NO_POLICY
    assert account_verdict(organization.management, RULE) == (
        "NON_COMPLIANT",
        (
            f"Management account {MANAGEMENT} has no effective backup policy: backup policies are not enabled in the"
            " organization, or none is attached to the root or this account. Enable them under AWS Organizations >"
            " Policies, and attach one."
        ),
    )


@pytest.mark.parametrize("content", ["{}", '{"plans": {}}'])
def test_a_policy_of_which_nothing_is_left_is_none(door: Door, organization: Organization, content: str) -> None:
    with failing(answering(content), "organizations", "DescribeEffectivePolicy"):
        assert account_verdict(door, RULE) == NO_POLICY


def test_without_a_policy_an_account_that_needs_none_is_not_applicable(door: Door, organization: Organization) -> None:
    with recorded_calls() as calls:
        verdict = account_verdict(door, RULE, Required="false", RequiredPlans="nightly")
    assert verdict == ("NOT_APPLICABLE", "The account has no effective backup policy.")
    assert "DescribeOrganization" not in {call.operation for call in calls}


# Has it the plans it must have?

PLANS = {"Nightly": policy_plan(), "weekly": policy_plan(regions=["us-east-1"])}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        pytest.param({"RequiredPlans": "Nightly"}, ("COMPLIANT", ""), id="there"),
        pytest.param({"RequiredPlans": "nightly"}, ("COMPLIANT", ""), id="in other case"),
        pytest.param(
            {"RequiredPlans": "Nightly, monthly"},
            (
                "NON_COMPLIANT",
                (
                    "The effective backup policy of account 111122223333 has no plan monthly (it has Nightly, weekly)."
                    " Attach the policy with that plan to the account, an OU above it or the root."
                ),
            ),
            id="missing",
        ),
        pytest.param(
            {"RequiredPlans": "weekly,monthly"},
            (
                "NON_COMPLIANT",
                (
                    "Plan weekly of the effective backup policy does not cover eu-west-1 (it covers us-east-1). Add the"
                    " Region to the plan's regions. (+1 more)"
                ),
            ),
            id="for another Region, and one missing",
        ),
        pytest.param(
            {"RequiredPlans": "weekly,monthly", "ExcludedPlans": "weekly,month*"}, ("COMPLIANT", ""), id="excluded"
        ),
        pytest.param({"ExcludedPlans": "Nightly"}, NO_PLAN_HERE, id="no other plan than an excluded one"),
        pytest.param({"ExcludedPlans": "orgs/*"}, NO_PLAN_HERE, id="excluded by the beginning of its id"),
        pytest.param(
            {"ExcludedPlans": "Nightly", "RequireThisRegion": "true"},
            NO_PLAN_HERE,
            id="an excluded plan covers the Region",
        ),
    ],
)
def test_plans_that_are_required(
    door: Door, organization: Organization, parameters: dict[str, str], expected: tuple[str, str]
) -> None:
    organization.attach({"plans": PLANS})
    assert account_verdict(door, RULE, **parameters) == expected


def test_a_region_that_no_plan_covers(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"far": policy_plan(regions=["us-east-1", "ap-south-1"])}})
    assert account_verdict(door, RULE) == NO_PLAN_HERE
    assert account_verdict(door, RULE, RequireThisRegion="true") == (
        "NON_COMPLIANT",
        (
            "No plan of the effective backup policy covers eu-west-1 (they cover ap-south-1, us-east-1). Add the Region"
            " to the regions of a plan."
        ),
    )
    assert account_verdict(door.at(region="us-east-1"), RULE, RequireThisRegion="true") == ("COMPLIANT", "")


# Can it be read?


@pytest.mark.parametrize(
    ("plan", "defect"),
    [
        pytest.param(policy_plan(rules=None), "rules is missing: the plan has no backup rules", id="rules"),
        pytest.param(
            policy_plan(rules={"daily": policy_rule("v", schedule_expression=None)}),
            "rules.daily.schedule_expression is missing; a schedule is required",
            id="schedule",
        ),
        pytest.param(
            policy_plan(rules={"daily": policy_rule("v", target_backup_vault_name=None)}),
            "rules.daily.target_backup_vault_name is missing; a backup vault is required",
            id="vault",
        ),
        pytest.param(
            policy_plan(selections=None),
            "selections is missing, so the plan picks no resources",
            id="selections",
        ),
        pytest.param(policy_plan(regions=[]), "regions is empty; Regions are required", id="Regions"),
    ],
)
def test_a_plan_that_lacks_a_required_element(
    door: Door, organization: Organization, plan: dict[str, Any], defect: str
) -> None:
    organization.attach({"plans": {"nightly": plan, "whole": policy_plan()}})
    assert account_verdict(door, RULE) == (
        "NON_COMPLIANT",
        f"In this account's effective backup policy, plans.nightly.{defect}. {CORRECT}",
    )
    assert account_verdict(door, RULE, ExcludedPlans="night*") == ("COMPLIANT", "")


def many(number: int, element: Any) -> dict[str, Any]:
    return {f"n{index}": element for index in range(number)}


def daily(**changes: Any) -> dict[str, Any]:
    return policy_plan(rules={"daily": policy_rule("v", **changes)})


def tagged(**changes: Any) -> dict[str, Any]:
    return policy_plan(selections={"tags": {"tagged": policy_plan()["selections"]["tags"]["tagged"] | changes}})


@pytest.mark.parametrize(
    ("within", "beyond", "defect"),
    [
        pytest.param(
            policy_plan(rules=many(10, policy_rule("v"))),
            policy_plan(rules=many(11, policy_rule("v"))),
            "rules has 11 entries; AWS allows 10 backup rules in a plan",
            id="11 backup rules",
        ),
        pytest.param(
            daily(start_backup_window_minutes="60"),
            daily(start_backup_window_minutes="30"),
            "rules.daily.start_backup_window_minutes is 30; AWS requires at least 60 minutes",
            id="a start window of 30 minutes",
        ),
        pytest.param(
            daily(enable_continuous_backup="true", lifecycle={"delete_after_days": "35"}),
            daily(enable_continuous_backup="true", lifecycle={"delete_after_days": "36"}),
            "rules.daily.lifecycle.delete_after_days is 36; AWS keeps continuous backups for at most 35 days",
            id="continuous backups kept for 36 days",
        ),
        pytest.param(
            tagged(tag_value=[str(value) for value in range(30)]),
            tagged(tag_value=[str(value) for value in range(31)]),
            "selections.tags.tagged.tag_value has 31 entries; AWS allows 30 tags in a selection",
            id="31 tags",
        ),
        pytest.param(
            tagged(conditions={"string_equals": many(30, {"condition_key": "k", "condition_value": "v"})}),
            tagged(conditions={"string_equals": many(31, {"condition_key": "k", "condition_value": "v"})}),
            "selections.tags.tagged.conditions has 31 entries; AWS allows 30 conditions in a selection",
            id="31 conditions",
        ),
    ],
)
def test_a_policy_that_breaks_a_limit_of_aws(
    door: Door, organization: Organization, within: dict[str, Any], beyond: dict[str, Any], defect: str
) -> None:
    """AWS leaves the account on the last valid policy, and tells the management account only."""
    organization.attach({"plans": {"nightly": within}})
    assert account_verdict(door, RULE) == ("COMPLIANT", "")
    with failing(answering(json.dumps({"plans": {"nightly": beyond}})), "organizations", "DescribeEffectivePolicy"):
        assert account_verdict(door, RULE) == (
            "NON_COMPLIANT",
            f"In this account's effective backup policy, plans.nightly.{defect}. {CORRECT}",
        )


def test_limits_are_those_of_the_merged_policy(door: Door, organization: Organization) -> None:
    """AWS's own example of an invalid effective policy: nine backup rules at the root, two more at an account."""
    organization.attach({"plans": {"nightly": policy_plan(rules=many(9, policy_rule("v")))}})
    more = {"plans": {"nightly": {"rules": {"tenth": policy_rule("v"), "eleventh": policy_rule("v")}}}}
    organization.attach(more, door.account)
    compliance, annotation = account_verdict(door, RULE)
    assert (compliance, "plans.nightly.rules has 11 entries" in annotation) == ("NON_COMPLIANT", True)
    assert account_verdict(door.at(account=OTHER_MEMBER), RULE) == ("COMPLIANT", "")


def test_what_aws_forbids_but_prints_in_its_own_examples_is_a_note(door: Door, organization: Organization) -> None:
    lifecycle = {"move_to_cold_storage_after_days": "180", "delete_after_days": "2"}
    organization.attach({"plans": {"nightly": daily(lifecycle=lifecycle)}})
    assert account_verdict(door, RULE) == (
        "COMPLIANT",
        (
            "In this account's effective backup policy, plans.nightly.rules.daily.lifecycle deletes after 2 days, and"
            " moves to cold storage after 180: AWS asks for 90 days between; AWS's own texts disagree."
        ),
    )


def test_an_element_that_one_policy_leaves_to_another_is_no_defect(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"nightly": policy_plan(selections=None)}})
    organization.attach({"plans": {"nightly": {"selections": policy_plan()["selections"]}}}, door.account)
    assert account_verdict(door, RULE) == ("COMPLIANT", "")
    assert account_verdict(door.at(account=OTHER_MEMBER), RULE)[0] == "NON_COMPLIANT"


def test_a_defect_counts_in_regions_that_no_plan_covers(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"far": policy_plan(regions=["us-east-1"], selections=None)}})
    compliance, annotation = account_verdict(door, RULE)
    assert (compliance, "plans.far.selections" in annotation) == ("NON_COMPLIANT", True)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param("{", "$ is not JSON", id="not JSON"),
        pytest.param('["plans"]', "$ is a list", id="no object"),
        pytest.param('{"plans": "nightly"}', "plans is a string", id="no plans"),
        pytest.param('{"plans": {"nightly": null}}', "plans.nightly is null", id="no plan"),
        pytest.param(
            json.dumps({"plans": {"p": policy_plan(rules={"r": policy_rule("v", enable_continuous_backup="si")})}}),
            'plans.p.rules.r.enable_continuous_backup is "si"; true or false is expected',
            id="another kind of value",
        ),
        pytest.param("[" * 100_000, "$ is nested too deeply", id="too deep"),
    ],
)
def test_a_policy_that_cannot_be_read_is_reported_with_its_path(
    door: Door, organization: Organization, content: str, named: str
) -> None:
    with failing(answering(content), "organizations", "DescribeEffectivePolicy"):
        compliance, annotation = account_verdict(door, RULE, RequiredPlans="nightly")
    assert compliance == "NON_COMPLIANT"
    assert annotation.startswith(f"In this account's effective backup policy, {named}")
    assert CORRECT in annotation


def test_a_long_path_keeps_what_to_do(door: Door, organization: Organization) -> None:
    organization.attach(
        {"plans": {"p" * 90: policy_plan(rules={"r" * 90: policy_rule("v", schedule_expression=None)})}}
    )
    annotation = account_verdict(door, RULE)[1]
    assert len(annotation) <= 256
    assert annotation.endswith(CORRECT)


# What can't be asked


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        pytest.param(faults.denied, "organizations:DescribeEffectivePolicy", id="denied"),
        pytest.param(faults.throttled, "TooManyRequestsException", id="throttled"),
        pytest.param(faults.server_error, "InternalFailure", id="server error"),
        pytest.param(faults.timeout, "organizations:DescribeEffectivePolicy failed", id="time-out"),
        pytest.param(faults.malformed, "cannot be read", id="malformed"),
        pytest.param(answering("{}", target=OTHER_MEMBER), f"TargetId is {OTHER_MEMBER}", id="of another account"),
        pytest.param(faults.error("UnsupportedAPIEndpointException", "No."), "UnsupportedAPI", id="unsupported"),
        pytest.param(faults.error("ConstraintViolationException", "No."), "ConstraintViolation", id="constraint"),
    ],
)
def test_a_policy_that_cannot_be_asked_for_fails_the_evaluation(
    door: Door, organization: Organization, monkeypatch: pytest.MonkeyPatch, kind: Kind, named: str
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    before = account_verdict(door, RULE)
    organization.attach({"plans": {"nightly": policy_plan()}})
    with (
        recorded_calls() as calls,
        failing(kind, "organizations", "DescribeEffectivePolicy") as fault,
        pytest.raises(IncompleteEvaluationError, match=named) as raised,
    ):
        door.evaluate(RULE)
    assert fault.struck
    assert "111122223333" in str(raised.value)
    assert "PutEvaluations" not in {call.operation for call in calls}
    (kept,) = door.stored(RULE).values()
    assert (kept.compliance, kept.annotation) == before


def test_an_endpoint_without_effective_policies_fails_the_evaluation(door: Door, organization: Organization) -> None:
    set_effective_policies_supported(door.account, supported=False)
    with pytest.raises(IncompleteEvaluationError, match="UnsupportedAPIEndpointException"):
        door.evaluate(RULE)
    assert not door.stored(RULE)


def test_an_organization_that_cannot_be_described_fails_the_evaluation(door: Door, organization: Organization) -> None:
    with (
        failing(faults.denied, "organizations", "DescribeOrganization"),
        pytest.raises(IncompleteEvaluationError, match="needs organizations:DescribeOrganization"),
    ):
        door.evaluate(RULE)
    assert not door.stored(RULE)


def test_the_account_asks_about_itself_once(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"nightly": policy_plan()}})
    with recorded_calls() as calls:
        door.evaluate(RULE)
    asked = [call for call in calls if call.service == "organizations"]
    assert [(call.account, call.operation, dict(call.parameters)) for call in asked] == [
        (door.account, "DescribeEffectivePolicy", {"PolicyType": "BACKUP_POLICY"})
    ]


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"Required": "maybe"}, "Required is 'maybe'; allowed is true or false"),
        ({"RequireThisRegion": "1"}, "RequireThisRegion is '1'; allowed is true or false"),
        ({"RequiredPlan": "nightly"}, "Did you mean RequiredPlans"),
    ],
)
def test_parameters_that_are_refused(door: Door, parameters: dict[str, str], named: str) -> None:
    with recorded_calls() as calls, pytest.raises(InvalidRuleParametersError, match=named):
        door.evaluate(RULE, parameters)
    assert "PutEvaluations" not in {call.operation for call in calls}

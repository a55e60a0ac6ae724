"""BACKUP_POLICY_ROLE_EXISTS through the front door."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from aws_simulator.core import faults
from aws_simulator.core.faults import Kind, failing, recorded_calls
from backup_rules.errors import IncompleteEvaluationError, InvalidRuleParametersError
from tests.front_door import TRUST_BACKUP, Door, front_door
from tests.organization import OTHER_MEMBER, Organization, account_verdict, answering, policy_plan

RULE = "BACKUP_POLICY_ROLE_EXISTS"
HIDDEN = "Not all roles of this account's effective backup policy can be looked at: "
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


def missing(role: str, whose: str = "selection tagged of policy plan nightly") -> tuple[str, str]:
    return (
        "NON_COMPLIANT",
        (
            f"Role arn:aws:iam::111122223333:role/{role} of {whose} does not exist. Create it (it"
            " must trust backup.amazonaws.com), or change iam_role_arn in the backup policy."
        ),
    )


def named_elsewhere(role_arn: str, where: str, remedy: str) -> tuple[str, str]:
    return (
        "NON_COMPLIANT",
        f"Selection tagged of policy plan nightly names {role_arn}, a role of {where}. {remedy}",
    )


@pytest.mark.parametrize(
    ("role_arn", "expected"),
    [
        pytest.param("arn:aws:iam::$account:role/BackupRole", COMPLIANT, id="exists"),
        pytest.param("arn:aws:iam::111122223333:role/BackupRole", COMPLIANT, id="with this account's id"),
        pytest.param("arn:aws:iam::$account:role/ops/Nightly", COMPLIANT, id="with its path"),
        pytest.param("arn:aws:iam::$account:role/Absent", missing("Absent"), id="missing"),
        pytest.param(
            "arn:aws:iam::222233334444:role/BackupRole",
            named_elsewhere(
                "arn:aws:iam::222233334444:role/BackupRole",
                "account 222233334444",
                "Write $account in the backup policy in place of the account id.",
            ),
            id="of another account",
        ),
        pytest.param(
            "arn:aws-cn:iam::$account:role/BackupRole",
            named_elsewhere(
                "arn:aws-cn:iam::111122223333:role/BackupRole",
                "partition aws-cn",
                "Write partition aws in iam_role_arn of the backup policy.",
            ),
            id="of another partition",
        ),
        pytest.param(
            "BackupRole",
            (
                "NON_COMPLIANT",
                (
                    "Selection tagged of policy plan nightly names as its role BackupRole, which is a bare"
                    " name, not an ARN. Set iam_role_arn in the backup policy to the ARN of an IAM role of this"
                    " account."
                ),
            ),
            id="a name",
        ),
    ],
)
def test_roles(door: Door, organization: Organization, role_arn: str, expected: tuple[str, str]) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod", role=role_arn)}})
    door.role()
    door.role("Nightly", path="/ops/")
    door.at(account=OTHER_MEMBER).role("Absent")
    assert account_verdict(door, RULE) == expected


def test_a_role_under_another_path_is_another_role(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod", role="arn:aws:iam::$account:role/Nightly")}})
    door.role("Nightly", path="/ops/")
    compliance, annotation = account_verdict(door, RULE)
    role = "arn:aws:iam::111122223333:role/Nightly"
    assert compliance == "NON_COMPLIANT"
    assert annotation.startswith(f"Role {role} of selection tagged of policy plan nightly does not exist")


def trust(**changes: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [TRUST_BACKUP["Statement"][0] | changes]}  # type: ignore[operator]


@pytest.mark.parametrize(
    ("document", "compliance"),
    [
        pytest.param(trust(), "COMPLIANT", id="trusts AWS Backup"),
        pytest.param(trust(Principal={"Service": "ec2.amazonaws.com"}), "NON_COMPLIANT", id="trusts another service"),
        pytest.param(
            trust(Condition={"StringEquals": {"aws:SourceAccount": "444455556666"}}),
            "NON_COMPLIANT",
            id="trusts AWS Backup for another account",
        ),
        pytest.param(
            trust(Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}}),
            "COMPLIANT",
            id="trusts AWS Backup for this account",
        ),
    ],
)
def test_whether_the_role_can_be_assumed(
    door: Door, organization: Organization, document: dict[str, Any], compliance: str
) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod")}})
    door.role(trust=document)
    found = account_verdict(door, RULE)
    assert found[0] == compliance
    assert ("Role BackupRole of selection tagged of policy plan nightly" in found[1]) == (compliance == "NON_COMPLIANT")


def test_a_role_that_several_selections_name_is_read_and_reported_once(door: Door, organization: Organization) -> None:
    organization.attach({"plans": {"nightly": policy_plan("prod"), "weekly": policy_plan("prod")}})
    with recorded_calls() as calls:
        found = account_verdict(door, RULE)
    assert found == missing("BackupRole", "selection tagged of policy plan nightly and 1 more")
    assert [call.operation for call in calls].count("GetRole") == 1


def test_long_names_leave_room_for_what_is_wrong_and_what_to_do(door: Door, organization: Organization) -> None:
    role = f"arn:aws:iam::$account:role/{'r' * 64}"
    tagged = policy_plan("prod", role=role)["selections"]["tags"]["tagged"]
    selections = {"tags": {letter * 50: tagged for letter in "st"}}
    organization.attach({"plans": {"p" * 50: policy_plan("prod", selections=selections)}})
    annotation = account_verdict(door, RULE)[1]
    assert len(annotation) <= 256
    assert " and 1 more does not exist. Create it" in annotation
    assert annotation.endswith("or change iam_role_arn in the backup policy.")


def test_a_selection_by_resources_names_a_role_too(door: Door, organization: Organization) -> None:
    volumes = {"iam_role_arn": "arn:aws:iam::$account:role/Volumes", "resource_types": ["arn:aws:ec2:*:*:volume/*"]}
    organization.attach({"plans": {"nightly": policy_plan("prod", selections={"resources": {"volumes": volumes}})}})
    assert account_verdict(door, RULE) == missing("Volumes", "selection volumes of policy plan nightly")


def test_what_does_not_concern_the_account_or_region_is_not_applicable(door: Door) -> None:
    in_none = "The account is in no organization, so no backup policy can reach it."
    assert account_verdict(door, RULE) == ("NOT_APPLICABLE", in_none)
    organization = Organization.of(door)
    assert account_verdict(door, RULE) == ("NOT_APPLICABLE", "The account has no effective backup policy.")
    organization.attach({"plans": {"far": policy_plan("prod", regions=["us-east-1"])}})
    assert account_verdict(door, RULE) == NO_PLAN_HERE


def test_an_effect_counts_in_any_letter_case(door: Door, organization: Organization) -> None:
    """Written so in the Terraform provider's own example for years; IAM takes it, and AWS Backup assumes such roles."""
    organization.attach({"plans": {"nightly": policy_plan("prod")}})
    statement = {"Effect": "allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
    door.role(trust={"Version": "2012-10-17", "Statement": [statement]})
    assert account_verdict(door, RULE) == COMPLIANT


@pytest.mark.parametrize(
    ("excluded", "expected"), [("weekly", missing("BackupRole")), ("nightly", COMPLIANT), ("orgs/*", NO_PLAN_HERE)]
)
def test_excluded_plans(door: Door, organization: Organization, excluded: str, expected: tuple[str, str]) -> None:
    weekly = policy_plan("prod", role="arn:aws:iam::$account:role/Weekly")
    organization.attach({"plans": {"nightly": policy_plan("prod"), "weekly": weekly}})
    door.role("Weekly")
    assert account_verdict(door, RULE, ExcludedPlans=excluded) == expected


def selected(**changes: Any) -> dict[str, Any]:
    tagged = policy_plan("prod")["selections"]["tags"]["tagged"] | changes
    return {"selections": {"tags": {"tagged": {name: value for name, value in tagged.items() if value is not None}}}}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        pytest.param({"selections": None}, "plans.nightly.selections", id="selections missing"),
        pytest.param({"selections": {"tags": "x"}}, "plans.nightly.selections.tags", id="selections unreadable"),
        pytest.param(
            selected(iam_role_arn=None), "plans.nightly.selections.tags.tagged.iam_role_arn", id="role missing"
        ),
        pytest.param(
            selected(iam_role_arn={"a": 1}), "plans.nightly.selections.tags.tagged.iam_role_arn", id="role unreadable"
        ),
        pytest.param(selected(tag_key=None), "plans.nightly.selections.tags.tagged.tag_key", id="tag key missing"),
        pytest.param({"regions": None}, "plans.nightly.regions", id="Regions missing"),
        pytest.param({"rules": None}, None, id="rules missing"),
        pytest.param(selected(conditions={"string_equals": "x"}), None, id="conditions unreadable"),
        pytest.param({"regions": ["us-east-1"], "selections": None}, None, id="in a plan for another Region"),
    ],
)
def test_what_may_hide_a_role_is_reported_with_its_path(
    door: Door, organization: Organization, changes: dict[str, Any], path: str | None
) -> None:
    nightly = {name: value for name, value in (policy_plan("prod") | changes).items() if value is not None}
    door.role()
    content = json.dumps({"plans": {"nightly": nightly, "whole": policy_plan("prod")}})
    with failing(answering(content), "organizations", "DescribeEffectivePolicy"):
        compliance, annotation = account_verdict(door, RULE)
    if path is None:
        assert (compliance, annotation) == FROZEN
    else:
        assert compliance == "NON_COMPLIANT"
        assert annotation.startswith(f"{HIDDEN}{path} ")
        assert annotation.endswith(CORRECT)


@pytest.mark.parametrize("operation", ["organizations:DescribeEffectivePolicy", "iam:GetRole"])
@pytest.mark.parametrize(
    "kind", [faults.denied, faults.throttled, faults.server_error, faults.timeout, faults.malformed]
)
def test_what_cannot_be_read_fails_the_evaluation(
    door: Door, organization: Organization, monkeypatch: pytest.MonkeyPatch, operation: str, kind: Kind
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    organization.attach({"plans": {"nightly": policy_plan("prod")}})
    door.role()
    with failing(kind, *operation.split(":")), pytest.raises(IncompleteEvaluationError, match=operation) as raised:
        door.evaluate(RULE)
    assert "111122223333" in str(raised.value)
    assert not door.stored(RULE)


def test_one_role_of_several_that_cannot_be_read_fails_the_evaluation(door: Door, organization: Organization) -> None:
    """The other role is missing, which would be a verdict; but the account is the subject, and is not known whole."""
    weekly = policy_plan("prod", role="arn:aws:iam::$account:role/Weekly")
    organization.attach({"plans": {"nightly": policy_plan("prod"), "weekly": weekly}})
    with (
        failing(faults.denied, "iam", "GetRole", when=lambda given: given["RoleName"] == "Weekly"),
        pytest.raises(IncompleteEvaluationError, match="needs iam:GetRole"),
    ):
        door.evaluate(RULE)
    assert not door.stored(RULE)


def test_a_parameter_that_is_unknown(door: Door) -> None:
    with recorded_calls() as calls, pytest.raises(InvalidRuleParametersError, match="'Strict'"):
        door.evaluate(RULE, {"Strict": "true"})
    assert "PutEvaluations" not in {call.operation for call in calls}

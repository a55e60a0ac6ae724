"""organization.yaml: the member role and the pack, in every account."""

from __future__ import annotations

from typing import Any

import pytest

from aws_simulator.core.operations import AwsError
from aws_simulator.deployment.cloudformation.templates import parse, references
from tests.cloudformation.rendering import (
    CENTRAL,
    FOLDER,
    NEEDED,
    ORGANIZATION,
    committed,
    render,
    rendered,
)

NAME = "organization.yaml"
DECLARED = committed(NAME)["Parameters"]


def pack(given: dict[str, str] | None = None) -> dict[str, Any]:
    return dict(rendered(NAME, given)["Pack"]["Properties"])


def forwarded(given: dict[str, str] | None = None) -> dict[str, str]:
    found = pack(given)["ConformancePackInputParameters"]
    names = [each["ParameterName"] for each in found]
    assert len(names) == len(set(names)) <= 60
    return {each["ParameterName"]: each["ParameterValue"] for each in found}


def stack_set(given: dict[str, str] | None = None) -> dict[str, Any]:
    return dict(rendered(NAME, given)["MemberRoleStackSet"]["Properties"])


def test_by_default_the_pack_gets_the_functions_and_the_role() -> None:
    assert forwarded() == {
        "FunctionArnPrefix": NEEDED[NAME]["FunctionArnPrefix"],
        "ExecutionRoleName": "BackupConfigRulesMemberRole",
    }


def test_the_pack_takes_whatever_is_forwarded() -> None:
    made = forwarded({"ExcludedPlans": "a", "ExcludedAccounts": CENTRAL, "OrganizationId": ORGANIZATION})
    assert set(made) == set(committed("conformance-pack.yaml")["Parameters"])
    rules = render(committed("conformance-pack.yaml"), made)
    assert rules["TagCase"]["Properties"]["InputParameters"] == {
        "ExecutionRoleName": "BackupConfigRulesMemberRole",
        "ExcludedPlans": "a",
    }


def test_the_pack_is_read_from_where_it_was_put() -> None:
    made = pack({"PackName": "second", "ExcludedAccounts": "111122223333,444455556666"})
    assert made["OrganizationConformancePackName"] == "second"
    assert made["TemplateS3Uri"] == NEEDED[NAME]["PackTemplateUri"]
    assert made["ExcludedAccounts"] == ["111122223333", "444455556666"]
    assert "ExcludedAccounts" not in pack()
    assert "DeliveryS3Bucket" not in made


def test_the_stack_set_makes_the_member_role_in_one_region_of_every_account() -> None:
    made = stack_set({"TargetIds": "ou-abcd-11111111,ou-abcd-22222222", "CallAs": "DELEGATED_ADMIN"})
    assert made["TemplateBody"] == (FOLDER / "member-role.yaml").read_text(encoding="utf-8")
    assert made["PermissionModel"] == "SERVICE_MANAGED"
    assert made["CallAs"] == "DELEGATED_ADMIN"
    assert made["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    assert made["ManagedExecution"] == {"Active": True}
    assert made["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert made["StackInstancesGroup"] == [
        {
            "DeploymentTargets": {"OrganizationalUnitIds": ["ou-abcd-11111111", "ou-abcd-22222222"]},
            "Regions": ["eu-west-1"],
        }
    ]


def test_the_stack_set_passes_on_what_the_role_asks_for() -> None:
    given = {"MemberRoleName": "Reader", "FunctionRoleName": "Mine", "OrganizationId": ORGANIZATION}
    made = stack_set(given)
    values = {each["ParameterKey"]: each["ParameterValue"] for each in made["Parameters"]}
    role = render(parse(made["TemplateBody"]), values)["MemberRole"]["Properties"]
    assert role["RoleName"] == "Reader" == forwarded(given)["ExecutionRoleName"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {
        "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{CENTRAL}:role/Mine-*"},
        "StringEquals": {"aws:PrincipalOrgID": ORGANIZATION},
    }


def test_the_pack_comes_after_the_role() -> None:
    assert "MemberRoleStackSet" in references(committed(NAME)["Resources"]["Pack"]["Properties"])


def test_other_regions_get_the_pack_alone() -> None:
    assert set(rendered(NAME, {"CreateMemberRole": "false"})) == {"Pack"}
    assert set(rendered(NAME, {"CreateMemberRole": "false"}, section="Outputs")) == {"PackName"}
    assert forwarded({"CreateMemberRole": "false"}) == forwarded()


def test_the_aggregator_is_made_on_demand_only() -> None:
    assert set(rendered(NAME)) == {"MemberRoleStackSet", "Pack"}
    made = rendered(NAME, {"CreateAggregator": "true"})
    source = made["Aggregator"]["Properties"]["OrganizationAggregationSource"]
    assert source == {"RoleArn": "<AggregatorRole.Arn>", "AllAwsRegions": True}
    role = made["AggregatorRole"]["Properties"]
    assert role["ManagedPolicyArns"] == ["arn:aws:iam::aws:policy/service-role/AWSConfigRoleForOrganizations"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "config.amazonaws.com"}


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("TargetIds", "everywhere"),
        ("ExcludedAccounts", "111122223333,sandbox"),
        ("PackTemplateUri", "https://artifacts.s3.amazonaws.com/pack.yaml"),
        ("FunctionArnPrefix", "backup-config-rules-"),
        ("PackName", "2nd"),
        ("ExcludedPlans", 'a"b'),
        ("ExcludedPlans", "p" * 385),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_made(parameter: str, value: str) -> None:
    with pytest.raises(AwsError, match=parameter):
        rendered(NAME, {parameter: value})


def test_the_only_mandatory_parameters_are_what_nobody_can_guess() -> None:
    assert {name for name, each in DECLARED.items() if "Default" not in each} == set(NEEDED[NAME])

"""Stack sets on the simulator: a role of one template in the accounts of an organization."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from aws_simulator.core.faults import denied, failing
from aws_simulator.core.organizations import account_ids
from aws_simulator.deployment.membership import settle
from aws_simulator.simulation import simulated_aws
from tests.simulator.callers import client

REGION = "eu-west-1"
MANAGEMENT, CENTRAL, MEMBER, LATER = "111122223333", "444455556666", "777788889999", "222233334444"
PRINCIPAL = "member.org.stacksets.cloudformation.amazonaws.com"

ROLE = yaml.safe_dump(
    {
        "Parameters": {"Name": {"Type": "String", "Default": "reader"}},
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": {"Ref": "Name"},
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
                },
            }
        },
    }
)


@dataclass(frozen=True)
class Organization:
    """The root holds the management account and the OU Workloads; that holds CENTRAL, and an OU within it MEMBER."""

    root: str
    workloads: str
    inner: str


@pytest.fixture
def organization() -> Iterator[Organization]:
    with simulated_aws():
        organizations = client("organizations", MANAGEMENT)
        organizations.create_organization(FeatureSet="ALL")
        root = organizations.list_roots()["Roots"][0]["Id"]
        units = [root]
        for name in ("Workloads", "Inner"):
            unit = organizations.create_organizational_unit(ParentId=units[-1], Name=name)["OrganizationalUnit"]["Id"]
            units.append(unit)
        join(CENTRAL, units[1])
        join(MEMBER, units[2])
        yield Organization(*units)


def join(account: str, unit: str) -> None:
    organizations = client("organizations", MANAGEMENT)
    with account_ids([account]):
        organizations.create_account(AccountName=account, Email=f"{account}@example.com")
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)


def trust(*, delegate: bool = False) -> None:
    client("cloudformation", MANAGEMENT).activate_organizations_access()
    if delegate:
        client("organizations", MANAGEMENT).register_delegated_administrator(
            AccountId=CENTRAL, ServicePrincipal=PRINCIPAL
        )


def stack_set(unit: str, owner: str = MANAGEMENT, **changes: Any) -> str:
    """A stack with a stack set and nothing else; its status and the reason."""
    properties = {
        "StackSetName": "member-role",
        "PermissionModel": "SERVICE_MANAGED",
        "CallAs": "SELF" if owner == MANAGEMENT else "DELEGATED_ADMIN",
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "StackInstancesGroup": [{"DeploymentTargets": {"OrganizationalUnitIds": [unit]}, "Regions": [REGION]}],
        "TemplateBody": ROLE,
    } | changes
    body = yaml.safe_dump({"Resources": {"Set": {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}}})
    cloudformation = client("cloudformation", owner)
    there = [
        each for each in cloudformation.list_stacks()["StackSummaries"] if each["StackStatus"] != "DELETE_COMPLETE"
    ]
    act = cloudformation.update_stack if there else cloudformation.create_stack
    act(StackName="rollout", TemplateBody=body)
    stack = cloudformation.describe_stacks(StackName="rollout")["Stacks"][0]
    return f"{stack['StackStatus']} {stack.get('StackStatusReason', '')}".strip()


def accounts_with(role: str) -> set[str]:
    return {
        account
        for account in (MANAGEMENT, CENTRAL, MEMBER, LATER)
        if role in {each["RoleName"] for each in client("iam", account).list_roles()["Roles"]}
    }


def test_the_root_reaches_every_account_but_the_management_account(organization: Organization) -> None:
    trust()
    assert stack_set(organization.root) == "CREATE_COMPLETE"
    assert accounts_with("reader") == {CENTRAL, MEMBER}
    summaries = client("cloudformation", MANAGEMENT).list_stack_instances(StackSetName="member-role")["Summaries"]
    assert {(each["Account"], each["Region"], each["Status"]) for each in summaries} == {
        (CENTRAL, REGION, "CURRENT"),
        (MEMBER, REGION, "CURRENT"),
    }


def test_an_ou_reaches_its_accounts_and_those_of_the_ous_within(organization: Organization) -> None:
    trust()
    stack_set(organization.inner)
    assert accounts_with("reader") == {MEMBER}
    stack_set(
        organization.inner,
        StackInstancesGroup=[
            {"DeploymentTargets": {"OrganizationalUnitIds": [organization.workloads]}, "Regions": [REGION]}
        ],
    )
    assert accounts_with("reader") == {CENTRAL, MEMBER}


def test_a_delegated_administrator_deploys_to_itself_as_well(organization: Organization) -> None:
    trust(delegate=True)
    assert stack_set(organization.root, CENTRAL) == "CREATE_COMPLETE"
    assert accounts_with("reader") == {CENTRAL, MEMBER}
    central = client("cloudformation", CENTRAL)
    seen = central.describe_stack_set(StackSetName="member-role", CallAs="DELEGATED_ADMIN")["StackSet"]
    assert (seen["PermissionModel"], seen["AutoDeployment"]["Enabled"]) == ("SERVICE_MANAGED", True)
    with pytest.raises(ClientError, match="StackSetNotFoundException"):
        central.describe_stack_set(StackSetName="member-role")


@pytest.mark.parametrize(
    ("trusted", "owner", "reason"),
    [
        (False, MANAGEMENT, "You must enable organizations access"),
        (True, CENTRAL, "not a delegated administrator"),
    ],
    ids=["no trusted access", "no delegated administrator"],
)
def test_a_prerequisite_that_is_missing_fails_the_stack(
    organization: Organization, trusted: bool, owner: str, reason: str
) -> None:
    if trusted:
        trust()
    outcome = stack_set(organization.root, owner)
    assert outcome.startswith("ROLLBACK_COMPLETE")
    assert reason in outcome
    assert accounts_with("reader") == set()


def test_changes_of_template_and_parameters_reach_the_accounts(organization: Organization) -> None:
    trust()
    stack_set(organization.root)
    named = [{"ParameterKey": "Name", "ParameterValue": "auditor"}]
    assert stack_set(organization.root, Parameters=named) == "UPDATE_COMPLETE"
    assert (accounts_with("reader"), accounts_with("auditor")) == (set(), {CENTRAL, MEMBER})


@pytest.mark.parametrize(
    ("preferences", "status", "reached"),
    [({}, "ROLLBACK_COMPLETE", set()), ({"FailureTolerancePercentage": 100}, "CREATE_COMPLETE", {CENTRAL})],
    ids=["none may fail", "all may fail"],
)
def test_failures_count_against_what_is_tolerated(
    organization: Organization, preferences: dict[str, Any], status: str, reached: set[str]
) -> None:
    trust()
    with failing(denied, "iam", "CreateRole", account=MEMBER):
        outcome = stack_set(organization.root, OperationPreferences=preferences)
    assert outcome.split()[0] == status
    assert accounts_with("reader") == reached


def test_deleting_the_stack_takes_the_roles_along(organization: Organization) -> None:
    trust()
    stack_set(organization.root)
    client("cloudformation", MANAGEMENT).delete_stack(StackName="rollout")
    assert accounts_with("reader") == set()
    assert client("cloudformation", MANAGEMENT).list_stack_sets(Status="ACTIVE")["Summaries"] == []


@pytest.mark.parametrize("automatic", [True, False])
def test_accounts_that_join_and_leave_are_followed_when_deployment_is_automatic(
    organization: Organization, automatic: bool
) -> None:
    trust()
    stack_set(organization.workloads, AutoDeployment={"Enabled": automatic, "RetainStacksOnAccountRemoval": False})
    join(LATER, organization.inner)
    organizations = client("organizations", MANAGEMENT)
    organizations.move_account(
        AccountId=MEMBER, SourceParentId=organization.inner, DestinationParentId=organization.root
    )
    settle(MANAGEMENT, [REGION])
    assert accounts_with("reader") == ({CENTRAL, LATER} if automatic else {CENTRAL, MEMBER})


@pytest.mark.parametrize("retain", [False, True])
def test_an_account_that_leaves_the_organization_keeps_its_stack_only_if_the_stack_set_retains_it(
    organization: Organization, retain: bool
) -> None:
    trust()
    stack_set(organization.root, AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": retain})
    client("organizations", MANAGEMENT).remove_account_from_organization(AccountId=MEMBER)
    settle(MANAGEMENT, [REGION])
    assert accounts_with("reader") == ({CENTRAL, MEMBER} if retain else {CENTRAL})
    assert set(instances()) == {CENTRAL}


def test_in_a_closed_account_nothing_is_done_any_more(organization: Organization) -> None:
    trust()
    stack_set(organization.root)
    client("organizations", MANAGEMENT).close_account(AccountId=MEMBER)
    settle(MANAGEMENT, [REGION])
    assert instances() == {CENTRAL: "SUCCEEDED", MEMBER: "SKIPPED_SUSPENDED_ACCOUNT"}
    client("cloudformation", MANAGEMENT).delete_stack(StackName="rollout")
    assert accounts_with("reader") == {MEMBER}
    assert client("cloudformation", MANAGEMENT).list_stack_sets(Status="ACTIVE")["Summaries"] == []


def instances() -> dict[str, str]:
    """The detailed status of the stack set's instances, by account."""
    listed = client("cloudformation", MANAGEMENT).list_stack_instances(StackSetName="member-role")["Summaries"]
    return {each["Account"]: each["StackInstanceStatus"]["DetailedStatus"] for each in listed}

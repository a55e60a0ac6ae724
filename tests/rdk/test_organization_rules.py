"""Organization Config rules in the simulator: where they are made, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_simulator.deployment.membership import settle
from tests.front_door import Door, front_door
from tests.organization import MANAGEMENT, OTHER_MEMBER, Organization

FUNCTION = f"arn:aws:lambda:eu-west-1:{MANAGEMENT}:function:anything"


def record(door: Door) -> None:
    config = door.client("config")
    role = f"arn:aws:iam::{door.account}:role/recorder"
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "anything"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")


def put(door: Door, *, excluded: tuple[str, ...] = (), **metadata: Any) -> Any:
    given = {"LambdaFunctionArn": FUNCTION, "OrganizationConfigRuleTriggerTypes": ["ScheduledNotification"]}
    door.client("config").put_organization_config_rule(
        OrganizationConfigRuleName="tags",
        OrganizationCustomRuleMetadata=given | metadata,
        ExcludedAccounts=list(excluded),
    )
    (status,) = door.client("config").describe_organization_config_rule_statuses()["OrganizationConfigRuleStatuses"]
    return status


def rules(door: Door) -> list[Any]:
    found: list[Any] = door.client("config").describe_config_rules()["ConfigRules"]
    return found


def test_a_rule_reaches_every_account_with_a_recorder_and_no_excluded_one() -> None:
    with front_door() as member:
        management = Organization.of(member).management
        for door in (member, management):
            record(door)
        status = put(management, excluded=(OTHER_MEMBER,), MaximumExecutionFrequency="Six_Hours")
        assert status["OrganizationRuleStatus"] == "CREATE_SUCCESSFUL"
        (rule,) = rules(member)
        assert rule["ConfigRuleName"].startswith("OrgConfigRule-tags-")
        assert rule["Source"]["SourceDetails"][0]["MaximumExecutionFrequency"] == "Six_Hours"
        assert not rules(member.at(account=OTHER_MEMBER))
        put(management, excluded=(OTHER_MEMBER, member.account))
        assert not rules(member)
        management.client("config").delete_organization_config_rule(OrganizationConfigRuleName="tags")
        assert not rules(management)


def test_an_account_without_a_running_recorder_fails_the_rule() -> None:
    with front_door() as member:
        management = Organization.of(member).management
        record(management)
        status = put(management)
        assert status["OrganizationRuleStatus"] == "CREATE_FAILED"
        assert f"{member.account}: NoAvailableConfigurationRecorder" in status["ErrorMessage"]


def test_accounts_that_join_get_it_and_those_that_leave_lose_it() -> None:
    with front_door() as member:
        organization = Organization.of(member)
        management, other = organization.management, member.at(account=OTHER_MEMBER)
        for door in (member, management, other):
            record(door)
        put(management)
        management.client("organizations").remove_account_from_organization(AccountId=OTHER_MEMBER)
        settle(MANAGEMENT, ["eu-west-1"])
        assert (len(rules(member)), rules(other)) == (1, [])
        invited = {"Id": OTHER_MEMBER, "Type": "ACCOUNT"}
        handshake = management.client("organizations").invite_account_to_organization(Target=invited)["Handshake"]
        other.client("organizations").accept_handshake(HandshakeId=handshake["Id"])
        settle(MANAGEMENT, ["eu-west-1"])
        assert (len(rules(member)), len(rules(other))) == (1, 1)


def test_resource_types_are_refused_for_a_rule_with_a_schedule_only() -> None:
    """https://github.com/cloud-custodian/cloud-custodian/pull/10008"""
    with front_door() as member:
        management = Organization.of(member).management
        for door in (member, management, member.at(account=OTHER_MEMBER)):
            record(door)
        status = put(management, ResourceTypesScope=["AWS::Backup::BackupPlan"])
        assert status["OrganizationRuleStatus"] == "CREATE_FAILED"
        assert not rules(member)


def test_a_member_may_not_put_one() -> None:
    with front_door() as member:
        Organization.of(member)
        with pytest.raises(ClientError, match="OrganizationAccessDenied"):
            put(member)

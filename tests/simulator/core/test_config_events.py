"""The events that AWS Config sends, and the configuration items in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from rdklib.util import service

from aws_simulator.core.messages.config_events import change_event, rule_arn, scheduled_event
from aws_simulator.core.messages.configuration_items import Recording, Status, plan_item, selection_item

rdklib_service: Any = service
ACCOUNT, REGION = "111122223333", "eu-west-1"
NOW = datetime(2026, 11, 23, 12, 30, 15, 250_000, tzinfo=UTC)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
COMMON: dict[str, Any] = {
    "rule_name": "backup-role-assumable-conformance-pack-n0q8yfwsp",
    "account": ACCOUNT,
    "region": REGION,
    "token": "token",
    "parameters": {"ExecutionRoleName": "reader", "Strict": "true"},
    "execution_role_arn": ROLE,
    "now": NOW,
}

PLAN_ANSWER = {
    "BackupPlanId": "orgs/1b2c",
    "BackupPlanArn": f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-plan:orgs/1b2c",
    "VersionId": "v1",
    "BackupPlan": {
        "BackupPlanName": "nightly",
        "Rules": [
            {
                "RuleName": "daily",
                "RuleId": "r-1",
                "TargetBackupVaultName": "Default",
                "ScheduleExpression": "cron(0 5 ? * * *)",
                "ScheduleExpressionTimezone": "Europe/Madrid",
                "StartWindowMinutes": 60,
            }
        ],
    },
}
SELECTION_ANSWER = {
    "BackupPlanId": "orgs/1b2c",
    "SelectionId": "7f3a",
    "BackupSelection": {
        "SelectionName": "tagged",
        "IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/Backup",
        "Resources": ["*"],
        "NotResources": [],
        "ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "true"}],
        "Conditions": {"StringEquals": []},
    },
}


def recording(status: Status = "OK") -> Recording:
    return Recording(ACCOUNT, REGION, NOW - timedelta(minutes=5), status)


def test_a_scheduled_event_is_that_of_aws() -> None:
    event = scheduled_event(**COMMON)
    arn = rule_arn(COMMON["rule_name"], ACCOUNT, REGION)
    assert event == {
        "version": "1.0",
        "invokingEvent": event["invokingEvent"],
        "ruleParameters": '{"ExecutionRoleName": "reader", "Strict": "true"}',
        "resultToken": "token",
        "eventLeftScope": False,
        "executionRoleArn": ROLE,
        "configRuleArn": arn,
        "configRuleName": "backup-role-assumable-conformance-pack-n0q8yfwsp",
        "configRuleId": arn.rpartition("/")[2],
        "accountId": ACCOUNT,
    }
    assert json.loads(event["invokingEvent"]) == {
        "awsAccountId": ACCOUNT,
        "notificationCreationTime": "2026-11-23T12:30:15.250Z",
        "messageType": "ScheduledNotification",
        "recordVersion": "1.0",
    }


def test_times_are_written_in_utc() -> None:
    event = scheduled_event(**COMMON | {"now": NOW.astimezone(timezone(timedelta(hours=9)))})
    assert json.loads(event["invokingEvent"])["notificationCreationTime"] == "2026-11-23T12:30:15.250Z"


def test_a_rule_has_an_arn_of_its_own_in_every_place() -> None:
    places = {rule_arn(name, account, REGION) for name in ("a", "b") for account in (ACCOUNT, "444455556666")}
    assert len(places) == 4
    assert rule_arn("a", ACCOUNT, "cn-north-1", "aws-cn").startswith("arn:aws-cn:config:cn-north-1:")


def test_a_plan_item_speaks_as_cloudformation_does_and_leaves_the_time_zone_out() -> None:
    item = plan_item(PLAN_ANSWER, recording("ResourceDiscovered"))
    assert item["resourceId"] == "orgs/1b2c"
    assert item["configuration"]["BackupPlan"]["BackupPlanRule"] == [
        {
            "RuleName": "daily",
            "TargetBackupVault": "Default",
            "ScheduleExpression": "cron(0 5 ? * * *)",
            "StartWindowMinutes": 60,
        }
    ]


def test_a_selection_item_leaves_tags_and_conditions_out() -> None:
    item = selection_item(SELECTION_ANSWER, recording())
    assert item["resourceId"] == "7f3a_orgs/1b2c"
    assert item["configuration"] == {
        "BackupPlanId": "orgs/1b2c",
        "SelectionId": "7f3a",
        "BackupSelection": {
            "IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/Backup",
            "SelectionName": "tagged",
            "Resources": ["*"],
        },
    }


@pytest.mark.parametrize(
    ("status", "change", "applicable"),
    [("ResourceDiscovered", "CREATE", True), ("OK", "UPDATE", True), ("ResourceDeleted", "DELETE", False)],
)
def test_a_change_event_carries_the_item(status: Status, change: str, *, applicable: bool) -> None:
    item = plan_item(PLAN_ANSWER, recording(status))
    event = change_event(**COMMON, item=item)
    invoking = json.loads(event["invokingEvent"])
    assert invoking["messageType"] == "ConfigurationItemChangeNotification"
    assert invoking["configurationItemDiff"]["changeType"] == change
    assert invoking["notificationCreationTime"] == "2026-11-23T12:30:15.250Z"
    assert invoking["configurationItem"]["configurationItemCaptureTime"] == "2026-11-23T12:25:15.250Z"
    # rdklib, which reads the event in the Lambda function, understands it.
    read = rdklib_service.get_configuration_item(invoking)
    assert rdklib_service.is_applicable_status(read, event) is applicable
    assert (invoking["configurationItem"]["configuration"] is None) is not applicable


def test_a_resource_that_left_the_scope() -> None:
    event = change_event(**COMMON, item=plan_item(PLAN_ANSWER, recording()), left_scope=True)
    assert event["eventLeftScope"] is True


def test_an_oversized_event_has_a_summary_only() -> None:
    event = change_event(**COMMON, item=selection_item(SELECTION_ANSWER, recording()), oversized=True)
    invoking = json.loads(event["invokingEvent"])
    assert invoking["messageType"] == "OversizedConfigurationItemChangeNotification"
    assert "configurationItem" not in invoking
    summary = invoking["configurationItemSummary"]
    assert (summary["resourceType"], summary["resourceId"]) == ("AWS::Backup::BackupSelection", "7f3a_orgs/1b2c")
    assert "configuration" not in summary

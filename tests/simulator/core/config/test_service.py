"""AWS Config at work on the simulator: which functions it invokes, with what, and what it sees of their failures."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from aws_simulator.core import config
from aws_simulator.core.accounts import account_session
from aws_simulator.core.config.service import Clockwork, notify_change, run_rules, start_recorder
from aws_simulator.core.messages.configuration_items import PLAN_TYPE, Recording, plan_item
from aws_simulator.deployment.lambda_runtime import LambdaRuntime, lambda_runtime
from aws_simulator.server import serving
from tests.simulator.callers import client

REGION, CENTRAL, MEMBER, OTHER = "eu-west-1", "444455556666", "777788889999", "222233334444"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ECHO = """
import json

def handler(event, context):
    if "fail" in json.loads(event.get("ruleParameters", "{}")):
        raise ValueError("no verdict")
    return event
"""
PERIODIC = ("ScheduledNotification",)
CHANGES = ("ConfigurationItemChangeNotification", "OversizedConfigurationItemChangeNotification")


@pytest.fixture(scope="module")
def runtime() -> Iterator[LambdaRuntime]:
    """A function of CENTRAL that AWS Config may invoke for MEMBER, and that hands back the event."""
    with serving() as url, lambda_runtime(url) as running:
        config.install(require_functions=True)
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = client("iam", CENTRAL).create_role(
            RoleName="function", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("echo.py", ECHO)
        functions = client("lambda", CENTRAL)
        functions.create_function(
            FunctionName="echo",
            Runtime="python3.13",
            Handler="echo.handler",
            Role=role["Role"]["Arn"],
            Code={"ZipFile": packed.getvalue()},
        )
        functions.add_permission(
            FunctionName="echo",
            StatementId="config",
            Action="lambda:InvokeFunction",
            Principal="config.amazonaws.com",
            SourceAccount=MEMBER,
        )
        start_recorder(account_session(MEMBER, REGION), REGION)
        yield running


@pytest.fixture(autouse=True)
def no_rules(runtime: LambdaRuntime) -> Iterator[None]:
    yield
    for account in (MEMBER, OTHER):
        for rule in client("config", account).describe_config_rules()["ConfigRules"]:
            client("config", account).delete_config_rule(ConfigRuleName=rule["ConfigRuleName"])


def put_rule(
    name: str,
    messages: tuple[str, ...] = PERIODIC,
    scope: Mapping[str, Any] | None = None,
    account: str = MEMBER,
    **parameters: str,
) -> str:
    """The rule's ARN."""
    details = [{"EventSource": "aws.config", "MessageType": message} for message in messages]
    rule: dict[str, Any] = {
        "ConfigRuleName": name,
        "InputParameters": json.dumps(parameters),
        "Source": {
            "Owner": "CUSTOM_LAMBDA",
            "SourceIdentifier": f"arn:aws:lambda:{REGION}:{CENTRAL}:function:echo",
            "SourceDetails": details,
        },
    }
    if scope:
        rule["Scope"] = scope
    client("config", account).put_config_rule(ConfigRule=rule)
    return str(
        client("config", account).describe_config_rules(ConfigRuleNames=[name])["ConfigRules"][0]["ConfigRuleArn"]
    )


def item(resource_type: str = PLAN_TYPE) -> dict[str, Any]:
    answer = {
        "BackupPlanId": "plan-1",
        "BackupPlanArn": f"arn:aws:backup:{REGION}:{MEMBER}:backup-plan:plan-1",
        "VersionId": "v1",
        "CreationDate": NOON,
        "BackupPlan": {"BackupPlanName": "nightly", "Rules": []},
    }
    recording = Recording(MEMBER, REGION, NOON, partition="aws")
    made = plan_item(answer, replace(recording, captured=NOON, status="OK"))
    return dict(made) | {"resourceType": resource_type}


def test_a_scheduled_rule_gets_the_event_that_config_sends(runtime: LambdaRuntime) -> None:
    arn = put_rule("tags", BufferMinutes="60")
    (run,) = run_rules(runtime, MEMBER, REGION, now=NOON)
    assert (run.rule, run.failure, len(run.tries)) == ("tags", None, 1)
    event = run.tries[0].payload
    invoking = json.loads(event["invokingEvent"])
    assert (invoking["messageType"], invoking["awsAccountId"]) == ("ScheduledNotification", MEMBER)
    assert invoking["notificationCreationTime"].startswith("2026-11-24T12:00:00")
    assert json.loads(event["ruleParameters"]) == {"BufferMinutes": "60"}
    assert (event["configRuleName"], event["configRuleArn"], event["accountId"]) == ("tags", arn, MEMBER)
    assert event["executionRoleArn"].endswith(
        f":{MEMBER}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    )


def test_its_result_token_is_good_for_evaluations_of_that_rule(runtime: LambdaRuntime) -> None:
    put_rule("tags")
    (run,) = run_rules(runtime, MEMBER, REGION)
    evaluation = {
        "ComplianceResourceType": "AWS::::Account",
        "ComplianceResourceId": MEMBER,
        "ComplianceType": "COMPLIANT",
        "OrderingTimestamp": NOON,
    }
    client("config", MEMBER).put_evaluations(ResultToken=run.event["resultToken"], Evaluations=[evaluation])
    details = client("config", MEMBER).get_compliance_details_by_config_rule(ConfigRuleName="tags")
    assert [each["ComplianceType"] for each in details["EvaluationResults"]] == ["COMPLIANT"]


def test_all_scheduled_rules_run_or_those_that_are_named(runtime: LambdaRuntime) -> None:
    for name in ("one", "two", "three"):
        put_rule(name)
    put_rule("on-change", CHANGES)
    assert [run.rule for run in run_rules(runtime, MEMBER, REGION)] == ["one", "three", "two"]
    assert [run.rule for run in run_rules(runtime, MEMBER, REGION, ["two"])] == ["two"]
    with pytest.raises(ValueError, match="on-change"):
        run_rules(runtime, MEMBER, REGION, ["on-change"])


def test_a_function_that_fails_is_tried_three_times_and_config_goes_on(runtime: LambdaRuntime) -> None:
    put_rule("broken", fail="yes")
    put_rule("sound")
    broken, sound = run_rules(runtime, MEMBER, REGION)
    assert (len(broken.tries), len(sound.tries)) == (3, 1)
    assert broken.failure is not None
    assert "no verdict" in broken.failure
    assert sound.failure is None


def test_a_function_that_config_may_not_invoke_is_no_error_to_config(runtime: LambdaRuntime) -> None:
    config.install(require_functions=False)
    put_rule("elsewhere", account=OTHER)
    config.install(require_functions=True)
    (run,) = run_rules(runtime, OTHER, REGION)
    assert run.tries == ()
    assert run.failure is not None
    assert run.failure.startswith("AccessDeniedException")


@pytest.mark.parametrize(
    ("messages", "scope", "oversized", "invoked"),
    [
        (CHANGES, {"ComplianceResourceTypes": [PLAN_TYPE]}, False, True),
        (CHANGES, {"ComplianceResourceTypes": [PLAN_TYPE], "ComplianceResourceId": "plan-1"}, False, True),
        (CHANGES, {"ComplianceResourceTypes": [PLAN_TYPE], "ComplianceResourceId": "plan-2"}, False, False),
        (CHANGES, {"ComplianceResourceTypes": ["AWS::EC2::Volume"]}, False, False),
        (CHANGES, {"TagKey": "backup"}, False, False),
        (CHANGES, None, False, True),
        (CHANGES, None, True, True),
        (CHANGES[:1], None, True, False),
        (PERIODIC, None, False, False),
    ],
    ids=[
        "its type",
        "its id",
        "another id",
        "another type",
        "a tag that it lacks",
        "no scope",
        "oversized",
        "oversized, not asked for",
        "periodic",
    ],
)
def test_a_change_invokes_the_rules_in_whose_scope_it_is(
    runtime: LambdaRuntime,
    messages: tuple[str, ...],
    scope: Mapping[str, Any] | None,
    oversized: bool,
    invoked: bool,
) -> None:
    put_rule("plans", messages, scope)
    runs = notify_change(runtime, MEMBER, REGION, item(), oversized=oversized, now=NOON)
    assert [run.rule for run in runs] == (["plans"] if invoked else [])
    if invoked:
        invoking = json.loads(runs[0].tries[0].payload["invokingEvent"])
        assert invoking["messageType"] == CHANGES[oversized]
        told = invoking["configurationItemSummary" if oversized else "configurationItem"]
        assert told["resourceId"] == "plan-1"
    history = client("config", MEMBER).get_resource_config_history(resourceType=PLAN_TYPE, resourceId="plan-1")
    assert history["configurationItems"]


def test_the_clock_runs_what_is_new_what_has_changed_and_what_was_asked_for(runtime: LambdaRuntime) -> None:
    clockwork = Clockwork(runtime, [(MEMBER, REGION)])
    put_rule("tags", BufferMinutes="60")
    put_rule("changes-only", CHANGES)
    assert [run.rule for run in clockwork.tick()] == ["tags"]
    assert clockwork.tick() == []
    put_rule("tags", BufferMinutes="90")
    (run,) = clockwork.tick()
    assert json.loads(run.event["ruleParameters"]) == {"BufferMinutes": "90"}
    client("config", MEMBER).start_config_rules_evaluation(ConfigRuleNames=["tags"])
    assert [run.rule for run in clockwork.tick()] == ["tags"]
    assert clockwork.tick() == []

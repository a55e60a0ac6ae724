"""EventBridge in the simulator: who is told what, and what a delivery needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from aws_simulator.core import config
from aws_simulator.core.config.compliance_change import aws_event
from aws_simulator.core.operations import AwsError
from aws_simulator.deployment.events import emit, pump, run_schedules, undelivered
from aws_simulator.simulation import simulated_aws
from tests.simulator import callers

CENTRAL, MEMBER, STRANGER = "123456789012", "111122223333", "999988887777"
REGION = "eu-west-1"
RULE = "checks"
PATTERN = json.dumps({"source": ["aws.config"], "detail": {"configRuleName": [{"prefix": "checks"}]}})
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BUS_ARN = f"arn:aws:events:{REGION}:{CENTRAL}:event-bus/central"


def client(service: str, account: str = CENTRAL) -> Any:
    return callers.client(service, account, REGION)


@pytest.fixture(autouse=True)
def _simulation() -> Iterator[None]:
    with simulated_aws():
        config.install(require_functions=False)
        yield


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(account: str, service: str, action: str, resource: str) -> str:
    made = client("iam", account).create_role(RoleName=f"for-{service}", AssumeRolePolicyDocument=trust(service))
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client("iam", account).put_role_policy(RoleName=f"for-{service}", PolicyName="p", PolicyDocument=policy)
    return str(made["Role"]["Arn"])


def evaluate(compliance: str, *resources: str, account: str = MEMBER, annotation: str = "Because.") -> None:
    put = client("config", account)
    source = {
        "Owner": "CUSTOM_LAMBDA",
        "SourceIdentifier": f"arn:aws:lambda:{REGION}:{CENTRAL}:function:f",
        "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}],
    }
    put.put_config_rule(ConfigRule={"ConfigRuleName": RULE, "Source": source})
    evaluations = [
        {
            "ComplianceResourceType": "AWS::S3::Bucket",
            "ComplianceResourceId": each,
            "ComplianceType": compliance,
            "Annotation": annotation,
            "OrderingTimestamp": NOW,
        }
        for each in resources or ("orders",)
    ]
    put.put_evaluations(Evaluations=evaluations, ResultToken=config.result_token(account, REGION, RULE))


def queue(account: str = CENTRAL, source_arn: str = "*", **attributes: str) -> tuple[str, str]:
    """A queue to which EventBridge may send for that rule; URL and ARN."""
    sqs = client("sqs", account)
    url = sqs.create_queue(QueueName="events", Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnLike": {"aws:SourceArn": source_arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def rule(account: str, target: dict[str, Any], bus: str = "default", pattern: str = PATTERN) -> str:
    events = client("events", account)
    arn = events.put_rule(Name="changes", EventPattern=pattern, EventBusName=bus)["RuleArn"]
    events.put_targets(Rule="changes", EventBusName=bus, Targets=[{"Id": "1", **target}])
    return str(arn)


def received(url: str, account: str = CENTRAL) -> list[dict[str, Any]]:
    answer = client("sqs", account).receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(each["Body"]) for each in answer.get("Messages", [])]


# --- AWS Config's event ---------------------------------------------------------------------------------------------


def test_config_tells_of_each_change_of_compliance_and_of_nothing_else() -> None:
    url, arn = queue(MEMBER)
    rule(MEMBER, {"Arn": arn})
    evaluate("NON_COMPLIANT", "orders", "payments")
    evaluate("NON_COMPLIANT", "orders", annotation="Another reason.")
    evaluate("COMPLIANT", "orders")
    first, second, third = received(url, MEMBER)
    assert [each["detail"]["resourceId"] for each in (first, second, third)] == ["orders", "payments", "orders"]
    assert "oldEvaluationResult" not in first["detail"]
    detail = third["detail"]
    assert (third["source"], third["detail-type"]) == ("aws.config", "Config Rules Compliance Change")
    assert (third["account"], third["region"], detail["awsAccountId"]) == (MEMBER, REGION, MEMBER)
    old, new = detail["oldEvaluationResult"], detail["newEvaluationResult"]
    assert (old["complianceType"], new["complianceType"]) == ("NON_COMPLIANT", "COMPLIANT")
    assert (old["annotation"], new["annotation"]) == ("Another reason.", "Because.")
    assert detail["configRuleARN"].startswith(f"arn:aws:config:{REGION}:{MEMBER}:config-rule/")
    assert new["evaluationResultIdentifier"]["orderingTimestamp"] == "2026-11-23T12:00:00.000Z"


def test_an_input_transformer_leaves_the_rest_out() -> None:
    url, arn = queue(MEMBER)
    paths = {"rule": "$.detail.configRuleName", "told": "$.detail.newEvaluationResult", "gone": "$.detail.no.such"}
    template = '{"rule": <rule>, "told": <told>, "gone": <gone>}'
    rule(MEMBER, {"Arn": arn, "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}})
    evaluate("NON_COMPLIANT", "orders", annotation='Because of "this".')
    (message,) = received(url, MEMBER)
    assert set(message) == {"rule", "told", "gone"}
    assert (message["rule"], message["gone"]) == (RULE, None)
    assert message["told"]["annotation"] == 'Because of "this".'


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.s3"]},
        {"detail": {"configRuleName": [{"prefix": "other"}]}},
        {"detail": {"newEvaluationResult": {"complianceType": ["COMPLIANT"]}}},
    ],
)
def test_what_a_pattern_does_not_match_is_not_delivered(pattern: dict[str, Any]) -> None:
    url, arn = queue(MEMBER)
    rule(MEMBER, {"Arn": arn}, pattern=json.dumps(pattern))
    evaluate("NON_COMPLIANT")
    assert received(url, MEMBER) == []
    assert undelivered(MEMBER, REGION) == []


def test_a_disabled_rule_and_a_scheduled_one_hear_of_no_event() -> None:
    url, arn = queue(MEMBER)
    rule(MEMBER, {"Arn": arn})
    events = client("events", MEMBER)
    events.disable_rule(Name="changes")
    events.put_rule(Name="daily", ScheduleExpression="rate(1 day)")
    events.put_targets(Rule="daily", Targets=[{"Id": "1", "Arn": arn}])
    evaluate("NON_COMPLIANT")
    assert received(url, MEMBER) == []


# --- Deliveries -----------------------------------------------------------------------------------------------------


def test_a_queue_takes_events_only_of_the_rule_that_its_policy_names() -> None:
    url, arn = queue(MEMBER, source_arn=f"arn:aws:events:{REGION}:{MEMBER}:rule/another")
    rule(MEMBER, {"Arn": arn})
    evaluate("NON_COMPLIANT")
    assert received(url, MEMBER) == []
    (reason,) = undelivered(MEMBER, REGION)
    assert "policy does not let events.amazonaws.com send messages" in reason


@pytest.fixture
def organization() -> str:
    """The central account's bus, which takes events of the organization's accounts; a member account's id."""
    organizations = client("organizations")
    made = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    status = organizations.create_account(AccountName="m", Email="m@example.com")["CreateAccountStatus"]
    events = client("events")
    events.create_event_bus(Name="central")
    statement = {
        "Sid": "organization",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": BUS_ARN,
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": made}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    events.put_permission(EventBusName="central", Policy=policy)
    return str(status["AccountId"])


def test_an_event_keeps_its_account_on_its_way_to_another_accounts_bus(organization: str) -> None:
    url, arn = queue(source_arn=f"arn:aws:events:{REGION}:{CENTRAL}:rule/central/changes")
    rule(CENTRAL, {"Arn": arn}, "central")
    sender = role(organization, "events.amazonaws.com", "events:PutEvents", BUS_ARN)
    rule(organization, {"Arn": BUS_ARN, "RoleArn": sender})
    evaluate("NON_COMPLIANT", account=organization)
    (event,) = received(url)
    assert event["account"] == organization
    assert undelivered(organization, REGION) == []


@pytest.mark.parametrize(
    ("sender", "says"),
    [
        (None, "cannot assume the role None"),
        (("lambda.amazonaws.com", "events:PutEvents", BUS_ARN), "cannot assume the role"),
        (("events.amazonaws.com", "events:PutRule", BUS_ARN), "may not events:PutEvents"),
        (("events.amazonaws.com", "events:PutEvents", f"{BUS_ARN}-2"), "may not events:PutEvents"),
    ],
)
def test_without_its_role_a_rule_sends_nothing(
    organization: str, sender: tuple[str, str, str] | None, says: str
) -> None:
    given = {"RoleArn": role(organization, *sender)} if sender else {}
    rule(organization, {"Arn": BUS_ARN, **given})
    evaluate("NON_COMPLIANT", account=organization)
    (reason,) = undelivered(organization, REGION)
    assert says in reason


@pytest.mark.usefixtures("organization")
def test_a_bus_admits_the_organization_only() -> None:
    sender = role(STRANGER, "events.amazonaws.com", "events:PutEvents", BUS_ARN)
    dead, dead_arn = queue(STRANGER)
    rule(STRANGER, {"Arn": BUS_ARN, "RoleArn": sender, "DeadLetterConfig": {"Arn": dead_arn}})
    evaluate("NON_COMPLIANT", account=STRANGER)
    (reason,) = undelivered(STRANGER, REGION)
    assert f"does not admit account {STRANGER}" in reason
    assert [each["account"] for each in received(dead, STRANGER)] == [STRANGER]


# --- Functions ------------------------------------------------------------------------------------------------------


@dataclass
class Done:
    payload: Any = None
    error: str | None = None


@dataclass
class Runtime:
    """Answers each invocation with the next of `answers`, and remembers what it was asked."""

    answers: list[Done]
    events: list[Any] = field(default_factory=list)
    principals: list[str | None] = field(default_factory=list)

    def invoke(self, function_arn: str, event: Any, *, principal: str | None = None, **_: Any) -> Done:
        assert ":function:reader" in function_arn
        self.events.append(event)
        self.principals.append(principal)
        return self.answers.pop(0) if self.answers else Done()


def reader(reports: bool = True, **queue_attributes: str) -> tuple[str, str]:
    """A function that reads from a queue; the queue's URL, and the function's ARN."""
    url, arn = queue(**queue_attributes)
    may = role(CENTRAL, "lambda.amazonaws.com", "sqs:*", arn)
    function = client("lambda").create_function(
        FunctionName="reader", Runtime="python3.13", Handler="x.y", Role=may, Code={"ZipFile": b"x"}
    )["FunctionArn"]
    responses = {"FunctionResponseTypes": ["ReportBatchItemFailures"]} if reports else {}
    client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName="reader", BatchSize=10, **responses)
    return url, function


def send(url: str, *bodies: str) -> list[str]:
    return [client("sqs").send_message(QueueUrl=url, MessageBody=each)["MessageId"] for each in bodies]


def number_left(url: str) -> int:
    attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


def test_messages_go_in_batches_and_are_gone_when_the_function_succeeds() -> None:
    url, _ = reader()
    send(url, *(str(number) for number in range(12)))
    runtime = Runtime([])
    assert len(pump(runtime)) == 2
    bodies = [record["body"] for event in runtime.events for record in event["Records"]]
    assert bodies == [str(number) for number in range(12)]
    record = runtime.events[0]["Records"][0]
    assert (record["eventSource"], record["attributes"]["ApproximateReceiveCount"]) == ("aws:sqs", "1")
    assert (number_left(url), pump(runtime)) == (0, [])


@pytest.mark.parametrize(
    ("answer", "reports", "left"),
    [
        (Done({"batchItemFailures": []}), True, 0),
        (Done(None), True, 0),
        (Done({"batchItemFailures": [{"itemIdentifier": "second"}]}), True, 1),
        (Done({"batchItemFailures": [{"itemIdentifier": "second"}]}), False, 0),
        (Done({"batchItemFailures": [{"itemIdentifier": "unknown"}]}), True, 2),
        (Done({"batchItemFailures": [{"id": "second"}]}), True, 2),
        (Done("text"), True, 2),
        (Done(None, "Runtime.ImportModuleError"), True, 2),
    ],
)
def test_what_the_function_does_not_finish_comes_again(answer: Done, reports: bool, left: int) -> None:
    url, _ = reader(reports)
    _, second = send(url, "1", "2")
    answer.payload = json.loads(json.dumps(answer.payload).replace('"second"', f'"{second}"'))
    pump(Runtime([answer]))
    assert number_left(url) == left


def test_a_message_that_fails_for_ever_ends_among_the_dead_letters() -> None:
    sqs = client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{CENTRAL}:dead", "maxReceiveCount": 3}
    url, _ = reader(RedrivePolicy=json.dumps(redrive))
    send(url, "bad")
    rounds = [len(pump(Runtime([Done(None, "failed")]))) for _ in range(5)]
    assert rounds == [1, 1, 1, 0, 0]
    assert (number_left(url), number_left(dead)) == (0, 1)


def test_a_function_whose_role_may_not_read_the_queue_reads_nothing() -> None:
    url, _ = reader()
    send(url, "1")
    client("iam").delete_role_policy(RoleName="for-lambda.amazonaws.com", PolicyName="p")
    with pytest.raises(AwsError, match="permissions to call ReceiveMessage on SQS"):
        pump(Runtime([]))


def test_functions_are_invoked_by_rules_and_by_schedules() -> None:
    _, function = reader()
    rule(CENTRAL, {"Arn": function})
    events = client("events")
    events.put_rule(Name="often", ScheduleExpression="rate(15 minutes)")
    events.put_targets(Rule="often", Targets=[{"Id": "1", "Arn": function}])
    emit(aws_event(CENTRAL, REGION, "aws.config", "Any", {"configRuleName": "checks-1"}))
    runtime = Runtime([])
    pump(runtime)
    run_schedules(runtime, CENTRAL, REGION)
    assert [each["detail-type"] for each in runtime.events] == ["Any", "Scheduled Event"]
    assert runtime.principals == ["events.amazonaws.com"] * 2


def test_a_fifo_queue_gets_the_message_group_of_the_target() -> None:
    sqs = client("sqs", MEMBER)
    url = sqs.create_queue(QueueName="events.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{MEMBER}:events.fifo"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    rule(MEMBER, {"Arn": arn, "SqsParameters": {"MessageGroupId": "changes"}})
    evaluate("NON_COMPLIANT")
    answer = sqs.receive_message(QueueUrl=url, AttributeNames=["MessageGroupId"])
    (message,) = answer["Messages"]
    assert message["Attributes"]["MessageGroupId"] == "changes"
    assert undelivered(MEMBER, REGION) == []


def test_an_archive_keeps_what_comes() -> None:
    events = client("events", MEMBER)
    source = f"arn:aws:events:{REGION}:{MEMBER}:event-bus/default"
    events.create_archive(ArchiveName="all", EventSourceArn=source)
    events.put_events(Entries=[{"Source": "shop", "DetailType": "Order", "Detail": "{}"}])
    assert events.describe_archive(ArchiveName="all")["EventCount"] == 1
    assert undelivered(MEMBER, REGION) == []


def test_an_input_transformer_fills_values_and_texts() -> None:
    url, arn = queue(MEMBER)
    paths = {"rule": "$.detail.configRuleName", "new": "$.detail.newEvaluationResult", "none": "$.detail.none"}
    template = '{"text": "rule <rule>, \\"<none>\\"", "alone": "<rule>", "value": <rule>, "whole": <new>}'
    rule(MEMBER, {"Arn": arn, "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}})
    evaluate("NON_COMPLIANT")
    (found,) = received(url, MEMBER)
    assert (found["text"], found["alone"], found["value"]) == (f'rule {RULE}, "null"', RULE, RULE)
    assert found["whole"]["complianceType"] == "NON_COMPLIANT"

"""Stacks on the simulator: each is made with CloudFormation's API, and looked at with that of the service."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from aws_simulator.core import config
from aws_simulator.core.faults import denied, failing
from aws_simulator.simulation import simulated_aws
from tests.simulator.callers import client

ACCOUNT, REGION = "123456789012", "eu-west-1"
CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "function", "AssumeRolePolicyDocument": TRUST}}
FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "FunctionName": "judge",
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": "def handler(event, context): return 1"},
    },
}
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:judge"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:letters"
CUSTOM = {
    "Owner": "CUSTOM_LAMBDA",
    "SourceIdentifier": FUNCTION_ARN,
    "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}],
}


def template(resources: dict[str, Any], **sections: Any) -> str:
    return yaml.safe_dump({"Resources": resources, **sections})


def create(body: str, name: str = "stack", **parameters: str) -> dict[str, Any]:
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    client("cloudformation").create_stack(
        StackName=name, TemplateBody=body, Capabilities=CAPABILITIES, Parameters=given
    )
    return described(name)


def update(body: str | None = None, name: str = "stack", **parameters: str) -> dict[str, Any]:
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    template_given: dict[str, Any] = {"TemplateBody": body} if body else {"UsePreviousTemplate": True}
    client("cloudformation").update_stack(StackName=name, Capabilities=CAPABILITIES, Parameters=given, **template_given)
    return described(name)


def described(name: str = "stack") -> dict[str, Any]:
    return dict(client("cloudformation").describe_stacks(StackName=name)["Stacks"][0])


def delete(name: str = "stack") -> None:
    client("cloudformation").delete_stack(StackName=name)


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}


def refusal(raised: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture(autouse=True)
def simulation() -> Iterator[None]:
    with simulated_aws():
        config.install(require_functions=False)
        yield


# --- Resource types -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One resource type: made, seen, changed, seen again, deleted, gone."""

    type: str
    properties: dict[str, Any]
    see: Callable[[], Any]
    """What the service's own API shows; it raises a ClientError or gives nothing when the resource is gone."""

    expected: Any
    changes: dict[str, Any] | None
    then: Any = None
    around: dict[str, Any] | None = None
    before: Callable[[], Any] = lambda: None


def _role() -> Any:
    iam = client("iam")
    role = iam.get_role(RoleName="reader")["Role"]
    attached = iam.list_attached_role_policies(RoleName="reader")["AttachedPolicies"]
    inline = iam.list_role_policies(RoleName="reader")["PolicyNames"]
    return role["MaxSessionDuration"], [each["PolicyName"] for each in attached], inline


def _policy(name: str) -> dict[str, Any]:
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    return {"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": [allow]}}


def _function() -> Any:
    found = client("lambda").get_function(FunctionName="judge")
    configuration = found["Configuration"]
    return (
        configuration["Timeout"],
        configuration["Architectures"],
        configuration["TracingConfig"]["Mode"],
        [layer["Arn"].rpartition(":layer:")[2] for layer in configuration.get("Layers", [])],
        configuration.get("Environment", {}).get("Variables"),
        found.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
    )


def _rule() -> Any:
    (rule,) = client("config").describe_config_rules(ConfigRuleNames=["tags"])["ConfigRules"]
    return json.loads(rule["InputParameters"]), rule["Description"], rule["Source"]["SourceIdentifier"]


def _zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("python/shared.py", "")
    return packed.getvalue()


def _code_bucket() -> None:
    storage = client("s3")
    storage.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION})
    storage.put_object(Bucket="code", Key="layer.zip", Body=_zip())


def _event_rule() -> Any:
    events = client("events")
    rule = events.describe_rule(Name="changes")
    return rule["State"], [target["Id"] for target in events.list_targets_by_rule(Rule="changes")["Targets"]]


def _bus_statements() -> list[str]:
    policy = client("events").describe_event_bus(Name="default").get("Policy")
    return [each["Sid"] for each in json.loads(policy)["Statement"]] if policy else []


def _queue_policy() -> Any:
    url = client("sqs").get_queue_url(QueueName="letters")["QueueUrl"]
    policy = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"].get("Policy")
    return json.loads(policy)["Statement"][0]["Effect"] if policy else None


def _queue_attribute(name: str) -> str:
    url = client("sqs").get_queue_url(QueueName="letters")["QueueUrl"]
    return str(client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"][name])


def _topic_policy() -> str:
    arn = client("sns").list_topics()["Topics"][0]["TopicArn"]
    policy = client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    return str(json.loads(policy)["Statement"][0].get("Sid"))


def _statement(sid: str, effect: str = "Allow") -> dict[str, Any]:
    only = {"Sid": sid, "Effect": effect, "Principal": "*", "Action": "*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [only]}


QUEUE = {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "letters"}}}
TOPIC = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alarms"}}}
GROUP = {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/judge"}}}
LAYER = {
    "Type": "AWS::Lambda::LayerVersion",
    "Properties": {"LayerName": "shared", "Content": {"S3Bucket": "code", "S3Key": "layer.zip"}},
}

CASES = [
    Case(
        "AWS::IAM::Role",
        {
            "RoleName": "reader",
            "AssumeRolePolicyDocument": TRUST,
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
            "Policies": [_policy("first")],
        },
        _role,
        (3600, ["ReadOnlyAccess"], ["first"]),
        {"MaxSessionDuration": 7200, "ManagedPolicyArns": [], "Policies": [_policy("second")]},
        (7200, [], ["second"]),
    ),
    Case(
        "AWS::Lambda::Function",
        {
            **FUNCTION["Properties"],  # type: ignore[dict-item]  # a dictionary of a template is of mixed values
            "Timeout": 600,
            "Architectures": ["arm64"],
            "TracingConfig": {"Mode": "Active"},
            "Layers": [{"Ref": "Layer"}],
            "Environment": {"Variables": {"A": "1"}},
            "ReservedConcurrentExecutions": "5",
        },
        _function,
        (600, ["arm64"], "Active", ["shared:1"], {"A": "1"}, 5),
        {"Timeout": 60, "Environment": {"Variables": {"A": "2"}}, "ReservedConcurrentExecutions": 7},
        (60, ["arm64"], "Active", ["shared:1"], {"A": "2"}, 7),
        {"Role": ROLE, "Layer": LAYER},
        _code_bucket,
    ),
    Case(
        "AWS::Lambda::Permission",
        {"FunctionName": {"Ref": "Function"}, "Action": "lambda:InvokeFunction", "Principal": "config.amazonaws.com"},
        lambda: [
            each.get("Condition")
            for each in json.loads(client("lambda").get_policy(FunctionName="judge")["Policy"])["Statement"]
        ],
        [None],
        {"SourceAccount": "111122223333"},
        [{"StringEquals": {"AWS:SourceAccount": "111122223333"}}],
        {"Role": ROLE, "Function": FUNCTION},
    ),
    Case(
        "AWS::Lambda::ResourcePolicy",
        {"ResourceArn": {"Fn::GetAtt": ["Function", "Arn"]}, "PolicyDocument": _statement("one")},
        lambda: json.loads(client("lambda").get_policy(FunctionName="judge")["Policy"])["Statement"][0]["Sid"],
        "one",
        {"PolicyDocument": _statement("two")},
        "two",
        {"Role": ROLE, "Function": FUNCTION},
    ),
    Case(
        "AWS::Lambda::EventInvokeConfig",
        {
            "FunctionName": {"Ref": "Function"},
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": "1",
            "DestinationConfig": {"OnFailure": {"Destination": QUEUE_ARN}},
        },
        lambda: client("lambda").get_function_event_invoke_config(FunctionName="judge")["MaximumRetryAttempts"],
        1,
        {"MaximumRetryAttempts": 2},
        2,
        {"Role": ROLE, "Function": FUNCTION, **QUEUE},
    ),
    Case(
        "AWS::Lambda::EventSourceMapping",
        {"FunctionName": {"Ref": "Function"}, "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]}, "BatchSize": "5"},
        lambda: [each["BatchSize"] for each in client("lambda").list_event_source_mappings()["EventSourceMappings"]],
        [5],
        {"BatchSize": 7},
        [7],
        {"Role": ROLE, "Function": FUNCTION, **QUEUE},
    ),
    Case(
        "AWS::Logs::LogGroup",
        {"LogGroupName": "/judge", "RetentionInDays": "30"},
        lambda: [each.get("retentionInDays") for each in client("logs").describe_log_groups()["logGroups"]],
        [30],
        {"RetentionInDays": 7},
        [7],
    ),
    Case(
        "AWS::Logs::MetricFilter",
        {
            "LogGroupName": {"Ref": "Group"},
            "FilterName": "put",
            "FilterPattern": '{ $.message = "evaluation put" }',
            "MetricTransformations": [{"MetricName": "Evaluations", "MetricNamespace": "Rules", "MetricValue": "1"}],
        },
        lambda: [each["filterPattern"] for each in client("logs").describe_metric_filters()["metricFilters"]],
        ['{ $.message = "evaluation put" }'],
        {"FilterPattern": "put"},
        ["put"],
        GROUP,
    ),
    Case(
        "AWS::CloudWatch::Alarm",
        {
            "AlarmName": "errors",
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": "1",
            "MetricName": "Errors",
            "Namespace": "AWS/Lambda",
            "Period": 300,
            "Statistic": "Sum",
            "Threshold": "0",
            "TreatMissingData": "notBreaching",
        },
        lambda: [
            (each["Period"], each["Threshold"]) for each in client("cloudwatch").describe_alarms()["MetricAlarms"]
        ],
        [(300, 0)],
        {"Threshold": 2},
        [(300, 2)],
    ),
    Case(
        "AWS::SQS::Queue",
        {"QueueName": "letters", "MessageRetentionPeriod": "1209600", "SqsManagedSseEnabled": True},
        lambda: _queue_attribute("MessageRetentionPeriod"),
        "1209600",
        {"MessageRetentionPeriod": 600},
        "600",
    ),
    Case(
        "AWS::SQS::QueuePolicy",
        {"Queues": [{"Ref": "Queue"}], "PolicyDocument": _statement("one")},
        _queue_policy,
        "Allow",
        {"PolicyDocument": _statement("one", "Deny")},
        "Deny",
        QUEUE,
    ),
    Case(
        "AWS::SNS::TopicPolicy",
        {"Topics": [{"Ref": "Topic"}], "PolicyDocument": _statement("one")},
        _topic_policy,
        "one",
        {"PolicyDocument": _statement("two")},
        "two",
        TOPIC,
    ),
    Case(
        "AWS::Events::Rule",
        {
            "Name": "changes",
            "EventPattern": {"source": ["aws.config"]},
            "Targets": [{"Id": "queue", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
        },
        _event_rule,
        ("ENABLED", ["queue"]),
        {"State": "DISABLED", "Targets": [{"Id": "other", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}]},
        ("DISABLED", ["other"]),
        QUEUE,
    ),
    Case(
        "AWS::Events::EventBusPolicy",
        {"StatementId": "members", "Statement": _statement("members")["Statement"][0]},
        _bus_statements,
        ["members"],
        {"StatementId": "organization"},
        ["organization"],
    ),
    Case(
        "AWS::Scheduler::Schedule",
        {
            "Name": "daily",
            "ScheduleExpression": "rate(1 day)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": FUNCTION_ARN, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/function"},
        },
        lambda: [client("scheduler").get_schedule(Name="daily")["ScheduleExpression"]],
        ["rate(1 day)"],
        {"ScheduleExpression": "rate(2 days)"},
        ["rate(2 days)"],
    ),
    Case(
        "AWS::S3::Bucket",
        {"BucketName": "files", "VersioningConfiguration": {"Status": "Enabled"}},
        lambda: client("s3").get_bucket_versioning(Bucket="files")["Status"],
        "Enabled",
        {"VersioningConfiguration": {"Status": "Suspended"}},
        "Suspended",
    ),
    Case(
        "AWS::S3::BucketPolicy",
        {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": _statement("one")},
        lambda: json.loads(client("s3").get_bucket_policy(Bucket="files")["Policy"])["Statement"][0]["Sid"],
        "one",
        {"PolicyDocument": _statement("two")},
        "two",
        {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "files"}}},
    ),
    Case(
        "AWS::SSM::Document",
        {
            "Name": "fix",
            "DocumentType": "Automation",
            "DocumentFormat": "YAML",
            "Content": {"schemaVersion": "0.3", "description": "one", "mainSteps": []},
        },
        lambda: yaml.safe_load(client("ssm").get_document(Name="fix")["Content"])["description"],
        "one",
        {"Content": {"schemaVersion": "0.3", "description": "two", "mainSteps": []}},
        "two",
    ),
    Case(
        "AWS::Config::ConfigRule",
        {
            "ConfigRuleName": "tags",
            "Description": "one",
            "InputParameters": {"BufferMinutes": 60, "Name": "x"},
            "Source": CUSTOM,
        },
        _rule,
        ({"BufferMinutes": "60", "Name": "x"}, "one", FUNCTION_ARN),
        {"Description": "two", "InputParameters": {"Name": "y"}},
        ({"Name": "y"}, "two", FUNCTION_ARN),
    ),
    Case(
        "AWS::Config::RemediationConfiguration",
        {"ConfigRuleName": {"Ref": "Rule"}, "TargetType": "SSM_DOCUMENT", "TargetId": "fix"},
        lambda: [
            each["TargetId"]
            for each in client("config").describe_remediation_configurations(ConfigRuleNames=["tags"])[
                "RemediationConfigurations"
            ]
        ],
        ["fix"],
        {"TargetId": "mend"},
        ["mend"],
        {"Rule": {"Type": "AWS::Config::ConfigRule", "Properties": {"ConfigRuleName": "tags", "Source": CUSTOM}}},
    ),
    Case(
        "AWS::Config::StoredQuery",
        {"QueryName": "all", "QueryExpression": "SELECT resourceId", "QueryDescription": "one"},
        lambda: client("config").get_stored_query(QueryName="all")["StoredQuery"]["Description"],
        "one",
        {"QueryDescription": "two"},
        "two",
    ),
    Case(
        "AWS::Config::ConfigurationAggregator",
        {
            "ConfigurationAggregatorName": "all",
            "AccountAggregationSources": [{"AccountIds": [ACCOUNT], "AllAwsRegions": "true"}],
        },
        lambda: [
            each["AccountAggregationSources"][0]["AccountIds"]
            for each in client("config").describe_configuration_aggregators()["ConfigurationAggregators"]
        ],
        [[ACCOUNT]],
        {"AccountAggregationSources": [{"AccountIds": ["111122223333"], "AllAwsRegions": "true"}]},
        [["111122223333"]],
    ),
    Case(
        "AWS::SecurityHub::Insight",
        {
            "Name": "one",
            "GroupByAttribute": "AwsAccountId",
            "Filters": {"Title": [{"Comparison": "PREFIX", "Value": "b"}]},
        },
        lambda: [each["Name"] for each in client("securityhub").get_insights()["Insights"]],
        ["one"],
        {"Name": "two"},
        ["two"],
        before=lambda: client("securityhub").enable_security_hub(),
    ),
    Case(
        "AWS::SecurityHub::AutomationRule",
        {
            "RuleName": "high",
            "RuleOrder": "10",
            "Description": "one",
            "Criteria": {"Title": [{"Comparison": "PREFIX", "Value": "backup-"}]},
            "Actions": [
                {"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": {"Severity": {"Label": "HIGH"}}},
            ],
        },
        lambda: [
            (each["RuleOrder"], each["Description"])
            for each in client("securityhub").list_automation_rules()["AutomationRulesMetadata"]
        ],
        [(10, "one")],
        {"Description": "two"},
        [(10, "two")],
        before=lambda: client("securityhub").enable_security_hub(),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.type for case in CASES])
def test_a_stack_makes_changes_and_deletes(case: Case) -> None:
    case.before()

    def body(**changes: Any) -> str:
        resource = {"Type": case.type, "Properties": case.properties | changes}
        return template({**(case.around or {}), "Tested": resource})

    assert create(body())["StackStatus"] == "CREATE_COMPLETE"
    assert case.see() == case.expected
    if case.changes is not None:
        assert update(body(**case.changes))["StackStatus"] == "UPDATE_COMPLETE"
        assert case.see() == case.then
    delete()
    assert _gone(case.see)


def _gone(see: Callable[[], Any]) -> bool:
    try:
        return not see()
    except (ClientError, IndexError):
        return True


def test_a_setting_that_the_template_no_longer_has_is_taken_back() -> None:
    def body(**more: Any) -> str:
        function = {**FUNCTION, "Properties": {**FUNCTION["Properties"], **more}}  # type: ignore[dict-item]  # mixed
        return template({"Role": ROLE, "Function": function})

    create(body(Environment={"Variables": {"A": "1"}}, Timeout=600, ReservedConcurrentExecutions=5))
    update(body())
    assert _function() == (3, ["x86_64"], "PassThrough", [], None, None)


def test_types_that_only_moto_knows_still_work() -> None:
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": "orders",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    }
    made = create(template({"Table": table}, Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Table", "Arn"]}}}))
    assert outputs(made) == {"Arn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders"}
    assert client("dynamodb").list_tables()["TableNames"] == ["orders"]
    delete()
    assert client("dynamodb").list_tables()["TableNames"] == []


# --- What is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            template({"A": {"Type": "AWS::Invented::Thing"}, **QUEUE}),
            "ValidationError",
            "Template format error: Unrecognized resource types: [AWS::Invented::Thing]",
        ),
        (
            template({"Role": ROLE}),
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_NAMED_IAM]",
        ),
        (
            template(QUEUE, Parameters={"P": {"Type": "String"}}),
            "ValidationError",
            "Parameters: [P] must have values",
        ),
        (template({"A": {"Type": "AWS::SQS::Queue", "DependsOn": "B"}}), "ValidationError", "[B] in the Resources"),
        (template(QUEUE) + "#" * 51_200, "ValidationError", "length less than or equal to 51200"),
    ],
    ids=["unknown type", "capability", "parameter", "dependency", "size"],
)
def test_a_stack_is_refused_before_anything_is_made(body: str, code: str, message: str) -> None:
    with pytest.raises(ClientError) as raised:
        client("cloudformation").create_stack(StackName="stack", TemplateBody=body)
    assert refusal(raised)[0] == code
    assert message in refusal(raised)[1]
    assert client("cloudformation").list_stacks()["StackSummaries"] == []


def test_a_name_is_taken_once() -> None:
    create(template(QUEUE))
    with pytest.raises(ClientError) as raised:
        create(template(TOPIC))
    assert refusal(raised)[0] == "AlreadyExistsException"


# --- Failing and undoing --------------------------------------------------------------------------------------------


def test_a_stack_whose_resource_fails_is_rolled_back_with_the_reason() -> None:
    with failing(denied, "iam", "CreateRole"):
        stack = create(template({**QUEUE, "Role": {**ROLE, "DependsOn": "Queue"}}))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "failed to create: [Role]" in stack["StackStatusReason"]
    assert "is not authorized to perform: iam:CreateRole" in stack["StackStatusReason"]
    assert client("sqs").list_queues().get("QueueUrls", []) == []
    events = client("cloudformation").describe_stack_events(StackName="stack")["StackEvents"]
    told = [(event["LogicalResourceId"], event["ResourceStatus"]) for event in events[::-1]]
    assert told == [
        ("stack", "CREATE_IN_PROGRESS"),
        ("Queue", "CREATE_COMPLETE"),
        ("Role", "CREATE_FAILED"),
        ("stack", "ROLLBACK_IN_PROGRESS"),
        ("Queue", "DELETE_COMPLETE"),
        ("stack", "ROLLBACK_COMPLETE"),
    ]


def test_a_stack_that_was_rolled_back_can_only_be_deleted() -> None:
    with failing(denied, "sqs", "CreateQueue"):
        create(template(QUEUE))
    with pytest.raises(ClientError) as raised:
        update(template(TOPIC))
    assert "is in ROLLBACK_COMPLETE state and can not be updated" in refusal(raised)[1]
    delete()
    assert create(template(QUEUE))["StackStatus"] == "CREATE_COMPLETE"


def test_an_update_that_fails_brings_back_what_was() -> None:
    def body(days: int, **more: Any) -> str:
        group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/judge", "RetentionInDays": days}}
        return template({"Group": group, **more})

    create(body(30))
    with failing(denied, "sqs", "CreateQueue"):
        stack = update(body(7, Queue={**QUEUE["Queue"], "DependsOn": "Group"}))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "failed to create: [Queue]" in stack["StackStatusReason"]
    (group,) = client("logs").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 30
    assert update(body(7))["StackStatus"] == "UPDATE_COMPLETE"


def test_what_a_failed_update_has_replaced_comes_back() -> None:
    def body(name: str, **more: Any) -> str:
        return template({"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}, **more})

    create(body("before"))
    with failing(denied, "sqs", "CreateQueue"):
        stack = update(body("after", Queue={**QUEUE["Queue"], "DependsOn": "Topic"}))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert [each["TopicArn"].rpartition(":")[2] for each in client("sns").list_topics()["Topics"]] == ["before"]
    delete()
    assert client("sns").list_topics()["Topics"] == []


def test_a_resource_that_cannot_be_deleted_stays_with_its_stack() -> None:
    create(template({"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "files"}}, **QUEUE}))
    client("s3").put_object(Bucket="files", Key="a", Body=b"")
    delete()
    assert described()["StackStatus"] == "DELETE_FAILED"
    client("s3").delete_object(Bucket="files", Key="a")
    delete()
    with pytest.raises(ClientError):
        described()


def test_what_is_retained_outlives_its_stack() -> None:
    create(template({"Queue": {**QUEUE["Queue"], "DeletionPolicy": "Retain"}}))
    delete()
    assert len(client("sqs").list_queues()["QueueUrls"]) == 1


# --- Updates --------------------------------------------------------------------------------------------------------

SWITCHED = template(
    {
        "Queue": {**QUEUE["Queue"], "Condition": "Wanted"},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::Sub": "${Prefix}-alarms"}}},
    },
    Parameters={"Switch": {"Type": "String", "Default": "on"}, "Prefix": {"Type": "String", "Default": "a"}},
    Conditions={"Wanted": {"Fn::Equals": [{"Ref": "Switch"}, "on"]}},
)


def test_a_condition_makes_and_removes() -> None:
    create(SWITCHED, Switch="off")
    assert "QueueUrls" not in client("sqs").list_queues()
    update(Switch="on")
    assert len(client("sqs").list_queues()["QueueUrls"]) == 1
    update(Switch="off")
    assert "QueueUrls" not in client("sqs").list_queues()


def test_a_parameter_within_sub_replaces_what_cannot_be_changed() -> None:
    create(SWITCHED)
    update(Prefix="b")
    topics = [each["TopicArn"].rpartition(":")[2] for each in client("sns").list_topics()["Topics"]]
    assert topics == ["b-alarms"]


def test_nothing_to_update_is_said() -> None:
    create(SWITCHED)
    with pytest.raises(ClientError) as raised:
        update(SWITCHED, Switch="on")
    assert refusal(raised) == ("ValidationError", "No updates are to be performed.")


def test_values_are_exported_and_imported() -> None:
    exported = {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}, "Export": {"Name": "letters"}}
    create(template(QUEUE, Outputs={"Arn": exported}), name="first")
    second = create(template(TOPIC, Outputs={"Arn": {"Value": {"Fn::ImportValue": "letters"}}}), name="second")
    assert outputs(second) == {"Arn": QUEUE_ARN}
    third = create(template(GROUP, Outputs={"Arn": {**exported, "Value": "x"}}), name="third")
    assert third["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "is already exported by stack first" in third["StackStatusReason"]


def test_a_change_set_is_looked_at_and_executed() -> None:
    cloudformation = client("cloudformation")
    asked = {"StackName": "stack", "ChangeSetName": "first", "ChangeSetType": "CREATE", "TemplateBody": SWITCHED}
    cloudformation.create_change_set(**asked)
    assert described()["StackStatus"] == "REVIEW_IN_PROGRESS"
    made = cloudformation.describe_change_set(StackName="stack", ChangeSetName="first")
    changes = [
        (each["ResourceChange"]["Action"], each["ResourceChange"]["LogicalResourceId"]) for each in made["Changes"]
    ]
    assert (made["Status"], changes) == ("CREATE_COMPLETE", [("Add", "Queue"), ("Add", "Topic")])
    cloudformation.execute_change_set(StackName="stack", ChangeSetName="first")
    assert described()["StackStatus"] == "CREATE_COMPLETE"
    cloudformation.create_change_set(**asked | {"ChangeSetName": "second", "ChangeSetType": "UPDATE"})
    same = cloudformation.describe_change_set(StackName="stack", ChangeSetName="second")
    assert (same["Status"], same["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "didn't contain changes" in same["StatusReason"]


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-west-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
    ],
)
def test_pseudo_parameters_are_those_of_the_partition(region: str, partition: str, suffix: str) -> None:
    cloudformation = client("cloudformation", region=region)
    text = {"Fn::Sub": "${AWS::Partition} ${AWS::URLSuffix} ${AWS::Region} ${AWS::AccountId}"}
    cloudformation.create_stack(StackName="stack", TemplateBody=template(QUEUE, Outputs={"Where": {"Value": text}}))
    (stack,) = cloudformation.describe_stacks(StackName="stack")["Stacks"]
    assert outputs(stack) == {"Where": f"{partition} {suffix} {region} {ACCOUNT}"}


def test_a_template_can_lie_in_a_bucket() -> None:
    storage = client("s3")
    storage.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})
    storage.put_object(Bucket="templates", Key="a/b.yaml", Body=template(QUEUE).encode() + b"#" * 60_000)
    for number, url in enumerate(
        (
            f"https://templates.s3.{REGION}.amazonaws.com/a/b.yaml",
            f"https://s3.{REGION}.amazonaws.com/templates/a/b.yaml",
        )
    ):
        name = f"stack-{number}"
        client("cloudformation").create_stack(StackName=name, TemplateURL=url)
        assert described(name)["StackStatus"] == "CREATE_COMPLETE"
        delete(name)


def test_whoever_does_without_cloudformation_does_not_wait_for_it() -> None:
    """To import CloudFormation takes seconds: another process tells whether the simulator does."""
    imported = "sys.exit('moto.cloudformation.models' in sys.modules)"
    code = f"import sys\nfrom aws_simulator import simulation\nwith simulation.simulated_aws(): {imported}"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0  # noqa: S603 - ours

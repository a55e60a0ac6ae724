"""AWS Config's events about the pack's rules: how they are recognised, the bus that they go to, and what reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.declarations import choice, text
from backup_rules_cli.templates.functions import function_parameters
from backup_rules_cli.templates.intrinsics import Intrinsic, differs, equals, get_att, given, if_, ref, sub

EVENT_BUS = "backup-config-rules"
LONGEST_PREFIX = 8
RUNTIME = "python3.13"
FOURTEEN_DAYS = 1209600

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
MAX_PATTERN = 2048

READ_QUEUE = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]

RULE_NAME_PREFIX = {
    "RuleNamePrefix": text(
        "What the names of the pack's rules begin with, as the pack was told. Blank: nothing.",
        "",
        pattern=f"^[a-z0-9-]{{0,{LONGEST_PREFIX}}}$",
        constraint=f"must have at most {LONGEST_PREFIX} lower-case letters, digits and hyphens.",
    )
}
EVENT_BUS_NAME = {
    "EventBusName": text(
        "The name of the event bus in the central account that the accounts' events go to.",
        EVENT_BUS,
        pattern="^[a-zA-Z0-9._-]{1,256}$",
        constraint="must be the name of an event bus.",
    )
}
RULE_PAGES_URL = {
    "RulePagesUrl": text(
        "Where people can read the folder `rules` with the rules' pages, as https://git.example.com/backup-rules/blob/"
        "main. Blank: links lead to AWS's article.",
        "",
        pattern="^(https://[^ ]+)?$",
        constraint="must be a URL that begins with https://, or blank.",
    )
}
BUS_PARAMETERS = {
    **EVENT_BUS_NAME,
    "OrganizationId": text(
        "The id of the organization whose accounts may send events, o-exampleorgid. Given as blank: only this account.",
        pattern="^(o-[a-z0-9]{10,32})?$",
        constraint="must be the id of an organization, such as o-exampleorgid, or blank.",
    ),
}
BUS_CONDITIONS = {
    "MakesBus": equals("EventBus", "Create"),
    "HasOrganization": given("OrganizationId"),
    "AdmitsOrganization": {"Fn::And": [equals("EventBus", "Create"), given("OrganizationId")]},
}
FUNCTION_CONDITIONS = {
    "HasLogKey": given("LogKmsKeyArn"),
    "HasAlarmTopic": given("AlarmTopicArn"),
    "IsTraced": differs("Tracing", "PassThrough"),
}
LOGS_AND_ALARMS = ("LogRetentionDays", "LogKmsKeyArn", "Tracing", "AlarmTopicArn")


def event_bus_choice(other: str, *values: str) -> dict[str, Any]:
    """The parameter that says who makes the bus: two stacks cannot, and either may come alone."""
    return {
        "EventBus": choice(
            f"Create: this stack makes the event bus. Existing: another has made it, that of {other}.", *values
        )
    }


def code_parameters(rules: Sequence[RuleFolder], default_name: str) -> dict[str, Any]:
    """The parameters of one function, with the names and meanings that they have for the rules' functions."""
    of_rules = function_parameters(rules)
    return {
        **{name: of_rules[name] for name in ("CodeBucket", "CodePrefix")},
        "FunctionName": text(
            "The name of the function.",
            default_name,
            pattern="^[a-zA-Z0-9_-]{1,64}$",
            constraint="must have at most 64 letters, digits, hyphens and underscores.",
        ),
        **{name: of_rules[name] for name in ("Architecture", *LOGS_AND_ALARMS)},
    }


def pattern(rules: Sequence[RuleFolder], **detail: Any) -> dict[str, Any]:
    """The events about the rules of the pack, to whose names AWS Config appends a suffix.

    Raises:
        ValueError: when it is longer than EventBridge allows.
    """
    names = [f"${{RuleNamePrefix}}{rule.config_rule_name}" for rule in rules]
    made = {
        "source": ["aws.config"],
        "detail-type": ["Config Rules Compliance Change"],
        "detail": {"configRuleName": [{"prefix": sub(name)} for name in names], **detail},
    }
    longest = [{"prefix": name.replace("${RuleNamePrefix}", "p" * LONGEST_PREFIX)} for name in names]
    length = len(json.dumps({**made, "detail": {"configRuleName": longest, **detail}}))
    if length > MAX_PATTERN:
        raise ValueError(f"The event pattern has {length} characters; EventBridge allows {MAX_PATTERN}.")
    return made


def policy(*statements: Any) -> dict[str, Any]:
    """An IAM policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: Sequence[str], resource: Any, condition: Any = None) -> dict[str, Any]:
    """A statement of an IAM policy."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return statement | ({} if condition is None else {"Condition": condition})


def trust(service: str) -> dict[str, Any]:
    """The trust policy of a role that an AWS service assumes."""
    return policy({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


def event_bus(*, chosen: bool = True) -> dict[str, Any]:
    """The bus, and its policy for the organization's accounts; with `chosen`, only where `EventBus` says Create."""
    return {
        "Bus": {
            "Type": "AWS::Events::EventBus",
            **({"Condition": "MakesBus"} if chosen else {}),
            "Properties": {"Name": ref("EventBusName")},
        },
        "BusPolicy": {
            "Type": "AWS::Events::EventBusPolicy",
            "Condition": "AdmitsOrganization" if chosen else "HasOrganization",
            "Properties": {
                "EventBusName": ref("Bus"),
                "StatementId": "AccountsOfTheOrganization",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "events:PutEvents",
                    "Resource": get_att("Bus", "Arn"),
                    "Condition": {
                        "StringEquals": {
                            "aws:PrincipalOrgID": ref("OrganizationId"),
                            "events:source": "aws.config",
                        }
                    },
                },
            },
        },
    }


def queued_events(description: str, event_pattern: Mapping[str, Any], timeout: int, tries: int) -> dict[str, Any]:
    """A rule of the bus, the queue that only it sends to, and the queue of what was tried in vain."""
    common = {"MessageRetentionPeriod": FOURTEEN_DAYS, "SqsManagedSseEnabled": True}
    kept = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Retain"}
    return {
        "ComplianceChanges": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Description": description,
                "EventBusName": if_("MakesBus", ref("Bus"), ref("EventBusName")),
                "EventPattern": event_pattern,
                "State": "ENABLED",
                "Targets": [{"Id": "queue", "Arn": get_att("Queue", "Arn")}],
            },
        },
        "Queue": {
            "Type": "AWS::SQS::Queue",
            **kept,
            "Properties": {
                **common,
                "VisibilityTimeout": timeout,
                "RedrivePolicy": {"deadLetterTargetArn": get_att("DeadLetters", "Arn"), "maxReceiveCount": tries},
            },
        },
        "DeadLetters": {"Type": "AWS::SQS::Queue", **kept, "Properties": common},
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [ref("Queue")],
                "PolicyDocument": policy(
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": get_att("Queue", "Arn"),
                        "Condition": {"ArnEquals": {"aws:SourceArn": get_att("ComplianceChanges", "Arn")}},
                    },
                    {
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "sqs:*",
                        "Resource": get_att("Queue", "Arn"),
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    },
                ),
            },
        },
    }


def function(name: str, description: str, timeout: int, environment: Mapping[str, Any]) -> dict[str, Any]:
    """A function of `functions/`, with its layer and its log group. It runs under the resource `FunctionRole`."""
    return {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": ref("FunctionName"),
                "Description": description,
                "Runtime": RUNTIME,
                "Architectures": [ref("Architecture")],
                "Handler": f"{name}.lambda_handler",
                "Code": {"S3Bucket": ref("CodeBucket"), "S3Key": sub(f"${{CodePrefix}}/functions/{name}.zip")},
                "Layers": [ref("Layer")],
                "Role": get_att("FunctionRole", "Arn"),
                "MemorySize": 512,
                "Timeout": timeout,
                "Environment": {"Variables": dict(environment)},
                "LoggingConfig": {"LogGroup": ref("LogGroup"), "LogFormat": "Text"},
                "TracingConfig": {"Mode": ref("Tracing")},
            },
        },
        "Layer": {
            "Type": "AWS::Lambda::LayerVersion",
            "Properties": {
                "LayerName": sub("${FunctionName}-layer"),
                "Description": "What the functions share.",
                "CompatibleRuntimes": [RUNTIME],
                "CompatibleArchitectures": [ref("Architecture")],
                "Content": {"S3Bucket": ref("CodeBucket"), "S3Key": sub("${CodePrefix}/layer.zip")},
            },
        },
        "LogGroup": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {
                "LogGroupName": sub("/aws/lambda/${FunctionName}"),
                "RetentionInDays": ref("LogRetentionDays"),
                "KmsKeyId": if_("HasLogKey", ref("LogKmsKeyArn")),
            },
        },
    }


def function_role(description: str, *statements: Any, name: Intrinsic | None = None) -> dict[str, Any]:
    """The role of the function, which may also write its log and its traces."""
    log_streams = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/${FunctionName}:*"
    # X-Ray knows no resources for these two.
    traces = allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*")
    document = policy(
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], sub(log_streams)), if_("IsTraced", traces), *statements
    )
    return {
        "FunctionRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                **({} if name is None else {"RoleName": name}),
                "Description": description,
                "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
                "Policies": [{"PolicyName": "run", "PolicyDocument": document}],
            },
        }
    }


def alarms(when_dead: str, when_failed: str) -> dict[str, Any]:
    """Messages that were tried in vain, and failed invocations."""
    return {
        "DeadLettersAlarm": _alarm(
            sub("${FunctionName}-dead-letters"),
            when_dead,
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"Name": "QueueName", "Value": get_att("DeadLetters", "QueueName")},
            "Maximum",
        ),
        "ErrorAlarm": _alarm(
            sub("${FunctionName}-errors"),
            when_failed,
            "AWS/Lambda",
            "Errors",
            {"Name": "FunctionName", "Value": ref("Function")},
            "Sum",
        ),
    }


def _alarm(  # noqa: PLR0913, PLR0917 - what tells one alarm from another
    name: Intrinsic, description: str, namespace: str, metric: str, dimension: dict[str, Any], statistic: str
) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": name,
            "AlarmDescription": description,
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [dimension],
            "Statistic": statistic,
            "Period": 300,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": if_("HasAlarmTopic", [ref("AlarmTopicArn")]),
        },
    }

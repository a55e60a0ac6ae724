"""AWS Config's events about the pack's rules: how they are recognised, the bus that they go to, and what reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.declarations import choice, text
from backup_rules_cli.templates.functions import function_parameters
from backup_rules_cli.templates.intrinsics import Intrinsic, differs, equals, get_att, given, if_, ref, sub
from backup_rules_cli.templates.pieces import (
    alarm,
    allow,
    function,
    function_role,
    layer,
    log_group,
    metric,
    policy,
    traces,
)

EVENT_BUS = "backup-config-rules"
_LONGEST_PREFIX = 8
RUNTIME = "python3.13"
_FOURTEEN_DAYS = 14 * 24 * 60 * 60

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
MAX_PATTERN = 2048

READ_QUEUE = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]

RULE_NAME_PREFIX = {
    "RuleNamePrefix": text(
        "What the names of the pack's rules begin with, as the pack was told. Blank: nothing.",
        "",
        pattern=f"^[a-z0-9-]{{0,{_LONGEST_PREFIX}}}$",
        constraint=f"must have at most {_LONGEST_PREFIX} lower-case letters, digits and hyphens.",
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
    longest = [{"prefix": name.replace("${RuleNamePrefix}", "p" * _LONGEST_PREFIX)} for name in names]
    length = len(json.dumps({**made, "detail": {"configRuleName": longest, **detail}}))
    if length > MAX_PATTERN:
        raise ValueError(f"The event pattern has {length} characters; EventBridge allows {MAX_PATTERN}.")
    return made


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
    common = {"MessageRetentionPeriod": _FOURTEEN_DAYS, "SqsManagedSseEnabled": True}
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


def one_function(name: str, description: str, timeout: int, environment: Mapping[str, Any]) -> dict[str, Any]:
    """A function of `functions/`, with its layer and its log group. It runs under the resource `FunctionRole`."""
    properties = function(
        name=ref("FunctionName"),
        description=description,
        runtime=RUNTIME,
        handler=name,
        code=f"functions/{name}.zip",
        log_group="LogGroup",
        memory=512,
        timeout=timeout,
        environment=environment,
    )
    return {
        "Function": {"Type": "AWS::Lambda::Function", "Properties": properties},
        "Layer": layer(sub("${FunctionName}-layer"), "What the functions share.", [RUNTIME]),
        "LogGroup": log_group(sub("/aws/lambda/${FunctionName}")),
    }


def its_role(description: str, *statements: Any, name: Intrinsic | None = None) -> dict[str, Any]:
    """The role of the function, which may also write its log and its traces."""
    log_streams = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/${FunctionName}:*"
    log = allow(["logs:CreateLogStream", "logs:PutLogEvents"], sub(log_streams))
    return {"FunctionRole": function_role(description, [log, traces(), *statements], name)}


def alarms(when_dead: str, when_failed: str) -> dict[str, Any]:
    """Messages that were tried in vain, and failed invocations."""
    dead = get_att("DeadLetters", "QueueName")
    return {
        "DeadLettersAlarm": alarm(
            sub("${FunctionName}-dead-letters"),
            when_dead,
            metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", QueueName=dead),
        ),
        "ErrorAlarm": alarm(
            sub("${FunctionName}-errors"),
            when_failed,
            metric("AWS/Lambda", "Errors", "Sum", FunctionName=ref("Function")),
        ),
    }

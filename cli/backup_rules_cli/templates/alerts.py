"""alerts.yaml: one readable mail for all problems that are new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.compliance_events import (
    BUS_CONDITIONS,
    BUS_PARAMETERS,
    FUNCTION_CONDITIONS,
    LOGS_AND_ALARMS,
    READ_QUEUE,
    RULE_NAME_PREFIX,
    RULE_PAGES_URL,
    alarms,
    code_parameters,
    event_bus,
    event_bus_choice,
    its_role,
    one_function,
    pattern,
    queued_events,
)
from backup_rules_cli.templates.declarations import interface, text
from backup_rules_cli.templates.intrinsics import get_att, given, if_, ref
from backup_rules_cli.templates.pieces import allow
from backup_rules_cli.templates.yaml_text import Noted

SENDER = "backup-config-rules-send-alerts"
TIMEOUT = 300
# Longer than the function runs, so that no second run takes the messages of the first.
VISIBILITY = TIMEOUT + 30
# At the default schedule, five hours.
TRIES = 20


def alerts(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """The topic, the queue of new problems, and the function that mails them."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Mails what the AWS Backup Config rules newly find NON_COMPLIANT, all of it in one message. For"
        " the central account, in every Region.",
        "Metadata": interface(
            {
                "Mails": ("EmailAddress", "Schedule", "ResourcesPerRule", "RulePagesUrl", "TopicKmsKeyArn"),
                "Code": ("CodeBucket", "CodePrefix"),
                "Events": ("EventBus", "EventBusName", "OrganizationId", "RuleNamePrefix"),
                "Function": ("FunctionName", "Architecture"),
                "Logs, traces and alarms": LOGS_AND_ALARMS,
            }
        ),
        "Parameters": {
            "EmailAddress": text(
                "Who gets the mails, after confirming the subscription. Blank: subscribe to the topic by other means.",
                "",
                pattern="^([^@ ]+@[^@ ]+)?$",
                constraint="must be an e-mail address, or blank.",
            ),
            "Schedule": text(
                "How often mails are sent, as a schedule expression of EventBridge. At least six minutes apart.",
                "rate(15 minutes)",
            ),
            "ResourcesPerRule": text(
                "How many resources a mail tells of each rule and account; the others are counted.",
                "10",
                pattern="^[1-9][0-9]{0,2}$",
                constraint="must be a whole number from 1 to 999.",
            ),
            **RULE_PAGES_URL,
            "TopicKmsKeyArn": text(
                "The ARN of the KMS key that encrypts the topic; its policy must admit this account. Blank: the"
                " key that AWS manages for SNS.",
                "",
                pattern="^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+)?$",
                constraint="must be the ARN of a KMS key, or blank.",
            ),
            **code_parameters(rules, SENDER),
            **event_bus_choice("finding-forwarder.yaml", "Existing", "Create"),
            **BUS_PARAMETERS,
            # Of the stack that makes the bus alone, which is another one by default.
            "OrganizationId": BUS_PARAMETERS["OrganizationId"] | {"Default": ""},
            **RULE_NAME_PREFIX,
        },
        "Conditions": {
            **{name: value for name, value in BUS_CONDITIONS.items() if name != "HasOrganization"},
            **FUNCTION_CONDITIONS,
            "HasEmailAddress": given("EmailAddress"),
            "HasTopicKey": given("TopicKmsKeyArn"),
        },
        "Resources": {
            **event_bus(),
            **queued_events(
                "What the AWS Backup Config rules find NON_COMPLIANT, to the queue of the alerts.",
                pattern(rules, newEvaluationResult={"complianceType": ["NON_COMPLIANT"]}),
                VISIBILITY,
                TRIES,
            ),
            "Topic": {
                "Type": "AWS::SNS::Topic",
                "Properties": {
                    "DisplayName": "Backup rules",
                    "KmsMasterKeyId": if_("HasTopicKey", ref("TopicKmsKeyArn"), "alias/aws/sns"),
                },
            },
            "Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Condition": "HasEmailAddress",
                "Properties": {"TopicArn": ref("Topic"), "Protocol": "email", "Endpoint": ref("EmailAddress")},
            },
            **one_function(
                "send_alerts",
                "Mails what the AWS Backup Config rules newly find NON_COMPLIANT.",
                TIMEOUT,
                {
                    "QUEUE_URL": ref("Queue"),
                    "TOPIC_ARN": ref("Topic"),
                    "RESOURCES_PER_RULE": ref("ResourcesPerRule"),
                    "RULE_PAGES_URL": ref("RulePagesUrl"),
                },
            ),
            **its_role(
                "The function that mails new backup problems runs under it.",
                allow(READ_QUEUE, get_att("Queue", "Arn")),
                allow(["sns:Publish"], ref("Topic")),
                if_("HasTopicKey", allow(["kms:Decrypt", "kms:GenerateDataKey"], ref("TopicKmsKeyArn"))),
            ),
            Noted("Due", "When mails are sent, if there is something to tell."): {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "Description": "Runs the function that mails new backup problems.",
                    "ScheduleExpression": ref("Schedule"),
                    "State": "ENABLED",
                    "Targets": [{"Id": "function", "Arn": get_att("Function", "Arn")}],
                },
            },
            "DuePermission": {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": ref("Function"),
                    "Action": "lambda:InvokeFunction",
                    "Principal": "events.amazonaws.com",
                    "SourceArn": get_att("Due", "Arn"),
                },
            },
            **alarms(
                "Alerts could not be sent in twenty tries; the function's log says why. The dead-letter queue keeps"
                " them for 14 days.",
                "The function that mails new backup problems failed; they stay in the queue. Its log says why.",
            ),
        },
        "Outputs": {
            "TopicArn": {"Description": "Subscribe whoever should get the mails.", "Value": ref("Topic")},
            "DeadLettersUrl": {"Description": "What could not be mailed.", "Value": ref("DeadLetters")},
        },
    }

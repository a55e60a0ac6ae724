"""From an account's compliance changes to its findings: finding-events.yaml there, finding-forwarder.yaml centrally."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.compliance_events import (
    BUS_CONDITIONS,
    BUS_PARAMETERS,
    EVENT_BUS_NAME,
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
from backup_rules_cli.templates.declarations import CENTRAL_ACCOUNT_ID, interface, text
from backup_rules_cli.templates.intrinsics import get_att, given, if_, ref, sub
from backup_rules_cli.templates.pieces import allow, policy, trust
from backup_rules_cli.templates.yaml_text import Noted

FORWARDER = "backup-config-rules-forward-findings"
FORWARDER_TIMEOUT = 120
# Lambda advises a visibility timeout of six times the function's timeout:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
FORWARDER_VISIBILITY = 6 * FORWARDER_TIMEOUT
FORWARDER_TRIES = 5

FINDINGS_ROLE = {
    "FindingsRoleName": text(
        "The name of the IAM role in each account under which its findings are imported.",
        "BackupConfigRulesFindingsRole",
        pattern="^[a-zA-Z0-9+=,.@_-]{1,64}$",
        constraint="must be the name of a role, without path.",
    )
}
FORWARDER_ROLE = {
    "ForwarderRoleName": text(
        "What the name of the forwarder's IAM role begins with; a hyphen and the Region follow.",
        "BackupConfigRulesForwarder",
        pattern="^[a-zA-Z0-9+=,.@_-]{1,45}$",
        constraint="must have at most 45 characters that may stand in the name of a role.",
    )
}

_ORGANIZATION_ID = {
    "OrganizationId": text(
        "The id of the organization, o-exampleorgid: no role outside it gets in. Given as blank: an account alone,"
        " which is the central one itself.",
        pattern="^(o-[a-z0-9]{10,32})?$",
        constraint="must be the id of an organization, such as o-exampleorgid, or blank.",
    )
}

_BUS_ARN = sub("arn:${AWS::Partition}:events:${AWS::Region}:${CentralAccountId}:event-bus/${EventBusName}")
_HUB = "arn:${AWS::Partition}:securityhub:*:${AWS::AccountId}"


def finding_events(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """What every account needs in every Region, and the role that it needs once."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Sends the compliance changes of the AWS Backup Config rules of this account and Region to the"
        " event bus of the central account. Once an account, it makes the role under which findings are imported.",
        "Metadata": interface(
            {
                "Central account": ("CentralAccountId", "EventBusName", "OrganizationId"),
                "Rules": ("RuleNamePrefix",),
                "Role": ("FindingsRoleRegion", "FindingsRoleName", "ForwarderRoleName"),
            }
        ),
        "Parameters": {
            **CENTRAL_ACCOUNT_ID,
            **EVENT_BUS_NAME,
            **_ORGANIZATION_ID,
            **RULE_NAME_PREFIX,
            "FindingsRoleRegion": text(
                "The one Region whose stack makes the role, as IAM is global: us-east-1. The same for the stacks of all"
                " Regions. Blank: none makes it, and findings are not imported.",
                "",
                pattern="^([a-z]{2}(-[a-z]+)+-[0-9])?$",
                constraint="must be a Region, such as us-east-1, or blank.",
            ),
            **FINDINGS_ROLE,
            **FORWARDER_ROLE,
        },
        "Conditions": {
            "MakesRole": {"Fn::Equals": [ref("FindingsRoleRegion"), ref("AWS::Region")]},
            "HasOrganization": given("OrganizationId"),
        },
        "Resources": {
            "ComplianceChanges": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "Description": "Compliance changes of the AWS Backup Config rules, to the central account.",
                    "EventPattern": pattern(rules),
                    "State": "ENABLED",
                    "Targets": [{"Id": "bus", "Arn": _BUS_ARN, "RoleArn": get_att("SenderRole", "Arn")}],
                },
            },
            "SenderRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "Description": "EventBridge sends compliance changes to the central account's event bus under it.",
                    "AssumeRolePolicyDocument": trust("events.amazonaws.com"),
                    "Policies": [
                        {"PolicyName": "send", "PolicyDocument": policy(allow(["events:PutEvents"], _BUS_ARN))}
                    ],
                },
            },
            "FindingsRole": {
                "Type": "AWS::IAM::Role",
                "Condition": "MakesRole",
                "Properties": {
                    "RoleName": ref("FindingsRoleName"),
                    "Description": "Findings of the AWS Backup Config rules are imported under it.",
                    "AssumeRolePolicyDocument": policy(_trust_in_the_forwarder()),
                    "Policies": [{"PolicyName": "findings", "PolicyDocument": policy(*_importing())}],
                },
            },
        },
    }


def _trust_in_the_forwarder() -> dict[str, Any]:
    central = "arn:${AWS::Partition}:iam::${CentralAccountId}"
    return {
        "Effect": "Allow",
        "Principal": {"AWS": sub(f"{central}:root")},
        "Action": "sts:AssumeRole",
        "Condition": {
            "ArnLike": {"aws:PrincipalArn": sub(f"{central}:role/${{ForwarderRoleName}}-*")},
            "StringEquals": if_("HasOrganization", {"aws:PrincipalOrgID": ref("OrganizationId")}),
        },
    }


def _importing() -> list[dict[str, Any]]:
    return [
        allow(["securityhub:BatchImportFindings"], sub(f"{_HUB}:product/${{AWS::AccountId}}/default")),
        # When a finding was first made: it keeps that time.
        allow(["securityhub:GetFindings"], sub(f"{_HUB}:hub/default")),
        # ARN and tags of the resource. AWS Config knows no resources for this action.
        allow(["config:SelectResourceConfig"], "*"),
    ]


def finding_event_bus() -> dict[str, Any]:
    """The event bus in a stack of its own, for the forwarder and the alerts alike."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The event bus to which every account sends the compliance changes of the AWS Backup Config"
        " rules. For the central account, in every Region.",
        "Metadata": interface({"Events": tuple(BUS_PARAMETERS)}),
        "Parameters": BUS_PARAMETERS,
        "Conditions": {"HasOrganization": BUS_CONDITIONS["HasOrganization"]},
        "Resources": event_bus(chosen=False),
        "Outputs": {"EventBusArn": {"Description": "Where the accounts send events.", "Value": get_att("Bus", "Arn")}},
    }


def finding_forwarder(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """The event bus, and the function that imports what comes."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Imports compliance changes of the AWS Backup Config rules into Security Hub of the account"
        " where they happened, with the reason, a severity and what to do. For the central account, in every Region.",
        "Metadata": interface(
            {
                "Code": ("CodeBucket", "CodePrefix"),
                "Events": ("EventBus", "EventBusName", "OrganizationId", "RuleNamePrefix"),
                "Findings": ("RulePagesUrl", "FindingsRoleName"),
                "Function": ("FunctionName", "ForwarderRoleName", "Architecture"),
                "Logs, traces and alarms": LOGS_AND_ALARMS,
            }
        ),
        "Parameters": {
            **code_parameters(rules, FORWARDER),
            **event_bus_choice("alerts.yaml", "Create", "Existing"),
            **BUS_PARAMETERS,
            **RULE_NAME_PREFIX,
            **RULE_PAGES_URL,
            **FINDINGS_ROLE,
            **FORWARDER_ROLE,
        },
        "Conditions": {**BUS_CONDITIONS, **FUNCTION_CONDITIONS},
        "Resources": {
            **event_bus(),
            **queued_events(
                "Compliance changes of the AWS Backup Config rules, to the forwarder.",
                pattern(rules),
                FORWARDER_VISIBILITY,
                FORWARDER_TRIES,
            ),
            **one_function(
                "forward_findings",
                "Imports compliance changes of the AWS Backup Config rules into Security Hub.",
                FORWARDER_TIMEOUT,
                {"FINDINGS_ROLE_NAME": ref("FindingsRoleName"), "RULE_PAGES_URL": ref("RulePagesUrl")},
            ),
            **its_role(
                "The forwarder of the AWS Backup Config rules' findings runs under it.",
                allow(READ_QUEUE, get_att("Queue", "Arn")),
                allow(
                    ["sts:AssumeRole"],
                    sub("arn:${AWS::Partition}:iam::*:role/${FindingsRoleName}"),
                    if_("HasOrganization", {"StringEquals": {"aws:ResourceOrgID": ref("OrganizationId")}}),
                ),
                name=sub("${ForwarderRoleName}-${AWS::Region}"),
            ),
            "Messages": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "EventSourceArn": get_att("Queue", "Arn"),
                    "FunctionName": ref("Function"),
                    "BatchSize": 100,
                    "MaximumBatchingWindowInSeconds": 30,
                    "FunctionResponseTypes": ["ReportBatchItemFailures"],
                    Noted("ScalingConfig", "Security Hub takes ten imports a second of an account in a Region."): {
                        "MaximumConcurrency": 5
                    },
                },
            },
            **alarms(
                "Findings could not be imported in five tries; the forwarder's log says why. Redrive the dead-letter"
                " queue when the cause is gone: it keeps messages for 14 days.",
                "The forwarder failed as a whole; its messages stay in the queue. Its log says why.",
            ),
        },
        "Outputs": {
            "EventBusArn": {
                "Description": "Where the accounts send events.",
                "Value": sub("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/${EventBusName}"),
            },
            "DeadLettersUrl": {"Description": "What could not be imported.", "Value": ref("DeadLetters")},
        },
    }

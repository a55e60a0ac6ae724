"""rule-functions.yaml: the functions in the central account, one stack per Region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.declarations import MEMBER_ROLE, ORGANIZATION_ID, choice, interface
from backup_rules_cli.templates.functions import (
    PARAMETER_GROUPS,
    common_resources,
    function_conditions,
    function_parameters,
    permission_id,
    rule_resources,
)
from backup_rules_cli.templates.intrinsics import equals, get_att, if_, ref, sub
from backup_rules_cli.templates.rule_parameters import frequency, frequency_declarations, on, rule_conditions


def rule_functions(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """The template of the functions."""
    resources = common_resources(rules, [_assume_member_roles(), if_("AnybodyInvokes", _tell_strangers())])
    checked = if_("ChecksOrganizationInCode", ref("OrganizationId"), "")
    anybody = if_("AnybodyInvokes", "true", "")
    for rule in rules:
        permission = {"Condition": permission_id(rule)}
        resources |= rule_resources(rule, permission, {"ORGANIZATION_ID": checked, "ANYBODY_INVOKES": anybody})
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "AWS Backup Config rules: the functions that judge all accounts, for one Region.",
        "Metadata": interface(
            {
                **PARAMETER_GROUPS,
                "Accounts": ("MemberRoleName", "OrganizationId", "CheckOrganizationInCode", "InvokePermission"),
                "Rules: how often each runs, as in the conformance pack": [frequency(rule) for rule in rules],
            }
        ),
        "Parameters": {
            **function_parameters(rules),
            **MEMBER_ROLE,
            **ORGANIZATION_ID,
            "InvokePermission": choice(
                "Who may invoke the functions. Open: AWS Config, for any account; the functions' role can assume none"
                " outside OrganizationId. Managed: nobody by this stack; deploy invoke-permissions.yaml beside it.",
                "Open",
                "Managed",
            ),
            "CheckOrganizationInCode": choice(
                "false: the functions' role alone keeps accounts outside OrganizationId out. true: each invocation also"
                " asks AWS Organizations whether the account is in it, a call more each time.",
                "false",
                "true",
            ),
            **frequency_declarations(rules),
        },
        "Conditions": {
            **rule_conditions(rules),
            **function_conditions(rules),
            "AnybodyInvokes": equals("InvokePermission", "Open"),
            "ChecksOrganizationInCode": equals("CheckOrganizationInCode", "true"),
            **{
                permission_id(rule): {"Fn::And": [{"Condition": on(rule)}, equals("InvokePermission", "Open")]}
                for rule in rules
            },
        },
        "Resources": resources,
        "Outputs": {
            "FunctionArnPrefix": {
                "Description": "The parameter FunctionArnPrefix of the conformance pack.",
                "Value": sub(
                    "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${FunctionPrefix}"
                ),
            },
            "FunctionRoleArn": {
                "Description": "The role that the functions run under.",
                "Value": get_att("FunctionRole", "Arn"),
            },
            "FailureQueueUrl": {
                "Description": "The queue of the events that failed at every try.",
                "Value": ref("FailureQueue"),
            },
        },
    }


def _tell_strangers() -> dict[str, Any]:
    """Of an account whose role cannot be assumed: whether it is of the organization."""
    return {
        "Sid": "Strangers",
        "Effect": "Allow",
        "Action": "organizations:DescribeAccount",
        "Resource": sub("arn:${AWS::Partition}:organizations::*:account/${OrganizationId}/*"),
    }


def _assume_member_roles() -> dict[str, Any]:
    return {
        "Sid": "MemberRoles",
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": sub("arn:${AWS::Partition}:iam::*:role/${MemberRoleName}"),
        "Condition": {"StringEquals": {"aws:ResourceOrgID": ref("OrganizationId")}},
    }

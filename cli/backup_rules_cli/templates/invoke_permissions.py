"""invoke-permissions.yaml: who may invoke the functions, where the stack of the functions leaves it open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.declarations import ORGANIZATION_ID, account_list, choice, interface, text
from backup_rules_cli.templates.intrinsics import equals, if_, ref, sub
from backup_rules_cli.templates.names import FUNCTION_PREFIX
from backup_rules_cli.templates.rule_parameters import frequency, frequency_declarations, on, prefix, rule_conditions


def invoke_permissions(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """The template: one policy for each function, for AWS Config on behalf of these accounts only.

    A policy, not AWS::Lambda::Permission, as it takes a list of accounts in one statement, and aws:SourceOrgID.
    """
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": (
            "AWS Backup Config rules: who may invoke the functions, when their stack has InvokePermission=Managed."
            " Partition aws only: AWS::Lambda::ResourcePolicy is not known in the Regions of China and GovCloud."
        ),
        "Metadata": interface(
            {
                "Functions": ("FunctionPrefix",),
                "Callers": ("MemberAccountIds", "UseSourceOrganization", "OrganizationId"),
                "Rules: Off for those that have no function": [frequency(rule) for rule in rules],
            }
        ),
        "Parameters": {
            "FunctionPrefix": text("The parameter FunctionPrefix of the stack of the functions.", FUNCTION_PREFIX),
            "MemberAccountIds": account_list(
                "The accounts for which AWS Config may invoke the functions. About 300 fit a parameter. Not used when"
                " UseSourceOrganization is true."
            ),
            "UseSourceOrganization": choice(
                "true: admit all accounts of OrganizationId by aws:SourceOrgID. AWS does not document that AWS Config"
                " sends it when it invokes a function: try it first, and read the functions' Invocations metric.",
                "false",
                "true",
            ),
            **ORGANIZATION_ID,
            **frequency_declarations(rules),
        },
        "Conditions": {**rule_conditions(rules), "ByOrganization": equals("UseSourceOrganization", "true")},
        "Resources": {f"{prefix(rule)}Policy": _policy(rule) for rule in rules},
    }


def _policy(rule: RuleFolder) -> dict[str, Any]:
    function = sub(
        "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:"
        f"${{FunctionPrefix}}{rule.config_rule_name}"
    )
    return {
        "Type": "AWS::Lambda::ResourcePolicy",
        "Condition": on(rule),
        "Properties": {
            "ResourceArn": function,
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "Config",
                        "Effect": "Allow",
                        "Principal": {"Service": "config.amazonaws.com"},
                        "Action": "lambda:InvokeFunction",
                        "Resource": function,
                        "Condition": if_(
                            "ByOrganization",
                            {"StringEquals": {"aws:SourceOrgID": ref("OrganizationId")}},
                            {"StringEquals": {"aws:SourceAccount": ref("MemberAccountIds")}},
                        ),
                    }
                ],
            },
        },
    }

"""The role that the documents assume, and the StackSets that bring both to every account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backup_rules_cli.templates.declarations import choice, interface, text
from backup_rules_cli.templates.intrinsics import equals, get_att, given, if_, ref, sub
from backup_rules_cli.templates.organization import organization
from backup_rules_cli.templates.pieces import policy, trust
from backup_rules_cli.templates.remediation.documents import remediations
from backup_rules_cli.templates.remediation.names import DOCUMENT_NAME_PREFIX, ROLE_NAME_PARAMETER, RULE_NAME_PREFIX
from backup_rules_cli.templates.yaml_text import Noted


def role_template() -> dict[str, Any]:
    """remediation-role.yaml: the role that the documents assume, in each account once."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": (
            "AWS Backup Config rules: the role under which the remediation documents change this account. Once for each"
            " account: IAM is global."
        ),
        "Metadata": interface({"The role": ["RemediationRoleName", "PermissionsBoundaryArn"]}),
        "Parameters": {
            **ROLE_NAME_PARAMETER,
            "PermissionsBoundaryArn": text(
                "The ARN of a managed policy as the role's permissions boundary. Blank: none.",
                "",
                pattern="^(arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+)?$",
                constraint="is the ARN of a managed policy, or blank.",
            ),
        },
        "Conditions": {"HasPermissionsBoundary": given("PermissionsBoundaryArn")},
        "Resources": {
            "RemediationRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": ref("RemediationRoleName"),
                    "Description": "AWS Backup Config rules: what the remediation documents may do in this account.",
                    "PermissionsBoundary": if_("HasPermissionsBoundary", ref("PermissionsBoundaryArn")),
                    Noted(
                        "AssumeRolePolicyDocument",
                        "Only automations of this account: Systems Manager would otherwise be a deputy for anyone.",
                    ): trust(
                        "ssm.amazonaws.com",
                        {
                            "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
                            "ArnLike": {
                                "aws:SourceArn": sub(
                                    "arn:${AWS::Partition}:ssm:*:${AWS::AccountId}:automation-execution/*"
                                )
                            },
                        },
                    ),
                    "Policies": [
                        {
                            "PolicyName": each.name,
                            "PolicyDocument": policy(*each.statements),
                        }
                        for each in remediations()
                    ],
                },
            }
        },
        "Outputs": {"RemediationRoleArn": {"Description": "The role.", "Value": get_att("RemediationRole", "Arn")}},
    }


def stack_sets_template(role_text: str) -> dict[str, Any]:
    """remediation.yaml: the role and the documents in every account of an organization, for one Region.

    `role_text` is the template that the role's StackSet deploys. The documents' is read from a bucket: both would be
    too much for one template.
    """
    declared = organization("")["Parameters"]
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": (
            "AWS Backup Config rules: the remediation documents and their role in every account of an organization, for"
            " one Region, from its management account or a delegated administrator."
        ),
        "Metadata": interface(
            {
                "Accounts": ["PackName", "TargetIds", "CallAs"],
                "The role": ["CreateRole", "RemediationRoleName"],
                "The documents": ["DocumentNamePrefix", "RuleNamePrefix", "DocumentsTemplateUrl"],
            }
        ),
        "Parameters": {
            "PackName": declared["PackName"] | {"Description": "The StackSets are named after it."},
            "TargetIds": declared["TargetIds"] | {"Description": "Where: ids of OUs, or of the root."},
            "CallAs": declared["CallAs"],
            "CreateRole": choice(
                "Whether to create the role in all target accounts. true in one Region only: IAM has no Regions.",
                "true",
                "false",
            ),
            **ROLE_NAME_PARAMETER,
            **DOCUMENT_NAME_PREFIX,
            **RULE_NAME_PREFIX,
            "DocumentsTemplateUrl": text(
                "Where remediation-documents.yaml is: https://bucket.s3.region.amazonaws.com/key. A new template needs"
                " a new key, else CloudFormation sees no change.",
                pattern="^https://.+$",
                constraint="begins with https://.",
                MaxLength=1024,
            ),
        },
        "Conditions": {"MakesRole": equals("CreateRole", "true")},
        "Resources": {
            "RoleStackSet": {
                "Type": "AWS::CloudFormation::StackSet",
                "Condition": "MakesRole",
                "Properties": {
                    "StackSetName": sub("${PackName}-remediation-role"),
                    "Description": "The role under which the remediation documents change an account.",
                    **_in_every_account(["RemediationRoleName"]),
                    "Capabilities": ["CAPABILITY_NAMED_IAM"],
                    Noted("TemplateBody", "The same as remediation-role.yaml."): role_text,
                },
            },
            "DocumentsStackSet": {
                "Type": "AWS::CloudFormation::StackSet",
                "Properties": {
                    "StackSetName": sub("${PackName}-remediation-documents"),
                    "Description": "The documents that settle findings of the AWS Backup Config rules.",
                    **_in_every_account(["DocumentNamePrefix", "RuleNamePrefix"]),
                    "TemplateURL": ref("DocumentsTemplateUrl"),
                },
            },
        },
        "Outputs": {
            "RoleStackSetId": {
                "Condition": "MakesRole",
                "Description": "The StackSet of the role.",
                "Value": ref("RoleStackSet"),
            },
            "DocumentsStackSetId": {
                "Description": "The StackSet of the documents.",
                "Value": ref("DocumentsStackSet"),
            },
        },
    }


def _in_every_account(parameters: Sequence[str]) -> dict[str, Any]:
    return {
        "PermissionModel": "SERVICE_MANAGED",
        "CallAs": ref("CallAs"),
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        "ManagedExecution": {"Active": True},
        "OperationPreferences": {"FailureTolerancePercentage": 100, "MaxConcurrentPercentage": 100},
        "Parameters": [{"ParameterKey": name, "ParameterValue": ref(name)} for name in parameters],
        "StackInstancesGroup": [
            {
                "DeploymentTargets": {"OrganizationalUnitIds": ref("TargetIds")},
                "Regions": [ref("AWS::Region")],
            }
        ],
    }

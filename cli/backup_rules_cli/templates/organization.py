"""organization.yaml: the member role by StackSet, and the pack, in every account of an organization."""

from __future__ import annotations

from typing import Any

from backup_rules_cli.templates.declarations import account_list, choice, interface, text
from backup_rules_cli.templates.intrinsics import CONFIG, Intrinsic, equals, given, if_, ref, select_first, sub
from backup_rules_cli.templates.member_role import PARAMETERS as ROLE_PARAMETERS
from backup_rules_cli.templates.names import PACK_NAME
from backup_rules_cli.templates.pieces import stack_set
from backup_rules_cli.templates.rule_parameters import (
    EXCLUDED_PLANS,
    excluded_plans_declaration,
)
from backup_rules_cli.templates.yaml_text import Noted

_ROLE_FIRST = (
    "The name of the role. It refers to the StackSet so that the pack comes after it: the rules run as soon as they are"
    " there, and need the role then."
)


def organization(member_role_text: str) -> dict[str, Any]:
    """The template of the rollout. `member_role_text`: the template that the StackSet deploys."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": (
            "AWS Backup Config rules: the rollout to an organization, for one Region, from its management account or a"
            " delegated administrator."
        ),
        "Metadata": interface(
            {
                "Conformance pack": (
                    "PackName",
                    "PackTemplateUri",
                    "FunctionArnPrefix",
                    "ExcludedAccounts",
                    EXCLUDED_PLANS,
                ),
                "Member role": ("CreateMemberRole", "TargetIds", "CallAs", *ROLE_PARAMETERS),
                "Aggregator": ("CreateAggregator",),
            }
        ),
        "Parameters": {
            **_parameters(),
            **ROLE_PARAMETERS,
            **excluded_plans_declaration(),
        },
        "Conditions": {
            "MakesMemberRole": equals("CreateMemberRole", "true"),
            "MakesAggregator": equals("CreateAggregator", "true"),
            "HasExcludedAccounts": {
                "Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", ref("ExcludedAccounts")]}, ""]}],
            },
            f"Has{EXCLUDED_PLANS}": given(EXCLUDED_PLANS),
        },
        "Resources": {
            **_member_role_stack_set(member_role_text),
            **_pack(),
            **_aggregator(),
        },
        "Outputs": {
            "PackName": {"Description": "The organization conformance pack.", "Value": ref("Pack")},
            "StackSetId": {
                "Condition": "MakesMemberRole",
                "Description": "The StackSet of the member role.",
                "Value": ref("MemberRoleStackSet"),
            },
        },
    }


def _parameters() -> dict[str, Any]:
    return {
        "PackName": text(
            "The name of the organization conformance pack; the StackSet and the aggregator are named after it.",
            PACK_NAME,
            pattern="^[a-zA-Z][-a-zA-Z0-9]{0,100}$",
            constraint="must begin with a letter, and have at most 101 letters, digits and hyphens.",
        ),
        "PackTemplateUri": text(
            "Where conformance-pack.yaml is: s3://bucket/key, in this Region. Which rules the pack has, how often they"
            " run and with which parameters, stands there. A new template needs a new key, else CloudFormation sees no"
            " change.",
            pattern="^s3://[^/]+/.+$",
            constraint="must be of the form s3://bucket/key.",
            MaxLength=1024,
        ),
        "FunctionArnPrefix": text(
            "The output FunctionArnPrefix of the stack of the functions in this Region.",
            pattern="^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[a-zA-Z0-9_-]+$",
            constraint="must be the ARN of the functions up to their rule's name.",
        ),
        "ExcludedAccounts": account_list(
            "Accounts that get no pack: those without a configuration recorder, and the management account unless it"
            " has the member role too, which StackSets do not create there."
        ),
        "CreateMemberRole": choice(
            "Whether to create the member role in all target accounts. true in one Region only: IAM has no Regions.",
            "true",
            "false",
        ),
        **where_parameters(
            "Where the member role is created: ids of OUs, or of the root. The pack itself goes to every account of the"
            " organization but ExcludedAccounts."
        ),
        "CreateAggregator": choice(
            "Whether to create an aggregator of all accounts and Regions of the organization. In one Region only.",
            "false",
            "true",
        ),
    }


def where_parameters(description: str) -> dict[str, Any]:
    """Of every template with a StackSet: the accounts, and as whom it is made."""
    return {
        "TargetIds": {
            "Type": "CommaDelimitedList",
            "AllowedPattern": "^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$",
            "ConstraintDescription": "must be a comma-separated list of ids of OUs, or the id of the root.",
            "Description": description,
        },
        "CallAs": choice(
            "SELF in the management account, DELEGATED_ADMIN in an account that is the delegated administrator of"
            " StackSets.",
            "SELF",
            "DELEGATED_ADMIN",
        ),
    }


def _member_role_stack_set(template: str) -> dict[str, Any]:
    return {
        "MemberRoleStackSet": {
            "Type": "AWS::CloudFormation::StackSet",
            "Condition": "MakesMemberRole",
            "Properties": stack_set(
                sub("${PackName}-member-role"),
                "The role under which the AWS Backup Config rules read each account.",
                ROLE_PARAMETERS,
                Noted("Regions", "IAM has no Regions: one is enough."),
                {Noted("TemplateBody", "The same as member-role.yaml."): template},
            ),
        }
    }


def _pack() -> dict[str, Any]:
    forwarded: list[Any] = [
        _forward("FunctionArnPrefix"),
        {
            "ParameterName": "ExecutionRoleName",
            # DependsOn takes no resource that is only made under a condition.
            Noted("ParameterValue", _ROLE_FIRST): if_(
                "MakesMemberRole", select_first(ref("MemberRoleName"), ref("MemberRoleStackSet")), ref("MemberRoleName")
            ),
        },
        if_(f"Has{EXCLUDED_PLANS}", _forward(EXCLUDED_PLANS)),
    ]
    return {
        "Pack": {
            "Type": "AWS::Config::OrganizationConformancePack",
            "Properties": {
                "OrganizationConformancePackName": ref("PackName"),
                "TemplateS3Uri": ref("PackTemplateUri"),
                "ExcludedAccounts": if_("HasExcludedAccounts", ref("ExcludedAccounts")),
                "ConformancePackInputParameters": forwarded,
            },
        }
    }


def _forward(name: str) -> dict[str, Any]:
    return {"ParameterName": name, "ParameterValue": ref(name)}


def _aggregator() -> dict[str, Any]:
    trust: Intrinsic = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": CONFIG},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    return {
        "AggregatorRole": {
            "Type": "AWS::IAM::Role",
            "Condition": "MakesAggregator",
            "Properties": {
                "Description": "AWS Config lists the accounts of the organization under it.",
                "AssumeRolePolicyDocument": trust,
                "ManagedPolicyArns": [
                    sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSConfigRoleForOrganizations")
                ],
            },
        },
        "Aggregator": {
            "Type": "AWS::Config::ConfigurationAggregator",
            "Condition": "MakesAggregator",
            "Properties": {
                "ConfigurationAggregatorName": ref("PackName"),
                "OrganizationAggregationSource": {
                    "RoleArn": {"Fn::GetAtt": "AggregatorRole.Arn"},
                    "AllAwsRegions": True,
                },
            },
        },
    }

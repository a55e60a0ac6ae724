"""member-role.yaml: the role in every account under which the central functions read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.declarations import (
    CENTRAL_ACCOUNT_ID,
    FUNCTION_ROLE,
    MEMBER_ROLE,
    ORGANIZATION_ID,
    interface,
    text,
)
from backup_rules_cli.templates.intrinsics import get_att, given, if_, ref, sub
from backup_rules_cli.templates.permissions import reading_statements
from backup_rules_cli.templates.yaml_text import Noted

DEPLOYER = {
    "DeployerRoleArn": text(
        "The ARN of the IAM role, of the central account, under which the pack is deployed, if it shall ask in each"
        " account whether AWS Config records there. Blank: nobody but the functions gets in.",
        "",
        pattern="^(arn:aws[a-z-]*:iam::[0-9]{12}:role/[a-zA-Z0-9+=,.@_/-]+)?$",
        constraint="must be the ARN of a role, or blank.",
    )
}
PARAMETERS = {**MEMBER_ROLE, **CENTRAL_ACCOUNT_ID, **FUNCTION_ROLE, **ORGANIZATION_ID, **DEPLOYER}
RECORDER_STATUS = "config:DescribeConfigurationRecorderStatus"


def member_role(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """The template of the role."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "AWS Backup Config rules: the role under which the central functions read this account.",
        "Metadata": interface(
            {
                "This account": ["MemberRoleName"],
                "Who may assume the role": [
                    "CentralAccountId",
                    "FunctionRoleName",
                    "OrganizationId",
                    "DeployerRoleArn",
                ],
            }
        ),
        "Parameters": PARAMETERS,
        "Conditions": {"HasDeployer": given("DeployerRoleArn")},
        "Resources": {
            "MemberRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": ref("MemberRoleName"),
                    "Description": "The AWS Backup Config rules read this account under it, and put their evaluations.",
                    Noted(
                        "AssumeRolePolicyDocument",
                        "The account as principal, narrowed to the functions' roles: a role named as principal would be"
                        " lost when it is created anew.",
                    ): {
                        "Version": "2012-10-17",
                        "Statement": [
                            _trust({"ArnLike": {"aws:PrincipalArn": sub(f"{_ROLES}${{FunctionRoleName}}-*")}}),
                            if_("HasDeployer", _trust({"ArnEquals": {"aws:PrincipalArn": ref("DeployerRoleArn")}})),
                        ],
                    },
                    "Policies": [
                        {
                            "PolicyName": "read",
                            "PolicyDocument": {"Version": "2012-10-17", "Statement": reading_statements(rules)},
                        },
                        if_("HasDeployer", _recorder_policy()),
                    ],
                },
            }
        },
        "Outputs": {"MemberRoleArn": {"Description": "The role.", "Value": get_att("MemberRole", "Arn")}},
    }


_ROLES = "arn:${AWS::Partition}:iam::${CentralAccountId}:role/"


def _trust(principal: dict[str, Any]) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": sub("arn:${AWS::Partition}:iam::${CentralAccountId}:root")},
        "Action": "sts:AssumeRole",
        "Condition": {**principal, "StringEquals": {"aws:PrincipalOrgID": ref("OrganizationId")}},
    }


def _recorder_policy() -> dict[str, Any]:
    """What `skip_accounts_without_recorder` asks."""
    statement = {"Sid": "Recorders", "Effect": "Allow", "Action": [RECORDER_STATUS], "Resource": "*"}
    return {"PolicyName": "recorders", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}

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
)
from backup_rules_cli.templates.intrinsics import get_att, ref, sub
from backup_rules_cli.templates.permissions import reading_statements
from backup_rules_cli.templates.yaml_text import Noted

PARAMETERS = {**MEMBER_ROLE, **CENTRAL_ACCOUNT_ID, **FUNCTION_ROLE, **ORGANIZATION_ID}


def member_role(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """The template of the role."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "AWS Backup Config rules: the role under which the central functions read this account.",
        "Metadata": interface(
            {
                "This account": ["MemberRoleName"],
                "Who may assume the role": ["CentralAccountId", "FunctionRoleName", "OrganizationId"],
            }
        ),
        "Parameters": PARAMETERS,
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
                            {
                                "Effect": "Allow",
                                "Principal": {"AWS": sub("arn:${AWS::Partition}:iam::${CentralAccountId}:root")},
                                "Action": "sts:AssumeRole",
                                "Condition": {
                                    "ArnLike": {
                                        "aws:PrincipalArn": sub(
                                            "arn:${AWS::Partition}:iam::${CentralAccountId}:role/${FunctionRoleName}-*"
                                        )
                                    },
                                    "StringEquals": {"aws:PrincipalOrgID": ref("OrganizationId")},
                                },
                            }
                        ],
                    },
                    "Policies": [
                        {
                            "PolicyName": "read",
                            "PolicyDocument": {"Version": "2012-10-17", "Statement": reading_statements(rules)},
                        }
                    ],
                },
            }
        },
        "Outputs": {"MemberRoleArn": {"Description": "The role.", "Value": get_att("MemberRole", "Arn")}},
    }

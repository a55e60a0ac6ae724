"""member-role.yaml: what the rules need in an account, and who may have it."""

from __future__ import annotations

from typing import Any

from backup_rules_cli.catalogue import COMMON_PERMISSIONS
from tests.cloudformation.rendering import CENTRAL, ORGANIZATION, RULES, as_list, rendered

ROLE = "member-role.yaml"


def role(given: dict[str, str] | None = None) -> dict[str, Any]:
    return dict(rendered(ROLE, given)["MemberRole"]["Properties"])


def test_it_allows_what_the_rules_declare_and_nothing_else() -> None:
    (policy,) = role()["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    actions = [action for statement in statements for action in as_list(statement["Action"])]
    assert len(actions) == len(set(actions))
    assert set(actions) == COMMON_PERMISSIONS.union(*(rule.permissions for rule in RULES))
    assert {statement["Effect"] for statement in statements} == {"Allow"}


def test_the_functions_of_the_central_account_may_assume_it() -> None:
    (statement,) = role({"FunctionRoleName": "Mine"})["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{CENTRAL}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{CENTRAL}:role/Mine-*"},
            "StringEquals": {"aws:PrincipalOrgID": ORGANIZATION},
        },
    }


def test_the_functions_role_is_one_that_it_trusts() -> None:
    function_role = rendered("rule-functions.yaml", {"FunctionRoleName": "Mine"})["FunctionRole"]["Properties"]
    assert function_role["RoleName"] == "Mine-eu-west-1"
    assert role({"MemberRoleName": "Reader"})["RoleName"] == "Reader"


def test_the_role_that_deploys_may_ask_for_recorders_if_it_is_named() -> None:
    deployer = f"arn:aws:iam::{CENTRAL}:role/path/Deployer"
    made = role({"DeployerRoleArn": deployer})
    _, trusted = made["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": deployer},
        "StringEquals": {"aws:PrincipalOrgID": ORGANIZATION},
    }
    _, policy = made["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["config:DescribeConfigurationRecorderStatus"]

"""The role may do what the documents do and nothing else: its actions are compared with recorded calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_simulator.core.accounts import account_session
from aws_simulator.core.faults import recorded_calls
from aws_simulator.deployment.authorization import enforced_permissions
from backup_rules_cli.templates.remediation.documents import Remediation, remediations
from tests.cloudformation.rendering import as_list
from tests.front_door import ACCOUNT, Door, front_door
from tests.organization import Organization, policy_plan
from tests.remediation.automation import ROLE, deploy, run

# What AWS does with the caller's permissions behind a call, which no record shows.
# https://docs.aws.amazon.com/aws-backup/latest/devguide/access-control.html (CreateBackupVault, CreateBackupSelection)
BEHIND = {
    "CreatePolicyVaults": {
        "backup-storage:MountCapsule",
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKey",
        "kms:RetireGrant",
    },
    "StripSelectionWhiteSpace": {"iam:PassRole"},
}
STRAY = [{"ConditionType": "STRINGEQUALS", "ConditionKey": "backup ", "ConditionValue": "true"}]


def opt_in(door: Door) -> str:
    door.client("backup").update_region_settings(ResourceTypeOptInPreference={"FSx": False})
    door.evaluate("BACKUP_SERVICE_OPT_IN", {"RequiredResourceTypes": "FSx"})
    return ACCOUNT


def white_space(door: Door) -> str:
    return door.selection(door.plan("tagged"), ListOfTags=STRAY)


def vaults(door: Door) -> str:
    Organization.of(door).attach({"plans": {"nightly": policy_plan("prod")}})
    return ACCOUNT


def role_permissions(door: Door) -> str:
    door.role("Weak")
    role = f"arn:aws:iam::{ACCOUNT}:role/Weak"
    selection = door.selection(door.plan(), Resources=["arn:aws:dynamodb:*:*:table/*"], IamRoleArn=role)
    door.evaluate("BACKUP_ROLE_PERMISSIONS")
    return selection


BROKEN: dict[str, Callable[[Door], str]] = {
    "AttachBackupPolicies": role_permissions,
    "CreatePolicyVaults": vaults,
    "StripSelectionWhiteSpace": white_space,
    "TurnOnResourceTypes": opt_in,
}
EVERY_DOCUMENT = pytest.mark.parametrize("document", remediations(), ids=lambda each: each.name)


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        yield it


def actions(statements: list[dict[str, Any]]) -> set[str]:
    return {action for statement in statements for action in as_list(statement["Action"])}


@EVERY_DOCUMENT
def test_the_role_has_the_permissions_that_the_document_uses_and_no_other(door: Door, document: Remediation) -> None:
    deploy(door, document.name)
    resource_id = BROKEN[document.name](door)
    with recorded_calls() as calls:
        assert run(door, document.name, resource_id).failure is None
    started = {"ssm:StartAutomationExecution", "ssm:GetAutomationExecution", "sts:AssumeRole"}
    used = {call.action for call in calls} - started
    assert used | BEHIND.get(document.name, set()) == actions(document.statements)


@EVERY_DOCUMENT
def test_without_a_permission_the_document_fails_and_names_it(door: Door, document: Remediation) -> None:
    deploy(door, document.name)
    resource_id = BROKEN[document.name](door)
    iam = door.client("iam")
    policies = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    whole = {name: iam.get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"] for name in policies}
    unseen = BEHIND.get(document.name, set()) - {"iam:PassRole"}
    # A run that could only not delete leaves the next one nothing to create: that comes last.
    for action in sorted(actions(document.statements) - unseen, key=lambda each: (":Delete" in each, each)):
        for name, policy in whole.items():
            less = [
                {**statement, "Action": left}
                for statement in policy["Statement"]
                if (left := [each for each in as_list(statement["Action"]) if each != action])
            ]
            iam.put_role_policy(
                RoleName=ROLE, PolicyName=name, PolicyDocument=json.dumps({**policy, "Statement": less})
            )
        outcome = run(door, document.name, resource_id)
        assert outcome.failure is not None, action
        assert f"is not authorized to perform: {action}" in outcome.failure


def test_policies_other_than_aws_backups_cannot_be_attached_under_the_role(door: Door) -> None:
    """The role would otherwise be a way to any permission."""
    deploy(door, "AttachBackupPolicies")
    door.role("Weak")
    iam = account_session(door.account, door.region, ROLE).client("iam")
    with enforced_permissions(), pytest.raises(ClientError, match="not authorized to perform: iam:AttachRolePolicy"):
        iam.attach_role_policy(RoleName="Weak", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")

"""The document that attaches the policies that BACKUP_ROLE_PERMISSIONS asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from aws_simulator.core import config, faults
from aws_simulator.core.faults import failing
from aws_simulator.core.tagging import tag_resource
from tests.front_door import ACCOUNT, CENTRAL, NOW, Door, front_door
from tests.remediation.automation import deploy, nothing_changes, run

RULE = "BACKUP_ROLE_PERMISSIONS"
DOCUMENT = "AttachBackupPolicies"
FOR_BACKUP = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
FOR_S3_BACKUP = "arn:aws:iam::aws:policy/AWSBackupServiceRolePolicyForS3Backup"
VOLUME = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/vol-0abc"
BUCKET = "arn:aws:s3:::amzn-s3-demo-bucket"


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        deploy(it, DOCUMENT)
        yield it


def picking(door: Door, *arns: str) -> str:
    """A selection by tag that picks these resources."""
    for arn in arns:
        tag_resource(ACCOUNT, "eu-west-1", arn, {"backup": "true"})
    return door.selection(door.plan())


def attached(door: Door, role: str = "BackupRole") -> set[str]:
    found = door.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return {policy["PolicyArn"] for policy in found}


def compliance(door: Door, hours: int = 0) -> str:
    (found,) = door.at(now=NOW + timedelta(hours=hours)).evaluate(RULE).values()
    return found.compliance


@pytest.mark.parametrize(
    ("picked", "before", "expected"),
    [
        pytest.param([VOLUME], [], [FOR_BACKUP], id="volumes"),
        pytest.param([BUCKET], [], [FOR_BACKUP, FOR_S3_BACKUP], id="buckets by tag"),
        pytest.param([VOLUME, BUCKET], [], [FOR_BACKUP, FOR_S3_BACKUP], id="both"),
        pytest.param([VOLUME, BUCKET], [FOR_BACKUP], [FOR_S3_BACKUP], id="buckets, with the default role"),
    ],
)
def test_what_the_rule_asks_for_is_attached(
    door: Door, picked: list[str], before: list[str], expected: list[str]
) -> None:
    door.role()
    for policy in before:
        door.client("iam").attach_role_policy(RoleName="BackupRole", PolicyArn=policy)
    selection = picking(door, *picked)
    assert compliance(door) == "NON_COMPLIANT"
    outcome = run(door, DOCUMENT, selection)
    assert outcome.failure is None
    assert outcome.outputs["Attach.Role"] == [f"arn:aws:iam::{ACCOUNT}:role/BackupRole"]
    assert outcome.outputs["Attach.Attached"] == expected
    assert attached(door) == {*before, *expected}
    assert compliance(door, hours=1) == "COMPLIANT"


@pytest.mark.parametrize(
    ("name", "given", "believed"),
    [
        ("backup-role-permissions", {}, True),
        ("backup-role-permissions-conformance-pack-n0q8yfwsp", {}, True),
        ("BACKUP_ROLE_PERMISSIONS", {}, True),
        ("dev-backup-role-permissions-conformance-pack-n0q8yfwsp", {"RuleNamePrefix": ["dev-"]}, True),
        ("dev-backup-role-permissions", {}, False),
        ("backup-role-permissions", {"RuleNamePrefix": ["dev-"]}, False),
        ("not-backup-role-permissions", {}, False),
        ("backup-role-permissions-of-mine", {}, False),
        ("backup_role_permissions", {}, False),
    ],
)
def test_only_the_packs_own_rule_is_believed(
    door: Door, name: str, given: dict[str, list[str]], *, believed: bool
) -> None:
    door.role()
    selection = picking(door, VOLUME)
    found_by(door, name, selection, "Attach AWSBackupServiceRolePolicyForBackup.")
    if believed:
        assert run(door, DOCUMENT, selection, **given).failure is None
        assert attached(door) == {FOR_BACKUP}
    else:
        assert f"no NON_COMPLIANT evaluation of {selection}" in refusal(door, selection, **given)


def found_by(door: Door, rule: str, selection: str, annotation: str) -> None:
    """A Config rule of that name finds fault with the selection."""
    client = door.client("config")
    source = {
        "Owner": "CUSTOM_LAMBDA",
        "SourceIdentifier": f"arn:aws:lambda:{door.region}:{CENTRAL}:function:{rule}",
        "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}],
    }
    client.put_config_rule(ConfigRule={"ConfigRuleName": rule, "Source": source})
    evaluation = {
        "ComplianceResourceType": "AWS::Backup::BackupSelection",
        "ComplianceResourceId": selection,
        "ComplianceType": "NON_COMPLIANT",
        "Annotation": annotation,
        "OrderingTimestamp": NOW,
    }
    token = config.result_token(door.account, door.region, rule)
    client.put_evaluations(Evaluations=[evaluation], ResultToken=token)


def test_a_second_run_changes_nothing(door: Door) -> None:
    door.role()
    selection = picking(door, VOLUME)
    compliance(door)
    run(door, DOCUMENT, selection)
    with nothing_changes():
        outcome = run(door, DOCUMENT, selection)
    assert outcome.failure is None
    assert outcome.outputs["Attach.Summary"] == [
        "Nothing changed: role BackupRole has AWSBackupServiceRolePolicyForBackup already."
    ]


def test_policies_may_be_chosen_without_an_evaluation(door: Door) -> None:
    door.role(path="/backup/")
    selection = door.selection(door.plan(), IamRoleArn=f"arn:aws:iam::{ACCOUNT}:role/backup/BackupRole")
    run(door, DOCUMENT, selection, Policies=["S3"])
    assert attached(door) == {FOR_S3_BACKUP}
    run(door, DOCUMENT, selection, Policies=["BackupAndS3"])
    assert attached(door) == {FOR_S3_BACKUP, FOR_BACKUP}


@pytest.mark.parametrize(("region", "partition"), [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")])
def test_other_partitions(door: Door, region: str, partition: str) -> None:
    there = door.at(region=region)
    deploy(there, DOCUMENT)
    there.role()
    selection = there.selection(there.plan(), IamRoleArn=f"arn:{partition}:iam::{ACCOUNT}:role/BackupRole")
    outcome = run(there, DOCUMENT, selection, Policies=["Backup"])
    assert outcome.outputs["Attach.Attached"] == [FOR_BACKUP.replace("arn:aws:", f"arn:{partition}:")]
    assert attached(there) == set(outcome.outputs["Attach.Attached"])


def refusal(door: Door, resource_id: str, **parameters: list[str]) -> str:
    with nothing_changes():
        outcome = run(door, DOCUMENT, resource_id, **parameters)
    assert outcome.failure is not None
    assert "RefusedError" in outcome.failure
    return outcome.failure


@pytest.mark.parametrize(
    ("role", "reason"),
    [
        pytest.param(
            f"arn:aws:iam::{CENTRAL}:role/BackupRole", "is a role of account 444455556666", id="other account"
        ),
        pytest.param(
            f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup",
            "is a service-linked role",
            id="service-linked",
        ),
        pytest.param(f"arn:aws:iam::{ACCOUNT}:user/someone", "is no IAM role", id="no role"),
        pytest.param(f"arn:aws:iam::{ACCOUNT}:role/Gone", "does not exist", id="missing"),
    ],
)
def test_it_refuses_roles_that_it_may_not_change(door: Door, role: str, reason: str) -> None:
    selection = door.selection(door.plan(), IamRoleArn=role)
    assert reason in refusal(door, selection, Policies=["Backup"])


def test_it_refuses_what_is_no_selection_or_not_reported(door: Door) -> None:
    assert "i-0abc is not a backup selection" in refusal(door, "i-0abc")
    door.role()
    selection = picking(door)
    assert f"no NON_COMPLIANT evaluation of {selection}" in refusal(door, selection)
    gone = "00000000-0000-0000-0000-000000000000"
    assert f"There is no selection {gone}" in refusal(door, f"{gone}_{selection.partition('_')[2]}")


def test_it_refuses_where_a_deny_withholds_the_permission(door: Door) -> None:
    door.role()
    statement: dict[str, Any] = {"Effect": "Deny", "Action": "ec2:CreateSnapshot", "Resource": "*"}
    iam = door.client("iam")
    iam.attach_role_policy(RoleName="BackupRole", PolicyArn=FOR_BACKUP)
    iam.put_role_policy(
        RoleName="BackupRole",
        PolicyName="no-snapshots",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}),
    )
    selection = picking(door, VOLUME)
    assert compliance(door) == "NON_COMPLIANT"
    found = refusal(door, selection)
    assert "Attaching a policy would not settle what role BackupRole lacks" in found
    assert "Remove that Deny." in found


def test_a_failure_of_aws_is_told(door: Door) -> None:
    door.role()
    selection = picking(door, VOLUME)
    with failing(faults.denied, "iam", "AttachRolePolicy"):
        outcome = run(door, DOCUMENT, selection, Policies=["Backup"])
    assert outcome.failure is not None
    assert "not authorized to perform: iam:AttachRolePolicy" in outcome.failure
    assert attached(door) == set()

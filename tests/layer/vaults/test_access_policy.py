"""What a vault's access policy denies AWS Backup, with AWS's own samples among the cases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from backup_rules.arns import Place
from backup_rules.vaults.access_policy import COPY_INTO_VAULT, START_BACKUP_JOB, VaultDenial, vault_denials

PLACE = Place("aws", "111122223333", "eu-west-1")
BOTH = (START_BACKUP_JOB, COPY_INTO_VAULT)


def arn(name: str) -> str:
    return f"arn:aws:backup:eu-west-1:111122223333:backup-vault:{name}"


def deny(**changes: Any) -> dict[str, Any]:
    statement = {
        "Sid": "NoBackups",
        "Effect": "Deny",
        "Principal": "*",
        "Action": START_BACKUP_JOB,
        "Resource": "*",
    }
    return {key: value for key, value in (statement | changes).items() if value is not None}


def denied(*statements: dict[str, Any], place: Place = PLACE) -> list[str]:
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    here = f"arn:{place.partition}:backup:{place.region}:{place.account}:backup-vault:Prod"
    return [denial.action for denial in vault_denials(policy, here, place, BOTH)]


def samples_of_aws() -> Iterator[Any]:
    """https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html, the policy that AWS
    puts on the automatic EFS vault, and https://repost.aws/knowledge-center/backup-resolve-access-denied-error
    """
    role = {"AWS": "arn:aws:iam::111122223333:role/MyRole"}
    recovery_points = [
        "backup:UpdateRecoveryPointLifecycle",
        "backup:DescribeRecoveryPoint",
        "backup:DeleteRecoveryPoint",
        "backup:GetRecoveryPointRestoreMetadata",
        "backup:StartRestoreJob",
    ]
    yield pytest.param(
        deny(Principal=role, Action=recovery_points, Resource=["arn:aws:ec2:*:*:snapshot/*"]), id="a resource type"
    )
    operations = ["backup:DescribeBackupVault", "backup:DeleteBackupVault", "backup:StartBackupJob"]
    yield pytest.param(deny(Principal=role, Action=operations, Resource=arn("Prod")), id="a vault, to one role")
    yield pytest.param(
        deny(
            Action="backup:DeleteRecoveryPoint",
            Condition={"StringNotEquals": {"aws:userId": ["AIDA1234567890EXAMPLE", "AROA1234567890EXAMPLE:*"]}},
        ),
        id="deletion, but to some user ids",
    )
    yield pytest.param(
        deny(
            Action="backup:DeleteRecoveryPoint",
            Condition={"ArnNotEquals": {"aws:PrincipalArn": ["arn:aws:iam::111122223333:role/mys3role"]}},
        ),
        id="deletion, but to some ARNs",
    )
    yield pytest.param(
        deny(
            Principal={"AWS": "*"},
            Action=["backup:DeleteBackupVault", "backup:DeleteRecoveryPoint", "backup:StartCopyJob"],
        ),
        id="the automatic EFS vault",
    )
    yield pytest.param(
        deny(
            Effect="Allow",
            Action=COPY_INTO_VAULT,
            Condition={"StringEquals": {"aws:PrincipalOrgID": ["o-exampleorgid"]}},
        ),
        id="copies from the organization",
    )


@pytest.mark.parametrize("statement", list(samples_of_aws()))
def test_aws_own_sample_policies_are_no_problem(statement: dict[str, Any]) -> None:
    assert denied(statement) == []


@pytest.mark.parametrize(
    ("statement", "actions"),
    [
        pytest.param(deny(), [START_BACKUP_JOB], id="plain"),
        pytest.param(deny(Action=[COPY_INTO_VAULT]), [COPY_INTO_VAULT], id="copies"),
        pytest.param(deny(Effect="Allow"), [], id="allow"),
        pytest.param(deny(Effect="allow"), [], id="allow in lower case"),
        pytest.param(deny(Effect="DENY"), [START_BACKUP_JOB], id="deny in upper case"),
        pytest.param(deny(Action="backup:*"), list(BOTH), id="all of AWS Backup"),
        pytest.param(deny(Action="*"), list(BOTH), id="everything"),
        pytest.param(deny(Action="BACKUP:startbackupjob"), [START_BACKUP_JOB], id="action in other case"),
        pytest.param(deny(Action="backup:Start?ackupJob"), [START_BACKUP_JOB], id="question mark"),
        pytest.param(deny(Action="backup:StartBackupJo"), [], id="part of the action"),
        pytest.param(deny(Action="backup:[S]tartBackupJob"), [], id="brackets are literal"),
        pytest.param(deny(Action="backup:Start*"), [START_BACKUP_JOB], id="action with a star"),
        pytest.param(deny(Action=None, NotAction="backup:Describe*"), list(BOTH), id="NotAction"),
        pytest.param(deny(Action=None, NotAction=["backup:start*"]), [COPY_INTO_VAULT], id="NotAction exempts one"),
        pytest.param(deny(Resource=arn("Prod")), [START_BACKUP_JOB], id="this vault"),
        pytest.param(deny(Resource=arn("Pr*")), [START_BACKUP_JOB], id="vaults like this one"),
        pytest.param(
            deny(Resource=[arn("Dev"), "arn:aws:backup:*:*:backup-vault:*"]), [START_BACKUP_JOB], id="any vault"
        ),
        pytest.param(deny(Resource=arn("Dev")), [], id="another vault"),
        pytest.param(deny(Resource=arn("prod")), [], id="vault in other case"),
        pytest.param(deny(Resource="arn:aws:backup:*:*:recovery-point:*"), [], id="recovery points"),
        pytest.param(deny(Resource=None, NotResource=arn("Dev")), [START_BACKUP_JOB], id="NotResource another"),
        pytest.param(deny(Resource=None, NotResource=arn("Prod")), [], id="NotResource this vault"),
        pytest.param(deny(Principal={"AWS": "*"}), [START_BACKUP_JOB], id="AWS star"),
        pytest.param(deny(Principal={"AWS": ["444455556666", "*"]}), [START_BACKUP_JOB], id="a star in a list"),
        pytest.param(deny(Principal={"AWS": "111122223333"}), [START_BACKUP_JOB], id="this account"),
        pytest.param(deny(Principal={"AWS": "arn:aws:iam::111122223333:root"}), [START_BACKUP_JOB], id="its root"),
        pytest.param(deny(Principal={"AWS": "444455556666"}), [], id="another account"),
        pytest.param(deny(Principal={"AWS": "arn:aws:iam::111122223333:role/R"}), [], id="one role"),
        pytest.param(deny(Principal={"Service": "backup.amazonaws.com"}), [START_BACKUP_JOB], id="AWS Backup"),
        pytest.param(deny(Principal={"Service": "s3.amazonaws.com"}), [], id="another service"),
        pytest.param(
            deny(Principal=None, NotPrincipal={"AWS": "arn:aws:iam::444455556666:role/R"}),
            [START_BACKUP_JOB],
            id="all but another account's role",
        ),
        pytest.param(
            deny(Principal=None, NotPrincipal={"AWS": "444455556666"}), [START_BACKUP_JOB], id="all but an account"
        ),
        pytest.param(
            deny(Principal=None, NotPrincipal={"AWS": "arn:aws:iam::111122223333:role/R"}),
            [],
            id="all but one role here",
        ),
        pytest.param(
            deny(Principal=None, NotPrincipal={"AWS": "AROA1234567890EXAMPLE"}), [], id="all but an unknown id"
        ),
        pytest.param(deny(Principal=None, NotPrincipal="*"), [], id="all but everyone"),
        pytest.param(
            deny(Principal=None, NotPrincipal={"Service": "backup.amazonaws.com"}), [], id="all but AWS Backup"
        ),
        pytest.param(deny(Condition={}), [START_BACKUP_JOB], id="an empty condition"),
        pytest.param(
            deny(Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}),
            [],
            id="all but the organization",
        ),
        pytest.param(deny(Condition={"Bool": {"aws:SecureTransport": "false"}}), [], id="without TLS"),
        pytest.param(
            deny(Condition={"StringNotEquals": {"aws:PrincipalAccount": ["444455556666"]}}),
            [START_BACKUP_JOB],
            id="all but another account's principals",
        ),
        pytest.param(
            deny(Condition={"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}),
            [],
            id="all but this account's principals",
        ),
        pytest.param(
            deny(Condition={"StringLike": {"AWS:principalaccount": "1111*"}}),
            [START_BACKUP_JOB],
            id="this account's, by star",
        ),
        pytest.param(
            deny(
                Condition={
                    "StringEquals": {"aws:PrincipalAccount": "111122223333"},
                    "Bool": {"aws:SecureTransport": "false"},
                }
            ),
            [],
            id="one condition of two undecided",
        ),
        pytest.param(
            deny(Condition={"ForAnyValue:StringEquals": {"aws:PrincipalAccount": "111122223333"}}),
            [START_BACKUP_JOB],
            id="this account's, among any values",
        ),
        pytest.param(
            deny(Condition={"NumericEquals": {"aws:PrincipalAccount": "111122223333"}}),
            [],
            id="an operator that is not looked into",
        ),
    ],
)
def test_denials(statement: dict[str, Any], actions: list[str]) -> None:
    assert denied(statement) == actions


def test_the_partitions_own_service_principal_counts() -> None:
    china = Place("aws-cn", "111122223333", "cn-north-1")
    statement = deny(Principal={"Service": "backup.amazonaws.com.cn"})
    assert denied(statement, place=china) == [START_BACKUP_JOB]
    assert denied(statement) == []


def test_the_denying_statement_is_named_by_sid_or_number() -> None:
    policy = {"Statement": [deny(Action="backup:Describe*"), deny(Sid=None), deny(Sid="Later", Action="backup:*")]}
    assert vault_denials(json.dumps(policy), arn("Prod"), PLACE, BOTH) == (
        VaultDenial(START_BACKUP_JOB, "statement 2"),
        VaultDenial(COPY_INTO_VAULT, "Later"),
    )


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        pytest.param("", "Expecting value", id="nothing"),
        pytest.param("{", "Expecting property name", id="cut off"),
        pytest.param("[]", "is [], not an object", id="list"),
        pytest.param("{}", "has no Statement", id="no statement"),
        pytest.param('{"Statement": ["x"]}', "Statement 1", id="statement is a string"),
        pytest.param(json.dumps({"Statement": deny(Effect="refuse")}), "Effect 'refuse'", id="no effect"),
        pytest.param(json.dumps({"Statement": deny(Principal=None)}), "Principal or NotPrincipal", id="no principal"),
        pytest.param(json.dumps({"Statement": deny(Principal=5)}), "Principal is 5", id="principal is a number"),
        pytest.param(json.dumps({"Statement": deny(Action=None)}), "Action or NotAction", id="no action"),
        pytest.param(json.dumps({"Statement": deny(NotResource="*")}), "Resource or NotResource", id="both resources"),
        pytest.param(json.dumps({"Statement": deny(Action={"a": 1})}), "Action is {'a': 1}", id="action is an object"),
        pytest.param(json.dumps({"Statement": deny(Condition=["x"])}), "Condition is ['x']", id="condition is a list"),
        pytest.param('{"Statement": ' + "[" * 100_000, "nested too deeply", id="100,000 brackets"),
    ],
)
def test_a_policy_that_is_none_is_an_error_that_names_the_vault(policy: str, what: str) -> None:
    with pytest.raises(ValueError, match="the access policy of vault Prod") as raised:
        vault_denials(policy, arn("Prod"), PLACE, BOTH)
    assert what in str(raised.value)


def test_many_stars_take_no_time() -> None:
    pattern = "*a" * 5_000 + "b"
    assert denied(deny(Resource="arn:aws:backup:" + pattern)) == []

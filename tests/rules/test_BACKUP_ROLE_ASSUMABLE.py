"""Which selections name a role that AWS Backup cannot assume."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from aws_simulator.core.backup import add_plan
from aws_simulator.core.faults import denied, failing, recorded_calls
from aws_simulator.core.messages.configuration_items import Recording, plan_item
from aws_simulator.core.operations import page_size
from backup_rules.errors import IncompleteEvaluationError, ReadError
from tests.front_door import ACCOUNT, CENTRAL, NOW, Door, front_door

RULE = "BACKUP_ROLE_ASSUMABLE"
SELECTION = "AWS::Backup::BackupSelection"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/BackupRole"
WHOSE = "selection everything of plan nightly"


@pytest.fixture(autouse=True)
def sleepless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without waiting."""
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        yield it


def only(found: dict[Any, Any]) -> tuple[str, str]:
    (one,) = found.values()
    return one.compliance, one.annotation


def judged(door: Door, role_arn: str = ROLE) -> tuple[str, str]:
    door.selection(door.plan(), IamRoleArn=role_arn)
    return only(door.evaluate(RULE))


def test_a_role_that_trusts_aws_backup(door: Door) -> None:
    door.role()
    assert judged(door) == ("COMPLIANT", "")


def test_a_role_with_a_path(door: Door) -> None:
    assert judged(door, door.role(path="/service-role/")) == ("COMPLIANT", "")


@pytest.mark.parametrize(
    ("role_arn", "annotation"),
    [
        pytest.param(
            f"arn:aws:iam::{CENTRAL}:role/BackupRole",
            f"Selection everything of plan nightly names arn:aws:iam::{CENTRAL}:role/BackupRole, a role of account"
            f" {CENTRAL}. AWS Backup can only use a role of its own account: assign the resources with one.",
            id="another account",
        ),
        pytest.param(
            f"arn:aws-cn:iam::{ACCOUNT}:role/BackupRole",
            f"Selection everything of plan nightly names arn:aws-cn:iam::{ACCOUNT}:role/BackupRole, a role of partition"
            " aws-cn. AWS Backup can only use a role of this account, in partition aws: assign the resources with one.",
            id="another partition",
        ),
        pytest.param(
            f"arn:aws:iam::{ACCOUNT}:user/backup",
            f"Selection everything of plan nightly names as its role arn:aws:iam::{ACCOUNT}:user/backup, which is the"
            " ARN of a user. Assign the resources with the ARN of an IAM role of this account.",
            id="a user",
        ),
        pytest.param(
            "BackupRole",
            "Selection everything of plan nightly names as its role BackupRole, which is a bare name, not an ARN."
            " Assign the resources with the ARN of an IAM role of this account.",
            id="a bare name",
        ),
        pytest.param(
            f"arn:aws:sts::{ACCOUNT}:assumed-role/BackupRole/session",
            f"Selection everything of plan nightly names as its role arn:aws:sts::{ACCOUNT}:assumed-role/BackupRole/"
            "session, which is the ARN of a session of a role. Assign the resources with the ARN of an IAM role of this"
            " account.",
            id="a session",
        ),
        pytest.param(
            f"arn:aws:iam::{ACCOUNT}:role/Gone",
            f"Role arn:aws:iam::{ACCOUNT}:role/Gone of {WHOSE} does not exist. Create it (it must trust"
            " backup.amazonaws.com), or assign the resources with a role that exists.",
            id="no such role",
        ),
        pytest.param(
            f"arn:aws:iam::{ACCOUNT}:role/service-role/BackupRole",
            f"Role arn:aws:iam::{ACCOUNT}:role/service-role/BackupRole of {WHOSE} does not exist: here,"
            " BackupRole has the path /. Assign the resources with the ARN that the role has.",
            id="another path",
        ),
    ],
)
def test_a_role_that_is_none_here(door: Door, role_arn: str, annotation: str) -> None:
    door.role()
    assert judged(door, role_arn) == ("NON_COMPLIANT", annotation)


@pytest.mark.parametrize(
    ("role_arn", "remedy"),
    [
        pytest.param(
            "BackupRole",
            "Set iam_role_arn in the backup policy to the ARN of an IAM role of this account.",
            id="a name",
        ),
        pytest.param(
            f"arn:aws:iam::{CENTRAL}:role/BackupRole",
            "Write $account in the backup policy in place of the account id.",
            id="another account",
        ),
        pytest.param(
            f"arn:aws-cn:iam::{ACCOUNT}:role/BackupRole",
            "Write partition aws in iam_role_arn of the backup policy.",
            id="another partition",
        ),
        pytest.param(
            f"arn:aws:iam::{ACCOUNT}:role/Gone",
            "Create it (it must trust backup.amazonaws.com), or change iam_role_arn in the backup policy.",
            id="no such role",
        ),
        pytest.param(
            f"arn:aws:iam::{ACCOUNT}:role/service-role/BackupRole",
            "Set iam_role_arn in the backup policy to the ARN that the role has.",
            id="another path",
        ),
    ],
)
def test_a_selection_of_a_backup_policy_is_changed_in_the_policy(door: Door, role_arn: str, remedy: str) -> None:
    door.role()
    plan = {"BackupPlanName": "made", "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "Default"}]}
    selection = {"SelectionName": "all", "IamRoleArn": role_arn, "Resources": ["*"]}
    add_plan(ACCOUNT, "eu-west-1", plan, plan_id="orgs/5a8b", selections=[selection])
    compliance, annotation = only(door.evaluate(RULE))
    assert compliance == "NON_COMPLIANT"
    assert annotation.endswith(f". {remedy}")


def test_the_selections_of_another_accounts_role_ask_iam_nothing(door: Door) -> None:
    door.selection(door.plan(), IamRoleArn=f"arn:aws:iam::{CENTRAL}:role/BackupRole")
    with recorded_calls() as calls:
        door.evaluate(RULE)
    assert "GetRole" not in {call.operation for call in calls if call.service == "iam"}


def allow(condition: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": "backup.amazonaws.com"},
        "Action": "sts:AssumeRole",
        **changes,
    }
    return statement | ({"Condition": condition} if condition else {})


DENY = allow(Effect="Deny")


@pytest.mark.parametrize(
    ("statements", "annotation"),
    [
        pytest.param(
            [allow(Principal={"Service": "ec2.amazonaws.com"})],
            f"Role BackupRole of {WHOSE} does not trust backup.amazonaws.com. Allow backup.amazonaws.com sts:AssumeRole"
            " in its trust policy.",
            id="another service",
        ),
        pytest.param(
            [allow(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})],
            f"Role BackupRole of {WHOSE} does not trust backup.amazonaws.com. Allow backup.amazonaws.com sts:AssumeRole"
            " in its trust policy.",
            id="the account",
        ),
        pytest.param(
            [allow(Action="sts:TagSession")],
            f"Role BackupRole of {WHOSE} names backup.amazonaws.com in its trust policy, but does not allow it"
            " sts:AssumeRole. Allow sts:AssumeRole there.",
            id="another action",
        ),
        pytest.param(
            [allow(), DENY],
            f"Role BackupRole of {WHOSE} denies backup.amazonaws.com sts:AssumeRole in its trust policy. Remove that"
            " Deny or exempt AWS Backup from it.",
            id="an explicit Deny",
        ),
        pytest.param(
            [allow({"StringEquals": {"aws:SourceAccount": CENTRAL}})],
            f"Role BackupRole of {WHOSE} trusts backup.amazonaws.com only where aws:SourceAccount ="
            f' "{CENTRAL}": its condition excludes this account. Correct or remove that condition.',
            id="a condition on another account",
        ),
        pytest.param(
            [allow({"StringEquals": {"sts:ExternalId": "secret"}})],
            f'Role BackupRole of {WHOSE} trusts backup.amazonaws.com only where sts:ExternalId = "secret": its'
            " condition never holds, as AWS Backup sends no such key. Correct or remove that condition.",
            id="an external id",
        ),
    ],
)
def test_a_trust_policy_that_keeps_aws_backup_out(
    door: Door, statements: list[dict[str, Any]], annotation: str
) -> None:
    door.role(trust={"Version": "2012-10-17", "Statement": statements})
    assert judged(door) == ("NON_COMPLIANT", annotation)


@pytest.mark.parametrize(
    ("statements", "noted"),
    [
        pytest.param([allow({"StringEquals": {"aws:SourceAccount": ACCOUNT}})], "", id="a condition on this account"),
        pytest.param([allow(), allow({"StringEquals": {"aws:SourceAccount": CENTRAL}})], "", id="one of two allows"),
        pytest.param([allow(Principal={"Service": ["ec2.amazonaws.com", "backup.amazonaws.com"]})], "", id="a list"),
        pytest.param([allow(Action="sts:*")], "", id="a wildcard"),
        pytest.param(
            [allow(), allow({"StringEquals": {"aws:SourceAccount": CENTRAL}}, Effect="Deny")],
            "",
            id="a Deny about another account",
        ),
        pytest.param(
            [allow({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})],
            "The trust policy of role BackupRole has a condition that cannot be judged: aws:SourceIp IpAddress"
            ' "203.0.113.0/24".',
            id="a condition that nobody can judge",
        ),
    ],
)
def test_a_trust_policy_that_lets_aws_backup_in(door: Door, statements: list[dict[str, Any]], noted: str) -> None:
    door.role(trust={"Version": "2012-10-17", "Statement": statements})
    assert judged(door) == ("COMPLIANT", noted)


@pytest.mark.parametrize("principal", ["backup.amazonaws.com", "backup.amazonaws.com.cn"])
def test_the_partitions_own_service_principal_counts(door: Door, principal: str) -> None:
    china = door.at(region="cn-north-1")
    arn = china.role(trust={"Version": "2012-10-17", "Statement": [allow(Principal={"Service": principal})]})
    assert arn.startswith("arn:aws-cn:")
    assert judged(china, arn) == ("COMPLIANT", "")


def test_the_principal_of_another_partition_does_not(door: Door) -> None:
    trust = {"Version": "2012-10-17", "Statement": [allow(Principal={"Service": "backup.amazonaws.com.cn"})]}
    assert judged(door, door.role(trust=trust))[0] == "NON_COMPLIANT"


def test_a_role_of_the_commercial_partition_in_china(door: Door) -> None:
    china = door.at(region="cn-north-1")
    china.role()
    compliance, annotation = judged(china, ROLE)
    assert compliance == "NON_COMPLIANT"
    assert "a role of partition aws. AWS Backup can only use a role of this account, in partition aws-cn:" in annotation


@pytest.mark.parametrize("plan_id", ["orgs/5a8b", "aws/efs/73d9"])
def test_plans_that_aws_made_are_judged_as_any_other(door: Door, plan_id: str) -> None:
    plan = {"BackupPlanName": "made", "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "Default"}]}
    selection = {"SelectionName": "all", "IamRoleArn": ROLE, "Resources": ["*"]}
    (selection_id,) = add_plan(ACCOUNT, "eu-west-1", plan, plan_id=plan_id, selections=[selection])
    found = door.evaluate(RULE)
    assert {key: each.compliance for key, each in found.items()} == {
        (SELECTION, f"{selection_id}_{plan_id}"): "NON_COMPLIANT"
    }


def test_long_names_leave_room_for_what_is_wrong_and_what_to_do(door: Door) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{'p' * 200}/Gone"
    door.selection(door.plan("n" * 50), "s" * 50, IamRoleArn=arn)
    compliance, annotation = only(door.evaluate(RULE))
    assert compliance == "NON_COMPLIANT"
    assert len(annotation) <= 256
    assert "does not exist. Create it" in annotation


def test_long_names_leave_the_account_of_the_role_to_be_seen(door: Door) -> None:
    door.selection(door.plan("n" * 50), "s" * 50, IamRoleArn=f"arn:aws:iam::{CENTRAL}:role/{'r' * 64}")
    annotation = only(door.evaluate(RULE))[1]
    assert f", a role of account {CENTRAL}. AWS Backup can only use a role of its own account" in annotation


def test_a_role_is_read_once_for_all_its_selections_and_all_pages_are(door: Door) -> None:
    door.role()
    plans = [door.plan("one"), door.plan("two")]
    expected = {door.selection(plan, f"selection-{number}") for plan in plans for number in range(3)}
    with page_size(1), recorded_calls() as calls:
        found = door.evaluate(RULE)
    assert {resource_id for _, resource_id in found} == expected
    assert [call.operation for call in calls].count("GetRole") == 1


def test_a_mended_role_clears_the_verdict(door: Door) -> None:
    selection = door.selection(door.plan())
    assert door.evaluate(RULE)[SELECTION, selection].compliance == "NON_COMPLIANT"
    door.role()
    later = door.at(now=NOW + timedelta(hours=1))
    assert later.evaluate(RULE)[SELECTION, selection].compliance == "COMPLIANT"


def test_a_changed_plan_has_its_own_selections_judged(door: Door) -> None:
    plan = door.plan()
    expected = {(SELECTION, door.selection(plan, name)) for name in ("one", "two")}
    door.selection(door.plan("other"))
    answer = door.client("backup").get_backup_plan(BackupPlanId=plan)
    item = plan_item(answer, Recording(door.account, door.region, door.now))
    assert set(door.evaluate(RULE, item=item)) == expected


def test_excluded_plans_are_not_reported(door: Door) -> None:
    door.selection(door.plan("scratch"))
    kept = door.selection(door.plan("nightly"))
    assert set(door.evaluate(RULE, {"ExcludedPlans": "scratch"})) == {(SELECTION, kept)}


@pytest.mark.parametrize(
    ("service", "operation"),
    [("backup", "ListBackupPlans"), ("backup", "ListBackupSelections"), ("iam", "GetRole")],
)
def test_what_cannot_be_read_gets_no_verdict(door: Door, service: str, operation: str) -> None:
    door.role()
    door.selection(door.plan())
    with (
        failing(denied, service, operation) as struck,
        pytest.raises((ReadError, IncompleteEvaluationError), match=f"{service}:{operation}"),
    ):
        door.evaluate(RULE)
    assert struck.struck
    assert door.stored(RULE) == {}


@pytest.mark.parametrize("policy", ["{}", '{"Statement": [{"Effect": "Maybe"}]}'])
def test_a_trust_policy_that_cannot_be_read_gets_no_verdict(door: Door, policy: str) -> None:
    """IAM would not take such a policy; what it answers instead is not known to mean yes or no."""
    from moto.iam.models import iam_backends  # noqa: PLC0415 - behind the simulation's back

    door.role()
    door.selection(door.plan())
    (role,) = (each for each in iam_backends[ACCOUNT]["aws"].roles.values() if each.name == "BackupRole")
    role.assume_role_policy_document = json.dumps(json.loads(policy))
    with pytest.raises(IncompleteEvaluationError, match="iam:GetRole .* cannot be read: .*trust policy"):
        door.evaluate(RULE)
    assert door.stored(RULE) == {}

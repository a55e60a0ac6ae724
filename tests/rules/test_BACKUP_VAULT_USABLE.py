"""Plans, vaults and keys in the simulation; what the rule says of each plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aws_simulator.core.backup.plans import add_plan
from aws_simulator.core.backup.vaults import add_vault, set_vault_state
from aws_simulator.core.faults import denied, error, failing, malformed, recorded_calls, throttled
from aws_simulator.core.messages.configuration_items import Recording, plan_item
from aws_simulator.core.operations import page_size
from backup_rules.errors import IncompleteEvaluationError, ReadError
from tests.front_door import ACCOUNT, NOW, REGION, Door, front_door

RULE = "BACKUP_VAULT_USABLE"
PLAN = "AWS::Backup::BackupPlan"


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as opened:
        yield opened


def backup_rule(vault: str = "main", **body: Any) -> dict[str, Any]:
    return {"RuleName": "daily", "TargetBackupVaultName": vault, **body}


def keep(days: int) -> dict[str, Any]:
    return {"Lifecycle": {"DeleteAfterDays": days}}


def vault(door: Door, name: str = "main", **body: Any) -> None:
    door.client("backup").create_backup_vault(BackupVaultName=name, **body)


def key(door: Door) -> str:
    return str(door.client("kms").create_key()["KeyMetadata"]["Arn"])


def lock(door: Door, **limits: int) -> None:
    vault(door)
    door.client("backup").put_backup_vault_lock_configuration(BackupVaultName="main", **limits)


def deny(door: Door, action: str = "backup:StartBackupJob", principal: Any = "*") -> None:
    vault(door)
    statement = {"Sid": "NoBackups", "Effect": "Deny", "Principal": principal, "Action": action, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    door.client("backup").put_backup_vault_access_policy(BackupVaultName="main", Policy=policy)


def disabled_key(door: Door) -> None:
    arn = key(door)
    door.client("kms").disable_key(KeyId=arn.rpartition("/")[2])
    vault(door, EncryptionKeyArn=arn)


def dying_key(door: Door) -> None:
    arn = key(door)
    door.client("kms").schedule_key_deletion(KeyId=arn.rpartition("/")[2], PendingWindowInDays=7)
    vault(door, EncryptionKeyArn=arn)


def no_key(door: Door) -> None:
    vault(door, EncryptionKeyArn=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000")


def creating(door: Door) -> None:
    vault(door)
    set_vault_state(ACCOUNT, REGION, "main", "CREATING")


def say(door: Door, plan_id: str) -> tuple[str, str]:
    found = door.evaluate(RULE)[PLAN, plan_id]
    return found.compliance, found.annotation


PROBLEMS: list[tuple[str, Callable[[Door], None], dict[str, Any], str]] = [
    (
        "missing",
        lambda door: vault(door, "another"),
        backup_rule(),
        'Plan nightly: backup rule daily backs up to vault "main", which does not exist in eu-west-1. Create it there,'
        " or name a vault that exists.",
    ),
    (
        "missing default",
        lambda door: vault(door, "another"),
        backup_rule("Default"),
        'Plan nightly: backup rule daily backs up to vault "Default", which does not exist in eu-west-1. Open the AWS'
        " Backup console in that Region once, which creates it, or name another vault.",
    ),
    (
        "other case",
        lambda door: vault(door, "Main"),
        backup_rule("main"),
        'Plan nightly: backup rule daily backs up to vault "main", but the vault is called "Main": vault names are'
        " case-sensitive. Correct the name in the backup rule.",
    ),
    (
        "not available",
        creating,
        backup_rule(),
        'Plan nightly: backup rule daily backs up to vault "main", whose state is CREATING, not AVAILABLE. Wait until'
        " it is available.",
    ),
    (
        "key gone",
        no_key,
        backup_rule(),
        'Plan nightly: backup rule daily backs up to vault "main", whose KMS key 00000000-0000-0000-0000-000000000000'
        " no longer exists. Use a vault whose key exists.",
    ),
    (
        "kept too short",
        lambda door: lock(door, MinRetentionDays=7, MaxRetentionDays=30),
        backup_rule(**keep(3)),
        'Plan nightly: backup rule daily backs up to vault "main", and keeps backups for 3 days, but the vault\'s lock'
        " admits 7 to 30 days. Change the retention, or name another vault.",
    ),
    (
        "kept for ever",
        lambda door: lock(door, MaxRetentionDays=30),
        backup_rule(),
        'Plan nightly: backup rule daily backs up to vault "main", and keeps backups for ever, but the vault\'s lock'
        " admits at most 30 days. Change the retention, or name another vault.",
    ),
    (
        "denied by its policy",
        deny,
        backup_rule(),
        'Plan nightly: backup rule daily backs up to vault "main", whose access policy denies backup:StartBackupJob'
        " (NoBackups). Remove that Deny, or exempt the roles that AWS Backup uses.",
    ),
]


@pytest.mark.parametrize(("make", "rule", "annotation"), [each[1:] for each in PROBLEMS], ids=[p[0] for p in PROBLEMS])
def test_a_vault_that_cannot_be_used(
    door: Door, make: Callable[[Door], None], rule: dict[str, Any], annotation: str
) -> None:
    make(door)
    assert say(door, door.plan("nightly", rule)) == ("NON_COMPLIANT", annotation)


@pytest.mark.parametrize(
    ("make", "words"), [(disabled_key, "is disabled. Enable"), (dying_key, "is scheduled for deletion. Cancel")]
)
def test_a_key_that_cannot_be_used(door: Door, make: Callable[[Door], None], words: str) -> None:
    make(door)
    compliance, annotation = say(door, door.plan("nightly", backup_rule()))
    assert compliance == "NON_COMPLIANT"
    assert words in annotation


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        pytest.param(vault, backup_rule(), id="AWS managed key, no policy, no lock"),
        pytest.param(lambda door: vault(door, EncryptionKeyArn=key(door)), backup_rule(), id="customer managed key"),
        pytest.param(
            lambda door: lock(door, MinRetentionDays=7, MaxRetentionDays=30), backup_rule(**keep(7)), id="min"
        ),
        pytest.param(
            lambda door: lock(door, MinRetentionDays=7, MaxRetentionDays=30), backup_rule(**keep(30)), id="max"
        ),
        pytest.param(lambda door: deny(door, "backup:DeleteRecoveryPoint"), backup_rule(), id="denies something else"),
        pytest.param(
            lambda door: deny(door, principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/Intern"}),
            backup_rule(),
            id="denies somebody else",
        ),
    ],
)
def test_a_vault_that_can_be_used(door: Door, make: Callable[[Door], None], rule: dict[str, Any]) -> None:
    make(door)
    assert say(door, door.plan("nightly", rule)) == ("COMPLIANT", "")


def test_a_copy_to_this_region_needs_its_vault_and_one_elsewhere_is_not_looked_at(door: Door) -> None:
    vault(door)
    here, there = (f"arn:aws:backup:{region}:{ACCOUNT}:backup-vault:second" for region in (REGION, "eu-central-1"))
    copying = [backup_rule(CopyActions=[{"DestinationBackupVaultArn": arn}]) for arn in (here, there)]
    missing, unknown = (door.plan(name, rule) for name, rule in zip(("here", "there"), copying, strict=True))
    found = door.evaluate(RULE)
    assert found[PLAN, unknown].compliance == "COMPLIANT"
    assert found[PLAN, missing].annotation == (
        'Plan here: backup rule daily copies to vault "second", which does not exist in eu-west-1. Create it there, or'
        " name a vault that exists."
    )


def test_every_backup_rule_counts(door: Door) -> None:
    lock(door, MinRetentionDays=7)
    plan_id = door.plan("nightly", backup_rule(**keep(1)), backup_rule("gone", RuleName="weekly"))
    assert say(door, plan_id)[1].endswith("(+1 more)")


def test_the_plan_of_an_organization_is_the_matter_of_other_rules(door: Door) -> None:
    body = {"BackupPlanName": "central", "Rules": [backup_rule("gone")]}
    add_plan(ACCOUNT, REGION, body, plan_id="orgs/7d0e")
    with recorded_calls() as calls:
        assert (PLAN, "orgs/7d0e") not in door.evaluate(RULE)
    (put,) = [call.parameters for call in calls if call.operation == "PutEvaluations"]
    assert put["Evaluations"][0]["ComplianceType"] == "NOT_APPLICABLE"
    assert "BACKUP_POLICY_VAULT_EXISTS" in put["Evaluations"][0]["Annotation"]


def test_the_automatic_plan_of_efs_is_judged_with_its_vault(door: Door) -> None:
    body = {"BackupPlanName": "aws/efs/automatic", "Rules": [backup_rule("aws/efs/automatic-backup-vault")]}
    add_plan(ACCOUNT, REGION, body, plan_id="aws/efs/73d9")
    assert say(door, "aws/efs/73d9")[0] == "NON_COMPLIANT"
    add_vault(ACCOUNT, REGION, "aws/efs/automatic-backup-vault")
    assert say(door, "aws/efs/73d9") == ("COMPLIANT", "")


def test_all_pages_of_vaults_are_read(door: Door) -> None:
    names = ("first", "second", "third")
    for name in names:
        vault(door, name)
    plans = [door.plan(name, backup_rule(name)) for name in names]
    with page_size(1):
        assert {each.compliance for each in door.evaluate(RULE).values()} == {"COMPLIANT"}
        assert set(door.evaluate(RULE)) == {(PLAN, plan_id) for plan_id in plans}


def test_a_vault_and_a_key_are_read_once_and_only_when_used(door: Door) -> None:
    shared = key(door)
    for name in ("one", "two", "unused"):
        vault(door, name, EncryptionKeyArn=shared)
    for number in range(3):
        door.plan(f"plan{number}", backup_rule("one"), backup_rule("two", RuleName="weekly"))
    with recorded_calls() as calls:
        door.evaluate(RULE)
    operations = [call.operation for call in calls]
    assert operations.count("DescribeKey") == 1
    assert operations.count("GetBackupVaultAccessPolicy") == 2
    assert operations.count("ListBackupVaults") == 1
    assert operations.count("DescribeBackupVault") == 2


def test_a_changed_plan_is_judged_alone(door: Door) -> None:
    vault(door)
    changed, other = door.plan("changed", backup_rule("gone")), door.plan("other", backup_rule("gone"))
    answer = door.client("backup").get_backup_plan(BackupPlanId=changed)
    found = door.evaluate(RULE, item=plan_item(answer, Recording(ACCOUNT, REGION, NOW)))
    assert found[PLAN, changed].compliance == "NON_COMPLIANT"
    assert (PLAN, other) not in found


def test_excluded_plans_are_not_reported(door: Door) -> None:
    door.plan("test-1", backup_rule("gone"))
    kept = door.plan("prod", backup_rule("gone"))
    assert set(door.evaluate(RULE, {"ExcludedPlans": "test-*"})) == {(PLAN, kept)}


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("kms", "DescribeKey"),
        ("backup", "DescribeBackupVault"),
        ("backup", "GetBackupVaultAccessPolicy"),
        ("backup", "GetBackupPlan"),
    ],
)
@pytest.mark.parametrize("kind", [denied, malformed], ids=["denied", "malformed"])
def test_what_cannot_be_read_of_one_vault_or_plan_concerns_it_alone(
    door: Door, service: str, operation: str, kind: Any
) -> None:
    hidden = key(door)
    vault(door, "hidden", EncryptionKeyArn=hidden)
    vault(door, "open")
    unreadable, readable = door.plan("unreadable", backup_rule("hidden")), door.plan("readable", backup_rule("open"))
    theirs = {hidden, "hidden", unreadable}
    if kind is malformed and operation == "GetBackupVaultAccessPolicy":
        # This vault has no policy, and AWS says so by an error; so it gets one that cannot be read.
        spoilt = "Not a policy"
        kind = _answering_policy(spoilt)
    with (
        failing(kind, service, operation, when=lambda asked: bool(theirs & set(map(str, asked.values())))) as fault,
        pytest.raises(IncompleteEvaluationError, match=operation),
    ):
        door.evaluate(RULE)
    assert fault.struck
    assert set(door.stored(RULE)) == {(PLAN, readable)}


def _answering_policy(policy: str) -> Any:
    def answer(_response: Any, _call: Any, true_answer: Any) -> Any:
        status, headers, _ = true_answer()
        headers = {name: value for name, value in headers.items() if name != "X-Amzn-ErrorType"} | {"status": "200"}
        return 200 if status else status, headers, json.dumps({"BackupVaultName": "hidden", "Policy": policy})

    return answer


@pytest.mark.parametrize("operation", ["ListBackupVaults", "ListBackupPlans"])
@pytest.mark.parametrize("kind", [denied, throttled, malformed], ids=["denied", "throttled", "malformed"])
def test_a_listing_that_cannot_be_read_fails_the_run(
    door: Door, operation: str, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    vault(door)
    door.plan("nightly", backup_rule())
    with failing(kind, "backup", operation), pytest.raises(ReadError, match=operation):
        door.evaluate(RULE)
    assert door.stored(RULE) == {}


def test_an_unknown_state_of_a_key_is_not_taken_for_anything(door: Door) -> None:
    vault(door, EncryptionKeyArn=key(door))
    door.plan("nightly", backup_rule())
    unexpected = error("KMSInternalException", "unexpected", 400)
    with failing(unexpected, "kms", "DescribeKey"), pytest.raises(IncompleteEvaluationError, match="kms:DescribeKey"):
        door.evaluate(RULE)
    assert door.stored(RULE) == {}

"""Plans, vaults and keys in the simulation; what the rule says of each plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aws_simulator.core.backup.plans import add_plan
from aws_simulator.core.backup.vaults import add_vault, set_vault_state
from aws_simulator.core.config.service import start_recorder
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


COPY = f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-vault:copies"


@pytest.mark.parametrize(
    ("days", "lifecycle", "limits", "says"),
    [
        (35, None, (7, 365), None),
        (35, {"DeleteAfterDays": -1}, (7, 365), None),
        (7, None, (30, 365), "keeps backups for 7 days, but the vault's lock admits 30 to 365 days"),
        (7, {"DeleteAfterDays": -1}, (30, 365), "keeps backups for 7 days"),
        (7, {"DeleteAfterDays": 30}, (30, 365), None),
        (None, None, (7, 365), "keeps backups for ever"),
        (400, {"DeleteAfterDays": 30}, (7, 365), None),
    ],
)
def test_a_copy_without_a_retention_keeps_that_of_the_rule(
    door: Door, days: int | None, lifecycle: dict[str, int] | None, limits: tuple[int, int], says: str | None
) -> None:
    vault(door)
    vault(door, "copies")
    low, high = limits
    door.client("backup").put_backup_vault_lock_configuration(
        BackupVaultName="copies", MinRetentionDays=low, MaxRetentionDays=high
    )
    copy = {"DestinationBackupVaultArn": COPY, **({"Lifecycle": lifecycle} if lifecycle else {})}
    rule = backup_rule(CopyActions=[copy], **(keep(days) if days else {}))
    compliance, annotation = say(door, door.plan("nightly", rule))
    assert compliance == ("NON_COMPLIANT" if says else "COMPLIANT")
    assert (says or "") in annotation


@pytest.mark.parametrize(("minimum", "compliance"), [(35, "COMPLIANT"), (36, "NON_COMPLIANT")])
def test_a_continuous_backup_meets_a_minimum_of_exactly_35_days(door: Door, minimum: int, compliance: str) -> None:
    lock(door, MinRetentionDays=minimum)
    assert say(door, door.plan("nightly", backup_rule(EnableContinuousBackup=True)))[0] == compliance


def air_gapped(door: Door, name: str = "sealed", **body: Any) -> str:
    made = door.client("backup").create_logically_air_gapped_backup_vault(
        BackupVaultName=name, MinRetentionDays=7, MaxRetentionDays=365, **body
    )
    return str(made["BackupVaultArn"])


def test_vaults_of_the_wrong_kind(door: Door) -> None:
    vault(door)
    arn = air_gapped(door)
    standard = arn.replace(":sealed", ":main")
    good = backup_rule(TargetLogicallyAirGappedBackupVaultArn=arn, **keep(30))
    assert say(door, door.plan("good", good)) == ("COMPLIANT", "")
    target = say(door, door.plan("target", backup_rule("sealed", **keep(30))))
    assert target == (
        "NON_COMPLIANT",
        'Plan target: backup rule daily backs up to vault "sealed", which is a logically air-gapped vault. Name a'
        " standard vault, and the air-gapped one beside it.",
    )
    other = backup_rule(TargetLogicallyAirGappedBackupVaultArn=standard, **keep(30))
    assert say(door, door.plan("other", other)) == (
        "NON_COMPLIANT",
        'Plan other: backup rule daily backs up to air-gapped vault "main", which is a standard vault. Name a logically'
        " air-gapped vault there.",
    )


def test_a_key_of_another_account_that_may_not_be_described_is_mentioned(door: Door) -> None:
    foreign = f"arn:aws:kms:{REGION}:999988887777:key/00000000-0000-0000-0000-000000000000"
    vault(door)
    arn = air_gapped(door, EncryptionKeyArn=foreign)
    plan = door.plan("nightly", backup_rule(TargetLogicallyAirGappedBackupVaultArn=arn, **keep(30)))
    with failing(denied, "kms", "DescribeKey", when=lambda it: it["KeyId"] == foreign):
        compliance, annotation = say(door, plan)
    assert compliance == "COMPLIANT"
    assert annotation.startswith('The KMS key of vault "sealed" is of another account')


def bucket(door: Door, name: str, *, tagged: bool = True) -> None:
    s3 = door.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    if tagged:
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "backup", "Value": "true"}]})


PITR = {"RuleName": "pitr", "EnableContinuousBackup": True, **keep(35)}


@pytest.mark.parametrize("plans", ["one", "two"])
@pytest.mark.parametrize(("other", "compliance"), [("main", "COMPLIANT"), ("archive", "NON_COMPLIANT")])
def test_continuous_and_periodic_backups_of_a_bucket_share_one_vault(
    door: Door, plans: str, other: str, compliance: str
) -> None:
    vault(door)
    vault(door, "archive")
    bucket(door, "invoices")
    rules = [{**PITR, "TargetBackupVaultName": "main"}, backup_rule(other)]
    ids = (
        [door.plan("both", *rules)] if plans == "one" else [door.plan("first", rules[0]), door.plan("second", rules[1])]
    )
    for each in ids:
        door.selection(each)
    found = door.evaluate(RULE)
    assert {each.compliance for each in found.values()} == {compliance}
    if compliance == "NON_COMPLIANT":
        first, second = ("both", "both") if plans == "one" else ("first", "second")
        assert {each.annotation for each in found.values()} == {
            f'Backup rule pitr of plan {first} backs up bucket invoices continuously to vault "main", daily of plan'
            f' {second} periodically to "archive". Name one vault: a bucket\'s backups share it.'
        }


def test_different_buckets_may_have_different_vaults(door: Door) -> None:
    vault(door)
    vault(door, "archive")
    bucket(door, "invoices", tagged=False)
    bucket(door, "letters", tagged=False)
    start_recorder(door.session, door.region)
    first = door.plan("first", {**PITR, "TargetBackupVaultName": "main"})
    door.selection(first, Resources=["arn:aws:s3:::invoices"])
    door.selection(door.plan("second", backup_rule("archive")), Resources=["arn:aws:s3:::letters"])
    assert {each.compliance for each in door.evaluate(RULE).values()} == {"COMPLIANT"}


def test_recorded_buckets_and_all_of_s3(door: Door) -> None:
    vault(door)
    vault(door, "archive")
    first = door.plan("first", {**PITR, "TargetBackupVaultName": "main"})
    second = door.plan("second", backup_rule("archive"))
    door.selection(first, Resources=["arn:aws:s3:::*"])
    door.selection(second, Resources=["*"])
    assert all("backs up all S3 buckets continuously" in each.annotation for each in door.evaluate(RULE).values())
    bucket(door, "invoices", tagged=False)
    start_recorder(door.session, door.region)
    assert all(each.compliance == "NON_COMPLIANT" for each in door.evaluate(RULE).values())


def test_a_changed_plan_is_compared_with_no_other(door: Door) -> None:
    vault(door)
    vault(door, "archive")
    bucket(door, "invoices")
    first = door.plan("first", {**PITR, "TargetBackupVaultName": "main"})
    second = door.plan("second", backup_rule("archive"))
    door.selection(first)
    door.selection(second)
    item = plan_item(door.client("backup").get_backup_plan(BackupPlanId=first), Recording(ACCOUNT, REGION, NOW))
    assert door.evaluate(RULE, item=item)[PLAN, first].compliance == "COMPLIANT"


def test_nothing_of_buckets_is_read_where_no_rules_could_clash(door: Door) -> None:
    vault(door)
    door.selection(door.plan("nightly", backup_rule()))
    with recorded_calls() as calls:
        door.evaluate(RULE)
    assert not {call.operation for call in calls} & {"GetResources", "GetBackupSelection", "SelectResourceConfig"}


@pytest.mark.parametrize(("field", "word"), [("VaultState", "MELTED"), ("VaultType", "GOLDEN_VAULT")])
def test_a_vault_of_a_kind_or_state_that_nobody_knows_is_no_compliance(door: Door, field: str, word: str) -> None:
    vault(door)
    vault(door, "odd")
    fine = door.plan("fine", backup_rule())
    door.plan("strange", backup_rule("odd"))

    def renamed(_response: Any, _call: Any, right: Any) -> Any:
        status, headers, body = right()
        return status, headers, json.dumps(json.loads(body) | {field: word})

    with (
        failing(renamed, "backup", "DescribeBackupVault", when=lambda it: it["BackupVaultName"] == "odd"),
        pytest.raises(IncompleteEvaluationError, match=f"{field} is '{word}'"),
    ):
        door.evaluate(RULE)
    assert {key[1]: each.compliance for key, each in door.stored(RULE).items()} == {fine: "COMPLIANT"}

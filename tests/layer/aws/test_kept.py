"""What cannot change is read once, kept in a bucket, and never trusted for what it is not of."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from aws_simulator.core.faults import denied, failing, recorded_calls
from aws_simulator.core.messages.configuration_items import Recording, selection_item
from backup_rules.aws.clients import AccountClientFactory
from backup_rules.errors import IncompleteEvaluationError
from tests.front_door import Door, front_door

BUCKET = "kept-reads"
KEY = "111122223333/eu-west-1.json.gz"
RULE, OTHER_RULE, OF_PLANS = "BACKUP_SELECTION_NOT_EMPTY", "BACKUP_TAG_CASE", "BACKUP_WINDOW_CONFIGURED"
FOREIGN = "999988887777"


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setenv("KEPT_READS_BUCKET", BUCKET)
    with front_door() as it:
        it.role("BackupConfigRulesMemberRole")
        it.role()
        place = {"LocationConstraint": "eu-west-1"}
        boto3.client("s3", "eu-west-1").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        yield it


def own_s3() -> Any:
    """S3 as the function's own role has it."""
    return boto3.client("s3", "eu-west-1")


def kept() -> Any:
    """What the object holds."""
    return json.loads(gzip.decompress(own_s3().get_object(Bucket=BUCKET, Key=KEY)["Body"].read()))


def keep(document: Any) -> None:
    body = document if isinstance(document, bytes) else gzip.compress(json.dumps(document).encode())
    own_s3().put_object(Bucket=BUCKET, Key=KEY, Body=body)


def asked(door: Door, rule: str, operation: str) -> int:
    """How often a run of the rule asks AWS Backup that."""
    with recorded_calls() as calls:
        door.evaluate(rule)
    return sum(call.operation == operation for call in calls)


def planted(door: Door, selections: int = 3) -> tuple[str, list[str]]:
    plan = door.plan()
    return plan, [door.selection(plan, f"selection-{each}") for each in range(selections)]


def warnings(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line["why"] for line in lines if line["level"] == "WARNING"]


def test_a_selection_is_read_once_by_all_rules_and_on_all_days(door: Door) -> None:
    planted(door)
    assert asked(door, RULE, "GetBackupSelection") == 3
    first = door.stored(RULE)
    for rule in (OTHER_RULE, RULE, "BACKUP_SERVICE_OPT_IN"):
        assert asked(door, rule, "GetBackupSelection") == 0
    assert door.stored(RULE) == first


def test_a_plans_version_is_read_once(door: Door) -> None:
    plan, _ = planted(door)
    door.plan("weekly")
    assert asked(door, OF_PLANS, "GetBackupPlan") == 2
    assert asked(door, OF_PLANS, "GetBackupPlan") == 0
    late = {"RuleName": "daily", "TargetBackupVaultName": "Default", "StartWindowMinutes": 60}
    door.client("backup").update_backup_plan(BackupPlanId=plan, BackupPlan={"BackupPlanName": "n", "Rules": [late]})
    assert asked(door, OF_PLANS, "GetBackupPlan") == 1
    assert asked(door, "BACKUP_PLAN_RAN_ON_SCHEDULE", "GetBackupPlan") == 0


def test_verdicts_are_the_same_from_what_is_kept(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, _ = planted(door)
    door.selection(
        plan, "tags", ListOfTags=[{"ConditionType": "STRINGEQUALS", "ConditionKey": "a", "ConditionValue": "b"}]
    )
    found = {}
    for rule in (RULE, OF_PLANS, "BACKUP_VAULT_USABLE", "BACKUP_ROLE_PERMISSIONS", "BACKUP_PLAN_RAN_ON_SCHEDULE"):
        door.evaluate(rule)
        found[rule] = door.evaluate(rule)
    monkeypatch.delenv("KEPT_READS_BUCKET")
    for rule, verdicts in found.items():
        assert door.evaluate(rule) == verdicts
    assert sum(map(len, found.values())) == 11


def test_only_what_is_new_is_read(door: Door) -> None:
    plan, _ = planted(door)
    door.evaluate(RULE)
    door.selection(plan, "new")
    assert asked(door, RULE, "GetBackupSelection") == 1
    assert len(door.stored(RULE)) == 5


def test_what_is_gone_is_neither_judged_nor_kept_longer_than_the_next_write(door: Door) -> None:
    plan, (gone, *_) = planted(door)
    door.evaluate(RULE)
    door.evaluate(OF_PLANS)
    door.client("backup").delete_backup_selection(BackupPlanId=plan, SelectionId=gone.partition("_")[0])
    door.client("backup").update_backup_plan(
        BackupPlanId=plan,
        BackupPlan={"BackupPlanName": "n", "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "Default"}]},
    )
    door.selection(plan, "new")
    later = door.at(now=door.now + timedelta(days=1))
    assert gone not in {each for _, each in later.evaluate(RULE)}
    later.evaluate(OF_PLANS)
    document = kept()
    assert len(document["selections"][plan]) == 3
    assert gone.partition("_")[0] not in document["selections"][plan]
    assert len(document["plans"][plan]) == 1


def test_a_run_that_fails_keeps_what_it_has_read(door: Door) -> None:
    _, (unreadable, *_) = planted(door)
    its_id = unreadable.partition("_")[0]
    with (
        failing(denied, "backup", "GetBackupSelection", when=lambda given: given["SelectionId"] == its_id),
        pytest.raises(IncompleteEvaluationError, match="GetBackupSelection"),
    ):
        door.evaluate(RULE)
    assert asked(door, OTHER_RULE, "GetBackupSelection") == 1


def test_what_a_change_needs_is_not_worth_opening_the_object(door: Door) -> None:
    plan, (one, *_) = planted(door)
    answer = door.client("backup").get_backup_selection(BackupPlanId=plan, SelectionId=one.partition("_")[0])
    item = selection_item(answer, Recording(account=door.account, region=door.region, captured=door.now))
    door.evaluate(OTHER_RULE)
    with recorded_calls() as calls:
        door.evaluate(RULE, item=item)
    assert [call.operation for call in calls].count("GetBackupSelection") == 1


def spoilt(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A document of which a part is changed in place."""

    def changed(document: Any) -> Any:
        change(document)
        return document

    return changed


def of_selection(document: Any, **changes: Any) -> None:
    for of_plan in document["selections"].values():
        for answer in of_plan.values():
            answer["BackupSelection"] |= changes


def nested(_: Any) -> bytes:
    return gzip.compress(b"[" * 200_000)


TAMPERED: dict[str, Callable[[Any], Any]] = {
    "another account": lambda it: it | {"account": FOREIGN},
    "another Region": lambda it: it | {"region": "us-east-1"},
    "another partition": lambda it: it | {"partition": "aws-cn"},
    "another format": lambda it: it | {"format": 2},
    "no account": lambda it: {"format": 1, "plans": it["plans"], "selections": it["selections"]},
    "a list": lambda _: [],
    "no JSON": lambda _: gzip.compress(b"{"),
    "not compressed": lambda _: b"{}",
    "cut off": lambda it: gzip.compress(json.dumps(it).encode())[:-9],
    "empty": lambda _: b"",
    "a bomb": lambda _: gzip.compress(b" " * (65 * 2**20)),
    "nested too deeply": nested,
    "selections a list": lambda it: it | {"selections": []},
    "a plan's selections a text": lambda it: it | {"selections": {"plan": "text"}},
    "ids swapped": spoilt(
        lambda it: [of_plan.update(dict(zip(of_plan, reversed(list(of_plan.values())), strict=True)))
                    for of_plan in it["selections"].values()]
    ),
    "another role": spoilt(lambda it: of_selection(it, IamRoleArn=f"arn:aws:iam::{FOREIGN}:role/Evil")),
    "another name": spoilt(lambda it: of_selection(it, SelectionName="other")),
    "resources a text": spoilt(lambda it: of_selection(it, Resources="*")),
    "resources of numbers": spoilt(lambda it: of_selection(it, Resources=[1])),
    "no body": spoilt(
        lambda it: [answer.pop("BackupSelection") for plan in it["selections"].values() for answer in plan.values()]
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
def test_what_is_not_of_this_account_or_cannot_be_read_is_asked_of_aws_and_replaced(
    door: Door, capsys: pytest.CaptureFixture[str], change: Callable[[Any], Any]
) -> None:
    planted(door)
    verdicts = door.evaluate(RULE)
    right = kept()
    keep(change(json.loads(json.dumps(right))))
    capsys.readouterr()
    assert asked(door, RULE, "GetBackupSelection") == 3
    assert door.stored(RULE) == verdicts
    assert any("AWS Backup is asked" in why for why in warnings(capsys))
    assert kept() == right


def test_without_the_bucket_everything_is_read_and_the_log_says_why(
    door: Door, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEPT_READS_BUCKET", "nowhere")
    planted(door)
    for _ in range(2):
        assert asked(door, RULE, "GetBackupSelection") == 3
        (why,) = warnings(capsys)
        assert why.startswith(f"s3://nowhere/{KEY}: ")
        assert "NoSuchBucket" in why


class S3:
    """The function's S3 with something in the way."""

    def __init__(self, before: Callable[[str], None]) -> None:
        self._s3 = own_s3()
        self._before = before

    def __getattr__(self, name: str) -> Any:
        self._before(name)
        return getattr(self._s3, name)


def obstructed(monkeypatch: pytest.MonkeyPatch, before: Callable[[str], None]) -> None:
    client = S3(before)
    monkeypatch.setattr(AccountClientFactory, "own_client", lambda _self, _service: client)


@pytest.mark.parametrize("operation", ["get_object", "put_object"])
def test_where_the_bucket_is_denied_everything_is_read_and_the_log_says_why(
    door: Door, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    def deny(name: str) -> None:
        if name == operation:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, operation)

    planted(door)
    obstructed(monkeypatch, deny)
    for _ in range(2):
        assert asked(door, RULE, "GetBackupSelection") == 3
        (why,) = warnings(capsys)
        assert "AccessDenied" in why


def test_what_others_write_meanwhile_is_merged(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, _ = planted(door)
    door.evaluate(OF_PLANS)
    of_plans = own_s3().get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    own_s3().delete_object(Bucket=BUCKET, Key=KEY)
    writes: list[str] = []

    def other_rule_writes(name: str) -> None:
        if name == "put_object":
            writes.append(name)
            if len(writes) == 1:
                keep(of_plans)

    obstructed(monkeypatch, other_rule_writes)
    door.evaluate(RULE)
    assert len(writes) == 2
    assert len(kept()["selections"][plan]) == 3
    assert len(kept()["plans"][plan]) == 1


def test_an_object_in_use_is_written_again_before_the_bucket_deletes_it(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(door)
    door.evaluate(RULE)
    puts: list[str] = []
    obstructed(monkeypatch, puts.append)
    door.evaluate(RULE)
    assert "put_object" not in puts

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz or UTC) + timedelta(days=31)

    monkeypatch.setattr("backup_rules.aws.kept_in_bucket.datetime", Later)
    door.evaluate(RULE)
    assert "put_object" in puts


def test_it_is_off_unless_a_bucket_is_named(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEPT_READS_BUCKET")
    planted(door)
    for _ in range(2):
        assert asked(door, RULE, "GetBackupSelection") == 3
    assert own_s3().list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0

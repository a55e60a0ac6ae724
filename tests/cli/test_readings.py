"""`evaluate --save` and `--from`: what AWS answered, kept, and judged again without any access."""

from __future__ import annotations

import contextlib
import gzip
import json
import stat
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from aws_simulator.core.faults import denied, failing, recorded_calls, timeout
from aws_simulator.core.operations import page_size
from backup_rules.arns import Place
from backup_rules.aws.account import Account
from backup_rules.aws.calls import IAM_PREFIXES, Calls
from backup_rules.errors import ReadError
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.main import main
from backup_rules_cli.readings.reading import PlaceRead, answer_of, from_json, in_json
from backup_rules_cli.readings.recording import RecordingClients
from backup_rules_cli.readings.replay import ReplayClients
from tests.front_door import Door, front_door

REGION = ("--region", "eu-west-1")


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """An account with a plan whose selection has no role, and credentials for it."""
    with front_door() as door, pytest.MonkeyPatch.context() as patch:
        door.selection(door.plan("nightly"), "orders")
        credentials = door.session.get_credentials().get_frozen_credentials()
        patch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
        patch.setenv("AWS_SESSION_TOKEN", credentials.token)
        yield door


def evaluate(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    status = main(["evaluate", "--quiet", "--format", "json", *map(str, arguments)])
    return status, json.loads(capsys.readouterr().out)


@pytest.fixture
def demo(demo_reading: tuple[Path, dict[str, Any]]) -> tuple[Path, dict[str, Any]]:
    return demo_reading


def test_a_reading_is_judged_as_the_account_was(demo: tuple[Path, dict[str, Any]], capsys: Any) -> None:
    path, before = demo
    with recorded_calls() as calls:
        status, after = evaluate(capsys, "--from", path)
    assert (status, calls) == (1, [])
    assert after["source"].startswith("a simulated organization, as read on ")
    assert after | {"source": ""} == before | {"source": ""}
    assert {each["account_name"] for each in after["evaluations"]} >= {"management", "payments-production"}
    assert after["failures"] == []
    assert len(after["evaluations"]) > 800


def test_a_reading_is_narrowed_to_a_region_and_an_account_by_name(demo: tuple[Path, Any], capsys: Any) -> None:
    _, found = evaluate(capsys, "--from", demo[0], *REGION, "--accounts", "payments-production")
    assert {(each["account"], each["region"]) for each in found["evaluations"]} == {("123456789012", "eu-west-1")}


def test_the_time_is_that_of_the_reading(demo: tuple[Path, dict[str, Any]], capsys: Any) -> None:
    path, before = demo
    assert evaluate(capsys, "--from", path)[1]["evaluated_at"] == before["evaluated_at"]
    assert evaluate(capsys, "--from", path, "--rules", "BACKUP_PLAN_RAN_ON_SCHEDULE")[1]["failures"] == []


def test_only_its_owner_may_read_the_file(demo: tuple[Path, Any]) -> None:
    assert stat.S_IMODE(demo[0].stat().st_mode) == 0o600


def test_a_real_account(door: Door, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "reading.json"
    saved = evaluate(capsys, *REGION, "--save", path)
    with recorded_calls() as calls:
        read = evaluate(capsys, "--from", path)
    assert calls == []
    assert saved[0] == read[0] == 1
    assert saved[1]["evaluations"] == read[1]["evaluations"]
    assert json.loads(path.read_text(encoding="utf-8"))["places"][0]["account"] == door.account


@pytest.mark.parametrize("operation", ["ListBackupPlans", "GetRole", "ListBackupSelections"])
def test_what_the_reading_lacks_is_never_a_pass(door: Door, tmp_path: Path, capsys: Any, operation: str) -> None:
    path = tmp_path / "reading.json"
    rule = ("--rules", "BACKUP_ROLE_ASSUMABLE")
    evaluate(capsys, *REGION, *rule, "--save", path)
    document = json.loads(path.read_text(encoding="utf-8"))
    answers = document["places"][0]["answers"]
    document["places"][0]["answers"] = [each for each in answers if each["operation"] != operation]
    path.write_text(json.dumps(document), encoding="utf-8")
    status, found = evaluate(capsys, "--from", path, *rule)
    assert (status, found["evaluations"]) == (2, [])
    assert operation.lower() in found["failures"][0]["error"].lower()
    assert "is not in this reading" in found["failures"][0]["error"]


@pytest.mark.parametrize(("fault", "says"), [(denied, "AccessDenied"), (timeout, "Read timeout")])
def test_what_could_not_be_read_then_cannot_be_now(
    door: Door, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch, fault: Any, says: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    path = tmp_path / "reading.json"
    with failing(fault, "iam", "GetRole"):
        saved = evaluate(capsys, *REGION, "--rules", "BACKUP_ROLE_ASSUMABLE", "--save", path)
    read = evaluate(capsys, "--from", path, "--rules", "BACKUP_ROLE_ASSUMABLE")
    assert saved[0] == read[0] == 2
    assert says in saved[1]["failures"][0]["error"]
    assert saved[1]["failures"] == read[1]["failures"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is no reading: backup-rules evaluate --save writes one"),
        (b"{}", "is no reading"),
        (b"[1]", "is no reading"),
        (b"\x1f\x8bnonsense", "is no reading"),
        (gzip.compress(b'{"format": "a reading of backup-rules"}', mtime=0)[:-12], "is no reading"),
        (b"[" * 100_000, "is no reading"),
        (b'{"format": "a reading of backup-rules", "version": 2}', "is of version 2; this backup-rules knows 1"),
        (b'{"format": "a reading of backup-rules", "version": 1}', "is damaged (KeyError: 'read_at')"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, capsys: Any, content: bytes, says: str) -> None:
    path = tmp_path / "reading"
    path.write_bytes(content)
    assert main(["evaluate", "--from", str(path)]) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert (told.out, told.err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda it: it.update(read_at="2026-11-23T12:00:00"), "read_at has no time zone"),
        (lambda it: it["places"][0].update(answers=[{"service": "backup"}]), "KeyError: 'parameters'"),
        (lambda it: it["places"][0]["answers"][0].update(pages=[]), "an answer without a page"),
        (lambda it: it["places"][0]["answers"][0].update(pages=[{"$moment": 3}]), "3 is no text"),
        (lambda it: it.update(account_names=[]), "AttributeError"),
    ],
)
def test_a_damaged_file(
    demo: tuple[Path, Any], tmp_path: Path, capsys: Any, change: Callable[[Any], None], says: str
) -> None:
    document = json.loads(gzip.decompress(demo[0].read_bytes()))
    change(document)
    path = tmp_path / "reading.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert main(["evaluate", "--from", str(path)]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", "{path}", "--profile", "payments"), "needs no access: leave out --profile."),
        (("--from", "{path}", "--role", "Reader", "--accounts", "all"), "needs no access: leave out --role."),
        (("--from", "{path}", "--save", "other"), "leave one out."),
        (("--from", "{path}", "--region", "eu-west-2"), "There is no Region eu-west-2 here. Did you mean eu-west-1?"),
        (("--from", "{path}", "--accounts", "managment"), "no account managment here. Did you mean management?"),
        (("--from", "{path}.gone"), "cannot be read: No such file or directory."),
        (("--save", "/proc/nothing"), "--save /proc/nothing cannot be written: No such file or directory."),
    ],
)
def test_what_does_not_go_together(demo: tuple[Path, Any], capsys: Any, arguments: tuple[str, ...], says: str) -> None:
    assert main(["evaluate", *(each.format(path=demo[0]) for each in arguments)]) == 2
    assert says in capsys.readouterr().err


def test_the_defaults_of_a_folder_are_about_access_and_do_not_count(
    demo: tuple[Path, Any], tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults = 'profile = "management"\naccounts = "all"\nrole = "Reader"\nregion = "all"\n'
    (tmp_path / ".backup-rules.toml").write_text(f"[evaluate]\n{defaults}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    status, found = evaluate(capsys, "--from", demo[0])
    assert (status, len(found["evaluations"])) == (1, len(demo[1]["evaluations"]))
    assert {each["region"] for each in evaluate(capsys, "--from", demo[0], *REGION)[1]["evaluations"]} == {"eu-west-1"}


def test_a_parameter_that_asks_for_more_is_not_answered(demo: tuple[Path, Any], capsys: Any) -> None:
    """A longer look back needs jobs that were not read then."""
    rule = ("--rules", "BACKUP_PLAN_RAN_ON_SCHEDULE", "--parameter", "LookbackDays=20")
    status, found = evaluate(capsys, "--from", demo[0], *rule)
    assert (status, found["counts"].get("COMPLIANT")) == (2, None)
    assert all("is not in this reading, asked with" in each["error"] for each in found["failures"])


# --- What is kept ----------------------------------------------------------------------------------------------------


def operations() -> list[tuple[str, str]]:
    """Service and operation of all that the rules may call."""
    services = {prefix: service for service, prefix in IAM_PREFIXES.items()}
    actions = sorted(set().union(*(folder.permissions for folder in rule_folders())))
    return [(services.get(prefix, prefix), name) for prefix, _, name in (each.partition(":") for each in actions)]


def whole(shape: Any, inside: tuple[str, ...] = ()) -> Any:
    """An answer of that shape with every member that it may have."""
    if shape.name in inside:
        return None
    inside = (*inside, shape.name)
    if shape.type_name == "structure":
        return {name: whole(member, inside) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [whole(shape.member, inside)]
    return {"any": whole(shape.value, inside)} if shape.type_name == "map" else "value"


def names_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(names_of, value.values()))
    return set().union(*map(names_of, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize(("service", "operation"), operations())
def test_no_secret_is_kept(service: str, operation: str) -> None:
    model = botocore.session.Session().get_service_model(service).operation_model(operation)
    kept = names_of(answer_of(service, whole(model.output_shape) if model.output_shape else {}, 1))
    telling = {name for name in kept for word in ("password", "secret", "credential", "username", "email", "accesskey")
               if word in name.lower()}  # fmt: skip
    assert telling == set()


def test_a_member_of_a_trust_policy_is_kept_whatever_its_name() -> None:
    policy = {"Role": {"AssumeRolePolicyDocument": {"Condition": {"StringEquals": {"aws:username": "a"}}}}}
    assert answer_of("iam", policy, 1) == policy


def test_page_tokens_are_not_kept() -> None:
    assert answer_of("backup", {"NextToken": "AQICAHh…", "BackupPlansList": []}, 1)["NextToken"] == "page 2"


def recorded(door: Door, ask: Callable[[Account], object]) -> PlaceRead:
    kept = PlaceRead(door.place)
    clients = RecordingClients(door_clients(door), kept)
    with contextlib.suppress(ReadError):
        ask(Account(Calls(door.place, clients)))
    return kept


class door_clients:  # noqa: N801 - a stand-in for a function
    def __init__(self, door: Door) -> None:
        self.build_client = door.client


def plans(account: Account) -> tuple[str, ...]:
    return account.calls.items("backup", "ListBackupPlans", "BackupPlansList", lambda it: str(it["BackupPlanName"]))


def test_a_listing_that_broke_off_is_not_taken_for_a_short_one(door: Door) -> None:
    """The pages up to the failure come again, and then the failure."""
    for number in range(4):
        door.plan(f"weekly-{number}")
    with page_size(2), failing(denied, "backup", "ListBackupPlans", nth={2}):
        kept = recorded(door, plans)
    (answered,) = kept.answers.values()
    assert (len(answered.pages), answered.whole) == (1, False)
    with pytest.raises(ReadError, match="AccessDenied"):
        plans(Account(Calls(door.place, ReplayClients(kept))))
    answered.refusal = None  # as if the reading had been interrupted there
    with pytest.raises(ReadError, match="is not in this reading"):
        plans(Account(Calls(door.place, ReplayClients(kept))))


def test_an_error_of_the_sdk_keeps_its_name() -> None:
    place = Place("aws", "111122223333", "eu-west-1")

    class Broken:
        meta = botocore.session.Session().create_client("sts", region_name="eu-west-1").meta

        def get_caller_identity(self) -> None:
            raise ReadTimeoutError(endpoint_url="https://sts.example.com")

    class Clients:
        def build_client(self, _service: str) -> Broken:
            return Broken()

    kept = PlaceRead(place)
    codes = []
    for clients in (RecordingClients(Clients(), kept), ReplayClients(kept)):
        with pytest.raises(ReadError) as raised:
            Calls(place, clients).one("sts", "GetCallerIdentity", dict)
        codes.append((raised.value.code, str(raised.value)))
    assert codes[0] == codes[1]
    assert codes[0][0] == "ReadTimeoutError"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.datetimes(timezones=st.just(UTC)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["$moment", "$object", "$"]), inner),
    max_leaves=20,
)


@given(json_values)
def test_whatever_is_kept_comes_back(value: Any) -> None:
    assert from_json(json.loads(json.dumps(in_json(value)))) == value

"""Events that nobody sent, and names that nobody should have chosen."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_simulator.core.config.service import start_recorder
from aws_simulator.core.faults import failing, recorded_calls
from backup_rules.errors import (
    BackupRulesError,
    IncompleteEvaluationError,
    InvalidEventError,
    InvalidRuleParametersError,
    ReadError,
)
from backup_rules.evaluation.events import ConfigEvent, read_event
from backup_rules.logs import log
from backup_rules.wording.annotations import MAX_ANNOTATION, annotation, name, shorten, size
from backup_rules.wording.quoting import plain
from tests.front_door import Door, front_door

INVOKING = {"messageType": "ScheduledNotification", "notificationCreationTime": "2026-11-23T12:00:00.000Z"}
ITEM = {"resourceType": "AWS::Backup::BackupPlan", "resourceId": "plan-1", "configurationItemStatus": "OK"}
CHANGED = {**INVOKING, "messageType": "ConfigurationItemChangeNotification", "configurationItem": ITEM}
EVENT = {
    "accountId": "111122223333",
    "configRuleName": "rule",
    "resultToken": "token",
    "ruleParameters": "{}",
    "invokingEvent": json.dumps(INVOKING),
}
HOSTILE = "a\x1b]52;c;x\x07\0\nb\u202ec\u2028\ud800"
CONFIGS_OWN = "aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        yield it


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"invokingEvent": DEEP}, "invokingEvent is no JSON: it is nested too deeply", id="deep"),
        pytest.param(
            {"ruleParameters": DEEP}, "ruleParameters is no JSON: it is nested too deeply", id="deep parameters"
        ),
        pytest.param({"ruleParameters": "{"}, "ruleParameters is no JSON", id="broken parameters"),
        pytest.param({"ruleParameters": "[1]"}, r"ruleParameters is \[1\]", id="parameters are a list"),
        pytest.param(
            {"invokingEvent": {**INVOKING, "messageType": ["x"]}}, r"messageType is \['x'\]", id="list as type"
        ),
        pytest.param({"invokingEvent": {**INVOKING, "messageType": {}}}, "messageType is {}", id="object as type"),
        pytest.param(
            {"invokingEvent": {**CHANGED, "configurationItem": {**ITEM, "configurationItemStatus": ["OK"]}}},
            "configurationItemStatus is ",
            id="list as status",
        ),
        pytest.param(
            {"invokingEvent": {**CHANGED, "configurationItem": {**ITEM, "configurationItemCaptureTime": 5}}},
            "configurationItemCaptureTime is 5",
            id="number as capture time",
        ),
        *(
            pytest.param(
                {"invokingEvent": {**INVOKING, "notificationCreationTime": moment}},
                "notificationCreationTime is ",
                id=moment,
            )
            for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01", "noon")
        ),
        pytest.param({"invokingEvent": CHANGED, "eventLeftScope": [1]}, "eventLeftScope is ", id="list as left scope"),
        pytest.param({"accountId": "1" * 700_000}, "accountId is ", id="long account"),
    ],
)
def test_a_malformed_event_is_told_by_what_is_wrong(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidEventError, match=says) as raised:
        read_event(EVENT | changes)
    assert len(str(raised.value)) < 500


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize(
    "given_parameters",
    [
        pytest.param({"BufferMinutes": "9" * 700_000}, id="long value"),
        pytest.param({"BufferMinutes": nested(50_000)}, id="deep value"),
        pytest.param({"BufferMinutes": {"\ud800": HOSTILE * 100}}, id="hostile value"),
        pytest.param({"x" * 700_000: "60"}, id="long name"),
        pytest.param({HOSTILE: "60"}, id="hostile name"),
    ],
)
def test_a_parameter_is_refused_in_a_few_words(door: Door, given_parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidRuleParametersError) as raised:
        door.evaluate("BACKUP_RDS_WINDOW_CONFLICT", ruleParameters=given_parameters)
    assert len(str(raised.value)) < 600
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("parameter", ["RequiredResourceTypes", "IgnoredResourceTypes"])
def test_a_key_that_nobody_knows_is_refused_in_a_few_words(door: Door, parameter: str) -> None:
    with pytest.raises(InvalidRuleParametersError, match=f"{parameter} is 'xxx") as raised:
        door.evaluate("BACKUP_SERVICE_OPT_IN", ruleParameters={parameter: "x" * 700_000})
    assert len(str(raised.value)) < 600


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"configRuleName": "x" * 700_000}, id="rule"),
        pytest.param(
            {"invokingEvent": {**CHANGED, "configurationItem": {**ITEM, "resourceId": "x" * 700_000}}}, id="resource"
        ),
        pytest.param({"ruleParameters": {"ExecutionRoleName": "x/" * 350_000 + "x"}}, id="role"),
    ],
)
def test_an_error_is_bounded_whatever_the_event_names(door: Door, changes: dict[str, Any]) -> None:
    with pytest.raises((BackupRulesError, InvalidRuleParametersError)) as raised:
        door.evaluate("BACKUP_WINDOW_CONFIGURED", **changes)
    assert len(str(raised.value)) < 6_000


def test_a_row_that_is_nested_too_deeply_is_no_other_ones_matter(door: Door) -> None:
    """AWS Config gives rows as JSON texts."""
    door.selection(door.plan(), Resources=["arn:aws:s3:::*"])
    for bucket in ("deep", "fine"):
        door.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": door.region})
    start_recorder(door.session, door.region)

    def spoilt(_response: Any, call: Any, right: Any) -> Any:
        status, headers, body = right()
        found = json.loads(body)
        found["Results"] = [DEEP if "deep" in row else row for row in found["Results"]]
        return status, headers, json.dumps(found)

    with (
        failing(spoilt, "config", "SelectResourceConfig"),
        pytest.raises(IncompleteEvaluationError, match="config:SelectResourceConfig"),
    ):
        door.evaluate("BACKUP_RESOURCE_READY")
    assert ("AWS::S3::Bucket", "fine") in door.stored("BACKUP_RESOURCE_READY")


@pytest.mark.parametrize("given_parameters", [None, "", "null", {}, {"ExecutionRoleName": "path/to/BackupRulesMember"}])
def test_whatever_form_parameters_have_the_same_role_is_assumed(door: Door, given_parameters: Any) -> None:
    with recorded_calls() as calls:
        door.evaluate("BACKUP_WINDOW_CONFIGURED", ruleParameters=given_parameters)
    assumed = {call.parameters["RoleArn"] for call in calls if "RoleSessionName" in call.parameters}
    name = "path/to/BackupRulesMember" if given_parameters and given_parameters != "null" else CONFIGS_OWN
    assert f"arn:aws:iam::111122223333:role/{name}" in assumed


@pytest.mark.parametrize("given_parameters", [None, "", "null", "{}", {}])
def test_no_parameters_are_none(given_parameters: Any) -> None:
    assert read_event(EVENT | {"ruleParameters": given_parameters}).parameters == {}


@pytest.mark.parametrize(
    ("left", "gone"), [("false", False), ("true", True), (False, False), (True, True), (None, False)]
)
def test_false_as_a_text_is_false(left: Any, gone: bool) -> None:
    trigger = read_event(EVENT | {"invokingEvent": CHANGED, "eventLeftScope": left}).trigger
    assert trigger is not None
    assert trigger.gone is gone


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*EVENT, "eventLeftScope", "executionRoleArn"]), JSON), JSON)
def test_any_event_is_read_or_refused(changes: dict[str, Any], invoking: Any) -> None:
    for event in (EVENT | changes, EVENT | {"invokingEvent": json.dumps(invoking)}, invoking):
        with contextlib.suppress(InvalidEventError):
            assert isinstance(read_event(event), ConfigEvent)


def test_what_cannot_be_seen_of_a_name_is_escaped() -> None:
    shown = r"a\u001b]52;c;x\u0007\u0000\nb\u202ec\u2028\ud800"
    assert plain(HOSTILE) == shown
    assert name(HOSTILE, 100) == shown
    assert annotation([(f"Plan {HOSTILE} is broken.", "Mend it.")]) == f"Plan {shown} is broken. Mend it."
    assert str(ReadError(f"for {HOSTILE}", "X")) == f"for {shown}"
    assert plain("Überall ist es schön 🎉") == "Überall ist es schön 🎉"


def test_a_log_line_is_one_line_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    log("ERROR", "failed", error=HOSTILE, **{"odd 🎉": "🎉\U000e0001"})
    (line,) = capsys.readouterr().out.splitlines()
    assert line.isprintable()
    assert json.loads(line)["error"] == HOSTILE


@given(st.text(), st.integers(min_value=8, max_value=256))
def test_texts_are_counted_as_the_strictest_would(text: str, length: int) -> None:
    assert size(shorten(text, length)) <= length
    assert size(name(text, length)) <= length
    assert size(annotation([(text, text[:40])])) <= MAX_ANNOTATION
    assert annotation([(text, "")]).isprintable()


def test_a_plan_with_a_hostile_name_gets_a_printable_annotation(door: Door) -> None:
    """AWS Backup does not take such names; what reads its answers does not count on it."""
    plan = door.plan("🎉" * 25, {"RuleName": "🎉" * 25, "TargetBackupVaultName": "Default", "StartWindowMinutes": 5})
    found = door.evaluate("BACKUP_WINDOW_CONFIGURED")["AWS::Backup::BackupPlan", plan]
    assert found.compliance == "NON_COMPLIANT"
    assert size(found.annotation) <= MAX_ANNOTATION


def test_a_plan_without_backup_rules_is_none_that_aws_backup_takes(door: Door) -> None:
    plan = door.plan("broken", {"RuleName": "daily", "TargetBackupVaultName": "Default", "StartWindowMinutes": 30})
    before = door.evaluate("BACKUP_WINDOW_CONFIGURED")

    def spoilt(_response: Any, _call: Any, right: Any) -> Any:
        status, headers, body = right()
        found = json.loads(body)
        found["BackupPlan"]["Rules"] = []
        return status, headers, json.dumps(found)

    with (
        failing(spoilt, "backup", "GetBackupPlan"),
        pytest.raises(IncompleteEvaluationError, match="backup:GetBackupPlan .*Rules is empty"),
    ):
        door.evaluate("BACKUP_WINDOW_CONFIGURED")
    assert door.stored("BACKUP_WINDOW_CONFIGURED") == before
    assert before["AWS::Backup::BackupPlan", plan].compliance == "NON_COMPLIANT"

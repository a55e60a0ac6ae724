"""Events that nobody sent, and names that nobody should have chosen."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_rules.errors import InvalidEventError, ReadError
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


HOSTILE = "a\x1b]52;c;x\x07\0\nb\u202ec\u2028\ud800"


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

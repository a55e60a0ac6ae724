"""What is read of AWS Config's events, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backup_rules.compliance_changes import Rule, UnreadableEventError, newest, read_change
from tests.functions.deployed import ACCOUNT, OTHER, event

PATHS = (
    ("detail-type",),
    ("source",),
    ("account",),
    ("region",),
    ("time",),
    ("detail",),
    *(("detail", each) for each in ("awsAccountId", "configRuleName", "configRuleARN", "resourceType", "resourceId")),
    *(("detail", "newEvaluationResult", each) for each in ("complianceType", "resultRecordedTime", "annotation")),
    ("detail", "oldEvaluationResult"),
)
RULES = {
    "backup-tag-case": Rule("BACKUP_TAG_CASE", "Tags match", "MEDIUM", "Rename the tag."),
    "backup-case": Rule("BACKUP_CASE", "Shorter name", "LOW", "Nothing."),
}


@pytest.mark.parametrize(
    ("full_name", "name", "rule"),
    [
        ("backup-tag-case", "backup-tag-case", "BACKUP_TAG_CASE"),
        ("backup-tag-case-conformance-pack-n0q8yfwsp", "backup-tag-case", "BACKUP_TAG_CASE"),
        ("prod-backup-tag-case-conformance-pack-abc123xyz", "prod-backup-tag-case", "BACKUP_TAG_CASE"),
        ("backup-case-conformance-pack-abc123xyz", "backup-case", "BACKUP_CASE"),
    ],
)
def test_a_rule_is_known_in_any_pack(full_name: str, name: str, rule: str) -> None:
    change = read_change(event(full_name), RULES)
    assert (change.rule_name, change.rule.name, change.full_rule_name) == (name, rule, full_name)


@pytest.mark.parametrize(
    ("recorded", "read"),
    [
        ("2026-11-23T12:00:00.123Z", "2026-11-23T12:00:00.123Z"),
        ("2026-11-23T12:00:00Z", "2026-11-23T12:00:00.000Z"),
        ("2026-11-23T14:00:00.5+02:00", "2026-11-23T12:00:00.500Z"),
        ("", "2026-11-23T12:00:01.000Z"),
    ],
)
def test_times_are_utc_to_the_millisecond_and_else_the_events_own(recorded: str, read: str) -> None:
    assert read_change(event("backup-tag-case", recorded=recorded), RULES).recorded == read


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    made = event("backup-tag-case")
    change(made)
    return made


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "not of the form"),
        ("text", "not of the form"),
        (changed(lambda it: it.pop("detail")), "not of the form"),
        (changed(lambda it: it["detail"].pop("newEvaluationResult")), "not of the form"),
        (changed(lambda it: it.update(source="mine")), "'mine'"),
        (changed(lambda it: it.update({"detail-type": "Config Configuration Item Change"})), "Item Change"),
        (changed(lambda it: it.update(account=OTHER)), f"comes from account {OTHER}, but speaks of '{ACCOUNT}'"),
        (changed(lambda it: it["detail"].update(awsAccountId=OTHER)), f"comes from account {ACCOUNT}"),
        (changed(lambda it: it["detail"].update(configRuleARN="config-rule-1")), "comes from account"),
        (changed(lambda it: it["detail"]["newEvaluationResult"].update(resultRecordedTime="now")), "'now' is no time"),
        (event("account-suspended-backup-tag-case"), "no rule of this pack"),
        (event("Prod-backup-tag-case"), "no rule of this pack"),
        (event("backup-tag-case\n"), "no rule of this pack"),
        (event("backup-tag-case", region="eu-west-1\nx"), "is no Region"),
        (event("backup-tag-case", resource=("AWS::EC2::Volume/x", "vol-1")), "is no resource type"),
        (event("backup-tag-case", resource=("AWS::EC2::Volume", "\ud800")), "is no resource id"),
        (event("backup-tag-case", resource=("AWS::EC2::Volume", "x" * 769)), "is no resource id"),
        (event("backup-tag-case", "FINE"), "'FINE' is no compliance type"),
        (event("s3-bucket-versioning"), "s3-bucket-versioning is no rule of this pack"),
        (event("backup-tag-cases"), "no rule of this pack"),
    ],
)
def test_anything_else_is_refused(given: Any, says: str) -> None:
    with pytest.raises(UnreadableEventError, match=says):
        read_change(given, RULES)


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


def refusal(given: Any) -> str:
    """Why the event is refused; '' where it is read."""
    try:
        read_change(given, RULES)
    except UnreadableEventError as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize("path", PATHS, ids=".".join)
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("x" * 700_000, id="long"),
        pytest.param("\x1b]52;c;x\x07\u202e\n\ud800", id="hostile"),
        pytest.param("0001-01-01T00:00:00+23:59", id="year 1"),
        pytest.param(nested(50_000), id="deep"),
        pytest.param({}, id="object"),
        pytest.param(7, id="number"),
        pytest.param(None, id="null"),
    ],
)
def test_whatever_an_event_holds_it_is_read_or_refused_in_a_few_words(path: tuple[str, ...], value: Any) -> None:
    given = event("backup-tag-case")
    container = given
    for key in path[:-1]:
        container = container[key]
    container[path[-1]] = value
    said = refusal(given)
    assert len(said) < 1_000
    assert said.isprintable()


def test_the_newest_change_of_a_resource_stands_for_all() -> None:
    changes = {
        "late": read_change(event("backup-tag-case", "COMPLIANT", recorded="2026-11-23T12:00:00.002Z"), RULES),
        "early": read_change(event("backup-tag-case", recorded="2026-11-23T12:00:00.001Z"), RULES),
        "other": read_change(event("backup-tag-case", account=OTHER), RULES),
    }
    assert sorted(newest(changes).values()) == [["late", "early"], ["other"]]

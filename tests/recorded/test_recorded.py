"""That the tool for recorded answers sees what it is there to see. The answers themselves are not part of the tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.matrix import Outcome
from tests.faults.world import BAD, GOOD, TRUTH, World, world
from tests.recorded import expected
from tests.recorded.recorded import invocations, main, readings, violation
from tests.recorded.recording import Recorded, read_recording

RULE = "BACKUP_RDS_WINDOW_CONFLICT"
INSTANCES = ("rds", "DescribeDBInstances")
LOUD = "ReadError: rds:DescribeDBInstances in account 111122223333, eu-west-1 answered something that cannot be read."


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with world() as it:
        yield it


def database(**changes: Any) -> dict[str, Any]:
    return {
        "DBInstanceArn": "arn:aws:rds:us-east-1:999999999999:db:ledger",
        "DBInstanceIdentifier": "ledger",
        "DbiResourceId": "db-LEDGER",
        "Engine": "postgres",
        "BackupRetentionPeriod": 7,
        "PreferredBackupWindow": "05:30-06:00",
        "PreferredMaintenanceWindow": "sun:14:00-sun:14:30",
        **changes,
    }


def recorded(tmp_path: Path, *items: dict[str, Any]) -> list[Recorded]:
    content = {"rds.DescribeDBInstances": [{"from": "somewhere", "answer": {"DBInstances": list(items)}}]}
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(content), "utf-8")
    return read_recording(path)


def test_an_answer_becomes_one_of_the_world(tmp_path: Path) -> None:
    made = {"__class__": "datetime", "year": 2019, "month": 11, "day": 19, "hour": 11, "minute": 42, "second": 20}
    (found,) = recorded(tmp_path, database(InstanceCreateTime=made))
    assert found.operation == INSTANCES
    assert found.items[0]["DBInstanceArn"] == "arn:aws:rds:eu-west-1:111122223333:db:ledger"
    assert found.items[0]["InstanceCreateTime"].isoformat() == "2019-11-19T11:42:20+00:00"


def test_what_can_be_read_and_what_cannot_is_counted(tmp_path: Path, here: World) -> None:
    without = {key: value for key, value in database().items() if key != "Engine"}
    answers = recorded(tmp_path, database()) + recorded(tmp_path, database(), without)
    tally = readings(answers, here.door)
    assert tally.counts == {"read": 1, "read in part": 1}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="it meets"),
        pytest.param({"PreferredBackupWindow": "12:00-12:30"}, id="it keeps clear"),
        pytest.param({"PreferredBackupWindow": "string"}, id="it cannot be read"),
    ],
)
def test_a_rule_says_of_a_recorded_database_what_is_expected(
    tmp_path: Path, here: World, changes: dict[str, Any]
) -> None:
    tally = invocations(here, RULE, recorded(tmp_path, database(**changes)))
    assert tally.violations == []
    assert sum(tally.counts.values()) == 2  # in place of the clean answer, and beside it


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        pytest.param(Outcome(TRUTH[RULE] | {"db-LEDGER": BAD}, ""), "", id="right"),
        pytest.param(Outcome(TRUTH[RULE] | {"db-LEDGER": GOOD}, ""), "db-LEDGER is COMPLIANT", id="cleared"),
        pytest.param(Outcome(TRUTH[RULE], ""), "tells nothing of db-LEDGER", id="passed over"),
        pytest.param(Outcome(TRUTH[RULE] | {"orders-db": GOOD}, ""), "clears orders-db", id="another cleared"),
        pytest.param(Outcome({"db-LEDGER": BAD}, ""), "tells nothing of billing-db", id="another passed over"),
        pytest.param(Outcome({}, LOUD), "", id="loud"),
        pytest.param(Outcome({}, "ReadError: no"), "the error names too little", id="not loud enough"),
        pytest.param(Outcome({}, f"KeyError: {LOUD}"), "raises KeyError", id="crash"),
    ],
)
def test_what_is_called_a_violation(tmp_path: Path, outcome: Outcome, says: str) -> None:
    (answer,) = recorded(tmp_path, database())
    found = violation(RULE, answer, outcome, beside=True)
    assert found.startswith(says) if says else found == ""


@pytest.mark.parametrize(
    ("window", "meets"),
    [
        ("06:00-06:30", True),
        ("06:01-06:31", False),
        ("04:30-05:00", False),
        ("04:30-05:01", True),
        ("23:00-05:01", True),
        ("sun:05:30-sun:06:00", True),
    ],
)
def test_the_expectation_is_that_of_the_contract(window: str, meets: bool) -> None:
    item = database(PreferredBackupWindow="12:00-12:30", PreferredMaintenanceWindow=window)
    assert expected.databases("DescribeDBInstances", [item]) == {"db-LEDGER": meets}


@pytest.mark.parametrize(("start", "meets"), [("09:00", True), ("09:01", False), ("04:30", False), ("04:31", True)])
def test_the_expectation_of_file_systems_is_four_hours(start: str, meets: bool) -> None:
    settings = {"WeeklyMaintenanceStartTime": f"7:{start}"}
    assert expected.file_system_meets([{"FileSystemType": "WINDOWS", "WindowsConfiguration": settings}]) is meets
    assert not expected.file_system_meets([{"FileSystemType": "ONTAP", "OntapConfiguration": settings}])


def test_without_a_file_nothing_is_tried(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("RECORDED_ANSWERS", raising=False)
    assert main() == 2
    assert "RECORDED_ANSWERS names no file" in capsys.readouterr().err

"""`PUT_EVALUATIONS=changes`: a periodic run puts what AWS Config does not hold already, and everything in time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, timedelta
from itertools import pairwise
from typing import Any

import pytest

from aws_simulator.core import config
from aws_simulator.core.config import result_token
from aws_simulator.core.config.state import compliance_listeners
from aws_simulator.core.faults import denied, failing, malformed, recorded_calls
from aws_simulator.core.messages.configuration_items import Recording, selection_item
from backup_rules.errors import IncompleteEvaluationError, InvalidEventError
from tests.front_door import Door, front_door
from tests.layer.aws.test_reading import spoiling

RULE = "BACKUP_ROLE_ASSUMABLE"
SELECTION = "AWS::Backup::BackupSelection"
DAY = timedelta(days=1)
UNTRUSTING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture(params=["all", "changes"])
def put(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both settings: what holds in either is tested in either."""
    monkeypatch.setenv("PUT_EVALUATIONS", request.param)
    return str(request.param)


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUT_EVALUATIONS", "changes")


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        it.role("BackupConfigRulesMemberRole")
        it.role()
        yield it


def run(door: Door, days: float = 0, rule: str = RULE, **how: Any) -> list[dict[str, Any]]:
    """What a run puts so many days later."""
    with recorded_calls() as calls:
        door.at(now=door.now + DAY * days).evaluate(rule, **how)
    return evaluations_put(calls)


def evaluations_put(calls: Any) -> list[dict[str, Any]]:
    return [each for call in calls if call.operation == "PutEvaluations" for each in call.parameters["Evaluations"]]


def ids(evaluations: list[dict[str, Any]]) -> set[str]:
    return {each["ComplianceResourceId"] for each in evaluations}


def planted(door: Door, selections: int = 4) -> tuple[str, list[str]]:
    plan = door.plan()
    return plan, [door.selection(plan, f"selection-{each}") for each in range(selections)]


@pytest.mark.usefixtures("changes")
def test_a_run_puts_one_where_nothing_has_changed_and_everything_after_the_days(door: Door) -> None:
    _, selections = planted(door)
    puts = [ids(run(door, days)) for days in range(9)]
    assert puts[0] == set(selections)
    assert [len(each) for each in puts[1:7]] == [1] * 6
    # One by one, the one that was put the longest ago; what was not renewed so, on the seventh day.
    assert puts[1] | puts[2] | puts[3] | puts[4] == set(selections)
    for selection in selections:
        last = [day for day, each in enumerate(puts) if selection in each]
        assert all(later - earlier <= 7 for earlier, later in pairwise(last))


@pytest.mark.usefixtures("changes")
@pytest.mark.parametrize(("days", "everything"), [(2, 2), (7, 7), (30, 30)])
def test_the_days_are_a_setting(door: Door, monkeypatch: pytest.MonkeyPatch, days: int, everything: int) -> None:
    monkeypatch.setenv("REFRESH_DAYS", str(days))
    planted(door)
    run(door)
    assert len(run(door, everything - 0.1)) == 1
    assert len(run(door, everything - 0.01)) >= 3  # a run is not to the second a day after the last


@pytest.mark.usefixtures("changes")
def test_what_differs_in_compliance_or_in_annotation_is_put_at_once(door: Door) -> None:
    _, (first, *_) = planted(door)
    door.role("Other")
    plan = door.plan("other")
    other = door.selection(plan, "other", IamRoleArn=f"arn:aws:iam::{door.account}:role/Other")
    run(door)
    door.client("iam").update_assume_role_policy(RoleName="Other", PolicyDocument=json.dumps(UNTRUSTING))
    assert ids(run(door, 1)) == {other}
    before = door.stored(RULE)[SELECTION, other]
    door.client("iam").delete_role(RoleName="Other")
    assert ids(run(door, 2)) == {other}
    after = door.stored(RULE)[SELECTION, other]
    assert before.compliance == after.compliance == "NON_COMPLIANT"
    assert before.annotation != after.annotation
    assert door.stored(RULE)[SELECTION, first].compliance == "COMPLIANT"


@pytest.mark.usefixtures("changes")
def test_the_log_line_counts_what_is_not_put_and_all_problems(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    plan, _ = planted(door, 2)
    door.selection(plan, "bad", IamRoleArn=f"arn:aws:iam::{door.account}:role/Gone")
    for days, counted in enumerate([(3, 0), (1, 2)]):
        run(door, days)
        line = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (line["put"], line["unchanged"]) == counted
        assert (line["subjects"], line["problems"]) == (3, 1)


def test_what_is_stored_after_each_run_is_the_same_in_both_settings(door: Door, put: str) -> None:
    plan, (gone, *rest) = planted(door)
    run(door)
    door.client("backup").delete_backup_selection(BackupPlanId=plan, SelectionId=gone.partition("_")[0])
    new = door.selection(plan, "new", IamRoleArn=f"arn:aws:iam::{door.account}:role/Gone")
    sent = run(door, 1)
    assert {each["ComplianceResourceId"]: each["ComplianceType"] for each in sent}[gone] == "NOT_APPLICABLE"
    assert len(sent) == {"all": 5, "changes": 2}[put]
    stored = {resource_id: each.compliance for (_, resource_id), each in door.stored(RULE).items()}
    assert stored == dict.fromkeys(rest, "COMPLIANT") | {new: "NON_COMPLIANT"}
    assert gone not in ids(run(door, 2))


def test_every_evaluation_bears_the_time_of_its_event(door: Door, put: str) -> None:
    del put
    planted(door)
    for days in range(3):
        assert {each["OrderingTimestamp"].astimezone(UTC) for each in run(door, days)} == {door.now + DAY * days}


def test_a_change_event_puts_its_verdict_in_either_setting(door: Door, put: str) -> None:
    del put
    plan, (one, *_) = planted(door)
    run(door)
    answer = door.client("backup").get_backup_selection(BackupPlanId=plan, SelectionId=one.partition("_")[0])
    recording = Recording(account=door.account, region=door.region, captured=door.now + DAY)
    (sent,) = run(door, 1, item=selection_item(answer, recording))
    assert (sent["ComplianceResourceId"], sent["ComplianceType"]) == (one, "COMPLIANT")


def test_a_late_change_does_not_overrule_a_later_run(door: Door, put: str) -> None:
    """A change of day 1 that arrives after the run of day 2 is judged by what is there, whatever is held."""
    plan, (one, *_) = planted(door)
    run(door)
    run(door, 2)
    answer = door.client("backup").get_backup_selection(BackupPlanId=plan, SelectionId=one.partition("_")[0])
    recording = Recording(account=door.account, region=door.region, captured=door.now + DAY)
    before = door.stored(RULE)
    run(door, 2, item=selection_item(answer, recording))
    assert door.stored(RULE) == before, put


def test_a_change_of_compliance_is_told_once_in_either_setting(door: Door, put: str) -> None:
    """What AWS Config tells of changes, and the forwarder of findings with it, is the same."""
    del put
    door.role("Other")
    plan = door.plan()
    other = door.selection(plan, "other", IamRoleArn=f"arn:aws:iam::{door.account}:role/Other")
    door.selection(plan, "good")
    told: list[tuple[str, str]] = []

    def listen(_backend: Any, _rule: str, old: Any, new: Any) -> None:
        if new.evaluation["ComplianceResourceId"] == other:
            before = old.evaluation["ComplianceType"] if old else "none"
            told.append((before, new.evaluation["ComplianceType"]))

    compliance_listeners.append(listen)
    try:
        run(door)
        run(door, 1)
        door.client("iam").delete_role(RoleName="Other")
        for days in (2, 3, 9, 10):
            run(door, days)
    finally:
        compliance_listeners.remove(listen)
    assert told == [("none", "COMPLIANT"), ("COMPLIANT", "NON_COMPLIANT")]


@pytest.mark.usefixtures("changes")
@pytest.mark.parametrize("fault", [denied, malformed], ids=["denied", "malformed"])
def test_where_what_is_held_cannot_be_read_everything_is_put_and_the_run_fails(door: Door, fault: Any) -> None:
    _, selections = planted(door)
    run(door)
    with (
        failing(fault, "config", "GetComplianceDetailsByConfigRule"),
        recorded_calls() as calls,
        pytest.raises(IncompleteEvaluationError, match="GetComplianceDetailsByConfigRule"),
    ):
        door.at(now=door.now + DAY).evaluate(RULE)
    assert ids(evaluations_put(calls)) == set(selections)


@pytest.mark.usefixtures("changes")
def test_what_of_it_cannot_be_read_is_put(door: Door) -> None:
    _, (first, *_) = planted(door)

    def blank(found: Any) -> None:
        for each in found["EvaluationResults"]:
            if each["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"] == first:
                del each["ComplianceType"]

    run(door)
    with (
        failing(spoiling(blank), "config", "GetComplianceDetailsByConfigRule"),
        recorded_calls() as calls,
        pytest.raises(IncompleteEvaluationError, match="GetComplianceDetailsByConfigRule"),
    ):
        door.at(now=door.now + DAY).evaluate(RULE)
    assert ids(evaluations_put(calls)) == {first}


@pytest.mark.usefixtures("changes")
def test_what_config_refuses_is_put_again_by_the_next_run(door: Door) -> None:
    _, (refused, *_) = planted(door)
    config.reject_evaluations(door.account, door.region, [refused])
    with pytest.raises(IncompleteEvaluationError, match="refused 1 evaluations"):
        run(door)
    config.reject_evaluations(door.account, door.region, [])
    assert ids(run(door, 1)) == {refused}


@pytest.mark.usefixtures("changes")
def test_a_subject_that_cannot_be_judged_keeps_what_is_held(door: Door) -> None:
    plan, _ = planted(door, 2)
    door.role("Other")
    other = door.selection(plan, "other", IamRoleArn=f"arn:aws:iam::{door.account}:role/Other")
    run(door)
    with (
        failing(denied, "iam", "GetRole", when=lambda parameters: parameters["RoleName"] == "Other"),
        recorded_calls() as calls,
        pytest.raises(IncompleteEvaluationError, match="1 of 3 subjects"),
    ):
        door.at(now=door.now + DAY).evaluate(RULE)
    assert len(evaluations_put(calls)) == 1
    assert other not in ids(evaluations_put(calls))
    assert door.stored(RULE)[SELECTION, other].compliance == "COMPLIANT"


@pytest.mark.usefixtures("changes")
def test_what_is_not_applicable_is_held_too_where_config_holds_it(door: Door) -> None:
    """The simulator holds none, as AWS is not known to: then it is put each time."""
    assert [each["ComplianceType"] for each in run(door, 0, "BACKUP_POLICY_VALID")] == ["NOT_APPLICABLE"]
    again = run(door, 1, "BACKUP_POLICY_VALID")
    assert [each["ComplianceType"] for each in again] == ["NOT_APPLICABLE"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PUT_EVALUATIONS", "some", "PUT_EVALUATIONS is 'some'; allowed is all or changes"),
        ("REFRESH_DAYS", "0", "REFRESH_DAYS is '0'; allowed is a whole number from 1 to 30"),
        ("REFRESH_DAYS", "31", "from 1 to 30"),
        ("REFRESH_DAYS", "weekly", "from 1 to 30"),
        ("REFRESH_DAYS", "²", "from 1 to 30"),
    ],
)
def test_a_setting_that_is_not_allowed_is_refused_and_nothing_is_put(
    door: Door, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    planted(door)
    monkeypatch.setenv(name, value)
    with recorded_calls() as calls, pytest.raises(InvalidEventError, match=said):
        door.evaluate(RULE)
    assert evaluations_put(calls) == []


def test_tokens_of_a_dry_run_put_everything(door: Door, put: str) -> None:
    del put
    _, selections = planted(door)
    run(door)
    assert result_token(door.account, door.region, "backup-role-assumable") != "TESTMODE"
    assert ids(run(door, 1, resultToken="TESTMODE")) == set(selections)

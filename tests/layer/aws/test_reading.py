"""How AWS is read: in time, page by page, and with gaps where an item cannot be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_simulator.core.faults import Call, failing, recorded_calls
from aws_simulator.core.operations import AwsError, error_answer, page_size
from backup_rules.aws.account import Account
from backup_rules.aws.calls import Calls
from backup_rules.aws.memory import gaps_noticed, note_gap, remembered
from backup_rules.errors import IncompleteEvaluationError, OutOfTimeError, ReadError
from tests.front_door import Door, front_door

RULE = "BACKUP_WINDOW_CONFIGURED"


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as opened:
        yield opened


def spoiling(change: Callable[[Any], None]) -> Any:
    """A fault that changes a right answer."""

    def answer(_response: Any, _call: Call, right: Callable[[], Any]) -> Any:
        status, headers, body = right()
        found = json.loads(body)
        change(found)
        return status, headers, json.dumps(found)

    return answer


def account_of(door: Door, seconds_left: Callable[[], float] | None = None) -> Account:
    class Clients:
        def build_client(self, service: str) -> Any:
            return door.client(service)

    return Account(Calls(door.place, Clients(), seconds_left))


def listed_plans(account: Account) -> tuple[Any, ...]:
    return account.calls.items("backup", "ListBackupPlans", "BackupPlansList", lambda item: item["BackupPlanId"])


def test_the_time_left_is_looked_at_between_pages(door: Door) -> None:
    for number in range(4):
        door.plan(f"plan-{number}")
    left = iter([600.0, 600.0, 600.0, 3.0, 3.0, 3.0])
    account = account_of(door, lambda: next(left))
    with page_size(1), recorded_calls() as calls, pytest.raises(OutOfTimeError, match="before backup:ListBackupPlans"):
        listed_plans(account)
    assert len([call for call in calls if call.operation == "ListBackupPlans"]) < 4


def test_the_time_left_is_looked_at_before_each_try(door: Door) -> None:
    tries: list[str] = []

    def unavailable(response: Any, call: Call, _: Callable[[], Any]) -> Any:
        tries.append(call.operation)
        return error_answer(response, AwsError("InternalServerError", "Try again.", 500))

    account = account_of(door, lambda: 600.0 if len(tries) < 2 else 1.0)
    with failing(unavailable, "backup", "ListBackupPlans"), pytest.raises(ReadError, match="Out of time"):
        listed_plans(account)
    assert len(tries) == 2


def test_page_tokens_that_go_round_in_a_circle_end_the_listing(door: Door) -> None:
    tokens = ["A", "B"] * 50

    def turning(_response: Any, _call: Call, _right: Callable[[], Any]) -> Any:
        return 200, {}, json.dumps({"BackupPlansList": [], "NextToken": tokens.pop(0)})

    with failing(turning, "backup", "ListBackupPlans"), pytest.raises(ReadError, match="'A' came twice"):
        listed_plans(account_of(door))
    assert len(tokens) > 90


def test_three_failures_in_a_row_end_an_operation_and_two_do_not(door: Door) -> None:
    plans = [door.plan(f"plan-{number}") for number in range(6)]
    asked: list[str] = []

    def unavailable(response: Any, call: Call, right: Callable[[], Any]) -> Any:
        asked.append(call.parameters["BackupPlanId"])
        if call.parameters["BackupPlanId"] in plans[:2] + plans[3:]:
            return error_answer(response, AwsError("ServiceUnavailableException", "Later.", 400))
        return right()

    account = account_of(door)
    with failing(unavailable, "backup", "GetBackupPlan"):
        for plan in [*plans, "never-asked"]:
            with gaps_noticed() as gaps:
                account.each(
                    lambda it, each: it.calls.one("backup", "GetBackupPlan", lambda _: None, BackupPlanId=each), [plan]
                )
            assert bool(gaps) is (plan != plans[2])
    assert list(dict.fromkeys(asked)) == plans


def test_a_plan_that_is_listed_twice_is_one_plan(door: Door) -> None:
    plan = door.plan()
    door.selection(plan, IamRoleArn=door.role())

    def twice(found: Any) -> None:
        found["BackupPlansList"] = found["BackupPlansList"] * 2

    with failing(spoiling(twice), "backup", "ListBackupPlans"):
        for rule in ("BACKUP_WINDOW_CONFIGURED", "BACKUP_ROLE_PERMISSIONS", "BACKUP_SELECTION_NOT_EMPTY"):
            found = door.evaluate(rule)
            assert {each.partition("_")[2] or each for _, each in found} == {plan}


def test_a_plan_that_cannot_be_read_in_the_listing_fails_alone_and_nothing_is_cleared(door: Door) -> None:
    kept, hidden = door.plan("kept"), door.plan("hidden")
    door.evaluate(RULE)

    def nameless(found: Any) -> None:
        for each in found["BackupPlansList"]:
            if each["BackupPlanId"] == hidden:
                del each["BackupPlanName"]

    door.client("backup").update_backup_plan(
        BackupPlanId=kept,
        BackupPlan={
            "BackupPlanName": "kept",
            "Rules": [
                {"RuleName": "daily", "TargetBackupVaultName": "Default", "ScheduleExpression": "cron(0 25 * * ? *)"}
            ],
        },
    )
    later = door.at(now=door.now.replace(hour=23))
    with (
        failing(spoiling(nameless), "backup", "ListBackupPlans"),
        pytest.raises(IncompleteEvaluationError, match="backup:ListBackupPlans .*BackupPlanName"),
    ):
        later.evaluate(RULE)
    assert {each: found.compliance for (_, each), found in door.stored(RULE).items()} == {
        kept: "NON_COMPLIANT",
        hidden: "COMPLIANT",
    }


def test_one_refused_batch_holds_back_no_other(door: Door) -> None:
    plans = [door.plan(f"plan-{number}") for number in range(250)]

    def refused(response: Any, call: Call, right: Callable[[], Any]) -> Any:
        if any(each["ComplianceResourceId"] == plans[150] for each in call.parameters["Evaluations"]):
            return error_answer(response, AwsError("InvalidParameterValueException", "No.", 400))
        return right()

    with (
        failing(refused, "config", "PutEvaluations"),
        pytest.raises(IncompleteEvaluationError, match="100 evaluations were not put .*config:PutEvaluations"),
    ):
        door.evaluate(RULE)
    assert len(door.stored(RULE)) == 150


def test_an_answer_keeps_its_gaps_and_passes_them_on(door: Door) -> None:
    account = account_of(door)

    @remembered
    def listing(_: Account) -> int:
        note_gap(ReadError("one item", "MalformedAnswer"))
        return 1

    @remembered
    def made_of_it(it: Account) -> int:
        return listing(it) + 1

    for _ in range(2):
        with gaps_noticed() as gaps:
            assert made_of_it(account) == 2
        assert list(gaps) == ["one item"]
    with gaps_noticed() as gaps:
        pass
    assert not gaps


def test_a_failure_that_only_one_subject_has_does_not_end_the_operation(door: Door) -> None:
    with pytest.raises(ClientError):
        door.client("backup").get_backup_plan(BackupPlanId="none")
    account = account_of(door)
    for number in range(5):
        with pytest.raises(ReadError, match=f"none-{number}"):
            account.calls.one("backup", "GetBackupPlan", lambda it: it, BackupPlanId=f"none-{number}")

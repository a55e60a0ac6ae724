"""Plans in the simulation, and what the rule says of their schedules and windows. Now is 2026-11-23 12:00 UTC."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from aws_simulator.core.backup import add_plan
from aws_simulator.core.faults import denied, failing, malformed, recorded_calls, throttled
from aws_simulator.core.messages.configuration_items import Recording, plan_item
from aws_simulator.core.operations import clock, page_size
from backup_rules.errors import IncompleteEvaluationError, InvalidRuleParametersError, ReadError
from tests.front_door import ACCOUNT, NOW, REGION, Door, front_door

RULE = "BACKUP_WINDOW_CONFIGURED"
PLAN = "AWS::Backup::BackupPlan"


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as opened:
        yield opened


def backup_rule(name: str = "daily", schedule: str | None = None, **body: Any) -> dict[str, Any]:
    given = {} if schedule is None else {"ScheduleExpression": schedule}
    return {"RuleName": name, "TargetBackupVaultName": "Default", **given, **body}


def windows(start: int, complete: int = 10_080) -> dict[str, Any]:
    return {"StartWindowMinutes": start, "CompletionWindowMinutes": complete}


def keep(days: int) -> dict[str, Any]:
    return {"Lifecycle": {"DeleteAfterDays": days}}


def say(door: Door, *rules: dict[str, Any], **parameters: str) -> tuple[str, str]:
    plan_id = door.plan("nightly", *rules)
    found = door.evaluate(RULE, parameters)[PLAN, plan_id]
    return found.compliance, found.annotation


WHO = "Backup rule daily of plan nightly"


@pytest.mark.parametrize(
    ("rule", "annotation"),
    [
        pytest.param(
            backup_rule(schedule="rate(1 day)"),
            f'{WHO} has a schedule that AWS Backup cannot run: "rate(1 day)" is not accepted by AWS Backup. Allowed:'
            " cron expressions only. Correct it in the plan.",
            id="rate",
        ),
        pytest.param(
            backup_rule(schedule="cron(0 25 ? * * *)"),
            f'{WHO} has a schedule that AWS Backup cannot run: Hours field "25": 25 is not in 0-23. Allowed: 0-23 , - *'
            " /. Correct it in the plan.",
            id="hour 25",
        ),
        pytest.param(
            backup_rule(ScheduleExpressionTimezone="Europe/Atlantis"),
            f'{WHO} has a schedule that AWS Backup cannot run: time zone "Europe/Atlantis" is unknown. Allowed: an IANA'
            " name such as Europe/Berlin or Etc/UTC. Correct it in the plan.",
            id="unknown time zone",
        ),
        pytest.param(
            backup_rule(schedule="cron(0 5 1 1 ? 2025)"),
            f"{WHO} never runs: cron(0 5 1 1 ? 2025) (Etc/UTC) has no start after 2026-11-23. Correct the day,"
            " month or year of the schedule.",
            id="a year in the past",
        ),
        pytest.param(
            backup_rule(schedule="cron(0 5 30 2 ? *)"),
            f"{WHO} never runs: cron(0 5 30 2 ? *) (Etc/UTC) has no start after 2026-11-23. Correct the day,"
            " month or year of the schedule.",
            id="30 February",
        ),
        pytest.param(
            backup_rule(schedule="cron(0 12/12 ? * * *)"),
            f"{WHO}: Hours field 12/12 runs once a day, not twice, since AWS Backup counts hours to 23:59 only: write"
            " 0/12.",
            id="hour step",
        ),
        pytest.param(
            backup_rule(**windows(59)),
            f"{WHO} has a start window of 59 minutes, shorter than 60 (AWS Backup's minimum): a job that cannot start"
            " within it expires. Set the start window to 60 minutes or more.",
            id="short start window",
        ),
    ],
)
def test_what_keeps_a_backup_rule_from_running(door: Door, rule: dict[str, Any], annotation: str) -> None:
    assert say(door, rule) == ("NON_COMPLIANT", annotation)


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(backup_rule(), id="AWS's defaults"),
        pytest.param(backup_rule(schedule="cron(0 5 1 1 ? 2027)"), id="once, in the future"),
        pytest.param(backup_rule(schedule="cron(0 5 29 2 ? *)"), id="29 February, beyond the coming year"),
        pytest.param(backup_rule(schedule="cron(0 0/12 ? * * *)"), id="twice a day"),
        pytest.param(backup_rule(schedule="0 5 ? * MON-FRI *"), id="without cron( )"),
        pytest.param(backup_rule(**windows(60)), id="shortest start window"),
    ],
)
def test_a_schedule_that_runs_as_it_reads(door: Door, rule: dict[str, Any]) -> None:
    assert say(door, rule) == ("COMPLIANT", "")


def test_a_backup_rule_that_a_longer_kept_one_always_swallows(door: Door) -> None:
    swallowed = backup_rule("daily", "cron(0 5 ? * * *)", **windows(60), **keep(7))
    swallower = backup_rule("archive", "cron(0 1 ? * * *)", **windows(480), **keep(365))
    assert say(door, swallowed, swallower) == (
        "NON_COMPLIANT",
        "Backup rule daily of plan nightly never runs: AWS Backup runs only backup rule archive, which keeps its"
        " backups longer, as their start windows always overlap. Move one of the schedules, or shorten the start"
        " windows, until they are apart.",
    )


def test_long_names_leave_to_be_seen_what_swallows_a_backup_rule(door: Door) -> None:
    swallowed = backup_rule("d" * 50, "cron(0 5 ? * * *)", **windows(60), **keep(7))
    swallower = backup_rule("a" * 50, "cron(0 1 ? * * *)", **windows(480), **keep(365))
    plan = door.plan("p" * 50, swallowed, swallower)
    annotation = door.evaluate(RULE)[PLAN, plan].annotation
    assert "never runs: AWS Backup runs only backup rule aaa" in annotation
    assert " which keeps its backups longer, as their start windows always overlap. Move one" in annotation


def test_a_schedule_of_a_backup_policy_is_corrected_in_the_policy(door: Door) -> None:
    plan = {"BackupPlanName": "made", "Rules": [backup_rule(schedule="rate(1 day)")]}
    add_plan(ACCOUNT, REGION, plan, plan_id="orgs/5a8b")
    assert door.evaluate(RULE)[PLAN, "orgs/5a8b"].annotation.endswith(". Correct it in the backup policy.")


@pytest.mark.parametrize(
    ("schedule", "days", "start_window"),
    [
        pytest.param("cron(0 5 ? * SUN *)", 365, 480, id="now and then"),
        pytest.param("cron(0 1 ? * * *)", 7, 480, id="kept as long"),
        pytest.param("cron(0 1 ? * * *)", 365, 240, id="windows that only touch"),
    ],
)
def test_backup_rules_that_get_along(door: Door, schedule: str, days: int, start_window: int) -> None:
    daily = backup_rule("daily", "cron(0 5 ? * * *)", **windows(60), **keep(7))
    assert say(door, daily, backup_rule("other", schedule, **windows(start_window), **keep(days))) == ("COMPLIANT", "")


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ("cron(0 5 1 1 ? 2025)", " never runs: "),
        ("cron(0 12/12 ? * * *)", "Hours field 12/12 runs once a day, not twice"),
        ("rate(1 day)", "has a schedule that AWS Backup cannot run"),
        ("cron(0 12 ? * * *)", "outside the allowed window"),
    ],
)
def test_a_continuous_backup_rule_is_judged_as_any_other(door: Door, schedule: str, says: str) -> None:
    """Its jobs run by the schedule: types without point-in-time recovery fall back to snapshots, and copies follow."""
    continuous = backup_rule("pitr", schedule, EnableContinuousBackup=True, **windows(60))
    compliance, annotation = say(door, continuous, AllowedWindow="00:00-06:00")
    assert compliance == "NON_COMPLIANT"
    assert says in annotation


def test_a_continuous_rule_neither_swallows_nor_is_swallowed(door: Door) -> None:
    continuous = backup_rule("pitr", "cron(0 5 ? * * *)", EnableContinuousBackup=True, **windows(60), **keep(35))
    short = backup_rule("daily", "cron(0 5 ? * * *)", **windows(60), **keep(7))
    assert say(door, continuous, short) == ("COMPLIANT", "")


@pytest.mark.parametrize(
    ("hours", "compliance"),
    [("5/1", "COMPLIANT"), ("12/1", "COMPLIANT"), ("13/1", "NON_COMPLIANT"), ("0/1", "COMPLIANT")],
)
def test_a_step_of_one_hour_is_a_note_while_it_runs_twelve_times_a_day(door: Door, hours: str, compliance: str) -> None:
    found = say(door, backup_rule("hourly", f"cron(0 {hours} ? * * *)", **windows(60)))
    assert found[0] == compliance
    assert (f"Hours field {hours} runs" in found[1]) is (hours != "0/1")


def test_a_schedule_that_ran_until_its_year_was_over_never_runs_again(door: Door) -> None:
    with clock(NOW - timedelta(days=365)):
        ended = door.plan("ended", backup_rule(schedule="cron(0 5 ? * * 2025)", **windows(60)))
    assert " never runs again: " in door.evaluate(RULE)[PLAN, ended].annotation


def test_a_start_window_beyond_what_aws_takes_cannot_be_read(door: Door) -> None:
    fine, odd = door.plan("fine"), door.plan("odd")

    def endless(_response: Any, _call: Any, right: Any) -> Any:
        status, headers, body = right()
        found = json.loads(body)
        found["BackupPlan"]["Rules"][0]["StartWindowMinutes"] = 10**18
        return status, headers, json.dumps(found)

    with (
        failing(endless, "backup", "GetBackupPlan", when=lambda it: it["BackupPlanId"] == odd),
        pytest.raises(IncompleteEvaluationError, match="StartWindowMinutes is 1000000000000000000"),
    ):
        door.evaluate(RULE)
    assert set(door.stored(RULE)) == {(PLAN, fine)}


def test_several_problems_are_counted(door: Door) -> None:
    rules = backup_rule("bad", "rate(1 day)", **windows(30)), backup_rule("worse", "cron(0 5 30 2 ? *)")
    compliance, annotation = say(door, *rules)
    assert compliance == "NON_COMPLIANT"
    assert annotation.startswith("Backup rule bad of plan nightly has a schedule that AWS Backup cannot run")
    assert annotation.endswith("(+2 more)")


@pytest.mark.parametrize(
    ("parameters", "annotation"),
    [
        pytest.param(
            {"MinStartWindowMinutes": "121"},
            f"{WHO} has a start window of 120 minutes, shorter than 121 (MinStartWindowMinutes): a job that cannot"
            " start within it expires. Set the start window to 121 minutes or more.",
            id="min start",
        ),
        pytest.param(
            {"MaxStartWindowMinutes": "119"},
            f"{WHO} has a start window of 120 minutes, longer than 119 (MaxStartWindowMinutes). Set the start window to"
            " 119 minutes or less.",
            id="max start",
        ),
        pytest.param(
            {"MinCompletionWindowMinutes": "601"},
            f"{WHO} has a completion window of 600 minutes, shorter than 601 (MinCompletionWindowMinutes): a job that"
            " takes longer is cancelled. Set the completion window to 601 minutes or more.",
            id="min completion",
        ),
        pytest.param(
            {"AllowedWindow": "22:00-06:59"},
            f"{WHO} may start 2026-11-24 05:00 to 07:00 UTC, outside the allowed window 22:00-06:59 UTC. Move the"
            " schedule, or shorten the start window.",
            id="start window closes outside",
        ),
        pytest.param(
            {"AllowedWindow": "05:01-23:00"},
            f"{WHO} may start 2026-11-24 05:00 to 07:00 UTC, outside the allowed window 05:01-23:00 UTC. Move the"
            " schedule, or shorten the start window.",
            id="starts outside",
        ),
        pytest.param(
            {"AllowedWindow": "00:00-07:00", "AllowedWindowTimezone": "Europe/Berlin"},
            f"{WHO} may start 2026-11-24 05:00 to 07:00 UTC, outside the allowed window 00:00-07:00 Europe/Berlin. Move"
            " the schedule, or shorten the start window.",
            id="outside in its time zone",
        ),
        pytest.param(
            {"AllowedWindow": "22:00-08:30", "AllowedWindowTimezone": "Europe/Berlin"},
            f"{WHO} may start 2027-03-28 05:00 to 07:00 UTC, outside the allowed window 22:00-08:30 Europe/Berlin. Move"
            " the schedule, or shorten the start window.",
            id="outside from summer time on",
        ),
    ],
)
def test_parameters_that_are_not_met(door: Door, parameters: dict[str, str], annotation: str) -> None:
    assert say(door, backup_rule(**windows(120, 600)), **parameters) == ("NON_COMPLIANT", annotation)


@pytest.mark.parametrize(
    "parameters",
    [
        {"MinStartWindowMinutes": "120", "MaxStartWindowMinutes": "120", "MinCompletionWindowMinutes": "600"},
        {"AllowedWindow": "22:00-07:00"},
        {"AllowedWindow": "05:00-07:00"},
        {"AllowedWindow": "00:00-24:00", "AllowedWindowTimezone": "Asia/Kathmandu"},
        {"AllowedWindow": "22:00-09:00", "AllowedWindowTimezone": "Europe/Berlin"},
        {"MinStartWindowMinutes": "", "MaxStartWindowMinutes": "", "AllowedWindow": ""},
    ],
    ids=str,
)
def test_parameters_that_are_met(door: Door, parameters: dict[str, str]) -> None:
    assert say(door, backup_rule(**windows(120, 600)), **parameters) == ("COMPLIANT", "")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"MinStartWindowMinutes": "an hour"}, "MinStartWindowMinutes is 'an hour'; allowed is a whole number from 1"),
        ({"MinCompletionWindowMinutes": "0"}, "MinCompletionWindowMinutes is '0'; allowed is a whole number from 1"),
        ({"AllowedWindow": "10pm-6am"}, "AllowedWindow is '10pm-6am'; allowed is HH:MM-HH:MM"),
        ({"AllowedWindow": "06:00-06:00"}, "AllowedWindow is '06:00-06:00'; allowed is HH:MM-HH:MM"),
        ({"AllowedWindowTimezone": "CEST"}, "AllowedWindowTimezone is 'CEST'; allowed is an IANA time zone"),
        ({"AllowedWindowTimezone": ""}, "AllowedWindowTimezone is ''; allowed is an IANA time zone"),
        (
            {"MinStartWindowMinutes": "120", "MaxStartWindowMinutes": "60"},
            "MinStartWindowMinutes is 120; allowed is at most MaxStartWindowMinutes, 60",
        ),
        ({"MinStartWindow": "60"}, "Unknown parameter 'MinStartWindow'. Did you mean MinStartWindowMinutes?"),
    ],
    ids=str,
)
def test_parameters_that_are_refused(door: Door, parameters: dict[str, str], message: str) -> None:
    door.plan("nightly", backup_rule(schedule="rate(1 day)"))
    with pytest.raises(InvalidRuleParametersError) as raised:
        door.evaluate(RULE, parameters)
    assert message in str(raised.value)
    assert door.stored(RULE) == {}


def test_a_changed_plan_is_judged_alone_and_with_its_time_zone(door: Door) -> None:
    other = door.plan("other", backup_rule(schedule="rate(1 day)"))
    changed = door.plan("changed", backup_rule(ScheduleExpressionTimezone="Asia/Tokyo", **windows(60)))
    item = plan_item(door.client("backup").get_backup_plan(BackupPlanId=changed), Recording(ACCOUNT, REGION, NOW))
    found = door.evaluate(RULE, {"AllowedWindow": "20:00-21:00"}, item=item)
    assert found[PLAN, changed].compliance == "COMPLIANT"
    assert (PLAN, other) not in found


def test_excluded_plans_are_not_reported(door: Door) -> None:
    door.plan("test-1")
    kept = door.plan("prod")
    assert set(door.evaluate(RULE, {"ExcludedPlans": "test-*"})) == {(PLAN, kept)}


def test_all_pages_are_read_with_a_call_for_each_plan(door: Door) -> None:
    plans = {door.plan(f"plan{number}", backup_rule(schedule="rate(1 day)")) for number in range(3)}
    with page_size(1), recorded_calls() as calls:
        found = door.evaluate(RULE)
    assert {plan_id for _, plan_id in found} == plans
    assert [call.operation for call in calls].count("GetBackupPlan") == 3


@pytest.mark.parametrize("kind", [denied, throttled, malformed], ids=["denied", "throttled", "malformed"])
def test_a_listing_that_cannot_be_read_fails_the_run(door: Door, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    door.plan("nightly")
    with failing(kind, "backup", "ListBackupPlans"), pytest.raises(ReadError, match="ListBackupPlans"):
        door.evaluate(RULE)
    assert door.stored(RULE) == {}


@pytest.mark.parametrize("kind", [denied, malformed], ids=["denied", "malformed"])
def test_a_plan_that_cannot_be_read_is_left_as_it_was(door: Door, kind: Any) -> None:
    unreadable, readable = door.plan("unreadable"), door.plan("readable")
    with (
        failing(kind, "backup", "GetBackupPlan", when=lambda asked: asked["BackupPlanId"] == unreadable),
        pytest.raises(IncompleteEvaluationError, match="1 of 2 subjects"),
    ):
        door.evaluate(RULE)
    assert set(door.stored(RULE)) == {(PLAN, readable)}

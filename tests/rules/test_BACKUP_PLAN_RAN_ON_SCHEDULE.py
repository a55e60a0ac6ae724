"""Plans and jobs in the simulation, and what the rule says. Now is Monday 2026-11-23 12:00 UTC."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aws_simulator.core.backup.jobs import add_backup_job
from aws_simulator.core.backup.plans import add_plan
from aws_simulator.core.faults import denied, failing, malformed, recorded_calls, throttled
from aws_simulator.core.operations import clock, page_size
from backup_rules.errors import IncompleteEvaluationError, InvalidRuleParametersError, ReadError
from tests.front_door import ACCOUNT, NOW, REGION, Door, front_door

RULE = "BACKUP_PLAN_RAN_ON_SCHEDULE"
PLAN = "AWS::Backup::BackupPlan"
LONG_AGO = NOW - timedelta(days=60)
WHO = "Backup rule daily of plan nightly"
RUNS = tuple(datetime(2026, 11, day, 5, tzinfo=UTC) for day in (21, 22, 23))  # of DAILY, in the last three days


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as opened, clock(NOW):
        yield opened


def backup_rule(name: str = "daily", schedule: str = "cron(0 5 ? * * *)", **body: Any) -> dict[str, Any]:
    window = {"StartWindowMinutes": 60, "CompletionWindowMinutes": 600}
    return {"RuleName": name, "TargetBackupVaultName": "Default", "ScheduleExpression": schedule, **window, **body}


def plan(door: Door, *rules: dict[str, Any], name: str = "nightly", since: datetime = LONG_AGO) -> str:
    with clock(since):
        plan_id = door.plan(name, *(rules or (backup_rule(),)))
        door.selection(plan_id)
    return plan_id


def rule_id(door: Door, plan_id: str, name: str = "daily") -> str:
    rules = door.client("backup").get_backup_plan(BackupPlanId=plan_id)["BackupPlan"]["Rules"]
    return next(str(rule["RuleId"]) for rule in rules if rule["RuleName"] == name)


def job(door: Door, plan_id: str, created: datetime, rule: str = "daily", **fields: Any) -> str:
    creator = {"BackupPlanId": plan_id, "BackupRuleId": rule_id(door, plan_id, rule)}
    return add_backup_job(ACCOUNT, REGION, CreationDate=created, CreatedBy=creator, **fields)


def ran(door: Door, plan_id: str, *runs: datetime, rule: str = "daily") -> None:
    for run in runs or RUNS:
        job(door, plan_id, run + timedelta(minutes=3), rule)


def say(door: Door, plan_id: str, **parameters: str) -> tuple[str, str]:
    found = door.evaluate(RULE, parameters)[PLAN, plan_id]
    return found.compliance, found.annotation


def put(door: Door, plan_id: str) -> tuple[str, str]:
    """What the rule puts of a plan, which is all there is to see of NOT_APPLICABLE."""
    with recorded_calls() as calls:
        door.evaluate(RULE)
    evaluations = [
        each for call in calls if call.operation == "PutEvaluations" for each in call.parameters["Evaluations"]
    ]
    (found,) = [each for each in evaluations if each["ComplianceResourceId"] == plan_id]
    return found["ComplianceType"], found.get("Annotation", "")


LOOK_AT = (
    "Look at BACKUP_SELECTION_NOT_EMPTY, BACKUP_SERVICE_OPT_IN, BACKUP_ROLE_ASSUMABLE, BACKUP_ROLE_PERMISSIONS,"
    " BACKUP_VAULT_USABLE, BACKUP_TAG_CASE, BACKUP_TAG_WHITESPACE, BACKUP_RESOURCE_READY."
)


def test_every_run_started_its_jobs(door: Door) -> None:
    plan_id = plan(door)
    ran(door, plan_id)
    assert say(door, plan_id) == ("COMPLIANT", "")


def test_no_run_started_a_job(door: Door) -> None:
    assert say(door, plan(door)) == (
        "NON_COMPLIANT",
        f"daily of plan nightly: no job by 2026-11-23 06:00 UTC. {LOOK_AT}",
    )


def test_all_rules_that_can_tell_the_cause_are_named(door: Door) -> None:
    made = {"BackupPlanName": "PII_Backup_Plan", "Rules": [backup_rule(StartWindowMinutes=480)]}
    selection = {"SelectionName": "all", "IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/BackupRole", "Resources": ["*"]}
    with clock(LONG_AGO):
        add_plan(ACCOUNT, REGION, made, plan_id="orgs/5a8b", selections=[selection])
    assert say(door, "orgs/5a8b")[1] == (
        "daily of plan PII_B…Plan: no job by 2026-11-22 13:00 UTC. Look at BACKUP_… POLICY_ROLE_EXISTS,"
        " POLICY_VAULT_EXISTS, POLICY_VAULT_NAME_CASE, SELECTION_NOT_EMPTY, SERVICE_OPT_IN, ROLE_ASSUMABLE,"
        " ROLE_PERMISSIONS, TAG_CASE, TAG_WHITESPACE, RESOURCE_READY."
    )
    long = plan(door, backup_rule("r" * 50), name="p" * 50)
    annotation = say(door, long)[1]
    assert len(annotation) <= 256
    assert f" of plan {'p' * 50}: no job by 2026-11-23 06:00 UTC. Look at BACKUP_… SELECTION_NOT_EMPTY," in annotation
    assert annotation.endswith(" RESOURCE_READY.")


def test_one_run_in_the_past_started_no_job(door: Door) -> None:
    plan_id = plan(door)
    ran(door, plan_id, RUNS[0], RUNS[2])
    assert say(door, plan_id) == (
        "NON_COMPLIANT",
        f"daily of plan nightly: no job by 2026-11-22 06:00 UTC. {LOOK_AT}",
    )


@pytest.mark.parametrize(
    ("minutes", "compliance"), [(-1, "NON_COMPLIANT"), (0, "COMPLIANT"), (60, "COMPLIANT"), (61, "NON_COMPLIANT")]
)
def test_a_job_counts_inside_the_start_window(door: Door, minutes: int, compliance: str) -> None:
    plan_id = plan(door)
    ran(door, plan_id, *RUNS[:2])
    job(door, plan_id, RUNS[2] + timedelta(minutes=minutes))
    assert say(door, plan_id)[0] == compliance


def test_the_first_run_in_sight_may_have_its_job_at_its_very_start(door: Door) -> None:
    plan_id = plan(door, backup_rule(schedule="cron(0 12 ? * * *)"))
    runs = [NOW - timedelta(days=back) for back in (3, 2, 1)]
    for run in runs:
        job(door, plan_id, run)
    assert say(door, plan_id) == ("COMPLIANT", "")


@pytest.mark.parametrize(
    ("schedule", "in_time_zone"),
    [("cron(0 12 ? * * *)", {}), ("cron(30 11 ? * * *)", {}), ("cron(0 13 ? * * *)", {"zone": "Europe/Berlin"})],
    ids=["due now", "window still open", "due now in Berlin"],
)
def test_a_run_whose_window_is_open_is_not_yet_looked_at(
    door: Door, schedule: str, in_time_zone: dict[str, str]
) -> None:
    zone = in_time_zone.get("zone", "Etc/UTC")
    plan_id = plan(
        door, backup_rule(schedule=schedule, ScheduleExpressionTimezone=zone), since=NOW - timedelta(hours=20)
    )
    job(door, plan_id, NOW, State="CREATED")
    assert put(door, plan_id) == (
        "NOT_APPLICABLE",
        "No run of plan nightly since 2026-11-22 16:00 UTC was due with a start window that closed in the last 3 days.",
    )


def test_jobs_of_another_plan_rule_or_person_do_not_count(door: Door) -> None:
    first = plan(door, backup_rule(), backup_rule("weekly", "cron(0 5 ? * SUN *)", StartWindowMinutes=60))
    ran(door, first, *RUNS[:2], rule="daily")
    ran(door, first, RUNS[1], RUNS[2], rule="weekly")
    second = plan(door, name="second")
    ran(door, second)
    add_backup_job(ACCOUNT, REGION, CreationDate=RUNS[2])
    assert say(door, first)[0] == "NON_COMPLIANT"
    assert say(door, second)[0] == "COMPLIANT"


@pytest.mark.parametrize(
    ("state", "message", "resource_type", "told"),
    [
        pytest.param(
            "EXPIRED",
            "Backup job expired before completion.",
            "EBS",
            "1 of 2 jobs ended EXPIRED: Backup job expired before completion. Widen the start and completion windows,"
            " or spread the schedules. See BACKUP_WINDOW_CONFIGURED.",
            id="expired",
        ),
        pytest.param(
            "FAILED",
            '"Backup vault main does not exist."',
            "EBS",
            "1 of 2 jobs ended FAILED: Backup vault main does not exist. Create the vault, or correct its name in the"
            " plan. See BACKUP_VAULT_USABLE.",
            id="vault",
        ),
        pytest.param(
            "FAILED",
            "IAM Role arn:aws:iam::111122223333:role/Gone cannot be assumed by AWS Backup",
            "EBS",
            "1 of 2 jobs ended FAILED: IAM Role arn:aws:iam::111122223333:role/Gone cannot be assumed by AWS Backup."
            " Let AWS Backup assume the selection's role. See BACKUP_ROLE_ASSUMABLE.",
            id="role",
        ),
        pytest.param(
            "ABORTED",
            None,
            "EBS",
            "1 of 2 jobs ended ABORTED: no message. Somebody stopped the job: ask who, and why.",
            id="aborted",
        ),
    ],
)
def test_jobs_of_the_latest_run_that_ended_badly(
    door: Door, state: str, message: str | None, resource_type: str, told: str
) -> None:
    plan_id = plan(door)
    ran(door, plan_id)
    said = {} if message is None else {"StatusMessage": message}
    job(door, plan_id, RUNS[2] + timedelta(minutes=4), State=state, ResourceType=resource_type, **said)
    assert say(door, plan_id) == ("NON_COMPLIANT", f"{WHO}, run of 2026-11-23 05:00 UTC: {told}")


@pytest.mark.parametrize(
    ("resource_type", "see"), [("RDS", "BACKUP_RDS_WINDOW_CONFLICT"), ("FSx", "BACKUP_FSX_WINDOW_CONFLICT")]
)
def test_a_window_of_rds_or_fsx_is_told_apart_and_the_message_fitted(door: Door, resource_type: str, see: str) -> None:
    plan_id = plan(door)
    ran(door, plan_id)
    message = (
        "Backup job could not start because it is either inside or too close to the weekly maintenance window"
        " configured in the instance."
    )
    job(door, plan_id, RUNS[2], State="FAILED", StatusMessage=message, ResourceType=resource_type)
    compliance, annotation = say(door, plan_id)
    assert compliance == "NON_COMPLIANT"
    assert "1 of 2 jobs ended FAILED: " in annotation
    assert " either inside or too close to the weekly maintenance" in annotation
    assert annotation.endswith(f"See {see}.")
    assert len(annotation) <= 256


def test_long_names_leave_the_reason_of_the_message_to_be_seen(door: Door) -> None:
    plan_id = plan(door, backup_rule("r" * 50), name="p" * 50)
    ran(door, plan_id, *RUNS[:2], rule="r" * 50)
    message = (
        "Backup job could not start because it is either inside or too close to the automated backup window configured"
        " in RDS instance."
    )
    job(door, plan_id, RUNS[2], rule="r" * 50, State="FAILED", StatusMessage=message, ResourceType="RDS")
    annotation = say(door, plan_id)[1]
    assert len(annotation) <= 256
    assert ": its only job ended FAILED: it is either inside or too close to the automated backup" in annotation


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (["FAILED"], "its only job ended FAILED: Failed."),
        (["FAILED", "FAILED"], "both jobs ended FAILED: Failed."),
        (["FAILED", "EXPIRED", "FAILED"], "all 3 jobs ended FAILED or EXPIRED: Failed."),
        (["FAILED", "COMPLETED", "FAILED"], "2 of 3 jobs ended FAILED: Failed."),
    ],
    ids=["the only one", "both", "all", "some"],
)
def test_how_many_jobs_ended_badly(door: Door, ended: list[str], told: str) -> None:
    plan_id = plan(door)
    ran(door, plan_id, *RUNS[:2])
    for minute, state in enumerate(ended):
        job(door, plan_id, RUNS[2] + timedelta(minutes=minute), State=state, StatusMessage="Failed.")
    assert say(door, plan_id)[1].startswith(f"{WHO}, run of 2026-11-23 05:00 UTC: {told}")


def test_several_bad_jobs_are_counted_by_the_first_message(door: Door) -> None:
    plan_id = plan(door)
    ran(door, plan_id)
    for minute, (state, message) in enumerate([("FAILED", ""), ("EXPIRED", "Expired."), ("FAILED", "Failed.")]):
        job(door, plan_id, RUNS[2] + timedelta(minutes=minute), State=state, StatusMessage=message)
    annotation = say(door, plan_id)[1]
    assert "3 of 4 jobs ended FAILED or EXPIRED: Expired." in annotation


@pytest.mark.parametrize("state", ["CREATED", "PENDING", "RUNNING", "ABORTING", "COMPLETED", "PARTIAL"])
def test_a_job_that_has_not_ended_badly(door: Door, state: str) -> None:
    plan_id = plan(door)
    ran(door, plan_id, *RUNS[:2])
    job(door, plan_id, RUNS[2], State=state)
    assert say(door, plan_id) == ("COMPLIANT", "")


def test_an_earlier_run_that_ended_badly_is_past(door: Door) -> None:
    plan_id = plan(door)
    job(door, plan_id, RUNS[1], State="FAILED", StatusMessage="Failed.")
    ran(door, plan_id, RUNS[0], RUNS[2])
    assert say(door, plan_id) == ("COMPLIANT", "")


def test_nested_jobs_count_with_their_parent(door: Door) -> None:
    plan_id = plan(door)
    ran(door, plan_id, *RUNS[:2])
    parent = job(door, plan_id, RUNS[2], State="FAILED", StatusMessage="A child failed.", IsParent=True)
    job(door, plan_id, RUNS[2] + timedelta(hours=2), State="FAILED", StatusMessage="Failed.", ParentJobId=parent)
    assert "1 of 2 jobs ended FAILED: A child failed." in say(door, plan_id)[1]


def test_runs_from_before_the_last_update_are_not_expected(door: Door) -> None:
    plan_id = plan(door)
    with clock(RUNS[2] - timedelta(minutes=30)):
        changed = {"BackupPlanName": "nightly", "Rules": [backup_rule(StartWindowMinutes=90)]}
        door.client("backup").update_backup_plan(BackupPlanId=plan_id, BackupPlan=changed)
    ran(door, plan_id, RUNS[2])
    assert say(door, plan_id) == ("COMPLIANT", "")


def test_runs_from_before_the_first_selection_are_not_expected(door: Door) -> None:
    with clock(LONG_AGO):
        plan_id = door.plan("nightly", backup_rule())
    with clock(RUNS[2] - timedelta(minutes=1)):
        door.selection(plan_id)
    assert "(nor did" not in say(door, plan_id)[1]
    ran(door, plan_id, RUNS[2])
    assert say(door, plan_id) == ("COMPLIANT", "")


def test_a_plan_without_selection_does_not_run(door: Door) -> None:
    with clock(LONG_AGO):
        plan_id = door.plan("nightly", backup_rule())
    assert say(door, plan_id)[0] == "NON_COMPLIANT"


def test_runs_that_a_longer_kept_rule_swallows_are_not_expected(door: Door) -> None:
    daily = backup_rule(Lifecycle={"DeleteAfterDays": 7})
    weekly = backup_rule("weekly", "cron(0 5 ? * SUN *)", Lifecycle={"DeleteAfterDays": 90})
    plan_id = plan(door, daily, weekly)
    ran(door, plan_id, RUNS[0], RUNS[2])
    ran(door, plan_id, RUNS[1], rule="weekly")  # 22 November is a Sunday
    assert say(door, plan_id) == ("COMPLIANT", "")


def test_a_start_in_the_hour_that_the_clock_leaps_over_is_not_expected(door: Door) -> None:
    after_the_leap = door.at(now=datetime(2027, 3, 28, 12, tzinfo=UTC))
    with clock(after_the_leap.now):
        berlin = backup_rule(schedule="cron(30 2 ? * * *)", ScheduleExpressionTimezone="Europe/Berlin")
        plan_id = plan(door, berlin, since=after_the_leap.now - timedelta(days=40))
        ran(door, plan_id, *(datetime(2027, 3, day, 1, 30, tzinfo=UTC) for day in (26, 27)))
        assert say(after_the_leap, plan_id) == ("COMPLIANT", "")


def test_a_continuous_rule_without_any_job_is_missed(door: Door) -> None:
    """It takes snapshots of whatever has no point-in-time recovery, by its schedule."""
    compliance, annotation = say(door, plan(door, backup_rule(EnableContinuousBackup=True)))
    assert compliance == "NON_COMPLIANT"
    assert "no job by 2026-11-23 06:00 UTC" in annotation


def test_a_continuous_rule_with_any_job_misses_none(door: Door) -> None:
    plan_id = plan(door, backup_rule(EnableContinuousBackup=True))
    ran(door, plan_id, RUNS[0])
    assert say(door, plan_id) == ("COMPLIANT", "")


def test_a_continuous_rules_jobs_that_fail_are_told_as_anyones(door: Door) -> None:
    plan_id = plan(door, backup_rule(EnableContinuousBackup=True))
    job(door, plan_id, RUNS[2], State="FAILED", StatusMessage="Access Denied trying to call AWS Backup service")
    compliance, annotation = say(door, plan_id)
    assert compliance == "NON_COMPLIANT"
    assert "its only job ended FAILED: Access Denied" in annotation


def test_jobs_that_completed_with_issues_are_told_with_their_number(door: Door) -> None:
    plan_id = plan(door)
    ran(door, plan_id, *RUNS[:2])
    issue = {"State": "COMPLETED", "MessageCategory": "PITR", "StatusMessage": "No objects were backed up."}
    for minute in (1, 2):
        job(door, plan_id, RUNS[2] + timedelta(minutes=minute), **issue)
    assert say(door, plan_id) == (
        "COMPLIANT",
        f"{WHO}: 2 jobs of the run of 2026-11-23 05:00 UTC completed with issues: No objects were backed up.",
    )


def test_a_job_in_a_state_that_nobody_knows_is_no_compliance(door: Door) -> None:
    fine, strange = plan(door, name="fine"), plan(door, name="strange")
    ran(door, fine)
    ran(door, strange)

    def renamed(_response: Any, _call: Any, right: Any) -> Any:
        status, headers, body = right()
        found = json.loads(body)
        for each in found["BackupJobs"]:
            if each["CreatedBy"]["BackupPlanId"] == strange:
                each["State"] = "HIBERNATING"
        return status, headers, json.dumps(found)

    with failing(renamed, "backup", "ListBackupJobs"), pytest.raises(IncompleteEvaluationError, match="ListBackupJobs"):
        door.evaluate(RULE)
    assert {key[1]: each.compliance for key, each in door.stored(RULE).items()} == {fine: "COMPLIANT"}


def test_a_schedule_that_cannot_be_read_is_the_matter_of_another_rule(door: Door) -> None:
    unreadable = backup_rule("odd", "rate(1 day)")
    why = "Backup rule odd of plan {} has a schedule that cannot be read: see BACKUP_WINDOW_CONFIGURED."
    alone, beside = plan(door, unreadable, name="alone"), plan(door, unreadable, backup_rule(), name="beside")
    ran(door, beside)
    assert put(door, alone) == ("NOT_APPLICABLE", why.format("alone"))
    assert say(door, beside) == ("COMPLIANT", why.format("beside"))


@pytest.mark.parametrize(
    ("days", "compliance"), [("1", "COMPLIANT"), ("2", "COMPLIANT"), ("4", "NON_COMPLIANT"), ("29", "NON_COMPLIANT")]
)
def test_how_far_it_looks_back(door: Door, days: str, compliance: str) -> None:
    plan_id = plan(door)
    ran(door, plan_id)
    assert say(door, plan_id, LookbackDays=days)[0] == compliance


def test_jobs_that_aws_has_dropped_are_not_missed(door: Door) -> None:
    plan_id = plan(door)
    ran(door, plan_id, *(datetime(2026, 10, 25, 5, tzinfo=UTC) + timedelta(days=day) for day in range(30)))
    assert say(door, plan_id, LookbackDays="29") == ("COMPLIANT", "")


@pytest.mark.parametrize("days", ["0", "30", "three"])
def test_a_lookback_that_is_refused(door: Door, days: str) -> None:
    plan(door)
    with pytest.raises(InvalidRuleParametersError) as raised:
        door.evaluate(RULE, {"LookbackDays": days})
    assert str(raised.value) == f"Parameter LookbackDays is {days!r}; allowed is a whole number from 1 to 29."
    assert door.stored(RULE) == {}


def test_the_plan_of_an_organization_is_judged_and_its_vault_suspected_first(door: Door) -> None:
    with clock(LONG_AGO):
        body = {"BackupPlanName": "central", "Rules": [backup_rule()]}
        add_plan(ACCOUNT, REGION, body, plan_id="orgs/7d0e")
    compliance, annotation = say(door, "orgs/7d0e")
    assert compliance == "NON_COMPLIANT"
    assert "Look at BACKUP_… POLICY_ROLE_EXISTS, POLICY_VAULT_EXISTS" in annotation


def test_one_listing_serves_all_plans_and_all_its_pages_are_read(door: Door) -> None:
    plans = [plan(door, name=f"plan{number}") for number in range(3)]
    for plan_id in plans:
        ran(door, plan_id)
    with recorded_calls() as calls:
        found = door.evaluate(RULE)
    assert [call.operation for call in calls].count("ListBackupJobs") == 1
    assert {each.compliance for each in found.values()} == {"COMPLIANT"}
    with page_size(1):
        assert door.evaluate(RULE) == found


def test_excluded_plans_are_not_reported(door: Door) -> None:
    plan(door, name="test-1")
    kept = plan(door, name="prod")
    assert set(door.evaluate(RULE, {"ExcludedPlans": "test-*"})) == {(PLAN, kept)}


@pytest.mark.parametrize("operation", ["ListBackupJobs", "ListBackupPlans"])
@pytest.mark.parametrize("kind", [denied, throttled, malformed], ids=["denied", "throttled", "malformed"])
def test_a_listing_that_cannot_be_read_fails_the_run(
    door: Door, operation: str, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    plan(door)
    with failing(kind, "backup", operation), pytest.raises(ReadError, match=operation):
        door.evaluate(RULE)
    assert door.stored(RULE) == {}


@pytest.mark.parametrize("operation", ["GetBackupPlan", "ListBackupSelections"])
@pytest.mark.parametrize("kind", [denied, malformed], ids=["denied", "malformed"])
def test_a_plan_that_cannot_be_read_is_left_as_it_was(door: Door, operation: str, kind: Any) -> None:
    unreadable, readable = plan(door, name="unreadable"), plan(door, name="readable")
    with (
        failing(kind, "backup", operation, when=lambda asked: asked["BackupPlanId"] == unreadable),
        pytest.raises(IncompleteEvaluationError, match="1 of 2 subjects"),
    ):
        door.evaluate(RULE)
    assert set(door.stored(RULE)) == {(PLAN, readable)}

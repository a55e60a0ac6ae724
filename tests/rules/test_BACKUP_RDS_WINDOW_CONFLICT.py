"""BACKUP_RDS_WINDOW_CONFLICT through the front door."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto.rds.models import rds_backends

from aws_simulator.core.faults import denied, failing, malformed, recorded_calls
from aws_simulator.core.operations import page_size
from aws_simulator.core.rds import set_recovery_point
from backup_rules.errors import IncompleteEvaluationError, InvalidRuleParametersError, ReadError
from tests.front_door import Door, front_door

RULE = "BACKUP_RDS_WINDOW_CONFLICT"
TAGS = [{"Key": "backup", "Value": "true"}]


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        yield it


def instance(door: Door, name: str = "orders-db", **changes: Any) -> str:
    """Create a DB instance (tagged backup=true, its windows far from 05:00 UTC unless changed); its resource id."""
    settings = {
        "DBInstanceIdentifier": name,
        "Engine": "mysql",
        "DBInstanceClass": "db.t3.micro",
        "AllocatedStorage": 20,
        "MasterUsername": "root",
        "MasterUserPassword": "correct-horse",
        "PreferredBackupWindow": "12:00-12:30",
        "PreferredMaintenanceWindow": "sun:14:00-sun:14:30",
        "BackupRetentionPeriod": 7,
        "Tags": TAGS,
        **changes,
    }
    return str(door.client("rds").create_db_instance(**settings)["DBInstance"]["DbiResourceId"])


def cluster(door: Door, name: str, engine: str, **changes: Any) -> str:
    settings = {
        "DBClusterIdentifier": name,
        "Engine": engine,
        "MasterUsername": "root",
        "MasterUserPassword": "correct-horse",
        "PreferredBackupWindow": "05:30-06:00",
        "PreferredMaintenanceWindow": "sun:14:00-sun:14:30",
        "Tags": TAGS,
        **changes,
    }
    return str(door.client("rds").create_db_cluster(**settings)["DBCluster"]["DbClusterResourceId"])


def schedule(expression: str, timezone: str = "Etc/UTC", **more: Any) -> dict[str, Any]:
    return {
        "RuleName": "daily",
        "TargetBackupVaultName": "Default",
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": timezone,
        **more,
    }


def verdict(door: Door, parameters: dict[str, str] | None = None) -> tuple[str, str]:
    (found,) = door.evaluate(RULE, parameters).values()
    return found.compliance, found.annotation


def test_the_annotation_names_plan_rule_start_window_and_a_free_hour(door: Door) -> None:
    database = instance(door, PreferredBackupWindow="05:30-06:00")
    door.selection(door.plan("nightly"))
    found = door.evaluate(RULE)
    assert set(found) == {("AWS::RDS::DBInstance", database)}
    assert verdict(door) == (
        "NON_COMPLIANT",
        "Backup rule daily of plan nightly starts 2026-11-24 05:00 UTC, inside or within 60 minutes before the"
        " automated backup window of orders-db, 05:30-06:00 UTC. Start it at 06:00 UTC, which is free every day.",
    )


def test_long_names_leave_window_and_free_hour_to_be_seen(door: Door) -> None:
    instance(
        door, f"d{'b' * 62}", PreferredBackupWindow="12:00-12:30", PreferredMaintenanceWindow="tue:05:30-tue:06:00"
    )
    long = schedule("cron(0 5 ? * * *)", StartWindowMinutes=480) | {"RuleName": "r" * 50}
    door.selection(door.plan("p" * 50, long))
    annotation = verdict(door, {"WholeStartWindow": "true", "BufferMinutes": "120"})[1]
    assert len(annotation) <= 256
    assert ", 12:00-12:30 UTC. Start it at 13:00 UTC" in annotation


def test_a_schedule_that_cannot_be_read_is_the_matter_of_another_rule(door: Door) -> None:
    instance(door)
    door.selection(door.plan("nightly", schedule("rate(1 day)")))
    assert verdict(door) == (
        "COMPLIANT",
        "The schedule of backup rule daily cannot be read: see BACKUP_WINDOW_CONFIGURED.",
    )


@pytest.mark.parametrize(
    ("start", "backup", "maintenance", "conflicts"),
    [
        pytest.param("0 5", "06:00-06:30", "sun:14:00-sun:14:30", True, id="exactly one buffer before"),
        pytest.param("59 4", "06:00-06:30", "sun:14:00-sun:14:30", False, id="a minute more than the buffer before"),
        pytest.param("0 6", "06:00-06:30", "sun:14:00-sun:14:30", True, id="at the start of the window"),
        pytest.param("29 6", "06:00-06:30", "sun:14:00-sun:14:30", True, id="the last minute of the window"),
        pytest.param("30 6", "06:00-06:30", "sun:14:00-sun:14:30", False, id="at the end of the window"),
        pytest.param("30 23", "00:10-00:40", "sun:14:00-sun:14:30", True, id="before a window after midnight"),
        pytest.param("10 0", "23:45-00:15", "sun:14:00-sun:14:30", True, id="inside a window over midnight"),
        pytest.param("10 0", "12:00-12:30", "sun:23:45-mon:00:15", True, id="inside a window over the week's end"),
        pytest.param("30 23", "12:00-12:30", "mon:00:10-mon:00:40", True, id="sunday before a monday window"),
    ],
)
def test_where_the_blocked_time_begins_and_ends(
    door: Door, start: str, backup: str, maintenance: str, conflicts: bool
) -> None:
    instance(door, PreferredBackupWindow=backup, PreferredMaintenanceWindow=maintenance)
    door.selection(door.plan("nightly", schedule(f"cron({start} ? * * *)")))
    assert verdict(door)[0] == ("NON_COMPLIANT" if conflicts else "COMPLIANT")


def test_a_monthly_run_that_meets_a_weekly_window_months_from_now(door: Door) -> None:
    instance(door, PreferredMaintenanceWindow="sun:14:00-sun:14:30")
    door.selection(door.plan("archive", schedule("cron(10 14 7 * ? *)")))
    compliance, annotation = verdict(door)
    assert compliance == "NON_COMPLIANT"
    assert "starts 2027-02-07 14:10 UTC" in annotation  # the first 7th that is a Sunday


@pytest.mark.parametrize(
    ("window", "conflicts"),
    [
        pytest.param("09:15-09:45", True, id="winter time, 04:00 in New York is 09:00 UTC"),
        pytest.param("08:15-08:45", True, id="summer time, 04:00 in New York is 08:00 UTC"),
        pytest.param("06:00-06:30", False, id="neither"),
    ],
)
def test_schedules_are_converted_on_both_sides_of_a_clock_change(door: Door, window: str, conflicts: bool) -> None:
    instance(door, PreferredBackupWindow=window)
    door.selection(door.plan("nightly", schedule("cron(0 4 ? * * *)", "America/New_York")))
    assert verdict(door)[0] == ("NON_COMPLIANT" if conflicts else "COMPLIANT")


@pytest.mark.parametrize("engine", ["mysql", "neptune", "docdb"])
def test_clusters_other_than_aurora_are_judged(door: Door, engine: str) -> None:
    more = {"DBClusterInstanceClass": "db.m5d.large", "AllocatedStorage": 100, "StorageType": "io1", "Iops": 1000}
    resource_id = cluster(door, "graph", engine, **(more if engine == "mysql" else {}))
    door.selection(door.plan())
    found = door.evaluate(RULE)
    assert {key: each.compliance for key, each in found.items()} == {
        ("AWS::RDS::DBCluster", resource_id): "NON_COMPLIANT"
    }


def test_aurora_and_members_of_clusters_get_no_verdict(door: Door) -> None:
    cluster(door, "ledger", "aurora-mysql")
    instance(door, "ledger-1", Engine="aurora-mysql", DBClusterIdentifier="ledger", PreferredBackupWindow="05:30-06:00")
    door.selection(door.plan())
    assert door.evaluate(RULE) == {}


def test_a_database_that_no_selection_picks_gets_no_verdict(door: Door) -> None:
    instance(door, PreferredBackupWindow="05:30-06:00", Tags=[{"Key": "backup", "Value": "TRUE"}])
    door.selection(door.plan())
    assert door.evaluate(RULE) == {}


def test_a_database_without_tags_is_picked_by_its_type(door: Door) -> None:
    instance(door, PreferredBackupWindow="05:30-06:00", Tags=[])
    door.selection(door.plan(), Resources=["arn:aws:rds:*:*:db:*"])
    assert verdict(door)[0] == "NON_COMPLIANT"


def test_without_automated_backups_the_daily_window_does_not_count(door: Door) -> None:
    instance(door, PreferredBackupWindow="05:30-06:00", BackupRetentionPeriod=0)
    door.selection(door.plan())
    assert verdict(door) == ("COMPLIANT", "")


def test_a_database_whose_continuous_backup_aws_backup_manages_is_exempt(door: Door) -> None:
    instance(door, PreferredBackupWindow="05:30-06:00")
    arn = door.client("rds").describe_db_instances()["DBInstances"][0]["DBInstanceArn"]
    set_recovery_point(door.account, door.region, arn, f"{arn}-continuous")
    door.selection(door.plan())
    assert verdict(door)[0] == "COMPLIANT"


CONTINUOUS = {"RuleName": "pitr", "TargetBackupVaultName": "Default", "EnableContinuousBackup": True}


@pytest.mark.parametrize("engine", ["mysql", "neptune", "docdb"])
def test_a_continuous_rule_takes_snapshots_of_clusters(door: Door, engine: str) -> None:
    """None of them has point-in-time recovery by AWS Backup."""
    more = {"DBClusterInstanceClass": "db.m5d.large", "AllocatedStorage": 100, "StorageType": "io1", "Iops": 1000}
    cluster(door, "graph", engine, **(more if engine == "mysql" else {}))
    door.selection(door.plan("continuous", {**CONTINUOUS, "ScheduleExpression": "cron(45 5 ? * * *)"}))
    compliance, annotation = verdict(door)
    assert compliance == "NON_COMPLIANT"
    assert "automated backup window of graph" in annotation


@pytest.mark.parametrize("by", ["recovery point", "rule of the plan", "rule of another plan"])
def test_snapshots_of_an_instance_with_continuous_backup_keep_clear_of_its_maintenance_window(
    door: Door, by: str
) -> None:
    instance(door, PreferredMaintenanceWindow="tue:05:30-tue:06:00", PreferredBackupWindow="05:00-05:30")
    if by == "recovery point":
        arn = door.client("rds").describe_db_instances()["DBInstances"][0]["DBInstanceArn"]
        set_recovery_point(door.account, door.region, arn, f"{arn}-continuous")
    rules = [schedule("cron(0 5 ? * * *)"), *([CONTINUOUS] if by == "rule of the plan" else [])]
    door.selection(door.plan("nightly", *rules))
    if by == "rule of another plan":
        door.selection(door.plan("continuous", CONTINUOUS))
    compliance, annotation = verdict(door)
    assert compliance == "NON_COMPLIANT"
    assert "maintenance window of orders-db, tue:05:30-tue:06:00 UTC" in annotation
    assert "automated backup window" not in annotation


def test_the_continuous_rule_itself_is_exempt(door: Door) -> None:
    instance(door, PreferredMaintenanceWindow="tue:05:30-tue:06:00")
    door.selection(door.plan("continuous", {**CONTINUOUS, "ScheduleExpression": "cron(0 5 ? * * *)"}))
    assert verdict(door)[0] == "COMPLIANT"


def test_windows_in_upper_case_are_read(door: Door) -> None:
    instance(door, PreferredMaintenanceWindow="tue:05:30-tue:06:00")
    rds_backends[door.account][door.region].databases["orders-db"].preferred_maintenance_window = "TUE:05:30-TUE:06:00"
    door.selection(door.plan())
    assert verdict(door)[0] == "NON_COMPLIANT"


def test_excluded_databases_get_no_verdict(door: Door) -> None:
    instance(door, PreferredBackupWindow="05:30-06:00")
    kept = instance(door, "kept", PreferredBackupWindow="05:30-06:00")
    door.selection(door.plan())
    assert set(door.evaluate(RULE, {"ExcludedResources": "orders-*"})) == {("AWS::RDS::DBInstance", kept)}


def leaving_out(key: str, of: str, instead: str = "") -> Any:
    """A fault: what RDS tells of the DB instance `of` lacks a field, or has another text there."""

    def spoilt(_response: Any, _call: Any, right: Any) -> Any:
        status, headers, body = right()
        parts = re.split("(?=<DBInstance>)", body.decode() if isinstance(body, bytes) else body)
        found = [re.sub(f"<{key}>.*?</{key}>", instead, each) if f">{of}<" in each else each for each in parts]
        return status, headers, "".join(found)

    return failing(spoilt, "rds", "DescribeDBInstances")


@pytest.mark.parametrize(
    ("key", "instead"),
    [
        ("DbiResourceId", ""),
        ("DBInstanceArn", "<DBInstanceArn>broken</DBInstanceArn>"),
        ("BackupTarget", "<BackupTarget>moon</BackupTarget>"),
    ],
)
def test_a_database_that_cannot_be_read_is_no_other_ones_matter(door: Door, key: str, instead: str) -> None:
    healthy = instance(door)
    instance(door, "broken")
    door.selection(door.plan())
    with (
        leaving_out(key, "broken", instead),
        pytest.raises(IncompleteEvaluationError, match="rds:DescribeDBInstances"),
    ):
        door.evaluate(RULE)
    assert {key[1]: each.compliance for key, each in door.stored(RULE).items()} == {healthy: "COMPLIANT"}


def test_a_daily_window_that_rds_does_not_tell_is_no_compliance(door: Door) -> None:
    key = "PreferredBackupWindow"
    odd, fine = instance(door, "odd", PreferredBackupWindow="05:30-06:00"), instance(door, "fine")
    door.selection(door.plan())
    before = door.evaluate(RULE)
    assert before["AWS::RDS::DBInstance", odd].compliance == "NON_COMPLIANT"
    with (
        leaving_out(key, "odd"),
        pytest.raises(IncompleteEvaluationError, match=f"rds:DescribeDBInstances .*for odd .*{key} is missing"),
    ):
        door.evaluate(RULE)
    assert door.stored(RULE) == before
    assert before["AWS::RDS::DBInstance", fine].compliance == "COMPLIANT"


def test_a_conflict_with_one_window_stands_whatever_the_other_is(door: Door) -> None:
    odd = instance(door, "odd", PreferredMaintenanceWindow="tue:05:30-tue:06:00")
    door.selection(door.plan())
    with (
        leaving_out("PreferredBackupWindow", "odd"),
        pytest.raises(IncompleteEvaluationError, match="PreferredBackupWindow is missing"),
    ):
        door.evaluate(RULE)
    assert {key[1]: each.compliance for key, each in door.stored(RULE).items()} == {odd: "NON_COMPLIANT"}


def test_without_automated_backups_there_need_be_no_daily_window(door: Door) -> None:
    instance(door, "odd", BackupRetentionPeriod=0)
    door.selection(door.plan())
    with leaving_out("PreferredBackupWindow", "odd"):
        assert verdict(door)[0] == "COMPLIANT"


def test_a_selection_that_cannot_be_read_holds_back_what_it_might_change(door: Door) -> None:
    conflicting = instance(door, PreferredBackupWindow="05:30-06:00")
    instance(door, "clear")
    plan = door.plan()
    door.selection(plan)
    hidden = door.selection(plan, "hidden").partition("_")[0]
    with (
        failing(denied, "backup", "GetBackupSelection", when=lambda it: it["SelectionId"] == hidden),
        pytest.raises(IncompleteEvaluationError, match=hidden),
    ):
        door.evaluate(RULE)
    assert {key[1]: each.compliance for key, each in door.stored(RULE).items()} == {conflicting: "NON_COMPLIANT"}


def test_a_continuous_rule_of_any_plan_that_picks_it_exempts_a_database(door: Door) -> None:
    instance(door, PreferredBackupWindow="05:30-06:00")
    door.selection(door.plan())
    continuous = {"RuleName": "pitr", "TargetBackupVaultName": "Default", "EnableContinuousBackup": True}
    door.selection(door.plan("continuous", continuous))
    assert verdict(door, {"ExcludedPlans": "continuous"})[0] == "COMPLIANT"


def test_the_buffer_is_a_parameter(door: Door) -> None:
    instance(door, PreferredBackupWindow="07:00-07:30")
    door.selection(door.plan())
    assert verdict(door)[0] == "COMPLIANT"
    assert verdict(door, {"BufferMinutes": "120"})[0] == "NON_COMPLIANT"


def test_the_whole_start_window_may_count(door: Door) -> None:
    instance(door, PreferredBackupWindow="12:00-12:30")
    door.selection(door.plan("nightly", schedule("cron(0 5 ? * * *)", StartWindowMinutes=480)))
    assert verdict(door)[0] == "COMPLIANT"
    assert verdict(door, {"WholeStartWindow": "true"})[0] == "NON_COMPLIANT"


def test_several_conflicts_are_counted(door: Door) -> None:
    instance(door, PreferredBackupWindow="05:30-06:00")
    door.selection(door.plan("one"))
    door.selection(door.plan("two"))
    assert verdict(door)[1].endswith("(+1 more)")
    assert "(+" not in verdict(door, {"ExcludedPlans": "two"})[1]


def test_a_plan_excluded_leaves_no_verdict(door: Door) -> None:
    instance(door, PreferredBackupWindow="05:30-06:00")
    door.selection(door.plan("nightly"))
    assert door.evaluate(RULE, {"ExcludedPlans": "nightly"}) == {}


def test_now_is_the_events_time(door: Door) -> None:
    instance(door, PreferredBackupWindow="05:30-06:00")
    door.selection(door.plan("once", schedule("cron(0 5 1 1 ? 2027)")))
    assert verdict(door)[0] == "NON_COMPLIANT"
    later = door.at(now=datetime(2027, 1, 2, tzinfo=UTC))
    assert verdict(later)[0] == "COMPLIANT"


@pytest.mark.parametrize("value", ["-1", "1441", "an hour", "1.5", ""])
def test_a_buffer_that_cannot_be_read_is_refused(door: Door, value: str) -> None:
    instance(door)
    with recorded_calls() as calls, pytest.raises(InvalidRuleParametersError, match="BufferMinutes is .*0 to 1440"):
        door.evaluate(RULE, {"BufferMinutes": value})
    assert "PutEvaluations" not in {call.operation for call in calls}


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("backup", "ListBackupPlans"),
        ("backup", "GetBackupPlan"),
        ("backup", "ListBackupSelections"),
        ("backup", "GetBackupSelection"),
        ("rds", "DescribeDBInstances"),
        ("rds", "DescribeDBClusters"),
        ("resourcegroupstaggingapi", "GetResources"),
    ],
)
@pytest.mark.parametrize("fault", [denied, malformed])
def test_what_cannot_be_read_is_no_verdict(door: Door, service: str, operation: str, fault: Any) -> None:
    instance(door, PreferredBackupWindow="05:30-06:00")
    door.selection(door.plan())
    before = door.evaluate(RULE)
    with failing(fault, service, operation), pytest.raises((ReadError, IncompleteEvaluationError), match=operation):
        door.evaluate(RULE)
    assert door.stored(RULE) == before


def test_all_pages_are_read(door: Door) -> None:
    for number in range(3):
        instance(door, f"db-{number}", PreferredBackupWindow="05:30-06:00")
        door.selection(door.plan(f"plan-{number}"))
    with page_size(1):
        found = door.evaluate(RULE)
    assert [each.compliance for each in found.values()] == ["NON_COMPLIANT"] * 3
    assert all(each.annotation.endswith("(+2 more)") for each in found.values())


def test_calls_do_not_grow_with_databases(door: Door) -> None:
    door.selection(door.plan())

    def calls_of_an_evaluation() -> int:
        with recorded_calls() as calls:
            door.evaluate(RULE)
        return len([call for call in calls if call.service != "config"])

    instance(door, "one")
    few = calls_of_an_evaluation()
    for number in range(10):
        instance(door, f"more-{number}")
    assert calls_of_an_evaluation() == few

"""BACKUP_FSX_WINDOW_CONFLICT through the front door."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from aws_simulator.core.faults import denied, failing, malformed, recorded_calls
from aws_simulator.core.operations import page_size
from backup_rules.errors import IncompleteEvaluationError, InvalidRuleParametersError, ReadError
from tests.front_door import Door, front_door

RULE = "BACKUP_FSX_WINDOW_CONFLICT"
SELECTION = "AWS::Backup::BackupSelection"
TAGS = [{"Key": "backup", "Value": "true"}]
SUBNET = "subnet-0123456789abcdef0"

SETTINGS: dict[str, dict[str, Any]] = {
    "WINDOWS": {"ThroughputCapacity": 8},
    "LUSTRE": {"DeploymentType": "PERSISTENT_2", "PerUnitStorageThroughput": 125},
    "ONTAP": {"DeploymentType": "SINGLE_AZ_1", "ThroughputCapacity": 128},
    "OPENZFS": {"DeploymentType": "SINGLE_AZ_1", "ThroughputCapacity": 64},
}
NAMES = {
    "WINDOWS": "WindowsConfiguration",
    "LUSTRE": "LustreConfiguration",
    "ONTAP": "OntapConfiguration",
    "OPENZFS": "OpenZFSConfiguration",
}


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        yield it


def file_system(
    door: Door,
    kind: str = "WINDOWS",
    backup: str = "20:00",
    maintenance: str = "7:20:00",
    retention: int = 7,
    tagged: bool = True,
) -> str:
    """Create a file system (its windows far from 05:00 UTC unless changed); its id."""
    windows = {
        "DailyAutomaticBackupStartTime": backup,
        "WeeklyMaintenanceStartTime": maintenance,
        "AutomaticBackupRetentionDays": retention,
    }
    made = door.client("fsx").create_file_system(
        FileSystemType=kind,
        StorageCapacity=1200,
        SubnetIds=[SUBNET],
        **({"Tags": TAGS} if tagged else {}),
        **{NAMES[kind]: {**SETTINGS[kind], **windows}},
    )
    return str(made["FileSystem"]["FileSystemId"])


def verdict(door: Door, parameters: dict[str, str] | None = None) -> tuple[str, str]:
    (found,) = door.evaluate(RULE, parameters).values()
    return found.compliance, found.annotation


@pytest.mark.parametrize("kind", ["WINDOWS", "LUSTRE", "OPENZFS"])
def test_the_annotation_names_plan_rule_start_file_system_window_and_a_free_hour(door: Door, kind: str) -> None:
    identifier = file_system(door, kind, backup="07:00")
    selection = door.selection(door.plan("files"))
    assert set(door.evaluate(RULE)) == {(SELECTION, selection)}
    assert verdict(door) == (
        "NON_COMPLIANT",
        "Backup rule daily of plan files starts 2026-11-24 05:00 UTC, inside or within 240 minutes before the automated"
        f" backup window of {identifier}, 07:00-07:30 UTC. Start it at 08:00 UTC, which is free every day.",
    )


@pytest.mark.parametrize(
    ("backup", "maintenance", "conflicts"),
    [
        pytest.param("09:00", "7:20:00", True, id="exactly four hours after the start"),
        pytest.param("09:01", "7:20:00", False, id="a minute more"),
        pytest.param("04:31", "7:20:00", True, id="started 29 minutes before"),
        pytest.param("04:30", "7:20:00", False, id="ended as the backup starts"),
        pytest.param("20:00", "1:06:00", True, id="monday is 1"),
        pytest.param("20:00", "7:06:00", True, id="sunday is 7"),
    ],
)
def test_where_the_blocked_time_begins_and_ends(door: Door, backup: str, maintenance: str, conflicts: bool) -> None:
    file_system(door, backup=backup, maintenance=maintenance)
    door.selection(door.plan())
    assert verdict(door)[0] == ("NON_COMPLIANT" if conflicts else "COMPLIANT")


def test_the_weekday_counts(door: Door) -> None:
    file_system(door, maintenance="2:06:00")
    weekly = {"RuleName": "weekly", "TargetBackupVaultName": "Default", "ScheduleExpression": "cron(0 5 ? * MON *)"}
    door.selection(door.plan("mondays", weekly))
    assert verdict(door) == ("COMPLIANT", "")


def test_without_automatic_backups_the_daily_window_does_not_count(door: Door) -> None:
    file_system(door, backup="07:00", retention=0)
    door.selection(door.plan())
    assert verdict(door) == ("COMPLIANT", "")


def test_a_continuous_rule_exempts_nothing(door: Door) -> None:
    file_system(door, backup="07:00")
    continuous = {"RuleName": "pitr", "TargetBackupVaultName": "Default", "EnableContinuousBackup": True}
    door.selection(door.plan("continuous", continuous))
    assert verdict(door)[0] == "NON_COMPLIANT"


def test_a_volume_of_ontap_is_judged_by_the_windows_of_its_file_system(door: Door) -> None:
    identifier = file_system(door, "ONTAP", backup="07:00", tagged=False)
    fsx = door.client("fsx")
    machine = fsx.create_storage_virtual_machine(FileSystemId=identifier, Name="svm1")["StorageVirtualMachine"]
    volume = fsx.create_volume(
        VolumeType="ONTAP",
        Name="home",
        OntapConfiguration={
            "StorageVirtualMachineId": machine["StorageVirtualMachineId"],
            "SizeInMegabytes": 1024,
        },
        Tags=TAGS,
    )["Volume"]["VolumeId"]
    door.selection(door.plan())
    compliance, annotation = verdict(door)
    assert compliance == "NON_COMPLIANT"
    assert f" window of {identifier} (volume {volume}), 07:00-07:30 UTC. Start it at 08:00 UTC" in annotation


def test_the_first_file_system_in_full_and_how_many_more(door: Door) -> None:
    for _ in range(3):
        file_system(door, backup="07:00")
    file_system(door)
    door.selection(door.plan())
    assert verdict(door)[1].endswith("(+2 more)")


def test_selections_that_pick_no_file_system_get_no_verdict(door: Door) -> None:
    file_system(door, backup="07:00", tagged=False)
    door.selection(door.plan())
    assert door.evaluate(RULE) == {}


@pytest.mark.parametrize(("backup", "disputed"), [("08:30", True), ("07:30", False)])
def test_where_only_the_older_guides_four_hours_decide_the_annotation_says_so(
    door: Door, backup: str, disputed: bool
) -> None:
    file_system(door, backup=backup)
    door.selection(door.plan())
    compliance, annotation = verdict(door)
    assert compliance == "NON_COMPLIANT"
    assert ("within 240 minutes (180 by AWS's newest guide) before" in annotation) is disputed


@pytest.mark.parametrize("spoil", ["type", "missing type", "configuration"])
def test_what_fsx_answers_in_a_word_that_nobody_knows_is_no_compliance(door: Door, spoil: str) -> None:
    known, odd = file_system(door), file_system(door, tagged=False)

    def spoilt(_response: Any, _call: Any, right: Any) -> Any:
        status, headers, body = right()
        found = json.loads(body)
        (each,) = [each for each in found["FileSystems"] if each["FileSystemId"] == odd]
        if spoil == "type":
            each["FileSystemType"] = "TURBO"
        elif spoil == "missing type":
            del each["FileSystemType"]
        else:
            del each["WindowsConfiguration"]
        return status, headers, json.dumps(found)

    arn = f"arn:aws:fsx:{door.region}:{door.account}:file-system"
    plan = door.plan()
    fine = door.selection(plan, "fine", Resources=[f"{arn}/{known}"])
    door.selection(plan, "odd", Resources=[f"{arn}/{odd}"])
    with (
        failing(spoilt, "fsx", "DescribeFileSystems"),
        pytest.raises(IncompleteEvaluationError, match=f"fsx:DescribeFileSystems .*{odd}"),
    ):
        door.evaluate(RULE)
    assert {key[1]: each.compliance for key, each in door.stored(RULE).items()} == {fine: "COMPLIANT"}


@pytest.mark.parametrize(
    ("key", "with_another", "compliance"),
    [
        pytest.param("DailyAutomaticBackupStartTime", {}, None, id="no daily window"),
        pytest.param("DailyAutomaticBackupStartTime", {"retention": 0}, "COMPLIANT", id="automatic backups are off"),
    ],
)
def test_a_window_that_fsx_does_not_tell_is_no_compliance(
    door: Door, key: str, with_another: dict[str, Any], compliance: str | None
) -> None:
    file_system(door, **with_another)
    plan = door.plan()
    selections = [door.selection(plan), door.selection(door.plan("another"))]

    def spoilt(_response: Any, _call: Any, right: Any) -> Any:
        status, headers, body = right()
        found = json.loads(body)
        del found["FileSystems"][0]["WindowsConfiguration"][key]
        return status, headers, json.dumps(found)

    fails = pytest.raises(IncompleteEvaluationError, match=f"fsx:DescribeFileSystems .*{key} is missing")
    with failing(spoilt, "fsx", "DescribeFileSystems"), nullcontext() if compliance == "COMPLIANT" else fails:
        door.evaluate(RULE)
    found = {key[1]: each.compliance for key, each in door.stored(RULE).items()}
    assert found == (dict.fromkeys(selections, compliance) if compliance else {})


@pytest.mark.parametrize("kind", ["ONTAP", "SCRATCH"])
def test_what_aws_backup_cannot_back_up_is_picked_by_nothing(door: Door, kind: str) -> None:
    settings = SETTINGS["ONTAP"] if kind == "ONTAP" else {"DeploymentType": "SCRATCH_2"}
    name = "ONTAP" if kind == "ONTAP" else "LUSTRE"
    door.client("fsx").create_file_system(
        FileSystemType=name,
        StorageCapacity=1200,
        SubnetIds=[SUBNET],
        Tags=TAGS,
        **{NAMES[name]: {**settings, "WeeklyMaintenanceStartTime": "2:06:00"}},
    )
    door.selection(door.plan())
    assert door.evaluate(RULE) == {}


def test_the_newest_guides_three_hours(door: Door) -> None:
    file_system(door, backup="08:30")
    door.selection(door.plan())
    assert verdict(door)[0] == "NON_COMPLIANT"
    assert verdict(door, {"BufferMinutes": "180"})[0] == "COMPLIANT"


def test_the_whole_start_window_may_count(door: Door) -> None:
    file_system(door, backup="12:00")
    door.selection(door.plan())
    assert verdict(door)[0] == "COMPLIANT"
    assert verdict(door, {"WholeStartWindow": "true"})[0] == "NON_COMPLIANT"


def test_excluded_plans_are_not_reported(door: Door) -> None:
    file_system(door, backup="07:00")
    door.selection(door.plan("files"))
    assert door.evaluate(RULE, {"ExcludedPlans": "f*"}) == {}


def test_a_parameter_that_cannot_be_read_is_refused(door: Door) -> None:
    with pytest.raises(InvalidRuleParametersError, match="WholeStartWindow is 'maybe'; allowed is true or false"):
        door.evaluate(RULE, {"WholeStartWindow": "maybe"})


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("backup", "ListBackupPlans"),
        ("backup", "GetBackupPlan"),
        ("backup", "ListBackupSelections"),
        ("backup", "GetBackupSelection"),
        ("fsx", "DescribeFileSystems"),
        ("fsx", "DescribeVolumes"),
        ("resourcegroupstaggingapi", "GetResources"),
    ],
)
@pytest.mark.parametrize("fault", [denied, malformed])
def test_what_cannot_be_read_is_no_verdict(door: Door, service: str, operation: str, fault: Any) -> None:
    file_system(door, backup="07:00")
    door.selection(door.plan())
    before = door.evaluate(RULE)
    with failing(fault, service, operation), pytest.raises((ReadError, IncompleteEvaluationError), match=operation):
        door.evaluate(RULE)
    assert door.stored(RULE) == before


def test_all_pages_are_read(door: Door) -> None:
    for _ in range(3):
        file_system(door, backup="07:00")
    door.selection(door.plan())
    with page_size(1):
        assert verdict(door)[1].endswith("(+2 more)")


def test_the_calls_are_few(door: Door) -> None:
    file_system(door)
    door.selection(door.plan())
    with recorded_calls() as calls:
        door.evaluate(RULE)
    assert [call.operation for call in calls].count("DescribeFileSystems") == 1

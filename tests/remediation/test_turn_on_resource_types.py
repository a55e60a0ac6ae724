"""The document that turns on what BACKUP_SERVICE_OPT_IN found turned off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from aws_simulator.core import faults
from aws_simulator.core.backup import set_supported_resource_types
from aws_simulator.core.backup.state import OPT_IN_KEYS
from aws_simulator.core.faults import failing, recorded_calls
from aws_simulator.core.tagging import tag_resource
from tests.front_door import ACCOUNT, NOW, Door, front_door
from tests.remediation.automation import changes, deploy, nothing_changes, run

RULE = "BACKUP_SERVICE_OPT_IN"
DOCUMENT = "TurnOnResourceTypes"
FSX = f"arn:aws:fsx:eu-west-1:{ACCOUNT}:file-system/fs-1"
VOLUME = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/vol-0abc"


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        deploy(it, DOCUMENT)
        yield it


def turn(door: Door, **keys: bool) -> None:
    door.client("backup").update_region_settings(ResourceTypeOptInPreference=keys)


def settings(door: Door) -> dict[str, Any]:
    answer = door.client("backup").describe_region_settings()
    return {key: answer[key] for key in ("ResourceTypeOptInPreference", "ResourceTypeManagementPreference")}


def off(door: Door) -> set[str]:
    return {key for key, on in settings(door)["ResourceTypeOptInPreference"].items() if not on}


def evaluated(door: Door, parameters: dict[str, str] | None = None, hours: int = 0) -> dict[str, str]:
    found = door.at(now=NOW + timedelta(hours=hours)).evaluate(RULE, parameters)
    return {resource_id: each.compliance for (_, resource_id), each in found.items()}


def by_tag(door: Door, *arns: str) -> str:
    for arn in arns:
        tag_resource(ACCOUNT, "eu-west-1", arn, {"backup": "true"})
    return door.selection(door.plan())


def test_what_the_rule_reports_of_a_selection_is_turned_on(door: Door) -> None:
    selection = by_tag(door, FSX, VOLUME)
    turn(door, FSx=False, Neptune=False, Redshift=False)
    before = settings(door)
    assert evaluated(door) == {selection: "NON_COMPLIANT"}
    outcome = run(door, DOCUMENT, selection)
    assert outcome.failure is None
    assert outcome.outputs == {
        "TurnOn.Summary": ["Turned on in eu-west-1: FSx."],
        "TurnOn.TurnedOn": ["FSx"],
        "TurnOn.AlreadyOn": [],
    }
    before["ResourceTypeOptInPreference"]["FSx"] = True
    assert settings(door) == before
    assert evaluated(door, hours=1) == {selection: "COMPLIANT"}


def test_a_second_run_changes_nothing(door: Door) -> None:
    selection = by_tag(door, FSX)
    turn(door, FSx=False)
    evaluated(door)
    run(door, DOCUMENT, selection)
    with nothing_changes():
        outcome = run(door, DOCUMENT, selection)
    assert outcome.failure is None
    assert outcome.outputs["TurnOn.Summary"] == ["Nothing changed: FSx on."]


def test_what_the_rule_requires_of_the_account_is_turned_on(door: Door) -> None:
    turn(door, FSx=False, Redshift=False, **{"Redshift Serverless": False, "Storage Gateway": False})
    required = {"RequiredResourceTypes": "FSx,EBS,Redshift Serverless,Storage Gateway"}
    assert evaluated(door, required) == {ACCOUNT: "NON_COMPLIANT"}
    outcome = run(door, DOCUMENT, ACCOUNT)
    assert set(outcome.outputs["TurnOn.TurnedOn"]) == {"FSx", "Redshift Serverless", "Storage Gateway"}
    assert off(door) == {"Redshift"}
    assert evaluated(door, required, hours=1) == {ACCOUNT: "COMPLIANT"}


def test_of_several_problems_each_run_settles_what_the_annotation_names(door: Door) -> None:
    """An annotation has room for one type of a selection; the next evaluation names the next."""
    selection = by_tag(door, FSX, VOLUME)
    turn(door, FSx=False, EBS=False)
    for hours in (0, 1):
        assert evaluated(door, hours=hours) == {selection: "NON_COMPLIANT"}
        run(door, DOCUMENT, selection)
    assert evaluated(door, hours=2) == {selection: "COMPLIANT"}


def test_types_may_be_named(door: Door) -> None:
    selection = by_tag(door, FSX)
    turn(door, FSx=False, EBS=False, RDS=False)
    outcome = run(door, DOCUMENT, selection, ResourceTypes=["EBS", "RDS", "EC2"])
    assert outcome.outputs["TurnOn.TurnedOn"] == ["EBS", "RDS"]
    assert outcome.outputs["TurnOn.AlreadyOn"] == ["EC2"]
    assert off(door) == {"FSx"}


def refusal(door: Door, resource_id: str, **parameters: list[str]) -> str:
    with nothing_changes():
        outcome = run(door, DOCUMENT, resource_id, **parameters)
    assert outcome.failure is not None
    assert "RefusedError" in outcome.failure
    return outcome.failure


def test_it_refuses_what_the_rule_does_not_report(door: Door) -> None:
    selection = by_tag(door, VOLUME)
    turn(door, FSx=False)
    assert evaluated(door) == {selection: "COMPLIANT"}
    assert f"no NON_COMPLIANT evaluation of {selection}" in refusal(door, selection)


def test_it_refuses_other_resources_and_accounts(door: Door) -> None:
    assert "i-0abc is not a backup selection" in refusal(door, "i-0abc")
    assert "444455556666 is another account" in refusal(door, "444455556666")


def test_it_refuses_types_that_the_region_does_not_have(door: Door) -> None:
    selection = by_tag(door, VOLUME)
    set_supported_resource_types(ACCOUNT, "eu-west-1", [key for key in OPT_IN_KEYS if key != "FSx"])
    turn(door, EBS=False)
    assert "AWS Backup has no resource type FSx in eu-west-1." in refusal(door, selection, ResourceTypes=["FSx", "EBS"])
    assert off(door) == {"EBS"}


def test_it_refuses_when_turning_on_would_not_help(door: Door) -> None:
    selection = by_tag(door, FSX)
    set_supported_resource_types(ACCOUNT, "eu-west-1", [key for key in OPT_IN_KEYS if key != "FSx"])
    assert evaluated(door) == {selection: "NON_COMPLIANT"}
    assert "AWS Backup does not support resource type FSx" in refusal(door, selection)


def test_a_failure_of_aws_is_told(door: Door) -> None:
    selection = by_tag(door, FSX)
    turn(door, FSx=False)
    evaluated(door)
    with failing(faults.denied, "backup", "UpdateRegionSettings"), recorded_calls() as calls:
        outcome = run(door, DOCUMENT, selection)
    assert outcome.failure is not None
    assert "not authorized to perform: backup:UpdateRegionSettings" in outcome.failure
    assert changes(calls) == ["UpdateRegionSettings"]
    assert off(door) == {"FSx"}

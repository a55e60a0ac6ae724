"""The document that makes a selection again whose own tags BACKUP_TAG_WHITESPACE reports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from aws_simulator.core import faults
from aws_simulator.core.backup import add_plan
from aws_simulator.core.faults import failing, recorded_calls
from aws_simulator.core.tagging import tag_resource
from backup_rules.selections.near_misses import white_space_at_ends
from remediation.strip_selection_white_space.script import stripped_text
from tests.front_door import ACCOUNT, NOW, Door, front_door
from tests.remediation.automation import changes, deploy, nothing_changes, run

RULE = "BACKUP_TAG_WHITESPACE"
DOCUMENT = "StripSelectionWhiteSpace"
VOLUME = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/vol-0abd"


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        deploy(it, DOCUMENT)
        yield it


def tag(key: str, value: str) -> dict[str, str]:
    return {"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value}


def condition(key: str, value: str) -> dict[str, str]:
    return {"ConditionKey": key, "ConditionValue": value}


def asking(key: str, value: str) -> dict[str, Any]:
    return {"ListOfTags": [tag(key, value)]}


def selections(door: Door, plan: str) -> dict[str, dict[str, Any]]:
    """All selections of the plan, by id."""
    backup = door.client("backup")
    return {
        each["SelectionId"]: backup.get_backup_selection(BackupPlanId=plan, SelectionId=each["SelectionId"])[
            "BackupSelection"
        ]
        for each in backup.list_backup_selections(BackupPlanId=plan)["BackupSelectionsList"]
    }


def compliance(door: Door, hours: int = 0) -> dict[str, str]:
    found = door.at(now=NOW + timedelta(hours=hours)).evaluate(RULE)
    return {resource_id: each.compliance for (_, resource_id), each in found.items()}


EVERYTHING: dict[str, Any] = {
    "Resources": ["arn:aws:ec2:*:*:volume/*", "arn:aws:rds:*:*:db:*"],
    "NotResources": [f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/vol-0not"],
    "ListOfTags": [tag("backup ", " true"), tag("tier", "gold")],
    "Conditions": {
        "StringEquals": [condition("aws:ResourceTag/ owner", "ledger")],
        "StringLike": [condition("aws:ResourceTag/name", "db-* ")],
        "StringNotEquals": [condition("aws:ResourceTag/scratch", "yes")],
    },
}


def test_what_the_rule_reports_is_made_again_without_it(door: Door) -> None:
    plan = door.plan("prod")
    selection = door.selection(plan, "nightly", **EVERYTHING)
    other = door.selection(plan, "weekly")
    ((before),) = (each for each in selections(door, plan).values() if each["SelectionName"] == "nightly")
    assert compliance(door)[selection] == "NON_COMPLIANT"
    outcome = run(door, DOCUMENT, selection)
    assert outcome.failure is None
    (new_id,) = outcome.outputs["Strip.SelectionId"]
    assert outcome.outputs["Strip.Deleted"] == [selection.partition("_")[0]]
    assert "('backup ', ' true') is now ('backup', 'true')" in outcome.outputs["Strip.Summary"][0]
    after = selections(door, plan)
    assert set(after) == {new_id, other.partition("_")[0]}
    assert after[new_id] == before | {
        "ListOfTags": [tag("backup", "true"), tag("tier", "gold")],
        "Conditions": before["Conditions"]
        | {
            "StringEquals": [condition("aws:ResourceTag/owner", "ledger")],
            "StringLike": [condition("aws:ResourceTag/name", "db-*")],
        },
    }
    assert set(compliance(door, hours=1).values()) == {"COMPLIANT"}


def test_a_second_run_changes_nothing(door: Door) -> None:
    plan = door.plan()
    selection = door.selection(plan, **asking("backup", "true\u00a0"))
    (new_id,) = run(door, DOCUMENT, selection).outputs["Strip.SelectionId"]
    assert "There is no selection" in refusal(door, selection)
    assert "nothing to strip" in refusal(door, f"{new_id}_{plan}")
    assert set(selections(door, plan)) == {new_id}


def refusal(door: Door, resource_id: str) -> str:
    with nothing_changes():
        outcome = run(door, DOCUMENT, resource_id)
    assert outcome.failure is not None
    assert "RefusedError" in outcome.failure
    return outcome.failure


@pytest.mark.parametrize(
    ("body", "tags"),
    [
        pytest.param(asking("backup", "true "), {"backup": "true "}, id="ListOfTags"),
        pytest.param(
            {"Resources": ["*"], "Conditions": {"StringEquals": [condition("aws:ResourceTag/backup ", "true")]}},
            {"backup ": "true"},
            id="StringEquals",
        ),
        pytest.param(
            {"Resources": ["*"], "Conditions": {"StringLike": [condition("aws:ResourceTag/backup", "tr* ")]}},
            {"backup": "true "},
            id="StringLike",
        ),
    ],
)
def test_it_refuses_to_strip_what_resources_are_picked_by(
    door: Door, body: dict[str, Any], tags: dict[str, str]
) -> None:
    tag_resource(ACCOUNT, "eu-west-1", VOLUME, tags)
    selection = door.selection(door.plan(), **body)
    assert compliance(door)[selection] == "NON_COMPLIANT"
    found = refusal(door, selection)
    assert f"{VOLUME} carries the tag" in found
    assert "would no longer be backed up" in found


def test_a_resource_with_the_clean_tag_is_no_obstacle_and_is_picked_afterwards(door: Door) -> None:
    tag_resource(ACCOUNT, "eu-west-1", VOLUME, {"backup": "true"})
    selection = door.selection(door.plan(), **asking("backup ", "true"))
    assert compliance(door) == {selection: "NON_COMPLIANT", "vol-0abd": "NON_COMPLIANT"}
    assert run(door, DOCUMENT, selection).failure is None
    assert set(compliance(door, hours=1).values()) == {"COMPLIANT"}


def test_it_refuses_negative_conditions(door: Door) -> None:
    negative: dict[str, Any] = {
        "Resources": ["*"],
        "Conditions": {"StringNotEquals": [condition("aws:ResourceTag/backup", "no ")]},
    }
    selection = door.selection(door.plan(), **negative)
    assert "would leave out resources that it backs up now" in refusal(door, selection)


def test_it_refuses_tags_of_white_space_only(door: Door) -> None:
    selection = door.selection(door.plan(), **asking("backup", " \t"))
    assert "nothing but white space" in refusal(door, selection)


def test_it_refuses_what_is_no_selection_or_not_this_accounts_to_change(door: Door) -> None:
    assert "vol-0abd is not a backup selection" in refusal(door, "vol-0abd")
    for plan_id, reason in (("orgs/nightly", "comes from a backup policy"), ("aws/efs/automatic", "is AWS's own")):
        role = f"arn:aws:iam::{ACCOUNT}:role/BackupRole"
        add_plan(
            ACCOUNT,
            "eu-west-1",
            {"BackupPlanName": "nightly", "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "Default"}]},
            plan_id=plan_id,
            selections=[{"SelectionName": "tagged", "IamRoleArn": role, **asking("backup ", "true")}],
        )
        (selection_id,) = selections(door, plan_id)
        assert reason in refusal(door, f"{selection_id}_{plan_id}")


def test_nothing_is_lost_when_the_old_one_cannot_be_deleted_and_the_next_run_finishes(door: Door) -> None:
    plan = door.plan()
    selection = door.selection(plan, **asking("backup ", "true"))
    with failing(faults.denied, "backup", "DeleteBackupSelection"):
        outcome = run(door, DOCUMENT, selection)
    assert outcome.failure is not None
    assert "not authorized to perform: backup:DeleteBackupSelection" in outcome.failure
    assert len(selections(door, plan)) == 2
    with recorded_calls() as calls:
        assert run(door, DOCUMENT, selection).failure is None
    assert changes(calls) == ["DeleteBackupSelection"]
    (left,) = selections(door, plan).values()
    assert left["ListOfTags"] == [tag("backup", "true")]


def test_nothing_is_lost_when_the_new_one_cannot_be_made(door: Door) -> None:
    plan = door.plan()
    selection = door.selection(plan, **asking("backup ", "true"))
    with failing(faults.error("LimitExceededException", "Too many selections"), "backup", "CreateBackupSelection"):
        outcome = run(door, DOCUMENT, selection)
    assert outcome.failure is not None
    assert "LimitExceededException" in outcome.failure
    assert set(selections(door, plan)) == {selection.partition("_")[0]}


def test_a_name_that_is_refused_twice_gets_a_number(door: Door) -> None:
    plan = door.plan()
    selection = door.selection(plan, "nightly", **asking("backup ", "true"))
    door.selection(plan, "nightly-2")
    taken = faults.error("AlreadyExistsException", "Backup selection with the same name already exists.")
    with failing(taken, "backup", "CreateBackupSelection", nth={1}):
        assert run(door, DOCUMENT, selection).failure is None
    assert {each["SelectionName"] for each in selections(door, plan).values()} == {"nightly-2", "nightly-3"}


@pytest.mark.parametrize("form", ["{}a", "a{}"])
def test_white_space_is_what_the_rule_takes_for_it(form: str) -> None:
    for character in map(chr, range(0x10000)):
        text = form.format(character)
        assert (stripped_text(text) == "a") == white_space_at_ends(text), hex(ord(character))

"""BACKUP_TAG_WHITESPACE through the front door; what it shares with BACKUP_TAG_CASE is tested there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from aws_simulator.core.backup import add_plan
from aws_simulator.core.tagging import tag_resource
from tests.front_door import ACCOUNT, REGION, Door, front_door

RULE = "BACKUP_TAG_WHITESPACE"
SELECTION = "AWS::Backup::BackupSelection"
INSTANCE = ("AWS::EC2::Instance", "i-0abc")


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        yield it


def instance(tags: Mapping[str, str]) -> None:
    tag_resource(ACCOUNT, REGION, f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0abc", tags)


def asking(key: str, value: str) -> dict[str, Any]:
    return {"ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value}]}


def condition(kind: str, key: str, value: str) -> dict[str, Any]:
    return {"Resources": ["*"], "Conditions": {kind: [{"ConditionKey": key, "ConditionValue": value}]}}


def verdicts(door: Door) -> dict[tuple[str, str], tuple[str, str]]:
    return {key: (each.compliance, each.annotation) for key, each in door.evaluate(RULE).items()}


@pytest.mark.parametrize(
    ("key", "value", "shown", "correction"),
    [
        pytest.param("backup", "true ", '"backup"="true "', "correct the tag value", id="blank at the end"),
        pytest.param(" backup", "true", '" backup"="true"', "rename the tag key", id="blank before the key"),
        pytest.param("backup", "\ttrue", r'"backup"="\ttrue"', "correct the tag value", id="tab"),
        pytest.param("backup\u00a0", "true", r'"backup\u00a0"="true"', "rename the tag key", id="no-break space"),
        pytest.param("back\u200bup", "true", r'"back\u200bup"="true"', "rename the tag key", id="zero width"),
        pytest.param("Backup", "true ", '"Backup"="true "', "retag it", id="letter case as well"),
    ],
)
def test_a_resource_and_the_selection_that_misses_it(
    door: Door, key: str, value: str, shown: str, correction: str
) -> None:
    selection = door.selection(door.plan("prod"), "nightly")
    instance({key: value})
    assert verdicts(door) == {
        (SELECTION, selection): (
            "NON_COMPLIANT",
            (
                'Selection nightly of plan prod asks for "backup"="true"; 1 resource carries it with other white space,'
                f" such as EC2 instance i-0abc with {shown}. White space counts in tags: {correction}."
            ),
        ),
        INSTANCE: (
            "NON_COMPLIANT",
            (
                f'i-0abc carries {shown}; selection nightly of plan prod asks for "backup"="true".'
                f" White space counts in tags: {correction}."
            ),
        ),
    }


@pytest.mark.parametrize(
    ("wanted", "found", "near"),
    [
        pytest.param("my tag", "my  tag", True, id="two blanks within"),
        pytest.param("my tag", "my\u3000tag", True, id="wide blank"),
        pytest.param("caf\u00e9", "cafe\u0301", True, id="accent of its own"),
        pytest.param("my tag", "mytag", False, id="no blank at all"),
        pytest.param("my tag", "my-tag", False, id="hyphen"),
        pytest.param("tag", "Tag", False, id="letter case only"),
    ],
)
def test_what_is_near(door: Door, wanted: str, found: str, near: bool) -> None:
    door.selection(door.plan(), **asking("backup", wanted))
    instance({"backup": found})
    assert (INSTANCE in verdicts(door)) is near


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param(asking("backup ", "true"), 'Tag "backup "="true"', id="key"),
        pytest.param(asking("backup", " true"), 'Tag "backup"=" true"', id="value"),
        pytest.param(asking("backup", "true\u00a0"), r'Tag "backup"="true\u00a0"', id="no-break space"),
        pytest.param(
            condition("StringNotEquals", "aws:ResourceTag/backup", "false "),
            'StringNotEquals "backup"="false "',
            id="negative condition",
        ),
        pytest.param(
            condition("StringLike", "aws:ResourceTag/backup ", "tr*"), 'StringLike "backup "="tr*"', id="pattern"
        ),
    ],
)
def test_a_selection_with_stray_white_space_of_its_own(door: Door, body: dict[str, Any], shown: str) -> None:
    selection = door.selection(door.plan(), **body)
    assert verdicts(door) == {
        (SELECTION, selection): (
            "NON_COMPLIANT",
            (
                f"{shown} of selection everything of plan nightly begins or ends with white space, which counts in"
                " tags. Delete the selection and create it again without the white space."
            ),
        )
    }


def test_resources_with_the_clean_tag_are_missed_by_such_a_selection(door: Door) -> None:
    selection = door.selection(door.plan("prod"), "nightly", **asking("backup ", "true"))
    instance({"backup": "true"})
    found = verdicts(door)
    assert found[SELECTION, selection][1].endswith("without the white space. (+1 more)")
    assert found[INSTANCE] == (
        "NON_COMPLIANT",
        (
            'i-0abc carries "backup"="true"; selection nightly of plan prod asks for "backup "="true".'
            " White space counts in tags: delete the selection and create it again without the white space."
        ),
    )


def test_a_selection_of_a_backup_policy_is_changed_in_the_policy(door: Door) -> None:
    plan = {"BackupPlanName": "made", "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "Default"}]}
    body = {
        "SelectionName": "all",
        "IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/BackupRole",
        **asking("backup ", "true"),
    }
    (selection_id,) = add_plan(ACCOUNT, REGION, plan, plan_id="orgs/5a8b", selections=[body])
    instance({"backup": "true"})
    found = verdicts(door)
    assert found[SELECTION, f"{selection_id}_orgs/5a8b"][1] == (
        'Tag "backup "="true" of selection all of plan made begins or ends with white space, which counts in tags.'
        " Correct the tag in the backup policy. (+1 more)"
    )
    assert found[INSTANCE][1].endswith(". White space counts in tags: correct the tag in the backup policy.")


def test_a_blank_within_a_tag_is_nobodys_problem(door: Door) -> None:
    selection = door.selection(door.plan(), **asking("my backup", "yes please"))
    instance({"my backup": "yes please"})
    assert verdicts(door) == {(SELECTION, selection): ("COMPLIANT", "")}

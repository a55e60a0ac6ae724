"""The commands on the rule pages, run by the real AWS CLI against the simulator: broken before, COMPLIANT after."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aws_simulator.core.tagging import tag_resource
from aws_simulator.server import serving
from backup_rules_cli.catalogue import rule_folders
from tests.front_door import ACCOUNT, NOW, REGION, Door, front_door
from tests.pages import execute, shell_blocks


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Door, str]]:
    with front_door() as door, serving() as url:
        yield door, url


def run_page(rule: str, door: Door, url: str, **variables: str) -> None:
    """Run every shell block of the rule's page in the door's account."""
    (folder,) = rule_folders(rule)
    execute("".join(shell_blocks(folder.path / "README.md")), door, url, **variables)


def compliances(door: Door, rule: str) -> set[str]:
    return {each.compliance for each in door.evaluate(rule).values()}


def test_role_permissions(server: tuple[Door, str]) -> None:
    door, url = server
    door.role("BackupRole")
    selection = {"IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/BackupRole"}
    door.selection(door.plan("tables"), Resources=["arn:aws:dynamodb:*:*:table/*", "arn:aws:s3:::*"], **selection)
    assert compliances(door, "BACKUP_ROLE_PERMISSIONS") == {"NON_COMPLIANT"}
    run_page("BACKUP_ROLE_PERMISSIONS", door, url)
    assert compliances(door.at(now=NOW.replace(hour=13)), "BACKUP_ROLE_PERMISSIONS") == {"COMPLIANT"}


def test_tag_case(server: tuple[Door, str]) -> None:
    door, url = server
    tag_resource(ACCOUNT, REGION, f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0abc", {"Backup": "true"})
    door.selection(door.plan("by-case"))
    assert "NON_COMPLIANT" in compliances(door, "BACKUP_TAG_CASE")
    run_page("BACKUP_TAG_CASE", door, url)
    assert compliances(door.at(now=NOW.replace(hour=13)), "BACKUP_TAG_CASE") == {"COMPLIANT"}


def test_tag_white_space(server: tuple[Door, str]) -> None:
    door, url = server
    tag_resource(ACCOUNT, REGION, f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-0abd", {"backup ": "true"})
    plan = door.plan("by-white-space")
    stray = {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "true "}
    selection = door.selection(plan, "stray", ListOfTags=[stray])
    assert "NON_COMPLIANT" in compliances(door, "BACKUP_TAG_WHITESPACE")
    run_page("BACKUP_TAG_WHITESPACE", door, url, PLAN_ID=plan, SELECTION_ID=selection.partition("_")[0])
    assert compliances(door.at(now=NOW.replace(hour=13)), "BACKUP_TAG_WHITESPACE") == {"COMPLIANT"}

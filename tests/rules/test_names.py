"""Names in annotations: somebody who searches for the name of a plan finds its verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aws_simulator.core.tagging import tag_resource
from tests.front_door import ACCOUNT, REGION, Door, front_door

PLAN = "payments-production-nightly-backups-of-databases"  # 48 of the 50 characters that AWS Backup admits
VOLUME = f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-0123456789abcdef0"
KEY, VALUE = "classification-of-the-data-in-it", "personal-and-payment-data-of-customers"


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as opened:
        yield opened


def tags(arn: str, **carried: str) -> None:
    tag_resource(ACCOUNT, REGION, arn, carried or {"backup": "true"})


def turn_off(door: Door, key: str) -> None:
    door.client("backup").update_region_settings(ResourceTypeOptInPreference={key: False})


def asks_for(key: str, value: str) -> dict[str, Any]:
    return {"ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value}]}


def opted_out(door: Door) -> dict[str, Any]:
    tags(VOLUME)
    turn_off(door, "EBS")
    return {}


def opted_out_with_long_tags(door: Door) -> dict[str, Any]:
    tags(VOLUME, **{KEY: VALUE})
    turn_off(door, "EBS")
    return asks_for(KEY, VALUE)


def without_permissions(door: Door) -> dict[str, Any]:
    door.role()
    return {"Resources": [VOLUME]}


def near_miss(_: Door) -> dict[str, Any]:
    tags(VOLUME, Backup="true")
    return {}


def without_role(_: Door) -> dict[str, Any]:
    return {}


def stray_blank(_: Door) -> dict[str, Any]:
    return asks_for("backup ", "true")


def unsupported(_: Door) -> dict[str, Any]:
    tags(f"arn:aws:storagegateway:{REGION}:{ACCOUNT}:gateway/sgw-12A3456B")
    return {}


@pytest.mark.parametrize(
    ("rule", "make"),
    [
        pytest.param("BACKUP_SERVICE_OPT_IN", opted_out, id="opt-in"),
        pytest.param("BACKUP_SERVICE_OPT_IN", opted_out_with_long_tags, id="opt-in and long tags"),
        pytest.param("BACKUP_ROLE_ASSUMABLE", without_role, id="no role"),
        pytest.param("BACKUP_ROLE_PERMISSIONS", without_permissions, id="permissions"),
        pytest.param("BACKUP_TAG_CASE", near_miss, id="letter case"),
        pytest.param("BACKUP_TAG_WHITESPACE", stray_blank, id="white space"),
        pytest.param("BACKUP_SELECTION_NOT_EMPTY", without_role, id="nothing picked"),
        pytest.param("BACKUP_RESOURCE_READY", unsupported, id="not supported"),
    ],
)
def test_the_name_of_a_plan_stands_whole(door: Door, rule: str, make: Callable[[Door], dict[str, Any]]) -> None:
    selection = door.selection(door.plan(PLAN), "by-tag", **make(door))
    found = door.evaluate(rule)["AWS::Backup::BackupSelection", selection]
    assert found.compliance == "NON_COMPLIANT"
    assert f"selection by-tag of plan {PLAN} " in found.annotation.replace("Selection", "selection")

"""Roles as AWS documents them, and what they back up, through the handlers of the rules about roles and opt-in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto.iam.models import iam_backends

from aws_simulator.core.tagging import tag_resource
from backup_rules.resources.resource_types import (
    DYNAMODB,
    EBS,
    EC2,
    EFS,
    FSX_FILE_SYSTEM,
    RDS_INSTANCE,
    S3,
    STORAGE_GATEWAY,
    VIRTUAL_MACHINE,
    ResourceType,
)
from tests.aws_statements import documented
from tests.front_door import ACCOUNT, REGION, Door, front_door

SELECTION = "AWS::Backup::BackupSelection"
HERE = f"{REGION}:{ACCOUNT}"
TABLE = f"arn:aws:dynamodb:{HERE}:table/orders"


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as opened:
        yield opened


def role(door: Door, statements: list[dict[str, Any]]) -> None:
    door.role()
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    door.client("iam").put_role_policy(RoleName="BackupRole", PolicyName="own", PolicyDocument=document)


def judged(door: Door, rule: str, **selection: Any) -> tuple[str, str]:
    made = door.selection(door.plan(), **selection)
    found = door.evaluate(rule)[SELECTION, made]
    return found.compliance, found.annotation


@pytest.mark.parametrize(
    ("kind", "arn"),
    [
        pytest.param(EC2, f"arn:aws:ec2:{HERE}:instance/i-0abc", id="EC2"),
        pytest.param(EBS, f"arn:aws:ec2:{HERE}:volume/vol-0abc", id="EBS"),
        pytest.param(DYNAMODB, TABLE, id="DynamoDB"),
        pytest.param(FSX_FILE_SYSTEM, f"arn:aws:fsx:{HERE}:file-system/fs-0abc", id="FSx"),
        pytest.param(VIRTUAL_MACHINE, f"arn:aws:backup-gateway:{HERE}:vm/vm-0abc", id="VM"),
        pytest.param(EFS, f"arn:aws:elasticfilesystem:{HERE}:file-system/fs-0abc", id="EFS"),
        pytest.param(RDS_INSTANCE, f"arn:aws:rds:{HERE}:db:orders", id="RDS"),
        pytest.param(
            STORAGE_GATEWAY, f"arn:aws:storagegateway:{HERE}:gateway/sgw-1a2b3c4d/volume/vol-0abc", id="Storage Gateway"
        ),
        pytest.param(S3, "arn:aws:s3:::amzn-s3-demo-bucket", id="S3"),
    ],
)
def test_a_role_made_of_the_statements_that_aws_lists_is_enough(door: Door, kind: ResourceType, arn: str) -> None:
    role(door, documented(kind))
    assert judged(door, "BACKUP_ROLE_PERMISSIONS", Resources=[arn]) == ("COMPLIANT", "")


@pytest.mark.parametrize(
    ("tagged", "advanced", "compliance"),
    [(True, True, "NON_COMPLIANT"), (True, False, "COMPLIANT"), (False, True, "COMPLIANT")],
    ids=["tagged and advanced", "tagged, not advanced", "advanced without tags"],
)
def test_tags_of_a_table_are_put_on_recovery_points_by_advanced_backup_only(
    door: Door, tagged: bool, advanced: bool, compliance: str
) -> None:
    role(door, documented(DYNAMODB))
    door.client("backup").update_region_settings(ResourceTypeManagementPreference={"DynamoDB": advanced})
    tag_resource(ACCOUNT, REGION, TABLE, {"team": "shop"} if tagged else {})
    said, annotation = judged(door, "BACKUP_ROLE_PERMISSIONS", Resources=[TABLE])
    assert said == compliance
    assert ("backup:TagResource" in annotation) == (said == "NON_COMPLIANT")


@pytest.mark.parametrize(
    ("effect", "compliance"), [("allow", "COMPLIANT"), ("ALLOW", "COMPLIANT"), ("deny", "NON_COMPLIANT")]
)
def test_letter_case_of_an_effect_in_a_trust_policy_changes_nothing(door: Door, effect: str, compliance: str) -> None:
    door.role()
    statement = {"Effect": effect, "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
    statements = [statement, *([statement | {"Effect": "Allow"}] if effect == "deny" else [])]
    # CreateRole would refuse it; roles that IAM has had for long may bear it.
    (kept,) = (each for each in iam_backends[ACCOUNT]["aws"].roles.values() if each.name == "BackupRole")
    kept.assume_role_policy_document = json.dumps(
        {"Version": "2012-10-17", "Statement": statements[: 1 + (effect == "deny")]}
    )
    assert judged(door, "BACKUP_ROLE_ASSUMABLE")[0] == compliance


@pytest.mark.parametrize(
    ("engine", "key"), [("docdb", "DocumentDB"), ("neptune", "Neptune"), ("aurora-mysql", "Aurora")]
)
def test_clusters_without_tags_count_where_everything_is_picked(door: Door, engine: str, key: str) -> None:
    door.client("rds").create_db_cluster(
        DBClusterIdentifier="orders", Engine=engine, MasterUsername="owner", MasterUserPassword="correct-horse"
    )
    door.role()
    door.client("backup").update_region_settings(ResourceTypeOptInPreference={key: False})
    compliance, annotation = judged(door, "BACKUP_SERVICE_OPT_IN", Resources=["*"])
    assert compliance == "NON_COMPLIANT"
    assert f"Resource type {key} is turned off in {REGION}" in annotation
    assert annotation.count("orders") == 1
    ((_, found),) = door.evaluate("BACKUP_ROLE_PERMISSIONS").items()
    assert found.compliance == "NON_COMPLIANT"
    assert "rds:" in found.annotation

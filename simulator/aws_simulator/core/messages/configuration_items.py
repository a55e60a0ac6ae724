"""Configuration items of backup plans and selections, as AWS Config records them and sends them in events.

The shapes are those of Config's resource schema, which are CloudFormation's names, not AWS Backup's: a backup rule says
`TargetBackupVault` where `GetBackupPlan` says `TargetBackupVaultName`. An item carries no `ListOfTags`, no `Conditions`
and no time zone of a schedule. Sources: https://github.com/awslabs/aws-config-resource-schema and
https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

PLAN_TYPE = "AWS::Backup::BackupPlan"
SELECTION_TYPE = "AWS::Backup::BackupSelection"

Status = Literal["OK", "ResourceDiscovered", "ResourceDeleted", "ResourceNotRecorded", "ResourceDeletedNotRecorded"]
DELETED_STATUSES = frozenset({"ResourceDeleted", "ResourceDeletedNotRecorded"})


@dataclass(frozen=True, slots=True)
class Recording:
    """Where and when Config recorded an item, and what had happened to the resource. `captured` has a time zone."""

    account: str
    region: str
    captured: datetime
    status: Status = "OK"
    partition: str = "aws"


def iso_time(instant: datetime) -> str:
    """`instant` as Config writes it in events: UTC, to the millisecond, with a Z."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plan_item(answer: Mapping[str, Any], recording: Recording) -> dict[str, Any]:
    """The item of a backup plan, from what `backup:GetBackupPlan` answers."""
    plan_id = answer["BackupPlanId"]
    plan = answer["BackupPlan"]
    configuration = {
        "BackupPlanArn": answer["BackupPlanArn"],
        "BackupPlanId": plan_id,
        "VersionId": answer["VersionId"],
        "BackupPlan": {
            "BackupPlanName": plan["BackupPlanName"],
            "BackupPlanRule": [_backup_rule(rule) for rule in plan["Rules"]],
            **_present(plan, "AdvancedBackupSettings"),
        },
    }
    return _item(
        recording,
        resource_type=PLAN_TYPE,
        resource_id=plan_id,
        name=plan["BackupPlanName"],
        arn=answer["BackupPlanArn"],
        configuration=configuration,
    )


def selection_item(answer: Mapping[str, Any], recording: Recording) -> dict[str, Any]:
    """The item of a backup selection, from what `backup:GetBackupSelection` answers."""
    plan_id, selection_id, selection = answer["BackupPlanId"], answer["SelectionId"], answer["BackupSelection"]
    configuration = {
        "BackupPlanId": plan_id,
        "SelectionId": selection_id,
        "BackupSelection": {
            "IamRoleArn": selection["IamRoleArn"],
            "SelectionName": selection["SelectionName"],
            **_present(selection, "Resources", "NotResources"),
        },
    }
    arn = f"arn:{recording.partition}:backup:{recording.region}:{recording.account}:selection:{selection_id}"
    return _item(
        recording,
        resource_type=SELECTION_TYPE,
        resource_id=f"{selection_id}_{plan_id}",
        name=selection["SelectionName"],
        arn=arn,
        configuration=configuration,
    )


def _backup_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "RuleName": rule["RuleName"],
        "TargetBackupVault": rule["TargetBackupVaultName"],
        **_present(
            rule,
            "ScheduleExpression",
            "StartWindowMinutes",
            "CompletionWindowMinutes",
            "EnableContinuousBackup",
            "Lifecycle",
            "CopyActions",
        ),
    }


def _present(source: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: source[name] for name in names if source.get(name)}


def _item(  # noqa: PLR0913 - the parts of a configuration item, told apart by name
    recording: Recording,
    *,
    resource_type: str,
    resource_id: str,
    name: str,
    arn: str,
    configuration: dict[str, Any],
) -> dict[str, Any]:
    """The item as an event carries it. A deleted resource has no configuration left."""
    deleted = recording.status in DELETED_STATUSES
    captured = iso_time(recording.captured)
    text = json.dumps(configuration, sort_keys=True)
    return {
        "relatedEvents": [],
        "relationships": [],
        "configuration": None if deleted else configuration,
        "supplementaryConfiguration": {},
        "tags": {},
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": captured,
        "configurationStateId": int(recording.captured.timestamp() * 1000),
        "awsAccountId": recording.account,
        "configurationItemStatus": recording.status,
        "resourceType": resource_type,
        "resourceId": resource_id,
        "resourceName": name,
        "ARN": arn,
        "awsRegion": recording.region,
        "availabilityZone": "Regional",
        "configurationStateMd5Hash": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
        "resourceCreationTime": captured,
    }

"""The functions of `functions/` as they are packaged, and their way in: SQS messages with events of AWS Config."""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from backup_rules_cli.package import package

ACCOUNT, OTHER, CENTRAL = "111122223333", "222233334444", "444455556666"
REGION = "eu-west-1"
DATABASE = ("AWS::RDS::DBInstance", "db-AB7BA31A5ADB4604B782AC01DC")
WHY = "Backup rule nightly of plan databases starts 02:30 UTC, within an hour before a window of orders-db. Move it."


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="functions-")
    packed = package(Path(folder.name) / "package")
    for name, path in packed.files.items():
        if name.startswith("functions/"):
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder.name)
    return folder


def module(name: str) -> ModuleType:
    """A module of the functions, imported from what the packages hold (`rules.json` beside it)."""
    folder = _folder().name
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


def event(
    rule: str = "backup-rds-window-conflict-conformance-pack-n0q8yfwsp",
    compliance: str = "NON_COMPLIANT",
    before: str | None = None,
    *,
    account: str = ACCOUNT,
    region: str = REGION,
    partition: str = "aws",
    resource: tuple[str, str] = DATABASE,
    annotation: str | None = WHY,
    recorded: str = "2026-11-23T12:00:00.000Z",
) -> dict[str, Any]:
    """A "Config Rules Compliance Change", as AWS Config sends it."""

    def result(compliance_type: str, said: str | None) -> dict[str, Any]:
        qualifier = {"configRuleName": rule, "resourceType": resource[0], "resourceId": resource[1]}
        return {
            "evaluationResultIdentifier": {"evaluationResultQualifier": qualifier, "orderingTimestamp": recorded},
            "complianceType": compliance_type,
            "resultRecordedTime": recorded,
            "configRuleInvokedTime": recorded,
            **({"annotation": said} if said else {}),
        }

    arn = (
        f"arn:{partition}:config:{region}:{account}:config-rule/aws-service-rule/config-conforms.amazonaws.com/"
        "config-rule-a1b2c3"
    )
    detail = {
        "resourceId": resource[1],
        "awsRegion": region,
        "awsAccountId": account,
        "configRuleName": rule,
        "recordVersion": "1.0",
        "configRuleARN": arn,
        "messageType": "ComplianceChangeNotification",
        "newEvaluationResult": result(compliance, annotation),
        **({"oldEvaluationResult": result(before, None)} if before else {}),
        "notificationCreationTime": recorded,
        "resourceType": resource[0],
    }
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Config Rules Compliance Change",
        "source": "aws.config",
        "account": account,
        "time": "2026-11-23T12:00:01Z",
        "region": region,
        "resources": [],
        "detail": detail,
    }


def messages(events: Iterable[Mapping[str, Any] | str]) -> dict[str, Any]:
    """The event with which Lambda hands SQS messages over; the ids of the messages count from 0."""
    records = [
        {"messageId": str(number), "body": each if isinstance(each, str) else json.dumps(each)}
        for number, each in enumerate(events)
    ]
    return {"Records": records}

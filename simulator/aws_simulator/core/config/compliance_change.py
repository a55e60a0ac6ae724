"""AWS Config's event when a resource's compliance with a rule changes, for whoever listens: EventBridge, Security Hub.

Source: https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.config.models import ConfigBackend

from aws_simulator.core.config.state import Result, compliance_listeners
from aws_simulator.core.operations import now

Event = dict[str, Any]

listeners: list[Callable[[Mapping[str, Any]], None]] = []
"""Who gets each event, in this order."""


def install() -> None:
    """Has AWS Config's evaluations tell of changes. Idempotent."""
    if _tell not in compliance_listeners:
        compliance_listeners.append(_tell)


def aws_event(account: str, region: str, source: str, detail_type: str, detail: Mapping[str, Any]) -> Event:
    """An event as an AWS service sends it."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": f"{now():%Y-%m-%dT%H:%M:%SZ}",
        "region": region,
        "resources": [],
        "detail": dict(detail),
    }


def _tell(backend: ConfigBackend, rule_name: str, old: Result | None, new: Result) -> None:
    account, region = str(backend.account_id), str(backend.region_name)
    rule = backend.config_rules[rule_name]
    evaluation = new.evaluation
    detail: Event = {
        "resourceId": evaluation["ComplianceResourceId"],
        "awsRegion": region,
        "awsAccountId": account,
        "configRuleName": rule_name,
        "recordVersion": "1.0",
        "configRuleARN": rule.config_rule_arn,
        "messageType": "ComplianceChangeNotification",
        "newEvaluationResult": _evaluation_result(rule_name, new),
        "notificationCreationTime": _time(new.recorded),
        "resourceType": evaluation["ComplianceResourceType"],
    }
    if old is not None:
        detail["oldEvaluationResult"] = _evaluation_result(rule_name, old)
    event = aws_event(account, region, "aws.config", "Config Rules Compliance Change", detail)
    for listener in listeners:
        listener(event)


def _evaluation_result(rule_name: str, result: Result) -> Event:
    evaluation = result.evaluation
    found = {
        "evaluationResultIdentifier": {
            "evaluationResultQualifier": {
                "configRuleName": rule_name,
                "resourceType": evaluation["ComplianceResourceType"],
                "resourceId": evaluation["ComplianceResourceId"],
            },
            "orderingTimestamp": _time(evaluation["OrderingTimestamp"]),
        },
        "complianceType": evaluation["ComplianceType"],
        "resultRecordedTime": _time(result.recorded),
        "configRuleInvokedTime": _time(evaluation["OrderingTimestamp"]),
    }
    return found | ({"annotation": evaluation["Annotation"]} if "Annotation" in evaluation else {})


def _time(seconds: float) -> str:
    instant = datetime.fromtimestamp(float(seconds), UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03}Z"

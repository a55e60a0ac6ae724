"""The events with which AWS Config invokes a custom Lambda rule.

Source: https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aws_simulator.core.messages.configuration_items import DELETED_STATUSES, iso_time


def scheduled_event(  # noqa: PLR0913 - the parts of AWS's event, told apart by name
    *,
    rule_name: str,
    account: str,
    region: str,
    token: str,
    parameters: Mapping[str, str],
    execution_role_arn: str,
    now: datetime,
    partition: str = "aws",
) -> dict[str, Any]:
    """What Config sends when a periodic rule is due in `account`. `now` has a time zone."""
    invoking = {
        "awsAccountId": account,
        "notificationCreationTime": iso_time(now),
        "messageType": "ScheduledNotification",
        "recordVersion": "1.0",
    }
    return _event(
        invoking,
        rule_name=rule_name,
        account=account,
        region=region,
        token=token,
        parameters=parameters,
        execution_role_arn=execution_role_arn,
        partition=partition,
    )


def change_event(  # noqa: PLR0913 - the parts of AWS's event, told apart by name
    *,
    rule_name: str,
    account: str,
    region: str,
    token: str,
    parameters: Mapping[str, str],
    execution_role_arn: str,
    item: Mapping[str, Any],
    now: datetime,
    oversized: bool = False,
    left_scope: bool = False,
    partition: str = "aws",
) -> dict[str, Any]:
    """What Config sends when it has recorded `item` (see `aws_simulator.core.messages.configuration_items`).

    An `oversized` item is larger than an event can be: only its summary is sent, and the rule has to fetch the
    configuration with `GetResourceConfigHistory`. `left_scope`: the resource has left the scope of the rule.
    """
    body = _oversized_body(item) if oversized else _change_body(item)
    return _event(
        body | {"notificationCreationTime": iso_time(now), "recordVersion": "1.3"},
        rule_name=rule_name,
        account=account,
        region=region,
        token=token,
        parameters=parameters,
        execution_role_arn=execution_role_arn,
        partition=partition,
    ) | {"eventLeftScope": left_scope}


def rule_arn(rule_name: str, account: str, region: str, partition: str = "aws") -> str:
    """An ARN as Config makes it: the id at its end is made by Config, and always the same for the same rule here."""
    digest = hashlib.sha256(f"{account}/{region}/{rule_name}".encode()).hexdigest()
    return f"arn:{partition}:config:{region}:{account}:config-rule/config-rule-{digest[:6]}"


def _change_body(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "configurationItemDiff": {"changedProperties": {}, "changeType": _change_type(item)},
        "configurationItem": dict(item),
        "messageType": "ConfigurationItemChangeNotification",
    }


def _oversized_body(item: Mapping[str, Any]) -> dict[str, Any]:
    left_out = {"configuration", "supplementaryConfiguration", "relatedEvents", "relationships", "tags"}
    summary = {name: value for name, value in item.items() if name not in left_out}
    return {
        "configurationItemSummary": summary | {"changeType": _change_type(item)},
        "s3DeliverySummary": {"s3BucketLocation": None, "errorCode": None, "errorMessage": None},
        "messageType": "OversizedConfigurationItemChangeNotification",
    }


def _change_type(item: Mapping[str, Any]) -> str:
    status = item["configurationItemStatus"]
    if status in DELETED_STATUSES:
        return "DELETE"
    return "CREATE" if status == "ResourceDiscovered" else "UPDATE"


def _event(  # noqa: PLR0913 - the parts of AWS's event, told apart by name
    invoking: Mapping[str, Any],
    *,
    rule_name: str,
    account: str,
    region: str,
    token: str,
    parameters: Mapping[str, str],
    execution_role_arn: str,
    partition: str,
) -> dict[str, Any]:
    arn = rule_arn(rule_name, account, region, partition)
    return {
        "version": "1.0",
        "invokingEvent": json.dumps(invoking),
        "ruleParameters": json.dumps(dict(parameters)),
        "resultToken": token,
        "eventLeftScope": False,
        "executionRoleArn": execution_role_arn,
        "configRuleArn": arn,
        "configRuleName": rule_name,
        "configRuleId": arn.rpartition("/")[2],
        "accountId": account,
    }

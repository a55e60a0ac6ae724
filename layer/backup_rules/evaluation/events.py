"""The events with which AWS Config invokes a custom rule's function, checked and typed.

Source: https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from backup_rules.arns import Arn
from backup_rules.errors import InvalidEventError, InvalidRuleParametersError
from backup_rules.evaluation.subjects import PLAN, SELECTION

SCHEDULED = "ScheduledNotification"
CHANGED = "ConfigurationItemChangeNotification"
OVERSIZED = "OversizedConfigurationItemChangeNotification"

_DELETED = {"ResourceDeleted", "ResourceDeletedNotRecorded"}


@dataclass(frozen=True, slots=True)
class Trigger:
    """The configuration item whose change invoked the rule.

    `plan_id` and `selection_id` are what it is about: both None where it is neither a plan nor a selection. `gone`: the
    resource was deleted, or has left the rule's scope.
    """

    resource_type: str
    resource_id: str
    plan_id: str | None
    selection_id: str | None
    gone: bool

    @property
    def key(self) -> tuple[str, str]:
        """The evaluation that is about the item itself."""
        return self.resource_type, self.resource_id


@dataclass(frozen=True, slots=True)
class ConfigEvent:
    """One event. `now` is its `notificationCreationTime` in UTC; evaluations bear `ordering_timestamp`."""

    account: str
    rule_name: str
    result_token: str
    partition: str | None
    parameters: Mapping[str, object]
    now: datetime
    ordering_timestamp: str
    trigger: Trigger | None

    @property
    def test_mode(self) -> bool:
        """Whether this is RDK's dry run: evaluations are checked and not stored."""
        return self.result_token == "TESTMODE"  # noqa: S105 - RDK's word, no secret


def read_event(event: object) -> ConfigEvent:
    """The event, typed.

    Raises:
        InvalidEventError: when a part that is needed is missing or is not what AWS Config sends.
        InvalidRuleParametersError: when `ruleParameters` is no JSON object.
    """
    if not isinstance(event, Mapping):
        raise InvalidEventError(f"The event is {event!r}; AWS Config sends a JSON object.")
    invoking = _json_object(event, "invokingEvent")
    kind = invoking.get("messageType")
    if kind not in {SCHEDULED, CHANGED, OVERSIZED}:
        raise InvalidEventError(
            f"messageType is {kind!r}; this rule handles {SCHEDULED}, {CHANGED} and {OVERSIZED} only."
        )
    created = _text(invoking, "notificationCreationTime")
    item = {} if kind == SCHEDULED else _item(invoking, kind)
    account = event.get("accountId") or invoking.get("awsAccountId") or item.get("awsAccountId")
    if not isinstance(account, str) or not re.fullmatch(r"[0-9]{12}", account):
        raise InvalidEventError(f"accountId is {account!r}; AWS Config sends a 12-digit account id.")
    return ConfigEvent(
        account=account,
        rule_name=_text(event, "configRuleName"),
        result_token=_text(event, "resultToken"),
        partition=_partition(event),
        parameters=_parameters(event),
        now=_moment(created),
        ordering_timestamp=str(item.get("configurationItemCaptureTime") or created),
        trigger=None if kind == SCHEDULED else _trigger(item, left_scope=bool(event.get("eventLeftScope"))),
    )


def _json_object(event: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    text = event.get(key)
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError as error:
        raise InvalidEventError(f"{key} is no JSON: {error}; it begins {str(text)[:60]!r}.") from None
    if not isinstance(found, Mapping):
        raise InvalidEventError(f"{key} is {text!r}; AWS Config sends the text of a JSON object.")
    return found


def _parameters(event: Mapping[str, Any]) -> Mapping[str, object]:
    text = event.get("ruleParameters")
    if text is None or text == "":
        return {}
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError as error:
        raise InvalidRuleParametersError(f"ruleParameters is no JSON: {error}; it is {str(text)[:60]!r}.") from None
    if not isinstance(found, Mapping):
        raise InvalidRuleParametersError(f"ruleParameters is {text!r}; allowed is the text of a JSON object.")
    return found


def _text(event: Mapping[str, Any], key: str) -> str:
    found = event.get(key)
    if not isinstance(found, str) or not found:
        raise InvalidEventError(f"{key} is {found!r}; AWS Config sends a text that is not empty.")
    return found


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidEventError(
            f"notificationCreationTime is {text!r}; AWS Config sends a time such as 2026-01-31T05:00:00.000Z."
        ) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _partition(event: Mapping[str, Any]) -> str | None:
    for key in ("configRuleArn", "executionRoleArn"):
        arn = Arn.parse(str(event.get(key) or ""))
        if arn is not None:
            return arn.partition
    return None


def _item(invoking: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    key = "configurationItem" if kind == CHANGED else "configurationItemSummary"
    item = invoking.get(key)
    if not isinstance(item, Mapping):
        raise InvalidEventError(f"{key} is {item!r}; a {kind} carries one.")
    return item


def _trigger(item: Mapping[str, Any], *, left_scope: bool) -> Trigger:
    resource_type, resource_id = _text(item, "resourceType"), _text(item, "resourceId")
    configuration = item.get("configuration")
    ids = configuration if isinstance(configuration, Mapping) else {}
    plan_id: object = None
    selection_id: object = None
    if resource_type == PLAN:
        plan_id = ids.get("BackupPlanId") or resource_id
    elif resource_type == SELECTION:
        # A deleted item has no configuration; its id is the selection's, a UUID, and the plan's, joined.
        first, joint, rest = resource_id.partition("_")
        selection_id = ids.get("SelectionId") or first
        plan_id = ids.get("BackupPlanId") or (rest if joint else None)
    if resource_type in {PLAN, SELECTION} and not isinstance(plan_id, str):
        raise InvalidEventError(f"The configuration item of {resource_type} {resource_id!r} does not tell its plan.")
    return Trigger(
        resource_type=resource_type,
        resource_id=resource_id,
        plan_id=plan_id if isinstance(plan_id, str) else None,
        selection_id=selection_id if isinstance(selection_id, str) else None,
        gone=left_scope or item.get("configurationItemStatus") in _DELETED,
    )

"""The events with which AWS Config invokes a custom rule's function, checked and typed.

Source: https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from backup_rules.arns import Arn
from backup_rules.errors import InvalidEventError
from backup_rules.evaluation.subjects import PLAN, SELECTION
from backup_rules.values import dataclass
from backup_rules.wording.quoting import shown

SCHEDULED = "ScheduledNotification"
CHANGED = "ConfigurationItemChangeNotification"
OVERSIZED = "OversizedConfigurationItemChangeNotification"

EARLIEST_YEAR, LATEST_YEAR = 2014, 2199  # AWS Config is of 2014; schedules end in 2199

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
    """
    if not isinstance(event, Mapping):
        raise InvalidEventError(f"The event is {shown(event)}; AWS Config sends a JSON object.")
    invoking = _json_object(event, "invokingEvent")
    kind = invoking.get("messageType")
    if not isinstance(kind, str) or kind not in {SCHEDULED, CHANGED, OVERSIZED}:
        raise InvalidEventError(
            f"messageType is {shown(kind)}; this rule handles {SCHEDULED}, {CHANGED} and {OVERSIZED} only."
        )
    created = _text(invoking, "notificationCreationTime")
    item = {} if kind == SCHEDULED else _item(invoking, kind)
    account = event.get("accountId") or invoking.get("awsAccountId") or item.get("awsAccountId")
    if not isinstance(account, str) or not re.fullmatch(r"[0-9]{12}", account):
        raise InvalidEventError(f"accountId is {shown(account)}; AWS Config sends a 12-digit account id.")
    return ConfigEvent(
        account=account,
        rule_name=_text(event, "configRuleName"),
        result_token=_text(event, "resultToken"),
        partition=_partition(event),
        parameters=_parameters(event),
        now=_moment(created, "notificationCreationTime"),
        ordering_timestamp=_ordering_timestamp(item, created),
        trigger=None if kind == SCHEDULED else _trigger(item, left_scope=_left_scope(event)),
    )


def _json_object(event: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = _parsed(event, key)
    if not isinstance(found, Mapping):
        raise InvalidEventError(f"{key} is {shown(found)}; AWS Config sends the text of a JSON object.")
    return found


def _parameters(event: Mapping[str, Any]) -> Mapping[str, object]:
    """The rule's parameters; a hand-made test event often has none, or an empty text, or null."""
    if event.get("ruleParameters") in (None, ""):
        return {}
    found = _parsed(event, "ruleParameters")
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise InvalidEventError(f"ruleParameters is {shown(found)}; AWS Config sends the text of a JSON object.")
    return found


def _parsed(event: Mapping[str, Any], key: str) -> object:
    text = event.get(key)
    try:
        found: object = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidEventError(f"{key} is no JSON: {why}; it begins {str(text)[:60]!r}.") from None
    return found


def _text(event: Mapping[str, Any], key: str) -> str:
    found = event.get(key)
    if not isinstance(found, str) or not found:
        raise InvalidEventError(f"{key} is {shown(found)}; AWS Config sends a text that is not empty.")
    return found


def _moment(text: str, key: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        found = datetime.max.replace(tzinfo=UTC)
    if not EARLIEST_YEAR <= found.year <= LATEST_YEAR:
        raise InvalidEventError(
            f"{key} is {shown(text)}; AWS Config sends a time such as 2026-01-31T05:00:00.000Z, of the years"
            f" {EARLIEST_YEAR} to {LATEST_YEAR}."
        )
    return found


def _ordering_timestamp(item: Mapping[str, Any], created: str) -> str:
    captured = item.get("configurationItemCaptureTime")
    if captured in (None, ""):
        return created
    text = _text(item, "configurationItemCaptureTime")
    _moment(text, "configurationItemCaptureTime")
    return text


def _left_scope(event: Mapping[str, Any]) -> bool:
    found = event.get("eventLeftScope")
    if isinstance(found, str) and found.lower() in {"true", "false", ""}:
        return found.lower() == "true"
    if found is not None and not isinstance(found, bool):
        raise InvalidEventError(f"eventLeftScope is {shown(found)}; AWS Config sends true or false.")
    return bool(found)


def _partition(event: Mapping[str, Any]) -> str | None:
    for key in ("configRuleArn", "executionRoleArn"):
        arn = Arn.parse(event[key]) if isinstance(event.get(key), str) else None
        if arn is not None:
            return arn.partition
    return None


def _item(invoking: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    key = "configurationItem" if kind == CHANGED else "configurationItemSummary"
    item = invoking.get(key)
    if not isinstance(item, Mapping):
        raise InvalidEventError(f"{key} is {shown(item)}; a {kind} carries one.")
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
        raise InvalidEventError(
            f"The configuration item of {resource_type} {shown(resource_id)} does not tell its plan."
        )
    status = item.get("configurationItemStatus")
    if status is not None and not isinstance(status, str):
        raise InvalidEventError(f"configurationItemStatus is {shown(status)}; AWS Config sends a word.")
    return Trigger(
        resource_type=resource_type,
        resource_id=resource_id,
        plan_id=plan_id if isinstance(plan_id, str) else None,
        selection_id=selection_id if isinstance(selection_id, str) else None,
        gone=left_scope or status in _DELETED,
    )

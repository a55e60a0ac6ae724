"""GetResourceConfigHistory: configuration items that were recorded, and those of what AWS Backup has now.

Source: https://docs.aws.amazon.com/config/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from moto.config import models, responses
from moto.config.exceptions import InvalidLimitException, ResourceNotDiscoveredException

from aws_simulator.core.backup import plans, selections
from aws_simulator.core.config.answers import paged
from aws_simulator.core.config.state import state_of
from aws_simulator.core.messages.configuration_items import (
    PLAN_TYPE,
    SELECTION_TYPE,
    Recording,
    Status,
    plan_item,
    selection_item,
)
from aws_simulator.core.operations import AwsError, Request, now


def put_configuration_item(account: str, region: str, item: Mapping[str, Any]) -> None:
    """Record a configuration item (as `messages.configuration_items` makes it) for `GetResourceConfigHistory`."""
    state = state_of(models.config_backends[account][region])
    with state.lock:
        state.items.setdefault((item["resourceType"], item["resourceId"]), []).append(dict(item))


def _get_resource_config_history(self: responses.ConfigResponse) -> str:
    resource_type, resource_id = self._get_param("resourceType"), self._get_param("resourceId")
    state = state_of(self.config_backend)
    with state.lock:
        items = list(state.items.get((resource_type, resource_id), []))
    items = items or _items_of_backup(self, resource_type, resource_id)
    if not items:
        if resource_type in models.RESOURCE_MAP:
            return str(_MOTO_HISTORY(self))
        raise ResourceNotDiscoveredException(resource_type, resource_id)
    limit = self._get_param("limit") or 10
    if limit > 100:
        raise InvalidLimitException(limit)
    earliest, latest = self._get_param("earlierTime"), self._get_param("laterTime")
    listed = [
        item
        for item in map(_recorded_item, items)
        if (earliest is None or item["configurationItemCaptureTime"] >= earliest)
        and (latest is None or item["configurationItemCaptureTime"] <= latest)
    ]
    newest_first = self._get_param("chronologicalOrder") != "Forward"
    listed.sort(key=lambda item: item["configurationItemCaptureTime"], reverse=newest_first)
    page, token = paged([(f"{number:08}",) for number in range(len(listed))], limit, self._get_param("nextToken"))
    answer = {"configurationItems": [listed[int(number)] for (number,) in page]}
    return json.dumps(answer | ({"nextToken": token} if token else {}))


def _items_of_backup(self: responses.ConfigResponse, resource_type: str, resource_id: str) -> list[dict[str, Any]]:
    """What Config would have recorded of a plan or selection that AWS Backup has now: its current state."""
    asked = Request(self.current_account, self.region, _backup_ids(resource_type, resource_id))
    recording = Recording(asked.account, asked.region, now(), partition=asked.partition)
    try:
        if resource_type == PLAN_TYPE:
            answer = plans.HANDLERS["GetBackupPlan"](asked)
            deleted = answer.get("DeletionDate")
            status: Status = "ResourceDeleted" if deleted else "OK"
            return [plan_item(answer, replace(recording, captured=deleted or answer["CreationDate"], status=status))]
        if resource_type == SELECTION_TYPE:
            answer = selections.HANDLERS["GetBackupSelection"](asked)
            return [selection_item(answer, replace(recording, captured=answer["CreationDate"]))]
    except AwsError:
        pass
    return []


def _backup_ids(resource_type: str, resource_id: str) -> dict[str, str]:
    if resource_type == SELECTION_TYPE:
        selection_id, _, plan_id = resource_id.partition("_")
        return {"SelectionId": selection_id, "BackupPlanId": plan_id}
    return {"BackupPlanId": resource_id}


_MOTO_HISTORY = responses.ConfigResponse.get_resource_config_history


def _recorded_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item as the API answers it: other names than in an event, and its configuration as JSON text."""
    renamed = {
        "configurationItemVersion": "version",
        "awsAccountId": "accountId",
        "ARN": "arn",
        "configurationStateMd5Hash": "configurationItemMD5Hash",
    }
    answer = {renamed.get(name, name): value for name, value in item.items() if value is not None}
    for name in ("configurationItemCaptureTime", "resourceCreationTime"):
        if isinstance(answer.get(name), str):
            answer[name] = datetime.fromisoformat(answer[name]).timestamp()
    if "configurationStateId" in answer:
        answer["configurationStateId"] = str(answer["configurationStateId"])
    if isinstance(answer.get("configuration"), Mapping):
        answer["configuration"] = json.dumps(answer["configuration"])
    return answer


OPERATIONS = {"get_resource_config_history": _get_resource_config_history}

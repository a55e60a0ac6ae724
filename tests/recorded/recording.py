"""Answers that AWS really gave, recorded by other projects for their own tests. They are not part of this repository.

The file is JSON, `{"service.Operation": [{"from": where it was recorded, "answer": …}]}`, with times as
`{"__class__": "datetime", "year": …}`. Accounts and Regions become those of the world in which the answers are given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.handlers import decode_quoted_jsondoc

from tests.front_door import ACCOUNT, REGION

Parsed = dict[str, Any]
Operation = tuple[str, str]

# Clients whose name differs from that under which answers are recorded.
CLIENTS = {"tagging": "resourcegroupstaggingapi"}
# Where each listing has its items.
LISTS = {
    "ListBackupPlans": "BackupPlansList",
    "ListBackupVaults": "BackupVaultList",
    "GetComplianceDetailsByConfigRule": "EvaluationResults",
    "SelectResourceConfig": "Results",
    "DescribeFileSystems": "FileSystems",
    "DescribeVolumes": "Volumes",
    "DescribeDBClusters": "DBClusters",
    "DescribeDBInstances": "DBInstances",
    "GetResources": "ResourceTagMappingList",
}
# Where the items of a listing tell their tags.
TAGS = {
    "DescribeFileSystems": "Tags",
    "DescribeVolumes": "Tags",
    "DescribeDBClusters": "TagList",
    "DescribeDBInstances": "TagList",
    "GetResources": "Tags",
}
PICKED = {"Key": "backup", "Value": "true"}

_ACCOUNT = re.compile(r"(?<![0-9a-zA-Z])[0-9]{12}(?![0-9a-zA-Z])")
_REGION = re.compile(r"\b(?:us|eu|ap|ca|sa)-(?:north|south|east|west|central|northeast|southeast)-[0-9]")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer, and where it was recorded."""

    operation: Operation
    source: str
    answer: Parsed

    @property
    def list_key(self) -> str | None:
        """Where the items are, of a listing."""
        return LISTS.get(self.operation[1])

    @property
    def items(self) -> list[Any]:
        """The items of a listing."""
        return list(self.answer.get(self.list_key) or []) if self.list_key else []

    def picked(self) -> Recorded:
        """The same, with the tag that the world's selection asks for on each item that has tags."""
        key = TAGS.get(self.operation[1])
        if key is None:
            return self
        items = [{**item, key: [*(item.get(key) or []), PICKED]} for item in self.items]
        return Recorded(self.operation, self.source, {**self.answer, str(self.list_key): items})

    def beside(self, answer: Parsed) -> Parsed:
        """The items of a listing at the end of another answer's."""
        return {**answer, str(self.list_key): [*answer[str(self.list_key)], *self.items]}


def read_recording(path: Path) -> list[Recorded]:
    """All answers of the file."""
    text = _REGION.sub(REGION, _ACCOUNT.sub(ACCOUNT, path.read_text("utf-8")))
    content = json.loads(text, object_hook=_moment)
    return [
        Recorded(_operation(name), str(each["from"]), _as_botocore_gives_it(each["answer"]))
        for name, answers in sorted(content.items())
        for each in answers
    ]


def _operation(name: str) -> Operation:
    service, _, operation = name.partition(".")
    return CLIENTS.get(service, service), operation


def _moment(value: Parsed) -> Parsed | datetime:
    if value.get("__class__") != "datetime":
        return value
    parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    year, month, day, hour, minute, second, microsecond = (int(value.get(each, 0)) for each in parts)
    return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)


def _as_botocore_gives_it(answer: Mapping[str, Any]) -> Parsed:
    """Without metadata, and with the documents of IAM decoded, which are recorded as they were sent."""
    found = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    role = found.get("Role")
    if isinstance(role, dict) and isinstance(role.get("AssumeRolePolicyDocument"), str):
        document = decode_quoted_jsondoc(role["AssumeRolePolicyDocument"])
        found["Role"] = {**role, "AssumeRolePolicyDocument": document}
    return found

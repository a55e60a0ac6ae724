"""Makes a selection again whose own tags begin or end with white space, without it."""

import re
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import boto3
from botocore.exceptions import ClientError

from remediation.shared import RefusedError, ids_of_selection, selection

TAG_PREFIX = "aws:ResourceTag/"
# Operator (None for ListOfTags), and key and value before and after.
Change = tuple[str | None, tuple[str, str], tuple[str, str]]
POSITIVE = ("StringEquals", "StringLike")
# What cannot be seen at the end of a text, beside what Python takes for white space: characters that take no room, and
# letters that are drawn as a blank.
UNSEEN = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064"
    "\u2066\u2067\u2068\u2069\ufeff\u115f\u1160\u2800\u3164\uffa0"
)


def handler(events: dict[str, Any], _context: object) -> dict[str, Any]:
    """Creates the clean selection, reads it back, and only then deletes the old one.

    Raises:
        RefusedError: when it is no selection that may be changed here, has no stray white space, or picks by it.
    """
    selection_id, plan_id = ids_of_selection(events["ResourceId"])
    if plan_id.startswith("orgs/"):
        raise RefusedError(
            f"Plan {plan_id} comes from a backup policy of the organization, so its selections cannot be changed here:"
            " correct the tag in the policy, in AWS Organizations."
        )
    if plan_id.startswith("aws/"):
        raise RefusedError(f"Plan {plan_id} is AWS's own: its selections cannot be changed.")
    backup = boto3.client("backup")
    old = selection(selection_id, plan_id)
    name = old["SelectionName"]
    new, stripped = cleaned(old)
    if not stripped:
        raise RefusedError(
            f"No tag of selection {name} begins or ends with white space, so there is nothing to strip. If the rule"
            " reports resources that it misses, correct their tags."
        )
    refuse_if_picked_by(stripped, name)
    new_id = created(backup, plan_id, selection_id, new)
    kept = backup.get_backup_selection(BackupPlanId=plan_id, SelectionId=new_id)["BackupSelection"]
    if comparable(kept) != comparable({**new, "SelectionName": kept["SelectionName"]}):
        raise RuntimeError(
            f"The new selection {new_id} of plan {plan_id} is not what was asked for. Both are kept: compare it with"
            f" {selection_id}, and delete one of them."
        )
    backup.delete_backup_selection(BackupPlanId=plan_id, SelectionId=selection_id)
    changes = [f"{before!r} is now {after!r}" for _, before, after in stripped]
    return {
        "SelectionId": new_id,
        "Deleted": selection_id,
        "Summary": f"Selection {name} of plan {plan_id} is made again as {kept['SelectionName']} ({new_id}):"
        f" {'; '.join(changes)}.",
    }


def cleaned(old: dict[str, Any]) -> tuple[dict[str, Any], list[Change]]:
    """The selection without stray white space, and what was stripped: operator, (key, value) before and after."""
    new: dict[str, Any] = deepcopy(old)
    changes: list[Change] = []

    def strip(operator: str | None, entry: dict[str, str]) -> dict[str, str]:
        before = entry["ConditionKey"], entry["ConditionValue"]
        key, value = before
        prefix = TAG_PREFIX if key.startswith(TAG_PREFIX) else ""
        after = prefix + stripped_text(key[len(prefix) :]), stripped_text(value)
        if before == after:
            return entry
        if operator not in (None, *POSITIVE):
            raise RefusedError(
                f"{operator} {before!r} of selection {old['SelectionName']} begins or ends with white space. Without it"
                " the selection would leave out resources that it backs up now: correct it by hand."
            )
        if after[0] == prefix or (value and not after[1]):
            raise RefusedError(f"{before!r} of selection {old['SelectionName']} is nothing but white space.")
        changes.append((operator, before, after))
        return {**entry, "ConditionKey": after[0], "ConditionValue": after[1]}

    new["ListOfTags"] = distinct(strip(None, entry) for entry in old.get("ListOfTags", []))
    new["Conditions"] = {
        operator: distinct(strip(operator, entry) for entry in entries)
        for operator, entries in old.get("Conditions", {}).items()
    }
    return {name: value for name, value in new.items() if value not in ([], {})}, changes


def stripped_text(text: str) -> str:
    """The text without white space, seen or unseen, at either end."""
    while text and (text[0].isspace() or text[0] in UNSEEN):
        text = text[1:]
    while text and (text[-1].isspace() or text[-1] in UNSEEN):
        text = text[:-1]
    return text


def distinct(entries: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Each entry once: two tags may become the same."""
    found: list[dict[str, str]] = []
    for entry in entries:
        if entry not in found:
            found.append(entry)
    return found


def refuse_if_picked_by(stripped: Iterable[Change], name: str) -> None:
    """Refuse where a resource carries the tag with its white space: it would no longer be backed up."""
    pages = boto3.client("resourcegroupstaggingapi").get_paginator("get_resources")
    for operator, (written_key, value), _ in stripped:
        key = written_key.removeprefix(TAG_PREFIX)
        is_pattern = operator == "StringLike"
        # In AWS Backup `*` stands for characters other than white space.
        matches = re.compile(
            r"\S*".join(map(re.escape, value.split("*"))) if is_pattern else re.escape(value)
        ).fullmatch
        tag_filter: dict[str, Any] = {"Key": key} if is_pattern else {"Key": key, "Values": [value]}
        for page in pages.paginate(TagFilters=[tag_filter]):
            for resource in page["ResourceTagMappingList"]:
                if any(tag["Key"] == key and matches(tag["Value"]) for tag in resource["Tags"]):
                    raise RefusedError(
                        f"{resource['ResourceARN']} carries the tag {key!r}={value!r} that selection {name} asks for,"
                        " white space included, and would no longer be backed up. Correct the tags of such resources"
                        " first."
                    )


def created(backup: Any, plan_id: str, old_id: str, new: dict[str, Any]) -> str:
    """The id of the clean selection: the one that an earlier run made and could not put in place, or a new one.

    It keeps its name where AWS Backup lets two selections of a plan have the same, and gets a number behind it where
    not.
    """
    token = f"stripped-{old_id}"
    pages = backup.get_paginator("list_backup_selections").paginate(BackupPlanId=plan_id)
    existing = [each for page in pages for each in page["BackupSelectionsList"]]
    for each in existing:
        if each.get("CreatorRequestId") == token:
            return str(each["SelectionId"])
    taken = {each["SelectionName"] for each in existing}
    try:
        answer = backup.create_backup_selection(BackupPlanId=plan_id, BackupSelection=new, CreatorRequestId=token)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
        free = next(
            name
            for name in (f"{new['SelectionName'][:46]}-{number}" for number in range(2, len(taken) + 3))
            if name not in taken
        )
        answer = backup.create_backup_selection(
            BackupPlanId=plan_id, BackupSelection={**new, "SelectionName": free}, CreatorRequestId=token
        )
    return str(answer["SelectionId"])


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """The selection without empty lists, which AWS Backup may add, its lists in one order."""
    conditions = {kind: in_order(entries) for kind, entries in document.get("Conditions", {}).items() if entries}
    lists = {name: in_order(value) for name, value in document.items() if isinstance(value, list) and value}
    others = {name: value for name, value in document.items() if isinstance(value, str)}
    return {**others, **lists, "Conditions": conditions}


def in_order(entries: Iterable[Any]) -> list[Any]:
    return sorted(entries, key=lambda entry: entry if isinstance(entry, str) else sorted(entry.items()))

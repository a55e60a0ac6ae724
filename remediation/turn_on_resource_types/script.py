"""Turns on the resource types that BACKUP_SERVICE_OPT_IN found turned off."""

import re
from collections.abc import Collection, Mapping
from typing import Any

import boto3

from remediation.shared import ACCOUNT, SELECTION, RefusedError, annotations, ids_of_selection, texts

RULE = "backup-service-opt-in"


def handler(events: dict[str, Any], _context: object) -> dict[str, Any]:
    """Turns on what the parameter or the rule's own evaluation names, and nothing else.

    Raises:
        RefusedError: when nothing names a type, or a type is not one of the Region's settings.
    """
    resource_id, region = events["ResourceId"], events["Region"]
    backup = boto3.client("backup")
    before = backup.describe_region_settings()["ResourceTypeOptInPreference"]
    types = texts(events["ResourceTypes"]) or named_by_rule(
        resource_id, events["Account"], before, events["RuleNamePrefix"]
    )
    unknown = [key for key in types if key not in before]
    if unknown:
        raise RefusedError(
            f"AWS Backup has no resource type {', '.join(unknown)} in {region}. It has {', '.join(sorted(before))}."
        )
    off = [key for key in types if not before[key]]
    if off:
        backup.update_region_settings(ResourceTypeOptInPreference=dict.fromkeys(off, True))
        check(before, backup.describe_region_settings()["ResourceTypeOptInPreference"], off)
    return {
        "TurnedOn": off,
        "AlreadyOn": [key for key in types if before[key]],
        "Summary": f"Turned on in {region}: {', '.join(off)}." if off else f"Nothing changed: {', '.join(types)} on.",
    }


def named_by_rule(resource_id: str, account: str, known: Collection[str], prefix: str) -> list[str]:
    """The opt-in keys that the rule's evaluation of the resource reports as turned off."""
    if re.fullmatch(r"[0-9]{12}", resource_id):
        if resource_id != account:
            raise RefusedError(f"{resource_id} is another account: the settings of {account} would be changed.")
        resource_type = ACCOUNT
    else:
        ids_of_selection(resource_id)
        resource_type = SELECTION
    found = annotations(resource_type, resource_id, RULE, prefix)
    if not found:
        raise RefusedError(
            f"BACKUP_SERVICE_OPT_IN has no NON_COMPLIANT evaluation of {resource_id} here, so it names no type that is"
            " turned off. Evaluate the rule again, or name the types in ResourceTypes."
        )
    types = [key for key in known if any(names(annotation, key) for annotation in found)]
    if not types:
        raise RefusedError(f"The evaluation of {resource_id} names no type that could be turned on: {' '.join(found)}")
    return types


def names(annotation: str, key: str) -> bool:
    """Whether the annotation says of the type that it is turned off: of one, or in the list of the required ones."""
    if f"Resource type {key} is turned off" in annotation:
        return True
    listed = re.search(r"Required resource types .* are turned off: ([^.;]*)", annotation)
    return listed is not None and key in listed.group(1).split(", ")


def check(before: Mapping[str, bool], after: Mapping[str, bool], off: Collection[str]) -> None:
    """That the settings are what was asked for.

    Raises:
        RuntimeError: when a type is not on afterwards, or another setting is not what it was.
    """
    wrong = [key for key in {**before, **after} if after.get(key) != (key in off or before.get(key))]
    if wrong:
        raise RuntimeError(f"After the change these settings are not as they should be: {', '.join(sorted(wrong))}.")

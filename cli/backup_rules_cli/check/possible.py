"""Resources that may be there beside the declared ones: of each type one that each selection would pick.

What a rule holds with all of them, it holds whatever else is in the account; so it need not stay open for not knowing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from backup_rules.arns import Arn, Place
from backup_rules.resources.resource_types import RESOURCE_TYPES, ResourceType, type_of
from backup_rules.selections.untagged import arns_of
from backup_rules_cli.check.account import PROTECTED, Account, text_of
from backup_rules_cli.check.identities import ROLE
from backup_rules_cli.check.things import Position, Thing, unknowns

MORE_MEANS_MORE_PROBLEMS = frozenset({"BACKUP_ROLE_PERMISSIONS", "BACKUP_SERVICE_OPT_IN"})
"""Rules that can only find more where there is more to be picked."""

_ENGINES = {"Aurora": "aurora-mysql", "DocumentDB": "docdb", "Neptune": "neptune", "RDS": "mysql"}
_NAMES = {"Timestream": "any/table/any", "Storage Gateway": "any/volume/any"}
_TAG = "aws:ResourceTag/"


def with_possible_resources(account: Account) -> Account | None:
    """The account with all that its selections may pick; None where what a selection asks for is not known."""
    bodies = [body for listed in account.selections.values() for _, _, body in listed]
    if any(not isinstance(each, Mapping) or _open(each) for each in bodies):
        return None
    more: dict[str, tuple[Thing, str]] = {}
    for number, body in enumerate(bodies):
        for thing, arn in _picked_by(body, number, account.place):
            more[arn] = thing, thing.name
    return replace(account, resources={**more, **account.resources}, whole=account.whole | set(PROTECTED))


def _open(body: Mapping[str, Any]) -> bool:
    return any(True for key, value in body.items() if key != "IamRoleArn" for _ in unknowns(value))


def _picked_by(body: Mapping[str, Any], number: int, place: Place) -> Iterator[tuple[Thing, str]]:
    tags = _tags(body)
    for index, kind in enumerate(RESOURCE_TYPES):
        name = _NAMES.get(kind.opt_in_key, f"any-{number}-{index}")
        arn = f"{arns_of(kind, place).removesuffix('*')}{name}"
        yield _thing(kind, arn, name, tags), arn
    for index, entry in enumerate(_listed(body.get("Resources"))):
        named = _named(str(entry), place)
        its_type = None if named is None else type_of(named, {str(named): "aurora-mysql"})
        if named is not None and its_type is not None:
            yield _thing(its_type, str(named), f"named-{number}-{index}", tags), str(named)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _named(entry: str, place: Place) -> Arn | None:
    """An ARN that the entry names, its wild cards filled in."""
    arn = Arn.parse(entry)
    if arn is None or "*" in arn.service:
        return None
    return Arn(
        arn.partition.replace("*", place.partition),
        arn.service,
        arn.region.replace("*", place.region),
        arn.account.replace("*", place.account),
        arn.resource.replace("*", "any"),
    )


def _tags(body: Mapping[str, Any]) -> dict[str, str]:
    """Tags that the selection asks for: one of its list, and those that its conditions demand."""
    conditions = body.get("Conditions")
    asked = _listed(body.get("ListOfTags"))[:1]
    for operator in ("StringEquals", "StringLike"):
        asked += _listed(conditions.get(operator) if isinstance(conditions, Mapping) else None)
    found = {"any tag": "any value"}  # what is tagged may need more permissions than what is not
    for each in asked:
        if isinstance(each, Mapping):
            key = text_of(each.get("ConditionKey", "")).removeprefix(_TAG)
            found.setdefault(key, text_of(each.get("ConditionValue", "")).replace("*", "any"))
    return found


def _thing(kind: ResourceType, arn: str, name: str, tags: Mapping[str, str]) -> Thing:
    config_type = kind.config_type or ROLE  # one that is not asked for as a resource
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    properties: dict[str, Any] = {"Tags": listed, "FileSystemTags": listed}
    if kind.service == "rds":
        properties["Engine"] = _ENGINES[kind.opt_in_key]
    if kind.service == "fsx":
        config_type = "AWS::FSx::FileSystem" if kind.resource_prefix.startswith("file-system") else "AWS::FSx::Volume"
        windows = {"WeeklyMaintenanceStartTime": "1:05:00", "AutomaticBackupRetentionDays": 0}
        properties |= {"FileSystemType": "WINDOWS", "WindowsConfiguration": windows}
    return Thing(config_type, name, properties, Position(""), arn)

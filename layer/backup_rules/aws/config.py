"""AWS Config: what its inventory holds of the resources that AWS Backup protects, and what was put before.

The inventory has what the account's recorder records, tagged or not. A type that is not in it is unknown, not absent;
without a recorder nothing is in it. Advanced queries see one Region of one account here; a page has 100 rows.
Sources: https://docs.aws.amazon.com/config/latest/developerguide/querying-AWS-resources.html and
https://github.com/awslabs/aws-config-resource-schema
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, arn, field, once, optional, tags
from backup_rules.aws.memory import remembered
from backup_rules.resources.resource_types import RESOURCE_TYPES, Resource, ResourceType

T = TypeVar("T")

_PAGE = {"PaginationConfig": {"PageSize": 100}}

# Databases are left out: RDS lists them all, and tells the engines that share a type.
RECORDED_TYPES: Mapping[str, ResourceType] = {
    each.config_type: each for each in RESOURCE_TYPES if each.config_type is not None and each.service != "rds"
}


@remembered
def recorded_numbers(account: Account) -> dict[ResourceType, int]:
    """How many resources of each type are recorded; a type of which none is recorded is left out."""

    def number(row: Answer) -> tuple[ResourceType, int]:
        return RECORDED_TYPES[field(row, "resourceType", str)], field(row, "COUNT(*)", int)

    names = ", ".join(f"'{each}'" for each in RECORDED_TYPES)
    expression = f"SELECT resourceType, COUNT(*) WHERE resourceType IN ({names}) GROUP BY resourceType"
    return {kind: found for kind, found in _rows(account, expression, number) if found}


@remembered
def recorded(account: Account, kind: ResourceType) -> tuple[Resource, ...]:
    """The recorded resources of a type (one of `RECORDED_TYPES`), with their tags."""

    def resource(row: Answer) -> Resource:
        return Resource(
            arn=arn(row, "arn"),
            type=kind,
            tags=tags([{"Key": each["key"], "Value": each["value"]} for each in optional(row, "tags", list) or []]),
            config_id=field(row, "resourceId", str),
        )

    rows = _rows(account, f"SELECT resourceId, arn, tags WHERE resourceType = '{kind.config_type}'", resource)
    return once(rows, lambda each: each.arn)


@remembered
def bucket_versioning(account: Account) -> dict[str, str | None]:
    """The versioning of each recorded S3 bucket (`Enabled`, `Suspended`, `Off`) by name; None where not recorded."""

    def status(row: Answer) -> tuple[str, str | None]:
        supplementary = _object(row, "supplementaryConfiguration")
        versioning = _object(supplementary, "BucketVersioningConfiguration")
        return field(row, "resourceId", str), optional(versioning, "status", str)

    expression = (
        "SELECT resourceId, supplementaryConfiguration.BucketVersioningConfiguration.status"
        " WHERE resourceType = 'AWS::S3::Bucket'"
    )
    return dict(_rows(account, expression, status))


@remembered
def authentication_modes(account: Account) -> dict[str, str | None]:
    """The authentication mode of each recorded EKS cluster (`API`, `CONFIG_MAP`, …) by ARN; None where not recorded.

    AWS's published schema of the type has no such field; where AWS Config records it all the same, it is found under
    the name that CloudFormation or that EKS gives it.
    """

    def mode(row: Answer) -> tuple[str, str | None]:
        configuration = _object(row, "configuration")
        access = _object(configuration, "AccessConfig") or _object(configuration, "accessConfig")
        found = optional(access, "AuthenticationMode", str) or optional(access, "authenticationMode", str)
        return arn(row, "arn"), found

    expression = "SELECT arn, configuration WHERE resourceType = 'AWS::EKS::Cluster'"
    return dict(_rows(account, expression, mode))


def _object(answer: Answer, key: str) -> Mapping[str, Any]:
    """The object under `key`, which AWS Config now and then gives as JSON text; empty where there is none."""
    found = answer.get(key)
    if isinstance(found, str):
        found = json.loads(found)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise TypeError(f"{key} is {found!r}, not an object")
    return found


def _rows(account: Account, expression: str, parse: Callable[[Answer], T]) -> tuple[T, ...]:
    def row(item: object) -> T:
        found = json.loads(item) if isinstance(item, str) else item
        if not isinstance(found, dict):
            raise TypeError(f"{item!r} is no row")
        return parse(found)

    return account.calls.items("config", "SelectResourceConfig", "Results", row, Expression=expression, **_PAGE)

"""The Resource Groups Tagging API: who bears tags, and which tags are in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from backup_rules.arns import Arn
from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, field, once, tags, text
from backup_rules.aws.memory import remembered
from backup_rules.errors import ReadError
from backup_rules.resources.databases import Database
from backup_rules.resources.file_systems import FileSystem, Volume
from backup_rules.resources.resource_types import RESOURCE_TYPES

ALL_TYPES = tuple(sorted({each.tagging_filter for each in RESOURCE_TYPES}))
VALUES_A_QUESTION = 20
_PAGE = {"PaginationConfig": {"PageSize": 100}}

Tagged = tuple[Arn, dict[str, str]]
Described = TypeVar("Described", Database, FileSystem, Volume)
"""What another service than the Tagging API has told of a resource."""


@remembered
def tag_keys(account: Account) -> tuple[str, ...]:
    """All tag keys in use in the Region."""
    return account.calls.items("resourcegroupstaggingapi", "GetTagKeys", "TagKeys", text)


@remembered
def tag_values(account: Account, key: str) -> tuple[str, ...]:
    """All values in use in the Region under a tag key."""
    return account.calls.items("resourcegroupstaggingapi", "GetTagValues", "TagValues", text, Key=key)


@remembered
def tagged(account: Account, types: Sequence[str] = ALL_TYPES) -> tuple[Tagged, ...]:
    """What bears tags, or once did, of the types (tagging filters): ARNs with their tags."""
    return _listed(account, (), types)


@remembered
def tagged_with(account: Account, key: str, values: tuple[str, ...]) -> tuple[Tagged, ...]:
    """What bears the tag with one of the values (20 at most), of all protected types."""
    return _listed(account, ({"Key": key, "Values": list(values)},), ALL_TYPES)


def with_tags(account: Account, described: Sequence[Described]) -> tuple[Described, ...]:
    """The same, with the tags under which `tag:GetResources` lists the resources besides those that they bear."""
    types = tuple(sorted({each.resource.type.tagging_filter for each in described}))
    if not types:
        return ()
    listed = {str(arn): its_tags for arn, its_tags in tagged(account, types)}
    return tuple(
        replace(each, resource=replace(each.resource, tags={**each.resource.tags, **listed.get(each.resource.arn, {})}))
        for each in described
    )


def _listed(account: Account, filters: Sequence[Mapping[str, Any]], types: Sequence[str]) -> tuple[Tagged, ...]:
    def ask(**narrowing: Any) -> tuple[Tagged, ...]:
        listed = account.calls.items(
            "resourcegroupstaggingapi",
            "GetResources",
            "ResourceTagMappingList",
            _tagged,
            **({"TagFilters": list(filters)} if filters else {}),
            **narrowing,
            **_PAGE,
        )
        return once(listed, lambda each: str(each[0]))

    try:
        return ask(ResourceTypeFilters=list(types))
    except ReadError as error:
        # A Region may not know a type that another has; then the types are told apart here.
        if error.code != "InvalidParameterException":
            raise
        return ask()


def _tagged(item: Answer) -> Tagged:
    arn = Arn.parse(field(item, "ResourceARN", str))
    if arn is None:
        raise ValueError(f"ResourceARN is {item['ResourceARN']!r}, not an ARN")
    return arn, tags(field(item, "Tags", list))

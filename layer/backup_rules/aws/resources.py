"""The resources that AWS Backup could protect here: the one place that lists what selections could pick."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from backup_rules.aws import config, fsx, rds, tagging
from backup_rules.aws.account import Account
from backup_rules.aws.memory import remembered
from backup_rules.resources.resource_types import (
    RESOURCE_TYPES,
    S3,
    Resource,
    ResourceType,
    config_id,
    type_of,
    unsupported_by_arn,
)


@remembered
def tagged_resources(account: Account) -> tuple[Resource, ...]:
    """The resources of protected types that bear tags, or once did: what `tag:GetResources` lists in the Region."""
    return _resources(account, tagging.tagged(account))


def tagged_buckets(account: Account) -> tuple[Resource, ...]:
    """The S3 buckets of the Region that bear tags, or once did."""
    return _resources(account, tagging.tagged(account, (S3.tagging_filter,)))


def resources_tagged(account: Account, wanted: Mapping[str, Sequence[str]]) -> tuple[Resource, ...]:
    """The resources of protected types with any of these tags (values by key): a question per key and 20 values."""
    step = tagging.VALUES_A_QUESTION
    questions = [
        (key, tuple(values[start : start + step]))
        for key, values in wanted.items()
        for start in range(0, len(values), step)
    ]
    account.side_by_side(lambda it, question: tagging.tagged_with(it, *question), questions)
    found = {str(each[0]): each for question in questions for each in tagging.tagged_with(account, *question)}
    return _resources(account, found.values())


def _resources(account: Account, listed: Iterable[tagging.Tagged]) -> tuple[Resource, ...]:
    tagged = tuple(listed)
    services = {arn.service for arn, _ in tagged}
    databases = {each.resource.arn: each for each in rds.listed_databases(account)} if "rds" in services else {}
    of_fsx = {each.arn: each for each in fsx.listed(account)} if "fsx" in services else {}
    engines = {arn: each.engine for arn, each in databases.items()}
    found = []
    for arn, its_tags in tagged:
        kind = type_of(arn, engines)
        if kind is None or (kind.service == "rds" and str(arn) not in databases):
            continue
        described = databases[str(arn)].resource if kind.service == "rds" else of_fsx.get(str(arn))
        if described is None:
            described = Resource(str(arn), kind, {}, config_id(arn, kind), unsupported=unsupported_by_arn(arn, kind))
        found.append(replace(described, tags=its_tags))
    return tuple(found)


def could_be_picked(account: Account, types: Iterable[ResourceType]) -> tuple[Resource, ...]:
    """All tagged resources, and of these types those without tags too, each once.

    Of databases and file systems that is what RDS and FSx list, whole; of the others, what AWS Config has recorded: see
    `listed_types`.
    """
    asked = frozenset(types)
    found = {each.arn: each for each in tagged_resources(account)}
    for kind in RESOURCE_TYPES:
        if kind in asked and kind.config_type in config.RECORDED_TYPES and config.recorded_numbers(account).get(kind):
            found |= {each.arn: each for each in config.recorded(account, kind) if each.arn not in found}
    services = {each.service for each in asked}
    if "rds" in services:
        found |= {each.resource.arn: each.resource for each in rds.databases(account)}
    if "fsx" in services:
        found |= {each.resource.arn: each.resource for each in fsx.file_systems(account)}
        found |= {each.resource.arn: each.resource for each in fsx.volumes(account)}
    return tuple(found.values())


def listed_types(account: Account, types: Iterable[ResourceType]) -> frozenset[ResourceType]:
    """Those of the types of which `could_be_picked` knows every resource. AWS Config records all of a type or none."""
    asked = frozenset(types)
    recorded = asked - {each for each in asked if each.service in {"rds", "fsx"}}
    numbers = config.recorded_numbers(account) if any(each.config_type for each in recorded) else {}
    return frozenset(each for each in asked if each.service in {"rds", "fsx"} or numbers.get(each))

"""The resources that AWS Backup could protect here: the one place that lists what selections could pick."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from backup_rules.aws import fsx, rds, tagging
from backup_rules.aws.account import Account
from backup_rules.aws.memory import remembered
from backup_rules.resources.resource_types import Resource, config_id, type_of


@remembered
def tagged_resources(account: Account) -> tuple[Resource, ...]:
    """The resources of protected types that bear tags, or once did: what `tag:GetResources` lists in the Region."""
    return _resources(account, tagging.tagged(account))


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
    is_rds = any(arn.service == "rds" for arn, _ in tagged)
    databases = {each.resource.arn: each for each in rds.listed_databases(account)} if is_rds else {}
    engines = {arn: each.engine for arn, each in databases.items()}
    found = []
    for arn, its_tags in tagged:
        kind = type_of(arn, engines)
        if kind is None or (kind.service == "rds" and str(arn) not in databases):
            continue
        database = databases.get(str(arn))
        found.append(
            Resource(
                arn=str(arn),
                type=kind,
                tags=its_tags,
                config_id=database.resource.config_id if database else config_id(arn, kind),
                cluster_member=database is not None and database.resource.cluster_member,
            )
        )
    return tuple(found)


def with_untagged(account: Account, services: Iterable[str]) -> tuple[Resource, ...]:
    """The tagged resources, and of these services (`rds`, `fsx`) all others too, each once."""
    found = {each.arn: each for each in tagged_resources(account)}
    asked = set(services)
    if "rds" in asked:
        found |= {each.resource.arn: each.resource for each in rds.databases(account)}
    if "fsx" in asked:
        found |= {each.resource.arn: each.resource for each in fsx.file_systems(account)}
        found |= {each.resource.arn: each.resource for each in fsx.volumes(account)}
    return tuple(found.values())

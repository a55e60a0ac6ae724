"""Which accounts have no recorder of AWS Config, as far as an aggregator tells.

One such account fails the whole pack, and its recorder cannot be asked from another account. An aggregator over the
organization knows what each account records: one of which it has nothing in a Region has no recorder there, or one that
records nothing. How packs fail:
https://docs.aws.amazon.com/config/latest/APIReference/API_OrganizationConformancePackDetailedStatus.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from backup_rules_cli.deploy.aws import Access
from backup_rules_cli.deploy.checks import MOST_EXCLUDED, NotReadyError, Problem
from backup_rules_cli.deploy.organization import Reach
from backup_rules_cli.deploy.settings import Settings

_RECORDED = "SELECT accountId, COUNT(*) WHERE awsRegion = '{region}' GROUP BY accountId"


def accounts_without_recorder(access: Access, reached: Reach, settings: Settings) -> dict[str, tuple[str, ...]]:
    """By Region, the accounts to leave out; none where the settings do not ask for it.

    Raises:
        NotReadyError: no aggregator tells, or too many accounts would be left out.
        AwsCallError: it cannot be read.
    """
    if not settings.skip_accounts_without_recorder:
        return {}
    aggregator = next(_aggregators(access, settings.home), None)
    if aggregator is None:
        raise NotReadyError([_no_aggregator(settings)])
    found = {}
    for region in settings.regions:
        rows = access.items(
            "config",
            settings.home,
            "select_aggregate_resource_config",
            "Results",
            ConfigurationAggregatorName=aggregator,
            Expression=_RECORDED.format(region=region),
        )
        recorded = {json.loads(row)["accountId"] for row in rows}
        found[region] = tuple(each for each in reached.accounts if each not in recorded)
        if len(found[region]) == len(reached.accounts):
            raise NotReadyError([_empty(aggregator, region)])
        if len(found[region]) + len(reached.excluded) > MOST_EXCLUDED:
            raise NotReadyError([_too_many(len(found[region]), region)])
    return found


def _aggregators(access: Access, region: str) -> Iterator[str]:
    """Those over the whole organization and all Regions."""
    listed = access.items("config", region, "describe_configuration_aggregators", "ConfigurationAggregators")
    for each in listed:
        if (each.get("OrganizationAggregationSource") or {}).get("AllAwsRegions"):
            yield each["ConfigurationAggregatorName"]


def _no_aggregator(settings: Settings) -> Problem:
    return Problem(
        f"skip_accounts_without_recorder needs an aggregator over the organization and all Regions in {settings.home},"
        " to tell which accounts record: there is none.",
        f"aws configservice put-configuration-aggregator --region {settings.home} --configuration-aggregator-name"
        " organization --organization-aggregation-source RoleArn=…,AllAwsRegions=true, with a role that AWS Config may"
        " assume and that has the policy AWSConfigRoleForOrganizations; or set it to false.",
    )


def _empty(aggregator: str, region: str) -> Problem:
    return Problem(
        f"Aggregator {aggregator} has nothing of any account in {region}: no recorder runs, or it was just made.",
        "Wait until it has collected, which takes hours for a new one; or set skip_accounts_without_recorder: false.",
    )


def _too_many(number: int, region: str) -> Problem:
    return Problem(
        f"{number} accounts record nothing in {region}; with those outside the targets they are more than the"
        f" {MOST_EXCLUDED} that can be left out.",
        "Start their recorders, or narrow what the pack reaches.",
    )

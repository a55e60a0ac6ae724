"""Which accounts have no recorder of AWS Config, as far as they can be asked.

One such account fails the whole pack. AWS Config in the account itself knows, and is asked through the member role
where that is there and trusts the role that deploys. For the others, an aggregator over the organization knows what is
recorded: an account of which it has nothing in a Region has no recorder there, or one that records nothing. How packs
fail: https://docs.aws.amazon.com/config/latest/APIReference/API_OrganizationConformancePackDetailedStatus.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from backup_rules_cli.deploy.aws import Access, AwsCallError
from backup_rules_cli.deploy.checks import MOST_EXCLUDED, NotReadyError, Problem
from backup_rules_cli.deploy.organization import Organization, Reach
from backup_rules_cli.deploy.settings import Settings
from backup_rules_cli.templates.member_role import RECORDER_STATUS

_RECORDED = "SELECT accountId, COUNT(*) WHERE awsRegion = '{region}' GROUP BY accountId"
_AT_A_TIME = 16
_SHOWN = 10
_STATUS_ONLY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": RECORDER_STATUS, "Resource": "*"}],
    }
)
"""The session may ask this and nothing else, whatever the member role may do."""


@dataclass(frozen=True)
class _Asking:
    """Who asks, and what is asked about."""

    access: Access
    management: Access | None
    organization: Organization
    reached: Reach
    settings: Settings


def accounts_without_recorder(
    access: Access, management: Access | None, organization: Organization, reached: Reach, settings: Settings
) -> dict[str, tuple[str, ...]]:
    """By Region, the accounts to leave out; none where the settings do not ask for it.

    Raises:
        NotReadyError: some account can be asked neither by the member role nor by an aggregator, or too many would be
            left out.
        AwsCallError: AWS Config cannot be read.
    """
    if not settings.skip_accounts_without_recorder:
        return {}
    asking = _Asking(access, management, organization, reached, settings)
    answered = _asked_there(asking)
    open_ones = [account for account in reached.accounts if account not in answered]
    aggregator = next(_aggregators(access, settings.home), None) if open_ones else None
    if open_ones and aggregator is None:
        raise NotReadyError([_unanswered(asking, open_ones)])
    found = {}
    for region in settings.regions:
        recorded = {account for account, regions in answered.items() if region in regions}
        if aggregator is not None:
            aggregated = _aggregated(access, settings.home, aggregator, region)
            recorded |= aggregated.intersection(open_ones)
        found[region] = tuple(each for each in reached.accounts if each not in recorded)
        if len(found[region]) == len(reached.accounts):
            raise NotReadyError([_empty(aggregator, region)])
        if len(found[region]) + len(reached.excluded) > MOST_EXCLUDED:
            raise NotReadyError([_too_many(len(found[region]), region)])
    return found


# --- In the account itself --------------------------------------------------------------------------------------------


def _asked_there(asking: _Asking) -> Mapping[str, frozenset[str]]:
    """Of each account that could be asked, the Regions in which its recorder runs."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        answers = pool.map(lambda account: _recording(asking, account), asking.reached.accounts)
        found = dict(zip(asking.reached.accounts, answers, strict=True))
    return {account: regions for account, regions in found.items() if regions is not None}


def _recording(asking: _Asking, account: str) -> frozenset[str] | None:
    """The Regions in which the account's own recorder runs; None where AWS Config there cannot be asked."""
    try:
        there = _way_into(asking, account)
        return None if there is None else frozenset(r for r in asking.settings.regions if _runs(there, r))
    except AwsCallError as error:
        if error.denied:
            return None
        raise


def _way_into(asking: _Asking, account: str) -> Access | None:
    """The account by its own profile, where there is one, else under the member role, where that admits the caller."""
    settings = asking.settings
    for own in (asking.access, asking.management):
        if own is not None and own.caller.account == account:
            return own
    if not settings.deployer_role_arn:
        return None
    role = f"arn:{asking.access.caller.partition}:iam::{account}:role/{settings.member_role_name}"
    return asking.access.under(role, _STATUS_ONLY)


def _runs(there: Access, region: str) -> bool:
    """Whether the customer's recorder runs: without a name, AWS Config tells of that one, and of no service's own.

    https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationRecorderStatus.html
    """
    answer = there.call("config", region, "describe_configuration_recorder_status")
    return any(each.get("recording") for each in answer.get("ConfigurationRecordersStatus") or ())


# --- By an aggregator -------------------------------------------------------------------------------------------------


def _aggregators(access: Access, region: str) -> Iterator[str]:
    """Those over the whole organization and all Regions."""
    listed = access.items("config", region, "describe_configuration_aggregators", "ConfigurationAggregators")
    for each in listed:
        if (each.get("OrganizationAggregationSource") or {}).get("AllAwsRegions"):
            yield each["ConfigurationAggregatorName"]


def _aggregated(access: Access, home: str, aggregator: str, region: str) -> set[str]:
    """The accounts of which the aggregator has anything in the Region."""
    rows = access.items(
        "config",
        home,
        "select_aggregate_resource_config",
        "Results",
        ConfigurationAggregatorName=aggregator,
        Expression=_RECORDED.format(region=region),
    )
    return {json.loads(row)["accountId"] for row in rows}


# --- What is told -----------------------------------------------------------------------------------------------------


def _unanswered(asking: _Asking, accounts: list[str]) -> Problem:
    settings = asking.settings
    more = f" and {len(accounts) - _SHOWN:,} more" if len(accounts) > _SHOWN else ""
    names = ", ".join(asking.organization.named(each) for each in accounts[:_SHOWN])
    why = (
        f"role {settings.member_role_name} is not there, or does not admit {asking.access.caller.arn}"
        if settings.deployer_role_arn
        else "deployer_role_arn is blank, so that the member role admits the functions only"
    )
    return Problem(
        "skip_accounts_without_recorder: whether AWS Config records could not be asked by the member role nor by an"
        f" aggregator in {names}{more}. There, {why}; and {settings.home} has no aggregator over the organization and"
        " all Regions.",
        f"aws configservice put-configuration-aggregator --region {settings.home} --configuration-aggregator-name"
        " organization --organization-aggregation-source RoleArn=…,AllAwsRegions=true, with a role that AWS Config may"
        " assume and that has the policy AWSConfigRoleForOrganizations; or name these in excluded_accounts; or set"
        " skip_accounts_without_recorder to false.",
    )


def _empty(aggregator: str | None, region: str) -> Problem:
    if aggregator is None:
        return Problem(f"No account records anything in {region}: no recorder runs.", "Start recorders there.")
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

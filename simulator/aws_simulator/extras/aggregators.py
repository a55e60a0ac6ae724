"""AWS Config's aggregators: who may have one, and what it collects from the accounts of an organization.

moto keeps aggregators, and collects nothing. Here what an aggregator collects is read when it is asked for, without the
minutes that AWS takes. An aggregator over an organization follows its accounts as they come and go.
Sources: https://docs.aws.amazon.com/config/latest/developerguide/aggregate-data.html and
https://docs.aws.amazon.com/config/latest/APIReference/API_PutConfigurationAggregator.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.config.models import ConfigAggregator, ConfigBackend, config_backends
from moto.organizations.exceptions import AWSOrganizationsNotInUseException
from moto.utilities.utils import get_partition

from aws_simulator.core.config.results import compliance_of, detail_of
from aws_simulator.core.config.state import state_of
from aws_simulator.core.operations import AwsError, Handler, Paging, Request, page
from aws_simulator.core.organizations import organization_of

CONFIG_PRINCIPAL = "config.amazonaws.com"
_REPORTED = frozenset({"COMPLIANT", "NON_COMPLIANT"})
_DETAILS = Paging("Limit", largest=100, refusal="InvalidNextTokenException")
_RULES = Paging("Limit", largest=1000, refusal="InvalidNextTokenException")

Answer = dict[str, Any]
Place = tuple[str, str]
"""Account and Region."""


def places(request: Request) -> list[Place]:
    """The accounts and Regions that the aggregator of the request collects from, and in which Config is in use.

    Raises:
        AwsError: NoSuchConfigurationAggregatorException.
    """
    name = request.text("ConfigurationAggregatorName")
    aggregator = config_backends[request.account][request.region].config_aggregators.get(name)
    if aggregator is None:
        raise AwsError("NoSuchConfigurationAggregatorException", f"The configuration aggregator {name} does not exist.")
    return sorted(_sources(aggregator, request))


def _sources(aggregator: ConfigAggregator, request: Request) -> Iterator[Place]:
    organization = aggregator.organization_aggregation_source
    if organization:
        accounts = _members(request.account, request.partition)
        yield from _in_use(accounts, organization.aws_regions, request.partition)
    for source in aggregator.account_aggregation_sources or ():
        yield from _in_use(source.account_ids, source.aws_regions, request.partition)


def _in_use(accounts: list[str], regions: list[str] | None, partition: str) -> Iterator[Place]:
    for account in accounts:
        for region in list(config_backends[account].keys()) if account in config_backends else ():
            if (not regions or region in regions) and get_partition(region) == partition:
                yield account, region


def _members(account: str, partition: str) -> list[str]:
    """All accounts of the organization, for those who may aggregate it; else none."""
    try:
        organization = organization_of(account, partition)
    except AWSOrganizationsNotInUseException:
        return []
    return [member.id for member in organization.accounts] if _may_aggregate(account, partition) else []


def _may_aggregate(account: str, partition: str) -> bool:
    organization = organization_of(account, partition)
    return account == organization.account_id or any(
        administrator.account.id == account and CONFIG_PRINCIPAL in administrator.services
        for administrator in organization.admins
    )


def _check_organization(request: Request) -> None:
    """What AWS demands of who aggregates an organization."""
    try:
        organization = organization_of(request.account, request.partition)
    except AWSOrganizationsNotInUseException:
        raise AwsError(
            "NoAvailableOrganizationException", "Organization is no longer available: the account is in none."
        ) from None
    if organization.org and organization.org.feature_set != "ALL":
        raise AwsError("OrganizationAllFeaturesNotEnabledException", "The organization has not all features enabled.")
    if not _may_aggregate(request.account, request.partition):
        raise AwsError(
            "OrganizationAccessDeniedException",
            "This action can only be performed by the management account or a delegated administrator of AWS Config.",
        )


def _put(request: Request) -> Answer:
    if request.parameters.get("OrganizationAggregationSource"):
        _check_organization(request)
    backend = config_backends[request.account][request.region]
    return {"ConfigurationAggregator": backend.put_configuration_aggregator(dict(request.parameters))}


# --- Aggregated compliance ------------------------------------------------------------------------------------------


def _details(request: Request) -> Answer:
    asked = request.parameters
    place = (request.text("AccountId"), request.text("AwsRegion"))
    wanted = _wanted(asked.get("ComplianceType"))
    name = request.text("ConfigRuleName")
    found = _evaluations(place, name) if place in places(request) else []
    details = [
        detail_of(name, result) | {"AccountId": place[0], "AwsRegion": place[1]}
        for result in found
        if result.evaluation["ComplianceType"] in wanted
    ]
    listed, token = page(details, request, _DETAILS if asked.get("Limit") else Paging("Limit", 50, _DETAILS.refusal))
    return {"AggregateEvaluationResults": listed} | _next(token)


def _evaluations(place: Place, rule_name: str) -> list[Any]:
    state = state_of(config_backends[place[0]][place[1]])
    with state.lock:
        results = state.results.get(rule_name, {})
        return [results[key] for key in sorted(results)]


def _by_config_rules(request: Request) -> Answer:
    filters = request.parameters.get("Filters") or {}
    wanted = _wanted(filters.get("ComplianceType"))
    found = [
        {"ConfigRuleName": name, "Compliance": compliance, "AccountId": account, "AwsRegion": region}
        for account, region in places(request)
        if filters.get("AccountId", account) == account and filters.get("AwsRegion", region) == region
        for name, compliance in _rules(config_backends[account][region])
        if filters.get("ConfigRuleName", name) == name and compliance["ComplianceType"] in wanted
    ]
    listed, token = page(found, request, _RULES)
    return {"AggregateComplianceByConfigRules": listed} | _next(token)


def _rules(backend: ConfigBackend) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rules with compliance results; "does not display rules that do not have" any."""
    for name in sorted(backend.config_rules):
        found = _evaluations((backend.account_id, backend.region_name), name)
        yield name, compliance_of(result.evaluation for result in found)


def _wanted(asked: str | None) -> frozenset[str]:
    if asked and asked not in _REPORTED:
        raise AwsError(
            "ValidationException", f"The compliance type {asked} is not supported; there are COMPLIANT, NON_COMPLIANT."
        )
    return frozenset({asked}) if asked else _REPORTED


def _next(token: str | None) -> Answer:
    return {"NextToken": token} if token else {}


HANDLERS: dict[str, Handler] = {
    "DescribeAggregateComplianceByConfigRules": _by_config_rules,
    "GetAggregateComplianceDetailsByConfigRule": _details,
    "PutConfigurationAggregator": _put,
}

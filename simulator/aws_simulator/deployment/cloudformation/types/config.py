"""AWS Config: rules, remediations, conformance packs, stored queries, aggregators."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aws_simulator.core.config import service_linked
from aws_simulator.deployment.cloudformation.resources import (
    Made,
    Properties,
    ResourceType,
    Scope,
    gone,
    only,
    tag_list,
)

# --- Rules ----------------------------------------------------------------------------------------------------------


def _put_rule(scope: Scope, properties: Properties, made: Made | None) -> Made:
    name = made.id if made else rule_name(properties.get("ConfigRuleName") or scope.generated_name(128))
    rule = {"ConfigRuleName": name} | only(
        properties, "Description", "EvaluationModes", "MaximumExecutionFrequency", "Scope", "Source"
    )
    if "InputParameters" in properties:
        rule["InputParameters"] = _json_text(properties["InputParameters"])
    scope.call("config", "put_config_rule", ConfigRule=rule)
    (described,) = scope.call("config", "describe_config_rules", ConfigRuleNames=[name])["ConfigRules"]
    return Made(name, {"Arn": described["ConfigRuleArn"], "ConfigRuleId": described["ConfigRuleId"]})


def rule_name(name: str) -> str:
    """The name of a rule of a template: within a conformance pack, Config adds the pack's ending."""
    linked = service_linked.current()
    return linked.rule_name(name) if linked else name


def _json_text(value: Any) -> str:
    """Input parameters as the API has them: one JSON text whose values are texts."""
    if not isinstance(value, Mapping):
        return str(value)
    return json.dumps({name: each if isinstance(each, str) else json.dumps(each) for name, each in value.items()})


def _delete_rule(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("config", "delete_config_rule", ConfigRuleName=made.id)


# --- Remediation ----------------------------------------------------------------------------------------------------


def _put_remediation(scope: Scope, properties: Properties, _: Made | None) -> Made:
    given = dict(properties) | {"ConfigRuleName": rule_name(properties["ConfigRuleName"])}
    linked = service_linked.current()
    if linked:
        given["Parameters"] = linked.in_account(given.get("Parameters") or {})
    answer = scope.call("config", "put_remediation_configurations", RemediationConfigurations=[given])
    for batch in answer.get("FailedBatches") or []:
        raise ValueError(batch["FailureMessage"])
    return Made(given["ConfigRuleName"], handle=properties.get("ResourceType"))


def _delete_remediation(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("config", "delete_remediation_configuration", ConfigRuleName=made.id, ResourceType=made.handle)


# --- Conformance packs ----------------------------------------------------------------------------------------------

_PACK = ("ConformancePackInputParameters", "DeliveryS3Bucket", "DeliveryS3KeyPrefix", "TemplateBody", "TemplateS3Uri")


def _put_pack(scope: Scope, properties: Properties, _: Made | None) -> Made:
    name = properties["ConformancePackName"]
    answer = scope.call(
        "config",
        "put_conformance_pack",
        ConformancePackName=name,
        Tags=tag_list(properties),
        **only(properties, *_PACK, "TemplateSSMDocumentDetails"),
    )
    (status,) = scope.call("config", "describe_conformance_pack_status", ConformancePackNames=[name])[
        "ConformancePackStatusDetails"
    ]
    if status["ConformancePackState"].endswith("_FAILED"):
        raise ValueError(status.get("ConformancePackStatusReason", status["ConformancePackState"]))
    return Made(name, {"ConformancePackArn": answer["ConformancePackArn"]})


def _delete_pack(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("config", "delete_conformance_pack", ConformancePackName=made.id)


def _put_organization_pack(scope: Scope, properties: Properties, _: Made | None) -> Made:
    name = properties["OrganizationConformancePackName"]
    answer = scope.call(
        "config",
        "put_organization_conformance_pack",
        OrganizationConformancePackName=name,
        Tags=tag_list(properties),
        **only(properties, *_PACK, "ExcludedAccounts"),
    )
    (status,) = scope.call(
        "config", "describe_organization_conformance_pack_statuses", OrganizationConformancePackNames=[name]
    )["OrganizationConformancePackStatuses"]
    if status["Status"].endswith("_FAILED"):
        raise ValueError(f"{status.get('ErrorCode')}: {status.get('ErrorMessage')}")
    arn = answer["OrganizationConformancePackArn"]
    return Made(name, {"OrganizationConformancePackArn": arn})


def _delete_organization_pack(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("config", "delete_organization_conformance_pack", OrganizationConformancePackName=made.id)


# --- Queries and aggregators ----------------------------------------------------------------------------------------


def _put_query(scope: Scope, properties: Properties, _: Made | None) -> Made:
    name = properties["QueryName"]
    query = {"QueryName": name, "Expression": properties["QueryExpression"]}
    if "QueryDescription" in properties:
        query["Description"] = properties["QueryDescription"]
    answer = scope.call("config", "put_stored_query", StoredQuery=query, Tags=tag_list(properties))
    stored = scope.call("config", "get_stored_query", QueryName=name)["StoredQuery"]
    return Made(name, {"QueryArn": answer["QueryArn"], "QueryId": stored.get("QueryId")})


def _delete_query(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("config", "delete_stored_query", QueryName=made.id)


def _put_aggregator(scope: Scope, properties: Properties, made: Made | None) -> Made:
    name = made.id if made else properties.get("ConfigurationAggregatorName") or scope.generated_name(256)
    answer = scope.call(
        "config",
        "put_configuration_aggregator",
        ConfigurationAggregatorName=name,
        Tags=tag_list(properties),
        **only(properties, "AccountAggregationSources", "OrganizationAggregationSource"),
    )
    arn = answer["ConfigurationAggregator"]["ConfigurationAggregatorArn"]
    return Made(name, {"ConfigurationAggregatorArn": arn})


def _delete_aggregator(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("config", "delete_configuration_aggregator", ConfigurationAggregatorName=made.id)


TYPES = (
    ResourceType("AWS::Config::ConfigRule", _put_rule, _delete_rule, frozenset({"ConfigRuleName"})),
    ResourceType(
        "AWS::Config::RemediationConfiguration", _put_remediation, _delete_remediation, frozenset({"ConfigRuleName"})
    ),
    ResourceType("AWS::Config::ConformancePack", _put_pack, _delete_pack, frozenset({"ConformancePackName"})),
    ResourceType(
        "AWS::Config::OrganizationConformancePack",
        _put_organization_pack,
        _delete_organization_pack,
        frozenset({"OrganizationConformancePackName"}),
    ),
    ResourceType("AWS::Config::StoredQuery", _put_query, _delete_query, frozenset({"QueryName"})),
    ResourceType(
        "AWS::Config::ConfigurationAggregator",
        _put_aggregator,
        _delete_aggregator,
        frozenset({"ConfigurationAggregatorName"}),
    ),
)

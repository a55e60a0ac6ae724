"""Rules of an organization as a template has them; making them is AWS Config's part."""

from __future__ import annotations

from aws_simulator.deployment.cloudformation.resources import Made, Properties, ResourceType, Scope, gone, only


def _put(scope: Scope, properties: Properties, _: Made | None) -> Made:
    name = properties["OrganizationConfigRuleName"]
    scope.call(
        "config",
        "put_organization_config_rule",
        OrganizationConfigRuleName=name,
        **only(properties, "OrganizationCustomRuleMetadata", "OrganizationManagedRuleMetadata", "ExcludedAccounts"),
    )
    answer = scope.call("config", "describe_organization_config_rule_statuses", OrganizationConfigRuleNames=[name])
    (status,) = answer["OrganizationConfigRuleStatuses"]
    if status["OrganizationRuleStatus"].endswith("_FAILED"):
        raise ValueError(status["ErrorMessage"])
    return Made(name)


def _delete(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("config", "delete_organization_config_rule", OrganizationConfigRuleName=made.id)


TYPES = (
    ResourceType(
        "AWS::Config::OrganizationConfigRule",
        _put,
        _delete,
        frozenset({"OrganizationConfigRuleName"}),
    ),
)

"""Organization Config rules: a custom Lambda rule that AWS Config makes in every account of an organization.

Put by the management account or a delegated administrator, as `rdk deploy-organization` does through CloudFormation.
Accounts without a running recorder fail, and are tried again by `settle`, which also follows accounts that join and
leave. Managed and policy rules are not simulated, nor that members may not change the rule.

Sources: https://docs.aws.amazon.com/config/latest/APIReference/API_PutOrganizationConfigRule.html,
https://docs.aws.amazon.com/config/latest/developerguide/config-rule-multi-account-deployment.html,
https://docs.aws.amazon.com/config/latest/APIReference/API_OrganizationCustomRuleMetadata.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import Any

from botocore.exceptions import ClientError
from moto.config.models import ConfigBackend, config_backends
from moto.config.responses import ConfigResponse
from moto.organizations.models import OrganizationsBackend

from aws_simulator.core.operations import AwsError, Handler, Paging, Request, implement, now, page
from aws_simulator.deployment.cloudformation import clients
from aws_simulator.deployment.conformance_packs import NO_RECORDER
from aws_simulator.deployment.organization_packs import administered

_RULES = Paging("Limit", 100, "InvalidNextTokenException")


@dataclass
class OrganizationRule:
    """An organization's rule, as its owner put it, and what became of it in each account: an error, or None."""

    name: str
    arn: str
    metadata: Mapping[str, Any]
    excluded: tuple[str, ...]
    changed: datetime
    outcomes: dict[str, str | None] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock, repr=False, compare=False)
    """Callers and AWS Config's own doing may come at once."""

    @property
    def name_in_account(self) -> str:
        """What the rule is called in each account."""
        return f"OrgConfigRule-{self.name}-{self.arn[-8:]}"

    @property
    def failures(self) -> dict[str, str]:
        """The errors by account."""
        return {account: error for account, error in self.outcomes.items() if error}


def _rules(account: str, region: str) -> dict[str, OrganizationRule]:
    backend: ConfigBackend = config_backends[account][region]
    # moto empties this dictionary when it resets the backend.
    rules: dict[str, OrganizationRule] = vars(backend).setdefault("_organization_rules", {})
    return rules


def _put(request: Request) -> dict[str, Any]:
    organization, name = administered(request), request.text("OrganizationConfigRuleName")
    metadata = request.parameters.get("OrganizationCustomRuleMetadata")
    if not metadata:
        raise AwsError("InvalidParameterValueException", "Only custom Lambda rules are simulated for organizations.")
    rules = _rules(request.account, request.region)
    digest = hashlib.sha256(f"{request.account}/{request.region}/{name}".encode()).hexdigest()[:8]
    arn = (
        f"arn:{request.partition}:config:{request.region}:{request.account}:organization-config-rule/"
        f"organization-config-rule-{digest}"
    )
    excluded = tuple(request.parameters.get("ExcludedAccounts") or ())
    before = rules.get(name)
    rule = rules[name] = OrganizationRule(name, arn, metadata, excluded, now())
    with rule.lock:
        for account in _wanted(rule, organization):
            rule.outcomes[account] = _make(rule, account, request.region)
        for account in set(before.outcomes) - set(rule.outcomes) if before else ():
            _remove(rule, account, request.region)
    return {"OrganizationConfigRuleArn": arn}


def _wanted(rule: OrganizationRule, organization: OrganizationsBackend) -> list[str]:
    return sorted(each.id for each in organization.accounts if each.status == "ACTIVE" and each.id not in rule.excluded)


def settle(organization: OrganizationsBackend, regions: Sequence[str] | None = None) -> None:
    """What AWS Config does by itself: rules for accounts that joined or failed before, none for those that left."""
    for owner in (organization.account_id, *(each.account.id for each in organization.admins)):
        for region in regions or list(config_backends[owner]):
            for rule in list(_rules(owner, region).values()):
                _catch_up(rule, region, organization)


def _catch_up(rule: OrganizationRule, region: str, organization: OrganizationsBackend) -> None:
    stay = {each.id for each in organization.accounts}
    with rule.lock:
        for account in _wanted(rule, organization):
            if rule.outcomes.get(account, "new") is not None:
                rule.outcomes[account] = _make(rule, account, region)
        for account in [each for each in rule.outcomes if each not in stay]:
            _remove(rule, account, region)
            del rule.outcomes[account]


def _make(rule: OrganizationRule, account: str, region: str) -> str | None:
    """The rule in one account; the error when AWS Config cannot make it there."""
    if not any(each.status.recording for each in config_backends[account][region].recorders.values()):
        return f"{NO_RECORDER}: The configuration recorder is not running."
    metadata = rule.metadata
    types = metadata["OrganizationConfigRuleTriggerTypes"]
    details: list[dict[str, str]] = [{"EventSource": "aws.config", "MessageType": each} for each in types]
    for each in details:
        if each["MessageType"] == "ScheduledNotification":
            each["MaximumExecutionFrequency"] = metadata.get("MaximumExecutionFrequency", "TwentyFour_Hours")
    made: dict[str, Any] = {
        "ConfigRuleName": rule.name_in_account,
        "Source": {
            "Owner": "CUSTOM_LAMBDA",
            "SourceIdentifier": metadata["LambdaFunctionArn"],
            "SourceDetails": details,
        },
    }
    made |= {key: metadata[key] for key in ("Description", "InputParameters") if metadata.get(key)}
    if metadata.get("ResourceTypesScope"):
        made["Scope"] = {"ComplianceResourceTypes": metadata["ResourceTypesScope"]}
    try:
        clients.call(account, region, "config", "put_config_rule", {"ConfigRule": made})
    except ClientError as error:
        return "{Code}: {Message}".format(**error.response["Error"])
    return None


def _remove(rule: OrganizationRule, account: str, region: str) -> None:
    rules = config_backends[account][region].config_rules
    if rule.name_in_account in rules:
        clients.call(account, region, "config", "delete_config_rule", {"ConfigRuleName": rule.name_in_account})


def _asked(request: Request) -> list[OrganizationRule]:
    administered(request)
    rules = _rules(request.account, request.region)
    names = request.parameters.get("OrganizationConfigRuleNames") or sorted(rules)
    return [_rule(rules, name) for name in names]


def _rule(rules: Mapping[str, OrganizationRule], name: str) -> OrganizationRule:
    if name not in rules:
        raise AwsError(
            "NoSuchOrganizationConfigRuleException",
            "The Config rule in the request is not valid. Verify that the organization Config Rule name is correct.",
        )
    return rules[name]


def _describe(request: Request) -> dict[str, Any]:
    described = [
        {
            "OrganizationConfigRuleName": rule.name,
            "OrganizationConfigRuleArn": rule.arn,
            "OrganizationCustomRuleMetadata": dict(rule.metadata),
            "ExcludedAccounts": list(rule.excluded),
            "LastUpdateTime": rule.changed,
        }
        for rule in _asked(request)
    ]
    items, token = page(described, request, _RULES)
    return {"OrganizationConfigRules": items} | ({"NextToken": token} if token else {})


def _statuses(request: Request) -> dict[str, Any]:
    statuses = [
        {
            "OrganizationConfigRuleName": rule.name,
            "OrganizationRuleStatus": "CREATE_FAILED" if rule.failures else "CREATE_SUCCESSFUL",
            "LastUpdateTime": rule.changed,
            **({"ErrorMessage": "; ".join(f"{a}: {e}" for a, e in rule.failures.items())} if rule.failures else {}),
        }
        for rule in _asked(request)
    ]
    items, token = page(statuses, request, _RULES)
    return {"OrganizationConfigRuleStatuses": items} | ({"NextToken": token} if token else {})


def _delete(request: Request) -> dict[str, Any]:
    administered(request)
    rules = _rules(request.account, request.region)
    rule = _rule(rules, request.text("OrganizationConfigRuleName"))
    for account in rule.outcomes:
        _remove(rule, account, request.region)
    del rules[rule.name]
    return {}


HANDLERS: Mapping[str, Handler] = {
    "DeleteOrganizationConfigRule": _delete,
    "DescribeOrganizationConfigRuleStatuses": _statuses,
    "DescribeOrganizationConfigRules": _describe,
    "PutOrganizationConfigRule": _put,
}


def install() -> None:
    """Puts these operations into moto's AWS Config. Idempotent."""
    implement(ConfigResponse, HANDLERS)

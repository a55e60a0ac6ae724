"""The remediation actions of Config rules: kept, shown and deleted. Running one is AWS Systems Manager's part.

Source: https://docs.aws.amazon.com/config/latest/APIReference/API_PutRemediationConfigurations.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.config.models import ConfigBackend, config_backends
from moto.config.responses import ConfigResponse

from aws_simulator.core.config import rules, service_linked
from aws_simulator.core.operations import AwsError, Handler, Request, implement

Document = dict[str, Any]

MAX_PER_REQUEST = 25
MAX_PARAMETERS = 25


def remediations_of(backend: ConfigBackend) -> dict[str, Document]:
    """Remediation configurations by the rule's name, in one account and Region."""
    # moto empties this dictionary when it resets the backend.
    state: dict[str, Document] = vars(backend).setdefault("_remediations", {})
    return state


def _backend(request: Request) -> ConfigBackend:
    return config_backends[request.account][request.region]


def _put(request: Request) -> Document:
    given = request.parameters["RemediationConfigurations"]
    if not 1 <= len(given) <= MAX_PER_REQUEST:
        raise AwsError("InvalidParameterValueException", f"Between 1 and {MAX_PER_REQUEST} remediation configurations.")
    backend = _backend(request)
    for each in given:
        _check(backend, each)
    for each in given:
        name = each["ConfigRuleName"]
        rule = backend.config_rules[name]
        linked = service_linked.current()
        defaults: Document = {"Automatic": False}
        if each.get("Automatic"):
            defaults |= {"MaximumAutomaticAttempts": 5, "RetryAttemptSeconds": 60}
        own = {"Arn": f"{rule.config_rule_arn.replace(':config-rule/', ':remediation-configuration/', 1)}"}
        if linked:
            own["CreatedByService"] = service_linked.SERVICE
        remediations_of(backend)[name] = defaults | dict(each) | own
    return {"FailedBatches": []}


def _check(backend: ConfigBackend, given: Mapping[str, Any]) -> None:
    name = given["ConfigRuleName"]
    if name not in backend.config_rules:
        raise AwsError("NoSuchConfigRuleException", f"The ConfigRule '{name}' provided in the request is invalid.")
    _refuse_service_linked(backend, name)
    if given["TargetType"] != "SSM_DOCUMENT":
        raise AwsError("InvalidParameterValueException", "The target type must be SSM_DOCUMENT.")
    parameters = given.get("Parameters") or {}
    if len(parameters) > MAX_PARAMETERS:
        raise AwsError("InvalidParameterValueException", f"At most {MAX_PARAMETERS} parameters are allowed.")
    if given.get("Automatic") and "AutomationAssumeRole" not in parameters:
        raise AwsError(
            "InvalidParameterValueException", "Automatic remediation requires the parameter AutomationAssumeRole."
        )
    if not 1 <= given.get("MaximumAutomaticAttempts", 1) <= 25:
        raise AwsError("InvalidParameterValueException", "MaximumAutomaticAttempts must be between 1 and 25.")


def _refuse_service_linked(backend: ConfigBackend, name: str) -> None:
    if backend.config_rules[name].created_by and not service_linked.current():
        raise AwsError(
            "InsufficientPermissionsException",
            f"The rule {name} is owned by an AWS service. You cannot change the remediation action of this rule.",
        )


def _describe(request: Request) -> Document:
    kept = remediations_of(_backend(request))
    names = request.parameters["ConfigRuleNames"]
    return {"RemediationConfigurations": [kept[name] for name in names if name in kept]}


def _delete(request: Request) -> Document:
    backend, name = _backend(request), request.text("ConfigRuleName")
    kept = remediations_of(backend)
    if name not in kept:
        raise AwsError(
            "NoSuchRemediationConfigurationException",
            f"No RemediationConfiguration for rule {name} exists.",
        )
    if name in backend.config_rules:
        _refuse_service_linked(backend, name)
    del kept[name]
    return {}


HANDLERS: Mapping[str, Handler] = {
    "DeleteRemediationConfiguration": _delete,
    "DescribeRemediationConfigurations": _describe,
    "PutRemediationConfigurations": _put,
}


def _refuse_deletion(backend: ConfigBackend, rule_name: str) -> str | None:
    if not remediations_of(backend).get(rule_name):
        return None
    return f"The rule {rule_name} has a remediation action. Delete the remediation action before you delete the rule."


def install() -> None:
    """Puts these operations into moto's AWS Config, where a rule that has an action is not deleted. Idempotent."""
    if _refuse_deletion not in rules.deletion_checks:
        rules.deletion_checks.append(_refuse_deletion)
    implement(ConfigResponse, HANDLERS)

"""What AWS Config answers of stored evaluations: details and compliance, by rule and by resource.

Source: https://docs.aws.amazon.com/config/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from moto.config import responses
from moto.config.exceptions import InvalidParameterValueException, NoSuchConfigRuleException

from aws_simulator.core.config.answers import answered, limit_of, paged
from aws_simulator.core.config.state import (
    COMPLIANCE_TYPES,
    STORED_COMPLIANCE_TYPES,
    ResourceKey,
    Result,
    existing_rules,
    state_of,
)

_MAX_CONTRIBUTORS = 25
_DETAILS_PAGE = 10
_RULES_PAGE = 25


def _get_compliance_details_by_config_rule(self: responses.ConfigResponse) -> str:
    backend, name = self.config_backend, self._get_param("ConfigRuleName")
    if name not in backend.config_rules:
        raise NoSuchConfigRuleException(name)
    limit = limit_of(self._get_param("Limit"), default=_DETAILS_PAGE, maximum=100)
    wanted = _wanted_types(self._get_param("ComplianceTypes"), STORED_COMPLIANCE_TYPES)
    state = state_of(backend)
    with state.lock:
        results = state.results.get(name, {})
        keys = sorted(key for key, result in results.items() if result.evaluation["ComplianceType"] in wanted)
        page, token = paged(keys, limit, self._get_param("NextToken"))
        details = [detail_of(name, results[key]) for key in page]
    return answered({"EvaluationResults": details}, token)


def _get_compliance_details_by_resource(self: responses.ConfigResponse) -> str:
    key = (self._get_param("ResourceType"), self._get_param("ResourceId"))
    wanted = _wanted_types(self._get_param("ComplianceTypes"), STORED_COMPLIANCE_TYPES)
    state = state_of(self.config_backend)
    with state.lock:
        rules = sorted(
            (rule,)
            for rule, results in state.results.items()
            if key in results and results[key].evaluation["ComplianceType"] in wanted
        )
        page, token = paged(rules, 100, self._get_param("NextToken"))
        details = [detail_of(rule, state.results[rule][key]) for (rule,) in page]
    return answered({"EvaluationResults": details}, token)


def _describe_compliance_by_config_rule(self: responses.ConfigResponse) -> str:
    backend = self.config_backend
    wanted = _wanted_types(self._get_param("ComplianceTypes"), COMPLIANCE_TYPES)
    state = state_of(backend)
    with state.lock:
        summaries = {
            (name,): compliance_of(result.evaluation for result in state.results.get(name, {}).values())
            for name in existing_rules(backend, self._get_param("ConfigRuleNames"))
        }
    keys = [key for key, compliance in summaries.items() if compliance["ComplianceType"] in wanted]
    page, token = paged(keys, _RULES_PAGE, self._get_param("NextToken"))
    listed = [{"ConfigRuleName": key[0], "Compliance": summaries[key]} for key in page]
    return answered({"ComplianceByConfigRules": listed}, token)


def _describe_compliance_by_resource(self: responses.ConfigResponse) -> str:
    only_type, only_id = self._get_param("ResourceType"), self._get_param("ResourceId")
    if only_id and not only_type:
        raise InvalidParameterValueException("A resource type should be provided when a resource id is provided.")
    limit = limit_of(self._get_param("Limit"), default=_DETAILS_PAGE, maximum=100)
    wanted = _wanted_types(self._get_param("ComplianceTypes"), COMPLIANCE_TYPES)
    state = state_of(self.config_backend)
    evaluations: dict[ResourceKey, list[dict[str, Any]]] = {}
    with state.lock:
        for results in state.results.values():
            for key, result in results.items():
                if (only_type or key[0]) == key[0] and (only_id or key[1]) == key[1]:
                    evaluations.setdefault(key, []).append(result.evaluation)
    summaries = {key: compliance_of(evaluations[key]) for key in sorted(evaluations)}
    keys = [key for key, compliance in summaries.items() if compliance["ComplianceType"] in wanted]
    page, token = paged(keys, limit, self._get_param("NextToken"))
    listed = [{"ResourceType": key[0], "ResourceId": key[1], "Compliance": summaries[key]} for key in page]
    return answered({"ComplianceByResources": listed}, token)


def detail_of(rule_name: str, result: Result) -> dict[str, Any]:
    """A stored evaluation as AWS Config answers it."""
    evaluation = result.evaluation
    detail = {
        "EvaluationResultIdentifier": {
            "EvaluationResultQualifier": {
                "ConfigRuleName": rule_name,
                "ResourceType": evaluation["ComplianceResourceType"],
                "ResourceId": evaluation["ComplianceResourceId"],
                "EvaluationMode": "DETECTIVE",
            },
            "OrderingTimestamp": evaluation["OrderingTimestamp"],
        },
        "ComplianceType": evaluation["ComplianceType"],
        "ResultRecordedTime": result.recorded,
        "ConfigRuleInvokedTime": evaluation["OrderingTimestamp"],
    }
    return detail | ({"Annotation": evaluation["Annotation"]} if "Annotation" in evaluation else {})


def compliance_of(evaluations: Any) -> dict[str, Any]:
    """NON_COMPLIANT when any evaluation is, with their number (counted to 25); INSUFFICIENT_DATA when none counts."""
    types = [evaluation["ComplianceType"] for evaluation in evaluations]
    against = types.count("NON_COMPLIANT")
    if against:
        count = {"CappedCount": min(against, _MAX_CONTRIBUTORS), "CapExceeded": against > _MAX_CONTRIBUTORS}
        return {"ComplianceType": "NON_COMPLIANT", "ComplianceContributorCount": count}
    return {"ComplianceType": "COMPLIANT" if "COMPLIANT" in types else "INSUFFICIENT_DATA"}


def _wanted_types(asked: Sequence[str] | None, allowed: Sequence[str]) -> frozenset[str]:
    """The compliance types to list. Unasked, a NOT_APPLICABLE resource is not listed: it has left the rule's scope."""
    for compliance_type in asked or []:
        if compliance_type not in allowed:
            raise InvalidParameterValueException(
                f"The compliance type {compliance_type} is invalid. "
                f"Only the following values are permitted: [{', '.join(allowed)}]."
            )
    return frozenset(asked or set(allowed) - {"NOT_APPLICABLE"})


OPERATIONS = {
    "describe_compliance_by_config_rule": _describe_compliance_by_config_rule,
    "describe_compliance_by_resource": _describe_compliance_by_resource,
    "get_compliance_details_by_config_rule": _get_compliance_details_by_config_rule,
    "get_compliance_details_by_resource": _get_compliance_details_by_resource,
}

"""PutEvaluations: what a rule's function hands in, under a token that AWS Config gave it.

Source: https://docs.aws.amazon.com/config/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from moto.config import models, responses
from moto.config.exceptions import InvalidParameterValueException, NoSuchConfigRuleException, ValidationException
from moto.core.exceptions import JsonRESTError
from moto.core.utils import get_service_model

from aws_simulator.core.config.answers import answered, at_most, violation
from aws_simulator.core.config.state import (
    COMPLIANCE_TYPES,
    STORED_COMPLIANCE_TYPES,
    Result,
    compliance_listeners,
    state_of,
)
from aws_simulator.core.operations import now

ACCOUNT_TYPE = "AWS::::Account"
MAX_EVALUATIONS = 100
MAX_ANNOTATION_LENGTH = 256
MAX_RESOURCE_ID_LENGTH = 768

_SEAL = b"backup-rules-simulator"
"""What makes a made-up token differ from one of `result_token`."""

_SEAL_LENGTH = hashlib.sha256().digest_size


class _InvalidResultTokenError(JsonRESTError):
    code = 400

    def __init__(self) -> None:
        super().__init__("InvalidResultTokenException", "Result Token provided is invalid")


def result_token(account: str, region: str, rule_name: str) -> str:
    """The token that Config puts into the event with which it invokes the rule in that account and Region.

    It is opaque to the rule, and good only for evaluations put by the same account in the same Region.
    """
    content = json.dumps([account, region, rule_name]).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(_SEAL + content).digest() + content).decode()


def reject_evaluations(account: str, region: str, resource_ids: Sequence[str]) -> None:
    """From now on hand evaluations of these resource ids back in `FailedEvaluations`, unstored. Empty: none."""
    state_of(models.config_backends[account][region]).rejected_ids = frozenset(resource_ids)


def _put_evaluations(self: responses.ConfigResponse) -> str:
    backend = self.config_backend
    evaluations, token = self._get_param("Evaluations"), self._get_param("ResultToken")
    if not evaluations:
        raise InvalidParameterValueException(
            "The Evaluations object in your request cannot be null. Add the required parameters and try again."
        )
    if not token:
        raise _InvalidResultTokenError
    _check_constraints(evaluations)
    if self._get_param("TestMode"):
        _check_values(evaluations)
        return answered({"FailedEvaluations": []})
    rule_name = _rule_of_token(token, backend)
    _check_values(evaluations)
    return answered({"FailedEvaluations": _store(backend, rule_name, evaluations)})


def _rule_of_token(token: str, backend: models.ConfigBackend) -> str:
    try:
        sealed = base64.urlsafe_b64decode(token)
    except (binascii.Error, ValueError):
        raise _InvalidResultTokenError from None
    seal, content = sealed[:_SEAL_LENGTH], sealed[_SEAL_LENGTH:]
    if seal != hashlib.sha256(_SEAL + content).digest():
        raise _InvalidResultTokenError
    account, region, rule_name = json.loads(content)
    if (account, region) != (backend.account_id, backend.region_name):
        raise _InvalidResultTokenError
    if rule_name not in backend.config_rules:
        raise NoSuchConfigRuleException(rule_name)
    return str(rule_name)


def _check_constraints(evaluations: Sequence[Mapping[str, Any]]) -> None:
    """What AWS refuses by the shape of the request, all of it in one message."""
    problems = []
    if len(evaluations) > MAX_EVALUATIONS:
        listed = ", ".join(f"com.amazonaws.starling.dove.Evaluation@{number:08x}" for number in range(len(evaluations)))
        problems.append(violation(f"[{listed}]", "evaluations", at_most(MAX_EVALUATIONS)))
    for number, evaluation in enumerate(evaluations, start=1):
        problems += _violations_of(evaluation, f"evaluations.{number}.member")
    if problems:
        counted = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise ValidationException(counted + "; ".join(problems))


def _violations_of(evaluation: Mapping[str, Any], where: str) -> list[str]:
    lengths = [
        ("Annotation", "annotation", MAX_ANNOTATION_LENGTH),
        ("ComplianceResourceId", "complianceResourceId", MAX_RESOURCE_ID_LENGTH),
        ("ComplianceResourceType", "complianceResourceType", 256),
    ]
    problems = []
    for name, member, longest in lengths:
        value = evaluation.get(name)
        if value is None and name != "Annotation":
            problems.append(violation("null", f"{where}.{member}", "Member must not be null"))
        elif value is not None and len(value) > longest:
            problems.append(violation(value, f"{where}.{member}", at_most(longest)))
        elif value == "":
            problems.append(violation("", f"{where}.{member}", "Member must have length greater than or equal to 1"))
    if evaluation.get("ComplianceType") not in COMPLIANCE_TYPES:
        allowed = f"Member must satisfy enum value set: [{', '.join(COMPLIANCE_TYPES)}]"
        problems.append(violation(evaluation.get("ComplianceType"), f"{where}.complianceType", allowed))
    if evaluation.get("OrderingTimestamp") is None:
        problems.append(violation("null", f"{where}.orderingTimestamp", "Member must not be null"))
    return problems


def _check_values(evaluations: Sequence[Mapping[str, Any]]) -> None:
    """What AWS refuses by the meaning of a value; the first one found fails the whole call."""
    permitted = _permitted_resource_types()
    for evaluation in evaluations:
        if evaluation["ComplianceType"] not in STORED_COMPLIANCE_TYPES:
            raise InvalidParameterValueException(
                f"The compliance type {evaluation['ComplianceType']} is invalid. "
                f"Only the following values are permitted: [{', '.join(STORED_COMPLIANCE_TYPES)}]."
            )
        if evaluation["ComplianceResourceType"] not in permitted:
            raise InvalidParameterValueException(
                f"The resource type {evaluation['ComplianceResourceType']} is invalid. "
                f"Only the following values are permitted: [{', '.join(permitted)}]."
            )


def _store(
    backend: models.ConfigBackend, rule_name: str, evaluations: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Store each evaluation unless a later one stands (by OrderingTimestamp); answers those that are handed back."""
    state, recorded, failed = state_of(backend), now().timestamp(), []
    changes: list[tuple[Result | None, Result]] = []
    with state.lock:
        results = state.results.setdefault(rule_name, {})
        for evaluation in evaluations:
            if evaluation["ComplianceResourceId"] in state.rejected_ids:
                failed.append(evaluation)
                continue
            key = (evaluation["ComplianceResourceType"], evaluation["ComplianceResourceId"])
            standing = results.get(key)
            if standing and standing.evaluation["OrderingTimestamp"] > evaluation["OrderingTimestamp"]:
                continue
            results[key] = Result(evaluation, recorded=recorded)
            if standing is None or standing.evaluation["ComplianceType"] != evaluation["ComplianceType"]:
                changes.append((standing, results[key]))
        state.last_put[rule_name] = recorded
    for listener in compliance_listeners:
        for old, new in changes:
            listener(backend, rule_name, old, new)
    return failed


def _permitted_resource_types() -> list[str]:
    shape = get_service_model("config").shape_for("ResourceType")
    return sorted([*shape.enum, ACCOUNT_TYPE])


OPERATIONS = {"put_evaluations": _put_evaluations}

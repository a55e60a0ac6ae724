"""AWS Config's rules: put, described, deleted, and asked to be evaluated.

Source: https://docs.aws.amazon.com/config/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from moto.config import models, responses
from moto.config.exceptions import (
    InsufficientPermissionsException,
    InvalidParameterValueException,
    ResourceInUseException,
    ValidationException,
)
from moto.core.exceptions import JsonRESTError
from moto.utilities.utils import get_partition

from aws_simulator.core.config import service_linked
from aws_simulator.core.config.answers import answered, at_most, constraint, limit_of, paged
from aws_simulator.core.config.state import existing_rules, state_of
from aws_simulator.core.operations import AwsError

MAX_RULES = 1000
"""Rules in one account and Region: https://docs.aws.amazon.com/config/latest/developerguide/configlimits.html"""
MAX_RULES_PER_REQUEST = 25
RULES_PAGE = 25
STATUS_PAGE = 50

FunctionCheck = Callable[[str, str, str, str | None], None]
"""Raises AwsError unless AWS Config may invoke the function: its ARN, the principal, the rule's account and ARN."""

function_checks: list[FunctionCheck] = []
"""Who is asked when a custom rule is put: what simulates Lambda."""

DeletionCheck = Callable[[models.ConfigBackend, str], str | None]
"""Why the rule of that name in the backend cannot be deleted, or None."""

deletion_checks: list[DeletionCheck] = []
"""Who is asked before a rule is deleted."""


class _LimitExceededError(JsonRESTError):
    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("LimitExceededException", message)


class _ServiceLinkedError(JsonRESTError):
    code = 400

    def __init__(self) -> None:
        super().__init__(
            "AccessDeniedException",
            "An AWS service owns ServiceLinkedConfigRule. You do not have permissions to take action on this rule.",
        )


class _Settings:
    """How `install` was asked to behave; one for the process, like the classes that it changes."""

    require_functions = True


def install(*, require_functions: bool | None = None) -> None:
    """Teach moto's rules what they lack; see the package's `install`."""
    if require_functions is not None:
        _Settings.require_functions = require_functions
    if vars(models.Source)["__init__"] is not _init_source:
        setattr(models.Source, "__init__", _init_source)  # noqa: B010 - mypy forbids assigning to a method
    models.ConfigRule.MAX_RULES = MAX_RULES


def take_requested_evaluations(account: str, region: str) -> list[str]:
    """The rules whose evaluation `StartConfigRulesEvaluation` asked for, in order; they count as run from now on."""
    state = state_of(models.config_backends[account][region])
    with state.lock:
        requested, state.requested = state.requested, []
    return requested


def principal(region: str) -> str:
    """Who invokes a rule's function: AWS Config, as its partition names it."""
    return "config.amazonaws.com.cn" if get_partition(region) == "aws-cn" else "config.amazonaws.com"


def conformance_pack_rule_name(rule_name: str, pack_name: str) -> str:
    """The name that Config gives to a rule of a conformance pack: the same suffix for all rules of one pack."""
    digest = hashlib.sha256(pack_name.encode()).digest()
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    return f"{rule_name}-conformance-pack-{''.join(alphabet[byte % 36] for byte in digest[:9])}"


def _init_source(  # noqa: PLR0913, PLR0917 - moto's own signature
    self: models.Source,
    account_id: str,
    region: str,
    owner: str,
    source_identifier: str,
    source_details: Any = None,
) -> None:
    """moto's, but for a function of another account, which a custom rule may name by its ARN (same Region)."""
    if owner != "CUSTOM_LAMBDA" or not source_details:
        _MOTO_INIT_SOURCE(self, account_id, region, owner, source_identifier, source_details)
        return
    models.ConfigEmptyDictable.__init__(self, capitalize_start=True, capitalize_arn=False)
    self.owner = owner
    self.source_identifier = source_identifier
    self.source_details = [models.SourceDetail(**models.convert_to_class_args(detail)) for detail in source_details]


_MOTO_INIT_SOURCE = models.Source.__init__


def _put_config_rule(self: responses.ConfigResponse) -> str:
    backend, given = self.config_backend, self._get_param("ConfigRule")
    _check_rule(given)
    before = _rule_meant(backend, given)
    linked = service_linked.current()
    if before is not None and before.created_by and not linked:
        raise _ServiceLinkedError
    source = given.get("Source", {})
    if _Settings.require_functions and source.get("Owner") == "CUSTOM_LAMBDA" and source.get("SourceDetails"):
        _require_function(backend, str(source.get("SourceIdentifier")), before.config_rule_arn if before else None)
    backend.put_config_rule(given, self._get_param("Tags"))
    if linked:
        rule = backend.config_rules[given["ConfigRuleName"]]
        rule.created_by = service_linked.SERVICE
        own = f":config-rule/{rule.config_rule_id}"
        of_service = f":config-rule/aws-service-rule/{service_linked.SERVICE}/{rule.config_rule_id}"
        rule.config_rule_arn = rule.config_rule_arn.replace(own, of_service)
    return ""


def _rule_meant(backend: models.ConfigBackend, given: Mapping[str, Any]) -> models.ConfigRule | None:
    """The rule that a request is about, by name, ARN or id."""
    if "ConfigRuleName" in given:
        return backend.config_rules.get(given["ConfigRuleName"])
    wanted = {given.get("ConfigRuleArn"), given.get("ConfigRuleId")}
    rules = backend.config_rules.values()
    return next((rule for rule in rules if wanted & {rule.config_rule_arn, rule.config_rule_id}), None)


def _check_rule(given: Mapping[str, Any]) -> None:
    for name, longest in (("Description", 256), ("InputParameters", 1024)):
        if len(given.get(name) or "") > longest:
            member = f"configRule.{name[0].lower()}{name[1:]}"
            raise ValidationException(constraint(given[name], member, at_most(longest)))
    messages = {detail.get("MessageType") for detail in given.get("Source", {}).get("SourceDetails") or []}
    if given.get("Scope") and messages == {"ScheduledNotification"}:
        raise InvalidParameterValueException(
            "The Scope parameter is not supported for rules that are triggered periodically only."
        )


def _require_function(backend: models.ConfigBackend, function: str, rule_arn: str | None) -> None:
    """Refuse a function that does not exist, or that does not let Config invoke it for the account of the rule."""
    account, region = backend.account_id, backend.region_name
    arn = function
    if not function.startswith("arn:"):
        arn = f"arn:{get_partition(region)}:lambda:{region}:{account}:function:{function}"
    try:
        if arn.split(":")[3] != region:
            raise AwsError("ResourceNotFoundException", "The function is in another Region.")  # noqa: TRY301 - one end
        for check in function_checks:
            check(arn, principal(region), account, rule_arn)
    except (AwsError, IndexError) as error:
        raise InsufficientPermissionsException(
            f"The AWS Lambda function {function} cannot be invoked. Check the specified function ARN, and check the "
            "function's permissions."
        ) from error


def _describe_config_rules(self: responses.ConfigResponse) -> str:
    backend = self.config_backend
    names = existing_rules(backend, self._get_param("ConfigRuleNames"))
    page, token = paged([(name,) for name in names], RULES_PAGE, self._get_param("NextToken"))
    rules = [backend.config_rules[name].to_dict() for (name,) in page]
    return answered({"ConfigRules": rules}, token)


def _delete_config_rule(self: responses.ConfigResponse) -> str:
    backend, name = self.config_backend, self._get_param("ConfigRuleName")
    rule = backend.config_rules.get(name)
    if rule is not None and rule.created_by and not service_linked.current():
        raise _ServiceLinkedError
    for refusal in filter(None, (check(backend, name) for check in deletion_checks)):
        raise ResourceInUseException(refusal)
    backend.delete_config_rule(name)
    state = state_of(backend)
    with state.lock:
        state.results.pop(name, None)
        state.last_put.pop(name, None)
        state.requested = [requested for requested in state.requested if requested != name]
    return ""


def _start_config_rules_evaluation(self: responses.ConfigResponse) -> str:
    backend = self.config_backend
    names = self._get_param("ConfigRuleNames") or []
    if not names:
        raise InvalidParameterValueException("The ConfigRuleNames list must name at least one rule.")
    if len(names) > MAX_RULES_PER_REQUEST:
        raise ValidationException(constraint(names, "configRuleNames", at_most(MAX_RULES_PER_REQUEST)))
    state = state_of(backend)
    with state.lock:
        for name in existing_rules(backend, names):
            if name in state.requested:
                raise _LimitExceededError(f"The evaluation of the rule {name} is already in progress.")
        state.requested.extend(names)
    return "{}"


def _describe_config_rule_evaluation_status(self: responses.ConfigResponse) -> str:
    backend = self.config_backend
    names = existing_rules(backend, self._get_param("ConfigRuleNames"))
    limit = limit_of(self._get_param("Limit"), default=STATUS_PAGE, maximum=STATUS_PAGE)
    page, token = paged([(name,) for name in names], limit, self._get_param("NextToken"))
    return answered({"ConfigRulesEvaluationStatus": [_evaluation_status(backend, name) for (name,) in page]}, token)


def _evaluation_status(backend: models.ConfigBackend, name: str) -> dict[str, Any]:
    rule = backend.config_rules[name]
    put = state_of(backend).last_put.get(name)
    status = {
        "ConfigRuleName": name,
        "ConfigRuleArn": rule.config_rule_arn,
        "ConfigRuleId": rule.config_rule_id,
        "FirstActivatedTime": rule.last_updated_time,
        "FirstEvaluationStarted": put is not None,
    }
    return (
        status if put is None else status | {"LastSuccessfulInvocationTime": put, "LastSuccessfulEvaluationTime": put}
    )


OPERATIONS = {
    "delete_config_rule": _delete_config_rule,
    "describe_config_rule_evaluation_status": _describe_config_rule_evaluation_status,
    "describe_config_rules": _describe_config_rules,
    "put_config_rule": _put_config_rule,
    "start_config_rules_evaluation": _start_config_rules_evaluation,
}

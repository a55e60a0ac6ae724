"""AWS Config as the rules meet it: rules, evaluations and their results, configuration items.

moto keeps recorders, delivery channels and rules; it has no evaluations. `install` adds them to moto's own response
class, so that requests pass botocore's serialisation in process and through moto's server alike, and keeps the state in
moto's backends: per account and Region, gone when moto is reset.
Source: https://docs.aws.amazon.com/config/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import base64
import binascii
import bisect
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import RLock
from typing import Any, TypeVar

from moto.config import models, responses
from moto.config.exceptions import (
    InsufficientPermissionsException,
    InvalidLimitException,
    InvalidNextTokenException,
    InvalidParameterValueException,
    NoSuchConfigRuleException,
    ResourceInUseException,
    ResourceNotDiscoveredException,
    ValidationException,
)
from moto.core.exceptions import JsonRESTError
from moto.core.utils import get_service_model
from moto.utilities.utils import get_partition

from aws_simulator.core.backup import plans, selections
from aws_simulator.core.config import service_linked
from aws_simulator.core.messages.configuration_items import (
    PLAN_TYPE,
    SELECTION_TYPE,
    Recording,
    Status,
    plan_item,
    selection_item,
)
from aws_simulator.core.operations import AwsError, Request, current_page_size, now

ACCOUNT_TYPE = "AWS::::Account"
MAX_RULES = 1000
"""Rules in one account and Region: https://docs.aws.amazon.com/config/latest/developerguide/configlimits.html"""
STORED_COMPLIANCE_TYPES = ("COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE")
COMPLIANCE_TYPES = (*STORED_COMPLIANCE_TYPES, "INSUFFICIENT_DATA")
MAX_EVALUATIONS = 100
MAX_ANNOTATION_LENGTH = 256
MAX_RESOURCE_ID_LENGTH = 768
MAX_CONTRIBUTORS = 25
MAX_RULES_PER_REQUEST = 25
DEFAULT_DETAILS_PAGE = 10
RULES_PAGE = 25
STATUS_PAGE = 50

ResourceKey = tuple[str, str]
"""Resource type and resource id."""

Key = TypeVar("Key", bound=tuple[str, ...])


@dataclass(slots=True)
class Result:
    """One evaluation, as put, and when it was recorded (seconds since 1970)."""

    evaluation: dict[str, Any]
    recorded: float


ComplianceListener = Callable[[models.ConfigBackend, str, Result | None, Result], None]
"""Gets the backend, the rule's name, and a resource's result before (None: none yet) and now."""

compliance_listeners: list[ComplianceListener] = []
"""Who is told when a resource's compliance with a rule changes, after all evaluations of the call are stored."""


FunctionCheck = Callable[[str, str, str, str | None], None]
"""Raises AwsError unless AWS Config may invoke the function: its ARN, the principal, the rule's account and ARN."""

function_checks: list[FunctionCheck] = []
"""Who is asked when a custom rule is put: what simulates Lambda."""

DeletionCheck = Callable[[models.ConfigBackend, str], str | None]
"""Why the rule of that name in the backend cannot be deleted, or None."""

deletion_checks: list[DeletionCheck] = []
"""Who is asked before a rule is deleted."""


@dataclass(slots=True)
class State:
    """What moto's backend of one account and Region lacks. The lock serves moto's threaded server."""

    results: dict[str, dict[ResourceKey, Result]] = field(default_factory=dict)
    last_put: dict[str, float] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)
    rejected_ids: frozenset[str] = frozenset()
    items: dict[ResourceKey, list[dict[str, Any]]] = field(default_factory=dict)
    lock: Any = field(default_factory=RLock)


class _InvalidResultTokenError(JsonRESTError):
    code = 400

    def __init__(self) -> None:
        super().__init__("InvalidResultTokenException", "Result Token provided is invalid")


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
    """Teach moto's AWS Config evaluations; see the package's `install`."""
    if require_functions is not None:
        _Settings.require_functions = require_functions
    for name, operation in _OPERATIONS.items():
        setattr(responses.ConfigResponse, name, operation)
    vars_of_source = vars(models.Source)
    if vars_of_source["__init__"] is not _init_source:
        setattr(models.Source, "__init__", _init_source)  # noqa: B010 - mypy forbids assigning to a method
    models.ConfigRule.MAX_RULES = MAX_RULES


def result_token(account: str, region: str, rule_name: str) -> str:
    """The token that Config puts into the event with which it invokes the rule in that account and Region.

    It is opaque to the rule, and good only for evaluations put by the same account in the same Region.
    """
    content = json.dumps([account, region, rule_name]).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(_SEAL + content).digest() + content).decode()


def reject_evaluations(account: str, region: str, resource_ids: Sequence[str]) -> None:
    """From now on hand evaluations of these resource ids back in `FailedEvaluations`, unstored. Empty: none."""
    state_of(models.config_backends[account][region]).rejected_ids = frozenset(resource_ids)


def take_requested_evaluations(account: str, region: str) -> list[str]:
    """The rules whose evaluation `StartConfigRulesEvaluation` asked for, in order; they count as run from now on."""
    state = state_of(models.config_backends[account][region])
    with state.lock:
        requested, state.requested = state.requested, []
    return requested


def principal(region: str) -> str:
    """Who invokes a rule's function: AWS Config, as its partition names it."""
    return "config.amazonaws.com.cn" if get_partition(region) == "aws-cn" else "config.amazonaws.com"


def put_configuration_item(account: str, region: str, item: Mapping[str, Any]) -> None:
    """Record a configuration item (as `messages.configuration_items` makes it) for `GetResourceConfigHistory`."""
    state = state_of(models.config_backends[account][region])
    with state.lock:
        state.items.setdefault((item["resourceType"], item["resourceId"]), []).append(dict(item))


def conformance_pack_rule_name(rule_name: str, pack_name: str) -> str:
    """The name that Config gives to a rule of a conformance pack: the same suffix for all rules of one pack."""
    digest = hashlib.sha256(pack_name.encode()).digest()
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    return f"{rule_name}-conformance-pack-{''.join(alphabet[byte % 36] for byte in digest[:9])}"


_SEAL = b"backup-rules-simulator"
"""What makes a made-up token differ from one of `result_token`."""

_SEAL_LENGTH = hashlib.sha256().digest_size
_STATE = "_evaluations"


def state_of(backend: models.ConfigBackend) -> State:
    state: State = backend.__dict__.setdefault(_STATE, State())
    return state


def _permitted_resource_types() -> list[str]:
    shape = get_service_model("config").shape_for("ResourceType")
    return sorted([*shape.enum, ACCOUNT_TYPE])


# --- Rules ---------------------------------------------------------------------------------------------------------


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
            raise ValidationException(_constraint(given[name], member, _at_most(longest)))
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
    names = _existing_rules(backend, self._get_param("ConfigRuleNames"))
    page, token = _page([(name,) for name in names], RULES_PAGE, self._get_param("NextToken"))
    rules = [backend.config_rules[name].to_dict() for (name,) in page]
    return _answer({"ConfigRules": rules}, token)


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
        raise ValidationException(_constraint(names, "configRuleNames", _at_most(MAX_RULES_PER_REQUEST)))
    state = state_of(backend)
    with state.lock:
        for name in _existing_rules(backend, names):
            if name in state.requested:
                raise _LimitExceededError(f"The evaluation of the rule {name} is already in progress.")
        state.requested.extend(names)
    return "{}"


def _describe_config_rule_evaluation_status(self: responses.ConfigResponse) -> str:
    backend = self.config_backend
    names = _existing_rules(backend, self._get_param("ConfigRuleNames"))
    limit = _limit(self._get_param("Limit"), default=STATUS_PAGE, maximum=STATUS_PAGE)
    page, token = _page([(name,) for name in names], limit, self._get_param("NextToken"))
    return _answer({"ConfigRulesEvaluationStatus": [_evaluation_status(backend, name) for (name,) in page]}, token)


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


def _existing_rules(backend: models.ConfigBackend, names: Sequence[str] | None) -> list[str]:
    """The rules asked for, or all, in the order of their names."""
    for name in names or []:
        if name not in backend.config_rules:
            raise NoSuchConfigRuleException(name)
    return sorted(set(names or backend.config_rules))


# --- Evaluations ---------------------------------------------------------------------------------------------------


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
        return _answer({"FailedEvaluations": []})
    rule_name = _rule_of_token(token, backend)
    _check_values(evaluations)
    return _answer({"FailedEvaluations": _store(backend, rule_name, evaluations)})


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
        problems.append(_violation(f"[{listed}]", "evaluations", _at_most(MAX_EVALUATIONS)))
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
            problems.append(_violation("null", f"{where}.{member}", "Member must not be null"))
        elif value is not None and len(value) > longest:
            problems.append(_violation(value, f"{where}.{member}", _at_most(longest)))
        elif value == "":
            problems.append(_violation("", f"{where}.{member}", "Member must have length greater than or equal to 1"))
    if evaluation.get("ComplianceType") not in COMPLIANCE_TYPES:
        allowed = f"Member must satisfy enum value set: [{', '.join(COMPLIANCE_TYPES)}]"
        problems.append(_violation(evaluation.get("ComplianceType"), f"{where}.complianceType", allowed))
    if evaluation.get("OrderingTimestamp") is None:
        problems.append(_violation("null", f"{where}.orderingTimestamp", "Member must not be null"))
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


# --- Results -------------------------------------------------------------------------------------------------------


def _get_compliance_details_by_config_rule(self: responses.ConfigResponse) -> str:
    backend, name = self.config_backend, self._get_param("ConfigRuleName")
    if name not in backend.config_rules:
        raise NoSuchConfigRuleException(name)
    limit = _limit(self._get_param("Limit"), default=DEFAULT_DETAILS_PAGE, maximum=100)
    wanted = _wanted_types(self._get_param("ComplianceTypes"), STORED_COMPLIANCE_TYPES)
    state = state_of(backend)
    with state.lock:
        results = state.results.get(name, {})
        keys = sorted(key for key, result in results.items() if result.evaluation["ComplianceType"] in wanted)
        page, token = _page(keys, limit, self._get_param("NextToken"))
        details = [detail_of(name, results[key]) for key in page]
    return _answer({"EvaluationResults": details}, token)


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
        page, token = _page(rules, 100, self._get_param("NextToken"))
        details = [detail_of(rule, state.results[rule][key]) for (rule,) in page]
    return _answer({"EvaluationResults": details}, token)


def _describe_compliance_by_config_rule(self: responses.ConfigResponse) -> str:
    backend = self.config_backend
    wanted = _wanted_types(self._get_param("ComplianceTypes"), COMPLIANCE_TYPES)
    state = state_of(backend)
    with state.lock:
        summaries = {
            (name,): compliance_of(result.evaluation for result in state.results.get(name, {}).values())
            for name in _existing_rules(backend, self._get_param("ConfigRuleNames"))
        }
    keys = [key for key, compliance in summaries.items() if compliance["ComplianceType"] in wanted]
    page, token = _page(keys, RULES_PAGE, self._get_param("NextToken"))
    listed = [{"ConfigRuleName": key[0], "Compliance": summaries[key]} for key in page]
    return _answer({"ComplianceByConfigRules": listed}, token)


def _describe_compliance_by_resource(self: responses.ConfigResponse) -> str:
    only_type, only_id = self._get_param("ResourceType"), self._get_param("ResourceId")
    if only_id and not only_type:
        raise InvalidParameterValueException("A resource type should be provided when a resource id is provided.")
    limit = _limit(self._get_param("Limit"), default=DEFAULT_DETAILS_PAGE, maximum=100)
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
    page, token = _page(keys, limit, self._get_param("NextToken"))
    listed = [{"ResourceType": key[0], "ResourceId": key[1], "Compliance": summaries[key]} for key in page]
    return _answer({"ComplianceByResources": listed}, token)


def detail_of(rule_name: str, result: Result) -> dict[str, Any]:
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
        count = {"CappedCount": min(against, MAX_CONTRIBUTORS), "CapExceeded": against > MAX_CONTRIBUTORS}
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


# --- Configuration items -------------------------------------------------------------------------------------------


def _get_resource_config_history(self: responses.ConfigResponse) -> str:
    resource_type, resource_id = self._get_param("resourceType"), self._get_param("resourceId")
    state = state_of(self.config_backend)
    with state.lock:
        items = list(state.items.get((resource_type, resource_id), []))
    items = items or _items_of_backup(self, resource_type, resource_id)
    if not items:
        if resource_type in models.RESOURCE_MAP:
            return str(_MOTO_HISTORY(self))
        raise ResourceNotDiscoveredException(resource_type, resource_id)
    limit = self._get_param("limit") or 10
    if limit > 100:
        raise InvalidLimitException(limit)
    earliest, latest = self._get_param("earlierTime"), self._get_param("laterTime")
    listed = [
        item
        for item in map(_recorded_item, items)
        if (earliest is None or item["configurationItemCaptureTime"] >= earliest)
        and (latest is None or item["configurationItemCaptureTime"] <= latest)
    ]
    newest_first = self._get_param("chronologicalOrder") != "Forward"
    listed.sort(key=lambda item: item["configurationItemCaptureTime"], reverse=newest_first)
    page, token = _page([(f"{number:08}",) for number in range(len(listed))], limit, self._get_param("nextToken"))
    answer = {"configurationItems": [listed[int(number)] for (number,) in page]}
    return json.dumps(answer | ({"nextToken": token} if token else {}))


def _items_of_backup(self: responses.ConfigResponse, resource_type: str, resource_id: str) -> list[dict[str, Any]]:
    """What Config would have recorded of a plan or selection that AWS Backup has now: its current state."""
    asked = Request(self.current_account, self.region, _backup_ids(resource_type, resource_id))
    recording = Recording(asked.account, asked.region, now(), partition=asked.partition)
    try:
        if resource_type == PLAN_TYPE:
            answer = plans.HANDLERS["GetBackupPlan"](asked)
            deleted = answer.get("DeletionDate")
            status: Status = "ResourceDeleted" if deleted else "OK"
            return [plan_item(answer, replace(recording, captured=deleted or answer["CreationDate"], status=status))]
        if resource_type == SELECTION_TYPE:
            answer = selections.HANDLERS["GetBackupSelection"](asked)
            return [selection_item(answer, replace(recording, captured=answer["CreationDate"]))]
    except AwsError:
        pass
    return []


def _backup_ids(resource_type: str, resource_id: str) -> dict[str, str]:
    if resource_type == SELECTION_TYPE:
        selection_id, _, plan_id = resource_id.partition("_")
        return {"SelectionId": selection_id, "BackupPlanId": plan_id}
    return {"BackupPlanId": resource_id}


_MOTO_HISTORY = responses.ConfigResponse.get_resource_config_history


def _recorded_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item as the API answers it: other names than in an event, and its configuration as JSON text."""
    renamed = {
        "configurationItemVersion": "version",
        "awsAccountId": "accountId",
        "ARN": "arn",
        "configurationStateMd5Hash": "configurationItemMD5Hash",
    }
    answer = {renamed.get(name, name): value for name, value in item.items() if value is not None}
    for name in ("configurationItemCaptureTime", "resourceCreationTime"):
        if isinstance(answer.get(name), str):
            answer[name] = datetime.fromisoformat(answer[name]).timestamp()
    if "configurationStateId" in answer:
        answer["configurationStateId"] = str(answer["configurationStateId"])
    if isinstance(answer.get("configuration"), Mapping):
        answer["configuration"] = json.dumps(answer["configuration"])
    return answer


# --- Answers, pages, messages --------------------------------------------------------------------------------------


def _answer(content: dict[str, Any], token: str | None = None) -> str:
    return json.dumps(content | ({"NextToken": token} if token else {}))


def _page(keys: Sequence[Key], size: int, token: str | None) -> tuple[Sequence[Key], str | None]:
    """The keys (sorted) after the one that `token` stands for, and the token for the next page."""
    start = bisect.bisect_right(keys, _key_of(token)) if token else 0
    size = min(size, current_page_size() or size)
    page = keys[start : start + size]
    more = start + size < len(keys)
    return page, base64.urlsafe_b64encode(json.dumps(page[-1]).encode()).decode() if more else None


def _key_of(token: str) -> Any:
    try:
        return tuple(json.loads(base64.urlsafe_b64decode(token)))
    except ValueError:
        raise InvalidNextTokenException from None


def _limit(asked: int | None, *, default: int, maximum: int) -> int:
    if asked and asked > maximum:
        raise ValidationException(
            _constraint(asked, "limit", f"Member must have value less than or equal to {maximum}")
        )
    return asked or default


def _constraint(value: object, member: str, demand: str) -> str:
    return f"1 validation error detected: {_violation(value, member, demand)}"


def _violation(value: object, member: str, demand: str) -> str:
    return f"Value '{value}' at '{member}' failed to satisfy constraint: {demand}"


def _at_most(length: int) -> str:
    return f"Member must have length less than or equal to {length}"


_OPERATIONS: Mapping[str, Callable[[responses.ConfigResponse], str]] = {
    "delete_config_rule": _delete_config_rule,
    "describe_compliance_by_config_rule": _describe_compliance_by_config_rule,
    "describe_compliance_by_resource": _describe_compliance_by_resource,
    "describe_config_rule_evaluation_status": _describe_config_rule_evaluation_status,
    "describe_config_rules": _describe_config_rules,
    "get_compliance_details_by_config_rule": _get_compliance_details_by_config_rule,
    "get_compliance_details_by_resource": _get_compliance_details_by_resource,
    "get_resource_config_history": _get_resource_config_history,
    "put_config_rule": _put_config_rule,
    "put_evaluations": _put_evaluations,
    "start_config_rules_evaluation": _start_config_rules_evaluation,
}

"""`iam:SimulatePrincipalPolicy` and `iam:SimulateCustomPolicy`, added to moto's IAM.

Shapes and limits are those of botocore's model of IAM. Where the model is silent, these observations of the real
service hold:

- Without resources, or on `*`, a result has no `ResourceSpecificResults` and no `EvalDecisionDetails`. With a single
  resource `EvalResourceName` is that resource, with several an ARN format.
- Context keys that are known without being given: `aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:userid` (the ARN
  of the caller) and, for users, `aws:username`. All others, `aws:ResourceAccount`, `aws:ResourceTag/…` and
  `kms:ViaService` among them, are absent unless `ContextEntries` gives them.
- `MissingContextValues` lists, when nothing allowed the request, the keys of all statements of the policies, whether or
  not a statement is about the simulated action, save those that `ContextEntries` gives.
- A service control policy that denies ends the simulation: no matched statements, no missing keys, no boundary detail.
- The source ARN is resolved by the name of the principal: its path does not matter.
- A page counts results.

Not built: `PolicyExclusionList`, `ResourcePolicy`, `ResourceOwner`, `ResourceHandlingOption` (refused), and the
positions of matched statements (left out).

Sources: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html,
https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html,
https://github.com/boto/boto3/issues/3111 and the recorded answers of the real service in `testdata/aws/iam/` of
https://github.com/radkawar/stackd
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from ipaddress import ip_network
from typing import Any, Final

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.iam.exceptions import NotFoundException, ValidationError
from moto.iam.models import IAMBackend, iam_backends
from moto.iam.responses import IamResponse

from aws_simulator.core.iam import catalogue
from aws_simulator.core.iam.conditions import UnknownOperatorError, parse_date
from aws_simulator.core.iam.patterns import Context
from aws_simulator.core.iam.policies import (
    Decision,
    Document,
    Effect,
    MalformedPolicyError,
    Policies,
    decide,
    is_arn,
    most_restrictive,
    parse_document,
)
from aws_simulator.core.iam.principals import policies_of_group, policies_of_role, policies_of_user

DEFAULT_PAGE: Final = 100
LARGEST_PAGE: Final = 1000
LONGEST_ACTION: Final = 128
NOT_BUILT: Final = ("PolicyExclusionList", "ResourcePolicy", "ResourceOwner", "ResourceHandlingOption")

_PRINCIPAL = re.compile(
    r"arn:(?P<partition>[\w-]+):iam::(?P<account>\d{12}):(?P<kind>role|user|group)/(?:.*/)?(?P<name>[^/]+)"
)


class InvalidInputError(ServiceException):
    """IAM refuses a value of the request."""

    code = "InvalidInput"


class PolicyEvaluationError(ServiceException):
    """A policy of the principal could not be evaluated."""

    code = "PolicyEvaluation"


class NotBuiltError(ServiceException):
    """The request asks for something that the simulator does not know."""

    code = "NotImplemented"


@dataclass(slots=True)
class ResultShape:
    """How answers are cut and shaped; a test or a server may change it."""

    page_size: Callable[[], int | None] = field(default=lambda: None)
    """What bounds every page, beside `MaxItems`: None, or a number of results."""
    one_result_per_resource: bool = False
    """The older shape: a result per action and resource, each with the aggregate decision; not one per action."""


shape = ResultShape()


@dataclass(frozen=True, slots=True)
class Principal:
    """A role, user or group that a simulation is about."""

    arn: str
    partition: str
    account_id: str
    kind: str
    name: str

    @property
    def context(self) -> dict[str, tuple[str, ...]]:
        """What IAM knows of the caller by itself."""
        known = {"aws:principalarn": self.arn, "aws:principalaccount": self.account_id, "aws:userid": self.arn}
        if self.kind == "user":
            known["aws:username"] = self.name
        return {key: (value,) for key, value in known.items()}

    def policies(self) -> Policies:
        """Raises:
        NotFoundException: there is no such principal.
        PolicyEvaluationError: one of its policies cannot be read.
        """
        try:
            return self._read_policies(iam_backends[self.account_id][self.partition])
        except NotFoundException as error:
            raise NotFoundException(f"The {self.kind} with name {self.name} cannot be found.") from error
        except (MalformedPolicyError, UnknownOperatorError) as error:
            raise PolicyEvaluationError(str(error)) from error

    def _read_policies(self, backend: IAMBackend) -> Policies:
        if self.kind == "role":
            return policies_of_role(backend.get_role(self.name))
        if self.kind == "user":
            return policies_of_user(backend.get_user(self.name), self.partition)
        return policies_of_group(backend.get_group(self.name), self.partition)


def parse_principal(arn: str) -> Principal:
    """Raises InvalidInputError for anything but the ARN of a role, user or group: of a role session, for instance."""
    match = _PRINCIPAL.fullmatch(arn)
    if match is None:
        raise InvalidInputError(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
    return Principal(arn, match["partition"], match["account"], match["kind"], match["name"])


@dataclass(frozen=True)
class Simulation:
    """A request, read and checked."""

    policies: Policies
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    given: Context
    """What `ContextEntries` gives."""
    known: Context
    """What IAM knows of the caller by itself."""

    @cached_property
    def context_keys(self) -> frozenset[str]:
        """The condition keys that the policies refer to, looked for once."""
        return self.policies.context_keys

    @property
    def on_arns(self) -> bool:
        return self.resources != ("*",)

    def results(self) -> list[dict[str, Any]]:
        """One result per action, in the order of the request, or per action and resource in the older shape."""
        if not shape.one_result_per_resource:
            return [self._result(action) for action in self.actions]
        return [
            {**self._result(action), "EvalResourceName": resource}
            for action in self.actions
            for resource in self.resources
        ]

    def _result(self, action: str) -> dict[str, Any]:
        decisions = [self._decide(action, resource) for resource in self.resources]
        result: dict[str, Any] = {
            "EvalActionName": action,
            "EvalResourceName": self._resource_name(action),
            "EvalDecision": most_restrictive(decision.effect for decision in decisions).value,
            "MatchedStatements": _statements(name for decision in decisions for name in decision.matched),
            "MissingContextValues": sorted({key for decision in decisions for key in self._missing(decision)}),
        }
        verdicts = [decision.allowed_by_organization for decision in decisions]
        if None not in verdicts:
            result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": all(verdicts)}
        caps = [decision.allowed_by_boundary for decision in decisions if decision.allowed_by_boundary is not None]
        if caps:
            result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": all(caps)}
        if self.on_arns:
            result["EvalDecisionDetails"] = {}
            result["ResourceSpecificResults"] = [
                self._specific(resource, decision) for resource, decision in zip(self.resources, decisions, strict=True)
            ]
        return result

    def _decide(self, action: str, resource: str) -> Decision:
        policies = self.policies
        if not catalogue.fits(action, resource):
            nothing = Document("", ())
            policies = replace(policies, identity=(), boundary=nothing if policies.boundary else None)
        return decide(policies, action, resource, {**self.known, **self.given})

    def _resource_name(self, action: str) -> str:
        if len(self.resources) == 1:
            return self.resources[0]
        formats = catalogue.arn_formats().get(action.lower())
        return formats[0] if formats else "*"

    def _missing(self, decision: Decision) -> list[str]:
        denied_by_organization = decision.allowed_by_organization is False
        if decision.effect is not Effect.IMPLICIT_DENY or denied_by_organization:
            return []
        return sorted(key for key in self.context_keys if key.lower() not in self.given)

    def _specific(self, resource: str, decision: Decision) -> dict[str, Any]:
        result: dict[str, Any] = {
            "EvalResourceName": resource,
            "EvalResourceDecision": decision.effect.value,
            "MatchedStatements": _statements(decision.matched),
            "MissingContextValues": self._missing(decision),
        }
        if decision.allowed_by_boundary is not None:
            result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": decision.allowed_by_boundary}
        return result


def _statements(names: Iterable[str]) -> list[dict[str, str]]:
    return [{"SourcePolicyId": name, "SourcePolicyType": "IAM Policy"} for name in dict.fromkeys(names)]


def simulate_principal_policy(response: IamResponse) -> ActionResult:
    """Answers `SimulatePrincipalPolicy` to the account whose principal it is."""
    arn = response._get_param("PolicySourceArn")  # noqa: SLF001 - moto's own way for a response to read its request
    principal = parse_principal(arn)
    if principal.account_id != response.current_account:
        raise InvalidInputError(
            f"Invalid Policy Source Arn: caller's account {response.current_account} does not have access to policies"
            f" in account {principal.account_id}"
        )
    return _answer(response, principal.policies(), principal)


def simulate_custom_policy(response: IamResponse) -> ActionResult:
    """Answers `SimulateCustomPolicy`: only the policies of the request count."""
    levels = response._get_param("OrderedOrganizationPolicyInputList")  # noqa: SLF001 - as above
    if levels is None:
        return _answer(response, Policies(), None)
    documents = tuple(
        _documents(level.get("ServiceControlPolicyInputList"), "ServiceControlPolicyInputList") for level in levels
    )
    return _answer(response, Policies(service_control=documents), None)


def _answer(response: IamResponse, policies: Policies, source: Principal | None) -> ActionResult:
    parameter: Callable[[str], Any] = response._get_param  # noqa: SLF001 - as above
    refused = [name for name in NOT_BUILT if parameter(name)]
    if refused:
        raise NotBuiltError(f"The simulator does not know the parameter {refused[0]}.")
    caller = parse_principal(parameter("CallerArn")) if parameter("CallerArn") else source
    boundaries = _documents(parameter("PermissionsBoundaryPolicyInputList"), "PermissionsBoundaryPolicyInputList")
    if len(boundaries) > 1:
        raise InvalidInputError(f"There can be only one permissions boundary, and {len(boundaries)} were given.")
    simulation = Simulation(
        policies=replace(
            policies,
            identity=(*policies.identity, *_documents(parameter("PolicyInputList"), "PolicyInputList")),
            boundary=boundaries[0] if boundaries else policies.boundary,
        ),
        actions=_actions(parameter("ActionNames")),
        resources=_resources(parameter("ResourceArns")),
        given=_context(parameter("ContextEntries") or []),
        known=caller.context if caller else {"aws:principalaccount": (response.current_account,)},
    )
    return ActionResult(_page(simulation.results(), parameter("MaxItems"), parameter("Marker")))


def _documents(texts: list[str] | None, parameter: str) -> tuple[Document, ...]:
    try:
        return tuple(parse_document(f"{parameter}.{number}", text) for number, text in enumerate(texts or [], start=1))
    except (MalformedPolicyError, UnknownOperatorError) as error:
        raise InvalidInputError(str(error)) from error


def _actions(names: list[str] | None) -> tuple[str, ...]:
    if not names:
        raise InvalidInputError("ActionNames cannot be empty.")
    for name in names:
        if ":" not in name or len(name) > LONGEST_ACTION:
            raise InvalidInputError(f"Invalid action {name}: service:operation, at most {LONGEST_ACTION} characters.")
    return tuple(names)


def _resources(arns: list[str] | None) -> tuple[str, ...]:
    if not arns or arns == ["*"]:
        return ("*",)
    for arn in arns:
        if not is_arn(arn):
            raise InvalidInputError(f"ResourceNames are not in a valid ARN format: {arn}.")
    return tuple(arns)


def _context(entries: list[dict[str, Any]]) -> Context:
    context: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        key = entry.get("ContextKeyName")
        if not key:
            raise InvalidInputError("ContextKeyName cannot be null or empty.")
        context[key.lower()] = _context_values(key, entry.get("ContextKeyType"), entry.get("ContextKeyValues"))
    return context


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite() and text.strip() == text
    except InvalidOperation:
        return False


def _is_readable(text: str, read: Callable[[str], Any]) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


_read_date: Callable[[str], datetime] = parse_date
_FORMATS: Final[dict[str, Callable[[str], bool]]] = {
    "string": lambda _: True,
    "binary": lambda _: True,
    "numeric": _is_number,
    "boolean": lambda text: text.lower() in ("true", "false"),
    "date": lambda text: _is_readable(text, _read_date),
    "ip": lambda text: _is_readable(text, ip_network),
}


def _context_values(key: str, kind: str | None, values: list[str] | None) -> tuple[str, ...]:
    if not values:
        raise InvalidInputError(f"Context values for context key {key} cannot be null or empty.")
    scalar = (kind or "").removesuffix("List")
    if scalar not in _FORMATS:
        raise InvalidInputError(f"Context key {key} has invalid type {kind or 'null'}.")
    if scalar == kind and len(values) > 1:
        raise InvalidInputError(f"Context key {key} is of type {kind} and has {len(values)} values; use {kind}List.")
    if not all(_FORMATS[scalar](value) for value in values):
        raise InvalidInputError(f"Invalid context value for key {key}: expected {scalar} format.")
    return tuple(values)


def _page(results: list[dict[str, Any]], max_items: int | None, marker: str | None) -> dict[str, Any]:
    if max_items is not None and not 1 <= max_items <= LARGEST_PAGE:
        raise ValidationError(
            f"1 validation error detected: Value '{max_items}' at 'maxItems' failed to satisfy constraint: Member must"
            f" have value between 1 and {LARGEST_PAGE}"
        )
    if marker is not None and not marker.isdecimal():
        raise ValidationError(f"Invalid Marker: {marker}")
    start = int(marker or 0)
    end = start + min(max_items or DEFAULT_PAGE, shape.page_size() or LARGEST_PAGE)
    page: dict[str, Any] = {"EvaluationResults": results[start:end], "IsTruncated": end < len(results)}
    if end < len(results):
        page["Marker"] = str(end)
    return page

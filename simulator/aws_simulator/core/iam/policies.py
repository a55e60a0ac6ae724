"""How IAM decides on a request: policy documents, and the evaluation logic over them.

Every request is denied until something allows it, and an explicit Deny wins over every Allow. A service control policy
and a permissions boundary allow nothing by themselves: they cap what identity policies allow.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from aws_simulator.core.iam.conditions import Condition
from aws_simulator.core.iam.patterns import ARN_PARTS, Context, Token, compile_pattern, matches, matches_arn, variables


class MalformedPolicyError(ValueError):
    """A policy document that IAM could not read."""


class Effect(StrEnum):
    """A verdict, as `EvalDecision` spells it."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


class PolicyType(StrEnum):
    """A kind of policy, as AWS names it in an access-denied message."""

    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SERVICE_CONTROL = "service control policy"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy. An element that is absent is None."""

    denies: bool
    actions: tuple[str, ...] | None
    not_actions: tuple[str, ...] | None
    resources: tuple[str, ...] | None
    not_resources: tuple[str, ...] | None
    conditions: tuple[Condition, ...]
    principal: Any
    not_principal: Any
    replaces_variables: bool
    """Only policies of version 2012-10-17 have policy variables; in older ones `${…}` is plain text."""

    @property
    def context_keys(self) -> frozenset[str]:
        """The condition keys that its Condition, Resource and NotResource elements refer to."""
        patterns = (*(self.resources or ()), *(self.not_resources or ()))
        of_resources = (variables(pattern) for pattern in patterns if self.replaces_variables)
        return frozenset().union(*of_resources, *(condition.keys for condition in self.conditions))

    def applies(self, action: str, resource: str, context: Context) -> bool:
        """Whether it speaks about this request, principals aside."""
        return self._names_action(action) and self._names_resource(resource, context) and self._is_met(context)

    def _is_met(self, context: Context) -> bool:
        return all(condition.holds(context, replace_variables=self.replaces_variables) for condition in self.conditions)

    def _names_action(self, action: str) -> bool:
        if self.not_actions is not None:
            return not _any_action(self.not_actions, action)
        return _any_action(self.actions or (), action)

    def _names_resource(self, resource: str, context: Context) -> bool:
        if self.not_resources is not None:
            return not self._any_resource(self.not_resources, resource, context)
        if self.resources is not None:
            return self._any_resource(self.resources, resource, context)
        return True  # a trust policy has no Resource: it speaks about the role it belongs to

    def _any_resource(self, patterns: tuple[str, ...], resource: str, context: Context) -> bool:
        source = context if self.replaces_variables else None
        compiled = (compile_pattern(pattern, source) for pattern in patterns)
        return any(tokens is not None and matches_arn(tokens, resource) for tokens in compiled)


@lru_cache(maxsize=65536)
def _any_action(patterns: tuple[str, ...], action: str) -> bool:
    return any(matches(_action_tokens(pattern), action.lower()) for pattern in patterns)


@lru_cache(maxsize=4096)
def _action_tokens(pattern: str) -> tuple[Token, ...]:
    return compile_pattern(pattern.lower()) or ()


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document under the name that a simulation reports it by."""

    name: str
    statements: tuple[Statement, ...]

    @property
    def context_keys(self) -> frozenset[str]:
        return frozenset().union(*(statement.context_keys for statement in self.statements))


def parse_document(name: str, text: str) -> Document:
    """Reads the JSON text of a policy.

    Raises:
        MalformedPolicyError: the text is no JSON, or no policy: the message says where.
        UnknownOperatorError: a condition names an operator that IAM does not have.
    """
    return Document(name, _parse_statements(text))


@lru_cache(maxsize=1024)
def _parse_statements(text: str) -> tuple[Statement, ...]:
    try:
        policy = json.loads(text)
    except ValueError as error:
        raise MalformedPolicyError(f"Syntax errors in policy: {error}.") from error
    if not isinstance(policy, dict) or "Statement" not in policy:
        raise MalformedPolicyError("Syntax errors in policy: the Statement element is missing.")
    version = policy.get("Version", "2008-10-17")
    if version not in ("2008-10-17", "2012-10-17"):
        raise MalformedPolicyError(f"The policy version {version} is neither 2008-10-17 nor 2012-10-17.")
    statements = policy["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    return tuple(_parse_statement(statement, replaces_variables=version == "2012-10-17") for statement in listed)


def _parse_statement(statement: dict[str, Any], *, replaces_variables: bool) -> Statement:
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise MalformedPolicyError(f"The effect {effect} of a statement is neither Allow nor Deny.")
    if "Action" not in statement and "NotAction" not in statement:
        raise MalformedPolicyError("A statement has neither Action nor NotAction.")
    return Statement(
        denies=effect == "Deny",
        actions=_texts(statement.get("Action")),
        not_actions=_texts(statement.get("NotAction")),
        resources=_texts(statement.get("Resource")),
        not_resources=_texts(statement.get("NotResource")),
        conditions=tuple(
            Condition.parse(operator, key, _texts(values) or ())
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        ),
        principal=statement.get("Principal"),
        not_principal=statement.get("NotPrincipal"),
        replaces_variables=replaces_variables,
    )


def _texts(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    listed = value if isinstance(value, list) else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in listed)


@dataclass(frozen=True, slots=True)
class Policies:
    """Everything that decides what a principal may do, policies on the resource aside."""

    identity: tuple[Document, ...] = ()
    boundary: Document | None = None
    session: Document | None = None
    service_control: tuple[tuple[Document, ...], ...] | None = None
    """Per level, from the organization's root to the account; None when no service control policy has a say: the
    account is in no organization, is its management account, or the role is linked to a service."""

    @property
    def context_keys(self) -> frozenset[str]:
        """The condition keys that the identity policies and the boundary refer to, in whichever statement."""
        capping = (self.boundary,) if self.boundary else ()
        return frozenset().union(*(document.context_keys for document in (*self.identity, *capping)))


@dataclass(frozen=True, slots=True)
class Decision:
    """What IAM decides on a request, and by whom."""

    effect: Effect
    denied_by: PolicyType | None
    matched: tuple[str, ...]
    """The names of the identity policies, or of the boundary, whose statements made the decision."""
    allowed_by_boundary: bool | None
    """None without a boundary, or when service control policies have already denied."""
    allowed_by_organization: bool | None
    """None when service control policies have no say."""

    @property
    def allowed(self) -> bool:
        return self.effect is Effect.ALLOWED


_RANK: Final = {Effect.ALLOWED: 0, Effect.IMPLICIT_DENY: 1, Effect.EXPLICIT_DENY: 2}


def most_restrictive(effects: Iterable[Effect]) -> Effect:
    """Explicit deny over implicit deny over allowed; allowed when there are none."""
    return max(effects, key=_RANK.__getitem__, default=Effect.ALLOWED)


def effect_of(documents: Iterable[Document], action: str, resource: str, context: Context) -> Effect:
    """What a set of policies of one kind says on its own."""
    applying = [
        statement.denies
        for document in documents
        for statement in document.statements
        if statement.applies(action, resource, context)
    ]
    if any(applying):
        return Effect.EXPLICIT_DENY
    return Effect.ALLOWED if applying else Effect.IMPLICIT_DENY


def decide(policies: Policies, action: str, resource: str, context: Context) -> Decision:
    """Whether a principal with these policies may do `action` (`service:Operation`) on `resource` (an ARN, or `*`).

    `context` maps condition keys, in lower case, to their values.
    """
    organization = None
    if policies.service_control is not None:
        by_level = [effect_of(level, action, resource, context) for level in policies.service_control]
        organization = most_restrictive(by_level)
        if organization is not Effect.ALLOWED:
            return Decision(organization, PolicyType.SERVICE_CONTROL, (), None, allowed_by_organization=False)
    effects = {PolicyType.IDENTITY: effect_of(policies.identity, action, resource, context)}
    for kind, document in ((PolicyType.BOUNDARY, policies.boundary), (PolicyType.SESSION, policies.session)):
        if document is not None:
            effects[kind] = effect_of((document,), action, resource, context)
    effect = most_restrictive(effects.values())
    boundary = effects.get(PolicyType.BOUNDARY)
    return Decision(
        effect=effect,
        denied_by=None if effect is Effect.ALLOWED else _denier(effects, effect),
        matched=_matched(policies, effect, action, resource, context),
        allowed_by_boundary=None if boundary is None else boundary is Effect.ALLOWED,
        allowed_by_organization=None if organization is None else True,
    )


def _denier(effects: dict[PolicyType, Effect], effect: Effect) -> PolicyType:
    return next(kind for kind in effects if effects[kind] is effect)


def _matched(policies: Policies, effect: Effect, action: str, resource: str, context: Context) -> tuple[str, ...]:
    if effect is Effect.IMPLICIT_DENY:
        return ()
    denies = effect is Effect.EXPLICIT_DENY
    capping = (policies.boundary,) if denies and policies.boundary else ()
    return tuple(
        document.name
        for document in (*policies.identity, *capping)
        for statement in document.statements
        if statement.denies == denies and statement.applies(action, resource, context)
    )


def is_arn(text: str) -> bool:
    """Whether it has the form of an ARN: six parts, of which partition, service and resource are not empty."""
    parts = text.split(":", ARN_PARTS - 1)
    return len(parts) == ARN_PARTS and parts[0] == "arn" and all((parts[1], parts[2], parts[5]))

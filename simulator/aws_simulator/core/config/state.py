"""What moto's AWS Config of one account and Region lacks: evaluations and their results, configuration items.

It is kept in moto's backends: per account and Region, gone when moto is reset.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from moto.config import models
from moto.config.exceptions import NoSuchConfigRuleException

STORED_COMPLIANCE_TYPES = ("COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE")
COMPLIANCE_TYPES = (*STORED_COMPLIANCE_TYPES, "INSUFFICIENT_DATA")

ResourceKey = tuple[str, str]
"""Resource type and resource id."""


@dataclass(slots=True)
class Result:
    """One evaluation, as put, and when it was recorded (seconds since 1970)."""

    evaluation: dict[str, Any]
    recorded: float


ComplianceListener = Callable[[models.ConfigBackend, str, Result | None, Result], None]
"""Gets the backend, the rule's name, and a resource's result before (None: none yet) and now."""

compliance_listeners: list[ComplianceListener] = []
"""Who is told when a resource's compliance with a rule changes, after all evaluations of the call are stored."""


@dataclass(slots=True)
class State:
    """What moto's backend of one account and Region lacks. The lock serves moto's threaded server."""

    results: dict[str, dict[ResourceKey, Result]] = field(default_factory=dict)
    last_put: dict[str, float] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)
    rejected_ids: frozenset[str] = frozenset()
    items: dict[ResourceKey, list[dict[str, Any]]] = field(default_factory=dict)
    lock: Any = field(default_factory=RLock)


_STATE = "_evaluations"


def state_of(backend: models.ConfigBackend) -> State:
    """What is kept of an account in a Region."""
    state: State = backend.__dict__.setdefault(_STATE, State())
    return state


def existing_rules(backend: models.ConfigBackend, names: Sequence[str] | None) -> list[str]:
    """The rules asked for, or all, in the order of their names."""
    for name in names or []:
        if name not in backend.config_rules:
            raise NoSuchConfigRuleException(name)
    return sorted(set(names or backend.config_rules))

"""The effective backup policy of an account, from the policies attached to its root, its OUs and itself.

Pure: JSON texts in, a tree out. The rules are those that AWS publishes for management policies:
https://docs.aws.amazon.com/organizations/latest/userguide/policy-operators.html (the operators),
https://docs.aws.amazon.com/organizations/latest/userguide/inheritance-examples.html (conflicts at the same level) and
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_backup_syntax.html (backup policies).

Chosen where AWS says nothing: `@@remove` takes away inherited values only, never those that a policy of the same level
sets; a setting whose last value is removed disappears; below a node that allows its children `@@append` or `@@assign`,
child policies may add entries, below any other restricted node they may not. As AWS explains of AI services opt-out
policies, `@@operators_allowed_for_child_policies` governs the node at which it stands, not the nodes below.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

MAX_POLICY_CHARACTERS = 10_000
"""https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"""

ASSIGN, APPEND, REMOVE = "@@assign", "@@append", "@@remove"
CHILD_CONTROL = "@@operators_allowed_for_child_policies"

_VALUE_OPERATORS = frozenset({ASSIGN, APPEND, REMOVE})
_ALLOWED_VALUES: Mapping[str, frozenset[str]] = {
    "@@all": _VALUE_OPERATORS,
    "@@none": frozenset(),
    **{operator: frozenset({operator}) for operator in _VALUE_OPERATORS},
}
_PLAN_ELEMENTS = frozenset(
    {"regions", "rules", "selections", "advanced_backup_settings", "backup_plan_tags", "scan_settings"}
)
_RULE_ELEMENTS = frozenset(
    {
        "schedule_expression",
        "schedule_expression_timezone",
        "target_backup_vault_name",
        "target_logically_air_gapped_backup_vault_arn",
        "start_backup_window_minutes",
        "complete_backup_window_minutes",
        "enable_continuous_backup",
        "lifecycle",
        "copy_actions",
        "recovery_point_tags",
        "index_actions",
        "scan_actions",
    }
)
_SELECTION_KINDS = frozenset({"tags", "resources"})
_LISTS = frozenset({"regions", "tag_value", "resource_types", "not_resource_types"})

Path = tuple[str, ...]
Scalar = str | int | float | bool
Value = Scalar | list[Scalar]


class PolicySyntaxError(ValueError):
    """A document that is no backup policy; the message names the place in it, and what is allowed there."""


@lru_cache(maxsize=1024)
def parse_policy(content: str) -> Mapping[str, Any]:
    """The tree of a backup policy, operators and all, with the names of rules and selections in lower case.

    A policy need not be complete: what it lacks, another policy may supply.

    Raises:
        PolicySyntaxError: No JSON, a key twice, an element that backup policies don't have, a value without operator,
            or an operator where it can't stand.
    """
    try:
        document = json.loads(content, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise PolicySyntaxError(f"The policy can't be read as JSON: {error}") from error
    if not isinstance(document, dict):
        raise PolicySyntaxError(f"A policy is a JSON object, not {document!r}")
    return _parsed(document, ())


def effective_policy(levels: Iterable[Sequence[str]]) -> Mapping[str, Any]:
    """The tree without operators that an account at the end of `levels` gets. It is shared: don't change it.

    Args:
        levels: the contents of the policies attached to the root, to each OU on the way and to the account, in this
            order; within a level in the order in which they were attached.

    Returns:
        Scalars as strings, lists of strings, `$account` as written; empty when nothing is left.
    """
    return _effective_policy(tuple(tuple(level) for level in levels if level))


def for_account(policy: Mapping[str, Any], account: str) -> dict[str, Any]:
    """The policy as AWS shows it to the account: its id in `iam_role_arn`, `$account` still in the ARNs of vaults."""
    return {
        name: for_account(value, account)
        if isinstance(value, Mapping)
        else value.replace("$account", account)
        if name == "iam_role_arn" and isinstance(value, str)
        else value
        for name, value in policy.items()
    }


# --- Merging -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Node:
    """A place in the tree: its value or its entries so far, and what child policies may do to it."""

    value: Value | None = None
    entries: dict[str, _Node] = field(default_factory=dict)
    allowed: frozenset[str] = _VALUE_OPERATORS


@lru_cache(maxsize=4096)
def _effective_policy(levels: tuple[tuple[str, ...], ...]) -> Mapping[str, Any]:
    tree = _Node()
    for level in levels:
        _merge(tree, [parse_policy(content) for content in level])
    return _shown(tree) or {}


def _merge(node: _Node, documents: Sequence[Mapping[str, Any]]) -> None:
    """Bring the policies of one level, as they stand at this node, into what the levels above have made of it."""
    node.value = _merged_value(node, documents)
    for name in dict.fromkeys(name for document in documents for name in document if not name.startswith("@@")):
        if name not in node.entries:
            if not node.allowed & {ASSIGN, APPEND}:
                continue
            node.entries[name] = _Node()
        _merge(node.entries[name], [document[name] for document in documents if name in document])
    # Only now: policies of the same level don't restrict each other, but the levels below.
    for document in documents:
        node.allowed &= _allowed_by(document)


def _merged_value(node: _Node, documents: Sequence[Mapping[str, Any]]) -> Value | None:
    """Of several that assign, the one attached first counts; all that append or remove count."""

    def used(operator: str) -> list[Any]:
        if operator not in node.allowed:
            return []
        return [document[operator] for document in documents if operator in document]

    assigned = used(ASSIGN)
    appended = [value for values in used(APPEND) for value in values]
    removed = [value for values in used(REMOVE) for value in values]
    inherited = node.value if isinstance(node.value, list) else [] if node.value is None else [node.value]
    if assigned and not (appended and isinstance(assigned[0], list)):
        return assigned[0]  # type: ignore[no-any-return]
    if not (appended or removed):
        return node.value
    kept = assigned[0] if assigned else [value for value in inherited if value not in removed]
    return list(dict.fromkeys([*kept, *appended])) or None


def _allowed_by(document: Mapping[str, Any]) -> frozenset[str]:
    names = document.get(CHILD_CONTROL, ["@@all"])
    return frozenset().union(*(_ALLOWED_VALUES[name] for name in names))


def _shown(node: _Node) -> Any:
    """The node without operators, or None where nothing is left."""
    if isinstance(node.value, list):
        return [_text(value) for value in node.value]
    if node.value is not None:
        return _text(node.value)
    shown = {name: _shown(entry) for name, entry in node.entries.items()}
    return {name: value for name, value in shown.items() if value is not None} or None


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- Syntax --------------------------------------------------------------------------------------------------------


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, value in pairs:
        if name in document:
            raise PolicySyntaxError(f"The key {name!r} stands twice in the same object")
        document[name] = value
    return document


def _parsed(document: Mapping[str, Any], path: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = {}
    for name, value in document.items():
        if name.startswith("@@"):
            _check_operator(name, value, path)
            parsed[name] = value
            continue
        _check_element(name, path)
        if not isinstance(value, dict):
            raise PolicySyntaxError(f"{_at((*path, name))} is {value!r}; a value needs an operator such as {ASSIGN}")
        shown = name.lower() if _is_lower_cased(path) else name
        if shown in parsed:
            raise PolicySyntaxError(f"{_at(path)} has two entries named {shown!r}, told apart only by their case")
        parsed[shown] = _parsed(value, (*path, name))
    has_value = bool(_VALUE_OPERATORS & parsed.keys())
    if has_value and any(not name.startswith("@@") for name in parsed):
        raise PolicySyntaxError(f"{_at(path)} has both a value and entries of its own")
    return parsed


def _check_element(name: str, path: Path) -> None:
    allowed = _elements_at(path)
    if allowed is not None and name not in allowed:
        raise PolicySyntaxError(f"{_at(path)} has no element {name!r}; allowed are {sorted(allowed)}")


def _elements_at(path: Path) -> frozenset[str] | None:
    """The elements that may stand at a place; None where a policy makes up their names, or AWS may add more."""
    match path:
        case ():
            return frozenset({"plans"})
        case (_, _):
            return _PLAN_ELEMENTS
        case (_, _, "rules", _):
            return _RULE_ELEMENTS
        case (_, _, "selections"):
            return _SELECTION_KINDS
    return None


def _is_lower_cased(path: Path) -> bool:
    """Whether AWS shows the names of the entries there in lower case: those of rules and of selections."""
    match path:
        case (_, _, "rules") | (_, _, "selections", _):
            return True
    return False


def _check_operator(operator: str, value: Any, path: Path) -> None:
    if operator == CHILD_CONTROL:
        if not isinstance(value, list) or not value or not set(map(str, value)) <= _ALLOWED_VALUES.keys():
            raise PolicySyntaxError(f"{_at(path)}: {CHILD_CONTROL} is {value!r}; it lists {sorted(_ALLOWED_VALUES)}")
        return
    if operator not in _VALUE_OPERATORS:
        allowed = sorted(_VALUE_OPERATORS | {CHILD_CONTROL})
        raise PolicySyntaxError(f"{_at(path)}: unknown operator {operator!r}; allowed are {allowed}")
    if operator != ASSIGN and (path[-1:] == () or path[-1] not in _LISTS):
        raise PolicySyntaxError(f"{_at(path)} has one value: {operator} is for the lists {sorted(_LISTS)}")
    values = value if isinstance(value, list) else [value]
    if operator != ASSIGN and not isinstance(value, list):
        raise PolicySyntaxError(f"{_at(path)}: {operator} takes a list, not {value!r}")
    if not all(isinstance(each, str | int | float | bool) for each in values):
        raise PolicySyntaxError(f"{_at(path)}: {operator} takes texts, numbers and booleans, not {value!r}")


def _at(path: Path) -> str:
    return ".".join(path) or "The policy"

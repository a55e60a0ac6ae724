"""AWS's own check of an effective backup policy, whose errors `ListEffectivePolicyValidationErrors` lists.

Pure: the tree that `aws_simulator.core.policy_inheritance` computes in, errors out. Codes and wording are AWS's:
https://docs.aws.amazon.com/organizations/latest/userguide/invalid-policy-alerts.html and, for an example,
https://docs.aws.amazon.com/organizations/latest/userguide/security_iam_logging-using-cloudtrail.html. The numbers are
those of https://docs.aws.amazon.com/aws-backup/latest/devguide/aws-backup-limits.html, the values those of
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_backup_syntax.html. How AWS words what
is neither too many, too few nor missing is not documented; `INVALID_VALUE` stands for that here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TOO_MANY, TOO_FEW, REQUIRED, VALUE = "ELEMENTS_TOO_MANY", "ELEMENTS_TOO_FEW", "KEY_REQUIRED", "INVALID_VALUE"

_PLAN_NEEDS = ("rules", "regions", "selections")
_RULE_NEEDS = ("schedule_expression", "target_backup_vault_name")
_SELECTION_NEEDS = {
    "tags": ("iam_role_arn", "tag_key", "tag_value"),
    "resources": ("iam_role_arn", "resource_types"),
}

Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PolicyError:
    """One error, in AWS's words, and the path of the element (`plans/nightly/rules`)."""

    code: str
    message: str
    path: str

    @property
    def plan(self) -> str:
        """The plan that has it."""
        return self.path.split("/")[1]


def validation_errors(policy: Tree) -> list[PolicyError]:
    """What is wrong with an effective policy: nothing in one that AWS applies."""
    plans = policy.get("plans") or {}
    return [error for name, plan in plans.items() for error in _plan(plan, f"plans/{name}")]


def _plan(plan: Any, path: str) -> Iterator[PolicyError]:
    if not isinstance(plan, Mapping):
        yield PolicyError(VALUE, f"'{path}' has an unexpected value", path)
        return
    yield from _needed(plan, _PLAN_NEEDS, path)
    rules, selections = _tree(plan.get("rules")), _tree(plan.get("selections"))
    yield from _number(plan, "regions", path, 1, None)
    yield from _number(plan, "rules", path, 1, 10)
    for name, rule in rules.items():
        yield from _rule(_tree(rule), f"{path}/rules/{name}")
    yield from _number(plan, "selections", path, 1, None)
    yield from _number(selections, "tags", f"{path}/selections", 1, 10)
    yield from _number(selections, "resources", f"{path}/selections", 1, 100)
    for kind, needs in _SELECTION_NEEDS.items():
        for name, selection in _tree(selections.get(kind)).items():
            yield from _selection(_tree(selection), needs, f"{path}/selections/{kind}/{name}")


def _rule(rule: Tree, path: str) -> Iterator[PolicyError]:
    yield from _needed(rule, _RULE_NEEDS, path)
    yield from _number(rule, "copy_actions", path, 0, 5)
    yield from _number(rule, "recovery_point_tags", path, 0, 10)
    window, kept = rule.get("start_backup_window_minutes"), _tree(rule.get("lifecycle")).get("delete_after_days")
    if window is not None and not _at_least(60, window):
        yield PolicyError(VALUE, "'start_backup_window_minutes' is less than the allowed minimum 60", path)
    if str(rule.get("enable_continuous_backup")).lower() == "true" and (kept is None or _at_least(36, kept)):
        yield PolicyError(VALUE, "'delete_after_days' exceeds the allowed maximum 35", f"{path}/lifecycle")


def _selection(selection: Tree, needs: tuple[str, ...], path: str) -> Iterator[PolicyError]:
    yield from _needed(selection, needs, path)
    yield from _number(selection, "tag_value", path, 1, 30)
    yield from _number(selection, "resource_types", path, 1, None)
    conditions = _tree(selection.get("conditions"))
    if sum(len(_tree(each)) for each in conditions.values()) > 30:
        yield PolicyError(TOO_MANY, "'conditions' exceeds the allowed maximum limit 30", path)


def _needed(element: Tree, keys: tuple[str, ...], path: str) -> Iterator[PolicyError]:
    for key in keys:
        if element.get(key) is None:
            yield PolicyError(REQUIRED, f"'{key}' is missing", path)


def _number(element: Tree, key: str, path: str, low: int, high: int | None) -> Iterator[PolicyError]:
    """How many there are in an element that is there; a single value stands for a list of one."""
    value = element.get(key)
    if value is None:
        return
    number = len(value) if isinstance(value, (Mapping, list)) else 1
    if number < low:
        yield PolicyError(TOO_FEW, f"'{key}' is less than the allowed minimum limit {low}", f"{path}/{key}")
    if high is not None and number > high:
        yield PolicyError(TOO_MANY, f"'{key}' exceeds the allowed maximum limit {high}", f"{path}/{key}")


def _tree(value: Any) -> Tree:
    return value if isinstance(value, Mapping) else {}


def _at_least(low: int, value: Any) -> bool:
    return str(value).strip().isdecimal() and int(value) >= low

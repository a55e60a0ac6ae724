"""Effective backup policies: AWS's worked examples, an independent account of the operators, and the syntax."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_simulator.core.policy_inheritance import PolicySyntaxError, effective_policy, for_account, parse_policy

EXAMPLES = sorted((Path(__file__).parents[2] / "fixtures" / "organizations").glob("*.json"))
ACCOUNT = "111122223333"


def effective(*levels: list[dict[str, Any]]) -> Any:
    return effective_policy([[json.dumps(policy) for policy in level] for level in levels])


def regions(**operators: Any) -> dict[str, Any]:
    """A policy that says nothing but the Regions of plan P; `control` stands for the child control operator."""
    names = {"control": "@@operators_allowed_for_child_policies"}
    return {"plans": {"P": {"regions": {names.get(name, f"@@{name}"): value for name, value in operators.items()}}}}


def vault(value: Any) -> dict[str, Any]:
    return {"plans": {"P": {"rules": {"R": {"target_backup_vault_name": {"@@assign": value}}}}}}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_worked_examples_of_aws(path: Path) -> None:
    example = json.loads(path.read_text())
    assert for_account(effective(*example["levels"]), ACCOUNT) == example["effective"]


def test_all_worked_examples_are_there() -> None:
    assert len(EXAMPLES) == 14


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([], None),
        ([[], [regions(assign=["a"])], []], ["a"]),
        ([[regions(assign=["a"])], [regions(assign=["b"])], [regions(append=["a"])]], ["b", "a"]),
        ([[regions(append=["a", "b"])], [regions(append=["b", "c"])]], ["a", "b", "c"]),
        ([[regions(remove=["a"])]], None),
        ([[regions(assign=["a"])], [regions(remove=["a"])], [regions(append=["c"])]], ["c"]),
        ([[regions(assign=[])]], []),
        ([[regions(assign=["a"], control=["@@none"])], [regions(assign=["b"])], [regions(append=["c"])]], ["a"]),
        ([[regions(assign=["a"], control=["@@remove"])], [regions(remove=["a"])]], None),
        (
            [
                [regions(assign=["a"], control=["@@append"])],
                [regions(append=["b"], control=["@@all"])],
                [regions(assign=["c"])],
            ],
            ["a", "b"],
        ),
        (
            [
                [regions(assign=["a"], control=["@@append", "@@remove"])],
                [regions(append=["b"], control=["@@remove"])],
                [regions(append=["c"], remove=["a"])],
            ],
            ["b"],
        ),
        ([[regions(control=["@@none"]), regions(assign=["a"])]], ["a"]),
        ([[regions(assign=["a"])], [regions(assign=["b"]), regions(assign=["c"])]], ["b"]),
        ([[regions(assign=["a"])], [regions(remove=["a", "b"]), regions(append=["b"])]], ["b"]),
    ],
    ids=[
        "no policy",
        "levels without policies",
        "append after assign",
        "append adds once",
        "nothing to remove",
        "removed down to nothing, then appended",
        "an empty list that was assigned",
        "none locks all levels below",
        "remove only",
        "a child cannot allow what its parent forbade",
        "a child can forbid more",
        "a control does not bind its own level",
        "of one level the first assignment counts",
        "remove does not reach what its own level adds",
    ],
)
def test_operators_on_a_list(levels: list[list[dict[str, Any]]], expected: list[str] | None) -> None:
    plan = effective(*levels).get("plans", {}).get("P", {})
    assert plan.get("regions") == expected


@pytest.mark.parametrize(
    ("control", "added"),
    [(["@@all"], True), (["@@append"], True), (["@@assign"], True), (["@@remove"], False), (["@@none"], False)],
    ids=str,
)
def test_whether_a_child_may_add_a_plan(control: list[str], *, added: bool) -> None:
    parent = {"plans": {"@@operators_allowed_for_child_policies": control, "Own": {"regions": {"@@assign": ["a"]}}}}
    assert ("P" in effective([parent], [regions(assign=["b"])])["plans"]) is added


def test_a_control_governs_its_own_node_only() -> None:
    locked = {"plans": {"@@operators_allowed_for_child_policies": ["@@none"], "P": {"regions": {"@@assign": ["a"]}}}}
    assert effective([locked], [regions(assign=["b"])]) == {"plans": {"P": {"regions": ["b"]}}}


@pytest.mark.parametrize(
    ("value", "shown"), [(60, "60"), ("60", "60"), (True, "true"), (False, "false"), (1.5, "1.5")], ids=str
)
def test_scalars_are_shown_as_text(value: Any, shown: str) -> None:
    assert effective([vault(value)])["plans"]["P"]["rules"]["r"]["target_backup_vault_name"] == shown


def test_names_of_rules_and_selections_are_lower_case_those_of_plans_are_not() -> None:
    parent = {"plans": {"MyPlan": {"rules": {"Nightly": {"target_backup_vault_name": {"@@assign": "Vault"}}}}}}
    child = {"plans": {"MyPlan": {"rules": {"NIGHTLY": {"start_backup_window_minutes": {"@@assign": "60"}}}}}}
    rule = {"target_backup_vault_name": "Vault", "start_backup_window_minutes": "60"}
    assert effective([parent], [child]) == {"plans": {"MyPlan": {"rules": {"nightly": rule}}}}


def test_the_account_is_filled_into_roles_only() -> None:
    arn = "arn:aws:backup:us-east-1:$account:backup-vault:copy"
    policy: dict[str, Any] = {
        "plans": {
            "P": {
                "rules": {"r": {"copy_actions": {arn: {"target_backup_vault_arn": arn}}}},
                "selections": {"tags": {"s": {"iam_role_arn": "arn:aws:iam::$account:role/x"}}},
            }
        }
    }
    shown = for_account(policy, ACCOUNT)["plans"]["P"]
    assert shown["selections"]["tags"]["s"]["iam_role_arn"] == f"arn:aws:iam::{ACCOUNT}:role/x"
    assert shown["rules"] == policy["plans"]["P"]["rules"]
    assert policy["plans"]["P"]["selections"]["tags"]["s"]["iam_role_arn"] == "arn:aws:iam::$account:role/x"


VALUES = "abcd"
OPERATORS = ("@@assign", "@@append", "@@remove")
values = st.lists(st.sampled_from(VALUES), max_size=3, unique=True)
controls = st.sampled_from([["@@all"], ["@@none"], ["@@append"], ["@@assign", "@@remove"], ["@@append", "@@remove"]])
nodes = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(OPERATORS, values) | {"@@operators_allowed_for_child_policies": controls}
)


@settings(max_examples=200)
@given(st.lists(st.lists(nodes, max_size=3), max_size=4))
def test_a_value_is_there_exactly_when_the_operators_say_so(levels: list[list[dict[str, Any]]]) -> None:
    """The oracle follows one value at a time from level to level, where the code merges lists."""
    policies = [[{"plans": {"P": {"regions": node}}} for node in level] for level in levels]
    got = effective(*policies).get("plans", {}).get("P", {}).get("regions", [])
    assert len(got) == len(set(got))
    assert set(got) == {value for value in VALUES if _is_there(value, levels)}


def _is_there(value: str, levels: list[list[dict[str, Any]]]) -> bool:
    there = False
    allowed = set(OPERATORS)
    for level in levels:
        using = {operator: [node[operator] for node in level if operator in node] for operator in allowed}
        assigned, appended, removed = (using.get(operator, []) for operator in OPERATORS)
        if assigned:
            there = value in assigned[0]
        elif any(value in values for values in removed):
            there = False
        there = there or any(value in values for values in appended)
        for node in level:
            control = node.get("@@operators_allowed_for_child_policies", ["@@all"])
            if control == ["@@none"]:
                allowed.clear()
            elif control != ["@@all"]:
                allowed &= set(control)
    return there


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "can't be read as JSON"),
        ('{"plans": {}, "plans": {}}', "'plans' stands twice"),
        ("[]", "a JSON object"),
        ('{"services": {}}', r"no element 'services'; allowed are \['plans'\]"),
        ('{"plans": {"P": {"schedule": {}}}}', "plans.P has no element 'schedule'"),
        ('{"plans": {"P": {"rules": {"r": {"vault": {}}}}}}', "plans.P.rules.r has no element 'vault'"),
        ('{"plans": {"P": {"selections": {"all": {}}}}}', "no element 'all'; allowed are"),
        ('{"plans": {"P": {"regions": ["us-east-1"]}}}', r"plans.P.regions is \['us-east-1'\]; a value needs an oper"),
        ('{"plans": {"P": {"regions": {"@@set": []}}}}', "plans.P.regions: unknown operator '@@set'"),
        ('{"plans": {"P": {"regions": {"@@append": "x"}}}}', "@@append takes a list, not 'x'"),
        ('{"plans": {"P": {"regions": {"@@assign": {"a": 1}}}}}', "takes texts, numbers and booleans"),
        ('{"plans": {"P": {"regions": {"@@assign": [null]}}}}', "takes texts, numbers and booleans"),
        (
            '{"plans": {"P": {"rules": {"r": {"schedule_expression": {"@@append": ["x"]}}}}}}',
            "plans.P.rules.r.schedule_expression has one value",
        ),
        ('{"plans": {"@@operators_allowed_for_child_policies": "@@none"}}', "is '@@none'; it lists"),
        ('{"plans": {"@@operators_allowed_for_child_policies": ["@@some"]}}', "it lists"),
        ('{"plans": {"P": {"rules": {"Day": {}, "day": {}}}}}', "told apart only by their case"),
        ('{"plans": {"P": {"regions": {"@@assign": ["a"], "x": {}}}}}', "both a value and entries"),
        ("[" * 9_999, "can't be read as JSON"),
    ],
)
def test_what_is_no_backup_policy(content: str, message: str) -> None:
    with pytest.raises(PolicySyntaxError, match=message):
        parse_policy(content)


@pytest.mark.parametrize(
    "content",
    [
        '{"plans": {}}',
        "{}",
        '{"plans": {"P": {"regions": {"@@assign": "us-east-1"}}}}',
        '{"plans": {"P": {"rules": {"r": {"schedule_expression_timezone": {"@@assign": "Europe/Madrid"}}}}}}',
    ],
    ids=["no plans", "nothing", "one Region as text", "a time zone"],
)
def test_what_is_allowed_though_incomplete(content: str) -> None:
    parse_policy(content)

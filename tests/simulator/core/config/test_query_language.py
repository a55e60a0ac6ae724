"""The language of advanced queries: what it selects, how lists are compared, and what AWS Config refuses."""

from __future__ import annotations

from typing import Any

import pytest

from aws_simulator.core.config.query_language import QueryError, parse


def compliance(target: str, account: str = "111122223333", **rules: str) -> dict[str, Any]:
    verdicts = [{"configRuleName": name, "complianceType": verdict} for name, verdict in rules.items()]
    return {
        "accountId": account,
        "awsRegion": "eu-west-1",
        "resourceId": target,
        "resourceType": "AWS::Config::ResourceCompliance",
        "configuration": {
            "targetResourceId": target,
            "complianceType": "NON_COMPLIANT" if "NON_COMPLIANT" in rules.values() else "COMPLIANT",
            "configRuleList": verdicts,
        },
        "tags": [],
        "size": len(rules),
    }


BOTH = compliance("both", ours="NON_COMPLIANT", theirs="NON_COMPLIANT")
TRAP = compliance("trap", "444455556666", ours="COMPLIANT", theirs="NON_COMPLIANT")
FINE = compliance("fine", ours="COMPLIANT")
VOLUME = {
    "accountId": "111122223333",
    "resourceId": "it's",
    "resourceType": "AWS::EC2::Volume",
    "tags": [{"tag": "a=b", "key": "a", "value": "b"}, {"tag": "c=d", "key": "c", "value": "d"}],
    "size": 8,
}
ITEMS = [BOTH, TRAP, FINE, VOLUME]


def ids(condition: str) -> set[str]:
    return {row["resourceId"] for row in parse(f"SELECT resourceId WHERE {condition}").answer(ITEMS)}


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("resourceType = 'AWS::EC2::Volume'", {"it's"}),
        ("resourceId = 'it''s'", {"it's"}),
        ("resourceType != 'AWS::EC2::Volume'", {"both", "trap", "fine"}),
        ("resourceId IN ('both', 'fine')", {"both", "fine"}),
        ("resourceId NOT IN ('both', 'fine')", {"trap", "it's"}),
        ("NOT resourceId IN ('both', 'fine')", {"trap", "it's"}),
        ("resourceId LIKE 'bot%'", {"both"}),
        ("resourceId LIKE 'fin_'", {"fine"}),
        ("resourceType LIKE 'AWS::EC2::%'", {"it's"}),
        ("resourceId LIKE 'trap'", {"trap"}),
        ("size BETWEEN 2 AND 8", {"both", "trap", "it's"}),
        ("size > 2", {"it's"}),
        ("size >= '2'", set()),
        ("size <= 1 OR resourceId = 'trap'", {"fine", "trap"}),
        ("resourceId = 'trap' OR resourceId = 'both' AND size = 1", {"trap"}),
        ("(resourceId = 'trap' OR resourceId = 'both') AND size = 1", set()),
        ("configuration.complianceType = 'COMPLIANT'", {"fine"}),
        ("tags.tag = 'c=d'", {"it's"}),
        ("nothing.like.it = 'x'", set()),
        ("resourcetype = 'AWS::EC2::Volume'", set()),
    ],
)
def test_conditions(condition: str, found: set[str]) -> None:
    assert ids(condition) == found


def test_conditions_on_a_list_match_across_its_elements() -> None:
    """The example of AWS's page: R is compliant to A, noncompliant to B, and found by "A and noncompliant"."""
    condition = (
        "configuration.configRuleList.configRuleName = 'ours'"
        " AND configuration.configRuleList.complianceType = 'NON_COMPLIANT'"
    )
    assert ids(condition) == {"both", "trap"}
    assert ids("tags.key = 'a' AND tags.value = 'd'") == {"it's"}


def test_a_negated_condition_on_a_list_needs_every_element() -> None:
    assert ids("NOT configuration.configRuleList.complianceType = 'NON_COMPLIANT'") == {"fine", "it's"}


class TestSelection:
    def test_a_list_is_answered_whole(self) -> None:
        (row,) = parse("SELECT configuration.configRuleList WHERE resourceId = 'trap'").answer(ITEMS)
        assert row == {"configuration": {"configRuleList": TRAP["configuration"]["configRuleList"]}}

    def test_members_of_one_element_stay_together(self) -> None:
        (row,) = parse(
            "SELECT accountId, configuration.configRuleList.configRuleName, configuration.configRuleList.complianceType"
            " WHERE resourceId = 'trap'"
        ).answer(ITEMS)
        assert row == {
            "accountId": "444455556666",
            "configuration": {"configRuleList": TRAP["configuration"]["configRuleList"]},
        }

    def test_a_star_selects_the_scalars_at_the_top(self) -> None:
        (row,) = parse("SELECT * WHERE resourceId = 'fine'").answer(ITEMS)
        assert row == {key: FINE[key] for key in ("accountId", "awsRegion", "resourceId", "resourceType")}

    def test_what_an_item_lacks_is_left_out(self) -> None:
        (row,) = parse("SELECT resourceId, arn, configuration.name WHERE resourceId = 'fine'").answer(ITEMS)
        assert row == {"resourceId": "fine"}

    def test_rows_are_sorted(self) -> None:
        query = parse("SELECT resourceId ORDER BY size DESC, resourceId ASC")
        assert [row["resourceId"] for row in query.answer(ITEMS)] == ["it's", "both", "trap", "fine"]


class TestGroups:
    def test_rows_are_counted_by_group(self) -> None:
        query = parse("SELECT accountId, resourceType, COUNT(*) GROUP BY accountId, resourceType ORDER BY accountId")
        assert query.answer(ITEMS) == [
            {"accountId": "111122223333", "resourceType": "AWS::Config::ResourceCompliance", "COUNT(*)": 2},
            {"accountId": "111122223333", "resourceType": "AWS::EC2::Volume", "COUNT(*)": 1},
            {"accountId": "444455556666", "resourceType": "AWS::Config::ResourceCompliance", "COUNT(*)": 1},
        ]

    def test_groups_are_sorted_by_their_number(self) -> None:
        query = parse("SELECT accountId, COUNT(*) GROUP BY accountId ORDER BY COUNT(*) DESC")
        assert [row["COUNT(*)"] for row in query.answer(ITEMS)] == [3, 1]
        assert not query.pages

    def test_a_nested_property_groups(self) -> None:
        query = parse(
            "SELECT configuration.complianceType, COUNT(*) WHERE resourceType = 'AWS::Config::ResourceCompliance'"
            " GROUP BY configuration.complianceType"
        )
        assert query.answer(ITEMS) == [
            {"configuration": {"complianceType": "NON_COMPLIANT"}, "COUNT(*)": 2},
            {"configuration": {"complianceType": "COMPLIANT"}, "COUNT(*)": 1},
        ]

    def test_aggregates_of_everything_are_one_row(self) -> None:
        query = parse("SELECT COUNT(*), MAX(size), MIN(size), SUM(size), AVG(size), COUNT(tags.key)")
        assert query.answer(ITEMS) == [
            {"COUNT(*)": 4, "MAX(size)": 8, "MIN(size)": 1, "SUM(size)": 13, "AVG(size)": 3.25, "COUNT(tags.key)": 2}
        ]
        assert parse("SELECT COUNT(*)").answer([]) == [{"COUNT(*)": 0}]


@pytest.mark.parametrize(
    ("condition", "types"),
    [
        ("resourceType = 'A'", {"A"}),
        ("resourceType IN ('A', 'B') AND size = 1", {"A", "B"}),
        ("(resourceType = 'A' OR resourceType = 'B') AND resourceType IN ('B', 'C')", {"B"}),
        ("resourceType = 'A' OR size = 1", None),
        ("NOT resourceType = 'A'", None),
        ("resourceType LIKE 'AWS%'", None),
    ],
)
def test_the_types_that_can_fit_are_known(condition: str, types: set[str] | None) -> None:
    assert parse(f"SELECT resourceId WHERE {condition}").types == types


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("SELECT resourceId FROM items", "FROM is not supported"),
        ("SELECT resourceId AS id", "AS is not supported"),
        ("SELECT DISTINCT accountId", "DISTINCT is not supported"),
        ("SELECT accountId, COUNT(*) GROUP BY accountId HAVING COUNT(*) > 1", "HAVING is not supported"),
        ("SELECT resourceId WHERE arn = NULL", "NULL is not supported"),
        ("SELECT resourceId WHERE resourceId LIKE '%end'", "at the end of a value only"),
        ("SELECT resourceId WHERE resourceId LIKE 'sta%end%'", "at the end of a value only"),
        ("SELECT resourceId WHERE resourceId LIKE '_end'", "at the end of a value only"),
        ("SELECT resourceId WHERE resourceId LIKE 'ab%'", "at least 3 characters"),
        ("SELECT a, b, c, d, COUNT(*) GROUP BY a, b, c, d", "at most 3 properties"),
        ("SELECT a, b, COUNT(*) GROUP BY a, b ORDER BY COUNT(*)", "a single property"),
        ("SELECT accountId, COUNT(*)", "neither aggregated nor grouped by"),
        ("SELECT SUM(*)", "Only COUNT takes *"),
        ("SELECT MEDIAN(size)", "no aggregate function"),
        ("SELECT COUNT(MAX(size))", "Expected ), found '('"),
        ("SELECT", "Expected a property, found the end"),
        ("resourceId WHERE size = 1", "Expected SELECT"),
        ("SELECT resourceId WHERE", "Expected a property"),
        ("SELECT resourceId WHERE size", "Expected a comparison of size"),
        ("SELECT resourceId WHERE resourceId = size", "Expected a value, found 'size'"),
        ("SELECT resourceId WHERE (size = 1", "Expected ), found the end"),
        ("SELECT resourceId WHERE resourceId IN ()", "Expected a value"),
        ("SELECT resourceId WHERE resourceId = 'open", "Unexpected character"),
        ("SELECT resourceId; SELECT arn", "Unexpected character ';'"),
        ("SELECT resourceId WHERE size = 1 accountId", "Expected the end"),
    ],
)
def test_what_aws_config_refuses(expression: str, reason: str) -> None:
    with pytest.raises(QueryError) as raised:
        parse(expression)
    assert reason in str(raised.value)


def test_grouping_by_a_list_says_that_it_is_not_known() -> None:
    query = parse("SELECT tags.key, COUNT(*) GROUP BY tags.key")
    with pytest.raises(QueryError, match="AWS does not say"):
        query.answer(ITEMS)

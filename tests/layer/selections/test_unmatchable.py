"""What in a selection can never match: reported when certain, and only then."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_rules.arns import Place
from backup_rules.resources.resource_types import EBS, Resource
from backup_rules.selections.picking import Picker, Selection, SelectionSummary, TagCondition
from backup_rules.selections.unmatchable import contradiction, misspelt_keys, why_never

SUMMARY = SelectionSummary("s-1", "nightly", "p-1", "prod", "arn:aws:iam::111122223333:role/backup")
PREFIX = "aws:ResourceTag/"
PLACE = Place("aws", "111122223333", "eu-west-1")
HERE = "eu-west-1:111122223333"


@pytest.mark.parametrize(
    "entry",
    [
        "*",
        "*prod*",
        "arn:*",
        "arn:aws:*",
        "arn:*:ec2:*",
        "arn:aws:ec2:*",
        "arn:aws:ec2:*:*:volume/*",
        "arn:aws:ec2:::instance/*",
        "arn:aws:ec2:eu-*:*:vol*",
        f"arn:aws:ec2:{HERE}:volume/vol-1",
        f"arn:aws:rds:{HERE}:cluster:web",
        "arn:aws:rds:*:db:*",
        "arn:aws:s3:::logs",
        "arn:aws:s3:::*",
        "arn:aws:s3:*",
        f"arn:aws:storagegateway:{HERE}:gateway/sgw-1/volume/vol-1",
        f"arn:aws:timestream:{HERE}:database/d/table/t",
    ],
)
def test_an_entry_that_may_match(entry: str) -> None:
    assert why_never(entry, PLACE) is None


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        pytest.param("my-table", '"my-table" is a name, not an ARN', id="name"),
        pytest.param("my-*", '"my-*" is a name, not an ARN', id="name with a wildcard"),
        pytest.param("", '"" is a name, not an ARN', id="empty"),
        pytest.param("vol-0abc", '"vol-0abc" is a name, not an ARN', id="id"),
        pytest.param("arn:aws:ec2", '"arn:aws:ec2" is no whole ARN', id="half an ARN"),
        pytest.param(
            "arn:aws:ec2:*:*:volume/* ",
            '"arn:aws:ec2:*:*:volume/* " begins or ends with white space, which no ARN does',
            id="blank at the end",
        ),
        pytest.param(
            "\u200barn:aws:s3:::logs",
            r'"\u200barn:aws:s3:::logs" begins or ends with white space, which no ARN does',
            id="no width at the beginning",
        ),
        pytest.param(
            "arn:aws-cn:ec2:*", '"arn:aws-cn:ec2:*" is of partition aws-cn, this plan of aws', id="another partition"
        ),
        pytest.param(
            "arn:aws:ec2:us-east-1:111122223333:volume/vol-1",
            '"arn:aws:ec2:us-east-1:111122223333:volume/vol-1" is of Region us-east-1, '
            "and a plan backs up only its own, eu-west-1",
            id="another Region",
        ),
        pytest.param(
            "arn:aws:ec2:us-*:*:volume/*",
            '"arn:aws:ec2:us-*:*:volume/*" is of Region us-*, and a plan backs up only its own, eu-west-1',
            id="wildcard of other Regions",
        ),
        pytest.param(
            "arn:aws:ec2:*:444455556666:volume/*",
            '"arn:aws:ec2:*:444455556666:volume/*" is of account 444455556666, '
            "and a plan backs up only its own, 111122223333",
            id="another account",
        ),
        pytest.param(
            f"arn:aws:sqs:{HERE}:orders",
            f'"arn:aws:sqs:{HERE}:orders" is of service sqs, which AWS Backup does not protect',
            id="another service",
        ),
        pytest.param(
            f"arn:aws:docdb:{HERE}:cluster:web",
            f'"arn:aws:docdb:{HERE}:cluster:web" must begin with arn:aws:rds:, as AWS Backup knows DocumentDB clusters',
            id="DocumentDB by its own name",
        ),
        pytest.param(
            "arn:aws:neptune:*",
            '"arn:aws:neptune:*" must begin with arn:aws:rds:, as AWS Backup knows Neptune clusters',
            id="Neptune by its own name",
        ),
        pytest.param(
            f"arn:aws:ec2:{HERE}:snapshot/snap-1",
            f'"arn:aws:ec2:{HERE}:snapshot/snap-1" names no resource type that AWS Backup protects',
            id="another type",
        ),
        pytest.param(
            "arn:aws:ec2:*:snapshot/*",
            '"arn:aws:ec2:*:snapshot/*" names no resource type that AWS Backup protects',
            id="another type, one star for Region and account",
        ),
        pytest.param(
            "arn:aws:ec2:us-east-1:*",
            '"arn:aws:ec2:us-east-1:*" is of Region us-east-1, and a plan backs up only its own, eu-west-1',
            id="a service in another Region",
        ),
        pytest.param(
            "arn:aws:ec2:::Instance/*",
            '"arn:aws:ec2:::Instance/*" names no resource type that AWS Backup protects',
            id="letter case of the type",
        ),
        pytest.param(
            f"arn:aws:s3:{HERE}:logs",
            f'"arn:aws:s3:{HERE}:logs" names a Region or account, and the ARN of a bucket has neither',
            id="a bucket with a Region",
        ),
        pytest.param(
            "arn:aws:s3:::logs/*",
            '"arn:aws:s3:::logs/*" names objects, and AWS Backup protects whole buckets',
            id="the objects of a bucket",
        ),
    ],
)
def test_an_entry_that_never_matches(entry: str, reason: str) -> None:
    assert why_never(entry, PLACE) == reason


def test_every_other_place_is_judged_by_its_own() -> None:
    china = Place("aws-cn", "444455556666", "cn-north-1")
    assert why_never("arn:aws-cn:ec2:cn-north-1:444455556666:volume/vol-1", china) is None
    assert why_never("arn:aws:ec2:*:*:volume/*", china) == (
        '"arn:aws:ec2:*:*:volume/*" is of partition aws, this plan of aws-cn'
    )


def tag(value: str, key: str = "x") -> TagCondition:
    return TagCondition(key, value)


def on(value: str, key: str = "x") -> TagCondition:
    return TagCondition(PREFIX + key, value)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        pytest.param(
            Selection(SUMMARY, list_of_tags=(tag("1"),), string_equals=(on("2"),)),
            'tag "x"="1" and StringEquals "x"="2" exclude each other',
            id="a tag, and another value required",
        ),
        pytest.param(
            Selection(SUMMARY, list_of_tags=(tag("1"),), string_not_equals=(on("1"),)),
            'tag "x"="1" and StringNotEquals "x"="1" exclude each other',
            id="a tag, left out",
        ),
        pytest.param(
            Selection(SUMMARY, list_of_tags=(tag("1"),), string_like=(on("2*"),)),
            'tag "x"="1" and StringLike "x"="2*" exclude each other',
            id="a tag that does not match",
        ),
        pytest.param(
            Selection(SUMMARY, list_of_tags=(tag("true"),), string_equals=(on("True"),)),
            'tag "x"="true" and StringEquals "x"="True" exclude each other',
            id="letter case",
        ),
        pytest.param(
            Selection(SUMMARY, list_of_tags=(tag("1"), tag("3")), string_equals=(on("2"),)),
            'tag "x"="1" and StringEquals "x"="2" exclude each other, and so for its other tag',
            id="two tags",
        ),
        pytest.param(
            Selection(SUMMARY, list_of_tags=(tag("1"), tag("3"), tag("4")), string_equals=(on("2"),)),
            'tag "x"="1" and StringEquals "x"="2" exclude each other, and so for its 2 other tags',
            id="three tags",
        ),
        pytest.param(
            Selection(SUMMARY, ("*",), string_equals=(on("1"), on("2"))),
            'StringEquals "x"="1" and StringEquals "x"="2" exclude each other',
            id="two values required",
        ),
        pytest.param(
            Selection(SUMMARY, ("*",), string_equals=(on("1"),), string_not_equals=(on("1"),)),
            'StringEquals "x"="1" and StringNotEquals "x"="1" exclude each other',
            id="required and left out",
        ),
        pytest.param(
            Selection(SUMMARY, ("*",), string_equals=(on("prod"),), string_like=(on("prod/*"),)),
            'StringEquals "x"="prod" and StringLike "x"="prod/*" exclude each other',
            id="the guide's CloudFormation example",
        ),
        pytest.param(
            Selection(SUMMARY, ("*",), string_like=(on("prod*"), on("test*"))),
            'StringLike "x"="prod*" and StringLike "x"="test*" exclude each other',
            id="two patterns with nothing in common",
        ),
        pytest.param(
            Selection(SUMMARY, ("*",), string_like=(on("prod-*"),), string_not_like=(on("prod*"),)),
            'StringLike "x"="prod-*" and StringNotLike "x"="prod*" exclude each other',
            id="a pattern inside one that is left out",
        ),
        pytest.param(
            Selection(SUMMARY, ("*",), string_not_equals=(on("prod"),), string_like=(on("prod"),)),
            'StringNotEquals "x"="prod" and StringLike "x"="prod" exclude each other',
            id="a pattern without a star",
        ),
        pytest.param(
            Selection(SUMMARY, ("arn:aws:ec2:*:*:volume/*",), ("arn:aws:ec2:*",)),
            'NotResources "arn:aws:ec2:*" leaves out all of "arn:aws:ec2:*:*:volume/*"',
            id="all resources left out",
        ),
        pytest.param(
            Selection(SUMMARY, list_of_tags=(tag("1"),), not_resources=("*",)),
            'NotResources "*" leaves out all of "*"',
            id="everything left out",
        ),
        pytest.param(
            Selection(SUMMARY, list_of_tags=(tag("1"), tag("2")), string_equals=(on("2"),)), None, id="one tag remains"
        ),
        pytest.param(
            Selection(SUMMARY, ("arn:aws:ec2:*",), list_of_tags=(tag("1"),), string_equals=(on("2"),)),
            None,
            id="resources remain",
        ),
        pytest.param(
            Selection(SUMMARY, list_of_tags=(tag("1"),), string_equals=(on("2", "y"),)), None, id="another key"
        ),
        pytest.param(
            Selection(SUMMARY, list_of_tags=(tag("1"),), string_equals=(tag("2"),)), None, id="a condition on no tag"
        ),
        pytest.param(Selection(SUMMARY, ("*",), string_like=(on("p*"), on("*d"))), None, id="patterns that agree"),
        pytest.param(
            Selection(SUMMARY, ("*",), string_not_equals=(on("a"),), string_like=(on("b"),)),
            None,
            id="a pattern without a star, and another value that is left out",
        ),
        pytest.param(
            Selection(SUMMARY, ("*",), string_not_equals=(on("b"),), string_like=(on("a"),)),
            None,
            id="the same, the other way round",
        ),
        pytest.param(
            Selection(SUMMARY, ("*",), string_like=(on("a*"),), string_not_like=(on("*b"),)),
            None,
            id="a pattern of which only a part is left out",
        ),
        pytest.param(
            Selection(SUMMARY, ("*",), string_not_equals=(on("1"), on("2"))), None, id="two values that are left out"
        ),
        pytest.param(
            Selection(SUMMARY, ("*",), string_not_equals=(on("p*"),), string_like=(on("p*"),)),
            None,
            id="a literal star",
        ),
        pytest.param(Selection(SUMMARY, ("*",), ("arn:aws:ec2:*",)), None, id="a service left out of everything"),
        pytest.param(
            Selection(SUMMARY, ("arn:aws:ec2:*",), ("arn:aws:ec2:*",), list_of_tags=(tag("1"),)),
            None,
            id="tags remain where resources are left out",
        ),
        pytest.param(Selection(SUMMARY), None, id="nothing"),
    ],
)
def test_contradiction(selection: Selection, expected: str | None) -> None:
    assert contradiction(selection) == expected


values = st.sampled_from(["a", "b", "ab", "A", ""])
value_patterns = st.sampled_from(["*", "a*", "*b", "b*", "a", "a*b", "*A"])
keys = st.sampled_from(["x", "y"])
tags = st.lists(st.builds(tag, values, keys), max_size=1).map(tuple)
equalities = st.lists(st.builds(on, values, keys), max_size=1).map(tuple)
likes = st.lists(st.builds(on, value_patterns, keys), max_size=2).map(tuple)
ALL_VALUES = [None, "", "a", "b", "ab", "ba", "A", "aA", "bA", "aab", "bb"]


@settings(max_examples=200)
@given(
    st.builds(
        Selection,
        st.just(SUMMARY),
        st.sampled_from([(), ("*",), ("arn:aws:ec2:*",)]),
        st.sampled_from([(), (), ("*",), ("arn:aws:ec2:*:*:volume/*",)]),
        tags,
        equalities,
        equalities,
        likes,
        likes,
    )
)
def test_a_contradiction_is_certain(selection: Selection) -> None:
    """A selection that picks some volume, whatever its tags, has no contradiction."""
    picker = Picker.of(selection)
    picked = any(
        picker.picks(Resource(f"arn:aws:ec2:{HERE}:volume/vol-1", EBS, {k: v for k, v in pair if v is not None}))
        for pair in (zip("xy", values, strict=True) for values in product(ALL_VALUES, repeat=2))
    )
    if picked:
        assert contradiction(selection) is None


def test_misspelt_keys_are_told_how_to_be_written() -> None:
    selection = Selection(
        SUMMARY,
        list_of_tags=(TagCondition(PREFIX + "backup", "true"), TagCondition("backup", "true")),
        string_equals=(on("1"), TagCondition("stage", "prod"), TagCondition("stage", "test")),
        string_not_like=(TagCondition("team", "a*"),),
    )
    assert misspelt_keys(selection) == (
        'tag key "aws:ResourceTag/backup" must be written "backup" in ListOfTags',
        'StringEquals key "stage" must be written "aws:ResourceTag/stage"',
        'StringNotLike key "team" must be written "aws:ResourceTag/team"',
    )

"""What a selection picks: AWS's own examples, the corners, and an oracle that reads every selection word for word."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_rules.resources.resource_types import (
    AURORA,
    CLOUDFORMATION,
    DOCUMENTDB,
    DYNAMODB,
    EBS,
    EC2,
    EFS,
    FSX_FILE_SYSTEM,
    FSX_VOLUME,
    NEPTUNE,
    RDS_CLUSTER,
    RDS_INSTANCE,
    REDSHIFT,
    REDSHIFT_SERVERLESS,
    S3,
    STORAGE_GATEWAY,
    TIMESTREAM,
    Resource,
    ResourceType,
)
from backup_rules.selections.picking import (
    Element,
    ElementKind,
    Operator,
    Picker,
    Selection,
    SelectionSummary,
    TagCondition,
    conditions,
    elements,
    opt_in_applies,
    resource_element,
    tags_narrow_nothing,
    types_named,
)

SUMMARY = SelectionSummary("s-1", "nightly", "p-1", "prod", "arn:aws:iam::111122223333:role/backup")
PREFIX = "aws:ResourceTag/"
HERE = "eu-west-1:111122223333"


def resource(resource_type: ResourceType, name: str, tags: dict[str, str] | None = None, **more: Any) -> Resource:
    place = ":" if resource_type is S3 else HERE
    arn = f"arn:aws:{resource_type.service}:{place}:{resource_type.resource_prefix}{name}"
    return Resource(arn, resource_type, tags or {}, **more)


def selection(document: dict[str, Any]) -> Selection:
    """A selection from the JSON that AWS's guide and `create-backup-selection` write."""

    def tags(entries: list[dict[str, str]]) -> tuple[TagCondition, ...]:
        return tuple(TagCondition(each["ConditionKey"], each["ConditionValue"]) for each in entries)

    groups = document.get("Conditions", {})
    return Selection(
        SUMMARY,
        tuple(document.get("Resources", [])),
        tuple(document.get("NotResources", [])),
        tags(document.get("ListOfTags", [])),
        tags(groups.get("StringEquals", [])),
        tags(groups.get("StringNotEquals", [])),
        tags(groups.get("StringLike", [])),
        tags(groups.get("StringNotLike", [])),
    )


def condition(key: str, value: str) -> dict[str, str]:
    return {"ConditionKey": f"{PREFIX}{key}", "ConditionValue": value}


def list_tag(key: str, value: str) -> dict[str, str]:
    return {"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value}


BACKUP = {"backup": "true"}
ACCOUNT: dict[str, Resource] = {
    "instance": resource(EC2, "i-0abc"),
    "instance, backup": resource(EC2, "i-0bac", BACKUP),
    "volume": resource(EBS, "vol-0abc"),
    "volume, backup": resource(EBS, "vol-0bac", BACKUP),
    "volume, backup prod": resource(EBS, "vol-0pro", BACKUP | {"stage": "prod"}),
    "volume, backup test": resource(EBS, "vol-0tes", BACKUP | {"stage": "test"}),
    "db, backup prod": resource(RDS_INSTANCE, "orders", BACKUP | {"stage": "prod"}),
    "db, backup test": resource(RDS_INSTANCE, "orders-test", BACKUP | {"stage": "test"}),
    "aurora": resource(AURORA, "my-aurora-cluster"),
    "aurora test": resource(AURORA, "my-aurora-cluster-2", {"stage": "test"}),
    "neptune, backup": resource(NEPTUNE, "graph", BACKUP),
    "file system": resource(FSX_FILE_SYSTEM, "fs-0abc"),
    "file system, backup test": resource(FSX_FILE_SYSTEM, "fs-0tes", BACKUP | {"stage": "test"}),
    "table, include": resource(DYNAMODB, "a", {"key1": "include-me"}),
    "table, include and exclude": resource(DYNAMODB, "b", {"key1": "include-me", "key2": "do-exclude-me"}),
    "table, exclude": resource(DYNAMODB, "c", {"key2": "exclude"}),
    "bucket, backup FALSE": resource(S3, "logs", {"backup": "FALSE"}),
    "stack, dsi": resource(CLOUDFORMATION, "web/1", {"backupplan": "dsi-sandbox-daily", "path": "prod"}),
}
WITH_BACKUP_TRUE = {name for name in ACCOUNT if "backup" in name and "FALSE" not in name}


# The documents of https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html, and the one of
# assigning-resources-cfn.html, against the account above: each with the names that its title says.
@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(
            {"Resources": ["arn:aws:ec2:*:*:instance/*"]},
            {"instance", "instance, backup"},
            id="all EC2 instances",
        ),
        pytest.param({"Resources": ["*"]}, set(ACCOUNT), id="all resources"),
        pytest.param(
            {"Resources": ["*"], "NotResources": ["arn:aws:ec2:*:*:volume/*"]},
            {name for name in ACCOUNT if not name.startswith("volume")},
            id="all resources but EBS volumes",
        ),
        pytest.param(
            {
                "Resources": ["*"],
                "NotResources": ["arn:aws:ec2:*:*:volume/*"],
                "Conditions": {"StringEquals": [condition("backup", "true")]},
            },
            {name for name in WITH_BACKUP_TRUE if not name.startswith("volume")},
            id="all tagged backup:true but EBS volumes",
        ),
        pytest.param(
            {
                "Resources": ["arn:aws:ec2:*:*:volume/*", "arn:aws:rds:*:*:db:*"],
                "Conditions": {"StringEquals": [condition("backup", "true"), condition("stage", "prod")]},
            },
            {"volume, backup prod", "db, backup prod"},
            id="EBS volumes and DB instances with both tags",
        ),
        pytest.param(
            {
                "Resources": ["arn:aws:ec2:*:*:volume/*", "arn:aws:rds:*:*:db:*"],
                "Conditions": {
                    "StringEquals": [condition("backup", "true")],
                    "StringNotEquals": [condition("stage", "test")],
                },
            },
            {"volume, backup", "volume, backup prod", "db, backup prod"},
            id="EBS volumes and DB instances with one tag but not the other",
        ),
        pytest.param(
            {
                "Resources": ["*"],
                "Conditions": {
                    "StringLike": [condition("key1", "include*")],
                    "StringNotLike": [condition("key2", "*exclude*")],
                },
            },
            {"table, include"},
            id="a value that begins so, and none that contains that",
        ),
        pytest.param(
            {
                "Resources": ["*"],
                "NotResources": ["arn:aws:fsx:*", "arn:aws:rds:*"],
                "Conditions": {"StringEquals": [condition("backup", "true")]},
            },
            {name for name in WITH_BACKUP_TRUE if name.startswith(("instance", "volume"))},
            id="all tagged backup:true but FSx, RDS, Aurora, Neptune and DocumentDB",
        ),
        pytest.param(
            {"Resources": ["*"], "Conditions": {"StringLike": [condition("backup", "*")]}},
            WITH_BACKUP_TRUE | {"bucket, backup FALSE"},
            id="any value of a tag",
        ),
        pytest.param(
            {
                "Resources": ["arn:aws:fsx:*", "arn:aws:rds:*:*:cluster:my-aurora-cluster"],
                "ListOfTags": [
                    {"ConditionType": "StringEquals", "ConditionKey": "backup", "ConditionValue": "true"},
                ],
                "Conditions": {"StringNotEquals": [condition("stage", "test")]},
            },
            {"file system", "aurora", *(name for name in WITH_BACKUP_TRUE if not name.endswith("test"))},
            id="FSx, one Aurora cluster and all tagged, but for those of stage:test",
        ),
        pytest.param(
            {
                "Resources": ["arn:aws:ec2:*:*:volume/*"],
                "Conditions": {
                    "StringEquals": [condition("backup", "true")],
                    "StringNotEquals": [condition("stage", "test")],
                },
            },
            {"volume, backup", "volume, backup prod"},
            id="the second of two selections",
        ),
        pytest.param({"Resources": ["arn:aws:ec2:*"]}, {n for n in ACCOUNT if n[:3] in {"ins", "vol"}}, id="a service"),
        pytest.param({"Resources": ["arn:aws:ec2:::instance/*"]}, {"instance", "instance, backup"}, id="no Region"),
        pytest.param(
            {"Resources": ["arn:aws:rds:::cluster:*"]}, {"aurora", "aurora test", "neptune, backup"}, id="rds"
        ),
        pytest.param({"Resources": ["arn:aws:s3:::log*"]}, {"bucket, backup FALSE"}, id="API reference: my-bucket-*"),
        pytest.param(
            {
                "ListOfTags": [list_tag("backupplan", "dsi-sandbox-daily")],
                "NotResources": ["arn:aws:rds:*:*:cluster:*"],
                "Conditions": {
                    "StringEquals": [condition("path", "prod")],
                    "StringNotEquals": [condition("path", "test")],
                    "StringLike": [condition("path", "prod/*")],
                    "StringNotLike": [condition("path", "test/*")],
                },
            },
            set(),
            id="the CloudFormation example, whose conditions exclude each other",
        ),
    ],
)
def test_the_documents_of_aws(document: dict[str, Any], expected: set[str]) -> None:
    picker = Picker.of(selection(document))
    assert {name for name, each in ACCOUNT.items() if picker.picks(each)} == expected


VOLUME = ACCOUNT["volume, backup prod"]
IN_OTHERS = {
    "another Region": f"arn:aws:ec2:us-east-1:111122223333:{EBS.resource_prefix}vol-0pro",
    "another account": f"arn:aws:ec2:eu-west-1:444455556666:{EBS.resource_prefix}vol-0pro",
    "another partition": f"arn:aws-cn:ec2:{HERE}:{EBS.resource_prefix}vol-0pro",
}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param({"Resources": [VOLUME.arn]}, [VOLUME.arn], id="its ARN"),
        *(pytest.param({"Resources": [arn]}, [], id=f"its ARN in {where}") for where, arn in IN_OTHERS.items()),
        pytest.param({"Resources": ["arn:aws-cn:ec2:*:*:volume/*"]}, [], id="a wildcard of another partition"),
        pytest.param({"Resources": ["arn:aws:ec2:us-east-1:*:volume/*"]}, [], id="a wildcard of another Region"),
        pytest.param({"Resources": ["arn:aws:ec2:*:444455556666:*"]}, [], id="a wildcard of another account"),
        pytest.param({"Resources": ["vol-0pro"]}, [], id="its name"),
        pytest.param({"Resources": ["arn:aws:ec2:*:*:VOLUME/*"]}, [], id="letter case"),
        pytest.param({"Resources": ["arn:aws:ec2:*:*:volume/* "]}, [], id="blank at the end"),
        pytest.param({"Resources": ["arn:aws:ec2:*:*:volume/*-0pro"]}, ["arn:aws:ec2:*:*:volume/*-0pro"], id="start"),
        pytest.param({"Resources": ["arn:aws:ec2:*:*:volume/v*o"]}, ["arn:aws:ec2:*:*:volume/v*o"], id="middle"),
        pytest.param({"Resources": ["arn:*:ec2:*:volume/vol-0pro"]}, ["arn:*:ec2:*:volume/vol-0pro"], id="partition"),
        pytest.param(
            {"Resources": ["arn:aws:ec2:::volume/vol-0pro"]}, ["arn:aws:ec2:::volume/vol-0pro"], id="no Region"
        ),
        pytest.param({"Resources": ["*"]}, ['"*"'], id="everything"),
        pytest.param({}, ['implied "*"'], id="nothing"),
        pytest.param(
            {"Conditions": {"StringEquals": [condition("stage", "prod")]}}, ['implied "*"'], id="conditions only"
        ),
        pytest.param({"ListOfTags": [list_tag("backup", "true")]}, ['tag "backup"="true"'], id="a tag"),
        pytest.param({"ListOfTags": [list_tag("backup", "True")]}, [], id="case of the value"),
        pytest.param({"ListOfTags": [list_tag("Backup", "true")]}, [], id="case of the key"),
        pytest.param({"ListOfTags": [list_tag("backup", "true ")]}, [], id="blank of the value"),
        pytest.param({"ListOfTags": [list_tag("backup", "t*")]}, [], id="no wildcard in a tag"),
        pytest.param({"ListOfTags": [list_tag(f"{PREFIX}backup", "true")]}, [], id="a prefixed tag is taken literally"),
        pytest.param(
            {
                "Resources": ["*", "arn:aws:ec2:*", VOLUME.arn, VOLUME.arn],
                "ListOfTags": [list_tag("owner", "x"), list_tag("stage", "prod"), list_tag("backup", "true")],
            },
            [VOLUME.arn, '"*"', "arn:aws:ec2:*", 'tag "stage"="prod"', 'tag "backup"="true"'],
            id="all elements, the ARN first, each once",
        ),
        pytest.param({"Resources": ["*"], "NotResources": [VOLUME.arn]}, [], id="left out by ARN"),
        pytest.param({"Resources": ["*"], "NotResources": ["arn:aws:ec2:::volume/*"]}, [], id="left out, no Region"),
        pytest.param(
            {"ListOfTags": [list_tag("backup", "true")], "NotResources": ["arn:aws:ec2:*"]}, [], id="left out, by a tag"
        ),
        pytest.param(
            {"Resources": ["*"], "NotResources": list(IN_OTHERS.values())}, ['"*"'], id="left out elsewhere only"
        ),
        pytest.param(
            {"Resources": [VOLUME.arn], "Conditions": {"StringEquals": [condition("stage", "test")]}},
            [],
            id="conditions bind ARNs too",
        ),
        pytest.param(
            {"Resources": ["*"], "Conditions": {"StringNotEquals": [condition("missing", "x")]}},
            ['"*"'],
            id="a missing tag passes StringNotEquals",
        ),
        pytest.param(
            {"Resources": ["*"], "Conditions": {"StringNotLike": [condition("missing", "*")]}},
            ['"*"'],
            id="a missing tag passes StringNotLike",
        ),
        pytest.param(
            {"Resources": ["*"], "Conditions": {"StringLike": [condition("missing", "*")]}},
            [],
            id="a missing tag fails StringLike",
        ),
        pytest.param(
            {"Resources": ["*"], "Conditions": {"StringEquals": [condition("stage", "p*")]}},
            [],
            id="no wildcard in StringEquals",
        ),
        pytest.param(
            {"Resources": ["*"], "Conditions": {"StringNotEquals": [condition("stage", "p*")]}},
            ['"*"'],
            id="no wildcard in StringNotEquals",
        ),
        pytest.param(
            {"Resources": ["*"], "Conditions": {"StringNotLike": [condition("stage", "p*d")]}},
            [],
            id="StringNotLike",
        ),
        pytest.param(
            {"Resources": ["*"], "Conditions": {"StringEquals": [{"ConditionKey": "stage", "ConditionValue": "prod"}]}},
            [],
            id="a condition without the prefix never holds",
        ),
        pytest.param(
            {
                "Resources": ["*"],
                "Conditions": {"StringNotEquals": [{"ConditionKey": "stage", "ConditionValue": "prod"}]},
            },
            ['"*"'],
            id="a negative condition without the prefix always holds",
        ),
        pytest.param(
            {
                "Resources": ["*"],
                "Conditions": {"StringEquals": [{"ConditionKey": "aws:resourcetag/stage", "ConditionValue": "prod"}]},
            },
            [],
            id="the prefix in another letter case is none",
        ),
    ],
)
def test_picks(document: dict[str, Any], expected: list[str]) -> None:
    assert [each.describe() for each in Picker.of(selection(document)).picks(VOLUME)] == expected


def test_an_empty_value_is_a_value() -> None:
    tagged = resource(EBS, "vol-1", {"stage": ""})
    like_anything = {"Resources": ["*"], "Conditions": {"StringLike": [condition("stage", "*")]}}
    assert Picker.of(selection(like_anything)).picks(tagged)
    assert Picker.of(selection({"ListOfTags": [list_tag("stage", "")]})).picks(tagged)
    assert not Picker.of(selection({"ListOfTags": [list_tag("stage", "")]})).picks(resource(EBS, "vol-2"))


@pytest.mark.parametrize("entry", ["*", "arn:aws:rds:*:*:db:*", f"arn:aws:rds:{HERE}:db:member"])
def test_a_cluster_member_is_never_picked(entry: str) -> None:
    member = resource(RDS_INSTANCE, "member", BACKUP, cluster_member=True)
    picker = Picker.of(selection({"Resources": [entry], "ListOfTags": [list_tag("backup", "true")]}))
    assert picker.picks(replace(member, cluster_member=False))
    assert not picker.picks(member)


def test_a_bucket_has_no_region_and_no_account() -> None:
    bucket = ACCOUNT["bucket, backup FALSE"]
    for entry, expected in {
        bucket.arn: True,
        "arn:aws:s3:::*": True,
        "arn:aws:s3:*": True,
        "arn:aws:s3:*:*:*": True,
        f"arn:aws:s3:{HERE}:logs": False,
        "arn:aws:s3:eu-west-1:*:logs": False,
    }.items():
        assert bool(Picker.of(selection({"Resources": [entry]})).picks(bucket)) is expected, entry


# --- The oracle: the contract's sentence, one resource and one selection at a time, with nothing prepared.


def oracle_matches(pattern: str, text: str) -> bool:
    """By all prefixes that each further character of the pattern can reach."""
    reached = {0}
    for character in pattern:
        if character == "*":
            reached = {
                end
                for start in reached
                for end in range(start, len(text) + 1)
                if not any(map(str.isspace, text[start:end]))
            }
        else:
            reached = {end + 1 for end in reached if text[end : end + 1] == character}
    return len(text) in reached


def oracle_names(entry: str, arn: str) -> bool:
    parts = entry.split(":", 5)
    if len(parts) == 6:
        parts[3], parts[4] = parts[3] or "*", parts[4] or "*"
    return oracle_matches(":".join(parts), arn)


def oracle_picks(each: Selection, about: Resource) -> bool:
    tags = dict(about.tags)
    by_resource = any(oracle_names(entry, about.arn) for entry in each.resources)
    by_tag = any(tag.key in tags and tags[tag.key] == tag.value for tag in each.list_of_tags)
    by_nothing = not each.resources and not each.list_of_tags
    left_out = any(oracle_names(entry, about.arn) for entry in each.not_resources)

    def found(written: TagCondition) -> str | None:
        return tags.get(written.key[len(PREFIX) :]) if written.key[: len(PREFIX)] == PREFIX else None

    equal = all(found(each) == each.value for each in each.string_equals)
    unequal = all(found(each) != each.value for each in each.string_not_equals)
    like = all((value := found(each)) is not None and oracle_matches(each.value, value) for each in each.string_like)
    unlike = all(
        (value := found(each)) is None or not oracle_matches(each.value, value) for each in each.string_not_like
    )
    conditional = equal and unequal and like and unlike
    return (by_resource or by_tag or by_nothing) and conditional and not left_out and not about.cluster_member


keys = st.sampled_from(["backup", "stage", "Stage"])
values = st.sampled_from(["true", "True", "prod", "prod ", "test", ""])
value_patterns = st.sampled_from(["*", "p*", "*t", "t*e", "*s*", "prod *", "true", "pr*od*"])
entries = st.one_of(
    st.sampled_from(
        ["*", "arn:aws:*", "arn:aws:s3:::*", "arn:aws:ec2:*:volume/*", "arn:aws:rds:*:db:*", "*prod*", "web"]
    ),
    st.builds(
        "arn:{}:{}:{}:{}:{}".format,
        st.sampled_from(["aws", "aws-cn", "*"]),
        st.sampled_from(["ec2", "rds", "s3", "*", "r*"]),
        st.sampled_from(["", "*", "eu-west-1", "us-east-1", "eu-*"]),
        st.sampled_from(["", "*", "111122223333", "444455556666"]),
        st.sampled_from(
            ["*", "volume/*", "volume/vol-1", "db:*", "cluster:*", "cluster:*-prod", "logs", "v*-*", "*:web*"]
        ),
    ),
)


def tag_lists(prefix: st.SearchStrategy[str], value: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    tag = st.builds(lambda start, key, text: TagCondition(start + key, text), prefix, keys, value)
    return st.lists(tag, max_size=2).map(tuple)


mostly_prefixed = st.sampled_from([PREFIX] * 5 + [""])
some_entries = st.lists(entries, max_size=3).map(tuple)
selections = st.builds(
    Selection,
    st.just(SUMMARY),
    some_entries,
    st.one_of(st.just(()), some_entries),
    tag_lists(st.sampled_from([""] * 5 + [PREFIX]), values),
    tag_lists(mostly_prefixed, values),
    tag_lists(mostly_prefixed, values),
    tag_lists(mostly_prefixed, value_patterns),
    tag_lists(mostly_prefixed, value_patterns),
)
resources = st.builds(
    lambda kind, name, tags, member: resource(kind, name, tags, cluster_member=member and kind is RDS_INSTANCE),
    st.sampled_from([EBS, RDS_INSTANCE, RDS_CLUSTER, S3]),
    st.sampled_from(["vol-1", "logs", "web-prod", "db:web-1"]),
    st.dictionaries(keys, values, max_size=3),
    st.booleans(),
)


@settings(max_examples=200)
@given(selections, st.lists(resources, min_size=1, max_size=4))
def test_picks_what_the_contract_says(each: Selection, some: list[Resource]) -> None:
    picker = Picker.of(each)
    for about in some:
        assert bool(picker.picks(about)) is oracle_picks(each, about)


@settings(max_examples=100)
@given(selections, resources)
def test_each_element_named_would_pick_alone(each: Selection, about: Resource) -> None:
    """Exactly the entries and tags by which the resource is picked are named."""
    if not each.resources and not each.list_of_tags:
        return
    alone = [replace(each, resources=(entry,), list_of_tags=()) for entry in dict.fromkeys(each.resources)]
    alone += [replace(each, resources=(), list_of_tags=(tag,)) for tag in dict.fromkeys(each.list_of_tags)]
    expected = {elements(one)[0] for one in alone if oracle_picks(one, about)}
    found = Picker.of(each).picks(about)
    assert set(found) == expected
    assert len(found) == len(expected)


# --- Elements, their kinds, and the opt-in.


@pytest.mark.parametrize(
    ("entry", "kind", "types"),
    [
        (f"arn:aws:ec2:{HERE}:volume/vol-1", ElementKind.ARN, (EBS,)),
        ("arn:aws:ec2:::instance/i-1", ElementKind.ARN, (EC2,)),
        (f"arn:aws:ec2:{HERE}:snapshot/snap-1", ElementKind.ARN, ()),
        (f"arn:aws:rds:{HERE}:cluster:web", ElementKind.ARN, (AURORA, DOCUMENTDB, NEPTUNE, RDS_CLUSTER)),
        ("arn:aws:s3:::logs", ElementKind.ARN, (S3,)),
        (f"arn:aws:timestream:{HERE}:database/d/table/t", ElementKind.ARN, (TIMESTREAM,)),
        (f"arn:aws:storagegateway:{HERE}:gateway/sgw-1/volume/vol-1", ElementKind.ARN, (STORAGE_GATEWAY,)),
        ("my-table", ElementKind.ARN, ()),
        ("arn:aws:ec2:*:*:volume/*", ElementKind.TYPE_WILDCARD, (EBS,)),
        ("arn:aws:ec2:::instance/*", ElementKind.TYPE_WILDCARD, (EC2,)),
        ("arn:aws:ec2:*:*:instance/i-0abc", ElementKind.TYPE_WILDCARD, (EC2,)),
        ("arn:aws:ec2:*:volume/*", ElementKind.TYPE_WILDCARD, (EBS,)),
        ("arn:aws:dynamodb:*:*:table/prod-*", ElementKind.TYPE_WILDCARD, (DYNAMODB,)),
        ("arn:aws:rds:*:*:db:*", ElementKind.TYPE_WILDCARD, (RDS_INSTANCE,)),
        ("arn:aws:rds:*:db:*", ElementKind.TYPE_WILDCARD, (RDS_INSTANCE,)),
        ("arn:aws:rds:::cluster:*", ElementKind.TYPE_WILDCARD, (AURORA, DOCUMENTDB, NEPTUNE, RDS_CLUSTER)),
        ("arn:aws:fsx:::file-system/*", ElementKind.TYPE_WILDCARD, (FSX_FILE_SYSTEM,)),
        ("arn:aws:fsx:*:*:volume/*", ElementKind.TYPE_WILDCARD, (FSX_VOLUME,)),
        ("arn:aws:s3:::*", ElementKind.TYPE_WILDCARD, (S3,)),
        ("arn:aws:s3:::logs-*", ElementKind.TYPE_WILDCARD, (S3,)),
        ("arn:aws:redshift:*:*:cluster:*", ElementKind.TYPE_WILDCARD, (REDSHIFT,)),
        ("arn:aws:*:*:*:volume/*", ElementKind.TYPE_WILDCARD, (EBS, FSX_VOLUME)),
        ("arn:aws:s3:*", ElementKind.SERVICE_WILDCARD, (S3,)),
        ("arn:aws:ec2:*", ElementKind.SERVICE_WILDCARD, (EBS, EC2)),
        ("arn:*:ec2:*", ElementKind.SERVICE_WILDCARD, (EBS, EC2)),
        ("arn:aws:ec2:*:*:*", ElementKind.SERVICE_WILDCARD, (EBS, EC2)),
        ("arn:aws:ec2:*:*:vol*", ElementKind.SERVICE_WILDCARD, (EBS,)),
        ("arn:aws:ec2:*:*:snapshot/*", ElementKind.SERVICE_WILDCARD, ()),
        ("arn:aws:dynamodb:*:*:*", ElementKind.SERVICE_WILDCARD, (DYNAMODB,)),
        ("arn:aws:fsx:*", ElementKind.SERVICE_WILDCARD, (FSX_FILE_SYSTEM, FSX_VOLUME)),
        ("arn:aws:elasticfilesystem:*", ElementKind.SERVICE_WILDCARD, (EFS,)),
        ("arn:aws:redshift*", ElementKind.SERVICE_WILDCARD, (REDSHIFT, REDSHIFT_SERVERLESS)),
        ("arn:aws:sqs:*", ElementKind.SERVICE_WILDCARD, ()),
        ("*", ElementKind.EVERYTHING, ()),
        ("**", ElementKind.EVERYTHING, ()),
        ("arn:*", ElementKind.EVERYTHING, ()),
        ("arn:aws:*", ElementKind.EVERYTHING, ()),
        ("arn:aws:*:*:*:*", ElementKind.EVERYTHING, ()),
        ("*prod*", ElementKind.EVERYTHING, ()),
    ],
)
def test_the_kind_of_an_entry_and_the_types_it_names(
    entry: str, kind: ElementKind, types: tuple[ResourceType, ...]
) -> None:
    element = resource_element(entry)
    assert element == Element(kind, entry)
    assert set(types_named(element)) == set(types)


def test_a_tag_names_no_type() -> None:
    (element,) = elements(selection({"ListOfTags": [list_tag("backup", "true")]}))
    assert types_named(element) == ()


ARN = Element(ElementKind.ARN, "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1")
BY_TYPE = Element(ElementKind.TYPE_WILDCARD, "arn:aws:ec2:*:*:volume/*")
BY_SERVICE = Element(ElementKind.SERVICE_WILDCARD, "arn:aws:ec2:*")
BY_STAR = Element(ElementKind.EVERYTHING, "*")
BY_TAG = Element(ElementKind.TAG, '"backup"="true"')


@pytest.mark.parametrize(
    ("picked_by", "expected"),
    [
        pytest.param([BY_TAG], True, id="a tag"),
        pytest.param([BY_STAR], True, id="everything"),
        pytest.param([BY_SERVICE], True, id="a service"),
        pytest.param([BY_TAG, BY_STAR, BY_SERVICE], True, id="all of these"),
        pytest.param([ARN], False, id="an ARN"),
        pytest.param([BY_TYPE], False, id="a type"),
        pytest.param([BY_TAG, BY_TYPE], False, id="a type beside a tag"),
        pytest.param([BY_STAR, ARN], False, id="an ARN beside everything"),
    ],
)
def test_opt_in_applies(picked_by: list[Element], *, expected: bool) -> None:
    for resource_type in (EBS, RDS_CLUSTER, RDS_INSTANCE):
        assert opt_in_applies(resource_type, picked_by) is expected
    for resource_type in (AURORA, DOCUMENTDB, NEPTUNE, FSX_FILE_SYSTEM):
        assert opt_in_applies(resource_type, picked_by)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"Resources": ["*"], "ListOfTags": [list_tag("a", "1")]}, True),
        ({"Resources": ["arn:aws:ec2:*", "*"], "ListOfTags": [list_tag("a", "1")]}, True),
        ({"Resources": ["*"]}, False),
        ({"ListOfTags": [list_tag("a", "1")]}, False),
        ({"Resources": ["arn:aws:ec2:*"], "ListOfTags": [list_tag("a", "1")]}, False),
        ({"Resources": ["*prod*"], "ListOfTags": [list_tag("a", "1")]}, False),
    ],
)
def test_tags_beside_everything_narrow_nothing(document: dict[str, Any], *, expected: bool) -> None:
    assert tags_narrow_nothing(selection(document)) is expected


def test_conditions_in_the_words_of_aws() -> None:
    every_kind = selection({"Conditions": {operator.value: [condition("stage", "pr*")] for operator in Operator}})
    assert [str(each) for each in conditions(every_kind)] == [
        f'{operator} "stage"="pr*"' for operator in ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")
    ]
    truth = [each.holds({"stage": value}) for value, each in product(["prod", "test"], conditions(every_kind))]
    assert truth == [False, True, True, False, False, True, False, True]

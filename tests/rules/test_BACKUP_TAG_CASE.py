"""BACKUP_TAG_CASE through the front door, and what it shares with BACKUP_TAG_WHITESPACE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from aws_simulator.core.faults import Kind, denied, failing, malformed, recorded_calls
from aws_simulator.core.operations import page_size
from aws_simulator.core.tagging import tag_resource
from backup_rules.errors import IncompleteEvaluationError, ReadError
from tests.front_door import ACCOUNT, REGION, Door, front_door

RULE = "BACKUP_TAG_CASE"
SELECTION = "AWS::Backup::BackupSelection"
INSTANCE = ("AWS::EC2::Instance", "i-0abc")
TABLE = ("AWS::DynamoDB::Table", "orders")


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        yield it


def tagged(resource: str, tags: Mapping[str, str]) -> None:
    """A resource (`ec2:instance/i-0abc`) that carries these tags."""
    service, _, path = resource.partition(":")
    tag_resource(ACCOUNT, REGION, f"arn:aws:{service}:{REGION}:{ACCOUNT}:{path}", tags)


def instance(tags: Mapping[str, str], name: str = "i-0abc") -> None:
    tagged(f"ec2:instance/{name}", tags)


def list_of_tags(**tags: str) -> dict[str, Any]:
    return {
        "ListOfTags": [
            {"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value}
            for key, value in tags.items()
        ]
    }


def condition(kind: str, key: str, value: str) -> dict[str, Any]:
    written = {"ConditionKey": f"aws:ResourceTag/{key}", "ConditionValue": value}
    return {"Resources": ["*"], "Conditions": {kind: [written]}}


def verdicts(door: Door, parameters: dict[str, str] | None = None) -> dict[tuple[str, str], tuple[str, str]]:
    return {key: (each.compliance, each.annotation) for key, each in door.evaluate(RULE, parameters).items()}


@pytest.mark.parametrize(
    ("tags", "correction"),
    [
        pytest.param({"Backup": "true"}, "rename the tag key", id="key"),
        pytest.param({"backup": "TRUE"}, "correct the tag value", id="value"),
        pytest.param({"BACKUP": "True"}, "retag it", id="both"),
        pytest.param({"Backup": "true "}, "retag it", id="white space as well"),
    ],
)
def test_a_resource_and_the_selection_that_misses_it(door: Door, tags: dict[str, str], correction: str) -> None:
    selection = door.selection(door.plan("prod"), "nightly")
    instance(tags)
    ((key, value),) = tags.items()
    assert verdicts(door) == {
        (SELECTION, selection): (
            "NON_COMPLIANT",
            (
                'Selection nightly of plan prod asks for "backup"="true"; 1 resource carries it in other letter case,'
                f' such as EC2 instance i-0abc with "{key}"="{value}". Tags are case-sensitive: {correction}.'
            ),
        ),
        INSTANCE: (
            "NON_COMPLIANT",
            (
                f'i-0abc carries "{key}"="{value}"; selection nightly of plan prod asks for "backup"="true".'
                f" Tags are case-sensitive: {correction}."
            ),
        ),
    }


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param({"backup": "true"}, id="the tag itself"),
        pytest.param({"backup": "true", "Backup": "true"}, id="the tag itself and a near miss"),
        pytest.param({"backup": "true "}, id="white space only"),
        pytest.param({"backup": "yes"}, id="another value"),
        pytest.param({"backups": "true"}, id="another key"),
    ],
)
def test_no_near_miss(door: Door, tags: dict[str, str]) -> None:
    selection = door.selection(door.plan())
    instance(tags)
    assert verdicts(door) == {(SELECTION, selection): ("COMPLIANT", "")}


@pytest.mark.parametrize(
    ("body", "tags", "near"),
    [
        pytest.param(condition("StringEquals", "env", "prod"), {"env": "Prod"}, True, id="StringEquals"),
        pytest.param(condition("StringLike", "env", "prod-*"), {"Env": "prod-eu"}, True, id="StringLike, key"),
        pytest.param(condition("StringLike", "env", "prod-*"), {"env": "PROD-eu"}, True, id="StringLike, value"),
        pytest.param(condition("StringLike", "env", "prod-*"), {"env": "test-eu"}, False, id="StringLike, another"),
        pytest.param(condition("StringNotEquals", "env", "prod"), {"env": "Prod"}, False, id="StringNotEquals"),
        pytest.param(condition("StringNotLike", "env", "prod*"), {"env": "Prod"}, False, id="StringNotLike"),
        pytest.param(list_of_tags(STRASSE="x"), {"straße": "x"}, True, id="sharp s"),
        pytest.param(list_of_tags(daily="x"), {"da\u0131ly": "x"}, True, id="Turkish dotless i"),
    ],
)
def test_what_a_selection_asks_for(door: Door, body: dict[str, Any], tags: dict[str, str], near: bool) -> None:
    door.selection(door.plan(), **body)
    instance(tags)
    found = verdicts(door)
    assert (INSTANCE in found) is near
    assert {compliance for compliance, _ in found.values()} == {"NON_COMPLIANT" if near else "COMPLIANT"}


def test_a_resource_that_another_selection_picks_is_not_reported(door: Door) -> None:
    selection = door.selection(door.plan("first"))
    other = door.selection(door.plan("second"), **list_of_tags(team="web"))
    instance({"Backup": "true", "team": "web"})
    assert verdicts(door) == {(SELECTION, selection): ("COMPLIANT", ""), (SELECTION, other): ("COMPLIANT", "")}


def test_what_an_excluded_plan_picks_counts_as_picked_and_what_it_misses_is_not_reported(door: Door) -> None:
    selection = door.selection(door.plan("prod"))
    door.selection(door.plan("sandbox-1"), **list_of_tags(team="web"))
    instance({"Backup": "true", "team": "web"}, "i-picked")
    instance({"Team": "web"}, "i-missed")
    assert verdicts(door, {"ExcludedPlans": "sandbox-*"}) == {(SELECTION, selection): ("COMPLIANT", "")}


def test_a_type_that_aws_config_does_not_know_is_told_on_the_selection(door: Door) -> None:
    selection = door.selection(door.plan())
    tagged("fsx:file-system/fs-0abc", {"Backup": "true"})
    assert verdicts(door) == {
        (SELECTION, selection): (
            "NON_COMPLIANT",
            (
                'Selection everything of plan nightly asks for "backup"="true"; 1 resource carries it in other letter'
                ' case, such as FSx file system fs-0abc with "Backup"="true". Tags are case-sensitive: rename the tag'
                " key."
            ),
        )
    }


def test_types_that_aws_backup_does_not_protect_are_not_reported(door: Door) -> None:
    selection = door.selection(door.plan())
    tagged("lambda:function:report", {"Backup": "true"})
    tagged("ec2:subnet/subnet-0abc", {"Backup": "true"})
    assert verdicts(door) == {(SELECTION, selection): ("COMPLIANT", "")}


def test_databases_go_by_the_id_of_aws_config_and_cluster_members_are_never_picked(door: Door) -> None:
    door.selection(door.plan())
    rds, tags = door.client("rds"), [{"Key": "Backup", "Value": "true"}]
    common = {"MasterUsername": "root", "MasterUserPassword": "correct-horse", "Tags": tags}
    alone = rds.create_db_instance(
        DBInstanceIdentifier="orders", DBInstanceClass="db.t3.micro", Engine="mysql", AllocatedStorage=20, **common
    )
    cluster = rds.create_db_cluster(DBClusterIdentifier="sales", Engine="aurora-mysql", **common)
    rds.create_db_instance(
        DBInstanceIdentifier="sales-1",
        DBInstanceClass="db.r5.large",
        Engine="aurora-mysql",
        DBClusterIdentifier="sales",
        Tags=tags,
    )
    assert {key for key in verdicts(door) if key[0] != SELECTION} == {
        ("AWS::RDS::DBInstance", alone["DBInstance"]["DbiResourceId"]),
        ("AWS::RDS::DBCluster", cluster["DBCluster"]["DbClusterResourceId"]),
    }


def test_the_number_of_missed_resources_and_of_selections(door: Door) -> None:
    plan = door.plan("prod")
    selections = [door.selection(plan, name) for name in ("nightly", "weekly")]
    for number in range(3):
        instance({"Backup": "true"}, f"i-{number}")
    found = verdicts(door)
    assert [found[SELECTION, each][1] for each in selections] == [
        f'Selection {name} of plan prod asks for "backup"="true"; 3 resources carry it in other letter case, such as'
        ' EC2 instance i-0 with "Backup"="true". Tags are case-sensitive: rename the tag key.'
        for name in ("nightly", "weekly")
    ]
    assert " of plan prod (and 1 more) asks for " in found["AWS::EC2::Instance", "i-1"][1]


@pytest.mark.parametrize(
    ("body", "left_out"),
    [
        pytest.param(
            {**list_of_tags(backup="true"), "NotResources": ["arn:aws:ec2:*:*:instance/*"]}, True, id="NotResources"
        ),
        pytest.param(
            {
                "Resources": ["*"],
                "Conditions": {
                    "StringEquals": [
                        {"ConditionKey": "aws:ResourceTag/backup", "ConditionValue": "true"},
                        {"ConditionKey": "aws:ResourceTag/env", "ConditionValue": "prod"},
                    ]
                },
            },
            False,
            id="two near misses",
        ),
        pytest.param(
            {
                **condition("StringEquals", "backup", "true"),
                "Resources": ["arn:aws:ec2:*:*:volume/*"],
            },
            True,
            id="only volumes",
        ),
    ],
)
def test_when_the_right_tag_would_not_be_enough(door: Door, body: dict[str, Any], left_out: bool) -> None:
    door.selection(door.plan(), **body)
    instance({"Backup": "true", "env": "prod "})
    compliance, annotation = verdicts(door)[INSTANCE]
    assert compliance == "NON_COMPLIANT"
    assert annotation.endswith("The selection's other elements leave it out, too.") is left_out


@pytest.mark.parametrize("named", [0, 1], ids=["selection", "resource"])
def test_long_names_leave_both_tags_to_be_seen(door: Door, named: int) -> None:
    selection = door.selection(door.plan("p" * 50), "s" * 50, **list_of_tags(BackupPlan="production-nightly"))
    table = f"orders-{'t' * 60}"
    tagged(f"dynamodb:table/{table}", {"BackupPlan": "Production-Nightly"})
    subject = ((SELECTION, selection), ("AWS::DynamoDB::Table", table))[named]
    annotation = verdicts(door)[subject][1]
    assert '"BackupPlan"="production-nightly"' in annotation
    assert '"BackupPlan"="Production-Nightly"' in annotation
    assert annotation.endswith(". Tags are case-sensitive: correct the tag value.")


def test_long_tags_keep_both_ends(door: Door) -> None:
    door.selection(door.plan(), **list_of_tags(**{"k" * 120 + "end": "v" * 200}))
    instance({"K" * 120 + "end": "v" * 200})
    annotation = verdicts(door)[INSTANCE][1]
    assert len(annotation) <= 256
    assert annotation.endswith("Tags are case-sensitive: rename the tag key.")
    assert annotation.startswith('i-0abc carries "KKKK')


def test_a_corrected_resource_is_a_subject_no_longer(door: Door) -> None:
    selection = door.selection(door.plan())
    table = door.client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=[{"Key": "backup", "Value": "True"}],
    )["TableDescription"]["TableArn"]
    assert TABLE in verdicts(door)
    door.client("dynamodb").tag_resource(ResourceArn=table, Tags=[{"Key": "backup", "Value": "true"}])
    assert verdicts(door) == {(SELECTION, selection): ("COMPLIANT", "")}


# --- Calls ----------------------------------------------------------------------------------------------------------


def calls_of(door: Door) -> Counter[str]:
    with recorded_calls() as calls:
        door.evaluate(RULE)
    return Counter(call.action for call in calls if call.service in {"resourcegroupstaggingapi", "backup", "rds"})


def seed(resources: int) -> None:
    """So many tables, with 50 tag keys among them, and an instance that carries a near miss."""
    for number in range(resources):
        tagged(f"dynamodb:table/t-{number}", {"backup": "true", f"key-{number % 48}": str(number % 5)})
    instance({"Backup": "true"})


def test_calls_grow_with_tag_keys_and_not_with_resources(door: Door) -> None:
    seed(200)
    door.selection(door.plan())
    few = calls_of(door)
    seed(20_000)
    assert calls_of(door) == few
    assert {action: number for action, number in few.items() if action.startswith("tag:")} == {
        "tag:GetTagKeys": 1,
        "tag:GetTagValues": 2,
        "tag:GetResources": 1,
    }


def test_selections_without_tags_ask_for_no_tags(door: Door) -> None:
    door.selection(door.plan(), Resources=["arn:aws:ec2:*:*:volume/*"])
    assert not [action for action in calls_of(door) if action.startswith("tag:")]


def test_all_pages_are_read(door: Door) -> None:
    for number in range(3):
        door.selection(door.plan(f"plan-{number}"), **list_of_tags(**{f"backup-{number}": "true"}))
        instance({f"Backup-{number}": "true", f"backup-{number}": "false"}, f"i-{number}")
        instance({f"backup-{number}": "TRUE"}, f"i-1{number}")
    with page_size(1):
        found = verdicts(door)
    assert len(found) == 9
    assert {compliance for compliance, _ in found.values()} == {"NON_COMPLIANT"}


# --- Failing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [denied, malformed], ids=["denied", "malformed"])
@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("backup", "ListBackupPlans"),
        ("backup", "ListBackupSelections"),
        ("backup", "GetBackupSelection"),
        ("resourcegroupstaggingapi", "GetTagKeys"),
        ("resourcegroupstaggingapi", "GetTagValues"),
        ("resourcegroupstaggingapi", "GetResources"),
        ("rds", "DescribeDBInstances"),
        ("rds", "DescribeDBClusters"),
    ],
)
def test_what_cannot_be_read_fails_and_the_last_verdicts_stand(
    door: Door, fault: Kind, service: str, operation: str
) -> None:
    door.selection(door.plan())
    before = door.evaluate(RULE)
    tagged("rds:db:orders", {"Backup": "true"})
    instance({"Backup": "true"})
    with failing(fault, service, operation), pytest.raises((ReadError, IncompleteEvaluationError), match=operation):
        door.evaluate(RULE)
    assert Counter(each.compliance for each in before.values()) == {"COMPLIANT": 1}
    assert door.stored(RULE) == before


def test_a_selection_that_cannot_be_read_might_pick_what_another_misses(door: Door) -> None:
    plan = door.plan()
    door.selection(plan)
    unreadable = door.selection(plan, "other", **list_of_tags(team="web")).partition("_")[0]
    instance({"Backup": "true", "team": "web"})
    fault = failing(
        denied, "backup", "GetBackupSelection", when=lambda parameters: parameters["SelectionId"] == unreadable
    )
    with fault, pytest.raises(IncompleteEvaluationError, match=unreadable):
        door.evaluate(RULE)
    assert door.stored(RULE) == {}

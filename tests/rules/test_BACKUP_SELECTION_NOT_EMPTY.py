"""Plans without a selection, and selections that nothing in the account and Region can match."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aws_simulator.core.backup import add_plan
from aws_simulator.core.faults import denied, error, failing
from aws_simulator.core.messages.configuration_items import Recording, plan_item, selection_item
from aws_simulator.core.operations import page_size
from aws_simulator.core.tagging import tag_resource
from backup_rules.errors import IncompleteEvaluationError, ReadError
from tests.front_door import ACCOUNT, CENTRAL, Door, front_door

RULE = "BACKUP_SELECTION_NOT_EMPTY"
PLAN = "AWS::Backup::BackupPlan"
SELECTION = "AWS::Backup::BackupSelection"
VOLUME = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/vol-0abc"
DATABASE = f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:orders"
EMPTY = "Selection everything of plan nightly picks nothing:"
MADE = {"BackupPlanName": "made", "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "Default"}]}


@pytest.fixture(autouse=True)
def sleepless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without waiting."""
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        yield it


def tag(key: str, value: str) -> dict[str, str]:
    return {"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value}


def only_where(**operators: tuple[str, str]) -> dict[str, Any]:
    """Conditions, one for each operator."""
    return {
        operator: [{"ConditionKey": f"aws:ResourceTag/{key}", "ConditionValue": value}]
        for operator, (key, value) in operators.items()
    }


def tagged(arn: str, **tags: str) -> None:
    tag_resource(ACCOUNT, "eu-west-1", arn, tags or {"backup": "true"})


def database(door: Door, identifier: str = "orders", **more: Any) -> str:
    settings = {
        "Engine": "postgres",
        "MasterUsername": "admin1",
        "MasterUserPassword": "a-long-password",
        "AllocatedStorage": 20,
        "Tags": [],
        **more,
    }
    made = door.client("rds").create_db_instance(
        DBInstanceIdentifier=identifier, DBInstanceClass="db.t3.micro", **settings
    )
    return str(made["DBInstance"]["DBInstanceArn"])


def aurora_member(door: Door, tags: list[dict[str, str]]) -> str:
    door.client("rds").create_db_cluster(
        DBClusterIdentifier="shop",
        Engine="aurora-postgresql",
        MasterUsername="admin1",
        MasterUserPassword="a-long-password",
    )
    made = door.client("rds").create_db_instance(
        DBInstanceIdentifier="shop-1",
        DBInstanceClass="db.r6g.large",
        Engine="aurora-postgresql",
        DBClusterIdentifier="shop",
        Tags=tags,
    )
    return str(made["DBInstance"]["DBInstanceArn"])


def judged(door: Door, **body: Any) -> tuple[str, str]:
    selection = door.selection(door.plan(), **body)
    found = door.evaluate(RULE)[SELECTION, selection]
    return found.compliance, found.annotation


def test_a_plan_without_a_selection(door: Door) -> None:
    empty, full = door.plan("empty"), door.plan("full")
    selection = door.selection(full, Resources=["*"])
    found = door.evaluate(RULE)
    assert {key: each.compliance for key, each in found.items()} == {
        (PLAN, empty): "NON_COMPLIANT",
        (PLAN, full): "COMPLIANT",
        (SELECTION, selection): "COMPLIANT",
    }
    assert found[PLAN, empty].annotation == (
        "Plan empty has no selection, so it backs up nothing. Assign resources to it under AWS Backup > Backup plans >"
        " Assign resources, or delete the plan."
    )
    assert found[PLAN, full].annotation == ""


NOTHING_CAN_MATCH = [
    pytest.param(
        {},
        f'{EMPTY} no resource that AWS Backup protects carries tag "backup"="true" here. Tag the resources in'
        " eu-west-1, or delete the selection and create it again with the right tag.",
        id="a tag that nothing carries",
    ),
    pytest.param(
        {"ListOfTags": [tag("backup", "true"), tag("backup", "yes")]},
        f'{EMPTY} no resource that AWS Backup protects carries tag "backup"="true" here. Tag the resources in'
        " eu-west-1, or delete the selection and create it again with the right tag. (+1 more)",
        id="two such tags",
    ),
    pytest.param(
        {"Resources": [VOLUME.replace(ACCOUNT, CENTRAL)]},
        f'{EMPTY} "{VOLUME.replace(ACCOUNT, CENTRAL)}" is of account {CENTRAL}, and a plan backs up only its own,'
        f" {ACCOUNT}. Name ARNs of this account and Region in the selection.",
        id="an ARN of another account",
    ),
    pytest.param(
        {"Resources": [VOLUME.replace("eu-west-1", "us-east-1")]},
        f'{EMPTY} "{VOLUME.replace("eu-west-1", "us-east-1")}" is of Region us-east-1, and a plan backs up only its'
        " own, eu-west-1. Delete the selection and create it again with ARNs of this account and Region.",
        id="an ARN of another Region",
    ),
    pytest.param(
        {"Resources": ["orders"]},
        f'{EMPTY} "orders" is a name, not an ARN. Delete the selection and create it again with ARNs of this account'
        " and Region.",
        id="a name",
    ),
    pytest.param(
        {"Resources": [DATABASE]},
        f"{EMPTY} {DATABASE} names nothing that exists here. Delete the selection and create it again with the right"
        " ARN, if it is still needed.",
        id="a database that does not exist",
    ),
    pytest.param(
        {"Resources": ["arn:aws:rds:*:*:cluster:*"]},
        f"{EMPTY} arn:aws:rds:*:*:cluster:* names nothing that exists here. Delete the selection and create it again"
        " with the right ARN, if it is still needed.",
        id="no cluster at all",
    ),
    pytest.param(
        {"Resources": [f"arn:aws:fsx:eu-west-1:{ACCOUNT}:file-system/fs-0123456789abcdef0"]},
        f"{EMPTY} arn:aws:fsx:eu-west-1:{ACCOUNT}:file-system/fs-0123456789abcdef0 names nothing that exists here."
        " Delete the selection and create it again with the right ARN, if it is still needed.",
        id="a file system that does not exist",
    ),
    pytest.param(
        {"ListOfTags": [tag("team", "web")], "Conditions": only_where(StringNotEquals=("team", "web"))},
        f'{EMPTY} tag "team"="web" and StringNotEquals "team"="web" exclude each other. Delete the selection and create'
        " it again without one of the two.",
        id="a tag and a condition that exclude each other",
    ),
    pytest.param(
        {"Resources": ["*"], "Conditions": only_where(StringEquals=("team", "web"), StringLike=("team", "db*"))},
        f'{EMPTY} StringEquals "team"="web" and StringLike "team"="db*" exclude each other. Delete the selection and'
        " create it again without one of the two.",
        id="two conditions that exclude each other",
    ),
    pytest.param(
        {"Resources": [VOLUME], "NotResources": ["arn:aws:ec2:*"]},
        f'{EMPTY} NotResources "arn:aws:ec2:*" leaves out all of "{VOLUME}". Delete the selection and create it again'
        " without one of the two.",
        id="left out by NotResources",
    ),
    pytest.param(
        {"Resources": ["*"], "Conditions": only_where(StringEquals=("backup", "yes"))},
        f'{EMPTY} StringEquals "backup"="yes" leaves out what "*" names, such as vol-0other. Tag the resources, or'
        " delete the selection and create it again with another condition.",
        id="everything with a condition that nothing meets",
    ),
    pytest.param(
        {"Resources": ["arn:aws:dynamodb:*"], "Conditions": only_where(StringEquals=("backup", "yes"))},
        f'{EMPTY} no resource that arn:aws:dynamodb:* names meets StringEquals "backup"="yes". Tag the resources,'
        " or delete the selection and create it again with another condition.",
        id="a service with a condition, and nothing listed",
    ),
    pytest.param(
        {"ListOfTags": [tag("aws:ResourceTag/team", "web")]},
        f'{EMPTY} tag key "aws:ResourceTag/team" must be written "team" in ListOfTags. Delete the selection and'
        " create it again with the key so written.",
        id="a tag with the prefix of a condition",
    ),
    pytest.param(
        {
            "Resources": ["*"],
            "Conditions": {"StringEquals": [{"ConditionKey": "backup", "ConditionValue": "maybe"}]},
        },
        f'{EMPTY} StringEquals key "backup" must be written "aws:ResourceTag/backup". Delete the selection and'
        " create it again with the key so written.",
        id="a condition without its prefix",
    ),
    pytest.param(
        {
            "ListOfTags": [tag("team", "db")],
            "Conditions": {"StringNotEquals": [{"ConditionKey": "stage", "ConditionValue": "test"}]},
        },
        f'{EMPTY} no resource that AWS Backup protects carries tag "team"="db" here. Tag the resources in'
        " eu-west-1, or delete the selection and create it again with the right tag.",
        id="the tag is the reason, and not a misspelt condition that leaves nothing out",
    ),
    pytest.param(
        {"ListOfTags": [tag("team", "web")], "Conditions": only_where(StringEquals=("stage", "prod"))},
        f'{EMPTY} StringEquals "stage"="prod" leaves out what tag "team"="web" names, such as vol-0other. Tag the'
        " resources, or delete the selection and create it again with another condition.",
        id="a tag that is carried, and a condition that leaves out what carries it",
    ),
    pytest.param(
        {"ListOfTags": [tag("team", "web")], "NotResources": [VOLUME.replace("0abc", "0other")]},
        f'{EMPTY} NotResources leaves out what tag "team"="web" names, such as vol-0other. Delete the selection and'
        " create it again with other NotResources.",
        id="a tag that is carried by what NotResources leaves out",
    ),
    pytest.param(
        {
            "Resources": [VOLUME.replace("0abc", "0other")],
            "Conditions": only_where(StringNotEquals=("team", "web")),
        },
        f'{EMPTY} StringNotEquals "team"="web" leaves out what {VOLUME.replace("0abc", "0other")} names, such as'
        " vol-0other. Tag the resources, or correct the condition in the selection.",
        id="an ARN whose tags leave it out",
    ),
]


OF_A_POLICY = [
    pytest.param(
        {"ListOfTags": [tag("backup", "true")]},
        "Tag the resources in eu-west-1, or correct the tag in the backup policy.",
        id="a tag that nothing carries",
    ),
    pytest.param(
        {"Resources": ["orders"]},
        "Name ARNs of this account and Region in the backup policy.",
        id="a name",
    ),
    pytest.param({"Resources": [DATABASE]}, "Correct or remove the ARN in the backup policy.", id="a database"),
    pytest.param(
        {"ListOfTags": [tag("team", "web")], "Conditions": only_where(StringNotEquals=("team", "web"))},
        "Change one of the two in the backup policy.",
        id="parts that exclude each other",
    ),
    pytest.param(
        {"ListOfTags": [tag("team", "web")], "Conditions": only_where(StringEquals=("stage", "prod"))},
        "Tag the resources, or correct the condition in the backup policy.",
        id="a condition that leaves out what carries the tag",
    ),
    pytest.param(
        {"ListOfTags": [tag("aws:ResourceTag/team", "web")]},
        "Write the key so in the backup policy.",
        id="a key that is written wrongly",
    ),
]


@pytest.mark.parametrize(("body", "remedy"), OF_A_POLICY)
def test_a_selection_of_a_backup_policy_is_changed_in_the_policy(door: Door, body: dict[str, Any], remedy: str) -> None:
    tagged(VOLUME.replace("0abc", "0other"), team="web")
    selection = {"SelectionName": "all", "IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/BackupRole", **body}
    (selection_id,) = add_plan(ACCOUNT, "eu-west-1", MADE, plan_id="orgs/5a8b", selections=[selection])
    found = door.evaluate(RULE)[SELECTION, f"{selection_id}_orgs/5a8b"]
    assert found.compliance == "NON_COMPLIANT"
    assert found.annotation.endswith(f". {remedy}")


def test_a_plan_of_a_backup_policy_gets_its_selections_there(door: Door) -> None:
    add_plan(ACCOUNT, "eu-west-1", MADE, plan_id="orgs/5a8b")
    assert door.evaluate(RULE)[PLAN, "orgs/5a8b"].annotation == (
        "Plan made has no selection, so it backs up nothing. Give it selections in the backup policy."
    )


def test_long_names_leave_the_tag_to_be_seen(door: Door) -> None:
    body = {"ListOfTags": [tag("cost-centre-of-the-team", "inventory-and-logistics")]}
    selection = door.selection(door.plan("p" * 50), "s" * 50, **body)
    annotation = door.evaluate(RULE)[SELECTION, selection].annotation
    assert ' carries tag "cost-centre-of-the-team"="inventory-and-logistics" here. Tag the resources in' in annotation
    assert annotation.endswith(", or correct the tag in the selection.")


def body_of(value: object) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value


@pytest.fixture(scope="module")
def empty_selections() -> dict[str, tuple[str, str]]:
    """The verdict about each of the table, by its id: judged together, as those of one account are."""
    with front_door() as door:
        tagged(VOLUME.replace("0abc", "0other"), team="web")
        plan = door.plan()
        made = {str(case.id): door.selection(plan, **body_of(case.values[0])) for case in NOTHING_CAN_MATCH}
        found = door.evaluate(RULE)
        return {
            case: (found[SELECTION, key].compliance, found[SELECTION, key].annotation) for case, key in made.items()
        }


@pytest.mark.parametrize("annotation", [pytest.param(case.values[1], id=str(case.id)) for case in NOTHING_CAN_MATCH])
def test_a_selection_that_nothing_can_match(
    request: pytest.FixtureRequest,
    empty_selections: dict[str, tuple[str, str]],
    annotation: str,
) -> None:
    assert empty_selections[request.node.callspec.id] == ("NON_COMPLIANT", annotation)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="a tag that a resource carries"),
        pytest.param({"ListOfTags": [tag("backup", "no"), tag("backup", "true")]}, id="one of two tags"),
        pytest.param({"Resources": ["*"]}, id="everything"),
        pytest.param({"Resources": ["arn:aws:dynamodb:*"]}, id="a service: tables without tags are not listed"),
        pytest.param({"Resources": [VOLUME.replace("0abc", "0untagged")]}, id="an ARN that cannot be looked up"),
        pytest.param({"Resources": ["*"], "Conditions": only_where(StringNotEquals=("backup", "true"))}, id="negative"),
        pytest.param({"Resources": ["*"], "Conditions": only_where(StringLike=("backup", "t*"))}, id="like"),
        pytest.param({"Resources": ["*"], "NotResources": [VOLUME]}, id="all but one"),
    ],
)
def test_a_selection_that_something_can_match(door: Door, body: dict[str, Any]) -> None:
    tagged(VOLUME)
    assert judged(door, **body) == ("COMPLIANT", "")


def test_a_database_without_tags_is_seen(door: Door) -> None:
    assert judged(door, Resources=[database(door)]) == ("COMPLIANT", "")


def test_a_file_system_without_tags_is_seen(door: Door) -> None:
    made = door.client("fsx").create_file_system(
        FileSystemType="WINDOWS",
        StorageCapacity=32,
        SubnetIds=["subnet-0123456789abcdef0"],
        WindowsConfiguration={"ThroughputCapacity": 8},
    )
    plan = door.plan()
    for number, entry in enumerate(["arn:aws:fsx:*", made["FileSystem"]["ResourceARN"]]):
        door.selection(plan, f"selection-{number}", Resources=[entry])
    assert {each.compliance for each in door.evaluate(RULE).values()} == {"COMPLIANT"}


@pytest.mark.parametrize("by_tag", [True, False], ids=["by tag", "by ARN"])
def test_a_member_of_a_cluster_is_never_picked_itself(door: Door, by_tag: bool) -> None:
    arn = aurora_member(door, [{"Key": "backup", "Value": "true"}])
    body = {} if by_tag else {"Resources": [arn]}
    named = 'tag "backup"="true"' if by_tag else arn
    assert judged(door, **body) == (
        "NON_COMPLIANT",
        f"{EMPTY} {named} names shop-1, a member of a DB cluster, and a cluster is backed up whole. Tag the cluster,"
        " or delete the selection and create it again with the cluster.",
    )


def test_everything_plus_tags_is_warned_of(door: Door) -> None:
    assert judged(door, Resources=["*"], ListOfTags=[tag("backup", "true")]) == (
        "COMPLIANT",
        'The tags narrow nothing: with "*" among its resources, this selection picks every resource. To narrow it,'
        ' remove the "*", or turn the tags into conditions.',
    )


def test_one_entry_of_several_that_picks_nothing_is_mentioned(door: Door) -> None:
    tagged(VOLUME)
    assert judged(door, Resources=[VOLUME, "orders"]) == (
        "COMPLIANT",
        'One entry picks nothing: "orders" is a name, not an ARN.',
    )


@pytest.mark.parametrize("arn", [VOLUME, f"arn:aws-cn:ec2:cn-north-1:{ACCOUNT}:volume/vol-0abc"])
def test_partitions_are_told_apart(door: Door, arn: str) -> None:
    china = door.at(region="cn-north-1")
    expected = "COMPLIANT" if arn.startswith("arn:aws-cn:") else "NON_COMPLIANT"
    assert judged(china, Resources=[arn])[0] == expected


@pytest.mark.parametrize("plan_id", ["orgs/5a8b", "aws/efs/73d9"])
def test_plans_that_aws_made_are_judged_as_any_other(door: Door, plan_id: str) -> None:
    plan = {"BackupPlanName": "made", "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "Default"}]}
    selection = {"SelectionName": "tagged", "IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/BackupRole"}
    (selection_id,) = add_plan(
        ACCOUNT, "eu-west-1", plan, plan_id=plan_id, selections=[selection | {"ListOfTags": [tag("backup", "true")]}]
    )
    assert {key: each.compliance for key, each in door.evaluate(RULE).items()} == {
        (PLAN, plan_id): "COMPLIANT",
        (SELECTION, f"{selection_id}_{plan_id}"): "NON_COMPLIANT",
    }


def test_all_pages_are_read(door: Door) -> None:
    for number in range(3):
        tagged(f"{VOLUME}{number}", number=str(number))
    plan = door.plan()
    expected = {
        (SELECTION, door.selection(plan, f"selection-{number}", ListOfTags=[tag("number", str(number))])): "COMPLIANT"
        for number in range(3)
    }
    database(door)
    database(door, "stock")
    stock = door.selection(plan, "stock", Resources=[DATABASE.replace("orders", "stock")])
    with page_size(1):
        found = door.evaluate(RULE)
    assert {key: each.compliance for key, each in found.items()} == {
        (PLAN, plan): "COMPLIANT",
        **expected,
        (SELECTION, stock): "COMPLIANT",
    }


def test_excluded_plans_are_not_reported(door: Door) -> None:
    door.plan("scratch-1")
    door.selection(door.plan("scratch-2"))
    kept = door.plan("nightly")
    assert set(door.evaluate(RULE, {"ExcludedPlans": "scratch-*"})) == {(PLAN, kept)}


def test_a_changed_plan_is_judged_alone(door: Door) -> None:
    plan = door.plan()
    door.selection(plan)
    door.plan("other")
    answer = door.client("backup").get_backup_plan(BackupPlanId=plan)
    found = door.evaluate(RULE, item=plan_item(answer, Recording(door.account, door.region, door.now)))
    assert {key: each.compliance for key, each in found.items()} == {(PLAN, plan): "COMPLIANT"}


def test_a_changed_selection_is_judged_by_what_its_item_does_not_tell(door: Door) -> None:
    """Its tags: a configuration item has none."""
    plan = door.plan()
    changed = door.selection(plan, "changed")
    door.selection(plan, "other")
    answer = door.client("backup").get_backup_selection(BackupPlanId=plan, SelectionId=changed.partition("_")[0])
    found = door.evaluate(RULE, item=selection_item(answer, Recording(door.account, door.region, door.now)))
    assert {key: each.compliance for key, each in found.items()} == {(SELECTION, changed): "NON_COMPLIANT"}


def test_a_plan_that_vanished_half_way_is_not_reported_as_empty(door: Door) -> None:
    gone, kept = door.plan("gone"), door.plan("kept")

    def about_the_gone(parameters: Any) -> bool:
        return bool(parameters["BackupPlanId"] == gone)

    lists = error("InvalidParameterValueException", f"Cannot find Backup plan with ID {gone}")
    gets = error("ResourceNotFoundException", "Failed reading Backup plan with provided version")
    with (
        failing(lists, "backup", "ListBackupSelections", when=about_the_gone),
        failing(gets, "backup", "GetBackupPlan", when=about_the_gone),
    ):
        assert set(door.evaluate(RULE)) == {(PLAN, kept)}


@pytest.mark.parametrize(
    ("service", "operation", "named"),
    [
        ("backup", "ListBackupPlans", "backup:ListBackupPlans"),
        ("backup", "ListBackupSelections", "backup:ListBackupSelections"),
        ("backup", "GetBackupSelection", "backup:GetBackupSelection"),
        ("backup", "GetBackupPlan", "backup:GetBackupPlan"),
        ("resourcegroupstaggingapi", "GetResources", "tag:GetResources"),
        ("rds", "DescribeDBInstances", "rds:DescribeDBInstances"),
        ("rds", "DescribeDBClusters", "rds:DescribeDBClusters"),
        ("fsx", "DescribeFileSystems", "fsx:DescribeFileSystems"),
        ("fsx", "DescribeVolumes", "fsx:DescribeVolumes"),
    ],
)
def test_what_cannot_be_read_gets_no_verdict(door: Door, service: str, operation: str, named: str) -> None:
    door.plan("empty")
    plan = door.plan()
    door.selection(plan, "tagged")
    door.selection(plan, "databases", Resources=["arn:aws:rds:*"])
    door.selection(plan, "files", Resources=["arn:aws:fsx:*"])
    door.evaluate(RULE)
    before = door.stored(RULE)
    assert {each.compliance for (kind, _), each in before.items() if kind == SELECTION} == {"NON_COMPLIANT"}
    tagged(VOLUME)
    with (
        failing(denied, service, operation) as struck,
        pytest.raises((ReadError, IncompleteEvaluationError), match=named),
    ):
        door.evaluate(RULE)
    assert struck.struck
    after = door.stored(RULE)
    assert set(after) == set(before)
    databases_and_files = [key for key, each in before.items() if "arn:aws:" in each.annotation]
    assert all(after[key].compliance == "NON_COMPLIANT" for key in databases_and_files)


def test_what_is_not_needed_is_not_read(door: Door) -> None:
    """A missing permission for FSx is no hindrance where no selection names FSx."""
    tagged(VOLUME)
    selection = door.selection(door.plan())
    with failing(denied, "fsx"), failing(denied, "rds"):
        assert door.evaluate(RULE)[SELECTION, selection].compliance == "COMPLIANT"


def test_a_selection_that_cannot_be_read_leaves_the_others_judged(door: Door) -> None:
    tagged(VOLUME)
    plan = door.plan()
    good, hidden = door.selection(plan, "good"), door.selection(plan, "hidden")
    hidden_id = hidden.partition("_")[0]
    with (
        failing(denied, "backup", "GetBackupSelection", when=lambda it: it["SelectionId"] == hidden_id),
        pytest.raises(IncompleteEvaluationError, match=hidden),
    ):
        door.evaluate(RULE)
    assert {key: each.compliance for key, each in door.stored(RULE).items()} == {
        (PLAN, plan): "COMPLIANT",
        (SELECTION, good): "COMPLIANT",
    }

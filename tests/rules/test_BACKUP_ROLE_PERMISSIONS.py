"""BACKUP_ROLE_PERMISSIONS through the front door."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from aws_simulator.core.faults import Kind, denied, failing, malformed, recorded_calls
from aws_simulator.core.messages.configuration_items import Recording, plan_item, selection_item
from aws_simulator.core.operations import page_size
from aws_simulator.core.tagging import tag_resource
from backup_rules.errors import IncompleteEvaluationError, ReadError
from tests.front_door import ACCOUNT, CENTRAL, NOW, REGION, Door, front_door

RULE = "BACKUP_ROLE_PERMISSIONS"
SELECTION = "AWS::Backup::BackupSelection"
FOR_BACKUP = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
FOR_RESTORES = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores"
FOR_S3_BACKUP = "arn:aws:iam::aws:policy/AWSBackupServiceRolePolicyForS3Backup"
EVERY_BUCKET: dict[str, Any] = {"Resources": ["arn:aws:s3:::*"]}


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        yield it


def tagged(door: Door, resource: str, **tags: str) -> str:
    """A resource (`ec2:volume/vol-1`) with these tags, backup=true where none are given; its ARN."""
    service, _, path = resource.partition(":")
    arn = f"arn:aws:s3:::{path}" if service == "s3" else f"arn:aws:{service}:{REGION}:{door.account}:{path}"
    tag_resource(door.account, REGION, arn, tags or {"backup": "true"})
    return arn


def role(door: Door, *managed: str, name: str = "BackupRole", **inline: Any) -> str:
    """A role that AWS Backup may assume, with managed policies, and statements of its own by policy name."""
    arn = door.role(name)
    for policy in managed:
        door.client("iam").attach_role_policy(RoleName=name, PolicyArn=policy)
    for policy_name, statements in inline.items():
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        door.client("iam").put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=document)
    return arn


def allow(*actions: str, resource: Any = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def verdict(door: Door, selection: str, parameters: dict[str, str] | None = None) -> tuple[str, str]:
    found = door.evaluate(RULE, parameters)[SELECTION, selection]
    return found.compliance, found.annotation


def stored(door: Door) -> dict[str, tuple[str, str]]:
    return {key[1]: (each.compliance, each.annotation) for key, each in door.stored(RULE).items()}


def simulations(door: Door, role_arn: str | None = None) -> int:
    with recorded_calls() as calls:
        door.evaluate(RULE)
    return sum(
        call.operation == "SimulatePrincipalPolicy" and role_arn in {None, call.parameters["PolicySourceArn"]}
        for call in calls
    )


# --- Sufficient and insufficient ------------------------------------------------------------------------------------


def test_the_managed_policy_is_enough_for_what_it_serves(door: Door) -> None:
    role(door, FOR_BACKUP)
    resources = [
        "ec2:volume/vol-0abc",
        "ec2:instance/i-0abc",
        "dynamodb:table/orders",
        "elasticfilesystem:file-system/fs-0abc",
        "fsx:file-system/fs-0abc",
        "fsx:volume/fs-0abc/fsvol-0abc",
        "storagegateway:gateway/sgw-1a2b3c4d/volume/vol-0abc",
        "backup-gateway:vm/vm-0abc",
        "redshift:cluster:sales",
        "redshift-serverless:namespace/1eb3b5e7",
        "timestream:database/iot/table/readings",
        "cloudformation:stack/web/1eb3b5e7",
        "ssm-sap:HANA/erp",
        "dsql:cluster/abcdefgh",
        "eks:cluster/web",
        "rds:db:orders",
        "rds:cluster:sales",
    ]
    plan = door.plan()
    judged = {
        door.selection(plan, f"type-{number}", Resources=[tagged(door, resource)]): resource
        for number, resource in enumerate(resources)
    }
    judged[door.selection(plan, "all-by-tag")] = "all"
    door.evaluate(RULE)
    assert {judged[key]: found for key, found in stored(door).items()} == dict.fromkeys(
        [*resources, "all"], ("COMPLIANT", "")
    )


def test_the_default_role_is_not_enough_for_s3(door: Door) -> None:
    role(door, FOR_BACKUP)
    tagged(door, "s3:amzn-s3-demo-bucket")
    selection = door.selection(door.plan())
    assert verdict(door, selection) == (
        "NON_COMPLIANT",
        "Role BackupRole of selection everything of plan nightly lacks 27 actions (all in the log):"
        " s3:GetBucketVersioning, s3:GetBucketNotification and 25 more (S3 buckets): no policy of the role allows it."
        " Attach AWSBackupServiceRolePolicyForS3Backup.",
    )


def test_conditions_of_the_managed_policy_for_restores_say_nothing_of_backups(door: Door) -> None:
    """IAM names the keys of all the role's policies, whichever action it simulates."""
    role(door, FOR_BACKUP, FOR_RESTORES)
    annotation = verdict(door, door.selection(door.plan(), **EVERY_BUCKET))[1]
    assert ": no policy of the role allows it. Attach AWSBackupServiceRolePolicyForS3Backup." in annotation


def test_a_condition_that_may_allow_it_after_all_is_told(door: Door) -> None:
    own = [
        allow("tag:GetResources", "backup:*", "ec2:Describe*", "ec2:CreateTags", "ec2:DeleteSnapshot"),
        {**allow("ec2:CreateSnapshot"), "Condition": {"StringEquals": {"aws:ResourceTag/team": "web"}}},
    ]
    role(door, own=own)
    tagged(door, "ec2:volume/vol-0abc")
    assert verdict(door, door.selection(door.plan()))[1] == (
        "Role BackupRole of selection everything of plan nightly lacks ec2:CreateSnapshot (EBS volumes): no policy of"
        " the role allows it (unless its conditions on aws:ResourceTag/team hold). Attach"
        " AWSBackupServiceRolePolicyForBackup."
    )


def test_long_names_leave_actions_and_types_to_be_seen(door: Door) -> None:
    arn = role(door, name="R" * 64)
    tagged(door, "redshift-serverless:namespace/1eb3b5e7")
    selection = door.selection(door.plan("p" * 50), "s" * 50, IamRoleArn=arn)
    annotation = verdict(door, selection)[1]
    assert len(annotation) <= 256
    lacking = "8 actions (all in the log): tag:GetResources (tag-based selections); and for 1 more type"
    assert f" lacks {lacking}: " in annotation
    assert annotation.endswith(". Attach AWSBackupServiceRolePolicyForBackup.")


@pytest.mark.parametrize("policies", [(FOR_S3_BACKUP,), (FOR_BACKUP, FOR_S3_BACKUP)], ids=["S3 only", "both"])
def test_the_policy_for_s3_is_enough_for_buckets(door: Door, policies: tuple[str, ...]) -> None:
    role(door, *policies)
    assert verdict(door, door.selection(door.plan(), **EVERY_BUCKET)) == ("COMPLIANT", "")


def test_missing_actions_are_listed_by_type_in_what_fits(door: Door) -> None:
    role(door)
    for resource in ("ec2:volume/vol-0abc", "fsx:file-system/fs-0abc", "dynamodb:table/orders"):
        tagged(door, resource)
    compliance, annotation = verdict(door, door.selection(door.plan()))
    assert compliance == "NON_COMPLIANT"
    assert annotation == (
        "Role BackupRole lacks 13 actions (all in the log): tag:GetResources (tag-based selections);"
        " dynamodb:DescribeTable and 3 more (DynamoDB tables); and for 2 more types: no policy of the role allows it."
        " Attach AWSBackupServiceRolePolicyForBackup."
    )


def test_a_role_that_lacks_one_action(door: Door) -> None:
    own = [allow("tag:GetResources", "backup:*", "ec2:Describe*", "ec2:CreateTags", "ec2:DeleteSnapshot")]
    role(door, own=own)
    tagged(door, "ec2:volume/vol-0abc")
    assert verdict(door, door.selection(door.plan())) == (
        "NON_COMPLIANT",
        "Role BackupRole of selection everything of plan nightly lacks ec2:CreateSnapshot (EBS volumes): no policy of"
        " the role allows it. Attach AWSBackupServiceRolePolicyForBackup.",
    )


def test_only_what_is_picked_is_asked(door: Door) -> None:
    role(door, own=[allow("tag:GetResources", "backup:*", "dynamodb:*")])
    tagged(door, "dynamodb:table/orders")
    tagged(door, "ec2:volume/vol-0abc", backup="false")
    assert verdict(door, door.selection(door.plan())) == ("COMPLIANT", "")


@pytest.mark.parametrize(
    ("body", "lacking"),
    [
        pytest.param({"Resources": ["arn:aws:ec2:*:*:volume/*"]}, "ec2:CreateSnapshot", id="type wildcard"),
        pytest.param({"Resources": ["arn:aws:ec2:*"]}, "ec2:CreateImage", id="service wildcard"),
        pytest.param(
            {"Resources": [f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders"]},
            "dynamodb:StartAwsBackupJob",
            id="an ARN without tags",
        ),
        pytest.param({"Resources": ["arn:aws:rds:*:*:cluster:*"]}, "rds:CreateDBClusterSnapshot", id="clusters"),
    ],
)
def test_types_that_a_selection_names_count_though_nothing_is_listed(
    door: Door, body: dict[str, Any], lacking: str
) -> None:
    role(door, own=[allow("backup:*", "ec2:CreateTags", "ec2:De*", "rds:De*", "rds:List*", "rds:Add*", "rds:Copy*")])
    compliance, annotation = verdict(door, door.selection(door.plan(), **body))
    assert compliance == "NON_COMPLIANT"
    assert lacking in annotation


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"Resources": ["arn:aws:ec2:us-east-1:*:volume/*"]}, id="another Region"),
        pytest.param({"Resources": [f"arn:aws:ec2:{REGION}:{CENTRAL}:volume/vol-1"]}, id="another account"),
        pytest.param(
            {"Resources": ["arn:aws:ec2:*:*:volume/*"], "NotResources": ["arn:aws:ec2:*:*:volume/*"]}, id="left out"
        ),
        pytest.param(
            {
                "Resources": ["arn:aws:ec2:*:*:volume/*"],
                "Conditions": {
                    "StringEquals": [{"ConditionKey": "aws:ResourceTag/backup", "ConditionValue": "true"}],
                },
            },
            id="a tag that no volume carries",
        ),
    ],
)
def test_types_that_cannot_be_picked_do_not_count(door: Door, body: dict[str, Any]) -> None:
    role(door, own=[allow("backup:*", "tag:GetResources")])
    assert verdict(door, door.selection(door.plan(), **body)) == ("COMPLIANT", "")


def test_continuous_backup_needs_more(door: Door) -> None:
    own = [allow("backup:*", "rds:CreateDBSnapshot", "rds:De*", "rds:List*", "rds:Add*", "rds:Copy*")]
    role(door, own=own)
    database = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:orders"
    rule = {"RuleName": "pitr", "TargetBackupVaultName": "Default", "EnableContinuousBackup": True}
    ordinary = door.selection(door.plan("snapshots"), Resources=[database])
    continuous = door.selection(door.plan("continuous", rule), Resources=[database])
    assert verdict(door, ordinary)[0] == "COMPLIANT"
    assert stored(door)[continuous] == (
        "NON_COMPLIANT",
        "Role BackupRole of selection everything of plan continuous lacks rds:ModifyDBInstance (DB instances): no"
        " policy of the role allows it. Attach AWSBackupServiceRolePolicyForBackup.",
    )


def test_each_selection_is_judged_by_what_it_picks_itself(door: Door) -> None:
    role(door, own=[allow("tag:GetResources", "backup:*", "dynamodb:*")])
    tables = door.selection(door.plan("tables"), Resources=["arn:aws:dynamodb:*:*:table/*"])
    volumes = door.selection(door.plan("volumes"), Resources=["arn:aws:ec2:*:*:volume/*"])
    assert verdict(door, tables) == ("COMPLIANT", "")
    assert stored(door)[volumes][0] == "NON_COMPLIANT"


def test_a_role_that_is_scoped_to_the_picked_resource(door: Door) -> None:
    orders, sales = (f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}" for table in ("orders", "sales"))
    role(door, own=[allow("backup:*"), allow("dynamodb:*", resource=[orders, f"{orders}/*"])])
    within = door.selection(door.plan("within"), Resources=[orders])
    beyond = door.selection(door.plan("beyond"), Resources=[sales])
    assert verdict(door, within) == ("COMPLIANT", "")
    assert stored(door)[beyond][0] == "NON_COMPLIANT"


# --- Who withholds it -----------------------------------------------------------------------------------------------


def test_a_permissions_boundary(door: Door) -> None:
    role(door, own=[allow("*")])
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "NotAction": "ec2:CreateSnapshot", "Resource": "*"}],
        }
    )
    iam = door.client("iam")
    boundary = iam.create_policy(PolicyName="cap", PolicyDocument=document)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="BackupRole", PermissionsBoundary=boundary)
    tagged(door, "ec2:volume/vol-0abc")
    assert verdict(door, door.selection(door.plan())) == (
        "NON_COMPLIANT",
        "Role BackupRole of selection everything of plan nightly lacks ec2:CreateSnapshot (EBS volumes): its"
        " permissions boundary withholds it. Allow it in the boundary.",
    )


def test_an_explicit_deny(door: Door) -> None:
    role(door, FOR_BACKUP, own=[{"Effect": "Deny", "Action": "ec2:CreateSnapshot", "Resource": "*"}])
    tagged(door, "ec2:volume/vol-0abc")
    assert verdict(door, door.selection(door.plan())) == (
        "NON_COMPLIANT",
        "Role BackupRole of selection everything of plan nightly lacks ec2:CreateSnapshot (EBS volumes): a policy of"
        " the role denies it. Remove that Deny.",
    )


def test_a_service_control_policy() -> None:
    with front_door() as management:
        organizations = management.client("organizations")
        organizations.create_organization(FeatureSet="ALL")
        root = organizations.list_roots()["Roots"][0]["Id"]
        organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
        made = organizations.create_account(AccountName="member", Email="member@example.com")
        member = made["CreateAccountStatus"]["AccountId"]
        denial = {"Effect": "Deny", "Action": "ec2:CreateSnapshot", "Resource": "*"}
        policy = organizations.create_policy(
            Name="no-snapshots",
            Description="",
            Type="SERVICE_CONTROL_POLICY",
            Content=json.dumps({"Version": "2012-10-17", "Statement": [denial]}),
        )
        organizations.attach_policy(PolicyId=policy["Policy"]["PolicySummary"]["Id"], TargetId=member)
        door = management.at(account=member)
        role(door, FOR_BACKUP)
        tagged(door, "ec2:volume/vol-0abc")
        assert verdict(door, door.selection(door.plan())) == (
            "NON_COMPLIANT",
            "Role BackupRole of selection everything of plan nightly lacks ec2:CreateSnapshot (EBS volumes): a service"
            " control policy withholds it. Allow it in that policy.",
        )


# --- Not applicable -------------------------------------------------------------------------------------------------


def not_applicable(door: Door) -> list[str]:
    """What `PutEvaluations` said; what is not applicable is not stored."""
    with recorded_calls() as calls:
        assert door.evaluate(RULE) == {}
    puts = [call.parameters["Evaluations"] for call in calls if call.operation == "PutEvaluations"]
    assert all(each["ComplianceType"] == "NOT_APPLICABLE" for put in puts for each in put)
    return [each["Annotation"] for put in puts for each in put]


@pytest.mark.parametrize(
    ("arn", "annotation"),
    [
        pytest.param(
            f"arn:aws:iam::{ACCOUNT}:role/Gone",
            f"Role arn:aws:iam::{ACCOUNT}:role/Gone of selection everything of plan nightly does not exist, so there"
            " are no permissions to judge: see BACKUP_ROLE_ASSUMABLE.",
            id="missing",
        ),
        pytest.param(
            f"arn:aws:iam::{ACCOUNT}:role/team/BackupRole",
            f"Role arn:aws:iam::{ACCOUNT}:role/team/BackupRole of selection everything of plan nightly does not exist,"
            " so there are no permissions to judge: see BACKUP_ROLE_ASSUMABLE.",
            id="another path",
        ),
        pytest.param(
            f"arn:aws:iam::{CENTRAL}:role/BackupRole",
            f"arn:aws:iam::{CENTRAL}:role/BackupRole is no role of account {ACCOUNT}, so there are no permissions to"
            " judge: see BACKUP_ROLE_ASSUMABLE.",
            id="another account",
        ),
        pytest.param(
            "BackupRole",
            f"BackupRole is no role of account {ACCOUNT}, so there are no permissions to judge: see"
            " BACKUP_ROLE_ASSUMABLE.",
            id="a bare name",
        ),
    ],
)
def test_a_role_that_is_rule_3s_matter(door: Door, arn: str, annotation: str) -> None:
    role(door)
    door.selection(door.plan(), IamRoleArn=arn)
    assert not_applicable(door) == [annotation]


def test_selections_of_excluded_plans_are_not_reported(door: Door) -> None:
    role(door)
    door.selection(door.plan("sandbox"))
    assert door.evaluate(RULE, {"ExcludedPlans": "sand*"}) == {}


# --- Calls ----------------------------------------------------------------------------------------------------------


def test_calls_of_a_role_do_not_grow_with_selections_or_resources(door: Door) -> None:
    role(door, FOR_BACKUP)
    kinds = ("ec2:volume/vol-{}", "ec2:instance/i-{}", "dynamodb:table/t-{}", "fsx:file-system/fs-{}")
    for kind in kinds:
        tagged(door, kind.format(0))
    door.selection(door.plan("plan-0"))
    few = simulations(door)
    for number in range(1, 6):
        for kind in kinds:
            tagged(door, kind.format(number), team=f"team-{number}")
        tag = {"ConditionType": "STRINGEQUALS", "ConditionKey": "team", "ConditionValue": f"team-{number}"}
        door.selection(door.plan(f"plan-{number}"), ListOfTags=[tag])
    many = simulations(door)
    assert few == 2
    assert many <= 3
    assert {compliance for compliance, _ in stored(door).values()} == {"COMPLIANT"}
    assert len(stored(door)) == 6


def test_each_role_is_asked_about_by_itself(door: Door) -> None:
    role(door, FOR_BACKUP)
    other = role(door, name="Other")
    first = door.selection(door.plan("first"), Resources=["arn:aws:dynamodb:*:*:table/*"])
    second = door.selection(door.plan("second"), Resources=["arn:aws:ec2:*:*:volume/*"], IamRoleArn=other)
    assert simulations(door, other) == 2
    assert stored(door)[first][0] == "COMPLIANT"
    assert stored(door)[second][0] == "NON_COMPLIANT"


# --- Change events --------------------------------------------------------------------------------------------------


def test_a_changed_selection_is_judged_alone_and_only_its_role_is_asked_about(door: Door) -> None:
    role(door)
    other = role(door, FOR_BACKUP, name="Other")
    plan = door.plan("prod")
    changed = door.selection(plan, "changed", IamRoleArn=other)
    door.selection(plan, "unchanged")
    answer = door.client("backup").get_backup_selection(BackupPlanId=plan, SelectionId=changed.partition("_")[0])
    with recorded_calls() as calls:
        found = door.evaluate(RULE, item=selection_item(answer, Recording(ACCOUNT, REGION, NOW)))
    assert {key: each.compliance for key, each in found.items()} == {(SELECTION, changed): "COMPLIANT"}
    asked = {call.parameters["PolicySourceArn"] for call in calls if call.operation == "SimulatePrincipalPolicy"}
    assert asked == {other}


def test_a_changed_plan_has_all_its_selections_judged(door: Door) -> None:
    role(door)
    plan = door.plan("prod")
    selections = {door.selection(plan, name) for name in ("a", "b")}
    door.selection(door.plan("other"))
    answer = door.client("backup").get_backup_plan(BackupPlanId=plan)
    found = door.evaluate(RULE, item=plan_item(answer, Recording(ACCOUNT, REGION, NOW)))
    assert {key[1] for key in found} == selections


# --- Failing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "operation", "fault"),
    [
        ("backup", "ListBackupPlans", denied),
        ("backup", "GetBackupPlan", denied),
        ("backup", "ListBackupSelections", denied),
        ("backup", "GetBackupSelection", denied),
        ("backup", "GetBackupSelection", malformed),
        ("resourcegroupstaggingapi", "GetResources", denied),
        ("resourcegroupstaggingapi", "GetResources", malformed),
        ("rds", "DescribeDBInstances", denied),
        ("rds", "DescribeDBClusters", denied),
        ("iam", "GetRole", denied),
        ("iam", "SimulatePrincipalPolicy", denied),
        ("iam", "SimulatePrincipalPolicy", malformed),
    ],
)
def test_what_cannot_be_read_fails_and_the_last_verdict_stands(
    door: Door, service: str, operation: str, fault: Kind
) -> None:
    role(door, FOR_BACKUP)
    door.selection(door.plan(), Resources=[f"arn:aws:rds:{REGION}:{ACCOUNT}:db:orders"])
    before = door.evaluate(RULE)
    door.client("iam").detach_role_policy(RoleName="BackupRole", PolicyArn=FOR_BACKUP)
    with failing(fault, service, operation), pytest.raises((ReadError, IncompleteEvaluationError), match=operation):
        door.evaluate(RULE)
    assert Counter(each.compliance for each in before.values()) == {"COMPLIANT": 1}
    assert door.stored(RULE) == before


def test_one_unreadable_role_leaves_the_others_judged(door: Door) -> None:
    role(door, FOR_BACKUP)
    other = role(door, FOR_BACKUP, name="Other")
    door.selection(door.plan("first"), IamRoleArn=other)
    judged = door.selection(door.plan("second"))
    fault = failing(
        denied, "iam", "SimulatePrincipalPolicy", when=lambda parameters: parameters["PolicySourceArn"] == other
    )
    with fault, pytest.raises(IncompleteEvaluationError, match="role/Other"):
        door.evaluate(RULE)
    assert stored(door) == {judged: ("COMPLIANT", "")}


def without_the_role_of_odd(_response: Any, _call: Any, right: Any) -> Any:
    status, headers, body = right()
    found = json.loads(body)
    for each in found["BackupSelectionsList"]:
        if each["SelectionName"] == "odd":
            del each["IamRoleArn"]
    return status, headers, json.dumps(found)


@pytest.mark.parametrize("rule", [RULE, "BACKUP_ROLE_ASSUMABLE"])
def test_a_selection_that_is_listed_without_its_role_keeps_its_verdict(door: Door, rule: str) -> None:
    role(door)
    door.selection(door.plan(), "odd")
    judged = door.selection(door.plan("other"), "fine")
    before = door.evaluate(rule)
    fault = failing(without_the_role_of_odd, "backup", "ListBackupSelections")
    with fault, pytest.raises(IncompleteEvaluationError, match="backup:ListBackupSelections .*IamRoleArn is missing"):
        door.evaluate(rule)
    assert door.stored(rule) == before
    assert (SELECTION, judged) in before


def test_who_needs_no_role_judges_a_selection_that_is_listed_without_one(door: Door) -> None:
    role(door)
    door.selection(door.plan(), "odd")
    before = door.evaluate("BACKUP_SELECTION_NOT_EMPTY")
    with failing(without_the_role_of_odd, "backup", "ListBackupSelections"):
        assert door.evaluate("BACKUP_SELECTION_NOT_EMPTY") == before


def test_all_pages_are_read(door: Door) -> None:
    role(door, own=[allow("tag:GetResources", "backup:*", "ec2:*")])
    for resource in ("ec2:volume/vol-0abc", "ec2:instance/i-0abc", "dynamodb:table/orders"):
        tagged(door, resource)
    for number in range(3):
        door.selection(door.plan(f"plan-{number}"))
    with page_size(1):
        found = door.evaluate(RULE)
    assert len(found) == 3
    assert all("dynamodb:DescribeTable" in each.annotation for each in found.values())


# --- Everything, tables, tags on recovery points --------------------------------------------------------------------


def test_everything_reaches_what_the_inventory_knows_without_tags(door: Door) -> None:
    volumes_only = {"Effect": "Allow", "Action": ["ec2:*"], "Resource": "*"}
    arn = role(door, inline=volumes_only)
    selection = door.selection(door.plan(), IamRoleArn=arn, Resources=["*"])
    assert verdict(door, selection) == ("COMPLIANT", "")
    made = door.client("rds").create_db_instance(
        DBInstanceIdentifier="shop",
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="owner",
        MasterUserPassword="correct-horse",
    )
    assert made["DBInstance"]["DBInstanceStatus"]
    compliance, annotation = verdict(door, selection)
    assert compliance == "NON_COMPLIANT"
    assert "rds:DescribeDBInstances" in annotation


@pytest.mark.parametrize(
    ("settings", "allowed", "missing"),
    [
        pytest.param(True, "dynamodb:CreateBackup", "dynamodb:StartAwsBackupJob", id="advanced"),
        pytest.param(False, "dynamodb:StartAwsBackupJob", "dynamodb:CreateBackup", id="not advanced"),
    ],
)
def test_how_tables_are_backed_up_follows_the_regions_settings(
    door: Door, settings: bool, allowed: str, missing: str
) -> None:
    door.client("backup").update_region_settings(ResourceTypeManagementPreference={"DynamoDB": settings})
    statement = {"Effect": "Allow", "Action": ["dynamodb:Describe*", "dynamodb:List*", allowed], "Resource": "*"}
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders"
    selection = door.selection(door.plan(), IamRoleArn=role(door, inline=statement), Resources=[table])
    compliance, annotation = verdict(door, selection)
    assert compliance == "NON_COMPLIANT"
    assert f" lacks {missing} (DynamoDB tables): " in annotation


def test_tags_of_the_plan_are_put_on_recovery_points_under_the_role(door: Door) -> None:
    volume = f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-0abc"
    arn = role(door, inline={"Effect": "Allow", "Action": ["ec2:*"], "Resource": "*"})
    rule = {"RuleName": "daily", "TargetBackupVaultName": "Default"}
    plain = door.selection(door.plan("plain", rule), IamRoleArn=arn, Resources=[volume])
    tagging = door.plan("tagging", rule | {"RecoveryPointTags": {"team": "shop"}})
    tagged_selection = door.selection(tagging, IamRoleArn=arn, Resources=[volume])
    assert verdict(door, plain) == ("COMPLIANT", "")
    compliance, annotation = verdict(door, tagged_selection)
    assert compliance == "NON_COMPLIANT"
    assert " lacks backup:TagResource (EBS volumes): " in annotation


def test_the_log_has_every_withheld_action(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    role(door, FOR_BACKUP)
    tagged(door, "s3:amzn-s3-demo-bucket")
    selection = door.selection(door.plan())
    assert "27 actions" in verdict(door, selection)[1]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [each for each in lines if each["message"] == "actions withheld"]
    assert line["selection"] == selection
    assert len(line["actions"]["S3 buckets"]) == 27

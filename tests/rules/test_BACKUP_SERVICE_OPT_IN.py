"""Which selections are skipped because a resource type is turned off in the Region."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from aws_simulator.core.backup import add_plan, set_supported_resource_types
from aws_simulator.core.backup.state import OPT_IN_KEYS
from aws_simulator.core.config.service import start_recorder
from aws_simulator.core.faults import denied, error, failing, recorded_calls
from aws_simulator.core.messages.configuration_items import Recording, plan_item, selection_item
from aws_simulator.core.operations import page_size
from aws_simulator.core.tagging import tag_resource
from backup_rules.errors import IncompleteEvaluationError, InvalidRuleParametersError, ReadError
from backup_rules.wording.annotations import name
from tests.front_door import ACCOUNT, NOW, Door, front_door
from tests.organization import Organization

RULE = "BACKUP_SERVICE_OPT_IN"
SELECTION = "AWS::Backup::BackupSelection"
ACCOUNT_TYPE = "AWS::::Account"
EC2 = f"arn:aws:ec2:eu-west-1:{ACCOUNT}"
VOLUME = f"{EC2}:volume/vol-0abc"
INSTANCE = f"{EC2}:instance/i-0abc"
BUCKET = "arn:aws:s3:::logs"
FSX = f"arn:aws:fsx:eu-west-1:{ACCOUNT}:file-system"
DSQL = f"arn:aws:dsql:eu-west-1:{ACCOUNT}:cluster/orders"
REMEDY = "Turn it on under AWS Backup > Settings > Service opt-in."
BACKUP = {"backup": "true"}
BY_TAG: dict[str, Any] = {}
WHOSE = "selection everything of plan nightly"


@pytest.fixture(autouse=True)
def sleepless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without waiting."""
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        yield it


def turn(door: Door, **keys: bool) -> None:
    door.client("backup").update_region_settings(ResourceTypeOptInPreference=keys)


def tagged(*arns: str) -> None:
    for arn in arns:
        tag_resource(ACCOUNT, "eu-west-1", arn, BACKUP)


def without(door: Door, key: str) -> None:
    set_supported_resource_types(door.account, door.region, [each for each in OPT_IN_KEYS if each != key])


def cluster(door: Door, identifier: str, engine: str) -> str:
    made = door.client("rds").create_db_cluster(
        DBClusterIdentifier=identifier,
        Engine=engine,
        MasterUsername="admin1",
        MasterUserPassword="a-long-password",
        DBClusterInstanceClass="db.m6gd.large",
        AllocatedStorage=100,
        StorageType="io1",
        Iops=1000,
    )
    return str(made["DBCluster"]["DBClusterArn"])


def only(found: dict[Any, Any]) -> tuple[str, str]:
    (one,) = found.values()
    return one.compliance, one.annotation


def judged(door: Door, parameters: dict[str, str] | None = None, **body: Any) -> tuple[str, str]:
    door.selection(door.plan(), **body)
    return only(door.evaluate(RULE, parameters))


def test_the_contracts_own_example(door: Door) -> None:
    tagged(f"{FSX}/fs-1", f"{FSX}/fs-2", f"{FSX}/fs-3", VOLUME)
    turn(door, FSx=False)
    selection = door.selection(door.plan())
    found = door.evaluate(RULE)
    assert set(found) == {(SELECTION, selection)}
    assert only(found) == (
        "NON_COMPLIANT",
        'Resource type FSx is turned off in eu-west-1, so tag "backup"="true" of selection everything of plan nightly'
        f" skips 3 FSx file systems, such as fs-1. {REMEDY}",
    )


@pytest.mark.parametrize(
    ("body", "by"),
    [
        pytest.param(BY_TAG, 'tag "backup"="true"', id="tag"),
        pytest.param({"Resources": ["*"]}, '"*"', id="everything"),
        pytest.param({"Resources": ["arn:aws:ec2:*"]}, "arn:aws:ec2:*", id="service wildcard"),
        pytest.param(
            {
                "Resources": ["*"],
                "Conditions": {"StringEquals": [{"ConditionKey": "aws:ResourceTag/backup", "ConditionValue": "true"}]},
            },
            '"*"',
            id="everything with a condition",
        ),
    ],
)
def test_what_is_picked_by_virtue_of_the_opt_in_only(door: Door, body: dict[str, Any], by: str) -> None:
    tagged(VOLUME, INSTANCE)
    turn(door, EBS=False)
    assert judged(door, **body) == (
        "NON_COMPLIANT",
        f"Resource type EBS is turned off in eu-west-1, so {by} of {WHOSE} skips 1 EBS volume, vol-0abc. {REMEDY}",
    )


@pytest.mark.parametrize("entry", [VOLUME, "arn:aws:ec2:*:*:volume/*"], ids=["ARN", "type wildcard"])
@pytest.mark.parametrize("listed", [True, False], ids=["with tags", "without tags"])
def test_what_is_named_by_arn_or_type_is_backed_up_all_the_same_unless_strict(
    door: Door, entry: str, listed: bool
) -> None:
    if listed:
        tagged(VOLUME)
    turn(door, EBS=False)
    compliance, annotation = judged(door, Resources=[entry])
    assert compliance == "COMPLIANT"
    assert annotation == (
        "Resource type EBS is turned off in eu-west-1, but AWS Backup backs up what is named by ARN or type all the"
        f" same: {entry}."
        if listed
        else ""
    )
    shown = name(entry, 60)
    said = f"; {shown} of {WHOSE} names 1 EBS volume, vol-0abc." if listed else f"; {WHOSE} names it by {shown}."
    compliance, annotation = only(door.at(now=NOW + timedelta(hours=1)).evaluate(RULE, {"Strict": "true"}))
    assert compliance == "NON_COMPLIANT"
    assert said in annotation


@pytest.mark.parametrize(
    ("engine", "key", "noun"),
    [
        ("aurora-postgresql", "Aurora", "Aurora cluster"),
        ("neptune", "Neptune", "Neptune cluster"),
        ("docdb", "DocumentDB", "DocumentDB cluster"),
    ],
)
def test_aurora_neptune_and_documentdb_need_the_opt_in_even_when_named(
    door: Door, engine: str, key: str, noun: str
) -> None:
    arn = cluster(door, "orders", engine)
    turn(door, **{key: False})
    plan = door.plan()
    entries = ["arn:aws:rds:*:*:cluster:*", arn]
    made = {entry: door.selection(plan, Resources=[entry]) for entry in entries}
    found = door.evaluate(RULE)
    assert {entry: found[SELECTION, selection].annotation for entry, selection in made.items()} == {
        entry: f"Resource type {key} is turned off in eu-west-1, so {entry} of {WHOSE} skips 1 {noun}, orders. {REMEDY}"
        for entry in entries
    }


def test_a_multi_az_cluster_is_of_type_rds_and_named_without_the_opt_in(door: Door) -> None:
    arn = cluster(door, "orders", "mysql")
    turn(door, RDS=False)
    assert judged(door, Resources=[arn])[0] == "COMPLIANT"


@pytest.mark.parametrize(
    ("off", "body"),
    [
        pytest.param("FSx", BY_TAG, id="no such resource has the tag"),
        pytest.param("FSx", {"Resources": ["*"]}, id="everything, and no such resource is listed"),
        pytest.param("Aurora", {"Resources": ["arn:aws:rds:*:*:cluster:*"]}, id="no such cluster"),
        pytest.param("Aurora", {"Resources": ["arn:aws:rds:*"]}, id="no database at all"),
        pytest.param("EBS", {"Resources": [VOLUME, "arn:aws:dynamodb:*"]}, id="another service's wildcard"),
        pytest.param("EBS", {"Resources": ["arn:aws:ec2:us-east-1:*"]}, id="another Region"),
        pytest.param(
            "EBS", {"Resources": ["arn:aws:ec2:*"], "NotResources": ["arn:aws:ec2:*:*:volume/*"]}, id="left out"
        ),
        pytest.param("S3", {"Resources": ["arn:aws:s3:*"], "NotResources": ["arn:aws:s3:::*"]}, id="buckets left out"),
    ],
)
def test_a_type_that_the_selection_does_not_reach_is_no_problem(door: Door, off: str, body: dict[str, Any]) -> None:
    tagged(VOLUME.replace("vol-", "vol-1"), BUCKET)
    turn(door, **{off: False})
    assert judged(door, **(body or {"ListOfTags": tag("team", "web")}))[0] == "COMPLIANT"


def tag(key: str, value: str) -> list[dict[str, str]]:
    return [{"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value}]


def test_a_service_wildcard_names_types_of_which_none_is_known(door: Door) -> None:
    """Volumes without tags are not listed, and no recorder runs; that instances are listed says nothing of them."""
    tagged(INSTANCE)
    turn(door, EBS=False)
    assert judged(door, Resources=["arn:aws:ec2:*"]) == (
        "COMPLIANT",
        "Resource type EBS is turned off in eu-west-1; arn:aws:ec2:* names EBS volumes, but none is known there, though"
        " some may be, without tags.",
    )


def volume(door: Door) -> str:
    made = door.client("ec2").create_volume(AvailabilityZone="eu-west-1a", Size=1)
    return str(made["VolumeId"])


def recorder(door: Door) -> None:
    start_recorder(door.session, door.region)


@pytest.mark.parametrize(
    ("body", "compliance"),
    [
        pytest.param({"Resources": ["*"]}, "NON_COMPLIANT", id="everything"),
        pytest.param({"Resources": ["arn:aws:ec2:*"]}, "NON_COMPLIANT", id="service wildcard"),
        pytest.param({"Resources": ["arn:aws:ec2:*:*:volume/*"]}, "COMPLIANT", id="type wildcard"),
        pytest.param(
            {
                "Resources": ["*"],
                "Conditions": {"StringNotEquals": [{"ConditionKey": "aws:ResourceTag/backup", "ConditionValue": "no"}]},
            },
            "NON_COMPLIANT",
            id="a negative condition",
        ),
        pytest.param(
            {
                "Resources": ["*"],
                "Conditions": {"StringEquals": [{"ConditionKey": "aws:ResourceTag/backup", "ConditionValue": "yes"}]},
            },
            "COMPLIANT",
            id="a positive condition",
        ),
        pytest.param({"Resources": ["*"], "NotResources": ["arn:aws:ec2:*"]}, "COMPLIANT", id="left out"),
    ],
)
def test_what_bears_no_tag_is_known_from_aws_configs_inventory(
    door: Door, body: dict[str, Any], compliance: str
) -> None:
    recorder(door)
    identifier = volume(door)
    turn(door, EBS=False)
    found, annotation = judged(door, **body)
    assert found == compliance
    assert (f"skips 1 EBS volume, {identifier}." in annotation) is (compliance == "NON_COMPLIANT")


def test_untagged_databases_are_known_from_rds(door: Door) -> None:
    cluster(door, "orders", "aurora-postgresql")
    turn(door, Aurora=False)
    compliance, annotation = judged(door, Resources=["*"])
    assert compliance == "NON_COMPLIANT"
    assert 'so "*" of selection everything of plan nightly skips 1 Aurora cluster, orders.' in annotation


@pytest.mark.parametrize("entry", ["arn:aws:fsx:*", "arn:aws:fsx:*:*:file-system/*", f"{FSX}/fs-0123456789abcdef0"])
def test_fsx_is_no_problem_where_there_is_no_file_system(door: Door, entry: str) -> None:
    turn(door, FSx=False)
    compliance, annotation = judged(door, Resources=[entry])
    assert compliance == "COMPLIANT"
    assert annotation.startswith("Resource type FSx is turned off in eu-west-1;")
    assert annotation.endswith("but there is none.")


def file_system(door: Door, kind: str = "WINDOWS", **more: Any) -> Any:
    made = door.client("fsx").create_file_system(
        FileSystemType=kind,
        StorageCapacity=1200,
        SubnetIds=["subnet-0123456789abcdef0"],
        Tags=[{"Key": "backup", "Value": "true"}],
        **more,
    )
    return made["FileSystem"]


@pytest.mark.parametrize("by_arn", [True, False])
def test_fsx_needs_the_opt_in_even_when_it_is_named(door: Door, by_arn: bool) -> None:
    arn = file_system(door, WindowsConfiguration={"ThroughputCapacity": 8})["ResourceARN"]
    turn(door, FSx=False)
    assert judged(door, Resources=[arn if by_arn else "arn:aws:fsx:*:*:file-system/*"])[0] == "NON_COMPLIANT"


@pytest.mark.parametrize("kind", ["ONTAP file system", "SCRATCH Lustre", "gateway"])
def test_what_aws_backup_cannot_back_up_is_skipped_by_no_setting(door: Door, kind: str) -> None:
    if kind == "gateway":
        tagged(f"arn:aws:storagegateway:eu-west-1:{ACCOUNT}:gateway/sgw-1")
        turn(door, **{"Storage Gateway": False})
    elif kind == "SCRATCH Lustre":
        file_system(door, "LUSTRE", LustreConfiguration={"DeploymentType": "SCRATCH_2"})
        turn(door, FSx=False)
    else:
        file_system(door, "ONTAP", OntapConfiguration={"DeploymentType": "SINGLE_AZ_1", "ThroughputCapacity": 128})
        turn(door, FSx=False)
    assert judged(door) == ("COMPLIANT", "")


def test_types_that_are_merely_named_where_the_region_has_none(door: Door) -> None:
    """One selection rolled out to all Regions names types that most Regions lack."""
    keys = [each for each in OPT_IN_KEYS if each not in {"Timestream", "DSQL"}]
    set_supported_resource_types(door.account, door.region, keys)
    compliance, annotation = judged(door, Resources=["arn:aws:timestream:*", "arn:aws:dsql:*:*:cluster/*", VOLUME])
    assert compliance == "COMPLIANT"
    assert annotation.startswith("Resource type Timestream is not supported by AWS Backup in eu-west-1;")


def test_types_that_are_turned_off_on_purpose(door: Door) -> None:
    tagged(VOLUME, INSTANCE)
    turn(door, EBS=False)
    selection = door.selection(door.plan())
    found = door.evaluate(RULE, {"IgnoredResourceTypes": "CloudFormation, EBS"})
    assert found[SELECTION, selection].compliance == "COMPLIANT"


@pytest.mark.parametrize("parameter", ["RequiredResourceTypes", "IgnoredResourceTypes"])
def test_a_key_that_only_the_settings_know_is_taken(door: Door, parameter: str) -> None:
    set_supported_resource_types(door.account, door.region, [*OPT_IN_KEYS, "Brand New"])
    door.selection(door.plan())
    assert {each.compliance for each in door.evaluate(RULE, {parameter: "Brand New"}).values()} == {"COMPLIANT"}
    with pytest.raises(InvalidRuleParametersError, match=f"{parameter} is 'Older'; allowed .*Brand New"):
        door.evaluate(RULE, {parameter: "Older"})


def test_a_listed_resource_that_is_named_does_not_hide_the_others_of_its_type(door: Door) -> None:
    recorder(door)
    tagged(VOLUME)
    identifier = volume(door)
    turn(door, EBS=False)
    compliance, annotation = judged(door, Resources=[VOLUME, "arn:aws:ec2:*"])
    assert compliance == "NON_COMPLIANT"
    assert f"arn:aws:ec2:* of {WHOSE} skips 1 EBS volume, such as {identifier}." in annotation


def test_a_tag_picks_and_an_arn_names(door: Door) -> None:
    """Of two volumes, only the one that is not named by its ARN is skipped."""
    tagged(VOLUME, f"{EC2}:volume/vol-2")
    turn(door, EBS=False)
    compliance, annotation = judged(door, Resources=[VOLUME], ListOfTags=tag("backup", "true"))
    assert compliance == "NON_COMPLIANT"
    assert f'tag "backup"="true" of {WHOSE} skips 1 EBS volume, such as vol-2.' in annotation


def test_several_types_are_counted(door: Door) -> None:
    tagged(VOLUME, INSTANCE, BUCKET)
    turn(door, EBS=False, EC2=False, S3=False)
    compliance, annotation = judged(door)
    assert compliance == "NON_COMPLIANT"
    assert annotation.endswith("(+2 more)")


def test_a_long_tag_does_not_push_out_the_number_nor_the_remedy(door: Door) -> None:
    key, value = "k" * 128, "v" * 256
    tag_resource(ACCOUNT, "eu-west-1", VOLUME, {key: value})
    turn(door, EBS=False)
    annotation = judged(door, ListOfTags=tag(key, value))[1]
    assert len(annotation) <= 256
    assert annotation.endswith(f"skips 1 EBS volume, vol-0abc. {REMEDY}")


@pytest.mark.parametrize(
    ("body", "by"),
    [
        pytest.param(BY_TAG, 'tag "backup"="true"', id="tag"),
        pytest.param({"Resources": [DSQL]}, DSQL, id="ARN"),
        pytest.param({"Resources": ["arn:aws:dsql:*:*:cluster/*"]}, "arn:aws:dsql:*:*:cluster/*", id="type wildcard"),
        pytest.param({"Resources": ["arn:aws:dsql:*"]}, "arn:aws:dsql:*", id="service wildcard"),
    ],
)
@pytest.mark.parametrize("listed", [True, False], ids=["with tags", "without tags"])
def test_a_type_that_the_region_does_not_know(door: Door, body: dict[str, Any], by: str, listed: bool) -> None:
    if listed:
        tagged(DSQL)
    without(door, "DSQL")
    compliance, annotation = judged(door, **body)
    if not listed:  # merely named
        assert compliance == "COMPLIANT"
        assert ("is not supported by AWS Backup in eu-west-1" in annotation) is bool(body)
        return
    assert compliance == "NON_COMPLIANT"
    assert annotation.startswith(
        f"AWS Backup does not support resource type DSQL in eu-west-1, so {name(by, 40)} of {WHOSE} backs up none of"
        " 1 Aurora DSQL cluster, orders."
    )


def organization_plan(account: str) -> str:
    plan = {"BackupPlanName": "policy", "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "Default"}]}
    selection = {
        "SelectionName": "tagged",
        "IamRoleArn": f"arn:aws:iam::{account}:role/BackupRole",
        "ListOfTags": tag("backup", "true"),
    }
    (selection_id,) = add_plan(account, "eu-west-1", plan, plan_id="orgs/1", selections=[selection])
    return f"{selection_id}_orgs/1"


def test_a_plan_of_a_policy_in_a_member_account_is_the_management_accounts_matter(door: Door) -> None:
    Organization.of(door)
    tagged(VOLUME)
    turn(door, EBS=False)
    policy = organization_plan(ACCOUNT)
    own = door.selection(door.plan())

    with recorded_calls() as calls:
        assert set(door.evaluate(RULE)) == {(SELECTION, own)}

    (put,) = [
        each
        for call in calls
        if call.operation == "PutEvaluations"
        for each in call.parameters["Evaluations"]
        if each["ComplianceResourceId"] == policy
    ]
    assert put["ComplianceType"] == "NOT_APPLICABLE"
    assert put["Annotation"] == (
        "Plan policy comes from an organization's backup policy: the opt-in settings of the management account decide."
        " Judge them there."
    )


def test_a_plan_of_a_policy_in_the_management_account_is_judged_as_any_other(door: Door) -> None:
    door.client("organizations").create_organization(FeatureSet="ALL")
    tagged(VOLUME)
    turn(door, EBS=False)
    policy = organization_plan(ACCOUNT)
    found = door.evaluate(RULE)
    assert found[SELECTION, policy].compliance == "NON_COMPLIANT"


def test_no_organization_is_asked_for_without_a_plan_of_its_policy(door: Door) -> None:
    door.selection(door.plan())
    with recorded_calls() as calls:
        door.evaluate(RULE)
    assert "organizations" not in {call.service for call in calls}


@pytest.mark.parametrize(
    ("required", "compliance", "annotation"),
    [
        pytest.param("EBS, RDS,Storage Gateway", "COMPLIANT", "", id="all on"),
        pytest.param(
            "EBS,FSx,Aurora",
            "NON_COMPLIANT",
            "Required resource types in eu-west-1 are turned off: FSx, Aurora. Turn them on under AWS Backup > Settings"
            " > Service opt-in.",
            id="two off",
        ),
        pytest.param(
            "EBS,DSQL",
            "NON_COMPLIANT",
            "Required resource types in eu-west-1 are not supported by AWS Backup there: DSQL. Take them out of"
            " RequiredResourceTypes for this Region.",
            id="one not supported",
        ),
        pytest.param(
            "DSQL,FSx",
            "NON_COMPLIANT",
            "Required resource types in eu-west-1 are turned off: FSx; not supported by AWS Backup there: DSQL. Turn"
            " them on under AWS Backup > Settings > Service opt-in.",
            id="both",
        ),
    ],
)
def test_required_resource_types_give_a_verdict_about_the_account(
    door: Door, required: str, compliance: str, annotation: str
) -> None:
    without(door, "DSQL")
    turn(door, FSx=False, Aurora=False)
    found = door.evaluate(RULE, {"RequiredResourceTypes": required})
    assert set(found) == {(ACCOUNT_TYPE, ACCOUNT)}
    assert only(found) == (compliance, annotation)


def test_all_types_turned_off_fit_the_annotation(door: Door) -> None:
    turn(door, **dict.fromkeys(OPT_IN_KEYS, False))
    annotation = str(only(door.evaluate(RULE, {"RequiredResourceTypes": ",".join(OPT_IN_KEYS)}))[1])
    assert len(annotation) <= 256
    assert annotation.endswith("Turn them on under AWS Backup > Settings > Service opt-in.")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"RequiredResourceTypes": "EBS,Aurora DB"}, "RequiredResourceTypes is 'EBS,Aurora DB'; allowed is .*Aurora,"),
        ({"RequiredResourceTypes": "ebs"}, "RequiredResourceTypes is 'ebs'"),
        ({"Strict": "yes"}, "Strict is 'yes'; allowed is true or false"),
    ],
)
def test_parameters_that_are_refused(door: Door, parameters: dict[str, str], said: str) -> None:
    door.selection(door.plan())
    with recorded_calls() as calls, pytest.raises(InvalidRuleParametersError, match=said):
        door.evaluate(RULE, parameters)
    assert "PutEvaluations" not in {call.operation for call in calls}


def test_all_pages_are_read(door: Door) -> None:
    tagged(VOLUME, INSTANCE, f"{EC2}:volume/vol-2")
    turn(door, EBS=False)
    plan = door.plan()
    expected = {(SELECTION, door.selection(plan, name)) for name in ("one", "two", "three")}
    with page_size(1):
        found = door.evaluate(RULE)
    assert set(found) == expected
    assert all("skips 2 EBS volumes, such as vol-0abc." in each.annotation for each in found.values())


def test_excluded_plans_are_not_reported(door: Door) -> None:
    tagged(VOLUME)
    turn(door, EBS=False)
    door.selection(door.plan("scratch-1"))
    kept = door.selection(door.plan("nightly"))
    assert set(door.evaluate(RULE, {"ExcludedPlans": "scratch-*"})) == {(SELECTION, kept)}


def recording(door: Door) -> Recording:
    return Recording(door.account, door.region, door.now)


def test_a_changed_selection_is_judged_alone_and_the_account_not(door: Door) -> None:
    tagged(VOLUME)
    turn(door, EBS=False)
    plan = door.plan()
    changed = door.selection(plan, "changed")
    door.selection(plan, "other")
    answer = door.client("backup").get_backup_selection(BackupPlanId=plan, SelectionId=changed.partition("_")[0])
    item = selection_item(answer, recording(door))
    found = door.evaluate(RULE, {"RequiredResourceTypes": "EBS"}, item=item)
    assert {key: each.compliance for key, each in found.items()} == {(SELECTION, changed): "NON_COMPLIANT"}


def test_a_changed_plan_has_its_selections_judged(door: Door) -> None:
    plan = door.plan()
    expected = {(SELECTION, door.selection(plan, name)) for name in ("one", "two")}
    door.selection(door.plan("other"))
    item = plan_item(door.client("backup").get_backup_plan(BackupPlanId=plan), recording(door))
    assert set(door.evaluate(RULE, item=item)) == expected


@pytest.mark.parametrize(
    ("service", "operation", "named"),
    [
        ("backup", "ListBackupPlans", "backup:ListBackupPlans"),
        ("backup", "ListBackupSelections", "backup:ListBackupSelections"),
        ("backup", "GetBackupSelection", "backup:GetBackupSelection"),
        ("backup", "DescribeRegionSettings", "backup:DescribeRegionSettings"),
        ("resourcegroupstaggingapi", "GetResources", "tag:GetResources"),
        ("rds", "DescribeDBInstances", "rds:DescribeDBInstances"),
        ("rds", "DescribeDBClusters", "rds:DescribeDBClusters"),
        ("organizations", "DescribeOrganization", "organizations:DescribeOrganization"),
    ],
)
def test_what_cannot_be_read_gets_no_verdict(door: Door, service: str, operation: str, named: str) -> None:
    tagged(VOLUME)
    arn = cluster(door, "orders", "aurora-postgresql")
    turn(door, EBS=False, Aurora=False)
    plan = door.plan()
    door.selection(plan, "tagged")
    door.selection(plan, "named", Resources=[arn])
    organization_plan(ACCOUNT)
    with (
        failing(denied, service, operation) as struck,
        pytest.raises((ReadError, IncompleteEvaluationError), match=named),
    ):
        door.evaluate(RULE)
    assert struck.struck
    assert "COMPLIANT" not in {each.compliance for each in door.stored(RULE).values()}


def test_a_selection_that_cannot_be_read_leaves_the_others_judged(door: Door) -> None:
    tagged(VOLUME)
    turn(door, EBS=False)
    plan = door.plan()
    good, hidden = door.selection(plan, "good"), door.selection(plan, "hidden")
    hidden_id = hidden.partition("_")[0]
    with (
        failing(denied, "backup", "GetBackupSelection", when=lambda it: it["SelectionId"] == hidden_id),
        pytest.raises(IncompleteEvaluationError, match=hidden),
    ):
        door.evaluate(RULE)
    assert {key[1]: each.compliance for key, each in door.stored(RULE).items()} == {good: "NON_COMPLIANT"}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ResourceNotFoundException", "Cannot find Backup selection with ID 1"),
        ("InvalidParameterValueException", "Cannot find Backup plan with ID 1"),
    ],
)
@pytest.mark.parametrize("operation", ["ListBackupSelections", "GetBackupSelection"])
def test_a_plan_that_vanished_half_way_is_no_failure(door: Door, operation: str, code: str, message: str) -> None:
    gone = door.plan("gone")
    door.selection(gone)
    kept = door.selection(door.plan("kept"))
    with failing(error(code, message), "backup", operation, when=lambda it: it["BackupPlanId"] == gone):
        assert set(door.evaluate(RULE)) == {(SELECTION, kept)}


def test_the_tagging_api_is_asked_once_for_all_selections(door: Door) -> None:
    tagged(VOLUME)
    plan = door.plan()
    for number in range(5):
        door.selection(plan, f"selection-{number}")
    with recorded_calls() as calls:
        door.evaluate(RULE)
    asked = [json.dumps(sorted(call.parameters)) for call in calls if call.operation == "GetResources"]
    assert len(asked) == 1

"""What selections pick of a kind, or in a state, that AWS Backup cannot back up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto.rds.models import rds_backends

from aws_simulator.core.config import history
from aws_simulator.core.config.service import start_recorder
from aws_simulator.core.faults import denied, failing, recorded_calls
from aws_simulator.core.operations import page_size
from aws_simulator.core.tagging import tag_resource
from backup_rules.errors import IncompleteEvaluationError, ReadError
from tests.front_door import ACCOUNT, NOW, Door, front_door

RULE = "BACKUP_RESOURCE_READY"
SELECTION, BUCKET = "AWS::Backup::BackupSelection", "AWS::S3::Bucket"
BACKUP = [{"Key": "backup", "Value": "true"}]
SUBNETS = ["subnet-0123456789abcdef0"]


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        yield it


def tags(arn: str) -> None:
    tag_resource(ACCOUNT, "eu-west-1", arn, {"backup": "true"})


def bucket(door: Door, name: str, versioning: str | None = None, *, tagged: bool = True) -> str:
    s3 = door.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": door.region})
    if tagged:
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": BACKUP})
    if versioning:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning})
    return f"arn:aws:s3:::{name}"


def file_system(door: Door, kind: str, **settings: Any) -> dict[str, Any]:
    made = door.client("fsx").create_file_system(
        FileSystemType=kind, StorageCapacity=1200, SubnetIds=SUBNETS, Tags=BACKUP, **settings
    )
    found: dict[str, Any] = made["FileSystem"]
    return found


def ontap(door: Door) -> str:
    settings = {"DeploymentType": "SINGLE_AZ_1", "ThroughputCapacity": 128}
    return str(file_system(door, "ONTAP", OntapConfiguration=settings)["ResourceARN"])


def scratch(door: Door) -> str:
    return str(file_system(door, "LUSTRE", LustreConfiguration={"DeploymentType": "SCRATCH_2"})["ResourceARN"])


def gateway(_: Door) -> str:
    arn = f"arn:aws:storagegateway:eu-west-1:{ACCOUNT}:gateway/sgw-12A3456B"
    tags(arn)
    return arn


def custom_oracle(door: Door) -> str:
    made = door.client("rds").create_db_instance(
        DBInstanceIdentifier="ledger", DBInstanceClass="db.m5.large", Engine="oracle-ee", Tags=BACKUP
    )
    rds_backends[ACCOUNT]["eu-west-1"].databases["ledger"].engine = "custom-oracle-ee"  # which moto does not make
    return str(made["DBInstance"]["DBInstanceArn"])


def selection_verdict(door: Door, **body: Any) -> tuple[str, str]:
    made = door.selection(door.plan(), **body)
    found = door.evaluate(RULE)[SELECTION, made]
    return found.compliance, found.annotation


@pytest.mark.parametrize(
    ("make", "what", "remedy"),
    [
        (ontap, "ONTAP file system fs-", "AWS Backup backs up its volumes: {act} them instead."),
        (scratch, "SCRATCH Lustre file system fs-", "AWS Backup backs up persistent ones only: move the data to one."),
        (gateway, "Storage Gateway sgw-12A3456B", "AWS Backup backs up its volumes: {act} them instead."),
        (custom_oracle, "RDS Custom for Oracle instance ledger", "use RDS's own backups."),
    ],
    ids=["ONTAP", "SCRATCH", "gateway", "custom Oracle"],
)
@pytest.mark.parametrize("by_arn", [True, False], ids=["ARN", "tag"])
def test_what_cannot_be_backed_up_is_told_where_it_is_meant(
    door: Door, make: Any, what: str, remedy: str, by_arn: bool
) -> None:
    arn = make(door)
    compliance, annotation = selection_verdict(door, **({"Resources": [arn]} if by_arn else {}))
    assert compliance == "NON_COMPLIANT"
    act = "name" if by_arn else "tag"
    assert annotation.startswith(f"Selection everything of plan nightly {act}s {what}")
    assert annotation.endswith(remedy.format(act=act))


@pytest.mark.parametrize("entry", ["*", "arn:aws:fsx:*", "arn:aws:fsx:*:*:file-system/*"])
def test_wild_cards_pick_around_it(door: Door, entry: str) -> None:
    ontap(door)
    assert selection_verdict(door, Resources=[entry]) == ("COMPLIANT", "")


def test_a_linked_file_system_and_a_persistent_one(door: Door) -> None:
    linked = {"DeploymentType": "PERSISTENT_1", "PerUnitStorageThroughput": 50, "ImportPath": "s3://training-data"}
    file_system(door, "LUSTRE", LustreConfiguration=linked)
    compliance, annotation = selection_verdict(door)
    assert compliance == "NON_COMPLIANT"
    assert "Lustre file system with a data repository" in annotation


def test_several_are_counted_with_an_example(door: Door) -> None:
    for _ in range(3):
        ontap(door)
    assert "tags 3 times an ONTAP file system, such as fs-" in selection_verdict(door)[1]


@pytest.mark.parametrize(
    ("versioning", "compliance"),
    [(None, "NON_COMPLIANT"), ("Suspended", "NON_COMPLIANT"), ("Enabled", "COMPLIANT")],
)
@pytest.mark.parametrize("entry", [None, "*", "arn:aws:s3:::*", "arn:aws:s3:::invoices"])
def test_each_bucket_that_is_picked_needs_versioning(
    door: Door, versioning: str | None, compliance: str, entry: str | None
) -> None:
    start_recorder(door.session, door.region)
    bucket(door, "invoices", versioning, tagged=entry is None)
    bucket(door, "drawings", tagged=False)
    body: dict[str, Any] = {"Resources": [entry]} if entry else {}
    selection = door.selection(door.plan(), **body)
    found = door.evaluate(RULE)
    assert found[BUCKET, "invoices"].compliance == compliance
    assert ((BUCKET, "drawings") in found) is (entry in {"*", "arn:aws:s3:::*"})
    assert found[SELECTION, selection].compliance == "COMPLIANT"
    if compliance == "NON_COMPLIANT":
        assert found[BUCKET, "invoices"].annotation == (
            f"Versioning of bucket invoices is {versioning or 'Off'}, so every backup of it fails, by selection"
            " everything of plan nightly. Enable versioning of the bucket."
        )


def test_a_bucket_that_is_not_recorded_gets_no_verdict(door: Door) -> None:
    bucket(door, "invoices")
    bucket(door, "letters")
    selection = door.selection(door.plan())
    found = door.evaluate(RULE)
    assert set(found) == {(SELECTION, selection)}
    assert found[SELECTION, selection].annotation == (
        "AWS Config has not recorded the versioning of 2 S3 buckets that it picks: AWS Backup needs it Enabled."
    )


def eks_cluster(door: Door, mode: str | None) -> str:
    arn = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/orders"
    tags(arn)
    start_recorder(door.session, door.region)
    history.put_configuration_item(
        door.account,
        door.region,
        {
            "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": NOW.isoformat(),
            "configurationItemStatus": "OK",
            "awsAccountId": door.account,
            "awsRegion": door.region,
            "resourceType": "AWS::EKS::Cluster",
            "resourceId": "orders",
            "resourceName": "orders",
            "ARN": arn,
            "tags": {"backup": "true"},
            "configuration": {"Name": "orders", **({"AccessConfig": {"AuthenticationMode": mode}} if mode else {})},
        },
    )
    return arn


@pytest.mark.parametrize(
    ("mode", "compliance", "says"),
    [
        ("CONFIG_MAP", "NON_COMPLIANT", "picks EKS cluster orders with authentication mode CONFIG_MAP"),
        ("API", "COMPLIANT", ""),
        ("API_AND_CONFIG_MAP", "COMPLIANT", ""),
        (None, "COMPLIANT", "AWS Config does not tell the authentication mode of 1 EKS cluster"),
    ],
)
def test_an_eks_cluster_needs_access_entries(door: Door, mode: str | None, compliance: str, says: str) -> None:
    eks_cluster(door, mode)
    found = selection_verdict(door)
    assert found[0] == compliance
    assert says in found[1]
    if not says:
        assert found[1] == ""


def test_excluded_resources_are_not_reported_and_count_nowhere(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    start_recorder(door.session, door.region)
    bucket(door, "invoices")
    bucket(door, "letters")
    ontap(door)
    selection = door.selection(door.plan())
    found = door.evaluate(RULE, {"ExcludedResources": "invoic?s, arn:aws:fsx:*"})
    assert {key: each.compliance for key, each in found.items()} == {
        (SELECTION, selection): "COMPLIANT",
        (BUCKET, "letters"): "NON_COMPLIANT",
    }
    assert '"excluded_resources": 2' in capsys.readouterr().out


def test_pages_not_calls_per_bucket(door: Door) -> None:
    start_recorder(door.session, door.region)
    for number in range(5):
        bucket(door, f"invoices-{number}")
    door.selection(door.plan())
    with page_size(2), recorded_calls() as calls:
        found = door.evaluate(RULE)
    assert len([key for key in found if key[0] == BUCKET]) == 5
    assert len([call for call in calls if call.operation == "SelectResourceConfig"]) <= 6
    assert "s3" not in {call.service for call in calls}


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("backup", "ListBackupPlans"),
        ("backup", "ListBackupSelections"),
        ("backup", "GetBackupSelection"),
        ("resourcegroupstaggingapi", "GetResources"),
        ("config", "SelectResourceConfig"),
        ("fsx", "DescribeFileSystems"),
        ("fsx", "DescribeVolumes"),
        ("rds", "DescribeDBInstances"),
    ],
)
def test_what_cannot_be_read_gets_no_verdict(door: Door, service: str, operation: str) -> None:
    start_recorder(door.session, door.region)
    bucket(door, "invoices")
    custom_oracle(door)
    ontap(door)
    door.selection(door.plan())
    with failing(denied, service, operation), pytest.raises((ReadError, IncompleteEvaluationError), match=operation):
        door.evaluate(RULE)
    assert "COMPLIANT" not in {each.compliance for each in door.stored(RULE).values()}


def test_a_bucket_whose_selection_cannot_be_read_keeps_its_verdict(door: Door) -> None:
    bucket(door, "invoices")
    start_recorder(door.session, door.region)
    door.selection(door.plan())
    before = door.evaluate(RULE)
    assert before[BUCKET, "invoices"].compliance == "NON_COMPLIANT"
    with failing(denied, "backup", "GetBackupSelection"), pytest.raises(IncompleteEvaluationError):
        door.evaluate(RULE)
    assert door.stored(RULE) == before

"""The tagging API of the simulator."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from aws_simulator.core import tagging
from aws_simulator.core.accounts import account_session
from aws_simulator.core.operations import page_size
from aws_simulator.simulation import simulated_aws

ACCOUNT, REGION = "111122223333", "eu-west-1"
HERE = f"{REGION}:{ACCOUNT}"


@pytest.fixture
def session() -> Iterator[boto3.Session]:
    with simulated_aws():
        yield account_session(ACCOUNT, REGION)


@pytest.fixture
def client(session: boto3.Session) -> Any:
    return session.client("resourcegroupstaggingapi")


def found(client: Any, **parameters: Any) -> dict[str, dict[str, str]]:
    """Tags by ARN, over all pages."""
    return {
        each["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in each["Tags"]}
        for page in client.get_paginator("get_resources").paginate(**parameters)
        for each in page["ResourceTagMappingList"]
    }


TAG = {"backup ": " Daily"}
TAGS = [{"Key": "backup ", "Value": " Daily"}]


def dynamodb(session: boto3.Session) -> str:
    answer = session.client("dynamodb").create_table(
        TableName="orders",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=TAGS,
    )
    return str(answer["TableDescription"]["TableArn"])


def volume(session: boto3.Session) -> str:
    specification = [{"ResourceType": "volume", "Tags": TAGS}]
    ec2 = session.client("ec2")
    answer = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1, TagSpecifications=specification)
    return f"arn:aws:ec2:{HERE}:volume/{answer['VolumeId']}"


def instance(session: boto3.Session) -> str:
    specification = [{"ResourceType": "instance", "Tags": TAGS}]
    answer = session.client("ec2").run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, TagSpecifications=specification
    )
    return f"arn:aws:ec2:{HERE}:instance/{answer['Instances'][0]['InstanceId']}"


def efs(session: boto3.Session) -> str:
    return str(session.client("efs").create_file_system(CreationToken="a", Tags=TAGS)["FileSystemArn"])


def eks(session: boto3.Session) -> str:
    answer = session.client("eks").create_cluster(
        name="prod", roleArn=f"arn:aws:iam::{ACCOUNT}:role/eks", resourcesVpcConfig={}, tags=TAG
    )
    return str(answer["cluster"]["arn"])


def fsx(session: boto3.Session) -> str:
    answer = session.client("fsx").create_file_system(
        FileSystemType="LUSTRE", SubnetIds=["subnet-12345678"], StorageCapacity=1200, Tags=TAGS
    )
    return str(answer["FileSystem"]["ResourceARN"])


def s3(session: boto3.Session) -> str:
    client = session.client("s3")
    client.create_bucket(Bucket="reports", CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_tagging(Bucket="reports", Tagging={"TagSet": TAGS})
    return "arn:aws:s3:::reports"


def redshift(session: boto3.Session) -> str:
    session.client("redshift").create_cluster(
        ClusterIdentifier="dwh", NodeType="ra3.large", MasterUsername="admin", MasterUserPassword="Secret12", Tags=TAGS
    )
    return f"arn:aws:redshift:{HERE}:cluster:dwh"


def timestream(session: boto3.Session) -> str:
    client = session.client("timestream-write", endpoint_url="https://ingest.timestream.eu-west-1.amazonaws.com")
    client.create_database(DatabaseName="metrics")
    answer = client.create_table(DatabaseName="metrics", TableName="cpu", Tags=TAGS)
    return str(answer["Table"]["Arn"])


def cloudformation(session: boto3.Session) -> str:
    template = '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
    answer = session.client("cloudformation").create_stack(StackName="app", TemplateBody=template, Tags=TAGS)
    return str(answer["StackId"])


def rds(session: boto3.Session) -> str:
    answer = session.client("rds").create_db_instance(
        DBInstanceIdentifier="solo",
        DBInstanceClass="db.t3.small",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="root",
        MasterUserPassword="Secret1234",
        Tags=TAGS,
    )
    return str(answer["DBInstance"]["DBInstanceArn"])


def cluster(session: boto3.Session) -> str:
    answer = session.client("rds").create_db_cluster(
        DBClusterIdentifier="docs", Engine="docdb", MasterUsername="root", MasterUserPassword="Secret1234", Tags=TAGS
    )
    return str(answer["DBCluster"]["DBClusterArn"])


@pytest.mark.parametrize(
    ("make", "resource_type"),
    [
        (dynamodb, "dynamodb:table"),
        (volume, "ec2:volume"),
        (instance, "ec2:instance"),
        (efs, "elasticfilesystem:file-system"),
        (eks, "eks:cluster"),
        (fsx, "fsx:file-system"),
        (s3, "s3"),
        (redshift, "redshift:cluster"),
        (timestream, "timestream:table"),
        (cloudformation, "cloudformation:stack"),
        (rds, "rds:db"),
        (cluster, "rds:cluster"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_tagged_resource_of_each_service_is_listed_in_its_region_only(
    session: boto3.Session, client: Any, make: Any, resource_type: str
) -> None:
    arn = make(session)
    service = resource_type.partition(":")[0]
    others = [each for each in ("dynamodb:table", "s3:bucket", "rds:db") if not each.startswith(f"{service}:")]
    assert found(client, ResourceTypeFilters=[resource_type]) == {arn: TAG}
    assert found(client, ResourceTypeFilters=others) == {}
    elsewhere = account_session(ACCOUNT, "us-east-1").client("resourcegroupstaggingapi")
    assert found(elsewhere, ResourceTypeFilters=[resource_type]) == {}
    other_account = account_session("444455556666", REGION).client("resourcegroupstaggingapi")
    assert found(other_account, ResourceTypeFilters=[resource_type]) == {}


@pytest.mark.parametrize(
    ("resource", "resource_type"),
    [
        ("backup-gateway:{}:vm/vm-1", "backup-gateway:vm"),
        ("ssm-sap:{}:HANA/app/DB/db", "ssm-sap"),
        ("storagegateway:{}:gateway/sgw-1/volume/vol-1", "storagegateway:gateway"),
        ("storagegateway:{}:gateway/sgw-1/volume/vol-1", "storagegateway:volume"),
        ("redshift-serverless:{}:namespace/n-1", "redshift-serverless:namespace"),
        ("fsx:{}:volume/fs-1/fsvol-1", "fsx:volume"),
        ("dsql:{}:cluster/abc", "dsql:cluster"),
    ],
)
def test_services_that_moto_lacks_are_registered_by_arn(client: Any, resource: str, resource_type: str) -> None:
    arn = "arn:aws:" + resource.format(HERE)
    assert client.tag_resources(ResourceARNList=[arn], Tags=TAG)["FailedResourcesMap"] == {}
    tagging.tag_resource(ACCOUNT, REGION, arn, {"more": ""})
    assert found(client, ResourceTypeFilters=[resource_type]) == {arn: TAG | {"more": ""}}
    assert found(client, ResourceTypeFilters=["ec2:instance"]) == {}
    client.untag_resources(ResourceARNList=[arn], TagKeys=["more", "backup "])
    assert found(client) == {arn: {}}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param([{"Key": "a"}], "13", id="key, any value"),
        pytest.param([{"Key": "A"}], "2", id="case counts in keys"),
        pytest.param([{"Key": "a", "Values": ["x"]}], "1", id="case counts in values"),
        pytest.param([{"Key": "a", "Values": ["x", "X "]}], "13", id="one of the values"),
        pytest.param([{"Key": "a", "Values": ["X"]}], "", id="blanks count"),
        pytest.param([{"Key": "a"}, {"Key": "b", "Values": ["y"]}], "3", id="all of the keys"),
        pytest.param([{"Key": "a", "Values": [""]}], "", id="empty value"),
    ],
)
def test_tag_filters(client: Any, filters: list[dict[str, Any]], expected: str) -> None:
    for number, tags in {"1": {"a": "x"}, "2": {"A": "x", "b": "y"}, "3": {"a": "X ", "b": "y"}}.items():
        tagging.tag_resource(ACCOUNT, REGION, f"arn:aws:dsql:{HERE}:cluster/{number}", tags)
    assert "".join(sorted(arn[-1] for arn in found(client, TagFilters=filters))) == expected


def test_a_registered_arn_may_be_one_that_moto_does_not_have(client: Any) -> None:
    arn = f"arn:aws:rds:{HERE}:cluster:deleted-meanwhile"
    tagging.tag_resource(ACCOUNT, REGION, arn, TAG)
    assert found(client, ResourceTypeFilters=["rds:cluster"]) == {arn: TAG}


class TestPages:
    @pytest.fixture(autouse=True)
    def _seven(self, client: Any) -> None:
        for number in range(7):
            tagging.tag_resource(
                ACCOUNT, REGION, f"arn:aws:dsql:{HERE}:cluster/{number}", {f"k{number}": "v", "k": str(number)}
            )

    def sizes(self, client: Any, operation: str, member: str, **parameters: Any) -> list[int]:
        return [len(page[member]) for page in client.get_paginator(operation).paginate(**parameters)]

    def test_resources(self, client: Any) -> None:
        assert self.sizes(client, "get_resources", "ResourceTagMappingList") == [7]
        assert self.sizes(client, "get_resources", "ResourceTagMappingList", ResourcesPerPage=3) == [3, 3, 1]
        with page_size(2):
            assert self.sizes(client, "get_resources", "ResourceTagMappingList", ResourcesPerPage=3) == [2, 2, 2, 1]
            assert len(found(client)) == 7

    def test_keys_and_values_come_once_each(self, client: Any) -> None:
        with page_size(3):
            assert self.sizes(client, "get_tag_keys", "TagKeys") == [3, 3, 2]
            assert self.sizes(client, "get_tag_values", "TagValues", Key="k") == [3, 3, 1]
        assert client.get_tag_keys()["TagKeys"] == ["k", *(f"k{number}" for number in range(7))]
        assert client.get_tag_values(Key="k")["TagValues"] == [str(number) for number in range(7)]
        assert client.get_tag_values(Key="K")["TagValues"] == []

    def test_arns(self, client: Any) -> None:
        arns = [f"arn:aws:dsql:{HERE}:cluster/{number}" for number in (2, 5, 9)]
        assert set(found(client, ResourceARNList=arns)) == set(arns[:2])
        with page_size(1):
            first = client.get_resources(ResourceARNList=arns)
            second = client.get_resources(ResourceARNList=arns, PaginationToken=first["PaginationToken"])
        assert [len(page["ResourceTagMappingList"]) for page in (first, second)] == [1, 1]
        assert second["PaginationToken"] == ""

    def test_tags_per_page_never_split_a_resource(self, client: Any) -> None:
        for number in range(5):
            tags = {f"t{key}": "v" for key in range(40)}
            tagging.tag_resource(ACCOUNT, REGION, f"arn:aws:eks:{HERE}:cluster/{number}", tags)
        asked = {"ResourceTypeFilters": ["eks"], "TagsPerPage": 100}
        assert self.sizes(client, "get_resources", "ResourceTagMappingList", **asked) == [2, 2, 1]

    @pytest.mark.parametrize(
        ("parameters", "code"),
        [
            pytest.param({"ResourcesPerPage": 101}, "InvalidParameterException", id="too many per page"),
            pytest.param({"TagsPerPage": 99}, "InvalidParameterException", id="too few tags per page"),
            pytest.param(
                {"ResourceARNList": ["arn:aws:s3:::b"], "TagFilters": [{"Key": "a"}]},
                "InvalidParameterException",
                id="ARNs with tag filters",
            ),
            pytest.param({"PaginationToken": "made up"}, "PaginationTokenExpiredException", id="made-up token"),
            pytest.param(
                {"TagFilters": [{"Key": "a", "Values": [str(n) for n in range(21)]}]},
                "InvalidParameterException",
                id="21 values",
            ),
        ],
    )
    def test_what_is_refused(self, client: Any, parameters: dict[str, Any], code: str) -> None:
        with pytest.raises(ClientError) as caught:
            client.get_resources(**parameters)
        assert caught.value.response["Error"]["Code"] == code


def test_twenty_thousand_resources_are_listed_within_seconds(client: Any) -> None:
    for number in range(20_000):
        arn = f"arn:aws:backup-gateway:{HERE}:vm/vm-{number}"
        tagging.tag_resource(ACCOUNT, REGION, arn, {f"key-{number % 50}": "v", "Name": str(number)})
    began = time.process_time()
    assert len(found(client, ResourcesPerPage=100)) == 20_000
    assert len(client.get_tag_keys()["TagKeys"]) == 51
    assert len(found(client, TagFilters=[{"Key": "key-7"}])) == 400
    assert time.process_time() - began < 20


@pytest.mark.parametrize("wanted", ["sqs", "sqs:queue"])
def test_a_type_that_the_arn_does_not_name_is_found_all_the_same(
    session: boto3.Session, client: Any, wanted: str
) -> None:
    session.client("sqs").create_queue(QueueName="jobs", tags=TAG)
    volume(session)
    assert found(client, ResourceTypeFilters=[wanted]) == {f"arn:aws:sqs:{HERE}:jobs": TAG}
    assert found(client, ResourceTypeFilters=["sns", "sqs:topic"]) == {}

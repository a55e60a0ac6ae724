"""Policies of functions as one document, and policies of buckets with conditions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from aws_simulator.simulation import simulated_aws
from tests.simulator.callers import client

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:judge"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ADMIT = {"Sid": "all", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": ARN}


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return str(raised.value.response["Error"]["Code"])


@pytest.fixture(autouse=True)
def simulation() -> Iterator[None]:
    with simulated_aws():
        yield


@pytest.fixture
def function() -> Any:
    """A function with one statement of AddPermission."""
    role = client("iam").create_role(RoleName="function", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions = client("lambda")
    functions.create_function(
        FunctionName="judge",
        Runtime="python3.13",
        Handler="x.y",
        Role=role,
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
    )
    functions.add_permission(
        FunctionName="judge", StatementId="old", Action="lambda:InvokeFunction", Principal="config.amazonaws.com"
    )
    return functions


def test_a_resource_policy_replaces_the_statements_that_were_added(function: Any) -> None:
    function.put_resource_policy(ResourceArn=ARN, Policy=policy(ADMIT))
    for shown in (function.get_policy(FunctionName="judge"), function.get_resource_policy(ResourceArn=ARN)):
        assert [each["Sid"] for each in json.loads(shown["Policy"])["Statement"]] == ["all"]
    function.delete_resource_policy(ResourceArn=ARN)
    with pytest.raises(ClientError) as raised:
        function.get_resource_policy(ResourceArn=ARN)
    assert code(raised) == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ResourceArn": f"{ARN}-2"}, "ResourceNotFoundException"),
        ({"Policy": "no JSON"}, "InvalidParameterValueException"),
        ({"Policy": policy({**ADMIT, "Sid": "x" * 20_480})}, "PolicyLengthExceededException"),
        ({"RevisionId": "00000000-0000-0000-0000-000000000000"}, "PreconditionFailedException"),
    ],
    ids=["no function", "no policy", "too long", "changed meanwhile"],
)
def test_a_resource_policy_is_refused(function: Any, changes: dict[str, str], expected: str) -> None:
    with pytest.raises(ClientError) as raised:
        function.put_resource_policy(**{"ResourceArn": ARN, "Policy": policy(ADMIT)} | changes)
    assert code(raised) == expected


@pytest.mark.parametrize(
    ("statement", "readable"),
    [
        ({"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, True),
        ({"Effect": "Deny", "Principal": "*"}, False),
        ({"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, False),
        ({"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}, True),
        ({"Effect": "Allow", "Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a"}}}, True),
    ],
    ids=["TLS only", "nobody", "no TLS", "someone else", "an organization"],
)
def test_a_bucket_policy_strikes_when_its_conditions_hold(statement: dict[str, Any], readable: bool) -> None:
    storage = client("s3")
    storage.create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    storage.put_object(Bucket="files", Key="a", Body=b"content")
    complete = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::files/*", **statement}
    storage.put_bucket_policy(Bucket="files", Policy=policy(complete))
    if readable:
        assert storage.get_object(Bucket="files", Key="a")["Body"].read() == b"content"
    else:
        with pytest.raises(ClientError):
            storage.get_object(Bucket="files", Key="a")


def test_a_bucket_policy_knows_the_role_of_the_caller() -> None:
    role = client("iam").create_role(RoleName="keeper", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    storage = client("s3")
    storage.create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    others = {"Effect": "Deny", "Principal": "*", "Condition": {"ArnNotEquals": {"aws:PrincipalArn": role}}}
    actions = {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::files/*"}
    storage.put_bucket_policy(Bucket="files", Policy=policy({**actions, **others}))
    with pytest.raises(ClientError, match="403"):
        storage.put_object(Bucket="files", Key="a", Body=b"content")
    session = client("sts").assume_role(RoleArn=role, RoleSessionName="keeping")["Credentials"]
    keeper = boto3.client(
        "s3",
        region_name="eu-west-1",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    keeper.put_object(Bucket="files", Key="a", Body=b"content")
    with pytest.raises(ClientError):
        storage.get_object(Bucket="files", Key="a")
    assert keeper.get_object(Bucket="files", Key="a")["Body"].read() == b"content"

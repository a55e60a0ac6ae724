"""`SimulatePrincipalPolicy` as IAM takes and gives it, checked against botocore's model of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from backup_rules.aws.iam import arguments, parse_results, split
from backup_rules.iam.denials import Decision, SimulationResult
from backup_rules.iam.permissions import ContextEntry, SimulationRequest

ROLE = "arn:aws:iam::111122223333:role/service-role/backup"
BUCKET, OTHER = "arn:aws:s3:::invoices", "arn:aws:s3:::orders"
LIST = "s3:ListBucket"

TWO = SimulationRequest(
    (LIST, "s3:GetObject"), (BUCKET, OTHER), (ContextEntry("aws:PrincipalAccount", "111122223333"),)
)
ONE = replace(TWO, actions=(LIST,), resource_arns=(BUCKET,))
ANYTHING = replace(TWO, actions=(LIST,), resource_arns=())


def test_the_arguments_are_as_the_operation_takes_them() -> None:
    entry = {"ContextKeyName": "aws:PrincipalAccount", "ContextKeyValues": ["111122223333"], "ContextKeyType": "string"}
    assert arguments(TWO, ROLE) == {
        "PolicySourceArn": ROLE,
        "ActionNames": [LIST, "s3:GetObject"],
        "ResourceArns": [BUCKET, OTHER],
        "ContextEntries": [entry],
    }
    assert "ResourceArns" not in arguments(ANYTHING, ROLE)


def test_botocore_takes_the_arguments() -> None:
    client = boto3.client("iam", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")
    with Stubber(client) as stub:
        stub.add_response("simulate_principal_policy", {"EvaluationResults": []}, arguments(TWO, ROLE))
        assert client.simulate_principal_policy(**arguments(TWO, ROLE))["EvaluationResults"] == []


def result(decision: str = "allowed", **others: Any) -> dict[str, Any]:
    return {"EvalActionName": LIST, "EvalDecision": decision} | others


def specific(resource: str, decision: str = "allowed", **others: Any) -> dict[str, Any]:
    return {"EvalResourceName": resource, "EvalResourceDecision": decision} | others


def allowed(resource: str) -> SimulationResult:
    return SimulationResult(LIST, resource, Decision.ALLOWED)


def denied(resource: str) -> SimulationResult:
    return SimulationResult(LIST, resource, Decision.IMPLICIT_DENY)


FORMS: dict[str, tuple[SimulationRequest, list[dict[str, Any]], tuple[SimulationResult, ...]]] = {
    "one per action": (
        TWO,
        [
            result(
                "implicitDeny",
                EvalResourceName="arn:${Partition}:s3:::${BucketName}",
                ResourceSpecificResults=[specific(BUCKET), specific(OTHER, "implicitDeny")],
            )
        ],
        (allowed(BUCKET), denied(OTHER)),
    ),
    "one per action and resource": (
        TWO,
        [result(EvalResourceName=BUCKET), result("implicitDeny", EvalResourceName=OTHER)],
        (allowed(BUCKET), denied(OTHER)),
    ),
    "one per action and resource, each with the aggregate and its own": (
        TWO,
        [
            result("implicitDeny", EvalResourceName=BUCKET, ResourceSpecificResults=[specific(BUCKET)]),
            result("implicitDeny", EvalResourceName=OTHER, ResourceSpecificResults=[specific(OTHER, "implicitDeny")]),
        ],
        (allowed(BUCKET), denied(OTHER)),
    ),
    "the most restrictive decision is that all is allowed": (
        TWO,
        [result(EvalResourceName="*")],
        (allowed(BUCKET), allowed(OTHER)),
    ),
    "a single resource under the name of its template": (
        ONE,
        [result("implicitDeny", EvalResourceName="arn:${Partition}:s3:::${BucketName}")],
        (denied(BUCKET),),
    ),
    "no resource": (ANYTHING, [result(EvalResourceName="*")], (allowed("*"),)),
    "no resource and no name": (ANYTHING, [result("implicitDeny")], (denied("*"),)),
    "no resource under the name of a template": (
        ANYTHING,
        [result(EvalResourceName="arn:${Partition}:s3:::${BucketName}")],
        (allowed("*"),),
    ),
    "no resource, told apart all the same": (
        ANYTHING,
        [result(ResourceSpecificResults=[specific("*")])],
        (allowed("*"),),
    ),
    "the action in another case": (ONE, [result(EvalActionName="S3:listbucket")], (allowed(BUCKET),)),
}


@pytest.mark.parametrize(("request_", "results", "expected"), FORMS.values(), ids=FORMS)
def test_the_forms_of_an_answer(
    request_: SimulationRequest, results: list[dict[str, Any]], expected: tuple[SimulationResult, ...]
) -> None:
    assert parse_results(request_, results) == expected


def test_who_withholds_it_is_read_of_the_resource_first() -> None:
    (first, second) = parse_results(
        TWO,
        [
            result(
                "implicitDeny",
                OrganizationsDecisionDetail={"AllowedByOrganizations": True},
                PermissionsBoundaryDecisionDetail={"AllowedByPermissionsBoundary": False},
                MissingContextValues=["aws:SourceIp"],
                ResourceSpecificResults=[
                    specific(BUCKET, PermissionsBoundaryDecisionDetail={"AllowedByPermissionsBoundary": True}),
                    specific(OTHER, "explicitDeny", MissingContextValues=["s3:prefix"]),
                ],
            )
        ],
    )
    assert first == SimulationResult(LIST, BUCKET, Decision.ALLOWED, True, True, ("aws:SourceIp",))  # noqa: FBT003 - as read
    assert second == SimulationResult(LIST, OTHER, Decision.EXPLICIT_DENY, False, True, ("s3:prefix",))  # noqa: FBT003 - as read


MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "no action": ({"EvalDecision": "allowed"}, "EvalActionName"),
    "no decision": ({"EvalActionName": LIST}, "EvalDecision"),
    "an unknown decision": (
        result("perhaps"),
        "EvalDecision is 'perhaps'; IAM knows allowed, explicitDeny, implicitDeny",
    ),
    "a decision that is no text": (result(EvalDecision=True), "EvalDecision is True, not str"),
    "a resource without a name": (
        result(ResourceSpecificResults=[{"EvalResourceDecision": "allowed"}]),
        "EvalResourceName",
    ),
    "a resource without a decision": (
        result(ResourceSpecificResults=[{"EvalResourceName": BUCKET}]),
        "EvalResourceDecision",
    ),
    "a boundary that is no truth": (
        result(PermissionsBoundaryDecisionDetail={"AllowedByPermissionsBoundary": "true"}),
        "AllowedByPermissionsBoundary is 'true', not bool",
    ),
    "a denial of nobody knows what": (
        result("implicitDeny", EvalResourceName="*"),
        "s3:ListBucket is simulated as implicitDeny without saying on which of 2 resources",
    ),
}


@pytest.mark.parametrize(("answer", "message"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_answer_says_what_is_wrong(answer: dict[str, Any], message: str) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)) as error:
        parse_results(TWO, [answer])
    assert message in str(error.value)


def test_a_request_that_the_simulator_refuses_is_split_as_it_says() -> None:
    message = "Invalid Input Actions: [s3:ListBucket] and [s3:GetObject] require different authorization information."
    assert split(TWO, message) == (replace(TWO, actions=(LIST,)), replace(TWO, actions=("s3:GetObject",)))


@pytest.mark.parametrize(
    "message",
    [
        "Rate exceeded",
        "Invalid Input Actions: [s3:ListBucket] require different authorization information.",
        "Invalid Input Actions: [s3:ListBucket] and [s3:PutObject] require different authorization information.",
        "ResourceNames are not in a valid ARN format: [s3:ListBucket] and [s3:GetObject].",
    ],
)
def test_other_refusals_are_not_split(message: str) -> None:
    assert split(TWO, message) == ()

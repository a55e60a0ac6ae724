"""IAM policies evaluated, simulated and enforced, against the rules of the IAM user guide."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.server import ThreadedMotoServer
from policy_sentry.querying.actions import get_action_data

from aws_simulator.core import iam
from aws_simulator.core.iam import catalogue, simulation
from aws_simulator.core.iam.conditions import Condition, UnknownOperatorError
from aws_simulator.core.iam.patterns import Context, compile_pattern, matches, matches_arn
from aws_simulator.core.iam.policies import MalformedPolicyError, Policies, decide, parse_document
from aws_simulator.deployment import authorization

REGION = "eu-west-1"
ACCOUNT = "123456789012"  # the account of callers whose credentials moto does not know
MEMBER = "444455556666"
VOLUME = f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-0abc"
BUCKET = "arn:aws:s3:::amzn-s3-demo-bucket"
FOR_BACKUP = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
FOR_S3_BACKUP = "arn:aws:iam::aws:policy/AWSBackupServiceRolePolicyForS3Backup"


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def allow(action: Any = "*", resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **elements}


def deny(action: Any = "*", resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return {**allow(action, resource, **elements), "Effect": "Deny"}


def when(**operators: dict[str, Any]) -> dict[str, Any]:
    return {"Condition": operators}


def verdict(
    identity: list[dict[str, Any]],
    action: str = "ec2:CreateSnapshot",
    resource: str = VOLUME,
    context: dict[str, str | tuple[str, ...]] | None = None,
    *,
    boundary: list[dict[str, Any]] | None = None,
    levels: list[list[dict[str, Any]]] | None = None,
) -> str:
    policies = Policies(
        identity=(parse_document("identity", policy(*identity)),),
        boundary=parse_document("boundary", policy(*boundary)) if boundary is not None else None,
        service_control=tuple((parse_document("scp", policy(*level)),) for level in levels) if levels else None,
    )
    values = {key.lower(): (value,) if isinstance(value, str) else value for key, value in (context or {}).items()}
    return decide(policies, action, resource, values).effect.value


class TestDecide:
    @pytest.mark.parametrize(
        ("identity", "request_", "expected"),
        [
            pytest.param([allow("ec2:CreateSnapshot")], {}, "allowed", id="exact action"),
            pytest.param([allow("ec2:CopySnapshot")], {}, "implicitDeny", id="other action"),
            pytest.param([], {}, "implicitDeny", id="no statement"),
            pytest.param([allow("ec2:*")], {}, "allowed", id="star action"),
            pytest.param([allow("*")], {}, "allowed", id="any action"),
            pytest.param([allow("ec2:Create*")], {}, "allowed", id="action prefix"),
            pytest.param([allow("ec2:*Snapshot")], {}, "allowed", id="action suffix"),
            pytest.param([allow("ec2:CreateSnapsho?")], {}, "allowed", id="question mark is one character"),
            pytest.param([allow("ec2:CreateSnapshot?")], {}, "implicitDeny", id="question mark is not none"),
            pytest.param([allow("EC2:createSNAPSHOT")], {}, "allowed", id="actions ignore case"),
            pytest.param([allow(["s3:GetObject", "ec2:CreateSnapshot"])], {}, "allowed", id="one of several actions"),
            pytest.param([allow("ec2:Create.napshot")], {}, "implicitDeny", id="dot is no wildcard"),
            pytest.param([allow(resource=VOLUME)], {}, "allowed", id="exact resource"),
            pytest.param([allow(resource=VOLUME.upper())], {}, "implicitDeny", id="resources heed case"),
            pytest.param([allow(resource="arn:aws:ec2:*:*:volume/*")], {}, "allowed", id="resource wildcards"),
            pytest.param([allow(resource="arn:aws:ec2:*:*:snapshot/*")], {}, "implicitDeny", id="other resource type"),
            pytest.param([allow(resource="arn:aws:ec2")], {}, "allowed", id="incomplete ARN is completed"),
            pytest.param([allow(resource="arn:aws:ec2:*:volume/*")], {}, "implicitDeny", id="star stays in its part"),
            pytest.param(
                [allow(resource=VOLUME)], {"resource": "*"}, "implicitDeny", id="no resource, scoped statement"
            ),
            pytest.param([allow()], {"resource": "*"}, "allowed", id="no resource, star statement"),
            pytest.param([allow(), deny("ec2:CreateSnapshot")], {}, "explicitDeny", id="deny wins"),
            pytest.param([deny("ec2:CreateSnapshot"), allow()], {}, "explicitDeny", id="deny wins in any order"),
            pytest.param([allow(), deny(resource=BUCKET)], {}, "allowed", id="deny of another resource"),
            pytest.param(
                [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
                {},
                "allowed",
                id="NotAction, another action",
            ),
            pytest.param(
                [{"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}],
                {},
                "implicitDeny",
                id="NotAction, that action",
            ),
            pytest.param(
                [allow(), {"Effect": "Deny", "NotAction": "ec2:*", "Resource": "*"}], {}, "allowed", id="Deny NotAction"
            ),
            pytest.param(
                [{"Effect": "Allow", "Action": "*", "NotResource": BUCKET}], {}, "allowed", id="NotResource, another"
            ),
            pytest.param(
                [{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:ec2:*:*:volume/*"}],
                {},
                "implicitDeny",
                id="NotResource, that one",
            ),
            pytest.param(
                [allow(**when(StringEquals={"aws:RequestedRegion": REGION}))],
                {"context": {"aws:RequestedRegion": REGION}},
                "allowed",
                id="condition met",
            ),
            pytest.param(
                [allow(**when(StringEquals={"aws:RequestedRegion": REGION}))],
                {"context": {"aws:RequestedRegion": "us-east-1"}},
                "implicitDeny",
                id="condition not met",
            ),
            pytest.param(
                [allow(), deny(**when(StringNotEquals={"aws:RequestedRegion": REGION}))],
                {"context": {"aws:RequestedRegion": REGION}},
                "allowed",
                id="deny whose condition is not met",
            ),
            pytest.param(
                [allow(resource="arn:aws:ec2:*:${aws:PrincipalAccount}:volume/*")],
                {"context": {"aws:PrincipalAccount": ACCOUNT}},
                "allowed",
                id="policy variable in the resource",
            ),
            pytest.param(
                [allow(resource="arn:aws:ec2:*:${aws:PrincipalAccount}:volume/*")],
                {},
                "implicitDeny",
                id="policy variable without a value",
            ),
            pytest.param(
                [allow(resource="arn:aws:ec2:*:${aws:PrincipalAccount, '123456789012'}:volume/*")],
                {},
                "allowed",
                id="policy variable with a default",
            ),
            pytest.param(
                [allow(resource=f"{VOLUME}${{*}}")], {"resource": f"{VOLUME}s"}, "implicitDeny", id="literal star"
            ),
            pytest.param([allow(resource=f"{VOLUME}${{*}}")], {"resource": f"{VOLUME}*"}, "allowed", id="star itself"),
        ],
    )
    def test_identity_policy(self, identity: list[dict[str, Any]], request_: dict[str, Any], expected: str) -> None:
        assert verdict(identity, **request_) == expected

    def test_star_in_the_value_of_a_variable_is_no_wildcard(self) -> None:
        scoped = [allow(resource="arn:aws:s3:::${aws:username}")]
        assert verdict(scoped, resource="arn:aws:s3:::secret", context={"aws:username": "*"}) == "implicitDeny"

    def test_policies_of_the_old_version_have_no_variables(self) -> None:
        document = parse_document("old", policy(allow(resource="arn:aws:s3:::${aws:username}"), version="2008-10-17"))
        context = {"aws:username": ("ana",)}
        assert not decide(Policies((document,)), "s3:GetObject", "arn:aws:s3:::ana", context).allowed
        assert decide(Policies((document,)), "s3:GetObject", "arn:aws:s3:::${aws:username}", context).allowed

    @pytest.mark.parametrize(
        ("boundary", "expected"),
        [
            pytest.param([allow("ec2:*")], "allowed", id="allows"),
            pytest.param([allow("s3:*")], "implicitDeny", id="allows something else"),
            pytest.param([allow(), deny("ec2:CreateSnapshot")], "explicitDeny", id="denies"),
        ],
    )
    def test_boundary_caps(self, boundary: list[dict[str, Any]], expected: str) -> None:
        assert verdict([allow()], boundary=boundary) == expected

    def test_boundary_grants_nothing(self) -> None:
        assert verdict([], boundary=[allow()]) == "implicitDeny"

    @pytest.mark.parametrize(
        ("levels", "expected"),
        [
            pytest.param([[allow()], [allow()], [allow()]], "allowed", id="every level allows"),
            pytest.param([[allow()], [allow("s3:*")], [allow()]], "implicitDeny", id="a level in between does not"),
            pytest.param([[allow(), deny("ec2:*")], [allow()]], "explicitDeny", id="root denies"),
            pytest.param([[allow()], [allow(), deny("ec2:*")]], "explicitDeny", id="account denies"),
            pytest.param([[allow(), deny("s3:*")], [allow()]], "allowed", id="denies something else"),
        ],
    )
    def test_service_control_policies_cap_at_each_level(
        self, levels: list[list[dict[str, Any]]], expected: str
    ) -> None:
        assert verdict([allow()], levels=levels) == expected
        assert verdict([], levels=levels) != "allowed"

    def test_tells_who_denies(self) -> None:
        everything, nothing = parse_document("all", policy(allow())), parse_document("none", policy())
        request: tuple[str, str, Context] = ("ec2:CreateSnapshot", VOLUME, {})
        by_boundary = decide(Policies((everything,), boundary=nothing), *request)
        by_organization = decide(Policies((everything,), service_control=((nothing,),)), *request)
        assert (by_boundary.denied_by, by_boundary.allowed_by_boundary) == ("permissions boundary", False)
        assert (by_organization.denied_by, by_organization.allowed_by_organization) == ("service control policy", False)
        assert decide(Policies((nothing,)), *request).denied_by == "identity-based policy"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            pytest.param("{", "Syntax errors in policy", id="no JSON"),
            pytest.param("[]", "Statement element is missing", id="no policy"),
            pytest.param('{"Statement": [{"Effect": "Maybe", "Action": "*"}]}', "Maybe", id="unknown effect"),
            pytest.param('{"Statement": {"Effect": "Allow"}}', "neither Action nor NotAction", id="no action"),
            pytest.param('{"Version": "2099-01-01", "Statement": []}', "2099-01-01", id="unknown version"),
        ],
    )
    def test_malformed_policy_is_refused(self, text: str, message: str) -> None:
        with pytest.raises(MalformedPolicyError, match=message):
            parse_document("broken", text)


class TestConditions:
    @pytest.mark.parametrize(
        ("operator", "wanted", "actual", "expected"),
        [
            ("StringEquals", "a", "a", True),
            ("StringEquals", "a", "A", False),
            ("StringEquals", "a*", "ab", False),
            ("StringEquals", ["a", "b"], "b", True),
            ("StringEquals", True, "true", True),
            ("StringNotEquals", ["a", "b"], "c", True),
            ("StringNotEquals", ["a", "b"], "b", False),
            ("StringNotEquals", "a", None, True),
            ("StringEqualsIgnoreCase", "NightLy", "nIGHTlY", True),
            ("StringNotEqualsIgnoreCase", "a", "A", False),
            ("StringLike", "ec2.*.amazonaws.com", "ec2.eu-west-1.amazonaws.com", True),
            ("StringLike", "a?c", "abc", True),
            ("StringLike", "a?c", "ac", False),
            ("StringNotLike", "a*", "abc", False),
            ("StringNotLike", "a*", None, True),
            ("NumericEquals", "1", "1.0", True),
            ("NumericNotEquals", "1", "2", True),
            ("NumericLessThan", "10", "9", True),
            ("NumericLessThanEquals", "10", "10", True),
            ("NumericGreaterThan", "10", "9", False),
            ("NumericGreaterThanEquals", "10", "10.5", True),
            ("NumericEquals", "1", "one", False),
            ("DateGreaterThan", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", True),
            ("DateLessThan", "2026-11-22", "2026-11-23T00:00:00Z", False),
            ("DateEquals", "1970-01-02T00:00:00Z", "86400", True),
            ("DateLessThanEquals", "2026-11", "2026-11-01T00:00:00Z", True),
            ("DateNotEquals", "2026-11-22", "2026-11-23", True),
            ("DateGreaterThanEquals", "2026-11-22T02:00:00+02:00", "2026-11-22T00:00:00Z", True),
            ("DateEquals", "2026-11-22", "yesterday", False),
            ("Bool", "true", "TRUE", True),
            ("Bool", "false", "true", False),
            ("BoolIfExists", "true", None, True),
            ("BoolIfExists", "true", "false", False),
            ("Bool", "true", None, False),
            ("BinaryEquals", "YQ==", "YQ==", True),
            ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
            ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
            ("IpAddress", "203.0.113.0/24", "nowhere", False),
            ("NotIpAddress", "203.0.113.0/24", "198.51.100.1", True),
            ("ArnEquals", "arn:aws:iam::*:role/Backup*", "arn:aws:iam::111122223333:role/BackupChecks", True),
            ("ArnLike", "arn:aws:iam::*:role/b", "arn:aws:iam::1:2:role/b", False),
            ("ArnLike", "arn:aws:iam::*:role/*", "no-arn", False),
            ("ArnNotLike", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::444455556666:role/x", True),
            ("ArnNotEquals", "arn:aws:iam::111122223333:role/x", "arn:aws:iam::111122223333:role/x", False),
            ("Null", "true", None, True),
            ("Null", "true", "a", False),
            ("Null", "false", "a", True),
            ("Null", False, None, False),
            ("StringEqualsIfExists", "a", None, True),
            ("StringEqualsIfExists", "a", "b", False),
            ("ForAllValues:StringEquals", ["a", "b"], ("a", "b"), True),
            ("ForAllValues:StringEquals", ["a", "b"], ("a", "c"), False),
            ("ForAllValues:StringEquals", ["a"], None, True),
            ("ForAllValues:StringNotEquals", ["a"], ("b", "c"), True),
            ("ForAllValues:StringNotEquals", ["a"], ("a", "c"), False),
            ("ForAnyValue:StringEquals", ["a", "b"], ("c", "b"), True),
            ("ForAnyValue:StringEquals", ["a"], ("b", "c"), False),
            ("ForAnyValue:StringEquals", ["a"], None, False),
            ("ForAnyValue:StringNotEquals", ["a"], ("a", "c"), True),
            ("ForAnyValue:StringNotEquals", ["a"], None, False),
            ("ForAnyValue:StringLike", "dynamodb*", ("aws:x", "dynamodb:y"), True),
            ("StringEquals", "${aws:ResourceAccount}", ACCOUNT, True),
            ("StringEquals", "${aws:Absent}", "", False),
            ("StringLike", "*${aws:ResourceAccount}", f"x{ACCOUNT}", True),
        ],
    )
    def test_operator(
        self, operator: str, wanted: Any, actual: str | tuple[str, ...] | None, *, expected: bool
    ) -> None:
        context: dict[str, str | tuple[str, ...]] = {"aws:ResourceAccount": ACCOUNT}
        if actual is not None:
            context["stack:Key"] = actual
        result = verdict([allow(**when(**{operator: {"STACK:key": wanted}}))], context=context)
        assert (result == "allowed") == expected

    def test_all_operators_and_keys_must_hold(self) -> None:
        both = [allow(**when(StringEquals={"a:x": "1", "a:y": "2"}, Bool={"a:z": "true"}))]
        assert verdict(both, context={"a:x": "1", "a:y": "2", "a:z": "true"}) == "allowed"
        for missing in ("a:x", "a:y", "a:z"):
            context: dict[str, str | tuple[str, ...]] = {"a:x": "1", "a:y": "2", "a:z": "true"}
            del context[missing]
            assert verdict(both, context=context) == "implicitDeny"

    @pytest.mark.parametrize("operator", ["StringMatches", "ForSomeValues:StringEquals", "stringequals"])
    def test_unknown_operator_is_refused(self, operator: str) -> None:
        with pytest.raises(UnknownOperatorError, match=operator):
            Condition.parse(operator, "aws:x", ("1",))


class TestPatterns:
    @given(st.text("ab*?.$", max_size=8), st.text("ab*?.$", max_size=8))
    @settings(max_examples=200)
    def test_agrees_with_a_regular_expression(self, pattern: str, text: str) -> None:
        expression = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
        assert matches(compile_pattern(pattern) or (), text) == bool(re.fullmatch(expression, text, re.DOTALL))

    def test_many_stars_take_no_exponential_time(self) -> None:
        assert not matches(compile_pattern("*a" * 100 + "b") or (), "a" * 2000)

    def test_the_last_part_of_an_arn_may_hold_colons(self) -> None:
        tokens = compile_pattern("arn:aws:backup:*:*:recovery-point:*") or ()
        assert matches_arn(tokens, f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:1:2")


@pytest.fixture
def aws() -> Iterator[None]:
    iam.install()
    with mock_aws():
        yield


@pytest.fixture(scope="class")
def managed_policies() -> Iterator[None]:
    """AWS with its managed policies: they take a second to load."""
    iam.install()
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        yield


@pytest.fixture(scope="class")
def role_for_backup(managed_policies: None) -> str:
    return create_role("ForBackup", attached=(FOR_BACKUP,))


def trusting(*principals: str, **elements: Any) -> str:
    return policy({"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole", **elements})


BACKUP_TRUST = policy({"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"})


SESSIONS = boto3.Session()  # one for all tests: it keeps the service models that it has read


def client(service: str, credentials: dict[str, Any] | None = None, *, region: str = REGION, **options: Any) -> Any:
    keys = credentials or {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "secret", "SessionToken": None}
    return SESSIONS.client(
        service,
        region_name=region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        **options,
    )


def assumed(role_arn: str, credentials: dict[str, Any] | None = None, **parameters: Any) -> dict[str, Any]:
    sts = client("sts", credentials)
    temporary: dict[str, Any] = sts.assume_role(RoleArn=role_arn, RoleSessionName="session", **parameters)[
        "Credentials"
    ]
    return temporary


def create_role(
    name: str = "BackupRole",
    *,
    attached: tuple[str, ...] = (),
    inline: str | None = None,
    trust: str = BACKUP_TRUST,
    credentials: dict[str, Any] | None = None,
    **parameters: Any,
) -> str:
    service = client("iam", credentials)
    arn: str = service.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **parameters)["Role"]["Arn"]
    for policy_arn in attached:
        service.attach_role_policy(RoleName=name, PolicyArn=policy_arn)
    if inline:
        service.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=inline)
    return arn


def simulate(arn: str, *actions: str, **parameters: Any) -> dict[str, dict[str, Any]]:
    results = client("iam").simulate_principal_policy(PolicySourceArn=arn, ActionNames=list(actions), **parameters)
    return {result["EvalActionName"]: result for result in results["EvaluationResults"]}


def entry(key: str, *values: str, kind: str = "string") -> dict[str, Any]:
    return {"ContextKeyName": key, "ContextKeyType": kind, "ContextKeyValues": list(values)}


@pytest.mark.usefixtures("aws")
class TestSimulatePrincipalPolicy:
    def test_without_resources(self) -> None:
        results = simulate(create_role(inline=policy(allow("tag:Get*"))), "tag:GetResources", "tag:TagResources")
        assert results["tag:GetResources"] == {
            "EvalActionName": "tag:GetResources",
            "EvalResourceName": "*",
            "EvalDecision": "allowed",
            "MatchedStatements": [{"SourcePolicyId": "role_BackupRole_inline", "SourcePolicyType": "IAM Policy"}],
            "MissingContextValues": [],
        }
        assert results["tag:TagResources"]["EvalDecision"] == "implicitDeny"
        assert results["tag:TagResources"]["MatchedStatements"] == []

    def test_one_result_per_action_with_the_most_restrictive_verdict(self) -> None:
        other = VOLUME.replace("vol-0abc", "vol-0def")
        role = create_role(inline=policy(allow(resource=[VOLUME, other]), deny(resource=other)))
        results = simulate(role, "ec2:CreateSnapshot", ResourceArns=[VOLUME, other])
        result = results["ec2:CreateSnapshot"]
        assert result["EvalDecision"] == "explicitDeny"
        assert {
            specific["EvalResourceName"]: specific["EvalResourceDecision"]
            for specific in result["ResourceSpecificResults"]
        } == {VOLUME: "allowed", other: "explicitDeny"}

    def test_older_shape_has_a_result_per_action_and_resource(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(simulation.shape, "one_result_per_resource", True)
        role = create_role(inline=policy(allow(resource=VOLUME)))
        answer = client("iam").simulate_principal_policy(
            PolicySourceArn=role, ActionNames=["ec2:CreateSnapshot"], ResourceArns=[VOLUME, BUCKET]
        )
        names = [(result["EvalResourceName"], result["EvalDecision"]) for result in answer["EvaluationResults"]]
        assert names == [(VOLUME, "implicitDeny"), (BUCKET, "implicitDeny")]

    def test_action_about_no_single_resource_is_not_granted_on_an_arn(self) -> None:
        role = create_role(inline=policy(allow()))
        on_volume = simulate(role, "ec2:CreateSnapshot", "ec2:DescribeVolumes", ResourceArns=[VOLUME])
        assert on_volume["ec2:CreateSnapshot"]["EvalDecision"] == "allowed"
        assert on_volume["ec2:DescribeVolumes"]["EvalDecision"] == "implicitDeny"
        assert simulate(role, "ec2:DescribeVolumes")["ec2:DescribeVolumes"]["EvalDecision"] == "allowed"

    def test_missing_context_keys_are_named_unless_given(self) -> None:
        conditional = when(Bool={"kms:GrantIsForAWSResource": "true"})
        elsewhere = allow("s3:GetObject", **when(StringEquals={"s3:prefix": "x"}))
        role = create_role(inline=policy(allow("kms:CreateGrant", **conditional), elsewhere))
        missing = simulate(role, "kms:CreateGrant")["kms:CreateGrant"]
        assert missing["EvalDecision"] == "implicitDeny"
        assert missing["MissingContextValues"] == ["kms:GrantIsForAWSResource", "s3:prefix"]
        given_key = [entry("KMS:grantIsForAWSResource", "true", kind="boolean")]
        met = simulate(role, "kms:CreateGrant", ContextEntries=given_key)["kms:CreateGrant"]
        assert (met["EvalDecision"], met["MissingContextValues"]) == ("allowed", [])

    @pytest.mark.parametrize(
        ("key", "known"),
        [
            ("aws:PrincipalAccount", True),
            ("aws:PrincipalArn", True),
            ("aws:userid", True),
            ("aws:ResourceAccount", False),
            ("aws:ResourceTag/aws:backup:source-resource", False),
            ("aws:PrincipalOrgID", False),
            ("kms:ViaService", False),
        ],
    )
    def test_only_keys_of_the_principal_are_known_by_themselves(self, key: str, *, known: bool) -> None:
        role = create_role(inline=policy(allow(**when(Null={key: "false"}))))
        assert (simulate(role, "s3:GetObject")["s3:GetObject"]["EvalDecision"] == "allowed") == known

    def test_context_lists(self) -> None:
        condition = {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "aws:ebs:id"}}
        role = create_role(inline=policy(allow("kms:Decrypt", Condition=condition)))
        entries = [entry("kms:EncryptionContextKeys", "other", "aws:ebs:id", kind="stringList")]
        result = simulate(role, "kms:Decrypt", ContextEntries=entries)["kms:Decrypt"]
        assert result["EvalDecision"] == "allowed"

    def test_boundary(self) -> None:
        service = client("iam")
        document = policy(allow("s3:*"))
        boundary = service.create_policy(PolicyName="cap", PolicyDocument=document)["Policy"]["Arn"]
        role = create_role(inline=policy(allow()), PermissionsBoundary=boundary)
        results = simulate(role, "ec2:CreateSnapshot", "s3:GetObject", ResourceArns=[VOLUME, BUCKET])
        snapshot = results["ec2:CreateSnapshot"]
        assert snapshot["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
        assert "OrganizationsDecisionDetail" not in snapshot
        on_bucket = results["s3:GetObject"]["ResourceSpecificResults"][1]
        assert on_bucket["EvalResourceDecision"] == "allowed"
        assert on_bucket["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": True}

    def test_new_default_version_of_a_managed_policy_counts(self) -> None:
        service = client("iam")
        managed = service.create_policy(PolicyName="m", PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"]
        role = create_role(attached=(managed,))
        service.create_policy_version(PolicyArn=managed, PolicyDocument=policy(allow("ec2:*")), SetAsDefault=True)
        results = simulate(role, "s3:GetObject", "ec2:CreateSnapshot")
        assert [result["EvalDecision"] for result in results.values()] == ["implicitDeny", "allowed"]

    def test_user_has_the_policies_of_its_groups(self) -> None:
        service = client("iam")
        user = service.create_user(UserName="ana")["User"]["Arn"]
        service.create_group(GroupName="operators")
        service.add_user_to_group(GroupName="operators", UserName="ana")
        service.put_group_policy(
            GroupName="operators",
            PolicyName="own",
            PolicyDocument=policy(allow(resource="arn:aws:s3:::home/${aws:username}")),
        )
        result = simulate(user, "s3:GetObject", ResourceArns=["arn:aws:s3:::home/ana"])["s3:GetObject"]
        assert result["EvalDecision"] == "allowed"
        assert result["MatchedStatements"][0]["SourcePolicyId"] == "group_operators_own"

    def test_extra_policies_and_another_boundary(self) -> None:
        role = create_role()
        extra = {"PolicyInputList": [policy(allow())], "PermissionsBoundaryPolicyInputList": [policy(allow("s3:*"))]}
        results = simulate(role, "s3:GetObject", "ec2:CreateSnapshot", **extra)
        assert [result["EvalDecision"] for result in results.values()] == ["allowed", "implicitDeny"]

    def test_pages_hold_whole_results_and_name_the_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        role = create_role(inline=policy(allow()))
        actions = [f"s3:Get{number}" for number in range(5)]
        paginator = client("iam").get_paginator("simulate_principal_policy")
        request = {"PolicySourceArn": role, "ActionNames": actions}
        pages = list(paginator.paginate(**request, PaginationConfig={"PageSize": 2}))
        assert [page["IsTruncated"] for page in pages] == [True, True, False]
        assert [result["EvalActionName"] for page in pages for result in page["EvaluationResults"]] == actions
        monkeypatch.setattr(iam, "page_size", lambda: 1)
        assert len(list(paginator.paginate(**request))) == len(actions)

    def test_a_hundred_results_a_page_by_default(self) -> None:
        role = create_role()
        answer = client("iam").simulate_principal_policy(
            PolicySourceArn=role, ActionNames=[f"s3:Get{number}" for number in range(101)]
        )
        assert (len(answer["EvaluationResults"]), answer["IsTruncated"]) == (100, True)

    @pytest.mark.parametrize(
        ("request_", "code", "message"),
        [
            pytest.param(
                {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:role/path/Missing"},
                "NoSuchEntity",
                "The role with name Missing cannot be found.",
                id="no such role",
            ),
            pytest.param(
                {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/missing"},
                "NoSuchEntity",
                "The user with name missing cannot be found.",
                id="no such user",
            ),
            pytest.param(
                {"PolicySourceArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/BackupRole/session"},
                "InvalidInput",
                f"Invalid Entity Arn: arn:aws:sts::{ACCOUNT}:assumed-role/BackupRole/session does not clearly define"
                " entity type and name.",
                id="a session",
            ),
            pytest.param(
                {"PolicySourceArn": f"arn:aws:iam::{MEMBER}:role/BackupRole"},
                "InvalidInput",
                f"Invalid Policy Source Arn: caller's account {ACCOUNT} does not have access to policies in account"
                f" {MEMBER}",
                id="another account",
            ),
            pytest.param(
                {"ResourceArns": ["vol-0abc"]},
                "InvalidInput",
                "ResourceNames are not in a valid ARN format: vol-0abc.",
                id="resource is no ARN",
            ),
            pytest.param(
                {"ResourceArns": [VOLUME, "*"]},
                "InvalidInput",
                "ResourceNames are not in a valid ARN format: *.",
                id="star beside an ARN",
            ),
            pytest.param({"ActionNames": ["GetObject"]}, "InvalidInput", "GetObject", id="action without service"),
            pytest.param(
                {"ContextEntries": [entry("aws:x", "1", "2")]}, "InvalidInput", "stringList", id="several scalars"
            ),
            pytest.param(
                {"ContextEntries": [entry("aws:x", "0x10", kind="numeric")]},
                "InvalidInput",
                "Invalid context value for key aws:x: expected numeric format.",
                id="no number",
            ),
            pytest.param(
                {"ContextEntries": [entry("aws:x")]},
                "InvalidInput",
                "Context values for context key aws:x cannot be null or empty.",
                id="no value",
            ),
            pytest.param({"PolicyInputList": ["{"]}, "InvalidInput", "Syntax errors in policy", id="no policy"),
            pytest.param({"Marker": "elsewhere"}, "ValidationError", "Invalid Marker", id="unknown marker"),
            pytest.param({"MaxItems": 1001}, "ValidationError", "between 1 and 1000", id="page too large"),
            pytest.param({"ResourceOwner": ACCOUNT}, "NotImplemented", "ResourceOwner", id="not built"),
        ],
    )
    def test_refuses(self, request_: dict[str, Any], code: str, message: str) -> None:
        usual = {"PolicySourceArn": create_role(), "ActionNames": ["s3:GetObject"]}
        with pytest.raises(ClientError) as caught:
            client("iam").simulate_principal_policy(**usual | request_)
        assert caught.value.response["Error"]["Code"] == code
        assert message in caught.value.response["Error"]["Message"]

    def test_same_answer_over_the_wire(self) -> None:
        server = ThreadedMotoServer(port=0)
        server.start()
        try:
            _, port = server.get_host_and_port()
            service = client("iam", endpoint_url=f"http://127.0.0.1:{port}")
            service.create_role(RoleName="Wired", AssumeRolePolicyDocument=BACKUP_TRUST)
            service.put_role_policy(RoleName="Wired", PolicyName="p", PolicyDocument=policy(allow(resource=VOLUME)))
            answer = service.simulate_principal_policy(
                PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/Wired",
                ActionNames=["ec2:CreateSnapshot"],
                ResourceArns=[VOLUME],
            )
            assert answer["EvaluationResults"][0]["ResourceSpecificResults"][0]["EvalResourceDecision"] == "allowed"
        finally:
            server.stop()


@pytest.mark.usefixtures("aws")
class TestSimulateCustomPolicy:
    def test_only_the_policies_of_the_request_count(self) -> None:
        answer = client("iam").simulate_custom_policy(
            PolicyInputList=[policy(allow("s3:*"))], ActionNames=["s3:GetObject", "ec2:CreateSnapshot"]
        )
        decisions = [result["EvalDecision"] for result in answer["EvaluationResults"]]
        assert decisions == ["allowed", "implicitDeny"]

    def test_levels_of_service_control_policies(self) -> None:
        levels = [[policy(allow())], [policy(allow("s3:*"), deny("s3:Put*"))]]
        answer = client("iam").simulate_custom_policy(
            PolicyInputList=[policy(allow())],
            ActionNames=["s3:GetObject", "s3:PutObject", "ec2:CreateSnapshot"],
            OrderedOrganizationPolicyInputList=[{"ServiceControlPolicyInputList": level} for level in levels],
        )
        assert [
            (result["EvalDecision"], result["OrganizationsDecisionDetail"]["AllowedByOrganizations"])
            for result in answer["EvaluationResults"]
        ] == [("allowed", True), ("explicitDeny", False), ("implicitDeny", False)]


RESOURCE = {
    "vault": f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-vault:nightly",
    "recovery point": f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:1",
    "snapshot": f"arn:aws:ec2:{REGION}::snapshot/snap-0abc",
    "instance": f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0abc",
    "db": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:orders",
    "cluster": f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:orders",
    "table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders",
    "efs": f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/fs-0abc",
    "fsx": f"arn:aws:fsx:{REGION}:{ACCOUNT}:file-system/fs-0abc",
    "key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0abc",
    "dsql": f"arn:aws:dsql:{REGION}:{ACCOUNT}:cluster/0abc",
    "gateway": f"arn:aws:storagegateway:{REGION}:{ACCOUNT}:gateway/sgw-1/volume/vol-1",
    "stack": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/orders/1",
}


class TestManagedPolicyForBackup:
    @pytest.mark.parametrize(
        ("action", "resource", "context", "expected"),
        [
            ("tag:GetResources", None, [], "allowed"),
            ("backup:DescribeBackupVault", RESOURCE["vault"], [], "allowed"),
            ("backup:CopyIntoBackupVault", RESOURCE["vault"], [], "allowed"),
            ("backup:DeleteBackupVault", RESOURCE["vault"], [], "implicitDeny"),
            ("ec2:CreateSnapshot", VOLUME, [], "allowed"),
            ("ec2:CreateSnapshot", RESOURCE["snapshot"], [], "allowed"),
            ("ec2:CreateImage", RESOURCE["instance"], [], "allowed"),
            ("ec2:DescribeVolumes", None, [], "allowed"),
            ("ec2:TerminateInstances", RESOURCE["instance"], [], "implicitDeny"),
            ("rds:CreateDBSnapshot", RESOURCE["db"], [], "allowed"),
            ("rds:CreateDBClusterSnapshot", RESOURCE["cluster"], [], "allowed"),
            ("dynamodb:StartAwsBackupJob", RESOURCE["table"], [], "allowed"),
            ("elasticfilesystem:Backup", RESOURCE["efs"], [], "allowed"),
            ("fsx:DescribeFileSystems", RESOURCE["fsx"], [], "allowed"),
            ("fsx:CreateBackup", RESOURCE["fsx"], [], "allowed"),
            ("dsql:StartBackupJob", RESOURCE["dsql"], [], "allowed"),
            ("storagegateway:CreateSnapshot", RESOURCE["gateway"], [], "allowed"),
            ("cloudformation:GetTemplate", RESOURCE["stack"], [], "allowed"),
            ("kms:DescribeKey", RESOURCE["key"], [], "allowed"),
            ("kms:CreateGrant", RESOURCE["key"], [], "implicitDeny"),
            (
                "kms:CreateGrant",
                RESOURCE["key"],
                [entry("kms:GrantIsForAWSResource", "true", kind="boolean")],
                "allowed",
            ),
            ("backup:TagResource", RESOURCE["recovery point"], [], "implicitDeny"),
            ("backup:TagResource", RESOURCE["recovery point"], [entry("aws:ResourceAccount", ACCOUNT)], "allowed"),
            ("backup:TagResource", RESOURCE["recovery point"], [entry("aws:ResourceAccount", MEMBER)], "implicitDeny"),
            ("s3:GetBucketVersioning", BUCKET, [], "implicitDeny"),
        ],
    )
    def test_grants(
        self, role_for_backup: str, action: str, resource: str | None, context: list[dict[str, Any]], expected: str
    ) -> None:
        resources = [resource] if resource else []
        result = simulate(role_for_backup, action, ResourceArns=resources, ContextEntries=context)[action]
        assert result["EvalDecision"] == expected

    @pytest.mark.usefixtures("managed_policies")
    def test_backups_of_s3_need_their_own_policy(self) -> None:
        role = create_role("ForS3", attached=(FOR_BACKUP, FOR_S3_BACKUP))
        results = simulate(role, "s3:GetBucketVersioning", "s3:ListBucket", ResourceArns=[BUCKET])
        assert {result["EvalDecision"] for result in results.values()} == {"allowed"}


def test_catalogue_follows_the_service_authorization_reference() -> None:
    for action, formats in catalogue.arn_formats().items():
        service, operation = action.split(":")
        reference = {row["resource_arn_format"] for row in get_action_data(service, operation)[service]} - {"*"}
        collapsed = {f"arn:${{Partition}}:{service}:${{Region}}:${{Account}}:${{Resource}}"}
        assert set(formats) in (reference, collapsed), action


def test_catalogue_knows_the_actions_of_the_managed_policies() -> None:
    managed = json.loads(aws_managed_policies_data)
    statements = managed["AWSBackupServiceRolePolicyForBackup"]["Document"]["Statement"]
    named = {action.lower() for statement in statements for action in _listed(statement["Action"])}
    unscoped = {action for action in named if action not in catalogue.arn_formats()}
    scoped = {
        action.lower()
        for statement in statements
        if _listed(statement["Resource"]) != ["*"]
        for action in _listed(statement["Action"])
    }
    assert unscoped <= scoped  # left out only where AWS's own policy contradicts the reference


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.fixture
def organization(aws: None) -> dict[str, str]:
    """An organization with an OU that holds one account; this account's administrators may be assumed by anyone."""
    service = client("organizations")
    service.create_organization(FeatureSet="ALL")
    root = service.list_roots()["Roots"][0]["Id"]
    unit = service.create_organizational_unit(ParentId=root, Name="Workloads")["OrganizationalUnit"]["Id"]
    status = service.create_account(AccountName="workload", Email="workload@example.com")["CreateAccountStatus"]
    service.move_account(AccountId=status["AccountId"], SourceParentId=root, DestinationParentId=unit)
    return {"root": root, "unit": unit, "account": status["AccountId"]}


def attach_scp(target: str, document: str) -> None:
    service = client("organizations")
    created = service.create_policy(Content=document, Description="", Name="scp", Type="SERVICE_CONTROL_POLICY")
    service.attach_policy(PolicyId=created["Policy"]["PolicySummary"]["Id"], TargetId=target)


def member_credentials(account: str) -> dict[str, Any]:
    return assumed(f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole")


class TestServiceControlPolicies:
    @pytest.mark.parametrize("place", ["root", "unit", "account"])
    def test_deny_anywhere_above_the_role(self, organization: dict[str, str], place: str) -> None:
        attach_scp(organization[place], policy(deny("tag:GetResources")))
        credentials = member_credentials(organization["account"])
        role = create_role(inline=policy(allow()), credentials=credentials)
        answer = client("iam", credentials).simulate_principal_policy(
            PolicySourceArn=role, ActionNames=["tag:GetResources", "s3:ListAllMyBuckets"]
        )
        denied, allowed = answer["EvaluationResults"]
        assert (denied["EvalDecision"], denied["MatchedStatements"]) == ("explicitDeny", [])
        assert denied["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
        assert (allowed["EvalDecision"], allowed["OrganizationsDecisionDetail"]) == (
            "allowed",
            {"AllowedByOrganizations": True},
        )

    def test_replacing_the_full_access_policy_withdraws_the_rest(self, organization: dict[str, str]) -> None:
        attach_scp(organization["unit"], policy(allow("s3:*")))
        client("organizations").detach_policy(PolicyId="p-FullAWSAccess", TargetId=organization["unit"])
        credentials = member_credentials(organization["account"])
        role = create_role(inline=policy(allow()), credentials=credentials)
        answer = client("iam", credentials).simulate_principal_policy(
            PolicySourceArn=role, ActionNames=["tag:GetResources", "s3:ListAllMyBuckets"]
        )
        assert [result["EvalDecision"] for result in answer["EvaluationResults"]] == ["implicitDeny", "allowed"]

    def test_management_account_and_service_linked_roles_are_exempt(self, organization: dict[str, str]) -> None:
        attach_scp(organization["root"], policy(deny()))
        assert simulate(create_role(inline=policy(allow())), "s3:ListAllMyBuckets")["s3:ListAllMyBuckets"][
            "OrganizationsDecisionDetail"
        ] == {"AllowedByOrganizations": True}
        credentials = member_credentials(organization["account"])
        service = client("iam", credentials)
        linked = service.create_service_linked_role(AWSServiceName="backup.amazonaws.com")["Role"]
        answer = service.simulate_principal_policy(
            PolicySourceArn=linked["Arn"], ActionNames=["s3:GetObject"], PolicyInputList=[policy(allow())]
        )
        assert answer["EvaluationResults"][0]["EvalDecision"] == "allowed"


def refusal(call: Any, **parameters: Any) -> tuple[int, str, str]:
    """HTTP status, code and message of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"]["Message"]


ANYONE_HERE = trusting(f"arn:aws:iam::{ACCOUNT}:root")
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/BackupRole/session"


@pytest.mark.usefixtures("aws")
class TestEnforcedPermissions:
    def test_role_may_do_what_its_policies_allow_and_nothing_else(self) -> None:
        credentials = assumed(create_role(inline=policy(allow("backup:List*"))))
        backup = client("backup", credentials)
        with authorization.enforced_permissions():
            assert backup.list_backup_plans()["BackupPlansList"] == []
            status, code, message = refusal(backup.get_backup_plan, BackupPlanId="0abc")
        assert (status, code) == (403, "AccessDeniedException")
        assert message == (
            f"User: {SESSION} is not authorized to perform: backup:GetBackupPlan on resource:"
            f" arn:aws:backup:{REGION}:{ACCOUNT}:backup-plan:0abc because no identity-based policy allows the"
            " backup:GetBackupPlan action"
        )

    def test_nothing_is_enforced_before_and_after(self) -> None:
        credentials = assumed(create_role())
        vaults = client("backup", credentials).list_backup_vaults
        vaults()
        with authorization.enforced_permissions():
            refusal(vaults)
        vaults()

    def test_seeding_credentials_may_do_everything(self) -> None:
        with authorization.enforced_permissions():
            client("backup").list_backup_plans()

    @pytest.mark.parametrize(
        ("service", "operation", "expected"),
        [
            ("backup", "list_backup_plans", (403, "AccessDeniedException", "backup:ListBackupPlans")),
            ("resourcegroupstaggingapi", "get_resources", (400, "AccessDeniedException", "tag:GetResources")),
            ("rds", "describe_db_instances", (403, "AccessDenied", "rds:DescribeDBInstances")),
            ("iam", "list_roles", (403, "AccessDenied", "iam:ListRoles")),
            ("config", "describe_config_rules", (400, "AccessDeniedException", "config:DescribeConfigRules")),
            ("fsx", "describe_file_systems", (400, "AccessDeniedException", "fsx:DescribeFileSystems")),
            ("ec2", "describe_volumes", (403, "UnauthorizedOperation", "ec2:DescribeVolumes")),
            ("s3", "list_buckets", (403, "AccessDenied", "s3:ListAllMyBuckets")),
            ("dynamodb", "list_tables", (400, "AccessDeniedException", "dynamodb:ListTables")),
            ("cloudwatch", "list_metrics", (400, "AccessDeniedException", "cloudwatch:ListMetrics")),
            ("lambda", "list_functions", (403, "AccessDeniedException", "lambda:ListFunctions")),
        ],
    )
    def test_services_refuse_each_in_their_own_form(
        self, service: str, operation: str, expected: tuple[int, str, str]
    ) -> None:
        credentials = assumed(create_role())
        with authorization.enforced_permissions():
            status, code, message = refusal(getattr(client(service, credentials), operation))
        assert (status, code) == expected[:2]
        assert f"is not authorized to perform: {expected[2]}" in message

    def test_caller_identity_needs_no_permission(self) -> None:
        credentials = assumed(create_role(inline=policy(deny())))
        with authorization.enforced_permissions():
            assert client("sts", credentials).get_caller_identity()["Arn"] == SESSION

    def test_says_which_policy_denies(self) -> None:
        service = client("iam")
        cap = service.create_policy(PolicyName="cap", PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"]
        capped = assumed(create_role("Capped", inline=policy(allow()), PermissionsBoundary=cap))
        denied = assumed(create_role("Denied", inline=policy(allow(), deny("backup:*"))))
        narrowed = assumed(create_role("Narrowed", inline=policy(allow())), Policy=policy(allow("s3:*")))
        with authorization.enforced_permissions():
            messages = [
                refusal(client("backup", credentials).list_backup_plans)[2]
                for credentials in (capped, denied, narrowed)
            ]
        assert messages[0].endswith("because no permissions boundary allows the backup:ListBackupPlans action")
        assert messages[1].endswith("with an explicit deny in an identity-based policy")
        assert messages[2].endswith("because no session policy allows the backup:ListBackupPlans action")

    def test_service_control_policy_denies(self, organization: dict[str, str]) -> None:
        credentials = member_credentials(organization["account"])
        trust = trusting(f"arn:aws:iam::{organization['account']}:root")
        role = create_role(inline=policy(allow()), trust=trust, credentials=credentials)
        session = assumed(role, credentials)
        attach_scp(organization["unit"], policy(deny("backup:*")))
        with authorization.enforced_permissions():
            _, _, message = refusal(client("backup", session).list_backup_plans)
        assert message.endswith("backup:ListBackupPlans with an explicit deny in a service control policy")

    def test_conditions_see_the_request(self) -> None:
        here = when(StringEquals={"aws:RequestedRegion": "us-east-1", "aws:PrincipalAccount": ACCOUNT})
        credentials = assumed(create_role(inline=policy(allow("backup:*", **here))))
        with authorization.enforced_permissions():
            refusal(client("backup", credentials).list_backup_plans)
            client("backup", credentials, region="us-east-1").list_backup_plans()

    def test_role_in_a_path_may_be_named_as_resource(self) -> None:
        arn = f"arn:aws:iam::{ACCOUNT}:role/service-role/BackupRole"
        credentials = assumed(create_role(Path="/service-role/", inline=policy(allow("iam:GetRole", arn))))
        with authorization.enforced_permissions():
            assert client("iam", credentials).get_role(RoleName="BackupRole")["Role"]["Arn"] == arn
            refusal(client("iam", credentials).get_role, RoleName="Other")

    def test_sessions_of_a_deleted_role_may_do_nothing(self) -> None:
        credentials = assumed(create_role(inline=policy(allow())))
        service = client("iam")
        service.delete_role_policy(RoleName="BackupRole", PolicyName="inline")
        service.delete_role(RoleName="BackupRole")
        with authorization.enforced_permissions():
            refusal(client("backup", credentials).list_backup_plans)

    def test_other_threads_are_bound_too(self) -> None:
        backup = client("backup", assumed(create_role()))
        with authorization.enforced_permissions(), ThreadPoolExecutor(1) as pool:
            assert pool.submit(refusal, backup.list_backup_plans).result()[1] == "AccessDeniedException"

    def test_server_refuses_too(self) -> None:
        server = ThreadedMotoServer(port=0)
        server.start()
        try:
            _, port = server.get_host_and_port()
            at_server: dict[str, Any] = {"endpoint_url": f"http://127.0.0.1:{port}"}
            client("iam", **at_server).create_role(RoleName="Wired", AssumeRolePolicyDocument=BACKUP_TRUST)
            sts = client("sts", **at_server)
            session = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/Wired", RoleSessionName="session")
            authorization.enforce_permissions(on=True)
            backup = client("backup", session["Credentials"], **at_server)
            assert refusal(backup.list_backup_plans)[:2] == (403, "AccessDeniedException")
        finally:
            authorization.enforce_permissions(on=False)
            server.stop()


@pytest.mark.usefixtures("aws")
class TestAssumeRole:
    def central(self, document: str | None = None) -> dict[str, Any]:
        """Credentials of the role that a central function runs under."""
        return assumed(create_role("Central", inline=document or policy(allow("sts:AssumeRole"))))

    def test_needs_the_permission_of_the_caller(self) -> None:
        target = create_role("Member", trust=ANYONE_HERE)
        credentials = self.central(policy(allow("backup:*")))
        with authorization.enforced_permissions():
            message = refusal(assumed, role_arn=target, credentials=credentials)[2]
        assert message == (
            f"User: arn:aws:sts::{ACCOUNT}:assumed-role/Central/session is not authorized to perform: sts:AssumeRole on"
            f" resource: {target} because no identity-based policy allows the sts:AssumeRole action"
        )

    @pytest.mark.parametrize(
        ("trust", "parameters", "trusted"),
        [
            pytest.param(ANYONE_HERE, {}, True, id="account root"),
            pytest.param(trusting(ACCOUNT), {}, True, id="account id"),
            pytest.param(trusting(f"arn:aws:iam::{ACCOUNT}:role/Central"), {}, True, id="role"),
            pytest.param(trusting(f"arn:aws:sts::{ACCOUNT}:assumed-role/Central/session"), {}, True, id="session"),
            pytest.param(trusting("*"), {}, True, id="anyone"),
            pytest.param(BACKUP_TRUST, {}, False, id="a service only"),
            pytest.param(trusting(f"arn:aws:iam::{MEMBER}:root"), {}, False, id="another account"),
            pytest.param(trusting(f"arn:aws:iam::{ACCOUNT}:role/Other"), {}, False, id="another role"),
            pytest.param(
                trusting(ACCOUNT, **when(ArnEquals={"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/Central"})),
                {},
                True,
                id="PrincipalArn matches",
            ),
            pytest.param(
                trusting(ACCOUNT, **when(ArnEquals={"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/Other"})),
                {},
                False,
                id="PrincipalArn differs",
            ),
            pytest.param(
                trusting(ACCOUNT, **when(StringEquals={"sts:ExternalId": "xyz"})),
                {"ExternalId": "xyz"},
                True,
                id="ExternalId",
            ),
            pytest.param(
                trusting(ACCOUNT, **when(StringEquals={"sts:ExternalId": "xyz"})), {}, False, id="no ExternalId"
            ),
            pytest.param(
                trusting(ACCOUNT, **when(StringEquals={"aws:PrincipalOrgID": "o-abcde12345"})), {}, False, id="no org"
            ),
        ],
    )
    def test_needs_the_trust_of_the_role(self, trust: str, parameters: dict[str, str], *, trusted: bool) -> None:
        target = create_role("Member", trust=trust)
        credentials = self.central()
        with authorization.enforced_permissions():
            if trusted:
                assumed(target, credentials, **parameters)
                return
            _, code, message = refusal(assumed, role_arn=target, credentials=credentials, **parameters)
        assert code == "AccessDenied"
        assert message.endswith("because no role trust policy allows the sts:AssumeRole action")

    def test_trust_in_the_role_itself_is_enough_within_an_account(self) -> None:
        credentials = self.central(policy(allow("backup:*")))
        named = create_role("Named", trust=trusting(f"arn:aws:iam::{ACCOUNT}:role/Central"))
        with authorization.enforced_permissions():
            assumed(named, credentials)

    def test_explicit_deny_of_the_trust_policy(self) -> None:
        both = json.loads(ANYONE_HERE)
        both["Statement"].append({**both["Statement"][0], "Effect": "Deny"})
        target = create_role("Member", trust=json.dumps(both))
        credentials = self.central()
        with authorization.enforced_permissions():
            message = refusal(assumed, role_arn=target, credentials=credentials)[2]
        assert message.endswith("with an explicit deny in the role trust policy")

    @pytest.mark.parametrize(
        "seeding", [pytest.param(True, id="seeding credentials"), pytest.param(False, id="a role's session")]
    )
    def test_missing_role_is_refused_without_a_reason(self, *, seeding: bool) -> None:
        missing = f"arn:aws:iam::{ACCOUNT}:role/Missing"
        credentials = None if seeding else self.central()
        with authorization.enforced_permissions():
            status, code, message = refusal(assumed, role_arn=missing, credentials=credentials)
        assert (status, code) == (403, "AccessDenied")
        assert message.endswith(f"is not authorized to perform: sts:AssumeRole on resource: {missing}")

    def test_across_accounts_both_sides_must_agree(self, organization: dict[str, str]) -> None:
        organization_id = client("organizations").describe_organization()["Organization"]["Id"]
        seeding = member_credentials(organization["account"])
        central = f"arn:aws:iam::{ACCOUNT}:role/Central"
        conditions = when(ArnEquals={"aws:PrincipalArn": central}, StringEquals={"aws:PrincipalOrgID": organization_id})
        trust = trusting(f"arn:aws:iam::{ACCOUNT}:root", **conditions)
        member = create_role("Member", trust=trust, inline=policy(allow("backup:List*")), credentials=seeding)
        distrustful = create_role("Distrustful", trust=BACKUP_TRUST, credentials=seeding)
        granted = self.central(policy(allow("sts:AssumeRole", member)))
        with authorization.enforced_permissions():
            session = assumed(member, granted)
            identity = client("sts", session).get_caller_identity()
            client("backup", session).list_backup_plans()
            refusal(client("backup", session).create_backup_vault, BackupVaultName="v")
            message = refusal(assumed, role_arn=distrustful, credentials=granted)[2]
            assert "because no identity-based policy allows" in message
            client("iam").put_role_policy(
                RoleName="Central", PolicyName="inline", PolicyDocument=policy(allow("sts:AssumeRole"))
            )
            message = refusal(assumed, role_arn=distrustful, credentials=granted)[2]
        assert identity["Account"] == organization["account"]
        assert message.endswith(f"sts:AssumeRole on resource: {distrustful}")


@pytest.mark.usefixtures("aws")
class TestGetRole:
    def test_missing_role(self) -> None:
        _, code, message = refusal(client("iam").get_role, RoleName="Missing")
        assert (code, message) == ("NoSuchEntity", "The role with name Missing cannot be found.")

    def test_path_is_part_of_the_arn_and_not_of_the_name(self) -> None:
        create_role(Path="/service-role/")
        role = client("iam").get_role(RoleName="BackupRole")["Role"]
        assert (role["Path"], role["Arn"]) == ("/service-role/", f"arn:aws:iam::{ACCOUNT}:role/service-role/BackupRole")
        assert role["AssumeRolePolicyDocument"] == json.loads(BACKUP_TRUST)

"""AWS Config in the simulator: rules, evaluations, their results, configuration items."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.server import ThreadedMotoServer

from aws_simulator.core import backup, config
from aws_simulator.core.config import answers
from aws_simulator.core.messages.configuration_items import Recording, plan_item
from aws_simulator.core.operations import page_size

CENTRAL, MEMBER, OTHER = "111122223333", "444455556666", "777788889999"
REGION = "eu-west-1"
RULE = "backup-role-assumable"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def simulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    config.install(require_functions=False)
    with mock_aws():
        yield


@cache
def client(account: str = MEMBER, region: str = REGION, service: str = "config", **options: Any) -> Any:
    """A client whose requests moto counts to `account`; it sends what botocore would refuse, as other SDKs do."""
    made = boto3.client(service, region_name=region, config=Config(parameter_validation=False), **options)

    def name_account(request: Any, **_: Any) -> None:
        request.headers["x-moto-account-id"] = account

    made.meta.events.register("before-sign.*.*", name_account)
    return made


def put_rule(name: str = RULE, account: str = MEMBER, region: str = REGION, function_account: str = CENTRAL) -> None:
    client(account, region).put_config_rule(
        ConfigRule={
            "ConfigRuleName": name,
            "InputParameters": '{"ExecutionRoleName": "reader"}',
            "Source": {
                "Owner": "CUSTOM_LAMBDA",
                "SourceIdentifier": f"arn:aws:lambda:{region}:{function_account}:function:{RULE}",
                "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}],
            },
        }
    )


def evaluation(resource_id: str = "plan-1", verdict: str = "COMPLIANT", **changes: Any) -> dict[str, Any]:
    return {
        "ComplianceResourceType": "AWS::Backup::BackupPlan",
        "ComplianceResourceId": resource_id,
        "ComplianceType": verdict,
        "OrderingTimestamp": NOON,
    } | changes


def put(*evaluations: dict[str, Any], rule: str = RULE, account: str = MEMBER, region: str = REGION) -> Any:
    return client(account, region).put_evaluations(
        Evaluations=list(evaluations), ResultToken=config.result_token(account, region, rule)
    )


def details(rule: str = RULE, account: str = MEMBER, region: str = REGION, **asked: Any) -> list[dict[str, Any]]:
    pages = client(account, region).get_paginator("get_compliance_details_by_config_rule")
    return [result for page in pages.paginate(ConfigRuleName=rule, **asked) for result in page["EvaluationResults"]]


def verdicts(**asked: Any) -> dict[str, str]:
    return {
        result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"]: result["ComplianceType"]
        for result in details(**asked)
    }


def error_of(raised: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


class TestRules:
    def test_a_function_of_another_account_serves_a_rule(self) -> None:
        config.install(require_functions=True)
        _create_function(CENTRAL, admitted=MEMBER)
        put_rule()
        (rule,) = client().describe_config_rules()["ConfigRules"]
        assert rule["Source"]["SourceIdentifier"] == f"arn:aws:lambda:{REGION}:{CENTRAL}:function:{RULE}"
        assert rule["Source"]["SourceDetails"][0]["MaximumExecutionFrequency"] == "TwentyFour_Hours"

    @pytest.mark.parametrize("existing_in", [None, OTHER], ids=["nowhere", "in an account not named"])
    def test_a_function_that_does_not_exist_is_refused(self, existing_in: str | None) -> None:
        config.install(require_functions=True)
        if existing_in:
            _create_function(existing_in)
        with pytest.raises(ClientError) as raised:
            put_rule()
        code, message = error_of(raised)
        assert code == "InsufficientPermissionsException"
        assert f"arn:aws:lambda:{REGION}:{CENTRAL}:function:{RULE} cannot be invoked" in message

    @pytest.mark.parametrize("admitted", [None, OTHER], ids=["nobody", "another account"])
    def test_a_function_that_config_may_not_invoke_for_the_account_is_refused(self, admitted: str | None) -> None:
        config.install(require_functions=True)
        _create_function(CENTRAL, admitted=admitted)
        with pytest.raises(ClientError) as raised:
            put_rule()
        assert error_of(raised)[0] == "InsufficientPermissionsException"

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"Scope": {"ComplianceResourceTypes": ["AWS::Backup::BackupPlan"]}}, "InvalidParameterValueException"),
            ({"InputParameters": json.dumps({"Names": "x" * 1024})}, "ValidationException"),
            ({"Description": "x" * 257}, "ValidationException"),
        ],
        ids=["a scope, though only periodic", "long parameters", "long description"],
    )
    def test_a_rule_that_config_does_not_take_is_refused(self, changes: dict[str, Any], code: str) -> None:
        put_rule()
        (rule,) = client().describe_config_rules()["ConfigRules"]
        given = {name: rule[name] for name in ("ConfigRuleName", "Source")}
        with pytest.raises(ClientError) as raised:
            client().put_config_rule(ConfigRule=given | changes)
        assert error_of(raised)[0] == code

    def test_rules_come_in_pages(self) -> None:
        names = {f"rule-{number:03}" for number in range(60)}
        for name in names:
            put_rule(name)
        pages = list(client().get_paginator("describe_config_rules").paginate())
        assert [len(page["ConfigRules"]) for page in pages] == [25, 25, 10]
        assert {rule["ConfigRuleName"] for page in pages for rule in page["ConfigRules"]} == names

    def test_rules_are_kept_apart_by_account_and_region(self) -> None:
        put_rule()
        assert not client(OTHER).describe_config_rules()["ConfigRules"]
        assert not client(MEMBER, "eu-central-1").describe_config_rules()["ConfigRules"]

    def test_a_deleted_rule_takes_its_results_along(self) -> None:
        put_rule()
        put(evaluation())
        client().delete_config_rule(ConfigRuleName=RULE)
        with pytest.raises(ClientError) as raised:
            details()
        assert error_of(raised)[0] == "NoSuchConfigRuleException"
        put_rule()
        assert details() == []

    def test_the_suffix_of_a_conformance_pack_is_that_of_aws(self) -> None:
        name = config.conformance_pack_rule_name(RULE, "OrgConformsPack-backup-abcd1234")
        stem, _, suffix = name.partition("-conformance-pack-")
        assert stem == RULE
        assert len(suffix) == 9
        assert suffix.isalnum()
        assert suffix == suffix.lower()
        other_rule = config.conformance_pack_rule_name("x", "OrgConformsPack-backup-abcd1234")
        assert other_rule.endswith(suffix)

    def test_a_started_evaluation_is_recorded_until_taken(self) -> None:
        put_rule("a")
        put_rule("b")
        client().start_config_rules_evaluation(ConfigRuleNames=["b", "a"])
        with pytest.raises(ClientError) as raised:
            client().start_config_rules_evaluation(ConfigRuleNames=["a"])
        assert error_of(raised)[0] == "LimitExceededException"
        assert config.take_requested_evaluations(MEMBER, REGION) == ["b", "a"]
        assert config.take_requested_evaluations(MEMBER, REGION) == []
        client().start_config_rules_evaluation(ConfigRuleNames=["a"])

    @pytest.mark.parametrize(
        ("names", "code"),
        [(["missing"], "NoSuchConfigRuleException"), ([f"r{n}" for n in range(26)], "ValidationException")],
        ids=["unknown rule", "more than 25"],
    )
    def test_an_evaluation_that_cannot_start(self, names: list[str], code: str) -> None:
        with pytest.raises(ClientError) as raised:
            client().start_config_rules_evaluation(ConfigRuleNames=names)
        assert error_of(raised)[0] == code


class TestPutEvaluations:
    def test_results_stand_under_the_rule_of_the_token(self) -> None:
        put_rule("first")
        put_rule("second")
        put(evaluation("plan-1", "NON_COMPLIANT", Annotation='role "x" is gone'), rule="first")
        (result,) = details("first")
        assert details("second") == []
        assert result["Annotation"] == 'role "x" is gone'
        assert result["EvaluationResultIdentifier"] == {
            "EvaluationResultQualifier": {
                "ConfigRuleName": "first",
                "ResourceType": "AWS::Backup::BackupPlan",
                "ResourceId": "plan-1",
                "EvaluationMode": "DETECTIVE",
            },
            "OrderingTimestamp": NOON,
        }
        assert result["ResultRecordedTime"] > NOON - timedelta(days=3650)

    def test_accounts_and_regions_do_not_mix(self) -> None:
        places = [(MEMBER, REGION), (OTHER, REGION), (MEMBER, "us-east-1")]
        for account, region in places:
            put_rule(account=account, region=region)
        for account, region in places:
            put(evaluation(f"{account}/{region}"), account=account, region=region)
        for account, region in places:
            assert list(verdicts(account=account, region=region)) == [f"{account}/{region}"]

    @pytest.mark.parametrize(
        "token",
        [
            "TESTMODE",
            "not base64 \u00e9",
            "",
            config.result_token(OTHER, REGION, RULE),
            config.result_token(MEMBER, "us-east-1", RULE),
        ],
        ids=["made up", "no base64", "empty", "of another account", "of another Region"],
    )
    def test_a_foreign_token_is_refused(self, token: str) -> None:
        put_rule()
        put_rule(account=OTHER)
        with pytest.raises(ClientError) as raised:
            client().put_evaluations(Evaluations=[evaluation()], ResultToken=token)
        assert error_of(raised) == ("InvalidResultTokenException", "Result Token provided is invalid")
        assert details() == details(account=OTHER) == []

    def test_the_token_of_a_deleted_rule_is_refused(self) -> None:
        put_rule()
        client().delete_config_rule(ConfigRuleName=RULE)
        with pytest.raises(ClientError) as raised:
            put(evaluation())
        assert error_of(raised)[0] == "NoSuchConfigRuleException"

    @pytest.mark.parametrize(
        ("changes", "code", "message"),
        [
            (
                {"Annotation": "x" * 257},
                "ValidationException",
                (
                    f"1 validation error detected: Value '{'x' * 257}' at 'evaluations.2.member.annotation' failed to "
                    "satisfy constraint: Member must have length less than or equal to 256"
                ),
            ),
            (
                {"Annotation": ""},
                "ValidationException",
                (
                    "1 validation error detected: Value '' at 'evaluations.2.member.annotation' failed to satisfy "
                    "constraint: Member must have length greater than or equal to 1"
                ),
            ),
            (
                {"ComplianceResourceId": "x" * 769},
                "ValidationException",
                (
                    f"1 validation error detected: Value '{'x' * 769}' at 'evaluations.2.member.complianceResourceId' "
                    "failed to satisfy constraint: Member must have length less than or equal to 768"
                ),
            ),
            (
                {"ComplianceType": "OK"},
                "ValidationException",
                (
                    "1 validation error detected: Value 'OK' at 'evaluations.2.member.complianceType' failed to "
                    "satisfy constraint: Member must satisfy enum value set: "
                    "[COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE, INSUFFICIENT_DATA]"
                ),
            ),
            (
                {"ComplianceType": "INSUFFICIENT_DATA"},
                "InvalidParameterValueException",
                (
                    "The compliance type INSUFFICIENT_DATA is invalid. Only the following values are permitted: "
                    "[COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE]."
                ),
            ),
            (
                {"ComplianceResourceType": "AWS::FSx::FileSystem"},
                "InvalidParameterValueException",
                (
                    "The resource type AWS::FSx::FileSystem is invalid. Only the following values are permitted: "
                    "[AWS::::Account, AWS::ACM::Certificate, "
                ),
            ),
        ],
        ids=["long annotation", "empty annotation", "long id", "unknown verdict", "insufficient data", "unknown type"],
    )
    def test_one_bad_evaluation_fails_the_whole_call(self, changes: dict[str, str], code: str, message: str) -> None:
        put_rule()
        with pytest.raises(ClientError) as raised:
            put(evaluation("good"), evaluation("bad", **changes))
        assert error_of(raised)[0] == code
        assert error_of(raised)[1].startswith(message)
        assert details() == []

    def test_one_hundred_are_taken_and_no_more(self) -> None:
        put_rule()
        put(*(evaluation(f"plan-{number:03}") for number in range(100)))
        with pytest.raises(ClientError) as raised:
            put(*(evaluation(f"other-{number:03}") for number in range(101)))
        code, message = error_of(raised)
        assert code == "ValidationException"
        assert message.startswith("1 validation error detected: Value '[com.amazonaws.starling.dove.Evaluation@")
        assert message.endswith("' at 'evaluations' failed to satisfy constraint: " + answers.at_most(100))
        assert len(details()) == 100

    @pytest.mark.parametrize(
        "changes",
        [
            {"ComplianceResourceType": "AWS::::Account", "ComplianceResourceId": MEMBER},
            {"ComplianceResourceType": "AWS::Backup::BackupSelection", "ComplianceResourceId": "s" * 768},
            {"Annotation": "x" * 256},
            {"ComplianceType": "NOT_APPLICABLE"},
        ],
        ids=["account", "longest id", "longest annotation", "not applicable"],
    )
    def test_what_is_just_allowed(self, changes: dict[str, str]) -> None:
        put_rule()
        assert put(evaluation(**changes))["FailedEvaluations"] == []

    def test_the_later_ordering_timestamp_stands(self) -> None:
        put_rule()
        put(evaluation("plan-1", "NON_COMPLIANT"))
        put(evaluation("plan-1", "COMPLIANT", OrderingTimestamp=NOON - timedelta(seconds=1)))
        assert verdicts() == {"plan-1": "NON_COMPLIANT"}
        put(evaluation("plan-1", "COMPLIANT", OrderingTimestamp=NOON + timedelta(seconds=1)))
        assert verdicts() == {"plan-1": "COMPLIANT"}

    def test_the_same_id_of_two_types_is_two_results(self) -> None:
        put_rule()
        put(evaluation("x"), evaluation("x", "NON_COMPLIANT", ComplianceResourceType="AWS::Backup::BackupVault"))
        assert len(details()) == 2

    def test_not_applicable_leaves_the_details(self) -> None:
        put_rule()
        put(evaluation("plan-1", "NON_COMPLIANT"), evaluation("plan-2"))
        put(evaluation("plan-1", "NOT_APPLICABLE"))
        assert verdicts() == {"plan-2": "COMPLIANT"}
        assert verdicts(ComplianceTypes=["NOT_APPLICABLE"]) == {"plan-1": "NOT_APPLICABLE"}

    def test_rejected_evaluations_come_back_unstored(self) -> None:
        put_rule()
        config.reject_evaluations(MEMBER, REGION, ["plan-2"])
        answer = put(evaluation("plan-1"), evaluation("plan-2"))
        assert [failed["ComplianceResourceId"] for failed in answer["FailedEvaluations"]] == ["plan-2"]
        assert list(verdicts()) == ["plan-1"]
        config.reject_evaluations(MEMBER, REGION, [])
        assert put(evaluation("plan-2"))["FailedEvaluations"] == []

    def test_test_mode_checks_and_stores_nothing(self) -> None:
        put_rule()
        client().put_evaluations(Evaluations=[evaluation()], ResultToken="any", TestMode=True)
        assert details() == []
        with pytest.raises(ClientError) as raised:
            client().put_evaluations(
                Evaluations=[evaluation(ComplianceType="INSUFFICIENT_DATA")], ResultToken="any", TestMode=True
            )
        assert error_of(raised)[0] == "InvalidParameterValueException"

    def test_no_evaluations_are_refused(self) -> None:
        put_rule()
        with pytest.raises(ClientError) as raised:
            put()
        assert error_of(raised)[0] == "InvalidParameterValueException"


class TestResults:
    @pytest.mark.parametrize(
        ("asked", "bound", "sizes"),
        [
            ({}, None, [10, 10, 5]),
            ({"Limit": 0}, None, [10, 10, 5]),
            ({"Limit": 100}, None, [25]),
            ({"Limit": 100}, 7, [7, 7, 7, 4]),
            ({"ComplianceTypes": ["NON_COMPLIANT"]}, None, [5]),
            ({"ComplianceTypes": ["COMPLIANT"], "Limit": 20}, None, [20]),
        ],
        ids=["default", "zero is the default", "most", "bounded", "filtered", "exactly one page"],
    )
    def test_details_come_in_pages(self, asked: dict[str, Any], bound: int | None, sizes: list[int]) -> None:
        put_rule()
        put(*(evaluation(f"{n:02}", "NON_COMPLIANT" if n % 5 == 0 else "COMPLIANT") for n in range(25)))
        with page_size(bound) if bound else nullcontext():
            pages = client().get_paginator("get_compliance_details_by_config_rule")
            listed = [page["EvaluationResults"] for page in pages.paginate(ConfigRuleName=RULE, **asked)]
        assert [len(page) for page in listed] == sizes
        ids = [
            result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"]
            for page in listed
            for result in page
        ]
        assert len(set(ids)) == sum(sizes)

    def test_a_put_between_two_pages_loses_nothing(self) -> None:
        put_rule()
        put(*(evaluation(f"{number:02}") for number in range(15)))
        first = client().get_compliance_details_by_config_rule(ConfigRuleName=RULE)
        put(evaluation("00", "NOT_APPLICABLE"))
        second = client().get_compliance_details_by_config_rule(ConfigRuleName=RULE, NextToken=first["NextToken"])
        assert len(second["EvaluationResults"]) == 5

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"Limit": 101}, "ValidationException"),
            ({"NextToken": "made up"}, "InvalidNextTokenException"),
            ({"ComplianceTypes": ["INSUFFICIENT_DATA"]}, "InvalidParameterValueException"),
            ({"ConfigRuleName": "missing"}, "NoSuchConfigRuleException"),
        ],
        ids=["too many", "bad token", "a type that is no filter", "unknown rule"],
    )
    def test_details_asked_wrongly(self, asked: dict[str, Any], code: str) -> None:
        put_rule()
        with pytest.raises(ClientError) as raised:
            client().get_compliance_details_by_config_rule(**{"ConfigRuleName": RULE} | asked)
        assert error_of(raised)[0] == code

    def test_compliance_by_rule(self) -> None:
        for name in ("all-well", "none-counts", "one-bad", "silent", "thirty-bad"):
            put_rule(name)
        put(evaluation("a"), evaluation("b", "NOT_APPLICABLE"), rule="all-well")
        put(evaluation("a", "NOT_APPLICABLE"), rule="none-counts")
        put(evaluation("a"), evaluation("b", "NON_COMPLIANT"), rule="one-bad")
        put(*(evaluation(f"{n}", "NON_COMPLIANT") for n in range(30)), rule="thirty-bad")
        listed = client().describe_compliance_by_config_rule()["ComplianceByConfigRules"]
        assert {entry["ConfigRuleName"]: entry["Compliance"] for entry in listed} == {
            "all-well": {"ComplianceType": "COMPLIANT"},
            "none-counts": {"ComplianceType": "INSUFFICIENT_DATA"},
            "one-bad": {
                "ComplianceType": "NON_COMPLIANT",
                "ComplianceContributorCount": {"CappedCount": 1, "CapExceeded": False},
            },
            "silent": {"ComplianceType": "INSUFFICIENT_DATA"},
            "thirty-bad": {
                "ComplianceType": "NON_COMPLIANT",
                "ComplianceContributorCount": {"CappedCount": 25, "CapExceeded": True},
            },
        }
        bad = client().describe_compliance_by_config_rule(ComplianceTypes=["NON_COMPLIANT"])
        assert [e["ConfigRuleName"] for e in bad["ComplianceByConfigRules"]] == ["one-bad", "thirty-bad"]

    def test_compliance_by_resource(self) -> None:
        put_rule("first")
        put_rule("second")
        put(evaluation("a"), evaluation("b"), rule="first")
        put(evaluation("a", "NON_COMPLIANT"), rule="second")
        listed = client().describe_compliance_by_resource()["ComplianceByResources"]
        assert [(e["ResourceId"], e["Compliance"]["ComplianceType"]) for e in listed] == [
            ("a", "NON_COMPLIANT"),
            ("b", "COMPLIANT"),
        ]
        by_rule = client().get_compliance_details_by_resource(ResourceType="AWS::Backup::BackupPlan", ResourceId="a")
        assert [
            (e["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ConfigRuleName"], e["ComplianceType"])
            for e in by_rule["EvaluationResults"]
        ] == [("first", "COMPLIANT"), ("second", "NON_COMPLIANT")]

    def test_the_evaluation_status_tells_whether_anything_was_put(self) -> None:
        put_rule("put")
        put_rule("silent")
        put(evaluation(), rule="put")
        put_one, silent = client().describe_config_rule_evaluation_status()["ConfigRulesEvaluationStatus"]
        assert put_one["FirstEvaluationStarted"] is True
        assert "LastSuccessfulEvaluationTime" in put_one
        assert silent["FirstEvaluationStarted"] is False
        assert "LastSuccessfulEvaluationTime" not in silent

    def test_nothing_outlives_a_reset(self) -> None:
        put_rule()
        put(evaluation())
        config.reject_evaluations(MEMBER, REGION, ["plan-1"])
        BackendDict.reset()
        put_rule()
        assert details() == []
        assert put(evaluation())["FailedEvaluations"] == []


class TestConfigurationItems:
    ANSWER: dict[str, Any] = {  # noqa: RUF012 - read only
        "BackupPlanId": "plan-1",
        "BackupPlanArn": f"arn:aws:backup:{REGION}:{MEMBER}:backup-plan:plan-1",
        "VersionId": "v1",
        "BackupPlan": {"BackupPlanName": "nightly", "Rules": [{"RuleName": "r", "TargetBackupVaultName": "Default"}]},
    }

    def test_the_newest_item_comes_first(self) -> None:
        for day in (1, 3, 2):
            recording = Recording(MEMBER, REGION, datetime(2026, 11, day, tzinfo=UTC))
            config.put_configuration_item(MEMBER, REGION, plan_item(self.ANSWER | {"VersionId": f"v{day}"}, recording))
        asked = {"resourceType": "AWS::Backup::BackupPlan", "resourceId": "plan-1"}
        (newest,) = client().get_resource_config_history(**asked, limit=1)["configurationItems"]
        assert json.loads(newest["configuration"])["VersionId"] == "v3"
        assert newest["configurationItemCaptureTime"] == datetime(2026, 11, 3, tzinfo=UTC)
        assert newest["accountId"] == MEMBER
        assert newest["configurationItemMD5Hash"]
        pages = (
            client()
            .get_paginator("get_resource_config_history")
            .paginate(**asked, chronologicalOrder="Forward", PaginationConfig={"PageSize": 2})
        )
        versions = [json.loads(item["configuration"])["VersionId"] for p in pages for item in p["configurationItems"]]
        assert versions == ["v1", "v2", "v3"]
        until = client().get_resource_config_history(**asked, laterTime=datetime(2026, 11, 2, 12, tzinfo=UTC))
        assert len(until["configurationItems"]) == 2

    def test_plans_and_selections_of_aws_backup_are_recorded(self) -> None:
        backup.install()
        api = client(service="backup")
        rule = {"RuleName": "daily", "TargetBackupVaultName": "Default"}
        plan = api.create_backup_plan(BackupPlan={"BackupPlanName": "nightly", "Rules": [rule]})
        plan_id = plan["BackupPlanId"]
        role = f"arn:aws:iam::{MEMBER}:role/Backup"
        tag = {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "true"}
        selection_id = api.create_backup_selection(
            BackupPlanId=plan_id,
            BackupSelection={"SelectionName": "tagged", "IamRoleArn": role, "ListOfTags": [tag]},
        )["SelectionId"]

        def recorded(resource_type: str, resource_id: str) -> Any:
            asked = {"resourceType": resource_type, "resourceId": resource_id}
            (item,) = client().get_resource_config_history(**asked)["configurationItems"]
            return item["configurationItemStatus"], json.loads(item.get("configuration", "null"))

        status, configuration = recorded("AWS::Backup::BackupSelection", f"{selection_id}_{plan_id}")
        assert (status, configuration["BackupSelection"]) == ("OK", {"IamRoleArn": role, "SelectionName": "tagged"})
        status, configuration = recorded("AWS::Backup::BackupPlan", plan_id)
        assert (status, configuration["BackupPlan"]["BackupPlanRule"][0]["TargetBackupVault"]) == ("OK", "Default")
        api.delete_backup_selection(BackupPlanId=plan_id, SelectionId=selection_id)
        api.delete_backup_plan(BackupPlanId=plan_id)
        assert recorded("AWS::Backup::BackupPlan", plan_id) == ("ResourceDeleted", None)

    def test_an_unknown_resource_is_not_discovered(self) -> None:
        with pytest.raises(ClientError) as raised:
            client().get_resource_config_history(resourceType="AWS::Backup::BackupPlan", resourceId="gone")
        assert error_of(raised)[0] == "ResourceNotDiscoveredException"

    def test_what_moto_knows_still_answers(self) -> None:
        client(service="s3", region="us-east-1").create_bucket(Bucket="some-bucket")
        history = client(region="us-east-1").get_resource_config_history(
            resourceType="AWS::S3::Bucket", resourceId="some-bucket"
        )
        assert history["configurationItems"][0]["resourceName"] == "some-bucket"


def test_the_same_through_a_server() -> None:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        remote = client(endpoint_url=f"http://{host}:{port}")
        remote.put_config_rule(
            ConfigRule={
                "ConfigRuleName": RULE,
                "Source": {
                    "Owner": "CUSTOM_LAMBDA",
                    "SourceIdentifier": f"arn:aws:lambda:{REGION}:{CENTRAL}:function:{RULE}",
                    "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}],
                },
            }
        )
        token = config.result_token(MEMBER, REGION, RULE)
        remote.put_evaluations(Evaluations=[evaluation("plan-1", "NON_COMPLIANT")], ResultToken=token)
        listed = remote.get_compliance_details_by_config_rule(ConfigRuleName=RULE)["EvaluationResults"]
        assert [result["ComplianceType"] for result in listed] == ["NON_COMPLIANT"]
        with pytest.raises(ClientError) as raised:
            remote.put_evaluations(Evaluations=[evaluation()], ResultToken="made up")
        assert error_of(raised) == ("InvalidResultTokenException", "Result Token provided is invalid")
    finally:
        server.stop()


def _create_function(account: str, admitted: str | None = None) -> None:
    """A function that AWS Config may invoke for the account that is admitted."""
    role = client(account, service="iam").create_role(RoleName="function", AssumeRolePolicyDocument="{}")
    client(account, service="lambda").create_function(
        FunctionName=RULE,
        Runtime="python3.12",
        Handler="x.lambda_handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": _EMPTY_ZIP},
    )
    if admitted:
        client(account, service="lambda").add_permission(
            FunctionName=RULE,
            StatementId="config",
            Action="lambda:InvokeFunction",
            Principal="config.amazonaws.com",
            SourceAccount=admitted,
        )


_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)

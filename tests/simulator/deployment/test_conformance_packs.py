"""Conformance packs on the simulator, in one account and in an organization."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from aws_simulator.core import config
from aws_simulator.core.accounts import account_session
from aws_simulator.core.config import result_token
from aws_simulator.core.config.service import start_recorder
from aws_simulator.core.organizations import account_ids
from aws_simulator.deployment.authorization import enforced_permissions
from aws_simulator.deployment.membership import settle
from aws_simulator.simulation import simulated_aws
from tests.simulator.callers import client

REGION = "eu-west-1"
MANAGEMENT, CENTRAL, MEMBER, LATER = "111122223333", "444455556666", "777788889999", "222233334444"
PRINCIPAL = "config-multiaccountsetup.amazonaws.com"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{CENTRAL}:function:judge"
SCHEDULED = [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}]


SOURCE = {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": FUNCTION_ARN, "SourceDetails": SCHEDULED}


def rule(name: Any = "tags", **changes: Any) -> dict[str, Any]:
    properties = {
        "ConfigRuleName": name,
        "InputParameters": {"ExecutionRoleName": {"Ref": "Role"}},
        "Source": SOURCE,
    }
    return {"Type": "AWS::Config::ConfigRule", "Properties": properties | changes}


def pack_template(resources: dict[str, Any] | None = None, **parameters: Any) -> str:
    declared = {"Role": {"Type": "String", "Default": "reader"}} | parameters
    return yaml.safe_dump({"Parameters": declared, "Resources": resources or {"Tags": rule()}})


def put(body: str | None = None, owner: str = CENTRAL, **changes: Any) -> Any:
    asked = {"OrganizationConformancePackName": "backup", "TemplateBody": body or pack_template()} | changes
    given = {name: value for name, value in asked.items() if value is not None}
    return client("config", owner).put_organization_conformance_pack(**given)


def parameter(name: str, value: str) -> list[dict[str, str]]:
    return [{"ParameterName": name, "ParameterValue": value}]


def status(owner: str = CENTRAL) -> dict[str, Any]:
    return dict(
        client("config", owner).describe_organization_conformance_pack_statuses()[
            "OrganizationConformancePackStatuses"
        ][0]
    )


def accounts(owner: str = CENTRAL) -> dict[str, str]:
    details = client("config", owner).get_organization_conformance_pack_detailed_status(
        OrganizationConformancePackName="backup"
    )["OrganizationConformancePackDetailedStatuses"]
    return {each["AccountId"]: each["Status"] for each in details}


def rules(account: str) -> list[dict[str, Any]]:
    return list(client("config", account).describe_config_rules()["ConfigRules"])


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return str(raised.value.response["Error"]["Code"])


def record(*recording: str) -> None:
    for account in recording:
        start_recorder(account_session(account, REGION), REGION)


@pytest.fixture
def organization() -> Iterator[None]:
    """Three accounts; CENTRAL is a delegated administrator and has a function that serves any account."""
    with simulated_aws():
        config.install(require_functions=True)
        organizations = client("organizations", MANAGEMENT)
        organizations.create_organization(FeatureSet="ALL")
        with account_ids([CENTRAL, MEMBER]):
            for name in ("central", "member"):
                organizations.create_account(AccountName=name, Email=f"{name}@example.com")
        organizations.enable_aws_service_access(ServicePrincipal=PRINCIPAL)
        organizations.register_delegated_administrator(AccountId=CENTRAL, ServicePrincipal=PRINCIPAL)
        role = client("iam", CENTRAL).create_role(RoleName="function", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        client("lambda", CENTRAL).create_function(
            FunctionName="judge",
            Runtime="python3.13",
            Handler="x.y",
            Role=role,
            Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        )
        admit()
        yield


def admit(**conditions: str) -> None:
    client("lambda", CENTRAL).add_permission(
        FunctionName="judge",
        StatementId="config",
        Action="lambda:InvokeFunction",
        Principal="config.amazonaws.com",
        **conditions,
    )


@pytest.mark.usefixtures("organization")
class TestInAnOrganization:
    def test_every_account_gets_the_rules(self) -> None:
        record(MANAGEMENT, CENTRAL, MEMBER)
        put(ConformancePackInputParameters=parameter("Role", "auditor"))
        assert accounts() == dict.fromkeys((MANAGEMENT, CENTRAL, MEMBER), "CREATE_SUCCESSFUL")
        assert status()["Status"] == "CREATE_SUCCESSFUL"
        names = set()
        for account in (MANAGEMENT, CENTRAL, MEMBER):
            (made,) = rules(account)
            names.add(made["ConfigRuleName"])
            assert made["ConfigRuleName"].startswith("tags-conformance-pack-")
            assert f":{account}:config-rule/aws-service-rule/config-conforms.amazonaws.com/" in made["ConfigRuleArn"]
            assert made["CreatedBy"] == "config-conforms.amazonaws.com"
            assert json.loads(made["InputParameters"]) == {"ExecutionRoleName": "auditor"}
            (stack,) = client("cloudformation", account).list_stacks()["StackSummaries"]
            assert stack["StackName"].startswith("awsconfigconforms-OrgConformsPack-backup-")
        assert len(names) == 3

    def test_excluded_accounts_are_left_out_and_left(self) -> None:
        record(CENTRAL, MEMBER)
        put(ExcludedAccounts=[MANAGEMENT])
        assert set(accounts()) == {CENTRAL, MEMBER}
        put(ExcludedAccounts=[MANAGEMENT, MEMBER])
        assert accounts() == {CENTRAL: "UPDATE_SUCCESSFUL"}
        assert rules(MEMBER) == []

    def test_an_account_without_a_recorder_fails_and_is_tried_again(self) -> None:
        record(CENTRAL)
        put(ExcludedAccounts=[MANAGEMENT])
        assert accounts() == {CENTRAL: "CREATE_SUCCESSFUL", MEMBER: "CREATE_FAILED"}
        assert (status()["Status"], status()["ErrorCode"]) == ("CREATE_FAILED", "NoAvailableConfigurationRecorder")
        assert "recorder" in status()["ErrorMessage"]
        record(MEMBER)
        settle(MANAGEMENT, [REGION])
        assert status()["Status"] == "CREATE_SUCCESSFUL"
        assert len(rules(MEMBER)) == 1

    def test_an_account_that_leaves_loses_the_pack_and_a_closed_one_is_left_alone(self) -> None:
        record(MANAGEMENT, CENTRAL, MEMBER)
        put()
        with account_ids([LATER]):
            client("organizations", MANAGEMENT).create_account(AccountName="later", Email="later@example.com")
        record(LATER)
        settle(MANAGEMENT, [REGION])
        client("organizations", MANAGEMENT).close_account(AccountId=MEMBER)
        client("organizations", LATER).leave_organization()
        settle(MANAGEMENT, [REGION])
        assert accounts() == dict.fromkeys((MANAGEMENT, CENTRAL, MEMBER), "CREATE_SUCCESSFUL")
        assert (len(rules(MEMBER)), rules(LATER)) == (1, [])

    def test_an_account_that_joins_gets_the_pack(self) -> None:
        record(CENTRAL, MEMBER)
        put(ExcludedAccounts=[MANAGEMENT])
        with account_ids([LATER]):
            client("organizations", MANAGEMENT).create_account(AccountName="later", Email="later@example.com")
        record(LATER)
        settle(MANAGEMENT, [REGION])
        assert accounts()[LATER] == "CREATE_SUCCESSFUL"
        assert len(rules(LATER)) == 1

    def test_a_change_reaches_the_accounts(self) -> None:
        record(CENTRAL, MEMBER)
        put(ExcludedAccounts=[MANAGEMENT])
        before = rules(MEMBER)[0]["ConfigRuleName"]
        put(pack_template({"Tags": rule(Description="newer"), "Other": rule("vaults")}), ExcludedAccounts=[MANAGEMENT])
        assert status()["Status"] == "UPDATE_SUCCESSFUL"
        described = {each["ConfigRuleName"]: each.get("Description") for each in rules(MEMBER)}
        assert described == {before: "newer", before.replace("tags", "vaults"): None}
        put(pack_template({"Other": rule("vaults")}), ExcludedAccounts=[MANAGEMENT])
        assert [each["ConfigRuleName"] for each in rules(MEMBER)] == [before.replace("tags", "vaults")]

    def test_deleting_it_leaves_nothing(self) -> None:
        record(CENTRAL, MEMBER)
        put(ExcludedAccounts=[MANAGEMENT])
        client("config", CENTRAL).delete_organization_conformance_pack(OrganizationConformancePackName="backup")
        assert rules(MEMBER) == []
        assert client("config", MEMBER).describe_conformance_packs()["ConformancePackDetails"] == []
        with pytest.raises(ClientError) as raised:
            accounts()
        assert code(raised) == "NoSuchOrganizationConformancePackException"

    def test_its_rules_belong_to_aws_config(self) -> None:
        record(CENTRAL, MEMBER)
        put(ExcludedAccounts=[MANAGEMENT])
        (made,) = rules(MEMBER)
        member = client("config", MEMBER)
        changed = {name: made[name] for name in ("ConfigRuleName", "Source")}
        acts: tuple[Callable[[], Any], ...] = (
            lambda: member.delete_config_rule(ConfigRuleName=made["ConfigRuleName"]),
            lambda: member.put_config_rule(ConfigRule=changed),
            lambda: member.put_remediation_configurations(
                RemediationConfigurations=[
                    {"ConfigRuleName": made["ConfigRuleName"], "TargetType": "SSM_DOCUMENT", "TargetId": "fix"}
                ]
            ),
        )
        for act in acts:
            with pytest.raises(ClientError) as raised:
                act()
            assert code(raised) in {"AccessDeniedException", "InsufficientPermissionsException"}
        (stack,) = client("cloudformation", MEMBER).list_stacks()["StackSummaries"]
        client("cloudformation", MEMBER).delete_stack(StackName=stack["StackName"])
        assert len(rules(MEMBER)) == 1
        (pack,) = member.describe_conformance_packs()["ConformancePackDetails"]
        with pytest.raises(ClientError) as raised:
            member.delete_conformance_pack(ConformancePackName=pack["ConformancePackName"])
        assert code(raised) == "ResourceInUseException"

    def test_a_pack_is_seen_by_its_owner_alone(self) -> None:
        record(CENTRAL, MEMBER)
        put(ExcludedAccounts=[MANAGEMENT])
        seen = client("config", MANAGEMENT).describe_organization_conformance_packs()
        assert seen["OrganizationConformancePacks"] == []

    def test_a_template_may_lie_in_a_bucket_of_the_region(self) -> None:
        record(CENTRAL, MEMBER)
        for bucket, region in (("near", REGION), ("far", "eu-central-1")):
            storage = client("s3", CENTRAL, region)
            storage.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
            storage.put_object(Bucket=bucket, Key="pack.yaml", Body=pack_template().encode() + b"#" * 60_000)
            storage.put_object(Bucket=bucket, Key="large.yaml", Body=b"#" * (300 * 1024 + 1))
        put(TemplateBody=None, TemplateS3Uri="s3://near/pack.yaml", ExcludedAccounts=[MANAGEMENT])
        assert len(rules(MEMBER)) == 1
        for uri in ("s3://far/pack.yaml", "s3://near/large.yaml", "s3://near/missing.yaml", "s3://nowhere/pack.yaml"):
            with pytest.raises(ClientError) as raised:
                put(TemplateBody=None, TemplateS3Uri=uri)
            assert code(raised) == "OrganizationConformancePackTemplateValidationException", uri

    @pytest.mark.parametrize("admitted", ["nobody", "another account"])
    def test_an_account_whose_rules_the_function_does_not_admit_fails(self, admitted: str) -> None:
        record(CENTRAL, MEMBER)
        client("lambda", CENTRAL).remove_permission(FunctionName="judge", StatementId="config")
        if admitted != "nobody":
            admit(SourceAccount=CENTRAL)
        put(ExcludedAccounts=[MANAGEMENT])
        served = "CREATE_FAILED" if admitted == "nobody" else "CREATE_SUCCESSFUL"
        assert accounts() == {CENTRAL: served, MEMBER: "CREATE_FAILED"}
        assert status()["ErrorCode"] == "InsufficientPermissionsException"

    def test_remediation_names_the_role_of_each_account(self) -> None:
        record(CENTRAL, MEMBER)
        remediation = {
            "Type": "AWS::Config::RemediationConfiguration",
            "DependsOn": "Tags",
            "Properties": {
                "ConfigRuleName": "tags",
                "TargetType": "SSM_DOCUMENT",
                "TargetId": "fix",
                "Parameters": {
                    "AutomationAssumeRole": {"StaticValue": {"Values": [f"arn:aws:iam::{MANAGEMENT}:role/Fixer"]}},
                    "ResourceId": {"ResourceValue": {"Value": "RESOURCE_ID"}},
                },
            },
        }
        put(pack_template({"Tags": rule(), "Fix": remediation}), ExcludedAccounts=[MANAGEMENT])
        name = rules(MEMBER)[0]["ConfigRuleName"]
        (made,) = client("config", MEMBER).describe_remediation_configurations(ConfigRuleNames=[name])[
            "RemediationConfigurations"
        ]
        values = made["Parameters"]["AutomationAssumeRole"]["StaticValue"]["Values"]
        assert values == [f"arn:aws:iam::{MEMBER}:role/Fixer"]

    def test_as_a_resource_of_a_stack(self) -> None:
        record(CENTRAL, MEMBER)
        properties = {
            "OrganizationConformancePackName": "backup",
            "ExcludedAccounts": [MANAGEMENT],
            "TemplateBody": pack_template(),
            "ConformancePackInputParameters": [{"ParameterName": "Role", "ParameterValue": "auditor"}],
        }
        kind = "AWS::Config::OrganizationConformancePack"
        body = yaml.safe_dump({"Resources": {"Pack": {"Type": kind, "Properties": properties}}})
        cloudformation = client("cloudformation", CENTRAL)
        cloudformation.create_stack(StackName="rollout", TemplateBody=body)
        assert cloudformation.describe_stacks(StackName="rollout")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
        assert json.loads(rules(MEMBER)[0]["InputParameters"]) == {"ExecutionRoleName": "auditor"}
        cloudformation.delete_stack(StackName="rollout")
        assert rules(MEMBER) == []

    def test_a_stack_fails_with_the_pack(self) -> None:
        properties = {"OrganizationConformancePackName": "backup", "TemplateBody": pack_template()}
        kind = "AWS::Config::OrganizationConformancePack"
        body = yaml.safe_dump({"Resources": {"Pack": {"Type": kind, "Properties": properties}}})
        cloudformation = client("cloudformation", CENTRAL)
        cloudformation.create_stack(StackName="rollout", TemplateBody=body)
        (stack,) = cloudformation.describe_stacks(StackName="rollout")["Stacks"]
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
        assert "NoAvailableConfigurationRecorder" in stack["StackStatusReason"]


@pytest.mark.usefixtures("organization")
def test_a_permission_may_be_about_the_rules_of_packs_only() -> None:
    record(MEMBER)
    member = client("config", MEMBER)
    member.put_conformance_pack(ConformancePackName="own", TemplateBody=pack_template())
    own = {name: value for name, value in rule("mine")["Properties"].items() if name != "InputParameters"}
    member.put_config_rule(ConfigRule=own)
    linked = f"arn:aws:config:*:{MEMBER}:config-rule/aws-service-rule/*"
    allow = {"Effect": "Allow", "Action": "config:GetComplianceDetailsByConfigRule", "Resource": linked}
    iam = client("iam", MEMBER)
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument="{}")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=policy)
    reader = account_session(MEMBER, REGION, "reader").client("config")
    names = [each["ConfigRuleName"] for each in rules(MEMBER)]
    with enforced_permissions():
        for name in names:
            if name == "mine":
                with pytest.raises(ClientError, match="AccessDenied"):
                    reader.get_compliance_details_by_config_rule(ConfigRuleName=name)
            else:
                reader.get_compliance_details_by_config_rule(ConfigRuleName=name)
    assert len(names) == 2


@pytest.mark.usefixtures("organization")
@pytest.mark.parametrize(
    ("body", "changes"),
    [
        (yaml.safe_dump({"Resources": {"A": {"Type": "AWS::SQS::Queue"}}}), {}),
        (pack_template(), {"ConformancePackInputParameters": parameter("Unknown", "x")}),
        (pack_template(Needed={"Type": "String"}), {}),
        (pack_template(**{f"P{number}": {"Type": "String", "Default": ""} for number in range(60)}), {}),
        (pack_template({f"R{number}": rule(f"r-{number}") for number in range(131)}), {}),
        (
            pack_template(
                {
                    "Fix": {
                        "Type": "AWS::Config::RemediationConfiguration",
                        "Properties": {
                            "ConfigRuleName": "tags",
                            "TargetType": "SSM_DOCUMENT",
                            "TargetId": "fix",
                            "Parameters": {"AutomationAssumeRole": {"StaticValue": {"Values": [{"Ref": "Role"}]}}},
                        },
                    }
                }
            ),
            {},
        ),
        (pack_template({"A": rule({"Fn::Join": ["", [{"Ref": "Role"}, "tags"]]})}), {}),
        (
            pack_template(
                {
                    "A": rule(
                        Source=SOURCE
                        | {"SourceDetails": [SCHEDULED[0] | {"MaximumExecutionFrequency": {"Ref": "Role"}}]}
                    )
                }
            ),
            {},
        ),
        (pack_template({"A": rule(InputParameters={"Region": {"Ref": "AWS::Region"}})}), {}),
        (pack_template({"A": rule(InputParameters={"Role": {"Fn::Sub": "${Role}"}})}), {}),
        ("Resources: {", {}),
    ],
    ids=[
        "other resource type",
        "unknown parameter",
        "missing parameter",
        "61 parameters",
        "131 rules",
        "function in a role's ARN",
        "function in a rule's name",
        "function in a rule's frequency",
        "pseudo parameter",
        "function that no public pack has",
        "no YAML",
    ],
)
def test_a_template_that_is_no_conformance_pack_is_refused(body: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as raised:
        put(body, **changes)
    assert code(raised) == "OrganizationConformancePackTemplateValidationException"


@pytest.mark.usefixtures("organization")
@pytest.mark.parametrize(
    "changes",
    [
        {"TemplateBody": pack_template() + "#" * 51_200},
        {"TemplateBody": None},
        {"ExcludedAccounts": ["12345"]},
        {"OrganizationConformancePackName": "9-lives"},
        {"DeliveryS3Bucket": "other"},
    ],
    ids=["body too large", "no template", "no account id", "name", "delivery bucket"],
)
def test_a_request_out_of_bounds_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as raised:
        put(**changes)
    assert code(raised) == "ValidationException"


@pytest.mark.usefixtures("organization")
class TestWhoMayPut:
    def test_a_member_may_not(self) -> None:
        with pytest.raises(ClientError) as raised:
            put(owner=MEMBER)
        assert code(raised) == "OrganizationAccessDeniedException"

    def test_a_delegated_administrator_needs_trusted_access(self) -> None:
        client("organizations", MANAGEMENT).disable_aws_service_access(ServicePrincipal=PRINCIPAL)
        with pytest.raises(ClientError) as raised:
            put()
        assert code(raised) == "OrganizationAccessDeniedException"

    def test_the_management_account_turns_trusted_access_on(self) -> None:
        client("organizations", MANAGEMENT).disable_aws_service_access(ServicePrincipal=PRINCIPAL)
        put(owner=MANAGEMENT)
        enabled = client("organizations", MANAGEMENT).list_aws_service_access_for_organization()
        assert PRINCIPAL in {each["ServicePrincipal"] for each in enabled["EnabledServicePrincipals"]}


def test_without_an_organization_there_is_none_to_put_to() -> None:
    with simulated_aws(), pytest.raises(ClientError) as raised:
        put()
    assert code(raised) == "NoAvailableOrganizationException"


def test_an_organization_needs_all_features() -> None:
    with simulated_aws():
        client("organizations", MANAGEMENT).create_organization(FeatureSet="CONSOLIDATED_BILLING")
        with pytest.raises(ClientError) as raised:
            put(owner=MANAGEMENT)
    assert code(raised) == "OrganizationAllFeaturesNotEnabledException"


@pytest.mark.usefixtures("organization")
class TestInOneAccount:
    def test_it_is_put_shown_changed_and_deleted(self) -> None:
        record(MEMBER)
        member = client("config", MEMBER)
        arn = member.put_conformance_pack(ConformancePackName="own", TemplateBody=pack_template())["ConformancePackArn"]
        assert arn.startswith(f"arn:aws:config:{REGION}:{MEMBER}:conformance-pack/own/conformance-pack-")
        (shown,) = member.describe_conformance_pack_status()["ConformancePackStatusDetails"]
        assert (shown["ConformancePackName"], shown["ConformancePackState"]) == ("own", "CREATE_COMPLETE")
        member.put_conformance_pack(
            ConformancePackName="own",
            TemplateBody=pack_template(),
            ConformancePackInputParameters=parameter("Role", "auditor"),
        )
        assert json.loads(rules(MEMBER)[0]["InputParameters"]) == {"ExecutionRoleName": "auditor"}
        member.delete_conformance_pack(ConformancePackName="own")
        assert rules(MEMBER) == []

    def test_without_a_recorder_it_fails(self) -> None:
        member = client("config", MEMBER)
        member.put_conformance_pack(ConformancePackName="own", TemplateBody=pack_template())
        (shown,) = member.describe_conformance_pack_status()["ConformancePackStatusDetails"]
        assert shown["ConformancePackState"] == "CREATE_FAILED"
        assert "recorder" in shown["ConformancePackStatusReason"]

    def test_a_template_that_is_no_pack_is_refused(self) -> None:
        with pytest.raises(ClientError) as raised:
            client("config", MEMBER).put_conformance_pack(
                ConformancePackName="own",
                TemplateBody=yaml.safe_dump({"Resources": {"A": {"Type": "AWS::SQS::Queue"}}}),
            )
        assert code(raised) == "ConformancePackTemplateValidationException"

    def test_its_compliance_is_that_of_its_rules(self) -> None:
        record(MEMBER)
        member = client("config", MEMBER)
        body = pack_template({"Tags": rule(), "Vaults": rule("vaults")})
        member.put_conformance_pack(ConformancePackName="own", TemplateBody=body)
        tags, vaults = (each["ConfigRuleName"] for each in rules(MEMBER))
        member.put_evaluations(
            ResultToken=result_token(MEMBER, REGION, tags),
            Evaluations=[
                {
                    "ComplianceResourceType": "AWS::::Account",
                    "ComplianceResourceId": MEMBER,
                    "ComplianceType": "NON_COMPLIANT",
                    "OrderingTimestamp": datetime(2026, 11, 24, tzinfo=UTC),
                }
            ],
        )
        listed = member.describe_conformance_pack_compliance(ConformancePackName="own")
        assert {
            each["ConfigRuleName"]: each["ComplianceType"] for each in listed["ConformancePackRuleComplianceList"]
        } == {tags: "NON_COMPLIANT", vaults: "INSUFFICIENT_DATA"}
        with pytest.raises(ClientError) as raised:
            member.describe_conformance_pack_compliance(
                ConformancePackName="own", Filters={"ConfigRuleNames": ["other"]}
            )
        assert code(raised) == "NoSuchConfigRuleInConformancePackException"

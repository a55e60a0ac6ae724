"""Advanced queries in the simulator: what the recorder holds, aggregators, stored queries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from aws_simulator.core import config, organizations, tagging
from aws_simulator.core.accounts import account_session
from aws_simulator.core.config.service import start_recorder
from aws_simulator.core.messages.configuration_items import Recording, plan_item
from aws_simulator.core.operations import page_size
from aws_simulator.simulation import simulated_aws

MANAGEMENT, DELEGATED, MEMBER, STRANGER = "111111111111", "222222222222", "333333333333", "444444444444"
REGION, OTHER_REGION = "eu-west-1", "us-east-1"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
COMPLIANCE = "AWS::Config::ResourceCompliance"
PLAN_TYPE, SELECTION_TYPE = "AWS::Backup::BackupPlan", "AWS::Backup::BackupSelection"


@pytest.fixture(autouse=True)
def simulated() -> Iterator[None]:
    with simulated_aws():
        config.install(require_functions=False)
        yield


@cache
def client(account: str = MEMBER, region: str = REGION, service: str = "config") -> Any:
    """A client whose requests moto counts to `account`; it sends what botocore would refuse, as other SDKs do."""
    made = boto3.client(
        service,
        region_name=region,
        config=Config(parameter_validation=False),
        aws_access_key_id="simulated",
        aws_secret_access_key="simulated",
    )

    def name_account(request: Any, **_: Any) -> None:
        request.headers["x-moto-account-id"] = account

    made.meta.events.register("before-sign.*.*", name_account)
    return made


def record(account: str = MEMBER, region: str = REGION, **group: Any) -> None:
    """A running recorder, of all types unless `group` says otherwise."""
    recording = group or {"allSupported": True, "includeGlobalResourceTypes": True}
    here = client(account, region)
    role = f"arn:aws:iam::{account}:role/recorder"
    here.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "roleARN": role, "recordingGroup": recording}
    )
    bucket = f"recorded-{account}-{region}"
    place = {} if region == OTHER_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    client(account, region, "s3").create_bucket(Bucket=bucket, **place)
    here.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": bucket})
    here.start_configuration_recorder(ConfigurationRecorderName="default")


def judge(
    rule: str, verdicts: dict[str, str], account: str = MEMBER, region: str = REGION, kind: str = PLAN_TYPE
) -> None:
    """The rule, which is made, puts these verdicts by resource id."""
    client(account, region).put_config_rule(
        ConfigRule={
            "ConfigRuleName": rule,
            "Source": {
                "Owner": "CUSTOM_LAMBDA",
                "SourceIdentifier": f"arn:aws:lambda:{region}:{DELEGATED}:function:{rule}",
                "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}],
            },
        }
    )
    put(verdicts, rule, account, region, kind)


def put(
    verdicts: dict[str, str], rule: str, account: str = MEMBER, region: str = REGION, kind: str = PLAN_TYPE
) -> None:
    """The rule puts these verdicts by resource id."""
    evaluations = [
        {
            "ComplianceResourceType": kind,
            "ComplianceResourceId": resource_id,
            "ComplianceType": verdict,
            "OrderingTimestamp": NOON,
            "Annotation": f"{rule} says {verdict} of {resource_id}.",
        }
        for resource_id, verdict in verdicts.items()
    ]
    client(account, region).put_evaluations(
        Evaluations=evaluations, ResultToken=config.result_token(account, region, rule)
    )


def select(expression: str, account: str = MEMBER, region: str = REGION, **asked: Any) -> list[dict[str, Any]]:
    answer = client(account, region).select_resource_config(Expression=expression, **asked)
    return [json.loads(row) for row in answer["Results"]]


def ids(resource_type: str) -> set[str]:
    return {row["resourceId"] for row in select(f"SELECT resourceId WHERE resourceType = '{resource_type}'")}


def error_of(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return str(raised.value.response["Error"]["Code"])


class TestCompliance:
    def test_a_resource_has_one_item_with_all_rules_that_judged_it(self) -> None:
        record()
        judge("backup-a", {"plan-1": "COMPLIANT", "plan-2": "COMPLIANT"})
        judge("backup-b", {"plan-1": "NON_COMPLIANT", "plan-2": "NOT_APPLICABLE", "plan-3": "NOT_APPLICABLE"})
        rows = select(
            "SELECT resourceId, accountId, awsRegion, configuration.complianceType, configuration.targetResourceType,"
            " configuration.targetResourceId, configuration.configRuleList.configRuleName,"
            f" configuration.configRuleList.complianceType WHERE resourceType = '{COMPLIANCE}'"
        )
        assert [(row["resourceId"], row["configuration"]) for row in rows] == [
            (
                f"{PLAN_TYPE}/plan-1",
                {
                    "complianceType": "NON_COMPLIANT",
                    "targetResourceType": PLAN_TYPE,
                    "targetResourceId": "plan-1",
                    "configRuleList": [
                        {"configRuleName": "backup-a", "complianceType": "COMPLIANT"},
                        {"configRuleName": "backup-b", "complianceType": "NON_COMPLIANT"},
                    ],
                },
            ),
            (
                f"{PLAN_TYPE}/plan-2",
                {
                    "complianceType": "COMPLIANT",
                    "targetResourceType": PLAN_TYPE,
                    "targetResourceId": "plan-2",
                    "configRuleList": [{"configRuleName": "backup-a", "complianceType": "COMPLIANT"}],
                },
            ),
        ]
        assert {(row["accountId"], row["awsRegion"]) for row in rows} == {(MEMBER, REGION)}

    def test_a_deleted_rule_leaves_the_list(self) -> None:
        record()
        judge("backup-a", {"plan-1": "NON_COMPLIANT"})
        client().delete_config_rule(ConfigRuleName="backup-a")
        assert ids(COMPLIANCE) == set()


PACK_TEMPLATE = {
    "Resources": {
        name: {
            "Type": "AWS::Config::ConfigRule",
            "Properties": {
                "ConfigRuleName": name.lower(),
                "Source": {
                    "Owner": "CUSTOM_LAMBDA",
                    "SourceIdentifier": f"arn:aws:lambda:{REGION}:{DELEGATED}:function:{name}",
                    "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}],
                },
            },
        }
        for name in ("First", "Second")
    }
}


def test_a_conformance_pack_has_one_item_with_all_its_rules() -> None:
    record()
    client().put_conformance_pack(ConformancePackName="nightly", TemplateBody=json.dumps(PACK_TEMPLATE))
    first, second = sorted(rule["ConfigRuleName"] for rule in client().describe_config_rules()["ConfigRules"])
    question = (
        "SELECT resourceName, configuration.complianceType, configuration.configRuleList.configRuleName,"
        " configuration.configRuleList.complianceType WHERE resourceType = 'AWS::Config::ConformancePackCompliance'"
    )
    for verdict, overall in ((None, "INSUFFICIENT_DATA"), ("COMPLIANT", "COMPLIANT"), ("NON_COMPLIANT",) * 2):
        if verdict:
            put({"plan-1": verdict, "plan-2": "COMPLIANT"}, first)
        (row,) = select(question)
        assert row == {
            "resourceName": "nightly",
            "configuration": {
                "complianceType": overall,
                "configRuleList": [
                    {"configRuleName": first, "complianceType": overall},
                    {"configRuleName": second, "complianceType": "INSUFFICIENT_DATA"},
                ],
            },
        }


class TestRecorder:
    @pytest.fixture(autouse=True)
    def judged(self) -> None:
        judge("backup-a", {"plan-1": "NON_COMPLIANT"})

    def test_nothing_is_recorded_without_a_recorder(self) -> None:
        assert ids(COMPLIANCE) == set()

    def test_nothing_is_recorded_by_one_that_does_not_run(self) -> None:
        record()
        client().stop_configuration_recorder(ConfigurationRecorderName="default")
        assert ids(COMPLIANCE) == set()

    @pytest.mark.parametrize(
        ("types", "found"),
        [([COMPLIANCE], {f"{PLAN_TYPE}/plan-1"}), (["AWS::EC2::Volume"], set())],
        ids=["compliance recorded", "only volumes recorded"],
    )
    def test_only_the_types_that_it_names(self, types: list[str], found: set[str]) -> None:
        record(allSupported=False, resourceTypes=types)
        assert ids(COMPLIANCE) == found

    def test_all_types_but_those_that_it_excludes(self) -> None:
        record(
            allSupported=False,
            exclusionByResourceTypes={"resourceTypes": [COMPLIANCE]},
            recordingStrategy={"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
        )
        client(service="ec2").create_volume(AvailabilityZone=f"{REGION}a", Size=8)
        assert ids(COMPLIANCE) == set()
        assert len(ids("AWS::EC2::Volume")) == 1


class TestResources:
    @pytest.fixture(autouse=True)
    def recorded(self) -> None:
        record()

    def test_plans_and_selections_are_there_until_they_are_deleted(self) -> None:
        backup = client(service="backup")
        rules = [{"RuleName": "daily", "TargetBackupVaultName": "Default"}]
        plan = backup.create_backup_plan(
            BackupPlan={"BackupPlanName": "nightly", "Rules": rules}, BackupPlanTags={"team": "a"}
        )
        selection = backup.create_backup_selection(
            BackupPlanId=plan["BackupPlanId"],
            BackupSelection={"SelectionName": "all", "IamRoleArn": f"arn:aws:iam::{MEMBER}:role/r", "Resources": ["*"]},
        )
        chosen = "SELECT resourceId, resourceName, arn, tags, configuration.BackupSelection.SelectionName"
        condition = f"WHERE resourceType IN ('{PLAN_TYPE}', '{SELECTION_TYPE}')"
        assert select(f"{chosen} {condition}") == [
            {
                "resourceId": plan["BackupPlanId"],
                "resourceName": "nightly",
                "arn": plan["BackupPlanArn"],
                "tags": [{"tag": "team=a", "key": "team", "value": "a"}],
            },
            {
                "resourceId": f"{selection['SelectionId']}_{plan['BackupPlanId']}",
                "resourceName": "all",
                "arn": f"arn:aws:backup:{REGION}:{MEMBER}:selection:{selection['SelectionId']}",
                "tags": [],
                "configuration": {"BackupSelection": {"SelectionName": "all"}},
            },
        ]
        backup.delete_backup_selection(BackupPlanId=plan["BackupPlanId"], SelectionId=selection["SelectionId"])
        backup.delete_backup_plan(BackupPlanId=plan["BackupPlanId"])
        assert ids(PLAN_TYPE) | ids(SELECTION_TYPE) == set()

    def test_a_database_goes_by_the_id_that_config_uses(self) -> None:
        made = client(service="rds").create_db_instance(
            DBInstanceIdentifier="orders",
            DBInstanceClass="db.t3.micro",
            Engine="mysql",
            MasterUsername="someone",
            MasterUserPassword="simulated",
            AllocatedStorage=10,
            Tags=[{"Key": "backup", "Value": "true"}],
        )["DBInstance"]
        assert select(
            "SELECT resourceId, resourceName, arn WHERE resourceType = 'AWS::RDS::DBInstance'"
            f" AND resourceId IN ('{made['DbiResourceId']}') AND tags.tag = 'backup=true'"
        ) == [{"resourceId": made["DbiResourceId"], "resourceName": "orders", "arn": made["DBInstanceArn"]}]

    def test_resources_with_and_without_tags_are_there(self) -> None:
        volume = client(service="ec2").create_volume(AvailabilityZone=f"{REGION}a", Size=8)["VolumeId"]
        client(service="backup").create_backup_vault(BackupVaultName="Default")
        client(service="dynamodb").create_table(
            TableName="orders",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        file_system = client(service="efs").create_file_system(CreationToken="a")["FileSystemId"]
        tagging.tag_resource(MEMBER, REGION, f"arn:aws:redshift:{REGION}:{MEMBER}:cluster:sales", {"a": "b"})
        tagging.tag_resource(MEMBER, REGION, f"arn:aws:fsx:{REGION}:{MEMBER}:file-system/fs-1", {"a": "b"})
        found = {
            (row["resourceType"], row["resourceId"]) for row in select("SELECT resourceType, resourceId", Limit=100)
        }
        assert found == {
            ("AWS::Backup::BackupVault", "Default"),
            ("AWS::DynamoDB::Table", "orders"),
            ("AWS::EC2::Volume", volume),
            ("AWS::EFS::FileSystem", file_system),
            ("AWS::Redshift::Cluster", "sales"),
            ("AWS::S3::Bucket", f"recorded-{MEMBER}-{REGION}"),
        }

    @pytest.mark.parametrize(
        ("status", "found"),
        [("OK", {"gone"}), ("ResourceDeleted", set()), ("ResourceNotRecorded", set())],
    )
    def test_an_item_put_by_hand_is_there_unless_its_status_forbids(self, status: Any, found: set[str]) -> None:
        answer = {
            "BackupPlanId": "gone",
            "BackupPlanArn": f"arn:aws:backup:{REGION}:{MEMBER}:backup-plan:gone",
            "VersionId": "1",
            "BackupPlan": {"BackupPlanName": "gone", "Rules": []},
        }
        item = plan_item(answer, Recording(MEMBER, REGION, NOON, status=status))
        config.put_configuration_item(MEMBER, REGION, item)
        assert ids(PLAN_TYPE) == found


INVENTORY = {
    "AWS::CloudFormation::Stack",
    "AWS::DynamoDB::Table",
    "AWS::EC2::Instance",
    "AWS::EC2::Volume",
    "AWS::EFS::FileSystem",
    "AWS::EKS::Cluster",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Redshift::Cluster",
    "AWS::S3::Bucket",
}
"""Types that AWS Config records of those that AWS Backup protects, of what moto knows."""


class TestInventory:
    """One untagged resource of each type, made through the APIs of its service."""

    @pytest.fixture(autouse=True)
    def made(self) -> None:
        client(service="ec2").run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)
        for mode in (None, "API"):
            given = {"accessConfig": {"authenticationMode": mode}} if mode else {}
            client(service="eks").create_cluster(
                name=f"cluster-{mode or 'older'}".lower(),
                roleArn=f"arn:aws:iam::{MEMBER}:role/eks",
                resourcesVpcConfig={},
                **given,
            )
        client(service="dynamodb").create_table(
            TableName="orders",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client(service="efs").create_file_system(CreationToken="a", Encrypted=True)
        client(service="redshift").create_cluster(
            ClusterIdentifier="sales", NodeType="ra3.large", MasterUsername="a", MasterUserPassword="Simulated1"
        )
        client(service="rds").create_db_cluster(
            DBClusterIdentifier="ledger", Engine="aurora-mysql", MasterUsername="a", MasterUserPassword="simulated"
        )
        client(service="rds").create_db_instance(
            DBInstanceIdentifier="shop", DBInstanceClass="db.t3.micro", Engine="mysql", AllocatedStorage=10
        )
        template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
        client(service="cloudformation").create_stack(StackName="site", TemplateBody=json.dumps(template))

    def test_it_counts_what_exists_by_type(self) -> None:
        record()
        named = ", ".join(f"'{each}'" for each in INVENTORY)
        rows = select(f"SELECT resourceType, COUNT(*) WHERE resourceType IN ({named}) GROUP BY resourceType")
        assert {row["resourceType"]: row["COUNT(*)"] for row in rows} == dict.fromkeys(INVENTORY, 1) | {
            "AWS::EKS::Cluster": 2,
            "AWS::EC2::Volume": 1,  # the instance's
        }

    def test_without_a_recorder_nothing_is_counted(self) -> None:
        assert select("SELECT resourceType, COUNT(*) GROUP BY resourceType") == []

    @pytest.mark.parametrize("resource_type", sorted(INVENTORY))
    def test_a_type_that_is_excluded_is_not_there_and_one_alone_is(self, resource_type: str) -> None:
        session = account_session(MEMBER, REGION)
        start_recorder(session, REGION, excluding=[resource_type])
        assert {row["resourceType"] for row in select("SELECT resourceType")} == INVENTORY - {resource_type}
        start_recorder(session, REGION, only=[resource_type])
        assert ids(resource_type)
        assert {row["resourceType"] for row in select("SELECT resourceType")} == {resource_type}

    @pytest.mark.parametrize(
        ("resource_type", "condition"),
        [
            ("AWS::EKS::Cluster", "configuration.AccessConfig.AuthenticationMode = 'CONFIG_MAP'"),
            ("AWS::EKS::Cluster", "configuration.AccessConfig.AuthenticationMode = 'API'"),
            ("AWS::DynamoDB::Table", "configuration.billingModeSummary.billingMode = 'PAY_PER_REQUEST'"),
            ("AWS::EC2::Volume", "configuration.size = 8"),
            ("AWS::EC2::Instance", "configuration.state.name = 'running'"),
            ("AWS::EFS::FileSystem", "configuration.Encrypted = true"),
            ("AWS::RDS::DBCluster", "configuration.engine = 'aurora-mysql'"),
            ("AWS::RDS::DBInstance", "configuration.dBInstanceIdentifier = 'shop'"),
            ("AWS::Redshift::Cluster", "configuration.nodeType = 'ra3.large'"),
            ("AWS::CloudFormation::Stack", "configuration.stackStatus = 'CREATE_COMPLETE'"),
            (
                "AWS::CloudFormation::Stack",
                "supplementaryConfiguration.StackResourceSummaries.resourceType = 'AWS::SNS::Topic'",
            ),
            ("AWS::S3::Bucket", "supplementaryConfiguration.BucketVersioningConfiguration.status = 'Off'"),
        ],
    )
    def test_it_has_what_config_reads_of_the_resource(self, resource_type: str, condition: str) -> None:
        record()
        assert len(select(f"SELECT resourceId WHERE resourceType = '{resource_type}' AND {condition}")) == 1

    @pytest.mark.parametrize("status", ["Enabled", "Suspended"])
    def test_a_bucket_tells_its_versioning(self, status: str) -> None:
        record()
        bucket = f"recorded-{MEMBER}-{REGION}"
        client(service="s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        chosen = "SELECT resourceName, supplementaryConfiguration.BucketVersioningConfiguration.status"
        assert select(f"{chosen} WHERE resourceType = 'AWS::S3::Bucket'") == [
            {
                "resourceName": bucket,
                "supplementaryConfiguration": {"BucketVersioningConfiguration": {"status": status}},
            }
        ]

    def test_a_page_has_no_more_than_a_hundred(self) -> None:
        record()
        for number in range(120):
            arn = f"arn:aws:redshift:{REGION}:{MEMBER}:cluster:sales-{number:03}"
            tagging.tag_resource(MEMBER, REGION, arn, {"a": "b"})
        expression = "SELECT resourceId WHERE resourceType = 'AWS::Redshift::Cluster'"
        first = client().select_resource_config(Expression=expression, Limit=100)
        rest = client().select_resource_config(Expression=expression, Limit=100, NextToken=first["NextToken"])
        assert (len(first["Results"]), len(rest["Results"]), "NextToken" in rest) == (100, 21, False)


class TestSelect:
    @pytest.fixture(autouse=True)
    def judged(self) -> None:
        record()
        judge("backup-a", {f"plan-{number:03}": "NON_COMPLIANT" for number in range(60)})

    def test_rows_come_in_pages(self) -> None:
        asked: dict[str, Any] = {"Expression": f"SELECT resourceId WHERE resourceType = '{COMPLIANCE}'"}
        sizes, seen = [], set()
        while True:
            answer = client().select_resource_config(**asked)
            sizes.append(len(answer["Results"]))
            seen |= set(answer["Results"])
            if "NextToken" not in answer:
                break
            asked["NextToken"] = answer["NextToken"]
        assert sizes == [25, 25, 10]
        assert len(seen) == 60

    def test_a_limit_makes_larger_pages_and_the_simulation_smaller_ones(self) -> None:
        expression = f"SELECT resourceId WHERE resourceType = '{COMPLIANCE}'"
        assert len(select(expression, Limit=100)) == 60
        with page_size(7):
            assert len(select(expression, Limit=100)) == 7

    def test_groups_sorted_by_a_number_are_not_continued(self) -> None:
        expression = "SELECT resourceId, COUNT(*) GROUP BY resourceId"
        assert client().select_resource_config(Expression=expression, Limit=5)["NextToken"]
        answer = client().select_resource_config(Expression=f"{expression} ORDER BY COUNT(*)", Limit=5)
        assert "NextToken" not in answer

    def test_the_fields_are_named(self) -> None:
        answer = client().select_resource_config(Expression="SELECT accountId, COUNT(*) GROUP BY accountId")
        assert answer["QueryInfo"] == {"SelectFields": [{"Name": "accountId"}, {"Name": "COUNT(*)"}]}

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"Expression": "SELECT resourceId FROM items"}, "InvalidExpressionException"),
            ({"Expression": "SELECT " + "a" * 4100}, "ValidationException"),
            ({"Expression": "SELECT resourceId", "Limit": 101}, "InvalidLimitException"),
            ({"Expression": "SELECT resourceId", "NextToken": "made up"}, "InvalidNextTokenException"),
        ],
        ids=["grammar", "too long", "limit", "token"],
    )
    def test_errors(self, asked: dict[str, Any], code: str) -> None:
        with pytest.raises(ClientError) as raised:
            client().select_resource_config(**asked)
        assert error_of(raised) == code


class TestAggregator:
    @pytest.fixture(autouse=True)
    def organization(self) -> None:
        management = client(MANAGEMENT, service="organizations")
        management.create_organization(FeatureSet="ALL")
        with organizations.account_ids([DELEGATED, MEMBER]):
            for name in ("delegated", "member"):
                management.create_account(AccountName=name, Email=f"{name}@example.com")
        management.register_delegated_administrator(AccountId=DELEGATED, ServicePrincipal="config.amazonaws.com")
        for account, region in ((DELEGATED, REGION), (MEMBER, REGION), (MEMBER, OTHER_REGION), (STRANGER, REGION)):
            record(account, region)
            judge("backup-a", {f"{account}-{region}": "NON_COMPLIANT", "fine": "COMPLIANT"}, account, region)

    def aggregate(self, account: str = DELEGATED, **source: Any) -> None:
        organization = {"RoleArn": f"arn:aws:iam::{account}:role/aggregator", "AllAwsRegions": True} | source
        client(account).put_configuration_aggregator(
            ConfigurationAggregatorName="all", OrganizationAggregationSource=organization
        )

    def found(self, account: str = DELEGATED) -> list[tuple[str, str]]:
        rows = client(account).select_aggregate_resource_config(
            ConfigurationAggregatorName="all",
            Expression="SELECT accountId, awsRegion WHERE configuration.complianceType = 'NON_COMPLIANT'",
        )["Results"]
        return [(row["accountId"], row["awsRegion"]) for row in map(json.loads, rows)]

    def test_it_collects_the_accounts_of_the_organization_in_all_regions(self) -> None:
        self.aggregate()
        assert self.found() == [(DELEGATED, REGION), (MEMBER, REGION), (MEMBER, OTHER_REGION)]

    def test_or_in_those_that_are_named(self) -> None:
        self.aggregate(AllAwsRegions=False, AwsRegions=[OTHER_REGION])
        assert self.found() == [(MEMBER, OTHER_REGION)]

    def test_the_management_account_may_have_one(self) -> None:
        self.aggregate(MANAGEMENT)
        assert (MEMBER, REGION) in self.found(MANAGEMENT)

    def test_accounts_named_one_by_one_are_collected(self) -> None:
        client(STRANGER).put_configuration_aggregator(
            ConfigurationAggregatorName="all",
            AccountAggregationSources=[{"AccountIds": [MEMBER], "AwsRegions": [REGION]}],
        )
        assert self.found(STRANGER) == [(MEMBER, REGION)]

    def test_a_delegated_administrator_that_is_none_any_more_sees_nothing(self) -> None:
        self.aggregate()
        client(MANAGEMENT, service="organizations").deregister_delegated_administrator(
            AccountId=DELEGATED, ServicePrincipal="config.amazonaws.com"
        )
        assert self.found() == []

    @pytest.mark.parametrize(
        ("account", "code"),
        [(MEMBER, "OrganizationAccessDeniedException"), (STRANGER, "NoAvailableOrganizationException")],
    )
    def test_who_may_not_aggregate(self, account: str, code: str) -> None:
        with pytest.raises(ClientError) as raised:
            self.aggregate(account)
        assert error_of(raised) == code

    @pytest.mark.parametrize(
        ("operation", "asked"),
        [
            ("select_aggregate_resource_config", {"Expression": "SELECT resourceId"}),
            (
                "get_aggregate_compliance_details_by_config_rule",
                {"ConfigRuleName": "backup-a", "AccountId": MEMBER, "AwsRegion": REGION},
            ),
            ("describe_aggregate_compliance_by_config_rules", {}),
        ],
    )
    def test_one_that_does_not_exist_is_refused(self, operation: str, asked: dict[str, Any]) -> None:
        with pytest.raises(ClientError) as raised:
            getattr(client(DELEGATED), operation)(ConfigurationAggregatorName="none", **asked)
        assert error_of(raised) == "NoSuchConfigurationAggregatorException"

    def details(self, account: str, **asked: Any) -> list[dict[str, Any]]:
        pages = client(DELEGATED).get_paginator("get_aggregate_compliance_details_by_config_rule")
        found = pages.paginate(
            ConfigurationAggregatorName="all", ConfigRuleName="backup-a", AccountId=account, AwsRegion=REGION, **asked
        )
        return [result for page in found for result in page["AggregateEvaluationResults"]]

    def test_evaluations_of_a_rule_are_read_with_their_annotations(self) -> None:
        self.aggregate()
        (result,) = self.details(MEMBER, ComplianceType="NON_COMPLIANT")
        qualifier = result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]
        assert (result["AccountId"], result["AwsRegion"], qualifier["ResourceId"]) == (
            MEMBER,
            REGION,
            f"{MEMBER}-{REGION}",
        )
        assert result["Annotation"] == f"backup-a says NON_COMPLIANT of {MEMBER}-{REGION}."
        with page_size(1):
            assert len(self.details(MEMBER)) == 2
        assert self.details(STRANGER) == []

    def test_rules_are_summed_up_by_account_and_region(self) -> None:
        self.aggregate()
        client(MEMBER).put_config_rule(
            ConfigRule={
                "ConfigRuleName": "never-ran",
                "Source": {"Owner": "AWS", "SourceIdentifier": "ROOT_ACCOUNT_MFA_ENABLED"},
            }
        )
        rules = client(DELEGATED).describe_aggregate_compliance_by_config_rules(
            ConfigurationAggregatorName="all", Filters={"AccountId": MEMBER, "ComplianceType": "NON_COMPLIANT"}
        )["AggregateComplianceByConfigRules"]
        assert rules == [
            {
                "ConfigRuleName": "backup-a",
                "Compliance": {
                    "ComplianceType": "NON_COMPLIANT",
                    "ComplianceContributorCount": {"CappedCount": 1, "CapExceeded": False},
                },
                "AccountId": MEMBER,
                "AwsRegion": region,
            }
            for region in (REGION, OTHER_REGION)
        ]
        everything = client(DELEGATED).describe_aggregate_compliance_by_config_rules(ConfigurationAggregatorName="all")
        assert {each["ConfigRuleName"] for each in everything["AggregateComplianceByConfigRules"]} == {"backup-a"}


class TestStoredQueries:
    def put(self, name: str = "problems", **changes: Any) -> str:
        query = {"QueryName": name, "Expression": "SELECT resourceId", "Description": "All of it."} | changes
        return str(client().put_stored_query(StoredQuery=query)["QueryArn"])

    def test_a_query_is_kept_and_changed_under_its_name(self) -> None:
        arn = self.put()
        assert arn.startswith(f"arn:aws:config:{REGION}:{MEMBER}:stored-query/problems/query-")
        assert self.put(Expression="SELECT arn") == arn
        query = client().get_stored_query(QueryName="problems")["StoredQuery"]
        assert (query["QueryArn"], query["Expression"], query["Description"]) == (arn, "SELECT arn", "All of it.")

    def test_queries_are_listed_in_pages_without_their_expressions(self) -> None:
        for name in ("c", "a", "b"):
            self.put(name)
        first = client().list_stored_queries(MaxResults=2)
        rest = client().list_stored_queries(MaxResults=2, NextToken=first["NextToken"])
        listed = [*first["StoredQueryMetadata"], *rest["StoredQueryMetadata"]]
        assert [each["QueryName"] for each in listed] == ["a", "b", "c"]
        assert all("Expression" not in each for each in listed)
        assert client(DELEGATED).list_stored_queries()["StoredQueryMetadata"] == []

    def test_a_deleted_query_is_gone(self) -> None:
        self.put()
        client().delete_stored_query(QueryName="problems")
        for operation in ("get_stored_query", "delete_stored_query"):
            with pytest.raises(ClientError) as raised:
                getattr(client(), operation)(QueryName="problems")
            assert error_of(raised) == "ResourceNotFoundException"

    @pytest.mark.parametrize(
        "changes",
        [{"name": "with blank"}, {"name": "n" * 65}, {"Expression": "x" * 4097}, {"Description": "x" * 257}],
        ids=["name", "long name", "expression", "description"],
    )
    def test_what_is_too_long_or_misnamed_is_refused(self, changes: dict[str, str]) -> None:
        with pytest.raises(ClientError) as raised:
            self.put(**changes)
        assert error_of(raised) == "ValidationException"

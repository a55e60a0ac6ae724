"""AWS Backup of the simulator, through boto3, and so through botocore's (de)serialization and validation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_simulator.core import backup
from aws_simulator.core.accounts import account_session
from aws_simulator.core.operations import clock, page_size
from aws_simulator.simulation import simulated_aws

ACCOUNT, OTHER_ACCOUNT, REGION = "111122223333", "444455556666", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/AWSBackupDefaultServiceRole"
RULE: dict[str, Any] = {
    "RuleName": "DailyBackups",
    "TargetBackupVaultName": "Default",
    "ScheduleExpression": "cron(0 5 ? * * *)",
}
NOVEMBER = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def client() -> Iterator[Any]:
    with simulated_aws():
        yield account_session(ACCOUNT, REGION).client("backup")


@pytest.fixture
def plan_id(client: Any) -> str:
    return str(client.create_backup_plan(BackupPlan=plan("prod"))["BackupPlanId"])


def plan(name: str, *rules: dict[str, Any]) -> dict[str, Any]:
    return {"BackupPlanName": name, "Rules": list(rules) or [RULE]}


def selection(name: str = "everything", **elements: Any) -> dict[str, Any]:
    return {"SelectionName": name, "IamRoleArn": ROLE} | (elements or {"Resources": ["*"]})


def pages(client: Any, operation: str, member: str, **parameters: Any) -> list[list[Any]]:
    return [page[member] for page in client.get_paginator(operation).paginate(**parameters)]


class TestPlans:
    def test_a_plan_keeps_every_field_and_gains_none_but_rule_ids(self, client: Any) -> None:
        rules = [
            {
                **RULE,
                "ScheduleExpressionTimezone": "America/Los_Angeles",
                "StartWindowMinutes": 60,
                "CompletionWindowMinutes": 10080,
                "Lifecycle": {"MoveToColdStorageAfterDays": 30, "DeleteAfterDays": 120},
                "RecoveryPointTags": {"made by": "prod"},
                "CopyActions": [
                    {"DestinationBackupVaultArn": "arn:aws:backup:eu-central-1:111122223333:backup-vault:copies"}
                ],
                "EnableContinuousBackup": True,
            },
            {"RuleName": "Bare", "TargetBackupVaultName": "no-such-vault"},
        ]
        settings = [{"ResourceType": "EC2", "BackupOptions": {"WindowsVSS": "enabled"}}]
        document = {"BackupPlanName": "prod", "Rules": rules, "AdvancedBackupSettings": settings}
        created = client.create_backup_plan(BackupPlan=document)
        answer = client.get_backup_plan(BackupPlanId=created["BackupPlanId"])
        stored = answer["BackupPlan"]
        ids = [rule.pop("RuleId") for rule in stored["Rules"]]
        assert stored == document
        assert len(set(ids)) == 2
        assert answer["BackupPlanArn"] == f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-plan:{created['BackupPlanId']}"
        assert answer["VersionId"] == created["VersionId"]
        assert "LastExecutionDate" not in answer
        assert "ScheduledRunsPreview" not in answer

    def test_an_update_makes_a_version_with_a_date_and_keeps_the_ids_of_rules(self, client: Any) -> None:
        with clock(NOVEMBER):
            created = client.create_backup_plan(BackupPlan=plan("prod"))
        plan_id = created["BackupPlanId"]
        before = client.get_backup_plan(BackupPlanId=plan_id)
        with clock(NOVEMBER + timedelta(days=2)):
            updated = client.update_backup_plan(
                BackupPlanId=plan_id,
                BackupPlan=plan("prod", {**RULE, "StartWindowMinutes": 90}, {**RULE, "RuleName": "New"}),
            )
        after = client.get_backup_plan(BackupPlanId=plan_id)
        assert updated["VersionId"] == after["VersionId"] != before["VersionId"]
        assert after["CreationDate"] - before["CreationDate"] == timedelta(days=2)
        assert after["BackupPlan"]["Rules"][0]["RuleId"] == before["BackupPlan"]["Rules"][0]["RuleId"]
        assert after["BackupPlan"]["Rules"][1]["RuleId"] != before["BackupPlan"]["Rules"][0]["RuleId"]
        old = client.get_backup_plan(BackupPlanId=plan_id, VersionId=created["VersionId"])
        assert (old["BackupPlan"], old["CreationDate"]) == (before["BackupPlan"], before["CreationDate"])
        versions = pages(client, "list_backup_plan_versions", "BackupPlanVersionsList", BackupPlanId=plan_id)[0]
        assert [each["VersionId"] for each in versions] == [updated["VersionId"], created["VersionId"]]

    def test_the_same_document_twice_is_refused_the_same_name_is_not(self, client: Any, plan_id: str) -> None:
        with pytest.raises(client.exceptions.AlreadyExistsException, match="same plan document already exists"):
            client.create_backup_plan(BackupPlan=plan("prod"))
        client.create_backup_plan(BackupPlan=plan("prod", {**RULE, "RuleName": "Other"}))

    def test_plans_are_listed_page_by_page(self, client: Any) -> None:
        for number in range(5):
            client.create_backup_plan(BackupPlan=plan(f"plan-{number}"))
        with page_size(2):
            listed = pages(client, "list_backup_plans", "BackupPlansList")
        assert [[each["BackupPlanName"] for each in page] for page in listed] == [
            ["plan-0", "plan-1"],
            ["plan-2", "plan-3"],
            ["plan-4"],
        ]
        assert [len(page) for page in pages(client, "list_backup_plans", "BackupPlansList", MaxResults=4)] == [4, 1]

    def test_a_made_up_page_token_is_refused(self, client: Any) -> None:
        with pytest.raises(client.exceptions.InvalidParameterValueException, match="'bm9uZQ==' is not valid"):
            client.list_backup_plans(NextToken="bm9uZQ==")

    def test_a_deleted_plan_is_listed_only_on_request(self, client: Any, plan_id: str) -> None:
        client.delete_backup_plan(BackupPlanId=plan_id)
        assert client.list_backup_plans()["BackupPlansList"] == []
        (gone,) = client.list_backup_plans(IncludeDeleted=True)["BackupPlansList"]
        assert "DeletionDate" in gone
        assert "DeletionDate" in client.get_backup_plan(BackupPlanId=plan_id)

    def test_a_plan_with_selections_cannot_be_deleted(self, client: Any, plan_id: str) -> None:
        created = client.create_backup_selection(BackupPlanId=plan_id, BackupSelection=selection())
        with pytest.raises(client.exceptions.InvalidRequestException, match="selections must be deleted prior"):
            client.delete_backup_plan(BackupPlanId=plan_id)
        client.delete_backup_selection(BackupPlanId=plan_id, SelectionId=created["SelectionId"])
        client.delete_backup_plan(BackupPlanId=plan_id)

    def test_what_does_not_exist(self, client: Any) -> None:
        with pytest.raises(client.exceptions.ResourceNotFoundException, match="Failed reading Backup plan"):
            client.get_backup_plan(BackupPlanId="no-such-plan")

    def test_last_execution_is_told_when_it_is_set(self, client: Any, plan_id: str) -> None:
        backup.set_last_execution(ACCOUNT, REGION, plan_id, NOVEMBER)
        assert client.get_backup_plan(BackupPlanId=plan_id)["LastExecutionDate"] == NOVEMBER
        assert client.list_backup_plans()["BackupPlansList"][0]["LastExecutionDate"] == NOVEMBER
        with pytest.raises(ValueError, match="no backup plan 'missing'"):
            backup.set_last_execution(ACCOUNT, REGION, "missing", NOVEMBER)

    def test_the_preview_joins_all_rules_and_knows_time_zones(self, client: Any) -> None:
        rules = [
            {**RULE, "RuleName": "Tokyo", "ScheduleExpressionTimezone": "Asia/Tokyo"},
            {"RuleName": "Continuous", "TargetBackupVaultName": "Default", "EnableContinuousBackup": True},
        ]
        plan_id = client.create_backup_plan(BackupPlan=plan("prod", *rules))["BackupPlanId"]
        with clock(NOVEMBER):
            answer = client.get_backup_plan(BackupPlanId=plan_id, MaxScheduledRunsPreview=3)
        names = {rule["RuleId"]: rule["RuleName"] for rule in answer["BackupPlan"]["Rules"]}
        assert [
            (names[run["RuleId"]], run["ExecutionTime"], run["RuleExecutionType"])
            for run in answer["ScheduledRunsPreview"]
        ] == [
            ("Tokyo", datetime(2026, 11, 23, 20, tzinfo=UTC), "SNAPSHOTS"),
            ("Continuous", datetime(2026, 11, 24, 5, tzinfo=UTC), "CONTINUOUS_AND_SNAPSHOTS"),
            ("Tokyo", datetime(2026, 11, 24, 20, tzinfo=UTC), "SNAPSHOTS"),
        ]

    def test_a_schedule_that_never_comes_round_has_an_empty_preview(self, client: Any) -> None:
        rule = {**RULE, "ScheduleExpression": "cron(0 5 30 FEB ? *)"}
        plan_id = client.create_backup_plan(BackupPlan=plan("never", rule))["BackupPlanId"]
        assert client.get_backup_plan(BackupPlanId=plan_id, MaxScheduledRunsPreview=10)["ScheduledRunsPreview"] == []
        with pytest.raises(client.exceptions.InvalidParameterValueException, match="between 0 and 10"):
            client.get_backup_plan(BackupPlanId=plan_id, MaxScheduledRunsPreview=11)


@pytest.mark.parametrize("plan_id", ["orgs/0a1b2c3d-0000-4000-8000-000000000001", "aws/efs/0a1b2c3d-0000-4000"])
class TestPlansMadeByAws:
    def test_they_are_read_like_any_other(self, client: Any, plan_id: str) -> None:
        ids = backup.add_plan(
            ACCOUNT, REGION, plan("mybackupplan"), plan_id=plan_id, selections=[selection(), selection("second")]
        )
        assert client.get_backup_plan(BackupPlanId=plan_id)["BackupPlanArn"].endswith(f":backup-plan:{plan_id}")
        assert [each["BackupPlanId"] for each in client.list_backup_plans()["BackupPlansList"]] == [plan_id]
        listed = client.list_backup_selections(BackupPlanId=plan_id)["BackupSelectionsList"]
        assert [each["SelectionId"] for each in listed] == ids
        read = client.get_backup_selection(BackupPlanId=plan_id, SelectionId=ids[0])
        assert read["BackupSelection"]["Resources"] == ["*"]

    def test_adding_it_again_is_a_new_version_with_new_selections(self, client: Any, plan_id: str) -> None:
        backup.add_plan(ACCOUNT, REGION, plan("old"), plan_id=plan_id, selections=[selection()])
        first = client.get_backup_plan(BackupPlanId=plan_id)
        backup.add_plan(ACCOUNT, REGION, plan("new"), plan_id=plan_id)
        second = client.get_backup_plan(BackupPlanId=plan_id)
        assert (second["BackupPlan"]["BackupPlanName"], second["VersionId"]) != ("old", first["VersionId"])
        assert client.list_backup_selections(BackupPlanId=plan_id)["BackupSelectionsList"] == []

    def test_they_end(self, client: Any, plan_id: str) -> None:
        backup.add_plan(ACCOUNT, REGION, plan("old"), plan_id=plan_id, selections=[selection()])
        backup.remove_plan(ACCOUNT, REGION, plan_id)
        assert client.list_backup_plans()["BackupPlansList"] == []


class TestPlansOfAnOrganization:
    @pytest.mark.parametrize(
        ("operation", "parameters", "message"),
        [
            ("delete_backup_plan", {}, "Backup plan cannot be deleted for backup plan orgs/1 created by organizations"),
            (
                "update_backup_plan",
                {"BackupPlan": plan("mine")},
                "Backup plan cannot be updated for backup plan orgs/1 created by organizations",
            ),
            (
                "create_backup_selection",
                {"BackupSelection": selection()},
                "Cannot create selection for backup plan orgs/1 created by organizations",
            ),
        ],
    )
    def test_nobody_in_the_account_changes_them(
        self, client: Any, operation: str, parameters: dict[str, Any], message: str
    ) -> None:
        backup.add_plan(ACCOUNT, REGION, plan("policy"), plan_id="orgs/1")
        with pytest.raises(client.exceptions.InvalidParameterValueException, match=message):
            getattr(client, operation)(BackupPlanId="orgs/1", **parameters)


class TestSelections:
    def test_a_selection_keeps_every_field_and_aws_adds_empty_lists(self, client: Any, plan_id: str) -> None:
        conditions = {"StringLike": [{"ConditionKey": "aws:ResourceTag/env", "ConditionValue": "prod*"}]}
        tags = [{"ConditionType": "STRINGEQUALS", "ConditionKey": "backup ", "ConditionValue": " True"}]
        created = client.create_backup_selection(
            BackupPlanId=plan_id, BackupSelection=selection("tagged", ListOfTags=tags, Conditions=conditions)
        )
        answer = client.get_backup_selection(BackupPlanId=plan_id, SelectionId=created["SelectionId"])
        assert answer["BackupSelection"] == {
            "SelectionName": "tagged",
            "IamRoleArn": ROLE,
            "Resources": [],
            "NotResources": [],
            "ListOfTags": tags,
            "Conditions": {"StringEquals": [], "StringNotEquals": [], "StringNotLike": [], **conditions},
        }
        assert answer["BackupPlanId"] == plan_id

    def test_they_are_listed_page_by_page_with_name_and_role(self, client: Any, plan_id: str) -> None:
        for number in range(3):
            client.create_backup_selection(BackupPlanId=plan_id, BackupSelection=selection(f"s{number}"))
        with page_size(2):
            listed = pages(client, "list_backup_selections", "BackupSelectionsList", BackupPlanId=plan_id)
        assert [[each["SelectionName"] for each in page] for page in listed] == [["s0", "s1"], ["s2"]]
        assert {each["IamRoleArn"] for page in listed for each in page} == {ROLE}

    @pytest.mark.parametrize(
        ("elements", "message"),
        [
            pytest.param(
                {"Conditions": {"StringEquals": [{"ConditionKey": "aws:ResourceTag/a", "ConditionValue": "b"}]}},
                r"Invalid backup selection\. Either 'ListOfTags' or 'Resources' section must be non-empty\.",
                id="only conditions",
            ),
            pytest.param({"Resources": [], "ListOfTags": []}, "must be non-empty", id="nothing"),
            pytest.param({"Resources": [f"arn:aws:s3:::b{n}*" for n in range(31)]}, "30 of them", id="31 wildcards"),
            pytest.param({"Resources": [f"arn:aws:s3:::b{n}" for n in range(501)]}, "at most 500", id="501 ARNs"),
            pytest.param(
                {"ListOfTags": [{"ConditionType": "STRINGLIKE", "ConditionKey": "a", "ConditionValue": "b"}]},
                "must be STRINGEQUALS, not STRINGLIKE",
                id="other condition type",
            ),
        ],
    )
    def test_what_aws_refuses(self, client: Any, plan_id: str, elements: dict[str, Any], message: str) -> None:
        with pytest.raises(client.exceptions.InvalidParameterValueException, match=message):
            client.create_backup_selection(BackupPlanId=plan_id, BackupSelection=selection(**elements))

    def test_what_does_not_exist(self, client: Any, plan_id: str) -> None:
        no_plan = "Cannot find Backup plan with ID missing"
        with pytest.raises(client.exceptions.InvalidParameterValueException, match=no_plan):
            client.list_backup_selections(BackupPlanId="missing")
        with pytest.raises(client.exceptions.InvalidParameterValueException, match=no_plan):
            client.get_backup_selection(BackupPlanId="missing", SelectionId="s")
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.get_backup_selection(BackupPlanId=plan_id, SelectionId="missing")

    def test_roles_are_checked_on_demand(self, client: Any, plan_id: str) -> None:
        iam = account_session(ACCOUNT, REGION).client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam.create_role(
            Path="/service-role/",
            RoleName="AWSBackupDefaultServiceRole",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        missing = f"arn:aws:iam::{ACCOUNT}:role/missing"
        with backup.roles_checked():
            client.create_backup_selection(BackupPlanId=plan_id, BackupSelection=selection())
            with pytest.raises(ClientError, match=f"IAM Role {missing} cannot be assumed by AWS Backup"):
                client.create_backup_selection(
                    BackupPlanId=plan_id, BackupSelection=selection() | {"IamRoleArn": missing}
                )
        client.create_backup_selection(BackupPlanId=plan_id, BackupSelection=selection() | {"IamRoleArn": missing})


class TestRegionSettings:
    def test_everything_is_on_until_it_is_turned_off_here(self, client: Any) -> None:
        before = client.describe_region_settings()["ResourceTypeOptInPreference"]
        assert set(before.values()) == {True}
        assert {"Storage Gateway", "SAP HANA on Amazon EC2", "Aurora"} <= set(before)
        client.update_region_settings(ResourceTypeOptInPreference={"Storage Gateway": False})
        after = client.describe_region_settings()
        assert after["ResourceTypeOptInPreference"] == before | {"Storage Gateway": False}
        assert set(after["ResourceTypeManagementPreference"]) == {"CloudFormation", "DSQL", "DynamoDB", "EFS"}
        elsewhere = [account_session(ACCOUNT, "us-east-1"), account_session(OTHER_ACCOUNT, REGION)]
        for session in elsewhere:
            assert session.client("backup").describe_region_settings()["ResourceTypeOptInPreference"] == before

    def test_a_key_that_the_region_does_not_know_is_refused(self, client: Any) -> None:
        backup.set_supported_resource_types(ACCOUNT, REGION, ["EBS", "EC2"])
        assert client.get_supported_resource_types()["ResourceTypes"] == ["EBS", "EC2"]
        message = (
            "Element present in resource type opt in preference has invalid values. Please use describeRegionSettings"
        )
        with pytest.raises(client.exceptions.InvalidParameterValueException, match=message):
            client.update_region_settings(ResourceTypeOptInPreference={"EBS": False, "Neptune": False})
        assert client.describe_region_settings()["ResourceTypeOptInPreference"] == {"EBS": True, "EC2": True}


class TestVaults:
    def test_a_vault_has_a_key_that_kms_knows(self, client: Any) -> None:
        client.create_backup_vault(BackupVaultName="Default")
        client.create_backup_vault(BackupVaultName="own", EncryptionKeyArn="arn:aws:kms:eu-west-1:111122223333:key/own")
        vault = client.describe_backup_vault(BackupVaultName="Default")
        key = account_session(ACCOUNT, REGION).client("kms").describe_key(KeyId=vault["EncryptionKeyArn"])
        assert (key["KeyMetadata"]["KeyManager"], key["KeyMetadata"]["KeyState"]) == ("AWS", "Enabled")
        assert (vault["VaultState"], vault["VaultType"], vault["Locked"]) == ("AVAILABLE", "BACKUP_VAULT", False)
        assert client.describe_backup_vault(BackupVaultName="own")["EncryptionKeyArn"].endswith("key/own")

    def test_they_are_listed_page_by_page_in_full(self, client: Any) -> None:
        for name in ("aa", "bb", "cc"):
            client.create_backup_vault(BackupVaultName=name)
        client.create_logically_air_gapped_backup_vault(BackupVaultName="gap", MinRetentionDays=7, MaxRetentionDays=30)
        with page_size(3):
            listed = pages(client, "list_backup_vaults", "BackupVaultList")
        assert [[each["BackupVaultName"] for each in page] for page in listed] == [["aa", "bb", "cc"], ["gap"]]
        assert listed[1][0].items() >= {"Locked": True, "MinRetentionDays": 7, "VaultState": "AVAILABLE"}.items()
        (gapped,) = client.list_backup_vaults(ByVaultType="LOGICALLY_AIR_GAPPED_BACKUP_VAULT")["BackupVaultList"]
        assert gapped["BackupVaultName"] == "gap"

    def test_a_missing_vault_looks_like_a_missing_permission(self, client: Any) -> None:
        client.create_backup_vault(BackupVaultName="Default")
        for operation in (client.describe_backup_vault, client.get_backup_vault_access_policy):
            with pytest.raises(ClientError, match="Insufficient privileges to perform this action") as caught:
                operation(BackupVaultName="default")
            assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403

    def test_names(self, client: Any) -> None:
        client.create_backup_vault(BackupVaultName="Default")
        client.create_backup_vault(BackupVaultName="default")
        with pytest.raises(client.exceptions.AlreadyExistsException, match="same name already exists"):
            client.create_backup_vault(BackupVaultName="Default")
        with pytest.raises(client.exceptions.InvalidParameterValueException, match="'a vault'"):
            client.create_backup_vault(BackupVaultName="a vault")
        backup.add_vault(ACCOUNT, REGION, "aws/efs/automatic-backup-vault")
        vault = client.describe_backup_vault(BackupVaultName="aws/efs/automatic-backup-vault")
        assert vault["BackupVaultName"] == "aws/efs/automatic-backup-vault"

    def test_the_access_policy_comes_and_goes(self, client: Any) -> None:
        client.create_backup_vault(BackupVaultName="Default")
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.get_backup_vault_access_policy(BackupVaultName="Default")
        client.put_backup_vault_access_policy(BackupVaultName="Default", Policy='{"Statement": []}')
        assert client.get_backup_vault_access_policy(BackupVaultName="Default")["Policy"] == '{"Statement": []}'
        client.delete_backup_vault_access_policy(BackupVaultName="Default")
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.get_backup_vault_access_policy(BackupVaultName="Default")
        with pytest.raises(client.exceptions.InvalidParameterValueException, match="not valid JSON"):
            client.put_backup_vault_access_policy(BackupVaultName="Default", Policy="{")

    def test_a_lock_bounds_the_retention_until_it_is_removed_or_final(self, client: Any) -> None:
        client.create_backup_vault(BackupVaultName="Default")
        lock = {"BackupVaultName": "Default", "MinRetentionDays": 7, "MaxRetentionDays": 30}
        client.put_backup_vault_lock_configuration(**lock)
        vault = client.describe_backup_vault(BackupVaultName="Default")
        assert (vault["Locked"], vault["MinRetentionDays"], vault["MaxRetentionDays"]) == (True, 7, 30)
        client.delete_backup_vault_lock_configuration(BackupVaultName="Default")
        assert "MinRetentionDays" not in client.describe_backup_vault(BackupVaultName="Default")
        with clock(NOVEMBER):
            client.put_backup_vault_lock_configuration(**lock, ChangeableForDays=3)
        with clock(NOVEMBER + timedelta(days=3)), pytest.raises(ClientError, match="immutable"):
            client.delete_backup_vault_lock_configuration(BackupVaultName="Default")

    def test_its_state_can_be_set(self, client: Any) -> None:
        client.create_backup_vault(BackupVaultName="Default")
        backup.set_vault_state(ACCOUNT, REGION, "Default", "CREATING")
        assert client.describe_backup_vault(BackupVaultName="Default")["VaultState"] == "CREATING"

    def test_tags_of_plans_and_vaults(self, client: Any) -> None:
        client.create_backup_vault(BackupVaultName="Default", BackupVaultTags={"a": "1", "b": " 2"})
        arn = client.describe_backup_vault(BackupVaultName="Default")["BackupVaultArn"]
        client.untag_resource(ResourceArn=arn, TagKeyList=["a"])
        client.tag_resource(ResourceArn=arn, Tags={"c": "3"})
        assert client.list_tags(ResourceArn=arn)["Tags"] == {"b": " 2", "c": "3"}
        backup.add_plan(ACCOUNT, REGION, plan("policy"), plan_id="orgs/1")
        plan_arn = client.get_backup_plan(BackupPlanId="orgs/1")["BackupPlanArn"]
        client.tag_resource(ResourceArn=plan_arn, Tags={"made by": "policy"})
        assert client.list_tags(ResourceArn=plan_arn)["Tags"] == {"made by": "policy"}


class TestJobs:
    VOLUME = f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-1"

    def test_a_job_tells_which_rule_made_it(self, client: Any) -> None:
        made_by = {"BackupPlanId": "orgs/1", "BackupRuleId": "rule", "BackupRuleTimezone": "Etc/UTC"}
        with clock(NOVEMBER):
            job_id = backup.add_backup_job(
                ACCOUNT, REGION, ResourceArn=self.VOLUME, CreatedBy=made_by, StartBy=NOVEMBER, State="EXPIRED"
            )
            (job,) = client.list_backup_jobs()["BackupJobs"]
        assert job.items() >= {"CreatedBy": made_by, "StartBy": NOVEMBER, "CreationDate": NOVEMBER}.items()
        assert (job["AccountId"], job["ResourceType"], job["IsParent"]) == (ACCOUNT, "EBS", False)
        assert client.describe_backup_job(BackupJobId=job_id)["CreatedBy"] == made_by

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            pytest.param({}, ["new", "child", "old"], id="newest first, none older than 30 days"),
            pytest.param({"ByState": "FAILED"}, ["old"], id="state"),
            pytest.param({"ByResourceType": "EBS"}, ["old"], id="resource type"),
            pytest.param({"ByResourceArn": "arn:aws:s3:::bucket"}, ["new"], id="resource"),
            pytest.param({"ByBackupVaultName": "Default"}, ["new"], id="vault"),
            pytest.param({"ByBackupVaultName": "default"}, [], id="vault of other case"),
            pytest.param({"ByParentJobId": "new"}, ["child"], id="parent"),
            pytest.param({"ByMessageCategory": "JOB_EXPIRED"}, ["old"], id="message category"),
            pytest.param({"ByAccountId": ACCOUNT}, ["new", "child", "old"], id="account"),
            pytest.param({"ByAccountId": OTHER_ACCOUNT}, [], id="other account"),
            pytest.param({"ByCreatedAfter": NOVEMBER - timedelta(days=2)}, ["new", "child"], id="created after"),
            pytest.param({"ByCreatedBefore": NOVEMBER - timedelta(days=2)}, ["old"], id="created before"),
            pytest.param({"ByCompleteAfter": NOVEMBER - timedelta(minutes=1)}, ["new"], id="complete after"),
        ],
    )
    def test_filters(self, client: Any, asked: dict[str, Any], expected: list[str]) -> None:
        def add(job_id: str, age: timedelta, **fields: Any) -> None:
            backup.add_backup_job(ACCOUNT, REGION, BackupJobId=job_id, CreationDate=NOVEMBER - age, **fields)

        add("ancient", timedelta(days=31))
        add("old", timedelta(days=29), ResourceArn=self.VOLUME, State="FAILED", MessageCategory="JOB_EXPIRED")
        add("child", timedelta(hours=2), ParentJobId="new")
        arn = "arn:aws:s3:::bucket"
        add("new", timedelta(hours=1), ResourceArn=arn, BackupVaultName="Default", CompletionDate=NOVEMBER)
        with clock(NOVEMBER), page_size(1):
            listed = pages(client, "list_backup_jobs", "BackupJobs", **asked)
        assert [job["BackupJobId"] for page in listed for job in page] == expected
        assert all(len(page) <= 1 for page in listed)

    def test_a_state_that_does_not_exist_is_refused(self, client: Any) -> None:
        with pytest.raises(client.exceptions.InvalidParameterValueException, match="DONE"):
            client.list_backup_jobs(ByState="DONE")

    def test_a_job_on_demand_starts_and_stops(self, client: Any) -> None:
        client.create_backup_vault(BackupVaultName="Default")
        request = {"ResourceArn": self.VOLUME, "IamRoleArn": ROLE, "StartWindowMinutes": 60}
        with clock(NOVEMBER):
            started = client.start_backup_job(BackupVaultName="Default", **request)
        job = client.describe_backup_job(BackupJobId=started["BackupJobId"])
        assert (job["State"], job["StartBy"]) == ("CREATED", NOVEMBER + timedelta(hours=1))
        assert "CreatedBy" not in job
        client.stop_backup_job(BackupJobId=started["BackupJobId"])
        assert client.describe_backup_job(BackupJobId=started["BackupJobId"])["State"] == "ABORTED"
        with pytest.raises(client.exceptions.InvalidRequestException, match="ABORTED"):
            client.stop_backup_job(BackupJobId=started["BackupJobId"])
        with pytest.raises(client.exceptions.ResourceNotFoundException, match="other does not exist"):
            client.start_backup_job(BackupVaultName="other", **request)
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.describe_backup_job(BackupJobId="missing")

    @pytest.mark.parametrize("fields", [{"Sate": "FAILED"}, {"CreatedBy": {"BackupPlanId": 7}}])
    def test_what_no_job_has_is_refused_when_it_is_planted(self, client: Any, fields: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="Not a backup job"):
            backup.add_backup_job(ACCOUNT, REGION, **fields)


def test_state_ends_with_the_simulation() -> None:
    for _ in range(2):
        with simulated_aws():
            client = account_session(ACCOUNT, REGION).client("backup")
            assert client.list_backup_plans()["BackupPlansList"] == []
            client.create_backup_plan(BackupPlan=plan("prod"))
            client.update_region_settings(ResourceTypeOptInPreference={"EBS": False})


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_other_partitions(region: str, partition: str) -> None:
    with simulated_aws():
        client = account_session(ACCOUNT, region).client("backup")
        created = client.create_backup_plan(BackupPlan=plan("prod"))
        assert created["BackupPlanArn"].startswith(f"arn:{partition}:backup:{region}:{ACCOUNT}:")

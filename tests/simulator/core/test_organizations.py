"""AWS Organizations in the simulator: backup policies, who may call what, and the plans that members get."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.core.base_backend import BackendDict

from aws_simulator import server
from aws_simulator.core import organizations
from aws_simulator.core.operations import clock, page_size
from aws_simulator.core.organization_plans import organization_plans
from aws_simulator.simulation import simulated_aws

MANAGEMENT, DELEGATED, MEMBER, OTHER, STRANGER = (
    "111111111111",
    "222222222222",
    "333333333333",
    "444444444444",
    "555555555555",
)
REGION = "eu-west-1"


@pytest.fixture(autouse=True)
def simulated() -> Iterator[None]:
    with simulated_aws():
        yield


@cache
def client(account: str = MANAGEMENT, service: str = "organizations", region: str = REGION, **options: Any) -> Any:
    """A client whose requests moto counts to `account`; it sends what botocore would refuse, as other SDKs do."""
    made = boto3.client(
        service,
        region_name=region,
        config=Config(parameter_validation=False),
        aws_access_key_id="simulated",
        aws_secret_access_key="simulated",
        **options,
    )

    def name_account(request: Any, **_: Any) -> None:
        request.headers["x-moto-account-id"] = account

    made.meta.events.register("before-sign.*.*", name_account)
    return made


@pytest.fixture
def root() -> str:
    """An organization of four accounts with backup policies turned on: the id of its root."""
    client().create_organization(FeatureSet="ALL")
    with organizations.account_ids([DELEGATED, MEMBER, OTHER]):
        for name in ("delegated", "member", "other"):
            client().create_account(AccountName=name, Email=f"{name}@example.com")
    root_id = str(client().list_roots()["Roots"][0]["Id"])
    client().enable_policy_type(RootId=root_id, PolicyType="BACKUP_POLICY")
    client().enable_aws_service_access(ServicePrincipal="backup.amazonaws.com")
    client().register_delegated_administrator(AccountId=DELEGATED, ServicePrincipal="backup.amazonaws.com")
    return root_id


def assign(value: Any) -> dict[str, Any]:
    return {"@@assign": value}


def plan(**changes: Any) -> dict[str, Any]:
    """A whole plan of a policy, with its elements replaced, or left out where a change is None."""
    elements = {
        "regions": assign([REGION, "us-east-1"]),
        "rules": {
            "Nightly": {
                "schedule_expression": assign("cron(0 5 ? * * *)"),
                "target_backup_vault_name": assign("Vault"),
                "start_backup_window_minutes": assign("60"),
                "lifecycle": {"delete_after_days": assign("35")},
            }
        },
        "selections": {
            "tags": {
                "ByTag": {
                    "iam_role_arn": assign("arn:aws:iam::$account:role/Backup"),
                    "tag_key": assign("Backup"),
                    "tag_value": assign(["true", "yes"]),
                }
            }
        },
    } | changes
    return {name: element for name, element in elements.items() if element is not None}


def policy(name: str, **plans: dict[str, Any]) -> str:
    """A new backup policy; its id."""
    content = json.dumps({"plans": plans})
    created = client().create_policy(Name=name, Description="", Type="BACKUP_POLICY", Content=content)
    return str(created["Policy"]["PolicySummary"]["Id"])


def attach(policy_id: str, target: str) -> None:
    client().attach_policy(PolicyId=policy_id, TargetId=target)


def effective(account: str = MEMBER, **asked: str) -> Any:
    """The plans of the effective policy, as the account sees it."""
    answer = client(account).describe_effective_policy(PolicyType="BACKUP_POLICY", **asked)["EffectivePolicy"]
    return json.loads(answer["PolicyContent"]).get("plans", {})


def error_of(call: Any, *arguments: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(*arguments, **parameters)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


DENIED = ("AccessDeniedException", "You don't have permissions to access this resource.")
NOT_IN_USE = ("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")


class TestCallers:
    @pytest.mark.parametrize("account", [MANAGEMENT, DELEGATED, MEMBER])
    def test_any_account_may_describe_the_organization(self, root: str, account: str) -> None:
        assert client(account).describe_organization()["Organization"]["MasterAccountId"] == MANAGEMENT

    @pytest.mark.parametrize(
        ("operation", "parameters"),
        [
            ("describe_organization", {}),
            ("describe_effective_policy", {"PolicyType": "BACKUP_POLICY"}),
            ("list_roots", {}),
            ("list_accounts", {}),
            ("create_account", {"AccountName": "x", "Email": "x@example.com"}),
        ],
    )
    def test_an_account_without_organization(self, root: str, operation: str, parameters: dict[str, str]) -> None:
        assert error_of(getattr(client(STRANGER), operation), **parameters) == NOT_IN_USE

    @pytest.mark.parametrize(
        ("operation", "parameters"),
        [
            ("list_roots", {}),
            ("list_accounts", {}),
            ("list_policies", {"Filter": "BACKUP_POLICY"}),
            ("list_policies_for_target", {"Filter": "BACKUP_POLICY", "TargetId": MEMBER}),
            ("describe_account", {"AccountId": MEMBER}),
            ("list_delegated_administrators", {}),
        ],
    )
    def test_delegated_administrators_read_and_members_do_not(
        self, root: str, operation: str, parameters: dict[str, str]
    ) -> None:
        assert error_of(getattr(client(MEMBER), operation), **parameters) == DENIED
        of_management, of_delegated = (getattr(client(a), operation)(**parameters) for a in (MANAGEMENT, DELEGATED))
        del of_management["ResponseMetadata"], of_delegated["ResponseMetadata"]
        assert of_delegated == of_management

    @pytest.mark.parametrize("account", [DELEGATED, MEMBER])
    def test_only_the_management_account_changes_policies(self, root: str, account: str) -> None:
        policy_id = policy("one", P=plan())
        assert error_of(client(account).attach_policy, PolicyId=policy_id, TargetId=MEMBER) == DENIED
        parameters = {"Name": "two", "Description": "", "Type": "BACKUP_POLICY", "Content": '{"plans": {}}'}
        assert error_of(client(account).create_policy, **parameters) == DENIED

    def test_a_removed_account_is_a_stranger(self, root: str) -> None:
        client().remove_account_from_organization(AccountId=OTHER)
        assert error_of(client(OTHER).describe_organization) == NOT_IN_USE
        assert client(MEMBER).describe_organization()

    def test_after_a_reset_members_are_free(self, root: str) -> None:
        BackendDict.reset()
        assert error_of(client(MEMBER).describe_organization) == NOT_IN_USE
        client(MEMBER).create_organization(FeatureSet="ALL")
        assert client(MEMBER).describe_organization()["Organization"]["MasterAccountId"] == MEMBER

    def test_two_organizations_do_not_mix(self, root: str) -> None:
        attach(policy("one", P=plan()), root)
        client(STRANGER).create_organization(FeatureSet="ALL")
        assert client(STRANGER).describe_organization()["Organization"]["MasterAccountId"] == STRANGER
        assert error_of(client(STRANGER).describe_effective_policy, PolicyType="BACKUP_POLICY")[0] == (
            "EffectivePolicyNotFoundException"
        )
        assert error_of(client(STRANGER).describe_effective_policy, PolicyType="BACKUP_POLICY", TargetId=MEMBER)[0] == (
            "TargetNotFoundException"
        )


class TestPolicies:
    def test_a_policy_is_described_as_it_was_written(self, root: str) -> None:
        policy_id = policy("one", P=plan())
        described = client().describe_policy(PolicyId=policy_id)["Policy"]
        assert json.loads(described["Content"]) == {"plans": {"P": plan()}}
        summary = described["PolicySummary"]
        assert (summary["Name"], summary["Type"], summary["AwsManaged"]) == ("one", "BACKUP_POLICY", False)
        organization = client().describe_organization()["Organization"]["Id"]
        expected = f"arn:aws:organizations::{MANAGEMENT}:policy/{organization}/backup_policy/{policy_id}"
        assert summary["Arn"] == expected

    def test_policies_and_targets_are_listed_by_type_and_in_pages(self, root: str) -> None:
        ids = [policy(f"policy-{number}", P=plan()) for number in range(5)]
        for policy_id in ids[:3]:
            attach(policy_id, MEMBER)
        attach(ids[0], root)
        with page_size(2):
            pages = list(client().get_paginator("list_policies").paginate(Filter="BACKUP_POLICY"))
            attached = client().get_paginator("list_policies_for_target")
            on_member = list(attached.paginate(TargetId=MEMBER, Filter="BACKUP_POLICY"))
        assert [len(page["Policies"]) for page in pages] == [2, 2, 1]
        assert [entry["Id"] for page in on_member for entry in page["Policies"]] == ids[:3]
        targets = client().list_targets_for_policy(PolicyId=ids[0])["Targets"]
        assert [(target["TargetId"], target["Type"]) for target in targets] == [(MEMBER, "ACCOUNT"), (root, "ROOT")]
        kept_by_moto = client().list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
        assert [entry["Name"] for entry in kept_by_moto] == ["FullAWSAccess"]

    @pytest.mark.parametrize(
        "content",
        ["{", '{"services": {}}', '{"plans": {"P": {"regions": ["us-east-1"]}}}', '{"plans": {}, "plans": {}}'],
        ids=["no JSON", "of another type", "a value without operator", "a key twice"],
    )
    def test_a_malformed_policy_is_refused(self, root: str, content: str) -> None:
        expected = (
            "MalformedPolicyDocumentException",
            "The provided policy document does not meet the requirements of the specified policy type.",
        )
        parameters = {"Name": "one", "Description": "", "Type": "BACKUP_POLICY", "Content": content}
        assert error_of(client().create_policy, **parameters) == expected
        policy_id = policy("two", P=plan())
        assert error_of(client().update_policy, PolicyId=policy_id, Content=content) == expected

    def test_a_policy_is_at_most_ten_thousand_characters_long(self, root: str) -> None:
        content = '{"plans": {}}'.ljust(10_000)
        client().create_policy(Name="a", Description="", Type="BACKUP_POLICY", Content=content)
        parameters = {"Name": "b", "Description": "", "Type": "BACKUP_POLICY", "Content": content + " "}
        assert error_of(client().create_policy, **parameters)[0] == "ConstraintViolationException"

    def test_a_name_is_taken_once(self, root: str) -> None:
        policy("one")
        parameters = {"Name": "one", "Description": "", "Type": "BACKUP_POLICY", "Content": '{"plans": {}}'}
        assert error_of(client().create_policy, **parameters)[0] == "DuplicatePolicyException"

    @pytest.mark.parametrize(
        ("policy_id", "target", "code"),
        [
            (None, "999999999999", "TargetNotFoundException"),
            (None, "ou-abcd-12345678", "TargetNotFoundException"),
            (None, "somewhere", "InvalidInputException"),
            ("p-12345678", MEMBER, "PolicyNotFoundException"),
        ],
        ids=["unknown account", "unknown OU", "no id", "unknown policy"],
    )
    def test_an_attachment_that_cannot_be(self, root: str, policy_id: str | None, target: str, code: str) -> None:
        made = policy("one", P=plan())
        for call in (client().attach_policy, client().detach_policy):
            assert error_of(call, PolicyId=policy_id or made, TargetId=target)[0] == code

    def test_a_policy_is_attached_and_detached_once(self, root: str) -> None:
        policy_id = policy("one", P=plan())
        attach(policy_id, MEMBER)
        again = {"PolicyId": policy_id, "TargetId": MEMBER}
        assert error_of(client().attach_policy, **again)[0] == "DuplicatePolicyAttachmentException"
        assert error_of(client().delete_policy, PolicyId=policy_id)[0] == "PolicyInUseException"
        client().detach_policy(**again)
        assert error_of(client().detach_policy, **again)[0] == "PolicyNotAttachedException"
        client().delete_policy(PolicyId=policy_id)

    def test_at_most_ten_policies_are_attached(self, root: str) -> None:
        for number in range(10):
            attach(policy(f"policy-{number}"), MEMBER)
        eleventh = policy("policy-10")
        refused = error_of(client().attach_policy, PolicyId=eleventh, TargetId=MEMBER)
        assert refused[0] == "ConstraintViolationException"

    def test_the_type_has_to_be_enabled(self, root: str) -> None:
        policy_id = policy("one", P=plan())
        attach(policy_id, MEMBER)
        assert effective()
        assert client().list_roots()["Roots"][0]["PolicyTypes"] == [{"Type": "BACKUP_POLICY", "Status": "ENABLED"}]
        client().disable_policy_type(RootId=root, PolicyType="BACKUP_POLICY")
        assert error_of(effective)[0] == "EffectivePolicyNotFoundException"
        refused = error_of(client().attach_policy, PolicyId=policy_id, TargetId=MEMBER)
        assert refused[0] == "PolicyTypeNotEnabledException"
        client().enable_policy_type(RootId=root, PolicyType="BACKUP_POLICY")
        # Turned on again, the type has no policies attached any more.
        assert error_of(effective)[0] == "EffectivePolicyNotFoundException"
        attach(policy_id, MEMBER)
        assert effective()


class TestEffectivePolicy:
    def test_policies_of_root_ou_and_account_are_merged(self, root: str) -> None:
        outer = client().create_organizational_unit(ParentId=root, Name="outer")["OrganizationalUnit"]["Id"]
        inner = client().create_organizational_unit(ParentId=outer, Name="inner")["OrganizationalUnit"]["Id"]
        client().move_account(AccountId=MEMBER, SourceParentId=root, DestinationParentId=inner)
        attach(policy("root", P=plan()), root)
        attach(policy("outer", P={"regions": {"@@append": ["eu-north-1"]}}), outer)
        attach(policy("inner", P={"rules": {"nightly": {"target_backup_vault_name": assign("Inner")}}}), inner)
        attach(policy("account", P={"regions": {"@@remove": ["us-east-1"]}}), MEMBER)
        merged = effective()["P"]
        assert merged["regions"] == [REGION, "eu-north-1"]
        assert merged["rules"]["nightly"]["target_backup_vault_name"] == "Inner"
        assert effective(OTHER)["P"]["regions"] == [REGION, "us-east-1"]
        assert effective(OTHER)["P"]["rules"]["nightly"]["target_backup_vault_name"] == "Vault"

    def test_each_account_sees_its_own_id(self, root: str) -> None:
        attach(policy("root", P=plan()), root)
        for account in (MANAGEMENT, DELEGATED, MEMBER, OTHER):
            role = effective(account)["P"]["selections"]["tags"]["bytag"]["iam_role_arn"]
            assert role == f"arn:aws:iam::{account}:role/Backup"

    def test_an_update_is_seen(self, root: str) -> None:
        policy_id = policy("root", P=plan())
        with clock(datetime(2026, 11, 1, tzinfo=UTC)):
            attach(policy_id, root)
        assert list(effective()) == ["P"]
        with clock(datetime(2026, 11, 2, tzinfo=UTC)):
            client().update_policy(PolicyId=policy_id, Content=json.dumps({"plans": {"Q": plan()}}))
        answer = client(MEMBER).describe_effective_policy(PolicyType="BACKUP_POLICY")["EffectivePolicy"]
        assert list(json.loads(answer["PolicyContent"])["plans"]) == ["Q"]
        assert (answer["TargetId"], answer["PolicyType"]) == (MEMBER, "BACKUP_POLICY")
        assert answer["LastUpdatedTimestamp"] == datetime(2026, 11, 2, tzinfo=UTC)

    def test_a_moved_account_changes_policies(self, root: str) -> None:
        unit = client().create_organizational_unit(ParentId=root, Name="unit")["OrganizationalUnit"]["Id"]
        attach(policy("unit", P=plan()), unit)
        assert error_of(effective)[0] == "EffectivePolicyNotFoundException"
        client().move_account(AccountId=MEMBER, SourceParentId=root, DestinationParentId=unit)
        assert list(effective()) == ["P"]

    @pytest.mark.parametrize("account", [MANAGEMENT, DELEGATED])
    def test_who_may_ask_about_another_account(self, root: str, account: str) -> None:
        attach(policy("one", P=plan()), MEMBER)
        assert list(effective(account, TargetId=MEMBER)) == ["P"]

    @pytest.mark.parametrize("target", [MEMBER, OTHER])
    def test_a_member_names_no_account(self, root: str, target: str) -> None:
        attach(policy("one", P=plan()), root)
        assert error_of(effective, MEMBER, TargetId=target) == DENIED

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"TargetId": "999999999999"}, "TargetNotFoundException"),
            ({"TargetId": "r-abcd"}, "InvalidInputException"),
            ({"TargetId": "member"}, "InvalidInputException"),
            ({"PolicyType": "SERVICE_CONTROL_POLICY"}, "InvalidInputException"),
            ({"PolicyType": "TAG_POLICY"}, "EffectivePolicyNotFoundException"),
            ({}, "EffectivePolicyNotFoundException"),
        ],
        ids=["unknown account", "a root", "no id", "no such type", "another type", "nothing attached"],
    )
    def test_what_has_no_effective_policy(self, root: str, asked: dict[str, str], code: str) -> None:
        parameters = {"PolicyType": "BACKUP_POLICY"} | asked
        assert error_of(client().describe_effective_policy, **parameters)[0] == code

    def test_invalid_effective_policies_are_listed_for_who_administers(self, root: str) -> None:
        rule = {"schedule_expression": assign("cron(0 5 ? * * *)"), "target_backup_vault_name": assign("V")}
        nine = policy("root", P=plan(rules={f"r{number}": rule for number in range(9)}))
        two = policy("two more", P={"rules": {"s1": rule, "s2": rule}})
        attach(nine, root)
        attach(two, MEMBER)
        for caller in (MANAGEMENT, DELEGATED):
            listed = client(caller).list_accounts_with_invalid_effective_policy(PolicyType="BACKUP_POLICY")
            assert ([account["Id"] for account in listed["Accounts"]], listed["PolicyType"]) == (
                [MEMBER],
                "BACKUP_POLICY",
            )
        asked = {"AccountId": MEMBER, "PolicyType": "BACKUP_POLICY"}
        (error,) = client().list_effective_policy_validation_errors(**asked)["EffectivePolicyValidationErrors"]
        assert error == {
            "ErrorCode": "ELEMENTS_TOO_MANY",
            "ErrorMessage": "'rules' exceeds the allowed maximum limit 10",
            "PathToError": "plans/P/rules",
            "ContributingPolicies": [nine, two],
        }
        healthy = {"AccountId": OTHER, "PolicyType": "BACKUP_POLICY"}
        assert client().list_effective_policy_validation_errors(**healthy)["EffectivePolicyValidationErrors"] == []
        for operation, parameters in (
            ("list_accounts_with_invalid_effective_policy", {"PolicyType": "BACKUP_POLICY"}),
            ("list_effective_policy_validation_errors", asked),
        ):
            with pytest.raises(ClientError, match="AccessDeniedException"):
                getattr(client(MEMBER), operation)(**parameters)

    def test_invalid_effective_policies_come_in_pages(self, root: str) -> None:
        attach(policy("root", P=plan(selections=None)), root)
        with page_size(1):
            first = client().list_accounts_with_invalid_effective_policy(PolicyType="BACKUP_POLICY")
        assert (len(first["Accounts"]), "NextToken" in first) == (1, True)
        pages = client().get_paginator("list_accounts_with_invalid_effective_policy")
        found = pages.paginate(PolicyType="BACKUP_POLICY").build_full_result()["Accounts"]
        assert {account["Id"] for account in found} == {MANAGEMENT, DELEGATED, MEMBER, OTHER}

    def test_a_policy_type_that_is_off_has_no_effective_policies(self, root: str) -> None:
        client().disable_policy_type(RootId=root, PolicyType="BACKUP_POLICY")
        with pytest.raises(ClientError, match="EffectivePolicyNotFoundException"):
            client().list_accounts_with_invalid_effective_policy(PolicyType="BACKUP_POLICY")

    def test_an_endpoint_that_lacks_the_operation(self, root: str) -> None:
        attach(policy("one", P=plan()), root)
        organizations.set_effective_policies_supported(MEMBER, supported=False)
        assert error_of(effective) == (
            "UnsupportedAPIEndpointException",
            "This action isn't available in the current AWS Region.",
        )
        assert effective(OTHER)
        organizations.set_effective_policies_supported(MEMBER, supported=True)
        assert effective()

    def test_the_same_through_a_server(self) -> None:
        with server.serving() as url:
            remote, member = (client(account, endpoint_url=url) for account in (MANAGEMENT, MEMBER))
            remote.create_organization(FeatureSet="ALL")
            organizations.add_accounts(MANAGEMENT, [MEMBER])
            root_id = remote.list_roots()["Roots"][0]["Id"]
            remote.enable_policy_type(RootId=root_id, PolicyType="BACKUP_POLICY")
            content = json.dumps({"plans": {"P": plan()}})
            created = remote.create_policy(Name="one", Description="", Type="BACKUP_POLICY", Content=content)
            remote.attach_policy(PolicyId=created["Policy"]["PolicySummary"]["Id"], TargetId=root_id)
            answer = member.describe_effective_policy(PolicyType="BACKUP_POLICY")["EffectivePolicy"]
            assert list(json.loads(answer["PolicyContent"])["plans"]) == ["P"]
            assert error_of(member.list_roots) == DENIED


def backup_plans(account: str = MEMBER, region: str = REGION) -> dict[str, str]:
    """The plans of the account: ids by name."""
    listed = client(account, "backup", region).list_backup_plans()["BackupPlansList"]
    return {entry["BackupPlanName"]: entry["BackupPlanId"] for entry in listed}


class TestPlansOfMembers:
    def test_a_plan_appears_as_the_policy_says(self, root: str) -> None:
        attach(
            policy("root", MyPlan=plan(backup_plan_tags={"x": {"tag_key": assign("k"), "tag_value": assign("v")}})),
            root,
        )
        organizations.materialise_organization(MANAGEMENT, [REGION, "us-east-1", "eu-north-1"])
        (plan_id,) = backup_plans().values()
        assert plan_id.startswith("orgs/")
        assert len({*backup_plans(OTHER).values(), *backup_plans(region="us-east-1").values(), plan_id}) == 3
        assert backup_plans(region="eu-north-1") == {}
        api = client(MEMBER, "backup")
        got = api.get_backup_plan(BackupPlanId=plan_id)
        assert got["BackupPlanArn"] == f"arn:aws:backup:{REGION}:{MEMBER}:backup-plan:{plan_id}"
        assert got["BackupPlan"]["BackupPlanName"] == "MyPlan"
        (rule,) = got["BackupPlan"]["Rules"]
        assert rule == {
            "RuleName": "nightly",
            "RuleId": rule["RuleId"],
            "TargetBackupVaultName": "Vault",
            "ScheduleExpression": "cron(0 5 ? * * *)",
            "StartWindowMinutes": 60,
            "Lifecycle": {"DeleteAfterDays": 35},
        }
        (entry,) = api.list_backup_selections(BackupPlanId=plan_id)["BackupSelectionsList"]
        selection = api.get_backup_selection(BackupPlanId=plan_id, SelectionId=entry["SelectionId"])["BackupSelection"]
        assert (selection["SelectionName"], selection["IamRoleArn"]) == ("bytag", f"arn:aws:iam::{MEMBER}:role/Backup")
        assert selection["ListOfTags"] == [
            {"ConditionType": "STRINGEQUALS", "ConditionKey": "Backup", "ConditionValue": value}
            for value in ("true", "yes")
        ]
        assert api.list_tags(ResourceArn=got["BackupPlanArn"])["Tags"] == {"k": "v"}

    def test_neither_vault_nor_role_need_exist(self, root: str) -> None:
        attach(policy("root", P=plan()), root)
        assert client(MEMBER, "backup").list_backup_vaults()["BackupVaultList"] == []
        assert len(organizations.materialise_backup_plans(MEMBER, REGION)) == 1

    def test_plans_follow_the_policy(self, root: str) -> None:
        policy_id = policy("root", P=plan(), Q=plan())
        attach(policy_id, root)
        organizations.materialise_backup_plans(MEMBER, REGION)
        before = backup_plans()
        assert set(before) == {"P", "Q"}
        changed = plan(rules={"Weekly": plan()["rules"]["Nightly"]})
        client().update_policy(PolicyId=policy_id, Content=json.dumps({"plans": {"P": changed, "R": plan()}}))
        assert backup_plans() == before
        organizations.materialise_backup_plans(MEMBER, REGION)
        after = backup_plans()
        assert set(after) == {"P", "R"}
        assert after["P"] == before["P"]
        rules = client(MEMBER, "backup").get_backup_plan(BackupPlanId=after["P"])["BackupPlan"]["Rules"]
        assert [rule["RuleName"] for rule in rules] == ["weekly"]
        client().detach_policy(PolicyId=policy_id, TargetId=root)
        organizations.materialise_backup_plans(MEMBER, REGION)
        assert backup_plans() == {}

    def test_an_invalid_policy_leaves_the_account_on_the_last_valid_one(self, root: str) -> None:
        attach(policy("root", Good=plan()), root)
        before = organizations.materialise_backup_plans(MEMBER, REGION)
        policy_id = policy("more", More=plan(), Bad=plan(selections=None))
        attach(policy_id, root)
        assert organizations.materialise_backup_plans(MEMBER, REGION) == before
        assert set(backup_plans()) == {"Good"}
        assert set(effective()) == {"Good", "More", "Bad"}
        assert organizations.materialise_backup_plans(OTHER, REGION) == []
        client().update_policy(PolicyId=policy_id, Content=json.dumps({"plans": {"More": plan(), "Bad": plan()}}))
        organizations.materialise_backup_plans(MEMBER, REGION)
        assert set(backup_plans()) == {"Good", "More", "Bad"}

    RULE: dict[str, str] = {"schedule_expression": "cron(0 5 ? * * *)", "target_backup_vault_name": "V"}  # noqa: RUF012 - read only
    BY_TAG: dict[str, Any] = {"iam_role_arn": "r", "tag_key": "k", "tag_value": ["v"]}  # noqa: RUF012 - read only

    @pytest.mark.parametrize(
        ("changes", "valid"),
        [
            ({}, True),
            ({"regions": None}, False),
            ({"regions": REGION}, True),
            ({"regions": ["us-east-1"]}, False),
            ({"rules": None}, False),
            ({"rules": {}}, False),
            ({"rules": {"r": {"schedule_expression": "cron(0 5 ? * * *)"}}}, False),
            ({"rules": {"r": {"target_backup_vault_name": "V"}}}, False),
            ({"rules": {"r": RULE | {"start_backup_window_minutes": "59"}}}, False),
            ({"rules": {"r": RULE | {"start_backup_window_minutes": "an hour"}}}, False),
            ({"rules": {"r": RULE | {"enable_continuous_backup": "maybe"}}}, False),
            ({"rules": {"r": RULE | {"lifecycle": "35"}}}, False),
            ({"rules": "r"}, False),
            ({"selections": {}}, False),
            ({"selections": {"tags": {"s": BY_TAG}, "resources": {"t": BY_TAG | {"resource_types": ["*"]}}}}, False),
            ({"selections": {"tags": {"s": {"iam_role_arn": "r", "tag_key": "k"}}}}, False),
            ({"selections": {"tags": {"s": {"tag_value": ["v"], "tag_key": "k"}}}}, False),
            ({"selections": {"resources": {"s": {"iam_role_arn": "r"}}}}, False),
            ({"selections": {"resources": {"s": {"iam_role_arn": "r", "resource_types": ["*"]}}}}, True),
        ],
    )
    def test_what_a_plan_must_have(self, changes: dict[str, Any], *, valid: bool) -> None:
        elements = {
            "regions": [REGION],
            "rules": {"r": self.RULE},
            "selections": {"tags": {"s": self.BY_TAG}},
        } | changes
        elements = {name: element for name, element in elements.items() if element is not None}
        assert bool(organization_plans({"plans": {"P": elements}}, MEMBER, REGION)) is valid

    def test_every_element_finds_its_field(self) -> None:
        copy = "arn:aws:backup:us-east-1:$account:backup-vault:copy"
        sealed = "arn:aws:backup:$region:$account:backup-vault:sealed"
        elements = {
            "regions": [REGION],
            "rules": {
                "r": self.RULE
                | {
                    "schedule_expression_timezone": "Europe/Madrid",
                    "target_logically_air_gapped_backup_vault_arn": sealed,
                    "start_backup_window_minutes": "90",
                    "complete_backup_window_minutes": "600",
                    "enable_continuous_backup": "true",
                    "lifecycle": {
                        "move_to_cold_storage_after_days": "30",
                        "delete_after_days": "120",
                        "opt_in_to_archive_for_supported_resources": "false",
                    },
                    "copy_actions": {
                        copy: {"target_backup_vault_arn": copy, "lifecycle": {"delete_after_days": "7"}},
                        "arn:aws:backup:us-west-1:999999999999:backup-vault:far": {},
                    },
                    "recovery_point_tags": {"t": {"tag_key": "Owner", "tag_value": "Backup"}},
                    "index_actions": {"resource_types": ["EBS", "S3"]},
                    "scan_actions": {"GUARDDUTY": {"scan_mode": "FULL_SCAN"}},
                }
            },
            "selections": {
                "resources": {
                    "s": {
                        "iam_role_arn": "arn:aws:iam::$account:role/path/Backup",
                        "resource_types": ["*"],
                        "not_resource_types": ["arn:aws:ec2:*:*:volume/*"],
                        "conditions": {
                            "string_equals": {
                                "a": {"condition_key": "aws:ResourceTag/x", "condition_value": "1"},
                                "b": {"condition_key": "aws:ResourceTag/y", "condition_value": "2"},
                            },
                            "string_not_like": {"c": {"condition_key": "aws:ResourceTag/z", "condition_value": "t*"}},
                        },
                    }
                }
            },
            "advanced_backup_settings": {"ec2": {"windows_vss": "enabled"}, "s3": {"backup_acls": "disabled"}},
        }
        (made,) = organization_plans({"plans": {"P": elements}}, MEMBER, REGION)
        assert made.plan == {
            "BackupPlanName": "P",
            "Rules": [
                {
                    "RuleName": "r",
                    "TargetBackupVaultName": "V",
                    "TargetLogicallyAirGappedBackupVaultArn": f"arn:aws:backup:{REGION}:{MEMBER}:backup-vault:sealed",
                    "ScheduleExpression": "cron(0 5 ? * * *)",
                    "ScheduleExpressionTimezone": "Europe/Madrid",
                    "StartWindowMinutes": 90,
                    "CompletionWindowMinutes": 600,
                    "EnableContinuousBackup": True,
                    "Lifecycle": {
                        "MoveToColdStorageAfterDays": 30,
                        "DeleteAfterDays": 120,
                        "OptInToArchiveForSupportedResources": False,
                    },
                    "CopyActions": [
                        {
                            "DestinationBackupVaultArn": f"arn:aws:backup:us-east-1:{MEMBER}:backup-vault:copy",
                            "Lifecycle": {"DeleteAfterDays": 7},
                        },
                        {"DestinationBackupVaultArn": "arn:aws:backup:us-west-1:999999999999:backup-vault:far"},
                    ],
                    "RecoveryPointTags": {"Owner": "Backup"},
                    "IndexActions": [{"ResourceTypes": ["EBS", "S3"]}],
                    "ScanActions": [{"MalwareScanner": "GUARDDUTY", "ScanMode": "FULL_SCAN"}],
                }
            ],
            "AdvancedBackupSettings": [
                {"ResourceType": "EC2", "BackupOptions": {"WindowsVSS": "enabled"}},
                {"ResourceType": "S3", "BackupOptions": {"BackupACLs": "disabled"}},
            ],
        }
        assert made.selections == (
            {
                "SelectionName": "s",
                "IamRoleArn": f"arn:aws:iam::{MEMBER}:role/path/Backup",
                "Resources": ["*"],
                "NotResources": ["arn:aws:ec2:*:*:volume/*"],
                "Conditions": {
                    "StringEquals": [
                        {"ConditionKey": "aws:ResourceTag/x", "ConditionValue": "1"},
                        {"ConditionKey": "aws:ResourceTag/y", "ConditionValue": "2"},
                    ],
                    "StringNotLike": [{"ConditionKey": "aws:ResourceTag/z", "ConditionValue": "t*"}],
                },
            },
        )


class TestScale:
    def test_accounts_get_the_ids_they_are_given(self, root: str) -> None:
        unit = client().create_organizational_unit(ParentId=root, Name="unit")["OrganizationalUnit"]["Id"]
        organizations.add_accounts(MANAGEMENT, ["600000000001", "600000000002"], parent_id=unit)
        listed = client().list_accounts_for_parent(ParentId=unit)["Accounts"]
        assert [account["Id"] for account in listed] == ["600000000001", "600000000002"]
        assert client("600000000002").describe_organization()["Organization"]["MasterAccountId"] == MANAGEMENT

    @pytest.mark.parametrize("account_id", ["12345", MEMBER], ids=["too short", "taken"])
    def test_an_id_that_cannot_be_given(self, root: str, account_id: str) -> None:
        with pytest.raises(ValueError, match=f"'{account_id}' is no new account id"):
            organizations.add_accounts(MANAGEMENT, [account_id])

    def test_a_thousand_accounts(self, root: str) -> None:
        ids = [f"{600_000_000_000 + number}" for number in range(1_000)]
        units = [client().create_organizational_unit(ParentId=root, Name=name) for name in ("even", "odd")]
        even, odd = (unit["OrganizationalUnit"]["Id"] for unit in units)
        attach(policy("root", P=plan()), root)
        attach(policy("odd", P={"rules": {"nightly": {"target_backup_vault_name": assign("Odd")}}}), odd)
        started = time.monotonic()
        organizations.add_accounts(MANAGEMENT, ids[::2], parent_id=even)
        organizations.add_accounts(MANAGEMENT, ids[1::2], parent_id=odd)
        organizations.materialise_organization(MANAGEMENT, [REGION])
        elapsed = time.monotonic() - started
        pages = client().get_paginator("list_accounts").paginate()
        assert {account["Id"] for page in pages for account in page["Accounts"]} >= set(ids)
        for account in ids[:2] + ids[-2:]:
            backend = organizations.organization_of(account)
            got = organizations.account_policy(backend, account)
            assert got is not None
            seen = got["plans"]["P"]
            assert seen["selections"]["tags"]["bytag"]["iam_role_arn"] == f"arn:aws:iam::{account}:role/Backup"
            expected = "Odd" if int(account) % 2 else "Vault"
            assert seen["rules"]["nightly"]["target_backup_vault_name"] == expected
        assert elapsed < 30, f"1,000 accounts took {elapsed:.1f} s; a few seconds is usual"

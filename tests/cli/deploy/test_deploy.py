"""`make deploy` and `make undeploy` against a simulated organization: what is made, told, left alone and taken away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_simulator.core.faults import Call, denied, error, failing, recorded_calls
from aws_simulator.core.organizations import account_ids
from aws_simulator.deployment.membership import settle
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.costs.counts import Account
from backup_rules_cli.costs.months import months
from backup_rules_cli.deploy import stacks
from backup_rules_cli.stored_queries import stored_queries
from tests.cli.deploy.site import ANALYTICS, CENTRAL, HOME, MANAGEMENT, OTHER, PAYMENTS, Site, deploying, record

LATER = "333344445555"
ROLE, FUNCTION_ROLE = "BackupConfigRulesMemberRole", "BackupConfigRulesFunctions"


def only(rule: str) -> str:
    """Settings with this rule and no other."""
    return "rules:\n" + "".join(f"  {each.name}: {'on' if each.name == rule else 'off'}\n" for each in rule_folders())


ONE_RULE = only("BACKUP_TAG_CASE")
READS = ("Describe", "Get", "List", "Head", "Filter")


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A simulation for tests of one account each."""
    with pytest.MonkeyPatch.context() as patch, deploying(tmp_path_factory.mktemp("street"), patch) as found:
        yield found


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with deploying(tmp_path, monkeypatch) as found:
        yield found


def writes(calls: list[Call]) -> list[Call]:
    """The calls that change something."""
    return [call for call in calls if not call.operation.startswith(READS)]


def made(site: Site, account: str = CENTRAL, region: str = HOME) -> dict[str, str]:
    """The stacks of an account by name, with their status."""
    answer = site.client(account, "cloudformation", region).describe_stacks()
    return {each["StackName"]: each["StackStatus"] for each in answer["Stacks"]}


def versions(site: Site, account: str = CENTRAL) -> dict[str, list[str]]:
    """The ids of the versions of each object in the account's buckets; S3's calls are not among the recorded ones."""
    client = site.client(account, "s3")
    found: dict[str, list[str]] = {}
    for bucket in client.list_buckets()["Buckets"]:
        for each in client.list_object_versions(Bucket=bucket["Name"]).get("Versions", []):
            found.setdefault(f"{bucket['Name']}/{each['Key']}", []).append(each["VersionId"])
    return found


def roles(site: Site, account: str) -> set[str]:
    return {each["RoleName"] for each in site.client(account, "iam").list_roles()["Roles"]}


def excluded(site: Site, region: str = HOME) -> list[str]:
    (pack,) = site.client(CENTRAL, "config", region).describe_organization_conformance_packs()[
        "OrganizationConformancePacks"
    ]
    return sorted(pack.get("ExcludedAccounts", []))


def test_two_regions_are_deployed_once_and_taken_away_again(site: Site, capsys: Any) -> None:
    options = ("--region", f"{HOME}, {OTHER}", "--management-profile", "management")
    once = "aggregator: true\n" + only("BACKUP_POLICY_VALID")
    for account in (MANAGEMENT, CENTRAL, PAYMENTS, ANALYTICS):
        record(site, account, OTHER)

    assert site.run("deploy", *options, settings=once) == 0
    plan = capsys.readouterr().out
    asking = "backup-rules query --aggregator backup-config-rules --region eu-west-1"
    assert f"What it found in all accounts: {asking}" in plan
    assert "whole organization: 4 accounts reached" in plan
    assert "create  backup-config-rules-functions" in plan
    assert "BackupConfigRulesMemberRole  in account 999988887777 and in every account reached" in plan
    assert "BackupConfigRulesMemberRole when aws:ResourceOrgID o-" in " ".join(plan.split())
    for region in (HOME, OTHER):
        parts = {name for name in made(site, region=region) if name.startswith("backup-config-rules-")}
        more = ("queries",) if region == HOME else ()
        everywhere = ("artifacts", "functions", "invoke-permissions", "kept-reads", "organization")
        assert parts == {f"backup-config-rules-{part}" for part in (*everywhere, *more)}
        assert excluded(site, region) == []
        (rule,) = site.client(MANAGEMENT, "config", region).describe_config_rules()["ConfigRules"]
        assert json.loads(rule["InputParameters"])["HomeRegion"] == HOME
    assert made(site, MANAGEMENT)["backup-config-rules-member-role"] == "CREATE_COMPLETE"
    for account in (MANAGEMENT, CENTRAL, PAYMENTS, ANALYTICS):
        assert ROLE in roles(site, account)
    assert {f"{FUNCTION_ROLE}-{HOME}", f"{FUNCTION_ROLE}-{OTHER}"} <= roles(site, CENTRAL)
    buckets = {each["Name"] for each in site.client(CENTRAL, "s3").list_buckets()["Buckets"]}
    assert {name.rpartition("-")[0] for name in buckets} == {
        f"awsconfigconforms-{CENTRAL}-{HOME}",
        f"awsconfigconforms-{CENTRAL}-{OTHER}",
        f"backup-rules-reads-{CENTRAL}-{HOME}",
        f"backup-rules-reads-{CENTRAL}-{OTHER}",
    }
    functions = site.client(CENTRAL, "lambda").list_functions()["Functions"]
    assert [each["FunctionName"] for each in functions] == ["backup-config-rules-backup-policy-valid"]

    before = versions(site)
    with recorded_calls() as calls:
        assert site.run("deploy", *options, settings=once) == 0
    assert "Nothing to change." in capsys.readouterr().out
    assert writes(calls) == []
    assert versions(site) == before

    assert site.run("undeploy", *options, settings=once) == 0
    assert "Left:" not in capsys.readouterr().out
    assert [made(site, account) for account in (CENTRAL, MANAGEMENT, PAYMENTS)] == [{}, {}, {}]
    assert made(site, region=OTHER) == {}
    assert not any({ROLE, f"{FUNCTION_ROLE}-{HOME}"} & roles(site, each) for each in (CENTRAL, MANAGEMENT, PAYMENTS))
    assert site.client(CENTRAL, "s3").list_buckets()["Buckets"] == []

    with recorded_calls() as calls:
        assert site.run("undeploy", *options, settings=once) == 0
    assert "Nothing of backup-config-rules is deployed" in capsys.readouterr().out
    assert writes(calls) == []


def test_a_pack_in_a_region_that_the_settings_do_not_name_is_found(site: Site, capsys: Any) -> None:
    for account in (CENTRAL, PAYMENTS, ANALYTICS):
        record(site, account, OTHER)
    assert site.run("deploy", "--region", OTHER, settings=ONE_RULE) == 0
    stack_sets = site.client(CENTRAL, "cloudformation")
    stack_sets.create_stack_set(
        StackSetName="backup-config-rules-finding-events",
        TemplateBody=json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": False},
        CallAs="DELEGATED_ADMIN",
    )
    capsys.readouterr()

    assert site.run("verify", settings=ONE_RULE) == 1
    told = capsys.readouterr().out
    assert re.search(r"^Looked in all \d+ Regions that are turned on for the account\.$", told, re.MULTILINE)
    assert f"backup-config-rules is also in {OTHER}, which the settings do not name: add it to regions." in told
    assert "Stack backup-config-rules-functions does not exist." in told
    assert f"account {CENTRAL}  {OTHER}" in told

    assert site.run("undeploy", "--region", HOME, settings=ONE_RULE) == 0
    told = capsys.readouterr().out
    assert f"backup-config-rules is also in {OTHER}, which stays, as it was not named." in told
    assert f"Nothing of backup-config-rules is deployed in account {CENTRAL} in {HOME}." in told
    assert "backup-config-rules-organization" in made(site, region=OTHER)

    with failing(denied, "ec2", "DescribeRegions"):
        assert site.run("undeploy", settings=ONE_RULE) == 0
    told = capsys.readouterr().out
    assert f"Looked in {HOME} only, as the others could not be listed: ec2:DescribeRegions was denied" in told
    assert "backup-config-rules-organization" in made(site, region=OTHER)

    assert site.run("undeploy", settings=ONE_RULE) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"{OTHER} backup-config-rules-organization" in told
    assert f"Left: StackSet backup-config-rules-finding-events in {HOME}, which was deployed by hand." in told
    assert made(site, region=OTHER) == {}
    assert ROLE not in roles(site, PAYMENTS)


def test_a_pipeline_does_not_reach_the_wrong_account(site: Site, capsys: Any) -> None:
    organization = site.client(CENTRAL, "organizations").describe_organization()["Organization"]["Id"]
    for options, refusal in (
        (["--expect-account", PAYMENTS], f"The credentials are of account {CENTRAL}; expected is {PAYMENTS}."),
        (
            ["--expect-account", CENTRAL, "--expect-organization", "o-elsewhere00"],
            f"Account {CENTRAL} is of organization {organization}; expected is o-elsewhere00.",
        ),
    ):
        for verb in ("deploy", "undeploy"):
            with recorded_calls() as calls:
                assert site.run(verb, *options, settings=ONE_RULE) == 2
            assert refusal in " ".join(capsys.readouterr().err.split())
            assert writes(calls) == []
    expected = ("--expect-account", CENTRAL, "--expect-organization", organization)
    assert site.run("deploy", "--plan", *expected, settings=ONE_RULE) == 0
    assert site.run("undeploy", *expected, settings=ONE_RULE) == 0


def test_what_lies_outside_the_targets_is_excluded_from_the_pack(site: Site, capsys: Any) -> None:
    settings = f"{ONE_RULE}targets: [{site.workloads}]\nexcluded_accounts: ['{ANALYTICS}']\n"

    assert site.run("deploy", settings=settings) == 0

    assert excluded(site) == sorted([CENTRAL, ANALYTICS, MANAGEMENT])
    assert ROLE in roles(site, PAYMENTS)
    assert ROLE not in roles(site, CENTRAL)
    assert "1 account reached" in capsys.readouterr().out


def test_an_update_changes_what_differs_and_nothing_else(site: Site, capsys: Any) -> None:
    assert site.run("deploy", "--management-profile", "management", settings=ONE_RULE) == 0
    capsys.readouterr()
    before = versions(site)

    with recorded_calls() as calls:
        assert site.run("deploy", settings=f"{ONE_RULE}excluded_plans: [scratch-*]\n") == 0

    told = " ".join(capsys.readouterr().out.split())
    assert "leave backup-config-rules-functions" in told
    assert "ExcludedPlans: '' → 'scratch-*'" in told
    assert "upload nothing" in told
    assert f"The management account {MANAGEMENT} is left out: no StackSet reaches it." in told
    assert f"No longer reached in eu-west-1, where its verdicts go: master ({MANAGEMENT})" in told
    assert excluded(site) == [MANAGEMENT]
    assert versions(site) == before
    updated = [call.parameters["StackName"] for call in calls if call.operation == "UpdateStack"]
    assert updated == ["backup-config-rules-invoke-permissions", "backup-config-rules-organization"]


def test_a_pack_that_failed_in_an_account_is_put_again(site: Site, capsys: Any) -> None:
    """AWS Config tries for some hours only, and CloudFormation sees no change."""
    assert site.run("deploy", settings=ONE_RULE) == 0
    with account_ids([LATER]):
        site.client(MANAGEMENT, "organizations").create_account(AccountName="later", Email="later@example.com")
    assert site.run("deploy", settings=ONE_RULE) == 0  # AWS Config may invoke the functions
    settle(MANAGEMENT, [HOME])
    assert statuses(site)[LATER] == "CREATE_FAILED"
    capsys.readouterr()
    assert site.run("deploy", settings=ONE_RULE) == 1
    text = " ".join("".join(capsys.readouterr()).split())
    assert f"put again the pack, which failed in later ({LATER}): NoAvailableConfigurationRecorder" in text
    assert f"The pack failed again in {HOME}: later ({LATER}): NoAvailableConfigurationRecorder" in text

    record(site, LATER, HOME)
    assert site.run("deploy", settings=ONE_RULE) == 0
    assert statuses(site)[LATER] == "CREATE_SUCCESSFUL"
    assert excluded(site) == [MANAGEMENT]
    capsys.readouterr()
    with recorded_calls() as calls:
        assert site.run("deploy", settings=ONE_RULE) == 0
    assert writes(calls) == []


def test_a_closed_account_is_no_problem(site: Site, capsys: Any) -> None:
    """What it had stays listed, and deploying again would change nothing."""
    settings = f"{ONE_RULE}targets: [{site.workloads}]\n"
    assert site.run("deploy", settings=settings) == 0
    site.client(MANAGEMENT, "organizations").close_account(AccountId=ANALYTICS)
    settle(MANAGEMENT, [HOME])
    assert ANALYTICS in statuses(site)
    capsys.readouterr()
    site.run("verify", "--all", settings=settings)
    told = capsys.readouterr().out
    assert ANALYTICS not in told
    assert "1 account, 1 Region." in told


def statuses(site: Site) -> dict[str, str]:
    """How the pack is in each account."""
    answer = site.client(CENTRAL, "config").get_organization_conformance_pack_detailed_status(
        OrganizationConformancePackName="backup-config-rules"
    )
    return {each["AccountId"]: each["Status"] for each in answer["OrganizationConformancePackDetailedStatuses"]}


def test_the_management_account_can_own_the_pack(site: Site) -> None:
    assert site.run("deploy", profile="management", settings=ONE_RULE) == 0

    assert "backup-config-rules-member-role" in made(site, MANAGEMENT)
    assert {ROLE, f"{FUNCTION_ROLE}-{HOME}"} <= roles(site, MANAGEMENT)
    assert ROLE in roles(site, PAYMENTS)


def test_two_packs_live_side_by_side(site: Site, capsys: Any) -> None:
    second = "name: second\nmember_role_name: SecondMember\nfunction_role_name: SecondFunctions\n"

    assert site.run("deploy", settings=ONE_RULE) == 0
    assert site.run("deploy", settings=f"{ONE_RULE}{second}rule_name_prefix: second-\n") == 0

    packs = site.client(CENTRAL, "config").describe_organization_conformance_packs()["OrganizationConformancePacks"]
    assert {each["OrganizationConformancePackName"] for each in packs} == {"backup-config-rules", "second"}
    assert {ROLE, "SecondMember"} <= roles(site, PAYMENTS)
    capsys.readouterr()
    assert site.run("deploy", settings=f"{ONE_RULE}name: third\n") == 2
    assert "Role BackupConfigRulesMemberRole exists already in account 444455556666" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("first", "second"),
    [("Functions", "Functions-second"), ("Functions-eu", "Functions")],
    ids=["the second begins like the first", "the first begins like the second"],
)
def test_a_pack_whose_roles_another_would_admit_is_refused(site: Site, capsys: Any, first: str, second: str) -> None:
    assert site.run("deploy", settings=f"{ONE_RULE}function_role_name: {first}\n") == 0
    other = f"{ONE_RULE}name: second\nmember_role_name: Second\nrule_name_prefix: b-\nfunction_role_name: {second}\n"
    with recorded_calls() as calls:
        assert site.run("deploy", settings=other) == 2
    told = capsys.readouterr().err
    assert f"Role {first}-eu-west-1 exists, and function_role_name {second} begins like it" in told
    assert writes(calls) == []
    assert site.run("deploy", "--plan", settings=other.replace(f": {second}", ": Other")) == 0


def test_one_account_alone(street: Site, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    account = street.newcomer("101010101010")
    asked = answering(monkeypatch, "y")

    assert street.ask("deploy-single-account", "--profile", account, settings=ONE_RULE) == 0
    assert asked == ["Deploy? [y/N] "]
    assert f"backup-config-rules in account {account}" in capsys.readouterr().out
    rules = street.client(account, "config").describe_config_rules()["ConfigRules"]
    assert [each["ConfigRuleName"] for each in rules] == ["backup-tag-case"]

    with recorded_calls() as calls:
        assert street.run("deploy-single-account", profile=account, settings=ONE_RULE) == 0
    assert writes(calls) == []

    answering(monkeypatch, "n")
    assert street.ask("undeploy", "--profile", account, settings=ONE_RULE) == 1
    assert len(made(street, account)) == 4
    assert street.run("undeploy", profile=account, settings=ONE_RULE) == 0
    assert made(street, account) == {}


def answering(monkeypatch: pytest.MonkeyPatch, answer: str) -> list[str]:
    """A person at the terminal gives that answer; the questions are collected."""
    asked: list[str] = []

    def reply(question: str) -> str:
        asked.append(question)
        return answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", reply)
    return asked


@pytest.mark.parametrize("answer", ["n", "", "no", "maybe"])
def test_nothing_is_made_without_a_yes(street: Site, capsys: Any, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    asked = answering(monkeypatch, answer)

    with recorded_calls() as calls:
        assert street.ask("deploy-single-account", "--profile", "alone", settings=ONE_RULE) == 1

    assert asked == ["Deploy? [y/N] "]
    assert "Nothing was changed." in capsys.readouterr().out
    assert writes(calls) == []


def test_without_a_terminal_it_neither_asks_nor_guesses(street: Site, capsys: Any) -> None:
    with recorded_calls() as calls:
        assert street.ask("deploy-single-account", "--profile", "alone", settings=ONE_RULE) == 2

    assert "Deploy? There is no terminal to ask on. Give --yes (make: YES=1) to go ahead." in capsys.readouterr().err
    assert writes(calls) == []


def test_the_plan_alone_makes_nothing(street: Site, capsys: Any) -> None:
    with recorded_calls() as calls:
        assert street.ask("deploy", "--profile", "central", "--plan", settings="") == 0

    plan = capsys.readouterr().out
    assert writes(calls) == []
    assert f"{len(rule_folders())} Lambda::Function" in plan
    assert re.search(r"BACKUP_POLICY_VALID +every 24 hours  HomeRegion=eu-west-1$", plan, re.MULTILINE)
    assert "may sts:AssumeRole on arn:aws:iam::*:role/BackupConfigRulesMemberRole" in plan
    estimate = " ".join(plan.split()).partition("A month, if every account is like the ordinary one")[2]
    both = re.findall(r"put: (\w+)( \(chosen\))? ([\d,]+) evaluations, \$([\d,.]+\d)", estimate)
    accounts = int(re.search(r"(\d+) accounts? reached", plan)[1])  # type: ignore[index]  # it is there
    expected = months(rule_folders(), Account(), {}).evaluations * accounts
    assert [(put, chosen) for put, chosen, *_ in both] == [("all", " (chosen)"), ("changes", "")]
    assert both[0][2] == f"{expected:,}"
    assert float(both[1][3].replace(",", "")) < float(both[0][3].replace(",", "")) / 3
    assert max(map(len, plan.splitlines()[1:])) <= 120


def test_a_stack_that_fails_says_which_resource_and_why_and_the_next_run_mends_it(street: Site, capsys: Any) -> None:
    account = street.newcomer("202020202020")
    limit = error("OverLimit", "You have reached the limit of queues.")
    with failing(limit, "sqs", "CreateQueue", account=account):
        assert street.run("deploy-single-account", profile=account, settings=ONE_RULE) == 1
    told = capsys.readouterr().err
    assert "Stack backup-config-rules-single-account in eu-west-1 is ROLLBACK_COMPLETE" in told
    assert "FailureQueue (AWS::SQS::Queue)" in told
    assert "You have reached the limit of queues." in told

    assert street.run("deploy-single-account", profile=account, settings=ONE_RULE) == 0
    assert "delete what is left of a failed creation, and create  backup-config-rules-single-account" in (
        capsys.readouterr().out
    )
    assert made(street, account)["backup-config-rules-single-account"] == "CREATE_COMPLETE"


def test_an_upload_is_completed_and_a_bucket_emptied_and_what_is_left_is_told(
    street: Site, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = street.newcomer("303030303030")
    assert street.run("deploy-single-account", profile=account, settings=ONE_RULE) == 0
    whole = versions(street, account)
    (key,) = [key for key in whole if key.endswith("/layer.zip")]
    client = street.client(account, "s3")
    bucket = client.list_buckets()["Buckets"][0]["Name"]
    client.delete_object(Bucket=bucket, Key=key.removeprefix(f"{bucket}/"), VersionId=whole[key][0])
    capsys.readouterr()

    assert street.run("deploy-single-account", profile=account, settings=ONE_RULE) == 0

    assert "upload  1 file," in capsys.readouterr().out
    mended = versions(street, account)
    assert {key for key, ids in mended.items() if whole.get(key) != ids} == {key}
    assert mended.keys() == whole.keys()

    monkeypatch.setattr("backup_rules_cli.deploy.artifacts._BATCH", 7)
    for body in (b"one", b"two"):
        client.put_object(Bucket=bucket, Key="notes", Body=body)
    client.delete_object(Bucket=bucket, Key="notes")
    group = "/aws/lambda/backup-config-rules-forward-findings"
    anothers = "/aws/lambda/backup-config-rules-two-backup-tag-case"
    for each in (group, anothers):
        street.client(account, "logs").create_log_group(logGroupName=each)
    template = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    street.client(account, "cloudformation").create_stack(StackName="backup-config-rules-alerts", TemplateBody=template)

    assert street.run("undeploy", profile=account, settings=ONE_RULE) == 0

    assert client.list_buckets()["Buckets"] == []
    told = capsys.readouterr().out
    assert f"Left: log group {group} in eu-west-1." in told
    assert anothers not in told
    assert "Left: stack backup-config-rules-alerts in eu-west-1, which was deployed by hand." in told


def test_the_stored_queries_are_those_of_the_pack_and_go_when_they_are_not_wanted(street: Site, capsys: Any) -> None:
    account = street.newcomer("707070707070")
    settings = f"{ONE_RULE}name: nightly\nrule_name_prefix: dev-\n"
    assert street.run("deploy-single-account", profile=account, settings=settings) == 0

    config = street.client(account, "config")
    names = [each["QueryName"] for each in config.list_stored_queries()["StoredQueryMetadata"]]
    assert set(names) == {f"nightly-{query.name}" for query in stored_queries()}
    expressions = {name: config.get_stored_query(QueryName=name)["StoredQuery"]["Expression"] for name in names}
    assert "configRuleName LIKE 'dev-backup-tag-case%'" in expressions["nightly-findings"]
    assert "resourceName = 'nightly'" in expressions["nightly-packs"]

    capsys.readouterr()
    assert street.run("deploy-single-account", profile=account, settings=f"{settings}queries: false\n") == 0
    assert "delete  nightly-queries" in capsys.readouterr().out
    assert config.list_stored_queries()["StoredQueryMetadata"] == []
    assert set(made(street, account)) == {"nightly-artifacts", "nightly-kept-reads", "nightly-single-account"}


def test_what_the_functions_keep_is_told_in_the_plan_and_goes_when_it_is_not_wanted(street: Site, capsys: Any) -> None:
    account = street.newcomer("808080808080")
    assert street.run("deploy-single-account", profile=account, settings=ONE_RULE) == 0
    plan = " ".join(capsys.readouterr().out.split())
    assert f"lies in a private bucket of account {account} in each Region." in plan
    assert "create backup-config-rules-kept-reads 1 S3::Bucket, 1 S3::BucketPolicy" in plan
    assert f"may s3:GetObject, s3:ListBucket, s3:PutObject on arn:aws:s3:::backup-rules-reads-{account}" in plan

    def bucket_of_function() -> str | None:
        client = street.client(account, "lambda")
        found = client.get_function_configuration(FunctionName="backup-config-rules-backup-tag-case")
        return found.get("Environment", {}).get("Variables", {}).get("KEPT_READS_BUCKET")  # type: ignore[no-any-return]

    storage = street.client(account, "s3")
    bucket = bucket_of_function()
    assert bucket in {each["Name"] for each in storage.list_buckets()["Buckets"]}
    with pytest.raises(ClientError, match="403"):  # that is the functions' alone
        storage.put_object(Bucket=bucket, Key="kept", Body=b"kept")
    policy = storage.get_bucket_policy(Bucket=bucket)["Policy"]
    storage.delete_bucket_policy(Bucket=bucket)
    storage.put_object(Bucket=bucket, Key="kept", Body=b"kept")
    storage.put_bucket_policy(Bucket=bucket, Policy=policy)

    assert street.run("deploy-single-account", profile=account, settings=f"{ONE_RULE}keep_reads: false\n") == 0
    told = "".join(capsys.readouterr())
    assert "delete  backup-config-rules-kept-reads" in told
    assert f"1 version of objects deleted from {bucket}" in told
    assert "Kept reads:" not in told
    assert bucket_of_function() is None
    assert bucket not in {each["Name"] for each in storage.list_buckets()["Buckets"]}
    assert street.run("undeploy", profile=account, settings=ONE_RULE) == 0


def test_functions_can_check_the_organization_themselves(street: Site, capsys: Any) -> None:
    settings = f"{ONE_RULE}check_organization_in_code: true\n"

    assert street.run("deploy", settings=settings) == 0

    client = street.client(CENTRAL, "lambda")
    function = client.get_function_configuration(FunctionName="backup-config-rules-backup-tag-case")
    organization = street.client(CENTRAL, "organizations").describe_organization()["Organization"]["Id"]
    assert function["Environment"]["Variables"]["ORGANIZATION_ID"] == organization
    capsys.readouterr()
    assert street.run("deploy", "--plan", settings=ONE_RULE) == 0
    assert "CheckOrganizationInCode: 'true' → 'false'" in capsys.readouterr().out
    assert street.run("undeploy", settings=ONE_RULE) == 0


def test_waiting_tells_how_it_goes(street: Site, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    account = street.newcomer("404040404040")
    monkeypatch.setattr(stacks, "POLL_SECONDS", 0)
    real = stacks.read_stack
    seen: dict[str, int] = {}

    def slow(access: Any, region: str, name: str) -> Any:
        live = real(access, region, name)
        seen[name] = seen.get(name, 0) + 1
        if live is not None and live.status == "CREATE_COMPLETE" and seen[name] < 4:
            return stacks.Live(live.id, "CREATE_IN_PROGRESS", "", live.parameters, live.tags, live.outputs)
        return live

    monkeypatch.setattr(stacks, "read_stack", slow)
    assert street.run("deploy-single-account", profile=account, settings=ONE_RULE) == 0

    lines = [line.split()[:3] for line in capsys.readouterr().err.splitlines() if line.startswith("  eu-west-1  ")]
    name = "backup-config-rules-single-account"
    assert [line[2] for line in lines if line[1] == name] == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


@pytest.mark.parametrize(
    ("account", "region", "partition"),
    [("606060606060", "us-gov-west-1", "aws-us-gov"), ("505050505050", "cn-north-1", "aws-cn")],
)
def test_govcloud_and_china(street: Site, capsys: Any, account: str, region: str, partition: str) -> None:
    profile = street.newcomer(account, region)

    assert street.run("deploy-single-account", "--region", region, profile=profile, settings=ONE_RULE) == 0

    plan = capsys.readouterr().out
    assert f"as arn:{partition}:sts::{account}:assumed-role/" in plan
    assert "arn:aws:" not in plan
    (function,) = street.client(account, "lambda", region).list_functions()["Functions"]
    assert function["FunctionArn"].startswith(f"arn:{partition}:lambda:{region}:{account}:function:")
    assert street.run("undeploy", "--region", region, profile=profile, settings=ONE_RULE) == 0

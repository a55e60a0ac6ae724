"""The stored queries, their template, and the command that reads what they answer across an organization."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_simulator.core import config, faults
from aws_simulator.core.config.query_language import parse
from aws_simulator.core.faults import failing
from aws_simulator.core.operations import page_size
from backup_rules_cli import stored_queries
from backup_rules_cli.catalogue import ROOT, RuleFolder, rule_folders
from backup_rules_cli.errors import NOT_DONE, PROBLEMS, WELL
from backup_rules_cli.main import main
from backup_rules_cli.queries import Collected, Finding, RuleNames, pack_rows
from tests.front_door import CENTRAL, NOW, Door, front_door
from tests.organization import MANAGEMENT, OTHER_MEMBER, Organization

FOLDERS = rule_folders()
TEMPLATE = ROOT / "cloudformation" / "queries.yaml"
QUERIES = {query.name: query for query in stored_queries.stored_queries()}
EVERY_QUERY = pytest.mark.parametrize("name", QUERIES)
PLAN_TYPE, SELECTION_TYPE = "AWS::Backup::BackupPlan", "AWS::Backup::BackupSelection"
SECOND_PACKS_RULE = config.conformance_pack_rule_name("eu-backup-tag-case", "second")
PACK = "OrgConformsPack-backup-config-rules-ab12cd34"


class TestExpressions:
    @EVERY_QUERY
    def test_config_accepts_it_with_the_longest_prefix(self, name: str) -> None:
        expression = QUERIES[name].expression(rule_name_prefix="x" * 8, pack_name="y" * 128)
        assert len(expression) <= stored_queries.MAX_EXPRESSION
        parse(expression)

    @EVERY_QUERY
    def test_its_name_and_description_fit(self, name: str) -> None:
        assert len(name) + 1 + stored_queries.MAX_PREFIX <= stored_queries.MAX_NAME
        assert 1 <= len(QUERIES[name].description) <= 256

    @pytest.mark.parametrize("name", [name for name, query in QUERIES.items() if not query.about_packs])
    def test_every_rule_is_asked_for(self, name: str) -> None:
        expression = QUERIES[name].expression(rule_name_prefix="eu-")
        for folder in FOLDERS:
            assert f"LIKE 'eu-{folder.config_rule_name}%'" in expression

    def test_there_is_room_for_as_many_rules_again(self) -> None:
        twice = stored_queries.stored_queries([*FOLDERS, *FOLDERS])
        assert max(len(query.expression(rule_name_prefix="x" * 8)) for query in twice) <= stored_queries.MAX_EXPRESSION


class TestTemplate:
    def test_the_committed_file_is_the_generated_one(self) -> None:
        assert TEMPLATE.read_text(encoding="utf-8") == stored_queries.template(), "run `make templates`"

    def test_a_stack_of_it_asks_what_the_command_asks(self) -> None:
        values = {"QueryNamePrefix": "mine", "RuleNamePrefix": "eu-", "PackName": "nightly"}
        with front_door() as door:
            door.client("cloudformation").create_stack(
                StackName="queries",
                TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
                Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
            )
            for name, query in QUERIES.items():
                stored = door.client("config").get_stored_query(QueryName=f"mine-{name}")["StoredQuery"]
                assert stored["Expression"] == query.expression(rule_name_prefix="eu-", pack_name="nightly")
                assert stored["Description"] == query.description

    @pytest.mark.parametrize(
        "given",
        [
            {"RuleNamePrefix": "eu_"},
            {"RuleNamePrefix": "123456789"},
            {"PackName": "a'b"},
            {"QueryNamePrefix": "q" * 41},
        ],
        ids=["a wildcard", "too long", "a quote", "too long for a name"],
    )
    def test_it_refuses_what_would_break_a_query(self, given: dict[str, str]) -> None:
        with front_door() as door, pytest.raises(ClientError, match=next(iter(given))):
            door.client("cloudformation").create_stack(
                StackName="queries",
                TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
                Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            )


class TestRuleNames:
    @pytest.mark.parametrize(
        ("name", "rule"),
        [
            ("backup-tag-case", "BACKUP_TAG_CASE"),
            ("backup-tag-case-conformance-pack-n0q8yfwsp", "BACKUP_TAG_CASE"),
            ("backup-plan-min-frequency-and-min-retention-check", None),
            ("backup-tag-case-of-ours", None),
            ("eu-backup-tag-case", None),
        ],
    )
    def test_whose_rule_it_is(self, name: str, rule: str | None) -> None:
        assert RuleNames(FOLDERS).rule(name) == rule

    def test_with_the_prefix_of_a_second_pack(self) -> None:
        names = RuleNames(FOLDERS, "eu-")
        assert names.rule("eu-backup-tag-case-conformance-pack-n0q8yfwsp") == "BACKUP_TAG_CASE"
        assert names.rule("backup-tag-case-conformance-pack-n0q8yfwsp") is None


class TestPackRows:
    def test_packs_that_only_begin_alike_are_left_out(self) -> None:
        rows = [
            {"accountId": "1", "awsRegion": "r", "resourceName": name, "configuration": {"complianceType": "COMPLIANT"}}
            for name in (
                PACK,
                "OrgConformsPack-backup-config-rules-two-ab12cd34",
                "backup-config-rules",
                "backup-config-rules-ab12cd34",
            )
        ]
        kept = pack_rows(rows, RuleNames(FOLDERS), "backup-config-rules")
        assert [row["resourceName"] for row in kept] == [PACK, "backup-config-rules"]

    def test_a_row_a_failing_rule(self) -> None:
        verdicts = {"backup-tag-case": "NON_COMPLIANT", "backup-vault-usable": "COMPLIANT", "theirs": "NON_COMPLIANT"}
        rules = [{"configRuleName": name, "complianceType": verdict} for name, verdict in verdicts.items()]
        row = {"accountId": "1", "awsRegion": "r", "resourceName": PACK, "configuration": {"configRuleList": rules}}
        assert pack_rows([row], RuleNames(FOLDERS), "backup-config-rules") == [
            {"accountId": "1", "awsRegion": "r", "resourceName": PACK, "rule": "BACKUP_TAG_CASE"}
        ]


# --- Across an organization -----------------------------------------------------------------------------------------


def record(door: Door) -> None:
    client = door.client("config")
    role = f"arn:aws:iam::{door.account}:role/recorder"
    group = {"allSupported": True, "includeGlobalResourceTypes": True}
    client.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "roleARN": role, "recordingGroup": group}
    )
    bucket = f"recorded-{door.account}"
    door.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": door.region})
    client.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": bucket})
    client.start_configuration_recorder(ConfigurationRecorderName="default")


def judge(door: Door, rule: str, resource_type: str, resource_id: str, verdict: str = "NON_COMPLIANT") -> None:
    """A rule of somebody else has its say."""
    door.client("config").put_config_rule(
        ConfigRule={
            "ConfigRuleName": rule,
            "Source": {
                "Owner": "CUSTOM_LAMBDA",
                "SourceIdentifier": f"arn:aws:lambda:{door.region}:{CENTRAL}:function:{rule}",
                "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}],
            },
        }
    )
    put(door, rule, resource_type, resource_id, verdict)


def put(door: Door, rule: str, resource_type: str, resource_id: str, verdict: str) -> None:
    """A rule that exists puts a verdict."""
    evaluation = {
        "ComplianceResourceType": resource_type,
        "ComplianceResourceId": resource_id,
        "ComplianceType": verdict,
        "Annotation": f"{rule} says so.",
        "OrderingTimestamp": NOW,
    }
    token = config.result_token(door.account, door.region, rule)
    door.client("config").put_evaluations(Evaluations=[evaluation], ResultToken=token)


@contextmanager
def organization() -> Iterator[dict[str, str]]:
    """Two members, judged by two rules; what was made, by name.

    In the first, the role of a selection is missing. In the second, all is well with the pack's rules, and the same
    plan and selection displease others. In both, a rule of AWS whose name begins with `backup-` finds fault.
    """
    made: dict[str, str] = {}
    with front_door() as door:
        other, management = door.at(account=OTHER_MEMBER), Organization.of(door).management
        for each in (door, other):
            record(each)
            made[f"plan {each.account}"] = each.plan()
            made[f"selection {each.account}"] = each.selection(made[f"plan {each.account}"], Resources=["*"])
        other.role()
        for each in (door, other):
            each.evaluate("BACKUP_ROLE_ASSUMABLE")
            each.evaluate("BACKUP_SELECTION_NOT_EMPTY")
            judge(each, "backup-plan-min-frequency-and-min-retention-check", PLAN_TYPE, made[f"plan {each.account}"])
        judge(other, "tagged-resources", SELECTION_TYPE, made[f"selection {OTHER_MEMBER}"])
        management.client("config").put_configuration_aggregator(
            ConfigurationAggregatorName="organization",
            OrganizationAggregationSource={
                "RoleArn": f"arn:aws:iam::{MANAGEMENT}:role/aggregator",
                "AllAwsRegions": True,
            },
        )
        yield made


@pytest.fixture(scope="class")
def judged() -> Iterator[dict[str, str]]:
    """The organization; beside what is said there, a database is missed, and a second pack has found something."""
    with organization() as made:
        judge(Door(), "backup-rds-window-conflict", "AWS::RDS::DBInstance", "db-1")
        judge(Door(account=OTHER_MEMBER), SECOND_PACKS_RULE, "AWS::EC2::Volume", "vol-1")
        yield made


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command runs as the management account, which has the aggregator."""
    act_as(Door(account=MANAGEMENT), monkeypatch)


def act_as(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a person with credentials of that account."""
    credentials = door.session.get_credentials().get_frozen_credentials()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", credentials.token)
    monkeypatch.setenv("AWS_DEFAULT_REGION", door.region)


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    main(["query", "--aggregator", "organization", "--format", "json", *arguments])
    return list(json.loads(capsys.readouterr().out)["rows"])


ACCOUNT = Door().account


@pytest.mark.usefixtures("manager")
class TestAcrossAnOrganization:
    def test_a_row_is_answered_that_only_another_rule_finds_fault_with(self, judged: dict[str, str]) -> None:
        """The trap, without which the next test would show nothing."""
        client = Door(account=MANAGEMENT).client("config")
        answered = Collected(client, "organization").select(QUERIES["findings"].expression())
        resources = {(row["accountId"], row["configuration"]["targetResourceId"]) for row in answered}
        assert (OTHER_MEMBER, judged[f"selection {OTHER_MEMBER}"]) in resources
        assert (OTHER_MEMBER, judged[f"plan {OTHER_MEMBER}"]) in resources

    def test_only_what_the_packs_rules_found_is_read_and_with_its_sentence(
        self, judged: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        database, selection = rows(capsys)
        assert (database["rule"], database["resource_id"]) == ("BACKUP_RDS_WINDOW_CONFLICT", "db-1")
        annotation = selection.pop("annotation")
        assert selection == {
            "account": ACCOUNT,
            "region": "eu-west-1",
            "resource_type": SELECTION_TYPE,
            "resource_id": judged[f"selection {ACCOUNT}"],
            "rule": "BACKUP_ROLE_ASSUMABLE",
            "config_rule": "backup-role-assumable",
        }
        stored = Door().stored("BACKUP_ROLE_ASSUMABLE")
        assert annotation == stored[SELECTION_TYPE, selection["resource_id"]].annotation
        assert "BackupRole" in annotation

    def test_pages_lose_nothing(self, judged: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
        with page_size(1):
            found = rows(capsys)
        assert [bool(each["annotation"]) for each in found] == [True, True]

    @pytest.mark.parametrize(
        ("name", "rules"),
        [
            ("plans-and-selections", ["BACKUP_ROLE_ASSUMABLE"]),
            ("resources", ["BACKUP_RDS_WINDOW_CONFLICT"]),
        ],
    )
    def test_each_query_keeps_to_its_resources(
        self, name: str, rules: list[str], judged: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert [each["rule"] for each in rows(capsys, "--query", name)] == rules

    def test_the_rules_of_a_second_pack_are_found_under_their_long_names(
        self, judged: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        (found,) = rows(capsys, "--rule-prefix", "eu-")
        assert (found["account"], found["resource_id"]) == (OTHER_MEMBER, "vol-1")
        assert (found["rule"], found["config_rule"]) == ("BACKUP_TAG_CASE", SECOND_PACKS_RULE)
        assert found["annotation"] == f"{SECOND_PACKS_RULE} says so."

    def test_the_table_reads(self, judged: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["query", "--aggregator", "organization"]) == PROBLEMS
        printed = capsys.readouterr().out
        lines = printed.splitlines()
        assert lines[0].startswith(f"first ({ACCOUNT})  eu-west-1")
        assert lines[0].endswith("2 NON_COMPLIANT")
        assert lines[2:5] == [
            "NON_COMPLIANT  BACKUP_RDS_WINDOW_CONFLICT",
            "               AWS::RDS::DBInstance  db-1",
            "               backup-rds-window-conflict says so.",
        ]
        assert "2 findings about 2 resources." in lines
        assert "Left out: 3 resources that only rules of others find NON_COMPLIANT." in lines
        assert max(map(len, lines)) <= 100

    def test_accounts_go_without_names_where_these_may_not_be_listed(
        self, judged: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with failing(faults.denied, "organizations", "ListAccounts"):
            assert main(["query", "--aggregator", "organization"]) == PROBLEMS
        printed = capsys.readouterr()
        assert printed.out.startswith(f"account ({ACCOUNT})  eu-west-1")
        assert "without their names" in printed.err

    def test_without_sentences_none_is_read(self, judged: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
        assert {each["annotation"] for each in rows(capsys, "--no-annotations")} == {""}

    def test_nothing_recorded_is_not_taken_for_no_problems(
        self, judged: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        act_as(Door(account=CENTRAL), monkeypatch)
        assert main(["query"]) == NOT_DONE
        assert "recorded nothing of type AWS::Config::ResourceCompliance" in capsys.readouterr().err
        assert main(["query", "--query", "packs"]) == NOT_DONE
        assert "recorded nothing of type AWS::Config::ConformancePackCompliance" in capsys.readouterr().err

    def test_what_is_no_longer_noncompliant_has_no_sentence(self, judged: dict[str, str]) -> None:
        """The query may answer what was evaluated anew meanwhile."""
        gone = Finding(ACCOUNT, "eu-west-1", PLAN_TYPE, "gone", "BACKUP_ROLE_ASSUMABLE", "backup-role-assumable")
        collected = Collected(Door(account=MANAGEMENT).client("config"), "organization")
        assert collected.with_annotations([gone]) == [gone]

    def test_without_an_aggregator_it_is_this_account_alone(
        self, judged: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        act_as(Door(account=OTHER_MEMBER), monkeypatch)
        assert main(["query"]) == WELL
        assert capsys.readouterr().out.splitlines()[-1] == (
            f"Asked was account {OTHER_MEMBER}, eu-west-1 alone, and no other account or Region. There is no aggregator"
            f" in account {OTHER_MEMBER}, eu-west-1; `aggregator: true` in the settings of the deployment makes one in"
            " its home Region."
        )
        act_as(Door(), monkeypatch)
        assert main(["query", "--format", "json", "--query", "plans-and-selections"]) == PROBLEMS
        answer = json.loads(capsys.readouterr().out)
        (found,) = answer["rows"]
        assert "BackupRole" in found["annotation"]
        assert answer["asked"] == {"account": ACCOUNT, "region": "eu-west-1"}

    def test_without_an_aggregator_those_that_there_are_are_named(
        self, judged: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked = f"Asked was account {MANAGEMENT}, eu-west-1 alone, and no other account or Region. "
        assert main(["query"]) == NOT_DONE
        assert f"{asked}Aggregators in account {MANAGEMENT}, eu-west-1: organization." in capsys.readouterr().err
        with failing(faults.denied, "config", "DescribeConfigurationAggregators"):
            assert main(["query"]) == NOT_DONE
        assert f"{asked}Which aggregators there are" in capsys.readouterr().err

    def test_an_aggregators_answer_is_whole_and_says_whose_it_is(
        self, judged: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        main(["query", "--aggregator", "organization"])
        assert "Asked was" not in capsys.readouterr().out
        main(["query", "--aggregator", "organization", "--format", "json"])
        assert json.loads(capsys.readouterr().out)["asked"] == {"aggregator": "organization"}

    def test_an_unknown_aggregator_gets_the_list(
        self, judged: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["query", "--aggregator", "organisation"]) == NOT_DONE
        told = capsys.readouterr().err
        assert "organisation" in told
        assert f"Aggregators in account {MANAGEMENT}, eu-west-1: organization." in told

    @pytest.mark.parametrize("arguments", [["--aggregator", "none"], ["--profile", "none"]])
    def test_what_cannot_be_asked_is_said(
        self, arguments: list[str], judged: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["query", *arguments]) == NOT_DONE
        assert "none" in capsys.readouterr().err


def pack_of(*rules: str) -> str:
    """The template of a conformance pack with rules of these names."""
    return json.dumps(
        {
            "Resources": {
                rule.replace("-", ""): {
                    "Type": "AWS::Config::ConfigRule",
                    "Properties": {
                        "ConfigRuleName": rule,
                        "Source": {
                            "Owner": "CUSTOM_LAMBDA",
                            "SourceIdentifier": f"arn:aws:lambda:eu-west-1:{CENTRAL}:function:{rule}",
                            "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}],
                        },
                    },
                }
                for rule in rules
            }
        }
    )


@pytest.fixture(scope="class")
def packs() -> Iterator[None]:
    """The organization with the pack in both members, failing in one; and packs of others, one with a name alike."""
    with organization():
        management = Door(account=MANAGEMENT)
        for service in ("config", "config-multiaccountsetup"):
            management.client("organizations").enable_aws_service_access(ServicePrincipal=f"{service}.amazonaws.com")
        client = management.client("config")
        for pack, rules in (
            ("backup-config-rules", ("backup-role-assumable", "backup-tag-case", "backup-vault-usable")),
            ("backup-config-rules-two", ("backup-tag-case", "theirs")),
            ("encryption", ("encrypted",)),
        ):
            client.put_organization_conformance_pack(
                OrganizationConformancePackName=pack, TemplateBody=pack_of(*rules), ExcludedAccounts=[MANAGEMENT]
            )
        for door in (Door(), Door(account=OTHER_MEMBER)):
            config_client = door.client("config")
            for pack in config_client.describe_conformance_packs()["ConformancePackDetails"]:
                ours = re.fullmatch("OrgConformsPack-backup-config-rules-[^-]+", pack["ConformancePackName"])
                for rule in config_client.describe_conformance_pack_compliance(
                    ConformancePackName=pack["ConformancePackName"]
                )["ConformancePackRuleComplianceList"]:
                    fine = ours and (door.account == OTHER_MEMBER or "vault-usable" in rule["ConfigRuleName"])
                    put(door, rule["ConfigRuleName"], PLAN_TYPE, "plan-1", "COMPLIANT" if fine else "NON_COMPLIANT")
        yield


@pytest.mark.usefixtures("packs", "manager")
class TestPacks:
    def test_which_accounts_have_problems(self, capsys: pytest.CaptureFixture[str]) -> None:
        """It counts packs: one of another whose name begins alike, too, as the page about queries says."""
        assert rows(capsys, "--query", "accounts", "--pack-name", "encryption") == [
            {"accountId": ACCOUNT, "COUNT(*)": 1},
            {"accountId": OTHER_MEMBER, "COUNT(*)": 1},
        ]
        counted = {row["accountId"]: row["COUNT(*)"] for row in rows(capsys, "--query", "accounts")}
        assert counted == {ACCOUNT: 2, OTHER_MEMBER: 1}

    def test_which_rules_fail_where(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = rows(capsys, "--query", "causes")
        assert [(row["accountId"], row["rule"]) for row in found] == [
            (ACCOUNT, "BACKUP_ROLE_ASSUMABLE"),
            (ACCOUNT, "BACKUP_TAG_CASE"),
        ]

    def test_where_the_pack_is_and_how_it_stands(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = rows(capsys, "--query", "packs")
        assert [(row["accountId"], row["complianceType"]) for row in found] == [
            (ACCOUNT, "NON_COMPLIANT"),
            (OTHER_MEMBER, "COMPLIANT"),
        ]

    def test_the_table_reads(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["query", "--aggregator", "organization", "--query", "packs"]) == PROBLEMS
        printed = re.sub(r"(?<=-rules-)[A-Za-z0-9]{8}$", "########", capsys.readouterr().out, flags=re.MULTILINE)
        assert printed.splitlines() == [
            "Where is the pack, and what is its compliance there?",
            "Account       Region     Compliance     Pack",
            f"{ACCOUNT}  eu-west-1  NON_COMPLIANT  OrgConformsPack-backup-config-rules-########",
            f"{OTHER_MEMBER}  eu-west-1  COMPLIANT      OrgConformsPack-backup-config-rules-########",
            "2 rows.",
        ]

    def test_a_pack_that_is_nowhere_has_no_rows(self, capsys: pytest.CaptureFixture[str]) -> None:
        arguments = ["--aggregator", "organization", "--query", "packs", "--pack-name", "nightly"]
        assert main(["query", *arguments]) == WELL
        assert capsys.readouterr().out.splitlines()[-1] == "0 rows."


def test_the_expression_can_be_shown_for_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "--query", "packs", "--pack-name", "nightly", "--show"]) == WELL
    assert capsys.readouterr().out.strip() == QUERIES["packs"].expression(pack_name="nightly")


@pytest.mark.parametrize("name", ["BACKUP_ONE_MORE"])
def test_a_new_rule_needs_nothing_else(name: str) -> None:
    folder = RuleFolder(name, FOLDERS[0].path)
    assert "LIKE '${RuleNamePrefix}backup-one-more%'" in stored_queries.template([*FOLDERS, folder])
    assert RuleNames([folder]).rule("backup-one-more") == name

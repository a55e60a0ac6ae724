"""Security Hub, the events behind it, and alerts: what the templates make, for whom, and what it may do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from moto.events.models import EventPattern
from policy_sentry.querying.actions import get_action_data

import backup_rules_cli.catalogue
from backup_rules_cli.catalogue import ROOT, rule_folders
from backup_rules_cli.templates import HEADER
from backup_rules_cli.templates.compliance_events import MAX_PATTERN, pattern
from backup_rules_cli.templates.security_hub import security_hub, templates
from tests.cloudformation.rendering import (
    CENTRAL,
    CODE,
    FOLDER,
    ORGANIZATION,
    RULES,
    add_a_rule,
    as_list,
    committed,
    of_type,
    render,
    texts,
)
from tests.pages import shell_blocks

_EVENTS = {"CentralAccountId": CENTRAL, "OrganizationId": ORGANIZATION}
NEEDED: Mapping[str, Mapping[str, str]] = {
    "alerts.yaml": CODE,
    "event-bus.yaml": {"OrganizationId": ORGANIZATION},
    "finding-events-everywhere.yaml": _EVENTS | {"TargetIds": "r-abcd"},
    "finding-events.yaml": _EVENTS,
    "finding-forwarder.yaml": CODE | {"OrganizationId": ORGANIZATION},
    "security-hub.yaml": {},
}
REGIONS = ["eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1"]
EVERY_TEMPLATE = pytest.mark.parametrize("name", NEEDED)
GENERATED = templates(RULES, HEADER)
CENTRAL_TEMPLATES = ("alerts.yaml", "finding-forwarder.yaml")


def made(name: str, region: str = "eu-west-1", **given: str) -> dict[str, Any]:
    return render(committed(name), {**NEEDED[name], **given}, region=region)


# --- All of them ----------------------------------------------------------------------------------------------------


@EVERY_TEMPLATE
def test_cfn_lint_finds_nothing_in_any_partition(name: str) -> None:
    """Of what repeats for each rule, three rules are looked at."""
    three = rule_folders("BACKUP_PLAN_RAN_ON_SCHEDULE", "BACKUP_TAG_CASE", "BACKUP_WINDOW_CONFIGURED")
    text = templates(three, HEADER)[name]
    found = lint(text, config=ManualArgs(regions=REGIONS))
    assert [f"{each.rule.id} {each.message}" for each in found] == []
    assert "cfn-lint" not in text, "nothing is ignored"


@EVERY_TEMPLATE
def test_it_keeps_to_the_limits_and_the_form_shows_every_parameter_once(name: str) -> None:
    text, template = (FOLDER / name).read_bytes(), committed(name)
    assert len(text) <= 51_200
    assert text.isascii()
    assert len(template["Description"]) <= 1024
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(each for group in groups for each in group["Parameters"]) == sorted(template["Parameters"])
    assert all(each["Description"] for each in template["Parameters"].values())


@pytest.mark.parametrize("region", REGIONS)
@EVERY_TEMPLATE
def test_it_renders_in_the_partition_of_the_region(name: str, region: str) -> None:
    partition = {"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}.get(region, "aws")
    arns = [each for each in texts(made(name, region)) if each.startswith("arn:")]
    assert all(each.startswith(f"arn:{partition}:") for each in arns)
    assert arns or name in {"security-hub.yaml", "event-bus.yaml", "finding-events-everywhere.yaml"}


@pytest.mark.parametrize("name", ["finding-events.yaml", *CENTRAL_TEMPLATES])
def test_roles_get_no_wildcard_where_aws_knows_resources(name: str) -> None:
    given = {"Tracing": "Active"} if name in CENTRAL_TEMPLATES else {"FindingsRoleRegion": "eu-west-1"}
    for role in of_type(made(name, **given), "AWS::IAM::Role").values():
        for statement in (each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]):
            for action in as_list(statement["Action"]):
                assert "*" not in action
                service, verb = action.split(":")
                resources = {row["resource_arn_format"] for row in get_action_data(service, verb)[service]}
                assert (as_list(statement["Resource"]) == ["*"]) == (resources == {"*"}), action


def test_a_new_rule_folder_appears_without_another_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_a_rule(tmp_path)
    monkeypatch.setattr(backup_rules_cli.catalogue, "RULES", tmp_path)
    for name, text in templates(rule_folders(), HEADER).items():
        assert ("backup-framework-deployed" in text) == (name != "event-bus.yaml")


def test_names_are_parameters_so_that_several_can_stand_side_by_side() -> None:
    second = {"FunctionName": "second", "EventBusName": "second"}
    for name in CENTRAL_TEMPLATES:
        roles = {"ForwarderRoleName": "Second"} if name == "finding-forwarder.yaml" else {}
        keys = {"AlarmName", "FunctionName", "LayerName", "LogGroupName", "RoleName", "Name"}

        def names(resources: dict[str, Any], keys: set[str] = keys) -> set[str]:
            given = (each["Properties"] for each in resources.values())
            return {
                str(value) for each in given for key, value in each.items() if key in keys and "<" not in str(value)
            }

        first = made(name, EventBus="Create")
        assert not names(first) & names(made(name, EventBus="Create", **second, **roles))
        assert len(names(first)) >= 6


# --- Events ---------------------------------------------------------------------------------------------------------


def is_heard(event_pattern: Mapping[str, Any], rule: str, compliance: str = "NON_COMPLIANT") -> bool:
    event = {
        "source": "aws.config",
        "detail-type": "Config Rules Compliance Change",
        "detail": {"configRuleName": rule, "newEvaluationResult": {"complianceType": compliance}},
    }
    loaded = EventPattern.load(json.dumps(event_pattern))
    return bool(loaded.matches_event(event))


@pytest.mark.parametrize("name", ["finding-events.yaml", *CENTRAL_TEMPLATES])
@pytest.mark.parametrize("prefix", ["", "prod-"])
def test_events_of_the_packs_rules_are_heard_and_of_no_other(name: str, prefix: str) -> None:
    heard = made(name, RuleNamePrefix=prefix)["ComplianceChanges"]["Properties"]["EventPattern"]
    for folder in RULES:
        assert is_heard(heard, f"{prefix}{folder.config_rule_name}-conformance-pack-n0q8yfwsp")
        assert is_heard(heard, f"{prefix}{folder.config_rule_name}")
    assert not is_heard(heard, "backup-plan-min-frequency-and-min-retention-check")
    assert not is_heard(heard, "backup-recovery-point-encrypted")
    assert is_heard(heard, f"{prefix}backup-tag-case", "COMPLIANT") == (name != "alerts.yaml")
    assert (
        len(json.dumps(made(name, RuleNamePrefix="x" * 8)["ComplianceChanges"]["Properties"]["EventPattern"])) <= 2048
    )


@dataclass(frozen=True)
class Named:
    """A rule folder of which only the name matters."""

    config_rule_name: str


def test_more_rules_than_eventbridge_or_an_insight_can_name_are_refused() -> None:
    many: Any = [Named(f"backup-rule-number-{number:018}") for number in range(40)]
    with pytest.raises(ValueError, match=f"EventBridge allows {MAX_PATTERN}"):
        pattern(many)
    with pytest.raises(ValueError, match="an insight filters by at most 20 values"):
        security_hub([*RULES, *RULES])


def test_a_member_sends_to_the_central_bus_of_its_region_and_nothing_else() -> None:
    resources = made("finding-events.yaml", "eu-central-1")
    (target,) = resources["ComplianceChanges"]["Properties"]["Targets"]
    bus = f"arn:aws:events:eu-central-1:{CENTRAL}:event-bus/backup-config-rules"
    assert (target["Arn"], target["RoleArn"]) == (bus, "<SenderRole.Arn>")
    (policy,) = resources["SenderRole"]["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == (["events:PutEvents"], bus)
    for home, region, makes in (
        ("", "eu-west-1", False),
        ("us-east-1", "eu-west-1", False),
        ("us-east-1",) * 2 + (True,),
    ):
        assert ("FindingsRole" in made("finding-events.yaml", region, FindingsRoleRegion=home)) == makes


def test_the_findings_role_is_for_the_forwarder_and_may_only_import() -> None:
    given = {"FindingsRoleRegion": "eu-west-1", "OrganizationId": ORGANIZATION}
    role = made("finding-events.yaml", **given)["FindingsRole"]["Properties"]
    assert role["RoleName"] == "BackupConfigRulesFindingsRole"
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": f"arn:aws:iam::{CENTRAL}:root"}
    assert trust["Condition"] == {
        "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{CENTRAL}:role/BackupConfigRulesForwarder-*"},
        "StringEquals": {"aws:PrincipalOrgID": ORGANIZATION},
    }
    (policy,) = role["Policies"]
    actions = {each for statement in policy["PolicyDocument"]["Statement"] for each in statement["Action"]}
    assert actions == {"securityhub:BatchImportFindings", "securityhub:GetFindings", "config:SelectResourceConfig"}


@pytest.mark.parametrize("name", CENTRAL_TEMPLATES)
@pytest.mark.parametrize(
    ("bus", "organization", "resources"),
    [
        ("Create", ORGANIZATION, {"Bus", "BusPolicy"}),
        ("Create", "", {"Bus"}),
        ("Existing", ORGANIZATION, set()),
    ],
)
def test_one_stack_makes_the_bus_and_the_organization_alone_may_send(
    name: str, bus: str, organization: str, resources: set[str]
) -> None:
    found = made(name, EventBus=bus, OrganizationId=organization)
    assert {"Bus", "BusPolicy"} & set(found) == resources
    rule = found["ComplianceChanges"]["Properties"]
    assert rule["EventBusName"] == ("<Bus>" if bus == "Create" else "backup-config-rules")
    if "BusPolicy" in resources:
        statement = found["BusPolicy"]["Properties"]["Statement"]
        assert (statement["Principal"], statement["Action"]) == ("*", "events:PutEvents")
        assert statement["Condition"] == {
            "StringEquals": {"aws:PrincipalOrgID": ORGANIZATION, "events:source": "aws.config"}
        }


@pytest.mark.parametrize("name", CENTRAL_TEMPLATES)
def test_queues_are_encrypted_keep_two_weeks_and_take_messages_of_their_rule_only(name: str) -> None:
    found = made(name)
    for queue in of_type(found, "AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 60 * 60
    queue, function = found["Queue"]["Properties"], found["Function"]["Properties"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == "<DeadLetters.Arn>"
    assert queue["VisibilityTimeout"] > function["Timeout"]
    admitted, tls = found["QueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert admitted["Principal"] == {"Service": "events.amazonaws.com"}
    assert admitted["Condition"] == {"ArnEquals": {"aws:SourceArn": "<ComplianceChanges.Arn>"}}
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


@pytest.mark.parametrize("name", CENTRAL_TEMPLATES)
def test_what_fails_raises_an_alarm(name: str) -> None:
    topic = f"arn:aws:sns:eu-west-1:{CENTRAL}:alarms"
    alarms = of_type(made(name, AlarmTopicArn=topic), "AWS::CloudWatch::Alarm")
    watched = {each["MetricName"]: each["Dimensions"][0]["Value"] for each in alarms.values()}
    assert watched == {"ApproximateNumberOfMessagesVisible": "<DeadLetters.QueueName>", "Errors": "<Function>"}
    assert all(each["AlarmActions"] == [topic] for each in alarms.values())
    assert not any("AlarmActions" in each for each in of_type(made(name), "AWS::CloudWatch::Alarm").values())


def test_the_forwarder_takes_batches_and_assumes_the_findings_role_only() -> None:
    found = made("finding-forwarder.yaml", OrganizationId=ORGANIZATION)
    mapping = found["Messages"]["Properties"]
    assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (100, ["ReportBatchItemFailures"])
    assert found["Queue"]["Properties"]["VisibilityTimeout"] == 6 * found["Function"]["Properties"]["Timeout"]
    role = found["FunctionRole"]["Properties"]
    assert role["RoleName"] == "BackupConfigRulesForwarder-eu-west-1"
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    (assume,) = [each for each in statements if each["Action"] == ["sts:AssumeRole"]]
    assert assume["Resource"] == "arn:aws:iam::*:role/BackupConfigRulesFindingsRole"
    assert assume["Condition"] == {"StringEquals": {"aws:ResourceOrgID": ORGANIZATION}}
    code = found["Function"]["Properties"]["Code"]
    assert code == {"S3Bucket": "artifacts", "S3Key": f"{CODE['CodePrefix']}/functions/forward_findings.zip"}


# --- Alerts ---------------------------------------------------------------------------------------------------------


def test_alerts_are_published_to_one_encrypted_topic() -> None:
    key = f"arn:aws:kms:eu-west-1:{CENTRAL}:key/k"
    plain, given = made("alerts.yaml"), made("alerts.yaml", EmailAddress="a@example.com", TopicKmsKeyArn=key)
    assert plain["Topic"]["Properties"]["KmsMasterKeyId"] == "alias/aws/sns"
    assert "Subscription" not in plain
    assert given["Topic"]["Properties"]["KmsMasterKeyId"] == key
    assert given["Subscription"]["Properties"]["Endpoint"] == "a@example.com"

    def actions(resources: dict[str, Any]) -> set[str]:
        statements = resources["FunctionRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        return {action for each in statements for action in each["Action"]}

    queue = {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
    assert actions(plain) == {"logs:CreateLogStream", "logs:PutLogEvents", "sns:Publish"} | queue
    assert actions(given) - actions(plain) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert plain["Due"]["Properties"]["ScheduleExpression"] == "rate(15 minutes)"


# --- Security Hub ---------------------------------------------------------------------------------------------------


def automation(**given: str) -> dict[str, dict[str, Any]]:
    return of_type(made("security-hub.yaml", **given), "AWS::SecurityHub::AutomationRule")


def titles(rule: Mapping[str, Any]) -> set[str]:
    return {each["Value"] for each in rule["Criteria"]["Title"]}


def test_without_the_forwarder_built_in_findings_get_the_severity_that_the_metadata_says() -> None:
    found = automation(RuleNamePrefix="prod-")
    severities = {each["Actions"][0]["FindingFieldsUpdate"]["Severity"]["Label"]: each for each in found.values()}
    for folder in RULES:
        title = f"prod-{folder.config_rule_name}"
        setting = [label for label, rule in severities.items() if title in titles(rule)]
        assert setting == [folder.about["Severity"]]
        assert f"{title}-conformance-pack-" in titles(severities[folder.about["Severity"]])
    for rule in found.values():
        assert rule["Criteria"]["ProductName"] == [{"Comparison": "EQUALS", "Value": "Config"}]
        assert {each["Value"] for each in rule["Criteria"]["WorkflowStatus"]} == {"NEW", "NOTIFIED"}


@pytest.mark.parametrize(
    ("forwarder", "suppress", "rules"),
    [
        ("false", "true", {"HighSeverity", "MediumSeverity"}),
        ("false", "false", {"HighSeverity", "MediumSeverity"}),
        ("true", "true", {"SuppressBuiltIn", "ResolvePassed"}),
        ("true", "false", {"HighSeverity", "MediumSeverity", "ResolvePassed"}),
    ],
)
def test_the_switch_keeps_findings_from_being_there_twice(forwarder: str, suppress: str, rules: set[str]) -> None:
    found = automation(Forwarder=forwarder, SuppressBuiltInFindings=suppress)
    assert set(found) == rules
    if "SuppressBuiltIn" in found:
        assert {f"{folder.config_rule_name}-conformance-pack-" for folder in RULES} <= titles(found["SuppressBuiltIn"])


@pytest.mark.parametrize("forwarder", ["true", "false"])
def test_insights_are_about_the_packs_open_findings(forwarder: str) -> None:
    found = of_type(made("security-hub.yaml", Forwarder=forwarder), "AWS::SecurityHub::Insight")
    assert len({each["Name"] for each in found.values()}) == 7
    for insight in found.values():
        assert re.fullmatch(r"AWS Backup: .+\?", insight["Name"])
        filters = insight["Filters"]
        assert ("GeneratorId" in filters, "ProductName" in filters) == (forwarder == "true", forwarder == "false")
        assert filters["RecordState"] == [{"Comparison": "EQUALS", "Value": "ACTIVE"}]
        assert max(map(len, filters.values())) <= 20


# --- The pages ------------------------------------------------------------------------------------------------------

COMMANDS = [
    (page, command)
    for page in ("security-hub.md", "alerts.md")
    for block in shell_blocks(ROOT / "docs" / page)
    for command in block.replace("\\\n", " ").splitlines()
    if "cloudformation/" in command
]


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_the_pages_name_parameters_that_the_templates_have(page: str, command: str) -> None:
    (name,) = re.findall(r"cloudformation/([a-z-]+\.yaml)", command)
    given = set(re.findall(r"\b([A-Z]\w+)=(?!service)", command.split("--parameter", 1)[1]))
    named = set(re.findall(r"ParameterKey=(\w+)", command)) or given - {"ParameterKey", "ParameterValue"}
    named |= {"CodeBucket", "CodePrefix"} if "$code" in command else set()
    assert named
    assert named <= set(committed(name)["Parameters"]), page
    required = {key for key, each in committed(name)["Parameters"].items() if "Default" not in each}
    assert required <= named, page

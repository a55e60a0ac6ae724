"""What holds for every template: up to date, valid, within the limits, in every partition, side by side."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from policy_sentry.querying.actions import get_action_data

import backup_rules_cli.catalogue
from aws_simulator.deployment.cloudformation.templates import parse
from backup_rules.aws.kept_in_bucket import RENEWED_AFTER
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.main import main
from backup_rules_cli.templates import templates
from backup_rules_cli.templates.conformance_pack import at_defaults, conformance_pack
from backup_rules_cli.templates.yaml_text import Noted, yaml_text
from tests.cloudformation.rendering import (
    CENTRAL,
    FOLDER,
    NEEDED,
    PER_RULE,
    RULES,
    add_a_rule,
    as_list,
    committed,
    prefix,
    rendered,
    texts,
)

REGIONS = ["eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1"]
# AWS::Lambda::ResourcePolicy is known in this partition only.
ONLY_AWS = "invoke-permissions.yaml"

EVERY_TEMPLATE = pytest.mark.parametrize("name", NEEDED)
GENERATED = templates(RULES)


def statements(name: str, resources: dict[str, Any]) -> list[dict[str, Any]]:
    """All statements of IAM policies that grant something to a role."""
    roles = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::IAM::Role"]
    policies = [policy["PolicyDocument"] for role in roles for policy in role.get("Policies", [])]
    return [statement for policy in policies for statement in policy["Statement"]]


# --- Up to date -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GENERATED)
def test_the_committed_template_is_the_generated_one(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == GENERATED[name], "run `make templates`"


def test_what_is_written_is_what_was_made() -> None:
    assert parse(GENERATED["conformance-pack.yaml"]) == conformance_pack(at_defaults(RULES))


def test_check_names_what_is_stale_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["templates", "--into", str(tmp_path)]) == 0
    assert main(["templates", "--check", "--into", str(tmp_path)]) == 0
    (tmp_path / "member-role.yaml").write_text("Resources: {}\n", encoding="utf-8")
    (tmp_path / "organization.yaml").unlink()
    assert main(["templates", "--check", "--into", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert re.findall(r"[a-z-]+\.yaml", told) == ["member-role.yaml", "organization.yaml"]
    assert (tmp_path / "member-role.yaml").read_text(encoding="utf-8") == "Resources: {}\n"


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of rules, with one more than there are."""
    folder = tmp_path / "rules"
    folder.mkdir()
    add_a_rule(folder)
    monkeypatch.setattr(backup_rules_cli.catalogue, "RULES", folder)
    return folder


def test_a_new_rule_folder_appears_everywhere_without_another_edit(rules: Path, tmp_path: Path) -> None:
    assert main(["templates", "--into", str(tmp_path)]) == 0
    made = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.yaml")}
    assert set(made) == set(GENERATED)
    for name in PER_RULE:
        assert "backup-framework-deployed" in made[name]
        assert "FrameworkDeployedFrequency" in made[name]
    assert "backup-framework-deployed" in made["conformance-pack.yaml"]
    assert "FrameworkDeployedAllowedWindow" in made["single-account.yaml"]
    for name in ("member-role.yaml", "organization.yaml", "single-account.yaml"):
        assert "backup:ListFrameworks" in made[name]


def test_a_parameter_that_the_page_does_not_explain_is_refused(rules: Path) -> None:
    (rules / "BACKUP_FRAMEWORK_DEPLOYED" / "README.md").write_text("nothing\n", encoding="utf-8")
    with pytest.raises(ValueError, match="BACKUP_FRAMEWORK_DEPLOYED/README.md has no row for the parameter"):
        templates(rule_folders())


# --- Valid ----------------------------------------------------------------------------------------------------------


@EVERY_TEMPLATE
def test_cfn_lint_finds_nothing_in_any_partition(name: str) -> None:
    """Of what repeats for each rule, three rules are looked at: that is every kind of trigger and parameter."""
    three = templates(rule_folders("BACKUP_SERVICE_OPT_IN", "BACKUP_TAG_CASE", "BACKUP_WINDOW_CONFIGURED"))
    text = three.get(name) or (FOLDER / name).read_text(encoding="utf-8")
    found = lint(text, config=ManualArgs(regions=REGIONS[:2] if name == ONLY_AWS else REGIONS))
    assert [f"{each.rule.id} {each.message}" for each in found] == []
    assert "cfn-lint" not in text, "nothing is ignored"


@EVERY_TEMPLATE
def test_it_keeps_to_the_limits_of_cloudformation(name: str) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
    template = committed(name)
    # These two grow with the rules, and are deployed from S3.
    big = {"rule-functions.yaml", "single-account.yaml"}
    assert len((FOLDER / name).read_bytes()) <= (1_000_000 if name in big else 51_200)
    assert len(template.get("Parameters", {})) <= 200
    assert len(template["Resources"]) <= 500
    assert len(template.get("Description", "")) <= 1024
    assert all(re.fullmatch("[A-Za-z0-9]{1,255}", key) for key in {**template["Parameters"], **template["Resources"]})
    assert all(len(each["Description"]) <= 4000 for each in template["Parameters"].values())
    assert (FOLDER / name).read_text(encoding="utf-8").isascii(), "CloudFormation shows other characters as ?"


@EVERY_TEMPLATE
def test_the_form_in_the_console_shows_every_parameter_in_one_group(name: str) -> None:
    template = committed(name)
    if name == "conformance-pack.yaml":
        assert set(template) == {"Parameters", "Conditions", "Resources"}
        return
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [parameter for group in groups for parameter in group["Parameters"]]
    assert sorted(shown) == sorted(template["Parameters"])
    assert all(group["Label"]["default"] for group in groups)


# --- Permissions ----------------------------------------------------------------------------------------------------


@EVERY_TEMPLATE
def test_roles_get_no_wildcard_action_and_no_wildcard_resource_where_aws_knows_resources(name: str) -> None:
    chosen = {"Tracing": "Active", "DeployerRoleArn": "arn:aws:iam::444455556666:role/Deployer"}
    given = {key: value for key, value in chosen.items() if key in committed(name)["Parameters"]}
    for statement in statements(name, rendered(name, given)):
        for action in as_list(statement["Action"]):
            assert "*" not in action
            service, verb = action.split(":")
            rows = get_action_data(service, verb)[service]
            scopable = all(row["resource_arn_format"] != "*" for row in rows)
            # For these AWS lists a resource, and none beside it, which is for condition keys.
            scopable |= action in {"events:PutEvents", "iam:GetRole", "kms:DescribeKey", "sts:AssumeRole"}
            assert ("*" not in as_list(statement["Resource"])) == scopable, action


@pytest.mark.parametrize("region", REGIONS)
@EVERY_TEMPLATE
def test_it_renders_in_the_partition_of_the_region(name: str, region: str) -> None:
    partition = {"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}.get(region, "aws")
    declared = committed(name)["Parameters"]
    given = {
        key: f"arn:{partition}:lambda:{region}:444455556666:function:backup-config-rules-"
        for key in declared
        if key == "FunctionArnPrefix"
    }
    resources = rendered(name, given, region=region)
    resources.get("MemberRoleStackSet", {"Properties": {}})["Properties"].pop("TemplateBody", None)
    arns = [each for each in texts(resources) if each.startswith("arn:")]
    assert all(arn.startswith(f"arn:{partition}:") for arn in arns)
    assert arns or name in {"artifact-bucket.yaml", "queries.yaml"}
    services = {each for each in texts(resources) if re.search(r"^[a-z]+\.amazonaws\.com", each)}
    if name != ONLY_AWS:
        config = f"config.amazonaws.com{'.cn' if partition == 'aws-cn' else ''}"
        assert services <= {"events.amazonaws.com", "lambda.amazonaws.com", config}


@EVERY_TEMPLATE
def test_no_arn_names_a_partition_or_an_account(name: str) -> None:
    template = committed(name)
    for text in texts([template["Resources"], template.get("Outputs", {})]):
        for line in text.splitlines():
            if "arn:" in line and "Pattern" not in line:
                assert "arn:${AWS::Partition}:" in line
            assert not re.search(r"\b[0-9]{12}\b", line)


# --- Several deployments side by side -------------------------------------------------------------------------------

NAMES = {
    "AlarmName",
    "BucketName",
    "ConfigRuleName",
    "ConfigurationAggregatorName",
    "FunctionName",
    "LayerName",
    "LogGroupName",
    "MetricName",
    "OrganizationConformancePackName",
    "QueueName",
    "RoleName",
    "StackSetName",
}
SECOND = {
    "BucketName": "second-artifacts",
    "FunctionPrefix": "second-",
    "FunctionRoleName": "Second",
    "MemberRoleName": "SecondMember",
    "PackName": "second",
    "RuleNamePrefix": "second-",
}


@pytest.mark.parametrize("name", sorted(set(NEEDED) - {"conformance-pack.yaml"}))
def test_a_second_deployment_shares_no_name_with_the_first(name: str) -> None:
    every = {"CreateAggregator": "true"} if name == "organization.yaml" else {}

    def names(given: dict[str, str]) -> set[tuple[str, str]]:
        found = set()
        for resource in rendered(name, given | every).values():
            for key, value in resource["Properties"].items():
                if (
                    key in NAMES
                    and not value.startswith("<")
                    and value not in {"Errors", "ApproximateNumberOfMessagesVisible"}
                ):
                    found.add((key, value))
        return found

    second = {key: value for key, value in SECOND.items() if key in committed(name)["Parameters"]}
    assert not names({}) & names(second)
    assert len(names({})) == len(names(second)) or name in {"artifact-bucket.yaml", "kept-reads.yaml"}
    assert all("Export" not in each for each in committed(name).get("Outputs", {}).values())


# --- Rules left out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PER_RULE)
def test_off_leaves_out_one_rule_and_nothing_else(name: str) -> None:
    everything = rendered(name)
    rest = rendered(name, {"RdsWindowConflictFrequency": "Off"})
    gone = set(everything) - set(rest)
    assert gone
    assert all(key.startswith("RdsWindowConflict") for key in gone)
    assert not any(key.startswith("RdsWindowConflict") for key in rest)
    assert all(rest[key] == everything[key] for key in rest)


@pytest.mark.parametrize("name", PER_RULE)
def test_defaults_are_those_of_the_rules(name: str) -> None:
    declared = committed(name)["Parameters"]
    frequencies = {key: each["Default"] for key, each in declared.items() if key.endswith("Frequency")}
    assert len(frequencies) == len(RULES)
    assert frequencies["PlanRanOnScheduleFrequency"] == "Six_Hours"
    assert {value for key, value in frequencies.items() if key != "PlanRanOnScheduleFrequency"} == {"TwentyFour_Hours"}
    if "ExcludedPlans" not in declared:
        return
    for rule in RULES:
        for key, default in rule.defaults.items():
            assert declared[prefix(rule) + key]["Default"] == default
        for key in set(rule.optional) - {"ExecutionRoleName", "AssumeRoleMode", "ExcludedPlans"}:
            assert declared[prefix(rule) + key]["Default"] == ""


def test_the_templates_are_these() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(GENERATED) | {"artifact-bucket.yaml", "kept-reads.yaml"}


# --- The bucket of code and templates, which is the same for whatever rules there are -------------------------------


def test_the_artifact_bucket_is_private_encrypted_versioned_and_tls_only() -> None:
    made = rendered("artifact-bucket.yaml", {"BucketName": "artifacts-of-mine"})
    bucket, policy = made["Bucket"]["Properties"], made["BucketPolicy"]["Properties"]
    assert bucket["BucketName"] == "artifacts-of-mine"
    assert "BucketName" not in rendered("artifact-bucket.yaml")["Bucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == ["<Bucket.Arn>", "<Bucket.Arn>/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert policy["Bucket"] == "<Bucket>"


# --- The bucket in which the functions keep what cannot change -------------------------------------------------------


@pytest.mark.parametrize(("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn")])
def test_what_is_kept_is_private_encrypted_deleted_in_time_and_the_functions_own(region: str, partition: str) -> None:
    made = rendered("kept-reads.yaml", {"FunctionRoleName": "Mine"}, region=region)
    bucket, policy = made["Bucket"]["Properties"], made["BucketPolicy"]["Properties"]
    assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (lifecycle,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (lifecycle["Status"], timedelta(lifecycle["ExpirationInDays"])) == ("Enabled", 2 * RENEWED_AFTER)
    assert "VersioningConfiguration" not in bucket
    tls, functions = policy["PolicyDocument"]["Statement"]
    assert (tls["Effect"], tls["Principal"], tls["Action"]) == ("Deny", "*", "s3:*")
    assert tls["Resource"] == ["<Bucket.Arn>", "<Bucket.Arn>/*"]
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (functions["Effect"], functions["Principal"]) == ("Deny", "*")
    assert functions["Action"] == ["s3:GetObject", "s3:PutObject"]
    assert functions["Resource"] == "<Bucket.Arn>/*"
    role = f"arn:{partition}:iam::{CENTRAL}:role/Mine-{region}"
    assert functions["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": role}}


# --- Their text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ({"A": {"Ref": "AWS::NoValue"}}, "A: !Ref AWS::NoValue"),
        ({"A": "Off"}, "A: 'Off'"),
        ({"A": "it's: so"}, "A: 'it''s: so'"),
        ({"A": True, "B": 3, "C": "3", "D": ""}, "A: true\nB: 3\nC: '3'\nD: ''"),
        ({"A": {"Fn::If": ["X", {"Ref": "B"}, "a, b"]}}, "A: !If [X, !Ref B, 'a, b']"),
        ({"A": {"Fn::If": ["X", {"B": 1}, "c"]}}, "A: !If\n  - X\n  - B: 1\n  - c"),
        ({"A": [{"B": 1, "C": [1, 2]}]}, "A:\n  - B: 1\n    C: [1, 2]"),
        ({"A": "one\n\ntwo\n"}, "A: |\n  one\n\n  two"),
        ({Noted("A", "Why."): []}, "# Why.\nA: []"),
    ],
    ids=lambda value: value.replace("\n", " / ") if isinstance(value, str) else "",
)
def test_yaml_is_written_for_people(template: dict[str, Any], text: str) -> None:
    assert yaml_text(template, "Made.") == f"# Made.\n{text}\n"


@pytest.mark.parametrize(
    "name",
    [
        "rule-functions.yaml",
        "member-role.yaml",
        "event-bus.yaml",
        "finding-forwarder.yaml",
        "finding-events.yaml",
        "finding-events-everywhere.yaml",
    ],
)
def test_nobody_forgets_to_name_the_organization(name: str) -> None:
    """An empty default would leave the door open to everybody who read past it."""
    assert "Default" not in committed(name)["Parameters"]["OrganizationId"]

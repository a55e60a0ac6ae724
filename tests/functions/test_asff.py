"""Findings are of the AWS Security Finding Format, as botocore's model and AWS's lengths have it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.core.utils import get_service_model

from backup_rules.compliance_changes import Change, Rule, read_change
from backup_rules.resources.resource_types import RESOURCE_TYPES
from backup_rules_cli.catalogue import ROOT, rule_folders
from tests.functions.deployed import ACCOUNT, DATABASE, REGION, WHY, event, module

asff = module("asff")
RULES: Mapping[str, Rule] = module("forward_findings").RULES
CREATED = "2026-11-01T00:00:00.000Z"
PAGES = "https://git.example.com/backup-rules/blob/main"

MODEL = get_service_model("securityhub")


def made(described: Any = None, pages_url: str = PAGES, **changes: Any) -> dict[str, Any]:
    change = read_change(event(**changes), RULES)
    return dict(asff.finding(change, described or asff.Described(), CREATED, pages_url))


def faults(value: Any, shape: Any, where: str) -> list[str]:
    """What the service's model does not allow: unknown members, missing ones, wrong types, values and lengths."""
    kind = shape.type_name
    if kind == "structure":
        found = [f"{where}: unknown {name}" for name in value if name not in shape.members]
        found += [f"{where}: lacks {name}" for name in shape.required_members if name not in value]
        for name in shape.members.keys() & value.keys():
            found += faults(value[name], shape.members[name], f"{where}.{name}")
        return found
    if kind == "list":
        return [fault for item in value for fault in faults(item, shape.member, f"{where}[]")]
    if kind == "map":
        return [fault for key, item in value.items() for fault in faults(item, shape.value, f"{where}[{key}]")]
    if kind != "string" or not isinstance(value, str):
        return [f"{where}: {value!r} is no {kind}, or not looked at"]
    enum, pattern = getattr(shape, "enum", None), shape.metadata.get("pattern")
    fits = (not enum or value in enum) and (not pattern or re.fullmatch(pattern, value, re.DOTALL))
    return [] if fits else [f"{where}: {value!r} is not one of {enum}, or does not match {pattern}"]


def too_long(finding: Mapping[str, Any]) -> list[str]:
    """https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html"""
    lengths = {"Id": 512, "GeneratorId": 512, "Title": 256, "Description": 1024, "ProductArn": 2048, "ProductName": 128}
    found = [name for name, longest in lengths.items() if not 1 <= len(finding[name]) <= longest]
    if not 1 <= len(finding["Remediation"]["Recommendation"]["Text"]) <= 512:
        found.append("Remediation.Recommendation.Text")
    found += [f"ProductFields {key}" for key, value in finding["ProductFields"].items() if len(value) > 2048]
    if len(json.dumps(finding).encode()) > 240 * 1024:
        found.append("the finding")
    return found


def check(finding: Mapping[str, Any]) -> None:
    assert faults(finding, MODEL.shape_for("AwsSecurityFinding"), "finding") == []
    assert too_long(finding) == []


def test_the_check_sees_what_it_looks_for() -> None:
    shape = MODEL.shape_for("AwsSecurityFinding")
    wrong = made() | {"Titel": "", "RecordState": "GONE", "Description": " ", "Resources": [{"Id": "x"}], "Id": 5}
    del wrong["SchemaVersion"]
    assert sorted(fault.split(":")[0] for fault in faults(wrong, shape, "finding")) == [
        "finding",
        "finding",
        "finding.Description",
        "finding.Id",
        "finding.RecordState",
        "finding.Resources[]",
    ]
    assert too_long(made() | {"Title": "x" * 257}) == ["Title"]


@pytest.mark.parametrize("folder", rule_folders(), ids=lambda folder: folder.name)
@pytest.mark.parametrize("compliance", ["NON_COMPLIANT", "COMPLIANT", "NOT_APPLICABLE"])
def test_every_rule_makes_findings_of_the_format(folder: Any, compliance: str) -> None:
    finding = made(rule=f"{folder.config_rule_name}-conformance-pack-n0q8yfwsp", compliance=compliance)
    check(finding)
    assert finding["Title"] == folder.about["Title"]
    assert finding["Remediation"]["Recommendation"] == {
        "Text": folder.about["Remediation"],
        "Url": f"{PAGES}/rules/{folder.name}/README.md",
    }
    assert (ROOT / "rules" / folder.name / "README.md").exists()
    severity = folder.about["Severity"] if compliance == "NON_COMPLIANT" else "INFORMATIONAL"
    assert finding["FindingProviderFields"]["Severity"]["Label"] == severity


@pytest.mark.parametrize(
    ("compliance", "status", "state", "workflow"),
    [
        ("NON_COMPLIANT", "FAILED", "ACTIVE", "NEW"),
        ("COMPLIANT", "PASSED", "ACTIVE", "RESOLVED"),
        ("NOT_APPLICABLE", "NOT_AVAILABLE", "ARCHIVED", "RESOLVED"),
        ("INSUFFICIENT_DATA", "NOT_AVAILABLE", "ARCHIVED", "RESOLVED"),
    ],
)
def test_status_and_state(compliance: str, status: str, state: str, workflow: str) -> None:
    finding = made(compliance=compliance)
    told = finding["Compliance"]["Status"], finding["RecordState"], finding["Workflow"]["Status"]
    assert told == (status, state, workflow)


def test_a_finding_whole() -> None:
    described = asff.Described(f"arn:aws:rds:{REGION}:{ACCOUNT}:db:orders-db", {"team": "payments"})
    assert made(described) == {
        "SchemaVersion": "2018-10-08",
        "Id": "backup-config-rules/111122223333/eu-west-1/backup-rds-window-conflict/AWS::RDS::DBInstance/"
        "db-AB7BA31A5ADB4604B782AC01DC",
        "ProductArn": "arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default",
        "ProductName": "AWS Backup Config rules",
        "GeneratorId": "backup-config-rules/backup-rds-window-conflict",
        "AwsAccountId": "111122223333",
        "CreatedAt": CREATED,
        "UpdatedAt": "2026-11-23T12:00:00.000Z",
        "Title": "Backups of the database start clear of its backup and maintenance windows",
        "Description": WHY,
        "FindingProviderFields": {
            "Severity": {"Label": "HIGH", "Original": "HIGH"},
            "Types": ["Software and Configuration Checks"],
        },
        "Remediation": {
            "Recommendation": {
                "Text": RULES["backup-rds-window-conflict"].remediation,
                "Url": f"{PAGES}/rules/BACKUP_RDS_WINDOW_CONFLICT/README.md",
            }
        },
        "Resources": [
            {
                "Type": "AwsRdsDbInstance",
                "Id": "arn:aws:rds:eu-west-1:111122223333:db:orders-db",
                "Partition": "aws",
                "Region": "eu-west-1",
                "Tags": {"team": "payments"},
            }
        ],
        "Compliance": {"Status": "FAILED"},
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
        "ProductFields": {
            "ProviderName": "backup-config-rules",
            "Rule": "BACKUP_RDS_WINDOW_CONFLICT",
            "ConfigRuleName": "backup-rds-window-conflict-conformance-pack-n0q8yfwsp",
            "ConfigRuleArn": "arn:aws:config:eu-west-1:111122223333:config-rule/aws-service-rule/"
            "config-conforms.amazonaws.com/config-rule-a1b2c3",
            "ConfigComplianceType": "NON_COMPLIANT",
            "ConfigResourceType": "AWS::RDS::DBInstance",
            "ConfigResourceId": "db-AB7BA31A5ADB4604B782AC01DC",
        },
    }


PLAN = "b0d75e35-30ae-45b1-8a37-000000000001"


@pytest.mark.parametrize(
    ("resource", "asff_type", "resource_id"),
    [
        (("AWS::::Account", ACCOUNT), "AwsAccount", f"AWS::::Account:{ACCOUNT}"),
        (
            ("AWS::Backup::BackupPlan", PLAN),
            "AwsBackupBackupPlan",
            f"arn:aws-cn:backup:cn-north-1:{ACCOUNT}:backup-plan:{PLAN}",
        ),
        (
            ("AWS::Backup::BackupPlan", f"orgs/{PLAN}"),
            "AwsBackupBackupPlan",
            f"arn:aws-cn:backup:cn-north-1:{ACCOUNT}:backup-plan:orgs/{PLAN}",
        ),
        (("AWS::Backup::BackupSelection", f"s-1_{PLAN}"), "Other", f"s-1_{PLAN}"),
        (DATABASE, "AwsRdsDbInstance", DATABASE[1]),
        (("AWS::S3::Bucket", "orders"), "AwsS3Bucket", "arn:aws-cn:s3:::orders"),
        (
            ("AWS::DynamoDB::Table", "orders"),
            "AwsDynamoDbTable",
            f"arn:aws-cn:dynamodb:cn-north-1:{ACCOUNT}:table/orders",
        ),
        (("AWS::EC2::Volume", "vol-1"), "AwsEc2Volume", f"arn:aws-cn:ec2:cn-north-1:{ACCOUNT}:volume/vol-1"),
        (
            ("AWS::EFS::FileSystem", "fs-1"),
            "Other",
            f"arn:aws-cn:elasticfilesystem:cn-north-1:{ACCOUNT}:file-system/fs-1",
        ),
        (("AWS::CloudFormation::Stack", "arn:aws-cn:x"), "AwsCloudFormationStack", "arn:aws-cn:x"),
        (("AWS::Something::New", "n-1"), "Other", "n-1"),
    ],
)
def test_a_resource_that_config_has_not_recorded_is_named_as_far_as_its_id_tells(
    resource: tuple[str, str], asff_type: str, resource_id: str
) -> None:
    finding = made(resource=resource, region="cn-north-1", partition="aws-cn")
    check(finding)
    (found,) = finding["Resources"]
    assert (found["Type"], found["Id"], found["Partition"]) == (asff_type, resource_id, "aws-cn")
    other = found.get("Details", {}).get("Other", {})
    told = {"ConfigResourceType": resource[0], "ConfigResourceId": resource[1]}
    assert other == (told if asff_type == "Other" else {})
    assert finding["ProductArn"].startswith("arn:aws-cn:securityhub:cn-north-1:")


def test_resource_types_are_those_of_the_format() -> None:
    of_format = {name.lower(): name for name in MODEL.shape_for("ResourceDetails").members}
    for config_type, asff_type in asff.ASFF_TYPES.items():
        if config_type != asff.ACCOUNT_TYPE:
            assert of_format.get(config_type.replace("::", "").lower()) == asff_type
    nameless = {each.config_type for each in RESOURCE_TYPES if each.config_type} - set(asff.ASFF_TYPES)
    assert not [each for each in nameless if each.replace("::", "").lower() in of_format]


@pytest.mark.parametrize(
    ("tags", "kept"),
    [
        ({"backup": "true "}, {"backup": "true "}),
        ({"Name": "Prod/db.1 +=@_-:"}, {"Name": "Prod/db.1 +=@_-:"}),
        ({"a": "\N{NO-BREAK SPACE}", "b": "ü", "c": "", "d": "x" * 257, "e": "ok"}, {"e": "ok"}),
        ({}, None),
        ({f"k{number:02}": "v" for number in range(60)}, {f"k{number:02}": "v" for number in range(50)}),
    ],
)
def test_only_tags_that_the_format_admits_are_kept(tags: dict[str, str], kept: dict[str, str] | None) -> None:
    assert made(asff.Described("arn:x", tags))["Resources"][0].get("Tags") == kept


def test_without_annotation_the_finding_still_says_what_it_is_about() -> None:
    told = {each: made(compliance=each, annotation=None)["Description"] for each in ("COMPLIANT", "NON_COMPLIANT")}
    assert told["NON_COMPLIANT"] == (
        "AWS Config rule backup-rds-window-conflict found AWS::RDS::DBInstance db-AB7BA31A5ADB4604B782AC01DC"
        " NON_COMPLIANT, and gave no reason."
    )
    assert told["COMPLIANT"].endswith("COMPLIANT.")
    assert "is gone" in made(compliance="NOT_APPLICABLE", annotation=None)["Description"]


def test_without_a_url_of_pages_findings_link_to_awss_article() -> None:
    url = made(pages_url="")["Remediation"]["Recommendation"]["Url"]
    assert url == "https://repost.aws/knowledge-center/aws-backup-troubleshoot-scheduled-backup-plans"


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=2000).filter(str.strip)


@given(resource_id=TEXT.map(lambda text: text[:768]), annotation=TEXT, title=TEXT, remediation=TEXT, name=TEXT)
def test_no_text_makes_a_finding_too_long(
    resource_id: str, annotation: str, title: str, remediation: str, name: str
) -> None:
    change = Change(
        partition="aws",
        account=ACCOUNT,
        region=REGION,
        rule=Rule("BACKUP_X", title, "HIGH", remediation),
        rule_name="backup-x",
        rule_arn="arn:aws:config:eu-west-1:111122223333:config-rule/x",
        full_rule_name="backup-x",
        resource_type="AWS::S3::Bucket",
        resource_id=resource_id,
        compliance="NON_COMPLIANT",
        previous=None,
        annotation=annotation.strip(),
        recorded="2026-11-23T12:00:00.000Z",
    )
    finding = asff.finding(change, asff.Described(tags={name[:128]: "v"}), CREATED, "")
    assert too_long(finding) == []


def test_ids_that_are_cut_stay_different_and_the_same() -> None:
    def finding_id(tail: str) -> str:
        return str(made(resource=("AWS::S3::Bucket", "x" * 760 + tail))["Id"])

    assert len(finding_id("a")) == 512
    assert finding_id("a") == finding_id("a") != finding_id("b")
    packs = {made(rule=f"backup-tag-case-conformance-pack-{suffix}")["Id"] for suffix in ("aaaaaaaaa", "bbbbbbbbb")}
    assert len(packs) == 1, "a pack that is put again has another suffix"


def test_no_resource_can_take_the_id_of_anothers_finding() -> None:
    long = "x" * 700
    cut = str(made(resource=("AWS::S3::Bucket", long))["Id"])
    start = "backup-config-rules/111122223333/eu-west-1/backup-rds-window-conflict/AWS::S3::Bucket/"
    forged = str(made(resource=("AWS::S3::Bucket", cut.removeprefix(start)))["Id"])
    assert cut.startswith(start)
    assert forged != cut
    assert len(forged) <= 512


def test_descriptions_show_what_would_break_a_line() -> None:
    assert made(annotation="a\nb\x1b[2K")["Description"] == "a\\nb\\u001b[2K"
    assert "a\\nb" in made(annotation=None, resource=("AWS::S3::Bucket", "a\nb"))["Description"]

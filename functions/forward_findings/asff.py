"""A change of compliance as a finding in the AWS Security Finding Format (ASFF).

Sources: https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html and
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html, which has the lengths.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backup_rules.compliance_changes import Change
from backup_rules.resources.resource_types import CLOUDFORMATION, RESOURCE_TYPES, S3
from backup_rules.wording.annotations import shorten
from backup_rules.wording.quoting import plain

PROVIDER = "backup-config-rules"
PRODUCT_NAME = "AWS Backup Config rules"
ARTICLE = "https://repost.aws/knowledge-center/aws-backup-troubleshoot-scheduled-backup-plans"

MAX_ID = 512
MAX_TITLE = 256
MAX_DESCRIPTION = 1024
MAX_RECOMMENDATION = 512
MAX_PRODUCT_FIELD = 2048
MAX_TAGS = 50

ACCOUNT_TYPE = "AWS::::Account"
STATUS = {"NON_COMPLIANT": "FAILED", "COMPLIANT": "PASSED"}

# AWS's names for the resource types of findings, by those of AWS Config, for what the rules report on. What has none
# is `Other`. https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_ResourceDetails.html
ASFF_TYPES = {
    ACCOUNT_TYPE: "AwsAccount",
    "AWS::Backup::BackupPlan": "AwsBackupBackupPlan",
    "AWS::Backup::BackupVault": "AwsBackupBackupVault",
    "AWS::Backup::RecoveryPoint": "AwsBackupRecoveryPoint",
    "AWS::CloudFormation::Stack": "AwsCloudFormationStack",
    "AWS::DynamoDB::Table": "AwsDynamoDbTable",
    "AWS::EC2::Instance": "AwsEc2Instance",
    "AWS::EC2::Volume": "AwsEc2Volume",
    "AWS::EKS::Cluster": "AwsEksCluster",
    "AWS::RDS::DBCluster": "AwsRdsDbCluster",
    "AWS::RDS::DBInstance": "AwsRdsDbInstance",
    "AWS::Redshift::Cluster": "AwsRedshiftCluster",
    "AWS::S3::Bucket": "AwsS3Bucket",
}
_BACKUP_PREFIXES = {"AWS::Backup::BackupPlan": "backup-plan:", "AWS::Backup::BackupVault": "backup-vault:"}

# "Values are limited to the following characters": a finding with others is refused.
# https://docs.aws.amazon.com/securityhub/latest/userguide/asff-resources-attributes.html#asff-resources-tags
_TAG_VALUE = re.compile(r"[A-Za-z0-9 .:+=@_/-]{1,256}")


@dataclass(frozen=True, slots=True)
class Described:
    """What AWS Config has recorded of a resource."""

    arn: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def product_arn(change: Change) -> str:
    """The product that every account has for findings of its own making."""
    return f"arn:{change.partition}:securityhub:{change.region}:{change.account}:product/{change.account}/default"


def finding_id(change: Change) -> str:
    """The same for every change of this resource by this rule, and for nothing else, in at most 512 characters.

    Of the parts only the last, the resource's id, can have a "/"; and only what is cut is 512 characters long.
    """
    whole = "/".join((PROVIDER, *change.key))
    if len(whole) < MAX_ID:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()
    return f"{whole[: MAX_ID - len(digest) - 1]}-{digest}"


def finding(change: Change, described: Described, created: str, pages_url: str) -> dict[str, Any]:
    """The finding, whole, as `BatchImportFindings` takes it.

    Args:
        change: what AWS Config told.
        described: the resource as AWS Config has recorded it; empty where it has not.
        created: when the finding was first made, RFC 3339.
        pages_url: where the folder `rules` with the rules' pages can be read; '' for AWS's article instead.
    """
    failed = change.compliance == "NON_COMPLIANT"
    rule = change.rule
    page = f"{pages_url.rstrip('/')}/rules/{rule.name}/README.md" if pages_url else ARTICLE
    severity = rule.severity if failed else "INFORMATIONAL"
    return {
        "SchemaVersion": "2018-10-08",
        "Id": finding_id(change),
        "ProductArn": product_arn(change),
        "ProductName": PRODUCT_NAME,
        "GeneratorId": f"{PROVIDER}/{change.rule_name}",
        "AwsAccountId": change.account,
        "CreatedAt": created,
        "UpdatedAt": change.recorded,
        "Title": shorten(rule.title, MAX_TITLE),
        "Description": shorten(plain(change.annotation) or _without_annotation(change), MAX_DESCRIPTION),
        "FindingProviderFields": {
            "Severity": {"Label": severity, "Original": rule.severity},
            "Types": ["Software and Configuration Checks"],
        },
        "Remediation": {"Recommendation": {"Text": shorten(rule.remediation, MAX_RECOMMENDATION), "Url": page}},
        "Resources": [resource(change, described)],
        "Compliance": {"Status": STATUS.get(change.compliance, "NOT_AVAILABLE")},
        # Security Hub heeds this when a finding is new; afterwards the workflow is people's.
        "Workflow": {"Status": "NEW" if failed else "RESOLVED"},
        "RecordState": "ACTIVE" if change.compliance in STATUS else "ARCHIVED",
        "ProductFields": {
            name: shorten(value, MAX_PRODUCT_FIELD)
            for name, value in {
                "ProviderName": PROVIDER,
                "Rule": rule.name,
                "ConfigRuleName": change.full_rule_name,
                "ConfigRuleArn": change.rule_arn,
                "ConfigComplianceType": change.compliance,
                "ConfigResourceType": change.resource_type,
                "ConfigResourceId": change.resource_id,
            }.items()
        },
    }


def resource(change: Change, described: Described) -> dict[str, Any]:
    """The resource that the finding is about, by its ARN where that is known."""
    asff_type = ASFF_TYPES.get(change.resource_type, "Other")
    found: dict[str, Any] = {
        "Type": asff_type,
        "Id": described.arn or derived_arn(change) or change.resource_id,
        "Partition": change.partition,
        "Region": change.region,
    }
    tags = {key: value for key, value in described.tags.items() if _TAG_VALUE.fullmatch(value)}
    if tags:
        found["Tags"] = dict(list(tags.items())[:MAX_TAGS])
    if asff_type == "Other":
        found["Details"] = {
            "Other": {"ConfigResourceType": change.resource_type, "ConfigResourceId": change.resource_id[:1024]}
        }
    return found


def derived_arn(change: Change) -> str | None:
    """The ARN, where the id that AWS Config uses is a part of it; an account has Security Hub's own id for it."""
    kind, name = change.resource_type, change.resource_id
    if kind == ACCOUNT_TYPE:
        return f"{ACCOUNT_TYPE}:{name}"
    if kind in _BACKUP_PREFIXES:
        return f"arn:{change.partition}:backup:{change.region}:{change.account}:{_BACKUP_PREFIXES[kind]}{name}"
    known = next((each for each in RESOURCE_TYPES if each.config_type == kind and each.service != "rds"), None)
    if known is None:
        return None
    if known is CLOUDFORMATION:
        return name
    where = ":" if known is S3 else f"{change.region}:{change.account}"
    return f"arn:{change.partition}:{known.service}:{where}:{known.resource_prefix}{name}"


def _without_annotation(change: Change) -> str:
    name = f"{change.resource_type} {plain(change.resource_id)}"
    if change.compliance == "NON_COMPLIANT":
        return f"AWS Config rule {change.rule_name} found {name} NON_COMPLIANT, and gave no reason."
    if change.compliance == "COMPLIANT":
        return f"AWS Config rule {change.rule_name} finds {name} COMPLIANT."
    return f"AWS Config rule {change.rule_name} no longer judges {name}: it is gone, or out of the rule's scope."

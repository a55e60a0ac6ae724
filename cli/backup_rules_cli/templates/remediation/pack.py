"""The conformance pack with remediation: it names the documents and the role in plain text.

`backup-rules remediation-pack --management-account 111122223333` prints the pack for
an organization; the committed one names an example's account.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.conformance_pack import PackedRule, conformance_pack
from backup_rules_cli.templates.remediation.documents import Remediation, remediations
from backup_rules_cli.templates.remediation.names import (
    DOCUMENT_PREFIX,
    DOCUMENT_PREFIX_IN_WORDS,
    REMEDIATION_DOCUMENT_PREFIX,
    REMEDIATION_ROLE_NAME,
)
from backup_rules_cli.templates.rule_parameters import prefix
from backup_rules_cli.templates.yaml_text import Noted, yaml_text

EXAMPLE_ACCOUNT = "111122223333"
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
HEADER = "Made by `make templates` from remediation/: not to be edited by hand."


@dataclass(frozen=True)
class Deployment:
    """What the pack names in plain text, since AWS Config takes no intrinsic function there.

    `management_account` stands in the role's ARN. AWS Config puts each member's id in its place when it rolls an
    organization conformance pack out; for a pack of one account, give that account.
    https://docs.aws.amazon.com/config/latest/developerguide/cpack-prerequisites.html

    Raises:
        ValueError: for what could not be part of an ARN or of the names.
    """

    management_account: str = EXAMPLE_ACCOUNT
    partition: str = "aws"
    role_name: str = REMEDIATION_ROLE_NAME
    document_prefix: str = REMEDIATION_DOCUMENT_PREFIX
    rule_name_prefix: str = ""

    def __post_init__(self) -> None:
        checks = {
            "management account": (self.management_account, r"[0-9]{12}", "12 digits"),
            "partition": (self.partition, "|".join(PARTITIONS), " or ".join(PARTITIONS)),
            "role name": (self.role_name, r"[a-zA-Z0-9+=,.@_-]{1,64}", "the name of a role, without path"),
            "document prefix": (self.document_prefix, DOCUMENT_PREFIX, DOCUMENT_PREFIX_IN_WORDS),
            "rule name prefix": (self.rule_name_prefix, "[a-z0-9-]{0,8}", "at most 8 of a to z, 0 to 9 and '-'"),
        }
        for what, (value, pattern, allowed) in checks.items():
            if re.fullmatch(pattern, value) is None:
                raise ValueError(f"The {what} is {value!r}; allowed: {allowed}.")


def pack_template(rules: Sequence[PackedRule], deployment: Deployment) -> dict[str, Any]:
    """conformance-pack-with-remediation.yaml: the pack, and an AWS::Config::RemediationConfiguration for each document.

    Raises:
        ValueError: when the rules' names would be too long with the prefix.
    """
    pack = conformance_pack(rules, deployment.rule_name_prefix)
    by_name = {rule.folder.name: rule.folder for rule in rules}
    resources = dict(pack["Resources"])
    for each in remediations():
        if each.rule in by_name:
            rule = by_name[each.rule]
            name = resources[prefix(rule)]["Properties"]["ConfigRuleName"]
            resources[Noted(f"{prefix(rule)}Remediation", f"{each.rule}, started by hand.")] = _configuration(
                each, rule, name, deployment
            )
    return {**pack, "Resources": resources}


def _configuration(each: Remediation, rule: RuleFolder, rule_name: str, deployment: Deployment) -> dict[str, Any]:
    role = f"arn:{deployment.partition}:iam::{deployment.management_account}:role/{deployment.role_name}"
    return {
        "Type": "AWS::Config::RemediationConfiguration",
        "DependsOn": prefix(rule),
        "Properties": {
            "ConfigRuleName": rule_name,
            "TargetType": "SSM_DOCUMENT",
            "TargetId": f"{deployment.document_prefix}{each.name}",
            "Automatic": False,
            "Parameters": {
                "AutomationAssumeRole": {"StaticValue": {"Values": [role]}},
                "ResourceId": {"ResourceValue": {"Value": "RESOURCE_ID"}},
            },
        },
    }


def pack_text(rules: Sequence[PackedRule], deployment: Deployment) -> str:
    """The pack as YAML."""
    return yaml_text(pack_template(rules, deployment), HEADER)

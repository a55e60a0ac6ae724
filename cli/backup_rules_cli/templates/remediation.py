"""The optional remediation: Automation documents, the role that they assume, and a conformance pack that names them.

`backup-rules remediation-pack --management-account 111122223333` prints the pack for
an organization; the committed one names an example's account.

Each folder of `remediation/` is one document: `document.yaml`, the Python that its step runs (`script.py`), and
`about.yaml`, which names the rule and the permissions. A new folder appears in all four templates.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from backup_rules_cli.catalogue import ROOT, RuleFolder
from backup_rules_cli.templates.conformance_pack import PackedRule, at_defaults, conformance_pack
from backup_rules_cli.templates.declarations import choice, interface, text
from backup_rules_cli.templates.intrinsics import equals, get_att, given, if_, ref, sub
from backup_rules_cli.templates.organization import organization
from backup_rules_cli.templates.rule_parameters import prefix
from backup_rules_cli.templates.yaml_text import Noted, yaml_text

REMEDIATION_ROLE_NAME = "BackupConfigRulesRemediationRole"
REMEDIATION_DOCUMENT_PREFIX = "BackupConfigRules-"

FOLDER = ROOT / "remediation"
SHARED = "remediation.shared"
EXAMPLE_ACCOUNT = "111122223333"
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
HEADER = "Made by `make templates` from remediation/: not to be edited by hand."

DOCUMENT_PREFIX = r"(?!(?i:aws|amazon|amzn))[a-zA-Z0-9_.-]{3,60}"
"""What a prefix of documents may be. AWS keeps some names for its own:
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html
"""
DOCUMENT_PREFIX_IN_WORDS = "3 to 60 letters, digits, '.', '-' or '_'"

_ROLE_NAME = {
    "RemediationRoleName": text(
        "The name of the role. The conformance pack names it: both must agree.",
        REMEDIATION_ROLE_NAME,
        pattern="^[a-zA-Z0-9+=,.@_-]{1,64}$",
        constraint="is the name of a role, without path.",
    )
}
_DOCUMENT_NAME_PREFIX = {
    "DocumentNamePrefix": text(
        "What the names of the documents begin with. The conformance pack names them: both must agree.",
        REMEDIATION_DOCUMENT_PREFIX,
        pattern="^[a-zA-Z0-9_.-]{3,60}$",
        constraint="has 3 to 60 letters, digits, dots, hyphens and underscores.",
    )
}


_RULE_NAME_PREFIX = {
    "RuleNamePrefix": text(
        "What the names of the pack's Config rules begin with: the documents believe evaluations of these only.",
        "",
        pattern="^[a-z0-9-]{0,8}$",
        constraint="must have at most 8 lower-case letters, digits and hyphens.",
    )
}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's `!Sub`."""


def _sub(loader: yaml.SafeLoader, node: yaml.Node) -> dict[str, Any]:
    if not isinstance(node, yaml.ScalarNode):
        raise TypeError(f"!Sub with anything but a text: {node.start_mark}")
    return sub(str(loader.construct_scalar(node)))


_Loader.add_constructor("!Sub", _sub)


@dataclass(frozen=True)
class Remediation:
    """One folder of `remediation/`."""

    path: Path

    @property
    def name(self) -> str:
        """What its document's name ends with, and its logical id: `TurnOnResourceTypes`."""
        return "".join(word.capitalize() for word in self.path.name.split("_"))

    @cached_property
    def _about(self) -> dict[str, Any]:
        # The loader is a safe one that knows one more tag.
        loaded = yaml.load((self.path / "about.yaml").read_text(encoding="utf-8"), _Loader)  # noqa: S506
        return dict(loaded)

    @property
    def rule(self) -> str:
        """The rule whose findings it settles."""
        return str(self._about["Rule"])

    @property
    def statements(self) -> list[dict[str, Any]]:
        """The IAM statements that the role needs for it."""
        return list(self._about["Permissions"])

    @property
    def content(self) -> dict[str, Any]:
        """The document as Systems Manager gets it, with the texts of its scripts in the place of their file names.

        Raises:
            ValueError: when a script holds double braces, which Systems Manager would take for a variable.
        """
        document: dict[str, Any] = yaml.safe_load((self.path / "document.yaml").read_text(encoding="utf-8"))
        for step in document["mainSteps"]:
            if step["action"] == "aws:executeScript":
                path = self.path / step["inputs"]["Script"]
                script = inlined(path.read_text(encoding="utf-8"))
                if "{{" in script or "}}" in script:
                    raise ValueError(f"{path} holds double braces, which Systems Manager would replace.")
                step["inputs"]["Script"] = script
        return document


def remediations(folder: Path = FOLDER) -> tuple[Remediation, ...]:
    """All of them, in the order of their names."""
    return tuple(Remediation(path.parent) for path in sorted(folder.glob("*/document.yaml")))


def inlined(script: str) -> str:
    """The script with what it imports of the shared module in the place of the import.

    `aws:executeScript` runs one text: the module's imports come along, and of its definitions those that are used.
    """
    lines = script.splitlines()
    body = ast.parse(script).body
    statement = next((each for each in body if isinstance(each, ast.ImportFrom) and each.module == SHARED), None)
    if statement is None:
        return script
    shared = (FOLDER / "shared.py").read_text(encoding="utf-8")
    used = _used(ast.parse(shared).body, {alias.name for alias in statement.names})
    imported = {ast.unparse(each) for each in body if isinstance(each, ast.Import | ast.ImportFrom)}
    texts = [
        ast.get_source_segment(shared, each) or ""
        for each in used
        if not isinstance(each, ast.Import | ast.ImportFrom) or ast.unparse(each) not in imported
    ]
    before, after = lines[: statement.lineno - 1], lines[statement.end_lineno :]
    return "\n".join([*before, *"\n\n".join(texts).splitlines(), *after]) + "\n"


def _used(module: Sequence[ast.stmt], wanted: set[str]) -> list[ast.stmt]:
    """The statements of the module that define the wanted names, and whatever those use, in their order."""
    names = set(wanted)
    kept: list[ast.stmt] = []
    for each in reversed(module):
        if _defined(each) & names:
            kept.insert(0, each)
            names |= {node.id for node in ast.walk(each) if isinstance(node, ast.Name)}
    return kept


def _defined(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in statement.names}
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def documents_template() -> dict[str, Any]:
    """remediation-documents.yaml: one AWS::SSM::Document each."""
    found = remediations()
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": (
            "AWS Backup Config rules: Automation documents that settle findings, started by hand. For each account and"
            " Region."
        ),
        "Metadata": interface({"The documents": ["DocumentNamePrefix", "RuleNamePrefix"]}),
        "Parameters": {**_DOCUMENT_NAME_PREFIX, **_RULE_NAME_PREFIX},
        "Resources": {
            each.name: {
                "Type": "AWS::SSM::Document",
                "Properties": {
                    "Name": sub(f"${{DocumentNamePrefix}}{each.name}"),
                    "DocumentType": "Automation",
                    "DocumentFormat": "JSON",
                    "TargetType": "/",
                    "UpdateMethod": "NewVersion",
                    "Content": _of_the_pack(each.content),
                },
            }
            for each in found
        },
        "Outputs": {
            f"{each.name}Document": {"Description": f"Settles findings of {each.rule}.", "Value": ref(each.name)}
            for each in found
        },
    }


def _of_the_pack(content: dict[str, Any]) -> dict[str, Any]:
    """The document with the stack's parameters as defaults of its own of the same name."""
    parameters = content["parameters"]
    own = {name: {**parameters[name], "default": ref(name)} for name in _RULE_NAME_PREFIX if name in parameters}
    return {**content, "parameters": {**parameters, **own}}


def role_template() -> dict[str, Any]:
    """remediation-role.yaml: the role that the documents assume, in each account once."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": (
            "AWS Backup Config rules: the role under which the remediation documents change this account. Once for each"
            " account: IAM is global."
        ),
        "Metadata": interface({"The role": ["RemediationRoleName", "PermissionsBoundaryArn"]}),
        "Parameters": {
            **_ROLE_NAME,
            "PermissionsBoundaryArn": text(
                "The ARN of a managed policy as the role's permissions boundary. Blank: none.",
                "",
                pattern="^(arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+)?$",
                constraint="is the ARN of a managed policy, or blank.",
            ),
        },
        "Conditions": {"HasPermissionsBoundary": given("PermissionsBoundaryArn")},
        "Resources": {
            "RemediationRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": ref("RemediationRoleName"),
                    "Description": "AWS Backup Config rules: what the remediation documents may do in this account.",
                    "PermissionsBoundary": if_("HasPermissionsBoundary", ref("PermissionsBoundaryArn")),
                    Noted(
                        "AssumeRolePolicyDocument",
                        "Only automations of this account: Systems Manager would otherwise be a deputy for anyone.",
                    ): {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"Service": "ssm.amazonaws.com"},
                                "Action": "sts:AssumeRole",
                                "Condition": {
                                    "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
                                    "ArnLike": {
                                        "aws:SourceArn": sub(
                                            "arn:${AWS::Partition}:ssm:*:${AWS::AccountId}:automation-execution/*"
                                        )
                                    },
                                },
                            }
                        ],
                    },
                    "Policies": [
                        {
                            "PolicyName": each.name,
                            "PolicyDocument": {"Version": "2012-10-17", "Statement": each.statements},
                        }
                        for each in remediations()
                    ],
                },
            }
        },
        "Outputs": {"RemediationRoleArn": {"Description": "The role.", "Value": get_att("RemediationRole", "Arn")}},
    }


def stack_sets_template(role_text: str) -> dict[str, Any]:
    """remediation.yaml: the role and the documents in every account of an organization, for one Region.

    `role_text` is the template that the role's StackSet deploys. The documents' is read from a bucket: both would be
    too much for one template.
    """
    declared = organization("")["Parameters"]
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": (
            "AWS Backup Config rules: the remediation documents and their role in every account of an organization, for"
            " one Region, from its management account or a delegated administrator."
        ),
        "Metadata": interface(
            {
                "Accounts": ["PackName", "TargetIds", "CallAs"],
                "The role": ["CreateRole", "RemediationRoleName"],
                "The documents": ["DocumentNamePrefix", "RuleNamePrefix", "DocumentsTemplateUrl"],
            }
        ),
        "Parameters": {
            "PackName": declared["PackName"] | {"Description": "The StackSets are named after it."},
            "TargetIds": declared["TargetIds"] | {"Description": "Where: ids of OUs, or of the root."},
            "CallAs": declared["CallAs"],
            "CreateRole": choice(
                "Whether to create the role in all target accounts. true in one Region only: IAM has no Regions.",
                "true",
                "false",
            ),
            **_ROLE_NAME,
            **_DOCUMENT_NAME_PREFIX,
            **_RULE_NAME_PREFIX,
            "DocumentsTemplateUrl": text(
                "Where remediation-documents.yaml is: https://bucket.s3.region.amazonaws.com/key. A new template needs"
                " a new key, else CloudFormation sees no change.",
                pattern="^https://.+$",
                constraint="begins with https://.",
                MaxLength=1024,
            ),
        },
        "Conditions": {"MakesRole": equals("CreateRole", "true")},
        "Resources": {
            "RoleStackSet": {
                "Type": "AWS::CloudFormation::StackSet",
                "Condition": "MakesRole",
                "Properties": {
                    "StackSetName": sub("${PackName}-remediation-role"),
                    "Description": "The role under which the remediation documents change an account.",
                    **_in_every_account(["RemediationRoleName"]),
                    "Capabilities": ["CAPABILITY_NAMED_IAM"],
                    Noted("TemplateBody", "The same as remediation-role.yaml."): role_text,
                },
            },
            "DocumentsStackSet": {
                "Type": "AWS::CloudFormation::StackSet",
                "Properties": {
                    "StackSetName": sub("${PackName}-remediation-documents"),
                    "Description": "The documents that settle findings of the AWS Backup Config rules.",
                    **_in_every_account(["DocumentNamePrefix", "RuleNamePrefix"]),
                    "TemplateURL": ref("DocumentsTemplateUrl"),
                },
            },
        },
        "Outputs": {
            "RoleStackSetId": {
                "Condition": "MakesRole",
                "Description": "The StackSet of the role.",
                "Value": ref("RoleStackSet"),
            },
            "DocumentsStackSetId": {
                "Description": "The StackSet of the documents.",
                "Value": ref("DocumentsStackSet"),
            },
        },
    }


def _in_every_account(parameters: Sequence[str]) -> dict[str, Any]:
    return {
        "PermissionModel": "SERVICE_MANAGED",
        "CallAs": ref("CallAs"),
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        "ManagedExecution": {"Active": True},
        "OperationPreferences": {"FailureTolerancePercentage": 100, "MaxConcurrentPercentage": 100},
        "Parameters": [{"ParameterKey": name, "ParameterValue": ref(name)} for name in parameters],
        "StackInstancesGroup": [
            {
                "DeploymentTargets": {"OrganizationalUnitIds": ref("TargetIds")},
                "Regions": [ref("AWS::Region")],
            }
        ],
    }


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


def remediation_templates(rules: Sequence[RuleFolder]) -> dict[str, str]:
    """The text of each committed template, by file name; the pack names an example's management account."""
    role = yaml_text(role_template(), HEADER)
    return {
        "conformance-pack-with-remediation.yaml": pack_text(at_defaults(rules), Deployment()),
        "remediation.yaml": yaml_text(stack_sets_template(role), HEADER),
        "remediation-documents.yaml": yaml_text(documents_template(), HEADER),
        "remediation-role.yaml": role,
    }

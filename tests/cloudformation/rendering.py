"""The templates as CloudFormation sees them: parameters checked, conditions decided, intrinsic functions evaluated."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from moto.utilities.utils import get_partition

from aws_simulator.deployment.cloudformation.templates import Evaluation, Surroundings, parameter_values, parse
from backup_rules_cli.catalogue import ROOT, RuleFolder, rule_folders

CENTRAL = "444455556666"
ORGANIZATION = "o-exampleorgid"
FOLDER = ROOT / "cloudformation"
RULES = rule_folders()

CODE = {"CodeBucket": "artifacts", "CodePrefix": "backup-config-rules/0123456789abcdef"}
# What must be given, by template.
NEEDED: Mapping[str, Mapping[str, str]] = {
    "artifact-bucket.yaml": {},
    "kept-reads.yaml": {},
    "conformance-pack.yaml": {
        "FunctionArnPrefix": f"arn:aws:lambda:eu-west-1:{CENTRAL}:function:backup-config-rules-",
    },
    "invoke-permissions.yaml": {"OrganizationId": ORGANIZATION},
    "member-role.yaml": {"CentralAccountId": CENTRAL, "OrganizationId": ORGANIZATION},
    "organization.yaml": {
        "CentralAccountId": CENTRAL,
        "OrganizationId": ORGANIZATION,
        "FunctionArnPrefix": f"arn:aws:lambda:eu-west-1:{CENTRAL}:function:backup-config-rules-",
        "PackTemplateUri": "s3://artifacts/backup-config-rules/0123456789abcdef/conformance-pack.yaml",
        "TargetIds": "r-abcd",
    },
    "queries.yaml": {},
    "rule-functions.yaml": CODE | {"OrganizationId": ORGANIZATION},
    "single-account.yaml": CODE,
}
# Those with resources for each rule, which a parameter can leave out.
PER_RULE = ("invoke-permissions.yaml", "rule-functions.yaml", "single-account.yaml")


@cache
def committed(name: str) -> dict[str, Any]:
    """A template of `cloudformation/`, with the long forms of intrinsic functions."""
    return parse((FOLDER / name).read_text(encoding="utf-8"))


def rendered(
    name: str, given: Mapping[str, str] | None = None, *, region: str = "eu-west-1", section: str = "Resources"
) -> dict[str, Any]:
    """The resources (or outputs) of a committed template that a stack with these parameters has."""
    return render(committed(name), {**NEEDED[name], **(given or {})}, region=region, section=section)


def render(
    template: dict[str, Any], given: Mapping[str, str], *, region: str = "eu-west-1", section: str = "Resources"
) -> dict[str, Any]:
    """The same of any template. What CloudFormation gives a resource reads `<LogicalId>` or `<LogicalId.Attribute>`.

    Raises:
        AwsError: when a parameter is missing, unknown or not allowed.
        AssertionError: when a resource refers to one that the stack does not have.
    """
    partition = get_partition(region)
    values = parameter_values(template, given) | {
        "AWS::AccountId": CENTRAL,
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
    }

    def present(logical_id: str) -> str:
        condition = template["Resources"][logical_id].get("Condition")
        assert condition is None or evaluation.holds(condition), f"{logical_id} is referred to, but not made"
        return f"<{logical_id}>"

    def attribute(logical_id: str, of: str) -> str:
        return f"{present(logical_id)[:-1]}.{of}>"

    evaluation = Evaluation(template, Surroundings(values, present, attribute, lambda name: f"<import {name}>"))
    found = {}
    for logical_id, resource in template[section].items():
        if "Condition" in resource and not evaluation.holds(resource["Condition"]):
            continue
        depends = resource.get("DependsOn", [])
        assert all(map(present, [depends] if isinstance(depends, str) else depends))
        found[logical_id] = evaluation.value({key: part for key, part in resource.items() if key != "Condition"})
    return found


def of_type(resources: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The properties of the resources of one type, by logical id."""
    return {key: resource["Properties"] for key, resource in resources.items() if resource["Type"] == kind}


def texts(node: Any) -> Iterator[str]:
    """Every text within, keys included."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield str(key)
            yield from texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from texts(item)
    elif isinstance(node, str):
        yield node


def as_list(value: Any) -> list[Any]:
    """IAM takes one of something for a list of one."""
    return value if isinstance(value, list) else [value]


def prefix(rule: RuleFolder) -> str:
    """What the names of a rule's parameters begin with: `RdsWindowConflict`."""
    return rule.config_rule_name.removeprefix("backup-").title().replace("-", "")


def add_a_rule(folder: Path) -> None:
    """Make `folder` one of rules: one that exists, and one that nobody knows of, BACKUP_FRAMEWORK_DEPLOYED."""
    copied, known = rule_folders("BACKUP_WINDOW_CONFIGURED", "BACKUP_TAG_CASE")
    shutil.copytree(known.path, folder / known.name)
    extra = folder / "BACKUP_FRAMEWORK_DEPLOYED"
    extra.mkdir()
    for name in (f"{copied.name}.py", "parameters.json", "README.md"):
        text = (copied.path / name).read_text(encoding="utf-8").replace(copied.name, extra.name)
        text = text.replace('"backup:ListBackupPlans"', '"backup:ListFrameworks"')
        (extra / name.replace(copied.name, extra.name)).write_text(text, encoding="utf-8")

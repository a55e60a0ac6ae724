"""The committed documents and their role, deployed in an account of the simulation, and a person who runs them.

with front_door() as door:
    deploy(door)
    run(door, "TurnOnResourceTypes", resource_id).outputs["TurnOn.Summary"]
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from aws_simulator.core.accounts import account_session
from aws_simulator.core.faults import Call, recorded_calls
from aws_simulator.deployment.authorization import enforced_permissions
from backup_rules_cli.catalogue import ROOT
from tests.front_door import TRUST_BACKUP, Door

TEMPLATES = ROOT / "cloudformation"
PREFIX = "BackupConfigRules-"
ROLE = "BackupConfigRulesRemediationRole"
OPERATOR = "BackupOperator"


@dataclass(frozen=True)
class Outcome:
    """How an automation ended: its failure message, or None, and its outputs as the API gives them."""

    failure: str | None
    outputs: Mapping[str, list[str]]


def deploy(door: Door, *only: str) -> None:
    """Stacks of the committed templates in the account of `door`, and a person who may run automations there.

    `only`: these documents, by logical id, instead of all: a large template takes the simulator time.
    """
    cloudformation, iam = door.client("cloudformation"), door.client("iam")
    for name in ("remediation-role", "remediation-documents"):
        template = (TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8")
        cloudformation.create_stack(
            StackName=f"backup-config-rules-{name}",
            TemplateBody=_reduced(template, only) if only and name == "remediation-documents" else template,
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
    allowed = {
        "Effect": "Allow",
        "Action": ["ssm:StartAutomationExecution", "ssm:GetAutomationExecution"],
        "Resource": "*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.create_role(RoleName=OPERATOR, AssumeRolePolicyDocument=json.dumps(TRUST_BACKUP))
    iam.put_role_policy(RoleName=OPERATOR, PolicyName="run", PolicyDocument=document)


def run(door: Door, document: str, resource_id: str, **parameters: Sequence[str]) -> Outcome:
    """Run the document on what a rule reports, with nothing but the permissions of its role.

    Raises:
        ClientError: when Systems Manager refuses to start it.
    """
    ssm = account_session(door.account, door.region, OPERATOR).client("ssm")
    given = {
        "ResourceId": [resource_id],
        "AutomationAssumeRole": [f"arn:{door.place.partition}:iam::{door.account}:role/{ROLE}"],
        **{name: list(values) for name, values in parameters.items()},
    }
    with enforced_permissions():
        started = ssm.start_automation_execution(DocumentName=f"{PREFIX}{document}", Parameters=given)
        found = ssm.get_automation_execution(AutomationExecutionId=started["AutomationExecutionId"])
    execution = found["AutomationExecution"]
    assert (execution["AutomationExecutionStatus"] == "Success") == ("FailureMessage" not in execution)
    return Outcome(execution.get("FailureMessage"), execution["Outputs"])


def changes(calls: Iterable[Call]) -> list[str]:
    """The operations among the calls that change something, but for those of the automation itself."""
    reading = ("Get", "List", "Describe", "AssumeRole", "StartAutomationExecution")
    return [call.operation for call in calls if not call.operation.startswith(reading)]


@contextmanager
def nothing_changes() -> Iterator[None]:
    """No call that changes anything reaches AWS meanwhile."""
    with recorded_calls() as calls:
        yield
    assert changes(calls) == []


@cache
def _reduced(template: str, only: tuple[str, ...]) -> str:
    """The template with only these resources, as it is written."""
    head, resources = re.split(r"^Resources:\n", template, flags=re.MULTILINE)
    resources = resources.split("\nOutputs:\n")[0]
    blocks = {
        block.split(":", 1)[0].strip(): block for block in re.split(r"^(?=  \w+:$)", resources, flags=re.MULTILINE)
    }
    return f"{head}Resources:\n" + "".join(f"{blocks[each]}\n" for each in only)

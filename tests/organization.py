"""An organization with backup policies, for tests of the rules: made through AWS's own API, judged in its members.

with front_door() as door:
    organization = Organization.of(door)
    organization.attach({"plans": {"nightly": policy_plan()}}, door.account)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.core.responses import BaseResponse

from aws_simulator.core.faults import Call, Kind, recorded_calls
from aws_simulator.core.operations import Answer
from aws_simulator.core.organizations import account_ids
from tests.front_door import Door

MANAGEMENT = "999988887777"
OTHER_MEMBER = "222233334444"
ACCOUNT_TYPE = "AWS::::Account"


@dataclass(frozen=True)
class Organization:
    """The organization, as its management account may change it."""

    management: Door
    root: str

    @classmethod
    def of(cls, door: Door, *, enabled: bool = True) -> Organization:
        """The account of `door` and another are its members; backup policies are turned on, or not."""
        management = door.at(account=MANAGEMENT)
        client = management.client("organizations")
        client.create_organization(FeatureSet="ALL")
        with account_ids([door.account, OTHER_MEMBER]):
            for name in ("first", "second"):
                client.create_account(AccountName=name, Email=f"{name}@example.com")
        root = str(client.list_roots()["Roots"][0]["Id"])
        if enabled:
            client.enable_policy_type(RootId=root, PolicyType="BACKUP_POLICY")
        return cls(management, root)

    def attach(self, policy: Mapping[str, Any], target: str | None = None) -> None:
        """Attach a policy, written without operators (each value is assigned), to an account, an OU or the root."""
        client = self.management.client("organizations")
        name = f"policy-{len(client.list_policies(Filter='BACKUP_POLICY')['Policies'])}"
        content = json.dumps(assigned(policy))
        made = client.create_policy(Name=name, Description="", Type="BACKUP_POLICY", Content=content)
        client.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=target or self.root)


def assigned(element: Any) -> Any:
    """What a policy says, written with the operator that a policy needs."""
    if isinstance(element, Mapping):
        return {name: assigned(value) for name, value in element.items()}
    return {"@@assign": element}


def policy_plan(
    *vaults: str,
    regions: Iterable[str] = ("eu-west-1",),
    role: str = "arn:aws:iam::$account:role/BackupRole",
    **changes: Any,
) -> dict[str, Any]:
    """A plan with a backup rule for each vault, named `to-` and the vault. A change of None leaves its element out."""
    elements = {
        "regions": list(regions),
        "rules": {f"to-{vault}": policy_rule(vault) for vault in vaults or ("Default",)},
        "selections": {"tags": {"tagged": {"iam_role_arn": role, "tag_key": "backup", "tag_value": ["true"]}}},
    } | changes
    return {name: value for name, value in elements.items() if value is not None}


def policy_rule(vault: str, **changes: Any) -> dict[str, Any]:
    """A backup rule of a policy. A change of None leaves its element out."""
    elements = {"schedule_expression": "cron(0 5 ? * * *)", "target_backup_vault_name": vault} | changes
    return {name: value for name, value in elements.items() if value is not None}


def account_verdict(door: Door, rule: str, **parameters: str) -> tuple[str, str]:
    """Compliance and annotation of the one evaluation that the rule puts, which is about the account of `door`."""
    with recorded_calls() as calls:
        door.evaluate(rule, parameters)
    ((evaluation,),) = (call.parameters["Evaluations"] for call in calls if call.operation == "PutEvaluations")
    assert (evaluation["ComplianceResourceType"], evaluation["ComplianceResourceId"]) == (ACCOUNT_TYPE, door.account)
    return evaluation["ComplianceType"], evaluation.get("Annotation", "")


def answering(content: str, target: str | None = None) -> Kind:
    """`DescribeEffectivePolicy` answers with this policy, of this account or else of the one that asks."""

    def answer(_response: BaseResponse, call: Call, _answer: Callable[[], Answer]) -> Answer:
        policy = {"PolicyContent": content, "PolicyType": "BACKUP_POLICY", "TargetId": target or call.account}
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps({"EffectivePolicy": policy})

    return answer

"""The rules' front door for tests: a Config event in, the evaluations that AWS Config has stored out.

with front_door() as door:
    door.backup.create_backup_plan(...)
    door.evaluate("BACKUP_ROLE_ASSUMABLE")  # {("AWS::Backup::BackupSelection", "…"): Evaluated(...)}
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.loaders import Loader
from moto.utilities.utils import get_partition

from aws_simulator.core import config
from aws_simulator.core.accounts import account_session
from aws_simulator.core.config import result_token
from aws_simulator.core.faults import recorded_calls
from aws_simulator.simulation import simulated_aws
from backup_rules.arns import Place
from backup_rules_cli.catalogue import COMMON_PERMISSIONS, ORGANIZATION_PERMISSIONS, rule_folders
from backup_rules_cli.invoke import Caller, Evaluated, invoke, put_rule, read_back

ACCOUNT = "111122223333"
CENTRAL = "444455556666"
REGION = "eu-west-1"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

# What the function does under its own role, before it reads the account under the member role.
_OF_THE_FUNCTION = {"sts:AssumeRole", "sts:GetCallerIdentity"}

TRUST_BACKUP = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


@dataclass(frozen=True)
class Door:
    """One account in one Region of the simulation, and the rules' way in and out of it."""

    account: str = ACCOUNT
    region: str = REGION
    now: datetime = NOW
    _made: dict[tuple[str, ...], Any] = field(default_factory=dict, compare=False, repr=False)
    """Sessions and clients of the simulation: making them is what takes the time of most tests."""

    @property
    def place(self) -> Place:
        return Place(get_partition(self.region), self.account, self.region)

    @property
    def session(self) -> boto3.Session:
        key = (self.account, self.region)
        if key not in self._made:
            self._made[key] = account_session(self.account, self.region)
        return self._made[key]

    def client(self, service: str) -> Any:
        key = (self.account, self.region, service)
        if key not in self._made:
            self._made[key] = self.session.client(service, region_name=self.region)
        return self._made[key]

    def at(self, **changes: Any) -> Door:
        """The same simulation at another account, Region or time."""
        return replace(self, **changes)

    def evaluate(
        self,
        rule: str,
        parameters: Mapping[str, str] | None = None,
        item: Mapping[str, Any] | None = None,
        **event: Any,
    ) -> dict[tuple[str, str], Evaluated]:
        """Invoke the rule's handler, and read all its evaluations back, by resource type and id.

        Raises:
            Exception: whatever the handler raises, as a failed Lambda invocation.
        """
        return self.evaluate_recorded(rule, parameters, item, **event)[0]

    def evaluate_recorded(
        self,
        rule: str,
        parameters: Mapping[str, str] | None = None,
        item: Mapping[str, Any] | None = None,
        **event: Any,
    ) -> tuple[dict[tuple[str, str], Evaluated], frozenset[str]]:
        """As `evaluate`, and the IAM actions that the handler's calls in the account needed.

        Raises:
            AssertionError: the handler made a call whose action the rule does not declare in its parameters.json.
        """
        (folder,) = rule_folders(rule)
        session = self.session
        put_rule(folder, session, CENTRAL, self.place)
        token = result_token(self.account, self.region, folder.config_rule_name)
        caller = Caller(self.place, token, self.now)
        with recorded_calls() as calls:
            try:
                invoke(folder, caller, parameters, item, **event)
            finally:
                actions = frozenset(call.action for call in calls) - _OF_THE_FUNCTION
                undeclared = actions - folder.permissions - COMMON_PERMISSIONS
                if "ORGANIZATION_ID" in os.environ:
                    undeclared -= ORGANIZATION_PERMISSIONS
                assert not undeclared, f"{rule} calls {sorted(undeclared)}, which its parameters.json does not declare"
        return self.stored(rule), actions

    def stored(self, rule: str) -> dict[tuple[str, str], Evaluated]:
        """The evaluations of the rule that AWS Config has (COMPLIANT and NON_COMPLIANT, not what was cleared)."""
        (folder,) = rule_folders(rule)
        found = read_back(folder, self.session, self.place)
        return {(each.resource_type, each.resource_id): each for each in found}

    def role(self, name: str = "BackupRole", trust: Mapping[str, Any] | None = None, path: str = "/") -> str:
        """Create a role that trusts AWS Backup (or as `trust` says); its ARN."""
        document = json.dumps(trust or TRUST_BACKUP)
        made = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document, Path=path)
        return str(made["Role"]["Arn"])

    def plan(self, name: str = "nightly", *rules: Mapping[str, Any]) -> str:
        """Create a plan, with one ordinary backup rule where none is given; its id."""
        given = [dict(rule) for rule in rules] or [{"RuleName": "daily", "TargetBackupVaultName": "Default"}]
        made = self.client("backup").create_backup_plan(BackupPlan={"BackupPlanName": name, "Rules": given})
        return str(made["BackupPlanId"])

    def selection(self, plan_id: str, name: str = "everything", **body: Any) -> str:
        """Create a selection (by default by the tag backup=true, under a role that need not exist); its Config id."""
        tag = {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "true"}
        selection = {"SelectionName": name, "IamRoleArn": f"arn:aws:iam::{self.account}:role/BackupRole", **body}
        if not {"Resources", "ListOfTags"} & set(body):
            selection["ListOfTags"] = [tag]
        made = self.client("backup").create_backup_selection(BackupPlanId=plan_id, BackupSelection=selection)
        return f"{made['SelectionId']}_{plan_id}"


@contextmanager
def front_door() -> Iterator[Door]:
    """A simulation of its own, with nothing in it."""
    with simulated_aws():
        config.install(require_functions=False)
        # Reading AWS's service models is what makes a client slow; the handlers of all simulations share what one read.
        session = botocore.session.get_session()
        session.register_component("data_loader", _loader())
        boto3.setup_default_session(botocore_session=session)
        yield Door()


@cache
def _loader() -> Loader:
    loader: Loader = botocore.session.get_session().get_component("data_loader")
    return loader

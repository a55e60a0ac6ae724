"""Organizations backup policies of documents: what an account gets of them, and whether AWS takes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from backup_rules.arns import Place
from backup_rules_cli.check import identities
from backup_rules_cli.check.account import Account
from backup_rules_cli.check.things import Position, Thing, Unknown

BACKUP_POLICY = "BACKUP_POLICY"
_SOMEBODY = "999999999999"


@dataclass(frozen=True)
class Policy:
    """A backup policy: its text as AWS Organizations takes it, and where it stands. `tree` is it, decoded."""

    name: str
    text: str
    at: Position
    tree: Any = None
    parent: bool = False
    """Attached above the account: at the root or an OU, in the order of the command line."""
    open: Unknown | None = None
    """What of its content is not known: it can be neither refused nor judged."""
    effective: bool = False
    """What AWS says that an account gets: nothing is inherited any more."""

    @property
    def tree_of_text(self) -> Any:
        """Its text as a tree, without positions; None where it is no JSON."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    @property
    def refused(self) -> str:
        """Why AWS Organizations would not take it; empty where it would."""
        from aws_simulator.core.policy_inheritance import PolicySyntaxError, parse_policy  # noqa: PLC0415

        if self.effective or self.open is not None:
            return ""
        try:
            parse_policy(self.text)
        except PolicySyntaxError as error:
            return str(error)
        return ""


@dataclass
class Organization:
    """The policies that reach the judged account, outermost first."""

    policies: Sequence[Policy] = ()
    account: str = ""
    """The account that asks."""
    account_is_management: bool = False

    @cached_property
    def tree(self) -> Mapping[str, Any]:
        """What of the policies is in effect, without operators."""
        from aws_simulator.core.policy_inheritance import effective_policy  # noqa: PLC0415

        given = next((each for each in self.policies if each.effective), None)
        if given is not None:
            found = json.loads(given.text)
            return found if isinstance(found, Mapping) else {}
        accepted = [each for each in self.policies if not each.refused and each.open is None]
        return effective_policy([[each.text] for each in accepted])

    def describe(self) -> dict[str, Any]:
        """As DescribeOrganization answers."""
        management = self.account if self.account_is_management else _SOMEBODY
        return {"Organization": {"Id": "o-notknown00", "MasterAccountId": management, "FeatureSet": "ALL"}}

    def effective_policy(self, place: Place) -> dict[str, Any]:
        """As DescribeEffectivePolicy answers."""
        from aws_simulator.core.policy_inheritance import for_account  # noqa: PLC0415

        if not self.tree:
            raise ClientError(
                {"Error": {"Code": "EffectivePolicyNotFoundException", "Message": "none"}}, "DescribeEffectivePolicy"
            )
        text = json.dumps(for_account(self.tree, place.account))
        return {
            "EffectivePolicy": {
                "PolicyContent": text,
                "TargetId": place.account,
                "PolicyType": BACKUP_POLICY,
                "LastUpdatedTimestamp": datetime(2000, 1, 1, tzinfo=UTC),
            }
        }

    def invalid(self, place: Place) -> dict[str, Any]:
        """As ListAccountsWithInvalidEffectivePolicy answers: the judged account, or none."""
        return {"Accounts": [{"Id": place.account}] if self.validation_errors() else []}

    def errors(self) -> dict[str, Any]:
        """As ListEffectivePolicyValidationErrors answers."""
        return {
            "EffectivePolicyValidationErrors": [
                {
                    "ErrorCode": each.code,
                    "ErrorMessage": each.message,
                    "PathToError": each.path,
                    "ContributingPolicies": [policy.name for policy in self.policies if each.plan in policy.text],
                }
                for each in self.validation_errors()
            ]
        }

    def validation_errors(self) -> Sequence[Any]:
        """What AWS finds wrong with what is in effect."""
        from aws_simulator.core.policy_validation import validation_errors  # noqa: PLC0415

        return validation_errors(self.tree)

    def regions(self) -> list[str]:
        """The Regions that the plans name, in order."""
        plans = self.tree.get("plans")
        found: dict[str, None] = {}
        for plan in plans.values() if isinstance(plans, Mapping) else ():
            regions = plan.get("regions") if isinstance(plan, Mapping) else None
            found |= dict.fromkeys(str(each) for each in (regions if isinstance(regions, list) else []))
        return list(found)

    def at_plan(self, name: str) -> Position | None:
        """Where the plan stands, in the innermost policy that has it."""
        for policy in reversed(self.policies):
            plans = policy.tree.get("plans") if isinstance(policy.tree, Mapping) else None
            found = getattr(plans, "keys_at", {}).get(name)
            if isinstance(found, Position) and found.file:
                return found
        return None

    def at(self, text: str) -> Position | None:
        """Where the element stands that a text is about: the longest name of it that the text has."""
        best: tuple[int, Position] | None = None
        for policy in self.policies:
            for name, position in _named(policy.tree):
                if name in text and len(name) > 2 and (best is None or len(name) >= best[0]):
                    best = len(name), position
        return best[1] if best else (self.policies[-1].at if self.policies else None)


def _named(tree: Any, depth: int = 0) -> list[tuple[str, Position]]:
    found: list[tuple[str, Position]] = []
    if isinstance(tree, Mapping) and depth < 8:
        keys = getattr(tree, "keys_at", {})
        for key, value in tree.items():
            if key not in {"plans", "rules", "selections"} and not key.startswith("@@") and key in keys:
                found.append((key, keys[key]))
            found += _named(value, depth + 1)
    return found


def add_plans(account: Account, organization: Organization, called: str) -> None:
    """The plans that the policies make in the account and Region, beside those that are declared."""
    from aws_simulator.core.organization_plans import organization_plans  # noqa: PLC0415
    from aws_simulator.core.policy_inheritance import for_account  # noqa: PLC0415

    place = account.place
    if not organization.policies or not organization.tree or organization.validation_errors():
        return
    here = Position(called)
    tree = for_account(organization.tree, place.account)
    for number, made in enumerate(organization_plans(tree, place.account, place.region)):
        name = str(made.plan.get("BackupPlanName", number))
        plan_id = f"orgs/{name}"
        at = organization.at_plan(name) or organization.at(name) or here
        body = {"BackupPlan": made.plan}
        account.plans[plan_id] = Thing(identities.PLAN, name, body, at, f"plans/{name}"), made.plan
        account.selections[plan_id] = [
            (
                f"selection-{index}",
                Thing(identities.SELECTION, str(each.get("SelectionName", index)), {}, at, f"plans/{name}/selections"),
                each,
            )
            for index, each in enumerate(made.selections)
        ]

"""Stack sets: one template as a stack in many accounts and Regions.

Service-managed ones are deployed to the accounts of OUs, nested OUs included, and never to the management account;
with automatic deployment they follow the accounts that join and leave. In a closed account nothing is done any more.
Sources: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-associate-stackset-with-org.html,
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-manage-auto-deployment.html,
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_AutoDeployment.html, and for closed accounts
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackInstanceComprehensiveStatus.html
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.organizations.exceptions import AWSOrganizationsNotInUseException
from moto.organizations.models import OrganizationsBackend
from moto.utilities.utils import get_partition

from aws_simulator.core.operations import AwsError, now
from aws_simulator.core.organizations import organization_of
from aws_simulator.deployment.cloudformation.stacks import Engine, Stack, StackFailedError, stack_id, state_of
from aws_simulator.deployment.cloudformation.templates import parse, refused
from aws_simulator.deployment.cloudformation.types import type_of

PRINCIPAL = "member.org.stacksets.cloudformation.amazonaws.com"
SERVICE_MANAGED = "SERVICE_MANAGED"
CLOSED = "SUSPENDED"
"""The status of a closed account: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html"""

Document = dict[str, Any]


@dataclass
class Instance:
    """One stack of a stack set."""

    account: str
    region: str
    unit: str | None
    stack: Stack
    overrides: dict[str, str]
    status: str = "CURRENT"
    reason: str | None = None
    skipped: bool = False
    """Whether the account was closed when something was to be done."""


@dataclass
class Operation:
    """What was done to a stack set, with its outcome for each account and Region."""

    action: str
    id: str
    started: datetime
    results: list[tuple[str, str, str, str | None]] = field(default_factory=list)
    """Account, Region, SUCCEEDED or FAILED, reason."""

    status: str = "SUCCEEDED"


@dataclass
class StackSet:
    """A stack set. `given` is what it was made or last changed with."""

    name: str
    id: str
    owner: str
    region: str
    model: str
    template_text: str
    parameters: dict[str, str]
    given: Document
    created: datetime
    status: str = "ACTIVE"
    targets: list[Document] = field(default_factory=list)
    """OUs with Regions and parameter overrides: what automatic deployment goes by."""

    instances: dict[tuple[str, str], Instance] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock, repr=False, compare=False)
    """Callers and automatic deployment may come at once."""

    @property
    def arn(self) -> str:
        return f"arn:{get_partition(self.region)}:cloudformation:{self.region}:{self.owner}:stackset/{self.id}"

    @property
    def follows_accounts(self) -> bool:
        """Whether automatic deployment is on."""
        return str(self.given.get("AutoDeployment", {}).get("Enabled", False)).lower() == "true"

    @property
    def retains(self) -> bool:
        """Whether a stack stays in an account that leaves."""
        return str(self.given.get("AutoDeployment", {}).get("RetainStacksOnAccountRemoval", False)).lower() == "true"


def organization_for(account: str, region: str, call_as: str | None) -> OrganizationsBackend:
    """The organization that a service-managed stack set of the caller is deployed to.

    Raises:
        AwsError: ValidationError: no organization, no trusted access, or the caller may not.
    """
    try:
        organization = organization_of(account, get_partition(region))
    except AWSOrganizationsNotInUseException:
        raise refused("You must be the management account of an organization or a delegated administrator") from None
    if not has_access(organization):
        raise refused("You must enable organizations access to operate a service managed stack set")
    if call_as == "DELEGATED_ADMIN":
        if not any(each.account.id == account and PRINCIPAL in each.services for each in organization.admins):
            raise refused(f"Account used is not a delegated administrator: {account}")
    elif account != organization.account_id:
        raise refused("You must be the management account or delegated admin account of an organization")
    return organization


def has_access(organization: OrganizationsBackend) -> bool:
    """Whether the organization trusts CloudFormation StackSets."""
    return any(each["ServicePrincipal"] == PRINCIPAL for each in organization.services)


def accounts_of(organization: OrganizationsBackend, units: Iterable[str], status: str = "ACTIVE") -> dict[str, str]:
    """The accounts of that status within the OUs or the root, at any depth, by the unit that they are in.

    Raises:
        AwsError: ValidationError: there is no such OU.
    """
    parents = {unit.id: unit.parent_id for unit in organization.ou}
    wanted = set(units)
    unknown = sorted(wanted - set(parents))
    if unknown:
        raise refused(f"Organizational unit {unknown[0]} does not exist")
    found = {}
    for account in organization.accounts:
        unit = account.parent_id
        way = {unit}
        while unit in parents:
            unit = parents[unit]
            way.add(unit)
        if way & wanted and account.id != organization.account_id and account.status == status:
            found[account.id] = account.parent_id
    return found


def filtered(members: Mapping[str, str], targets: Mapping[str, Any]) -> dict[str, str]:
    """The accounts that the target's account filter leaves."""
    kind, named = targets.get("AccountFilterType", "NONE"), set(targets.get("Accounts") or ())
    if kind == "DIFFERENCE":
        return {account: unit for account, unit in members.items() if account not in named}
    if kind == "INTERSECTION":
        return {account: unit for account, unit in members.items() if account in named}
    return dict(members)


# --- Operations -----------------------------------------------------------------------------------------------------


def begin(stack_set: StackSet, action: str) -> Operation:
    """A new operation of the stack set."""
    operation = Operation(action, str(uuid.uuid4()), now())
    stack_set.operations[operation.id] = operation
    return operation


def finish(operation: Operation, preferences: Mapping[str, Any]) -> None:
    """Failed when more stacks of a Region failed than the preferences tolerate; by default none may."""
    by_region: dict[str, list[str]] = {}
    for _, region, status, _ in operation.results:
        by_region.setdefault(region, []).append(status)
    for statuses in by_region.values():
        tolerated = int(preferences.get("FailureToleranceCount", 0))
        if "FailureTolerancePercentage" in preferences:
            tolerated = len(statuses) * int(preferences["FailureTolerancePercentage"]) // 100
        if statuses.count("FAILED") > tolerated:
            operation.status = "FAILED"


def deploy(  # noqa: PLR0913, PLR0917 - where, what and for which operation
    stack_set: StackSet,
    operation: Operation,
    account: str,
    region: str,
    unit: str | None = None,
    overrides: Mapping[str, str] | None = None,
) -> None:
    """The stack in one account and Region: made, or brought into step with the stack set."""
    with stack_set.lock:
        _deploy(stack_set, operation, (account, region), unit, overrides)


def _deploy(
    stack_set: StackSet,
    operation: Operation,
    place: tuple[str, str],
    unit: str | None,
    overrides: Mapping[str, str] | None,
) -> None:
    account, region = place
    instance = stack_set.instances.get(place)
    given = {**stack_set.parameters, **(overrides if overrides is not None else instance.overrides if instance else {})}
    engine = Engine(type_of)
    try:
        engine.check(parse(stack_set.template_text), given, stack_set.given.get("Capabilities") or [])
        if instance is None or instance.stack.deleted or instance.stack.status == "ROLLBACK_COMPLETE":
            name = f"StackSet-{stack_set.name}-{uuid.uuid4()}"
            stack = Stack(name, stack_id(account, region, name), account, region, stack_set.template_text, given, now())
            instance = Instance(account, region, unit, stack, dict(overrides or {}))
            stack_set.instances[account, region] = instance
            state_of(account, region).stacks[stack.id] = stack
            engine.create(stack)
        elif instance.stack.template_text != stack_set.template_text or instance.stack.given != given:
            engine.update(instance.stack, stack_set.template_text, given)
        instance.overrides = dict(overrides if overrides is not None else instance.overrides)
    except (AwsError, StackFailedError) as error:
        reason = error.message if isinstance(error, AwsError) else str(error)
        if instance:
            instance.status, instance.reason = "OUTDATED", reason
        operation.results.append((account, region, "FAILED", reason))
    else:
        instance.status, instance.reason = "CURRENT", None
        operation.results.append((account, region, "SUCCEEDED", None))


def withdraw(stack_set: StackSet, operation: Operation, account: str, region: str, *, retain: bool) -> None:
    """The stack set has no instance in that account and Region any more; its stack is deleted or left alone."""
    with stack_set.lock:
        _withdraw(stack_set, operation, (account, region), retain=retain)


def _withdraw(stack_set: StackSet, operation: Operation, place: tuple[str, str], *, retain: bool) -> None:
    instance = stack_set.instances.get(place)
    if instance is None:
        return
    account, region = place
    try:
        if not retain and instance.stack.deleted is None:
            Engine(type_of).delete(instance.stack)
    except StackFailedError as error:
        instance.status, instance.reason = "INOPERABLE", str(error)
        operation.results.append((account, region, "FAILED", str(error)))
        return
    del stack_set.instances[account, region]
    operation.results.append((account, region, "SUCCEEDED", None))


def settle(organization: OrganizationsBackend, regions: Sequence[str] | None = None) -> None:
    """Automatic deployment: stacks for accounts that have joined a target, none for those that have left."""
    for stack_set in stack_sets_of(organization, regions):
        if stack_set.model != SERVICE_MANAGED or not stack_set.follows_accounts:
            continue
        wanted: dict[tuple[str, str], tuple[str, Document]] = {}
        for target in stack_set.targets:
            for account, unit in accounts_of(organization, target["OrganizationalUnitIds"]).items():
                for region in target["Regions"]:
                    wanted[account, region] = unit, target["Overrides"]
        closed = {account.id for account in organization.accounts if account.status == CLOSED}
        joined = [place for place in wanted if place not in stack_set.instances]
        left = [place for place in stack_set.instances if place not in wanted and place[0] not in closed]
        for place, instance in list(stack_set.instances.items()):
            instance.skipped = place[0] in closed
            instance.unit = wanted[place][0] if place in wanted else instance.unit
        if not joined and not left:
            continue
        operation = begin(stack_set, "UPDATE")
        for place in joined:
            unit, overrides = wanted[place]
            deploy(stack_set, operation, *place, unit, overrides)
        for place in left:
            withdraw(stack_set, operation, *place, retain=stack_set.retains)
        finish(operation, {})


def stack_sets_of(organization: OrganizationsBackend, regions: Sequence[str] | None = None) -> list[StackSet]:
    """The stack sets that live in the management account, which those of delegated administrators do too."""
    owner = organization.account_id
    found = []
    for region in regions or list(cloudformation_backends[owner]):
        found += [each for each in state_of(owner, region).stack_sets.values() if each.status == "ACTIVE"]
    return found

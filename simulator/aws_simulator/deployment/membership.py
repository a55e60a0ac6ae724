"""What follows when accounts join and leave an organization: AWS deploys to them, and withdraws, by itself.

Stack sets with automatic deployment, conformance packs and Config rules of the organization follow its accounts.
Sources: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-manage-auto-deployment.html,
https://docs.aws.amazon.com/config/latest/developerguide/conformance-pack-organization-apis.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from moto.organizations.models import OrganizationsBackend, organizations_backends
from moto.utilities.utils import get_partition

from aws_simulator.core.organizations import organization_of
from aws_simulator.deployment import organization_packs, organization_rules


def settle(account: str, regions: Sequence[str]) -> None:
    """Stack sets, packs and rules of the organization reach its accounts as they now are.

    Stack sets come first, as packs fail without the roles that they deploy. Accounts in which a pack or rule has failed
    are tried again, as AWS does for some hours.

    Args:
        account: any account of the organization.
        regions: the Regions that stack sets, packs and rules were put in.
    """
    _settle(organization_of(account, get_partition(regions[0])), regions)


def _settle(organization: OrganizationsBackend, regions: Sequence[str]) -> None:
    from aws_simulator.deployment.cloudformation import stack_sets  # noqa: PLC0415 - takes seconds to import

    stack_sets.settle(organization, regions)
    organization_packs.settle(organization, regions)
    organization_rules.settle(organization, regions)


@dataclass(frozen=True)
class Change:
    """An account that has joined an organization, left it, been closed, or moved in it. `what` is said of it."""

    account: str
    what: str


class Members:
    """The members of all organizations, for a simulation that people work with: `settled` does what AWS does later."""

    def __init__(self, regions: Collection[str]) -> None:
        """Args:
        regions: those that people work in.
        """
        self._regions = tuple(regions)
        self._seen = self._now()

    def settled(self, *, again: bool = False) -> list[Change]:
        """Follow the accounts that changed since this was last asked; `again`: also try what has failed before."""
        before, self._seen = self._seen, self._now()
        changes = list(_changes(before, self._seen))
        if changes or again:
            for organization in _organizations():
                here = [region for region in self._regions if get_partition(region) == organization.partition]
                if here:
                    _settle(organization, here)
        return changes

    def places(self) -> Iterator[tuple[str, str]]:
        """The active accounts of the organizations, in each of the Regions."""
        for organization in _organizations():
            for account in list(organization.accounts):
                for region in self._regions:
                    if account.status == "ACTIVE" and get_partition(region) == organization.partition:
                        yield account.id, region

    def closed(self) -> set[str]:
        """The closed accounts, in which nothing runs any more."""
        return {account for account, (_, status) in self._seen.items() if status != "ACTIVE"}

    @staticmethod
    def _now() -> dict[str, tuple[str, str]]:
        return {
            account.id: (account.parent_id, account.status)
            for organization in _organizations()
            for account in list(organization.accounts)
        }


def _organizations() -> list[OrganizationsBackend]:
    return [
        backend
        for partitions in list(organizations_backends.values())
        for backend in list(partitions.values())
        if backend.org
    ]


def _changes(before: Mapping[str, tuple[str, str]], after: Mapping[str, tuple[str, str]]) -> Iterator[Change]:
    for account in before.keys() - after.keys():
        yield Change(account, "has left the organization")
    for account in after.keys() - before.keys():
        yield Change(account, "has joined the organization")
    for account in after.keys() & before.keys():
        (old_parent, old_status), (parent, status) = before[account], after[account]
        if status != old_status:
            yield Change(account, "was closed")
        elif parent != old_parent:
            yield Change(account, f"has moved from {old_parent} to {parent}")

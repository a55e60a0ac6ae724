"""The organization as the account that deploys sees it, and which of its accounts a pack reaches."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from backup_rules_cli.deploy.aws import Access
from backup_rules_cli.deploy.settings import Settings

CONFIG = "config.amazonaws.com"
PACKS = "config-multiaccountsetup.amazonaws.com"
STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"


@dataclass(frozen=True)
class Organization:
    """An organization. `accounts` are the names of those that are active, by id."""

    id: str
    management: str
    all_features: bool
    root: str = ""
    accounts: Mapping[str, str] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()

    def named(self, account: str) -> str:
        """The account as a person knows it: name and id."""
        return f"{self.accounts[account]} ({account})" if account in self.accounts else account


@dataclass(frozen=True)
class Reach:
    """Which accounts get the pack and the role. All others are named in the pack, which knows no targets."""

    accounts: tuple[str, ...]
    excluded: tuple[str, ...]
    management_role: bool
    """Whether the member role of the management account, which no StackSet reaches, is a stack of its own."""


def describe_organization(access: Access) -> Organization:
    """The organization that the account belongs to, as every account sees it: without the others.

    Raises:
        AwsCallError: with code AWSOrganizationsNotInUseException when there is none; or it cannot be read.
    """
    it = access.call("organizations", access.region, "describe_organization")["Organization"]
    return Organization(it["Id"], it["MasterAccountId"], it["FeatureSet"] == "ALL")


def with_accounts(access: Access, organization: Organization) -> Organization:
    """The organization with its root and accounts, as the management account and delegated administrators see it.

    Raises:
        AwsCallError: they cannot be read.
    """
    roots = list(access.items("organizations", access.region, "list_roots", "Roots"))
    active, closed = {}, set()
    for account in access.items("organizations", access.region, "list_accounts", "Accounts"):
        if account["Status"] == "ACTIVE":
            active[account["Id"]] = account["Name"]
        else:
            closed.add(account["Id"])
    return replace(organization, root=roots[0]["Id"], accounts=active, closed=frozenset(closed))


def accounts_under(access: Access, parents: Collection[str]) -> set[str]:
    """The accounts in these organizational units and all that are inside them.

    Raises:
        AwsCallError: with code ParentNotFoundException when one does not exist; or it cannot be read.
    """
    found: set[str] = set()
    waiting = list(parents)
    while waiting:
        parent = waiting.pop()
        accounts = access.items("organizations", access.region, "list_accounts_for_parent", "Accounts", ParentId=parent)
        found.update(account["Id"] for account in accounts)
        units = access.items(
            "organizations",
            access.region,
            "list_organizational_units_for_parent",
            "OrganizationalUnits",
            ParentId=parent,
        )
        waiting += [unit["Id"] for unit in units]
    return found


def reach(organization: Organization, targeted: Collection[str], settings: Settings, *, management: bool) -> Reach:
    """Which accounts the pack reaches. `management` tells whether a stack can be made in the management account."""
    left_out = set(settings.excluded_accounts)
    if not management:
        left_out.add(organization.management)
    accounts = tuple(each for each in organization.accounts if each in targeted and each not in left_out)
    excluded = tuple(each for each in organization.accounts if each not in accounts)
    return Reach(accounts, excluded, organization.management in accounts)


def pack_statuses(access: Access, region: str, pack: str, status: str = "") -> Iterator[dict[str, Any]]:
    """How the organization's conformance pack stands in each account, or in those of one status.

    Raises:
        AwsCallError: with code NoSuchOrganizationConformancePackException when there is no such pack; or it cannot be
            read.
    """
    given: dict[str, Any] = {"OrganizationConformancePackName": pack}
    if status:
        given["Filters"] = {"Status": status}
    yield from access.items(
        "config",
        region,
        "get_organization_conformance_pack_detailed_status",
        "OrganizationConformancePackDetailedStatuses",
        **given,
    )

"""The seeded organization: what `make evaluate` judges when no real account is named.

A management account, a delegated administrator for AWS Backup and two members, in two Regions each, and one account in
each of the other partitions. Every condition that the rules know is broken at least once, beside a healthy twin; each
module plants the problems of one topic, and its functions say which is which. `expected` lists them by hand.

What is here is made through AWS's public API, as people would make it. Only what no call can make is put there
directly: plans of the organization's policy and of EFS, jobs of schedules, and tags of services that moto lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from aws_simulator.core import organizations
from aws_simulator.core.ids import ids_from
from aws_simulator.core.operations import clock
from demo_organization import (
    databases,
    file_systems,
    growth,
    jobs,
    opt_in,
    partitions,
    policies,
    roles,
    selections,
    tags,
    vaults,
    windows,
)
from demo_organization.accounts import (
    ACCOUNTS,
    ANALYTICS,
    CHINA,
    GOVCLOUD,
    MANAGEMENT,
    PAYMENTS,
    REGIONS,
    SECURITY,
    default_service_role,
    forget_backup_rules,
    join,
    member_role,
)
from demo_organization.expected import Expected
from demo_organization.site import RAN, SILENT, Account, Clients, Records, Site

__all__ = ["Account", "Expected", "Organization", "Plants", "grow", "seed"]

_AGE = timedelta(days=40)


Scenario = Callable[[Site], None]

# What is planted where, and in which order: what a Region already holds may be picked by what comes later.
_SCENARIOS: Mapping[tuple[Account, str], tuple[Scenario, ...]] = {
    (MANAGEMENT, "eu-west-1"): (policies.role, policies.vaults, opt_in.organization_plan),
    (MANAGEMENT, "us-east-1"): (policies.vaults,),
    (SECURITY, "eu-west-1"): (selections.aws_examples,),
    (SECURITY, "us-east-1"): (),
    (PAYMENTS, "eu-west-1"): (
        policies.role,
        policies.vaults,
        policies.personal_data,
        roles.trust,
        roles.permissions,
        windows.schedules,
        databases.windows,
        file_systems.windows,
        file_systems.automatic_backups,
        selections.empty,
    ),
    (PAYMENTS, "us-east-1"): (
        lambda site: policies.vaults(site, None),
        policies.personal_data,
        opt_in.storefront,
    ),
    (ANALYTICS, "eu-west-1"): (
        lambda site: policies.vaults(site, policies.VAULT.lower()),
        policies.personal_data,
        roles.service_control_policy,
        tags.letter_case,
        tags.white_space,
    ),
    (ANALYTICS, "us-east-1"): (
        policies.vaults,
        policies.personal_data,
        vaults.usable,
        vaults.missing,
        vaults.keys,
        vaults.locks,
        vaults.access,
        vaults.shared_buckets,
        jobs.symptoms,
    ),
    (CHINA, "cn-north-1"): (partitions.china,),
    (GOVCLOUD, "us-gov-west-1"): (partitions.govcloud,),
}

# Where the policy's vault and role exist, its plan ran.
_POLICY_RAN = ((MANAGEMENT, "eu-west-1"), (MANAGEMENT, "us-east-1"), (PAYMENTS, "eu-west-1"))


Plants = Mapping[tuple[str, str], Sequence[Scenario]]
"""What a rule plants for itself: scenarios by the names of account and Region."""


@dataclass(frozen=True)
class Organization:
    """The seeded accounts, in the order in which a person would go through them."""

    accounts: tuple[Account, ...]
    regions: tuple[str, ...]
    ids: Mapping[tuple[str, str, str], str]

    def id_of(self, account: Account, region: str, name: str) -> str:
        """The id under which AWS Config knows the thing that was given this name there; else the name itself."""
        return self.ids.get((account.id, region, name), name)

    def account(self, name: str) -> Account:
        """The account of that name.

        Raises:
            ValueError: there is none.
        """
        for account in self.accounts:
            if account.name == name:
                return account
        raise ValueError(f"There is no account {name}. There are {', '.join(each.name for each in self.accounts)}.")


def seed(
    now: datetime,
    accounts: int | None = None,
    *,
    plants: Iterable[Plants] = (),
    member_roles: bool = True,
    filled: bool = True,
) -> Organization:
    """Fill the simulation that is under way, as of `now` (with time zone).

    Args:
        now: the present. Plans were made 40 days before, and ran since; hold the simulation's clock there to judge.
        accounts: how many member accounts to add beside those that hold the planted problems.
        plants: what each rule plants for itself (`PLANTED` of its `demo.py`), after the scenarios of this package.
        member_roles: whether the pack's member role is in each account, as after a rollout.
        filled: whether the added accounts hold what `grow` puts there. Who judges them part by part does that later.
    """
    clients, records = Clients(), Records()
    sites = _sites(clients, records)
    more = tuple(growth.member(number) for number in range(1, (accounts or 0) + 1))
    own = tuple(plants)
    with ids_from("demo organization"):
        with clock(now - _AGE):
            _found(sites, [account.id for account in more], member_roles=member_roles)
            for place, site in sites.items():
                with _ids_of(site, "scenarios"):
                    _plant(site, (*_SCENARIOS[place], *_of_rules(own, place)))
            _follow_policy(sites)
            forget_backup_rules(sites[MANAGEMENT, REGIONS[0]])
        newest = sites[ANALYTICS, "us-east-1"]
        with clock(now - timedelta(minutes=30)), _ids_of(newest, "new plan"):
            jobs.new_plan(newest)
        with clock(now):
            for site in sites.values():
                jobs.past_jobs(site, records.histories.get((site.account.id, site.region), {}), now)
    if filled:
        grow(range(1, len(more) + 1), now, records)
    return Organization((*ACCOUNTS, *more), REGIONS, records.ids)


def grow(numbers: Iterable[int], now: datetime, records: Records | None = None) -> None:
    """Fill added accounts, by number from 1, as of `now`; the ids are the same whichever others are filled.

    What was made is noted in `records`, where they are given.
    """
    clients, noted = Clients(), records or Records()
    sites = []
    with clock(now - _AGE):
        for number in numbers:
            site = Site(growth.member(number), growth.REGION, clients, noted)
            with _ids_of(site, "growth"):
                growth.fill(number, site)
            _policy_plans(site, ran=number % growth.NO_POLICY_VAULT_EVERY != 0)
            sites.append(site)
    with clock(now):
        for site in sites:
            with _ids_of(site, "jobs"):
                jobs.past_jobs(site, noted.histories.get((site.account.id, site.region), {}), now)


def _ids_of(site: Site, part: str) -> AbstractContextManager[None]:
    """What is made in the site gets ids that are the same in each run, whatever is made elsewhere."""
    return ids_from(f"{part} {site.account.id} {site.region}")


def _of_rules(plants: Sequence[Plants], place: tuple[Account, str]) -> Iterator[Scenario]:
    account, region = place
    for planted in plants:
        yield from planted.get((account.name, region), ())


def _plant(site: Site, scenarios: Iterable[Scenario]) -> None:
    for scenario in scenarios:
        scenario(site)


def _sites(clients: Clients, records: Records) -> dict[tuple[Account, str], Site]:
    return {
        (account, region): Site(account, region, clients, records) for account in ACCOUNTS for region in account.regions
    }


def _found(sites: Mapping[tuple[Account, str], Site], more: list[str], *, member_roles: bool) -> None:
    """The organization, and in every account the roles and the vault that the console makes."""
    join(sites[MANAGEMENT, REGIONS[0]], more)
    for (account, region), site in sites.items():
        if region == account.regions[0]:
            if member_roles:
                member_role(site)
            default_service_role(site)
        site.vault("Default")


def _follow_policy(sites: Mapping[tuple[Account, str], Site]) -> None:
    """AWS Backup makes the plans of the organization's policy in its accounts."""
    for (account, region), site in sites.items():
        if account not in (CHINA, GOVCLOUD):
            _policy_plans(site, ran=(account, region) in _POLICY_RAN)


def _policy_plans(site: Site, *, ran: bool) -> None:
    with _ids_of(site, "policy"):
        plan_ids = organizations.materialise_backup_plans(site.account.id, site.region)
    for plan_id in plan_ids:
        backup = site.client("backup")
        name = backup.get_backup_plan(BackupPlanId=plan_id)["BackupPlan"]["BackupPlanName"]
        site.remember(name, plan_id)
        for each in backup.list_backup_selections(BackupPlanId=plan_id)["BackupSelectionsList"]:
            site.remember(f"{name}/{each['SelectionName']}", f"{each['SelectionId']}_{plan_id}")
        site.keep_history(plan_id, RAN if ran else SILENT)

"""What the counts of `calls` are made of: an account of a size, an invocation in it, and how often a call is made.

A rule whose calls or evaluations differ from what its permissions tell has a `cost.py` beside its code: `CALLS` by IAM
action, and `evaluations`, each a count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

BACKUP_PAGE, TAGGING_PAGE, CONFIG_PAGE, RDS_PAGE = 1000, 100, 100, 100
"""Items of a page: AWS Backup's and Config's largest, the tagging API's largest, RDS's default."""


@dataclass(frozen=True)
class Account:
    """One account in one Region. The defaults are the ordinary account of `docs/cost-and-quotas.md`.

    It is a healthy one: all selections ask for the same tag, which the tagged resources bear; no tag narrowly misses.
    """

    plans: int = 5
    """Backup plans, those of the organization's backup policy among them."""
    policy_plans: int = 1
    """How many of them come from the organization's backup policy; 0: the account has no effective policy."""
    selections_per_plan: int = 4
    roles: int = 2
    """Roles under which the selections work; each plan has selections under all of them, as far as it has as many."""
    vaults: int = 2
    """Vaults that the plans store in, all encrypted with one key. Each plan stores in one."""
    tagged_resources: int = 200
    """Resources of protected types that bear tags; the databases among them."""
    databases: int = 10
    """DB instances that are no members of clusters; backed up, and without continuous backup by AWS Backup."""
    jobs: int = 800
    """Backup jobs in the days that BACKUP_PLAN_RAN_ON_SCHEDULE looks back on."""
    simulations_per_role: int = 2
    """Calls of `SimulatePrincipalPolicy` for a role: grows with the resource types that its selections pick."""
    plan_changes: int = 10
    """Recorded changes of local plans in a month."""
    selection_changes: int = 10
    """Recorded changes of selections of local plans in a month."""
    compliance_changes: int = 10
    """Resources whose compliance with a rule changes, in a month: each is an event, and an update of a finding."""

    @property
    def selections(self) -> int:
        """Of all plans."""
        return self.plans * self.selections_per_plan

    @property
    def local_plans(self) -> int:
        """Plans that are the account's own."""
        return self.plans - self.policy_plans


class Trigger(Enum):
    """Why a rule runs: its schedule, or the change of a local plan or of a selection of one."""

    SCHEDULE = ""
    PLAN = "AWS::Backup::BackupPlan"
    SELECTION = "AWS::Backup::BackupSelection"


@dataclass(frozen=True)
class Invocation:
    """One invocation of a rule: for which account, and what is judged in it."""

    account: Account
    trigger: Trigger = Trigger.SCHEDULE

    @property
    def scheduled(self) -> bool:
        """Whether everything is judged."""
        return self.trigger is Trigger.SCHEDULE

    @property
    def plans(self) -> int:
        """Plans that are judged, or whose selections are."""
        return self.account.plans if self.scheduled else 1

    @property
    def selections(self) -> int:
        """Selections that are judged."""
        if self.trigger is Trigger.SELECTION:
            return 1
        return self.plans * self.account.selections_per_plan

    @property
    def roles(self) -> int:
        """Roles of those selections."""
        return min(self.account.roles, 1 if self.trigger is Trigger.SELECTION else self.account.selections_per_plan)

    @property
    def vaults(self) -> int:
        """Vaults of the local plans among those that are judged."""
        return min(self.account.vaults, self.account.local_plans if self.scheduled else 1)


Count = Callable[[Invocation], int]


def pages(items: int, size: int) -> int:
    """Calls that it takes to list so many items: one at least."""
    return max(1, -(-items // size))


def _tagged_databases(invocation: Invocation) -> int:
    """RDS is asked what the listed databases are, if there are any."""
    return pages(invocation.account.databases, RDS_PAGE) if invocation.account.databases else 0


CALLS: Mapping[str, Count] = {
    "backup:ListBackupPlans": lambda invocation: pages(invocation.account.plans, BACKUP_PAGE),
    "backup:ListBackupSelections": lambda invocation: (
        invocation.plans * pages(invocation.account.selections_per_plan, BACKUP_PAGE)
    ),
    "backup:GetBackupPlan": lambda invocation: invocation.plans,
    "backup:GetBackupSelection": lambda invocation: invocation.selections,
    "backup:ListBackupVaults": lambda invocation: pages(invocation.account.vaults, BACKUP_PAGE),
    "backup:DescribeBackupVault": lambda invocation: invocation.vaults,
    "backup:GetBackupVaultAccessPolicy": lambda invocation: invocation.vaults,
    "backup:ListBackupJobs": lambda invocation: pages(invocation.account.jobs, BACKUP_PAGE),
    "iam:GetRole": lambda invocation: invocation.roles,
    "iam:SimulatePrincipalPolicy": lambda invocation: invocation.roles * invocation.account.simulations_per_role,
    "kms:DescribeKey": lambda invocation: min(1, invocation.vaults),
    "rds:DescribeDBClusters": lambda invocation: min(1, invocation.account.databases),
    "rds:DescribeDBInstances": _tagged_databases,
    # File systems, and what bears no tag in types that are turned off: the ordinary account has neither.
    "fsx:DescribeFileSystems": lambda _: 0,
    "fsx:DescribeVolumes": lambda _: 0,
    "config:SelectResourceConfig": lambda _: 0,
    "tag:GetResources": lambda invocation: pages(invocation.account.tagged_resources, TAGGING_PAGE),
}
"""How often a rule that has the permission makes the call, in one invocation. One that is not named is made once."""


LISTING = ("rds:DescribeDBClusters", "rds:DescribeDBInstances", "tag:GetResources")
"""What it takes to list the tagged resources."""


def none(_: Invocation) -> int:
    """Not made: what the rule looks for is not in a healthy account."""
    return 0


def with_policy(invocation: Invocation) -> int:
    """Once where the account has an effective backup policy."""
    return min(1, invocation.account.policy_plans)


def of_selections(count: Count) -> Count:
    """What is read to judge selections, and not when a plan is judged alone."""
    return lambda invocation: 0 if invocation.trigger is Trigger.PLAN else count(invocation)


def with_local_plans(count: Count) -> Count:
    """What is read for the account's own plans, as the organization's are judged in the management account."""
    return lambda invocation: count(invocation) if invocation.account.local_plans else 0


def once(_: Invocation) -> int:
    """One call."""
    return 1

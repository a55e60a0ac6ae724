"""What a rule does in one run: the AWS calls that it makes and the evaluations that it puts, for an account of a size.

What a rule asks follows from the permissions that its `parameters.json` declares, as each question is asked once in a
run: `_CALLS` says how often, and `_EXCEPTIONS` where a rule asks less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from backup_rules_cli.catalogue import RuleFolder

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
class Run:
    """One run of a rule: for which account, and what is judged in it."""

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


Count = Callable[[Run], int]


def pages(items: int, size: int) -> int:
    """Calls that it takes to list so many items: one at least."""
    return max(1, -(-items // size))


def _tagged_databases(run: Run) -> int:
    """RDS is asked what the listed databases are, if there are any."""
    return pages(run.account.databases, RDS_PAGE) if run.account.databases else 0


_CALLS: Mapping[str, Count] = {
    "backup:ListBackupPlans": lambda run: pages(run.account.plans, BACKUP_PAGE),
    "backup:ListBackupSelections": lambda run: run.plans * pages(run.account.selections_per_plan, BACKUP_PAGE),
    "backup:GetBackupPlan": lambda run: run.plans,
    "backup:GetBackupSelection": lambda run: run.selections,
    "backup:ListBackupVaults": lambda run: pages(run.account.vaults, BACKUP_PAGE),
    "backup:DescribeBackupVault": lambda run: run.vaults,
    "backup:GetBackupVaultAccessPolicy": lambda run: run.vaults,
    "backup:ListBackupJobs": lambda run: pages(run.account.jobs, BACKUP_PAGE),
    "iam:GetRole": lambda run: run.roles,
    "iam:SimulatePrincipalPolicy": lambda run: run.roles * run.account.simulations_per_role,
    "kms:DescribeKey": lambda run: min(1, run.vaults),
    "rds:DescribeDBClusters": lambda run: min(1, run.account.databases),
    "rds:DescribeDBInstances": _tagged_databases,
    # File systems, and what bears no tag in types that are turned off: the ordinary account has neither.
    "fsx:DescribeFileSystems": lambda _: 0,
    "fsx:DescribeVolumes": lambda _: 0,
    "config:SelectResourceConfig": lambda _: 0,
    "tag:GetResources": lambda run: pages(run.account.tagged_resources, TAGGING_PAGE),
}
"""How often a rule that has the permission makes the call, in one run. One that is not named is made once."""


_LISTING = ("rds:DescribeDBClusters", "rds:DescribeDBInstances", "tag:GetResources")
"""What it takes to list the tagged resources."""


def _none(_: Run) -> int:
    return 0


def _with_policy(run: Run) -> int:
    return min(1, run.account.policy_plans)


def _of_selections(count: Count) -> Count:
    """What is read to judge selections, and not when a plan is judged alone."""
    return lambda run: 0 if run.trigger is Trigger.PLAN else count(run)


def _with_local_plans(count: Count) -> Count:
    """What is read for the account's own plans, as the organization's are judged in the management account."""
    return lambda run: count(run) if run.account.local_plans else 0


_EXCEPTIONS: Mapping[str, Mapping[str, Count]] = {
    "BACKUP_FSX_WINDOW_CONFLICT": {
        "backup:GetBackupPlan": _none,
        "tag:GetResources": _none,
        "fsx:DescribeFileSystems": lambda _: 1,
        "fsx:DescribeVolumes": lambda _: 1,
    },
    "BACKUP_POLICY_ATTACHED": {"organizations:DescribeOrganization": lambda run: 1 - _with_policy(run)},
    "BACKUP_POLICY_ROLE_EXISTS": {"iam:GetRole": lambda run: run.roles * _with_policy(run)},
    # Of a member: the management account alone asks which policies are invalid.
    "BACKUP_POLICY_VALID": {
        "organizations:ListAccountsWithInvalidEffectivePolicy": _none,
        "organizations:ListEffectivePolicyValidationErrors": _none,
    },
    "BACKUP_POLICY_VAULT_EXISTS": {"backup:ListBackupVaults": _with_policy},
    "BACKUP_POLICY_VAULT_NAME_CASE": {"backup:ListBackupVaults": _with_policy},
    "BACKUP_RDS_WINDOW_CONFLICT": {
        "backup:GetBackupPlan": lambda run: run.plans if run.account.databases else 0,
        "rds:DescribeDBClusters": lambda _: 1,
        "rds:DescribeDBInstances": lambda run: pages(run.account.databases, RDS_PAGE),
        "tag:GetResources": lambda run: pages(run.account.databases, TAGGING_PAGE) if run.account.databases else 0,
    },
    "BACKUP_SELECTION_NOT_EMPTY": {
        "backup:GetBackupPlan": _none,
        **{action: _of_selections(_CALLS[action]) for action in _LISTING},
    },
    "BACKUP_SERVICE_OPT_IN": {
        "organizations:DescribeOrganization": lambda run: _with_policy(run) if run.scheduled else 0,
        "backup:DescribeRegionSettings": lambda run: min(1, run.account.local_plans),
        **{action: _with_local_plans(_CALLS[action]) for action in _LISTING},
    },
    "BACKUP_VAULT_USABLE": {
        # All plans are compared, the organization's too; nothing more is read while none of them is continuous.
        "backup:GetBackupPlan": lambda run: (
            (run.account.plans if run.account.local_plans else 0) if run.scheduled else 1
        ),
        "backup:ListBackupSelections": _none,
        "backup:GetBackupSelection": _none,
        "tag:GetResources": _none,
        "backup:ListBackupVaults": _with_local_plans(_CALLS["backup:ListBackupVaults"]),
    },
    **{rule: dict.fromkeys(_LISTING, _none) for rule in ("BACKUP_TAG_CASE", "BACKUP_TAG_WHITESPACE")},
}
"""Where a rule reads less, by rule and permission: what it looks for is not in a healthy account."""

_SUBJECTS: Mapping[str, Count] = {
    "BACKUP_FSX_WINDOW_CONFLICT": _none,  # selections that pick FSx: of the ordinary account's, none
    "BACKUP_PLAN_RAN_ON_SCHEDULE": lambda run: run.plans,
    "BACKUP_RDS_WINDOW_CONFLICT": lambda run: run.account.databases,
    "BACKUP_VAULT_USABLE": lambda run: run.plans,
    "BACKUP_RESOURCE_READY": lambda run: run.selections,  # and one a bucket: the ordinary account has none
    "BACKUP_SELECTION_NOT_EMPTY": lambda run: {Trigger.PLAN: 1, Trigger.SELECTION: 1}.get(
        run.trigger, run.plans + run.selections
    ),
}
"""What the verdicts of a run are about, where its permissions do not tell."""


def evaluations(folder: RuleFolder, run: Run) -> int:
    """How many evaluations the run puts, those that are NOT_APPLICABLE among them."""
    if folder.name in _SUBJECTS:
        return _SUBJECTS[folder.name](run)
    if "backup:ListBackupSelections" in folder.permissions:
        return run.selections
    return run.plans if "backup:ListBackupPlans" in folder.permissions else 1


def calls(folder: RuleFolder, run: Run) -> Counter[str]:
    """How often the run makes which call, by IAM action, in a state that has not changed since the run before."""
    exceptions = _EXCEPTIONS.get(folder.name, {})
    found = Counter({action: exceptions.get(action, _CALLS.get(action, _once))(run) for action in folder.permissions})
    put = evaluations(folder, run)
    found["sts:AssumeRole"] = 1
    found["config:PutEvaluations"] = -(-put // CONFIG_PAGE)
    found["config:GetComplianceDetailsByConfigRule"] = pages(put, CONFIG_PAGE) if run.scheduled else 0
    return +found


def _once(_: Run) -> int:
    return 1

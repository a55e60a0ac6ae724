"""Rules BACKUP_POLICY_*: the organization's backup policy and what it needs in the accounts.

The policy in `documents/workloads-backup.json` is AWS's own example for personal data, with another schedule and other
Regions: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_backup_syntax.html. It is
attached to the OU of the workloads and to the management account. security-backup-administration was forgotten and has
no effective policy. analytics-staging gets a second policy later, whose plan `Staging_Weekly` for us-east-1 has no
backup rules: so its effective policy is invalid, and AWS leaves it on the one before.
"""

from __future__ import annotations

from demo_organization.site import BACKUP_POLICY, Site

ROLE = "MyIamRole"
VAULT = "FortKnox"
COPIES_VAULT = "secondary_vault"


def role(site: Site) -> None:
    """The role that the policy names; analytics-staging is left without it."""
    site.role(ROLE, BACKUP_POLICY)


def vaults(site: Site, name: str | None = VAULT) -> None:
    """The vaults that the policy names.

    payments-production has none in us-east-1, analytics-staging spells it `fortknox` in eu-west-1.
    """
    if name:
        site.vault(name)
    if site.region == "us-east-1":
        site.vault(COPIES_VAULT)


def personal_data(site: Site) -> None:
    """A table that the policy's plan backs up."""
    site.table("personal-data", dataType="PII")

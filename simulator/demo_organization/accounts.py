"""The accounts, the organization that joins them, and what every account has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from aws_simulator.core import organizations
from backup_rules_cli.catalogue import COMMON_PERMISSIONS, rule_folders
from backup_rules_cli.invoke import MEMBER_ROLE
from demo_organization.site import BACKUP_POLICY, DEFAULT_ROLE, Account, Site

REGIONS = ("eu-west-1", "us-east-1")

MANAGEMENT = Account("111122223333", "management", "management", REGIONS)
SECURITY = Account("444455556666", "security-backup-administration", "delegated administrator", REGIONS)
# Callers whose credentials the simulation does not know are in 123456789012: `aws backup list-backup-plans` lists its.
PAYMENTS = Account("123456789012", "payments-production", "member", REGIONS)
ANALYTICS = Account("777788889999", "analytics-staging", "member", REGIONS)
CHINA = Account("222233334444", "retail-china", "standalone", ("cn-north-1",))
GOVCLOUD = Account("555566667777", "records-govcloud", "standalone", ("us-gov-west-1",))

ACCOUNTS = (MANAGEMENT, SECURITY, PAYMENTS, ANALYTICS, CHINA, GOVCLOUD)

# What the delegated administrator administers: backups, and what it takes to roll the pack out.
DELEGATED_SERVICES = (
    "backup.amazonaws.com",
    "config.amazonaws.com",
    "config-multiaccountsetup.amazonaws.com",
    "member.org.stacksets.cloudformation.amazonaws.com",
)

DOCUMENTS = Path(__file__).parent / "documents"


def member_role(site: Site) -> None:
    """The role under which the pack reads the account. It trusts the account that the functions run in."""
    actions = sorted(COMMON_PERMISSIONS.union(*(folder.permissions for folder in rule_folders())))
    central = SECURITY.id if site.partition == "aws" else site.account.id
    site.role(
        MEMBER_ROLE,
        trust={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:{site.partition}:iam::{central}:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        },
        inline={"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]},
    )


def default_service_role(site: Site) -> None:
    """The role that the console makes with the first plan."""
    restores = "service-role/AWSBackupServiceRolePolicyForRestores"
    site.role(DEFAULT_ROLE, BACKUP_POLICY, restores, path="/service-role/")


def join(management: Site, more: Sequence[str]) -> None:
    """The organization: `Workloads` holds the members, `Security` the delegated administrator for AWS Backup.

    `more` are the ids of further members.
    """
    client = management.client("organizations")
    client.create_organization(FeatureSet="ALL")
    organizations.rename_account(management.account.id, management.account.name)
    root = client.list_roots()["Roots"][0]["Id"]
    for policy_type in ("BACKUP_POLICY", "SERVICE_CONTROL_POLICY"):
        client.enable_policy_type(RootId=root, PolicyType=policy_type)
    units = {
        name: client.create_organizational_unit(ParentId=root, Name=name)["OrganizationalUnit"]["Id"]
        for name in ("Security", "Workloads")
    }
    members = {SECURITY: "Security", PAYMENTS: "Workloads", ANALYTICS: "Workloads"}
    with organizations.account_ids([account.id for account in members]):
        for account, unit in members.items():
            client.create_account(AccountName=account.name, Email=f"{account.name}@example.com")
            client.move_account(AccountId=account.id, SourceParentId=root, DestinationParentId=units[unit])
    for service in DELEGATED_SERVICES:
        client.enable_aws_service_access(ServicePrincipal=service)
        client.register_delegated_administrator(AccountId=SECURITY.id, ServicePrincipal=service)
    if more:
        organizations.add_accounts(management.account.id, more, parent_id=units["Workloads"])
    _attach(management, "workloads-backup", "BACKUP_POLICY", (units["Workloads"], management.account.id))
    _attach(management, "no-file-system-backups", "SERVICE_CONTROL_POLICY", (ANALYTICS.id,))


def forget_backup_rules(management: Site) -> None:
    """A second policy for analytics-staging, whose plan has no backup rules: the account keeps the last valid one."""
    _attach(management, "staging-weekly", "BACKUP_POLICY", (ANALYTICS.id,))


def _attach(management: Site, name: str, policy_type: str, targets: Iterable[str]) -> None:
    """A policy whose content stands in `documents/`, as it would be written for the console."""
    client = management.client("organizations")
    content = json.dumps(json.loads((DOCUMENTS / f"{name}.json").read_text(encoding="utf-8")))
    policy = client.create_policy(Name=name, Description=name, Type=policy_type, Content=content)
    for target in targets:
        client.attach_policy(PolicyId=policy["Policy"]["PolicySummary"]["Id"], TargetId=target)

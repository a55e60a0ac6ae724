"""Rules BACKUP_ROLE_ASSUMABLE and BACKUP_ROLE_PERMISSIONS: roles of selections, in payments-production, eu-west-1."""

from __future__ import annotations

import json
from typing import Any

from demo_organization.accounts import ANALYTICS
from demo_organization.site import BACKUP_POLICY, S3_BACKUP_POLICY, Site, nightly, tags_are, trusting_backup


def trust(site: Site) -> None:
    """Selections of plan `ledger-nightly`, a table each.

    Healthy: `ledger-tables` (default service role, whose ARN has a path) and `cards-own-account` (a trust policy that
    asks for this very account). Broken, each for a reason of its own: `refunds-no-role`, `settlements-other-account`,
    `fees-not-a-role`, `chargebacks-trusts-ec2`, `disputes-denied`, `cards-other-account`.
    """
    roles = {
        "ledger-tables": site.default_role,
        "cards-own-account": site.role(
            "CardsBackupRole", BACKUP_POLICY, path="/backup/cards/", trust=_only_for(site.account.id)
        ),
        "refunds-no-role": f"arn:aws:iam::{site.account.id}:role/RefundsBackupRole",
        "settlements-other-account": f"arn:aws:iam::{ANALYTICS.id}:role/service-role/AWSBackupDefaultServiceRole",
        "fees-not-a-role": f"arn:aws:iam::{site.account.id}:user/backup",
        "chargebacks-trusts-ec2": site.role(
            "ChargebacksBackupRole", BACKUP_POLICY, trust=trusting_backup(Principal={"Service": "ec2.amazonaws.com"})
        ),
        "disputes-denied": site.role("DisputesBackupRole", BACKUP_POLICY, trust=_denied()),
        "cards-other-account": site.role("SharedBackupRole", BACKUP_POLICY, trust=_only_for(ANALYTICS.id)),
    }
    plan = site.plan("ledger-nightly", nightly())
    for name, role in roles.items():
        site.selection(plan, name, role, Resources=[site.table(name)])


def _only_for(account: str) -> dict[str, Any]:
    """As AWS advises against the confused deputy.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-service-confused-deputy-prevention.html
    """
    return trusting_backup(Condition={"StringEquals": {"aws:SourceAccount": account}})


def _denied() -> dict[str, Any]:
    policy = trusting_backup()
    policy["Statement"].append(policy["Statement"][0] | {"Sid": "Retired", "Effect": "Deny"})
    return policy


def permissions(site: Site) -> None:
    """Selections of plan `documents-nightly`.

    Healthy: `receipts-bucket` (both managed policies). Broken: `invoices-bucket` (the default service role has no S3
    policy), `statements-tables` (an inline policy without DynamoDB), `exports-tables` (the permissions boundary keeps
    DynamoDB away) and `contracts-by-tag` (no tag:GetResources).
    """
    s3_role = site.role("S3BackupRole", BACKUP_POLICY, S3_BACKUP_POLICY)
    inline = site.role("VolumesBackupRole", inline=_allow("backup:*", "ec2:*", "kms:*", "tag:GetResources"))
    bounded = site.role("ExportsBackupRole", BACKUP_POLICY, boundary=_boundary(site))
    untagged = site.role("ContractsBackupRole", inline=_allow("backup:*", "dynamodb:*", "kms:*"))

    plan = site.plan("documents-nightly", nightly(StartWindowMinutes=90))
    site.selection(plan, "receipts-bucket", s3_role, Resources=[site.bucket("payments-receipts")])
    site.selection(plan, "invoices-bucket", Resources=[site.bucket("payments-invoices")])
    site.selection(plan, "statements-tables", inline, Resources=[site.table("statements")])
    site.selection(plan, "exports-tables", bounded, Resources=[site.table("exports")])
    site.table("contracts", documents="contracts")
    site.selection(plan, "contracts-by-tag", untagged, ListOfTags=tags_are(documents="contracts"))


def _allow(*actions: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


def _boundary(site: Site) -> str:
    made = site.client("iam").create_policy(
        PolicyName="ExportsBoundary", PolicyDocument=json.dumps(_allow("backup:*", "s3:*", "kms:*", "tag:*"))
    )
    return str(made["Policy"]["Arn"])


def service_control_policy(site: Site) -> None:
    """In analytics-staging a service control policy denies `elasticfilesystem:Backup`, whatever the role has.

    Broken: `notebooks-files`. Healthy: `notebooks-tables`, under the same role.
    """
    made = site.client("efs").create_file_system(CreationToken="notebooks")
    plan = site.plan("notebooks-nightly", nightly(StartWindowMinutes=180))
    site.selection(plan, "notebooks-files", Resources=[made["FileSystemArn"]])
    site.selection(plan, "notebooks-tables", Resources=[site.table("notebooks")])

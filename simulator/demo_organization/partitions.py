"""The other partitions: an account in China and one in AWS GovCloud (US), each for itself, without an organization."""

from __future__ import annotations

from demo_organization.site import BACKUP_POLICY, Site, nightly, tags_are, trusting_backup


def china(site: Site) -> None:
    """Plan `stores-nightly` in cn-north-1.

    Healthy: `stores-tables` (by a wildcard of this partition, role with a path) and `stores-by-tag` (a role that trusts
    the partition's own service principal). Broken: `copied-from-ireland`, whose wildcard is one of partition aws.
    """
    site.table("stores", backup="daily")
    own_principal = trusting_backup(Principal={"Service": "backup.amazonaws.com.cn"})
    role = site.role("StoresBackupRole", BACKUP_POLICY, trust=own_principal, path="/backup/")
    plan = site.plan("stores-nightly", nightly(ScheduleExpressionTimezone="Asia/Shanghai"))
    site.selection(plan, "stores-tables", Resources=["arn:aws-cn:dynamodb:*:*:table/*"])
    site.selection(plan, "stores-by-tag", role, ListOfTags=tags_are(backup="daily"))
    site.selection(plan, "copied-from-ireland", Resources=["arn:aws:dynamodb:*:*:table/*"])


def govcloud(site: Site) -> None:
    """Plan `records-nightly` in us-gov-west-1.

    Healthy: `records-tables`. Broken: `records-role-of-aws`, whose role ARN is one of partition aws.
    """
    site.table("records", backup="daily")
    plan = site.plan("records-nightly", nightly(ScheduleExpressionTimezone="America/Los_Angeles"))
    site.selection(plan, "records-tables", Resources=["arn:aws-us-gov:dynamodb:*:*:table/records"])
    wrong = site.default_role.replace("arn:aws-us-gov:", "arn:aws:")
    site.selection(plan, "records-role-of-aws", wrong, ListOfTags=tags_are(backup="daily"))

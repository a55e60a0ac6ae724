"""Rule BACKUP_SELECTION_NOT_EMPTY: plans and selections that pick nothing; and selections as AWS writes them."""

from __future__ import annotations

import json

from demo_organization.accounts import ANALYTICS, DOCUMENTS
from demo_organization.site import SILENT, Site, conditions, nightly, tags_are


def empty(site: Site) -> None:
    """In payments-production, eu-west-1.

    Healthy: plan `inventory-nightly` with `inventory-tables` and `inventory-prefix`. Broken: plan `forgotten`, which
    has no selection, and the other selections of `inventory-nightly`, as they are called.
    """
    site.plan("forgotten", nightly("never"), history=SILENT)
    table = site.table("inventory", stock="yes")
    plan = site.plan("inventory-nightly", nightly(StartWindowMinutes=300))
    site.selection(plan, "inventory-tables", ListOfTags=tags_are(stock="yes"))
    site.selection(plan, "inventory-prefix", Resources=["arn:aws:dynamodb:*:*:table/inv*"])
    elsewhere = table.replace(site.account.id, ANALYTICS.id)
    site.selection(plan, "name-instead-of-arn", Resources=["inventory"])
    site.selection(plan, "tag-that-nothing-has", ListOfTags=tags_are(stock="counted-by-hand"))
    site.selection(plan, "other-account", Resources=[elsewhere])
    site.selection(plan, "other-region", Resources=[table.replace(site.region, "ap-southeast-2")])
    site.selection(plan, "database-is-gone", Resources=[site.arn("rds", "db:inventory-2019")])
    site.selection(
        plan,
        "conditions-contradict",
        Resources=["*"],
        Conditions=conditions(StringEquals={"stock": "yes"}, StringNotEquals={"stock": "yes"}),
    )


def aws_examples(site: Site) -> None:
    """In security-backup-administration, eu-west-1: the examples of AWS's guide, with what they pick; healthy.

    `documents/selections.json` holds them as they stand there:
    https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html. `tags-narrow-nothing` is the
    trap that people fall into: with Resources `*`, its tags are no restriction.
    """
    site.tagged_table("evidence", {"backup": "true", "stage": "prod", "key1": "include-me"})
    site.volume("evidence-disk", backup="true", stage="prod")
    _databases(site)
    plan = site.plan("guide-nightly", nightly(StartWindowMinutes=120))
    for name, body in json.loads((DOCUMENTS / "selections.json").read_text(encoding="utf-8")).items():
        site.selection(plan, name, **body["BackupSelection"])
    trap = site.plan("everything-nightly", nightly(StartWindowMinutes=180))
    site.selection(trap, "tags-narrow-nothing", Resources=["*"], ListOfTags=tags_are(backup="true"))


def _databases(site: Site) -> None:
    windows = {
        "MasterUsername": "evidence",
        "MasterUserPassword": "simulated-password",
        "BackupRetentionPeriod": 7,
        "PreferredBackupWindow": "14:00-14:30",
        "PreferredMaintenanceWindow": "wed:15:00-wed:15:30",
        "Tags": [{"Key": "backup", "Value": "true"}, {"Key": "stage", "Value": "prod"}],
    }
    rds = site.client("rds")
    rds.create_db_cluster(DBClusterIdentifier="my-aurora-cluster", Engine="aurora-mysql", **windows)
    instance = rds.create_db_instance(
        DBInstanceIdentifier="evidence-db",
        Engine="postgres",
        DBInstanceClass="db.t4g.medium",
        AllocatedStorage=20,
        **windows,
    )["DBInstance"]
    site.remember("evidence-db", instance["DbiResourceId"])

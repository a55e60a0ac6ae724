"""Rules BACKUP_TAG_CASE and BACKUP_TAG_WHITESPACE: near misses, in analytics-staging, eu-west-1."""

from __future__ import annotations

from demo_organization.databases import instance
from demo_organization.file_systems import file_system
from demo_organization.site import Site, conditions, key_value, list_of_tags, nightly, tags_are


def letter_case(site: Site) -> None:
    """Plan `customers-nightly` asks for "backup"="daily".

    Healthy: table `customers`, and `customers-archive`, which has the other spelling beside the right one. Broken:
    `customers-eu` ("Backup"), `customers-us` ("Daily"), the database `customers-db` ("Backup"), and with them the
    selection. Selection `campaigns-tables`, whose tag nothing misspells, is healthy.
    """
    site.table("customers", backup="daily")
    site.tagged_table("customers-archive", {"backup": "daily", "BACKUP": "DAILY"})
    site.tagged_table("customers-eu", {"Backup": "daily"})
    site.tagged_table("customers-us", {"backup": "Daily"})
    instance(site, "customers-db", Tags=key_value({"Backup": "daily"}))
    file_system(site, {"Backup": "daily"})
    site.table("campaigns", campaign="yes")
    plan = site.plan("customers-nightly", nightly())
    site.selection(plan, "customers-tables", ListOfTags=tags_are(backup="daily"))
    site.selection(plan, "campaigns-tables", ListOfTags=tags_are(campaign="yes"))


def white_space(site: Site) -> None:
    """Plan `devices-nightly` asks for "retention"="30 days"; `sensors-nightly` has a trailing blank of its own.

    Healthy: table `devices` and selection `meters-tables`. Broken: `devices-lab` (trailing blank), `devices-field`
    (no-break space), the database `devices-db` (trailing blank) with selection `devices-tables`, and selection
    `sensors-tables`.
    """
    site.tagged_table("devices", {"retention": "30 days"})
    site.tagged_table("devices-lab", {"retention": "30 days "})
    site.tagged_table("devices-field", {"retention": "30\N{NO-BREAK SPACE}days"})
    instance(site, "devices-db", Tags=key_value({"retention": "30 days "}))
    file_system(site, {"retention": "30 days "})
    site.tagged_table("sensors", {"AWSBackup ": "weekly"})
    site.table("meters", meters="yes")
    plan = site.plan("devices-nightly", nightly(StartWindowMinutes=120))
    site.selection(plan, "devices-tables", ListOfTags=tags_are(retention="30 days"))
    site.selection(plan, "meters-tables", Resources=["*"], Conditions=conditions(StringLike={"meters": "y*"}))
    other = site.plan("sensors-nightly", nightly(StartWindowMinutes=240))
    site.selection(other, "sensors-tables", ListOfTags=list_of_tags([("AWSBackup ", "weekly")]))

"""Many more member accounts, all alike but for a known pattern: to see the pack at the size of a large organization."""

from __future__ import annotations

from aws_simulator.core import tagging
from demo_organization import accounts, policies
from demo_organization.site import Account, Site, nightly, tags_are

REGION = "eu-west-1"
_FIRST_ID = 900_000_000_001

NO_ROLE_EVERY, SHORT_WINDOW_EVERY, NO_POLICY_VAULT_EVERY = 10, 25, 40


def member(number: int) -> Account:
    """The member account of that number, from 1."""
    return Account(str(_FIRST_ID - 1 + number), f"workload-{number:04}", "member", (REGION,))


def fill(number: int, site: Site) -> None:
    """One plan, `nightly`, with one selection, `tables`, of one table, and what the organization's policy needs.

    Broken: in every 10th account the selection's role does not exist; in every 25th the start window lasts 30 minutes;
    in every 40th the vault of the policy is missing. Healthy: all others.
    """
    accounts.member_role(site)
    policies.role(site)
    if number % NO_ROLE_EVERY:
        accounts.default_service_role(site)
    site.vault("Default")
    policies.vaults(site, None if number % NO_POLICY_VAULT_EVERY == 0 else policies.VAULT)
    # A table that only the tagging API knows: a thousand real ones would take their time.
    tagging.tag_resource(site.account.id, REGION, site.arn("dynamodb", "table/orders"), {"backup": "daily"})
    plan = site.plan("nightly", nightly(StartWindowMinutes=60 if number % SHORT_WINDOW_EVERY else 30))
    site.selection(plan, "tables", ListOfTags=tags_are(backup="daily"))

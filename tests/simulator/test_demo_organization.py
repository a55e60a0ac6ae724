"""The seeded organization holds what it says: the rules find the planted problems, and leave the twins alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache

import pytest

from aws_simulator.core import config
from aws_simulator.core.accounts import account_session
from aws_simulator.core.operations import clock
from aws_simulator.simulation import simulated_aws
from backup_rules_cli.catalogue import COMMON_PERMISSIONS, expected, planted, rule_folders
from backup_rules_cli.invoke import Evaluated
from demo_organization import Account, Expected, Organization, seed
from demo_organization.accounts import ACCOUNTS, ANALYTICS, MANAGEMENT, PAYMENTS, REGIONS
from demo_organization.growth import NO_ROLE_EVERY, SHORT_WINDOW_EVERY
from tests.front_door import Door

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GROWN = 30

RULES = {folder.name for folder in rule_folders()}
EXPECTED: tuple[Expected, ...] = expected()
ROWS = [row for row in EXPECTED if row.rule in RULES]

Verdicts = Mapping[str, Evaluated]
Judged = tuple[Verdicts, frozenset[str]]


@pytest.fixture(scope="module")
def organization() -> Iterator[Organization]:
    with simulated_aws(), clock(NOW):
        config.install(require_functions=False)
        judged.cache_clear()
        yield seed(NOW, GROWN, plants=planted())


@cache
def judged(rule: str, account: Account, region: str) -> Judged:
    """The verdicts of a rule in an account and Region, by resource id, and the IAM actions that it took."""
    found, actions = Door(account.id, region, NOW).evaluate_recorded(rule)
    return {resource_id: verdict for (_, resource_id), verdict in found.items()}, actions


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.rule}-{row.account}-{row.region}-{row.name}")
def test_planted_problem_is_found_and_its_twin_is_not(row: Expected, organization: Organization) -> None:
    account = organization.account(row.account)
    verdict = judged(row.rule, account, row.region)[0].get(organization.id_of(account, row.region, row.name))
    if row.broken:
        assert verdict is not None, "no verdict"
        assert verdict.compliance == "NON_COMPLIANT", verdict.annotation
        assert row.says in verdict.annotation
    else:
        assert verdict is None or verdict.compliance == "COMPLIANT", verdict.annotation


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_calls_exactly_what_it_declares(rule: str, organization: Organization) -> None:
    """Recorded over all its planted problems: a permission that no call needs fails, as a call without one does."""
    (folder,) = rule_folders(rule)
    places = {(organization.account(row.account), row.region) for row in EXPECTED if row.rule == rule}
    called = frozenset[str]().union(*(judged(rule, account, region)[1] for account, region in places))
    assert called == folder.permissions | COMMON_PERMISSIONS


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_has_a_planted_problem_and_a_healthy_twin(rule: str) -> None:
    assert {row.broken for row in EXPECTED if row.rule == rule} == {True, False}


def test_every_planted_thing_exists(organization: Organization) -> None:
    by_id = {"contracts-archive", "contracts-inbox"} | {
        "customers",
        "customers-archive",
        "customers-eu",
        "customers-us",
        "devices",
        "devices-lab",
    }
    by_id |= {"devices-field"} | {account.id for account in ACCOUNTS}
    unknown = [
        row
        for row in EXPECTED
        if row.name not in by_id
        and (organization.account(row.account).id, row.region, row.name) not in organization.ids
    ]
    assert unknown == []


def test_names_stand_for_one_thing_each() -> None:
    counted = Counter((row.account, row.region, row.rule, row.name) for row in EXPECTED)
    assert [row for row, number in counted.items() if number > 1] == []


def test_accounts_and_their_parts(organization: Organization) -> None:
    roles = Counter(account.role for account in organization.accounts[: len(ACCOUNTS)])
    assert roles == {"management": 1, "delegated administrator": 1, "member": 2, "standalone": 2}
    assert organization.regions == REGIONS
    listed = account_session(MANAGEMENT.id, REGIONS[0]).client("organizations").get_paginator("list_accounts")
    found = {each["Id"]: each["Name"] for page in listed.paginate() for each in page["Accounts"]}
    members = [account for account in organization.accounts if account.role != "standalone"]
    assert found.keys() == {account.id for account in members}
    named = members[: len(ACCOUNTS) - 2]
    assert {account.id: found[account.id] for account in named} == {account.id: account.name for account in named}


def test_plans_are_of_all_three_origins(organization: Organization) -> None:
    backup = account_session(PAYMENTS.id, "eu-west-1").client("backup")
    pages = backup.get_paginator("list_backup_plans").paginate()
    ids = [plan["BackupPlanId"] for page in pages for plan in page["BackupPlansList"]]
    assert (
        Counter(
            "orgs" if each.startswith("orgs/") else "efs" if each.startswith("aws/efs/") else "local" for each in ids
        )["orgs"]
        == 1
    )
    assert sum(each.startswith("aws/efs/") for each in ids) == 1
    assert len(ids) > 10


def test_an_invalid_policy_leaves_the_account_on_the_last_valid_one(organization: Organization) -> None:
    backup = account_session(ANALYTICS.id, "us-east-1").client("backup")
    names = {plan["BackupPlanName"] for plan in backup.list_backup_plans()["BackupPlansList"]}
    assert "PII_Backup_Plan" in names
    assert "Staging_Weekly" not in names


@pytest.mark.parametrize("number", [1, NO_ROLE_EVERY, NO_ROLE_EVERY + 1, 2 * NO_ROLE_EVERY, GROWN])
def test_grown_accounts_break_in_their_pattern(number: int, organization: Organization) -> None:
    account = organization.account(f"workload-{number:04}")
    selection = organization.id_of(account, "eu-west-1", "tables")
    verdict = judged("BACKUP_ROLE_ASSUMABLE", account, "eu-west-1")[0][selection]
    assert verdict.compliance == ("COMPLIANT" if number % NO_ROLE_EVERY else "NON_COMPLIANT")
    assert account.id in selection or verdict.account == account.id


def test_grown_accounts_share_the_policy_and_keep_their_own_plans(organization: Organization) -> None:
    windows = {}
    for number in (1, SHORT_WINDOW_EVERY, SHORT_WINDOW_EVERY + 1):
        account = organization.account(f"workload-{number:04}")
        backup = account_session(account.id, "eu-west-1").client("backup")
        names = {plan["BackupPlanName"]: plan["BackupPlanId"] for plan in backup.list_backup_plans()["BackupPlansList"]}
        assert set(names) == {"nightly", "PII_Backup_Plan"}
        rules = backup.get_backup_plan(BackupPlanId=names["nightly"])["BackupPlan"]["Rules"]
        windows[number] = rules[0]["StartWindowMinutes"]
    assert windows == {1: 60, SHORT_WINDOW_EVERY: 30, SHORT_WINDOW_EVERY + 1: 60}

"""The formula of costs against what the handlers do: every rule's calls, by operation, and evaluations, exactly."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aws_simulator.core.config import result_token
from aws_simulator.core.faults import recorded_calls
from aws_simulator.core.messages.configuration_items import Recording, plan_item, selection_item
from aws_simulator.core.organizations import materialise_backup_plans
from aws_simulator.core.tagging import tag_resource
from backup_rules_cli import docs
from backup_rules_cli.catalogue import ROOT, RuleFolder, rule_folders
from backup_rules_cli.costs.calls import Account, Invocation, Trigger, calls, evaluations, pages
from backup_rules_cli.costs.months import HOURS, OFF, Functions, Month, Prices, bill, month, months, seconds_to_work_off
from backup_rules_cli.costs.tables import page_parts, with_parts
from backup_rules_cli.invoke import Caller, invoke, put_rule
from backup_rules_cli.main import main
from tests.front_door import CENTRAL, Door, front_door
from tests.organization import Organization, policy_plan

FOLDERS = rule_folders()
KINDS = (
    "ec2:{place}:volume/vol-{n:017x}",
    "dynamodb:{place}:table/table-{n}",
    "elasticfilesystem:{place}:file-system/fs-{n:017x}",
)
BY_TAG = {"ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "true"}]}
MANAGED = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"

ACCOUNTS = {
    "the ordinary account": Account(),
    "no backup policy, no database": Account(
        plans=2, policy_plans=0, selections_per_plan=1, roles=1, vaults=1, tagged_resources=3, databases=0
    ),
    "policy plans only": Account(
        plans=2, policy_plans=2, selections_per_plan=3, roles=2, vaults=0, tagged_resources=10, databases=1
    ),
}


LARGE = Account(plans=7, policy_plans=0, selections_per_plan=15, roles=3, vaults=4, tagged_resources=201, databases=101)
"""More than a page of what comes in pages of a hundred: evaluations, tagged resources, databases."""


@contextmanager
def made(account: Account) -> Iterator[Door]:
    """The account in the simulator, as the formula describes it."""
    with front_door() as door:
        roles = [door.role(f"BackupRole{n}") for n in range(account.roles)]
        for n in range(account.roles):
            door.client("iam").attach_role_policy(RoleName=f"BackupRole{n}", PolicyArn=MANAGED)
        backup = door.client("backup")  # once: a client takes longer to make than all its calls
        for n in range(account.vaults):
            backup.create_backup_vault(BackupVaultName=f"vault-{n}")
        resources(door, account)
        for p in range(account.local_plans):
            rule = {"RuleName": "daily", "TargetBackupVaultName": f"vault-{p % account.vaults}"}
            plan = {"BackupPlanName": f"plan-{p}", "Rules": [rule]}
            plan_id = backup.create_backup_plan(BackupPlan=plan)["BackupPlanId"]
            for s in range(account.selections_per_plan):
                selection = {"SelectionName": f"selection-{s}", "IamRoleArn": roles[s % account.roles], **BY_TAG}
                backup.create_backup_selection(BackupPlanId=plan_id, BackupSelection=selection)
        organization = Organization.of(door)
        if account.policy_plans:
            policy(organization, account, roles)
            materialise_backup_plans(door.account, door.region)
        yield door


def resources(door: Door, account: Account) -> None:
    place = f"{door.region}:{door.account}"
    for n in range(account.tagged_resources - account.databases):
        tag_resource(door.account, door.region, f"arn:aws:{KINDS[n % 3].format(place=place, n=n)}", {"backup": "true"})
    rds = door.client("rds")
    for n in range(account.databases):
        rds.create_db_instance(
            DBInstanceIdentifier=f"database-{n}",
            DBInstanceClass="db.t3.micro",
            Engine="postgres",
            Tags=[{"Key": "backup", "Value": "true"}],
        )


def policy(organization: Organization, account: Account, roles: list[str]) -> None:
    selections = {
        f"selection-{s}": {"iam_role_arn": roles[s % len(roles)], "tag_key": "backup", "tag_value": ["true"]}
        for s in range(account.selections_per_plan)
    }
    plans = {
        f"policy-{p}": policy_plan("vault-0", selections={"tags": selections}) for p in range(account.policy_plans)
    }
    organization.attach({"plans": plans})


def recorded(folder: RuleFolder, door: Door, item: dict[str, Any] | None = None) -> tuple[Counter[str], int]:
    """The handler's calls by IAM action, and how many evaluations they put."""
    caller = Caller(door.place, result_token(door.account, door.region, folder.config_rule_name), door.now)
    with recorded_calls() as found:
        invoke(folder, caller, item=item)
    put = [each for call in found if call.operation == "PutEvaluations" for each in call.parameters["Evaluations"]]
    return Counter(call.action for call in found), len(put)


@pytest.mark.parametrize("account", ACCOUNTS.values(), ids=ACCOUNTS.keys())
def test_the_formula_counts_what_the_handlers_do(account: Account) -> None:
    invocation = Invocation(account)
    with made(account) as door:
        for folder in FOLDERS:
            put_rule(folder, door.session, CENTRAL, door.place)
            assert recorded(folder, door) == (calls(folder, invocation), evaluations(folder, invocation)), folder.name


def test_the_formula_counts_pages() -> None:
    invocation = Invocation(LARGE)
    with made(LARGE) as door:
        for folder in rule_folders("BACKUP_ROLE_ASSUMABLE", "BACKUP_RDS_WINDOW_CONFLICT"):
            put_rule(folder, door.session, CENTRAL, door.place)
            recorded(folder, door)  # from the second run on, there is something to clean up among
            found = recorded(folder, door.at(now=door.now + timedelta(minutes=1)))
            assert found == (calls(folder, invocation), evaluations(folder, invocation)), folder.name
            assert found[0]["config:PutEvaluations"] == found[0]["config:GetComplianceDetailsByConfigRule"] == 2


def test_the_formula_counts_what_a_change_brings() -> None:
    account = Account()
    with made(account) as door:
        for trigger, item in changes(door, "plan-1").items():
            for folder in FOLDERS:
                if trigger.value in folder.triggers:
                    put_rule(folder, door.session, CENTRAL, door.place)
                    invocation = Invocation(account, trigger)
                    assert recorded(folder, door, item) == (
                        calls(folder, invocation),
                        evaluations(folder, invocation),
                    ), folder.name


def changes(door: Door, plan_name: str) -> dict[Trigger, dict[str, Any]]:
    """The configuration items of a plan and of one of its selections."""
    backup, recording = door.client("backup"), Recording(door.account, door.region, door.now)
    plans = backup.list_backup_plans()["BackupPlansList"]
    (plan,) = (each["BackupPlanId"] for each in plans if each["BackupPlanName"] == plan_name)
    selection = backup.list_backup_selections(BackupPlanId=plan)["BackupSelectionsList"][0]["SelectionId"]
    whole = backup.get_backup_selection(BackupPlanId=plan, SelectionId=selection)
    return {
        Trigger.PLAN: plan_item(backup.get_backup_plan(BackupPlanId=plan), recording),
        Trigger.SELECTION: selection_item(whole, recording),
    }


def test_a_month_is_its_runs_and_changes() -> None:
    account = Account(plan_changes=3, selection_changes=5)
    (folder,) = rule_folders("BACKUP_ROLE_ASSUMABLE")
    whole = month(folder, account, "Twelve_Hours")
    assert whole.invocations == 60 + 3 + 5
    assert whole.evaluations == 60 * 20 + 3 * 4 + 5 * 1
    assert whole.calls["sts:AssumeRole"] == whole.invocations
    assert whole.calls["config:GetComplianceDetailsByConfigRule"] == 60


def test_a_rule_that_is_off_costs_nothing() -> None:
    (folder,) = rule_folders("BACKUP_ROLE_ASSUMABLE")
    assert month(folder, Account(), OFF) == Month()
    assert months([folder], Account(), {folder.name: OFF}) == Month()


@pytest.mark.parametrize(("frequency", "runs"), list(zip(HOURS, (720, 240, 120, 60, 30), strict=True)))
def test_every_frequency_of_config_has_its_number_of_runs(frequency: str, runs: int) -> None:
    (folder,) = rule_folders("BACKUP_TAG_CASE")
    assert month(folder, Account(), frequency).invocations == runs


@pytest.mark.parametrize(("items", "expected"), [(0, 1), (1, 1), (100, 1), (101, 2), (1000, 10), (1001, 11)])
def test_a_listing_takes_a_call_at_least(items: int, expected: int) -> None:
    assert pages(items, 100) == expected


def test_a_bill_is_counts_times_prices() -> None:
    whole = Month(invocations=1_000_000, evaluations=2_000)
    found = bill(whole, 100, Prices(evaluation=0.001, configuration_item=0.003), Functions(seconds=4, memory_gb=0.25))
    assert found.config == pytest.approx(2)
    assert found.items == pytest.approx(0.3)
    assert found.functions == pytest.approx(0.20 + 1_000_000 * 0.0000133334)
    assert found.total == pytest.approx(found.config + found.functions + found.items)


def test_all_schedules_at_once_are_worked_off_by_the_concurrency() -> None:
    assert seconds_to_work_off(15, 10_000, Functions(seconds=3, concurrency=1_000)) == pytest.approx(450)
    assert seconds_to_work_off(1, 10_000, Functions(seconds=3), concurrency=50) == pytest.approx(600)


PAGE = ROOT / "docs" / "cost-and-quotas.md"


def test_the_page_is_not_stale() -> None:
    assert docs.pages()[PAGE] == PAGE.read_text(encoding="utf-8"), "run `make docs`"


def test_a_stale_page_is_made_anew() -> None:
    page = PAGE.read_text(encoding="utf-8")
    stale = with_parts(page, dict.fromkeys(page_parts(FOLDERS), "old"))
    assert stale != page
    assert with_parts(stale, page_parts(FOLDERS)) == page


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the marks"):
        with_parts("nothing", {"rules": ""})


def test_the_command_works_out_an_organization_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--accounts", "7", "--regions", "2", "--rules", "BACKUP_TAG_CASE", "--price-evaluation", "0.5"]
    arguments += ["--plans", "3", "--selections-per-plan", "2", "--frequency", "BACKUP_TAG_CASE=Six_Hours"]
    assert main(["costs", *arguments]) == 0
    invocations, put = 120 * 7 * 2, 120 * 6 * 7 * 2
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("| 7 |"))
    assert row.startswith(f"| 7 | {invocations:,} | {put:,} |")
    assert f"${put * 0.5:,.2f}" in row


def test_the_command_on_the_page_works(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    program, *arguments = shlex.split(block.replace("\\\n", " "))
    assert program == "backup-rules"
    assert main(arguments) == 0
    assert "| 350 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--plans", "-1"], "plans is -1"),
        (["--plans", "1", "--policy-plans", "2"], "at most plans, 1"),
        (["--frequency", "BACKUP_TAG_CASE=Daily"], "Six_Hours"),
        (["--frequency", "BACKUP_NOTHING=Off"], "There is no rule BACKUP_NOTHING"),
        (["--rules", "BACKUP_NOTHING"], "There is no rule BACKUP_NOTHING"),
    ],
)
def test_inputs_that_are_not_allowed(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["costs", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_a_new_rule_needs_no_formula_of_its_own() -> None:
    """From its permissions alone: what a rule about selections asks, and an action that no rule has asked yet."""
    (like,) = rule_folders("BACKUP_ROLE_ASSUMABLE")
    new = replace(like, name="BACKUP_NEW")
    assert evaluations(new, Invocation(Account())) == 20
    assert calls(new, Invocation(Account())) == calls(like, Invocation(Account()))

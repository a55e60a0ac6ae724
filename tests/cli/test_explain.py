"""`backup-rules explain`: plans, selections and resources, of the simulated organization and of accounts of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aws_simulator.core.faults import denied, failing
from aws_simulator.core.tagging import tag_resource
from backup_rules_cli.answers.documents import of_plan
from backup_rules_cli.answers.judging import ORDER, in_order
from backup_rules_cli.answers.plans import PlanAnswer
from backup_rules_cli.catalogue import ROOT, rule_folders
from backup_rules_cli.main import main
from backup_rules_cli.readings.files import load
from tests.front_door import Door, front_door

SCHEMA = json.loads((ROOT / "cli/backup_rules_cli/formats/explanation.schema.json").read_text(encoding="utf-8"))
REGION = ("--region", "eu-west-1")


def valid(document: Any) -> Any:
    """The document, which is as the published schema says."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(SCHEMA, format_checker=checker).validate(document)
    return document


def explain(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    status = main(["explain", "--quiet", "--format", "json", *map(str, arguments)])
    return status, valid(json.loads(capsys.readouterr().out))


def text(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    main(["explain", "--quiet", *map(str, arguments)])
    return capsys.readouterr().out


def condition(document: dict[str, Any], rule: str) -> dict[str, Any]:
    (found,) = (each for each in document["conditions"] if each["rule"] == rule)
    return dict(found)


@pytest.fixture
def reading(demo_reading: tuple[Path, Any]) -> Path:
    return demo_reading[0]


# --- The simulated organization --------------------------------------------------------------------------------------


def test_each_verdict_about_a_plan_is_told_with_it_and_none_else(
    answers: Sequence[PlanAnswer], demo_reading: tuple[Path, dict[str, Any]]
) -> None:
    """`evaluate` and `explain` say the same: what is NON_COMPLIANT of a plan or selection is broken, and no more."""
    kinds = {"AWS::Backup::BackupPlan", "AWS::Backup::BackupSelection"}
    found = demo_reading[1]["evaluations"]
    evaluated = {
        (each["account"], each["region"], each["rule"], each["resource_id"], each["annotation"])
        for each in found
        if each["compliance"] == "NON_COMPLIANT" and each["resource_type"] in kinds
    }
    explained = {
        (answer.place.account, answer.place.region, each.rule, finding.resource_id, finding.text)
        for answer in answers
        for each in answer.conditions
        for finding in each.findings
        if finding.state == "broken" and finding.resource_type in kinds
    }
    assert len(explained) > 30
    assert explained == evaluated


def test_every_answer_is_as_the_schema_says(answers: Sequence[PlanAnswer], demo_reading: tuple[Path, Any]) -> None:
    moment = load(demo_reading[0]).read_at
    for answer in answers:
        document = valid(of_plan(answer, {}, "a reading", moment))
        assert [each["rule"] for each in document["conditions"]][: len(ORDER)] == list(ORDER)
        assert len(document["next_runs"]) == (5 if answer.next_runs else 0)


def test_nothing_is_left_unread_of_a_reading(answers: Sequence[PlanAnswer]) -> None:
    """`--save` asks what explain asks, so that it can be asked later."""
    unknown = [finding for answer in answers for each in answer.conditions for finding in each.findings
               if finding.state == "unknown"]  # fmt: skip
    assert (unknown, [each.unread for each in answers if each.unread]) == ([], [])


def test_the_order_is_of_rules_that_there_are() -> None:
    """A rule that is not in it comes last."""
    assert set(ORDER) <= {folder.name for folder in rule_folders()}
    assert [folder.name for folder in in_order(rule_folders())][: len(ORDER)] == list(ORDER)


def test_the_plans_with_state_and_next_run(reading: Path, capsys: Any) -> None:
    status, found = explain(capsys, "--from", reading)
    states = {each["plan"]: each["state"] for each in found["plans"] if each["region"] == "eu-west-1"}
    assert status == 1
    assert states["ledger-nightly"] == "broken"
    assert states["thin-backups"] == "holds"
    by_name = {each["plan"]: each for each in found["plans"]}
    assert by_name["year-end-2024"]["next_run"] is None
    assert by_name["dashboards-nightly"]["broken"] == ["BACKUP_PLAN_RAN_ON_SCHEDULE"]
    assert by_name["forgotten"]["broken"] == ["BACKUP_SELECTION_NOT_EMPTY", "BACKUP_PLAN_RAN_ON_SCHEDULE"]
    told = text(capsys, "--from", reading, "--account", "analytics-staging")
    assert "analytics-staging (777788889999), us-east-1" in told
    assert "payments" not in told


def test_without_a_reading_it_is_the_simulated_organization(capsys: Any) -> None:
    told = text(capsys, "forgotten")
    assert "✘ Plan forgotten" in told
    assert "The run of " in told
    assert "  Broken for this plan, the likeliest first:\n    ✘ BACKUP_SELECTION_NOT_EMPTY\n" in told
    assert "    $ aws backup create-backup-selection --region eu-west-1 --backup-plan-id " in told
    assert "Picks nothing: it has no selection" in told


def test_where_no_condition_is_broken_it_says_what_remains(reading: Path, capsys: Any) -> None:
    told = text(capsys, "dashboards-nightly", "--from", reading)
    assert "No condition that could tell why is broken. What remains:" in told
    _, found = explain(capsys, "dashboards-nightly", "--from", reading)
    (cause,) = found["causes"]
    assert (cause["rules"], len(cause["remains"])) == ([], 3)
    assert not any(each["started"] for each in found["past_runs"])


def test_jobs_that_ended_badly_are_joined_with_what_tells_why(reading: Path, capsys: Any) -> None:
    _, found = explain(capsys, "clicks-nightly", "--from", reading)
    (cause,) = found["causes"]
    assert cause["rules"] == ["BACKUP_VAULT_USABLE"]
    (job,) = found["past_runs"][0]["jobs"]
    assert job["state"] == "FAILED"
    assert job["message"] == "Backup vault Clicks does not exist."
    assert job["advice"] == "Create the vault, or correct its name in the plan."


def test_next_runs_in_the_plans_own_zone(reading: Path, capsys: Any) -> None:
    _, found = explain(capsys, "dublin-nightly", "--from", reading)
    assert len(found["next_runs"]) == 5
    run = found["next_runs"][0]
    assert run["timezone"] == "Europe/Dublin"
    assert run["local"].startswith(run["at"][:11])
    assert run["at"] < run["start_by"] < run["complete_by"]
    told = text(capsys, "dublin-nightly", "--from", reading)
    assert " UTC = " in told
    assert " Europe/Dublin  backup rule " in told


def test_a_run_that_another_swallows_is_no_next_run(reading: Path, capsys: Any) -> None:
    told = text(capsys, "daily-never-runs", "--from", reading)
    assert "does not run: " in told
    assert " overlaps it and is kept longer" in told


@pytest.mark.parametrize(("plan", "says"), [
    ("year-end-2024", "never runs again: cron(0 3 31 12 ? 2024)"),
    ("atlantis-nightly", "its schedule cannot be read: "),
])  # fmt: skip
def test_a_backup_rule_without_a_coming_run(reading: Path, capsys: Any, plan: str, says: str) -> None:
    assert says in text(capsys, plan, "--from", reading)


@pytest.mark.parametrize("name", ["refunds-no-role", "ledger-nightly/refunds-no-role"])
def test_a_selection_alone(reading: Path, capsys: Any, name: str) -> None:
    status, found = explain(capsys, name, "--from", reading)
    assert (status, found["kind"], found["selection"]) == (1, "selection", "refunds-no-role")
    broken = condition(found, "BACKUP_ROLE_ASSUMABLE")
    assert [each["name"] for each in broken["findings"]] == ["refunds-no-role"]
    assert broken["fix"].startswith("aws iam create-role --role-name RefundsBackupRole ")
    assert "iam:GetRole" in broken["evidence"]["operations"]
    assert "eu-west-1: a simulated organization, as read on " in broken["evidence"]["read_from"]


def test_a_resource_that_is_narrowly_missed(reading: Path, capsys: Any) -> None:
    status, found = explain(capsys, "customers-eu", "--from", reading)
    assert (status, found["state"], found["picks"]) == (1, "broken", [])
    (missed,) = found["narrowly_missed"]
    assert (missed["selection"], missed["wanted"], missed["found"]) == (
        "customers-tables",
        {"key": "backup", "value": "daily"},
        {"key": "Backup", "value": "daily"},
    )
    told = text(capsys, "customers-eu", "--from", reading)
    assert "Picked by no selection of any plan." in told
    assert 'asks for "backup"="daily": it carries' in told


def test_what_aws_config_does_not_know_is_explained_as_well(reading: Path, capsys: Any) -> None:
    """No verdict is about FSx: what it misses is told all the same, with what mends it."""
    _, plan = explain(capsys, "customers-nightly", "--from", reading)
    (arn,) = (each["arn"] for each in plan["narrowly_missed"] if ":fsx:" in each["arn"])
    status, found = explain(capsys, arn, "--from", reading)
    assert (status, found["conditions"], found["state"]) == (1, [], "broken")
    assert found["commands"][0].endswith(f'--resource-arn-list {arn} --tags \'{{"backup": "daily"}}\'')
    assert f"    $ {found['commands'][0]}\n" in text(capsys, arn, "--from", reading)


def test_a_resource_with_the_plans_that_pick_it(reading: Path, capsys: Any) -> None:
    _, found = explain(capsys, "orders-db", "--from", reading)
    assert [each["elements"] for each in found["picks"]] == [['tag "database-backup"="nightly"']]
    assert [(each["plan"], each["state"]) for each in found["plans"]] == [("databases-nightly", "broken")]
    assert [each["rule"] for each in found["conditions"]] == ["BACKUP_RDS_WINDOW_CONFLICT"]
    assert "database-backup" in text(capsys, found["arn"], "--from", reading)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ledger-nighlty"], "no plan, selection or resource 'ledger-nighlty' here. Did you mean ledger-nightly?"),
        (["PII_Backup_Plan"], "There are 6 things called 'PII_Backup_Plan'; take the id, or narrow with --account"),
        (["PII_Backup_Plan", "--account", "managment"], "no account managment here. Did you mean management?"),
        (["PII_Backup_Plan", "--account", "management"], "There are 2 things called"),
        (["x", "--profile", "payments"], "needs no access: leave out --profile"),
    ],
)  # fmt: skip
def test_which_one_is_meant(reading: Path, capsys: Any, arguments: list[str], says: str) -> None:
    assert main(["explain", "--quiet", "--from", str(reading), *arguments]) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert told.out == ""


def test_several_of_a_name_are_listed_and_each_is_found_by_its_id(reading: Path, capsys: Any) -> None:
    main(["explain", "--quiet", "--from", str(reading), "PII_Backup_Plan", "--account", "management"])
    _, *lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    for line in lines:
        plan_id = line.split()[-1]
        _, found = explain(capsys, plan_id, "--from", reading)
        assert (found["plan_id"], found["plan"]) == (plan_id, "PII_Backup_Plan")
        assert f"{found['account_name']} ({found['account']}), {found['region']}" in line
    narrowed = ("--account", "management", *REGION)
    assert explain(capsys, "PII_Backup_Plan", "--from", reading, *narrowed)[1]["region"] == "eu-west-1"


def test_what_is_excluded_is_told_and_does_not_count(reading: Path, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "known.yaml"
    path.write_text("exclusions:\n  - {plan: half-hour-window, reason: it is a trial}\n", encoding="utf-8")
    status, found = explain(capsys, "half-hour-window", "--from", reading, "--exclusions", path)
    assert (status, found["state"]) == (0, "holds")
    broken = condition(found, "BACKUP_WINDOW_CONFIGURED")
    assert (broken["state"], broken["findings"][0]["excluded"]) == ("broken", "it is a trial")
    assert "Excluded: it is a trial" in text(capsys, "half-hour-window", "--from", reading, "--exclusions", path)


def test_an_exclusion_that_has_expired_speaks_up(reading: Path, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "known.yaml"
    path.write_text(
        "exclusions:\n  - {plan: half-hour-window, reason: a trial, expires: 2001-01-31}\n", encoding="utf-8"
    )
    assert main(["explain", "half-hour-window", "--quiet", "--from", str(reading), "--exclusions", str(path)]) == 1
    assert (
        "An exclusion has expired on 2001-01-31, and holds no longer: plan half-hour-window" in capsys.readouterr().err
    )


def test_the_list_counts_what_is_excluded_and_tells_what_excludes_nothing(
    reading: Path, tmp_path: Path, capsys: Any
) -> None:
    """What an exclusion is about need not be of a plan: an account without a backup policy, a database of no plan."""
    path = tmp_path / "known.yaml"
    path.write_text(
        """exclusions:
  - {plan: half-hour-window, reason: it is a trial}
  - {rule: BACKUP_POLICY_ATTACHED, account: "444455556666", reason: it has none}
  - {plan: nobody-*, reason: long gone}
""",
        encoding="utf-8",
    )
    assert main(["explain", "--quiet", "--from", str(reading), "--exclusions", str(path)]) == 1
    told = capsys.readouterr()
    assert told.err == "An exclusion excludes nothing here: plan nobody-* (long gone)\n"
    (row,) = (line for line in told.out.splitlines() if "half-hour-window" in line)
    assert row.split() == ["✔", "half-hour-window", *row.split()[2:5], "1", "excluded"]
    assert "1 finding is excluded: explain PLAN tells why.\n" in told.out
    plans = explain(capsys, "--from", reading, "--exclusions", path)[1]["plans"]
    (plan,) = (each for each in plans if each["plan"] == "half-hour-window")
    assert (plan["state"], plan["broken"], plan["excluded"]) == ("holds", [], ["BACKUP_WINDOW_CONFIGURED"])
    of_plan = text(capsys, "half-hour-window", "--from", reading, "--exclusions", path)
    assert "✘ BACKUP_WINDOW_CONFIGURED  excluded\n" in of_plan
    assert "Conditions: 1 excluded, " in of_plan


def test_what_is_named_and_not_seen_is_counted_apart(reading: Path, capsys: Any) -> None:
    told = text(capsys, "inventory-nightly", "--from", reading)
    role = "(role arn:aws:iam::123456789012:role/service-role/AWSBackupDefaultServiceRole)"
    lines = "\n".join(" ".join(each.split()) for each in told.split("  Selection "))
    assert f"\ninventory-tables {role}: 1 resource DynamoDB table" in lines
    assert f"\nname-instead-of-arn {role}: 0 resources, and 1 named that was not seen inventory: named," in lines


def test_a_resource_is_broken_where_a_plan_that_picks_it_is(reading: Path, capsys: Any) -> None:
    """As the exit status says."""
    status, found = explain(capsys, "stores", "--from", reading)
    assert (status, found["state"], found["conditions"]) == (1, "broken", [])
    assert text(capsys, "stores", "--from", reading).startswith("✘ DynamoDB table stores ")


def test_rows_and_texts_fit_80_columns(reading: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In 80 columns only commands, which must be copied whole, and ids are longer."""
    monkeypatch.setattr("backup_rules_cli.console.width", lambda: 80)
    assert max(map(len, text(capsys, "--from", reading).splitlines())) <= 80
    lines = text(capsys, "ledger-nightly", "--from", reading).splitlines()
    assert {line.split()[0] for line in lines if len(line) > 80} <= {"$"}


# --- An account of its own -------------------------------------------------------------------------------------------


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """An account, and credentials for it."""
    with front_door() as door:
        credentials = door.session.get_credentials().get_frozen_credentials()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
        monkeypatch.setenv("AWS_SESSION_TOKEN", credentials.token)
        yield door


@pytest.mark.parametrize(
    ("service", "operation", "rule"),
    [
        ("iam", "GetRole", "BACKUP_ROLE_ASSUMABLE"),
        ("backup", "ListBackupJobs", "BACKUP_PLAN_RAN_ON_SCHEDULE"),
        ("backup", "GetBackupPlan", "BACKUP_WINDOW_CONFIGURED"),
        ("backup", "ListBackupSelections", "BACKUP_ROLE_ASSUMABLE"),
        ("backup", "GetBackupSelection", "BACKUP_SELECTION_NOT_EMPTY"),
        ("resourcegroupstaggingapi", None, "BACKUP_TAG_CASE"),
        ("rds", None, "BACKUP_RDS_WINDOW_CONFLICT"),
    ],
)
def test_what_cannot_be_read_is_never_taken_to_hold(
    door: Door, capsys: Any, service: str, operation: str | None, rule: str
) -> None:
    door.role()
    tag = {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "true"}
    door.selection(door.plan("nightly"), "all", Resources=["*"], ListOfTags=[tag])
    with failing(denied, service, operation):
        status, found = explain(capsys, "nightly", *REGION)
    assert (status, condition(found, rule)["state"]) == (2, "unknown")
    told = [each["text"] for each in condition(found, rule)["findings"] if each["state"] == "unknown"]
    assert told
    assert all("AccessDenied" in each for each in told)


def test_a_profile_that_there_is_none_of_has_no_region(door: Door, capsys: Any) -> None:
    status = main(["explain", "--quiet", "--profile", "nobody,nobody-else"])
    told = capsys.readouterr()
    assert (status, told.err) == (2, "")
    assert "  nobody: There is no profile 'nobody'." in told.out


def test_a_region_without_plans(door: Door, capsys: Any) -> None:
    assert text(capsys, *REGION) == f"No backup plan in {door.account}, eu-west-1.\n"


def test_a_region_in_which_nobody_may_look(door: Door, capsys: Any) -> None:
    with failing(denied, "backup", "ListBackupPlans"), failing(denied, "resourcegroupstaggingapi"):
        assert main(["explain", "nightly", *REGION]) == 2
        assert "In 1 of 1 accounts and Regions nobody could look." in capsys.readouterr().err
        status, found = explain(capsys, *REGION)
    assert (status, found["plans"], len(found["failures"])) == (2, [], 1)


def test_a_database_that_two_plans_pick_is_each_plans_own_matter(door: Door, capsys: Any) -> None:
    """The verdict of the database is NON_COMPLIANT for one plan's schedule: the other plan's condition holds."""
    door.client("rds").create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        PreferredBackupWindow="03:00-03:30",
        BackupRetentionPeriod=1,
        Tags=[{"Key": "backup", "Value": "true"}],
    )
    for name, hour in (("close", 3), ("clear", 12)):
        rule = {
            "RuleName": "daily",
            "TargetBackupVaultName": "Default",
            "ScheduleExpression": f"cron(0 {hour} ? * * *)",
        }
        door.selection(door.plan(name, rule))
    states = {
        name: condition(explain(capsys, name, *REGION)[1], "BACKUP_RDS_WINDOW_CONFLICT")["state"]
        for name in ("close", "clear")
    }
    assert states == {"close": "broken", "clear": "holds"}


def test_a_hostile_name_is_escaped(door: Door, capsys: Any) -> None:
    tag_resource(
        door.account, door.region, f"arn:aws:ec2:{door.region}:{door.account}:volume/vol-1", {"backup": "true"}
    )
    hostile = "\x1b[2J\u202e<script>"
    door.selection(door.plan("nightly"), "all", ListOfTags=[
        {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": hostile}
    ])  # fmt: skip
    told = text(capsys, "nightly", *REGION)
    assert "\\u001b[2J\\u202e<script>" in told
    assert not {"\x1b", "\u202e"} & set(told)


def test_a_plan_in_one_of_several_regions(door: Door, capsys: Any) -> None:
    """Those of one name are told apart by their Regions, or by what each is called alone."""
    both = ("--region", "eu-west-1,us-east-1")
    door.plan("nightly")
    there = door.at(region="us-east-1")
    there.plan("nightly")
    there.plan("weekly")
    assert main(["explain", "nightly", *both]) == 2
    assert "There are 2 things called 'nightly'" in capsys.readouterr().err
    assert explain(capsys, "nightly", "--region", "us-east-1")[1]["region"] == "us-east-1"
    assert explain(capsys, "weekly", *both)[1]["region"] == "us-east-1"
    _, listed = explain(capsys, *both)
    assert [(each["region"], each["plan"]) for each in listed["plans"]] == [
        ("eu-west-1", "nightly"),
        ("us-east-1", "nightly"),
        ("us-east-1", "weekly"),
    ]

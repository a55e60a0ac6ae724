"""`backup-rules check`: what it says of documents as people publish them, and in which form.

The commands of docs/check.md are tried here, on documents of other names.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema
import yaml

from backup_rules_cli.catalogue import ROOT
from backup_rules_cli.main import main
from tests.front_door import Door, front_door

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
EXPECTED: dict[str, Any] = yaml.safe_load((HERE / "expected.yaml").read_text(encoding="utf-8"))
OWN_SCHEMA = ROOT / "cli" / "backup_rules_cli" / "check" / "check.schema.json"
SARIF_SCHEMA = HERE.parents[1] / "fixtures" / "schemas"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def check(*arguments: object) -> tuple[int, str, str]:
        status = main(["check", *map(str, arguments)])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return check


def found(run: Run, *arguments: object) -> dict[str, Any]:
    _, out, _ = run("--format", "json", *arguments)
    document: dict[str, Any] = json.loads(out)
    return document


def of(document: dict[str, Any], state: str) -> list[str]:
    return sorted({f"{each['rule']} {each['name']}" for each in document["findings"] if each["state"] == state})


@pytest.mark.parametrize("name", EXPECTED)
def test_documents_as_people_publish_them(run: Run, name: str) -> None:
    document = found(run, CORPUS / name)
    assert {state: of(document, state) for state in ("broken", "unknown", "holds") if of(document, state)} == {
        key: value for key, value in EXPECTED[name].items() if key != "source"
    }
    assert document["broken_files"] == []
    for each in document["findings"]:
        assert Path(each["file"]).is_file()
        assert each["state"] != "broken" or each["text"]
        assert each["state"] != "unknown" or "o settle it, " in each["text"]


def test_the_index_names_every_document() -> None:
    assert {each.name for each in CORPUS.iterdir()} - set(EXPECTED) == {"broken.yaml", "nothing.json"}


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("start-window.yaml", 8, "has a start window of 30 minutes"),
        ("swallowed.yaml", 8, "never runs: AWS Backup runs only backup rule weekly"),
        ("role-elsewhere.yaml", 8, "which is a bare name, not an ARN"),
        ("s3-unversioned.yaml", 2, "is Off, so every backup of it fails"),
        ("contradiction.yaml", 8, "exclude each other"),
        ("conditions-without-prefix.yaml", 8, 'must be written "aws:ResourceTag/environment"'),
        ("cli-vault", 6, 'but the vault is called "prod"'),
        ("tf-state.json", 77, "lacks dynamodb:ListTagsOfResource"),
        ("policy-bad-schedule.json", 3, 'Day-of-month ("*") and Day-of-week ("*")'),
        ("policy-no-operators.json", 3, "needs an operator such as @@assign"),
    ],
)
def test_a_problem_stands_at_the_line_that_it_is_about(run: Run, name: str, line: int, words: str) -> None:
    (problem,) = (each for each in found(run, CORPUS / name)["findings"] if words in each["text"])
    assert (problem["state"], problem["line"]) == ("broken", line)


# --- What is open ----------------------------------------------------------------------------------------------------


def test_parameters_settle_what_is_open(run: Run, tmp_path: Path) -> None:
    def verdict(*arguments: object) -> list[tuple[str, str]]:
        document = found(run, CORPUS / "unknown-schedule.yaml", "--rules", "BACKUP_WINDOW_CONFIGURED", *arguments)
        return [(each["state"], each["text"]) for each in document["findings"]]

    ((state, text),) = verdict()
    assert (state, "give Schedule with --parameters" in text) == ("unknown", True)
    for window, wanted in (("60", "holds"), ("30", "broken")):
        values = tmp_path / f"{window}.json"
        pairs = {"Schedule": "cron(0 5 * * ? *)", "Window": window}
        values.write_text(json.dumps([{"ParameterKey": key, "ParameterValue": pairs[key]} for key in pairs]))
        assert [each for each, _ in verdict("--parameters", values)] == [wanted]


@pytest.mark.parametrize(
    "open_value",
    ["!Ref Open", "!ImportValue x", "!Sub '${Open}'", "!Select [0, !Split [',', !Ref Open]]", "!GetAtt Custom.Value"],
)
@pytest.mark.parametrize(
    ("element", "rules"),
    [
        ("SCHEDULE", ["BACKUP_WINDOW_CONFIGURED", "BACKUP_RDS_WINDOW_CONFLICT"]),
        ("WINDOW", ["BACKUP_WINDOW_CONFIGURED"]),
        ("VAULT", ["BACKUP_VAULT_USABLE"]),
        ("ROLE", ["BACKUP_ROLE_ASSUMABLE", "BACKUP_ROLE_PERMISSIONS"]),
        ("RESOURCE", ["BACKUP_SELECTION_NOT_EMPTY", "BACKUP_ROLE_PERMISSIONS"]),
        ("PRINCIPAL", ["BACKUP_ROLE_ASSUMABLE"]),
        ("POLICY", ["BACKUP_ROLE_PERMISSIONS"]),
        ("DAILY", ["BACKUP_RDS_WINDOW_CONFLICT"]),
    ],
)
def test_no_open_value_is_passed_or_reported(
    run: Run, tmp_path: Path, element: str, rules: Sequence[str], open_value: str
) -> None:
    """A template in which all holds, with one value left open: the rules that it concerns say so, the others hold."""
    values = {
        "SCHEDULE": "cron(0 12 * * ? *)",
        "WINDOW": "60",
        "VAULT": "!Ref Vault",
        "ROLE": "!GetAtt Role.Arn",
        "RESOURCE": '!Sub "arn:aws:rds:${AWS::Region}:${AWS::AccountId}:db:${Db}"',
        "PRINCIPAL": "backup.amazonaws.com",
        "POLICY": "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
        "DAILY": '"02:00-02:30"',
    }
    template = WHOLE
    for name, value in (values | {element: open_value}).items():
        template = template.replace(f"<{name}>", value)
    path = tmp_path / "template.yaml"
    path.write_text(template, encoding="utf-8")
    document = found(run, path)
    assert of(document, "broken") == []
    assert {each.split(" ")[0] for each in of(document, "unknown")} >= set(rules)
    path.write_text(template.replace(open_value, values[element]), encoding="utf-8")
    assert of(found(run, path), "unknown") == []


WHOLE = """
Parameters: {Open: {Type: String}}
Resources:
  Custom: {Type: "Custom::Lookup"}
  Vault: {Type: AWS::Backup::BackupVault, Properties: {BackupVaultName: main}}
  Plan:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlan:
        BackupPlanName: nightly
        BackupPlanRule:
          - RuleName: daily
            TargetBackupVault: <VAULT>
            ScheduleExpression: <SCHEDULE>
            StartWindowMinutes: <WINDOW>
  Db:
    Type: AWS::RDS::DBInstance
    Properties: {Engine: mysql, PreferredBackupWindow: <DAILY>, PreferredMaintenanceWindow: "sun:04:00-sun:04:30"}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: <PRINCIPAL>}, Action: "sts:AssumeRole"}]
      ManagedPolicyArns: [<POLICY>]
  Selection:
    Type: AWS::Backup::BackupSelection
    Properties:
      BackupPlanId: !Ref Plan
      BackupSelection:
        SelectionName: databases
        IamRoleArn: <ROLE>
        Resources: [<RESOURCE>]
"""


# --- Pages -----------------------------------------------------------------------------------------------------------

# What stands around the block of a page, whose subject is elsewhere: a plan and a selection of it.
AROUND = """
Resources:
  ThePlan:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlan:
        BackupPlanName: around
        BackupPlanRule: [{RuleName: daily, TargetBackupVault: Default, ScheduleExpression: "cron(0 5 * * ? *)"}]
  TheSelection:
    Type: AWS::Backup::BackupSelection
    Properties:
      BackupPlanId: !Ref ThePlan
      BackupSelection: <SELECTION>
  TheTable: {Type: AWS::DynamoDB::Table, Properties: {TableName: orders}}
"""
TABLE = "Resources: [!GetAtt TheTable.Arn]"
SELECTIONS = {
    "BACKUP_ROLE_ASSUMABLE": f"{{SelectionName: s, IamRoleArn: !GetAtt BackupRole.Arn, {TABLE}}}",
    "BACKUP_ROLE_PERMISSIONS": f"{{SelectionName: s, IamRoleArn: !GetAtt BackupRole.Arn, {TABLE}}}",
    "BACKUP_RESOURCE_READY": "{SelectionName: s, IamRoleArn: 'arn:aws:iam::111122223333:role/r',"
    " Resources: [!GetAtt Invoices.Arn]}",
}
BLOCKS = [
    pytest.param(page.parent.name, block, id=f"{page.parent.name}-{number}")
    for page in sorted((ROOT / "rules").glob("*/README.md"))
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
]
NEEDS_AN_ACCOUNT = {"BACKUP_SELECTION_NOT_EMPTY", "BACKUP_TAG_CASE", "BACKUP_TAG_WHITESPACE"}
"""What these blocks select is elsewhere, so that it stays open."""


@pytest.mark.parametrize(("rule", "block"), BLOCKS)
def test_a_page_s_block_is_what_its_rule_wants(run: Run, tmp_path: Path, rule: str, block: str) -> None:
    path = tmp_path / "block.yaml"
    if rule in SELECTIONS:
        around = AROUND.replace("<SELECTION>", SELECTIONS[rule]).strip().removeprefix("Resources:\n")
        block = f"{block.rstrip()}\n  {around.strip()}\n"
    path.write_text(block, encoding="utf-8")
    document = found(run, path, "--rules", rule)
    assert of(document, "broken") == []
    told = {each["state"] for each in document["findings"]}
    assert told == set() or "holds" in told or rule in NEEDS_AN_ACCOUNT
    if rule in SELECTIONS:
        assert told == {"holds"}


def test_every_rule_s_page_has_a_block() -> None:
    assert {each.values[0] for each in BLOCKS} == {each.parent.name for each in (ROOT / "rules").glob("*/README.md")}


# --- Formats ---------------------------------------------------------------------------------------------------------

MIXED = (CORPUS / "rds-window.yaml", CORPUS / "vault-lock.yaml", CORPUS / "broken.yaml", CORPUS / "policy-good.json")


def test_json_is_as_its_schema_says(run: Run) -> None:
    schema = json.loads(OWN_SCHEMA.read_text(encoding="utf-8"))
    document = found(run, *MIXED)
    jsonschema.validate(document, schema, format_checker=jsonschema.FormatChecker())
    assert document["broken_files"][0]["line"] == 5
    assert document["plans"][0]["plan"] == "nightly"


def test_sarif_tells_problems_and_what_is_open(run: Run) -> None:
    _, out, _ = run("--format", "sarif", *MIXED)
    document = json.loads(out)
    (schema,) = SARIF_SCHEMA.glob("*sarif*")
    jsonschema.validate(document, json.loads(schema.read_text(encoding="utf-8")))
    results = document["runs"][0]["results"]
    kinds = {(each["kind"], each["level"] == "none") for each in results}
    assert kinds == {("fail", False), ("open", True)}
    (problem,) = (each for each in results if each["ruleId"] == "BACKUP_RDS_WINDOW_CONFLICT" and each["kind"] == "fail")
    where = problem["locations"][0]["physicalLocation"]
    assert where["artifactLocation"]["uri"].endswith("rds-window.yaml")
    assert where["region"]["startLine"] == 17


def test_junit_and_github(run: Run) -> None:
    _, out, _ = run("--format", "junit", *MIXED)
    xmlschema.XMLSchema(SARIF_SCHEMA / "junit.xsd").validate(out)
    suites = ET.fromstring(out)  # noqa: S314 - our own
    assert {each.get("errors") for each in suites} == {"0", "1"}
    assert suites.findall(".//failure")
    _, out, _ = run("--format", "github", *MIXED)
    title = "BACKUP_RDS_WINDOW_CONFLICT"
    assert re.search(rf"^::error file=\S*rds-window.yaml,line=17,col=3,title={title}::Backup", out, re.MULTILINE)
    assert re.search(r"^::error file=\S*broken.yaml,line=5,col=1,title=broken file::is no YAML", out, re.MULTILINE)


def test_the_table_quotes_the_line_within_80_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backup_rules_cli.console.width", lambda: 80)
    status, out, _ = run(CORPUS / "start-window.yaml")
    assert status == 1
    assert "PROBLEM  Plan: BACKUP_WINDOW_CONFIGURED" in out
    assert "    8 │ - {RuleName: short," in out
    assert "1 file: 1 broken, 2 unknown, 0 hold." in out
    assert max(map(len, out.splitlines()[1:])) <= 80


# --- How it ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (["cdk-synthesized.json"], 0),
        (["rds-window-far.yaml"], 0),
        (["start-window.yaml"], 1),
        (["broken.yaml", "start-window.yaml"], 2),
        (["nothing.json"], 2),
    ],
)
def test_exit_status(run: Run, names: Sequence[str], status: int) -> None:
    assert run(*(CORPUS / name for name in names))[0] == status
    if status == 1:
        assert run("--fail-on", "never", *(CORPUS / name for name in names))[0] == 0


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("Resources:\n  A: [\n", 3, "is no YAML"),
        ('{"Resources": {"A": }}', 1, "is no JSON"),
        ('{"a": 1, "a": 2}', 1, "is no JSON"),
        ("", 1, "is empty"),
        ("a: &a [*a]\n", 1, "is no YAML"),
        ("\tA: 1\n", 1, "is no YAML"),
        ("[" * 100_000, 1, "nested"),
    ],
)
def test_a_broken_file_is_one_line_and_the_others_are_judged(
    run: Run, tmp_path: Path, text: str, line: int, words: str
) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    document = found(run, path, CORPUS / "start-window.yaml")
    (broken,) = document["broken_files"]
    assert broken["file"] == str(path)
    assert broken["line"] == line
    assert words in broken["error"]
    assert "\n" not in broken["error"]
    assert of(document, "broken") == ["BACKUP_WINDOW_CONFIGURED Plan"]


def test_wrong_arguments_are_told(run: Run, tmp_path: Path) -> None:
    template = CORPUS / "start-window.yaml"
    for arguments, words in (
        (["--account", "12"], "allowed are the 12 digits"),
        (["--region", "eu-west-9"], "There is no Region 'eu-west-9'"),
        (["--rules", "BACKUP_TAGCASE"], "Did you mean BACKUP_TAG_CASE?"),
        (["--parameters", str(tmp_path / "none.json")], "cannot be read"),
    ):
        status, out, err = run(template, *arguments)
        assert (status, out) == (2, "")
        assert words in err
        assert len(err.splitlines()) == 1
    assert found(run, tmp_path / "gone.yaml")["broken_files"][0]["error"] == "No such file or directory"


# --- What is known stays quiet ---------------------------------------------------------------------------------------


def test_a_comment_with_a_reason_ignores(run: Run, tmp_path: Path) -> None:
    text = (CORPUS / "start-window.yaml").read_text(encoding="utf-8")
    path = tmp_path / "template.yaml"
    for comment, status in (
        ("# backup-rules: ignore BACKUP_WINDOW_CONFIGURED a test plan", 0),
        ("# backup-rules: ignore BACKUP_WINDOW_CONFIGURED", 1),
        ("# backup-rules: ignore BACKUP_TAG_CASE not this one", 1),
    ):
        path.write_text(text.replace("  Plan:", f"  Plan:  {comment}", 1), encoding="utf-8")
        ended, out, err = run(path)
        assert ended == status
        assert ("1 excluded" in out) == (status == 0)
        assert ("ignores nothing" in err) == (status == 1)


@pytest.mark.slow
def test_500_files_take_at_most_ten_seconds_of_the_processor(run: Run, tmp_path: Path) -> None:
    sources = sorted(each for each in CORPUS.glob("*.yaml") if each.stem != "broken")
    for number in range(500):
        text = sources[number % len(sources)].read_text(encoding="utf-8")
        (tmp_path / f"{number}.yaml").write_text(text.replace("Plan:", f"Plan{number}:"), encoding="utf-8")
    started = time.process_time()
    _, out, _ = run(tmp_path)
    assert "500 files: " in out
    assert time.process_time() - started < 10


def test_exclusions_and_baseline_as_evaluate_has_them(run: Run, tmp_path: Path) -> None:
    template, baseline, exclusions = CORPUS / "start-window.yaml", tmp_path / "base.json", tmp_path / "known.yaml"
    assert run(template, "--save-baseline", baseline)[0] == 1
    assert run(template, "--baseline", baseline)[0] == 0
    assert run(template, CORPUS / "swallowed.yaml", "--baseline", baseline)[0] == 1
    rows = [{"rule": "BACKUP_WINDOW_CONFIGURED", "plan": "Pl*", "reason": "a test"}]
    exclusions.write_text(yaml.safe_dump({"exclusions": rows}), encoding="utf-8")
    status, out, _ = run(template, "--exclusions", exclusions, "--show-excluded")
    assert status == 0
    assert "Excluded: a test" in out


# --- Organizations ---------------------------------------------------------------------------------------------------


def policy(path: Path, plan: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"plans": {"nightly": plan}}), encoding="utf-8")
    return path


def test_policies_inherit_from_their_parents(run: Run, tmp_path: Path) -> None:
    whole = json.loads((CORPUS / "policy-good.json").read_text(encoding="utf-8"))["plans"]["nightly"]
    parent = policy(tmp_path / "root.json", whole)
    schedule = {"@@assign": "cron(0 7 ? * * *)"}
    child = policy(tmp_path / "child.json", {"rules": {"daily": {"schedule_expression": schedule}}})
    document = found(run, "--parent", parent, "--account", "222233334444", child)
    (plan,) = document["plans"]
    assert (plan["account"], plan["plan"], plan["region"]) == ("222233334444", "nightly", "eu-west-1")
    assert plan["rules"][0]["ScheduleExpression"] == "cron(0 7 ? * * *)"
    assert plan["selections"][0]["IamRoleArn"] == "arn:aws:iam::222233334444:role/backup"
    _, out, _ = run("--parent", parent, "--account", "222233334444", child)
    assert "Account 222233334444 gets plan nightly in eu-west-1:" in out
    assert of(found(run, child), "broken")  # alone, it lacks most of a plan


def test_a_parent_may_forbid(run: Run, tmp_path: Path) -> None:
    whole = json.loads((CORPUS / "policy-good.json").read_text(encoding="utf-8"))["plans"]["nightly"]
    forbidding = whole["rules"]["daily"]["schedule_expression"] | {"@@operators_allowed_for_child_policies": ["@@none"]}
    whole["rules"]["daily"]["schedule_expression"] = forbidding
    parent = policy(tmp_path / "root.json", whole)
    child = policy(
        tmp_path / "child.json", {"rules": {"daily": {"schedule_expression": {"@@assign": "cron(0 7 ? * * *)"}}}}
    )
    (plan,) = found(run, "--parent", parent, child)["plans"]
    assert plan["rules"][0]["ScheduleExpression"] == "cron(0 5 ? * * *)"


# --- An account fills in ---------------------------------------------------------------------------------------------


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """An account that answers, with its credentials in the environment."""
    with front_door() as opened:
        credentials = opened.session.get_credentials()
        assert credentials is not None
        keys = credentials.get_frozen_credentials()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret_key)
        monkeypatch.setenv("AWS_SESSION_TOKEN", keys.token)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        yield opened


WITH_ACCOUNT = ("--with-account", "", "--region", "eu-west-1")


def test_an_account_fills_in_what_files_leave_open(run: Run, door: Door) -> None:
    door.client("backup").create_backup_vault(BackupVaultName="Default")
    door.client("backup").update_region_settings(ResourceTypeOptInPreference={"RDS": False})
    arguments = (CORPUS / "rds-window.yaml", *WITH_ACCOUNT)
    document = found(run, *arguments)
    assert of(document, "unknown") == ["BACKUP_RDS_WINDOW_CONFLICT Unchosen"]
    assert "BACKUP_SERVICE_OPT_IN Selection" in of(document, "broken")
    assert "BACKUP_VAULT_USABLE Plan" in of(document, "holds")
    status, _, err = run(*arguments, "--account", "999988887777")
    assert status == 2
    assert "name one of them" in err


@pytest.mark.parametrize(
    "asked", ["ListOfTags: [{ConditionType: STRINGEQUALS, ConditionKey: k, <V>}]", "Resources: [<V>]"]
)
def test_no_account_tells_what_the_template_leaves_open(run: Run, door: Door, tmp_path: Path, asked: str) -> None:
    """A selection that asks for a tag, or names a resource, by a parameter without a value."""
    value = "ConditionValue: !Ref Open" if "Tags" in asked else "!Ref Open"
    path = tmp_path / "template.yaml"
    selection = f"{{SelectionName: s, IamRoleArn: 'arn:aws:iam::111122223333:role/r', {asked.replace('<V>', value)}}}"
    text = AROUND.replace("<SELECTION>", selection).replace("Resources:\n", f"{OPEN}Resources:\n", 1)
    path.write_text(text, encoding="utf-8")
    document = found(run, path, *WITH_ACCOUNT)
    assert "BACKUP_SELECTION_NOT_EMPTY TheSelection" in of(document, "unknown")
    (told,) = {each["text"] for each in document["findings"] if each["rule"] == "BACKUP_TAG_CASE"}
    assert "parameter Open has no default. To settle it, give Open with --parameters." in told


def test_an_account_tells_the_rest_of_what_a_command_lists(run: Run, door: Door, tmp_path: Path) -> None:
    """What list-backup-plans prints has no rules; the plan has an id by which the account knows it."""
    backup = door.client("backup")
    rule = {"RuleName": "r", "TargetBackupVaultName": "v", "ScheduleExpression": "cron(0 5 * * ? *)"}
    made = backup.create_backup_plan(BackupPlan={"BackupPlanName": "p", "Rules": [rule]})
    path = tmp_path / "plans.json"
    listed = [{"BackupPlanId": made["BackupPlanId"], "BackupPlanName": "p"}]
    path.write_text(json.dumps({"BackupPlansList": listed}), encoding="utf-8")
    assert "BACKUP_WINDOW_CONFIGURED p" in of(found(run, path), "unknown")
    assert "BACKUP_WINDOW_CONFIGURED p" in of(found(run, path, *WITH_ACCOUNT), "holds")


OPEN = "Parameters: {Open: {Type: String}}\n"


def test_an_account_does_not_tell_of_another_region(run: Run, door: Door, tmp_path: Path) -> None:
    """A policy whose plan is for another Region than that of the account is judged all the same."""
    text = (CORPUS / "policy-good.json").read_text(encoding="utf-8").replace("eu-west-1", "us-west-2")
    path = tmp_path / "policy.json"
    path.write_text(text, encoding="utf-8")
    document = found(run, path, "--with-account", "")
    assert [each["region"] for each in document["plans"]] == ["us-west-2"]
    assert any(each.startswith("BACKUP_POLICY_VAULT_EXISTS") for each in of(document, "unknown"))


def test_a_policy_for_a_region_that_nobody_knows(run: Run, tmp_path: Path) -> None:
    text = (CORPUS / "policy-good.json").read_text(encoding="utf-8").replace("eu-west-1", "eu-west-9")
    path = tmp_path / "policy.json"
    path.write_text(text, encoding="utf-8")
    told = [each for each in found(run, path)["findings"] if "eu-west-9, which is not known" in each["text"]]
    assert [(each["rule"], each["state"]) for each in told] == [("BACKUP_POLICY_ATTACHED", "unknown")]

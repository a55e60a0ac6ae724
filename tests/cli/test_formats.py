"""The formats of `backup-rules evaluate`: valid by the published schemas, and safe whatever names hold."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import boto3
import jsonschema
import pytest
import xmlschema
from botocore.validate import ParamValidator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from backup_rules_cli.catalogue import ROOT, rule_folders
from backup_rules_cli.formats import FORMATS
from backup_rules_cli.formats.comma_separated import cell
from backup_rules_cli.formats.markdown import plain
from backup_rules_cli.formats.ocsf import OCSF_VERSION
from backup_rules_cli.formats.records import Record, records
from backup_rules_cli.invoke import Evaluated
from backup_rules_cli.main import main
from backup_rules_cli.reports import Failure, Report
from tests.front_door import Door, front_door

SCHEMAS = Path(__file__).parents[1] / "fixtures" / "schemas"
OWN = ROOT / "cli" / "backup_rules_cli" / "formats" / "evaluation.schema.json"
SELECTION = "AWS::Backup::BackupSelection"
HOSTILE = "=cmd|' /C calc'!A0 <b>&]]>\x1b[2J\u202e|`x`\n# all is well @everyone https://evil.example \ud800\x00"


def report(*, hostile: bool = False, empty: bool = False) -> Report:
    here = ("111122223333", "eu-west-1")
    name = HOSTILE if hostile else "nightly"
    if empty:
        return Report("a simulated organization", datetime(2026, 11, 23, 12, tzinfo=UTC), {})
    return Report(
        "profile payments",
        datetime(2026, 11, 23, 12, tzinfo=UTC),
        {here[0]: name},
        [
            Evaluated("BACKUP_ROLE_ASSUMABLE", *here, SELECTION, "s1_p1", "NON_COMPLIANT", f"Role of {name} is gone."),
            Evaluated("BACKUP_TAG_CASE", *here, "AWS::DynamoDB::Table", name, "NON_COMPLIANT", f"{name} is near."),
            Evaluated("BACKUP_TAG_CASE", *here, SELECTION, "s1_p1", "COMPLIANT", ""),
            Evaluated(
                "BACKUP_POLICY_ATTACHED", here[0], "us-east-1", "AWS::::Account", here[0], "NOT_APPLICABLE", "No."
            ),
        ],
        [
            Failure("BACKUP_TAG_CASE", *here, f"tag:GetTagKeys failed for {name}"),
            Failure("(all)", "222233334444", "eu-west-1", "Role cannot be assumed"),
        ],
        things={(*here, "s1_p1"): (f"plan {name}", f"selection {name}")},
    )


def text(output: str, found: Report) -> str:
    return FORMATS[output](found, records(found, rule_folders()))


def valid_json(made: str) -> None:
    schema = json.loads(OWN.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(json.loads(made))


def valid_sarif(made: str) -> None:
    schema = json.loads((SCHEMAS / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(json.loads(made))


def valid_junit(made: str) -> None:
    xmlschema.XMLSchema(SCHEMAS / "junit.xsd").validate(made)


def valid_asff(made: str) -> None:
    client = boto3.client("securityhub", region_name="eu-west-1")
    shape = client.meta.service_model.operation_model("BatchImportFindings").input_shape
    findings = json.loads(made)
    problems = ParamValidator().validate({"Findings": findings or [{}]}, shape) if findings else None
    assert problems is None or not problems.has_errors(), problems.generate_report()
    # What botocore does not know: these texts are never empty.
    assert all(value for each in findings for value in each["ProductFields"].values())


def valid_ocsf(made: str) -> None:
    schema = ocsf_schema()
    for each in json.loads(made):
        jsonschema.validators.validator_for(schema)(schema).validate(each)


@cache
def ocsf_schema() -> dict[str, Any]:
    """Of a Compliance Finding, of the version and profile that the findings name, with all that it refers to."""
    whole = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=OCSF_VERSION))
    return dict(whole.get_class_schema("compliance_finding", ["cloud"]))


def valid_csv(made: str) -> None:
    rows = list(csv.reader(io.StringIO(made, newline="")))
    assert {len(row) for row in rows} == {len(Record.__dataclass_fields__)}


def valid_markdown(made: str) -> None:
    for row in (line for line in made.splitlines() if line.startswith("|")):
        assert len(re.findall(r"(?<!\\)\|", row)) == 5, row


VALID: dict[str, Callable[[str], None]] = {
    "json": valid_json,
    "sarif": valid_sarif,
    "junit": valid_junit,
    "asff": valid_asff,
    "ocsf": valid_ocsf,
    "csv": valid_csv,
    "markdown": valid_markdown,
}


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("given", [{}, {"hostile": True}, {"empty": True}], ids=["ordinary", "hostile", "empty"])
def test_it_is_valid_and_shows_nothing_that_is_not_drawn(output: str, given: dict[str, bool]) -> None:
    made = text(output, report(**given))
    VALID[output](made)
    assert all(line.isprintable() for line in re.split(r"\r?\n", made))


@pytest.mark.parametrize("output", [each for each in FORMATS if each not in ("csv", "asff", "ocsf")])
def test_what_could_not_be_judged_is_in_it(output: str) -> None:
    assert "Role cannot be assumed" in text(output, report())
    assert "GetTagKeys failed" in text(output, report())


@pytest.mark.parametrize("output", ["json", "csv", "markdown", "junit", "sarif", "ocsf"])
def test_plans_and_selections_go_by_their_names(output: str) -> None:
    made = text(output, report())
    assert "plan nightly" in made
    assert "selection nightly" in made


def test_csv_has_a_row_for_each_evaluation_and_failure() -> None:
    rows = list(csv.DictReader(io.StringIO(text("csv", report()), newline="")))
    assert [(each["rule"], each["compliance"]) for each in rows] == [
        ("BACKUP_ROLE_ASSUMABLE", "NON_COMPLIANT"),
        ("BACKUP_TAG_CASE", "NON_COMPLIANT"),
        ("BACKUP_TAG_CASE", "COMPLIANT"),
        ("BACKUP_POLICY_ATTACHED", "NOT_APPLICABLE"),
        ("BACKUP_TAG_CASE", "FAILED"),
        ("(all)", "FAILED"),
    ]
    assert (rows[0]["plan"], rows[0]["severity"], rows[0]["page"]) == (
        "plan nightly",
        "high",
        "rules/BACKUP_ROLE_ASSUMABLE/README.md",
    )


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "\uff1d1"])
def test_no_cell_is_a_formula(value: str) -> None:
    assert cell(value).startswith("'")
    assert cell(f"x{value}")[0] == "x"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("<img src=x>", r"\<img src=x\>"),
        ("[x](https://evil.example)", r"\[x\](https\://evil.example)"),
        ("www.evil.example", r"www\.evil.example"),
        ("a|b`c`", r"a\|b\`c\`"),
        ("@team #1 $x$", r"\@team \#1 \$x\$"),
        ("one\ntwo", r"one\\u000atwo"),
        ("AWS::Backup::BackupPlan", "AWS::Backup::BackupPlan"),
    ],
)
def test_nothing_is_markup(value: str, shown: str) -> None:
    if value == "one\ntwo":
        assert "\n" not in plain(value)
    else:
        assert plain(value) == shown


def test_junit_counts_and_tells() -> None:
    suites = ET.fromstring(text("junit", report()))  # noqa: S314 - our own
    told = [
        (each.get("hostname"), each.get("name"), each.get("tests"), each.get("failures"), each.get("errors"))
        for each in suites
    ]
    assert told == [
        ("111122223333", "eu-west-1", "4", "2", "1"),
        ("111122223333", "us-east-1", "1", "0", "0"),
        ("222233334444", "eu-west-1", "1", "0", "1"),
    ]


def test_sarif_tells_problems_apart_from_run_to_run() -> None:
    (run,) = json.loads(text("sarif", report()))["runs"]
    assert [(each["ruleId"], each["level"]) for each in run["results"]] == [
        ("BACKUP_ROLE_ASSUMABLE", "error"),
        ("BACKUP_TAG_CASE", "warning"),
    ]
    prints = [each["partialFingerprints"] for each in run["results"]]
    later = report()
    later.evaluated = later.evaluated[1:]
    (after,) = json.loads(text("sarif", later))["runs"]
    assert [each["partialFingerprints"] for each in after["results"]] == prints[1:]
    assert run["invocations"][0]["executionSuccessful"] is False


def test_asff_findings_have_the_forwarders_ids() -> None:
    ids = [each["Id"] for each in json.loads(text("asff", report()))]
    assert ids[0].startswith("backup-config-rules/111122223333/eu-west-1/backup-role-assumable/")


# --- The command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An account with a selection whose role is missing, and the environment's credentials for it."""
    with front_door() as door:
        door.selection(door.plan("nightly"), "orders")
        credentials = door.session.get_credentials().get_frozen_credentials()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
        monkeypatch.setenv("AWS_SESSION_TOKEN", credentials.token)
        yield door


def evaluate(*arguments: str, rule: str = "BACKUP_ROLE_ASSUMABLE") -> int:
    return main(["evaluate", "--region", "eu-west-1", "--rules", rule, "--quiet", *arguments])


def test_a_real_accounts_plans_and_selections_go_by_their_names(door: Door, capsys: Any) -> None:
    assert evaluate("--format", "json") == 1
    made = capsys.readouterr().out
    valid_json(made)
    (found,) = json.loads(made)["evaluations"]
    assert (found["plan"], found["selection"], found["severity"]) == ("nightly", "orders", "high")


def test_a_demo_too(capsys: Any) -> None:
    assert main(["evaluate", "--rules", "BACKUP_ROLE_ASSUMABLE", "--quiet", "--format", "json"]) == 1
    made = capsys.readouterr().out
    valid_json(made)
    names = {(each["plan"], each["selection"]) for each in json.loads(made)["evaluations"]}
    assert ("ledger-nightly", "refunds-no-role") in names
    assert not [each for each in names if "" in each]


@pytest.mark.parametrize("output", ["table", *FORMATS])
def test_results_go_into_a_file(door: Door, tmp_path: Path, capsys: Any, output: str) -> None:
    path = tmp_path / "results"
    assert evaluate("--format", output, "--output", str(path)) == 1
    assert capsys.readouterr().out == ""
    assert "role_assumable" in path.read_text(encoding="utf-8").lower().replace("\\", "").replace("-", "_")


def test_a_file_that_cannot_be_written_is_told_at_once(door: Door, tmp_path: Path, capsys: Any) -> None:
    assert evaluate("--output", str(tmp_path / "none" / "results")) == 2
    assert "results cannot be written: No such file or directory." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rule", "fail_on", "status"),
    [
        ("BACKUP_ROLE_ASSUMABLE", "low", 1),
        ("BACKUP_ROLE_ASSUMABLE", "high", 1),
        ("BACKUP_ROLE_ASSUMABLE", "critical", 0),
        ("BACKUP_ROLE_ASSUMABLE", "never", 0),
    ],
)
def test_from_which_severity_on_it_fails(door: Door, rule: str, fail_on: str, status: int) -> None:
    assert evaluate("--fail-on", fail_on, rule=rule) == status


def test_rules_below_a_severity_are_not_judged(capsys: Any) -> None:
    everything = listed(capsys)
    high = listed(capsys, "--severity", "high")
    assert everything == [folder.name for folder in rule_folders()]
    assert set(high) < set(everything)
    assert "BACKUP_TAG_CASE" not in high
    assert main(["evaluate", "--severity", "critical", "--rules", "BACKUP_TAG_CASE"]) == 2


def listed(capsys: Any, *arguments: str) -> Sequence[str]:
    assert main(["evaluate", "--list-rules", *arguments]) == 0
    return [line.split()[0] for line in capsys.readouterr().out.splitlines()]

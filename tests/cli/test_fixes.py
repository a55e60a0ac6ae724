"""The commands that mend what a rule found: each rule has some, the AWS CLI takes them, and what they mend holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from aws_simulator.core.accounts import account_session
from aws_simulator.core.tagging import tag_resource
from aws_simulator.server import serving
from backup_rules_cli.answers.fixes import aws
from backup_rules_cli.answers.judging import ORDER
from backup_rules_cli.answers.plans import PlanAnswer
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.main import main
from backup_rules_cli.sources import of_demo
from tests.blocks import run
from tests.front_door import front_door
from tests.pages import execute

REGION = ("--region", "eu-west-1")


def explain(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    status = main(["explain", "--quiet", "--format", "json", *map(str, arguments)])
    return status, json.loads(capsys.readouterr().out)


def condition(document: dict[str, Any], rule: str) -> dict[str, Any]:
    (found,) = (each for each in document["conditions"] if each["rule"] == rule)
    return dict(found)


def test_every_rule_says_how_it_is_mended(answers: Sequence[PlanAnswer]) -> None:
    """What stands in `fix.py` makes some command on the simulated organization."""
    commands = {
        each.rule for answer in answers for each in answer.conditions if each.state == "broken" and each.commands
    }
    assert commands == {folder.name for folder in rule_folders() if folder.beside("fix")}
    assert len(commands) >= len(ORDER)


def test_every_finding_says_how_it_is_mended(answers: Sequence[PlanAnswer]) -> None:
    """In commands, also where a person has to correct a file between them; but for what AWS Backup cannot back up."""
    without = [
        (each.rule, finding.text)
        for answer in answers
        for each in answer.conditions
        for finding in each.findings
        if finding.state == "broken" and not finding.fix and "cannot back up" not in finding.text
    ]
    assert without == []


def test_a_trust_policy_keeps_what_it_allows_others(capsys: Any, demo_reading: tuple[Path, Any]) -> None:
    given = ("--from", demo_reading[0])
    _, told = explain(capsys, "ledger-nightly/chargebacks-trusts-ec2", *given)
    (command,) = condition(told, "BACKUP_ROLE_ASSUMABLE")["commands"]
    assert '"ec2.amazonaws.com"' in command
    assert '"backup.amazonaws.com"' in command
    _, told = explain(capsys, "ledger-nightly/disputes-denied", *given)
    show, by_hand, update = condition(told, "BACKUP_ROLE_ASSUMABLE")["commands"]
    assert show == (
        "aws iam get-role --role-name DisputesBackupRole --query Role.AssumeRolePolicyDocument > trust.json"
    )
    assert by_hand.startswith("# correct trust.json")
    assert update == (
        "aws iam update-assume-role-policy --role-name DisputesBackupRole --policy-document file://trust.json"
    )


def test_a_selection_is_made_anew(capsys: Any, demo_reading: tuple[Path, Any]) -> None:
    """It cannot be edited; the old one goes when the new one is there."""
    _, told = explain(capsys, "ledger-nightly/fees-not-a-role", "--from", demo_reading[0])
    plan, selection = told["plan_id"], told["selection_id"]
    assert condition(told, "BACKUP_ROLE_ASSUMABLE")["commands"] == [
        f"aws backup get-backup-selection --region eu-west-1 --backup-plan-id {plan} --selection-id {selection}"
        " --query BackupSelection > selection.json",
        "# correct selection.json; AWS Backup edits none, so it is made anew:",
        f"aws backup create-backup-selection --region eu-west-1 --backup-plan-id {plan}"
        " --backup-selection file://selection.json",
        f"aws backup delete-backup-selection --region eu-west-1 --backup-plan-id {plan} --selection-id {selection}",
    ]
    _, told = explain(capsys, "ledger-nightly", "--from", demo_reading[0])
    commands = [each.split()[2] for each in condition(told, "BACKUP_ROLE_ASSUMABLE")["commands"]]
    each_anew = ["get-backup-selection", "selection.json;", "create-backup-selection", "delete-backup-selection"]
    assert commands[2:10] == 2 * each_anew


def test_the_aws_cli_takes_every_command(
    answers: Sequence[PlanAnswer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One finding's commands of each rule, run where they are told for; a person's part in them is left out."""
    told = {
        each.rule: (answer.place, each.commands)
        for answer in answers
        for each in answer.conditions
        if each.state == "broken" and each.commands
    }
    monkeypatch.chdir(tmp_path)
    done: set[tuple[str, str]] = set()  # two rules may ask for the same role
    with of_demo():
        for place, commands in told.values():
            keys = account_session(place.account, place.region).get_credentials()
            assert keys is not None
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys.access_key)
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret_key)
            monkeypatch.setenv("AWS_SESSION_TOKEN", str(keys.token))
            monkeypatch.setenv("AWS_DEFAULT_REGION", place.region)
            for line in takewhile(lambda each: not each.startswith("#"), commands):
                if (place.account, line) not in done:
                    run(line, tmp_path, {}, {})
                done.add((place.account, line))


def test_the_commands_mend_what_they_are_told_for(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run by the real AWS CLI: broken before, and holding after."""
    with front_door() as door, serving() as url:
        credentials = door.session.get_credentials().get_frozen_credentials()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
        monkeypatch.setenv("AWS_SESSION_TOKEN", credentials.token)
        near = {"Backup": "true"}
        tag_resource(door.account, door.region, f"arn:aws:ec2:{door.region}:{door.account}:volume/vol-0abd", near)
        door.selection(door.plan("nightly", {"RuleName": "daily", "TargetBackupVaultName": "archive"}))
        rules = ("BACKUP_ROLE_ASSUMABLE", "BACKUP_TAG_CASE", "BACKUP_VAULT_USABLE")
        _, before = explain(capsys, "nightly", *REGION)
        assert {condition(before, rule)["state"] for rule in rules} == {"broken"}
        execute("\n".join(condition(before, rule)["fix"] for rule in rules), door, url)
        _, after = explain(capsys, "nightly", *REGION)
        assert {rule: condition(after, rule)["state"] for rule in rules} == dict.fromkeys(rules, "holds")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("archive", "--name archive"),
        ("it's mine; rm -rf /", "--name 'it'\"'\"'s mine; rm -rf /'"),
        ("--no-verify-ssl", "--name=--no-verify-ssl"),
        ("$(id)", "--name '$(id)'"),
        (("a", "b c"), "--name a 'b c'"),
    ],
)
def test_a_value_is_no_more_than_a_value(value: Any, written: str) -> None:
    """Names come from elsewhere: none becomes an option, or a command of its own."""
    assert aws("backup", "x", name=value) == f"aws backup x {written}"

"""`backup-rules evaluate` over profiles, Regions and accounts of an organization, in a simulation."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from aws_simulator.core import faults
from aws_simulator.core.accounts import account_session
from aws_simulator.core.faults import failing, recorded_calls
from backup_rules_cli.main import main
from tests.front_door import Door, front_door
from tests.organization import MANAGEMENT, OTHER_MEMBER, Organization

RULE = "BACKUP_ROLE_ASSUMABLE"
MEMBER = Door().account
ROLE = ("--role", "OrganizationAccountAccessRole")


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Broken plans in the management account (eu-west-1), in a member (us-east-1), and in another (both Regions).

    The environment has a profile for each of two accounts, and no credentials of its own.
    """
    with front_door() as door, pytest.MonkeyPatch.context() as patch:
        Organization.of(door)
        for account, region in (
            (MANAGEMENT, "eu-west-1"),
            (MEMBER, "us-east-1"),
            (OTHER_MEMBER, "eu-west-1"),
            (OTHER_MEMBER, "us-east-1"),
        ):
            there = door.at(account=account, region=region)
            there.selection(there.plan(f"plan of {account} in {region}"))
        path = tmp_path_factory.mktemp("aws") / "config"
        path.write_text(profile("management", MANAGEMENT) + profile("first", MEMBER), encoding="utf-8")
        for key in [each for each in os.environ if each.startswith("AWS_")]:
            patch.delenv(key)
        patch.setenv("AWS_CONFIG_FILE", str(path))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield door


def profile(name: str, account: str) -> str:
    credentials = account_session(account, "eu-west-1").get_credentials()
    assert credentials is not None
    keys = credentials.get_frozen_credentials()
    return (
        f"[profile {name}]\nregion = eu-west-1\naws_access_key_id = {keys.access_key}\n"
        f"aws_secret_access_key = {keys.secret_key}\naws_session_token = {keys.token}\n"
    )


def evaluate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = main(["evaluate", "--rules", RULE, "--quiet", "--format", "json", *arguments])
    return status, json.loads(capsys.readouterr().out)


def places(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["account"], each["region"]) for each in answer["evaluations"]]


def test_several_regions_are_one_report(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer = evaluate(capsys, "--profile", "first", "--region", "us-east-1, eu-west-1")
    assert (status, places(answer), answer["failures"]) == (1, [(MEMBER, "us-east-1")], [])


def test_several_profiles_are_one_report(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer = evaluate(capsys, "--profile", "management,first", "--region", "eu-west-1", "--region", "us-east-1")
    assert (status, places(answer)) == (1, [(MANAGEMENT, "eu-west-1"), (MEMBER, "us-east-1")])
    assert answer["source"] == "profiles management, first"


def test_without_a_region_it_is_the_profiles(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    assert places(evaluate(capsys, "--profile", "management")[1]) == [(MANAGEMENT, "eu-west-1")]


def test_all_accounts_and_regions_with_plans(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    with recorded_calls() as calls:
        status, answer = evaluate(capsys, "--profile", "management", "--accounts", "all", *ROLE, "--region", "all")
    assert (status, answer["failures"]) == (1, [])
    assert sorted(places(answer)) == [
        (MEMBER, "us-east-1"),
        (OTHER_MEMBER, "eu-west-1"),
        (OTHER_MEMBER, "us-east-1"),
        (MANAGEMENT, "eu-west-1"),
    ]
    # Where there are no plans, nothing is asked but that.
    assert {call.action for call in calls if call.region == "ap-southeast-1"} == {"backup:ListBackupPlans"}


def test_accounts_have_their_names(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--profile", "management", "--accounts", "all", *ROLE, "--region", "us-east-1"]
    assert main(["evaluate", "--rules", RULE, "--quiet", *arguments]) == 1
    assert f"first ({MEMBER})  us-east-1" in capsys.readouterr().out


def test_accounts_that_are_named(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--profile", "management", "--accounts", f"{MEMBER},{MANAGEMENT}", *ROLE, "--region", "us-east-1")
    assert places(evaluate(capsys, *arguments)[1]) == [(MEMBER, "us-east-1")]


def test_an_account_that_cannot_be_entered_does_not_end_the_others(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    with failing(faults.denied, "sts", "AssumeRole"):
        arguments = ("--profile", "management", "--accounts", "all", *ROLE, "--region", "eu-west-1")
        status, answer = evaluate(capsys, *arguments)
    assert (status, places(answer)) == (2, [(MANAGEMENT, "eu-west-1")])
    assert sorted(each["account"] for each in answer["failures"]) == [MEMBER, OTHER_MEMBER]
    told = answer["failures"][0]["error"]
    assert f"Role arn:aws:iam::{answer['failures'][0]['account']}:role/OrganizationAccountAccessRole cannot be" in told
    assert f"trust account {MANAGEMENT}" in told


def test_a_profile_or_region_that_cannot_be_used_does_not_end_the_others(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    status, answer = evaluate(capsys, "--profile", "management,nobody", "--region", "eu-west-1")
    assert (status, places(answer)) == (2, [(MANAGEMENT, "eu-west-1")])
    assert "There is no profile 'nobody'" in answer["failures"][0]["error"]
    turned_off = faults.error("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
    with failing(turned_off, "sts", "GetCallerIdentity", region="ap-east-1"):
        status, answer = evaluate(capsys, "--profile", "management", "--region", "eu-west-1,ap-east-1")
    assert (status, places(answer)) == (2, [(MANAGEMENT, "eu-west-1")])
    assert [(each["rule"], each["region"]) for each in answer["failures"]] == [("(all)", "ap-east-1")]


def test_regions_that_are_turned_off_have_no_plans(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    off = faults.error("UnrecognizedClientException", "The security token included in the request is invalid.", 403)
    with failing(off, "backup", "ListBackupPlans", region="ap-east-1"):
        status, answer = evaluate(capsys, "--profile", "first", "--region", "all")
    assert (status, places(answer), answer["failures"]) == (1, [(MEMBER, "us-east-1")], [])
    with failing(faults.denied, "backup", "ListBackupPlans", region="ap-east-1"):
        status, answer = evaluate(capsys, "--profile", "first", "--region", "all")
    assert (status, places(answer)) == (2, [(MEMBER, "us-east-1")])
    assert [(each["region"], each["error"][:23]) for each in answer["failures"]] == [
        ("ap-east-1", "Plans cannot be listed:")
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--profile", "management", "--accounts", "all"], "--accounts needs --role"),
        (["--profile", "management", *ROLE], "--role needs --accounts"),
        (["--profile", "management", "--accounts", "12", *ROLE], "--accounts is '12'; allowed are ids of 12 digits"),
        (["--accounts", "111122223333"], "Accounts of your own need --role too."),
        (["--profile", "first", "--accounts", "all", *ROLE], "organizations:ListAccounts"),
        (["--profile", "nobody"], "There is no profile 'nobody'."),
    ],
    ids=" ".join,
)
def test_what_cannot_be_asked_for(
    door: Door, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with failing(faults.denied, "organizations", "ListAccounts"):
        assert main(["evaluate", "--rules", RULE, "--quiet", *arguments]) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.out == ""

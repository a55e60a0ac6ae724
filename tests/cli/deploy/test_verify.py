"""What `make verify` reads back when no rule has run yet, or not everywhere; test_all_the_way has the rest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from aws_simulator.core.faults import denied, error, failing, recorded_calls
from aws_simulator.core.operations import page_size
from tests.cli.deploy.site import ANALYTICS, CENTRAL, MANAGEMENT, PAYMENTS, Site, deploying
from tests.cli.deploy.test_deploy import ONE_RULE

GROUP = "/aws/lambda/backup-config-rules-backup-tag-case"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pack in two members; a third account is excluded."""
    with pytest.MonkeyPatch.context() as patch, deploying(tmp_path_factory.mktemp("site"), patch) as found:
        assert found.run("deploy", settings=f"{ONE_RULE}excluded_accounts: ['{CENTRAL}']\n") == 0
        yield found


def told(capsys: Any) -> str:
    """What was printed, in one line."""
    return " ".join(capsys.readouterr().out.split())


def lines(site: Site, moment: float, *texts: str) -> None:
    """The function writes these lines, at that time (epoch seconds)."""
    logs = site.client(CENTRAL, "logs")
    stream = f"stream-{len(logs.describe_log_streams(logGroupName=GROUP)['logStreams'])}"
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    events = [{"timestamp": int(moment * 1000), "message": text} for text in texts]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


def put(account: str) -> str:
    return f'{{"level": "INFO", "message": "evaluation put", "account": "{account}"}}'


def test_without_a_deployment_it_says_what_is_missing(site: Site, capsys: Any) -> None:
    assert site.run("verify", profile="payments", settings=ONE_RULE) == 1

    text = told(capsys)
    assert "Stack backup-config-rules-functions does not exist." in text
    assert "Stack backup-config-rules-organization does not exist." in text


def test_only_the_accounts_that_are_reached_count_and_old_lines_do_not(site: Site, capsys: Any) -> None:
    now = time.time()
    lines(site, now - 47 * 3600, put(PAYMENTS), "START RequestId: 1", "not JSON {", '"text"', '{"message": "other"}')
    lines(site, now - 49 * 3600, put(ANALYTICS))

    with page_size(1):
        assert site.run("verify", "--all", settings=ONE_RULE) == 1

    text = told(capsys)
    assert "No rule was evaluated in analytics (222233334444) within two periods." in text
    assert "1 problem: 2 accounts, 1 Region." in text
    assert MANAGEMENT not in text
    lines(site, now, put(ANALYTICS))
    assert site.run("verify", settings=ONE_RULE) == 0
    assert "All is well: 2 accounts" in told(capsys)


def test_more_rows_than_an_answer_holds_are_asked_for_by_accounts(
    site: Site, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines(site, time.time(), put(PAYMENTS), put(ANALYTICS))
    monkeypatch.setattr("backup_rules_cli.deploy.logs.MOST_ROWS", 2)

    with recorded_calls() as calls:
        assert site.run("verify", settings=ONE_RULE) == 0

    assert "All is well: 2 accounts" in told(capsys)
    assert len([call for call in calls if call.operation == "StartQuery"]) == 11


def test_a_query_that_others_hold_up_is_tried_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backup_rules_cli.deploy.logs.POLL_SECONDS", 0.0)
    lines(site, time.time(), put(PAYMENTS), put(ANALYTICS))
    busy = error("LimitExceededException", "Account maximum query concurrency limit of [30] reached")
    with failing(busy, "logs", "StartQuery", nth=[1, 2]) as fault:
        assert site.run("verify", settings=ONE_RULE) == 0
    assert fault.struck == 2


def test_a_call_that_is_denied_ends_it(site: Site, capsys: Any) -> None:
    with failing(denied, "logs", "StartQuery"):
        assert site.run("verify", settings=ONE_RULE) == 2

    assert "logs:StartQuery was denied in account 444455556666" in capsys.readouterr().err


def test_a_pack_that_fails_where_there_is_no_recorder(site: Site, capsys: Any) -> None:
    second = f"{ONE_RULE}name: second\nmember_role_name: Second\nfunction_role_name: SecondFunctions\n"
    site.client(PAYMENTS, "config").stop_configuration_recorder(ConfigurationRecorderName="default")

    assert site.run("deploy", settings=f"{second}excluded_accounts: ['{CENTRAL}']\n") == 1
    failed = capsys.readouterr().err
    assert "Stack second-organization in eu-west-1 is ROLLBACK_COMPLETE" in failed
    assert "Pack (AWS::Config::OrganizationConformancePack): " in failed
    assert f"account {PAYMENTS}: NoAvailableConfigurationRecorder: " in failed

    assert site.run("verify", settings=second) == 1
    assert f"PROBLEM pack CREATE_FAILED in payments ({PAYMENTS}). NoAvailableConfigurationRecorder" in told(capsys)

    site.client(PAYMENTS, "config").start_configuration_recorder(ConfigurationRecorderName="default")
    assert site.run("deploy", settings=f"{second}excluded_accounts: ['{CENTRAL}']\n") == 0

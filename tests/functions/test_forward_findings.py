"""The forwarder through its front door: SQS messages in, findings read back by `GetFindings`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from aws_simulator.core import faults
from aws_simulator.core.faults import Call, failing, recorded_calls
from aws_simulator.core.operations import AwsError, error_answer
from aws_simulator.simulation import simulated_aws
from tests.functions.deployed import ACCOUNT, DATABASE, OTHER, REGION, WHY, event, messages, module
from tests.simulator import callers

forwarder = module("forward_findings")
hub = module("hub")
DATABASE_ARN = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:orders-db"


@pytest.fixture(autouse=True)
def _deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FINDINGS_ROLE_NAME", "BackupConfigRulesFindingsRole")
    monkeypatch.setenv("RULE_PAGES_URL", "")
    monkeypatch.setattr("time.sleep", lambda _: None)
    with simulated_aws():
        for account in (ACCOUNT, OTHER):
            client("securityhub", account).enable_security_hub()
        yield


def client(service: str, account: str = ACCOUNT) -> Any:
    return callers.client(service, account, REGION)


def handle(*events: Mapping[str, Any] | str) -> list[int]:
    """Hand the events over as messages; the numbers of those to keep."""
    kept = forwarder.lambda_handler(messages(events), None)["batchItemFailures"]
    return sorted(int(each["itemIdentifier"]) for each in kept)


def findings(account: str = ACCOUNT) -> list[dict[str, Any]]:
    pages = client("securityhub", account).get_paginator("get_findings").paginate()
    return [finding for page in pages for finding in page["Findings"]]


def lines(capsys: pytest.CaptureFixture[str], level: str) -> list[dict[str, Any]]:
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in logged if line["level"] == level]


def databases(number: int, **more: Any) -> list[dict[str, Any]]:
    return [event(resource=(DATABASE[0], f"db-{each:04}"), **more) for each in range(number)]


def test_a_change_becomes_a_finding() -> None:
    assert handle(event()) == []
    (finding,) = findings()
    assert finding["Description"] == WHY
    assert finding["Severity"]["Label"] == "HIGH"
    assert (finding["Compliance"]["Status"], finding["Workflow"]["Status"]) == ("FAILED", "NEW")


def test_an_update_is_the_same_finding_and_keeps_its_creation_and_peoples_work() -> None:
    handle(event(recorded="2026-11-20T00:00:00.000Z"))
    (first,) = findings()
    identifier = {"Id": first["Id"], "ProductArn": first["ProductArn"]}
    update = client("securityhub").batch_update_findings
    update(FindingIdentifiers=[identifier], Workflow={"Status": "NOTIFIED"}, Note={"Text": "mine", "UpdatedBy": "me"})
    handle(event(compliance="COMPLIANT", before="NON_COMPLIANT", annotation="Clear.", recorded="2026-11-21T00:00:00Z"))
    (passed,) = findings()
    assert passed["Id"] == first["Id"]
    assert (passed["CreatedAt"], passed["UpdatedAt"]) == ("2026-11-20T00:00:00.000Z", "2026-11-21T00:00:00.000Z")
    assert (passed["Compliance"]["Status"], passed["Severity"]["Label"]) == ("PASSED", "INFORMATIONAL")
    assert (passed["Workflow"]["Status"], passed["Note"]["Text"]) == ("NOTIFIED", "mine")
    handle(event(before="COMPLIANT", recorded="2026-11-22T00:00:00Z"))
    (again,) = findings()
    assert (again["Id"], again["CreatedAt"]) == (first["Id"], "2026-11-20T00:00:00.000Z")
    assert (again["Compliance"]["Status"], again["Workflow"]["Status"]) == ("FAILED", "NEW")


@pytest.mark.parametrize("before", ["NON_COMPLIANT", "COMPLIANT", None])
def test_what_disappears_is_archived(before: str | None) -> None:
    handle(event(recorded="2026-11-20T00:00:00.000Z"))
    handle(event(compliance="NOT_APPLICABLE", before=before, annotation=None, recorded="2026-11-21T00:00:00Z"))
    (finding,) = findings()
    assert (finding["RecordState"], finding["Compliance"]["Status"]) == ("ARCHIVED", "NOT_AVAILABLE")


def test_what_was_never_judged_and_is_out_of_scope_makes_no_finding() -> None:
    assert handle(event(compliance="NOT_APPLICABLE", annotation=None)) == []
    assert findings() == []


NEWER = event(compliance="COMPLIANT", before="NON_COMPLIANT", recorded="2026-11-23T13:00:00Z")


@pytest.mark.parametrize("order", [[event(), NEWER], [NEWER, event()]])
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
def test_an_older_change_never_overwrites_a_newer_one(order: list[dict[str, Any]], together: bool) -> None:
    kept = handle(*order) if together else [number for each in order for number in handle(each)]
    assert kept == []
    (finding,) = findings()
    assert finding["Compliance"]["Status"] == "PASSED"


def test_each_account_gets_its_own_under_its_own_role() -> None:
    with recorded_calls() as calls:
        assert handle(event(), event(account=OTHER)) == []
    assert {each["AwsAccountId"] for each in findings()} == {ACCOUNT}
    assert {each["AwsAccountId"] for each in findings(OTHER)} == {OTHER}
    imported = [each.account for each in calls if each.operation == "BatchImportFindings"]
    assert sorted(imported) == [ACCOUNT, OTHER]


def test_500_resources_take_few_calls() -> None:
    with recorded_calls() as calls:
        assert handle(*databases(500)) == []
    assert len(findings()) == 500
    counts = Counter(each.operation for each in calls)
    assert counts == {"AssumeRole": 1, "BatchImportFindings": 5, "SelectResourceConfig": 2}
    with recorded_calls() as calls:
        handle(*databases(100, account=OTHER))
    assert [each.operation for each in calls] == ["AssumeRole", "SelectResourceConfig", "BatchImportFindings"]
    with recorded_calls() as calls:
        handle(*databases(500, compliance="COMPLIANT", before="NON_COMPLIANT", recorded="2026-11-24T00:00:00Z"))
    assert Counter(each.operation for each in calls)["GetFindings"] == 25, "twenty ids in each"


def test_arn_and_tags_come_from_config() -> None:
    made = client("rds").create_db_instance(
        DBInstanceIdentifier="orders-db",
        DBInstanceClass="db.t3.micro",
        Engine="mysql",
        Tags=[{"Key": "team", "Value": "payments"}, {"Key": "owner", "Value": "J\u00fcrgen"}],
    )["DBInstance"]
    recorder = client("config")
    role = f"arn:aws:iam::{ACCOUNT}:role/recorder"
    recorder.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
    recorder.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "records"})
    recorder.start_configuration_recorder(ConfigurationRecorderName="default")
    handle(event(resource=(DATABASE[0], made["DbiResourceId"])))
    (finding,) = findings()
    (resource,) = finding["Resources"]
    assert (resource["Id"], resource["Tags"]) == (DATABASE_ARN, {"team": "payments"})


def test_queries_are_within_configs_length_and_ask_for_nothing_that_it_cannot_know() -> None:
    accounts, quoted = ("AWS::::Account", ACCOUNT), ("AWS::S3::Bucket", "it's")
    ids = [("AWS::S3::Bucket", f"bucket-{number:050}") for number in range(200)]
    found = list(hub.expressions([accounts, quoted, *ids, *ids]))
    assert all(len(each) <= 4096 for each in found)
    assert sum(each.count("bucket-") for each in found) == 200
    assert not [each for each in found if ACCOUNT in each or "it's" in each]
    assert list(hub.expressions([accounts])) == []


@pytest.mark.parametrize(("service", "operation"), [("config", "SelectResourceConfig"), ("securityhub", "GetFindings")])
def test_without_what_completes_a_finding_it_is_imported_all_the_same(
    service: str, operation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with failing(faults.denied, service, operation) as fault:
        assert handle(event(before="COMPLIANT")) == []
    assert fault.struck
    assert len(findings()) == 1
    (line,) = lines(capsys, "ERROR")
    assert line["permission"] == f"{service}:{operation}"


# --- What fails -----------------------------------------------------------------------------------------------------

DENIED = faults.error("AccessDeniedException", "Not authorized to perform: securityhub:BatchImportFindings", 403)


@pytest.mark.parametrize(
    ("kind", "service", "operation", "says"),
    [
        (DENIED, "securityhub", "BatchImportFindings", "The findings role needs securityhub:BatchImportFindings."),
        (faults.denied, "sts", "AssumeRole", "Deploy finding-events.yaml there, with the account of this function"),
        (faults.throttled, "securityhub", "BatchImportFindings", "ThrottlingException: Rate exceeded"),
        (faults.server_error, "securityhub", "BatchImportFindings", "InternalFailure"),
        (faults.malformed, "securityhub", "BatchImportFindings", "answered without SuccessCount"),
        (faults.malformed, "sts", "AssumeRole", "ResponseParserError"),
    ],
)
def test_what_fails_stays_in_the_queue_and_the_log_says_why(
    kind: faults.Kind, service: str, operation: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with failing(kind, service, operation, when=lambda given: OTHER not in json.dumps(given, default=str)):
        kept = handle(event(), event(account=OTHER))
    assert kept == [0]
    assert len(findings(OTHER)) == 1, "another account is served"
    (line,) = lines(capsys, "ERROR")
    assert (line["message"], line["account"], line["region"]) == ("findings not imported", ACCOUNT, REGION)
    assert says in line["error"]
    assert line["rules"] == ["backup-rds-window-conflict"]


def test_where_security_hub_is_off_nothing_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    client("securityhub").disable_security_hub()
    assert handle(event(), event(account=OTHER)) == [0]
    error = lines(capsys, "ERROR")[-1]["error"]
    assert "Security Hub is off there: enable it" in error
    client("securityhub").enable_security_hub()
    assert handle(event()) == []
    assert len(findings()) == 1


def test_a_throttled_call_is_tried_again() -> None:
    with failing(faults.throttled, "securityhub", "BatchImportFindings", nth={1, 2}) as fault:
        assert handle(event()) == []
    assert fault.struck == 2
    assert len(findings()) == 1


@contextmanager
def refused(code: str, ids: set[str], times: int | None = None) -> Iterator[list[list[str]]]:
    """Findings whose id contains one of `ids` are handed back in `FailedFindings`; yields the ids of each call."""
    asked: list[list[str]] = []

    def answer(_response: Any, call: Call, go_on: Any) -> Any:
        given = [each["Id"] for each in call.parameters["Findings"]]
        asked.append(given)
        status, headers, body = go_on()
        if times is not None and len(asked) > times:
            return status, headers, body
        failed = [
            {"Id": each, "ErrorCode": code, "ErrorMessage": "not now"}
            for each in given
            if any(part in each for part in ids)
        ]
        counts = {"FailedCount": len(failed), "SuccessCount": len(given) - len(failed)}
        return status, headers, json.dumps({**counts, "FailedFindings": failed})

    with failing(answer, "securityhub", "BatchImportFindings"):
        yield asked


def test_only_failed_findings_are_tried_again() -> None:
    with refused("InternalError", {"db-0001"}, times=2) as asked:
        assert handle(*databases(3)) == []
    assert [len(each) for each in asked] == [3, 1, 1]


def test_findings_that_fail_to_the_end_keep_their_messages_and_no_others() -> None:
    with refused("InternalError", {"db-0001", "db-0002"}) as asked:
        assert handle(*databases(4)) == [1, 2]
    assert [len(each) for each in asked] == [4, 2, 2, 2]


def test_findings_that_can_never_be_imported_are_not_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    with refused("InvalidAccess", {"db-0001"}) as asked:
        assert handle(*databases(4)) == [1]
    assert [len(each) for each in asked] == [4]
    assert lines(capsys, "ERROR")[-1]["error"] == "InvalidAccess: not now"


def test_one_finding_that_spoils_the_call_does_not_keep_the_others() -> None:
    def spoiled(response: Any, call: Call, go_on: Any) -> Any:
        if any("db-0042" in each["Id"] for each in call.parameters["Findings"]):
            return error_answer(response, AwsError("InvalidInputException", "Invalid parameter", 400))
        return go_on()

    with failing(spoiled, "securityhub", "BatchImportFindings"):
        assert handle(*databases(100)) == [42]
    assert len(findings()) == 99


def test_of_several_messages_about_one_resource_only_the_newest_is_kept() -> None:
    with failing(DENIED, "securityhub", "BatchImportFindings"):
        assert handle(event(), NEWER) == [1]


@pytest.mark.parametrize(
    "body",
    ["", "no json", "[]", json.dumps(event("not-of-this-pack")), json.dumps(event() | {"account": OTHER})],
)
def test_what_cannot_be_read_goes_to_the_dead_letters_and_keeps_no_other(
    body: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert handle(body, event()) == [0]
    assert len(findings()) == 1
    (line,) = lines(capsys, "ERROR")
    assert (line["message"], line["message_id"]) == ("message not read", "0")


def test_credentials_of_another_account_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    def of_another(_response: Any, _call: Call, go_on: Any) -> Any:
        status, headers, body = go_on()
        text = body.decode() if isinstance(body, bytes) else body
        return status, headers, text.replace(f"sts::{ACCOUNT}:", f"sts::{OTHER}:")

    with failing(of_another, "sts", "AssumeRole"):
        assert handle(event()) == [0]
    assert OTHER in lines(capsys, "ERROR")[-1]["error"]
    assert findings() == []


def test_many_accounts_are_served_side_by_side() -> None:
    accounts = [f"{number:012}" for number in range(300000000000, 300000000012)]
    with ExitStack():
        for account in accounts:
            client("securityhub", account).enable_security_hub()
        assert handle(*(event(account=each) for each in accounts)) == []
    assert all(len(findings(account)) == 1 for account in accounts)

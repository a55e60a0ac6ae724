"""Alerts through their front door: messages in the queue, one readable mail out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.sns.models import sns_backends

from aws_simulator.core import faults
from aws_simulator.core.faults import failing, recorded_calls
from aws_simulator.simulation import simulated_aws
from backup_rules.compliance_changes import read_change
from tests.functions.deployed import ACCOUNT, CENTRAL, DATABASE, OTHER, REGION, WHY, event, module

alerts = module("send_alerts")
mails = module("mails")
RULES = alerts.RULES


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


@pytest.fixture(autouse=True)
def _deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with simulated_aws():
        topic = client("sns").create_topic(Name="alerts")["TopicArn"]
        queue = client("sqs").create_queue(QueueName="alerts", Attributes={"VisibilityTimeout": "330"})["QueueUrl"]
        for name, value in {"QUEUE_URL": queue, "TOPIC_ARN": topic, "RESOURCES_PER_RULE": "3"}.items():
            monkeypatch.setenv(name, value)
        yield


def put(*bodies: Mapping[str, Any] | str) -> None:
    queue, url = client("sqs"), client("sqs").get_queue_url(QueueName="alerts")["QueueUrl"]
    for start in range(0, len(bodies), 10):
        entries = [
            {"Id": str(number), "MessageBody": body if isinstance(body, str) else json.dumps(body)}
            for number, body in enumerate(bodies[start : start + 10])
        ]
        queue.send_message_batch(QueueUrl=url, Entries=entries)


def sent() -> list[tuple[str, str]]:
    (topic,) = sns_backends["123456789012"][REGION].topics.values()
    return [(subject, message) for _, message, subject, *_ in topic.sent_notifications]


def left() -> int:
    """Messages that are in the queue, those that were received and not deleted among them."""
    url = client("sqs").get_queue_url(QueueName="alerts")["QueueUrl"]
    wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
    return sum(int(attributes[name]) for name in wanted)


def run() -> dict[str, int]:
    return dict(alerts.lambda_handler({}, None))


def test_one_problem_reads_like_this() -> None:
    put(event())
    assert run() == {"problems": 1, "messages": 1, "unread": 0}
    assert left() == 0
    remediation = RULES["backup-rds-window-conflict"].remediation
    ((subject, body),) = sent()
    assert subject == "Backup rules: 1 new problem in account 111122223333, eu-west-1"
    assert body == (
        "AWS Config has found 1 new problem in 1 account: backups that will be missed, or have been.\n"
        "\n"
        "Account 111122223333: backup-rds-window-conflict (high)\n"
        "-------------------------------------------------------\n"
        "Expected: Backups of the database start clear of its backup and maintenance windows.\n"
        "  * eu-west-1, AWS::RDS::DBInstance db-AB7BA31A5ADB4604B782AC01DC\n"
        f"    Reason: {WHY}\n"
        f"{mails._wrapped('What to do: ' + remediation)}\n"
        "More: https://repost.aws/knowledge-center/aws-backup-troubleshoot-scheduled-backup-plans\n"
        "\n"
        "All present problems are in AWS Config: conformance packs, or an advanced query on the aggregator.\n"
    )


FORGED = "vol-1\n\nAccount 999988887777: suspended\n-----\nSign in at https://example.com"


@pytest.mark.parametrize("broken_by", ["\n\n", "\r", "\u2028", "\x0b", "\x85", " " * 300, "\u3164" * 200, "\x1b[2K\r"])
def test_no_account_can_write_lines_of_its_own_into_the_mail(broken_by: str) -> None:
    forged = FORGED.replace("\n\n", broken_by)
    put(event(resource=(DATABASE[0], forged[:768]), annotation=forged))
    assert run()["problems"] == 1
    ((_, body),) = sent()
    lines = body.split("\n")
    assert all(line.isprintable() and len(line) <= 300 for line in lines)
    about = [line for line in lines if "suspended" in line or "Sign in" in line]
    assert about
    assert all(line.startswith(('  * eu-west-1, AWS::RDS::DBInstance "', "    Reason: ")) for line in about)
    assert [line for line in lines if line.startswith("Account ")] == [
        f"Account {ACCOUNT}: backup-rds-window-conflict (high)"
    ]


def test_a_rule_that_another_account_named_is_no_rule_of_the_pack() -> None:
    put(event("account-suspended-sign-in-at-example-com-backup-tag-case"), event("x\nbackup-tag-case"))
    assert run() == {"problems": 0, "messages": 0, "unread": 2}
    assert sent() == []


def test_500_problems_make_one_mail() -> None:
    put(*(event(resource=(DATABASE[0], f"db-{number:04}")) for number in range(500)))
    with recorded_calls() as calls:
        assert run()["problems"] == 500
    assert [each.operation for each in calls].count("Publish") == 1
    ((subject, body),) = sent()
    assert subject == "Backup rules: 500 new problems in account 111122223333, eu-west-1"
    assert body.count("db-0") == 3
    assert "  +497 more\n" in body
    assert left() == 0


def test_problems_are_grouped_by_account_and_rule_the_most_severe_first() -> None:
    put(
        event("backup-tag-case", resource=("AWS::EC2::Volume", "vol-1")),
        event("backup-tag-case", resource=("AWS::EC2::Volume", "vol-2"), region="us-east-1"),
        event(account=OTHER),
        event(),
        event(resource=(DATABASE[0], "db-2")),
    )
    run()
    ((subject, body),) = sent()
    assert subject == "Backup rules: 5 new problems in 2 accounts"
    headings = [line for line in body.splitlines() if line.startswith("Account ")]
    assert headings == [
        f"Account {ACCOUNT}: backup-rds-window-conflict (high)",
        f"Account {OTHER}: backup-rds-window-conflict (high)",
        f"Account {ACCOUNT}: backup-tag-case (medium)",
    ]
    assert "  * us-east-1, AWS::EC2::Volume vol-2" in body


def test_the_same_resource_is_told_once_and_what_was_known_not_at_all() -> None:
    put(
        event(annotation="earlier"),
        event(annotation="later", before="COMPLIANT", recorded="2026-11-23T13:00:00Z"),
        event("backup-tag-case", before="NON_COMPLIANT"),
        event("backup-plan-ran-on-schedule", "COMPLIANT", "NON_COMPLIANT"),
    )
    assert run() == {"problems": 1, "messages": 4, "unread": 0}
    ((_, body),) = sent()
    assert "    Reason: later\n" in body
    assert "earlier" not in body
    assert left() == 0


@pytest.mark.parametrize("events", [[], [event(before="NON_COMPLIANT")]])
def test_without_news_no_mail_is_sent(events: list[dict[str, Any]]) -> None:
    put(*events)
    assert run()["problems"] == 0
    assert sent() == []
    assert left() == 0


@pytest.mark.parametrize("kind", [faults.denied, faults.server_error])
def test_messages_are_deleted_only_after_the_mail_is_out(kind: faults.Kind) -> None:
    put(event())
    with failing(kind, "sns", "Publish"), pytest.raises(ClientError):
        run()
    assert (left(), sent()) == (1, [])


def test_messages_that_could_not_be_deleted_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    put(event())
    with failing(faults.denied, "sqs", "DeleteMessageBatch"), pytest.raises(ClientError):
        run()
    assert len(sent()) == 1
    assert left() == 1


def test_what_cannot_be_read_stays_and_keeps_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    put("no json", event(), event("not-of-this-pack"))
    assert run() == {"problems": 1, "messages": 1, "unread": 2}
    assert len(sent()) == 1
    assert left() == 2
    assert capsys.readouterr().out.count("message not read") == 2


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=300)


@settings(max_examples=25)
@given(annotation=TEXT, resource_id=TEXT, accounts=st.integers(1, 40), resources=st.integers(1, 30))
def test_a_mail_is_never_too_long(annotation: str, resource_id: str, accounts: int, resources: int) -> None:
    names = list(RULES)
    problems = [
        read_change(
            event(
                names[number % len(names)],
                account=f"{account:012}",
                resource=(DATABASE[0], f"{resource_id}{number}"),
                annotation=annotation,
            ),
            RULES,
        )
        for account in range(accounts)
        for number in range(resources)
    ]
    made = mails.mail(problems, 10, "")
    assert len(made.subject) <= 100
    assert made.subject.isascii()
    assert "\n" not in made.subject
    assert len(made.body.encode()) <= 256 * 1024


def test_what_finds_no_room_is_counted() -> None:
    change = read_change(event(annotation="x" * 256), RULES)
    problems = [
        read_change(event(name, account=f"{account:012}", annotation="x" * 250), RULES)
        for account in range(100)
        for name in RULES
    ]
    body = mails.mail([change, *problems], 10, "").body
    assert 200_000 < len(body.encode()) <= 256 * 1024
    told = sum(line.startswith("  * ") for line in body.splitlines())
    assert f"+{len(problems) + 1 - told:} more in " in body


def test_pages_are_linked_where_they_are_known() -> None:
    body = mails.mail([read_change(event(), RULES)], 10, "https://git.example.com/x/").body
    assert "More: https://git.example.com/x/rules/BACKUP_RDS_WINDOW_CONFLICT/README.md" in body
    assert CENTRAL not in body

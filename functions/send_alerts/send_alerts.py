"""One mail for all that AWS Config newly finds NON_COMPLIANT since the last.

Runs on a schedule, takes everything from the queue, and deletes it after the mail is out: when that fails, all stays.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from mails import mail, new_problems

from backup_rules.compliance_changes import Change, UnreadableEventError, read_change, read_rules
from backup_rules.logs import log

BATCH = 10  # messages that SQS gives and deletes at once
MOST = 10_000  # messages of one mail; what is left comes with the next
SECONDS = 200  # how long messages are collected, of the 300 that the function may run
# The queue is empty when three answers in a row are: SQS asks only some of its servers each time.
EMPTY_ANSWERS = 3

CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=30, max_pool_connections=4
)
RULES = read_rules(Path(__file__).with_name("rules.json"))


def lambda_handler(_event: Any, _context: Any) -> dict[str, int]:
    """Mail what is new; answers how many problems the mail tells of, and how many messages could not be read.

    Environment: `QUEUE_URL`, `TOPIC_ARN`, `RESOURCES_PER_RULE` (a number), `RULE_PAGES_URL`.

    Raises:
        ClientError, BotoCoreError: the queue could not be read, or the mail not be published; the messages stay.
    """
    queue = boto3.client("sqs", config=CLIENT_CONFIG)
    changes: dict[str, Change] = {}
    unread = 0
    for message in _messages(queue, os.environ["QUEUE_URL"]):
        try:
            changes[message["ReceiptHandle"]] = read_change(json.loads(message["Body"]), RULES)
        except (UnreadableEventError, ValueError) as error:
            # It stays, and goes to the dead-letter queue after the tries that the redrive policy gives it.
            log("ERROR", "message not read", message_id=message["MessageId"], error=str(error))
            unread += 1
    problems = new_problems(changes.values())
    if problems:
        made = mail(problems, int(os.environ["RESOURCES_PER_RULE"]), os.environ.get("RULE_PAGES_URL", ""))
        topic = boto3.client("sns", config=CLIENT_CONFIG)
        topic.publish(TopicArn=os.environ["TOPIC_ARN"], Subject=made.subject, Message=made.body)
    _delete(queue, os.environ["QUEUE_URL"], list(changes))
    summary = {"problems": len(problems), "messages": len(changes), "unread": unread}
    log("INFO", "alerts sent" if problems else "nothing new", **summary)
    return summary


def _messages(queue: Any, url: str) -> Iterator[Mapping[str, Any]]:
    end = time.monotonic() + SECONDS
    given = empty = 0
    while given < MOST and empty < EMPTY_ANSWERS and time.monotonic() < end:
        answer = queue.receive_message(QueueUrl=url, MaxNumberOfMessages=BATCH).get("Messages") or []
        empty = 0 if answer else empty + 1
        given += len(answer)
        yield from answer


def _delete(queue: Any, url: str, receipts: list[str]) -> None:
    for start in range(0, len(receipts), BATCH):
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt}
            for number, receipt in enumerate(receipts[start : start + BATCH])
        ]
        failed = queue.delete_message_batch(QueueUrl=url, Entries=entries).get("Failed") or []
        if failed:  # they come again with the next mail
            log("ERROR", "messages not deleted", messages=len(failed), error=str(failed[0].get("Message")))

"""Where something changed, and which mails were sent, as whoever plays AWS Config and SNS learns it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aws_simulator.extras.changes import watched_changes
from aws_simulator.extras.mails import Mailbox
from aws_simulator.simulation import simulated_aws
from tests.simulator.callers import client

HERE, THERE, OTHER = ("123456789012", "eu-west-1"), ("123456789012", "us-east-1"), ("111122223333", "eu-west-1")
PLACES = (HERE, THERE, OTHER)
PLAN = {"BackupPlanName": "prod", "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "Default"}]}
VERSIONED = {"Status": "Enabled"}


def make_bucket() -> None:
    where = {"LocationConstraint": "eu-west-1"}
    client("s3").create_bucket(Bucket="documents-of-123456789012", CreateBucketConfiguration=where)


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda: client("backup").create_backup_plan(BackupPlan=PLAN), {HERE}),
        (lambda: client("backup").list_backup_plans(), set()),
        (lambda: client("iam").create_user(UserName="nightly"), {HERE, THERE}),
        (lambda: client("iam").list_users(), set()),
        (lambda: client("organizations").create_organization(FeatureSet="ALL"), set(PLACES)),
        (lambda: client("sqs").create_queue(QueueName="messages"), set()),
        (make_bucket, {HERE}),
        (lambda: client("s3").list_buckets(), set()),
    ],
    ids=["plan", "plans read", "IAM", "IAM read", "organization", "queue", "bucket", "buckets read"],
)
def test_a_change_is_told_once_where_it_matters(act: Callable[[], Any], expected: set[tuple[str, str]]) -> None:
    with simulated_aws(), watched_changes(PLACES) as changes:
        act()
        assert (changes.taken(), changes.taken()) == (expected, set())


def test_a_buckets_versioning_and_tags_are_changes() -> None:
    with simulated_aws():
        make_bucket()
        with watched_changes(PLACES) as changes:
            bucket = {"Bucket": "documents-of-123456789012"}
            client("s3").put_bucket_versioning(**bucket, VersioningConfiguration=VERSIONED)
            assert changes.taken() == {HERE}
            client("s3").put_bucket_tagging(**bucket, Tagging={"TagSet": [{"Key": "backup", "Value": "true"}]})
            assert changes.taken() == {HERE}
            assert changes.taken() == set()


def test_each_mail_is_handed_over_once_and_to_mail_addresses_only() -> None:
    with simulated_aws():
        sns, mailbox = client("sns"), Mailbox()
        topic = sns.create_topic(Name="alerts")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
        sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+15550100")
        sns.publish(TopicArn=topic, Subject="one", Message="first")
        assert [(each.to, each.subject, each.text) for each in mailbox.new()] == [("a@example.com", "one", "first")]
        sns.publish(TopicArn=topic, Message="second")
        assert [each.text for each in mailbox.new()] == ["second"]
        assert list(mailbox.new()) == []

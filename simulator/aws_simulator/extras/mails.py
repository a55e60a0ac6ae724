"""Mails that Amazon SNS sends to topics' e-mail subscriptions, which moto keeps and delivers to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from moto.sns.models import SNSBackend, Topic, sns_backends


@dataclass(frozen=True)
class Mail:
    """One mail to one address."""

    to: str
    subject: str
    text: str
    topic: str


class Mailbox:
    """All mails of the simulation. An address need not confirm its subscription, as nobody is there to do so."""

    def __init__(self) -> None:
        self._read: dict[str, int] = {}

    def new(self) -> Iterator[Mail]:
        """The mails that were sent since this was last asked."""
        for account in list(sns_backends):
            for region in list(sns_backends[account].keys()):
                backend = sns_backends[account][region]
                for topic in list(backend.topics.values()):
                    yield from self._of(backend, topic)

    def _of(self, backend: SNSBackend, topic: Topic) -> Iterator[Mail]:
        sent = list(topic.sent_notifications)
        before, self._read[topic.arn] = self._read.get(topic.arn, 0), len(sent)
        subscriptions = list(backend.subscriptions.values())
        addresses = [each.endpoint for each in subscriptions if each.topic is topic and each.protocol == "email"]
        for _, text, subject, *_ in sent[before:]:
            for address in addresses:
                yield Mail(address, subject or "AWS Notification Message", text, topic.arn)

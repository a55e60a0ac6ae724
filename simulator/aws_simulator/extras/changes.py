"""Where something changed that a verdict may rest on, for a simulation that people work with.

AWS Config evaluates on its schedule, which nobody in front of a simulation waits for. So whoever plays AWS Config asks
here in which accounts and Regions a person, or a program, has changed something since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from aws_simulator.core.faults import Call, recorded_calls

Place = tuple[str, str]
"""An account and a Region."""

_READS = (
    "Batch",
    "Check",
    "Describe",
    "Get",
    "Head",
    "List",
    "Lookup",
    "Query",
    "Scan",
    "Search",
    "Select",
    "Simulate",
)
_NO_MATTER = frozenset(
    {"cloudformation", "cloudwatch", "config", "events", "lambda", "logs", "securityhub", "sns", "sqs", "ssm", "sts"}
)
"""Services that no backup rests on: the pack's own, and those that deploy it."""


class Changes:
    """Made by `watched_changes`."""

    def __init__(self, calls: list[Call], places: Sequence[Place]) -> None:
        self._calls = calls
        self._places = tuple(places)
        self._buckets = self._all_buckets()

    def look_after(self, places: Sequence[Place]) -> None:
        """These accounts and Regions from now on: accounts come and go."""
        self._places = tuple(places)

    def taken(self) -> set[Place]:
        """Where something changed since this was last asked."""
        found: set[Place] = set()
        while self._calls:
            call = self._calls.pop(0)
            if call.service not in _NO_MATTER and not call.operation.startswith(_READS):
                found |= set(self._touched(call))
        before, self._buckets = self._buckets, self._all_buckets()
        return found | {place for place in self._places if before.get(place, []) != self._buckets[place]}

    def _touched(self, call: Call) -> Iterator[Place]:
        """IAM is of all Regions, and what AWS Organizations says of all accounts."""
        for account, region in self._places:
            everywhere = call.service == "organizations" or (call.service == "iam" and account == call.account)
            if everywhere or (account, region) == (call.account, call.region):
                yield account, region

    def _all_buckets(self) -> dict[Place, list[tuple[str, str, str]]]:
        """Buckets as far as AWS Backup looks at them: calls of Amazon S3 are not among those recorded."""
        found: dict[Place, list[tuple[str, str, str]]] = {}
        for account, region in self._places:
            backend = s3_backends[account][get_partition(region)]
            found[account, region] = [
                (bucket.name, str(bucket.versioning_status), str(backend.tagger.get_tag_dict_for_resource(bucket.arn)))
                for bucket in list(backend.buckets.values())
                if bucket.region_name == region
            ]
        return found


@contextmanager
def watched_changes(places: Sequence[Place]) -> Iterator[Changes]:
    """Tells of changes in these accounts and Regions while the context lasts."""
    with recorded_calls() as calls:
        yield Changes(calls, places)

"""Answers that cannot change, kept in one compressed S3 object per account and Region.

Rules that run at the same time read in different orders and merge what they have read by conditional writes, every
fifteen seconds and at the end of the invocation, however it ends: so each answer is asked for about once by all of
them, and each run leaves less to read for the next. Nothing depends on the object: where it cannot be read, is of
another account or is no such object, AWS Backup is asked, and the log says so. A merge of 6,000 selections takes 0.12
seconds of a processor.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from backup_rules.arns import Place
from backup_rules.aws.answers import Answer, field
from backup_rules.aws.kept import PLANS, SELECTIONS, Kept
from backup_rules.aws.rates import Clock
from backup_rules.logs import log
from backup_rules.plans.plans import PlanSummary
from backup_rules.selections.picking import SelectionSummary

T = TypeVar("T")

FORMAT = 1
MOST_BYTES, MOST_TEXT = 16 * 2**20, 64 * 2**20
"""Of the object, and of what it holds: 6,000 selections are some 0.3 and 4 MiB."""

FIRST_MERGE_SECONDS, LONGEST_MERGE_SECONDS = 5.0, 15.0
"""What was read is merged after so long, then after twice as long each time."""
TRIES = 6
SECONDS_FOR_A_TRY = 3.0
RENEWED_AFTER = timedelta(days=30)
"""The bucket deletes what was not written for 60 days; what is in use is written again before."""

# What is kept of an answer: what it says, and of what.
_FIELDS = {
    PLANS: ("BackupPlanId", "VersionId", "CreationDate", "BackupPlan"),
    SELECTIONS: ("BackupPlanId", "SelectionId", "CreationDate", "BackupSelection"),
}
_OTHER_ID = {PLANS: "VersionId", SELECTIONS: "SelectionId"}

Answers = dict[tuple[str, str, str], Answer]
"""By kind, the plan's id, and the version's or the selection's."""


class KeptInBucket(Kept):
    """What is kept of one account and Region, for one invocation."""

    def __init__(  # noqa: PLR0913 - of whom, where, and by which clock
        self,
        place: Place,
        bucket: str,
        s3: Callable[[], Any],
        *,
        reader: str,
        clock: Clock,
        seconds_left: Callable[[], float],
        alone: Callable[[bool], None] = lambda _: None,
        direct: int = 0,
    ) -> None:
        """Args:
        place: whose answers.
        bucket: the bucket's name.
        s3: makes the client of S3, under the function's own role.
        reader: the Config rule; each reads in an order of its own.
        clock: tells the time, and waits.
        seconds_left: of the invocation.
        alone: is told whether no other reader has added anything since the last merge but one.
        direct: so many answers are asked of AWS before the object is opened, which for a few is not worth it.
        """
        self._place, self._bucket, self._make_s3 = place, bucket, s3
        self._key = f"{place.account}/{place.region}.json.gz"
        self._reader, self._clock, self._seconds_left = reader, clock, seconds_left
        self._alone = alone
        self._others = True
        self._merges = 0
        self._direct = direct
        self._answers: Answers = {}
        self._new: set[tuple[str, str, str]] = set()
        self._distrusted: set[tuple[str, str, str]] = set()
        self._old_object = False
        self._versions: dict[str, str] | None = None
        self._selections: dict[str, set[str]] = {}
        self._opened = False
        self._usable = True
        self._interval = FIRST_MERGE_SECONDS
        self._merge_at = 0.0
        self._lock, self._merging = Lock(), Lock()
        self._said: set[str] = set()

    def read(self, kind: str, plan_id: str, its_id: str, parse: Callable[[Answer], T | None]) -> T | None:
        key = (kind, plan_id, its_id)
        self._open()
        answer = self._answers.get(key)
        if answer is None and self._opened:
            self._merge_if_due()
            answer = self._answers.get(key)
        if answer is None:
            return None
        try:
            found = parse(answer)
            why = "it is not of what AWS Backup lists"
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            found, why = None, repr(error)
        with self._lock:
            if found is not None:
                self.taken += 1
                return found
            self._answers.pop(key, None)
            self._distrusted.add(key)
        self._say(f"An answer that is kept for {plan_id}, {its_id} cannot be trusted: {why}. AWS Backup is asked.")
        return None

    def note(self, kind: str, plan_id: str, its_id: str, answer: Answer) -> None:
        kept = {name: answer[name] for name in _FIELDS[kind] if name in answer}
        with self._lock:
            key = (kind, plan_id, its_id)
            self._answers[key] = kept
            self._new.add(key)

    def plans_listed(self, plans: Iterable[PlanSummary]) -> None:
        self._versions = {each.id: each.version_id for each in plans}

    def selections_listed(self, plan_id: str, selections: Iterable[SelectionSummary]) -> None:
        self._selections[plan_id] = {each.id for each in selections}

    def in_own_order(self, subjects: list[T]) -> list[T]:
        mixed = list(subjects)
        random.Random(self._reader).shuffle(mixed)  # noqa: S311 - an order, no secret
        return mixed

    def save(self) -> None:
        if self._new or self._old_object:
            with self._merging:
                self._merge()

    def _open(self) -> None:
        if self._opened or not self._usable:
            return
        with self._lock:
            self._direct -= 1
            if self._direct >= 0:
                return
        with self._merging:
            if not self._opened:
                self._merge(write=False)
                self._merge_at = self._clock.monotonic() + self._interval
                self._opened = True

    def _merge_if_due(self) -> None:
        if not self._usable or self._clock.monotonic() < self._merge_at or not self._merging.acquire(blocking=False):
            return
        try:
            self._others = False
            self._merge()
            # Those who began at the same instant may not have written yet at the first.
            self._merges += 1
            self._alone(self._usable and not self._others and self._merges > 1)
            self._interval = min(LONGEST_MERGE_SECONDS, self._interval * 2)
            self._merge_at = self._clock.monotonic() + self._interval
        finally:
            self._merging.release()

    def _merge(self, *, write: bool = True) -> None:
        """Take over what others have kept; with `write`, leave them what is new."""
        for attempt in range(TRIES if self._usable else 0):
            if self._seconds_left() < SECONDS_FOR_A_TRY:
                self._say("There was no time left to keep what was read.")
                return
            try:
                tag = self._take_over()
                if not write or not (self._new or self._old_object) or self._written(tag):
                    return
            except (ClientError, BotoCoreError) as error:
                self._usable = False
                self._say(f"s3://{self._bucket}/{self._key}: {error}. AWS Backup is asked for everything.")
                return
            self._clock.sleep(random.uniform(0, 0.2 * 2**attempt))  # noqa: S311 - so that two do not meet again
        if self._usable:
            self._say(f"s3://{self._bucket}/{self._key} was written by others at every try; what was read is not kept.")

    def _take_over(self) -> str | None:
        """The object's answers beside those that are known already; its entity tag, None where there is no object."""
        try:
            got = self._s3().get_object(Bucket=self._bucket, Key=self._key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in {"NoSuchKey", "404"}:
                return None
            raise
        self._old_object = datetime.now(UTC) - got["LastModified"] > RENEWED_AFTER
        try:
            found = _decoded(got["Body"].read(MOST_BYTES + 1), self._place)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, EOFError, zlib.error) as error:
            self._old_object = True  # what is new takes its place
            self._say(f"s3://{self._bucket}/{self._key} is not used: {error}. AWS Backup is asked for everything.")
            found = {}
        with self._lock:
            found = {key: answer for key, answer in found.items() if key not in self._distrusted}
            self._new -= found.keys()
            self._others |= not found.keys() <= self._answers.keys()
            self._answers = found | self._answers
        return str(got["ETag"])

    def _written(self, tag: str | None) -> bool:
        """Whether the object is written; not, if somebody else wrote it meanwhile."""
        with self._lock:
            answers = {key: answer for key, answer in self._answers.items() if self._exists(*key)}
            included = set(self._new)
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        body = _encoded(answers, self._place)
        if len(body) > MOST_BYTES:
            self._usable = False
            self._say(f"What was read takes {len(body):,} bytes; {MOST_BYTES:,} are kept at most.")
            return True
        try:
            self._s3().put_object(
                Bucket=self._bucket, Key=self._key, Body=body, ContentType="application/gzip", **condition
            )
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in {409, 412}:
                self._others = True
                return False
            raise
        with self._lock:
            self._new -= included
            self._old_object = False
        return True

    def _exists(self, kind: str, plan_id: str, its_id: str) -> bool:
        """Whether it still exists, by what was listed in this invocation; True where nothing was."""
        if self._versions is not None and plan_id not in self._versions:
            return False
        if kind == PLANS:
            return self._versions is None or self._versions[plan_id] == its_id
        return plan_id not in self._selections or its_id in self._selections[plan_id]

    def _s3(self) -> Any:
        return self._make_s3()

    def _say(self, why: str) -> None:
        with self._lock:
            said = why in self._said or len(self._said) >= 5
            self._said.add(why)
        if not said:
            log(
                "WARNING", "kept reads", rule=self._reader, account=self._place.account, region=self._place.region,
                why=why,
            )  # fmt: skip


def _encoded(answers: Answers, place: Place) -> bytes:
    document: dict[str, Any] = {
        "format": FORMAT,
        "partition": place.partition,
        "account": place.account,
        "region": place.region,
        PLANS: {},
        SELECTIONS: {},
    }
    for (kind, plan_id, its_id), answer in sorted(answers.items(), key=lambda each: each[0]):
        document[kind].setdefault(plan_id, {})[its_id] = answer
    text = json.dumps(document, default=lambda value: value.isoformat(), separators=(",", ":"))
    return gzip.compress(text.encode(), mtime=0)


def _decoded(body: bytes, place: Place) -> Answers:
    """The answers of an object.

    Raises:
        KeyError, TypeError, ValueError, AttributeError, RecursionError, zlib.error: it is no such object, or is one of
            another account or Region.
    """
    unzip = zlib.decompressobj(wbits=31)
    text = unzip.decompress(body, MOST_TEXT)
    if len(body) > MOST_BYTES or not unzip.eof:
        raise ValueError("it is too large, or cut off")
    document = field({"it": json.loads(text)}, "it", dict)
    whose = tuple(document.get(name) for name in ("format", "partition", "account", "region"))
    if whose != (FORMAT, place.partition, place.account, place.region):
        raise ValueError(f"it says that it is of {str(whose)[:200]}")
    return {
        (kind, plan_id, its_id): _dated(answer, kind, plan_id, its_id)
        for kind in (PLANS, SELECTIONS)
        for plan_id, of_plan in field(document, kind, dict).items()
        for its_id, answer in of_plan.items()
    }


def _dated(answer: Mapping[str, Any], kind: str, plan_id: str, its_id: str) -> Answer:
    """The answer with its time stamp as AWS's answers have it."""
    if (answer["BackupPlanId"], answer[_OTHER_ID[kind]]) != (plan_id, its_id):
        raise ValueError(f"an answer under {plan_id[:100]}, {its_id[:100]} is of something else")
    created = answer.get("CreationDate")
    return answer if created is None else {**answer, "CreationDate": datetime.fromisoformat(created)}

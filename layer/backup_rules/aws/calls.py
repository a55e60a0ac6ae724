"""AWS calls: counted, paginated, in time; failing with words that name operation, account, Region and permission."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from backup_rules.arns import Place
from backup_rules.aws.memory import note_gap
from backup_rules.aws.rates import SERVICE, Clock, Pace
from backup_rules.errors import BackupRulesError, OutOfTimeError, ReadError
from backup_rules.wording.annotations import name as named
from backup_rules.wording.annotations import shorten

T = TypeVar("T")

# Reading stops while there is time left to put what was judged, and to write the log line: a sixth of the invocation's
# time, and that of two answers as slow as the slowest so far, from 5 to 25 seconds; one try of a call takes at most 20
# (`clients.CLIENT_CONFIG`).
LEAST_SECONDS_TO_SPARE, MOST_SECONDS_TO_SPARE = 5.0, 25.0
SECONDS_TO_SPARE_FOR_THE_END = 2.0

# So many failures of an operation in a row, whatever they were about, and it is not tried again in this invocation.
FAILURES_IN_A_ROW = 3

# Services whose IAM prefix is not the name of the client.
IAM_PREFIXES = {"resourcegroupstaggingapi": "tag"}

# A throttled call is tried again after half a second, then twice as long each time up to ten; as long as the time of
# the invocation allows, or for a minute of waiting where it has no end.
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 10.0
SECONDS_OF_WAITING_WITHOUT_END = 60.0
_THROTTLED = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown")

# AWS answered, and means it: trying the same operation on another subject makes sense. Any other failure (throttled
# until the waiting ended, 5xx, no connection) may be the operation's own.
_ABOUT_ONE_SUBJECT = re.compile(r"AccessDenied|NotFound|NoSuchEntity|Unauthorized|NotAuthorized|Invalid|Validation")
_DENIED = re.compile(r"AccessDenied|Unauthorized|NotAuthorized")

# What readers raise for an answer in another form than AWS documents.
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, RecursionError)

# IAM's of a hundred actions, which `aws.iam.split` reads, has about 3,000 characters.
LONGEST_MESSAGE = 4_000

_PAGE_TOKENS = ("NextToken", "nextToken", "Marker", "PaginationToken")


class ClientBuilder(Protocol):
    """What builds clients: rdklib's ClientFactory, or anything like it."""

    def build_client(self, service: str) -> Any: ...


def permission(service: str, operation: str) -> str:
    """`backup:GetBackupPlan`: the IAM action of an operation, for the operations that the rules call."""
    return f"{IAM_PREFIXES.get(service, service)}:{operation}"


class _Trying(threading.local):
    """Of each thread: the call that it makes, which is told of each try."""

    call: _Call | None = None


_trying = _Trying()


def _before_a_try(**_: Any) -> None:
    if _trying.call is not None:
        _trying.call.before_a_try()


def _after_a_try(response: tuple[Any, Mapping[str, Any]] | None = None, **_: Any) -> float | None:
    """Botocore asks whether to try again: after so many seconds; None leaves it to botocore's own retries."""
    if _trying.call is None or response is None:
        return None
    return _trying.call.after_a_try(response[1])


def _answered() -> None:
    if _trying.call is not None:
        _trying.call.answered()


def _watch(client: Any) -> None:
    """Have each try of the client's calls told to the call. Of those who are asked about a retry, the first decides."""
    client.meta.events.register_first("before-send", _before_a_try, unique_id="backup-rules-before")
    botocores_own = f"needs-retry.{client.meta.service_model.service_id.hyphenize()}"
    client.meta.events.register_first(botocores_own, _after_a_try, unique_id="backup-rules-after")


class _Call:
    """One call, with all its tries and pages: each waits for its turn, and for AWS while it throttles."""

    def __init__(self, calls: Calls, service: str, operation: str, *, at_the_end: bool) -> None:
        self._calls = calls
        self._service, self._operation = service, operation
        self._at_the_end = at_the_end
        self._throttled = 0
        self._waited = 0.0
        self._began = self._pauses = 0.0

    def begin(self) -> None:
        """From here on AWS is asked."""
        self._began, self._pauses = self._calls.clock.monotonic(), 0.0

    def before_a_try(self) -> None:
        """Raises OutOfTimeError where the time that is left is too short to wait for the turn of this call."""
        self.check_time()
        pace = self._calls.pace
        if pace is not None and self._service == SERVICE:
            seconds = pace.take(self._operation, self._calls.seconds_for_reading())
            if seconds > 0:
                self._wait(seconds, "for its turn, at this function's share of AWS's call rates")

    def after_a_try(self, answer: Mapping[str, Any]) -> float | None:
        """0 for a call that was throttled, once it has waited; None for any other."""
        if not _THROTTLED.search(str(answer.get("Error", {}).get("Code", ""))):
            self._throttled = 0
            return None
        if self._calls.pace is not None and self._service == SERVICE:
            self._calls.pace.throttled(self._operation)
        # S311: the waits of those who are throttled together have to differ, no more.
        seconds = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**self._throttled) * random.uniform(0.5, 1)  # noqa: S311
        self._throttled = min(self._throttled + 1, 10)
        self._waited += seconds
        if not self._calls.has_an_end and self._waited >= SECONDS_OF_WAITING_WITHOUT_END:
            return None
        self._wait(seconds, "as AWS throttles it")
        return 0

    def answered(self) -> None:
        """An answer, or a page of it, is there: how long AWS took, without what was waited for before it was asked."""
        self._calls.note_time(self._calls.clock.monotonic() - self._began - self._pauses)
        self.begin()

    def check_time(self, seconds: float = 0, why: str = "") -> None:
        """That there is time for this call after so many seconds.

        Raises:
            OutOfTimeError: there is not.
        """
        self._calls.check_time(self._service, self._operation, seconds, why, at_the_end=self._at_the_end)

    def _wait(self, seconds: float, why: str) -> None:
        self.check_time(seconds, f" It would wait {seconds:.1f} s {why}.")
        self._calls.clock.sleep(seconds)
        self._pauses += seconds


class Calls:
    """The AWS calls of one invocation, in one account and Region."""

    def __init__(
        self,
        place: Place,
        clients: ClientBuilder,
        seconds_left: Callable[[], float] | None = None,
        pace: Pace | None = None,
        clock: Clock = time,
    ) -> None:
        """Args:
        place: the account and Region that are read.
        clients: builds clients with that account's credentials.
        seconds_left: how long the invocation may still run; no page is asked for, and no call tried again, in the
            last seconds. None: it has no end.
        pace: the share of AWS's call rates to keep to; None: as fast as AWS answers.
        clock: what waits.
        """
        self.place = place
        self.pace = pace
        self.clock = clock
        self.has_an_end = seconds_left is not None
        self.counts: Counter[str] = Counter()
        self._clients = clients
        self.seconds_left = seconds_left or (lambda: 3600.0)
        self._to_spare = max(LEAST_SECONDS_TO_SPARE, min(MOST_SECONDS_TO_SPARE, self.seconds_left() / 6))
        self._failures: Counter[str] = Counter()
        self._given_up: dict[str, ReadError] = {}
        self._lock = threading.Lock()

    def one(
        self,
        service: str,
        operation: str,
        parse: Callable[[dict[str, Any]], T],
        *,
        at_the_end: bool = False,
        **parameters: Any,
    ) -> T:
        """The answer to one call, parsed.

        Args:
            service: the client's name.
            operation: in AWS's letter case.
            parse: reads the answer.
            at_the_end: the call belongs to the end of the invocation, for which time is spared.
            parameters: of the operation.

        Raises:
            ReadError: when the call fails, or when `parse` cannot read the answer.
        """

        def read(client: Any, method: str) -> T:
            made = True
            try:
                answer = getattr(client, method)(**parameters)
            except OutOfTimeError:
                made = False
                raise
            finally:
                if made:
                    self._count(service, operation)
            _answered()
            return parse(answer)

        return self._guarded(service, operation, read, parameters, at_the_end=at_the_end)

    def items(
        self, service: str, operation: str, key: str, parse: Callable[[Any], T], **parameters: Any
    ) -> tuple[T, ...]:
        """All pages of a listing, each item under `key` parsed. An item that `parse` cannot read leaves a gap.

        Raises:
            ReadError: when a call fails, when a page has no list under `key`, or when pages go round in a circle.
        """

        def read(client: Any, method: str) -> tuple[T, ...]:
            found: list[T] = []
            seen: set[str] = set()
            for page in client.get_paginator(method).paginate(**parameters):
                self._count(service, operation)
                _answered()
                for item in _list(page, key):
                    try:
                        found.append(parse(item))
                    except UNREADABLE as error:
                        note_gap(self.malformed(service, operation, _about(parameters), error))
                token = next((page[each] for each in _PAGE_TOKENS if page.get(each)), None)
                if token is None:
                    continue
                if token in seen:
                    raise ValueError(f"the page token {str(token)[:40]!r} came twice")
                seen.add(token)
                self.check_time(service, operation)
            return tuple(found)

        return self._guarded(service, operation, read, parameters)

    @contextmanager
    def reading(self, service: str, operation: str, about: str) -> Iterator[None]:
        """What is raised within the context is about an answer of that operation: it becomes a ReadError.

        `about` says whose answer it is, such as the ARN of a role.
        """
        try:
            yield
        except BackupRulesError:
            raise
        except UNREADABLE as error:
            raise self.malformed(service, operation, f" for {about}", error) from error

    def malformed(self, service: str, operation: str, about: str, error: Exception) -> ReadError:
        """That an answer cannot be read, and why."""
        why = str(error) if type(error) is ValueError else repr(error)
        return ReadError(
            f"{permission(service, operation)} in {self._where()}{about} answered something that cannot be read:"
            f" {why[:200]}.",
            "MalformedAnswer",
        )

    def _count(self, service: str, operation: str) -> None:
        with self._lock:
            self.counts[permission(service, operation)] += 1

    def note_time(self, seconds: float) -> None:
        """How long an answer took: see `LEAST_SECONDS_TO_SPARE`."""
        for_two = min(MOST_SECONDS_TO_SPARE, 2 * seconds + SECONDS_TO_SPARE_FOR_THE_END)
        with self._lock:
            self._to_spare = max(self._to_spare, for_two)

    def seconds_for_reading(self) -> float:
        """What is left of the invocation's time, without what is spared for its end."""
        return self.seconds_left() - self._to_spare

    def check_time(
        self, service: str, operation: str, seconds: float = 0, why: str = "", *, at_the_end: bool = False
    ) -> None:
        """That there is time for a call after so many seconds; `why` it would wait.

        Raises:
            OutOfTimeError: there is not.
        """
        left = self.seconds_left()
        if seconds > (left - SECONDS_TO_SPARE_FOR_THE_END if at_the_end else self.seconds_for_reading()):
            raise OutOfTimeError(
                f"Out of time before {permission(service, operation)} in {self._where()}: {left:.0f} s are left after"
                f" {sum(self.counts.values())} AWS calls.{why or ' Raise the memory or timeout of the function.'}"
            )

    def _guarded(
        self,
        service: str,
        operation: str,
        read: Callable[[Any, str], T],
        parameters: Mapping[str, Any],
        *,
        at_the_end: bool = False,
    ) -> T:
        name = permission(service, operation)
        if name in self._given_up:
            raise self._given_up[name]
        before = _trying.call
        call = _Call(self, service, operation, at_the_end=at_the_end)
        try:
            call.check_time()
            client = self._clients.build_client(service)
            _watch(client)
            _trying.call = call
            call.begin()
            found = read(client, xform_name(operation))
        except BackupRulesError:
            raise
        except ClientError as error:
            failure = self._refused(name, error, parameters)
            if not _ABOUT_ONE_SUBJECT.search(failure.code):
                self._failed(name, failure)
            raise failure from error
        except BotoCoreError as error:
            failure = ReadError(
                f"{name} failed in {self._where()}{_about(parameters)}: {shorten(str(error), LONGEST_MESSAGE)}",
                type(error).__name__,
            )
            self._failed(name, failure)
            raise failure from error
        except Exception as error:  # whatever else goes wrong between question and answer is an unreadable answer
            raise self.malformed(service, operation, _about(parameters), error) from error
        finally:
            _trying.call = before
        with self._lock:
            self._failures[name] = 0
        return found

    def _failed(self, name: str, failure: ReadError) -> None:
        with self._lock:
            self._failures[name] += 1
            if self._failures[name] >= FAILURES_IN_A_ROW:
                self._given_up[name] = failure

    def _refused(self, name: str, error: ClientError, parameters: Mapping[str, Any]) -> ReadError:
        detail = error.response.get("Error", {})
        code = str(detail.get("Code", "Unknown"))
        message = shorten(str(detail.get("Message", "")).strip(), LONGEST_MESSAGE)
        need = f" The role that reads this account needs {name}." if _DENIED.search(code) else ""
        return ReadError(f"{name} failed in {self._where()}{_about(parameters)}: {code}: {message}{need}", code)

    def _where(self) -> str:
        return f"account {self.place.account}, {self.place.region}"


def _list(page: Mapping[str, Any], key: str) -> list[Any]:
    found = page[key]
    if not isinstance(found, list):
        raise TypeError(f"{key} is {type(found).__name__}, not a list")
    return found


def _about(parameters: Mapping[str, Any]) -> str:
    subjects = [
        named(str(value), 200) for key, value in parameters.items() if key.endswith(("Id", "Name", "Arn")) and value
    ]
    return f" for {', '.join(subjects)}" if subjects else ""


def monotonic_deadline(context: Any, clock: Clock = time) -> Callable[[], float] | None:
    """Seconds left by the clock of the Lambda `context`, or None where there is none (on a person's machine)."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    if not callable(remaining):
        return None
    try:
        milliseconds = float(remaining())
    except (TypeError, ValueError):
        return None
    end = clock.monotonic() + milliseconds / 1000
    return lambda: end - clock.monotonic()

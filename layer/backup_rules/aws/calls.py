"""AWS calls: counted, paginated, and failing with words that name operation, account, Region and permission."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from backup_rules.arns import Place
from backup_rules.errors import BackupRulesError, ReadError

T = TypeVar("T")

SECONDS_TO_SPARE = 5.0  # what is left for the log line when an invocation runs out of time

# Services whose IAM prefix is not the name of the client.
IAM_PREFIXES = {"resourcegroupstaggingapi": "tag"}

# AWS answered, and means it: trying the same operation on another subject makes sense. Any other failure (throttled
# until the retries ran out, 5xx, no connection) is the operation's, and is not tried again in this invocation.
_ABOUT_ONE_SUBJECT = re.compile(r"AccessDenied|NotFound|NoSuchEntity|Unauthorized|NotAuthorized|Invalid|Validation")
_DENIED = re.compile(r"AccessDenied|Unauthorized|NotAuthorized")


class ClientBuilder(Protocol):
    """What builds clients: rdklib's ClientFactory, or anything like it."""

    def build_client(self, service: str) -> Any: ...


def permission(service: str, operation: str) -> str:
    """`backup:GetBackupPlan`: the IAM action of an operation, for the operations that the rules call."""
    return f"{IAM_PREFIXES.get(service, service)}:{operation}"


class Calls:
    """The AWS calls of one invocation, in one account and Region."""

    def __init__(self, place: Place, clients: ClientBuilder, seconds_left: Callable[[], float] | None = None) -> None:
        """Args:
        place: the account and Region that are read.
        clients: builds clients with that account's credentials.
        seconds_left: how long the invocation may still run; a call is not begun in the last seconds.
        """
        self.place = place
        self.counts: Counter[str] = Counter()
        self._clients = clients
        self._seconds_left = seconds_left or (lambda: 3600.0)
        self._failed: dict[str, ReadError] = {}
        self._lock = threading.Lock()

    def one(self, service: str, operation: str, parse: Callable[[dict[str, Any]], T], **parameters: Any) -> T:
        """The answer to one call, parsed.

        Raises:
            ReadError: when the call fails, or when `parse` cannot read the answer.
        """

        def read(client: Any, method: str) -> T:
            self._count(service, operation)
            return parse(getattr(client, method)(**parameters))

        return self._guarded(service, operation, read, parameters)

    def items(
        self, service: str, operation: str, key: str, parse: Callable[[Any], T], **parameters: Any
    ) -> tuple[T, ...]:
        """All pages of a listing, each item under `key` parsed.

        Raises:
            ReadError: when a call fails, or when a page has no list under `key` or an item that `parse` cannot read.
        """

        def read(client: Any, method: str) -> tuple[T, ...]:
            found: list[T] = []
            for page in client.get_paginator(method).paginate(**parameters):
                found.extend(parse(item) for item in _list(page, key))
                self._count(service, operation)
            return tuple(found)

        return self._guarded(service, operation, read, parameters)

    def _count(self, service: str, operation: str) -> None:
        with self._lock:
            self.counts[permission(service, operation)] += 1

    def _check_time(self, name: str) -> None:
        left = self._seconds_left()
        if left < SECONDS_TO_SPARE:
            raise ReadError(
                f"Out of time before {name} in {self._where()}: {left:.0f} s are left after"
                f" {sum(self.counts.values())} AWS calls. Raise the function's timeout or memory.",
                "OutOfTime",
            )

    def _guarded(self, service: str, operation: str, read: Callable[[Any, str], T], parameters: Mapping[str, Any]) -> T:
        name = permission(service, operation)
        if name in self._failed:
            raise self._failed[name]
        try:
            self._check_time(name)
            return read(self._clients.build_client(service), xform_name(operation))
        except BackupRulesError:
            raise
        except ClientError as error:
            failure = self._refused(name, error, parameters)
            if not _ABOUT_ONE_SUBJECT.search(failure.code):
                self._failed[name] = failure
            raise failure from error
        except BotoCoreError as error:
            failure = ReadError(f"{name} failed in {self._where()}: {error}", type(error).__name__)
            self._failed[name] = failure
            raise failure from error
        except Exception as error:  # whatever else goes wrong between question and answer is an unreadable answer
            raise ReadError(
                f"{name} in {self._where()}{_about(parameters)} answered something that cannot be read: {error!r}.",
                "MalformedAnswer",
            ) from error

    def _refused(self, name: str, error: ClientError, parameters: Mapping[str, Any]) -> ReadError:
        detail = error.response.get("Error", {})
        code = str(detail.get("Code", "Unknown"))
        message = str(detail.get("Message", "")).strip()
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
    subjects = [str(value) for key, value in parameters.items() if key.endswith(("Id", "Name", "Arn")) and value]
    return f" for {', '.join(subjects)}" if subjects else ""


def monotonic_deadline(context: Any) -> Callable[[], float] | None:
    """Seconds left by the clock of the Lambda `context`, or None where there is none (on a person's machine)."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    if not callable(remaining):
        return None
    try:
        milliseconds = float(remaining())
    except (TypeError, ValueError):
        return None
    end = time.monotonic() + milliseconds / 1000
    return lambda: end - time.monotonic()

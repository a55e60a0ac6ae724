"""One member account's AWS Config and Security Hub in one Region, as the forwarder needs them."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import boto3
from asff import Described
from botocore.exceptions import BotoCoreError, ClientError

from backup_rules.aws.clients import CLIENT_CONFIG, assume_role
from backup_rules.compliance_changes import Change
from backup_rules.errors import ReadError

BATCH = 100  # findings that one BatchImportFindings takes, and items of one page of GetFindings
FILTER_VALUES = 20  # values that one filter of GetFindings takes
EXPRESSION = 4096  # characters of one expression of SelectResourceConfig
TRIES = 4
BACKOFF_SECONDS = 0.2  # before the second try of refused findings; twice as long before each further one
SESSION_NAME = "forwardFindings"

# Trying once more does not help: the hub is off, the caller may not, or the finding is not of the format.
_FINAL = re.compile(r"Invalid|AccessDenied|NotAuthorized|Unauthorized")
_DENIED = re.compile(r"AccessDenied|NotAuthorized|Unauthorized")
_ONE_IS_BAD = re.compile(r"InvalidInput|Validation")

Failures = dict[str, str]
"""What went wrong, by the id of the finding."""


class HubError(RuntimeError):
    """An AWS call failed for all that was asked; names the call, the account, the Region and a missing permission."""

    def __init__(self, message: str, code: str, permission: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.permission = permission


class RoleError(HubError):
    """The role of the account cannot be assumed: nothing can be asked there."""


class Hub:
    """Reads and imports under a role of the member account, which must be that of the findings.

    Source: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
    """

    def __init__(self, change: Change, role_name: str) -> None:
        """`change` is any of the account and Region."""
        self._partition, self._account, self._region = change.partition, change.account, change.region
        self._role = f"arn:{change.partition}:iam::{change.account}:role/{role_name}"
        self._credentials: dict[str, str] | None = None

    def describe(self, changes: Iterable[Change]) -> dict[tuple[str, str], Described]:
        """What AWS Config has recorded of the resources, by type and id; what it has not is missing.

        Raises:
            HubError: when AWS Config does not answer.
        """
        found: dict[tuple[str, str], Described] = {}
        for expression in expressions((each.resource_type, each.resource_id) for each in changes):
            token: dict[str, str] = {}
            while True:
                answer = self._call(
                    "config", "select_resource_config", "Results", Expression=expression, Limit=100, **token
                )
                for text in answer["Results"]:
                    item = json.loads(text)
                    tags = {tag["key"]: tag["value"] for tag in item.get("tags") or []}
                    found[item["resourceType"], item["resourceId"]] = Described(item.get("arn"), tags)
                if not answer.get("NextToken"):
                    break
                token = {"NextToken": answer["NextToken"]}
        return found

    def created(self, product_arn: str, ids: Sequence[str]) -> dict[str, str]:
        """When each finding that Security Hub has was first made.

        Raises:
            HubError: when Security Hub does not answer.
        """
        found: dict[str, str] = {}
        for some in _parts(ids, FILTER_VALUES):
            filters = {
                "ProductArn": [{"Value": product_arn, "Comparison": "EQUALS"}],
                "Id": [{"Value": each, "Comparison": "EQUALS"} for each in some],
            }
            answer = self._call("securityhub", "get_findings", "Findings", Filters=filters, MaxResults=BATCH)
            found |= {each["Id"]: each["CreatedAt"] for each in answer["Findings"]}
        return found

    def import_findings(self, findings: Sequence[Mapping[str, Any]]) -> Failures:
        """Import all, in batches; those that could not be imported, each with the reason.

        Raises:
            HubError: when the account cannot be reached at all: its role cannot be assumed.
        """
        failures: Failures = {}
        for batch in _parts(findings, BATCH):
            failures |= self._import_batch(batch)
        return failures

    def _import_batch(self, findings: Sequence[Mapping[str, Any]]) -> Failures:
        """Tries again what failed, and only that. Where one bad finding spoils a call, its halves go by themselves."""
        waiting = {str(each["Id"]): each for each in findings}
        failures: Failures = {}
        for attempt in range(TRIES):
            if attempt:
                time.sleep(BACKOFF_SECONDS * 2 ** (attempt - 1))
            try:
                answer = self._call(
                    "securityhub", "batch_import_findings", "SuccessCount", Findings=list(waiting.values())
                )
            except HubError as error:
                if len(waiting) > 1 and _ONE_IS_BAD.search(error.code):
                    half = len(waiting) // 2
                    items = list(waiting.values())
                    return failures | self._import_batch(items[:half]) | self._import_batch(items[half:])
                return failures | dict.fromkeys(waiting, str(error))
            refused = {each["Id"]: each for each in answer.get("FailedFindings") or []}
            reasons = {
                each: f"{refused[each].get('ErrorCode')}: {refused[each].get('ErrorMessage')}"
                for each in waiting
                if each in refused
            }
            final = {each for each in reasons if _FINAL.search(str(refused[each].get("ErrorCode")))}
            failures |= {each: reasons[each] for each in final}
            waiting = {each: waiting[each] for each in reasons if each not in final}
            if not waiting:
                return failures
        return failures | {each: reasons[each] for each in waiting}

    def _call(self, service: str, method: str, expected: str, **parameters: Any) -> dict[str, Any]:
        """The answer, which must hold what is expected: one that was cut off holds nothing, and means nothing."""
        action = f"{service}:{''.join(word.capitalize() for word in method.split('_'))}"
        client = self._client(service)
        try:
            answer = dict(getattr(client, method)(**parameters))
        except ClientError as error:
            raise self._error(action, error) from error
        except BotoCoreError as error:
            raise HubError(f"{action} failed in {self._where}: {error}", type(error).__name__) from error
        if expected not in answer:
            raise HubError(f"{action} in {self._where} answered without {expected}.", "MalformedAnswer")
        return answer

    def _client(self, service: str) -> Any:
        if self._credentials is None:
            self._credentials = self._assume()
        return _client(service, self._region, **self._credentials)

    def _assume(self) -> dict[str, str]:
        try:
            return assume_role(
                lambda: _client("sts", self._region),
                self._role,
                self._account,
                self._region,
                session_name=SESSION_NAME,
                if_denied="Deploy finding-events.yaml there, with the account of this function as its"
                " CentralAccountId; this function's role needs sts:AssumeRole.",
            )
        except ReadError as error:
            permission = "sts:AssumeRole" if _DENIED.search(error.code) else None
            raise RoleError(str(error), error.code, permission) from error

    def _error(self, action: str, error: ClientError) -> HubError:
        detail = error.response.get("Error", {})
        code, message = str(detail.get("Code", "Unknown")), str(detail.get("Message", "")).strip()
        hint = f" The findings role needs {action}." if _DENIED.search(code) else ""
        if code == "InvalidAccessException":
            hint = " Security Hub is off there: enable it, and redrive the dead-letter queue."
        permission = action if _DENIED.search(code) else None
        return HubError(f"{action} failed in {self._where}: {code}: {message}{hint}", code, permission)

    @property
    def _where(self) -> str:
        return f"account {self._account}, {self._region}"


_sessions = threading.Lock()


def _client(service: str, region: str, **credentials: str) -> Any:
    with _sessions:  # boto3 makes clients from one shared session, which only one thread may use at a time
        return boto3.client(service, region_name=region, config=CLIENT_CONFIG, **credentials)


def expressions(resources: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Queries for the ARN and tags of resources (type, id), as few as the length of an expression allows.

    Source: https://docs.aws.amazon.com/config/latest/developerguide/query-components.html
    """
    # An account is no resource of AWS Config, and a quote could not be written into a query.
    asked = sorted({each for each in resources if each[0] != "AWS::::Account" and "'" not in each[1]})
    ids: list[str] = []
    for _, name in asked:
        longer = _expression([*ids, name])
        if ids and len(longer) > EXPRESSION:
            yield _expression(ids)
            ids = []
        ids.append(name)
    if ids:
        yield _expression(ids)


def _expression(ids: Sequence[str]) -> str:
    listed = ", ".join(f"'{each}'" for each in ids)
    return f"SELECT resourceType, resourceId, arn, tags WHERE resourceId IN ({listed})"


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]

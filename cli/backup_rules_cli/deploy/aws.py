"""Calls to AWS on a person's behalf, and what to say when one fails.

`Access` is one account, as a profile reaches it. What AWS refuses becomes an `AwsCallError` that names the operation,
the account, the Region and, where the call was denied, the missing IAM permission.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from threading import Lock
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ProfileNotFound
from botocore.loaders import Loader

from backup_rules_cli.errors import CommandError
from backup_rules_cli.places import NO_CREDENTIALS

# CloudFormation and AWS Organizations admit few calls a second, and a rollout asks again and again.
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 8})

# Where an action is not named after its operation:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
_ACTIONS = {
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:DeleteObjects": "s3:DeleteObjectVersion",
}

_SESSION_NAME = "backup-rules-deploy"

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})

_MENDS = {NoCredentialsError: f" {NO_CREDENTIALS}", ProfileNotFound: f" {NO_CREDENTIALS}"}

_OFF = (
    " Either the credentials are not valid, or the Region is not turned on for the account: aws account enable-region"
)
_MENDS_OF_CODES = {
    "ExpiredToken": " Sign in again.",
    "ExpiredTokenException": " Sign in again.",
    "InvalidClientTokenId": _OFF,
    "UnrecognizedClientException": _OFF,
    "AuthFailure": _OFF,
}


class AwsCallError(CommandError):
    """A call failed. `code` is AWS's error code, or the name of botocore's exception; `text` is what AWS said."""

    def __init__(self, message: str, code: str, text: str) -> None:
        super().__init__(message)
        self.code = code
        self.text = text

    @property
    def denied(self) -> bool:
        """Whether AWS refused it for lack of a permission."""
        return self.code in _DENIED


@dataclass(frozen=True)
class Caller:
    """Who calls: the account, its partition, and the ARN of the user or role session."""

    account: str
    partition: str
    arn: str


@dataclass
class Access:
    """One account as a profile reaches it, '' for the environment's credentials. `region` is for what has none."""

    profile: str
    region: str
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    @cached_property
    def caller(self) -> Caller:
        """Who the credentials belong to.

        Raises:
            AwsCallError: there are none, or they are not valid.
        """
        answer = self.call("sts", self.region, "get_caller_identity")
        arn = str(answer["Arn"])
        return Caller(str(answer["Account"]), arn.split(":")[1], arn)

    def under(self, role: str, policy: str) -> Access:
        """The account of a role, as its session reaches it that may do what the policy says and no more.

        Raises:
            AwsCallError: the role is not there, or does not trust the caller.
        """
        asked = {"RoleArn": role, "RoleSessionName": _SESSION_NAME, "Policy": policy}
        given = self.call("sts", self.region, "assume_role", **asked)["Credentials"]
        keys = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
        made = Access(self.profile, self.region)
        # What else the profile says holds for the session, such as its `endpoint_url`.
        made._session = _session(self.region, botocore.session.Session(profile=self.profile or None), *keys)
        return made

    def call(self, service: str, region: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """One call of a client's method, such as `describe_stacks`.

        Raises:
            AwsCallError: AWS refused it, or could not be reached.
        """
        try:
            return dict(getattr(self._client(service, region), operation)(**parameters))
        except (ClientError, BotoCoreError) as error:
            raise self._failed(error, service, region, operation) from error

    def items(self, service: str, region: str, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
        """The items under `key` on all pages of an operation's answer, one at a time.

        Raises:
            AwsCallError: AWS refused it, or could not be reached.
        """
        try:
            for page in self._client(service, region).get_paginator(operation).paginate(**parameters):
                yield from page.get(key) or ()
        except (ClientError, BotoCoreError) as error:
            raise self._failed(error, service, region, operation) from error

    @cached_property
    def _session(self) -> boto3.Session:
        return _session(self.region, botocore.session.Session(profile=self.profile or None))

    def _client(self, service: str, region: str) -> Any:
        with self._lock:  # several threads may ask, and boto3's session makes one client at a time
            if (service, region) not in self._clients:
                self._clients[service, region] = self._session.client(service, region_name=region, config=_CONFIG)
            return self._clients[service, region]

    def _failed(self, error: ClientError | BotoCoreError, service: str, region: str, method: str) -> AwsCallError:
        if not isinstance(error, ClientError):
            mend = next((text for kind, text in _MENDS.items() if isinstance(error, kind)), "")
            return AwsCallError(
                f"{service}, {region}: {str(error).rstrip('.')}.{mend}", type(error).__name__, str(error)
            )
        operation = self._client(service, region).meta.method_to_api_mapping.get(method, method)
        code, text = str(error.response["Error"]["Code"]), str(error.response["Error"].get("Message", ""))
        action = _ACTIONS.get(f"{service}:{operation}", f"{service}:{operation}")
        who = f" of profile {self.profile}" if self.profile else ""
        account = f" in account {self.caller.account}" if service != "sts" else ""
        if code in _DENIED:
            message = (
                f"{action} was denied{account}, {region}: the credentials{who} lack the permission {action}, or a"
                f" policy of the organization withholds it. AWS said: {text}"
            )
        else:
            message = f"{action} failed{account}, {region}: {code}: {text}{_MENDS_OF_CODES.get(code, '')}"
        return AwsCallError(message, code, text)


def _session(region: str, session: botocore.session.Session, *keys: str) -> boto3.Session:
    # Reading AWS's service models is what makes a session slow; several share what one has read.
    session.register_component("data_loader", _loader())
    return boto3.Session(*keys, region_name=region, botocore_session=session)


@cache
def _loader() -> Loader:
    return botocore.session.Session().get_component("data_loader")

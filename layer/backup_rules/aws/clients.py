"""boto3 clients for one account: made when first needed, once each, with the credentials of that account only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rdklib import ClientFactory

from backup_rules.arns import Arn
from backup_rules.errors import ReadError

WORKERS = 8  # independent reads that run side by side; the connection pool of each client is as large

# Five tries with exponential backoff, but for what AWS throttles (`calls`): https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=5,
    read_timeout=15,
    max_pool_connections=WORKERS,
)

# Of what can be done without: it is not waited for long.
OWN_CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=5, max_pool_connections=1
)

SESSION_SECONDS = 900
SESSION_NAME = "configLambdaExecution"  # rdklib's own, so that trust policies written for it go on working


class AccountClientFactory(ClientFactory):
    """rdklib's client factory, for exactly one account.

    What differs: each client is made once and retries; STS is called at the endpoint of the Region in every partition;
    a role that cannot be assumed raises an error that names it; and the assumed role must be one of the account that
    is to be judged.
    """

    def __init__(self, account: str, region: str, role_arn: str | None) -> None:
        """Clients for `account` in `region` under `role_arn`; None: under the caller's own credentials."""
        super().__init__(role_arn=role_arn, region=region, assume_role_mode=role_arn is not None)
        self._account = account
        self._region = region
        self._role_arn = role_arn
        self._clients: dict[tuple[str, str], Any] = {}
        self._credentials: dict[str, str] | None = None
        self._lock = threading.Lock()

    def build_client(self, service: str, region: str | None = None, assume_role_mode: bool = True) -> Any:  # noqa: FBT001, FBT002 - rdklib's signature
        """The client for `service`, e.g. `backup`.

        Raises:
            ReadError: when the role cannot be assumed.
        """
        del assume_role_mode
        key = (service, region or self._region)
        with self._lock:  # boto3 makes clients from one shared session, which only one thread may use at a time
            if key not in self._clients:
                if self._role_arn is not None and self._credentials is None:
                    self._credentials = self._assume(self._role_arn)
                self._clients[key] = boto3.client(
                    service, region_name=key[1], config=CLIENT_CONFIG, **(self._credentials or {})
                )
            return self._clients[key]

    def own_client(self, service: str) -> Any:
        """The client for `service` under the function's own role, whatever role the others assume; made once."""
        key = (service, "")
        with self._lock:
            if key not in self._clients:
                self._clients[key] = boto3.client(service, region_name=self._region, config=OWN_CLIENT_CONFIG)
            return self._clients[key]

    def _assume(self, role_arn: str) -> dict[str, str]:
        return assume_role(
            lambda: boto3.client("sts", region_name=self._region, config=CLIENT_CONFIG),
            role_arn,
            self._account,
            self._region,
            session_name=SESSION_NAME,
            if_denied="Deploy the member role, or name another role in the rule parameter ExecutionRoleName; its trust"
            " policy must admit this function's role, and that role needs sts:AssumeRole.",
        )


def assume_role(  # noqa: PLR0913 - what is assumed, and how the reader of a failure is helped
    sts: Callable[[], Any], role_arn: str, account: str, region: str, *, session_name: str, if_denied: str
) -> dict[str, str]:
    """Credentials under a role of that account and no other, as `boto3.client` takes them.

    Args:
        sts: makes the client that assumes it.
        role_arn: the role.
        account: whose role it must be.
        region: for what is said of a failure.
        session_name: what CloudTrail calls the session.
        if_denied: what to do about it when the role cannot be assumed.

    Raises:
        ReadError: when the role is not of the account, or cannot be assumed.
    """
    role = Arn.parse(role_arn)
    if role is None or role.account != account:
        raise ReadError(
            f"The role to assume, {role_arn!r}, is not a role of account {account}, which is to be judged.",
            "WrongAccount",
        )
    where = f"sts:AssumeRole of {role_arn} for account {account}, {region}"
    try:
        answer = sts().assume_role(RoleArn=role_arn, RoleSessionName=session_name, DurationSeconds=SESSION_SECONDS)
        assumed = Arn.parse(answer.get("AssumedRoleUser", {}).get("Arn", role_arn))
        credentials = {
            "aws_access_key_id": _part(answer, "AccessKeyId"),
            "aws_secret_access_key": _part(answer, "SecretAccessKey"),
            "aws_session_token": _part(answer, "SessionToken"),
        }
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "Unknown")
        hint = f" {if_denied}" if "AccessDenied" in code else ""
        raise ReadError(f"{where} failed: {error}.{hint}", code) from error
    except BotoCoreError as error:
        raise ReadError(f"{where} failed: {error}", type(error).__name__) from error
    except Exception as error:  # whatever else goes wrong is an answer that holds no credentials
        raise ReadError(f"{where} answered without credentials ({error!r}).", "MalformedAnswer") from error
    if assumed is None or assumed.account != account:
        raise ReadError(f"{where} gave credentials of {assumed}, another account.", "WrongAccount")
    return credentials


def _part(answer: Mapping[str, Any], key: str) -> str:
    """A part of the credentials. For an empty one boto3 takes the function's own, and would read another account."""
    text = answer["Credentials"][key]
    if not isinstance(text, str) or not text:
        raise ValueError(f"{key} is missing")  # and no word of what else is there
    return text

"""boto3 clients for one account: made when first needed, once each, with the credentials of that account only."""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rdklib import ClientFactory

from backup_rules.arns import Arn
from backup_rules.errors import ReadError

WORKERS = 8  # independent reads that run side by side; the connection pool of each client is as large

# Five tries with exponential backoff: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=WORKERS,
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

    def _assume(self, role_arn: str) -> dict[str, str]:
        role = Arn.parse(role_arn)
        if role is None or role.account != self._account:
            raise ReadError(
                f"The role to assume, {role_arn!r}, is not a role of account {self._account}, which is to be judged.",
                "WrongAccount",
            )
        where = f"sts:AssumeRole of {role_arn} for account {self._account}, {self._region}"
        try:
            sts = boto3.client("sts", region_name=self._region, config=CLIENT_CONFIG)
            answer = sts.assume_role(RoleArn=role_arn, RoleSessionName=SESSION_NAME, DurationSeconds=SESSION_SECONDS)
            assumed = Arn.parse(answer.get("AssumedRoleUser", {}).get("Arn", role_arn))
            credentials = {
                "aws_access_key_id": answer["Credentials"]["AccessKeyId"],
                "aws_secret_access_key": answer["Credentials"]["SecretAccessKey"],
                "aws_session_token": answer["Credentials"]["SessionToken"],
            }
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "Unknown")
            hint = (
                " Deploy the member role, or name another role in the rule parameter ExecutionRoleName; its trust"
                " policy must admit this function's role, and that role needs sts:AssumeRole."
                if "AccessDenied" in code
                else ""
            )
            raise ReadError(f"{where} failed: {error}.{hint}", code) from error
        except BotoCoreError as error:
            raise ReadError(f"{where} failed: {error}", type(error).__name__) from error
        except Exception as error:  # whatever else goes wrong is an answer that holds no credentials
            raise ReadError(f"{where} answered without credentials ({error!r}).", "MalformedAnswer") from error
        if assumed is None or assumed.account != self._account:
            raise ReadError(f"{where} gave credentials of {assumed}, another account.", "WrongAccount")
        return credentials

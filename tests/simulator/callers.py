"""Clients in any account of a simulation, made once for all tests: making one takes longer than most tests."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.awsrequest import AWSRequest


@cache
def client(service: str, account: str = "123456789012", region: str = "eu-west-1") -> Any:
    """A client whose calls are made in that account, without credentials of its own."""
    made = boto3.Session("simulated", "simulated", region_name=region).client(service)

    def name_account(request: AWSRequest, **_: Any) -> None:
        request.headers["x-moto-account-id"] = account

    made.meta.events.register("before-sign", name_account)
    return made

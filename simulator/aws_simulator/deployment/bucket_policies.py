"""Bucket policies with conditions: moto's own refuses everybody as soon as a condition of a statement does not hold.

A statement counts only when its conditions hold. Requests come over TLS here, whatever the simulator's server speaks.
Of the caller, its `aws:PrincipalArn` is known: the role of a session, else the account's root user.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import wraps
from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response
from moto.sts.models import sts_backends

from aws_simulator.core.iam.policies import Statement, parse_document

_caller: ContextVar[str] = ContextVar("caller", default="")
"""The `aws:PrincipalArn` of the request that is being answered."""


def _permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
    if self.policy is None:
        return PermissionResult.NEUTRAL
    context = {"aws:securetransport": ("true",)}
    if _caller.get():
        context["aws:principalarn"] = (_caller.get(),)
    statements = parse_document("resource", self.policy.decode()).statements
    speaking = [each for each in statements if _is_about_all(each) and each.applies(action, resource, context)]
    if any(each.denies for each in speaking):
        return PermissionResult.DENIED
    return PermissionResult.PERMITTED if speaking else PermissionResult.NEUTRAL


def _is_about_all(statement: Statement) -> bool:
    principal: Any = statement.principal
    named = principal.get("AWS") if isinstance(principal, dict) else principal
    return named in ("*", ["*"])


def _principal(response: S3Response) -> str:
    account, partition = response.current_account, response.partition
    for assumed in reversed(sts_backends[account][partition].assumed_roles):
        if assumed.access_key_id == response.access_key:
            return str(assumed.role_arn)
    return f"arn:{partition}:iam::{account}:root"


def install() -> None:
    """Has moto's S3 ask this. Idempotent."""
    setattr(FakeBucket, "get_permission", _permission)  # noqa: B010 - mypy forbids assigning to a method
    set_up = S3Response.setup_class
    if hasattr(set_up, "tells_the_caller"):
        return

    @wraps(set_up)
    def telling(self: S3Response, *args: Any, **kwargs: Any) -> None:
        set_up(self, *args, **kwargs)
        _caller.set(_principal(self))

    setattr(telling, "tells_the_caller", True)  # noqa: B010 - a function has no such attribute by type
    setattr(S3Response, "setup_class", telling)  # noqa: B010 - as above

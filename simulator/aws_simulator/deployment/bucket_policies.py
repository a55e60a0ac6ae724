"""Bucket policies with conditions: moto's own refuses everybody as soon as a condition of a statement does not hold.

A statement counts only when its conditions hold. Requests come over TLS here, whatever the simulator's server speaks;
what else a condition asks about the caller is not known, so that a Deny which depends on it does not strike.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
"""

from __future__ import annotations

from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from aws_simulator.core.iam.policies import Statement, parse_document

_CONTEXT = {"aws:securetransport": ("true",)}


def _permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
    if self.policy is None:
        return PermissionResult.NEUTRAL
    statements = parse_document("resource", self.policy.decode()).statements
    speaking = [each for each in statements if _is_about_all(each) and each.applies(action, resource, _CONTEXT)]
    if any(each.denies for each in speaking):
        return PermissionResult.DENIED
    return PermissionResult.PERMITTED if speaking else PermissionResult.NEUTRAL


def _is_about_all(statement: Statement) -> bool:
    principal: Any = statement.principal
    named = principal.get("AWS") if isinstance(principal, dict) else principal
    return named in ("*", ["*"])


def install() -> None:
    """Has moto's S3 ask this. Idempotent."""
    setattr(FakeBucket, "get_permission", _permission)  # noqa: B010 - mypy forbids assigning to a method

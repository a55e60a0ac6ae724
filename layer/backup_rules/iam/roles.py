"""IAM roles, as far as AWS Backup uses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backup_rules.values import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """An IAM role: its ARN, and its trust policy as AWS gives it (a document or its JSON text)."""

    arn: str
    trust_policy: Mapping[str, Any] | str

"""No resource misses a backup selection because a tag key or value is written in other letter case."""

from __future__ import annotations

from typing import Any

from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.selections.near_misses import Difference
from backup_rules.shared_rules.near_miss_rule import NearMissRule


class BACKUP_TAG_CASE(NearMissRule):
    """Verdicts are about selections, and about each resource that one of them misses by letter case only."""

    difference = Difference.CASE
    unlike = "in other letter case"
    reason = "Tags are case-sensitive"


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_TAG_CASE()).handle(event, context)

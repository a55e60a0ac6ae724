"""What an invocation of the rule does in the ordinary account, where its permissions do not tell."""

from __future__ import annotations

from backup_rules_cli.costs.counts import Invocation


def evaluations(invocation: Invocation) -> int:
    """How many evaluations an invocation puts."""
    return invocation.selections

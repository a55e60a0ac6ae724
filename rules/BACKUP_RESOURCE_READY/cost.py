"""What a run of the rule does in the ordinary account, where its permissions do not tell."""

from __future__ import annotations

from backup_rules_cli.costs.counts import Run


def evaluations(run: Run) -> int:
    """How many evaluations a run puts."""
    return run.selections

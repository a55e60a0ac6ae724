"""What changes the schedules and windows of the plan."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules_cli.answers.fixes import Broken, edit_plan


def commands(broken: Broken) -> Iterator[str]:
    """How the plan is changed; the finding says what to change."""
    return edit_plan(broken.of, broken.place.region)

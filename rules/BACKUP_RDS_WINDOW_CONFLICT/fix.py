"""What moves the schedules of the plans that pick the database."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules_cli.answers.fixes import Broken, edit_plan


def commands(broken: Broken) -> Iterator[str]:
    """How each plan is changed; the finding names an hour that is free."""
    for plan in broken.of.reported:
        yield from edit_plan(plan.summary, broken.place.region)

"""What moves the schedule of the plan that picks the file systems."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules.aws import backup
from backup_rules_cli.answers.fixes import Broken, edit_plan


def commands(broken: Broken) -> Iterator[str]:
    """How the plan is changed; the finding names an hour that is free."""
    plan = backup.plan_of(broken.account, broken.of.selection)
    return edit_plan(plan.summary, broken.place.region)

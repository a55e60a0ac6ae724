"""How an annotation names a backup rule."""

from __future__ import annotations

from backup_rules.plans.plans import BackupRule, Plan
from backup_rules.wording.annotations import NAMES, NamesShown, name


def called(rule: BackupRule, plan: Plan, shown: NamesShown = NAMES[0]) -> str:
    """`nightly of plan prod`; longer names lose their middle."""
    of_rule, of_plan = shown
    return f"{name(rule.name, of_rule)} of plan {name(plan.name, of_plan)}"

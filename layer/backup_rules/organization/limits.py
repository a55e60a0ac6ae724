"""The limits that AWS documents for backup policies. A policy that breaks one is invalid, whole.

Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/aws-backup-limits.html (policy quotas),
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_backup_syntax.html and
https://docs.aws.amazon.com/organizations/latest/userguide/invalid-policy-alerts.html. Continuous backups need a
retention: AWS Backup refuses a plan without (https://github.com/aws/aws-cdk/pull/17602).
"""

from __future__ import annotations

from backup_rules.organization.policy_document import Element
from backup_rules.plans.plans import Lifecycle
from backup_rules.vaults.vaults import MAX_CONTINUOUS_RETENTION_DAYS

MAX_RULES = 10
MAX_SELECTIONS = 100
MAX_SELECTIONS_BY_TAGS = 10
MAX_TAG_VALUES = 30
MAX_CONDITIONS = 30
MAX_COPY_ACTIONS = 5
MAX_RECOVERY_POINT_TAGS = 10
MIN_START_WINDOW_MINUTES = 60
MIN_COLD_STORAGE_DAYS = 90


def check_plan(plan: Element) -> None:
    """Note what a plan has too many of, and where it selects by tags and by resources at once.

    AWS calls the two mutually exclusive, and names no error for both.
    """
    selections = plan.child("selections")
    by_tags, by_resources = selections.child("tags"), selections.child("resources")
    _at_most(MAX_RULES, plan.child("rules"), plan.child("rules").size, "backup rules in a plan")
    _at_most(MAX_SELECTIONS_BY_TAGS, by_tags, by_tags.size, "selections by tags in a plan")
    _at_most(MAX_SELECTIONS, selections, by_tags.size + by_resources.size, "selections in a plan")
    if by_tags.size and by_resources.size:
        selections.disputed("has both tags and resources, which AWS calls mutually exclusive")


def check_rule(rule: Element, start_window_minutes: int | None, lifecycle: Lifecycle, *, continuous: bool) -> None:
    """Note a start window that is too short, a retention that continuous backup does not admit, and what is too many.

    A `start_window_minutes` of None is not written there.
    """
    copies, tags = rule.child("copy_actions"), rule.child("recovery_point_tags")
    if start_window_minutes is not None and start_window_minutes < MIN_START_WINDOW_MINUTES:
        rule.child("start_backup_window_minutes").beyond_limit(
            f"is {start_window_minutes}; AWS requires at least {MIN_START_WINDOW_MINUTES} minutes"
        )
    kept = lifecycle.delete_after_days
    if continuous and (kept is None or kept > MAX_CONTINUOUS_RETENTION_DAYS):
        rule.child("lifecycle").child("delete_after_days").beyond_limit(
            f"{'keeps backups for ever' if kept is None else f'is {kept}'}; AWS keeps continuous backups for at most"
            f" {MAX_CONTINUOUS_RETENTION_DAYS} days"
        )
    if not copies.child("target_backup_vault_arn").present:  # a single copy action, without a key
        _at_most(MAX_COPY_ACTIONS, copies, copies.size, "copy actions in a backup rule")
    _at_most(MAX_RECOVERY_POINT_TAGS, tags, tags.size, "tags on a recovery point")


def check_lifecycle(lifecycle: Element, read: Lifecycle) -> None:
    """Note a backup that is deleted too early in cold storage, as in effective policies that AWS prints as examples."""
    delete, move = read.delete_after_days, read.move_to_cold_storage_after_days
    if delete is not None and move is not None and delete < move + MIN_COLD_STORAGE_DAYS:
        lifecycle.disputed(
            f"deletes after {delete} days, and moves to cold storage after {move}: AWS asks for"
            f" {MIN_COLD_STORAGE_DAYS} days between"
        )


def check_selection(selection: Element, *, tags: int, conditions: int) -> None:
    """Note more tags or conditions than a selection may have."""
    _at_most(MAX_TAG_VALUES, selection.child("tag_value"), tags, "tags in a selection")
    _at_most(MAX_CONDITIONS, selection.child("conditions"), conditions, "conditions in a selection")


def _at_most(limit: int, element: Element, number: int, what: str) -> None:
    if number > limit:
        element.beyond_limit(f"has {number} entries; AWS allows {limit} {what}")

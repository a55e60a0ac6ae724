"""Values to try in the place of those that a document leaves open.

What comes out the same whatever the value is, does not depend on it; for each kind of value there is one that does no
harm and one that does. Where no such set of values can be given, what holds the value cannot be read at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backup_rules_cli.check.things import Unknown

NUMBER = 3
"""How many values are tried."""

ABSENT = object()
UNNAMED = "a-name-that-is-not-known-here"
"""Stands in names and ARNs: no verdict whose words hold it is told in these words."""

_DAYS = (ABSENT, 1, 36500)
_NAME = (UNNAMED, UNNAMED, UNNAMED)
_ELSEWHERE = f"arn:aws:backup:us-west-2:999999999999:backup-vault:{UNNAMED}"
_WINDOW_DAILY = (ABSENT, "00:00-23:59", "11:11-11:41")
_GUESSES: Mapping[str, tuple[Any, ...]] = {
    # Of plans and their backup rules
    "BackupPlanName": _NAME,
    "RuleName": _NAME,
    "TargetBackupVaultName": _NAME,
    "ScheduleExpression": ("cron(0 5 * * ? *)", "cron(0/5 * * * ? *)", "cron(0 5 30 2 ? *)"),
    "ScheduleExpressionTimezone": ("Etc/UTC", "Etc/UTC", UNNAMED),
    "StartWindowMinutes": (480, 10, 60),
    "CompletionWindowMinutes": (10080, 10, 120),
    "DeleteAfterDays": _DAYS,
    "MoveToColdStorageAfterDays": _DAYS,
    "EnableContinuousBackup": (False, True, False),
    "RecoveryPointTags": (ABSENT, {"a": "b"}, ABSENT),
    "Lifecycle": (ABSENT, {"DeleteAfterDays": 1}, {"DeleteAfterDays": 36500}),
    # Of selections
    "SelectionName": _NAME,
    "ConditionValue": ("a value that is not known here", "another one", "and one more"),
    # Of vaults
    # In the contrary order: a backup that is kept for a day meets a lock that wants it for a hundred years.
    "MinRetentionDays": (ABSENT, 36500, 1),
    "MaxRetentionDays": (ABSENT, 36500, 1),
    # Of databases and file systems: AWS chooses the windows that nobody names
    "PreferredBackupWindow": _WINDOW_DAILY,
    "PreferredMaintenanceWindow": (ABSENT, "mon:00:00-mon:23:59", "wed:11:11-wed:11:41"),
    "BackupRetentionPeriod": (1, 0, 7),
    "WeeklyMaintenanceStartTime": (ABSENT, "1:05:00", "4:11:30"),
    "DailyAutomaticBackupStartTime": (ABSENT, "05:00", "11:30"),
    "AutomaticBackupRetentionDays": (0, 7, 30),
}

_NOBODY_ASKS = frozenset({"OptInToArchiveForSupportedResources", "IndexActions", "ScanActions"})
"""What of a backup rule no rule asks for."""


def guessed(value: Any, number: int, key: str = "") -> Any:
    """The value, whatever is open in it replaced by guess `number`; what cannot be guessed stays `Unknown`."""
    if isinstance(value, Unknown):
        guesses = _GUESSES.get(key)
        return value if guesses is None else guesses[number % NUMBER]
    if isinstance(value, Mapping):
        if key == "RecoveryPointTags":  # that there are any matters, not which
            value = {name: UNNAMED if isinstance(each, Unknown) else each for name, each in value.items()}
        found = {name: guessed(each, number, name) for name, each in value.items() if name not in _NOBODY_ASKS}
        return {name: each for name, each in found.items() if each is not ABSENT}
    if isinstance(value, (list, tuple)):
        return [guessed(each, number, key) for each in value]
    return value


def with_tried_rules(plan: Any, number: int, here: str) -> Any:
    """A plan whose backup rules have values that depend on each other in the place of those that are open.

    Schedules that do no harm are apart from each other. Retentions are the same, the first longer, or the last. In a
    time zone that is open, a schedule may start at any time. Vaults to copy to are none, `here`, or elsewhere.
    """
    rules = plan.get("Rules") if isinstance(plan, Mapping) else None
    if not isinstance(rules, list):
        return plan
    days: dict[str, int] = {}
    tried = []
    for index, each in enumerate(rules):
        rule = _with_destinations(each, number, here)
        if isinstance(rule, dict):
            if number == 0 and isinstance(rule.get("ScheduleExpression"), Unknown):
                rule["ScheduleExpression"] = _apart(index)
            if number == 1 and isinstance(rule.get("ScheduleExpressionTimezone"), Unknown):
                rule["ScheduleExpression"] = _GUESSES["ScheduleExpression"][1]
            kept = _plain(rule.get("Lifecycle")).get("DeleteAfterDays", rule.get("Lifecycle"))
            if isinstance(kept, Unknown):
                order = days.setdefault(_same(kept, index), len(days))
                tried_days = {"DeleteAfterDays": _retention(number, order, rules)}
                rule["Lifecycle"] = _plain(rule.get("Lifecycle")) | tried_days
        tried.append(rule)
    return {**plan, "Rules": tried}


def _apart(index: int) -> str:
    """Thrice on a day of its own: no start windows of another rule, which last eight hours, cover all of them."""
    return f"cron(37 1,9,17 {1 + 3 * index % 27} * ? *)"


def _retention(number: int, order: int, rules: list[Any]) -> Any:
    """As long as another rule's; and shorter or longer than all, each in its order."""
    if number:
        return 1 + order if number == 1 else 36500 - order
    all_kept = (_plain(_plain(each).get("Lifecycle")).get("DeleteAfterDays") for each in rules)
    return next((each for each in all_kept if each is not None and not isinstance(each, Unknown)), ABSENT)


def _same(value: Unknown, index: int) -> str:
    """The same for the same parameter; what Terraform knows after apply may be another in each rule."""
    return value.why if value.why.startswith("parameter ") else f"{value.why} {index}"


def _plain(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _with_destinations(value: Any, number: int, here: str) -> Any:
    if isinstance(value, Mapping):
        found = {key: _with_destinations(each, number, here) for key, each in value.items()}
        vault = here if number == 1 else _ELSEWHERE
        if isinstance(found.get("DestinationBackupVaultArn"), Unknown):
            found["DestinationBackupVaultArn"] = vault
        if isinstance(found.get("TargetLogicallyAirGappedBackupVaultArn"), Unknown):
            found["TargetLogicallyAirGappedBackupVaultArn"] = vault
        copies = found.get("CopyActions")
        if isinstance(copies, Unknown):
            found["CopyActions"] = [{"DestinationBackupVaultArn": vault}] if number else []
        elif isinstance(copies, list):
            copy = {"DestinationBackupVaultArn": vault}
            found["CopyActions"] = [copy if isinstance(each, Unknown) else each for each in copies]
        return found
    return [_with_destinations(each, number, here) for each in value] if isinstance(value, list) else value

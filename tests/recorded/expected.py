"""What is true of recorded answers, worked out apart from the rules: by text and by the minutes of a clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Item = dict[str, Any]

START = 5 * 60  # of the world's plan that picks by tag: every day at 05:00 UTC
DAY = 24 * 60

_IDS = {"DescribeDBInstances": "DbiResourceId", "DescribeDBClusters": "DbClusterResourceId"}
_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2})")


def databases(operation: str, items: list[Item]) -> dict[str, bool]:
    """The databases that get a verdict, by the id that it is about: whether the plan's start meets a window."""
    key = _IDS[operation]
    return {item[key]: _meets(item) for item in items if _is_known(item, key) and _judged(item) and _has_windows(item)}


def incomplete(operation: str, items: list[Item]) -> bool:
    """Whether an item lacks what AWS documents of every database, so that the invocation has to fail."""
    key = _IDS[operation]
    return any(not _is_known(item, key) or (_judged(item) and not _has_windows(item)) for item in items)


def _is_known(item: Item, key: str) -> bool:
    return all(isinstance(item.get(each), str) for each in (key, "Engine"))


def _has_windows(item: Item) -> bool:
    return _is_window(item.get("PreferredBackupWindow")) and _is_window(item.get("PreferredMaintenanceWindow"))


def _is_window(text: object) -> bool:
    return isinstance(text, str) and len(_CLOCK.findall(text)) == 2


def _judged(item: Item) -> bool:
    """No Aurora, and no member of a cluster: DB instances, and clusters of the other engines."""
    member = "DBInstanceIdentifier" in item and item.get("DBClusterIdentifier") is not None
    custom = str(item["Engine"]).startswith("custom-oracle")
    return not member and not custom and not str(item["Engine"]).startswith("aurora")


def _meets(item: Item) -> bool:
    daily = item.get("PreferredBackupWindow") if item.get("BackupRetentionPeriod") != 0 else None
    return any(_covers(window, 60) for window in (daily, item.get("PreferredMaintenanceWindow")) if window)


def _covers(window: str, buffer: int) -> bool:
    """Whether the start, which is on every day, is inside or within the buffer before."""
    begin, end = (60 * int(hour) + int(minute) for hour, minute in _CLOCK.findall(window))
    return (START - begin + buffer) % DAY < (end - begin) % DAY + buffer


def file_system_meets(items: list[Item]) -> bool:
    """Whether the start meets a window of a file system that AWS Backup can back up (half an hour; four before)."""
    return any(_covers(f"{start}-{_half_an_hour_later(start)}", 240) for item in items for start in _fsx_starts(item))


def _fsx_starts(item: Item) -> Iterator[str]:
    kind = item["FileSystemType"]
    settings = item[{"OPENZFS": "OpenZFSConfiguration"}.get(kind, f"{kind.capitalize()}Configuration")]
    scratch = str(settings.get("DeploymentType", "")).startswith("SCRATCH")
    if kind == "ONTAP" or scratch or settings.get("DataRepositoryConfiguration"):
        return
    if settings.get("AutomaticBackupRetentionDays") != 0 and settings.get("DailyAutomaticBackupStartTime"):
        yield settings["DailyAutomaticBackupStartTime"]
    if settings.get("WeeklyMaintenanceStartTime"):
        yield settings["WeeklyMaintenanceStartTime"].partition(":")[2]


def _half_an_hour_later(start: str) -> str:
    hour, minute = map(int, start.split(":"))
    later = (60 * hour + minute + 30) % DAY
    return f"{later // 60:02}:{later % 60:02}"


def trusts_backup(document: object) -> bool:
    """Whether AWS Backup, or everyone, is so much as named in a trust policy."""
    return "backup.amazonaws.com" in str(document) or "'*'" in str(document)

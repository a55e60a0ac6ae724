"""Amazon FSx: file systems and volumes. AWS Config knows neither, so what concerns them is said about selections."""

from __future__ import annotations

from backup_rules.resources.resource_types import Resource
from backup_rules.values import dataclass


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A file system with the start of its two windows, in FSx's notation (UTC; the day 1 is Monday, 7 Sunday).

    `backup_retention_days` is that of FSx's own automatic backups: 0 means that they are off. `unreadable` says what of
    AWS's answer cannot be read, so that nothing is known of the windows.
    """

    resource: Resource
    id: str
    kind: str
    maintenance_start: str | None = None
    backup_start: str | None = None
    backup_retention_days: int | None = None
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of an ONTAP or OpenZFS file system (`kind`, as FSx writes it)."""

    resource: Resource
    id: str
    kind: str
    file_system_id: str

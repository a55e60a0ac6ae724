"""FSx file systems and volumes. AWS Config knows neither, so what concerns them is said about selections."""

from __future__ import annotations

from dataclasses import dataclass, replace

from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, field, optional, tags
from backup_rules.resources.resource_types import FSX_FILE_SYSTEM, FSX_VOLUME, Resource

# Which part of the answer holds the settings of each kind of file system.
_CONFIGURATIONS = {
    "WINDOWS": "WindowsConfiguration",
    "LUSTRE": "LustreConfiguration",
    "ONTAP": "OntapConfiguration",
    "OPENZFS": "OpenZFSConfiguration",
}


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A file system with the start of its two windows, in FSx's notation (UTC; the day 1 is Monday, 7 Sunday).

    `backup_retention_days` is that of FSx's own automatic backups: 0 means that they are off.
    """

    resource: Resource
    id: str
    kind: str
    maintenance_start: str | None
    backup_start: str | None
    backup_retention_days: int | None


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of an ONTAP or OpenZFS file system (`kind`, as FSx writes it)."""

    resource: Resource
    id: str
    kind: str
    file_system_id: str


def file_systems(account: Account) -> tuple[FileSystem, ...]:
    """All FSx file systems of the Region."""

    def read() -> tuple[FileSystem, ...]:
        found = account.calls.items("fsx", "DescribeFileSystems", "FileSystems", _file_system)
        tagged = account.with_tags([each.resource for each in found])
        return tuple(replace(each, resource=resource) for each, resource in zip(found, tagged, strict=True))

    return account.once("file systems", read)


def volumes(account: Account) -> tuple[Volume, ...]:
    """All FSx volumes of the Region."""

    def read() -> tuple[Volume, ...]:
        found = account.calls.items("fsx", "DescribeVolumes", "Volumes", _volume)
        tagged = account.with_tags([each.resource for each in found])
        return tuple(replace(each, resource=resource) for each, resource in zip(found, tagged, strict=True))

    return account.once("fsx volumes", read)


def _file_system(answer: Answer) -> FileSystem:
    kind = field(answer, "FileSystemType", str)
    settings = optional(answer, _CONFIGURATIONS.get(kind, ""), dict) or {}
    identifier = field(answer, "FileSystemId", str)
    return FileSystem(
        resource=Resource(
            arn=field(answer, "ResourceARN", str), type=FSX_FILE_SYSTEM, tags=tags(optional(answer, "Tags", list) or [])
        ),
        id=identifier,
        kind=kind,
        maintenance_start=optional(settings, "WeeklyMaintenanceStartTime", str),
        backup_start=optional(settings, "DailyAutomaticBackupStartTime", str),
        backup_retention_days=optional(settings, "AutomaticBackupRetentionDays", int),
    )


def _volume(answer: Answer) -> Volume:
    return Volume(
        resource=Resource(
            arn=field(answer, "ResourceARN", str), type=FSX_VOLUME, tags=tags(optional(answer, "Tags", list) or [])
        ),
        id=field(answer, "VolumeId", str),
        kind=field(answer, "VolumeType", str),
        file_system_id=field(answer, "FileSystemId", str),
    )

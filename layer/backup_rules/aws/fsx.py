"""Amazon FSx: file systems and volumes."""

from __future__ import annotations

from dataclasses import replace

from backup_rules.aws import tagging
from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, field, optional, tags
from backup_rules.aws.memory import remembered
from backup_rules.resources.file_systems import FileSystem, Volume
from backup_rules.resources.resource_types import FSX_FILE_SYSTEM, FSX_VOLUME, Resource

# Which part of the answer holds the settings of each kind of file system.
_CONFIGURATIONS = {
    "WINDOWS": "WindowsConfiguration",
    "LUSTRE": "LustreConfiguration",
    "ONTAP": "OntapConfiguration",
    "OPENZFS": "OpenZFSConfiguration",
}


@remembered
def file_systems(account: Account) -> tuple[FileSystem, ...]:
    """All FSx file systems of the Region, with all their tags."""
    found = account.calls.items("fsx", "DescribeFileSystems", "FileSystems", _file_system)
    tagged = tagging.with_tags(account, [each.resource for each in found])
    return tuple(replace(each, resource=resource) for each, resource in zip(found, tagged, strict=True))


@remembered
def volumes(account: Account) -> tuple[Volume, ...]:
    """All FSx volumes of the Region, with all their tags."""
    found = account.calls.items("fsx", "DescribeVolumes", "Volumes", _volume)
    tagged = tagging.with_tags(account, [each.resource for each in found])
    return tuple(replace(each, resource=resource) for each, resource in zip(found, tagged, strict=True))


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

"""Amazon FSx: file systems and volumes."""

from __future__ import annotations

from backup_rules.aws import tagging
from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, arn, field, once, optional, tags
from backup_rules.aws.memory import remembered
from backup_rules.resources.file_systems import FileSystem, Volume
from backup_rules.resources.resource_types import FSX_FILE_SYSTEM, FSX_VOLUME, Resource, Unsupported

# Which part of the answer holds the settings of each kind of file system.
_CONFIGURATIONS = {
    "WINDOWS": "WindowsConfiguration",
    "LUSTRE": "LustreConfiguration",
    "ONTAP": "OntapConfiguration",
    "OPENZFS": "OpenZFSConfiguration",
}


@remembered
def listed(account: Account) -> tuple[Resource, ...]:
    """All file systems and volumes of the Region, with the tags that FSx tells."""
    file_systems = (each.resource for each in _file_systems(account))
    return (*file_systems, *(each.resource for each in _volumes(account)))


@remembered
def file_systems(account: Account) -> tuple[FileSystem, ...]:
    """All FSx file systems of the Region, with all their tags."""
    return tagging.with_tags(account, _file_systems(account))


@remembered
def volumes(account: Account) -> tuple[Volume, ...]:
    """All FSx volumes of the Region, with all their tags."""
    return tagging.with_tags(account, _volumes(account))


@remembered
def _file_systems(account: Account) -> tuple[FileSystem, ...]:
    listed = account.calls.items("fsx", "DescribeFileSystems", "FileSystems", _file_system)
    return once(listed, lambda each: each.resource.arn)


@remembered
def _volumes(account: Account) -> tuple[Volume, ...]:
    listed = account.calls.items("fsx", "DescribeVolumes", "Volumes", _volume)
    return once(listed, lambda each: each.resource.arn)


def _file_system(answer: Answer) -> FileSystem:
    identifier = field(answer, "FileSystemId", str)
    kind = optional(answer, "FileSystemType", str) or ""
    its_arn, its_tags = arn(answer, "ResourceARN"), tags(optional(answer, "Tags", list) or [])
    try:
        unsupported, settings = _settings(answer, kind)
        return FileSystem(
            Resource(its_arn, FSX_FILE_SYSTEM, its_tags, unsupported=unsupported),
            identifier,
            kind,
            maintenance_start=optional(settings, "WeeklyMaintenanceStartTime", str),
            backup_start=optional(settings, "DailyAutomaticBackupStartTime", str),
            backup_retention_days=optional(settings, "AutomaticBackupRetentionDays", int),
        )
    except (KeyError, TypeError, ValueError) as error:
        # Whose settings cannot be read is there all the same: it fails whoever needs them.
        return FileSystem(Resource(its_arn, FSX_FILE_SYSTEM, its_tags), identifier, kind, unreadable=str(error))


def _settings(answer: Answer, kind: str) -> tuple[Unsupported | None, Answer]:
    if kind not in _CONFIGURATIONS:
        raise ValueError(f"FileSystemType is {kind!r}; the rules know {', '.join(_CONFIGURATIONS)}")
    if answer.get(_CONFIGURATIONS[kind]) is None:
        raise ValueError(f"{_CONFIGURATIONS[kind]} is missing")
    settings = field(answer, _CONFIGURATIONS[kind], dict)
    if kind == "ONTAP":
        return Unsupported.ONTAP_FILE_SYSTEM, settings
    if kind == "LUSTRE":
        if (optional(settings, "DeploymentType", str) or "").startswith("SCRATCH"):
            return Unsupported.SCRATCH, settings
        if optional(settings, "DataRepositoryConfiguration", dict):
            return Unsupported.LINKED_TO_REPOSITORY, settings
    return None, settings


def _volume(answer: Answer) -> Volume:
    kind = field(answer, "VolumeType", str)
    if kind not in {"ONTAP", "OPENZFS"}:
        raise ValueError(f"VolumeType is {kind!r}; the rules know ONTAP, OPENZFS")
    return Volume(
        Resource(
            arn=arn(answer, "ResourceARN"),
            type=FSX_VOLUME,
            tags=tags(optional(answer, "Tags", list) or []),
            unsupported=Unsupported.OPENZFS_VOLUME if kind == "OPENZFS" else None,
        ),
        id=field(answer, "VolumeId", str),
        kind=kind,
        file_system_id=field(answer, "FileSystemId", str),
    )

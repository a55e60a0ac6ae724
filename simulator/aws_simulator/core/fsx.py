"""Amazon FSx with what backups need: file systems of all four kinds, their windows, ONTAP's machines and volumes.

moto's own keeps file systems without state or owner and has no volumes. The API:
https://docs.aws.amazon.com/fsx/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from moto.core.resource_tagging import TaggedResource
from moto.fsx.models import FSxBackend, fsx_backends
from moto.fsx.responses import FSxResponse
from moto.moto_api._internal import mock_random

from aws_simulator.core.operations import AwsError, Handler, Paging, Request, implement, now, page

Document = dict[str, Any]

_CONFIGURATIONS = {
    "WINDOWS": "WindowsConfiguration",
    "LUSTRE": "LustreConfiguration",
    "ONTAP": "OntapConfiguration",
    "OPENZFS": "OpenZFSConfiguration",
}
_PAGING = Paging(size_parameter="MaxResults", largest=100, refusal="BadRequest")
_SECRETS = ("FsxAdminPassword", "RootVolumeConfiguration")
"""What the answers do not repeat of the configuration that a file system was made with."""


@dataclass(slots=True)
class _State:
    file_systems: dict[str, Document] = field(default_factory=dict)
    virtual_machines: dict[str, Document] = field(default_factory=dict)
    volumes: dict[str, Document] = field(default_factory=dict)


def _state_of(backend: FSxBackend) -> _State:
    # moto empties this dictionary when it resets the backend.
    state: _State = vars(backend).setdefault("simulated", _State())
    return state


def _at(request: Request) -> _State:
    return _state_of(fsx_backends[request.account][request.region])


# --------------------------------------------------------------------------------------------------------- file systems


def _create_file_system(request: Request) -> Document:
    given = request.parameters
    kind = request.text("FileSystemType")
    if kind not in _CONFIGURATIONS:
        raise AwsError("BadRequest", f"FileSystemType must be one of {', '.join(_CONFIGURATIONS)}, not {kind}")
    member = _CONFIGURATIONS[kind]
    if member not in given and kind != "LUSTRE":
        raise AwsError("MissingFileSystemConfiguration", f"{member} is required for file systems of type {kind}")
    file_system_id = _new_id("fs")
    configuration = {key: value for key, value in given.get(member, {}).items() if key not in _SECRETS}
    file_system = {
        "OwnerId": request.account,
        "CreationTime": now(),
        "FileSystemId": file_system_id,
        "FileSystemType": kind,
        "Lifecycle": "AVAILABLE",
        "StorageCapacity": given.get("StorageCapacity"),
        "StorageType": given.get("StorageType") or "SSD",
        "SubnetIds": given["SubnetIds"],
        "DNSName": f"{file_system_id}.fsx.{request.region}.amazonaws.com",
        "KmsKeyId": given.get("KmsKeyId"),
        "ResourceARN": _arn(request, f"file-system/{file_system_id}"),
        member: deepcopy(configuration),
    }
    if kind == "LUSTRE" and (configuration.keys() & {"ImportPath", "ExportPath"}):
        paths = {key: configuration[key] for key in ("ImportPath", "ExportPath") if key in configuration}
        file_system[member]["DataRepositoryConfiguration"] = {"Lifecycle": "AVAILABLE", **paths}
    if kind == "OPENZFS":
        root = _new_volume(request, "OPENZFS", "fsx", file_system_id, {"ParentVolumeId": "", "VolumePath": "/fsx"})
        file_system[member]["RootVolumeId"] = root["VolumeId"]
    _at(request).file_systems[file_system_id] = file_system
    _known_to_moto(request)[file_system_id] = file_system
    _tag(request, file_system["ResourceARN"], given.get("Tags") or [])
    return {"FileSystem": _with_tags(request, file_system)}


def _update_file_system(request: Request) -> Document:
    file_system = _file_system(request, request.text("FileSystemId"))
    for member in _CONFIGURATIONS.values():
        if member in request.parameters:
            file_system[member] = {**file_system.get(member, {}), **request.parameters[member]}
    if "StorageCapacity" in request.parameters:
        file_system["StorageCapacity"] = request.parameters["StorageCapacity"]
    return {"FileSystem": _with_tags(request, file_system)}


def _describe_file_systems(request: Request) -> Document:
    wanted = request.parameters.get("FileSystemIds") or list(_at(request).file_systems)
    listed, token = _page([_file_system(request, each) for each in wanted], request)
    return {"FileSystems": [_with_tags(request, each) for each in listed], "NextToken": token}


def _delete_file_system(request: Request) -> Document:
    file_system_id = _file_system(request, request.text("FileSystemId"))["FileSystemId"]
    state = _at(request)
    kind = state.file_systems.pop(file_system_id)["FileSystemType"]
    _known_to_moto(request).pop(file_system_id, None)
    for things in (state.virtual_machines, state.volumes):
        for key in [key for key, thing in things.items() if thing["FileSystemId"] == file_system_id]:
            del things[key]
    answer = {"WINDOWS": "WindowsResponse", "LUSTRE": "LustreResponse", "OPENZFS": "OpenZFSResponse"}.get(kind)
    return {"FileSystemId": file_system_id, "Lifecycle": "DELETING"} | (
        {answer: {"FinalBackupTags": []}} if answer else {}
    )


def _known_to_moto(request: Request) -> dict[str, Any]:
    """Where moto, whose backups these are, looks whether a file system exists."""
    known: dict[str, Any] = fsx_backends[request.account][request.region].file_systems
    return known


def _file_system(request: Request, file_system_id: str) -> Document:
    file_system = _at(request).file_systems.get(file_system_id)
    if file_system is None:
        raise AwsError("FileSystemNotFound", f"File system '{file_system_id}' does not exist.")
    return file_system


# --------------------------------------------------------------------------------- storage virtual machines, volumes


def _create_storage_virtual_machine(request: Request) -> Document:
    file_system = _file_system(request, request.text("FileSystemId"))
    if file_system["FileSystemType"] != "ONTAP":
        raise AwsError("UnsupportedOperation", "Only file systems of type ONTAP have storage virtual machines.")
    machine_id = _new_id("svm")
    machine = {
        "CreationTime": now(),
        "FileSystemId": file_system["FileSystemId"],
        "Lifecycle": "CREATED",
        "Name": request.text("Name"),
        "ResourceARN": _arn(request, f"storage-virtual-machine/{file_system['FileSystemId']}/{machine_id}"),
        "StorageVirtualMachineId": machine_id,
        "Subtype": "DEFAULT",
        "UUID": str(mock_random.uuid4()),
    }
    _at(request).virtual_machines[machine_id] = machine
    _tag(request, str(machine["ResourceARN"]), request.parameters.get("Tags") or [])
    return {"StorageVirtualMachine": _with_tags(request, machine)}


def _describe_storage_virtual_machines(request: Request) -> Document:
    machines = _at(request).virtual_machines
    wanted = request.parameters.get("StorageVirtualMachineIds") or list(machines)
    listed, token = _page([_virtual_machine(request, each) for each in wanted], request)
    return {"StorageVirtualMachines": [_with_tags(request, each) for each in listed], "NextToken": token}


def _virtual_machine(request: Request, machine_id: str) -> Document:
    machine = _at(request).virtual_machines.get(machine_id)
    if machine is None:
        raise AwsError("StorageVirtualMachineNotFound", f"Storage virtual machine '{machine_id}' does not exist.")
    return machine


def _create_volume(request: Request) -> Document:
    kind = request.text("VolumeType")
    member = _CONFIGURATIONS[kind]
    if member not in request.parameters:
        raise AwsError("MissingVolumeConfiguration", f"{member} is required for volumes of type {kind}")
    configuration = deepcopy(request.parameters[member])
    if kind == "ONTAP":
        file_system_id = _virtual_machine(request, configuration["StorageVirtualMachineId"])["FileSystemId"]
        configuration = {"OntapVolumeType": "RW", "StorageVirtualMachineRoot": False} | configuration
    else:
        file_system_id = _volume(request, configuration["ParentVolumeId"])["FileSystemId"]
    volume = _new_volume(request, kind, request.text("Name"), file_system_id, configuration)
    _tag(request, volume["ResourceARN"], request.parameters.get("Tags") or [])
    return {"Volume": _with_tags(request, volume)}


def _new_volume(
    request: Request, kind: str, name: str, file_system_id: str, configuration: Mapping[str, Any]
) -> Document:
    volume_id = _new_id("fsvol")
    volume = {
        "CreationTime": now(),
        "FileSystemId": file_system_id,
        "Lifecycle": "CREATED" if kind == "ONTAP" else "AVAILABLE",
        "Name": name,
        "ResourceARN": _arn(request, f"volume/{file_system_id}/{volume_id}"),
        "VolumeId": volume_id,
        "VolumeType": kind,
        _CONFIGURATIONS[kind]: dict(configuration),
    }
    _at(request).volumes[volume_id] = volume
    return volume


def _describe_volumes(request: Request) -> Document:
    wanted = request.parameters.get("VolumeIds") or list(_at(request).volumes)
    filters = {each["Name"]: each["Values"] for each in request.parameters.get("Filters") or []}
    volumes = [_volume(request, each) for each in wanted]
    listed, token = _page([each for each in volumes if _passes(each, filters)], request)
    return {"Volumes": [_with_tags(request, each) for each in listed], "NextToken": token}


def _passes(volume: Document, filters: Mapping[str, Sequence[str]]) -> bool:
    machine_id = volume.get("OntapConfiguration", {}).get("StorageVirtualMachineId")
    actual = {"file-system-id": volume["FileSystemId"], "storage-virtual-machine-id": machine_id}
    return all(actual[name] in values for name, values in filters.items())


def _delete_volume(request: Request) -> Document:
    volume = _volume(request, request.text("VolumeId"))
    del _at(request).volumes[volume["VolumeId"]]
    return {"VolumeId": volume["VolumeId"], "Lifecycle": "DELETING"}


def _volume(request: Request, volume_id: str) -> Document:
    volume = _at(request).volumes.get(volume_id)
    if volume is None:
        raise AwsError("VolumeNotFound", f"Volume '{volume_id}' does not exist.")
    return volume


# ----------------------------------------------------------------------------------------------------------- the rest


def _new_id(prefix: str) -> str:
    return f"{prefix}-{mock_random.uuid4().hex[:17]}"


def _arn(request: Request, resource: str) -> str:
    return f"arn:{request.partition}:fsx:{request.region}:{request.account}:{resource}"


def _tag(request: Request, arn: str, tags: Sequence[Mapping[str, str]]) -> None:
    fsx_backends[request.account][request.region].tagger.tag_resource(arn, list(tags))


def _with_tags(request: Request, document: Document) -> Document:
    tags = fsx_backends[request.account][request.region].list_tags_for_resource(document["ResourceARN"])
    return {key: value for key, value in document.items() if value is not None} | {"Tags": tags}


def _page(items: Sequence[Document], request: Request) -> tuple[list[Document], str | None]:
    return page(items, request, _PAGING)


def _tagged_resources(self: FSxBackend) -> Iterator[TaggedResource]:
    state = _state_of(self)
    for kind, things in (
        ("file-system", state.file_systems),
        ("storage-virtual-machine", state.virtual_machines),
        ("volume", state.volumes),
    ):
        for thing in things.values():
            arn = thing["ResourceARN"]
            yield TaggedResource(arn, self.tagger.get_tag_dict_for_resource(arn), f"fsx:{kind}")
    for backup in self.backups.values():
        arn = backup.resource_arn
        yield TaggedResource(arn, self.tagger.get_tag_dict_for_resource(arn), "fsx:backup")


_HANDLERS: dict[str, Handler] = {
    "CreateFileSystem": _create_file_system,
    "UpdateFileSystem": _update_file_system,
    "DescribeFileSystems": _describe_file_systems,
    "DeleteFileSystem": _delete_file_system,
    "CreateStorageVirtualMachine": _create_storage_virtual_machine,
    "DescribeStorageVirtualMachines": _describe_storage_virtual_machines,
    "CreateVolume": _create_volume,
    "DescribeVolumes": _describe_volumes,
    "DeleteVolume": _delete_volume,
}


def install() -> None:
    """Puts these operations into moto's FSx. Idempotent."""
    implement(FSxResponse, _HANDLERS)
    setattr(FSxBackend, "iter_tagged_resources", _tagged_resources)  # noqa: B010 - mypy forbids assigning to a method

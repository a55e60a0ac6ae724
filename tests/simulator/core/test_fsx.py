"""Amazon FSx of the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aws_simulator.core.accounts import account_session
from aws_simulator.core.operations import page_size
from aws_simulator.simulation import simulated_aws

ACCOUNT, REGION = "111122223333", "eu-west-1"
WINDOWS = {
    "WeeklyMaintenanceStartTime": "7:23:45",
    "DailyAutomaticBackupStartTime": "03:00",
    "AutomaticBackupRetentionDays": 7,
}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "WINDOWS": ("WindowsConfiguration", {"ThroughputCapacity": 8}),
    "LUSTRE": ("LustreConfiguration", {"DeploymentType": "PERSISTENT_2"}),
    "ONTAP": ("OntapConfiguration", {"DeploymentType": "SINGLE_AZ_1", "FsxAdminPassword": "Secret1234"}),
    "OPENZFS": ("OpenZFSConfiguration", {"DeploymentType": "SINGLE_AZ_1", "ThroughputCapacity": 64}),
}


@pytest.fixture
def client() -> Iterator[Any]:
    with simulated_aws():
        yield account_session(ACCOUNT, REGION).client("fsx")


def create(client: Any, kind: str, **more: Any) -> dict[str, Any]:
    member, configuration = KINDS[kind]
    file_system: dict[str, Any] = client.create_file_system(
        FileSystemType=kind,
        SubnetIds=["subnet-12345678"],
        StorageCapacity=1200,
        **{member: configuration | WINDOWS},
        **more,
    )["FileSystem"]
    return file_system


@pytest.mark.parametrize("kind", KINDS)
def test_file_systems_of_every_kind_tell_their_windows(client: Any, kind: str) -> None:
    created = create(client, kind, Tags=[{"Key": "backup", "Value": "true"}])
    (read,) = client.describe_file_systems(FileSystemIds=[created["FileSystemId"]])["FileSystems"]
    assert read == created
    assert read[KINDS[kind][0]].items() >= WINDOWS.items()
    assert "FsxAdminPassword" not in read[KINDS[kind][0]]
    assert (read["Lifecycle"], read["OwnerId"], read["FileSystemType"]) == ("AVAILABLE", ACCOUNT, kind)
    assert read["ResourceARN"] == f"arn:aws:fsx:{REGION}:{ACCOUNT}:file-system/{read['FileSystemId']}"
    assert read["Tags"] == [{"Key": "backup", "Value": "true"}]


def test_windows_can_be_changed(client: Any) -> None:
    file_system_id = create(client, "WINDOWS")["FileSystemId"]
    client.update_file_system(FileSystemId=file_system_id, WindowsConfiguration={"AutomaticBackupRetentionDays": 0})
    (read,) = client.describe_file_systems()["FileSystems"]
    assert read["WindowsConfiguration"].items() >= (WINDOWS | {"AutomaticBackupRetentionDays": 0}).items()


def test_volumes_of_ontap_belong_to_a_file_system(client: Any) -> None:
    file_system_id = create(client, "ONTAP")["FileSystemId"]
    machine = client.create_storage_virtual_machine(FileSystemId=file_system_id, Name="svm")["StorageVirtualMachine"]
    volume = client.create_volume(
        VolumeType="ONTAP",
        Name="data",
        OntapConfiguration={"StorageVirtualMachineId": machine["StorageVirtualMachineId"], "SizeInMegabytes": 1024},
        Tags=[{"Key": "backup", "Value": "true"}],
    )["Volume"]
    assert volume["FileSystemId"] == file_system_id
    assert volume["ResourceARN"] == f"arn:aws:fsx:{REGION}:{ACCOUNT}:volume/{file_system_id}/{volume['VolumeId']}"
    assert client.describe_volumes()["Volumes"] == [volume]
    assert client.describe_volumes(Filters=[{"Name": "file-system-id", "Values": ["fs-00000000"]}])["Volumes"] == []
    assert client.describe_storage_virtual_machines()["StorageVirtualMachines"] == [machine]
    tagging = account_session(ACCOUNT, REGION).client("resourcegroupstaggingapi")
    (listed,) = tagging.get_resources(ResourceTypeFilters=["fsx:volume"])["ResourceTagMappingList"]
    assert listed["ResourceARN"] == volume["ResourceARN"]


def test_openzfs_has_a_root_volume_and_more_below_it(client: Any) -> None:
    root = create(client, "OPENZFS")["OpenZFSConfiguration"]["RootVolumeId"]
    child = client.create_volume(VolumeType="OPENZFS", Name="child", OpenZFSConfiguration={"ParentVolumeId": root})
    assert {each["VolumeId"] for each in client.describe_volumes()["Volumes"]} == {root, child["Volume"]["VolumeId"]}


def test_pages(client: Any) -> None:
    made = {create(client, "OPENZFS")["FileSystemId"] for _ in range(3)}
    with page_size(2):
        systems = list(client.get_paginator("describe_file_systems").paginate())
        volumes = [client.describe_volumes()]
        volumes.append(client.describe_volumes(NextToken=volumes[0]["NextToken"]))
    assert [len(page["FileSystems"]) for page in systems] == [2, 1]
    assert {each["FileSystemId"] for page in systems for each in page["FileSystems"]} == made
    assert [len(page["Volumes"]) for page in volumes] == [2, 1]
    assert "NextToken" not in volumes[1]


def test_a_deleted_file_system_takes_its_volumes_along(client: Any) -> None:
    file_system_id = create(client, "OPENZFS")["FileSystemId"]
    client.delete_file_system(FileSystemId=file_system_id)
    assert client.describe_file_systems()["FileSystems"] == []
    assert client.describe_volumes()["Volumes"] == []
    with pytest.raises(client.exceptions.FileSystemNotFound, match=f"File system '{file_system_id}' does not exist"):
        client.describe_file_systems(FileSystemIds=[file_system_id])


def test_what_is_missing_or_mismatched(client: Any) -> None:
    with pytest.raises(client.exceptions.MissingFileSystemConfiguration, match="WindowsConfiguration is required"):
        client.create_file_system(FileSystemType="WINDOWS", SubnetIds=["subnet-12345678"])
    with pytest.raises(client.exceptions.VolumeNotFound):
        client.describe_volumes(VolumeIds=["fsvol-00000000000000000"])
    lustre = create(client, "LUSTRE")["FileSystemId"]
    with pytest.raises(client.exceptions.UnsupportedOperation, match="ONTAP"):
        client.create_storage_virtual_machine(FileSystemId=lustre, Name="svm")


def test_a_file_system_can_be_backed_up_until_it_is_deleted(client: Any) -> None:
    file_system_id = create(client, "LUSTRE")["FileSystemId"]
    backup = client.create_backup(FileSystemId=file_system_id, Tags=[{"Key": "a", "Value": "b"}])["Backup"]
    tagged = account_session(ACCOUNT, REGION).client("resourcegroupstaggingapi")
    (found,) = tagged.get_resources(ResourceTypeFilters=["fsx:backup"])["ResourceTagMappingList"]
    assert found["ResourceARN"] == backup["ResourceARN"]
    assert client.delete_file_system(FileSystemId=file_system_id)["LustreResponse"] == {"FinalBackupTags": []}
    with pytest.raises(client.exceptions.ClientError, match="does not exist"):
        client.create_backup(FileSystemId=file_system_id)

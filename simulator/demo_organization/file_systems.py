"""Rule BACKUP_FSX_WINDOW_CONFLICT, and EFS's own plan, in payments-production, eu-west-1."""

from __future__ import annotations

from typing import Any

from aws_simulator.core import backup, tagging
from demo_organization.site import RAN, Site, key_value, nightly

_SUBNETS = ["subnet-0123456789abcdef0"]


def windows(site: Site) -> None:
    """Plan `shares-nightly` starts at 01:00 UTC.

    Healthy: `design-share` (both windows at noon). Broken: `finance-share` (backed up daily at 04:30, less than four
    hours after) and `warehouse-volumes` (a volume of an ONTAP file system with maintenance on Sundays at 03:00).
    """
    windows_settings = {"ThroughputCapacity": 32}
    design = _file_system(site, "WINDOWS", "12:00", "3:14:00", **windows_settings)
    finance = _file_system(site, "WINDOWS", "04:30", "3:14:00", **windows_settings)
    ontap = _file_system(site, "ONTAP", "12:00", "7:03:00", ThroughputCapacity=128, DeploymentType="SINGLE_AZ_1")
    plan = site.plan("shares-nightly", nightly(ScheduleExpression="cron(0 1 ? * * *)"))
    site.selection(plan, "design-share", Resources=[design["ResourceARN"]])
    site.selection(plan, "finance-share", Resources=[finance["ResourceARN"]])
    site.selection(plan, "warehouse-volumes", Resources=[_volume(site, ontap["FileSystemId"])])


def _file_system(site: Site, kind: str, daily: str, weekly: str, **settings: Any) -> dict[str, Any]:
    member = {"WINDOWS": "WindowsConfiguration", "ONTAP": "OntapConfiguration"}[kind]
    windows = {
        "DailyAutomaticBackupStartTime": daily,
        "AutomaticBackupRetentionDays": 7,
        "WeeklyMaintenanceStartTime": weekly,
    }
    made: dict[str, Any] = site.client("fsx").create_file_system(
        FileSystemType=kind, StorageCapacity=1024, SubnetIds=_SUBNETS, **{member: settings | windows}
    )
    file_system: dict[str, Any] = made["FileSystem"]
    return file_system


def file_system(site: Site, its_tags: dict[str, str]) -> None:
    """A file system for Windows with these tags, and without automatic backups."""
    site.client("fsx").create_file_system(
        FileSystemType="WINDOWS",
        StorageCapacity=1024,
        SubnetIds=_SUBNETS,
        WindowsConfiguration={"ThroughputCapacity": 32, "AutomaticBackupRetentionDays": 0},
        Tags=key_value(its_tags),
    )


def _volume(site: Site, file_system_id: str) -> str:
    fsx = site.client("fsx")
    machine = fsx.create_storage_virtual_machine(FileSystemId=file_system_id, Name="warehouse")
    machine_id = machine["StorageVirtualMachine"]["StorageVirtualMachineId"]
    made = fsx.create_volume(
        VolumeType="ONTAP",
        Name="warehouse",
        OntapConfiguration={"StorageVirtualMachineId": machine_id, "SizeInMegabytes": 1024, "JunctionPath": "/data"},
    )
    return str(made["Volume"]["ResourceARN"])


def automatic_backups(site: Site) -> None:
    """The plan `aws/efs/…` that EFS makes for file systems with automatic backups; healthy.

    https://docs.aws.amazon.com/efs/latest/ug/awsbackup.html
    """
    iam = site.client("iam")
    role = iam.create_service_linked_role(AWSServiceName="backup.amazonaws.com")["Role"]
    iam.attach_role_policy(
        RoleName=role["RoleName"],
        PolicyArn=f"arn:{site.partition}:iam::aws:policy/aws-service-role/AWSBackupServiceLinkedRolePolicyForBackup",
    )
    made = site.client("efs").create_file_system(CreationToken="uploads", Backup=True)
    # Tags that begin with `aws:` only AWS itself sets.
    default_backup = {"aws:elasticfilesystem:default-backup": "enabled"}
    tagging.tag_resource(site.account.id, site.region, made["FileSystemArn"], default_backup)
    backup.add_vault(site.account.id, site.region, "aws/efs/automatic-backup-vault")
    name = "aws/efs/automatic-backup-plan"
    plan_id = "aws/efs/73d922fb-9312-3a70-99c3-e69367f9fdad"
    (selection_id,) = backup.add_plan(
        site.account.id,
        site.region,
        {
            "BackupPlanName": name,
            "Rules": [
                {
                    "RuleName": "aws/efs/automatic-backup-rule",
                    "TargetBackupVaultName": "aws/efs/automatic-backup-vault",
                    "ScheduleExpression": "cron(0 5 ? * * *)",
                    "StartWindowMinutes": 480,
                    "CompletionWindowMinutes": 10080,
                    "Lifecycle": {"DeleteAfterDays": 35},
                }
            ],
        },
        plan_id=plan_id,
        creator_request_id=f"aws/efs/automatic-backup-{site.account.id}-{site.region}",
        selections=[
            {
                "SelectionName": "aws/efs/automatic-backup-selection",
                "IamRoleArn": role["Arn"],
                "ListOfTags": [
                    {"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value}
                    for key, value in default_backup.items()
                ],
            }
        ],
    )
    site.remember(name, plan_id)
    site.keep_history(plan_id, RAN)
    site.remember("aws/efs/automatic-backup-selection", f"{selection_id}_{plan_id}")

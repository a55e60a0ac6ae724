"""The world of the fault matrix, and what is true in it: verdicts written by hand, from the rules' pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from aws_simulator.core.config.service import start_recorder
from aws_simulator.core.operations import clock
from aws_simulator.core.tagging import tag_resource
from tests.front_door import ACCOUNT, NOW, REGION, Door, front_door
from tests.organization import MANAGEMENT, Organization, policy_plan

GOOD, BAD = "COMPLIANT", "NON_COMPLIANT"
FOR_BACKUP = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
VOLUME = f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume"

# By rule: what is true of each thing in the world. The names are those that `build` gives.
TRUTH: dict[str, dict[str, str]] = {
    "BACKUP_SERVICE_OPT_IN": {"tagged": BAD, "named": GOOD},
    "BACKUP_WINDOW_CONFIGURED": {"healthy": GOOD, "broken": BAD, "empty": GOOD},
    "BACKUP_ROLE_ASSUMABLE": {"tagged": GOOD, "named": BAD},
    "BACKUP_ROLE_PERMISSIONS": {"tagged": BAD, "named": BAD},
    "BACKUP_TAG_CASE": {"tagged": BAD, "named": GOOD, "vol-case": BAD},
    "BACKUP_TAG_WHITESPACE": {"tagged": BAD, "named": GOOD, "vol-blank": BAD},
    "BACKUP_POLICY_ATTACHED": {"account": BAD},
    "BACKUP_POLICY_VAULT_EXISTS": {"account": BAD},
    "BACKUP_POLICY_VAULT_NAME_CASE": {"account": BAD},
    "BACKUP_POLICY_ROLE_EXISTS": {"account": BAD},
    "BACKUP_POLICY_VALID": {"management": BAD},
    "BACKUP_RDS_WINDOW_CONFLICT": {"orders-db": BAD, "billing-db": GOOD},
    "BACKUP_FSX_WINDOW_CONFLICT": {"tagged": BAD},
    "BACKUP_PLAN_RAN_ON_SCHEDULE": {"healthy": BAD, "broken": BAD, "empty": BAD},
    "BACKUP_SELECTION_NOT_EMPTY": {"healthy": GOOD, "broken": GOOD, "empty": BAD, "tagged": GOOD, "named": BAD},
    "BACKUP_VAULT_USABLE": {"healthy": GOOD, "broken": BAD, "empty": GOOD},
    "BACKUP_RESOURCE_READY": {"tagged": GOOD, "named": GOOD, "reports-2026": BAD, "invoices": GOOD},
}
PARAMETERS: dict[str, dict[str, str]] = {
    "BACKUP_WINDOW_CONFIGURED": {"MinStartWindowMinutes": "120"},
    "BACKUP_POLICY_ATTACHED": {"RequiredPlans": "another"},
}


@dataclass(frozen=True)
class World:
    """The account (or the management account) of a rule, and the ids of what is in it by name."""

    door: Door
    ids: Mapping[str, str]

    def door_of(self, rule: str) -> Door:
        return self.door.at(account=MANAGEMENT) if rule == "BACKUP_POLICY_VALID" else self.door

    def named(self, identifier: str) -> str:
        """The name of what has this id; the id itself where the world has no such thing."""
        return next((name for name, each in self.ids.items() if each == identifier), identifier)


@contextmanager
def world() -> Iterator[World]:
    """A simulation with a healthy and a broken twin for every rule."""
    with front_door() as door:
        with clock(NOW - timedelta(days=20)):
            ids = _build(door)
        yield World(door, ids)


def _build(door: Door) -> dict[str, str]:
    organization = Organization.of(door)
    organization.attach(
        {"plans": {"nightly": policy_plan("Missing", "default", role="arn:aws:iam::$account:role/Absent")}},
        door.account,
    )
    invalid = {"plans": {"nightly": policy_plan(rules=None)}}
    organization.attach(invalid, "222233334444")
    for vault in ("Default", "Safe"):
        door.client("backup").create_backup_vault(BackupVaultName=vault)
    role = door.role("BackupRole")
    door.client("iam").attach_role_policy(RoleName="BackupRole", PolicyArn=FOR_BACKUP)
    ec2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    weak = door.role("Weak", {"Version": "2012-10-17", "Statement": [ec2]})
    daily = {"RuleName": "daily", "ScheduleExpression": "cron(0 5 ? * * *)"}
    plans = {
        "healthy": door.plan("healthy", daily | {"TargetBackupVaultName": "Default"}),
        "broken": door.plan("broken", daily | {"TargetBackupVaultName": "Gone", "StartWindowMinutes": 60}),
        "empty": door.plan("empty", daily | {"TargetBackupVaultName": "Safe"}),
    }
    gone = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:gone"
    selections = {
        "tagged": door.selection(plans["healthy"], "tagged", IamRoleArn=role),
        "named": door.selection(plans["broken"], "named", IamRoleArn=weak, Resources=[gone]),
    }
    door.client("backup").update_region_settings(ResourceTypeOptInPreference={"EBS": False})
    for volume, tag in (("vol-good", "true"), ("vol-case", "True"), ("vol-blank", "true ")):
        tag_resource(ACCOUNT, REGION, f"{VOLUME}/{volume}", {"backup": tag})
    databases = {
        "orders-db": _database(door, "orders-db", "05:30-06:00"),
        "billing-db": _database(door, "billing-db", "12:00-12:30"),
    }
    door.client("fsx").create_file_system(
        FileSystemType="WINDOWS",
        StorageCapacity=1200,
        SubnetIds=["subnet-0123456789abcdef0"],
        Tags=[{"Key": "backup", "Value": "true"}],
        WindowsConfiguration={
            "ThroughputCapacity": 8,
            "DailyAutomaticBackupStartTime": "07:00",
            "WeeklyMaintenanceStartTime": "7:20:00",
            "AutomaticBackupRetentionDays": 7,
        },
    )
    _buckets(door)
    start_recorder(door.session, REGION)
    volumes = {each: each for each in ("vol-case", "vol-blank", "reports-2026", "invoices")}
    return {**plans, **selections, **databases, **volumes, "account": ACCOUNT, "management": MANAGEMENT}


def _database(door: Door, name: str, window: str) -> str:
    made = door.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        Engine="mysql",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=20,
        MasterUsername="root",
        MasterUserPassword="correct-horse",
        PreferredBackupWindow=window,
        PreferredMaintenanceWindow="sun:14:00-sun:14:30",
        BackupRetentionPeriod=7,
        Tags=[{"Key": "backup", "Value": "true"}],
    )
    return str(made["DBInstance"]["DbiResourceId"])


def _buckets(door: Door) -> None:
    s3 = door.client("s3")
    for name, versioning in (("reports-2026", None), ("invoices", "Enabled")):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "backup", "Value": "true"}]})
        if versioning:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning})

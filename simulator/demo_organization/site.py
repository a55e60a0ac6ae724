"""One account in one Region of the seeded organization: the calls by which a person would fill it, in short.

Everything here is a call of AWS's public API. What was made is remembered by its name, so that others can speak of
selection `orders-tables` and find the id that AWS gave it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from moto.utilities.utils import get_partition

Document = Mapping[str, Any]

BACKUP_POLICY = "service-role/AWSBackupServiceRolePolicyForBackup"
S3_BACKUP_POLICY = "AWSBackupServiceRolePolicyForS3Backup"
DEFAULT_ROLE = "AWSBackupDefaultServiceRole"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the organization."""

    id: str
    name: str
    role: str
    """`management`, `delegated administrator` or `member`; `standalone` in the other partitions."""
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """What became of the runs of a plan.

    `state` is how the jobs of all its runs ended, None when there were none; `message` is what AWS said of it.
    """

    state: str | None = "COMPLETED"
    message: str | None = None
    category: str = "SUCCESS"


RAN = History()
SILENT = History(state=None)


@dataclass(slots=True)
class Records:
    """What was made in the whole organization, by account id, Region and name."""

    ids: dict[tuple[str, str, str], str] = field(default_factory=dict)
    histories: dict[tuple[str, str], dict[str, History]] = field(default_factory=dict)


def trusting_backup(**statement: Any) -> dict[str, Any]:
    """A trust policy that lets AWS Backup assume the role; `statement` changes or adds elements.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html
    """
    allow = {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [allow | statement]}


class Clients:
    """Clients into the accounts of a simulation. One base session, so that a thousand accounts stay quick."""

    def __init__(self) -> None:
        self._base = boto3.Session(aws_access_key_id="simulated", aws_secret_access_key="simulated")  # noqa: S106 - the simulator checks no secret
        self._sts: dict[str, Any] = {}
        self._keys: dict[str, dict[str, str]] = {}

    def client(self, account: str, region: str, service: str) -> Any:
        """A client of the service in that account and Region, under an assumed role."""
        return self._base.client(service, region_name=region, **self._credentials(account, region))

    def _credentials(self, account: str, region: str) -> dict[str, str]:
        if account not in self._keys:
            partition = get_partition(region)
            if partition not in self._sts:
                self._sts[partition] = self._base.client("sts", region_name=region)
            made = self._sts[partition].assume_role(
                RoleArn=f"arn:{partition}:iam::{account}:role/SimulatedAdministrator", RoleSessionName="simulated"
            )["Credentials"]
            self._keys[account] = {
                "aws_access_key_id": made["AccessKeyId"],
                "aws_secret_access_key": made["SecretAccessKey"],
                "aws_session_token": made["SessionToken"],
            }
        return self._keys[account]


class Site:
    """An account in a Region, where things can be made."""

    def __init__(self, account: Account, region: str, clients: Clients, records: Records) -> None:
        self.account = account
        self.region = region
        self.partition = str(get_partition(region))
        self._clients = clients
        self._records = records
        self._made: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A client of the service, the same for all who ask."""
        if service not in self._made:
            self._made[service] = self._clients.client(self.account.id, self.region, service)
        return self._made[service]

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this account and Region; buckets, roles and stacks of policies have none."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account.id}:{resource}"

    def remember(self, name: str, resource_id: str) -> None:
        """Keep the id under which AWS Config knows the thing of that name."""
        self._records.ids[self.account.id, self.region, name] = resource_id

    def keep_history(self, plan_id: str, history: History) -> None:
        """Say what became of the plan's runs; without that, all of them ran."""
        self._records.histories.setdefault((self.account.id, self.region), {})[plan_id] = history

    # AWS Backup

    def vault(self, name: str, **more: Any) -> str:
        """A backup vault; its ARN."""
        made = self.client("backup").create_backup_vault(BackupVaultName=name, **more)
        return str(made["BackupVaultArn"])

    def plan(self, name: str, *rules: Document, history: History = RAN, **more: Any) -> str:
        """A backup plan with these rules, or with one that runs every night; its id."""
        given = [dict(rule) for rule in rules] or [nightly()]
        made = self.client("backup").create_backup_plan(BackupPlan={"BackupPlanName": name, "Rules": given, **more})
        plan_id = str(made["BackupPlanId"])
        self.remember(name, plan_id)
        self.keep_history(plan_id, history)
        return plan_id

    def selection(self, plan_id: str, name: str, role: str | None = None, **body: Any) -> str:
        """A selection of the plan, under the default service role if no other is named; its id in AWS Config."""
        document = {"SelectionName": name, "IamRoleArn": role or self.default_role, **body}
        made = self.client("backup").create_backup_selection(BackupPlanId=plan_id, BackupSelection=document)
        config_id = f"{made['SelectionId']}_{plan_id}"
        self.remember(name, config_id)
        return config_id

    # IAM

    @cached_property
    def default_role(self) -> str:
        """The ARN of the role that the console makes: https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html."""
        return f"arn:{self.partition}:iam::{self.account.id}:role/service-role/{DEFAULT_ROLE}"

    def role(
        self,
        name: str,
        *policies: str,
        trust: Document | None = None,
        path: str = "/",
        inline: Document | None = None,
        boundary: str | None = None,
    ) -> str:
        """A role with these AWS managed policies and this inline policy; its ARN."""
        iam = self.client("iam")
        made = iam.create_role(
            RoleName=name,
            Path=path,
            AssumeRolePolicyDocument=json.dumps(trust or trusting_backup()),
            **({"PermissionsBoundary": boundary} if boundary else {}),
        )
        for policy in policies:
            iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:{self.partition}:iam::aws:policy/{policy}")
        if inline:
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(inline))
        return str(made["Role"]["Arn"])

    # Resources

    def table(self, name: str, **tags: str) -> str:
        """A DynamoDB table; its ARN."""
        return self.tagged_table(name, tags)

    def tagged_table(self, name: str, tags: Mapping[str, str]) -> str:
        """A DynamoDB table with tags whose keys need not be Python names; its ARN."""
        made = self.client("dynamodb").create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=key_value(tags),
        )
        return str(made["TableDescription"]["TableArn"])

    def volume(self, name: str, **tags: str) -> str:
        """An EBS volume, which a person knows by its tag Name; its ARN."""
        made = self.client("ec2").create_volume(
            AvailabilityZone=f"{self.region}a",
            Size=8,
            TagSpecifications=[{"ResourceType": "volume", "Tags": key_value({"Name": name} | tags)}],
        )
        self.remember(name, made["VolumeId"])
        return self.arn("ec2", f"volume/{made['VolumeId']}")

    def bucket(self, name: str, **tags: str) -> str:
        """An S3 bucket with versions; its ARN."""
        s3 = self.client("s3")
        place = {} if self.region == "us-east-1" else {"LocationConstraint": self.region}
        s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        if tags:
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": key_value(tags)})
        return f"arn:{self.partition}:s3:::{name}"


def key_value(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def nightly(name: str = "nightly", **changes: Any) -> dict[str, Any]:
    """A backup rule that runs at 05:00 UTC, keeps a month and stores in vault Default; `changes` override."""
    return {
        "RuleName": name,
        "TargetBackupVaultName": "Default",
        "ScheduleExpression": "cron(0 5 ? * * *)",
        "StartWindowMinutes": 60,
        "CompletionWindowMinutes": 240,
        "Lifecycle": {"DeleteAfterDays": 35},
    } | changes


def tags_are(**tags: str) -> list[dict[str, str]]:
    """`ListOfTags`: any of these tags."""
    return list_of_tags(tags.items())


def list_of_tags(tags: Sequence[tuple[str, str]] | Any) -> list[dict[str, str]]:
    """`ListOfTags`, for keys that are not Python names."""
    return [{"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value} for key, value in tags]


def conditions(**operators: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
    """`Conditions`: by operator (`StringEquals`, …), tag key and value."""
    return {
        operator: [{"ConditionKey": f"aws:ResourceTag/{key}", "ConditionValue": value} for key, value in tags.items()]
        for operator, tags in operators.items()
    }

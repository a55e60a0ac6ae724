"""Accounts of any size whose selections all differ, and AWS's answers about them, made in memory.

No simulator answers, so that the processor time of a rule is its own. Of ten selections each picks, or fails to pick,
in another way: by tags, wild cards, conditions that must hold, conditions that must not, and conditions that nothing
meets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from backup_rules.arns import Place
from backup_rules.aws.account import Account
from backup_rules.aws.calls import Calls
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.rule import Outcome
from backup_rules_cli.catalogue import RuleFolder
from tests.growth.clients import Clients
from tests.organization import policy_plan

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PLACE = Place("aws", "111122223333", "eu-west-1")
HERE = f"{PLACE.region}:{PLACE.account}"
ARNS = (
    f"arn:aws:dynamodb:{HERE}:table/table-{{n}}",
    f"arn:aws:ec2:{HERE}:volume/vol-{{n}}",
    f"arn:aws:ec2:{HERE}:instance/i-{{n}}",
    f"arn:aws:elasticfilesystem:{HERE}:file-system/fs-{{n}}",
    "arn:aws:s3:::bucket-{n}",
)
DATABASE, FILE_SYSTEM = f"arn:aws:rds:{HERE}:db:database-{{n}}", f"arn:aws:fsx:{HERE}:file-system/fs-{{n:08}}"
DAYS_OF_JOBS, JOBS_OF_A_RUN, TAG_KEYS = 4, 10, 50

Answer = dict[str, Any]


@dataclass(frozen=True)
class World:
    """An account with so many plans, selections in each, and tagged resources; the rest grows with the plans."""

    plans: int
    selections: int
    resources: int

    @classmethod
    def of_size(cls, share: float) -> World:
        """Such a share of 300 plans with 20 selections each and 20,000 resources."""
        return cls(round(300 * share), 20, round(20_000 * share))

    @property
    def databases(self) -> int:
        """As many databases as there are plans, at most a Region's usual quota and a half."""
        return max(1, self.plans // 5)

    # What there is

    @cached_property
    def tagged(self) -> list[Answer]:
        """`tag:GetResources`: of a hundred resources one bears its tags in another case, and one with a blank."""
        listed = [(ARNS[n % len(ARNS)].format(n=n), n) for n in range(self.resources)]
        listed += [(DATABASE.format(n=n), n) for n in range(self.databases)]
        listed += [(FILE_SYSTEM.format(n=n), n) for n in range(self.databases)]
        return [{"ResourceARN": arn, "Tags": self._tags(n)} for arn, n in listed]

    def _tags(self, n: int) -> list[Answer]:
        owner = f"team-{n % (self.plans * self.selections)}"
        written = {17: owner.upper(), 18: f"{owner} "}.get(n % 100, owner)
        tags = {f"key-{n % TAG_KEYS}": f"value-{n}", "backup": "daily", "owner": written, "Name": f"host-{n}"}
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def plan_id(self, n: int) -> str:
        """The id of the plan of that number."""
        return f"0a1b2c3d-0000-4000-8000-{n:012}"

    def role_arn(self, n: int) -> str:
        """The role of the selection of that number: one for each thirty plans."""
        return f"arn:aws:iam::{PLACE.account}:role/BackupRole{n % (self.plans // 30 + 1)}"

    def vault(self, n: int) -> str:
        """The vault of the plan of that number."""
        return f"vault-{n % (self.plans // 10 + 1)}"

    def backup_rules(self, n: int) -> list[Answer]:
        """Three backup rules; in one plan of thirty, one of them is continuous."""
        daily = f"cron({n % 60} {n % 24} * * ? *)"
        weekly = f"cron({(n + 7) % 60} {(n + 5) % 24} ? * {1 + n % 7} *)"
        often = f"cron({n % 60} {n % 4}/{4 + n % 4} ? * * *)"
        return [
            {
                "RuleId": f"rule-{n}-{number}",
                "RuleName": f"rule-{number}",
                "TargetBackupVaultName": self.vault(n + number),
                "ScheduleExpression": expression,
                "ScheduleExpressionTimezone": ("Etc/UTC", "Europe/Berlin")[n % 2],
                "StartWindowMinutes": 60,
                "CompletionWindowMinutes": 600,
                "Lifecycle": {"DeleteAfterDays": 35},
                "EnableContinuousBackup": n % 30 == number == 0,
            }
            for number, expression in enumerate((daily, weekly, often))
        ]

    def selection(self, plan: int, number: int) -> Answer:
        """A selection that asks what no other does."""
        n = plan * self.selections + number
        ways: tuple[Callable[[], Answer], ...] = (
            lambda: {"ListOfTags": [_tag("owner", f"team-{n}")]},
            lambda: {"Resources": ["*"], "Conditions": {"StringEquals": [_condition("Name", f"host-{n}")]}},
            lambda: {"Resources": ["*"], "Conditions": {"StringNotEquals": [_condition("owner", f"team-{n}")]}},
            lambda: {"Resources": [f"arn:aws:dynamodb:*:*:table/table-{n}*"]},
            lambda: {
                "Resources": ["arn:aws:ec2:*:*:volume/*"],
                "Conditions": {"StringLike": [_condition("Name", f"host-{n}*")]},
            },
            lambda: {
                "ListOfTags": [_tag("backup", "daily")],
                "Conditions": {"StringEquals": [_condition("owner", f"absent-{n}")]},
            },
            lambda: {"Resources": ["*"], "Conditions": {"StringLike": [_condition("owner", f"*absent-{n}*")]}},
            lambda: {
                "ListOfTags": [_tag("owner", f"team-{n}"), _tag("Name", f"host-{n}")],
                "NotResources": [f"arn:aws:ec2:*:*:volume/vol-{n}*"],
            },
            lambda: {
                "Resources": [ARNS[k].format(n=n * 3 + k) for k in range(4)],
                "ListOfTags": [_tag("key-7", str(n))],
            },
            lambda: {
                "Resources": ["arn:aws:rds:*:*:db:*", "arn:aws:fsx:*:*:file-system/*", "arn:aws:s3:::*"],
                "Conditions": {"StringNotLike": [_condition("Name", f"host-{n}*")]},
            },
        )
        return {
            "SelectionName": f"selection-{number}",
            "IamRoleArn": self.role_arn(n),
            "Resources": [],
            "ListOfTags": [],
            "NotResources": [],
            "Conditions": {},
        } | ways[n % len(ways)]()

    def prepare(self) -> None:
        """Make what takes long, so that it is not counted with a rule's own time."""
        if not self.tagged or not self._by_tag:
            raise ValueError("A world has resources.")

    def judged(self, folder: RuleFolder, parameters: Mapping[str, str] | None = None) -> Outcome:
        """What the rule makes of the account, as when AWS Config asks by its schedule."""
        rule = folder.rule()
        given = rule.evaluate_parameters({**folder.defaults, **(parameters or {})})
        return rule.judge(Invocation(Account(Calls(PLACE, Clients(self))), given, NOW))

    # What AWS answers, by service and operation

    def backup_list_backup_plans(self, **_: Any) -> Answer:
        return {
            "BackupPlansList": [
                {
                    "BackupPlanId": self.plan_id(n),
                    "BackupPlanArn": f"arn:aws:backup:{HERE}:backup-plan:{self.plan_id(n)}",
                    "BackupPlanName": f"plan-{n}",
                    "VersionId": "v1",
                    "CreationDate": NOW - timedelta(days=400),
                    "LastExecutionDate": NOW - timedelta(hours=20),
                }
                for n in range(self.plans)
            ]
        }

    def backup_get_backup_plan(self, *, BackupPlanId: str) -> Answer:  # noqa: N803 - AWS's word
        n = int(BackupPlanId[-12:])
        return {
            "BackupPlanId": BackupPlanId,
            "CreationDate": NOW - timedelta(days=400),
            "BackupPlan": {"BackupPlanName": f"plan-{n}", "Rules": self.backup_rules(n)},
        }

    def backup_list_backup_selections(self, *, BackupPlanId: str, **_: Any) -> Answer:  # noqa: N803
        plan = int(BackupPlanId[-12:])
        return {
            "BackupSelectionsList": [
                {
                    "SelectionId": f"selection-{number}",
                    "SelectionName": f"selection-{number}",
                    "BackupPlanId": BackupPlanId,
                    "IamRoleArn": self.role_arn(plan * self.selections + number),
                    "CreationDate": NOW - timedelta(days=399),
                }
                for number in range(self.selections)
            ]
        }

    def backup_get_backup_selection(self, *, BackupPlanId: str, SelectionId: str) -> Answer:  # noqa: N803
        return {"BackupSelection": self.selection(int(BackupPlanId[-12:]), int(SelectionId.rpartition("-")[2]))}

    def backup_describe_region_settings(self) -> Answer:
        off = {"EBS", "S3", "RDS"}
        names = ("Aurora", "DynamoDB", "EBS", "EC2", "EFS", "FSx", "RDS", "S3", "Storage Gateway", "CloudFormation")
        return {
            "ResourceTypeOptInPreference": {each: each not in off for each in names},
            "ResourceTypeManagementPreference": {"DynamoDB": True, "EFS": True},
        }

    def backup_list_backup_vaults(self, **_: Any) -> Answer:
        names = dict.fromkeys(self.vault(n) for n in range(self.plans))
        return {"BackupVaultList": [self.backup_describe_backup_vault(BackupVaultName=each) for each in names]}

    def backup_describe_backup_vault(self, *, BackupVaultName: str) -> Answer:  # noqa: N803
        return {
            "BackupVaultName": BackupVaultName,
            "BackupVaultArn": f"arn:aws:backup:{HERE}:backup-vault:{BackupVaultName}",
            "EncryptionKeyArn": f"arn:aws:kms:{HERE}:key/{BackupVaultName}",
            "VaultState": "AVAILABLE",
            "VaultType": "BACKUP_VAULT",
            "Locked": False,
        }

    def backup_get_backup_vault_access_policy(self, *, BackupVaultName: str) -> Answer:  # noqa: N803
        statement = {"Effect": "Deny", "Principal": "*", "Action": "backup:DeleteRecoveryPoint", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        return {"BackupVaultName": BackupVaultName, "Policy": json.dumps(policy)}

    def backup_list_backup_jobs(self, **_: Any) -> Answer:
        jobs = (
            (plan, number, day, of_run)
            for plan in range(self.plans)
            for number in range(3)
            for day in range(DAYS_OF_JOBS)
            for of_run in range(JOBS_OF_A_RUN)
        )
        return {"BackupJobs": [self._job(*each) for each in jobs]}

    def _job(self, plan: int, number: int, day: int, of_run: int) -> Answer:
        midnight = NOW.replace(hour=plan % 24, minute=plan % 60)
        return {
            "BackupJobId": f"job-{plan}-{number}-{day}-{of_run}",
            "State": "FAILED" if (plan + of_run) % 9 == 0 else "COMPLETED",
            "StatusMessage": "Insufficient permissions.",
            "CreationDate": midnight - timedelta(days=day + 1, minutes=-of_run),
            "ResourceArn": ARNS[of_run % len(ARNS)].format(n=of_run),
            "CreatedBy": {
                "BackupPlanId": self.plan_id(plan),
                "BackupRuleId": f"rule-{plan}-{number}",
                "BackupPlanVersion": "v1",
            },
        }

    def kms_describe_key(self, *, KeyId: str) -> Answer:  # noqa: N803
        return {"KeyMetadata": {"KeyId": KeyId, "KeyState": "Enabled"}}

    def iam_get_role(self, *, RoleName: str) -> Answer:  # noqa: N803
        principal = {"Service": "backup.amazonaws.com"}
        trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
        arn = f"arn:aws:iam::{PLACE.account}:role/{RoleName}"
        return {"Role": {"RoleName": RoleName, "Arn": arn, "AssumeRolePolicyDocument": trust}}

    def iam_simulate_principal_policy(
        self,
        *,
        ActionNames: list[str],  # noqa: N803
        ResourceArns: list[str] | None = None,  # noqa: N803
        **_: Any,
    ) -> Answer:
        decision = {"EvalDecision": "implicitDeny"}
        specific = [{"EvalResourceName": arn, "EvalResourceDecision": "implicitDeny"} for arn in ResourceArns or ()]
        return {
            "EvaluationResults": [
                {"EvalActionName": action, **decision, "ResourceSpecificResults": specific} for action in ActionNames
            ]
        }

    def resourcegroupstaggingapi_get_resources(
        self,
        *,
        TagFilters: list[Answer] | None = None,  # noqa: N803
        ResourceTypeFilters: list[str] | None = None,  # noqa: N803
        **_: Any,
    ) -> Answer:
        found = self.tagged
        for each in TagFilters or ():
            carrying = self._by_tag
            numbers = {n for value in each["Values"] for n in carrying.get((each["Key"], value), ())}
            found = [self.tagged[n] for n in sorted(numbers)]
        services = {each.split(":")[0] for each in ResourceTypeFilters or ()}
        return {
            "ResourceTagMappingList": [
                each for each in found if not services or each["ResourceARN"].split(":", 3)[2] in services
            ]
        }

    @cached_property
    def _by_tag(self) -> dict[tuple[str, str], list[int]]:
        found: dict[tuple[str, str], list[int]] = {}
        for n, each in enumerate(self.tagged):
            for tag in each["Tags"]:
                found.setdefault((tag["Key"], tag["Value"]), []).append(n)
        return found

    def resourcegroupstaggingapi_get_tag_keys(self) -> Answer:
        return {"TagKeys": list(dict.fromkeys(key for key, _ in self._by_tag))}

    def resourcegroupstaggingapi_get_tag_values(self, *, Key: str) -> Answer:  # noqa: N803
        return {"TagValues": [value for key, value in self._by_tag if key == Key]}

    def config_select_resource_config(self, *, Expression: str, **_: Any) -> Answer:  # noqa: N803
        if "COUNT(*)" in Expression:
            kinds = {"DynamoDB::Table": 0, "EC2::Volume": 1, "EC2::Instance": 2, "EFS::FileSystem": 3, "S3::Bucket": 4}
            numbers = {f"AWS::{kind}": len(range(k, self.resources, 5)) for kind, k in kinds.items()}
            rows: Iterator[Answer] = ({"resourceType": kind, "COUNT(*)": n} for kind, n in numbers.items())
        else:
            rows = self._recorded(Expression)
        return {"Results": [json.dumps(each) for each in rows]}

    def _recorded(self, expression: str) -> Iterator[Answer]:
        words = ("DynamoDB", "Volume", "Instance", "EFS", "S3")
        kind = next((k for k, word in enumerate(words) if f"{word}" in expression.rpartition("WHERE")[2]), None)
        for n in range(kind, self.resources, len(ARNS)) if kind is not None else ():
            arn = ARNS[n % len(ARNS)].format(n=n)
            versioning = {"status": "Off" if n % 3 else "Enabled"}
            yield {
                "resourceId": arn.rpartition(":")[2].rpartition("/")[2],
                "arn": arn,
                "tags": [{"key": tag["Key"], "value": tag["Value"]} for tag in self._tags(n)],
                "supplementaryConfiguration": {"BucketVersioningConfiguration": json.dumps(versioning)},
            }

    def rds_describe_db_instances(self) -> Answer:
        return {
            "DBInstances": [
                {
                    "DBInstanceArn": DATABASE.format(n=n),
                    "DBInstanceIdentifier": f"database-{n}",
                    "DbiResourceId": f"db-{n}",
                    "Engine": "postgres",
                    "PreferredBackupWindow": f"{n % 24:02}:{n % 30:02}-{n % 24:02}:{n % 30 + 30:02}",
                    "PreferredMaintenanceWindow": f"sun:{(n + 2) % 24:02}:00-sun:{(n + 2) % 24:02}:30",
                    "BackupRetentionPeriod": 7,
                    "TagList": self._tags(n),
                }
                for n in range(self.databases)
            ]
        }

    def rds_describe_db_clusters(self) -> Answer:
        return {"DBClusters": []}

    def fsx_describe_file_systems(self) -> Answer:
        return {
            "FileSystems": [
                {
                    "FileSystemId": f"fs-{n:08}",
                    "FileSystemType": "WINDOWS",
                    "ResourceARN": FILE_SYSTEM.format(n=n),
                    "WindowsConfiguration": {
                        "ThroughputCapacity": 32,
                        "WeeklyMaintenanceStartTime": f"{1 + n % 7}:{n % 24:02}:{n % 60:02}",
                        "DailyAutomaticBackupStartTime": f"{(n + 5) % 24:02}:{n % 60:02}",
                        "AutomaticBackupRetentionDays": 7,
                    },
                    "Tags": self._tags(n),
                }
                for n in range(self.databases)
            ]
        }

    def fsx_describe_volumes(self) -> Answer:
        return {"Volumes": []}

    def organizations_describe_organization(self) -> Answer:
        return {"Organization": {"Id": "o-example", "MasterAccountId": PLACE.account}}

    def organizations_describe_effective_policy(self, **_: Any) -> Answer:
        vaults = [self.vault(n) for n in range(self.plans)]
        roles = [self.role_arn(n) for n in range(self.plans)]
        plans = {f"plan-{n}": policy_plan(vaults[n], role=roles[n]) for n in range(self.plans)}
        content = json.dumps({"plans": plans})
        return {"EffectivePolicy": {"PolicyContent": content, "TargetId": PLACE.account, "PolicyType": "BACKUP_POLICY"}}

    def organizations_list_accounts_with_invalid_effective_policy(self, **_: Any) -> Answer:
        return {"Accounts": [{"Id": f"{n:012}"} for n in range(self.plans)]}

    def organizations_list_effective_policy_validation_errors(self, **_: Any) -> Answer:
        return {"EffectivePolicyValidationErrors": [{"ErrorCode": "ELEMENTS_TOO_MANY", "ErrorMessage": "Too many."}]}


def _tag(key: str, value: str) -> Answer:
    return {"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value}


def _condition(key: str, value: str) -> Answer:
    return {"ConditionKey": f"aws:ResourceTag/{key}", "ConditionValue": value}

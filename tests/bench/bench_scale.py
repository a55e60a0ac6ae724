"""Each rule in a large account: `python tests/bench/bench_scale.py [--plans 300] [RULE …]`.

The account has 300 plans with 20 selections each, and 20,000 tagged resources. It is simulated by this process; each
rule runs in a process of its own, as in Lambda, and asks the simulator over HTTP. So the memory and the processor time
are the rule's alone; the seconds are mostly the simulator's, which answers one call at a time.

Ends with 1 when a rule fails, or holds more than the 256 MB or runs longer than the 15 minutes that Lambda gives it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aws_simulator.core import backup, config
from aws_simulator.core.config import result_token
from aws_simulator.core.messages.config_events import scheduled_event
from aws_simulator.core.tagging import tag_resource
from aws_simulator.server import serving
from backup_rules_cli.catalogue import ROOT, RuleFolder, rule_folders
from backup_rules_cli.invoke import MEMBER_ROLE, put_rule
from tests.front_door import CENTRAL, NOW, Door
from tests.organization import Organization, policy_plan

PLANS, SELECTIONS, RESOURCES = 300, 20, 20_000
DATABASES, FILE_SYSTEMS, ROLES, VAULTS, TAG_KEYS = 50, 20, 10, 10, 50
LIMIT_MIB, LIMIT_SECONDS = 256, 900
JOB_DAYS = 4

ARNS = (
    "arn:aws:dynamodb:{place}:table/table-{n}",
    "arn:aws:ec2:{place}:volume/vol-{n:017x}",
    "arn:aws:ec2:{place}:instance/i-{n:017x}",
    "arn:aws:elasticfilesystem:{place}:file-system/fs-{n:017x}",
    "arn:aws:s3:::bucket-{n}",
)


def seed(door: Door, plans: int, resources: int) -> None:
    """Fill the account of `door`, past the API where that would take minutes."""
    place = f"{door.region}:{door.account}"
    for number in range(resources):
        arn = ARNS[number % len(ARNS)].format(place=place, n=number)
        tag_resource(door.account, door.region, arn, tags(number))
    for number in range(VAULTS):
        door.client("backup").create_backup_vault(BackupVaultName=f"vault-{number}")
    roles = [role(door, number) for number in range(ROLES)]
    databases_and_file_systems(door)
    for number in range(plans):
        plan(door, number, roles)
    Organization.of(door).attach({"plans": {"policy": policy_plan("vault-1", "vault-2", role=roles[0])}})


def tags(number: int) -> dict[str, str]:
    """Three tags; of one resource in a hundred, one in another letter case than the selections ask for."""
    key = f"key-{number % TAG_KEYS}"
    return {
        key if number % 100 else key.upper(): f"value-{number % 400}",
        "backup": "daily" if number % 2 else "weekly",
        "owner": f"team-{number % 100}",
    }


def role(door: Door, number: int) -> str:
    name = f"BackupRole{number}"
    arn = door.role(name)
    for policy in ("Backup", "Restores"):
        door.client("iam").attach_role_policy(
            RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyFor{policy}"
        )
    return arn


def databases_and_file_systems(door: Door) -> None:
    rds, fsx = door.client("rds"), door.client("fsx")
    for number in range(DATABASES):
        rds.create_db_instance(
            DBInstanceIdentifier=f"database-{number}",
            Engine="postgres",
            DBInstanceClass="db.t4g.medium",
            AllocatedStorage=20,
            PreferredBackupWindow=f"{number % 24:02}:00-{number % 24:02}:30",
            PreferredMaintenanceWindow=f"sun:{(number + 2) % 24:02}:00-sun:{(number + 2) % 24:02}:30",
            Tags=[{"Key": key, "Value": value} for key, value in tags(number).items()],
        )
    for number in range(FILE_SYSTEMS):
        fsx.create_file_system(
            FileSystemType="LUSTRE",
            StorageCapacity=1200,
            SubnetIds=["subnet-0a1b2c3d"],
            LustreConfiguration={"DeploymentType": "PERSISTENT_1", "PerUnitStorageThroughput": 50},
            Tags=[{"Key": key, "Value": value} for key, value in tags(number).items()],
        )


def plan(door: Door, number: int, roles: Sequence[str]) -> None:
    backup_rule = {
        "RuleName": "daily",
        "TargetBackupVaultName": f"vault-{number % VAULTS}",
        "ScheduleExpression": f"cron({number % 60} {number % 24} * * ? *)",
        "ScheduleExpressionTimezone": "Europe/Berlin" if number % 2 else "Etc/UTC",
        "StartWindowMinutes": 60,
        "RuleId": f"rule-{number}",
    }
    plan_id = f"0a1b2c3d-0000-4000-8000-{number:012}"
    backup.add_plan(
        door.account,
        door.region,
        {"BackupPlanName": f"plan-{number}", "Rules": [backup_rule]},
        plan_id=plan_id,
        selections=[selection(door, number, each, roles) for each in range(SELECTIONS)],
    )
    for day in range(JOB_DAYS):
        created = NOW.astimezone(UTC) - timedelta(days=day, minutes=number)
        backup.add_backup_job(
            door.account,
            door.region,
            ResourceArn=ARNS[0].format(place=f"{door.region}:{door.account}", n=number),
            State="COMPLETED",
            CreationDate=created,
            CreatedBy={
                "BackupPlanId": plan_id,
                "BackupPlanArn": f"arn:aws:backup:{door.region}:{door.account}:backup-plan:{plan_id}",
                "BackupRuleId": f"rule-{number}",
            },
        )


def selection(door: Door, plan_number: int, number: int, roles: Sequence[str]) -> dict[str, Any]:
    """Most selections are by tags, some by ARN, wildcard, or wildcard and condition."""
    n = plan_number * SELECTIONS + number
    place = f"{door.region}:{door.account}"
    ways: tuple[Mapping[str, Any], ...] = (
        {"ListOfTags": [tag_condition(f"key-{n % TAG_KEYS}", f"value-{n % 400}")]},
        {"ListOfTags": [tag_condition("owner", f"team-{n % 100}"), tag_condition("backup", "daily")]},
        {"Resources": [ARNS[k].format(place=place, n=n - n % 5 + k) for k in range(4)]},
        {"Resources": [f"arn:aws:dynamodb:*:*:table/table-{n}*"]},
        {
            "Resources": ["*"],
            "Conditions": {
                "StringLike": [{"ConditionKey": f"aws:ResourceTag/key-{n % TAG_KEYS}", "ConditionValue": "value-1*"}]
            },
        },
    )
    return {"SelectionName": f"selection-{number}", "IamRoleArn": roles[n % len(roles)], **ways[n % len(ways)]}


def tag_condition(key: str, value: str) -> dict[str, str]:
    return {"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value}


def invoke(folder: RuleFolder, door: Door, url: str, **variables: str) -> dict[str, Any]:
    """The figures of one invocation, with the rule's own log line; `variables` are the function's own.

    Raises:
        RuntimeError: when the handler fails.
    """
    put_rule(folder, door.session, CENTRAL, door.place)
    event = scheduled_event(
        rule_name=folder.config_rule_name,
        account=door.account,
        region=door.region,
        token=result_token(door.account, door.region, folder.config_rule_name),
        parameters={"ExecutionRoleName": MEMBER_ROLE, **folder.defaults},
        execution_role_arn=f"arn:aws:iam::{door.account}:role/aws-service-role/config.amazonaws.com/Config",
        now=NOW,
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHON"))}
    environment |= {
        "PYTHONPATH": os.pathsep.join(map(str, (folder.path, ROOT / "layer"))),
        "AWS_REGION": door.region,
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "simulated",
        "AWS_SECRET_ACCESS_KEY": "simulated",
        **variables,
    }
    command = [sys.executable, str(Path(__file__).with_name("one_invocation.py")), folder.name]
    finished = subprocess.run(  # noqa: S603
        command, env=environment, input=json.dumps(event), capture_output=True, text=True, check=False
    )
    if finished.returncode:
        raise RuntimeError(finished.stderr.strip().splitlines()[-1])
    *_, line, figures = finished.stdout.strip().splitlines()
    return json.loads(line) | json.loads(figures)  # type: ignore[no-any-return]


def rows(folders: Sequence[RuleFolder], door: Door, url: str) -> Iterator[bool]:
    """Prints a line for each rule; whether it held the limits."""
    for folder in folders:
        try:
            found = invoke(folder, door, url)
        except RuntimeError as error:
            print(f"  {folder.name:<30} failed: {error}"[:300], flush=True)  # noqa: T201
            yield False
            continue
        print(  # noqa: T201
            f"  {folder.name:<30} {found['seconds']:7.1f} s {found['cpu_seconds']:6.1f} s {found['aws_calls']:6}"
            f" {found['imported_mib']:5.0f} MiB {found['peak_mib']:5.0f} MiB {found['subjects']:6}"
            f" {found['problems']:6}",
            flush=True,
        )
        yield found["peak_mib"] <= LIMIT_MIB and found["seconds"] <= LIMIT_SECONDS


def main() -> int:
    """Prints the figures; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", nargs="*", help="the rules to measure (default: all)")
    parser.add_argument("--plans", type=int, default=PLANS, help=f"how many plans (default: {PLANS})")
    parser.add_argument("--resources", type=int, default=RESOURCES, help=f"how many resources (default: {RESOURCES})")
    asked = parser.parse_args()
    door = Door()
    with serving() as url:
        config.install(require_functions=False)
        began = datetime.now(UTC)
        seed(door, asked.plans, asked.resources)
        seconds = (datetime.now(UTC) - began).total_seconds()
        print(  # noqa: T201 - the figures are what this is for
            f"{asked.plans} plans x {SELECTIONS} selections, {asked.resources} tagged resources"
            f" (made in {seconds:.0f} s):\n"
            f"  {'':<30} {'elapsed':>9} {'CPU':>8} {'calls':>6} {'import':>9} {'peak':>9} {'subj.':>6} {'probl.':>6}",
            flush=True,
        )
        held = list(rows(rule_folders(*asked.rules), door, url))
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())

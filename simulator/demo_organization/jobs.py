"""Rule BACKUP_PLAN_RAN_ON_SCHEDULE: plans that did not run, and the jobs that all others left behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from aws_simulator.core import backup
from aws_simulator.core.schedules import next_runs
from demo_organization.site import SILENT, History, Site, nightly

_DAYS = timedelta(days=4)
_MOST_RUNS = 10
_TOOK = timedelta(minutes=25)


def symptoms(site: Site) -> None:
    """In analytics-staging, us-east-1, beside the plans of `vaults`.

    Broken: `dashboards-nightly` (no job at all), `models-nightly` (expired) and `features-nightly` (refused by a
    window). `budgets-monthly` had no run lately and `sessions-nightly` failed for want of its vault.
    """
    plans = {
        "dashboards-nightly": (nightly("dashboards"), SILENT),
        "models-nightly": (
            nightly("models"),
            History("EXPIRED", "Backup job expired before completion.", "JOB_EXPIRED"),
        ),
        "features-nightly": (
            nightly("features"),
            History(
                "FAILED",
                "Backup job could not start because it is either inside or too close to the automated backup window"
                " configured in RDS instance.",
                "INVALID_LIFECYCLE",
            ),
        ),
        "budgets-monthly": (nightly("budgets", ScheduleExpression="cron(0 5 1 * ? *)"), SILENT),
    }
    for name, (rule, history) in plans.items():
        topic = name.rsplit("-", 1)[0]
        plan = site.plan(name, rule, history=history)
        site.selection(plan, f"{topic}-tables", Resources=[site.table(topic)])


def new_plan(site: Site) -> None:
    """`fresh-nightly` was made within the hour: no run of it is due yet; healthy."""
    plan = site.plan("fresh-nightly", nightly("fresh"), history=SILENT)
    site.selection(plan, "fresh-tables", Resources=[site.table("fresh")])


def past_jobs(site: Site, histories: Mapping[str, History], now: datetime) -> None:
    """The jobs of the last days, as they would lie there: one for each run of each backup rule, unless it stayed out.

    `histories` says by plan id what became of the runs. No call to AWS makes a job that a schedule started.
    """
    client = site.client("backup")
    for plan_id, history in histories.items():
        if history.state is None:
            continue
        plan = client.get_backup_plan(BackupPlanId=plan_id)
        for rule in plan["BackupPlan"]["Rules"]:
            for run in _runs(rule, now):
                _job(site, plan, rule, run, history)


def _runs(rule: Mapping[str, Any], now: datetime) -> Iterator[datetime]:
    expression = rule.get("ScheduleExpression") or "cron(0 5 ? * * *)"
    zone = rule.get("ScheduleExpressionTimezone") or "Etc/UTC"
    return (run for run in next_runs(expression, zone, now - _DAYS, _MOST_RUNS) if run + _TOOK < now)


def _job(site: Site, plan: Mapping[str, Any], rule: Mapping[str, Any], run: datetime, history: History) -> None:
    start_by = run + timedelta(minutes=rule.get("StartWindowMinutes", 480))
    vault = rule["TargetBackupVaultName"]
    backup.add_backup_job(
        site.account.id,
        site.region,
        State=history.state,
        MessageCategory=history.category,
        **({"StatusMessage": history.message} if history.message else {}),
        CreationDate=run,
        StartBy=start_by,
        CompletionDate=run + _TOOK,
        ResourceArn=site.arn("dynamodb", f"table/{plan['BackupPlan']['BackupPlanName'].split('/')[-1]}"),
        ResourceType="DynamoDB",
        BackupVaultName=vault,
        BackupVaultArn=site.arn("backup", f"backup-vault:{vault}"),
        IamRoleArn=site.default_role,
        CreatedBy={
            "BackupPlanId": plan["BackupPlanId"],
            "BackupPlanArn": plan["BackupPlanArn"],
            "BackupPlanVersion": plan["VersionId"],
            "BackupPlanName": plan["BackupPlan"]["BackupPlanName"],
            "BackupRuleId": rule["RuleId"],
            "BackupRuleName": rule["RuleName"],
            "BackupRuleCron": rule.get("ScheduleExpression", "cron(0 5 ? * * *)"),
        },
    )

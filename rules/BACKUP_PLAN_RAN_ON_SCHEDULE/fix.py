"""What shows the jobs of the plan."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules_cli.answers.fixes import Broken, aws


def commands(broken: Broken) -> Iterator[str]:
    """The jobs of the days that are looked at; the causes are mended by what other rules say."""
    rule = broken.judged.by("BACKUP_PLAN_RAN_ON_SCHEDULE")
    if rule is None:
        return
    since = broken.now - rule.invocation.parameters.lookback
    query = f"BackupJobs[?CreatedBy.BackupPlanId=='{broken.of.id}'].[CreationDate,State,ResourceArn,StatusMessage]"
    yield aws(
        "backup",
        "list-backup-jobs",
        region=broken.place.region,
        by_created_after=f"{since:%Y-%m-%dT%H:%M:%SZ}",
        query=query,
        output="table",
    )

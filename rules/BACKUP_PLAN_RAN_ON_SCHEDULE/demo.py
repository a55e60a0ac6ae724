"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import ANALYTICS, IRELAND, PAYMENTS, VIRGINIA, Expected, rows

EXPECTED: tuple[Expected, ...] = (
    *rows(
        "BACKUP_PLAN_RAN_ON_SCHEDULE",
        ANALYTICS,
        VIRGINIA,
        {
            "dashboards-nightly": "dashboards",
            "models-nightly": "EXPIRED",
            "features-nightly": "FAILED",
            "sessions-nightly": "sessions-archive",
            "PII_Backup_Plan": "daily",
        },
        ("events-nightly", "ledgers-nightly", "fresh-nightly", "budgets-monthly"),
    ),
    *rows(
        "BACKUP_PLAN_RAN_ON_SCHEDULE",
        PAYMENTS,
        IRELAND,
        {},
        ("PII_Backup_Plan", "thin-backups", "dublin-nightly", "noon-and-midnight", "aws/efs/automatic-backup-plan"),
    ),
)

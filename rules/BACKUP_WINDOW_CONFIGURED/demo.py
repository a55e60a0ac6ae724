"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import IRELAND, PAYMENTS, Expected, rows

EXPECTED: tuple[Expected, ...] = (
    *rows(
        "BACKUP_WINDOW_CONFIGURED",
        PAYMENTS,
        IRELAND,
        {
            "invoices-every-day": "rate(1 day)",
            "year-end-2024": "2024",
            "february-30": "30 2",
            "half-hour-window": "30",
            "daily-never-runs": "daily-for-audit",
            "only-once-a-day": "12/12",
            "atlantis-nightly": "Europe/Atlantis",
        },
        ("thin-backups", "dublin-nightly", "all-defaults", "noon-and-midnight", "aws/efs/automatic-backup-plan"),
    ),
)

"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import ANALYTICS, IRELAND, Expected, rows

EXPECTED: tuple[Expected, ...] = (
    *rows(
        "BACKUP_TAG_WHITESPACE",
        ANALYTICS,
        IRELAND,
        {
            "devices-lab": '"30 days "',
            "devices-field": "30",
            "devices-db": '"30 days "',
            "devices-tables": '"30 days"',
            "sensors-tables": '"AWSBackup "',
        },
        ("devices", "meters-tables", "customers-tables"),
    ),
)

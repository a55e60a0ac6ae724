"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import ANALYTICS, IRELAND, Expected, rows

EXPECTED: tuple[Expected, ...] = (
    *rows(
        "BACKUP_TAG_CASE",
        ANALYTICS,
        IRELAND,
        {
            "customers-eu": '"Backup"',
            "customers-us": '"Daily"',
            "customers-db": '"Backup"',
            "customers-tables": '"backup"',
        },
        ("customers", "customers-archive", "campaigns-tables", "devices-tables"),
    ),
)

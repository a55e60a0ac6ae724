"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import ANALYTICS, VIRGINIA, Expected, rows

EXPECTED: tuple[Expected, ...] = (
    *rows(
        "BACKUP_VAULT_USABLE",
        ANALYTICS,
        VIRGINIA,
        {
            "sessions-nightly": "sessions-archive",
            "clicks-nightly": "Clicks",
            "logs-nightly": "logs",
            "metrics-nightly": "metrics",
            "compliance-nightly": "365",
            "exports-nightly": "30",
            "frozen-nightly": "frozen",
            "new-nightly": "new",
            "uploads-nightly": "uploads-analytics",
        },
        ("events-nightly", "ledgers-nightly", "sealed-nightly"),
    ),
)

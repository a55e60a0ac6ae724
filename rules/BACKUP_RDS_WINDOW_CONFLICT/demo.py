"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import IRELAND, PAYMENTS, SECURITY, Expected, rows

EXPECTED: tuple[Expected, ...] = (
    *rows(
        "BACKUP_RDS_WINDOW_CONFLICT",
        PAYMENTS,
        IRELAND,
        {
            "orders-db": "databases-nightly",
            "brink-db": "03:30",
            "billing-db": "tue",
            "catalog": "databases-nightly",
            "sessions": "databases-nightly",
        },
        ("customers-db", "edge-db", "cache-db", "audit-db", "reporting", "graph"),
    ),
    *rows("BACKUP_RDS_WINDOW_CONFLICT", SECURITY, IRELAND, {}, ("evidence-db",)),
)

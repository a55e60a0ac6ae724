"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import IRELAND, PAYMENTS, Expected, rows

EXPECTED: tuple[Expected, ...] = (
    *rows(
        "BACKUP_FSX_WINDOW_CONFLICT",
        PAYMENTS,
        IRELAND,
        {"finance-share": "04:30", "warehouse-volumes": "sun"},
        ("design-share",),
    ),
)

"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import IRELAND, MANAGEMENT, PAYMENTS, VIRGINIA, Expected, rows

EXPECTED: tuple[Expected, ...] = (
    *rows(
        "BACKUP_SERVICE_OPT_IN",
        PAYMENTS,
        VIRGINIA,
        {
            "storefront-ec2": "EBS",
            "storefront-shares": "FSx",
            "storefront-aurora": "Aurora",
            "storefront-gateways": "Storage Gateway",
        },
        ("storefront-tables", "storefront-volumes"),
    ),
    *rows(
        "BACKUP_SERVICE_OPT_IN",
        MANAGEMENT,
        IRELAND,
        {"PII_Backup_Plan/datatype": "EFS"},
        ("billing-tables",),
    ),
)

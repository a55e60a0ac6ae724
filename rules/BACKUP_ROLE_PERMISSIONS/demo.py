"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import ANALYTICS, IRELAND, PAYMENTS, SECURITY, Expected, rows

EXPECTED: tuple[Expected, ...] = (
    *rows(
        "BACKUP_ROLE_PERMISSIONS",
        PAYMENTS,
        IRELAND,
        {
            "invoices-bucket": "S3",
            "statements-tables": "dynamodb:",
            "exports-tables": "boundary",
            "contracts-by-tag": "tag:GetResources",
        },
        ("receipts-bucket", "ledger-tables", "refunds-no-role", "databases", "design-share"),
    ),
    *rows(
        "BACKUP_ROLE_PERMISSIONS",
        ANALYTICS,
        IRELAND,
        {"notebooks-files": "elasticfilesystem:Backup"},
        ("notebooks-tables",),
    ),
)

# `*` picks what bears no tag, too: AWS Config's inventory is asked.
EXPECTED += rows("BACKUP_ROLE_PERMISSIONS", SECURITY, IRELAND, {}, ("guide-all-resources",))

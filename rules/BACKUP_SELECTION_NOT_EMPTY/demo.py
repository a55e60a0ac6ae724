"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import CHINA, IRELAND, PAYMENTS, SECURITY, Expected, rows

EXPECTED: tuple[Expected, ...] = (
    *rows(
        "BACKUP_SELECTION_NOT_EMPTY",
        PAYMENTS,
        IRELAND,
        {
            "forgotten": "forgotten",
            "name-instead-of-arn": "inventory",
            "tag-that-nothing-has": "counted-by-hand",
            "other-account": "777788889999",
            "other-region": "ap-southeast-2",
            "database-is-gone": "inventory-2019",
            "conditions-contradict": "stock",
        },
        ("inventory-nightly", "inventory-tables", "inventory-prefix", "databases", "design-share"),
    ),
    *rows(
        "BACKUP_SELECTION_NOT_EMPTY",
        SECURITY,
        IRELAND,
        {},
        (
            "guide-nightly",
            "guide-all-resources",
            "guide-all-but-volumes",
            "guide-tagged-but-volumes",
            "guide-volumes-and-databases",
            "guide-not-stage-test",
            "guide-include-and-exclude",
            "guide-but-fsx-and-rds",
            "guide-any-value",
            "guide-fsx-aurora-and-tags",
            "tags-narrow-nothing",
        ),
    ),
    *rows(
        "BACKUP_SELECTION_NOT_EMPTY",
        CHINA,
        "cn-north-1",
        {"copied-from-ireland": "arn:aws:dynamodb"},
        ("stores-tables", "stores-by-tag"),
    ),
)

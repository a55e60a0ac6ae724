"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import CHINA, GOVCLOUD, IRELAND, PAYMENTS, Expected, rows

EXPECTED: tuple[Expected, ...] = (
    *rows(
        "BACKUP_ROLE_ASSUMABLE",
        PAYMENTS,
        IRELAND,
        {
            "refunds-no-role": "RefundsBackupRole",
            "settlements-other-account": "777788889999",
            "fees-not-a-role": "user/backup",
            "chargebacks-trusts-ec2": "ChargebacksBackupRole",
            "disputes-denied": "DisputesBackupRole",
            "cards-other-account": "SharedBackupRole",
        },
        ("ledger-tables", "cards-own-account", "aws/efs/automatic-backup-selection", "PII_Backup_Plan/datatype"),
    ),
    *rows("BACKUP_ROLE_ASSUMABLE", CHINA, "cn-north-1", {}, ("stores-tables", "stores-by-tag")),
    *rows(
        "BACKUP_ROLE_ASSUMABLE",
        GOVCLOUD,
        "us-gov-west-1",
        {"records-role-of-aws": "partition aws"},
        ("records-tables",),
    ),
)

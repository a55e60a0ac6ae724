"""What is planted, written by hand: which rule must speak of which thing, and of which twin it must not.

Nothing here comes from a rule. A thing is named as the module that plants it names it; `says` is what must be found in
the annotation, however it is worded: the name of what is wrong, or of what to look at.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expected:
    """A verdict: `broken` is NON_COMPLIANT, anything else is a healthy twin. `account` is its name."""

    account: str
    region: str
    rule: str
    name: str
    broken: bool
    says: str = ""


_MANAGEMENT, _SECURITY = "management", "security-backup-administration"
_PAYMENTS, _ANALYTICS = "payments-production", "analytics-staging"
_CHINA, _GOVCLOUD = "retail-china", "records-govcloud"
_IRELAND, _VIRGINIA = "eu-west-1", "us-east-1"


def _rows(
    rule: str, account: str, region: str, broken: dict[str, str], healthy: tuple[str, ...] = ()
) -> tuple[Expected, ...]:
    return (
        *(Expected(account, region, rule, name, broken=True, says=says) for name, says in broken.items()),
        *(Expected(account, region, rule, name, broken=False) for name in healthy),
    )


# An account's verdict is named by its id.
_IDS = {_MANAGEMENT: "111122223333", _SECURITY: "444455556666", _PAYMENTS: "123456789012", _ANALYTICS: "777788889999"}


def _account(rule: str, account: str, region: str, broken: str | None) -> tuple[Expected, ...]:
    return (Expected(account, region, rule, _IDS[account], broken=broken is not None, says=broken or ""),)


EXPECTED: tuple[Expected, ...] = (
    # Resource types turned on
    *_rows(
        "BACKUP_SERVICE_OPT_IN",
        _PAYMENTS,
        _VIRGINIA,
        {
            "storefront-ec2": "EBS",
            "storefront-shares": "FSx",
            "storefront-aurora": "Aurora",
            "storefront-gateways": "Storage Gateway",
        },
        ("storefront-tables", "storefront-volumes"),
    ),
    *_rows(
        "BACKUP_SERVICE_OPT_IN",
        _MANAGEMENT,
        _IRELAND,
        {"PII_Backup_Plan/datatype": "EFS"},
        ("billing-tables",),
    ),
    # Schedules and windows
    *_rows(
        "BACKUP_WINDOW_CONFIGURED",
        _PAYMENTS,
        _IRELAND,
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
    # Roles
    *_rows(
        "BACKUP_ROLE_ASSUMABLE",
        _PAYMENTS,
        _IRELAND,
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
    *_rows("BACKUP_ROLE_ASSUMABLE", _CHINA, "cn-north-1", {}, ("stores-tables", "stores-by-tag")),
    *_rows(
        "BACKUP_ROLE_ASSUMABLE",
        _GOVCLOUD,
        "us-gov-west-1",
        {"records-role-of-aws": "arn:aws:iam"},
        ("records-tables",),
    ),
    *_rows(
        "BACKUP_ROLE_PERMISSIONS",
        _PAYMENTS,
        _IRELAND,
        {
            "invoices-bucket": "S3",
            "statements-tables": "dynamodb:",
            "exports-tables": "boundary",
            "contracts-by-tag": "tag:GetResources",
        },
        ("receipts-bucket", "ledger-tables", "refunds-no-role", "databases", "design-share"),
    ),
    *_rows(
        "BACKUP_ROLE_PERMISSIONS",
        _ANALYTICS,
        _IRELAND,
        {"notebooks-files": "elasticfilesystem:Backup"},
        ("notebooks-tables",),
    ),
    # Tags
    *_rows(
        "BACKUP_TAG_CASE",
        _ANALYTICS,
        _IRELAND,
        {
            "customers-eu": '"Backup"',
            "customers-us": '"Daily"',
            "customers-db": '"Backup"',
            "customers-tables": '"backup"',
        },
        ("customers", "customers-archive", "campaigns-tables", "devices-tables"),
    ),
    *_rows(
        "BACKUP_TAG_WHITESPACE",
        _ANALYTICS,
        _IRELAND,
        {
            "devices-lab": '"30 days "',
            "devices-field": "30",
            "devices-db": '"30 days "',
            "devices-tables": '"30 days"',
            "sensors-tables": '"AWSBackup "',
        },
        ("devices", "meters-tables", "customers-tables"),
    ),
    # Windows of databases and file systems
    *_rows(
        "BACKUP_RDS_WINDOW_CONFLICT",
        _PAYMENTS,
        _IRELAND,
        {
            "orders-db": "databases-nightly",
            "brink-db": "03:30",
            "billing-db": "tue",
            "catalog": "databases-nightly",
            "sessions": "databases-nightly",
        },
        ("customers-db", "edge-db", "cache-db", "audit-db", "reporting", "graph"),
    ),
    *_rows("BACKUP_RDS_WINDOW_CONFLICT", _SECURITY, _IRELAND, {}, ("evidence-db",)),
    *_rows(
        "BACKUP_FSX_WINDOW_CONFLICT",
        _PAYMENTS,
        _IRELAND,
        {"finance-share": "04:30", "warehouse-volumes": "sun"},
        ("design-share",),
    ),
    # The organization's policy
    *_account("BACKUP_POLICY_ATTACHED", _PAYMENTS, _IRELAND, None),
    *_account("BACKUP_POLICY_ATTACHED", _MANAGEMENT, _IRELAND, None),
    *_account("BACKUP_POLICY_ATTACHED", _SECURITY, _IRELAND, "policy"),
    *_account("BACKUP_POLICY_ATTACHED", _ANALYTICS, _VIRGINIA, "Staging_Weekly"),
    *_account("BACKUP_POLICY_VALID", _MANAGEMENT, _IRELAND, "777788889999"),
    *_account("BACKUP_POLICY_VALID", _ANALYTICS, _IRELAND, None),
    *_account("BACKUP_POLICY_VALID", _SECURITY, _IRELAND, None),
    *_account("BACKUP_POLICY_VAULT_EXISTS", _PAYMENTS, _VIRGINIA, "FortKnox"),
    *_account("BACKUP_POLICY_VAULT_EXISTS", _PAYMENTS, _IRELAND, None),
    *_account("BACKUP_POLICY_VAULT_EXISTS", _ANALYTICS, _IRELAND, None),
    *_account("BACKUP_POLICY_VAULT_NAME_CASE", _ANALYTICS, _IRELAND, "fortknox"),
    *_account("BACKUP_POLICY_VAULT_NAME_CASE", _PAYMENTS, _IRELAND, None),
    *_account("BACKUP_POLICY_VAULT_NAME_CASE", _PAYMENTS, _VIRGINIA, None),
    *_account("BACKUP_POLICY_ROLE_EXISTS", _ANALYTICS, _VIRGINIA, "MyIamRole"),
    *_account("BACKUP_POLICY_ROLE_EXISTS", _PAYMENTS, _VIRGINIA, None),
    # Whether plans ran
    *_rows(
        "BACKUP_PLAN_RAN_ON_SCHEDULE",
        _ANALYTICS,
        _VIRGINIA,
        {
            "dashboards-nightly": "dashboards",
            "models-nightly": "EXPIRED",
            "features-nightly": "FAILED",
            "sessions-nightly": "sessions-archive",
            "PII_Backup_Plan": "daily",
        },
        ("events-nightly", "ledgers-nightly", "fresh-nightly", "budgets-monthly"),
    ),
    *_rows(
        "BACKUP_PLAN_RAN_ON_SCHEDULE",
        _PAYMENTS,
        _IRELAND,
        {},
        ("PII_Backup_Plan", "thin-backups", "dublin-nightly", "noon-and-midnight", "aws/efs/automatic-backup-plan"),
    ),
    # Selections that pick nothing
    *_rows(
        "BACKUP_SELECTION_NOT_EMPTY",
        _PAYMENTS,
        _IRELAND,
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
    *_rows(
        "BACKUP_SELECTION_NOT_EMPTY",
        _SECURITY,
        _IRELAND,
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
    *_rows(
        "BACKUP_SELECTION_NOT_EMPTY",
        _CHINA,
        "cn-north-1",
        {"copied-from-ireland": "arn:aws:dynamodb"},
        ("stores-tables", "stores-by-tag"),
    ),
    # What can be backed up
    *_rows(
        "BACKUP_RESOURCE_READY",
        _PAYMENTS,
        _VIRGINIA,
        {"contracts-inbox": "Off", "scans": "ONTAP"},
        ("contracts-archive", "contracts"),
    ),
    # Vaults
    *_rows(
        "BACKUP_VAULT_USABLE",
        _ANALYTICS,
        _VIRGINIA,
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
"""Every planted problem, and its healthy twins."""

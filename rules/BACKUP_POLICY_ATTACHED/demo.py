"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import ANALYTICS, IRELAND, MANAGEMENT, PAYMENTS, SECURITY, VIRGINIA, Expected, account

EXPECTED: tuple[Expected, ...] = (
    *account("BACKUP_POLICY_ATTACHED", PAYMENTS, IRELAND, None),
    *account("BACKUP_POLICY_ATTACHED", MANAGEMENT, IRELAND, None),
    *account("BACKUP_POLICY_ATTACHED", SECURITY, IRELAND, "policy"),
    *account("BACKUP_POLICY_ATTACHED", ANALYTICS, VIRGINIA, "Staging_Weekly"),
)

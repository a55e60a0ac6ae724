"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import ANALYTICS, IRELAND, MANAGEMENT, SECURITY, Expected, account

EXPECTED: tuple[Expected, ...] = (
    *account("BACKUP_POLICY_VALID", MANAGEMENT, IRELAND, "777788889999"),
    *account("BACKUP_POLICY_VALID", ANALYTICS, IRELAND, None),
    *account("BACKUP_POLICY_VALID", SECURITY, IRELAND, None),
)

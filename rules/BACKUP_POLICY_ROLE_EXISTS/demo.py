"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import ANALYTICS, PAYMENTS, VIRGINIA, Expected, account

EXPECTED: tuple[Expected, ...] = (
    *account("BACKUP_POLICY_ROLE_EXISTS", ANALYTICS, VIRGINIA, "MyIamRole"),
    *account("BACKUP_POLICY_ROLE_EXISTS", PAYMENTS, VIRGINIA, None),
)

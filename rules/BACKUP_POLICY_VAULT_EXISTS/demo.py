"""What the demo organization must show of the rule: the planted problems, and their healthy twins."""

from __future__ import annotations

from demo_organization.expected import ANALYTICS, IRELAND, PAYMENTS, VIRGINIA, Expected, account

EXPECTED: tuple[Expected, ...] = (
    *account("BACKUP_POLICY_VAULT_EXISTS", PAYMENTS, VIRGINIA, "FortKnox"),
    *account("BACKUP_POLICY_VAULT_EXISTS", PAYMENTS, IRELAND, None),
    *account("BACKUP_POLICY_VAULT_EXISTS", ANALYTICS, IRELAND, None),
)

"""What shows the accounts whose effective backup policy is invalid, and why."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules_cli.answers.fixes import Broken, aws


def commands(broken: Broken) -> Iterator[str]:  # noqa: ARG001 - of whichever organization
    """The accounts; of one of them, the errors."""
    yield aws("organizations", "list-accounts-with-invalid-effective-policy", policy_type="BACKUP_POLICY")
    errors = aws("organizations", "list-effective-policy-validation-errors", policy_type="BACKUP_POLICY")
    yield f'{errors} --account-id "$ACCOUNT_ID"'

"""What shows the accounts whose effective backup policy is invalid, and why."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules.aws import organizations
from backup_rules.organization.invalid_policies import NotTold
from backup_rules_cli.answers.fixes import Broken, aws

_MOST = 5


def commands(broken: Broken) -> Iterator[str]:
    """The accounts; and of the first ones the errors, which name what is to be corrected in the policy."""
    policy_type = "BACKUP_POLICY"
    yield aws("organizations", "list-accounts-with-invalid-effective-policy", policy_type=policy_type)
    invalid = organizations.accounts_with_invalid_policy(broken.account)
    for account in () if isinstance(invalid, NotTold) else invalid[:_MOST]:
        operation = "list-effective-policy-validation-errors"
        yield aws("organizations", operation, policy_type=policy_type, account_id=account)

"""Which accounts of the organization have an invalid effective backup policy, and why: asked for by who administers it.

Sources: https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsWithInvalidEffectivePolicy.html,
https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListEffectivePolicyValidationErrors.html
"""

from __future__ import annotations

from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, field, optional, texts
from backup_rules.aws.organization import BACKUP_POLICY
from backup_rules.errors import ReadError
from backup_rules.organization.invalid_policies import NotTold, ValidationError

# What AWS Organizations itself says to members that may not ask, whatever their IAM policies allow. IAM, and service
# control policies, say "is not authorized to perform": that is a missing permission.
_NO_ADMINISTRATOR = "You don't have permissions to access this resource"


def accounts_with_invalid_policy(account: Account) -> tuple[str, ...] | NotTold:
    """The ids of the accounts whose effective backup policy AWS finds invalid, in order; or why AWS does not tell.

    Raises:
        ReadError: when AWS cannot be asked, a missing permission of the management account included.
    """

    def account_id(item: Answer) -> str:
        return field(item, "Id", str)

    def read() -> tuple[str, ...] | NotTold:
        try:
            ids = account.calls.items(
                "organizations",
                "ListAccountsWithInvalidEffectivePolicy",
                "Accounts",
                account_id,
                PolicyType=BACKUP_POLICY,
            )
        except ReadError as error:
            if error.code == "EffectivePolicyNotFoundException":
                return NotTold.NO_POLICY_TYPE
            if _NO_ADMINISTRATOR in str(error) and account.management_account() != account.place.account:
                return NotTold.NO_ADMINISTRATOR
            raise
        return tuple(sorted(set(ids)))

    return account.once("accounts with an invalid policy", read)


def first_validation_error(account: Account, of: str) -> ValidationError | None:
    """The first error in the effective backup policy of the account `of`; None where it has none any more.

    Raises:
        ReadError: when AWS cannot be asked.
    """

    def error(item: Answer) -> ValidationError:
        return ValidationError(
            code=optional(item, "ErrorCode", str) or "an error without a code",
            message=optional(item, "ErrorMessage", str) or "",
            path=optional(item, "PathToError", str) or "",
            policies=texts(item, "ContributingPolicies"),
        )

    def read() -> ValidationError | None:
        try:
            errors = account.calls.items(
                "organizations",
                "ListEffectivePolicyValidationErrors",
                "EffectivePolicyValidationErrors",
                error,
                AccountId=of,
                PolicyType=BACKUP_POLICY,
            )
        except ReadError as refused:
            if refused.code in {"AccountNotFoundException", "EffectivePolicyNotFoundException"}:
                return None
            raise
        return next(iter(errors), None)

    return account.once(("validation error", of), read)

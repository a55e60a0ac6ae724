"""AWS Organizations: the account's own organization and effective backup policy, and who administers it.

`DescribeEffectivePolicy` answers any account about itself, so neither the management account nor a delegated
administrator is needed. Its errors mean different things, and only two of them say that there is no policy; any other
(a missing permission, an endpoint that does not know the operation, throttling) leaves the question open and is raised.
Whose effective policies are invalid, AWS tells the management account and delegated administrators only.
Sources: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeEffectivePolicy.html,
https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsWithInvalidEffectivePolicy.html and
https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListEffectivePolicyValidationErrors.html
"""

from __future__ import annotations

from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, field, optional, texts
from backup_rules.aws.memory import remembered
from backup_rules.errors import ReadError
from backup_rules.organization.effective_policy import EffectivePolicy, NoPolicy, parse_policy
from backup_rules.organization.invalid_policies import NotTold, ValidationError

BACKUP_POLICY = "BACKUP_POLICY"

# What AWS Organizations itself says to members that may not ask, whatever their IAM policies allow. IAM, and service
# control policies, say "is not authorized to perform": that is a missing permission.
_NO_ADMINISTRATOR = "You don't have permissions to access this resource"


def management_account(account: Account) -> str | None:
    """The id of the organization's management account, or None when the account is in no organization."""
    return _organization(account)[1]


def organization_id(account: Account) -> str | None:
    """The id of the account's organization (`o-…`), or None when it is in none."""
    return _organization(account)[0]


@remembered
def _organization(account: Account) -> tuple[str, str] | tuple[None, None]:
    def ids(answer: Answer) -> tuple[str, str]:
        organization = field(answer, "Organization", dict)
        return field(organization, "Id", str), field(organization, "MasterAccountId", str)

    try:
        return account.calls.one("organizations", "DescribeOrganization", ids)
    except ReadError as error:
        if error.code == NoPolicy.NOT_IN_ORGANIZATION:
            return None, None
        raise


@remembered
def effective_policy(account: Account) -> EffectivePolicy | NoPolicy:
    """The account's effective backup policy as it applies in its Region, or why there is none.

    A policy with nothing left in it is none in effect.

    Raises:
        ReadError: when AWS cannot be asked, or answers about another account.
    """

    def content(answer: Answer) -> str:
        policy = field(answer, "EffectivePolicy", dict)
        target = optional(policy, "TargetId", str)
        if target not in (None, account.place.account):
            raise ValueError(f"TargetId is {target}: the policy of another account")
        return field(policy, "PolicyContent", str)

    try:
        text = account.calls.one("organizations", "DescribeEffectivePolicy", content, PolicyType=BACKUP_POLICY)
    except ReadError as error:
        if error.code in list(NoPolicy):
            return NoPolicy(error.code)
        raise
    policy = parse_policy(text, account.place)
    return NoPolicy.NONE_IN_EFFECT if policy.empty else policy


@remembered
def accounts_with_invalid_policy(account: Account) -> tuple[str, ...] | NotTold:
    """The ids of the accounts whose effective backup policy AWS finds invalid, in order; or why AWS does not tell.

    Raises:
        ReadError: when AWS cannot be asked, a missing permission of the management account included.
    """
    try:
        ids = account.calls.items(
            "organizations",
            "ListAccountsWithInvalidEffectivePolicy",
            "Accounts",
            lambda item: field(item, "Id", str),
            PolicyType=BACKUP_POLICY,
        )
    except ReadError as error:
        if error.code == NoPolicy.NONE_IN_EFFECT:
            return NotTold.NO_POLICY_TYPE
        if _NO_ADMINISTRATOR in str(error) and management_account(account) != account.place.account:
            return NotTold.NO_ADMINISTRATOR
        raise
    return tuple(sorted(set(ids)))


@remembered
def first_validation_error(account: Account, of: str) -> ValidationError | None:
    """The first error in the effective backup policy of the account `of`; None where it has none any more.

    Raises:
        ReadError: when AWS cannot be asked.
    """
    try:
        errors = account.calls.items(
            "organizations",
            "ListEffectivePolicyValidationErrors",
            "EffectivePolicyValidationErrors",
            _validation_error,
            AccountId=of,
            PolicyType=BACKUP_POLICY,
        )
    except ReadError as refused:
        if refused.code in {"AccountNotFoundException", NoPolicy.NONE_IN_EFFECT}:
            return None
        raise
    return next(iter(errors), None)


def _validation_error(item: Answer) -> ValidationError:
    return ValidationError(
        code=optional(item, "ErrorCode", str) or "an error without a code",
        message=optional(item, "ErrorMessage", str) or "",
        path=optional(item, "PathToError", str) or "",
        policies=texts(item, "ContributingPolicies"),
    )

"""What AWS Organizations asks of the account: its effective backup policy, asked for by the account itself.

`DescribeEffectivePolicy` answers any account about itself, so nothing here needs the management account or a delegated
administrator. Its errors mean different things, and only two of them say that there is no policy; any other (a missing
permission, an endpoint that does not know the operation, throttling) leaves the question open and is raised.
Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeEffectivePolicy.html
"""

from __future__ import annotations

from enum import StrEnum

from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, field, optional
from backup_rules.errors import ReadError
from backup_rules.organization.effective_policy import EffectivePolicy, parse_policy

BACKUP_POLICY = "BACKUP_POLICY"


class NoPolicy(StrEnum):
    """Why an account has no effective backup policy, by AWS's error code."""

    NOT_IN_ORGANIZATION = "AWSOrganizationsNotInUseException"
    NONE_IN_EFFECT = "EffectivePolicyNotFoundException"


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

    def read() -> EffectivePolicy | NoPolicy:
        try:
            text = account.calls.one("organizations", "DescribeEffectivePolicy", content, PolicyType=BACKUP_POLICY)
        except ReadError as error:
            if error.code in list(NoPolicy):
                return NoPolicy(error.code)
            raise
        policy = parse_policy(text, account.place)
        return NoPolicy.NONE_IN_EFFECT if policy.empty else policy

    return account.once("effective backup policy", read)

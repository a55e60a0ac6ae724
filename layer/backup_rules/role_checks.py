"""Whether AWS Backup can assume the role that a selection, or an organization's policy, names."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules.annotations import name
from backup_rules.aws.account import Account
from backup_rules.errors import ReadError
from backup_rules.findings import Finding, Note, Problem
from backup_rules.trust import parse_role_arn, trust, what_it_is


def role_problems(role_arn: str, whose: str, account: Account) -> Iterator[Finding]:
    """What keeps AWS Backup from assuming the role, for `whose` (`selection nightly of plan prod`).

    Raises:
        ReadError: when the role or its trust policy cannot be read.
    """
    role = parse_role_arn(role_arn)
    who = whose[:1].upper() + whose[1:]
    if role is None:
        yield Problem(
            f"{who} names as its role {name(role_arn) or 'nothing'}, which is {what_it_is(role_arn)}.",
            "Assign the resources with the ARN of an IAM role of this account.",
        )
        return
    if not role.is_in(account.place):
        place = account.place
        where = (
            f"account {role.account}; this is account {place.account}"
            if role.account != place.account
            else f"partition {role.partition}; this account is of {place.partition}"
        )
        yield Problem(
            f"{who} names {name(role_arn)}, a role of {where}.",
            "AWS Backup can only use a role of its own account: assign the resources with one.",
        )
        return
    found = account.role(role.name)
    if found is not None and found.arn != str(role):
        path = found.arn.split(":role", 1)[-1].removesuffix(role.name)
        yield Problem(
            f"Role {name(str(role))} of {whose} does not exist: here, {name(role.name)} has the path {path}.",
            "Assign the resources with the ARN that the role has.",
        )
        return
    if found is None:
        yield Problem(
            f"Role {name(str(role))} of {whose} does not exist.",
            "Create it (it must trust backup.amazonaws.com), or assign the resources with a role that exists.",
        )
        return
    try:
        verdict = trust(found.trust_policy, account.place)
    except ValueError as error:
        raise ReadError(
            f"iam:GetRole in account {account.place.account} for {role.name} answered a trust policy that cannot be"
            f" read: {error}",
            "MalformedAnswer",
        ) from error
    if verdict.problem is not None:
        yield Problem(f"Role {name(role.name)} of {whose} {verdict.problem.message}.", verdict.problem.remedy)
    for condition in verdict.undecided:
        yield Note(f"The trust policy of role {name(role.name)} has a condition that cannot be judged: {condition}.")

"""Whether AWS Backup can assume the role that a selection, or an organization's policy, names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from backup_rules.aws import iam
from backup_rules.aws.account import Account
from backup_rules.iam.trust import RoleArn, parse_role_arn, trust, what_it_is
from backup_rules.wording.annotations import name, sentence
from backup_rules.wording.findings import Finding, Note, Problem


@dataclass(frozen=True, slots=True)
class Remedies:
    """How another role is named, by what is wrong with the one that is. `{partition}` is the account's."""

    no_role: str
    other_account: str
    other_partition: str
    other_path: str
    missing: str


class NamedIn(Enum):
    """Where a role is named, and so where another can be."""

    SELECTION = Remedies(
        no_role="Assign the resources with the ARN of an IAM role of this account.",
        other_account="AWS Backup can only use a role of its own account: assign the resources with one.",
        other_partition="AWS Backup can only use a role of this account, in partition {partition}: assign the resources"
        " with one.",
        other_path="Assign the resources with the ARN that the role has.",
        missing="Create it (it must trust backup.amazonaws.com), or assign the resources with a role that exists.",
    )
    BACKUP_POLICY = Remedies(
        no_role="Set iam_role_arn in the backup policy to the ARN of an IAM role of this account.",
        other_account="Write $account in the backup policy in place of the account id.",
        other_partition="Write partition {partition} in iam_role_arn of the backup policy.",
        other_path="Set iam_role_arn in the backup policy to the ARN that the role has.",
        missing="Create it (it must trust backup.amazonaws.com), or change iam_role_arn in the backup policy.",
    )


def read_roles(account: Account, role_arns: Iterable[str]) -> None:
    """Have the roles at hand that are of this account, asked for side by side."""
    parsed = (parse_role_arn(role_arn) for role_arn in role_arns)
    account.side_by_side(iam.role, {role.name for role in parsed if role is not None and role.is_in(account.place)})


def role_problems(role_arn: str, whose: str, account: Account, named_in: NamedIn) -> Iterator[Finding]:
    """What keeps AWS Backup from assuming the role, for `whose` (`selection nightly of plan prod`).

    Raises:
        ReadError: when the role or its trust policy cannot be read.
    """
    role = parse_role_arn(role_arn)
    if role is None:
        yield Problem(
            f"{sentence(whose)} names as its role {name(role_arn) or 'nothing'}, which is {what_it_is(role_arn)}.",
            named_in.value.no_role,
        )
        return
    elsewhere = _elsewhere(role, account, named_in)
    if elsewhere is not None:
        where, remedy = elsewhere
        yield Problem(f"{sentence(whose)} names {name(role_arn)}, a role of {where}.", remedy)
        return
    found = iam.role(account, role.name)
    if found is not None and found.arn != str(role):
        path = found.arn.split(":role", 1)[-1].removesuffix(role.name)
        yield Problem(
            f"Role {name(str(role))} of {whose} does not exist: here, {name(role.name)} has the path {path}.",
            named_in.value.other_path,
        )
        return
    if found is None:
        words = (f"Role {name(str(role), length)} of {whose} does not exist." for length in (60, 40))
        yield Problem.worded(words, named_in.value.missing)
        return
    with account.calls.reading("iam", "GetRole", role.name):
        verdict = trust(found.trust_policy, account.place)
    if verdict.problem is not None:
        yield Problem(f"Role {name(role.name)} of {whose} {verdict.problem.message}.", verdict.problem.remedy)
    for condition in verdict.undecided:
        yield Note(f"The trust policy of role {name(role.name)} has a condition that cannot be judged: {condition}.")


def _elsewhere(role: RoleArn, account: Account, named_in: NamedIn) -> tuple[str, str] | None:
    """Which other account or partition the role is of, and what to do; None where it is of this account."""
    if role.account != account.place.account:
        return f"account {role.account}", named_in.value.other_account
    if role.partition != account.place.partition:
        remedy = named_in.value.other_partition.format(partition=account.place.partition)
        return f"partition {role.partition}", remedy
    return None

"""What keeps AWS Backup from using the role that a selection, or an organization's policy, names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from backup_rules.arns import Place
from backup_rules.iam.roles import Role
from backup_rules.iam.trust import RoleArn, parse_role_arn, trust, what_it_is
from backup_rules.values import dataclass
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


def role_here(role_arn: str, whose: Sequence[str], place: Place, named_in: NamedIn) -> RoleArn | Problem:
    """The role of this account that is named, or why it can be none.

    `whose`: what names it, as in `selection nightly of plan prod`; the fullest wording first.
    """
    role = parse_role_arn(role_arn)
    if role is None:
        words = (
            f"{sentence(who)} names as its role {name(role_arn) or 'nothing'}, which is {what_it_is(role_arn)}."
            for who in whose
        )
        return Problem.worded(words, named_in.value.no_role)
    if role.account != place.account:
        where, remedy = f"account {role.account}", named_in.value.other_account
    elif role.partition != place.partition:
        where = f"partition {role.partition}"
        remedy = named_in.value.other_partition.format(partition=place.partition)
    else:
        return role
    words = (
        f"{sentence(who)} names {named}, a role of {where}."
        for who in whose
        for named in (role_arn, f"role {role.name}", f"role {name(role.name, 40)}")
    )
    return Problem.worded(words, remedy)


def role_findings(
    role: RoleArn, found: Role | None, whose: Sequence[str], place: Place, named_in: NamedIn
) -> Iterator[Finding]:
    """What keeps AWS Backup from assuming a role of this account, `found` being the account's role of that name.

    Raises:
        ValueError: the trust policy is none.
    """
    if found is None:
        words = (
            f"Role {named} of {who} does not exist."
            for who in whose
            for named in (str(role), role.name, name(role.name, 40))
        )
        yield Problem.worded(words, named_in.value.missing)
        return
    if found.arn != str(role):
        path = found.arn.split(":role", 1)[-1].removesuffix(role.name)
        words = (
            f"Role {named} of {who} does not exist: here, {name(role.name)} has the path {path}."
            for who in whose
            for named in (str(role), f"{role.path}{role.name}", role.name)
        )
        yield Problem.worded(words, named_in.value.other_path)
        return
    verdict = trust(found.trust_policy, place)
    if verdict.problem is not None:
        words = (f"Role {name(role.name)} of {who} {verdict.problem.message}." for who in whose)
        yield Problem.worded(words, verdict.problem.remedy)
    for condition in verdict.undecided:
        yield Note(f"The trust policy of role {name(role.name)} has a condition that cannot be judged: {condition}.")

"""Reading the roles that selections and organizations' policies name, and what is found about each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from backup_rules.aws import iam
from backup_rules.aws.account import Account
from backup_rules.iam.role_findings import NamedIn, role_findings, role_here
from backup_rules.iam.trust import parse_role_arn
from backup_rules.selections.picking import SelectionSummary
from backup_rules.wording.findings import Finding, Problem


def role_arn_of(selection: SelectionSummary, account: Account) -> str:
    """The role that the selection names.

    Raises:
        ReadError: AWS Backup has not told it.
    """
    if selection.role_arn is None:
        why = ValueError("IamRoleArn is missing")
        raise account.calls.malformed("backup", "ListBackupSelections", f" for {selection.id}", why)
    return selection.role_arn


def read_roles(account: Account, role_arns: Iterable[str]) -> None:
    """Have the roles at hand that are of this account, asked for side by side."""
    parsed = (parse_role_arn(role_arn) for role_arn in role_arns)
    account.side_by_side(iam.role, {role.name for role in parsed if role is not None and role.is_in(account.place)})


def role_problems(role_arn: str, whose: Sequence[str], account: Account, named_in: NamedIn) -> Iterator[Finding]:
    """What keeps AWS Backup from assuming the role.

    `whose`: what names it, as in `selection nightly of plan prod`; the fullest wording first.

    Raises:
        ReadError: when the role or its trust policy cannot be read.
    """
    role = role_here(role_arn, whose, account.place, named_in)
    if isinstance(role, Problem):
        yield role
        return
    found = iam.role(account, role.name)
    with account.calls.reading("iam", "GetRole", role.name):
        findings = tuple(role_findings(role, found, whose, account.place, named_in))
    yield from findings

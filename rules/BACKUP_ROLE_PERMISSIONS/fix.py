"""What gives the role of the selection AWS's own permissions for what it picks."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules.iam.trust import parse_role_arn
from backup_rules.resources.resource_types import S3
from backup_rules.selections.picking import elements, types_named
from backup_rules_cli.answers.fixes import FOR_BACKUP, FOR_S3, Broken, aws, managed_policy


def commands(broken: Broken) -> Iterator[str]:
    """The managed policies. What a boundary or a service control policy withholds, they do not give."""
    role = parse_role_arn(broken.of.role_arn or "")
    if role is None or not role.is_in(broken.place):
        return
    found = broken.selection()
    named = {kind for each in (elements(found) if found else ()) for kind in types_named(each)}
    kinds = named | {pick.resource.type for pick in broken.picked() if pick.resource is not None}
    policies = [*([FOR_BACKUP] if kinds - {S3} or not kinds else []), *([FOR_S3] if S3 in kinds else [])]
    for policy in policies:
        arn = managed_policy(broken.place.partition, policy)
        yield aws("iam", "attach-role-policy", role_name=role.name, policy_arn=arn)

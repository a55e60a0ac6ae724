"""What attaches a backup policy to the account."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules.aws.organizations import effective_policy
from backup_rules.organization.effective_policy import NoPolicy
from backup_rules_cli.answers.fixes import Broken, aws, policy_in_effect


def commands(broken: Broken) -> Iterator[str]:
    """What shows the policy that the account has; and in the management account, what corrects or attaches one."""
    yield from policy_in_effect()
    yield "# in the management account:"
    yield aws("organizations", "list-policies", filter="BACKUP_POLICY")
    if isinstance(effective_policy(broken.account), NoPolicy):
        yield aws("organizations", "attach-policy", target_id=broken.place.account) + ' --policy-id "$POLICY_ID"'
    else:
        yield aws("organizations", "update-policy", content="file://policy.json") + ' --policy-id "$POLICY_ID"'

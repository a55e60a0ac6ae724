"""What an invocation of the rule does in the ordinary account, where its permissions do not tell."""

from __future__ import annotations

from collections.abc import Mapping

from backup_rules_cli.costs.counts import CALLS as ALL_CALLS
from backup_rules_cli.costs.counts import LISTING, Count, with_local_plans, with_policy

CALLS: Mapping[str, Count] = {
    "organizations:DescribeOrganization": lambda invocation: with_policy(invocation) if invocation.scheduled else 0,
    "backup:DescribeRegionSettings": lambda invocation: min(1, invocation.account.local_plans),
    **{action: with_local_plans(ALL_CALLS[action]) for action in LISTING},
}

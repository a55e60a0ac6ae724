"""What an invocation of the rule does in the ordinary account, where its permissions do not tell."""

from __future__ import annotations

from collections.abc import Mapping

from backup_rules_cli.costs.counts import LISTING, Count, none

CALLS: Mapping[str, Count] = dict.fromkeys(LISTING, none)

"""What lets AWS Backup assume the role of the selection."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules_cli.answers.fixes import Broken, remade, trusted_role


def commands(broken: Broken) -> Iterator[str]:
    """The trust policy, or the role itself; a selection anew, where what it names can be no role of the account."""
    found = tuple(trusted_role(broken.of.role_arn or "", broken.account))
    yield from found or remade(broken)

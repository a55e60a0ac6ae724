"""What lets AWS Backup assume the role of the selection."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules_cli.answers.fixes import Broken, trusted_role


def commands(broken: Broken) -> Iterator[str]:
    """The trust policy, or the role itself. One of another account has to be replaced in the selection."""
    return trusted_role(broken.of.role_arn, broken.account)

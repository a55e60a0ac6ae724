"""What gives resources the tag that the selection asks for."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules_cli.answers.fixes import Broken, remade, retag


def commands(broken: Broken) -> Iterator[str]:
    """The wanted tag for those that narrowly miss it, without the near one; else the selection anew."""
    found = tuple(retag(broken, "BACKUP_TAG_CASE"))
    yield from found or remade(broken)

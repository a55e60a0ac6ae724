"""Files of a checkout that are made from the rules' metadata: written, or compared with what they should be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backup_rules_cli import console
from backup_rules_cli.errors import PROBLEMS, WELL, CommandError
from backup_rules_cli.resources import IN_CHECKOUT, ROOT


def write(made: Mapping[Path, str], *, check: bool, command: str) -> int:
    """Write the files that differ; with `check` only name them. Returns the exit status."""
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if check:
            console.note(f"{_shown(path)} is stale: run `{command}`.")
        else:
            path.write_text(made[path], encoding="utf-8")
    return PROBLEMS if check and stale else WELL


def need_checkout(what: str) -> None:
    """Refuse where there is no checkout to write in.

    Raises:
        CommandError: this is an installed wheel.
    """
    if not IN_CHECKOUT:
        raise CommandError(f"{what} are part of the project's source; this is an installed copy. Work in a checkout.")


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else f"{path.parent.name}/{path.name}"

"""`backup-rules new-rule`."""

from __future__ import annotations

import click

from backup_rules_cli import console, options
from backup_rules_cli.errors import WELL
from backup_rules_cli.new_rule import write
from backup_rules_cli.resources import ROOT


@click.command(
    epilog=options.examples(
        "backup-rules new-rule BACKUP_EXAMPLE",
    )
)
@click.argument("name")
def new_rule(name: str) -> int:
    """Write the folder and the tests of a new rule, such as BACKUP_EXAMPLE.

    Fill in what says REPLACE, then run make templates docs check. See CONTRIBUTING.md.
    """
    written = write(name)
    console.show(
        [
            *(str(path.relative_to(ROOT)) for path in written),
            "Fill in what says REPLACE, then run: make templates docs check",
        ]
    )
    return WELL

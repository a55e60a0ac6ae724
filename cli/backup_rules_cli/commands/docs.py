"""`backup-rules docs`."""

from __future__ import annotations

import click

from backup_rules_cli import generated, options
from backup_rules_cli.docs import pages


@click.command(
    epilog=options.examples(
        "backup-rules docs",
        "backup-rules docs --check",
    )
)
@click.option("--check", is_flag=True, help="Change nothing; exit 1 and name what is stale.")
def docs(check: bool) -> int:
    """Write the parts of the documentation that are made from the rules' metadata."""
    generated.need_checkout("The pages")
    return generated.write(pages(), check=check, command="make docs")

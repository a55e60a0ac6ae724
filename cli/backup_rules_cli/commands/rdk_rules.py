"""`backup-rules rdk-rules`."""

from __future__ import annotations

from pathlib import Path

import click

from backup_rules_cli import console, options
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.errors import WELL
from backup_rules_cli.rdk_copy import DESTINATION, copy_rules


@click.command(
    epilog=options.examples(
        "backup-rules rdk-rules",
        "backup-rules rdk-rules --rules BACKUP_TAG_CASE,BACKUP_TAG_WHITESPACE --periodic-only",
    )
)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=DESTINATION,
    show_default=True,
    help="The folder to write.",
)
@options.rules_option
@options.parameters_option
@click.option("--periodic-only", is_flag=True, help="Leave the change triggers out.")
def rdk_rules(into: Path, rules: tuple[str, ...], parameters: tuple[str, ...], periodic_only: bool) -> int:
    """Copy the rule folders for RDK, with their parameters set. See docs/rdk.md."""
    given = options.parameter_pairs(parameters)
    copies = copy_rules(into, given, periodic_only=periodic_only, folders=rule_folders(*rules))
    console.show([f"{len(copies)} rules are in {into}."])
    return WELL

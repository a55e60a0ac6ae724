"""`backup-rules templates`."""

from __future__ import annotations

from pathlib import Path

import click

from backup_rules_cli import generated, options
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.resources import ROOT
from backup_rules_cli.templates import templates as made_templates


@click.command(
    epilog=options.examples(
        "backup-rules templates",
        "backup-rules templates --check",
    )
)
@click.option("--check", is_flag=True, help="Change nothing; exit 1 and name what is stale.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="The folder to write; without, cloudformation/ of the checkout.",
)
def templates(check: bool, into: Path | None) -> int:
    """Write the CloudFormation templates that are made from the rules' metadata."""
    if into is None:
        generated.need_checkout("The templates")
    folder = into or ROOT / "cloudformation"
    made = {folder / name: text for name, text in sorted(made_templates(rule_folders()).items())}
    return generated.write(made, check=check, command="make templates")

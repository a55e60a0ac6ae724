"""`backup-rules package`."""

from __future__ import annotations

from pathlib import Path

import click

from backup_rules_cli import console, options
from backup_rules_cli.errors import WELL
from backup_rules_cli.package import DEFAULT_DESTINATION, as_table
from backup_rules_cli.package import package as pack


@click.command(
    epilog=options.examples(
        "backup-rules package",
        "backup-rules package --destination build/trial",
    )
)
@click.option(
    "--destination",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_DESTINATION,
    show_default=True,
    help="The folder to write; it is replaced as a whole.",
)
def package(destination: Path) -> int:
    """Pack what AWS Lambda runs, reproducibly: a zip for each function, and the layer."""
    made = pack(destination)
    console.show([*as_table(made).splitlines(), f"in {destination}"])
    return WELL

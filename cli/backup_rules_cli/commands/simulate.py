"""`backup-rules simulate`."""

from __future__ import annotations

from pathlib import Path

import click

from backup_rules_cli import options
from backup_rules_cli.simulate import DEFAULT_PORT, PROFILES
from backup_rules_cli.simulate import simulate as serve


@click.command(
    epilog=options.examples(
        "backup-rules simulate",
        "backup-rules simulate --port 0 --profiles /tmp/simulated-profiles",
    )
)
@click.option("--port", type=click.IntRange(0, 65_535), default=DEFAULT_PORT, show_default=True, help="0: a free one.")
@click.option(
    "--profiles",
    type=click.Path(dir_okay=False, path_type=Path),
    default=PROFILES,
    show_default=True,
    help="Where to write the profiles of the accounts (AWS_CONFIG_FILE).",
)
def simulate(port: int, profiles: Path) -> int:
    """Serve the simulated organization to other programs, with AWS Config at work in it.

    The AWS CLI can look at it, and the pack can be deployed to it: rules that are made there are evaluated by the
    functions that were deployed, as AWS would. It listens on this machine only; Ctrl-C ends it and forgets everything.
    """
    return serve(port, profiles)

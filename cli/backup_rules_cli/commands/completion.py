"""`backup-rules completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from backup_rules_cli import console, options
from backup_rules_cli.errors import WELL
from backup_rules_cli.main import PROGRAM

SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog=options.examples(
        'eval "$(backup-rules completion bash)"',
        "backup-rules completion fish > ~/.config/fish/completions/backup-rules.fish",
    )
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print what makes a shell complete commands, options, rules, Regions and profiles.

    For bash and zsh, put the first example into ~/.bashrc or ~/.zshrc, with the name of the shell.
    """
    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click has these three
    variable = f"_{PROGRAM}_COMPLETE".replace("-", "_").upper()
    console.write(made(context.find_root().command, {}, PROGRAM, variable).source() + "\n")
    return WELL

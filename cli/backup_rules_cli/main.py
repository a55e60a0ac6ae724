"""`backup-rules`: the one command, and how it ends.

Every subcommand is a module of `commands/`, imported when it is asked for. A command returns its exit status: 0 all is
well, 1 problems were found or it was not wanted, 2 it could not be done. What ends it early is told in one line.
"""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from backup_rules.errors import BackupRulesError
from backup_rules_cli import console, defaults
from backup_rules_cli.errors import NOT_DONE, CommandError
from backup_rules_cli.places import in_words
from backup_rules_cli.suggestions import did_you_mean

PROGRAM = "backup-rules"
INTERRUPTED = 128 + signal.SIGINT
_CLOSED_PIPE = 141
"""As of a program that SIGPIPE ends."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})

COMMANDS = {
    "evaluate": "evaluate:evaluate",
    "explain": "explain:explain",
    "report": "report:report",
    "check": "check:check",
    "query": "query:query",
    "simulate": "simulate:simulate",
    "deploy": "deploy:deploy",
    "deploy-single-account": "deploy:deploy_single_account",
    "verify": "deploy:verify",
    "undeploy": "deploy:undeploy",
    "remediation-pack": "remediation_pack:remediation_pack",
    "costs": "costs:costs",
    "package": "package:package",
    "rdk-rules": "rdk_rules:rdk_rules",
    "new-rule": "new_rule:new_rule",
    "templates": "templates:templates",
    "docs": "docs:docs",
    "completion": "completion:completion",
}
"""Where each subcommand is, in the order in which they are listed."""


class _Commands(click.Group):
    """Imports a subcommand when it is asked for, suggests the nearest one, and words what ends it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        return command(cmd_name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            ctx.fail(f"There is no command {name!r}.{did_you_mean(name, COMMANDS)} {PROGRAM} --help lists them.")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            status = super().invoke(ctx)
            sys.stdout.flush()
        except (CommandError, BackupRulesError) as error:
            _say(ctx, str(error))
            return error.status if isinstance(error, CommandError) else NOT_DONE
        except (BotoCoreError, ClientError) as error:
            _say(ctx, in_words(error))
            return NOT_DONE
        except BrokenPipeError:
            _forget_output()
            return _CLOSED_PIPE
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            _forget_output()
            _say(ctx, f"The output cannot be written: {error.strerror}.")
            return NOT_DONE
        return status


def command(name: str) -> click.Command:
    """The subcommand of that name, imported."""
    module, _, attribute = COMMANDS[name].partition(":")
    found = getattr(importlib.import_module(f"backup_rules_cli.commands.{module}"), attribute)
    assert isinstance(found, click.Command)  # noqa: S101 - the table above is ours
    return found


def _forget_output() -> None:
    """What is still in the buffer goes nowhere when the interpreter flushes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(ctx: click.Context, text: str) -> None:
    first, *more = text.split("\n")
    console.note(f"{PROGRAM} {ctx.invoked_subcommand}: {first}", *more)


@click.group(
    cls=_Commands,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 all is well, 1 problems were found, 2 it could not be done.",
)
@click.version_option(package_name="aws-backup-config-rules", prog_name=PROGRAM)
@click.pass_context
def backup_rules(ctx: click.Context) -> None:
    """Say why a scheduled AWS Backup plan will not run, on your terminal or in every account of an organization."""
    ctx.default_map = defaults.read(Path.cwd(), COMMANDS, command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        status = backup_rules.main(given, prog_name=PROGRAM, standalone_mode=False)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else PROGRAM
        console.note(f"{where}: {_in_a_line(error)}")
        return NOT_DONE
    except click.ClickException as error:
        console.note(f"{PROGRAM}: {_in_a_line(error)}")
        return NOT_DONE
    except (KeyboardInterrupt, click.Abort):
        console.note(f"{PROGRAM}: interrupted.")
        return INTERRUPTED
    return int(status or 0)


def _in_a_line(error: click.ClickException) -> str:
    """What click says; it writes a list below each other."""
    return " ".join(error.format_message().split()).replace(" ,", ",")


def run() -> None:
    """The program: what is printed never fails for a character that the terminal's encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    status = main()
    if status == INTERRUPTED:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(
            status
        )  # accounts that are being read side by side are not waited for; nothing is left to be tidied up
    sys.exit(status)

"""The page of all commands, made from the commands themselves: what `--help` says, for those who read a page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from backup_rules_cli.main import COMMANDS, PROGRAM, command
from backup_rules_cli.options import EXAMPLES
from backup_rules_cli.resources import ROOT

PAGE = ROOT / "docs" / "commands.md"

_HEAD = f"""<!-- made by `make docs` from the commands; change them instead -->
# Commands

`{PROGRAM} COMMAND --help` says what stands here. Exit status of every command: 0 all is well, 1 problems were found or
it was not wanted, 2 it could not be done.

What need not be typed each time stands in [`.backup-rules.toml`](evaluate.md#what-need-not-be-typed). A table for each
command holds its options.
"""


def page() -> str:
    """The page: each command with what it does, its options, and examples."""
    rows = [f"| [{name}](#{PROGRAM}-{name}) | {_short(command(name))} |" for name in COMMANDS]
    table = "\n".join(("| Command | Does |", "|---|---|", *rows))
    return "\n".join((_HEAD, table, *(line for name in COMMANDS for line in _command(name)))) + "\n"


def examples(each: click.Command) -> tuple[str, ...]:
    """The lines of shell that end the command's help."""
    _, _, lines = (each.epilog or "").partition(EXAMPLES)
    return tuple(line.strip() for line in lines.splitlines() if line.strip())


def _short(each: click.Command) -> str:
    return _cell((each.help or "").split("\n\n", 1)[0])


def _command(name: str) -> Iterator[str]:
    each = command(name)
    context = click.Context(each, info_name=name, parent=click.Context(click.Group(PROGRAM), info_name=PROGRAM))
    yield f"\n## {PROGRAM} {name}\n"
    yield f"`{' '.join((PROGRAM, name, *each.collect_usage_pieces(context)))}`"
    for paragraph in re.split(r"\n\s*\n", (each.help or "").strip()):
        yield f"\n{' '.join(paragraph.split())}"
    yield "\n<!-- not run: tests/cli/test_commands_page.py holds them against the options -->"
    yield "\n".join(("```console", *(f"$ {line}" for line in examples(each)), "```\n"))
    yield "| Option | Means |\n|---|---|"
    for parameter in each.params:  # but for --help
        record = parameter.get_help_record(context)
        if record is not None:
            option, meaning = record
            yield f"| `{_cell(option)}` | {_cell(meaning)} |"


def _cell(text: str) -> str:
    """A text in a cell of a table, on one line; what stands in square brackets is no link."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")

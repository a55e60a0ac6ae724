"""The blocks of commands on the project's pages: what they are, and what runs them, in this very process.

A block is run as it stands, unless the line before it says otherwise: `<!-- not run: why -->`, or
`<!-- run by tests/… -->` where a test of its own does more with it.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]

from backup_rules_cli.catalogue import ROOT
from backup_rules_cli.main import PROGRAM, command, main

_BLOCK = re.compile(
    r"(?:^<!-- (?P<kind>not run:|run by) (?P<why>[^\n]+) -->\n)?^```(?P<language>sh|console|bash)\n(?P<text>.*?)^```",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A block of commands. `not_run` is why not; `run_by` the test that runs it instead, by its path."""

    page: str
    number: int
    text: str
    not_run: str = ""
    run_by: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.number}"

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands, each on one line, without comments and without what they print."""
        whole = self.text.replace("\\\n", " ")
        lines = whole.splitlines()
        typed = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")] or lines
        return tuple(each.strip() for each in typed if each.strip() and not each.lstrip().startswith("#"))


def blocks(page: str) -> Iterator[Block]:
    """The blocks of commands of a page, numbered from one."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for number, found in enumerate(_BLOCK.finditer(text), 1):
        why = found["why"] or ""
        not_run, run_by = (why, "") if found["kind"] == "not run:" else ("", why)
        yield Block(page, number, found["text"], not_run, run_by)


def run(line: str, folder: Path, named: Mapping[str, str], instead: Mapping[str, str]) -> None:
    """Run one command in the folder.

    Args:
        line: as it stands on the page.
        folder: where files are read and written.
        named: values of the shell's variables.
        instead: what stands for the names that the page makes up.

    Raises:
        AssertionError: the command failed, or is none that can be run here.
    """
    for name, value in instead.items():
        line = line.replace(name, value)
    for name, value in named.items():
        line = line.replace(f'"${name}"', value).replace(f"${name}", value)
    words = shlex.split(line, comments=True)
    into = words[words.index(">") + 1] if ">" in words else None
    words = words[: words.index(">")] if into else words
    with (folder / (into or "printed")).open("w", encoding="utf-8") as file, redirect_stdout(file):
        status = _status(words, named)
    assert status == 0, f"{line} ended with {status}"


def _status(words: list[str], named: Mapping[str, str]) -> int:
    program, *arguments = words
    if program == "aws":
        return int(create_clidriver().main(arguments))
    if program.rpartition("/")[2] == PROGRAM:
        # Without an account, the simulated organization: what was read of it, as that takes no time.
        if arguments[0] in {"evaluate", "explain", "report"} and not {"--profile", "--region", "--from"} & set(
            arguments
        ):
            arguments += ["--from", named["DEMO_READING"]]
        status = main(arguments)
        return 0 if status == 1 else status  # problems were found
    if program == "make":
        return _make(arguments)
    raise AssertionError(f"{program} cannot be run here: say why not in a comment before the block.")


def _make(arguments: list[str]) -> int:
    """Ask make what it would run; the program must take it."""
    asked = ["make", "-n", *arguments]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own Makefile
    assert done.returncode == 0, done.stderr
    for line in re.findall(rf"\.venv/bin/{PROGRAM} (.*?)(?: \|\||;|$)", done.stdout.replace("\\\n", " "), re.MULTILINE):
        name, *given = shlex.split(line)
        command(name).make_context(name, given)
    return 0

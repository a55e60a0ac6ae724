"""All that is printed: results to stdout, everything else to stderr, through one filter.

Names, tags and annotations come from AWS, where other people chose them; none may move the cursor, hide text or begin a
line of its own. Colour is for terminals only, and not where NO_COLOR is set (https://no-color.org).
"""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from backup_rules_cli.errors import CommandError

WIDTH = 100
"""Columns of what is printed to a file or a pipe, and at most on a terminal."""
_NARROWEST = 40
_SECONDS_BETWEEN_LINES = 10.0

_STYLES = (
    (r"\b(?:NON_COMPLIANT|FAILED|PROBLEM)\b", "bold red"),
    (r"(?<!NON_)\bCOMPLIANT\b", "green"),
    (r"^[─═]+$", "dim"),
)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # the command ends in one place


def _console(*, stderr: bool) -> Console:
    return _Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def printable(text: str) -> str:
    r"""`text` on one line, with everything that is not drawn escaped: `\u001b`, `\u202e`, `\u000a`."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def as_json(document: Any) -> str:
    """`document` as JSON, in which all that is not drawn is escaped as JSON escapes it."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return re.sub(r"[^\n -~]", lambda each: each[0] if each[0].isprintable() else json.dumps(each[0])[1:-1], text)


def width() -> int:
    """Columns to print in."""
    if not sys.stdout.isatty():
        return WIDTH
    return max(_NARROWEST, min(WIDTH, shutil.get_terminal_size().columns))


def show(lines: Iterable[str], path: Path | None = None) -> None:
    """Print results to stdout, or into a file. Each element is one line, whatever it holds."""
    if path is None:
        _write(lines, stderr=False)
    else:
        write(text(lines), path)


def text(lines: Iterable[str]) -> str:
    """Results as `show` prints them, for `write`."""
    return "".join(f"{printable(line)}\n" for line in lines)


@contextmanager
def results_only() -> Iterator[None]:
    """What functions and rules log goes to stdout, which belongs to the results: nothing is printed there meanwhile."""
    with redirect_stdout(io.StringIO()):
        yield


def show_json(document: Any) -> None:
    """Print one JSON document to stdout."""
    write(as_json(document) + "\n")


def write(text: str, path: Path | None = None) -> None:
    """Results whose format has made them safe, to stdout or into a file.

    Raises:
        CommandError: the file cannot be written.
    """
    if path is None:
        sys.stdout.write(text)
    else:
        try:
            path.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from None


def note(*lines: str) -> None:
    """Tell something beside the results, on stderr."""
    _write(lines, stderr=True)


def _write(lines: Iterable[str], *, stderr: bool) -> None:
    stream = sys.stderr if stderr else sys.stdout
    console = _console(stderr=stderr)
    coloured = console.color_system is not None and not console.no_color
    for line in lines:
        if coloured:
            console.print(_styled(printable(line)))
        else:
            stream.write(f"{printable(line)}\n")
    stream.flush()


def _styled(line: str) -> Text:
    text = Text(line)
    for pattern, style in _STYLES:
        text.highlight_regex(pattern, style)
    return text


def titled(title: str, tally: str, columns: int) -> Iterator[str]:
    """A heading with what it counts at its right end, and a line under it."""
    if len(title) + len(tally) + 2 <= columns:
        yield f"{title:<{columns - len(tally) - 2}}  {tally}"
    else:
        yield title
        yield f"{tally:>{columns}}"
    yield "─" * columns


def indented(text: str, columns: int, indent: int) -> list[str]:
    """`text` wrapped into the columns, without breaking names."""
    blank = " " * indent
    return textwrap.wrap(
        printable(text),
        columns,
        initial_indent=blank,
        subsequent_indent=blank,
        break_long_words=False,
        break_on_hyphens=False,
    )


def columns_of(rows: Sequence[Sequence[str]], *, fitted: bool = False) -> Iterator[str]:
    """Rows of cells as lines, in columns as wide as what they hold.

    `fitted`: on a terminal, the last cell goes on below itself where the line is too narrow for it.
    """
    widths = [max(len(printable(cell)) for cell in column) for column in zip(*rows, strict=True)]
    columns = width() if fitted and sys.stdout.isatty() else sys.maxsize
    indent = sum(widths[:-1]) + 2 * (len(widths) - 1)
    for cells in rows:
        filled = "  ".join(printable(cell).ljust(room) for cell, room in zip(cells, widths, strict=True)).rstrip()
        if len(filled) <= columns:
            yield filled
        else:
            first, *more = indented(cells[-1], columns, indent)
            yield filled[:indent] + first.strip()
            yield from more


@contextmanager
def progress(total: int, *, shown: bool = True) -> Iterator[Callable[[str], None]]:
    """How far the work is: what is yielded is called before each of `total` steps, with what it is about.

    On a terminal a bar that goes away; elsewhere a line at most every ten seconds; nothing unless `shown`.
    """
    console = _console(stderr=True)
    if not shown:
        yield lambda _: None
    elif console.is_terminal and not console.is_dumb_terminal:
        parts = (
            BarColumn(20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            # What is told beside it takes the rest of the line, and no more.
            TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True)),
        )
        bar = Progress(
            *parts, console=console, expand=True, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        with bar:
            task = bar.add_task("", total=total)
            begun = False

            def step(text: str) -> None:
                nonlocal begun
                bar.update(task, description=printable(text), advance=int(begun))
                begun = True

            yield step
    else:
        yield _Lines(total).step


class _Lines:
    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._told = -_SECONDS_BETWEEN_LINES

    def step(self, text: str) -> None:
        self._done += 1
        if time.monotonic() - self._told >= _SECONDS_BETWEEN_LINES:
            self._told = time.monotonic()
            note(f"{self._done} of {self._total}: {text} …")


def prompt(text: str) -> str:
    """What a person at the terminal answers; the question goes to stderr. Nothing where the input has ended."""
    try:
        with redirect_stdout(sys.stderr):
            return input(printable(text))
    except EOFError:
        note("")
        return ""

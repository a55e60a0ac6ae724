"""What a person does not want to type each time: `.backup-rules.toml`, or `[tool.backup-rules]` in pyproject.toml.

A table for each command, in which each key is one of its options without the dashes. What is given on the command line
wins.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from backup_rules_cli.errors import CommandError, UnknownNameError
from backup_rules_cli.suggestions import did_you_mean

_NUMBERS = (type(click.INT), type(click.FLOAT))
FILE, PROJECT, SECTION = ".backup-rules.toml", "pyproject.toml", "backup-rules"


def read(folder: Path, commands: Mapping[str, object], command: Callable[[str], click.Command]) -> dict[str, Any]:
    """The defaults of each command that is named in the folder's file, as click takes them.

    Args:
        folder: where the file is looked for.
        commands: the names that are known.
        command: gives a command by its name.

    Raises:
        CommandError: the file cannot be read, or names what does not exist.
    """
    own = folder / FILE
    path = own if own.is_file() else folder / PROJECT
    if not path.is_file():
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        if path != own:
            return {}  # somebody else's file, which is theirs to mend
        raise CommandError(f"{path.name} cannot be read: {error}") from None
    tables = document if path == own else _section(document)
    found = {}
    for name, table in tables.items():
        if name not in commands:
            raise UnknownNameError(f"{path.name}: there is no command {name!r}.{did_you_mean(name, commands)}")
        if not isinstance(table, dict):
            raise CommandError(f"{path.name}: {name} is {table!r}; it must be a table of options.")
        found[name] = dict(_options(f"{path.name}, {name}", table, command(name)))
    return found


def _section(document: Mapping[str, Any]) -> Mapping[str, Any]:
    tools = document.get("tool")
    section = tools.get(SECTION, {}) if isinstance(tools, dict) else {}
    if not isinstance(section, dict):
        raise CommandError(f"{PROJECT}: tool.{SECTION} is {section!r}; it must be a table of commands.")
    return section


def _options(where: str, table: Mapping[str, Any], command: click.Command) -> Iterator[tuple[str, Any]]:
    known = {
        text.removeprefix("--"): each
        for each in command.params
        if isinstance(each, click.Option)
        for text in each.opts
        if text.startswith("--")
    }
    for key, value in table.items():
        if key not in known:
            hint = did_you_mean(key, known)
            raise UnknownNameError(f"{where}: there is no option {key!r}.{hint} Allowed: {', '.join(sorted(known))}.")
        option = known[key]
        if option.is_flag and not isinstance(value, bool):
            raise CommandError(f"{where}: {key} is {value!r}; allowed are true and false.")
        yield (
            str(option.name),
            list(_texts(where, key, value)) if option.multiple else _value(where, key, value, option),
        )


def _written(where: str, name: str, value: object) -> str:
    """A parameter as one would type it: a list with commas."""
    listed = value if isinstance(value, list) else [value]
    if any(not isinstance(each, str | int | float) for each in listed):
        raise CommandError(f"{where}: {name} is {value!r}; it must be a text, a number, or a list of them.")
    return ",".join(str(each).lower() if isinstance(each, bool) else str(each) for each in listed)


def _value(where: str, key: str, value: object, option: click.Option) -> object:
    """One value, of which click makes what the option takes; it expects a text, or a number where it takes one."""
    number = isinstance(option.type, _NUMBERS) and isinstance(value, int | float)
    if not (option.is_flag or number or isinstance(value, str)):
        raise CommandError(f"{where}: {key} is {value!r}; it must be a text.")
    return value


def _texts(where: str, key: str, value: object) -> Iterator[str]:
    """A text, a list of texts, or a table of names and values, as one would give them one by one."""
    if isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, dict):
                yield from (f"{name}.{text}" for text in _texts(where, key, each))
            else:
                yield f"{name}={_written(where, name, each)}"
    elif isinstance(value, list):
        yield from map(str, value)
    elif isinstance(value, str):
        yield value
    else:
        raise CommandError(f"{where}: {key} is {value!r}; it must be a text, a list of texts, or a table.")

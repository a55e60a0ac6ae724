"""Options that several commands have, with one meaning each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import boto3
import click
from click.core import ParameterSource

from backup_rules.errors import InvalidRuleParametersError
from backup_rules_cli.catalogue import RuleFolder, rule_folders
from backup_rules_cli.errors import CommandError, UnknownNameError
from backup_rules_cli.places import known_regions
from backup_rules_cli.sources import Where
from backup_rules_cli.suggestions import did_you_mean

EXAMPLES = "Examples:"
FILE = click.Path(dir_okay=False, path_type=Path)

SEVERITIES = ("low", "medium", "high", "critical")
"""Of rules, the least first."""
NEVER = "never"
TABLE = "table"
"""The format that people read."""

_F = TypeVar("_F", bound=Callable[..., Any])


def names(_context: click.Context, _option: click.Parameter, given: Iterable[str]) -> tuple[str, ...]:
    """A callback of options that take names: given again and again, or several at once with commas or blanks."""
    return tuple(dict.fromkeys(name for text in given for name in re.split(r"[\s,]+", text) if name))


def _beginning(known: Callable[[], Iterable[str]]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """What a shell offers: those of the names that begin as what was typed does, after the last comma."""

    def complete(_context: click.Context, _option: click.Parameter, typed: str) -> list[str]:
        before, comma, last = typed.rpartition(",")
        return [f"{before}{comma}{each}" for each in known() if each.startswith(last)]

    return complete


_profiles = _beginning(lambda: boto3.Session().available_profiles)
_regions = _beginning(known_regions)
_rules = _beginning(lambda: (folder.name for folder in rule_folders()))


def examples(*lines: str) -> str:
    """The end of a command's help: how it is used. The page of the commands and its test read it again."""
    return "\n".join(("\b", EXAMPLES, *(f"  {each}" for each in lines)))


def profile_option(command: _F) -> _F:
    """`--profile`: whose credentials."""
    text = "Profile of the account; without, the environment's credentials."
    return click.option("--profile", default="", metavar="NAME", help=text, shell_complete=_profiles)(command)


def region_option(text: str) -> Callable[[_F], _F]:
    """`--region`: where; repeatable, lists are taken."""
    return click.option(
        "--region", "regions", multiple=True, metavar="REGION", callback=names, help=text, shell_complete=_regions
    )


def profiles_option(command: _F) -> _F:
    """`--profile`, repeatable: of which accounts."""
    text = "Profile of an account, repeatable; without, the environment's credentials."
    return click.option(
        "--profile", "profiles", multiple=True, metavar="NAME", callback=names, help=text, shell_complete=_profiles
    )(command)


def accounts_option(text: str) -> Callable[[_F], _F]:
    """`--accounts`: of the organization, repeatable."""
    return click.option("--accounts", multiple=True, metavar="ID", callback=names, help=text)


def role_option(command: _F) -> _F:
    """`--role`: how the accounts of the organization are entered."""
    return click.option("--role", default="", metavar="NAME", help="The role that --accounts are read with.")(command)


def where(context: click.Context, reading: Path | None, **given: Any) -> Where:
    """The accounts and Regions that a command's options name: `profiles`, `regions`, `accounts`, `role`.

    With a reading, `--from`, what the file of defaults says of access to accounts does not count.

    Raises:
        CommandError: they do not go together.
    """
    if reading is not None:
        of_file = [name for name in given if context.get_parameter_source(name) is ParameterSource.DEFAULT_MAP]
        given |= {name: type(given[name])() for name in of_file}
    return Where(**given, reading=reading)


def check_writable(option: str, path: Path | None) -> None:
    """Say at once, not after minutes, that a file cannot be written. None is left that was not there.

    Raises:
        CommandError: naming the option and the file.
    """
    if path is None:
        return
    try:
        real = path.resolve()
        there = real.exists()
        real.open("a", encoding="utf-8").close()
        if not there:
            real.unlink()
    except OSError as error:
        raise CommandError(f"{option} {path} cannot be written: {error.strerror}.") from None


def output_option(command: _F) -> _F:
    """`--output`: where the result goes."""
    return click.option("--output", "path", type=FILE, help="Write to this file instead of stdout.")(command)


def quiet_option(command: _F) -> _F:
    """`--quiet`: nothing but the result."""
    return click.option("--quiet", is_flag=True, help="No progress.")(command)


def exclusions_option(command: _F) -> _F:
    """`--exclusions`: what is known and left alone."""
    text = "A file of findings that are known, each with a reason."
    return click.option("--exclusions", type=FILE, help=text)(command)


def format_option(*formats: str) -> Callable[[_F], _F]:
    """`--format`: a table, or one of these."""
    return click.option("--format", "output", type=click.Choice((TABLE, *formats)), default=TABLE, show_default=True)


class Gate(TypedDict):
    """What the options of `gate_options` come to."""

    fail_on: str
    exclusions: Path | None
    show_excluded: bool
    baseline: Path | None
    save_baseline: Path | None


def gate_options(command: _F) -> _F:
    """What counts as a problem, for who stops a pipeline by it: `Gate`, by the names of its keys."""
    fail_on = click.Choice((*SEVERITIES, NEVER))
    for option in (
        click.option("--save-baseline", type=FILE, help="Write all problems to this file, for --baseline."),
        click.option("--baseline", type=FILE, help="Report only problems that are not in this file."),
        click.option("--show-excluded", is_flag=True, help="Table: show them too, not only their number."),
        exclusions_option,
        click.option("--fail-on", type=fail_on, default="low", help="Exit 1 for problems from here on only."),
    ):
        command = option(command)
    return command


def failing(fail_on: str) -> tuple[str, ...]:
    """The severities of problems that count: from `fail_on` on."""
    return () if fail_on == NEVER else SEVERITIES[SEVERITIES.index(fail_on) :]


def rules_option(command: _F) -> _F:
    """`--rules`: which; repeatable, lists are taken."""
    text = "Only these rules, several with commas or again and again; without, all."
    return click.option("--rules", multiple=True, metavar="RULE", callback=names, help=text, shell_complete=_rules)(
        command
    )


def parameters_option(command: _F) -> _F:
    """`--parameter Name=value`, repeatable."""
    text = "A parameter, for the rules that have it, or RULE.NAME=VALUE for one; repeatable."
    return click.option("--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help=text)(command)


def parameter_pairs(texts: Iterable[str]) -> dict[str, str]:
    """The given parameters by name.

    Raises:
        CommandError: one is not of the form Name=value.
    """
    pairs = [text.partition("=") for text in texts]
    for name, equals, value in pairs:
        if not equals:
            raise CommandError(f"--parameter {name + value!r} is not of the form Name=value.")
    return {name: value for name, _, value in pairs}


def parameters_by_rule(given: Mapping[str, str], folders: Sequence[RuleFolder]) -> dict[str, dict[str, str]]:
    """The given parameters by rule: each goes to all the rules that have it, or to the one of `RULE.Name`.

    Raises:
        UnknownNameError: no rule has a parameter of that name.
        CommandError: a value is not allowed.
    """
    own = {folder.name: {*folder.defaults, *folder.optional} for folder in folders}
    known = set().union(*own.values()) | {f"{rule}.{name}" for rule, its in own.items() for name in its}
    for name in given:
        if name not in known:
            hint = did_you_mean(name, sorted(known))
            raise UnknownNameError(f"No rule that was chosen has a parameter {name}.{hint}")
    by_rule = {
        rule: {
            **{name: given[name] for name in given if name in its},
            **{name: given[f"{rule}.{name}"] for name in its if f"{rule}.{name}" in given},
        }
        for rule, its in own.items()
    }
    for folder in folders:
        try:
            folder.rule().evaluate_parameters({**folder.defaults, **by_rule[folder.name]})
        except InvalidRuleParametersError as error:
            raise CommandError(str(error)) from None
    return by_rule

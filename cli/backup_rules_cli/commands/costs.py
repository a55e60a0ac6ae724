"""`backup-rules costs`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

import click

from backup_rules_cli import console, options
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.costs.calls import Account
from backup_rules_cli.costs.months import HOURS, OFF, Functions, Prices, months
from backup_rules_cli.costs.tables import ORGANIZATIONS, organizations_table, rules_table, services_table
from backup_rules_cli.errors import WELL, CommandError

_F = TypeVar("_F", bound=Callable[..., Any])

_PREFIXES: Mapping[type[Any], str] = {Account: "", Prices: "price_", Functions: ""}
"""The inputs of the formula, and what their options begin with."""


def _inputs(command: _F) -> _F:
    """An option for each input of the formula."""
    for kind, prefix in reversed(tuple(_PREFIXES.items())):
        for each in reversed(fields(kind)):
            name = f"{prefix}{each.name}"
            option = f"--{name}".replace("_", "-")
            command = click.option(option, name, type=type(each.default), help=f"default: {each.default}")(command)
    return command


@click.command(
    epilog=options.examples(
        "backup-rules costs",
        "backup-rules costs --accounts 350 --regions 3 --plans 12",
        "backup-rules costs --accounts 350 --frequency BACKUP_FSX_WINDOW_CONFLICT=Off",
    )
)
@click.option("--accounts", multiple=True, metavar="N", callback=options.names, help="Sizes of the organization.")
@click.option("--regions", type=click.IntRange(min=1), default=1, show_default=True, help="In how many Regions it is.")
@options.rules_option
@click.option(
    "--frequency", "frequencies", multiple=True, metavar="RULE=Off", help=f"One of {', '.join(HOURS)}, {OFF}."
)
@_inputs
def costs(
    accounts: tuple[str, ...], regions: int, rules: tuple[str, ...], frequencies: tuple[str, ...], **given: Any
) -> int:
    """Work out what the pack does and costs in a month, from the size of an organization."""
    folders, chosen, sizes = rule_folders(*rules), _frequencies(frequencies), _sizes(accounts)
    account = _checked(Account(**_given(given, Account)))
    console.show(["One account in one Region:", ""])
    console.show([*rules_table(folders, account, chosen).splitlines(), ""])
    console.show(services_table(months(folders, account, chosen)).splitlines())
    console.show(["", f"All accounts, in {regions} Region(s), in a month of 30 days:", ""])
    table = organizations_table(
        folders,
        account,
        accounts=sizes or ORGANIZATIONS,
        regions=regions,
        frequencies=chosen,
        prices=Prices(**_given(given, Prices)),
        functions=Functions(**_given(given, Functions)),
    )
    console.show(table.splitlines())
    return WELL


def _sizes(texts: Iterable[str]) -> list[int]:
    for text in texts:
        if not text.isdecimal():
            raise CommandError(f"--accounts is {text!r}; allowed are whole numbers.")
    return [int(text) for text in texts]


def _given(options_given: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    """The options that stand for fields of `kind` and were given."""
    values = {each.name: options_given[f"{_PREFIXES[kind]}{each.name}"] for each in fields(kind)}
    return {name: value for name, value in values.items() if value is not None}


def _checked(account: Account) -> Account:
    for each in fields(account):
        if getattr(account, each.name) < 0:
            raise CommandError(f"{each.name} is {getattr(account, each.name)}; allowed is 0 or more.")
    if account.policy_plans > account.plans:
        raise CommandError(f"policy_plans is {account.policy_plans}; allowed is at most plans, {account.plans}.")
    return account


def _frequencies(texts: Iterable[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, equals, frequency = text.partition("=")
        if not equals or frequency not in {*HOURS, OFF}:
            raise CommandError(f"--frequency {text!r} is not RULE= and one of {', '.join(HOURS)}, {OFF}.")
        rule_folders(name)
        found[name] = frequency
    return found

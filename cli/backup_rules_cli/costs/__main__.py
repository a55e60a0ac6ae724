"""`python -m backup_rules_cli.costs`: what the pack does and costs in a month, from the size of an organization.

`--write-page` rewrites the tables of `docs/cost-and-quotas.md`; `--check` exits 1 when they are stale.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from backup_rules_cli.catalogue import ROOT, rule_folders
from backup_rules_cli.costs.calls import Account
from backup_rules_cli.costs.months import HOURS, OFF, Functions, Prices, months
from backup_rules_cli.costs.tables import (
    ORGANIZATIONS,
    organizations_table,
    page_parts,
    rules_table,
    services_table,
    with_parts,
)

PAGE = ROOT / "docs" / "cost-and-quotas.md"

_PREFIXES: Mapping[type[Any], str] = {Account: "", Prices: "price_", Functions: ""}
"""The inputs of the formula, and what their options begin with."""


def main(arguments: Sequence[str] | None = None, page: Path = PAGE) -> int:
    """The command line; returns 0, or 1 when `--check` finds the page stale, or 2 when an input is not allowed."""
    options = _options(arguments)
    if options.write_page or options.check:
        return _page(page, check=options.check)
    try:
        folders, frequencies = rule_folders(*options.rules), _frequencies(options.frequency)
        account = _checked(Account(**_given(options, Account)))
    except ValueError as error:
        print(f"costs: {error}", file=sys.stderr)
        return 2
    prices, functions = Prices(**_given(options, Prices)), Functions(**_given(options, Functions))
    print("One account in one Region:\n")
    print(rules_table(folders, account, frequencies), services_table(months(folders, account, frequencies)), sep="\n\n")
    print(f"\nAll accounts, in {options.regions} Region(s), in a month of 30 days:\n")
    print(
        organizations_table(
            folders,
            account,
            accounts=options.accounts or ORGANIZATIONS,
            regions=options.regions,
            frequencies=frequencies,
            prices=prices,
            functions=functions,
        )
    )
    return 0


def _page(page: Path, *, check: bool) -> int:
    text = page.read_text(encoding="utf-8")
    made = with_parts(text, page_parts(rule_folders()))
    if made != text and check:
        print(f"{page.name} is stale: run `python -m backup_rules_cli.costs --write-page`.", file=sys.stderr)
        return 1
    page.write_text(made, encoding="utf-8")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m backup_rules_cli.costs", description="What the pack does and costs a month."
    )
    parser.add_argument("--accounts", type=int, nargs="*", metavar="N", help="sizes of the organization")
    parser.add_argument("--regions", type=int, default=1, help="Regions in which the pack is deployed (default: 1)")
    parser.add_argument("--rules", nargs="*", default=[], metavar="RULE", help="only these rules; default: all")
    parser.add_argument(
        "--frequency", action="append", default=[], metavar="RULE=Off", help=f"one of {', '.join(HOURS)}, {OFF}"
    )
    for kind, prefix in _PREFIXES.items():
        for each in fields(kind):
            option = f"--{prefix}{each.name}".replace("_", "-")
            parser.add_argument(option, type=type(each.default), help=f"default: {each.default}")
    parser.add_argument("--write-page", action="store_true", help="rewrite the tables of docs/cost-and-quotas.md")
    parser.add_argument("--check", action="store_true", help="exit 1 when those tables are stale")
    return parser.parse_args(arguments)


def _given(options: argparse.Namespace, kind: type[Any]) -> dict[str, Any]:
    """The options that stand for fields of `kind` and were given."""
    values = {each.name: getattr(options, f"{_PREFIXES[kind]}{each.name}") for each in fields(kind)}
    return {name: value for name, value in values.items() if value is not None}


def _checked(account: Account) -> Account:
    for each in fields(account):
        if getattr(account, each.name) < 0:
            raise ValueError(f"{each.name} is {getattr(account, each.name)}; allowed is 0 or more.")
    if account.policy_plans > account.plans:
        raise ValueError(f"policy_plans is {account.policy_plans}; allowed is at most plans, {account.plans}.")
    return account


def _frequencies(texts: Iterable[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, equals, frequency = text.partition("=")
        if not equals or frequency not in {*HOURS, OFF}:
            raise ValueError(f"--frequency {text!r} is not RULE= and one of {', '.join(HOURS)}, {OFF}.")
        rule_folders(name)
        found[name] = frequency
    return found


if __name__ == "__main__":
    sys.exit(main())

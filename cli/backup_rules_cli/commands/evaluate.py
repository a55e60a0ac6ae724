"""`backup-rules evaluate`."""

from __future__ import annotations

import time

import click

from backup_rules_cli import console, options
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.errors import NOT_DONE, PROBLEMS, WELL, CommandError
from backup_rules_cli.evaluate import evaluate_accounts, evaluate_demo
from backup_rules_cli.reports import as_document, as_table
from backup_rules_cli.targets import Wanted

_LARGEST = 100_000
_EXAMPLES = """\b
Examples:
  backup-rules evaluate
  backup-rules evaluate --region eu-west-1 --region us-east-1
  backup-rules evaluate --profile management --accounts all --role OrganizationAccountAccessRole --region all
  backup-rules evaluate --profile payments --rules BACKUP_TAG_CASE,BACKUP_TAG_WHITESPACE --format json
"""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="NAME",
    callback=options.names,
    help="Profile of an account, repeatable; without, the environment's credentials.",
)
@options.region_option("Region to judge, repeatable, or all: those with plans; without, the profile's.")
@click.option(
    "--accounts",
    multiple=True,
    metavar="ID",
    callback=options.names,
    help="Accounts to enter with --role, repeatable, or all of the organization. Without a profile, Region or role: how"
    " many accounts the simulated organization has.",
)
@click.option("--role", default="", metavar="NAME", help="The role that --accounts are read with.")
@options.rules_option
@options.parameters_option
@click.option("--format", "output", type=click.Choice(("table", "json")), default="table", show_default=True)
@click.option("--all", "everything", is_flag=True, help="Show COMPLIANT evaluations too, not only their number.")
@click.option("--quiet", is_flag=True, help="No progress.")
def evaluate(
    profiles: tuple[str, ...],
    regions: tuple[str, ...],
    accounts: tuple[str, ...],
    role: str,
    rules: tuple[str, ...],
    parameters: tuple[str, ...],
    output: str,
    everything: bool,
    quiet: bool,
) -> int:
    """Judge an account by every rule of the pack.

    With --profile, --region or --role real accounts: they are only read; nothing is put. Without, an organization that
    is simulated in memory, with problems planted. An account or Region that cannot be read is told, and does not end
    the others.

    Exit status: 0 all is COMPLIANT, 1 problems were found, 2 something could not be judged.
    """
    folders = rule_folders(*rules)
    given = options.parameters_by_rule(options.parameter_pairs(parameters), folders)
    started = time.monotonic()
    if profiles or regions or role:
        report = evaluate_accounts(Wanted(profiles, regions, accounts, role), folders, given, quiet=quiet)
    else:
        report = evaluate_demo(folders, given, _size(accounts), quiet=quiet)
    if output == "json":
        console.show_json(as_document(report))
    else:
        seconds = time.monotonic() - started
        console.show(as_table(report, seconds=seconds, everything=everything, columns=console.width()))
    if report.failures:
        return NOT_DONE
    return PROBLEMS if report.problems else WELL


def _size(accounts: tuple[str, ...]) -> int:
    """How many accounts the simulated organization is to have."""
    if not accounts:
        return 0
    if len(accounts) > 1 or not accounts[0].isdecimal() or int(accounts[0]) > _LARGEST:
        raise CommandError(
            f"--accounts is {', '.join(accounts)!r}; for the simulated organization, allowed is a number up to"
            f" {_LARGEST:,}. Accounts of your own need --role too."
        )
    return int(accounts[0])

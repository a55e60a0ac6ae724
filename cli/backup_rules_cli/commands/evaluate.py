"""`backup-rules evaluate`."""

from __future__ import annotations

import time

import click

from backup_rules_cli import console, options
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.errors import NOT_DONE, PROBLEMS, WELL
from backup_rules_cli.evaluate import evaluate_account, evaluate_demo
from backup_rules_cli.reports import as_document, as_table

_EXAMPLES = """\b
Examples:
  backup-rules evaluate
  backup-rules evaluate --region eu-west-1 --region us-east-1
  backup-rules evaluate --profile payments --rules BACKUP_TAG_CASE,BACKUP_TAG_WHITESPACE --format json
"""


@click.command(epilog=_EXAMPLES)
@options.profile_option
@options.region_option("Region to judge, several with commas or again and again; without, the profile's.")
@options.rules_option
@options.parameters_option
@click.option("--accounts", type=click.IntRange(min=0), default=0, help="Grow the simulated organization to so many.")
@click.option("--format", "output", type=click.Choice(("table", "json")), default="table", show_default=True)
@click.option("--all", "everything", is_flag=True, help="Show COMPLIANT evaluations too, not only their number.")
@click.option("--quiet", is_flag=True, help="No progress.")
def evaluate(
    profile: str,
    regions: tuple[str, ...],
    rules: tuple[str, ...],
    parameters: tuple[str, ...],
    accounts: int,
    output: str,
    everything: bool,
    quiet: bool,
) -> int:
    """Judge an account by every rule of the pack.

    With --profile or --region a real account: it is only read; nothing is put. Without, an organization that is
    simulated in memory, with problems planted.

    Exit status: 0 all is COMPLIANT, 1 problems were found, 2 something could not be judged.
    """
    folders = rule_folders(*rules)
    given = options.parameters_by_rule(options.parameter_pairs(parameters), folders)
    started = time.monotonic()
    if profile or regions:
        report = evaluate_account(profile, regions, folders, given, quiet=quiet)
    else:
        report = evaluate_demo(folders, given, accounts, quiet=quiet)
    if output == "json":
        console.show_json(as_document(report))
    else:
        seconds = time.monotonic() - started
        console.show(as_table(report, seconds=seconds, everything=everything, columns=console.width()))
    if report.failures:
        return NOT_DONE
    return PROBLEMS if report.problems else WELL

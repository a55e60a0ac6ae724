"""`backup-rules evaluate`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import click

from backup_rules.errors import BackupRulesError
from backup_rules_cli import console, known, options
from backup_rules_cli.answers.judging import JudgedAccount
from backup_rules_cli.answers.plans import known_resources, plan_answers
from backup_rules_cli.catalogue import RuleFolder, rule_folders
from backup_rules_cli.errors import NOT_DONE, PROBLEMS, WELL, CommandError
from backup_rules_cli.evaluate import evaluate_demo, evaluate_sources
from backup_rules_cli.formats import FORMATS
from backup_rules_cli.formats.records import records
from backup_rules_cli.readings.files import save as save_reading
from backup_rules_cli.reports import Report, as_table
from backup_rules_cli.sources import demo_size, opened

_EXAMPLES = options.examples(
    "backup-rules evaluate",
    "backup-rules evaluate --region eu-west-1 --region us-east-1",
    "backup-rules evaluate --profile management --accounts all --role OrganizationAccountAccessRole --region all",
    "backup-rules evaluate --profile payments --rules BACKUP_TAG_CASE,BACKUP_TAG_WHITESPACE --format json",
    "backup-rules evaluate --profile payments --fail-on high --format sarif --output backups.sarif",
    "backup-rules evaluate --profile payments --save payments.json.gz",
    "backup-rules evaluate --from payments.json.gz",
)


@click.command(epilog=_EXAMPLES)
@options.profiles_option
@options.region_option("Region to judge, repeatable, or all: those with plans; without, the profile's.")
@options.accounts_option(
    "Accounts to enter with --role, repeatable, or all of the organization. Without a profile, Region or role: how many"
    " accounts the simulated organization has."
)
@options.role_option
@click.option(
    "--save", type=options.FILE, help="Keep what was read in this file, for --from; compressed if it ends in .gz."
)
@click.option(
    "--from", "reading", type=options.FILE, help="Judge what an earlier --save kept, as of then, without access."
)
@options.rules_option
@click.option(
    "--severity", type=click.Choice(options.SEVERITIES), default="low", help="Only rules of this severity or above."
)
@options.parameters_option
@options.format_option(*FORMATS)
@options.output_option
@options.gate_options
@click.option("--all", "everything", is_flag=True, help="Table: show COMPLIANT evaluations too, not only their number.")
@click.option("--list-rules", is_flag=True, help="List the rules that were chosen, and judge nothing.")
@options.quiet_option
@click.pass_context
def evaluate(
    context: click.Context,
    profiles: tuple[str, ...],
    regions: tuple[str, ...],
    accounts: tuple[str, ...],
    role: str,
    save: Path | None,
    reading: Path | None,
    rules: tuple[str, ...],
    severity: str,
    parameters: tuple[str, ...],
    output: str,
    path: Path | None,
    everything: bool,
    list_rules: bool,
    quiet: bool,
    **gate: Unpack[options.Gate],
) -> int:
    """Judge an account by every rule of the pack.

    With --profile, --region or --role real accounts: they are only read; nothing is put. Without, an organization that
    is simulated in memory, with problems planted. An account or Region that cannot be read is told, and does not end
    the others.

    Exit status: 0 all is COMPLIANT, 1 problems were found, 2 something could not be judged.
    """
    folders = [each for each in rule_folders(*rules) if each.severity in options.failing(severity)]
    if not folders:
        raise CommandError(f"None of these rules is of severity {severity} or above.")
    if list_rules:
        rows = [(each.name, each.severity, each.about["Condition"]) for each in folders]
        console.show(console.columns_of(rows, fitted=True))
        return WELL
    given = options.parameters_by_rule(options.parameter_pairs(parameters), folders)
    excluded = known.load(gate["exclusions"]) if gate["exclusions"] else ()
    before = known.load_baseline(gate["baseline"]) if gate["baseline"] else None
    where = options.where(context, reading, profiles=profiles, regions=regions, accounts=accounts, role=role)
    if save and reading:
        raise CommandError("--save keeps what AWS answers, and --from asks nothing of AWS: leave one out.")
    options.check_writable("--output", path)
    options.check_writable("--save", save)
    options.check_writable("--save-baseline", gate["save_baseline"])
    started = time.monotonic()
    if where.is_demo and save is None:
        named = bool(output != options.TABLE or excluded)
        report = evaluate_demo(folders, given, demo_size(accounts), quiet=quiet, named=named)
    else:
        with opened(where) as sources:
            kept = sources.keep() if save else None
            report = evaluate_sources(sources, folders, given, quiet=quiet, beside=_explain if kept else None)
        if kept and save:
            save_reading(kept, save)
    told = list(known.exclude(report, excluded))
    if gate["save_baseline"]:
        known.save_baseline(report, gate["save_baseline"])
    if before:
        before.quieten(report)
    if output != options.TABLE:
        console.write(FORMATS[output](report, records(report, folders)), path)
    else:
        columns = console.width() if path is None else console.WIDTH
        seconds = time.monotonic() - started
        lines = as_table(report, seconds=seconds, everything=everything, columns=columns, quiet=gate["show_excluded"])
        console.show(lines, path)
    console.note(*told)
    return _status(report, folders, gate["fail_on"])


def _explain(judged: JudgedAccount) -> None:
    """Ask what `explain` would ask, so that a reading can answer it. What cannot be listed, the report has told."""
    for ask in (plan_answers, known_resources):
        with contextlib.suppress(BackupRulesError):
            ask(judged)


def _status(report: Report, folders: Sequence[RuleFolder], fail_on: str) -> int:
    if report.failures:
        return NOT_DONE
    severe = {each.name for each in folders if each.severity in options.failing(fail_on)}
    return PROBLEMS if any(each.rule in severe for each in report.problems) else WELL

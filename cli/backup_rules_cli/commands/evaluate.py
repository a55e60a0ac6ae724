"""`backup-rules evaluate`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

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

TABLE = "table"
SEVERITIES = ("low", "medium", "high", "critical")
_FILE = click.Path(dir_okay=False, path_type=Path)
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
@click.option("--save", type=_FILE, help="Keep what was read in this file, for --from; compressed if it ends in .gz.")
@click.option("--from", "reading", type=_FILE, help="Judge what an earlier --save kept, as of then, without access.")
@options.rules_option
@click.option("--severity", type=click.Choice(SEVERITIES), default="low", help="Only rules of this severity or above.")
@options.parameters_option
@click.option("--format", "output", type=click.Choice((TABLE, *FORMATS)), default=TABLE, show_default=True)
@click.option("--output", "path", type=_FILE, help="Write to this file instead of stdout.")
@click.option(
    "--fail-on", type=click.Choice((*SEVERITIES, "never")), default="low", help="Exit 1 for problems from here on only."
)
@click.option("--exclusions", type=_FILE, help="A file of findings that are known, each with a reason.")
@click.option("--show-excluded", is_flag=True, help="Table: show them too, not only their number.")
@click.option("--baseline", type=_FILE, help="Report only problems that are not in this file.")
@click.option("--save-baseline", type=_FILE, help="Write all problems to this file, for --baseline.")
@click.option("--all", "everything", is_flag=True, help="Table: show COMPLIANT evaluations too, not only their number.")
@click.option("--list-rules", is_flag=True, help="List the rules that were chosen, and judge nothing.")
@click.option("--quiet", is_flag=True, help="No progress.")
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
    fail_on: str,
    exclusions: Path | None,
    show_excluded: bool,
    baseline: Path | None,
    save_baseline: Path | None,
    everything: bool,
    list_rules: bool,
    quiet: bool,
) -> int:
    """Judge an account by every rule of the pack.

    With --profile, --region or --role real accounts: they are only read; nothing is put. Without, an organization that
    is simulated in memory, with problems planted. An account or Region that cannot be read is told, and does not end
    the others.

    Exit status: 0 all is COMPLIANT, 1 problems were found, 2 something could not be judged.
    """
    folders = [each for each in rule_folders(*rules) if _rank(each) >= SEVERITIES.index(severity)]
    if not folders:
        raise CommandError(f"None of these rules is of severity {severity} or above.")
    if list_rules:
        rows = [(each.name, each.about["Severity"].lower(), each.about["Condition"]) for each in folders]
        console.show(console.columns_of(rows))
        return WELL
    given = options.parameters_by_rule(options.parameter_pairs(parameters), folders)
    excluded = known.load(exclusions) if exclusions else ()
    before = known.load_baseline(baseline) if baseline else None
    where = options.where(context, reading, profiles=profiles, regions=regions, accounts=accounts, role=role)
    if save and reading:
        raise CommandError("--save keeps what AWS answers, and --from asks nothing of AWS: leave one out.")
    options.check_writable("--output", path)
    options.check_writable("--save", save)
    started = time.monotonic()
    if where.is_demo and save is None:
        named = bool(output != TABLE or excluded)
        report = evaluate_demo(folders, given, demo_size(accounts), quiet=quiet, named=named)
    else:
        with opened(where) as sources:
            kept = sources.keep() if save else None
            report = evaluate_sources(sources, folders, given, quiet=quiet, beside=_explain if kept else None)
        if kept and save:
            save_reading(kept, save)
    told = list(known.exclude(report, excluded))
    if save_baseline:
        known.save_baseline(report, save_baseline)
    if before:
        before.quieten(report)
    if output != TABLE:
        console.write(FORMATS[output](report, records(report, folders)), path)
    else:
        columns = console.width() if path is None else console.WIDTH
        seconds = time.monotonic() - started
        lines = as_table(report, seconds=seconds, everything=everything, columns=columns, quiet=show_excluded)
        console.show(lines, path)
    console.note(*told)
    return _status(report, folders, fail_on)


def _explain(judged: JudgedAccount) -> None:
    """Ask what `explain` would ask, so that a reading can answer it. What cannot be listed, the report has told."""
    for ask in (plan_answers, known_resources):
        with contextlib.suppress(BackupRulesError):
            ask(judged)


def _rank(folder: RuleFolder) -> int:
    return SEVERITIES.index(folder.about["Severity"].lower())


def _status(report: Report, folders: Sequence[RuleFolder], fail_on: str) -> int:
    if report.failures:
        return NOT_DONE
    severe = {each.name for each in folders if fail_on != "never" and _rank(each) >= SEVERITIES.index(fail_on)}
    return PROBLEMS if any(each.rule in severe for each in report.problems) else WELL

"""`backup-rules check`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Unpack

import click
import yaml

from backup_rules_cli import console, known, options
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.check.cases import cases, once
from backup_rules_cli.check.decoding import BrokenFileError
from backup_rules_cli.check.files import placed, read
from backup_rules_cli.check.findings import Finding, Findings, finding, heed_comments, keep_quiet
from backup_rules_cli.check.formats import FORMATS, table
from backup_rules_cli.check.judging import BROKEN, Case
from backup_rules_cli.check.things import Position
from backup_rules_cli.errors import NOT_DONE, PROBLEMS, WELL, CommandError
from backup_rules_cli.places import check_regions

_EXAMPLES = """\b
Examples:
  backup-rules check template.yaml
  backup-rules check --parameters production.json templates/
  backup-rules check plan.json
  backup-rules check --parent root.json --account 111122223333 policy.json
  backup-rules check --format sarif --output backups.sarif templates/
"""

_OTHER_SHAPES = (AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError)


@click.command(epilog=_EXAMPLES)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--account", default="", metavar="ID", help="The account that it is for; without, what the files name.")
@click.option("--region", default="", metavar="REGION", help="The Region that it is for; without, what the files name.")
@click.option("--parameters", "values", type=options.FILE, help="Values of a template's parameters: JSON or YAML.")
@click.option(
    "--parent", "parents", multiple=True, type=options.FILE, help="A backup policy above, outermost first; repeatable."
)
@click.option(
    "--with-account", default=None, metavar="PROFILE", help="A profile that fills in what the files leave open."
)
@options.rules_option
@options.parameters_option
@options.format_option(*FORMATS)
@options.output_option
@options.gate_options
@click.option("--any-files", is_flag=True, help="Files that hold nothing that is checked are well, for hooks.")
@click.option("--all", "everything", is_flag=True, help="Table: show what holds, too.")
def check(
    files: tuple[Path, ...],
    account: str,
    region: str,
    values: Path | None,
    parents: tuple[Path, ...],
    with_account: str | None,
    rules: tuple[str, ...],
    parameters: tuple[str, ...],
    output: str,
    path: Path | None,
    any_files: bool,
    everything: bool,
    **gate: Unpack[options.Gate],
) -> int:
    """Judge documents before anything is deployed: will the backup plans in them run?

    FILES are CloudFormation and SAM templates, what terraform show -json prints, Organizations backup policies, and
    answers of AWS CLI commands, recognised by what they hold; of folders, all such files. What they leave open is said
    to be unknown, with what would settle it.

    Exit status: 0 no problems, 1 problems were found, 2 a file could not be read, or nothing was there to check.
    """
    if account and not (account.isdecimal() and len(account) == 12):
        raise CommandError(f"--account is {account!r}; allowed are the 12 digits of an account's id.")
    check_regions([region] if region else [])
    folders = rule_folders(*rules)
    given = options.parameters_by_rule(options.parameter_pairs(parameters), folders)
    excluded = known.load(gate["exclusions"]) if gate["exclusions"] else ()
    before = known.load_baseline(gate["baseline"]) if gate["baseline"] else None
    template_values = _values(values) if values else {}
    fill, only_region = None, region
    if with_account is not None:
        from backup_rules_cli.check.with_account import filling  # noqa: PLC0415 - the SDK takes a while to import

        real = filling(with_account, account, region)
        account, region, fill = real.account, real.region, real.behind
    found = read(files, parents, any_files=any_files)
    findings = Findings(datetime.now(UTC).replace(microsecond=0), broken_files=found.broken, others=found.others)
    for subject in found.subjects:
        called = subject.documented.called
        try:
            place = placed(subject, account, region, template_values)
            whole = Case(
                subject.documented,
                subject.policies,
                place,
                findings.now,
                fill,
                given,
                subject.worlds,
                subject.deciding,
                subject.macros,
            )
            gets: list[dict[str, Any]] = []
            said: list[Finding] = []
            for case in cases(whole, subject, only_region):
                gets += case.gets() if case.policies else []
                said += [finding(each, folders, case.place, subject.kind, called) for each in case.judged(folders)]
        except _OTHER_SHAPES as error:  # of what is no plan or template but in part, the others are judged all the same
            why = f"is of another shape than {subject.kind} has ({type(error).__name__})"
            findings.broken_files.append(BrokenFileError(Position(called), why))
            continue
        findings.files += subject.files
        findings.starts[called] = subject.starts
        findings.gets += gets
        findings.found += once(said)
    told = [*heed_comments(findings), *keep_quiet(findings, excluded, before, gate["save_baseline"])]
    if output == options.TABLE:
        columns = console.width() if path is None else console.WIDTH
        console.show(table(findings, columns=columns, everything=everything, quiet=gate["show_excluded"]), path)
    else:
        console.write(FORMATS[output](findings), path)
    console.note(*told)
    return _status(findings, gate["fail_on"])


def _status(findings: Findings, fail_on: str) -> int:
    if findings.broken_files or (findings.others and not findings.files):
        return NOT_DONE
    severe = options.failing(fail_on)
    return PROBLEMS if any(each.severity in severe for each in findings.of(BROKEN)) else WELL


def _values(path: Path) -> Mapping[str, Any]:
    """Parameters' values, in any of the forms that CloudFormation's commands take.

    Raises:
        CommandError: the file cannot be read, or is in another form.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"--parameters {path} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CommandError(f"--parameters {path} is no JSON or YAML: {' '.join(str(error).split())}") from None
    if isinstance(found, dict) and isinstance(found.get("Parameters"), dict):
        found = found["Parameters"]
    if isinstance(found, list) and all(isinstance(each, dict) and "ParameterKey" in each for each in found):
        return {str(each["ParameterKey"]): each.get("ParameterValue", "") for each in found}
    if isinstance(found, list) and all(isinstance(each, str) and "=" in each for each in found):
        return dict(each.split("=", 1) for each in found)
    if isinstance(found, dict):
        return {str(key): json.loads(json.dumps(value, default=str)) for key, value in found.items()}
    raise CommandError(
        f"--parameters {path} must hold an object of names and values, or a list of ParameterKey and ParameterValue."
    )

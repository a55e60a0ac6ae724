"""`backup-rules report`."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from backup_rules_cli import console, known, options
from backup_rules_cli.answers.asking import Asked, Plans, asked, asking_options
from backup_rules_cli.answers.conditions import State
from backup_rules_cli.answers.exclusions import told_of
from backup_rules_cli.answers.judging import SYMPTOM
from backup_rules_cli.errors import NOT_DONE, PROBLEMS, WELL, CommandError
from backup_rules_cli.report.findings import findings
from backup_rules_cli.report.page import Looked, page, week_svg
from backup_rules_cli.report.week import week_of

_DEFAULT = {"html": Path("report.html")}
_EXAMPLES = options.examples(
    "backup-rules report",
    "backup-rules report --output backups.html --profile payments --region eu-west-1",
    "backup-rules report --from payments.json.gz --exclusions known.yaml",
    "backup-rules report --format svg --plan databases-nightly --output week.svg",
)


@click.command(epilog=_EXAMPLES)
@asking_options
@click.option("--format", "output", type=click.Choice(("html", "svg")), default="html", show_default=True)
@click.option("--plan", metavar="PLAN", help="With --format svg: the plan whose week is drawn, by name, id or ARN.")
@click.option(
    "--output",
    "path",
    type=options.FILE,
    help="Write to this file; - is stdout. Without: report.html, and SVG to stdout.",
)
@click.pass_context
def report(context: click.Context, output: str, plan: str | None, path: Path | None, **given: Unpack[Asked]) -> int:
    """Draw why plans run or do not: one HTML page that opens from disk, with nothing to fetch and no script.

    It shows the conditions of every plan, the week ahead with the windows that starts meet, the runs behind, what each
    selection picks and narrowly misses, and all findings with what mends them.

    With --profile, --region or --role real accounts: they are only read. With --from what was read earlier. Without, an
    organization that is simulated in memory, with problems planted.

    Exit status: 0 all conditions hold, 1 one is broken, 2 nobody could look at one, or there is no such plan.
    """
    if (output == "svg") != (plan is not None):
        raise CommandError("--plan and --format svg go together: one plan's week is one picture.")
    target = _target(path, output)
    with asked(context, target, **given) as plans:
        text, status = _page(plans) if plan is None else _week(plans, plan)
    console.write(text, target)
    if target is not None:
        console.note(f"Wrote {target}.")
    return status


def _target(path: Path | None, output: str) -> Path | None:
    if path is None:
        return _DEFAULT.get(output)
    return None if str(path) == "-" else path


def _page(plans: Plans) -> tuple[str, int]:
    """The whole page, and the exit status that it comes to."""
    today = plans.sources.now.date()
    told = plans.everywhere()
    exclusions = tuple(told_of(plans.exclusions, told, plans.places, today))
    console.note(*exclusions)
    found = findings(told, plans.places, plans.exclusions, today, plans.places[0].folders if plans.places else ())
    looked = Looked(
        read_from=plans.sources.read_from,
        now=plans.sources.now,
        called=plans.called,
        failures=plans.failures,
        lookback_days=_lookback(plans),
        exclusions=exclusions,
    )
    text = page(told, {each.place: each for each in plans.places}, found, looked)
    if plans.failures or any(each.unknown for each in told):
        return text, NOT_DONE
    return text, PROBLEMS if found.broken else WELL


def _week(plans: Plans, name: str) -> tuple[str, int]:
    """The picture of one plan's week, and the exit status that the plan comes to."""
    console.note(*known.expired_on(plans.sources.now.date(), plans.exclusions))
    thing = plans.the_one(name)
    if thing.plan is None or thing.selection is not None:
        raise CommandError(f"{name} is a {thing.kind}; --plan takes the name, id or ARN of a plan.")
    answer = plans.answer(thing)
    week = week_of(answer, thing.judged)
    if week is None:
        raise CommandError(f"Plan {thing.plan.name} cannot be read: {'; '.join(answer.unread)}")
    if answer.unknown:
        return week_svg(week), NOT_DONE
    return week_svg(week), PROBLEMS if answer.state is State.BROKEN else WELL


def _lookback(plans: Plans) -> int | None:
    symptom = next((each.by(SYMPTOM) for each in plans.places), None)
    return None if symptom is None else int(symptom.invocation.parameters.lookback_days)

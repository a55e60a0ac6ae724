"""`backup-rules report`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from backup_rules.arns import Place
from backup_rules_cli import console, known, options
from backup_rules_cli.answers import find
from backup_rules_cli.answers.conditions import State
from backup_rules_cli.answers.exclusions import excluding
from backup_rules_cli.answers.judging import SYMPTOM, JudgedAccount
from backup_rules_cli.answers.plans import PlanAnswer, plan_answer
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.console import progress
from backup_rules_cli.errors import NOT_DONE, PROBLEMS, WELL, CommandError
from backup_rules_cli.known import Exclusion
from backup_rules_cli.report.findings import findings
from backup_rules_cli.report.page import Looked, page, week_svg
from backup_rules_cli.report.week import week_of
from backup_rules_cli.reports import Failure
from backup_rules_cli.sources import Sources, narrowed, opened
from backup_rules_cli.targets import side_by_side

_FILE = click.Path(dir_okay=False, path_type=Path)
_DEFAULT = {"html": Path("report.html")}
_EXAMPLES = options.examples(
    "backup-rules report",
    "backup-rules report --output backups.html --profile payments --region eu-west-1",
    "backup-rules report --from payments.json.gz --exclusions known.yaml",
    "backup-rules report --format svg --plan databases-nightly --output week.svg",
)


@click.command(epilog=_EXAMPLES)
@options.profiles_option
@options.region_option("Region to look in, repeatable, or all: those with plans; without, the profile's.")
@options.accounts_option("Accounts to enter with --role, repeatable, or all of the organization.")
@options.role_option
@click.option("--from", "reading", type=_FILE, help="Look at what evaluate --save kept, as of then, without access.")
@click.option(
    "--account",
    "narrow",
    multiple=True,
    metavar="ACCOUNT",
    callback=options.names,
    help="Only in this account (id or name), repeatable.",
)
@options.parameters_option
@click.option("--exclusions", type=_FILE, help="A file of findings that are known, each with a reason.")
@click.option("--format", "output", type=click.Choice(("html", "svg")), default="html", show_default=True)
@click.option("--plan", metavar="PLAN", help="With --format svg: the plan whose week is drawn, by name, id or ARN.")
@click.option(
    "--output", "path", type=_FILE, help="Write to this file; - is stdout. Without: report.html, and SVG to stdout."
)
@click.option("--quiet", is_flag=True, help="No progress.")
@click.pass_context
def report(
    context: click.Context,
    profiles: tuple[str, ...],
    regions: tuple[str, ...],
    accounts: tuple[str, ...],
    role: str,
    reading: Path | None,
    narrow: tuple[str, ...],
    parameters: tuple[str, ...],
    exclusions: Path | None,
    output: str,
    plan: str | None,
    path: Path | None,
    quiet: bool,
) -> int:
    """Draw why plans run or do not: one HTML page that opens from disk, with nothing to fetch and no script.

    It shows the conditions of every plan, the week ahead with the windows that starts meet, the runs behind, what each
    selection picks and narrowly misses, and all findings with what mends them.

    With --profile, --region or --role real accounts: they are only read. With --from what was read earlier. Without, an
    organization that is simulated in memory, with problems planted.

    Exit status: 0 all conditions hold, 1 one is broken, 2 nobody could look at one, or there is no such plan.
    """
    if (output == "svg") != (plan is not None):
        raise CommandError("--plan and --format svg go together: one plan's week is one picture.")
    folders = rule_folders()
    for each in folders:
        each.module()  # imported here, not by several threads at once
        each.beside("fix")
    given = options.parameters_by_rule(options.parameter_pairs(parameters), folders)
    excluded = known.load(exclusions) if exclusions else ()
    target = _target(path, output)
    options.check_writable("--output", target)
    where = options.where(context, reading, profiles=profiles, regions=regions, accounts=accounts, role=role)
    with console.results_only(), opened(where) as sources:
        narrowed(sources, (), narrow)
        places = find.judged_accounts(sources, folders, given)
        drawn = _Report(sources, places, excluded, quiet=quiet)
        text, status = drawn.week(plan) if plan is not None else drawn.page()
    console.write(text, target)
    if target is not None:
        console.note(f"Wrote {target}.")
    return status


def _target(path: Path | None, output: str) -> Path | None:
    if path is None:
        return _DEFAULT.get(output)
    return None if str(path) == "-" else path


class _Report:
    """What is drawn, with the exit status that it comes to."""

    def __init__(
        self, sources: Sources, places: Sequence[JudgedAccount], exclusions: Sequence[Exclusion], *, quiet: bool
    ) -> None:
        self._sources = sources
        self._places = places
        self._exclusions = exclusions
        self._quiet = quiet

    def page(self) -> tuple[str, int]:
        """The whole page."""
        failures = list(self._sources.failures)
        today = self._sources.now.date()
        with progress(len(self._places), shown=not self._quiet) as step:

            def answers(place: JudgedAccount) -> list[PlanAnswer]:
                step(self._called(place.place))
                found = [plan_answer(place, each.plan) for each in find.read(find.plans, place, failures) if each.plan]
                return [excluding(each, self._exclusions, today) for each in found]

            parts = side_by_side(answers, self._places, self._sources.side_by_side)
        told = [answer for each in parts if not isinstance(each, CommandError) for answer in each]
        found = findings(told, self._places, self._exclusions, today, self._places[0].folders if self._places else ())
        looked = Looked(
            read_from=self._sources.read_from,
            now=self._sources.now,
            called=self._called,
            failures=failures,
            lookback_days=self._lookback(),
            expired=tuple(known.expired_on(today, self._exclusions)),
        )
        text = page(told, {each.place: each for each in self._places}, found, looked)
        if failures or any(each.unknown for each in told):
            return text, NOT_DONE
        return text, PROBLEMS if found.broken else WELL

    def week(self, name: str) -> tuple[str, int]:
        """The picture of one plan's week."""
        failures: list[Failure] = list(self._sources.failures)
        with progress(len(self._places) * find.LISTINGS, shown=not self._quiet) as step:
            looking = find.Looking(
                self._places, failures, self._sources.side_by_side, lambda place: step(self._called(place))
            )
            thing = find.the_one(name, looking, self._called)
        if thing.plan is None or thing.selection is not None:
            raise CommandError(f"{name} is a {thing.kind}; --plan takes the name, id or ARN of a plan.")
        answer = excluding(plan_answer(thing.judged, thing.plan), self._exclusions, self._sources.now.date())
        week = week_of(answer, thing.judged)
        if week is None:
            raise CommandError(f"Plan {thing.plan.name} cannot be read: {'; '.join(answer.unread)}")
        if answer.unknown:
            return week_svg(week), NOT_DONE
        return week_svg(week), PROBLEMS if answer.state is State.BROKEN else WELL

    def _lookback(self) -> int | None:
        symptom = next((each.by(SYMPTOM) for each in self._places), None)
        return None if symptom is None else int(symptom.invocation.parameters.lookback_days)

    def _called(self, place: Place) -> str:
        name = self._sources.names.get(place.account)
        return f"{name} ({place.account}), {place.region}" if name else f"{place.account}, {place.region}"

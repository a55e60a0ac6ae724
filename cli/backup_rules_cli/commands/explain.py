"""`backup-rules explain`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from backup_rules.arns import Place
from backup_rules_cli import console, known, options
from backup_rules_cli.answers import documents, find, texts
from backup_rules_cli.answers.conditions import State
from backup_rules_cli.answers.exclusions import excluding
from backup_rules_cli.answers.find import Looking, Thing
from backup_rules_cli.answers.judging import JudgedAccount
from backup_rules_cli.answers.plans import PlanAnswer, ResourceAnswer, plan_answer, resource_answer
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.console import progress
from backup_rules_cli.errors import NOT_DONE, PROBLEMS, WELL, CommandError
from backup_rules_cli.known import Exclusion
from backup_rules_cli.sources import Sources, narrowed, opened
from backup_rules_cli.targets import side_by_side

_FILE = click.Path(dir_okay=False, path_type=Path)
_EXAMPLES = options.examples(
    "backup-rules explain",
    "backup-rules explain ledger-nightly",
    "backup-rules explain ledger-nightly/refunds-no-role --format json",
    "backup-rules explain nightly --profile payments --region eu-west-1",
    "backup-rules explain i-0123456789abcdef0 --from payments.json.gz",
)


@click.command(epilog=_EXAMPLES)
@click.argument("name", required=False, metavar="[PLAN|SELECTION|RESOURCE]")
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
@click.option("--format", "output", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("--output", "path", type=_FILE, help="Write to this file instead of stdout.")
@click.option("--quiet", is_flag=True, help="No progress.")
@click.pass_context
def explain(
    context: click.Context,
    name: str | None,
    profiles: tuple[str, ...],
    regions: tuple[str, ...],
    accounts: tuple[str, ...],
    role: str,
    reading: Path | None,
    narrow: tuple[str, ...],
    parameters: tuple[str, ...],
    exclusions: Path | None,
    output: str,
    path: Path | None,
    quiet: bool,
) -> int:
    """Say why a plan runs or does not: every condition, what was read, and what mends it.

    PLAN, SELECTION or RESOURCE is a name, an id or an ARN; PLAN/SELECTION names a selection too. Without one, all plans
    are listed with their state and next run.

    With --profile, --region or --role real accounts: they are only read. With --from what was read earlier. Without, an
    organization that is simulated in memory, with problems planted.

    Exit status: 0 all conditions hold, 1 one is broken, 2 nobody could look at one, or there is no such thing.
    """
    folders = rule_folders()
    for each in folders:
        each.module()  # imported here, not by several threads at once
        each.beside("fix")
    given = options.parameters_by_rule(options.parameter_pairs(parameters), folders)
    excluded = known.load(exclusions) if exclusions else ()
    options.check_writable("--output", path)
    where = options.where(context, reading, profiles=profiles, regions=regions, accounts=accounts, role=role)
    with console.results_only(), opened(where) as sources:
        narrowed(sources, (), narrow)
        console.note(*known.expired_on(sources.now.date(), excluded))
        places = find.judged_accounts(sources, folders, given)
        answers = _Answers(sources, places, excluded, output == "json", quiet=quiet)
        text, status = answers.of_all() if name is None else answers.of_one(name)
    console.write(text, path)
    return status


def _status(*answers: PlanAnswer | ResourceAnswer) -> int:
    """As of `evaluate`: what could not be read weighs more than what is broken."""
    if any(each.unknown for each in answers):
        return NOT_DONE
    return PROBLEMS if any(each.state is State.BROKEN for each in answers) else WELL


class _Answers:
    """What is told, as text, with the exit status that it comes to."""

    def __init__(
        self,
        sources: Sources,
        places: Sequence[JudgedAccount],
        exclusions: Sequence[Exclusion],
        as_json: bool,
        *,
        quiet: bool,
    ) -> None:
        self._sources = sources
        self._places = places
        self._exclusions = exclusions
        self._as_json = as_json
        self._quiet = quiet
        self._told = sources.names, sources.called, sources.now

    def of_all(self) -> tuple[str, int]:
        """The plans of all accounts and Regions, in short."""
        failures = list(self._sources.failures)
        with progress(len(self._places), shown=not self._quiet) as step:

            def answers(place: JudgedAccount) -> list[PlanAnswer]:
                step(self._called(place.place))
                return [self._plan(each) for each in find.read(find.plans, place, failures)]

            parts = side_by_side(answers, self._places, self._sources.side_by_side)
        found = [answer for each in parts if not isinstance(each, CommandError) for answer in each]
        status = NOT_DONE if failures else _status(*found)
        if self._as_json:
            return console.as_json(documents.of_plans(found, failures, *self._told)) + "\n", status
        lines = texts.list_lines(found, failures, self._called, console.width())
        return console.text(lines), status

    def of_one(self, name: str) -> tuple[str, int]:
        """The one that is called so."""
        failures = list(self._sources.failures)
        with progress(len(self._places) * find.LISTINGS, shown=not self._quiet) as step:
            looking = Looking(
                self._places, failures, self._sources.side_by_side, lambda place: step(self._called(place))
            )
            thing = find.the_one(name, looking, self._called)
        console.note(*(f"Could not look in {each.account}, {each.region}: {each.error}" for each in failures))
        return self._of_resource(thing) if thing.resource else self._of_plan(thing)

    def _of_plan(self, thing: Thing) -> tuple[str, int]:
        answer = self._plan(thing)
        if self._as_json:
            return console.as_json(documents.of_plan(answer, *self._told)) + "\n", _status(answer)
        where, read_from = self._called(answer.place), thing.judged.read_from
        return console.text(texts.plan_lines(answer, where, read_from, console.width())), _status(answer)

    def _of_resource(self, thing: Thing) -> tuple[str, int]:
        assert thing.resource is not None  # noqa: S101 - that is what it was asked about
        answer = resource_answer(thing.judged, thing.resource)
        picking = {each.selection.plan_id for each in answer.picks}
        plans = [self._plan(each) for each in find.plans(thing.judged) if each.plan and each.plan.id in picking]
        status = _status(answer, *plans)
        if self._as_json:
            return console.as_json(documents.of_resource(answer, plans, *self._told)) + "\n", status
        where, read_from = self._called(answer.place), thing.judged.read_from
        return console.text(texts.resource_lines(answer, plans, where, read_from, console.width())), status

    def _plan(self, thing: Thing) -> PlanAnswer:
        assert thing.plan is not None  # noqa: S101 - a plan, or a selection of one
        answer = plan_answer(thing.judged, thing.plan, thing.selection)
        return excluding(answer, self._exclusions, self._sources.now.date())

    def _called(self, place: Place) -> str:
        name = self._sources.names.get(place.account)
        return f"{name} ({place.account}), {place.region}" if name else f"{place.account}, {place.region}"

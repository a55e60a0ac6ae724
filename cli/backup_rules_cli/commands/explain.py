"""`backup-rules explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from backup_rules_cli import console, known, options
from backup_rules_cli.answers import documents, find, texts
from backup_rules_cli.answers.asking import Asked, Plans, asked, asking_options
from backup_rules_cli.answers.conditions import State
from backup_rules_cli.answers.exclusions import told_of
from backup_rules_cli.answers.find import Thing
from backup_rules_cli.answers.plans import PlanAnswer, ResourceAnswer, resource_answer
from backup_rules_cli.errors import NOT_DONE, PROBLEMS, WELL

_EXAMPLES = options.examples(
    "backup-rules explain",
    "backup-rules explain ledger-nightly",
    "backup-rules explain ledger-nightly/refunds-no-role --format json",
    "backup-rules explain nightly --profile payments --region eu-west-1",
    "backup-rules explain i-0123456789abcdef0 --from payments.json.gz",
)


@click.command(epilog=_EXAMPLES)
@click.argument("name", required=False, metavar="[PLAN|SELECTION|RESOURCE]")
@asking_options
@click.option("--format", "output", type=click.Choice(("text", "json")), default="text", show_default=True)
@options.output_option
@click.pass_context
def explain(context: click.Context, name: str | None, output: str, path: Path | None, **given: Unpack[Asked]) -> int:
    """Say why a plan runs or does not: every condition, what was read, and what mends it.

    PLAN, SELECTION or RESOURCE is a name, an id or an ARN; PLAN/SELECTION names a selection too. Without one, all plans
    are listed with their state and next run.

    With --profile, --region or --role real accounts: they are only read. With --from what was read earlier. Without, an
    organization that is simulated in memory, with problems planted.

    Exit status: 0 all conditions hold, 1 one is broken, 2 nobody could look at one, or there is no such thing.
    """
    columns = console.width() if path is None else console.WIDTH
    with asked(context, path, **given) as plans:
        answers = _Answers(plans, output == "json", columns)
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

    def __init__(self, plans: Plans, as_json: bool, columns: int) -> None:
        self._plans = plans
        self._as_json = as_json
        self._columns = columns
        self._told = plans.sources.names, plans.sources.called, plans.sources.now

    def of_all(self) -> tuple[str, int]:
        """The plans of all accounts and Regions, in short."""
        found = self._plans.everywhere()
        console.note(*told_of(self._plans.exclusions, found, self._plans.places, self._plans.sources.now.date()))
        failures = self._plans.failures
        status = NOT_DONE if failures else _status(*found)
        if self._as_json:
            return console.as_json(documents.of_plans(found, failures, *self._told)) + "\n", status
        places = [each.place for each in self._plans.places]
        return console.text(texts.list_lines(found, places, failures, self._plans.called, self._columns)), status

    def of_one(self, name: str) -> tuple[str, int]:
        """The one that is called so."""
        console.note(*known.expired_on(self._plans.sources.now.date(), self._plans.exclusions))
        thing = self._plans.the_one(name)
        failures = self._plans.failures
        console.note(*(f"Could not look in {each.where}: {each.error}" for each in failures))
        return self._of_resource(thing) if thing.resource else self._of_plan(thing)

    def _of_plan(self, thing: Thing) -> tuple[str, int]:
        answer = self._plans.answer(thing)
        if self._as_json:
            return console.as_json(documents.of_plan(answer, *self._told)) + "\n", _status(answer)
        where, read_from = self._plans.called(answer.place), thing.judged.read_from
        return console.text(texts.plan_lines(answer, where, read_from, self._columns)), _status(answer)

    def _of_resource(self, thing: Thing) -> tuple[str, int]:
        assert thing.resource is not None  # noqa: S101 - that is what it was asked about
        answer = resource_answer(thing.judged, thing.resource)
        picking = {each.selection.plan_id for each in answer.picks}
        plans = [self._plans.answer(each) for each in find.plans(thing.judged) if each.plan and each.plan.id in picking]
        status = _status(answer, *plans)
        if self._as_json:
            return console.as_json(documents.of_resource(answer, plans, *self._told)) + "\n", status
        where, read_from = self._plans.called(answer.place), thing.judged.read_from
        return console.text(texts.resource_lines(answer, plans, where, read_from, self._columns)), status

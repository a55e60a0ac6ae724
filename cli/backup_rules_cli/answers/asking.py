"""What is asked about plans, by any command: where, as of when, for which plan, and what is known and left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack

import click

from backup_rules.arns import Place
from backup_rules_cli import console, known, options
from backup_rules_cli.answers import find
from backup_rules_cli.answers.exclusions import excluding
from backup_rules_cli.answers.find import Looking, Thing
from backup_rules_cli.answers.judging import JudgedAccount
from backup_rules_cli.answers.plans import PlanAnswer, plan_answer
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.console import progress
from backup_rules_cli.errors import CommandError
from backup_rules_cli.known import Exclusion
from backup_rules_cli.reports import Failure
from backup_rules_cli.sources import Sources, narrowed, opened
from backup_rules_cli.targets import side_by_side

_F = TypeVar("_F", bound=Callable[..., Any])


class Asked(TypedDict):
    """What the options of `asking_options` come to."""

    profiles: tuple[str, ...]
    regions: tuple[str, ...]
    accounts: tuple[str, ...]
    role: str
    reading: Path | None
    narrow: tuple[str, ...]
    parameters: tuple[str, ...]
    exclusions: Path | None
    quiet: bool


def asking_options(command: _F) -> _F:
    """Where to look, with which parameters, and what to leave alone: `Asked`, by the names of its keys."""
    look = "Look at what evaluate --save kept, as of then, without access."
    only = "Only in this account (id or name), repeatable."
    for option in (
        options.quiet_option,
        options.exclusions_option,
        options.parameters_option,
        click.option("--account", "narrow", multiple=True, metavar="ACCOUNT", callback=options.names, help=only),
        click.option("--from", "reading", type=options.FILE, help=look),
        options.role_option,
        options.accounts_option("Accounts to enter with --role, repeatable, or all of the organization."),
        options.region_option("Region to look in, repeatable, or all: those with plans; without, the profile's."),
        options.profiles_option,
    ):
        command = option(command)
    return command


@dataclass
class Plans:
    """The plans of the accounts and Regions that were asked about, with nothing judged yet."""

    sources: Sources
    places: Sequence[JudgedAccount]
    exclusions: Sequence[Exclusion]
    quiet: bool
    """Whether no progress is shown."""
    failures: list[Failure] = field(default_factory=list)
    """What could not be read, so far."""

    def everywhere(self) -> list[PlanAnswer]:
        """What is to be said of all plans, in order."""
        with progress(len(self.places), shown=not self.quiet) as step:

            def answers(place: JudgedAccount) -> list[PlanAnswer]:
                step(self.called(place.place))
                return [self.answer(each) for each in find.read(find.plans, place, self.failures)]

            parts = side_by_side(answers, self.places, self.sources.side_by_side)
        return [answer for each in parts if not isinstance(each, CommandError) for answer in each]

    def the_one(self, name: str) -> Thing:
        """The plan, selection or resource of this name, id or ARN.

        Raises:
            UnknownNameError: there is none; with the nearest name.
            CommandError: there are several.
        """
        with progress(len(self.places) * find.LISTINGS, shown=not self.quiet) as step:
            looking = Looking(
                self.places, self.failures, self.sources.side_by_side, lambda place: step(self.called(place))
            )
            return find.the_one(name, looking, self.called)

    def answer(self, thing: Thing) -> PlanAnswer:
        """What is to be said of a plan, or of a selection of one."""
        assert thing.plan is not None  # noqa: S101 - it is no resource
        answer = plan_answer(thing.judged, thing.plan, thing.selection)
        return excluding(answer, self.exclusions, self.sources.now.date())

    def called(self, place: Place) -> str:
        """What a person calls an account and Region."""
        name = self.sources.names.get(place.account)
        return f"{name} ({place.account}), {place.region}" if name else f"{place.account}, {place.region}"


@contextmanager
def asked(context: click.Context, output: Path | None, **given: Unpack[Asked]) -> Iterator[Plans]:
    """The plans that the options name, for as long as the context lasts; what is answered goes to `output`.

    Raises:
        CommandError: the options do not go together, or nothing can be read at all.
    """
    folders = rule_folders()
    for each in folders:
        each.module()  # imported here, not by several threads at once
        each.beside("fix")
    parameters = options.parameters_by_rule(options.parameter_pairs(given["parameters"]), folders)
    exclusions = known.load(given["exclusions"]) if given["exclusions"] else ()
    options.check_writable("--output", output)
    places = {name: given[name] for name in ("profiles", "regions", "accounts", "role")}
    where = options.where(context, given["reading"], **places)
    with console.results_only(), opened(where) as sources:
        narrowed(sources, (), given["narrow"])
        judged = find.judged_accounts(sources, folders, parameters)
        yield Plans(sources, judged, exclusions, given["quiet"], list(sources.failures))

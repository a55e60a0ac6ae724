"""What a person means by a name, an id or an ARN: a plan, a selection or a resource, in which account and Region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from backup_rules.arns import Place
from backup_rules.aws import backup
from backup_rules.aws.account import Account
from backup_rules.aws.calls import Calls
from backup_rules.aws.memory import gaps_noticed
from backup_rules.errors import BackupRulesError
from backup_rules.plans.plans import PlanSummary
from backup_rules.resources.resource_types import Resource
from backup_rules.selections.picking import SelectionSummary
from backup_rules_cli.answers import picks
from backup_rules_cli.answers.judging import JudgedAccount, Parameters
from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.errors import CommandError, UnknownNameError
from backup_rules_cli.reports import Failure
from backup_rules_cli.sources import Sources
from backup_rules_cli.suggestions import did_you_mean
from backup_rules_cli.targets import side_by_side

_MOST = 20
"""Things of one name that are listed."""


@dataclass(frozen=True)
class Thing:
    """A plan, a selection of a plan, or a resource."""

    judged: JudgedAccount
    plan: PlanSummary | None = None
    selection: SelectionSummary | None = None
    resource: Resource | None = None

    @property
    def kind(self) -> str:
        """In one word."""
        return "resource" if self.resource else "selection" if self.selection else "plan"

    @property
    def name(self) -> str:
        """What a person calls it; a selection with its plan."""
        if self.resource:
            return self.resource.short_name
        plan = self.plan.name if self.plan else ""
        return f"{plan}/{self.selection.name}" if self.selection else plan

    @property
    def id(self) -> str:
        """What tells it from all others in its account and Region."""
        if self.resource:
            return self.resource.arn
        return self.selection.id if self.selection else self.plan.id if self.plan else ""

    @property
    def names(self) -> frozenset[str]:
        """All that it may be called by."""
        if self.resource:
            tag = self.resource.tags.get("Name", "")
            return frozenset(filter(None, (self.resource.arn, self.resource.config_id, self.resource.short_name, tag)))
        if self.selection:
            chosen = self.selection
            return frozenset((chosen.name, chosen.id, f"{chosen.id}_{chosen.plan_id}", self.name))
        return frozenset((self.plan.name, self.plan.id, self.plan.arn)) if self.plan else frozenset()


def judged_accounts(
    sources: Sources, folders: Sequence[RuleFolder], parameters: Parameters
) -> tuple[JudgedAccount, ...]:
    """The accounts and Regions, with nothing judged yet."""
    return tuple(
        JudgedAccount(Account(Calls(each.place, each.clients)), folders, parameters, sources.now, sources.read_from)
        for each in sources.found
    )


@dataclass
class Looking:
    """Accounts and Regions that are looked in, `at_once` of them at the same time.

    `failures` gets what could not be read; `step` is called with each place that is looked in.
    """

    places: Sequence[JudgedAccount]
    failures: list[Failure]
    at_once: int
    step: Callable[[Place], None]

    def things(self, listed: Callable[[JudgedAccount], Iterable[Thing]]) -> list[Thing]:
        """What is listed everywhere, in order."""

        def look(place: JudgedAccount) -> list[Thing]:
            self.step(place.place)
            return read(listed, place, self.failures)

        found = side_by_side(look, self.places, self.at_once)
        return [thing for each in found if not isinstance(each, CommandError) for thing in each]

    @property
    def unread(self) -> str:
        """In how many accounts and Regions nobody could look, as a sentence after a blank; or nothing."""
        failed = {(each.account, each.region) for each in self.failures}
        everywhere = failed | {(each.place.account, each.place.region) for each in self.places}
        return f" In {len(failed)} of {len(everywhere)} accounts and Regions nobody could look." if failed else ""


LISTINGS = 3
"""How often each place is looked in for a name: plans, selections, resources."""


def the_one(name: str, looking: Looking, called: Callable[[Place], str]) -> Thing:
    """The plan of that name, id or ARN; else the selection; else the resource. `called` is how a place is called.

    Raises:
        UnknownNameError: there is none; with the nearest name.
        CommandError: there are several.
    """
    known: set[str] = set()
    for listed in (plans, _selections, _resources):
        things = looking.things(listed)
        matching = [each for each in things if name in each.names]
        if len(matching) > 1:
            raise CommandError(_which(name, matching, called))
        if matching:
            return matching[0]
        known |= {each.name for each in things}
    raise UnknownNameError(
        f"There is no plan, selection or resource {name!r} here.{did_you_mean(name, sorted(known))}{looking.unread}"
        " Without a name, explain lists the plans."
    )


def _which(name: str, things: Sequence[Thing], called: Callable[[Place], str]) -> str:
    lines = [f"  {each.kind} {each.name}  {called(each.judged.place)}  {each.id}" for each in things[:_MOST]]
    more = [f"  and {len(things) - _MOST} more"] if len(things) > _MOST else []
    head = f"There are {len(things)} things called {name!r}; take the id, or narrow with --account and --region:"
    return "\n".join((head, *lines, *more))


def read(
    listed: Callable[[JudgedAccount], Iterable[Thing]], place: JudgedAccount, failures: list[Failure]
) -> list[Thing]:
    """What can be listed there; what cannot be is a failure."""
    where = place.place.account, place.place.region
    found: list[Thing] = []
    errors: list[BackupRulesError] = []
    with gaps_noticed() as gaps:
        try:
            found = list(listed(place))
        except BackupRulesError as error:
            errors.append(error)
    told = dict.fromkeys(map(str, (*errors, *gaps.values())))
    failures += [Failure("(listing)", *where, text) for text in told if text not in {each.error for each in failures}]
    return found


def plans(judged: JudgedAccount) -> Iterator[Thing]:
    """The plans of the account and Region."""
    yield from (Thing(judged, each) for each in backup.plan_summaries(judged.account))


def _selections(judged: JudgedAccount) -> Iterator[Thing]:
    by_id = {each.id: each for each in backup.plan_summaries(judged.account)}
    for each in backup.selections_of(judged.account, by_id.values()):
        yield Thing(judged, by_id[each.plan_id], each)


def _resources(judged: JudgedAccount) -> Iterator[Thing]:
    yield from (Thing(judged, resource=each) for each in picks.candidates(judged.account))

"""All that is known of a plan, of a selection, or of a resource."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from backup_rules.arns import Place
from backup_rules.aws import backup
from backup_rules.aws.memory import gaps_noticed
from backup_rules.errors import BackupRulesError, ReadError
from backup_rules.evaluation.subjects import account_subject, plan_subject, resource_subject, selection_subject
from backup_rules.plans.plans import Plan, PlanSummary
from backup_rules.resources.resource_types import Resource
from backup_rules.selections.picking import SelectionSummary
from backup_rules_cli.answers import fixes, picks, runs
from backup_rules_cli.answers.conditions import Condition, Finding, State, Subjects, condition
from backup_rules_cli.answers.judging import SYMPTOM, JudgedAccount, in_order
from backup_rules_cli.answers.picks import Missed, Pick
from backup_rules_cli.answers.runs import NextRun, PastRun
from backup_rules_cli.catalogue import RuleFolder

T = TypeVar("T")
E = TypeVar("E")


@dataclass(frozen=True)
class PlanAnswer:
    """A plan, or of it one selection. `unread` is what could not be read beside the conditions.

    `plan` is None where the plan's rules could not be read; `never_again` are backup rules without a coming run, and
    why.
    """

    place: Place
    summary: PlanSummary
    selection: SelectionSummary | None
    plan: Plan | None
    selections: tuple[SelectionSummary, ...]
    conditions: tuple[Condition, ...]
    next_runs: tuple[NextRun, ...]
    past_runs: tuple[PastRun, ...]
    picks: tuple[Pick, ...]
    missed: tuple[Missed, ...]
    never_again: tuple[tuple[str, str], ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """The worst of its conditions; unknown where something could not be read."""
        return worst((each.left for each in self.conditions), self.unread)

    @property
    def unknown(self) -> bool:
        """Whether something could not be read."""
        return bool(self.unread) or any(map(_unsure, self.conditions))

    @property
    def next_run(self) -> datetime | None:
        """The first coming run that makes a backup, in UTC; None: none is known."""
        return next((each.at for each in self.next_runs if each.swallowed_by is None), None)

    @property
    def excluded(self) -> tuple[Finding, ...]:
        """What is broken, known, and left alone."""
        return tuple(each for condition in self.conditions for each in condition.findings if each.excluded is not None)

    @property
    def rules_excluded(self) -> tuple[str, ...]:
        """The rules whose conditions would be broken, were it not for what is excluded."""
        return tuple(each.rule for each in self.conditions if each.excluded)

    def rules(self, state: State) -> tuple[str, ...]:
        """The rules whose conditions are in that state, what is excluded left out; the symptom after its causes."""
        found = [each.rule for each in self.conditions if each.left is state]
        return tuple(sorted(found, key=lambda rule: rule == SYMPTOM))


@dataclass(frozen=True)
class ResourceAnswer:
    """A resource: by which selections it is picked, by which narrowly missed, and what the rules say of it.

    `commands` make it one that is picked, where it is missed.
    """

    place: Place
    resource: Resource
    conditions: tuple[Condition, ...]
    picks: tuple[Pick, ...]
    missed: tuple[Missed, ...]
    commands: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """The worst of its conditions; broken as well where selections miss it narrowly and none picks it."""
        return worst((*(each.left for each in self.conditions), *(State.BROKEN for _ in self.missed)), self.unread)

    def state_with(self, plans: Iterable[PlanAnswer]) -> State:
        """The worst of it and of the plans that pick it."""
        return worst((self.state, *(each.state for each in plans)))

    @property
    def unknown(self) -> bool:
        """Whether something could not be read."""
        return bool(self.unread) or any(map(_unsure, self.conditions))


def _unsure(condition: Condition) -> bool:
    return any(each.state is State.UNKNOWN for each in condition.findings)


def worst(states: Iterable[State], unread: tuple[str, ...] = ()) -> State:
    """What these come to together."""
    found = {*states, *((State.UNKNOWN,) if unread else ())} - {State.NOT_CONCERNED}
    return next((each for each in State if each in found), State.HOLDS)


def plan_answers(judged: JudgedAccount) -> tuple[PlanAnswer, ...]:
    """All plans of the account and Region, in the order in which AWS Backup lists them.

    Raises:
        ReadError: they cannot be listed.
    """
    return tuple(plan_answer(judged, each) for each in backup.plan_summaries(judged.account))


def plan_answer(judged: JudgedAccount, summary: PlanSummary, only: SelectionSummary | None = None) -> PlanAnswer:
    """What is known of the plan, or of this one selection of it."""
    account, reader = judged.account, _Reader()
    plan = reader.read(lambda: backup.plan(account, summary), None)
    listed = reader.read(lambda: backup.selection_summaries(account, summary), ())
    selections = tuple(each for each in listed if only is None or each.id == only.id)
    for selection in selections:
        reader.read(partial(backup.selection, account, selection), None)
    picked = reader.read(lambda: _picked(judged, selections), ())
    unread = reader.errors[0] if reader.errors else None
    about = _subjects(judged, summary, selections, picked, unread)
    conditions = tuple(condition(judged, each, about, partial(fixes.commands, judged)) for each in _folders(judged))
    return PlanAnswer(
        place=judged.place,
        summary=summary,
        selection=only,
        plan=plan,
        selections=selections,
        conditions=conditions,
        next_runs=runs.next_runs(plan, judged.now) if plan else (),
        past_runs=reader.read(lambda: runs.past_runs(plan, judged), ()) if plan else (),
        picks=picked,
        never_again=tuple(runs.never_again(plan, judged.now)) if plan else (),
        missed=reader.read(lambda: tuple(picks.missed(judged, selections)), ()),
        unread=reader.told,
    )


def known_resources(judged: JudgedAccount) -> tuple[Resource, ...]:
    """The resources of the account and Region that can be asked about: those that a selection could pick.

    Raises:
        ReadError: they cannot be listed.
    """
    return picks.candidates(judged.account)


def resource_answer(judged: JudgedAccount, resource: Resource) -> ResourceAnswer:
    """What is known of the resource. Rules that say nothing of it are left out."""
    reader = _Reader()
    subject = resource_subject(resource)
    conditions: tuple[Condition, ...] = ()
    if subject is not None:
        about = Subjects({subject.key: resource.short_name})
        found = (condition(judged, each, about, partial(fixes.commands, judged)) for each in _folders(judged))
        conditions = tuple(each for each in found if each.state is not State.NOT_CONCERNED)
    picked = reader.read(lambda: tuple(picks.plans_picking(judged.account, resource)), ())
    missed = reader.read(lambda: tuple(each for each in picks.missed(judged) if each.resource.arn == resource.arn), ())
    # A selection that cannot be read may pick it, too.
    reader.read(lambda: backup.all_selections(judged.account), ())
    commands = tuple(fixes.retagging(missed, judged.place))
    return ResourceAnswer(judged.place, resource, conditions, picked, missed, commands, reader.told)


def _folders(judged: JudgedAccount) -> list[RuleFolder]:
    return in_order(judged.folders)


def _picked(judged: JudgedAccount, selections: Iterable[SelectionSummary]) -> tuple[Pick, ...]:
    by_selection = picks.picks(judged.account)
    return tuple(pick for each in selections for pick in by_selection.get(each, ()))


def _subjects(
    judged: JudgedAccount,
    summary: PlanSummary,
    selections: Iterable[SelectionSummary],
    picked: Iterable[Pick],
    unread: ReadError | None,
) -> Subjects:
    """What the plan's conditions are about. Verdicts about the account are about the plans of its backup policy."""
    names = {plan_subject(summary).key: summary.name}
    names |= {selection_subject(each).key: each.name for each in selections}
    if summary.from_organization:
        names[account_subject(judged.place).key] = "this account"
    shared = set()
    for pick in picked:
        subject = resource_subject(pick.resource) if pick.resource else None
        if subject is None or pick.resource is None:
            continue
        names[subject.key] = pick.resource.short_name
        if any(each.selection.plan_id != summary.id for each in picks.plans_picking(judged.account, pick.resource)):
            shared.add(subject.key)
    return Subjects(names, summary.id, shared, unread)


class _Reader:
    """Reads what can be read, and keeps why the rest cannot be."""

    def __init__(self) -> None:
        self.errors: list[ReadError] = []
        self._others: list[str] = []

    def read(self, ask: Callable[[], T], empty: E) -> T | E:
        """What is answered. What cannot be read, or of which a part cannot be, is kept."""
        try:
            with gaps_noticed() as gaps:
                found = ask()
        except ReadError as error:
            self.errors.append(error)
            return empty
        except BackupRulesError as error:
            self._others.append(str(error))
            return empty
        self.errors += gaps.values()
        return found

    @property
    def told(self) -> tuple[str, ...]:
        """Each of them once, in words."""
        return tuple(dict.fromkeys((*map(str, self.errors), *self._others)))

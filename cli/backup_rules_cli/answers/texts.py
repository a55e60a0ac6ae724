"""An explanation in words, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from backup_rules.arns import Place
from backup_rules.plans.jobs import BackupJob
from backup_rules.wording.annotations import name
from backup_rules.wording.quoting import quote_tag
from backup_rules_cli.answers.causes import causes
from backup_rules_cli.answers.conditions import Condition, Finding, State
from backup_rules_cli.answers.picks import Missed, Pick
from backup_rules_cli.answers.plans import PlanAnswer, ResourceAnswer
from backup_rules_cli.answers.runs import RUNS_SHOWN, NextRun, PastRun, in_words
from backup_rules_cli.console import columns_of, indented, titled
from backup_rules_cli.reports import Failure

MARKS = {State.BROKEN: "✘", State.UNKNOWN: "?", State.HOLDS: "✔", State.NOT_CONCERNED: "-"}
_WORDS = {
    State.BROKEN: "broken",
    State.UNKNOWN: "could not look",
    State.HOLDS: "holds",
    State.NOT_CONCERNED: "not concerned",
}
_EXCLUDED = "excluded"
_IN_ORDER = (_WORDS[State.BROKEN], _EXCLUDED, *(word for state, word in _WORDS.items() if state is not State.BROKEN))
_NOTHING = "Nothing of this plan, nor that it picks, is what the rule judges."
_MOST = 10
"""Resources that are listed of each selection; JSON has all."""
_JOBS_SHOWN = 5
_LONGEST_NAME = 30
"""Of a plan in the list, so that a row fits 80 columns."""


def plan_lines(answer: PlanAnswer, where: str, read_from: str, columns: int) -> Iterator[str]:
    """All of a plan, or of one selection of it."""
    selection = answer.selection
    title = f"Selection {selection.name} of plan {answer.summary.name}" if selection else f"Plan {answer.summary.name}"
    yield from _head(title, answer.state, where, columns)
    yield f"Plan id    {answer.summary.id}"
    if selection:
        yield f"Selection  {selection.id}, role {selection.role_arn}"
    yield f"Read from  {read_from}"
    yield ""
    yield from _why(answer, columns)
    yield from _conditions(answer.conditions, columns)
    yield from _next_runs(answer, columns)
    yield from _past_runs(answer.past_runs, columns)
    yield from _picks(answer, columns)
    yield from _missed(answer.missed, columns)
    yield from _unread(answer.unread, columns)


def resource_lines(
    answer: ResourceAnswer, plans: Sequence[PlanAnswer], where: str, read_from: str, columns: int
) -> Iterator[str]:
    """All of a resource."""
    kind = answer.resource.type.singular
    title = f"{kind[:1].upper()}{kind[1:]} {answer.resource.short_name}"
    yield from _head(title, answer.state_with(plans), where, columns)
    yield f"ARN        {answer.resource.arn}"
    yield f"Read from  {read_from}"
    yield ""
    yield from _picked_by(answer, plans, columns)
    yield from _missed(answer.missed, columns, by_selection=True)
    if answer.commands:
        yield "To be picked, by the tags that they ask for"
        yield from _commands(answer.commands)
        yield ""
    if answer.conditions:
        yield from _conditions(answer.conditions, columns)
    yield from _unread(answer.unread, columns)


def list_lines(
    answers: Sequence[PlanAnswer],
    places: Iterable[Place],
    failures: Sequence[Failure],
    called: Callable[[Place], str],
    columns: int,
) -> Iterator[str]:
    """The plans, with state and next run, by account and Region; and the places that have none."""
    for place, group in groupby(answers, key=lambda each: each.place):
        here = list(group)
        counts = Counter(each.state for each in here)
        tally = ", ".join(f"{counts[state]} {_WORDS[state]}" for state in State if counts[state])
        yield from titled(called(place), tally, columns)
        yield from columns_of([_row(each) for each in here])
        yield ""
    yield from _unread([f"{each.where}: {each.error}" for each in failures], columns)
    unread = {(each.account, each.region) for each in failures}
    others = {each for each in places if (each.account, each.region) not in unread} - {each.place for each in answers}
    if others:
        yield from indented(f"No backup plan in {'; '.join(sorted(map(called, others)))}.", columns, 0)
    excluded = sum(len(each.excluded) for each in answers)
    if excluded:
        is_are = "finding is" if excluded == 1 else "findings are"
        yield f"{excluded} {is_are} excluded: explain PLAN tells why."
    if answers:
        yield "backup-rules explain PLAN tells all of one."


def _row(answer: PlanAnswer) -> tuple[str, str, str, str]:
    told = [each.removeprefix("BACKUP_") for each in answer.rules(State.BROKEN) or answer.rules(State.UNKNOWN)]
    more = f" +{len(told) - 1}" if len(told) > 1 else ""
    run = answer.next_run
    return (
        MARKS[answer.state],
        name(answer.summary.name, _LONGEST_NAME),
        f"{run:%Y-%m-%d %H:%M} UTC" if run else "never" if answer.plan else "not known",
        f"{told[0]}{more}" if told else f"{len(answer.excluded)} excluded" if answer.excluded else "",
    )


def _head(title: str, state: State, where: str, columns: int) -> Iterator[str]:
    yield from titled(f"{MARKS[state]} {title}", _WORDS[state], columns)
    yield f"In         {where}"


def _why(answer: PlanAnswer, columns: int) -> Iterator[str]:
    """The symptom, and what is broken that tells why."""
    for each in causes(answer):
        yield "Why"
        yield from indented(each.symptom, columns, 2)
        if each.rules:
            yield "  Broken for this plan, the likeliest first:"
            yield from (f"    ✘ {rule}" for rule in each.rules)
        else:
            yield "  No condition that could tell why is broken. What remains:"
            yield from (line for text in each.remains for line in _bullet(text, columns))
        if each.unknown:
            yield from indented(f"Nobody could look at {', '.join(each.unknown)}: see below.", columns, 2)
        yield ""


def _bullet(text: str, columns: int) -> list[str]:
    first, *more = indented(text, columns, 6)
    return [f"    - {first.strip()}", *more]


def _conditions(conditions: Sequence[Condition], columns: int) -> Iterator[str]:
    counts = Counter(map(_word, conditions))
    told = sorted(counts, key=_IN_ORDER.index)
    yield f"Conditions: {', '.join(f'{counts[word]} {word}' for word in told)}"
    for each in conditions:
        yield from _condition(each, columns)
    yield ""


def _condition(each: Condition, columns: int) -> Iterator[str]:
    yield f"{MARKS[each.state]} {each.rule}  {_word(each)}"
    if each.state is State.NOT_CONCERNED:
        reason = next((finding.text for finding in each.findings if finding.text), _NOTHING)
        yield from indented(reason, columns, 4)
        return
    yield from indented(each.title + ".", columns, 4)
    for finding in each.findings:
        yield from _finding(finding, columns)
    if each.state is State.BROKEN:
        yield from indented(f"Fix: {each.remedy}", columns, 4)
        yield from _commands(each.commands)
    if each.evidence.operations:
        yield from indented(f"Read: {_by_service(each.evidence.operations)}", columns, 4)
    yield f"    Page: {each.page}"


def _word(each: Condition) -> str:
    return _EXCLUDED if each.excluded else _WORDS[each.state]


def _commands(commands: Iterable[str]) -> Iterator[str]:
    """What is typed, whole, so that it can be copied; a person's part is a comment."""
    yield from (f"    {each}" if each.startswith("#") else f"    $ {each}" for each in commands)


def _by_service(operations: Sequence[str]) -> str:
    """`iam:GetRole, SimulatePrincipalPolicy; rds:DescribeDBClusters`: each service once."""
    split = (each.partition(":") for each in operations)
    groups = groupby(split, key=lambda parts: parts[0])
    return "; ".join(f"{service}:{', '.join(name for *_, name in group)}" for service, group in groups)


def _finding(finding: Finding, columns: int) -> Iterator[str]:
    if not finding.text or finding.state is State.NOT_CONCERNED:
        return
    yield from indented(f"{MARKS[finding.state]} {finding.name}: {finding.text}", columns, 4)
    if finding.excluded is not None:
        yield from indented(f"Excluded: {finding.excluded}", columns, 6)


def _next_runs(answer: PlanAnswer, columns: int) -> Iterator[str]:
    yield "Next runs"
    if answer.plan is None:
        yield "  Not known: the plan could not be read."
    for each in answer.next_runs:
        yield from _next_run(each, columns)
    for rule, why in answer.never_again:
        yield from indented(f"Backup rule {rule}: {why}", columns, 2)
    yield ""


def _next_run(each: NextRun, columns: int) -> Iterator[str]:
    utc = f"{_time(each.at)} UTC"
    zone = "" if each.timezone in {"Etc/UTC", "UTC"} else f" = {_time(each.local)} {each.timezone}"
    yield from indented(f"{utc}{zone}  backup rule {each.backup_rule}", columns, 2)
    if each.swallowed_by:
        yield from indented(f"does not run: {each.swallowed_by} overlaps it and is kept longer", columns, 6)
    else:
        yield f"      starts by {_time(each.start_by)}, completes by {_time(each.complete_by)} UTC"


def _past_runs(runs: Sequence[PastRun], columns: int) -> Iterator[str]:
    yield "Last runs"
    if not runs:
        yield "  None was due in the days that are looked at."
    for each in runs[:RUNS_SHOWN]:
        run = each.outcome.run
        jobs = each.outcome.jobs
        counts = Counter(str(job.state) for job in jobs)
        came = ", ".join(f"{number} {state}" for state, number in counts.items()) or "no job of its own"
        told = f"jobs: {came}" if each.started else f"✘ no job was created by {_time(run.window_end)} UTC"
        yield from indented(f"{_time(run.start)} UTC  backup rule {each.backup_rule}: {told}", columns, 2)
        notable = [job for job in jobs if job.state.ended_badly or job.with_issues]
        for job in notable[:_JOBS_SHOWN]:
            yield from _job(job, columns)
        if len(notable) > _JOBS_SHOWN:
            yield f"      and {len(notable) - _JOBS_SHOWN} more"
    if len(runs) > RUNS_SHOWN:
        yield f"  and {len(runs) - RUNS_SHOWN} before"
    yield ""


def _job(job: BackupJob, columns: int) -> Iterator[str]:
    words = in_words(job)
    look_at = f" See {words.look_at}." if words.look_at else ""
    yield from indented(f"{job.state} {job.resource_arn or job.id}: {words.message or 'no message'}", columns, 6)
    yield from indented(f"To do: {words.advice}{look_at}", columns, 8)


def _picks(answer: PlanAnswer, columns: int) -> Iterator[str]:
    by_selection = {each: [pick for pick in answer.picks if pick.selection == each] for each in answer.selections}
    yield "Picks" if by_selection else "Picks nothing: it has no selection"
    for selection, found in by_selection.items():
        seen = sum(each.resource is not None for each in found)
        number = "1 resource" if seen == 1 else f"{seen} resources"
        if seen < len(found):
            number += f", and {len(found) - seen} named that {'was' if len(found) - seen == 1 else 'were'} not seen"
        yield from indented(f"Selection {selection.name} (role {selection.role_arn}): {number}", columns, 2)
        for pick in found[:_MOST]:
            yield from indented(_pick(pick), columns, 6)
        if len(found) > _MOST:
            yield f"      and {len(found) - _MOST} more: --format json lists all"
    yield ""


def _pick(pick: Pick) -> str:
    by = ", ".join(each.describe() for each in pick.elements)
    if pick.resource is None:
        return f"{by}: named, and not seen among what is tagged or recorded"
    return f"{pick.resource.type.singular} {pick.resource.short_name}, by {by}"


def _picked_by(answer: ResourceAnswer, plans: Sequence[PlanAnswer], columns: int) -> Iterator[str]:
    yield "Picked by" if answer.picks else "Picked by no selection of any plan."
    states = {each.summary.id: each for each in plans}
    for pick in answer.picks:
        plan = states.get(pick.selection.plan_id)
        mark = MARKS[plan.state] if plan else "?"
        by = ", ".join(each.describe() for each in pick.elements)
        yield from indented(
            f"{mark} plan {pick.selection.plan_name}, selection {pick.selection.name}, by {by}", columns, 2
        )
        broken = plan.rules(State.BROKEN) if plan else ()
        if broken:
            yield from indented(f"broken: {', '.join(broken)}", columns, 6)
        if plan and plan.next_run:
            yield f"      next run {_time(plan.next_run)} UTC"
    yield ""


def _missed(missed: Iterable[Missed], columns: int, *, by_selection: bool = False) -> Iterator[str]:
    found = list(missed)
    if not found:
        return
    yield "Narrowly missed by" if by_selection else "Narrowly missed"
    for each in found[:_MOST]:
        asks = f"selection {each.selection.name} of plan {each.selection.plan_name} asks for {each.miss.wanted}"
        who = asks if by_selection else f"{each.resource.type.singular} {each.resource.short_name}"
        has = f"it carries {_tag(each)}"
        told = f"{who}: {has}" if by_selection else f"{who} carries {_tag(each)}: {asks}"
        yield from indented(f"{told} ({each.rule})", columns, 2)
    if len(found) > _MOST:
        yield f"  and {len(found) - _MOST} more: --format json lists all"
    yield ""


def _tag(each: Missed) -> str:
    return quote_tag(each.miss.key, each.miss.value)


def _unread(unread: Sequence[str], columns: int) -> Iterator[str]:
    if unread:
        yield "Could not look"
        for each in unread:
            yield from indented(each, columns, 2)
        yield ""


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"

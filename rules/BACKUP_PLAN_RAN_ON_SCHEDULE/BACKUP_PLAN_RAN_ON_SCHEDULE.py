"""Every due run of a backup plan started its jobs inside its start window, and those of the latest run went well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from backup_rules.aws import backup
from backup_rules.aws.memory import note_gap, remembered
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import RuleParameters, parameter, whole_number
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject
from backup_rules.plans.job_messages import cause_of, reason, rules_without_jobs
from backup_rules.plans.jobs import JobLog, JobState, RunOutcome
from backup_rules.plans.plans import BackupRule, Plan, PlanSummary
from backup_rules.plans.words import called
from backup_rules.schedules.schedules import ScheduleError
from backup_rules.shared_rules import plan_runs
from backup_rules.wording.annotations import NAMES, name
from backup_rules.wording.findings import Finding, NotApplicable, Note, Problem


@dataclass(frozen=True)
class Parameters(RuleParameters):
    """`lookback_days`: runs whose start window closed in these last days are looked at."""

    lookback_days: int = parameter(whole_number(1, 29), default=3)

    @property
    def lookback(self) -> timedelta:
        return timedelta(days=self.lookback_days)


class BACKUP_PLAN_RAN_ON_SCHEDULE(BackupConfigRule[Parameters, PlanSummary]):
    """Verdicts are about plans: the symptom, with the rule of this pack that tells its cause."""

    parameters_type = Parameters

    def subjects(self, invocation: Invocation[Parameters]) -> Iterable[Subject[PlanSummary]]:
        plans = invocation.plans()
        summaries = [subject.of for subject in plans]
        invocation.account.side_by_side(backup.plan, summaries)
        invocation.account.side_by_side(backup.selection_summaries, summaries)
        if plans:
            _job_log(invocation)
        return plans

    def findings(self, subject: Subject[PlanSummary], invocation: Invocation[Parameters]) -> Iterator[Finding]:
        plan = backup.plan(invocation.account, subject.of)
        lookback = invocation.parameters.lookback
        in_force_since = plan_runs.in_force_since(invocation.account, plan)
        judged, unreadable = False, list[str]()
        for rule in plan.rules:
            try:
                outcomes = plan_runs.outcomes(
                    rule, plan, in_force_since, _job_log(invocation), now=invocation.now, lookback=lookback
                )
            except ScheduleError:
                unreadable.append(
                    f"Backup rule {name(rule.name)} of plan {name(plan.name)} has a schedule that cannot be read: see"
                    " BACKUP_WINDOW_CONFIGURED."
                )
                continue
            judged = judged or bool(outcomes)
            # How many jobs a continuous backup makes, AWS does not say: one at all, in the time that is looked at.
            if not (rule.continuous and _job_log(invocation).has_any(plan.id, rule.id)):
                yield from _not_started(rule, plan, outcomes)
            yield from _ended_badly(rule, plan, outcomes)
            yield from _ended_with_issues(rule, plan, outcomes)
            _check_states(outcomes, invocation)
        if judged:
            yield from (Note(text) for text in unreadable)
        else:
            yield NotApplicable(
                unreadable[0] if unreadable else _no_run_due(plan, in_force_since, invocation.parameters)
            )


def _no_run_due(plan: Plan, in_force_since: datetime, parameters: Parameters) -> str:
    last_days = "24 hours" if parameters.lookback_days == 1 else f"{parameters.lookback_days} days"
    return (
        f"No run of plan {name(plan.name)} since {_time(in_force_since)} was due with a start window that closed in the"
        f" last {last_days}."
    )


@remembered
def _job_log(invocation: Invocation[Parameters]) -> JobLog:
    summaries = [subject.of for subject in invocation.plans()]
    return plan_runs.job_log(invocation.account, summaries, invocation.now, invocation.parameters.lookback)


def _not_started(rule: BackupRule, plan: Plan, outcomes: Sequence[RunOutcome]) -> Iterator[Problem]:
    missed = [outcome.run for outcome in outcomes if not outcome.started]
    if missed:
        earlier = f" (nor did {len(missed) - 1} before it)" if len(missed) > 1 else ""
        run, look_at = missed[-1], rules_without_jobs(plan.summary)
        by = _time(run.window_end)
        told = f"started no job by {by}{earlier}."
        long, medium = (
            f"Backup rule {called(rule, plan, shown)}: the run of {_time(run.start)} {told}" for shown in NAMES[:2]
        )
        short = f"{called(rule, plan, (20, 50))}: no job by {by}{earlier}."
        shortest = f"{called(rule, plan, (10, 50))}: no job by {by}."
        named = f"Look at {', '.join(look_at)}."
        abbreviated = f"Look at BACKUP_… {', '.join(each.removeprefix('BACKUP_') for each in look_at)}."
        wordings = [(medium, named), (short, named), (shortest, named), (short, abbreviated), (shortest, abbreviated)]
        wordings.append((f"{called(rule, plan, (10, 10))}: no job by {by}.", abbreviated))
        yield Problem(long, named, tuple(wordings), rests_on_absence=True)


def _ended_badly(rule: BackupRule, plan: Plan, outcomes: Sequence[RunOutcome]) -> Iterator[Problem]:
    """The jobs of the latest run that came to a bad end."""
    bad = outcomes[-1].ended_badly if outcomes else ()
    if not bad:
        return
    states = " or ".join(dict.fromkeys(str(job.state) for job in bad))
    told = next((job for job in bad if job.message), bad[0])
    cause = cause_of(told)
    look_at = f" See {cause.look_at}." if cause.look_at else ""
    message = " ".join(told.message.split()) or "no message"
    if not message.endswith((".", "!", "?")):
        message += "."
    ended = f"{_how_many(len(bad), len(outcomes[-1].jobs))} ended {states}"
    words = (
        f"Backup rule {called(rule, plan, shown)}, run of {_time(outcomes[-1].run.start)}: {ended}: {told_so}"
        for told_so, shown in (*product((message, reason(message)), NAMES[:3]), *product((reason(message),), NAMES[3:]))
    )
    yield Problem.worded(words, f"{cause.advice}{look_at}")


def _ended_with_issues(rule: BackupRule, plan: Plan, outcomes: Sequence[RunOutcome]) -> Iterator[Note]:
    """The jobs of the latest run that made a backup, and complain."""
    complaining = outcomes[-1].with_issues if outcomes else ()
    if complaining:
        number = "1 job" if len(complaining) == 1 else f"{len(complaining)} jobs"
        message = next((job.message for job in complaining if job.message), str(complaining[0].message_category))
        who = f"Backup rule {called(rule, plan, NAMES[1])}"
        yield Note(
            f"{who}: {number} of the run of {_time(outcomes[-1].run.start)} completed with issues:"
            f" {' '.join(message.split())}"
        )


def _check_states(outcomes: Sequence[RunOutcome], invocation: Invocation[Parameters]) -> None:
    """A job in a state that the rules do not know may have ended badly: what is found beside it stands, no more."""
    strange = next((job for each in outcomes for job in each.jobs if job.state is JobState.UNKNOWN), None)
    if strange is not None:
        calls = invocation.account.calls
        note_gap(calls.malformed("backup", "ListBackupJobs", f" for job {strange.id}", ValueError(str(strange.state))))


def _how_many(bad: int, jobs: int) -> str:
    if bad < jobs:
        return f"{bad} of {jobs} jobs"
    return {1: "its only job", 2: "both jobs"}.get(bad, f"all {bad} jobs")


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_PLAN_RAN_ON_SCHEDULE()).handle(event, context)

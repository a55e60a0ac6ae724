"""The causes of a plan's silence, joined with the symptom: what tells why no job came, or why one failed.

Which rules can tell it, `plans.job_messages` says, by the plan and by AWS's words; here they meet what they found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backup_rules.plans.job_messages import rules_without_jobs
from backup_rules_cli.answers.conditions import Condition, State
from backup_rules_cli.answers.judging import SYMPTOM
from backup_rules_cli.answers.plans import PlanAnswer
from backup_rules_cli.answers.runs import PastRun, in_words

_WHAT_REMAINS = (
    "What was broken when the run was due and is mended now: see AWS CloudTrail, and AWS Config's history.",
    "Resources that came, or were tagged, after the run.",
    "A policy of the organization or an event of AWS Health that kept AWS Backup from starting jobs in this Region.",
)


@dataclass(frozen=True)
class Causes:
    """A symptom in words; the broken rules that tell why, the likeliest first; those that could not be looked at.

    `remains` is what is left where no rule tells it.
    """

    symptom: str
    rules: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    remains: tuple[str, ...] = ()


def causes(answer: PlanAnswer) -> tuple[Causes, ...]:
    """Why the runs of the plan did not go well: first where no job came, then where jobs ended badly."""
    conditions = {each.rule: each for each in answer.conditions}
    symptom = conditions.get(SYMPTOM)
    if symptom is None or symptom.state is not State.BROKEN:
        return ()
    return tuple(_causes(answer, conditions))


def _causes(answer: PlanAnswer, conditions: dict[str, Condition]) -> Iterator[Causes]:
    silent = next((each.outcome.run for each in answer.past_runs if not each.started), None)
    if silent is not None:
        told = f"The run of {silent.start:%Y-%m-%d %H:%M} UTC started no job by {silent.window_end:%Y-%m-%d %H:%M} UTC."
        yield _joined(told, rules_without_jobs(answer.summary), conditions, _WHAT_REMAINS)
    for run in _latest(answer.past_runs):
        failed = run.outcome.ended_badly
        if failed:
            words = [in_words(job) for job in failed]
            number = "1 job" if len(failed) == 1 else f"{len(failed)} jobs"
            yield _joined(
                f"{number} of the run of {run.outcome.run.start:%Y-%m-%d %H:%M} UTC ended badly.",
                dict.fromkeys(each.look_at for each in words if each.look_at),
                conditions,
                tuple(dict.fromkeys(each.advice for each in words)),
            )


def _joined(symptom: str, rules: Iterable[str], conditions: dict[str, Condition], remains: tuple[str, ...]) -> Causes:
    """Of the rules that can tell the cause, those that found something, in their order."""
    asked = [conditions[each] for each in rules if each in conditions]
    broken = tuple(each.rule for each in asked if each.state is State.BROKEN)
    unknown = tuple(each.rule for each in asked if each.state is State.UNKNOWN)
    return Causes(symptom, broken, unknown, () if broken else remains)


def _latest(runs: Iterable[PastRun]) -> Iterator[PastRun]:
    """The latest run of each backup rule; they come the latest first."""
    yield from {each.backup_rule: each for each in reversed(tuple(runs))}.values()

"""The runs that were due, for a picture: what came of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from backup_rules.plans.jobs import JobState
from backup_rules_cli.answers.plans import PlanAnswer
from backup_rules_cli.answers.runs import PastRun, in_words

MOST = 48
"""Runs that are shown of each backup rule, the latest ones."""

MARKS = {"silent": "∅", "failed": "✘", "issues": "!", "running": "…", "done": "✔", "shared": "≡"}
WORDS = {
    "silent": "no job",
    "failed": "a job failed",
    "issues": "done, with issues",
    "running": "still running",
    "done": "all jobs done",
    "shared": "jobs of a later run",
}


@dataclass(frozen=True)
class Outcome:
    """A run that was due. `kind` is a key of `MARKS`; `message` is AWS's, with what it means."""

    kind: str
    at: datetime
    told: str
    message: str

    @property
    def mark(self) -> str:
        return MARKS[self.kind]


@dataclass(frozen=True)
class Behind:
    """The runs of a backup rule, the earliest first; `before` are earlier ones that are not shown."""

    backup_rule: str
    outcomes: tuple[Outcome, ...]
    before: int

    @property
    def silent(self) -> int:
        return sum(each.kind == "silent" for each in self.outcomes)


def behind(answer: PlanAnswer) -> tuple[Behind, ...]:
    """By backup rule, in the order of the plan."""
    by_rule: dict[str, list[PastRun]] = {}
    for each in answer.past_runs:  # the latest first
        by_rule.setdefault(each.backup_rule, []).append(each)
    order = [rule.name for rule in answer.plan.rules] if answer.plan else list(by_rule)
    return tuple(_rule(name, by_rule[name]) for name in dict.fromkeys(order) if name in by_rule)


def _rule(name: str, runs: Sequence[PastRun]) -> Behind:
    return Behind(name, tuple(_outcome(each) for each in reversed(runs[:MOST])), max(0, len(runs) - MOST))


def _outcome(run: PastRun) -> Outcome:
    outcome = run.outcome
    counts = Counter(str(job.state) for job in outcome.jobs)
    told = ", ".join(f"{number} {state}" for state, number in counts.items())
    kind = _kind(run)
    if kind == "silent":
        told = f"no job by {outcome.run.window_end:%Y-%m-%d %H:%M} UTC"
    notable = next((job for job in (*outcome.ended_badly, *outcome.with_issues)), None)
    message = ""
    if notable is not None:
        words = in_words(notable)
        message = f"{words.message or 'No message.'} {words.advice}".strip()
    return Outcome(kind, outcome.run.start, told or WORDS[kind], message)


def _kind(run: PastRun) -> str:
    outcome = run.outcome
    if not run.started:
        return "silent"
    if outcome.ended_badly:
        return "failed"
    states = {job.state for job in outcome.jobs}
    if not states:
        return "shared"
    if states & {JobState.CREATED, JobState.PENDING, JobState.RUNNING, JobState.ABORTING, JobState.UNKNOWN}:
        return "running"
    return "issues" if outcome.with_issues or JobState.PARTIAL in states else "done"

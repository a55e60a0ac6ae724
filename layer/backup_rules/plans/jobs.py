"""Backup jobs: whether the runs of a backup rule started theirs, and why jobs did not end well.

A *run* is one scheduled start of a backup rule, with the start window that it opens. A run is looked at once its
window has closed: until then its jobs may still be `CREATED` or `PENDING`, and new ones may appear. Jobs are joined to
a run by plan, backup rule and creation. The id of a backup rule is compared as it stands: runs from before the plan's
last update, whose jobs might carry the ids of an older version, are not expected at all.

Nested jobs (of a CloudFormation stack, say) count with their parent; only where the parent itself ended well enough
(`PARTIAL`) do those of its children that failed count one by one. A `PARTIAL` or `COMPLETED` job is a backup, with or
without issues, and no failure.

Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupJob.html,
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_RecoveryPointCreator.html and
https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import zip_longest
from typing import Self

from backup_rules.plans.plans import BackupRule
from backup_rules.values import dataclass

# AWS keeps jobs for 30 days: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListBackupJobs.html
JOBS_KEPT = timedelta(days=30)

SUCCESS = "SUCCESS"


class JobState(StrEnum):
    """The states of a backup job."""

    CREATED = "CREATED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    ABORTING = "ABORTING"
    ABORTED = "ABORTED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    PARTIAL = "PARTIAL"
    UNKNOWN = "a state that the rules do not know"

    @property
    def ended_badly(self) -> bool:
        """Whether a job in this state has ended without a backup."""
        return self in (JobState.ABORTED, JobState.FAILED, JobState.EXPIRED)


@dataclass(frozen=True, slots=True)
class BackupJob:
    """A job as `ListBackupJobs` tells of it; times are in UTC. Jobs that a person started carry no plan."""

    id: str
    state: JobState
    created: datetime
    plan_id: str | None = None
    rule_id: str | None = None
    plan_version: str | None = None
    start_by: datetime | None = None
    status_message: str | None = None
    message_category: str | None = None
    resource_arn: str | None = None
    resource_type: str | None = None
    backup_type: str | None = None
    is_parent: bool = False
    parent_job_id: str | None = None

    @property
    def message(self) -> str:
        """The status message without the quotes that AWS puts around some."""
        return (self.status_message or "").strip().strip('"').strip()

    @property
    def nested_in(self) -> str | None:
        """The id of the job that this one is part of; a parent is part of none, were it even to name itself."""
        return None if self.parent_job_id == self.id else self.parent_job_id

    @property
    def with_issues(self) -> bool:
        """Whether the job is what the console calls "Completed with issues"."""
        return self.state is JobState.COMPLETED and self.message_category not in (None, SUCCESS)


@dataclass(frozen=True, slots=True)
class Run:
    """A scheduled start and the end of its start window. `next_start` is the backup rule's following start, if known:
    from then on, jobs are that run's.
    """

    start: datetime
    window_end: datetime
    next_start: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What came of a run: its jobs in the order of their creation, nested ones among them.

    `started` tells whether any job was created inside the start window, be it on behalf of a later run.
    """

    run: Run
    started: bool
    jobs: tuple[BackupJob, ...]

    @property
    def ended_badly(self) -> tuple[BackupJob, ...]:
        """The jobs that ended EXPIRED, FAILED or ABORTED; a child does not count beside its parent."""
        bad = [job for job in self.jobs if job.state.ended_badly]
        ids = {job.id for job in bad}
        return tuple(job for job in bad if job.nested_in not in ids)

    @property
    def with_issues(self) -> tuple[BackupJob, ...]:
        """The jobs that made a backup and complain nevertheless."""
        return tuple(job for job in self.jobs if job.with_issues)


@dataclass(frozen=True, slots=True)
class JobLog:
    """All jobs of a listing, found by plan and backup rule: one listing serves every plan.

    A nested job goes with its parent, whenever it was created; without its parent it stands for itself.
    """

    _by_rule: Mapping[tuple[str, str], tuple[BackupJob, ...]]
    _children: Mapping[str, tuple[BackupJob, ...]]

    @classmethod
    def of(cls, jobs: Iterable[BackupJob]) -> Self:
        by_rule: defaultdict[tuple[str, str], list[BackupJob]] = defaultdict(list)
        children: defaultdict[str, list[BackupJob]] = defaultdict(list)
        ordered = sorted(jobs, key=_by_creation)
        known = {job.id for job in ordered}
        for job in ordered:
            if job.nested_in in known:
                children[job.nested_in].append(job)
            elif job.plan_id is not None and job.rule_id is not None:
                by_rule[job.plan_id, job.rule_id].append(job)
        return cls(
            {key: tuple(found) for key, found in by_rule.items()},
            {key: tuple(found) for key, found in children.items()},
        )

    def has_any(self, plan_id: str, rule_id: str) -> bool:
        """Whether the backup rule has had any job."""
        return (plan_id, rule_id) in self._by_rule

    def outcomes(self, plan_id: str, rule_id: str, runs: Iterable[Run]) -> tuple[RunOutcome, ...]:
        """What came of each run of a backup rule, in the order of `runs`."""
        jobs = self._by_rule.get((plan_id, rule_id), ())
        created = [job.created for job in jobs]
        return tuple(self._outcome(run, jobs, created) for run in runs)

    def _outcome(self, run: Run, jobs: Sequence[BackupJob], created: Sequence[datetime]) -> RunOutcome:
        first, end = bisect_left(created, run.start), bisect_right(created, run.window_end)
        own_end = end if run.next_start is None else min(end, bisect_left(created, run.next_start))
        return RunOutcome(run, started=first < end, jobs=self._with_children(jobs[first:own_end]))

    def _with_children(self, jobs: Sequence[BackupJob]) -> tuple[BackupJob, ...]:
        found = {job.id: job for job in jobs}
        waiting = list(jobs)
        while waiting:
            for child in self._children.get(waiting.pop().id, ()):
                if child.id not in found:
                    found[child.id] = child
                    waiting.append(child)
        return tuple(sorted(found.values(), key=_by_creation))


def expected_runs(  # noqa: PLR0913 - each is a reason of its own why a run is not expected
    rule: BackupRule,
    starts: Iterable[datetime],
    *,
    now: datetime,
    last_update: datetime,
    lookback: timedelta,
    swallowed: Collection[datetime] = (),
) -> tuple[Run, ...]:
    """The runs that must have started jobs: those whose start window closed in the time that is looked back on.

    A run is not expected when it starts before or with the plan's last update, when a longer-retained backup rule
    swallows it, or when it began so long ago that AWS may have dropped its jobs. Counting from the end of the window
    makes each run judged once it can be, however long its window.

    Args:
        rule: the backup rule, for its start window.
        starts: its scheduled starts in UTC, from `earliest_start` to `now`, in any order.
        now: the instant of the evaluation.
        last_update: the plan's last update; pass the creation of its oldest selection where that came later.
        lookback: how far to look back.
        swallowed: those of the starts that a longer-retained backup rule of the plan swallows.
    """
    window = timedelta(minutes=rule.start_window_minutes)
    ordered = sorted(set(starts))
    return tuple(
        Run(start, start + window, next_start)
        for start, next_start in zip_longest(ordered, ordered[1:])
        if now - lookback < start + window <= now
        and start > last_update
        and start >= now - JOBS_KEPT
        and start not in swallowed
    )


def earliest_start(rules: Iterable[BackupRule], *, now: datetime, lookback: timedelta) -> datetime:
    """The first instant at which a run that may be expected could have started: what to list schedules and jobs from.

    Never more than 30 days ago, since AWS keeps jobs no longer.
    """
    longest = max((timedelta(minutes=rule.start_window_minutes) for rule in rules), default=timedelta())
    return max(now - JOBS_KEPT, now - lookback - longest)


def _by_creation(job: BackupJob) -> tuple[datetime, str]:
    return job.created, job.id

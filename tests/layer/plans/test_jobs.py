"""Runs and jobs: which runs were due, whether they started jobs, and how those ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_rules.plans.jobs import BackupJob, JobLog, JobState, Run, RunOutcome, earliest_start, expected_runs
from backup_rules.plans.plans import BackupRule

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
THREE_DAYS = timedelta(days=3)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

FIVE = [datetime(2026, 11, day, 5, 0, tzinfo=UTC) for day in range(15, 24)]  # daily at 05:00, the 15th to the 23rd


def rule(start_window_minutes: int = 480, **changes: Any) -> BackupRule:
    return BackupRule("rule-1", "daily", "Default", start_window_minutes=start_window_minutes, **changes)


def expected(rule: BackupRule, starts: list[datetime], **changes: Any) -> list[datetime]:
    arguments: dict[str, Any] = {"now": NOW, "last_update": LONG_AGO, "lookback": THREE_DAYS}
    return [run.start for run in expected_runs(rule, starts, **(arguments | changes))]


def job(id: str, state: JobState = JobState.COMPLETED, created: datetime = FIVE[-2], **changes: Any) -> BackupJob:  # noqa: A002 - AWS's word
    return BackupJob(id, state, created, **({"plan_id": "plan-1", "rule_id": "rule-1"} | changes))


def run(start: datetime = FIVE[-2], minutes: int = 480, next_start: datetime | None = None) -> Run:
    return Run(start, start + timedelta(minutes=minutes), next_start)


def outcome(*jobs: BackupJob, of: Run | None = None) -> RunOutcome:
    (found,) = JobLog.of(jobs).outcomes("plan-1", "rule-1", [of or run()])
    return found


# Which runs are expected


def test_runs_whose_window_closed_in_the_lookback_are_expected() -> None:
    # Windows close at 13:00: that of the 23rd is open at noon, that of the 20th closed within three days.
    assert expected(rule(), FIVE) == [datetime(2026, 11, day, 5, 0, tzinfo=UTC) for day in (20, 21, 22)]


def test_a_run_is_expected_from_the_end_of_its_window_on() -> None:
    start = NOW - HOUR
    assert expected(rule(60), [start], now=NOW) == [start]
    assert expected(rule(60), [start], now=NOW - timedelta(seconds=1)) == []


def test_a_daily_run_is_judged_with_a_lookback_of_one_day_at_any_hour() -> None:
    for hour in range(24):
        now = NOW.replace(hour=hour)
        assert len(expected(rule(), FIVE, now=now, lookback=timedelta(days=1))) == 1, now


def test_a_window_longer_than_the_lookback_is_judged_once_it_has_closed() -> None:
    week = 7 * 24 * 60
    assert expected(rule(week), FIVE, lookback=timedelta(days=1)) == [datetime(2026, 11, 16, 5, 0, tzinfo=UTC)]


def test_runs_before_the_plans_last_update_are_not_expected() -> None:
    assert expected(rule(), FIVE, last_update=FIVE[-2] - MINUTE) == [FIVE[-2]]
    assert expected(rule(), FIVE, last_update=FIVE[-2]) == []
    assert expected(rule(), FIVE, last_update=FIVE[-2] + MINUTE) == []


def test_swallowed_runs_are_not_expected() -> None:
    assert expected(rule(), FIVE, swallowed={FIVE[-3]}) == [FIVE[-4], FIVE[-2]]


def test_continuous_rules_have_runs_as_any_other() -> None:
    assert expected(rule(continuous=True), FIVE) == expected(rule(), FIVE) != []


def test_runs_of_which_aws_may_have_dropped_the_jobs_are_not_expected() -> None:
    kept, dropped = NOW - timedelta(days=30), NOW - timedelta(days=30, minutes=1)
    window = 20 * 24 * 60
    assert expected(rule(window), [dropped, kept], lookback=timedelta(days=29)) == [kept]


def test_runs_know_the_start_that_follows_though_it_is_not_expected() -> None:
    runs = expected_runs(
        rule(60), [NOW - HOUR, NOW, NOW - 2 * HOUR], now=NOW, last_update=LONG_AGO, lookback=THREE_DAYS
    )
    assert [(each.start, each.next_start) for each in runs] == [
        (NOW - 2 * HOUR, NOW - HOUR),
        (NOW - HOUR, NOW),
    ]


@pytest.mark.parametrize(
    ("windows", "days", "earliest"),
    [
        ([480], 3, NOW - timedelta(days=3, hours=8)),
        ([60, 2880], 1, NOW - timedelta(days=3)),
        ([2880], 29, NOW - timedelta(days=30)),
        ([], 3, NOW - timedelta(days=3)),
    ],
)
def test_earliest_start(windows: list[int], days: int, earliest: datetime) -> None:
    assert earliest_start(map(rule, windows), now=NOW, lookback=timedelta(days=days)) == earliest


@settings(max_examples=100)
@given(
    st.lists(st.integers(0, 40 * 24 * 60), max_size=30),
    st.integers(60, 40 * 24 * 60),
    st.integers(1, 29),
    st.integers(0, 40 * 24 * 60),
)
def test_no_expected_run_starts_before_the_earliest(minutes: list[int], window: int, days: int, updated: int) -> None:
    starts = [NOW - minute * MINUTE for minute in minutes]
    lookback, last_update = timedelta(days=days), NOW - updated * MINUTE
    found = expected(rule(window), starts, lookback=lookback, last_update=last_update)
    brute = [
        start
        for start in sorted(set(starts))
        if NOW - lookback < start + window * MINUTE <= NOW and last_update < start >= NOW - timedelta(days=30)
    ]
    assert found == brute
    assert all(start >= earliest_start([rule(window)], now=NOW, lookback=lookback) for start in found)


# Whether a run started jobs


@pytest.mark.parametrize(
    ("changes", "started"),
    [
        pytest.param({}, True, id="at the scheduled instant"),
        pytest.param({"created": FIVE[-2] + 8 * HOUR}, True, id="as the window closes"),
        pytest.param({"created": FIVE[-2] + 8 * HOUR + timedelta(seconds=1)}, False, id="after the window"),
        pytest.param({"created": FIVE[-2] - timedelta(seconds=1)}, False, id="before the run"),
        pytest.param({"rule_id": "rule-2"}, False, id="another backup rule"),
        pytest.param({"plan_id": "plan-2"}, False, id="another plan"),
        pytest.param({"plan_id": None, "rule_id": None}, False, id="on demand"),
        pytest.param({"rule_id": None}, False, id="no backup rule"),
        pytest.param({"parent_job_id": "not-listed"}, True, id="a child whose parent is not listed"),
    ],
)
def test_a_run_has_started_when_a_job_of_its_rule_was_created_in_its_window(
    changes: dict[str, Any],
    started: bool,
) -> None:
    assert outcome(job("a", **changes)).started is started


def test_without_jobs_nothing_has_started() -> None:
    assert outcome() == RunOutcome(run(), started=False, jobs=())


@pytest.mark.parametrize("state", list(JobState))
def test_a_job_counts_as_started_whatever_became_of_it(state: JobState) -> None:
    assert outcome(job("a", state)).started


# How the jobs of a run ended


@pytest.mark.parametrize("state", list(JobState))
def test_which_states_are_bad_ends(state: JobState) -> None:
    bad = state in {JobState.EXPIRED, JobState.FAILED, JobState.ABORTED}
    assert bool(outcome(job("a", state)).ended_badly) is bad


def test_jobs_that_ended_badly_come_in_the_order_of_their_creation() -> None:
    found = outcome(
        job("c", JobState.FAILED, FIVE[-2] + 3 * MINUTE, status_message="third"),
        job("b", JobState.FAILED, FIVE[-2] + 2 * MINUTE, status_message='"Backup job was stopped by user."'),
        job("a", JobState.EXPIRED, FIVE[-2] + MINUTE, status_message=" "),
        job("z", JobState.COMPLETED, FIVE[-2], status_message="fine"),
    )
    assert [each.id for each in found.ended_badly] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("parent", "child", "counted"),
    [
        pytest.param(JobState.FAILED, JobState.FAILED, ["parent"], id="both failed: once"),
        pytest.param(JobState.EXPIRED, JobState.FAILED, ["parent"], id="parent expired: once"),
        pytest.param(JobState.PARTIAL, JobState.FAILED, ["child"], id="parent partial: the child"),
        pytest.param(JobState.PARTIAL, JobState.COMPLETED, [], id="partial alone is no failure"),
        pytest.param(JobState.RUNNING, JobState.COMPLETED, [], id="still running"),
    ],
)
@pytest.mark.parametrize("own_plan", [True, False], ids=["child names its plan", "child names no plan"])
def test_children_count_with_their_parent(
    parent: JobState,
    child: JobState,
    counted: list[str],
    own_plan: bool,
) -> None:
    ids = {} if own_plan else {"plan_id": None, "rule_id": None}
    found = outcome(
        job("parent", parent, is_parent=True), job("child", child, FIVE[-2] + HOUR, parent_job_id="parent", **ids)
    )
    assert [each.id for each in found.ended_badly] == counted


def test_a_child_goes_with_its_parents_run_however_late_it_is_created() -> None:
    runs = [run(FIVE[-3], 480, FIVE[-2]), run(FIVE[-2], 480, FIVE[-1])]
    log = JobLog.of(
        [
            job("grandchild", JobState.FAILED, FIVE[-2] + MINUTE, parent_job_id="child"),
            job("child", JobState.PARTIAL, FIVE[-2] + MINUTE, parent_job_id="parent"),
            job("parent", JobState.PARTIAL, FIVE[-3], is_parent=True),
            job("own", JobState.COMPLETED, FIVE[-2]),
        ]
    )
    first, second = log.outcomes("plan-1", "rule-1", runs)
    assert [each.id for each in first.jobs] == ["parent", "child", "grandchild"]
    assert [each.id for each in second.jobs] == ["own"]


def test_a_parent_that_names_itself_is_no_child() -> None:
    found = outcome(job("a", JobState.FAILED, is_parent=True, parent_job_id="a"))
    assert found.started
    assert [each.id for each in found.ended_badly] == ["a"]


def test_jobs_of_the_following_run_are_not_this_runs_though_its_window_is_still_open() -> None:
    hourly = run(FIVE[-2], 480, FIVE[-2] + HOUR)
    found = outcome(
        job("mine", JobState.COMPLETED, FIVE[-2] + MINUTE),
        job("next", JobState.FAILED, FIVE[-2] + HOUR),
        of=hourly,
    )
    assert [each.id for each in found.jobs] == ["mine"]


def test_a_run_counts_as_started_by_any_job_in_its_window() -> None:
    late = outcome(job("next", created=FIVE[-2] + 2 * HOUR), of=run(FIVE[-2], 480, FIVE[-2] + HOUR))
    assert (late.started, late.jobs) == (True, ())


@pytest.mark.parametrize(
    ("state", "category", "issues"),
    [
        (JobState.COMPLETED, "SUCCESS", False),
        (JobState.COMPLETED, None, False),
        (JobState.COMPLETED, "VSS_ERROR", True),
        (JobState.FAILED, "ACCESS_DENIED", False),
    ],
)
def test_completed_with_issues_is_no_failure(state: JobState, category: str | None, issues: bool) -> None:
    found = outcome(job("a", state, message_category=category))
    assert bool(found.with_issues) is issues
    assert bool(found.ended_badly) is (state is JobState.FAILED)


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(st.integers(0, 600), st.sampled_from(["rule-1", "rule-2"]), st.sampled_from(JobState)), max_size=20
    ),
    st.lists(st.integers(0, 500), min_size=1, max_size=6, unique=True).map(sorted),
    st.integers(1, 200),
)
def test_runs_and_jobs_are_joined_as_by_hand(
    made: list[tuple[int, str, JobState]], starts: list[int], window: int
) -> None:
    base = FIVE[0]
    jobs = [
        job(f"{number:02}", state, base + minute * MINUTE, rule_id=rule_id)
        for number, (minute, rule_id, state) in enumerate(made)
    ]
    runs = [
        run(base + start * MINUTE, window, None if after is None else base + after * MINUTE)
        for start, after in zip(starts, [*starts[1:], None], strict=True)
    ]
    for found in JobLog.of(jobs).outcomes("plan-1", "rule-1", runs):
        start, end, after = found.run.start, found.run.window_end, found.run.next_start
        mine = [each for each in jobs if each.rule_id == "rule-1" and start <= each.created <= end]
        assert found.started is bool(mine)
        own = {each.id for each in mine if after is None or each.created < after}
        assert {each.id for each in found.jobs} == own
        assert [each.created for each in found.jobs] == sorted(each.created for each in found.jobs)

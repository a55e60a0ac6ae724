"""The fault matrix: each rule, each AWS operation that it calls, each way in which that can go wrong.

    python -m tests.faults.matrix [--every N] [--rule NAME]

A cell passes by what was put and by the error's text alone; none of the rules' code decides. Exit status 1
on a violation.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from botocore.exceptions import ConnectionClosedError
from moto.core.responses import BaseResponse

from aws_simulator.core import faults
from aws_simulator.core.config import result_token
from aws_simulator.core.faults import Call, failing, recorded_calls
from aws_simulator.core.messages.config_events import scheduled_event
from aws_simulator.core.operations import Answer, page_size
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.invoke import lambda_environment, put_rule
from tests.faults.spoiling import Answered, Operation, Parsed, Spoil, answering, at, fields
from tests.faults.world import BAD, PARAMETERS, TRUTH, World, world
from tests.front_door import CENTRAL, NOW

# "operation field": where AWS documents the field as optional, and its absence tells another truth.
ABSENCE_IS_AN_ANSWER = frozenset(
    {
        # https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html: a selection without tags
        "GetBackupSelection BackupSelection.ListOfTags",
        # https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRule.html: it then starts within 8 hours
        "GetBackupPlan BackupPlan.Rules.StartWindowMinutes",
        # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html and FSx's: optional; the daily
        # window, too, but where automatic backups are on there must be one
        "DescribeDBInstances DBInstances.PreferredMaintenanceWindow",
        "DescribeDBClusters DBClusters.PreferredMaintenanceWindow",
        "DescribeFileSystems FileSystems.WindowsConfiguration.WeeklyMaintenanceStartTime",
        "DescribeFileSystems FileSystems.LustreConfiguration.WeeklyMaintenanceStartTime",
        "DescribeFileSystems FileSystems.OntapConfiguration.WeeklyMaintenanceStartTime",
        "DescribeFileSystems FileSystems.OpenZFSConfiguration.WeeklyMaintenanceStartTime",
        # The page of selections again: with neither conditions, tags nor resources, all are selected
        "GetBackupSelection BackupSelection.Resources",
    }
)

# A fault once is healed by trying again; a lasting one fails the invocation; a field may be one that no rule reads;
# where something vanished, it is cleaned up.
ONCE, LASTING, FIELD, VANISHED, SLOW = "once", "lasting", "field", "vanished", "slow"


def _cut(response: BaseResponse, _call: Call, _answer: Callable[[], Answer]) -> Answer:
    raise ConnectionClosedError(endpoint_url=response.uri)


KINDS: dict[str, faults.Kind] = {
    "denied": faults.denied,
    "throttled": faults.throttled,
    "500": faults.server_error,
    "cut connection": _cut,
    "read time-out": faults.timeout,
}
EXPIRED = faults.error("ExpiredTokenException", "The security token included in the request is expired")
GONE = faults.error("ResourceNotFoundException", "There is no such thing.", 404)


@dataclass(frozen=True, slots=True)
class Cell:
    """One way in which one operation goes wrong, and what is expected of the invocation."""

    operation: Operation
    fault: str
    expected: str
    strike: Callable[[], AbstractContextManager[Any]]
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an invocation: what was put, by the name that the world gives it, and the error's text."""

    put: dict[str, str]
    error: str


class Lambda:
    """Lambda's context of a function with this much time left, by a clock that faults can turn."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._end, self._clock = clock() + seconds, clock

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - self._clock()) * 1000)


def invoke(here: World, rule: str, strike: AbstractContextManager[Any], context: Lambda | None = None) -> Outcome:
    """Invoke the rule's handler while the fault lasts."""
    (folder,) = rule_folders(rule)
    place = here.door_of(rule).place
    event = scheduled_event(
        rule_name=folder.config_rule_name,
        account=place.account,
        region=place.region,
        token=result_token(place.account, place.region, folder.config_rule_name),
        parameters={"ExecutionRoleName": "BackupRulesMember", **folder.defaults, **PARAMETERS.get(rule, {})},
        execution_role_arn=f"arn:aws:iam::{place.account}:role/aws-service-role/config",
        now=NOW,
        partition=place.partition,
    )
    error = ""
    quiet = contextlib.redirect_stdout(io.StringIO())
    with recorded_calls() as calls, lambda_environment(place.region), quiet, strike, patch("time.sleep"):
        try:
            folder.module().lambda_handler(event, context)
        except Exception as raised:  # noqa: BLE001 - whatever Lambda would log
            error = f"{type(raised).__name__}: {raised}"
    put = {
        here.named(each["ComplianceResourceId"]): each["ComplianceType"]
        for call in calls
        if call.operation == "PutEvaluations"
        for each in call.parameters["Evaluations"]
    }
    return Outcome(put, error)


def cells(answers: list[Answered]) -> Iterator[Cell]:
    """Every fault of every operation in the record of a clean run."""
    first: dict[Operation, Answered] = {}
    for each in answers:
        if each.operation not in first or len(str(each.answer)) > len(str(first[each.operation].answer)):
            first[each.operation] = each
    counts = Counter(each.operation for each in answers)
    for operation, answered in sorted(first.items(), key=lambda item: item[0]):
        yield from _refusals(operation, counts[operation])
        if operation[1] not in {"PutEvaluations", "AssumeRole", "GetCallerIdentity"}:
            yield from _pages(answered)
            yield from _fields(answered)


def _refusals(operation: Operation, times: int) -> Iterator[Cell]:
    service, name = operation
    for fault, kind in KINDS.items():
        yield Cell(operation, f"{fault} for ever", LASTING, _failing(kind, service, name))
        if fault != "denied":
            yield Cell(operation, f"{fault} once", ONCE, _failing(kind, service, name, nth=[1]))
    yield Cell(operation, "expired token", LASTING, _failing(EXPIRED, service, name))
    if name == "PutEvaluations":
        refused = faults.error("InvalidParameterValueException", "One of the evaluations is not allowed.")
        yield Cell(operation, "refused batch", LASTING, _failing(refused, service, name))
    if times > 1:
        yield Cell(operation, "denied for the second", LASTING, _failing(faults.denied, service, name, nth=[2]))
    if name.startswith("Get") and service == "backup":
        yield Cell(operation, "vanished since it was listed", VANISHED, _failing(GONE, service, name))
    yield Cell(operation, "slow near the deadline", SLOW, nullcontext)


def _failing(*given: Any, **more: Any) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: failing(*given, **more)


def _pages(answered: Answered) -> Iterator[Cell]:
    operation, key, token_in, token = answered.operation, answered.list_key, answered.token_in, answered.token_out
    if key is None or token_in is None or token is None or key not in answered.answer:
        return

    more: Parsed = {} if answered.more is None else {answered.more: True}

    def with_token(text: str) -> Spoil:
        return lambda answer, _: {**answer, token: text, **more}

    def alternating(answer: Parsed, parameters: Any) -> Parsed:
        return with_token("spoilt-b" if parameters.get(token_in) == "spoilt-a" else "spoilt-a")(answer, parameters)

    def empty_first(answer: Parsed, parameters: Any) -> Parsed:
        return answer if parameters.get(token_in) else {**answer, key: [], token: "spoilt", **more}

    yield Cell(operation, "page token repeated", LASTING, _spoilt(operation, with_token("spoilt")))
    yield Cell(operation, "page tokens alternating", LASTING, _spoilt(operation, alternating))
    yield Cell(operation, "empty page first", ONCE, _spoilt(operation, empty_first))
    without: Spoil = lambda answer, _: {name: value for name, value in answer.items() if name != key}  # noqa: E731
    yield Cell(operation, "list missing", LASTING, _spoilt(operation, without))
    yield Cell(operation, "list null", LASTING, _spoilt(operation, lambda answer, _: {**answer, key: None}))
    if len(answered.answer[key]) > 1:

        @contextmanager
        def second_page() -> Iterator[None]:
            with page_size(1), failing(faults.denied, *operation, nth=[2]):
                yield

        yield Cell(operation, "denied on page 2", LASTING, second_page)


CHANGES: dict[str, Callable[[dict[str, Any], str], None]] = {
    "missing": lambda container, name: container.pop(name),
    "null": lambda container, name: container.update({name: None}),
    "of another type": lambda container, name: container.update({name: [{"unheard": 1}]}),
    "of an unknown word": lambda container, name: container.update({name: "UNHEARD_OF"}),
}


def _fields(answered: Answered) -> Iterator[Cell]:
    for path in fields(answered.answer):
        if path[0] in {answered.list_key, answered.token_out} and len(path) == 1:
            continue
        for fault, change in CHANGES.items():
            if fault == "of an unknown word" and path not in answered.words:
                continue
            spoil = _changed(path, change)
            label = f"{'.'.join(path)} {fault}"
            yield Cell(answered.operation, label, FIELD, _spoilt(answered.operation, spoil), path)


def _changed(path: tuple[str, ...], change: Callable[[dict[str, Any], str], None]) -> Spoil:
    return lambda answer, _: at(answer, path, change)


def _spoilt(operation: Operation, spoil: Spoil) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: answering(operation, spoil)


def violation(here: World, rule: str, cell: Cell, outcome: Outcome) -> str:
    """What the invocation did that it must not; '' for none."""
    truth = TRUTH[rule]
    cleared = sorted(name for name, told in outcome.put.items() if truth.get(name) == BAD != told)
    if cell.expected == VANISHED:
        cleared = [name for name in cleared if outcome.put[name] != "NOT_APPLICABLE"]
    absent = cell.fault.endswith(("missing", "null"))
    documented = absent and f"{cell.operation[1]} {'.'.join(cell.path)}" in ABSENCE_IS_AN_ANSWER
    if cleared and not documented:
        return f"clears {', '.join(cleared)}"
    alarmed = sorted(name for name, told in outcome.put.items() if truth.get(name) not in {BAD, None} and told == BAD)
    if alarmed and cell.expected not in {FIELD, VANISHED}:
        return f"false alarm about {', '.join(alarmed)}"
    if cell.expected == ONCE and (outcome.error or outcome.put != truth):
        return f"was not healed: {outcome.error[:160] or outcome.put}"
    if cell.expected == LASTING and not outcome.error:
        return "succeeds"
    place = here.door_of(rule).place
    if outcome.error and cell.expected in {LASTING, FIELD}:
        lacking = [each for each in (cell.operation[1], place.account, place.region) if each not in outcome.error]
        if lacking:
            return f"the error names no {', '.join(lacking)}: {outcome.error[:160]}"
    return ""


def _slow(here: World, rule: str) -> Outcome:
    """Every answer takes eight seconds, of a minute that the function has."""
    late = [0.0]
    real = time.monotonic

    def clock() -> float:
        return real() + late[0]

    def wait() -> None:
        late[0] += 8

    # One question after the other: this clock adds up what is asked side by side.
    with patch("time.monotonic", clock), patch("backup_rules.aws.account.WORKERS", 1):
        context = Lambda(60, clock)
        outcome = invoke(here, rule, answering(before=wait), context)
        if context.get_remaining_time_in_millis() < 0:
            return Outcome(outcome.put, f"{outcome.error} (ran {late[0]:.0f} s)")
    return outcome


def run_rule(here: World, rule: str, every: int = 1) -> tuple[Counter[str], list[str]]:
    """All cells of a rule, or each `every`th; the count of outcomes, and the violations."""
    (folder,) = rule_folders(rule)
    door = here.door_of(rule)
    put_rule(folder, door.session, CENTRAL, door.place)
    record = answering()
    with record as answers:
        clean = invoke(here, rule, nullcontext())
    if clean != Outcome(TRUTH[rule], ""):
        return Counter(violations=1), [f"{rule}: a clean run puts {clean}, where {TRUTH[rule]} is true"]
    counts: Counter[str] = Counter()
    found: list[str] = []
    slow_done = False
    for number, cell in enumerate(cells(answers)):
        if number % every:
            continue
        if cell.expected == SLOW:
            if slow_done:
                continue
            slow_done, outcome = True, _slow(here, rule)
            wrong = violation(here, rule, cell, outcome) or ("runs over its time" if " (ran " in outcome.error else "")
        else:
            outcome = invoke(here, rule, cell.strike())
            wrong = violation(here, rule, cell, outcome)
        counts["cells"] += 1
        counts["failed loudly" if outcome.error else "judged"] += 1
        if wrong:
            counts["violations"] += 1
            found.append(f"{rule}: {':'.join(cell.operation)}, {cell.fault}: {wrong}")
    return counts, found


def main() -> int:
    """The table of outcomes by rule, and each violation."""
    parser = argparse.ArgumentParser(description="The fault matrix of the rules.")
    parser.add_argument("--every", type=int, default=1, help="only each n-th cell (default: all)")
    parser.add_argument("--rule", choices=sorted(TRUTH), action="append", help="only this rule; repeatable")
    given = parser.parse_args()
    violations: list[str] = []
    total: Counter[str] = Counter()
    columns = ("cells", "judged", "failed loudly", "violations")
    print(f"{'rule':<32}" + "".join(f"{each:>12}" for each in ("cells", "judged", "failed", "violations")))  # noqa: T201
    with world() as here:
        for rule in given.rule or TRUTH:
            counts, found = run_rule(here, rule, given.every)
            total += counts
            violations += found
            print(f"{rule:<32}" + "".join(f"{counts[each]:>12,}" for each in columns), flush=True)  # noqa: T201
    print(f"{'all':<32}" + "".join(f"{total[each]:>12,}" for each in columns))  # noqa: T201
    for each in violations:
        print(each)  # noqa: T201
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())

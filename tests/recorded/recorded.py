"""Recorded answers of AWS through the readers, and through the rules' handlers.

    RECORDED_ANSWERS=/path/to/answers.json python -m tests.recorded.recorded

An answer is read, or told as unreadable by operation, account and Region, and what stands beside it clears no finding.
Exit status 1 where that is not so. See `recording` for the file.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backup_rules.aws import backup, config, fsx, iam, kms, organizations, rds, tagging
from backup_rules.aws.account import Account
from backup_rules.aws.calls import Calls
from backup_rules.aws.memory import gaps_noticed
from backup_rules.errors import BackupRulesError
from backup_rules.evaluation.renewal import held_evaluations
from backup_rules.iam.permissions import SimulationRequest
from backup_rules.plans.plans import PlanSummary
from backup_rules.resources.resource_types import S3
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.invoke import put_rule
from tests.faults.matrix import Outcome, invoke
from tests.faults.spoiling import Answered, Operation, Parsed, answering
from tests.faults.world import BAD, GOOD, TRUTH, World, world
from tests.front_door import ACCOUNT, CENTRAL, REGION, Door
from tests.recorded import expected
from tests.recorded.recording import Recorded, read_recording

_PLAN = PlanSummary("plan", f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-plan:plan", "plan", "")
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/BackupRole"


def _simulate(account: Account) -> object:
    return iam.simulate(account, _ROLE, (SimulationRequest(("backup:StartBackupJob",), (), ()),))


READERS: dict[str, tuple[Callable[[Account], Any], ...]] = {
    "DescribeBackupVault": (lambda it: backup.described_vault(it, "Default"),),
    "GetBackupPlan": (lambda it: backup.plan(it, _PLAN),),
    "ListBackupPlans": (backup.plan_summaries,),
    "ListBackupVaults": (backup.vaults,),
    "GetComplianceDetailsByConfigRule": (lambda it: held_evaluations(it, "rule", every=True),),
    "SelectResourceConfig": (
        config.recorded_numbers,
        lambda it: config.recorded(it, S3),
        config.bucket_versioning,
        config.authentication_modes,
    ),
    "DescribeFileSystems": (fsx._file_systems,),
    "DescribeVolumes": (fsx._volumes,),
    "GetRole": (lambda it: iam.role(it, "role"),),
    "SimulatePrincipalPolicy": (_simulate,),
    "DescribeKey": (lambda it: kms.key_state(it, "key"),),
    "DescribeOrganization": (organizations.organization_id,),
    "DescribeDBClusters": (rds._clusters,),
    "DescribeDBInstances": (rds._instances,),
    "GetResources": (tagging.tagged,),
}


@dataclass
class Tally:
    """What became of the answers, and what must not have."""

    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def violated(self, words: str) -> None:
        self.counts["violations"] += 1
        self.violations.append(words)


class _Client:
    """Answers each operation, in one page, with one answer."""

    def __init__(self, answer: Parsed, door: Door, service: str) -> None:
        self._answer = answer
        self.meta = door.client(service).meta

    def __getattr__(self, _method: str) -> Callable[..., Parsed]:
        return lambda **_: self._answer

    def get_paginator(self, _method: str) -> _Client:
        return self

    def paginate(self, **_: Any) -> Iterator[Parsed]:
        yield self._answer


class _Clients:
    def __init__(self, answer: Parsed, door: Door) -> None:
        self._answer, self._door = answer, door

    def build_client(self, service: str) -> _Client:
        return _Client(self._answer, self._door, service)


def read_one(recorded: Recorded, door: Door) -> list[str]:
    """What each reader makes of the answer: read, read in part, or unreadable; anything else is said in words."""
    found = []
    for reader in READERS[recorded.operation[1]]:
        account = Account(Calls(door.place, _Clients(recorded.answer, door)))
        try:
            with gaps_noticed() as gaps:
                answer = reader(account)
        except BackupRulesError as error:
            found.append("unreadable" if _tells(recorded.operation, str(error)) else f"names too little: {error}")
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            found.append(f"raises {error!r}")
        else:
            told = all(_tells(recorded.operation, each) for each in gaps)
            lost = not gaps and isinstance(answer, tuple) and len(answer) < _different(recorded)
            found.append("read" if not gaps and not lost else "read in part" if gaps and told else "leaves out an item")
    return found


def _different(recorded: Recorded) -> int:
    """How many things a listing tells of; what has no ARN is another each time."""
    arns = ("BackupPlanArn", "BackupVaultArn", "ResourceARN", "DBInstanceArn", "DBClusterArn")
    named = [next((item[key] for key in arns if key in item), id(item)) for item in recorded.items if item]
    return len(set(named)) if recorded.operation[1] != "SelectResourceConfig" else 0


def _tells(operation: Operation, text: str) -> bool:
    return all(each in text for each in (operation[1], ACCOUNT, REGION))


def readings(answers: list[Recorded], door: Door) -> Tally:
    """Every answer through every reader of its operation."""
    tally = Tally()
    for recorded in answers:
        for outcome in read_one(recorded, door):
            if outcome in {"read", "read in part", "unreadable"}:
                tally.counts[outcome] += 1
            else:
                tally.violated(f"{recorded.operation[1]} of {recorded.source}: {outcome}")
    return tally


def invocations(here: World, rule: str, answers: list[Recorded]) -> Tally:
    """The rule's handler with each recorded answer of what it calls: in place of the clean one, and beside it."""
    (folder,) = rule_folders(rule)
    door = here.door_of(rule)
    put_rule(folder, door.session, CENTRAL, door.place)
    with answering() as record:
        clean = invoke(here, rule, nullcontext())
    tally = Tally()
    if clean.error or any(clean.put.get(name) != told for name, told in TRUTH[rule].items()):
        tally.violated(f"a clean run puts {clean}, where {TRUTH[rule]} is true")
        return tally
    for recorded, beside in _given(record, answers):
        outcome = invoke(here, rule, answering(recorded.operation, _spoil(recorded, beside=beside)))
        tally.counts["failed" if outcome.error else "judged"] += 1
        if wrong := violation(rule, recorded, outcome, beside=beside):
            place = "beside" if beside else "in place of"
            tally.violated(f"{rule}: {recorded.operation[1]} of {recorded.source} {place} the clean answer: {wrong}")
    return tally


def _given(record: list[Answered], answers: list[Recorded]) -> Iterator[tuple[Recorded, bool]]:
    called = {each.operation for each in record}
    for recorded in answers:
        if recorded.operation in called:
            yield recorded.picked(), False
            if recorded.list_key:
                yield recorded.picked(), True


def _spoil(recorded: Recorded, *, beside: bool) -> Callable[[Parsed, Any], Parsed]:
    return lambda answer, _: recorded.beside(answer) if beside else recorded.answer


def violation(rule: str, recorded: Recorded, outcome: Outcome, *, beside: bool) -> str:
    """What the invocation did that it must not; '' for none."""
    if outcome.error and not outcome.error.startswith(("ReadError: ", "IncompleteEvaluationError: ")):
        return f"raises {outcome.error[:160]}"
    if outcome.error and not _tells(recorded.operation, outcome.error):
        return f"the error names too little: {outcome.error[:400]}"
    truth = TRUTH[rule]
    if beside and (
        cleared := sorted(name for name, told in truth.items() if outcome.put.get(name, told) != told == BAD)
    ):
        return f"clears {', '.join(cleared)}"
    if not outcome.error and beside and (missing := sorted(truth.keys() - outcome.put.keys())):
        return f"tells nothing of {', '.join(missing)}"
    return _differs_from_what_is_expected(rule, recorded, outcome, beside=beside)


def _differs_from_what_is_expected(rule: str, recorded: Recorded, outcome: Outcome, *, beside: bool) -> str:
    operation = recorded.operation[1]
    if rule == "BACKUP_RDS_WINDOW_CONFLICT" and operation.startswith("DescribeDB"):
        return _of_databases(recorded, outcome)
    if rule == "BACKUP_FSX_WINDOW_CONFLICT" and operation == "DescribeFileSystems":
        meets = expected.file_system_meets(recorded.items) or beside
        return "" if outcome.error or (outcome.put.get("tagged") == BAD) == meets else f"{outcome.put}, not {meets}"
    if rule == "BACKUP_ROLE_ASSUMABLE" and operation == "GetRole":
        may = expected.trusts_backup(recorded.answer.get("Role"))
        return "clears a role that nobody trusts" if not may and GOOD in outcome.put.values() else ""
    if rule == "BACKUP_VAULT_USABLE" and operation == "DescribeKey":
        enabled = recorded.answer.get("KeyMetadata", {}).get("KeyState") == "Enabled"
        return "clears a key that is not enabled" if not enabled and outcome.put.get("healthy") == GOOD else ""
    return ""


def _of_databases(recorded: Recorded, outcome: Outcome) -> str:
    operation = recorded.operation[1]
    if expected.incomplete(operation, recorded.items) and not outcome.error:
        return "passes over a database that cannot be read"
    for identifier, meets in expected.databases(operation, recorded.items).items():
        told = outcome.put.get(identifier)
        if told is None and not outcome.error:
            return f"tells nothing of {identifier}"
        if told is not None and told != (BAD if meets else GOOD):
            return f"{identifier} is {told}, where its windows and 05:00 {'meet' if meets else 'do not meet'}"
    return ""


def main() -> int:
    """The table of what came out, by reader and by rule, and each violation."""
    named = os.environ.get("RECORDED_ANSWERS")
    if not named:
        sys.stderr.write("RECORDED_ANSWERS names no file: docs/testing.md says what is in it.\n")
        return 2
    answers = read_recording(Path(named))
    violations: list[str] = []
    columns: tuple[str, ...] = ("read", "read in part", "unreadable", "violations")
    print(f"{'through the readers':<34}" + "".join(f"{each:>14}" for each in columns))  # noqa: T201
    with world() as here:
        for operation in sorted({each.operation for each in answers}):
            tally = readings([each for each in answers if each.operation == operation], here.door)
            _print_row(operation[1], tally, columns)
            violations += tally.violations
        columns = ("judged", "failed", "violations")
        print(f"{'through the rules':<34}" + "".join(f"{each:>14}" for each in columns))  # noqa: T201
        for rule in TRUTH:
            tally = invocations(here, rule, answers)
            _print_row(rule, tally, columns)
            violations += tally.violations
    for each in violations:
        print(each)  # noqa: T201
    return 1 if violations else 0


def _print_row(name: str, tally: Tally, columns: tuple[str, ...]) -> None:
    print(f"{name:<34}" + "".join(f"{tally.counts[each]:>14,}" for each in columns), flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())

"""All rules of an account at once, each a function with its time, against the call rates that AWS Backup publishes.

The clock is driven: what passes on it is what the functions wait for, for their turn or as AWS throttles them. Their
processor time and AWS's own time to answer do not pass on it. `make load` prints the account of the issue and a larger
one; `test_at_once.py` holds a small one.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

import boto3

from aws_simulator.core.config import result_token
from aws_simulator.core.messages.config_events import scheduled_event
from aws_simulator.core.rates import enforced_rates
from backup_rules.errors import BackupRulesError
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules_cli.catalogue import RuleFolder, rule_folders
from backup_rules_cli.invoke import MEMBER_ROLE, put_rule
from tests.front_door import CENTRAL, Door, front_door
from tests.load.stage import Stage, StageClock

BUCKET = "kept-reads"
LEFT_BY_OTHERS = 0.5
"""Of the published rates: as much as the rules together may take."""


@dataclass
class Day:
    """What became of all rules on one day. `kept` is how many selections and plans the object holds at its end."""

    seconds: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    calls: dict[str, Counter[str]] = field(default_factory=dict)
    throttled: int = 0
    kept: int = 0

    @property
    def asked(self) -> Counter[str]:
        """Calls of AWS Backup by all rules together, by operation, those that were throttled aside."""
        whole = sum(self.calls.values(), Counter[str]())
        return Counter({name: count for name, count in whole.items() if name.startswith("backup:")})


@contextlib.contextmanager
def account(plans: int, selections: int, *, keeping: bool = True) -> Iterator[Door]:
    """An account of that many plans with that many selections each, ten of which ask for the same tag."""
    environment = {"AWS_REGION": "eu-west-1"} | ({"KEPT_READS_BUCKET": BUCKET} if keeping else {})
    with (
        front_door() as door,
        mock.patch.dict(os.environ, environment),
        # Who works for one function takes turns with nobody but the other functions.
        mock.patch("backup_rules.aws.account.WORKERS", 1),
    ):
        place = {"LocationConstraint": door.region}
        boto3.client("s3", door.region).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        door.role(MEMBER_ROLE)
        door.role()
        door.client("backup").create_backup_vault(BackupVaultName="Default")
        for number in range(20):
            door.client("dynamodb").create_table(
                TableName=f"table-{number}",
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
                Tags=[{"Key": "backup", "Value": str(number)}],
            )
        for number in range(plans):
            plan = door.plan(f"plan-{number}")
            for each in range(selections):
                tag = {
                    "ConditionType": "STRINGEQUALS",
                    "ConditionKey": "backup",
                    "ConditionValue": str((number * selections + each) // 10),
                }
                door.selection(plan, f"selection-{each}", ListOfTags=[tag])
        for folder in rule_folders():
            put_rule(folder, door.session, CENTRAL, door.place)
            folder.module()
        yield door


def all_at_once(door: Door, seconds: float, days_later: int = 0, *rules: str) -> Day:
    """AWS Config starts all rules, or those that are named; each has so many seconds."""
    day, stage = Day(), Stage()
    with (
        enforced_rates(lambda: stage.seconds, LEFT_BY_OTHERS) as limiter,
        contextlib.redirect_stdout(io.StringIO()) as log,
    ):
        stage.run([_Function(door, folder, seconds, days_later, day).run for folder in rule_folders(*rules)])
    day.throttled = sum(limiter.throttled.values())
    for line in map(json.loads, log.getvalue().splitlines()):
        if line["message"].startswith("evaluation"):
            day.calls[line["rule"]] = Counter(line["calls"])
    day.kept = kept(door)
    return day


def kept(door: Door) -> int:
    """How many answers the object holds."""
    storage = boto3.client("s3", door.region)
    found = storage.list_objects_v2(Bucket=BUCKET).get("Contents", ())
    answers = 0
    for each in found:
        document = json.loads(gzip.decompress(storage.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()))
        answers += sum(len(of_plan) for kind in ("plans", "selections") for of_plan in document[kind].values())
    return answers


@dataclass
class _Function:
    """One rule's function on one day."""

    door: Door
    folder: RuleFolder
    seconds: float
    days_later: int
    day: Day

    def run(self, clock: StageClock) -> None:
        began = clock.monotonic()

        def milliseconds_left() -> float:
            return (self.seconds - (clock.monotonic() - began)) * 1000

        try:
            Evaluator(self.folder.rule(), clock).handle(
                self._event(), SimpleNamespace(get_remaining_time_in_millis=milliseconds_left)
            )
        except BackupRulesError as error:
            self.day.failures[self.folder.name] = str(error)
        self.day.seconds[self.folder.name] = clock.monotonic() - began

    def _event(self) -> dict[str, Any]:
        place, name = self.door.place, self.folder.config_rule_name
        return scheduled_event(
            rule_name=name,
            account=place.account,
            region=place.region,
            token=result_token(place.account, place.region, name),
            parameters={"ExecutionRoleName": MEMBER_ROLE, **self.folder.defaults},
            execution_role_arn=f"arn:{place.partition}:iam::{place.account}:role/config",
            now=self.door.now + timedelta(days=self.days_later),
            partition=place.partition,
        )


def _report(plans: int, selections: int, days: int, seconds: float, *, keeping: bool) -> None:
    print(f"\n{plans} plans of {selections} selections, {seconds:.0f} s a function, reads kept: {keeping}")
    print(f"{'day':<5}{'ended':>9}{'longest':>10}{'calls':>9}{'a second':>10}{'throttled':>11}{'kept':>8}{'ran':>9}")
    with account(plans, selections, keeping=keeping) as door:
        for number in range(days):
            began = time.monotonic()
            day = all_at_once(door, seconds, number)
            longest, asked = max(day.seconds.values()), sum(day.asked.values())
            ended = f"{len(day.seconds) - len(day.failures)} of {len(day.seconds)}"
            print(
                f"{number + 1:<5}{ended:>9}{longest:>8.0f} s{asked:>9,}{asked / max(longest, 1):>10.1f}"
                f"{day.throttled:>11,}{day.kept:>8,}{time.monotonic() - began:>7.0f} s"
            )
            print(
                "     "
                + ", ".join(f"{name.removeprefix('backup:')} {count:,}" for name, count in sorted(day.asked.items()))
            )
            for name, why in day.failures.items():
                print(f"     {name}: {why[:150]}")


def main() -> None:
    """Prints what becomes of an account on some days."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--plans", type=int, default=100)
    parser.add_argument("--selections", type=int, default=10)
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--keep-nothing", action="store_true")
    given = parser.parse_args()
    _report(given.plans, given.selections, given.days, given.seconds, keeping=not given.keep_nothing)


if __name__ == "__main__":
    main()

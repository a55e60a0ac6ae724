"""The pack beside a bare fetch, Cloud Custodian and Prowler, against one simulated account: `make bench-peers`.

The account (of `bench_scale.py`, its DynamoDB tables made for real) is served by this process; each contender runs in
processes of its own, several times. Told are the median of its seconds with their spread, of its processor seconds, the
most memory that a process of it held, the AWS calls that the simulator counted, and how many verdicts came of it. The
seconds are mostly the simulator's, which answers one call at a time. Peers are found in build/peers, where
`make bench-peers` installs them; where one is missing, that is said.

* bare fetch: plans, selections, vaults and all tags, read with boto3 and not judged;
* this pack, at a terminal: `backup-rules evaluate`, all rules with shared reads;
* this pack, as functions: each rule in a process of its own, one after another, with the bucket for what cannot change:
  empty on the first day, filled on the second;
* Cloud Custodian: plans and vaults listed, which is what it knows of AWS Backup;
* Prowler: its five checks of AWS Backup.

Then: of the tables and databases, how many a tool rightly calls protected by a plan, or not. Prowler answers by its
checks `…_protected_by_backup_plan`, this pack by the picks of `backup-rules explain`. What is right is worked out here
from what the account was made of, by AWS's description of selections, with no code of the pack.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from aws_simulator.core import config
from aws_simulator.core.accounts import account_session
from aws_simulator.core.faults import recorded_calls
from aws_simulator.server import serving
from backup_rules_cli.catalogue import ROOT, rule_folders
from tests.bench import bench_scale
from tests.front_door import Door

PEERS = ROOT / "build" / "peers"
CUSTODIAN, PROWLER = PEERS / "c7n" / "bin" / "custodian", PEERS / "prowler" / "bin" / "prowler"
BACKUP_CHECKS = (
    "backup_plans_exist",
    "backup_recovery_point_encrypted",
    "backup_reportplans_exist",
    "backup_vaults_encrypted",
    "backup_vaults_exist",
)
PROTECTED_CHECKS = ("dynamodb_table_protected_by_backup_plan", "rds_instance_protected_by_backup_plan")
KEPT_READS = "kept-reads"
_BETWEEN_LOOKS = 0.05
"""Seconds."""
FETCH = """
import boto3
backup = boto3.client("backup")
for plan in (p for page in backup.get_paginator("list_backup_plans").paginate() for p in page["BackupPlansList"]):
    backup.get_backup_plan(BackupPlanId=plan["BackupPlanId"])
    pages = backup.get_paginator("list_backup_selections").paginate(BackupPlanId=plan["BackupPlanId"])
    for each in (s for page in pages for s in page["BackupSelectionsList"]):
        backup.get_backup_selection(BackupPlanId=plan["BackupPlanId"], SelectionId=each["SelectionId"])
list(backup.get_paginator("list_backup_vaults").paginate())
list(boto3.client("resourcegroupstaggingapi").get_paginator("get_resources").paginate())
"""
POLICIES = """
policies:
  - {name: plans, resource: aws.backup-plan}
  - {name: vaults, resource: aws.backup-vault}
"""


@dataclass(frozen=True)
class Figures:
    """What a run took: elapsed and processor seconds, MiB of its largest process; its AWS calls and its verdicts."""

    seconds: float
    processor: float
    mib: float
    calls: Counter[str]
    verdicts: int = 0


@dataclass(frozen=True)
class Stage:
    """The account that is looked at, where it is served, and a folder for what the contenders write."""

    door: Door
    url: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead boto3 into the account.

        Raises:
            RuntimeError: the simulator gave no credentials.
        """
        credentials = account_session(self.door.account, self.door.region).get_credentials()
        if credentials is None:
            raise RuntimeError("The simulator gave no credentials.")
        return {key: value for key, value in os.environ.items() if not key.startswith("AWS_")} | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": self.door.region,
            "AWS_ACCESS_KEY_ID": str(credentials.access_key),
            "AWS_SECRET_ACCESS_KEY": str(credentials.secret_key),
            "AWS_SESSION_TOKEN": str(credentials.token),
        }

    def run(self, command: Sequence[str], well: Sequence[int] = (0,)) -> Figures:
        """Runs a command; its output is in `stdout` of the folder.

        Raises:
            RuntimeError: it ended with a status that is not among `well`.
        """
        out, err, environment = Path(self.folder, "stdout"), Path(self.folder, "stderr"), self.environment
        began, mib = time.perf_counter(), 0.0
        with recorded_calls() as calls, out.open("w") as stdout, err.open("w") as stderr:
            started = subprocess.Popen(command, env=environment, stdout=stdout, stderr=stderr)  # noqa: S603
            while not (ended := os.wait4(started.pid, os.WNOHANG))[0]:
                mib = max(mib, _peak_mib(started.pid))
                time.sleep(_BETWEEN_LOOKS)
        elapsed = time.perf_counter() - began
        _, status, used = ended
        started.returncode = os.waitstatus_to_exitcode(status)
        if started.returncode not in well:
            told = (err.read_text(encoding="utf-8").strip() or out.read_text(encoding="utf-8").strip())[-600:]
            raise RuntimeError(f"{command[0]} ended with {started.returncode}: {told}")
        return Figures(elapsed, used.ru_utime + used.ru_stime, mib, Counter(call.operation for call in calls))

    # The contenders

    def fetched(self) -> Figures:
        """The bare fetch."""
        return self.run((sys.executable, "-c", FETCH))

    def evaluated(self) -> Figures:
        """The pack at a terminal."""
        figures = self.run((*_pack("evaluate"), "--region", self.door.region, "--format", "json"), well=(0, 1))
        found = json.loads(Path(self.folder, "stdout").read_text(encoding="utf-8"))
        return _with_verdicts(figures, len(found["evaluations"]))

    def as_functions(self) -> Figures:
        """The pack's functions, one after another."""
        with recorded_calls() as calls:
            each = [
                bench_scale.invoke(folder, self.door, self.url, KEPT_READS_BUCKET=KEPT_READS)
                for folder in rule_folders()
            ]
        sums = {key: sum(one[key] for one in each) for key in ("seconds", "cpu_seconds", "subjects")}
        peak = max(one["peak_mib"] for one in each)
        counted = Counter(call.operation for call in calls)
        return Figures(sums["seconds"], sums["cpu_seconds"], peak, counted, int(sums["subjects"]))

    def custodian(self) -> Figures:
        """Cloud Custodian, with what it knows of AWS Backup."""
        policies = Path(self.folder, "policies.yml")
        policies.write_text(POLICIES, encoding="utf-8")
        return self.run((str(CUSTODIAN), "run", "--cache-period", "0", "-s", str(self.folder), str(policies)))

    def prowler(self, *checks: str) -> Figures:
        """Prowler with these checks; what it found is in `found.ocsf.json` of the folder."""
        command = [str(PROWLER), "aws", "--region", self.door.region, "--no-banner", "--ignore-exit-code-3"]
        command += [
            "--output-formats",
            "json-ocsf",
            "--output-directory",
            str(self.folder),
            "--output-filename",
            "found",
        ]
        Path(self.folder, "found.ocsf.json").unlink(missing_ok=True)  # it adds to what is there
        return _with_verdicts(self.run((*command, "--checks", *checks)), len(self.found_by_prowler()))

    def found_by_prowler(self) -> list[Mapping[str, Any]]:
        """The findings of its last run."""
        path = Path(self.folder, "found.ocsf.json")
        found: list[Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        return found

    # Who answers what is protected

    def protected_by_prowler(self) -> set[str]:
        """The ARNs of which Prowler says that a plan protects them."""
        self.prowler(*PROTECTED_CHECKS)
        return {each["resources"][0]["uid"] for each in self.found_by_prowler() if each["status_code"] == "PASS"}

    def picked_by_pack(self, plans: int) -> set[str]:
        """The ARNs that `explain` says a plan picks; all plans are explained from one reading."""
        reading = str(Path(self.folder, "reading.json.gz"))
        self.run((*_pack("evaluate"), "--region", self.door.region, "--save", reading), well=(0, 1))
        found: set[str] = set()
        for number in range(plans):
            self.run((*_pack("explain"), "--from", reading, f"plan-{number}", "--format", "json"), well=(0, 1, 2))
            document = json.loads(Path(self.folder, "stdout").read_text(encoding="utf-8"))
            found |= set(_arns_picked(document))
        return found


def _peak_mib(process: int) -> float:
    """The most memory that the process has held since it started its program; 0 when it has just ended."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(encoding="utf-8"))
    return int(found[1]) / 1024 if found else 0


def _pack(command: str) -> tuple[str, str, str]:
    return str(Path(sys.executable).with_name("backup-rules")), command, "--quiet"


def _with_verdicts(figures: Figures, verdicts: int) -> Figures:
    return Figures(figures.seconds, figures.processor, figures.mib, figures.calls, verdicts)


def _arns_picked(document: Any) -> list[str]:
    """The ARNs under every `picks` of an explanation."""
    if isinstance(document, list):
        return [arn for each in document for arn in _arns_picked(each)]
    if not isinstance(document, dict):
        return []
    own = [each["arn"] for each in document.get("picks", ())]
    return own + [arn for value in document.values() for arn in _arns_picked(value)]


def make_tables(door: Door, resources: int) -> dict[str, dict[str, str]]:
    """Makes the tagged tables of the account for real; the tags of all tables and databases, by ARN."""
    place, dynamodb = f"{door.region}:{door.account}", door.client("dynamodb")
    found = {}
    for number in range(0, resources, len(bench_scale.ARNS)):
        tags = bench_scale.tags(number)
        dynamodb.create_table(
            TableName=f"table-{number}",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        found[bench_scale.ARNS[0].format(place=place, n=number)] = tags
    for number in range(bench_scale.DATABASES):
        found[f"arn:aws:rds:{place}:db:database-{number}"] = bench_scale.tags(number)
    return found


def truly_protected(door: Door, plans: int, tagged: Mapping[str, Mapping[str, str]]) -> set[str]:
    """The ARNs that a selection of the account picks.

    A selection picks what its Resources name (`*` stands for anything) or what bears one of its ListOfTags, and of that
    what meets all its Conditions; those here are StringLike, which only a tag that is there meets.
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html
    """
    roles = [""] * bench_scale.ROLES
    selections = [
        bench_scale.selection(door, plan, number, roles)
        for plan in range(plans)
        for number in range(bench_scale.SELECTIONS)
    ]
    found = set()
    for selection in selections:
        named = [_pattern(each) for each in selection.get("Resources", ())]
        wanted = {(each["ConditionKey"], each["ConditionValue"]) for each in selection.get("ListOfTags", ())}
        conditions = [
            (each["ConditionKey"].removeprefix("aws:ResourceTag/"), _pattern(each["ConditionValue"]))
            for each in selection.get("Conditions", {}).get("StringLike", ())
        ]
        for arn, tags in tagged.items():
            picked = any(each.fullmatch(arn) for each in named) or not wanted.isdisjoint(tags.items())
            if picked and all(key in tags and like.fullmatch(tags[key]) for key, like in conditions):
                found.add(arn)
    return found


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))))


def show(name: str, runs: Sequence[Figures]) -> None:
    """Prints what the runs of one contender took."""
    seconds = [each.seconds for each in runs]
    processor, mib = (
        statistics.median(values) for values in zip(*((each.processor, each.mib) for each in runs), strict=True)
    )
    calls = runs[-1].calls
    print(  # noqa: T201 - the figures are what this is for
        f"  {name:<24} {statistics.median(seconds):6.1f} s ({min(seconds):.1f} to {max(seconds):.1f})"
        f"  processor {processor:5.1f} s  {mib:4.0f} MiB  {sum(calls.values()):5} calls  {runs[-1].verdicts:5} verdicts"
        f"\n    {', '.join(f'{operation} {number}' for operation, number in calls.most_common())}",
        flush=True,
    )


def _contenders(stage: Stage) -> dict[str, Callable[[], Figures]]:
    """Those that run several times, by name; Python keeps to the order."""
    found: dict[str, Callable[[], Figures]] = {"bare fetch": stage.fetched, "this pack, evaluate": stage.evaluated}
    peers = {
        "Cloud Custodian": (CUSTODIAN, stage.custodian),
        "Prowler": (PROWLER, lambda: stage.prowler(*BACKUP_CHECKS)),
    }
    for name, (path, run) in peers.items():
        if path.exists():
            found[name] = run
        else:
            print(f"{name} is not installed: `make bench-peers` installs it.")  # noqa: T201
    return found


def _days(stage: Stage, times: int) -> dict[str, list[Figures]]:
    """The functions' first days, each with an empty bucket, and their second."""
    storage = boto3.client(
        "s3", endpoint_url=stage.url, region_name=stage.door.region,
        aws_access_key_id="simulated", aws_secret_access_key="simulated",
    )  # fmt: skip
    place: Any = {"LocationConstraint": stage.door.region}
    storage.create_bucket(Bucket=KEPT_READS, CreateBucketConfiguration=place)
    found: dict[str, list[Figures]] = {"this pack, first day": [], "this pack, second day": []}
    for _ in range(times):
        for each in storage.list_objects_v2(Bucket=KEPT_READS).get("Contents", ()):
            storage.delete_object(Bucket=KEPT_READS, Key=each["Key"])
        for runs in found.values():
            runs.append(stage.as_functions())
    return found


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", type=int, default=20, help="how many plans, with 20 selections each (default: 20)")
    parser.add_argument("--resources", type=int, default=2_000, help="how many tagged resources (default: 2000)")
    parser.add_argument("--times", type=int, default=3, help="how many times each runs (default: 3)")
    asked = parser.parse_args()
    door = Door()
    with serving() as url, tempfile.TemporaryDirectory() as folder:
        config.install(require_functions=False)
        bench_scale.seed(door, asked.plans, asked.resources)
        tagged = make_tables(door, asked.resources)
        stage = Stage(door, url, Path(folder))
        contenders = _contenders(stage)
        print(  # noqa: T201
            f"{asked.plans} plans x {bench_scale.SELECTIONS} selections, {asked.resources} resources; median of"
            f" {asked.times} (spread); {os.cpu_count()} cores, Python {platform.python_version()},"
            f" {datetime.now(UTC).date()}"
        )
        for name, run in contenders.items():
            show(name, [run() for _ in range(asked.times)])
        for name, runs in _days(stage, asked.times).items():
            show(name, runs)
        truth = truly_protected(door, asked.plans, tagged)
        print(f"Protected by a plan are {len(truth)} of {len(tagged)} tables and databases. Rightly told:")  # noqa: T201
        answers = {"this pack, explain": stage.picked_by_pack(asked.plans)}
        if PROWLER.exists():
            answers["Prowler"] = stage.protected_by_prowler()
        for name, told in answers.items():
            right = sum((arn in told) == (arn in truth) for arn in tagged)
            print(f"  {name:<24} {right} of {len(tagged)}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())

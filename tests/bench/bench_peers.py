"""The pack beside a bare fetch and Cloud Custodian, against one simulated account: `make bench-peers`.

The account (of `bench_scale.py`) is served by this process; each contender runs in a process of its own, several times.
Told are the median of its seconds and of its processor seconds, and the AWS calls that the simulator counted. The
seconds are mostly the simulator's, which answers one call at a time. Cloud Custodian is found in build/peers/c7n, where
`make bench-peers` installs it; where it is missing, that is said.

* bare fetch: plans, selections, vaults and all tags, read with boto3 and not judged;
* the pack: `backup-rules evaluate`, all rules with shared reads;
* Cloud Custodian: plans and vaults listed.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from aws_simulator.core import config
from aws_simulator.core.accounts import account_session
from aws_simulator.core.faults import recorded_calls
from aws_simulator.server import serving
from backup_rules_cli.catalogue import ROOT
from tests.bench import bench_scale
from tests.front_door import Door

CUSTODIAN = ROOT / "build" / "peers" / "c7n" / "bin" / "custodian"
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


def run(command: Sequence[str], url: str, door: Door) -> tuple[float, float, Counter[str]]:
    """Seconds, processor seconds, and AWS calls by operation.

    Raises:
        RuntimeError: when the command fails.
    """
    credentials = account_session(door.account, door.region).get_credentials()
    if credentials is None:
        raise RuntimeError("The simulator gave no credentials.")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")} | {
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": door.region,
        "AWS_ACCESS_KEY_ID": str(credentials.access_key),
        "AWS_SECRET_ACCESS_KEY": str(credentials.secret_key),
        "AWS_SESSION_TOKEN": str(credentials.token),
    }
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with recorded_calls() as calls:
        finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if finished.returncode > 1:  # 1: the pack found problems
        raise RuntimeError(finished.stderr.strip()[-300:])
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, processor, Counter(call.operation for call in calls)


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
        policies = Path(folder, "policies.yml")
        policies.write_text(POLICIES, encoding="utf-8")
        pack = str(Path(sys.executable).with_name("backup-rules"))
        contenders: dict[str, Sequence[str]] = {
            "bare fetch": (sys.executable, "-c", FETCH),
            "this pack": (pack, "evaluate", "--region", door.region, "--format", "json"),
        }
        if CUSTODIAN.exists():
            contenders["Cloud Custodian"] = (str(CUSTODIAN), "run", "--cache-period", "0", "-s", folder, str(policies))
        else:
            print("Cloud Custodian is not installed: `make bench-peers` installs it.")  # noqa: T201
        print(  # noqa: T201
            f"{asked.plans} plans x 20 selections, {asked.resources} resources; median of {asked.times} (spread);"
            f" {os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC).date()}"
        )
        for name, command in contenders.items():
            figures = [run(command, url, door) for _ in range(asked.times)]
            elapsed, processor = [each[0] for each in figures], [each[1] for each in figures]
            calls = figures[-1][2]
            most = ", ".join(f"{operation} {number}" for operation, number in calls.most_common(4))
            print(  # noqa: T201
                f"  {name:<16} {statistics.median(elapsed):6.1f} s ({min(elapsed):.1f} to {max(elapsed):.1f})"
                f"  processor {statistics.median(processor):5.1f} s  {sum(calls.values()):5} calls: {most}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())

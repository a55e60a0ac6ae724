"""What `verify` asks of CloudWatch Logs for 10,000 accounts, and how long: `python tests/bench/bench_verify.py`.

In memory: the log groups of all rules hold four lines for each account, as of two periods, written into the simulator's
state. Most of the time is the simulator's, which reads every line for each query, as AWS does on its own machines.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from datetime import UTC, datetime

from moto.logs.models import logs_backends

from aws_simulator.core.faults import recorded_calls
from aws_simulator.simulation import simulated_aws
from backup_rules_cli.deploy.aws import Access
from backup_rules_cli.deploy.health import RegionHealth, troubles
from backup_rules_cli.deploy.logs import read_logs
from backup_rules_cli.deploy.settings import Settings
from backup_rules_cli.deploy.settings_file import read

ACCOUNTS, REGION, CENTRAL = 10_000, "eu-west-1", "123456789012"
FAILING = 7
PUT = '{"level": "INFO", "message": "evaluation put", "rule": "x", "account": "%s", "region": "eu-west-1", "put": 12}'
FAILED = '{"level": "ERROR", "message": "evaluation failed", "account": "%s", "error": "iam:GetRole was denied."}'


def fill(settings: Settings, accounts: list[str], now: datetime) -> int:
    """Each account was evaluated four times; the last time the first ones failed. How many lines that are."""
    backend, lines = logs_backends[CENTRAL][REGION], 0
    for rule in settings.rules_on:
        group = f"/aws/lambda/{settings.function(rule.folder)}"
        backend.create_log_group(group, {})
        backend.create_log_stream(group, "all")
        for time_ago in range(4, 0, -1):
            moment = int((now.timestamp() - time_ago * 3600) * 1000)
            events = [
                {"timestamp": moment, "message": (FAILED if time_ago == 1 and each < FAILING else PUT) % account}
                for each, account in enumerate(accounts)
            ]
            backend.groups[group].streams["all"].put_log_events(events)
            lines += len(events)
    return lines


def main() -> int:
    os.environ |= {"AWS_ACCESS_KEY_ID": "simulated", "AWS_SECRET_ACCESS_KEY": "simulated"}
    settings, now = read(f"regions: [{REGION}]"), datetime.now(UTC)
    accounts = [f"{100_000_000_000 + 89_999_999 * each}" for each in range(ACCOUNTS)]
    with simulated_aws():
        lines = fill(settings, accounts, now)
        with recorded_calls() as calls:
            begun = time.perf_counter()
            rules = read_logs(settings, Access("", REGION), REGION, accounts, now)
            reading = time.perf_counter() - begun
        begun = time.perf_counter()
        found = troubles(RegionHealth(REGION, tuple(accounts), rules), {})
        judging = time.perf_counter() - begun
    counted = ", ".join(f"{count} {name}" for name, count in sorted(Counter(each.operation for each in calls).items()))
    print(f"{lines:,} lines of {ACCOUNTS:,} accounts and {len(rules)} rules: {counted}")  # noqa: T201
    print(f"reading {reading:.1f} s (the simulator's own work included), judging {judging:.2f} s")  # noqa: T201
    print(found[-1].text[:160])  # noqa: T201
    return 0 if len(found) == FAILING else 1


if __name__ == "__main__":
    sys.exit(main())

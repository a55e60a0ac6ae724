"""How each rule's own processor time grows with the account: `python tests/bench/bench_growth.py [--shares 0.1,1,3]`.

The full size is 300 plans with 20 selections each and 20,000 tagged resources. All selections differ (`tests/growth`),
and AWS's answers are made in memory, so that the time is the rule's own. It is processor time, of all threads: other
work on the machine lengthens the wait more than this.

Ends with 1 when ten times the account takes a rule more than twelve times as long (below a tenth of a second nothing is
said of growth), or a rule more than ten seconds at full size.
"""

from __future__ import annotations

import argparse
import gc
import io
import os
import platform
import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime
from time import process_time

from backup_rules_cli.catalogue import RuleFolder, rule_folders
from tests.growth.world import World

MOST_TIMES, MOST_SECONDS, TOO_SHORT_TO_TELL = 12, 10, 0.1
# What a function of so much memory gets of a processor: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
WHOLE_PROCESSOR_MB = 1_769
MEMORIES = (256, 512, 1_024, WHOLE_PROCESSOR_MB)


def seconds(folder: RuleFolder, share: float, tries: int) -> float:
    """The least processor time of several tries, at a share of the full size."""
    taken = []
    for _ in range(tries):
        world = World.of_size(share)
        world.prepare()
        gc.collect()
        began = process_time()
        with redirect_stdout(io.StringIO()):
            outcome = world.judged(folder)
        taken.append(process_time() - began)
        if outcome.failures or outcome.gaps:
            raise RuntimeError(f"{folder.name} failed: {next(iter(outcome.failures.values()), outcome.gaps)}")
    return min(taken)


def main() -> int:
    """Prints the figures; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", nargs="*", help="the rules to measure (default: all)")
    parser.add_argument("--shares", default="0.1,1", help="of the full size, two at least (default: 0.1,1)")
    parser.add_argument("--tries", type=int, default=3, help="the least of so many tries counts (default: 3)")
    asked = parser.parse_args()
    shares = [float(each) for each in asked.shares.split(",")]
    day = datetime.now(UTC).date()
    print(  # noqa: T201 - the figures are what this is for
        f"Processor time, least of {asked.tries}; {os.cpu_count()} cores, Python {platform.python_version()}, {day}:\n"
        f"  {'':<30}" + "".join(f"{f'x {share:g}':>9}" for share in shares) + f"{'growth':>8}"
        f"   seconds at {', '.join(map(str, MEMORIES))} MB"
    )
    missed = 0
    for folder in rule_folders(*asked.rules):
        seconds(folder, 0.01, 1)
        taken = [seconds(folder, share, asked.tries) for share in shares]
        growth = taken[1] / taken[0] * 10 / (shares[1] / shares[0])
        full = taken[shares.index(1.0)] if 1.0 in shares else 0.0
        missed += (growth > MOST_TIMES and taken[1] > TOO_SHORT_TO_TELL) or full > MOST_SECONDS
        at = ", ".join(f"{full * WHOLE_PROCESSOR_MB / memory:.1f}" for memory in MEMORIES)
        print(  # noqa: T201
            f"  {folder.name:<30}" + "".join(f"{each:7.2f} s" for each in taken) + f"{growth:7.1f}x   {at}", flush=True
        )
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

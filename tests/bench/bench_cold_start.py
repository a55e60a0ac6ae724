"""What a rule's cold start costs beside that of boto3: `python tests/bench/bench_cold_start.py`.

Each figure is the median of the processor time of fresh processes: importing the rule's module and making its first
client (STS, to assume the member role), against `import boto3` and the same client. Runs of both take turns, so that
a busy machine slows both.
Ends with 1 when a rule costs more than the 1.15 times that the project holds itself to.

`--from-source` compiles the layer and the rule anew in every process, as Lambda does: zips hold no bytecode, and it may
not be written there. boto3 comes compiled with Lambda's runtime, and here.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 1.15
ENVIRONMENT = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}

TIMED = """
import time
began = time.process_time()
{work}
print(time.process_time() - began)
"""
BARE = "import boto3\nboto3.client('sts', region_name='eu-west-1')"
RULE = """import {name}
from backup_rules.aws.clients import CLIENT_CONFIG
import boto3
boto3.client('sts', region_name='eu-west-1', config=CLIENT_CONFIG)"""


def seconds(work: str, *path: Path) -> float:
    """The processor time that `work` takes in a fresh process that sees these folders."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHON"))}
    environment |= ENVIRONMENT | {
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-c", TIMED.format(work=work)]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    return float(finished.stdout)


def as_deployed(folder: Path) -> tuple[Path, Path]:
    """A copy of layer and rules without bytecode, rdklib in the layer."""
    layer, rules = folder / "layer", folder / "rules"
    leave_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "layer", layer, ignore=leave_out)
    shutil.copytree(ROOT / "rules", rules, ignore=leave_out)
    rdklib = importlib.util.find_spec("rdklib")
    if rdklib is None or rdklib.origin is None:
        raise FileNotFoundError("rdklib is not installed: run `make setup`.")
    shutil.copytree(Path(rdklib.origin).parent, layer / "rdklib", ignore=leave_out)
    return layer, rules


def measure(name: str, layer: Path, rules: Path, processes: int) -> tuple[float, float]:
    """The median seconds of boto3 alone, and of the rule."""
    bare, rule = [], []
    for _ in range(processes):
        bare.append(seconds(BARE))
        rule.append(seconds(RULE.format(name=name), rules / name, layer))
    return statistics.median(bare), statistics.median(rule)


def main() -> int:
    """Prints the figures; 1 when the limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", nargs="*", help="the rules to measure (default: all)")
    parser.add_argument("--processes", type=int, default=9, help="fresh processes for each figure (default: 9)")
    parser.add_argument("--from-source", action="store_true", help="without bytecode of the layer and the rules")
    asked = parser.parse_args()
    names = asked.rules or sorted(path.parent.name for path in (ROOT / "rules").glob("*/parameters.json"))
    missed = 0
    print(f"Processor time of a cold start, median of {asked.processes} processes; limit {LIMIT}:")  # noqa: T201 - the figures
    print(f"  {'':<32} {'boto3':>9} {'rule':>9} {'ratio':>6}")  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        layer, rules = as_deployed(Path(folder)) if asked.from_source else (ROOT / "layer", ROOT / "rules")
        for name in names:
            if not asked.from_source:
                subprocess.run(  # noqa: S603
                    [sys.executable, "-m", "compileall", "-q", str(layer), str(rules / name)], check=True
                )
            bare, rule = measure(name, layer, rules, asked.processes)
            missed += rule > LIMIT * bare
            print(f"  {name:<32} {bare * 1000:6.0f} ms {rule * 1000:6.0f} ms {rule / bare:6.2f}")  # noqa: T201
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

"""What a rule's cold start costs beside that of boto3: `python tests/bench/bench_cold_start.py`.

What `make package` packs is started by the Python that the function's `Runtime` names, where this machine has it: the
rule's module is imported and its first client made (STS, to assume the member role), against `import boto3` and the
same client. boto3 comes compiled with Lambda's runtime, and here. Runs of both take turns: a busy machine slows both.
Each figure is the least processor time of fresh processes, as other work only ever adds to it. Where valgrind is
installed, `--instructions` counts these instead: slowly, but alike on a busy machine.

Ends with 1 when a rule costs more than the 1.15 times that the project holds itself to. `--from-source` leaves the
bytecode out, to see what it is worth.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_simulator.deployment.lambda_runtime.packages import runtime_folder
from backup_rules_cli.bytecode import SUFFIX, python_of
from backup_rules_cli.catalogue import RuleFolder, rule_folders
from backup_rules_cli.package import Package, package

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
COUNTING = ("valgrind", "--tool=cachegrind", "--cachegrind-out-file=/dev/null")


@dataclass(frozen=True)
class Lambda:
    """A Python as in AWS Lambda: it sees boto3, and what it is told to."""

    python: str
    boto3: Path

    def seconds(self, work: str, *path: Path) -> float:
        """The processor time that `work` takes in a fresh process, in seconds."""
        return float(self._run((), TIMED.format(work=work), *path).stdout)

    def instructions(self, work: str, *path: Path) -> float:
        """The instructions of a fresh process that does `work`, its own start among them, in thousand millions.

        Raises:
            ValueError: valgrind counted none.
        """
        told = self._run(COUNTING, work, *path).stderr
        found = re.search(r"I +refs: +([\d,]+)", told)
        if found is None:
            raise ValueError(f"valgrind did not count: {told[-300:]}")
        return int(found[1].replace(",", "")) / 1e9

    def _run(self, under: tuple[str, ...], work: str, *path: Path) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHON"))}
        environment |= ENVIRONMENT | {
            "PYTHONPATH": os.pathsep.join(map(str, (*path, self.boto3))),
            "PYTHONDONTWRITEBYTECODE": "1",  # nothing can be written there
            "PYTHONHASHSEED": "0",
        }
        command = [*under, self.python, "-S", "-c", work]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603


def _lambda(folder: Path, python: str) -> Lambda:
    """boto3 and what it needs, compiled by that Python."""
    copy = folder / "copy"
    shutil.copytree(runtime_folder(folder / "links"), copy)
    command = [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(copy)]
    subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - of boto3's parts some are for other Pythons
    return Lambda(python, copy)


def _unpack(made: Package, name: str, folder: Path, *, compiled: bool) -> Path:
    """What that zip holds, with its bytecode or without."""
    with zipfile.ZipFile(made.files[name]) as archive:
        archive.extractall(folder, [each for each in archive.namelist() if compiled or not each.endswith(SUFFIX)])
    return folder


def _least(measure: Callable[..., float], works: Sequence[tuple[str, tuple[Path, ...]]], times: int) -> list[float]:
    """The least of each, of runs that take turns."""
    taken = [[measure(work, *path) for work, path in works] for _ in range(times)]
    return [min(each) for each in zip(*taken, strict=True)]


def main() -> int:
    """Prints the figures; 1 when the limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", nargs="*", help="the rules to measure (default: all)")
    parser.add_argument("--processes", type=int, default=9, help="fresh processes for each figure (default: 9)")
    parser.add_argument("--from-source", action="store_true", help="without the bytecode that the zips hold")
    parser.add_argument("--instructions", action="store_true", help="count instructions, once each: needs valgrind")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = package(folder / "package")
        layer = _unpack(made, "layer.zip", folder / "layer", compiled=not asked.from_source) / "python"

        def judge(rule: RuleFolder) -> bool:
            """Prints a rule's figures; whether it holds the limit."""
            unpacked = folder / rule.name
            _unpack(made, f"{rule.config_rule_name}.zip", unpacked, compiled=not asked.from_source)
            works = ((BARE, ()), (RULE.format(name=rule.name), (unpacked, layer)))
            if asked.instructions:
                bare, whole = counted, runtime.instructions(works[1][0], *works[1][1])
            else:
                bare, whole = (1000 * each for each in _least(runtime.seconds, works, asked.processes))
            print(f"  {rule.name:<32} {bare:9.{digits}f} {whole:9.{digits}f} {whole / bare:6.2f}", flush=True)  # noqa: T201
            return whole <= LIMIT * bare

        rules = rule_folders(*asked.rules)
        python = python_of(rules[0].runtime)
        runtime = _lambda(folder, python or sys.executable)
        version = subprocess.run([runtime.python, "-V"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
        what = "thousand million instructions" if asked.instructions else f"ms, least of {asked.processes}"
        digits = 3 if asked.instructions else 0
        counted = runtime.instructions(BARE) if asked.instructions else 0.0
        how = "from source" if asked.from_source or python is None else "as packaged"
        print(f"A cold start {how}, {version}, {what}; limit {LIMIT}:")  # noqa: T201 - the figures are what this is for
        print(f"  {'':<32} {'boto3':>9} {'rule':>9} {'ratio':>6}")  # noqa: T201
        held = [judge(rule) for rule in rules]
        return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())

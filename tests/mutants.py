"""`make mutants`: change the judging code a little at a time, and see whether a test notices.

Works on a copy in build/mutants, with cosmic-ray. What survives is printed; docs/testing.md says why it may.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / "build" / "mutants"
TREE = ("layer", "cli", "simulator", "tests", "rules", "rdk-config", "cloudformation")
CONFIG = """[cosmic-ray]
module-path = "{module}"
timeout = 60.0
test-command = "{python} -m pytest -x -q -p no:cacheprovider {tests}"
excluded-modules = []

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
exclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*"]
"""
"""`|` is left alone: in this code it stands in annotations, which nothing evaluates."""


def main() -> int:
    """Run the mutants of one module against its tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module", help="such as layer/backup_rules/vaults/vaults.py")
    parser.add_argument("tests", nargs="+", help="such as tests/layer/vaults")
    given = parser.parse_args()
    shutil.rmtree(COPY, ignore_errors=True)
    for name in TREE:
        shutil.copytree(ROOT / name, COPY / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", COPY)
    config = CONFIG.format(module=given.module, python=sys.executable, tests=" ".join(given.tests))
    (COPY / "mutants.toml").write_text(config, encoding="utf-8")
    paths = (COPY / "layer", COPY / "cli", COPY / "simulator", COPY)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
    program = Path(sys.executable).parent

    def run(*command: str) -> str:
        finished = subprocess.run(  # noqa: S603 - our own tool
            [program / command[0], *command[1:]], cwd=COPY, env=environment, capture_output=True, text=True, check=True
        )
        return finished.stdout

    run("python", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *given.tests)
    run("cosmic-ray", "init", "mutants.toml", "mutants.sqlite", "--force")
    run("cr-filter-operators", "mutants.sqlite", "mutants.toml")
    run("cosmic-ray", "exec", "mutants.toml", "mutants.sqlite")
    report = run("cr-report", "mutants.sqlite", "--surviving-only", "--show-diff")
    sys.stdout.write(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())

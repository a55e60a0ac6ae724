"""What all tests share."""

from __future__ import annotations

import fcntl
import gc
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How fast a machine is, and what else runs on it, decides no test.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_sessionfinish() -> None:
    """Leave what is there out of the collections at pytest's end: AWS's models are many objects, and take it seconds.

    xdist interrupts a worker that takes more than five.
    """
    gc.freeze()


@pytest.fixture(scope="session")
def demo_reading(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A reading of the simulated organization, and what `evaluate` found while it was made; one for all workers."""
    from backup_rules_cli.main import main  # noqa: PLC0415 - most tests do without

    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "demo-reading"
    folder.mkdir(exist_ok=True)
    path, output = folder / "demo.json.gz", folder / "demo.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            assert main(["evaluate", "--quiet", "--format", "json", "--output", str(output), "--save", str(path)]) == 1
            (folder / "made").touch()
    return path, json.loads(output.read_text(encoding="utf-8"))

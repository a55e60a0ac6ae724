"""What all tests share."""

from __future__ import annotations

import gc
import json
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
    """A reading of the simulated organization, and what `evaluate` found while it was made."""
    from backup_rules_cli.main import main  # noqa: PLC0415 - most tests do without

    folder = tmp_path_factory.mktemp("reading")
    path, output = folder / "demo.json.gz", folder / "demo.json"
    assert main(["evaluate", "--quiet", "--format", "json", "--output", str(output), "--save", str(path)]) == 1
    return path, json.loads(output.read_text(encoding="utf-8"))

"""What tests of several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backup_rules_cli.main import main


@pytest.fixture(scope="session")
def demo_reading(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A reading of the simulated organization, and what `evaluate` found while it was made."""
    folder = tmp_path_factory.mktemp("reading")
    path, output = folder / "demo.json.gz", folder / "demo.json"
    assert main(["evaluate", "--quiet", "--format", "json", "--output", str(output), "--save", str(path)]) == 1
    return path, json.loads(output.read_text(encoding="utf-8"))

"""A report of the simulated organization, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from backup_rules_cli.main import main
from tests import browser as browsers


@pytest.fixture(scope="session")
def demo_report(demo_reading: tuple[Path, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert main(["report", "--quiet", "--from", str(demo_reading[0]), "--output", str(path)]) == 1
    return path


@pytest.fixture(scope="module")  # no longer: Playwright keeps an event loop running
def browser() -> Iterator[Browser]:
    with browsers.browser() as found:
        if found is None:
            pytest.skip(browsers.WHY_NOT)
        yield found

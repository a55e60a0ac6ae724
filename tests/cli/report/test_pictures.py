"""The pictures in `docs/`: they are those of the report as it is, small, shown, and the command makes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from backup_rules_cli.catalogue import ROOT
from tests import pictures

NAMES = [*(f"{shot[0]}.png" for shot in pictures.SHOTS), pictures.WEEK]


def test_they_are_of_the_report_as_it_is() -> None:
    assert pictures.DIGEST.read_text(encoding="utf-8").strip() == pictures.digest(), (
        "run make pictures, and look at them"
    )


def test_there_are_no_others() -> None:
    assert sorted(each.name for each in pictures.FOLDER.iterdir()) == sorted([*NAMES, pictures.DIGEST.name])


@pytest.mark.parametrize("name", NAMES)
def test_each_is_small_and_shown(name: str) -> None:
    assert 2_000 < (pictures.FOLDER / name).stat().st_size < 300_000
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert [page for page in pages if f"pictures/{name})" in page.read_text(encoding="utf-8")] != []


@pytest.mark.slow
def test_the_command_makes_them(browser: Browser, tmp_path: Path) -> None:
    pictures.take(browser, tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(NAMES)

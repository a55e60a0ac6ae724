"""A headless Chromium, for tests of pages and for the pictures in `docs/`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WHY_NOT = f"no Chromium here: install one of {', '.join(NAMES)}, or name its file in CHROMIUM"


def chromium(playwright: Playwright) -> str | None:
    """The file of the browser: that of CHROMIUM, the machine's own, or one that Playwright has installed."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    own = playwright.chromium.executable_path
    return found or (own if Path(own).is_file() else None)


@contextmanager
def browser() -> Iterator[Browser | None]:
    """The browser, for as long as the context lasts; None where the machine has none."""
    with sync_playwright() as playwright:
        path = chromium(playwright)
        if path is None:
            yield None
            return
        # Chromium's sandbox does not start as root, as which containers run.
        arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        started = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield started
        finally:
            started.close()

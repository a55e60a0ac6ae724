"""`make pictures`: the pictures of the report that the documentation shows, of the simulated organization.

Beside them stands what they were made from, as a digest: `tests/cli/report/test_pictures.py` fails when that has
changed since. The pixels themselves depend on the fonts of the machine.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from backup_rules_cli.catalogue import ROOT
from backup_rules_cli.main import main as backup_rules
from tests import browser as browsers

FOLDER = ROOT / "docs" / "pictures"
DIGEST = FOLDER / "made-from.txt"
_REPORT = ROOT / "cli" / "backup_rules_cli" / "report"

# Name, width, dark or light, and the part of the page that is shown.
SHOTS = (
    ("report", 1200, "light", "#top", 560),
    ("matrix", 1200, "light", "#matrix", 640),
    ("week", 1200, "light", ".plan[open-in-picture]", 620),
    ("plan", 1200, "dark", ".plan[open-in-picture]", 760),
    ("narrow", 360, "light", "#top", 720),
)
WEEK = "week.svg"
_PLAN = "databases-nightly"


def digest() -> str:
    """Of all that decides how the report looks."""
    made = hashlib.sha256()
    for path in sorted((*_REPORT.rglob("*.py"), *_REPORT.glob("pages/*"))):
        made.update(path.relative_to(_REPORT).as_posix().encode())
        made.update(path.read_bytes())
    return made.hexdigest()


def take(browser: Browser, folder: Path) -> None:
    """Make the report, and the pictures of it in the folder."""
    with tempfile.TemporaryDirectory() as temporary:
        page = Path(temporary) / "report.html"
        backup_rules(["report", "--quiet", "--output", str(page)])
        for name, width, scheme, part, height in SHOTS:
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light"
            )
            shown = context.new_page()
            shown.goto(page.as_uri())
            _mark(shown)
            shown.locator(part).first.evaluate("each => each.scrollIntoView()")
            shown.screenshot(path=folder / f"{name}.png")
            context.close()
    backup_rules(["report", "--quiet", "--format", "svg", "--plan", _PLAN, "--output", str(folder / WEEK)])


def _mark(shown: Page) -> None:
    """The plan whose week is shown: one that has conflicts."""
    shown.locator(f".plan:has(h3:text-is('{_PLAN}'))").first.evaluate(
        "each => each.setAttribute('open-in-picture', '')"
    )


def main() -> int:
    with browsers.browser() as browser:
        if browser is None:
            sys.stderr.write(f"{browsers.WHY_NOT}\n")
            return 2
        FOLDER.mkdir(exist_ok=True)
        take(browser, FOLDER)
    DIGEST.write_text(f"{digest()}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

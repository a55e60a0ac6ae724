"""The report in headless Chromium: how it lies on screens and paper, and whether everybody can use it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page

from backup_rules_cli.answers.plans import PlanAnswer
from backup_rules_cli.main import main
from tests.cli.report.test_report import many, of_answers, poisoned

Scheme = Literal["dark", "light"]

pytestmark = pytest.mark.slow


@contextmanager
def opened(browser: Browser, path: Path, width: int = 1600, scheme: Scheme = "light") -> Iterator[Page]:
    """The page, as it is after all was loaded; whatever it asks for or complains about fails the test."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    shown = context.new_page()
    noticed: list[str] = []
    shown.on("console", lambda message: noticed.append(message.text))
    shown.on("pageerror", lambda error: noticed.append(str(error)))

    def dismiss(dialog: Dialog) -> None:
        noticed.append(dialog.message)
        dialog.dismiss()

    shown.on("dialog", dismiss)
    shown.on("request", lambda request: noticed.append(request.url))
    try:
        shown.goto(path.as_uri())
        yield shown
        assert [each for each in noticed if each not in {path.as_uri(), "data:,"}] == []
    finally:
        context.close()


def unfold(shown: Page) -> None:
    shown.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_nothing_runs_over_the_side(browser: Browser, demo_report: Path, width: int) -> None:
    with opened(browser, demo_report, width) as shown:
        unfold(shown)
        assert shown.evaluate("document.documentElement.scrollWidth") == width
        over = """[...document.querySelectorAll('main *')].filter(each =>
            !each.closest('.wide, pre, svg') && each.getBoundingClientRect().right > innerWidth + 1
        ).map(each => each.outerHTML.slice(0, 80))"""
        assert shown.evaluate(over) == []


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1600, "dark")])
def test_the_accessibility_checker_finds_nothing(
    browser: Browser, demo_report: Path, width: int, scheme: Scheme
) -> None:
    with opened(browser, demo_report, width, scheme) as shown:
        unfold(shown)
        found = Axe().run(shown).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []


def _ground(shown: Page) -> list[int]:
    colour: str = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    return [int(each) for each in colour.strip("rgb()").split(",")]


def test_it_is_dark_where_the_reader_has_it_dark_and_never_on_paper(browser: Browser, demo_report: Path) -> None:
    with opened(browser, demo_report, scheme="light") as shown:
        assert min(_ground(shown)) > 200
    with opened(browser, demo_report, scheme="dark") as shown:
        assert max(_ground(shown)) < 60
        shown.emulate_media(media="print")
        assert min(_ground(shown)) > 200


def test_on_paper_folded_plans_are_whole_and_the_table_fits(browser: Browser, demo_report: Path) -> None:
    with opened(browser, demo_report, 720) as shown:  # A4 at 96 dots an inch, without its margins
        shown.emulate_media(media="print")
        assert shown.evaluate("document.documentElement.scrollWidth") <= 720
        folded = "[...document.querySelectorAll('.plan > details:not([open]) h4')]"
        assert shown.evaluate(f"{folded}.length") > 50
        assert shown.evaluate(f"{folded}.filter(each => !each.checkVisibility()).length") == 0
        assert not shown.locator("nav").is_visible()
        commands = "[...document.querySelectorAll('.found details:not([open]) pre, .cause > details:not([open]) .how')]"
        assert shown.evaluate(f"{commands}.length") > 50
        assert shown.evaluate(f"{commands}.filter(each => !each.checkVisibility()).length") == 0
        # What says the same as a picture stays folded, and leaves no heading of nothing.
        assert not shown.locator("summary:has-text('in words')").first.is_visible()


def test_the_keyboard_comes_to_everything_in_the_order_of_the_page(browser: Browser, demo_report: Path) -> None:
    with opened(browser, demo_report) as shown:
        seen: list[tuple[str, float]] = []
        for _ in range(60):
            shown.keyboard.press("Tab")
            html, position = shown.evaluate("""[document.activeElement.outerHTML.slice(0, 60),
                [...document.querySelectorAll('*')].indexOf(document.activeElement)]""")
            seen.append((html, position))
            assert shown.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", html
        assert seen[0][0].startswith('<a class="skip"')
        assert [position for _, position in seen] == sorted(position for _, position in seen)
        assert any('href="#f' in html for html, _ in seen)


def test_a_broken_cell_leads_to_its_finding_and_a_plans_name_unfolds_it(browser: Browser, demo_report: Path) -> None:
    with opened(browser, demo_report) as shown:
        cell = shown.locator(".matrix td.bad a").first
        target = cell.get_attribute("href") or ""
        cell.focus()
        shown.keyboard.press("Enter")
        assert shown.locator(target).is_visible()
        last = shown.locator(".matrix tbody th a").last
        plan = last.get_attribute("href") or ""
        assert not shown.locator(plan).is_visible()
        last.click()
        assert shown.locator(plan).is_visible()


def test_a_conflict_shows_by_more_than_its_colour(browser: Browser, demo_report: Path) -> None:
    """It is a cross, and what is too close before a window is hatched: shapes that no other thing has."""
    with opened(browser, demo_report) as shown:
        figure = shown.locator(".plan figure:has(.join)").first
        assert figure.locator(".cross").count() > 2 * 7
        assert "#hatch" in shown.evaluate("getComputedStyle(document.querySelector('figure .buffer')).fill")
        assert shown.evaluate("getComputedStyle(document.querySelector('figure .cross')).strokeWidth") == "2.5px"
        assert shown.evaluate("document.querySelector('.plan details[open] .join') !== null")


def test_the_page_reads_without_scripts(browser: Browser, demo_report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    try:
        shown = context.new_page()
        shown.goto(demo_report.as_uri())
        assert shown.locator("h1").inner_text() == "Why backup plans run, or do not"
        assert shown.locator("#findings .found li").first.is_visible()
    finally:
        context.close()


def test_planted_scripts_do_not_run(
    browser: Browser, answers: Sequence[PlanAnswer], demo_reading: tuple[Path, Any], tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    told = of_answers([poisoned(each) for each in answers], demo_reading[0])
    path.write_text(told.replace("script-src", "x"), encoding="utf-8")
    with opened(browser, path, 360) as shown:
        unfold(shown)
        assert shown.evaluate("document.scripts.length") == 0
        assert shown.evaluate("document.documentElement.scrollWidth") == 360


def test_twenty_thousand_findings_open_within_seconds(
    browser: Browser, answers: Sequence[PlanAnswer], demo_reading: tuple[Path, Any], tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(of_answers(many(answers, 20_000), demo_reading[0]), encoding="utf-8")
    begun = time.monotonic()
    with opened(browser, path) as shown:
        shown.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert time.monotonic() - begun < 10


def test_a_plans_week_is_a_picture_of_its_own(browser: Browser, demo_reading: tuple[Path, Any], tmp_path: Path) -> None:
    path = tmp_path / "week.svg"
    arguments = ["--quiet", "--format", "svg", "--plan", "shares-nightly", "--output", str(path)]
    assert main(["report", "--from", str(demo_reading[0]), *arguments]) == 1
    with opened(browser, path, scheme="dark") as shown:
        assert shown.evaluate("document.documentElement.tagName") == "svg"
        assert shown.evaluate("getComputedStyle(document.querySelector('.paper')).fill") == "rgb(20, 23, 28)"

"""The parts of the documentation that are made from the rules' metadata: `make docs`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backup_rules_cli import rules_page
from backup_rules_cli.catalogue import RuleFolder, rule_folders
from backup_rules_cli.costs.tables import page_parts, with_parts
from backup_rules_cli.resources import ROOT

BEGIN, END = "<!-- rules: made by `make docs` -->", "<!-- end of rules -->"


def table(folders: Sequence[RuleFolder]) -> str:
    """The rules' table of the README: a row per rule folder."""
    rows = [
        "| Rule | Its condition | Runs | Severity |",
        "|---|---|---|---|",
    ]
    for folder in folders:
        about = folder.about
        rows.append(
            f"| [{folder.name}](rules/{folder.name}/README.md) | {about['Condition']} | {rules_page.runs(folder)} |"
            f" {about['Severity'].lower()} |"
        )
    return "\n".join(rows)


def with_table(page: str, rows: str) -> str:
    """`page` with the rows between its two marks.

    Raises:
        ValueError: when a mark is missing.
    """
    if BEGIN not in page or END not in page:
        raise ValueError(f"The page lacks the marks {BEGIN!r} and {END!r}, between which the table belongs.")
    before, rest = page.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{rows}\n{END}{rest.split(END, 1)[1]}"


def pages() -> dict[Path, str]:
    """The pages with what is made from the rules, by where they lie."""
    folders = rule_folders()
    readme, costs = ROOT / "README.md", ROOT / "docs" / "cost-and-quotas.md"
    return {
        readme: with_table(readme.read_text(encoding="utf-8"), table(folders)),
        rules_page.PAGE: rules_page.page(folders),
        costs: with_parts(costs.read_text(encoding="utf-8"), page_parts(folders)),
    }

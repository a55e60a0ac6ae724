"""The parts of the documentation that are made from the rules' metadata: `make docs`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from backup_rules_cli import commands_page, rules_page
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


def sets_table(folders: Sequence[RuleFolder], page: str) -> str:
    """The rule sets' table of rdk-config's page: what each set is about is kept from the page itself."""
    sets: dict[str, list[str]] = defaultdict(list)
    for folder in folders:
        for name in folder.metadata["RuleSets"]:
            sets[name].append(folder.name)
    about = dict(re.findall(r"^\| `([\w-]+)` \|\s*([^|]*?)\s*\|[^|]*\|$", page, re.MULTILINE))
    rows = ["| Set | What it is about | Rules |", "|---|---|---|"]
    for name, rules in sorted(sets.items()):
        listed = " ".join(f"`{rule}`" for rule in rules)
        rows.append(f"| `{name}` | {about.get(name, 'say here what the set is about')} | {listed} |")
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
    """The pages with what is made from the rules and the commands, by where they lie."""
    folders = rule_folders()
    readme, costs = ROOT / "README.md", ROOT / "docs" / "cost-and-quotas.md"
    sets = ROOT / "rdk-config" / "README.md"
    sets_page = sets.read_text(encoding="utf-8")
    return {
        readme: with_table(readme.read_text(encoding="utf-8"), table(folders)),
        sets: with_table(sets_page, sets_table(folders, sets_page)),
        rules_page.PAGE: rules_page.page(folders),
        commands_page.PAGE: commands_page.page(),
        costs: with_parts(costs.read_text(encoding="utf-8"), page_parts(folders)),
    }

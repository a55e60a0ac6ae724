"""`make docs`: the parts of the documentation that are made from the rules' metadata.

`--check` changes nothing and exits 1 when a generated part is stale.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from backup_rules_cli import rules_page
from backup_rules_cli.catalogue import ROOT, RuleFolder, rule_folders

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Rewrite the README's table and the pages that are made whole; with `--check` only compare."""
    stale = [page(arguments) for page in (_readme, rules_page.main)]
    return max(stale)


def _readme(arguments: Sequence[str] | None) -> int:
    readme = Path(ROOT / "README.md")
    page = readme.read_text(encoding="utf-8")
    made = with_table(page, table(rule_folders()))
    if made == page:
        return 0
    if "--check" in (sys.argv[1:] if arguments is None else arguments):
        print("README.md is stale: run `make docs`.", file=sys.stderr)
        return 1
    readme.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m backup_rules_cli.templates`: write the templates; with `--check` exit 1 naming what is stale."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from backup_rules_cli.catalogue import ROOT, rule_folders
from backup_rules_cli.templates import templates


def main(arguments: Sequence[str] | None = None, folder: Path = ROOT / "cloudformation") -> int:
    """The command line."""
    check = "--check" in (sys.argv[1:] if arguments is None else arguments)
    stale = 0
    for name, text in sorted(templates(rule_folders()).items()):
        path = folder / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if check:
            print(f"cloudformation/{name} is stale: run `make templates`.", file=sys.stderr)
            stale = 1
        else:
            path.write_text(text, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main())

"""What the page of a rule says on mending it, as HTML. The pages are the project's own; markdown-it-py renders them."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup

_SECTION = re.compile(r"^## How to fix it\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)


@lru_cache
def how_to_fix(rule_folder: Path) -> Markup:
    """In the console, with the CLI and with CloudFormation, as far as the page has it; empty where it has nothing."""
    found = _SECTION.search((rule_folder / "README.md").read_text(encoding="utf-8"))
    if found is None:
        return Markup()
    # No links: they lead to files beside the page, which the report does not bring along.
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "autolink"])
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", _COMMENT.sub("", found[1]))
    html = reader.render(text).replace("<pre>", '<pre tabindex="0">')
    return Markup(html)  # noqa: S704 - rendered with HTML turned off

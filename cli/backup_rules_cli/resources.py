"""Where the files lie that the commands work with: at the top of a checkout, or inside the package of a wheel."""

from __future__ import annotations

from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
_PACKAGED = Path(__file__).resolve().parent / "resources"

ROOT = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
"""The folder of `rules/`, `cloudformation/`, `functions/`, `remediation/` and `rdk-config/`."""

IN_CHECKOUT = ROOT == _CHECKOUT
"""Whether the project itself is there, with what is written from the rules: pages, templates."""

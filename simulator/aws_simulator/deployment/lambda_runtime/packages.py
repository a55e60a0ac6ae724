"""What the Lambda runtime for Python ships: boto3, the runtime client, and what both of them need."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

DISTRIBUTIONS = (
    "boto3",
    "botocore",
    "jmespath",
    "python-dateutil",
    "s3transfer",
    "six",
    "urllib3",
    "awslambdaric",
    "simplejson",
    "snapshot-restore-py",
)
"""All that a function may import beside its own zip, its layers and the standard library."""

_ANY_PYTHON = Path(__file__).with_name("any_python")
"""Modules that stand in for native code where that was built for another Python: Python prefers native ones."""


def runtime_folder(folder: Path) -> Path:
    """Makes `folder`, the counterpart of Lambda's `/var/runtime`: links to the installed distributions, and no more.

    Raises:
        ModuleNotFoundError: when one of them is not installed.
    """
    folder.mkdir(parents=True)
    for name in DISTRIBUTIONS:
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            raise ModuleNotFoundError(
                f"{name} is not installed in {sys.prefix}; functions cannot run without it. Run `make setup`"
                " (awslambdaric is for Linux only)."
            ) from None
        entries = {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}
        for entry in sorted(entries):
            if not entry.endswith(".dist-info"):
                (folder / entry).symlink_to(Path(str(installed.locate_file(entry))).resolve())
    for module in _ANY_PYTHON.glob("*.py"):
        (folder / module.name).symlink_to(module.resolve())
    return folder

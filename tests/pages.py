"""The shell blocks of the project's pages, and the real AWS CLI that runs them against the simulator's server."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from backup_rules_cli.catalogue import ROOT
from tests.front_door import Door


def shell_blocks(page: Path) -> list[str]:
    """What stands between ```sh and ``` on the page, block by block."""
    return re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def execute(script: str, door: Door, url: str, **variables: str) -> str:
    """Run the commands in the door's account, as a person there would; what they print.

    Raises:
        AssertionError: a command failed; with what it said.
    """
    credentials = door.session.get_credentials().get_frozen_credentials()
    environment = {
        "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": door.region,
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_SESSION_TOKEN": credentials.token,
        **variables,
    }
    done = subprocess.run(  # noqa: S603 - the commands of our own pages
        ["/bin/bash", "-euc", script], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

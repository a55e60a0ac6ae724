"""The pipelines of docs/pipelines.md: they are YAML, run commands that there are, and name actions by commit."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from backup_rules_cli.catalogue import ROOT
from backup_rules_cli.main import PROGRAM, command

PAGE = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
GITHUB, GITLAB = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("pipeline", [GITHUB, GITLAB], ids=["GitHub", "GitLab"])
def test_the_commands_are_as_the_program_takes_them(pipeline: str) -> None:
    lines = [each for each in texts(yaml.safe_load(pipeline)) if each.startswith(f"{PROGRAM} ")]
    assert lines
    for line in lines:
        _, name, *arguments = shlex.split(line)
        command(name).make_context(name, arguments)


def test_actions_are_named_by_commit() -> None:
    used = re.findall(r"uses: (.*)", GITHUB)
    assert len(used) == 3
    for each in used:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)


def test_actions_of_our_own_pipeline_are_the_same_version() -> None:
    own = (ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8")
    checkout = re.findall(r"uses: (actions/checkout@.*)", GITHUB)
    assert set(checkout) == set(re.findall(r"uses: (actions/checkout@.*)", own))


def test_the_github_job_may_do_no_more_than_it_must() -> None:
    workflow = yaml.safe_load(GITHUB)
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "read", "id-token": "write", "security-events": "write"}

"""The page of all commands, the examples in their help, and what shells complete."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import get_completion_class

from backup_rules_cli.commands_page import PAGE, examples, page
from backup_rules_cli.main import COMMANDS, PROGRAM, backup_rules, command, main

EVERY_COMMAND = pytest.mark.parametrize("name", COMMANDS)


def words(line: str) -> list[str]:
    """The words that the program gets of a line of shell."""
    inner = line.removeprefix('eval "$(').removesuffix(')"').rpartition(" && ")[2]
    given = shlex.split(inner.partition(">")[0])
    return given[given.index(PROGRAM) + 1 :]


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


@EVERY_COMMAND
def test_the_help_of_every_command_teaches_with_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each example is of this command, and with options that it has, and values that it takes."""
    assert main([name, "--help"]) == 0
    told = capsys.readouterr().out
    lines = examples(command(name))
    assert lines
    for line in lines:
        assert f"\n    {line}\n" in f"{told}\n"
        its_name, *arguments = words(line)
        assert its_name == name
        command(name).make_context(name, arguments)


def test_an_option_that_is_gone_is_noticed() -> None:
    with pytest.raises(click.UsageError):
        command("evaluate").make_context("evaluate", ["--regoin", "eu-west-1"])


@EVERY_COMMAND
def test_the_page_has_every_option(name: str) -> None:
    _, _, rest = page().partition(f"\n## {PROGRAM} {name}\n")
    section = rest.partition("\n## ")[0]
    options = [text for each in command(name).params if isinstance(each, click.Option) for text in each.opts]
    assert [text for text in options if f"`{text}" not in section and f" {text}" not in section] == []


def complete(*typed: str) -> list[str]:
    """What bash is offered for the last word."""
    made = get_completion_class("bash")
    assert made is not None
    *before, last = typed
    return [each.value for each in made(backup_rules, {}, PROGRAM, "_VARIABLE").get_completions(before, last)]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (("exp",), ["explain"]),
        (("evaluate", "--sav"), ["--save", "--save-baseline"]),
        (("evaluate", "--rules", "BACKUP_TAG"), ["BACKUP_TAG_CASE", "BACKUP_TAG_WHITESPACE"]),
        (("evaluate", "--rules", "BACKUP_TAG_CASE,BACKUP_FSX"), ["BACKUP_TAG_CASE,BACKUP_FSX_WINDOW_CONFLICT"]),
        (("explain", "--region", "eu-wes"), ["eu-west-1", "eu-west-2", "eu-west-3"]),
        (("explain", "--profile", "pay"), ["payments"]),
    ],
    ids=" ".join,
)
def test_what_a_shell_offers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...], offered: list[str]
) -> None:
    path = tmp_path / "config"
    path.write_text("[profile payments]\nregion = eu-west-1\n[profile orders]\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    assert complete(*typed) == offered


@pytest.mark.parametrize(("shell", "says"), [
    ("bash", "_BACKUP_RULES_COMPLETE=bash_complete"),
    ("zsh", "#compdef backup-rules"),
    ("fish", "complete --no-files --command backup-rules"),
])  # fmt: skip
def test_completion_prints_what_each_shell_reads(shell: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert says in capsys.readouterr().out


def test_bash_asks_the_program(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name(PROGRAM)
    script = f"""eval "$({program} completion bash)"; complete -p {PROGRAM} >&2
        _BACKUP_RULES_COMPLETE=bash_complete COMP_WORDS="{PROGRAM} exp" COMP_CWORD=1 {program}"""
    done = subprocess.run(["/bin/bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert PROGRAM in done.stderr
    assert done.stdout == "plain,explain\n"

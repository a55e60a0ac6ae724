"""How `backup-rules` ends, what it prints where, and what it makes of a mistake; run as a person runs it."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from backup_rules_cli import catalogue, console
from backup_rules_cli.main import COMMANDS, main
from backup_rules_cli.resources import ROOT

PROGRAM = str(Path(sys.executable).with_name("backup-rules"))
ONE_RULE = ("evaluate", "--rules", "BACKUP_POLICY_ATTACHED")


def environment(**changes: str) -> dict[str, str]:
    """A person's environment, without AWS: no profile, no credentials, none of an instance."""
    kept = {key: text for key, text in os.environ.items() if not key.startswith("AWS_")}
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return kept | nothing | {"AWS_EC2_METADATA_DISABLED": "true"} | changes


def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [PROGRAM, *arguments]
    return subprocess.run(command, env=environment(**changes), capture_output=True, text=True, check=False)  # noqa: S603 - our own program


def shell(script: str) -> subprocess.CompletedProcess[str]:
    command = ["/bin/bash", "-c", script]
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)  # noqa: S603 - our own program


# --- Mistakes: one line, what is near, and 2 -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["evalute"], "There is no command 'evalute'. Did you mean evaluate?"),
        (["evaluate", "--regoin", "eu-west-1"], "Did you mean '--region'?"),
        (["evaluate", "--rules", "backup-tag-cas"], "There is no rule backup-tag-cas. Did you mean BACKUP_TAG_CASE?"),
        (["evaluate", "--parameter", "BufferMinute=9"], "has a parameter BufferMinute. Did you mean BufferMinutes?"),
        (["evaluate", "--parameter", "BufferMinutes=soon"], "Parameter BufferMinutes is 'soon'"),
        (["evaluate", "--parameter", "BufferMinutes"], "not of the form Name=value"),
        (["evaluate", "--region", "eu-wst-1"], "There is no Region 'eu-wst-1'. Did you mean eu-west-1?"),
        (["evaluate", "--region", "eu-west-1"], "No AWS credentials were found. Sign in"),
        (["evaluate", "--profile", "nobody"], "There is no profile 'nobody'. There are none"),
        (["query", "--region", "eu-west-1"], "No AWS credentials were found. Sign in"),
        (["query"], "The environment has no Region. Name one with --region"),
        (["query", "--region", "eu-west-1,eu-west-2"], "One Region can be asked"),
        (["verify", "--region", "eu-west-1"], "Unable to locate credentials. Sign in"),
        (["deploy", "--region", "eu-west-9"], "--region is 'eu-west-9'; allowed is a Region of AWS"),
        (["deploy", "--settings", "/no/such.yaml"], "The settings cannot be read"),
        (["costs", "--accounts", "many"], "--accounts is 'many'"),
        (["completion"], "Missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_told_in_one_line(arguments: list[str], told: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("backup-rules")


def test_a_profile_that_is_nearly_there_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile payments]\nregion = eu-west-1\n", encoding="utf-8")
    done = run("evaluate", "--profile", "payment", AWS_CONFIG_FILE=str(tmp_path / "config"))
    assert "There is no profile 'payment'. Did you mean payments?" in done.stderr


def test_without_rules_there_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(catalogue, "RULES", tmp_path)
    assert main(["evaluate"]) == 2
    assert "There are no rules in" in capsys.readouterr().err


def test_names_are_taken_one_by_one_or_as_lists(capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for given in (["BACKUP_TAG_CASE,BACKUP_TAG_WHITESPACE"], ["BACKUP_TAG_CASE , BACKUP_TAG_WHITESPACE"]):
        assert main(["costs", "--rules", *given]) == 0
        told.append(capsys.readouterr().out)
    assert main(["costs", "--rules", "BACKUP_TAG_CASE", "--rules", "BACKUP_TAG_WHITESPACE"]) == 0
    assert {*told} == {capsys.readouterr().out}
    assert "BACKUP_TAG_WHITESPACE" in told[0]


# --- Ends ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def one_rule(demo_reading: tuple[Path, object]) -> tuple[str, ...]:
    """An evaluation by one rule, of what was read before."""
    return (*ONE_RULE, "--from", str(demo_reading[0]))


def test_the_end_of_an_evaluation(one_rule: tuple[str, ...]) -> None:
    done = run(*ONE_RULE, "--format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["counts"]["NON_COMPLIANT"] > 0
    assert "making an organization in memory" in done.stderr
    assert run(*one_rule, "--quiet").stderr == ""


def test_a_reader_that_has_seen_enough(one_rule: tuple[str, ...]) -> None:
    done = shell(f"{shlex.quote(PROGRAM)} {shlex.join(one_rule)} --quiet | head -1; echo ${{PIPESTATUS[0]}}")
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 2
    assert done.stdout.splitlines()[1] in ("1", "141")  # the reader may have waited for all of it
    closed = shell(f"{shlex.quote(PROGRAM)} query --show | (exec <&-; sleep 3); echo ${{PIPESTATUS[0]}}")
    assert (closed.stdout, closed.stderr) == ("141\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "--output"],
        ["evaluate", "--save-baseline"],
        ["evaluate", "--save"],
        ["explain", "--output"],
        ["report", "--output"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_written_is_told_before_anything_is_read(tmp_path: Path, arguments: list[str]) -> None:
    done = run(*arguments, str(tmp_path / "missing" / "file"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"backup-rules {arguments[0]}: {arguments[1]} {tmp_path}/missing/file cannot be written:"
        " No such file or directory."
    ]


def test_a_disk_that_is_full(demo_reading: tuple[Path, object]) -> None:
    told = "/dev/full cannot be written: No space left on device."
    given = ["evaluate", "--rules", "BACKUP_TAG_CASE", "--quiet", "--from", str(demo_reading[0])]
    done = run(*given, "--output", "/dev/full")
    assert (done.returncode, done.stderr) == (2, f"backup-rules evaluate: {told}\n")
    done = shell(f"{shlex.join([PROGRAM, *given])} > /dev/full; echo $? >&2")
    assert done.stderr.splitlines() == [
        "backup-rules evaluate: The output cannot be written: No space left on device.",
        "2",
    ]


def test_what_fails_leaves_no_file_behind(tmp_path: Path, demo_reading: tuple[Path, object]) -> None:
    path = tmp_path / "week.svg"
    given = ["report", "--format", "svg", "--plan", "nobody", "--quiet", "--from", str(demo_reading[0])]
    assert run(*given, "--output", str(path)).returncode == 2
    assert not path.exists()
    path.write_text("as it was", encoding="utf-8")
    assert run(*given, "--output", str(path)).returncode == 2
    assert path.read_text(encoding="utf-8") == "as it was"


def test_ctrl_c() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - our own program
        [PROGRAM, "evaluate"],
        env=environment(),
        stdout=pipe,
        stderr=pipe,
        # a background script's shell has its children ignore SIGINT, and they hand that on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads that hold locks matter here
    ) as it:
        assert it.stderr is not None
        assert it.stderr.readline()  # it has begun
        time.sleep(1)
        it.send_signal(signal.SIGINT)
        out, error = it.communicate(timeout=60)
    assert (it.returncode, out) == (130, b"")
    assert error.decode().splitlines()[-1] == "backup-rules: interrupted."
    assert b"Traceback" not in error


def test_a_busy_port_ends_it(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = run("simulate", "--port", port, "--profiles", str(tmp_path / "profiles"))
    assert done.returncode == 2
    assert f"Port {port} of 127.0.0.1 cannot be listened on: Address already in use" in done.stderr
    assert "Name another port with --port" in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert f"Usage: backup-rules {name}" in capsys.readouterr().out


# --- What is printed -------------------------------------------------------------------------------------------------

HOSTILE = "plan\x1b]52;c;Zm9v\x07\x9b2J\u202egood\u2028\n0 findings. All is well.\r\x00\ud800"


def test_nothing_from_elsewhere_moves_the_cursor_or_begins_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    console.show([HOSTILE])
    console.note(HOSTILE)
    captured = capsys.readouterr()
    for text in (captured.out, captured.err):
        assert text.endswith("\n")
        assert text.count("\n") == 1
        assert text[:-1].isprintable()
        assert r"\u001b]52;c;Zm9v\u0007\u009b2J\u202egood\u2028\u000a0 findings" in text


def test_json_is_as_safe_and_means_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_json({"name": HOSTILE, "letters": "Zürich 東京 🗄"})
    text = capsys.readouterr().out
    assert all(line.isprintable() for line in text.split("\n"))
    assert "Zürich 東京 🗄" in text
    assert json.loads(text) == {"name": HOSTILE, "letters": "Zürich 東京 🗄"}


def on_a_terminal(columns: int, *arguments: str, **changes: str) -> str:
    """What the program prints on a terminal that is so wide."""
    main_side, its_side = pty.openpty()
    size = {"COLUMNS": str(columns), "LINES": "24", "TERM": "xterm-256color"}
    with subprocess.Popen([PROGRAM, *arguments], env=environment(**size, **changes), stdout=its_side, stderr=its_side):  # noqa: S603
        os.close(its_side)
        text = b""
        while chunk := _read(main_side):
            text += chunk
    os.close(main_side)
    return text.decode()


def _read(end: int) -> bytes:
    try:
        return os.read(end, 65_536)
    except OSError:  # the other end is closed
        return b""


@pytest.mark.parametrize("changes", [{}, {"NO_COLOR": "1"}], ids=["colour", "NO_COLOR"])
def test_a_terminal_gets_colour_unless_it_is_not_wanted(changes: Mapping[str, str], one_rule: tuple[str, ...]) -> None:
    text = on_a_terminal(100, *one_rule, "--quiet", **changes)
    assert ("\x1b[" in text) is not bool(changes)
    assert "NON_COMPLIANT" in text


def test_a_narrow_terminal_is_respected(one_rule: tuple[str, ...]) -> None:
    lines = on_a_terminal(72, *one_rule, "--quiet", NO_COLOR="1").splitlines()
    assert max(len(line) for line in lines if not line.startswith("A simulated")) <= 72


def test_explain_on_a_narrow_terminal(demo_reading: tuple[Path, object]) -> None:
    lines = on_a_terminal(80, "explain", "ledger-nightly", "--quiet", "--from", str(demo_reading[0])).splitlines()
    assert "Conditions: 1 broken, 9 holds, 7 not concerned" in lines
    assert {line.split()[0] for line in lines if len(line) > 80} == {"$"}  # commands are copied whole


def test_the_list_of_rules_on_a_narrow_terminal() -> None:
    """A line each where a program reads it."""
    lines = on_a_terminal(80, "evaluate", "--list-rules", NO_COLOR="1").splitlines()
    assert max(map(len, lines)) <= 80
    begun = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert begun == [line.split()[0] for line in run("evaluate", "--list-rules").stdout.splitlines()]
    assert all(line.startswith(" " * 39) for line in lines if line.startswith(" "))


def test_progress_on_a_narrow_terminal(demo_reading: tuple[Path, object]) -> None:
    """What is done of how much, how long it has taken, and the calls made, with room for where it is."""
    text = on_a_terminal(80, "evaluate", "--rules", "BACKUP_TAG_CASE", "--from", str(demo_reading[0]), NO_COLOR="1")
    drawn = re.findall(r"[━╸╺]+ +(.*?) *[\r\n]", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text))
    assert drawn
    assert re.fullmatch(r"\d+/10 0:00:\d\d (\d+ calls, \S+, \S+: .*)?", drawn[-1])
    assert max(map(len, drawn)) <= 80 - 21


# --- make ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("deploy REGION=eu-west-1", "make deploy takes no REGION. Did you mean REGIONS?"),
        ("evaluate RULE=BACKUP_TAG_CASE", "make evaluate takes no RULE. Did you mean RULES?"),
        ("evaluate REGIONS=eu-west-1", "make evaluate takes no REGIONS. Did you mean REGION?"),
        ("simulate port=1", "make simulate takes no port."),
        ("help FORMAT=json", "make help takes no FORMAT."),
    ],
)
def test_make_refuses_what_a_target_does_not_take(given: str, told: str) -> None:
    done = shell(f"make {given}")
    assert done.returncode == 2
    assert told in done.stderr


def test_make_hands_its_variables_over_and_prints_nothing_but_json() -> None:
    done = shell("make -s evaluate FORMAT=json RULES='BACKUP_POLICY_ATTACHED, BACKUP_POLICY_ROLE_EXISTS'")
    assert done.returncode == 0, done.stderr
    assert {each["rule"] for each in json.loads(done.stdout)["evaluations"]} == {
        "BACKUP_POLICY_ATTACHED",
        "BACKUP_POLICY_ROLE_EXISTS",
    }

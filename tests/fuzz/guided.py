"""The readers under atheris, which keeps what reaches new code and goes on from there.

    PYTHONPATH=build/atheris python -m tests.fuzz.guided [--seconds 10] [--seed NUMBER] [--target NAME …]

Each reader runs in a process of its own: atheris ends the one that it is started in. What hypothesis makes of atheris's
bytes is given to the reader. Exit status 1 when one raises what it must not, with what it was given.
"""

from __future__ import annotations

import argparse
import importlib
import re
import secrets
import subprocess
import sys
import tempfile
from typing import Any


def fuzz(name: str, seconds: int, number: int) -> None:
    """One reader, in this process, which ends with it. What atheris is to watch is imported under its eyes."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["backup_rules"]):
        from tests.fuzz.fuzz import as_test  # noqa: PLC0415
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415

    test: Any = as_test(TARGETS[name], number, 1, lambda: None)
    arguments = [
        f"-max_total_time={seconds}",
        f"-seed={number or 1}",
        "-exact_artifact_path=/dev/null",
        "-max_len=4096",
    ]
    atheris.Setup([sys.argv[0], *arguments], test.hypothesis.fuzz_one_input)
    atheris.Fuzz()


def in_a_process(name: str, seconds: int, number: int) -> tuple[int, str]:
    """The exit status, and what was printed."""
    command = [sys.executable, "-m", "tests.fuzz.guided", "--here", name, "--seconds", str(seconds)]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as out:
        ended = subprocess.run([*command, "--seed", str(number)], stdout=out, stderr=subprocess.STDOUT, check=False)  # noqa: S603 - our own module
        out.seek(0)
        return ended.returncode, out.read()


def tried(printed: str) -> str:
    """From libFuzzer's last lines: how many inputs were tried, and how many places of the code they reached."""
    runs = re.findall(r"Done (\d+) runs|#(\d+)\s", printed)
    reached = re.findall(r"\bcov: (\d+)", printed)
    last = next((int(each[0] or each[1]) for each in reversed(runs)), 0)
    return f"{last:>10,} tried{int(reached[-1]) if reached else 0:>8,} places reached"


def main() -> int:
    """Each reader in turn; what each tried, and what those that failed were given."""
    parser = argparse.ArgumentParser(description="Fuzzing of the readers, guided by coverage.")
    parser.add_argument("--seconds", type=int, default=10, help="for each reader (default: 10)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 31))
    parser.add_argument("--target", action="append", help="only this reader, such as trust-document; repeatable")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        fuzz(options.here, options.seconds, options.seed)
        return 0
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - not where atheris is to watch

    by_word = {name.lower().replace(" ", "-"): name for name in TARGETS}
    if unknown := set(options.target or ()) - set(by_word):
        parser.error(f"no reader is called {', '.join(sorted(unknown))}; there are {', '.join(by_word)}")
    print(f"seed {options.seed}", flush=True)  # noqa: T201
    broken: dict[str, str] = {}
    for name in (by_word[each] for each in options.target or by_word):
        status, printed = in_a_process(name, options.seconds, options.seed)
        print(f"{name:<28}{tried(printed)}", flush=True)  # noqa: T201
        if status:
            broken[name] = printed[-3_000:]
    for name, why in broken.items():
        print(f"{name}:\n{why}")  # noqa: T201
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

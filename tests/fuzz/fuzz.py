"""Readers of what comes from elsewhere, given what nobody would write.

    python -m tests.fuzz.fuzz [--seconds 60] [--seed NUMBER]

Each reader answers, or raises what it says it raises with a message of bounded length. Exit status 1 when one does not.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.targets import GROWING, LONGEST_MESSAGE, TARGETS, Target

EXAMPLES = 100  # of one round
MOST_GROWTH = 9.0  # of the time from n to 4n: linear is 4, quadratic 16
LEAST_SECONDS = 0.02  # below which a time says nothing


def as_test(target: Target, number: int, examples: int, answered: Callable[[], None]) -> Callable[[], None]:
    """The reader as hypothesis tries it, from a seed; `answered` is told of what was not refused.

    Raises:
        Exception: what the reader raised and must not, with the smallest input that was found.
    """

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(target.given)
    def attempt(value: object) -> None:
        try:
            target.read(value)
        except target.may_raise as error:
            if len(str(error)) > LONGEST_MESSAGE:
                raise AssertionError(f"a message of {len(str(error))} characters") from error
        except Exception as error:
            error.add_note(f"given {value!a:.600}")
            raise
        else:
            answered()

    return attempt


def try_target(target: Target, number: int, examples: int = EXAMPLES) -> int:
    """A round of examples; how many were answered rather than refused. It raises what `as_test` does."""
    count: Counter[str] = Counter()
    as_test(target, number, examples, lambda: count.update(answered=1))()
    return count["answered"]


def growth(name: str) -> float:
    """How many times longer a reader takes for 4n than for n, by processor time."""
    make, read = GROWING[name]

    def seconds(n: int) -> float:
        given = make(n)
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            read(given)
            best = min(best, time.process_time() - start)
        return best

    n = 256
    while (least := seconds(n)) < LEAST_SECONDS and n < 1 << 18:
        n *= 2
    return seconds(4 * n) / max(least, LEAST_SECONDS)


def main() -> int:
    """Rounds of all targets until the time is over; a table of what was tried."""
    parser = argparse.ArgumentParser(description="Fuzzing of the readers.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)  # noqa: T201
    end, rounds = time.monotonic() + options.seconds, 0
    answered: Counter[str] = Counter()
    broken: dict[str, str] = {}
    while rounds == 0 or (time.monotonic() < end and len(broken) < len(TARGETS)):
        for name, target in TARGETS.items():
            if name in broken or (rounds and time.monotonic() > end):
                continue
            try:
                answered[name] += try_target(target, options.seed + rounds)
            except Exception as error:  # noqa: BLE001 - this is what is looked for
                notes = " ".join(getattr(error, "__notes__", []))
                broken[name] = f"{type(error).__name__}: {str(error)[:300]!a} {notes[:600]!a}"
        rounds += 1
    for name in TARGETS:
        print(f"{name:<28}{rounds * EXAMPLES:>9,} tried{answered[name]:>9,} answered")  # noqa: T201
    for name in GROWING:
        times = growth(name)
        if times > MOST_GROWTH:
            broken[name] = f"four times the size takes {times:.0f} times as long"
        print(f"{name:<28}{times:>9.1f} times as long for four times the size")  # noqa: T201
    for name, why in broken.items():
        print(f"{name}: {why}")  # noqa: T201
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

"""What is known stays quiet, in the open: findings that a file excludes, with a reason, and those of a baseline.

An exclusion names findings by rule, account, Region, plan and resource; `*` stands for any characters, `?` for any one.
One that has expired excludes nothing and is told, and so is one that excludes nothing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.errors import CommandError
from backup_rules_cli.invoke import Evaluated
from backup_rules_cli.reports import NON_COMPLIANT, Quiet, Report
from backup_rules_cli.suggestions import did_you_mean

_VERSION = 1
# Dates, times and counts, which change from day to day while the problem stays: not those within a name.
_NUMBER = re.compile(r"(?<![\w./-])\d[\d:.-]*(?![\w/])")


@dataclass(frozen=True)
class Exclusion:
    """Findings that nobody wants to hear of, and why. A place or name that is left out is any."""

    reason: str
    rule: str = "*"
    account: str = "*"
    region: str = "*"
    plan: str = "*"
    resource: str = "*"
    """The id, or the name of a selection."""
    expires: date | None = None
    """The last day on which it holds."""

    def excludes(self, found: Evaluated, plan: str, selection: str) -> bool:
        """Whether it is about that finding."""
        return (
            matches(self.rule, found.rule)
            and matches(self.account, found.account)
            and matches(self.region, found.region)
            and matches(self.plan, plan)
            and (matches(self.resource, found.resource_id) or matches(self.resource, selection))
        )

    def __str__(self) -> str:
        names = ("rule", "account", "region", "plan", "resource")
        said = [f"{name} {getattr(self, name)}" for name in names if getattr(self, name) != "*"]
        return f"{', '.join(said)} ({self.reason})"


def matches(pattern: str, name: str) -> bool:
    """Whether the name is what the pattern says, letter case included."""
    return _compiled(pattern).fullmatch(name) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (".*" if each == "*" else "." if each == "?" else re.escape(each) for each in pattern)
    return re.compile("".join(parts), re.DOTALL)


def load(path: Path) -> tuple[Exclusion, ...]:
    """The exclusions of a YAML file: a list under `exclusions`.

    Raises:
        CommandError: naming the file, the entry, and what is wrong with it.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - texts, lists and mappings only
    except OSError as error:
        raise CommandError(f"The exclusions {path} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CommandError(f"The exclusions {path} are not YAML: {' '.join(str(error).split())}") from None
    listed = document.get("exclusions") if isinstance(document, dict) and len(document) == 1 else None
    if not isinstance(listed, list):
        raise CommandError(f"The exclusions {path} must be a list under the one key exclusions.")
    try:
        return tuple(_exclusion(number, each) for number, each in enumerate(listed, 1))
    except CommandError as error:
        raise CommandError(f"{path}: {error}") from None


def _exclusion(number: int, given: object) -> Exclusion:
    known = [each.name for each in fields(Exclusion)]
    if not isinstance(given, dict):
        raise CommandError(f"Exclusion {number} is {given!r}; it must have keys: {', '.join(known)}.")
    for key, value in given.items():
        if key not in known:
            raise CommandError(
                f"Exclusion {number} has {key!r}.{did_you_mean(key, known)} Allowed: {', '.join(known)}."
            )
        if not isinstance(value, str) or not value.strip():
            raise CommandError(f"Exclusion {number}: {key} is {value!r}; it must be a text.")
    if "reason" not in given:
        raise CommandError(f"Exclusion {number} needs a reason.")
    if len(given) == 1 or set(given) <= {"reason", "expires"}:
        raise CommandError(f"Exclusion {number} would exclude all: name a rule, account, Region, plan or resource.")
    rules = [folder.name for folder in rule_folders()]
    rule = given.get("rule", "*")
    if not any(matches(rule, name) for name in rules):
        raise CommandError(f"Exclusion {number}: there is no rule {rule}.{did_you_mean(rule, rules)}")
    return Exclusion(**{**given, **({"expires": _day(number, given["expires"])} if "expires" in given else {})})


def _day(number: int, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"Exclusion {number}: expires is {text!r}; it must be a day such as 2027-01-31.") from None


def valid_on(day: date, exclusions: Iterable[Exclusion]) -> list[Exclusion]:
    """Those that hold on that day."""
    return [each for each in exclusions if each.expires is None or each.expires >= day]


def expired_on(day: date, exclusions: Iterable[Exclusion]) -> Iterator[str]:
    """What should be told of those that hold no longer."""
    for each in exclusions:
        if each.expires is not None and each.expires < day:
            yield f"An exclusion has expired on {each.expires}, and holds no longer: {each}"


def nothing_excluded(exclusion: Exclusion) -> str:
    """What should be told of one that holds and is about nothing that was found."""
    return f"An exclusion excludes nothing here: {exclusion}"


def exclude(report: Report, exclusions: Iterable[Exclusion]) -> Iterator[str]:
    """Move what is excluded out of the report's evaluations into its quiet ones; yields what should be told."""
    today = report.now.date()
    counts: Counter[Exclusion] = Counter()
    listed = tuple(exclusions)
    valid = valid_on(today, listed)
    yield from expired_on(today, listed)
    kept = []
    for found in report.evaluated:
        why = next((each for each in valid if found.compliance == NON_COMPLIANT and _about(each, found, report)), None)
        if why is None:
            kept.append(found)
        else:
            counts[why] += 1
            report.quiet.append(Quiet(found, why.reason))
    report.evaluated = kept
    yield from (nothing_excluded(each) for each in valid if not counts[each])


def _about(exclusion: Exclusion, found: Evaluated, report: Report) -> bool:
    return exclusion.excludes(found, *report.things.get((found.account, found.region, found.resource_id), ("", "")))


# --- Baseline --------------------------------------------------------------------------------------------------------


Identity = tuple[str, ...]


def identity(found: Evaluated) -> Identity:
    """What tells a problem from another: a second one behind a first has another annotation. Dates do not count."""
    what = _NUMBER.sub("#", found.annotation)
    return found.rule, found.account, found.region, found.resource_type, found.resource_id, what


def save_baseline(report: Report, path: Path) -> None:
    """Write the problems of the report, quiet ones too.

    Raises:
        CommandError: the file cannot be written.
    """
    quiet = (each.found for each in report.quiet)
    problems = sorted(map(identity, (*report.problems, *quiet)))
    document = {
        "version": _VERSION,
        "saved_at": report.now.isoformat(),
        "problems": problems,
    }
    try:
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"The baseline {path} cannot be written: {error.strerror}.") from None


@dataclass(frozen=True)
class Baseline:
    """The problems of a day."""

    saved_at: datetime
    problems: frozenset[Identity]

    def quieten(self, report: Report) -> None:
        """Move the problems that were there already out of the report's evaluations into its quiet ones."""
        kept = []
        for found in report.evaluated:
            if found.compliance == NON_COMPLIANT and identity(found) in self.problems:
                report.quiet.append(Quiet(found, f"in the baseline of {self.saved_at:%Y-%m-%d %H:%M} UTC"))
            else:
                kept.append(found)
        report.evaluated = kept


def load_baseline(path: Path) -> Baseline:
    """What `save_baseline` wrote.

    Raises:
        CommandError: it cannot be read, or is none.
    """
    try:
        document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] != _VERSION:
            raise CommandError(f"The baseline {path} is of version {document['version']}; known is {_VERSION}.")
        problems = frozenset(tuple(map(str, each)) for each in document["problems"])
        return Baseline(datetime.fromisoformat(document["saved_at"]), problems)
    except OSError as error:
        raise CommandError(f"The baseline {path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"{path} is no baseline: --save-baseline writes one.") from None

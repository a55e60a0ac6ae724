"""What a mail about new backup problems says: plain text, grouped by account and rule, never longer than SNS takes.

SNS takes 256 KB of a message, and 100 ASCII characters of a subject:
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backup_rules.compliance_changes import Change
from backup_rules.wording.annotations import name, shorten
from backup_rules.wording.quoting import plain, quote

MAX_SUBJECT = 100
MAX_BODY = 250_000  # bytes: 256 KB, less what SNS adds
WIDTH = 100
# What a mail shows of a resource id and of a reason: each stays on one line, whoever chose it.
LONGEST_ID, LONGEST_REASON = 120, 256
ARTICLE = "https://repost.aws/knowledge-center/aws-backup-troubleshoot-scheduled-backup-plans"
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")
_ORDINARY_ID = re.compile(r"[A-Za-z0-9:/._@+-]+")

Group = Sequence[Change]


@dataclass(frozen=True, slots=True)
class Mail:
    """One message for SNS."""

    subject: str
    body: str


def new_problems(changes: Iterable[Change]) -> list[Change]:
    """Each resource once for each rule, as it was found last; what was NON_COMPLIANT already is no news."""
    found: dict[tuple[str, ...], Change] = {}
    for change in sorted(changes, key=lambda each: each.recorded):
        if change.compliance == "NON_COMPLIANT" and change.previous != "NON_COMPLIANT":
            found[change.key] = change
    return list(found.values())


def mail(problems: Sequence[Change], resources_per_rule: int, pages_url: str) -> Mail:
    """One mail about all the problems.

    Args:
        problems: at least one; see `new_problems`.
        resources_per_rule: how many resources are told of each rule and account; the others are counted.
        pages_url: where the folder `rules` with the rules' pages can be read; '' for AWS's article instead.
    """
    groups = _groups(problems)
    opening = f"{_introduction(problems)}\n"
    blocks: list[str] = []
    size, left_out = len(opening.encode()), len(problems)
    for group in groups:
        block = _block(group, resources_per_rule, pages_url)
        if size + len(block.encode()) > MAX_BODY - 1_000:
            break
        blocks.append(block)
        size += len(block.encode())
        left_out -= len(group)
    if left_out:
        accounts = len({each.account for group in groups[len(blocks) :] for each in group})
        blocks.append(f"\n+{left_out} more in {_count(accounts, 'account')}, for which there is no room here.\n")
    closing = "\nAll present problems are in AWS Config: conformance packs, or an advanced query on the aggregator.\n"
    return Mail(_subject(problems), opening + "".join(blocks) + closing)


def _groups(problems: Sequence[Change]) -> list[Group]:
    """By account and rule: the most severe first, then what concerns most."""
    by_key: dict[tuple[str, str], list[Change]] = {}
    for each in problems:
        by_key.setdefault((each.account, each.rule_name), []).append(each)
    return [
        sorted(group, key=lambda each: (each.region, each.resource_type, each.resource_id))
        for _, group in sorted(
            by_key.items(), key=lambda item: (SEVERITIES.index(item[1][0].rule.severity), -len(item[1]), item[0])
        )
    ]


def _subject(problems: Sequence[Change]) -> str:
    places = {(each.account, each.region) for each in problems}
    accounts = len({account for account, _ in places})
    where = f"{_count(accounts, 'account')}"
    if len(places) == 1:
        ((account, region),) = places
        where = f"account {account}, {region}"
    subject = f"Backup rules: {_count(len(problems), 'new problem')} in {where}"
    return subject.encode("ascii", "replace").decode()[:MAX_SUBJECT]


def _introduction(problems: Sequence[Change]) -> str:
    accounts = len({each.account for each in problems})
    what = f"{_count(len(problems), 'new problem')} in {_count(accounts, 'account')}"
    return f"AWS Config has found {what}: backups that will be missed, or have been."


def _block(group: Group, resources_per_rule: int, pages_url: str) -> str:
    """The problems of one account with one rule."""
    first = group[0]
    rule = first.rule
    heading = f"Account {first.account}: {first.rule_name} ({rule.severity.lower()})"
    lines = ["", heading, "-" * len(heading), _wrapped(f"Expected: {rule.title}.")]
    for each in group[:resources_per_rule]:
        lines += [
            f"  * {each.region}, {each.resource_type} {_id(each.resource_id)}",
            f"    Reason: {_reason(each.annotation)}",
        ]
    if len(group) > resources_per_rule:
        lines.append(f"  +{len(group) - resources_per_rule} more")
    page = f"{pages_url.rstrip('/')}/rules/{rule.name}/README.md" if pages_url else ARTICLE
    return "\n".join([*lines, _wrapped(f"What to do: {rule.remediation}"), f"More: {page}", ""])


def _id(text: str) -> str:
    """The id on one line, in quotes where it is not made of what ids are made of: words in it are no words of ours."""
    if _ORDINARY_ID.fullmatch(text):
        return name(text, LONGEST_ID)
    return shorten(quote(shorten(text, LONGEST_ID)), 2 * LONGEST_ID)


def _reason(annotation: str) -> str:
    """The annotation on one line, without blanks that push its end out of sight or look like a new line."""
    told = " ".join(plain(annotation).split())
    return shorten(told, LONGEST_REASON) if told else "AWS Config was told none."


def _wrapped(text: str, indent: str = "") -> str:
    """Long words, such as ARNs, stay whole."""
    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"

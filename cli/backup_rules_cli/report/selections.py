"""A selection for a picture: what it asks for, what carries that, what narrowly misses it, and what is turned off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backup_rules.aws import backup
from backup_rules.aws.memory import gaps_noticed
from backup_rules.errors import BackupRulesError
from backup_rules.evaluation.subjects import selection_subject
from backup_rules.selections.opt_in import OptIn
from backup_rules.selections.picking import Selection, SelectionSummary, TagCondition, elements, opt_in_applies
from backup_rules.wording.quoting import quote, quote_tag
from backup_rules_cli.answers.conditions import State
from backup_rules_cli.answers.judging import JudgedAccount
from backup_rules_cli.answers.picks import Missed, Pick
from backup_rules_cli.answers.plans import PlanAnswer

_OPT_IN, _EMPTY = "BACKUP_SERVICE_OPT_IN", "BACKUP_SELECTION_NOT_EMPTY"
MOST = 6
"""Things that are shown of each kind."""


@dataclass(frozen=True)
class Shown:
    """A thing, in words: what kind, which, and by or with what."""

    kind: str
    name: str
    by: str


@dataclass(frozen=True)
class Few:
    """The first of many things, and how many there are."""

    first: tuple[Shown, ...]
    number: int

    @property
    def more(self) -> int:
        return self.number - len(self.first)


@dataclass(frozen=True)
class SelectionPicture:
    """A selection. `asks` is empty where its content could not be read.

    `named` are ARNs of what was not seen; `nothing`: the rule about it says that the selection picks nothing.
    """

    name: str
    role: str
    asks: tuple[str, ...]
    but: tuple[str, ...]
    carries: Few
    named: Few
    nothing: bool
    misses: Few
    off: Few


def pictures(answer: PlanAnswer, judged: JudgedAccount) -> Iterator[SelectionPicture]:
    """Those of the plan's selections, in AWS Backup's order."""
    settings = _opt_in(judged)
    skipping, empty = _broken(answer, _OPT_IN), _broken(answer, _EMPTY)
    for summary in answer.selections:
        picked = [each for each in answer.picks if each.selection == summary]
        opt_in = settings if selection_subject(summary).key in skipping else None
        off = [each for each in picked if _kept_out(each, opt_in)]
        carried = [each for each in picked if each.resource and each not in off]
        named = [each for each in picked if each.resource is None]
        selection = _content(judged, summary)
        yield SelectionPicture(
            name=summary.name,
            role=summary.role_arn or "(not told)",
            asks=tuple(each.describe() for each in elements(selection)) if selection else (),
            but=tuple(_conditions(selection)) if selection else (),
            carries=_few([_pick(each) for each in carried[:MOST]], len(carried)),
            named=_few([_pick(each) for each in named[:MOST]], len(named)),
            nothing=not carried and selection_subject(summary).key in empty,
            misses=_missed([each for each in answer.missed if each.selection == summary]),
            off=_few([_pick(each) for each in off[:MOST]], len(off)),
        )


def _few(first: list[Shown], number: int) -> Few:
    return Few(tuple(first), number)


def _missed(missed: list[Missed]) -> Few:
    first = [
        Shown(
            each.resource.type.singular,
            each.resource.short_name,
            f"carries {quote_tag(each.miss.key, each.miss.value)}, not {each.miss.wanted}",
        )
        for each in missed[:MOST]
    ]
    return _few(first, len(missed))


def _pick(pick: Pick) -> Shown:
    by = ", ".join(each.describe() for each in pick.elements)
    if pick.resource is None:
        return Shown("ARN", pick.arn, "named, and not seen among what is tagged or recorded")
    return Shown(pick.resource.type.singular, pick.resource.short_name, f"by {by}")


def _content(judged: JudgedAccount, summary: SelectionSummary) -> Selection | None:
    try:
        with gaps_noticed():
            return backup.selection(judged.account, summary)
    except BackupRulesError:
        return None  # the plan's answer tells why


def _conditions(selection: Selection) -> Iterator[str]:
    yield from _each("and", "is", selection.string_equals)
    yield from _each("and", "is like", selection.string_like)
    yield from _each("and not", "is", selection.string_not_equals)
    yield from _each("and not", "is like", selection.string_not_like)
    yield from (f"but not {each}" for each in selection.not_resources)


def _each(joined: str, how: str, conditions: tuple[TagCondition, ...]) -> Iterator[str]:
    yield from (f"{joined} {quote(each.key)} {how} {quote(each.value)}" for each in conditions)


def _opt_in(judged: JudgedAccount) -> OptIn | None:
    try:
        with gaps_noticed():
            return OptIn(backup.opt_in(judged.account), judged.place)
    except BackupRulesError:
        return None


def _broken(answer: PlanAnswer, rule: str) -> set[tuple[str, str]]:
    """The selections that the rule finds fault with."""
    return {
        (each.resource_type, each.resource_id)
        for condition in answer.conditions
        if condition.rule == rule
        for each in condition.findings
        if each.state is State.BROKEN
    }


def _kept_out(pick: Pick, opt_in: OptIn | None) -> bool:
    """Whether it is this resource that the opt-in keeps out."""
    if pick.resource is None or opt_in is None:
        return False
    return opt_in.keeps_out(pick.resource.type) and opt_in_applies(pick.resource.type, pick.elements)

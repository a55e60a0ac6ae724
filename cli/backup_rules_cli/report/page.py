"""The page: what is known of all plans, put into the template.

Everything that is not the project's own text passes through Jinja2's autoescape, and before it through `plain`, so that
no name can draw over another, turn its direction or hide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from backup_rules.arns import Place
from backup_rules.wording.annotations import name
from backup_rules.wording.quoting import plain
from backup_rules_cli.answers.causes import Causes, causes
from backup_rules_cli.answers.conditions import State
from backup_rules_cli.answers.judging import JudgedAccount
from backup_rules_cli.answers.plans import PlanAnswer
from backup_rules_cli.report.behind import MARKS as OUTCOME_MARKS
from backup_rules_cli.report.behind import WORDS as OUTCOME_WORDS
from backup_rules_cli.report.behind import behind
from backup_rules_cli.report.drawing import in_words, picture
from backup_rules_cli.report.findings import Cause, Findings, Found
from backup_rules_cli.report.rule_pages import how_to_fix
from backup_rules_cli.report.selections import pictures
from backup_rules_cli.report.week import Week, week_of
from backup_rules_cli.reports import Failure

MARKS = {State.BROKEN: "✘", State.UNKNOWN: "?", State.HOLDS: "✔", State.NOT_CONCERNED: "·"}
WORDS = {
    State.BROKEN: "broken",
    State.UNKNOWN: "could not look",
    State.HOLDS: "holds",
    State.NOT_CONCERNED: "not concerned",
}
CLASSES = {State.BROKEN: "bad", State.UNKNOWN: "unknown", State.HOLDS: "good", State.NOT_CONCERNED: "none"}

# So that the page stays under 10 MB: what is beyond is counted, and the page says which command tells it.
_MOST_OF_PLANS = 1_200_000
_MOST_OF_FINDINGS = 7_400_000
_OF_A_FINDING, _OF_A_LINK, _LINKS = 85, 55, 3
"""Bytes of the page that a finding takes beside its texts, and for each plan that it names."""
_ROWS = 500
"""Plans in the matrix."""
_OPEN = 8
"""Plans that are unfolded: those with a conflict in the week ahead, and before them those that are broken."""
_TABLE_ROWS = 30
_STARTS_TO_TELL = 200


@dataclass(frozen=True)
class Looked:
    """What was looked at: where from, when, what it is called, and what could not be.

    `exclusions` is what should be told of those that have expired, or exclude nothing.
    """

    read_from: str
    now: datetime
    called: Callable[[Place], str]
    failures: Sequence[Failure] = ()
    lookback_days: int | None = None
    exclusions: Sequence[str] = ()


@dataclass(frozen=True)
class PlacePlans:
    """An account and Region: how many of its plans are in which state."""

    called: str
    states: Mapping[State, int]


@dataclass
class _ShownCause:
    """A cause with those of its findings that the page has room for."""

    cause: Cause
    broken: list[Found] = field(default_factory=list)
    unknown: list[Found] = field(default_factory=list)
    excluded: list[Found] = field(default_factory=list)
    how: Markup = field(default_factory=Markup)

    @property
    def left_out(self) -> int:
        both = len(self.cause.broken) + len(self.cause.unknown)
        return both - len(self.broken) - len(self.unknown)


def page(answers: Sequence[PlanAnswer], judged: Mapping[Place, JudgedAccount], found: Findings, looked: Looked) -> str:
    """The report. `answers` are in the order in which `found` numbers them."""
    shown = [_cause(each, room, looked) for each, room in _with_room(found, looked)]
    kept = {each.number for cause in shown for each in (*cause.broken, *cause.unknown, *cause.excluded)}
    excluded = [(cause.cause, each) for cause in shown for each in cause.excluded]
    order = sorted(range(len(answers)), key=lambda number: list(State).index(answers[number].state))
    cells = _Cells(found, kept)
    sections = _plans(answers, order, judged, looked, cells)
    told = set(sections)
    return (
        _environment()
        .get_template("report.html")
        .render(
            looked=looked,
            answers=answers,
            order=order,
            rows=order[:_ROWS],
            rows_left_out=max(0, len(order) - _ROWS),
            found=found,
            causes=[each for each in shown if each.broken or each.unknown],
            excluded=excluded,
            excluded_left_out=sum(len(each.excluded) for each in found.causes) - len(excluded),
            cells=cells,
            states=Counter(each.state for each in answers),
            places=_places(answers, judged, looked),
            sections=sections,
            plans_told=told,
        )
    )


def week_svg(week: Week) -> str:
    """The picture of a plan's week by itself: a file of its own, light or dark as the reader has it."""
    return _environment().get_template("week.svg").render(picture=picture(week), ids="", alone=True)


@dataclass(frozen=True)
class _Cells:
    """Where the cells of the matrix lead."""

    found: Findings
    kept: set[int]

    def finding(self, plan: int, rule: str) -> int | None:
        """The number of the first finding of the rule about the plan, where the page has it."""
        number = self.found.first.get((plan, rule))
        return number if number in self.kept else None


def _plans(
    answers: Sequence[PlanAnswer],
    order: Sequence[int],
    judged: Mapping[Place, JudgedAccount],
    looked: Looked,
    cells: _Cells,
) -> dict[int, Markup]:
    """The sections of the plans by number, as many as the page has room for."""
    template = _environment().get_template("plan.html")
    sections: dict[int, Markup] = {}
    room, opened = _MOST_OF_PLANS, 0
    for number in order:
        if room <= 0:
            break
        answer = answers[number]
        week = week_of(answer, judged[answer.place])
        eager = week is not None and week.conflicts > 0
        unfolded = opened < _OPEN and (eager or (answer.state is State.BROKEN and opened < _OPEN // 2))
        opened += unfolded
        html = template.render(
            answer=answer,
            number=number,
            where=looked.called(answer.place),
            why=_why(answer),
            picture=picture(week) if week else None,
            starts=list(week.starts)[:_STARTS_TO_TELL] if week else [],
            table_rows=_TABLE_ROWS,
            behind=behind(answer),
            selections=list(pictures(answer, judged[answer.place])),
            cells=cells,
            lookback_days=looked.lookback_days,
            unfolded=unfolded,
        )
        room -= len(html)
        sections[number] = Markup(html)  # noqa: S704 - what the template escaped
    return sections


def _why(answer: PlanAnswer) -> tuple[Causes, ...]:
    return causes(answer)


def _with_room(found: Findings, looked: Looked) -> Iterator[tuple[Cause, int]]:
    """Each cause with the characters that its findings may take: all it needs, or its share of what there is."""
    needed = {each.rule: sum(_length(one, looked) for one in each.all) for each in found.causes}
    whole = sum(needed.values())
    part = min(1.0, _MOST_OF_FINDINGS / whole) if whole else 1.0
    for each in found.causes:
        yield each, int(needed[each.rule] * part)


def _length(found: Found, looked: Looked) -> int:
    finding = found.finding
    texts = f"{finding.text}{finding.name}{finding.excluded or ''}{looked.called(found.place)}"
    return _OF_A_FINDING + len(escape(texts).encode()) + _OF_A_LINK * min(_LINKS, len(found.plans))


def _cause(cause: Cause, room: int, looked: Looked) -> _ShownCause:
    shown = _ShownCause(cause, how=how_to_fix(cause.folder.path) if cause.broken else Markup())
    for kept, listed in (
        (shown.broken, cause.broken),
        (shown.unknown, cause.unknown),
        (shown.excluded, cause.excluded),
    ):
        for each in listed:
            room -= _length(each, looked)
            if room < 0:
                break
            kept.append(each)
    return shown


def _places(
    answers: Sequence[PlanAnswer], judged: Mapping[Place, JudgedAccount], looked: Looked
) -> tuple[PlacePlans, ...]:
    states: dict[Place, Counter[State]] = {each: Counter() for each in judged}
    for answer in answers:
        states[answer.place][answer.state] += 1
    return tuple(PlacePlans(looked.called(place), counts) for place, counts in states.items())


def _seen(value: object) -> object:
    """What the templates print: texts with all that hides made visible."""
    return plain(value) if type(value) is str else value


def _short_rule(rule: str) -> str:
    words = rule.removeprefix("BACKUP_").replace("_", " ").capitalize()
    return words.replace("Rds ", "RDS ").replace("Fsx ", "FSx ")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("backup_rules_cli.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"short": lambda text, most: name(str(text), most), "rule": _short_rule, "in_words": in_words}
    made.globals |= {
        "State": State,
        "marks": MARKS,
        "words": WORDS,
        "classes": CLASSES,
        "outcome_marks": OUTCOME_MARKS,
        "outcome_words": OUTCOME_WORDS,
    }
    return made

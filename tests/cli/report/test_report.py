"""`backup-rules report`: what stands in the page, and what never does. How it looks: `test_in_a_browser.py`."""

from __future__ import annotations

import dataclasses
import html.parser
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from aws_simulator.core.faults import denied, failing
from aws_simulator.core.tagging import tag_resource
from backup_rules.aws.account import Account
from backup_rules.aws.calls import Calls
from backup_rules_cli.answers.conditions import Finding, State
from backup_rules_cli.answers.judging import JudgedAccount
from backup_rules_cli.answers.plans import PlanAnswer
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.main import main
from backup_rules_cli.readings.files import load
from backup_rules_cli.report.findings import findings
from backup_rules_cli.report.page import Looked, page
from backup_rules_cli.sources import of_reading
from tests.front_door import Door, front_door

REGION = ("--region", "eu-west-1")
HOSTILE = "<script>alert(1)</script>\"'&\u202e\x1b[2J"
AS_TEXT = "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;\\u202e\\u001b[2J"


class Elements(html.parser.HTMLParser):
    """The elements of a page with their attributes, and that each end meets its beginning."""

    VOID = frozenset(("meta", "link", "br", "hr", "rect", "path", "circle"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.found if "id" in attributes]


def report(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    status = main(["report", "--quiet", "--output", "-", *map(str, arguments)])
    return status, capsys.readouterr().out


@pytest.fixture
def reading(demo_reading: tuple[Path, Any]) -> Path:
    return demo_reading[0]


@pytest.fixture
def text(demo_report: Path) -> str:
    return demo_report.read_text(encoding="utf-8")


# --- The simulated organization --------------------------------------------------------------------------------------


def test_each_problem_of_evaluate_stands_in_the_report(demo_reading: tuple[Path, Any], text: str) -> None:
    """But for verdicts about what several plans pick: there, each plan's own is told."""
    shown = html.unescape(text)
    problems = [each for each in demo_reading[1]["evaluations"] if each["compliance"] == "NON_COMPLIANT"]
    assert len(problems) > 50
    assert [each["annotation"] for each in problems if each["annotation"] not in shown] == []


def test_the_page_is_whole_and_stands_alone(text: str) -> None:
    elements = Elements(text)
    ids = elements.ids()
    assert len(ids) == len(set(ids))
    for tag, attributes in elements.found:
        assert tag not in {"script", "iframe", "img", "object", "embed", "base", "form"}
        assert not [name for name in attributes if name.startswith("on")]
        target = attributes.get("href")
        if target not in {None, "data:,"}:
            assert target is not None
            assert target.startswith("#")
            assert target[1:] in ids
    assert not re.search(r"@import|https?://[^<\s\"]+\.(css|js|woff2?)|url\((?!#)", text)


def test_all_plans_are_in_the_matrix_with_all_conditions(answers: Sequence[PlanAnswer], text: str) -> None:
    rows = re.findall(r"<tr><th scope=\"row\"><a href=\"#plan\d+\">.*?</tr>", text)
    assert len(rows) == len(answers)
    assert {row.count("<td") for row in rows} == {len(rule_folders())}
    broken = sum(each.left is State.BROKEN for answer in answers for each in answer.conditions)
    assert sum(row.count('<td class="bad"><a href="#f') for row in rows) == broken


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("plans", "<b>14</b> plans will run"),
        ("a cause", '<a href="#BACKUP_VAULT_USABLE">'),
        ("what does not hold", 'can be used</a> does not hold for 9 plans <span class="soft">(high)</span>'),
        ("a selection that picks nothing", '<h6><span aria-hidden="true">∅</span> Picked: nothing</h6>'),
        ("a silent run", '<li class="run silent">'),
        ("a job that failed", '<li class="run failed">'),
        ("what only looks like a blank", "carries &#34;retention&#34;=&#34;30\\u00a0days&#34;"),
        ("a near miss", "carries &#34;Backup&#34;=&#34;daily&#34;, not &#34;backup&#34;=&#34;daily&#34;"),
        (
            "a blank at the end",
            "carries &#34;retention&#34;=&#34;30 days &#34;, not &#34;retention&#34;=&#34;30 days&#34;",
        ),
        ("what is turned off", "Turned off in the Region: 1"),
        ("swallowed runs", "overlaps it and is kept longer"),
        ("a conflict", "conflict: automated backup window 03:00-03:30 UTC of orders-db"),
        ("commands", "aws iam create-role --role-name RefundsBackupRole "),
        ("a template", "AWS::IAM::Role"),
    ],
)
def test_it_shows(text: str, what: str, says: str) -> None:
    assert says in text, what


def test_what_is_excluded_stands_at_the_end_with_its_reason(reading: Path, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "known.yaml"
    entries = (
        "  - {plan: half-hour-window, reason: it is a <b>trial</b>}\n  - {plan: nobody, reason: long <i>gone</i>}\n"
    )
    path.write_text(f"exclusions:\n{entries}", encoding="utf-8")
    assert main(["report", "--quiet", "--output", "-", "--from", str(reading), "--exclusions", str(path)]) == 1
    told, noted = capsys.readouterr()
    assert noted == "An exclusion excludes nothing here: plan nobody (long <i>gone</i>)\n"
    assert "An exclusion excludes nothing here: plan nobody (long &lt;i&gt;gone&lt;/i&gt;)" in told
    before, _, excluded = told.partition('<section id="excluded"')
    assert "it is a &lt;b&gt;trial&lt;/b&gt;" in excluded
    assert "half-hour-window" in excluded
    assert "<b>15</b> plans will run" in before
    number = re.findall(r'<li id="(f\d+)"><b>half-hour-window', excluded)[0]
    (row,) = re.findall(r"<tr><th scope=\"row\"><a href=\"#plan\d+\">half-hour-window<.*?</tr>", before)
    assert f'<td class="none"><a href="#{number}">(✘)<i>excluded</i></a></td>' in row
    assert '<span class="cell none" aria-hidden="true">(✘)</span> excluded' in before


def test_what_is_named_and_not_seen_is_not_called_picked(text: str) -> None:
    """A name in place of an ARN, another account, a database that is gone: their selections pick nothing."""
    (plan,) = re.findall(r"<article(?:(?!<article).)*<h3>inventory-nightly</h3>.*?</article>", text, re.DOTALL)
    by_name = dict(re.findall(r'<h5>Selection (\S+)</h5>.*?(<div class="got">.*?</div>\n</div>)', plan, re.DOTALL))
    picked = [name for name, got in by_name.items() if "✔</span> Picked: 1<" in got]
    assert picked == ["inventory-tables", "inventory-prefix"]
    assert {name for name, got in by_name.items() if "∅</span> Picked: nothing<" in got} == {*by_name} - {*picked}
    assert "✘</span> Named, and not seen: 1</h6><ul><li>ARN <b>inventory</b>" in by_name["name-instead-of-arn"]
    # One that nobody can see may be there: it has no tag, and AWS Config does not record it.
    (plan,) = re.findall(r"<article(?:(?!<article).)*<h3>sealed-nightly</h3>.*?</article>", text, re.DOTALL)
    assert "?</span> Named, and not seen: 1</h6>" in plan
    assert "Picked" not in plan


def test_a_file_is_written_by_name(reading: Path, tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    narrow = ("--account", "security-backup-administration", *REGION)
    # Its plans hold; the account has no backup policy, which is a finding about no plan.
    assert main(["report", "--quiet", "--from", str(reading), *narrow]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "Wrote report.html.\n")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--format", "svg"], "--plan and --format svg go together"),
        (["--plan", "databases-nightly"], "--plan and --format svg go together"),
        (["--format", "svg", "--plan", "databases-nigthly"], "Did you mean databases-nightly?"),
        (["--format", "svg", "--plan", "orders-db"], "orders-db is a resource; --plan takes the name, id or ARN of a"),
        (["--output", "/nowhere/report.html"], "--output /nowhere/report.html cannot be written: No such file"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(reading: Path, capsys: Any, arguments: list[str], says: str) -> None:
    assert main(["report", "--quiet", "--from", str(reading), *arguments]) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert told.out == ""


# --- A plan's week ----------------------------------------------------------------------------------------------------


def week(capsys: pytest.CaptureFixture[str], plan: str, *arguments: object) -> ET.Element:
    main(["report", "--quiet", "--format", "svg", "--plan", plan, *map(str, arguments)])
    return ET.fromstring(capsys.readouterr().out)  # noqa: S314 - our own


def drawn(picture: ET.Element, kind: str) -> int:
    """How many there are, the legend's left out."""
    return sum(each.get("class") == kind for each in picture.iter()) - 1


def test_a_conflict_is_a_cross_at_the_start_and_at_each_window(reading: Path, capsys: Any) -> None:
    picture = week(capsys, "databases-nightly", "--from", reading)
    titles = [each.text or "" for each in picture.iter("{http://www.w3.org/2000/svg}title")]
    meeting = [each for each in titles if "conflict: " in each]
    assert len(meeting) == 7
    joins = sum(each.get("class") == "join" for each in picture.iter())
    assert joins == sum(each.count("conflict: ") for each in meeting)
    assert drawn(picture, "hit") == drawn(picture, "cross") == 2 * joins
    assert drawn(picture, "conflict") == 6  # in the legend there is none
    told = picture.find("{http://www.w3.org/2000/svg}desc")
    assert told is not None
    assert "7 of them conflict with a window: " in (told.text or "")


def test_without_a_conflict_there_is_no_cross(reading: Path, capsys: Any) -> None:
    picture = week(capsys, "dublin-nightly", "--from", reading)
    assert (drawn(picture, "hit"), drawn(picture, "start")) == (0, 7)
    assert "Europe/Dublin" in [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("plan", ["databases-nightly", "dublin-nightly", "stores-nightly"])
def test_each_day_has_its_name_and_no_line_runs_through_one(reading: Path, capsys: Any, plan: str) -> None:
    """Whatever the hour at which the week begins; a day of which too little is seen has none."""
    picture = week(capsys, plan, "--from", reading)
    whole = float((picture.get("viewBox") or "").split()[2])
    days = [
        (float(each.get("x") or 0), float(each.get("y") or 0))
        for each in picture.iter("{http://www.w3.org/2000/svg}text")
        if re.fullmatch(r"[A-Z][a-z]{2} \d\d [A-Z][a-z]{2}", each.text or "")
    ]
    rows = {y for _, y in days}
    assert len(rows) == len({"databases-nightly": ["UTC"]}.get(plan, ["UTC", "its own"]))
    lines = [each.get("d") or "" for each in picture.iter() if each.get("class") in {"day", "tick"}]
    stretches = [
        (float(x), float(y), float(to)) for d in lines for x, y, to in re.findall(r"M(\S+) (\S+?)V([\d.]+)", d)
    ]
    for row in rows:
        xs = sorted(x for x, y in days if y == row)
        assert len(xs) in {6, 7, 8}
        assert xs[0] < 250 + 80  # the day in which it begins has one as well, where there is room for it
        assert xs[-1] + 65 < whole
        assert min(after - before for before, after in pairwise(xs)) > 65
        through = [x for x, y, to in stretches if y < row < to]
        assert not [(x, day) for x in through for day in xs if day < x < day + 62]


def test_a_swallowed_start_is_drawn_as_one(reading: Path, capsys: Any) -> None:
    assert drawn(week(capsys, "daily-never-runs", "--from", reading), "swallowed") == 7


def test_the_clocks_of_a_week_in_which_one_is_set(monkeypatch: pytest.MonkeyPatch, door: Door, capsys: Any) -> None:
    """On 29 March 2026 Berlin leaps from 02:00 to 03:00: the start of 02:30 stands for a time that is none."""
    when = datetime(2026, 3, 26, 12, tzinfo=UTC)
    monkeypatch.setattr("backup_rules_cli.sources.datetime", _At.of(when))
    rule = {
        "RuleName": "nightly",
        "TargetBackupVaultName": "Default",
        "ScheduleExpression": "cron(30 2 ? * * *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
    }
    door.selection(door.plan("berlin", rule))
    picture = week(capsys, "berlin", *REGION)
    told = " ".join(filter(None, (each.text for each in picture.iter())))
    assert "Europe/Berlin sets its clock forward by 60 minutes, Sun 01:00 UTC" in told
    assert told.count("stands for a time that the clock leaps over") == 1
    assert "Sun 2026-03-29 01:00 UTC = Sun 03:00 Europe/Berlin" in told


class _At(datetime):
    """A clock that stands still."""

    at: datetime

    @classmethod
    def of(cls, at: datetime) -> type[_At]:
        return type("_Still", (cls,), {"at": at})

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return cls.at


# --- Values of other people -------------------------------------------------------------------------------------------


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """An account, and credentials for it."""
    with front_door() as door:
        credentials = door.session.get_credentials().get_frozen_credentials()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
        monkeypatch.setenv("AWS_SESSION_TOKEN", credentials.token)
        yield door


def test_a_script_in_a_tag_stays_text(door: Door, capsys: Any) -> None:
    wanted = "<script>alert(1)</script>"
    tag = {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": wanted}
    door.selection(door.plan("nightly"), "all", Resources=[], ListOfTags=[tag])
    arn = f"arn:aws:dynamodb:{door.region}:{door.account}:table/orders"
    tag_resource(door.account, door.region, arn, {"backup": wanted.upper()})
    status, told = report(capsys, *REGION)
    assert status == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in told
    assert "&lt;SCRIPT&gt;" in told
    assert not [tag for tag, _ in Elements(told).found if tag == "script"]


POISONED = frozenset(
    {"name", "text", "message", "status_message", "key", "value", "symptom", "remedy", "title", "vault_name"}
    | {"excluded", "backup_rule", "plan_name", "role_arn", "resource_arn", "arn", "read_from", "swallowed_by"}
    | {"never_again", "unread", "fix", "operations", "tags", "id", "resource_id", "short_name"}
)


def poisoned(value: Any, name: str = "") -> Any:
    """The same, with a script at the end of every text that other people chose."""
    if isinstance(value, str) and type(value) is str:
        return value + HOSTILE if name in POISONED else value
    if isinstance(value, tuple):
        return tuple(poisoned(each, name) for each in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and type(value).__name__ not in _AS_THEY_ARE:
        changed = {
            each.name: poisoned(getattr(value, each.name), each.name) for each in dataclasses.fields(value) if each.init
        }
        return dataclasses.replace(value, **changed)
    return value


_AS_THEY_ARE = {"Place", "ResourceType", "Parameters"}


def judged_places(path: Path) -> dict[Any, JudgedAccount]:
    sources = of_reading(load(path))
    made = [Account(Calls(each.place, each.clients)) for each in sources.found]
    return {each.place: JudgedAccount(each, rule_folders(), {}, sources.now, sources.called) for each in made}


def of_answers(answers: Sequence[PlanAnswer], reading: Path, called: str = "here") -> str:
    places = judged_places(reading)
    now = next(iter(places.values())).now
    found = findings(answers, (), (), now.date(), rule_folders())
    return page(answers, places, found, Looked(called, now, lambda _: called))


def test_whatever_is_planted_stays_text(answers: Sequence[PlanAnswer], reading: Path) -> None:
    """In each text of each answer: names, tags, messages, reasons, commands."""
    told = of_answers([poisoned(each) for each in answers], reading, HOSTILE)
    assert told.count(AS_TEXT) > 1000
    assert not re.search(r"<script", told, re.IGNORECASE)
    assert "\x1b" not in told
    assert "\u202e" not in told
    Elements(told)


def test_what_cannot_be_read_is_told_and_holds_nothing(door: Door, capsys: Any) -> None:
    door.role()
    tag = {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "true"}
    door.selection(door.plan("nightly"), "all", Resources=["*"], ListOfTags=[tag])
    with failing(denied, "backup", "GetBackupPlan"):
        status, told = report(capsys, *REGION)
    assert status == 2
    assert "<b>1</b> not known: nobody could look" in told
    assert "Not known: the plan could not be read." in told
    with failing(denied, "backup", "GetBackupSelection"):
        _, told = report(capsys, *REGION)
    assert '<h6><span aria-hidden="true">?</span> Picked: none is known</h6>' in told
    assert "Picked: nothing" not in told
    assert "AccessDenied" in told


def test_a_region_without_plans(door: Door, capsys: Any) -> None:
    status, told = report(capsys, *REGION)
    assert status == 0
    assert "There is no backup plan here." in told
    Elements(told)


# --- Size -------------------------------------------------------------------------------------------------------------


def many(answers: Sequence[PlanAnswer], number: int) -> list[PlanAnswer]:
    """The plans, with so many findings between them, each of a length as annotations have."""
    made = []
    each_has = -(-number // len(answers))
    for place, answer in enumerate(answers):
        first, *others = answer.conditions
        texts = (f"Selection {place}-{each} asks for what nobody has: {'much of it ' * 12}" for each in range(each_has))
        found = tuple(
            Finding("AWS::Backup::BackupSelection", f"{place}-{each}", f"selection-{each}", State.BROKEN, text)
            for each, text in enumerate(texts)
        )
        made.append(dataclasses.replace(answer, conditions=(dataclasses.replace(first, findings=found), *others)))
    return made


def test_twenty_thousand_findings_are_less_than_10_megabytes(answers: Sequence[PlanAnswer], reading: Path) -> None:
    told = of_answers(many(answers, 20_000), reading)
    assert len(told.encode()) < 10_000_000
    listed = told.count("asks for what nobody has")
    left_out = sum(map(int, re.findall(r"and (\d+) more, which <code>backup-rules evaluate", told)))
    assert listed + left_out >= 20_000
    assert listed == 20_000 + (-20_000 % len(answers))

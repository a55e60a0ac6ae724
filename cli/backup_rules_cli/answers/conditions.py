"""A condition of a plan: what one rule says of the plan, of its selections, and of what they pick."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from backup_rules.errors import ReadError
from backup_rules.evaluation.subjects import ACCOUNT, PLAN, SELECTION, Verdict
from backup_rules_cli.answers.judging import Judged, JudgedAccount
from backup_rules_cli.catalogue import RuleFolder

Key = tuple[str, str]
"""Type and id of what a verdict is about."""


class State(StrEnum):
    """What is known of a condition."""

    BROKEN = "broken"
    UNKNOWN = "unknown"
    HOLDS = "holds"
    NOT_CONCERNED = "not concerned"


_OF_COMPLIANCE = {
    "NON_COMPLIANT": State.BROKEN,
    "COMPLIANT": State.HOLDS,
    "NOT_APPLICABLE": State.NOT_CONCERNED,
}


@dataclass(frozen=True)
class Finding:
    """What a rule says of one subject, in the words that AWS Config shows; why, where it is unknown.

    `fix` are commands of the AWS CLI that settle it, as far as they can be written down. `excluded` is the reason of
    who knows of it and wants it left alone.
    """

    resource_type: str
    resource_id: str
    name: str
    state: State
    text: str
    fix: tuple[str, ...] = ()
    excluded: str | None = None


@dataclass(frozen=True)
class Evidence:
    """What was read, as IAM names the operations, and from where."""

    operations: tuple[str, ...]
    read_from: str


@dataclass(frozen=True)
class Condition:
    """What one rule says of a plan. `remedy` is what to do in words; the commands are those of its findings."""

    rule: str
    title: str
    severity: str
    findings: tuple[Finding, ...]
    evidence: Evidence
    remedy: str
    page: str

    @property
    def state(self) -> State:
        """The worst of what was found; not concerned where nothing was."""
        return _worst(self.findings)

    @property
    def left(self) -> State:
        """The same without what is excluded."""
        return _worst(each for each in self.findings if each.excluded is None)

    @property
    def excluded(self) -> bool:
        """Whether all that is broken is excluded."""
        return self.state is State.BROKEN and self.left is not State.BROKEN

    @property
    def commands(self) -> tuple[str, ...]:
        """What fixes it, in order; what fixes several findings once. Commands that belong together stay together."""
        return tuple(chain.from_iterable(dict.fromkeys(each.fix for each in self.findings)))


def _worst(findings: Iterable[Finding]) -> State:
    states = {each.state for each in findings}
    return next((each for each in State if each in states), State.NOT_CONCERNED)


@dataclass(frozen=True)
class Subjects:
    """What conditions are about: names by type and id, that of the plan, the selection or the resource itself first.

    `plan_id` is that of the plan; `shared` are resources that other plans pick as well. `unread` is why not all that
    is picked is known.
    """

    names: Mapping[Key, str]
    plan_id: str | None = None
    shared: Collection[Key] = ()
    unread: ReadError | None = None


_NO_POLICY_PLAN = "It judges the organization's backup policy, and this plan is not made by one."

Fixes = Callable[[RuleFolder, Verdict], tuple[str, ...]]
"""Gives the commands that settle what a verdict says."""


def condition(judged: JudgedAccount, folder: RuleFolder, about: Subjects, fixes: Fixes) -> Condition:
    """What the rule says of the plan."""
    came, place = judged.judged(folder), judged.place
    findings = tuple(_findings(judged, came, about, fixes))
    return Condition(
        rule=folder.name,
        title=folder.about["Title"],
        severity=folder.severity,
        findings=findings,
        evidence=Evidence(judged.evidence(folder), f"{place.account}, {place.region}: {judged.read_from}"),
        remedy=folder.about["Remediation"],
        page=f"rules/{folder.name}/README.md",
    )


def _findings(judged: JudgedAccount, came: Judged, about: Subjects, fixes: Fixes) -> Iterator[Finding]:
    if came.error is not None:
        (key, name), *_ = about.names.items()
        yield Finding(*key, name, State.UNKNOWN, str(came.error))
        return
    own = False
    for key, name in about.names.items():
        verdict, error = came.verdicts.get(key), came.outcome.failures.get(key)
        if verdict is not None:
            if key in about.shared and verdict.compliance == "NON_COMPLIANT":
                verdict = _of_this_plan(judged, came.folder, verdict, about)
            state = _OF_COMPLIANCE[verdict.compliance]
            fix = fixes(came.folder, verdict) if state is State.BROKEN else ()
            yield Finding(*key, name, state, verdict.annotation, fix)
        if error is not None:
            yield Finding(*key, name, State.UNKNOWN, str(error))
        own = own or error is not None or (verdict is not None and key[0] in {PLAN, SELECTION, ACCOUNT})
    if own:
        return
    # A rule without a verdict about the plan or its selections is about the account, or about resources: then those
    # that were not seen matter.
    (key, name), *_ = about.names.items()
    if came.kinds == {ACCOUNT}:
        yield Finding(*key, name, State.NOT_CONCERNED, _NO_POLICY_PLAN)
        return
    of_resources = bool(came.kinds - {PLAN, SELECTION, ACCOUNT})
    unseen = (*came.outcome.gaps, *((about.unread,) if about.unread and of_resources else ()))
    for why in dict.fromkeys(map(str, unseen)):
        yield Finding(*key, name, State.UNKNOWN, why)


def _of_this_plan(judged: JudgedAccount, folder: RuleFolder, verdict: Verdict, about: Subjects) -> Verdict:
    """The verdict about a resource that several plans pick, if there were this plan alone."""
    if about.plan_id is None:
        return verdict
    return judged.judged(folder, only_plan=about.plan_id).verdicts.get(verdict.subject.key, verdict)

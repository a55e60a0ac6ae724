"""Documents, judged by the rules: the same classes as in AWS, on answers that documents give."""

from __future__ import annotations

import contextlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from backup_rules.arns import Place
from backup_rules.aws.account import Account as ReadAccount
from backup_rules.aws.calls import Calls, ClientBuilder
from backup_rules.errors import BackupRulesError, ReadError
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.rule import Outcome
from backup_rules.evaluation.subjects import Verdict
from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.check.account import Account, described
from backup_rules_cli.check.answers import WITH_ACCOUNT, DocumentedClients, left_open
from backup_rules_cli.check.cloudformation import STACK_NAME
from backup_rules_cli.check.guesses import NUMBER, UNNAMED
from backup_rules_cli.check.identities import BACKUP_POLICY, PLAN, SELECTION
from backup_rules_cli.check.organization import Organization, Policy, add_plans
from backup_rules_cli.check.possible import MORE_MEANS_MORE_PROBLEMS, with_possible_resources
from backup_rules_cli.check.things import Documented, Position, Thing, Unknown, unknowns
from backup_rules_cli.places import known_regions, partition_of
from backup_rules_cli.reports import COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE

HOLDS, BROKEN, UNKNOWN = "holds", "broken", "unknown"
NEEDS_JOBS = frozenset({"BACKUP_PLAN_RAN_ON_SCHEDULE"})
OF_POLICIES = "BACKUP_POLICY_"
OF_ROLES = "BACKUP_ROLE_"
_NAMING = frozenset({"BackupPlanName", "SelectionName", "BackupPlanTags"})
INVALID_POLICIES = "BACKUP_POLICY_VALID"
POLICY_ATTACHED = "BACKUP_POLICY_ATTACHED"
ROLE_PERMISSIONS = "BACKUP_ROLE_PERMISSIONS"
VAULT_USABLE = "BACKUP_VAULT_USABLE"
NOT_EMPTY = "BACKUP_SELECTION_NOT_EMPTY"
EXAMPLE_ACCOUNT, EXAMPLE_REGION = "111122223333", "us-east-1"
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]*:([a-z]{2}(?:-[a-z]+)+-\d)?:(\d{12})?:")
# Where ARNs of other accounts and Regions stand: copies go there, and policies name who is admitted.
_OF_OTHERS = frozenset({"CopyActions", "AccessPolicy", "KeyPolicy", "AssumeRolePolicyDocument", "PolicyDocument"})
_MALFORMED = re.compile(
    r"\S+ in account .* answered something that cannot be read: (?:\w+Error\([\"'])?(.*?)(?:[\"']\))?\.", re.DOTALL
)
_WINDOW_LEFT_OUT = re.compile(r"answered something that cannot be read: \w+(?:Window|StartTime) is missing\.")
_CHOSEN_BY_AWS = ("AWS::RDS", "AWS::DocDB", "AWS::Neptune", "AWS::FSx")

Fill = Callable[[ClientBuilder, Place], ClientBuilder]
"""Puts an account that fills in behind the documents' answers."""


@dataclass(frozen=True)
class Judged:
    """What one rule says of one thing: `state` is HOLDS, BROKEN or UNKNOWN."""

    rule: str
    state: str
    kind: str
    """CloudFormation's type."""
    name: str
    at: Position
    path: str
    text: str
    start: Position
    """Where the thing begins; `at` may be an element of it."""


def named_in(documented: Documented) -> tuple[str, str]:
    """The account and the Region that the document's ARNs name most often; empty where they name none."""
    texts = _texts([each.properties for each in documented.things])
    found = [match for text in texts for match in _ARN.findall(text)]
    return _most(Counter(each for _, each in found if each)), _most(Counter(each for each, _ in found if each))


def place_of(documented: Documented, account: str, region: str, more_regions: Sequence[str] = ()) -> Place:
    """The account and Region that is meant: given, or those that the document's ARNs name most often."""
    named_account, named_region = named_in(documented)
    region = region or named_region or next(iter(more_regions), EXAMPLE_REGION)
    return Place(partition_of(region) or "aws", account or named_account or EXAMPLE_ACCOUNT, region)


def _most(counted: Counter[str]) -> str:
    return counted.most_common(1)[0][0] if counted else ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if key not in _OF_OTHERS:
                yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)


class _AtHand(ReadAccount):
    """An account whose answers are all at hand."""

    def side_by_side(self, read: Callable[..., object], subjects: Iterable[object]) -> None:
        """No threads: there is nothing to wait for."""


@dataclass
class Case:
    """Documents that are judged together, in an account and Region, as of a time.

    `fill` lets an account answer what the documents leave open.
    """

    documented: Documented
    policies: Sequence[Policy]
    place: Place
    now: datetime
    fill: Fill | None = None
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    worlds: Sequence[Documented] = ()
    """The documents for each way in which what decides over their resources may turn out; empty: as they stand."""
    deciding: Sequence[Unknown] = ()
    """What decides."""
    macros: Sequence[str] = ()
    """What may change the whole template."""

    @cached_property
    def organization(self) -> Organization:
        """The policies, as a member account gets them."""
        return Organization(self.policies, self.place.account)

    @cached_property
    def account(self) -> Account:
        """What is declared, and the plans that the policies make."""
        return self._described(self.documented)

    def _described(self, documented: Documented) -> Account:
        account = described(documented, self.place)
        add_plans(account, self.organization, self.documented.called)
        return account

    @cached_property
    def _accounts(self) -> list[Account]:
        """The account in each of the worlds."""
        return [self._described(each) for each in self.worlds] or [self.account]

    def _thing_of(self, key: tuple[str, str]) -> Thing | None:
        """What a verdict is about, as the document has it: with all that it leaves open."""
        found = next((thing for each in self._accounts if (thing := each.subject_at(*key)) is not None), None)
        if found is None or not self.worlds:
            return found
        return next((each for each in self.account.things() if each.path == found.path), found)

    def judged(self, folders: Sequence[RuleFolder]) -> Iterator[Judged]:
        """What the rules say."""
        asked = any(folder.name == INVALID_POLICIES for folder in folders)
        for each in self.policies if asked else ():
            if each.refused:
                yield Judged(INVALID_POLICIES, BROKEN, BACKUP_POLICY, each.name, each.at, "", each.refused, each.at)
            elif each.open is not None:
                told = str(left_open(f"The content of policy {each.name}", each.open))
                yield Judged(INVALID_POLICIES, UNKNOWN, BACKUP_POLICY, each.name, each.at, "", told, each.at)
        for folder in folders:
            accepted = [each for each in self.policies if not each.refused and each.open is None]
            if accepted and folder.name == POLICY_ATTACHED:
                yield from self._of_unknown_regions()
            concerned = accepted if folder.name.startswith(OF_POLICIES) else self.account.plans
            if concerned and folder.name not in NEEDS_JOBS:
                yield from self._judged(folder)

    def _of_unknown_regions(self) -> Iterator[Judged]:
        """Plans that policies name for Regions that are not known: they may be there nowhere."""
        for name, plan in _entries(self.organization.tree.get("plans")):
            regions = plan.get("regions") if isinstance(plan, Mapping) else None
            for region in regions if isinstance(regions, list) else ():
                if isinstance(region, str) and region not in known_regions():
                    told = f"Plan {name} names Region {region}, which is not known. To settle it, correct it."
                    at = self.organization.at_plan(name) or self._at_of_policy("")
                    yield Judged(POLICY_ATTACHED, UNKNOWN, PLAN, name, at, f"plans/{name}/regions", told, at)

    def gets(self) -> list[dict[str, Any]]:
        """What the account gets of the policies in the Region, plan by plan."""
        account = Account(self.place)
        add_plans(account, self.organization, self.documented.called)
        return [
            {
                "account": self.place.account,
                "region": self.place.region,
                "plan": thing.name,
                "rules": body.get("Rules", []),
                "selections": [each for _, _, each in account.selections[plan_id]],
            }
            for plan_id, (thing, body) in account.plans.items()
        ]

    @cached_property
    def _tries(self) -> int:
        """How many values are tried for what is open."""
        things = self.documented.things
        is_open = any(next(unknowns(each.properties), None) or each.type.startswith(_CHOSEN_BY_AWS) for each in things)
        return NUMBER if is_open else 2 if self.account.settings is None else 1

    @cached_property
    def _readers(self) -> list[tuple[Account, ReadAccount]]:
        """The account, once for each world, and in each for each set of values to try for what is open."""
        return [(each, self._reader(each, number)) for each in self._accounts for number in range(self._tries)]

    def _reader(self, account: Account, number: int, organization: Organization | None = None) -> ReadAccount:
        documented = DocumentedClients(account, organization or self.organization, number, filled=self.fill is not None)
        if self.fill is None:
            return _AtHand(Calls(self.place, documented))
        return ReadAccount(Calls(self.place, self.fill(documented, self.place)))

    def _judged(self, folder: RuleFolder) -> Iterator[Judged]:
        rule = folder.rule()
        given = rule.evaluate_parameters({**folder.defaults, **self.parameters.get(folder.name, {})})
        # Which accounts have an invalid policy, AWS tells the management account.
        administrator = Organization(self.policies, self.place.account, account_is_management=True)
        own = [(self.account, self._reader(self.account, 0, administrator))]
        readers = own if folder.name == INVALID_POLICIES else self._readers
        outcomes: list[tuple[Account, Outcome]] = []
        for account, reader in readers:
            try:
                with contextlib.redirect_stdout(io.StringIO()):  # the functions' log lines
                    outcomes.append((account, rule.judge(Invocation(reader, given, self.now))))
            except BackupRulesError as error:
                thing = next(self.account.things(), None)
                at = thing.at if thing else self._at_of_policy("")
                yield Judged(folder.name, UNKNOWN, PLAN, "all plans", at, "", str(error), at)
                return
        keys = [key for _, it in outcomes for key in (*(each.subject.key for each in it.verdicts), *it.failures)]
        for key in dict.fromkeys(keys):
            here = _where_it_is(key, outcomes)
            verdicts = [next((each for each in it.verdicts if each.subject.key == key), None) for it in here]
            failures = [it.failures[key] for it in here if key in it.failures]
            thing = self._thing_of(key)
            state, text = _said(verdicts, failures, thing, _own_open(thing, folder.name), self._near_open(thing))
            if state == UNKNOWN and (wider := self._whatever_there_is(folder, given).get(key)) is not None:
                if wider.compliance == COMPLIANT:
                    state, text = HOLDS, ""
                elif wider.compliance == NON_COMPLIANT and folder.name == ROLE_PERMISSIONS and "At worst" not in text:
                    text = f"{text} At worst: {wider.annotation}"
            if state == UNKNOWN and thing is not None and folder.name == VAULT_USABLE:
                text = f"{self._missing_vaults(thing)}{text}"
            if state:
                yield self._told(folder.name, state, in_words(text), thing, key)

    def _near_open(self, thing: Thing | None) -> list[Unknown]:
        """What is open in other things, that a verdict about the thing may depend on."""
        vaults = [each.properties for each, _ in self.account.vaults.values()]
        resources = [each.properties for each, _ in self.account.resources.values()]
        near = [] if thing is None else vaults if thing.type == PLAN else resources
        return [*(found for each in near for found in unknowns(each)), *self.deciding]

    def _whatever_there_is(self, folder: RuleFolder, given: Any) -> Mapping[tuple[str, str], Verdict]:
        """The verdicts if there is more to be picked than is declared, of every type; of several, the worst."""
        if folder.name not in MORE_MEANS_MORE_PROBLEMS or not self._wider_readers:
            return {}
        if folder.name not in self._wider:
            rule = folder.rule()
            with contextlib.redirect_stdout(io.StringIO()):
                outcomes = [
                    (account, rule.judge(Invocation(each, given, self.now))) for account, each in self._wider_readers
                ]
            found: dict[tuple[str, str], Verdict] = {}
            for key in {each.subject.key for _, it in outcomes for each in it.verdicts}:
                here = _where_it_is(key, outcomes)
                told = [each for it in here for each in it.verdicts if each.subject.key == key]
                if len(told) == len(here):
                    found[key] = next((each for each in told if each.compliance == NON_COMPLIANT), told[0])
            self._wider[folder.name] = found
        return self._wider[folder.name]

    @cached_property
    def _wider_readers(self) -> list[tuple[Account, ReadAccount]]:
        wider = [] if self.fill is not None else [with_possible_resources(each) for each in self._accounts]
        return (
            [(each, self._reader(each, number)) for each in wider if each is not None for number in range(self._tries)]
            if None not in wider
            else []
        )

    @cached_property
    def _wider(self) -> dict[str, dict[tuple[str, str], Verdict]]:
        """By rule: what `_whatever_there_is` has found."""
        return {}

    def _told(self, rule: str, state: str, text: str, thing: Thing | None, key: tuple[str, str]) -> Judged:
        if thing is None:
            name = ", ".join(each.name for each in self.policies) or key[1]
            at = self._at_of_policy(text)
            return Judged(rule, state, key[0], name, at, "", text, at)
        if rule == NOT_EMPTY and thing.type == PLAN and state == BROKEN and not self._selections_listed:
            # Other plans' selections do not depend on whether this one has some elsewhere.
            state = UNKNOWN
            text = f"These files declare no selection of plan {thing.name}. To settle it, judge it with its selections."
        if self.macros and state == HOLDS:
            state = UNKNOWN
            text = f"Macro {self.macros[0]} may change it. To settle it, judge the processed template."
        exists = thing.properties.get("__exists")
        if isinstance(exists, Unknown) and state == BROKEN:
            state, text = UNKNOWN, f"{text} Whether it is made at all is not known: {exists.why}."
        return Judged(rule, state, thing.type, thing.name, _at(thing, text), thing.path, text, thing.at)

    def _missing_vaults(self, thing: Thing) -> str:
        """Which vaults of a plan are in no document, and whether one that differs in letter case only is."""
        body = thing.properties.get("BackupPlan")
        rules = body.get("BackupPlanRule", body.get("Rules")) if isinstance(body, Mapping) else None
        wanted = [
            name
            for each in (rules if isinstance(rules, list) else ())
            if isinstance(each, Mapping)
            for name in [each.get("TargetBackupVault", each.get("TargetBackupVaultName"))]
            if isinstance(name, str) and name not in self.account.vaults
        ]
        if not wanted:
            return ""
        near = next((each for each in self.account.vaults if each.lower() == wanted[0].lower()), None)
        but = f", but vault {near}, which differs in letter case, is" if near else ""
        return f"Vault {wanted[0]} is not declared in these files{but}. "

    @property
    def _selections_listed(self) -> bool:
        """Whether a command has listed all selections of the plan; it lists those of one plan only."""
        return SELECTION in self.account.whole and len(self.account.plans) == 1

    def _at_of_policy(self, text: str) -> Position:
        return self.organization.at(text) or Position(self.documented.called)


def _entries(value: Any) -> Iterable[tuple[str, Any]]:
    return value.items() if isinstance(value, Mapping) else ()


def _at(thing: Thing, text: str) -> Position:
    """Where the thing stands; of a plan, where the backup rule stands that the text is about."""
    body = thing.properties.get("BackupPlan")
    rules = body.get("BackupPlanRule", body.get("Rules")) if isinstance(body, Mapping) else None
    for each in rules if isinstance(rules, list) else ():
        name = each.get("RuleName") if isinstance(each, Mapping) else None
        at = getattr(each, "at", None)
        if isinstance(name, str) and isinstance(at, Position) and at.file and _names_rule(text, name):
            return at
    return thing.at


def _names_rule(text: str, name: str) -> bool:
    return re.search(rf"(?:^|\W)[Bb]ackup rule {re.escape(name)}(?:[\s,;:.]|$)", text) is not None


def _where_it_is(key: tuple[str, str], outcomes: Sequence[tuple[Account, Outcome]]) -> list[Outcome]:
    """The outcomes of the accounts that have the thing; all, where none has it, as it is no thing of theirs."""
    return [it for account, it in outcomes if account.subject_at(*key) is not None] or [it for _, it in outcomes]


def in_words(text: str) -> str:
    """The text with what stands for names that are not known as a person reads it."""
    return text.replace(UNNAMED, "(not known here)").replace(STACK_NAME, "${AWS::StackName}")


def _own_open(thing: Thing | None, rule: str) -> list[Unknown]:
    """What is open of the thing itself, that a verdict of the rule may depend on; what names it, decides nothing."""
    found = []
    for key, body in () if thing is None else thing.properties.items():
        given = body
        if key in {"BackupPlan", "BackupSelection"} and isinstance(body, Mapping):
            role = set() if rule.startswith(OF_ROLES) else {"IamRoleArn"}
            given = {name: it for name, it in body.items() if name not in _NAMING | role}
        found += list(unknowns(given)) if key != "__exists" else []
    return found


def _said(
    verdicts: Sequence[Verdict | None],
    failures: Sequence[ReadError],
    thing: Thing | None,
    own: Sequence[Unknown],
    near: Sequence[Unknown],
) -> tuple[str, str]:
    """What the outcomes for all values come to; no state where the rule has nothing to say.

    A window that a guess leaves out stands for one that nothing meets, though a rule would rather be told of it.
    """
    told = {each.compliance for each in verdicts if each is not None}
    first = next((each for each in verdicts if each is not None), None)
    left_out = [each for each in failures if first is not None and _WINDOW_LEFT_OUT.search(str(each))]
    failure = next((each for each in failures if each not in left_out), None)
    if failure is not None:
        return UNKNOWN, _with_why(str(failure), thing, own)
    if left_out:
        told.add(COMPLIANT)
    passed_over = sum(each is None for each in verdicts) > len(left_out)
    if first is None or told == {NOT_APPLICABLE} or (passed_over and told <= {COMPLIANT, NOT_APPLICABLE}):
        return "", ""
    if passed_over or len(told) > 1:
        worst = next((each for each in verdicts if each is not None and each.compliance == NON_COMPLIANT), None)
        return UNKNOWN, _depends([*own, *near], worst)
    return (BROKEN if told == {NON_COMPLIANT} else HOLDS), first.annotation


def _with_why(text: str, thing: Thing | None, own: Sequence[Unknown]) -> str:
    """What was not read, and what of the thing itself is open, as it may be that."""
    malformed = _MALFORMED.fullmatch(text)
    if malformed is not None:
        whose = f" of {thing.name}" if thing else ""
        return f"What is written{whose} is not as AWS takes it: {malformed[1]}. To settle it, correct it."
    found = next(iter(own), None)
    if found is None or found.why in text:
        return text
    return f"{text} Of {thing.name if thing else 'it'} a value is open: {found.why}; {found.settle}."


def _depends(open_values: Sequence[Unknown], worst: Verdict | None) -> str:
    """On what it depends that there is no verdict, and what it would be at worst."""
    at_worst = f" At worst: {worst.annotation}" if worst else ""
    if worst is not None and "is turned off in" in worst.annotation:
        settle = f"add what `aws backup describe-region-settings` answers, or {WITH_ACCOUNT}"
        return f"It depends on the Region's opt-in settings. To settle it, {settle}.{at_worst}"
    found = next(iter(open_values), None)
    if found is not None:
        return f"It depends on a value that is not known: {found.why}. To settle it, {found.settle}.{at_worst}"
    return f"It depends on what AWS chooses, or on what these files leave open. To settle it, {WITH_ACCOUNT}.{at_worst}"

"""Documents, judged by the rules: the same classes as in AWS, on answers that documents give."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backup_rules.arns import Place
from backup_rules.aws.account import Account as ReadAccount
from backup_rules.aws.calls import Calls
from backup_rules.errors import BackupRulesError
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.rule import Outcome
from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.check.account import PROTECTED, Account, described, own_policy_documents
from backup_rules_cli.check.answers import DocumentedClients, NotInFilesError
from backup_rules_cli.check.guesses import NUMBER, UNNAMED
from backup_rules_cli.check.identities import PLAN
from backup_rules_cli.check.organization import Organization, Policy, add_plans
from backup_rules_cli.check.things import Documented, Position, Thing, Unknown, unknowns
from backup_rules_cli.places import partition_of
from backup_rules_cli.reports import COMPLIANT, NON_COMPLIANT

HOLDS, BROKEN, UNKNOWN = "holds", "broken", "unknown"
NEEDS_JOBS = frozenset({"BACKUP_PLAN_RAN_ON_SCHEDULE"})
OF_POLICIES = "BACKUP_POLICY_"
INVALID_POLICIES = "BACKUP_POLICY_VALID"
EXAMPLE_ACCOUNT, EXAMPLE_REGION = "111122223333", "us-east-1"
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]*:([a-z]{2}(?:-[a-z]+)+-\d)?:(\d{12})?:")


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


def place_of(documented: Documented, account: str, region: str, more_regions: Sequence[str] = ()) -> Place:
    """The account and Region that is meant: given, or those that the document's ARNs name most often."""
    found = [match for text in _texts([each.properties for each in documented.things]) for match in _ARN.findall(text)]
    regions = Counter(each for each, _ in found if each)
    accounts = Counter(each for _, each in found if each)
    region = region or documented.region or _most(regions) or next(iter(more_regions), EXAMPLE_REGION)
    account = account or documented.account or _most(accounts) or EXAMPLE_ACCOUNT
    return Place(partition_of(region) or "aws", account, region)


def _most(counted: Counter[str]) -> str:
    return counted.most_common(1)[0][0] if counted else ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)


def judge(
    documented: Documented,
    policies: Sequence[Policy],
    place: Place,
    folders: Sequence[RuleFolder],
    parameters: Mapping[str, Mapping[str, str]],
    now: datetime,
    fallback: Any = None,
) -> list[Judged]:
    """What the rules say of the documents. `fallback` builds clients of an account that fills in what they leave open."""
    organization = Organization(policies)
    account = described(documented, place)
    if policies:
        add_plans(account, organization, documented)
    own = own_policy_documents(documented, place)
    is_open = any(next(unknowns(each.properties), None) for each in documented.things)
    chosen_by_aws = any(
        each.type.startswith(("AWS::RDS", "AWS::DocDB", "AWS::Neptune", "AWS::FSx")) for each in documented.things
    )
    tries = NUMBER if is_open or chosen_by_aws else 1
    found: list[Judged] = []
    for policy in policies:
        if policy.refused:
            found.append(
                Judged(
                    INVALID_POLICIES, BROKEN, "AWS::Organizations::Policy", policy.name, policy.at, "", policy.refused
                )
            )
    accounts = [_readable(account, organization, own, number, fallback) for number in range(tries)]
    for folder in _concerned(folders, account, policies):
        management = folder.name == INVALID_POLICIES
        readers = (
            [_readable(account, organization.of(place.account, management=True), own, 0, fallback)]
            if management
            else accounts
        )
        found += _judged(folder, readers, account, organization, parameters.get(folder.name, {}), now)
    return found


def _readable(
    account: Account, organization: Organization, own: Mapping[str, Any], number: int, fallback: Any
) -> ReadAccount:
    asked = organization if organization._account else organization.of(account.place.account, management=False)
    clients = DocumentedClients(account, asked, own, number)
    return ReadAccount(Calls(account.place, clients if fallback is None else fallback(clients, account.place)))


def _concerned(folders: Sequence[RuleFolder], account: Account, policies: Sequence[Policy]) -> Iterator[RuleFolder]:
    for folder in folders:
        of_policies = folder.name.startswith(OF_POLICIES)
        if folder.name not in NEEDS_JOBS and (policies if of_policies else account.plans):
            yield folder


def _judged(
    folder: RuleFolder,
    readers: Sequence[ReadAccount],
    account: Account,
    organization: Organization,
    parameters: Mapping[str, str],
    now: datetime,
) -> Iterator[Judged]:
    rule = folder.rule()
    given = rule.evaluate_parameters({**folder.defaults, **parameters})
    outcomes: list[Outcome] = []
    for reader in readers:
        try:
            outcomes.append(rule.judge(Invocation(reader, given, now)))
        except BackupRulesError as error:
            at = next((each.at for each in account.things()), Position(""))
            yield Judged(folder.name, UNKNOWN, PLAN, "all plans", at, "", _plainly(str(error)))
            return
    keys = dict.fromkeys(
        key for each in outcomes for key in (*(verdict.subject.key for verdict in each.verdicts), *each.failures)
    )
    for key in keys:
        thing = account.subject_at(*key)
        at = thing.at if thing else None
        verdicts = [next((each for each in it.verdicts if each.subject.key == key), None) for it in outcomes]
        failure = next((it.failures[key] for it in outcomes if key in it.failures), None)
        told = {each.compliance for each in verdicts if each is not None}
        first = next((each for each in verdicts if each is not None), None)
        if failure is not None and told != {NON_COMPLIANT}:
            state, text = UNKNOWN, _plainly(str(failure))
        elif first is None or None in verdicts or len(told) > 1:
            if told <= {COMPLIANT, "NOT_APPLICABLE"} and None in verdicts:
                continue
            state, text = UNKNOWN, _depends(thing)
        elif told == {NON_COMPLIANT} and failure is None:
            state, text = BROKEN, first.annotation
        elif told == {COMPLIANT}:
            state, text = HOLDS, first.annotation
        elif told == {NON_COMPLIANT}:
            state, text = UNKNOWN, _plainly(str(failure))
        else:
            continue
        exists = thing.properties.get("__exists") if thing else None
        if isinstance(exists, Unknown) and state == BROKEN:
            state, text = UNKNOWN, f"{text} Whether it is made at all is not known: {exists.why}."
        yield Judged(
            folder.name,
            state,
            thing.type if thing else key[0],
            thing.name if thing else organization_name(organization, key[1]),
            at or organization.at(text) or Position(""),
            thing.path if thing else "",
            text.replace(UNNAMED, "(not known here)"),
        )


def organization_name(organization: Organization, account: str) -> str:
    """What a verdict about an account is about, here: the policies that it gets."""
    return ", ".join(each.name for each in organization.policies) or account


def _depends(thing: Thing | None) -> str:
    """On what it depends that there is no verdict."""
    properties = {} if thing is None else thing.properties
    found = next(unknowns(properties), None)
    if found is None:
        return "It depends on what AWS chooses, or on other things that these files leave open. To settle it, judge with an account (--with-account)."
    return f"It depends on a value that is not known: {found.why}. To settle it, {found.settle}."


def _plainly(text: str) -> str:
    """What was not read, without the words about AWS's answer around it."""
    return text


__all__ = ["BROKEN", "HOLDS", "PROTECTED", "UNKNOWN", "Judged", "NotInFilesError", "judge", "place_of"]

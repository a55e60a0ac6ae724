"""What of a subject is judged together: policies that reach the same account, in each Region that a plan needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from backup_rules_cli.check.files import POLICY, Subject
from backup_rules_cli.check.findings import Finding
from backup_rules_cli.check.identities import ROLE
from backup_rules_cli.check.judging import Case
from backup_rules_cli.check.organization import Organization, Policy
from backup_rules_cli.check.things import Documented
from backup_rules_cli.places import partition_of

_OF_ALL_REGIONS = frozenset(
    {ROLE, "AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy", "AWS::IAM::ManagedPolicyAttachment"}
)


def cases(whole: Case, subject: Subject, region: str) -> Iterator[Case]:
    """The case, and further ones for policies that do not reach one account together, and for other Regions.

    With `region` given, that one alone is judged.
    """
    first, *others = _reaching_together(subject)
    yield replace(whole, policies=first)
    yield from _in_other_regions(whole, first, region)
    for policies in others:
        yield replace(_without_plans(whole), policies=policies)
        yield from _in_other_regions(whole, policies, region)


def _reaching_together(subject: Subject) -> list[list[Policy]]:
    """The policies that are merged. Files are; what a document declares is, unless two policies make the same plan.

    To whom they are attached, the document may not tell; what has the same plan is meant for different accounts.
    """
    names = [name for each in subject.policies for name in _plans(each.tree_of_text)]
    if subject.kind == POLICY or len(names) == len(set(names)):
        return [subject.policies]
    return [[each] for each in subject.policies]


def _in_other_regions(whole: Case, policies: Sequence[Policy], region: str) -> Iterator[Case]:
    covered = {whole.place.region}
    for plan in () if region else _plans(Organization(policies).tree).values():
        named = plan.get("regions") if isinstance(plan, Mapping) else None
        regions = [each for each in (named if isinstance(named, list) else ()) if isinstance(each, str)]
        partition = partition_of(regions[0]) if regions else None
        if partition and not covered & set(regions):
            covered.add(regions[0])
            place = replace(whole.place, region=regions[0], partition=partition)
            yield replace(_without_plans(whole), policies=policies, place=place)


def _without_plans(whole: Case) -> Case:
    """The case without what is judged once already, or is in one Region only."""
    return replace(
        whole,
        documented=_of_all_regions(whole.documented),
        worlds=[_of_all_regions(each) for each in whole.worlds],
    )


def _of_all_regions(documented: Documented) -> Documented:
    things = [each for each in documented.things if each.type in _OF_ALL_REGIONS]
    return Documented(documented.called, things)


def _plans(tree: Any) -> Mapping[str, Any]:
    plans = tree.get("plans") if isinstance(tree, Mapping) else None
    return plans if isinstance(plans, Mapping) else {}


def once(said: Sequence[Finding]) -> list[Finding]:
    """What was said, each once: about a policy several Regions say the same."""
    return list({each.judged: each for each in reversed(said)}.values())[::-1]

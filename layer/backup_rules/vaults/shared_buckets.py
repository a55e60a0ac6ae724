"""Buckets that one backup rule backs up continuously and another periodically, to different vaults.

S3 keeps both kinds of backups of a bucket in one vault: where two rules name different ones, the jobs of one of them
fail ("already has continuous backup enabled for another vault").
Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/s3-backups.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from backup_rules.arns import Place
from backup_rules.plans.plans import BackupRule, Plan
from backup_rules.plans.words import called
from backup_rules.resources.resource_types import S3, Resource
from backup_rules.selections.picking import Selection, SelectionIndex, conditions, elements, resource_pattern
from backup_rules.selections.untagged import arns_of
from backup_rules.selections.wildcards import covers
from backup_rules.wording.annotations import NAMES, name
from backup_rules.wording.findings import Problem
from backup_rules.wording.quoting import quote


@dataclass(frozen=True, slots=True)
class Clash:
    """Two backup rules that back up the same buckets, the first continuously, to different vaults.

    `bucket` is an example; None: both pick all of S3.
    """

    continuous: tuple[Plan, BackupRule]
    periodic: tuple[Plan, BackupRule]
    bucket: str | None


def may_clash(plans: Iterable[Plan]) -> bool:
    """Whether any rule is continuous and any other is not, with different vaults: else no bucket need be read."""
    rules = [rule for plan in plans for rule in plan.rules]
    continuous = {rule.vault_name for rule in rules if rule.continuous}
    periodic = {rule.vault_name for rule in rules if not rule.continuous}
    return bool(continuous) and bool(periodic) and len(continuous | periodic) > 1


def clashes(
    plans: Mapping[str, Plan], selections: Iterable[Selection], buckets: Iterable[Resource], place: Place
) -> dict[str, tuple[Clash, ...]]:
    """By plan id, with what its rules clash: with rules of its own or of another plan. One example for each pair."""
    judged = [each for each in selections if each.summary.plan_id in plans]
    index = SelectionIndex(judged)
    together: dict[frozenset[str], str | None] = {}
    for bucket in buckets:
        picking = frozenset(pick.selection.summary.plan_id for pick in index.selections_picking(bucket))
        together.setdefault(picking, bucket.short_name)
    everything = frozenset(each.summary.plan_id for each in judged if _picks_all(each, place))
    if everything:
        together.setdefault(everything, None)
    found: dict[str, dict[tuple[str, str, str, str], Clash]] = defaultdict(dict)
    for plan_ids, bucket_name in together.items():
        for clash in _pairs([plans[each] for each in sorted(plan_ids)], bucket_name):
            (plan, rule), (other, other_rule) = clash.continuous, clash.periodic
            pair = (plan.id, rule.id or rule.name, other.id, other_rule.id or other_rule.name)
            for plan_id in {plan.id, other.id}:
                found[plan_id].setdefault(pair, clash)
    return {plan_id: tuple(pairs.values()) for plan_id, pairs in found.items()}


def _pairs(plans: list[Plan], bucket: str | None) -> Iterator[Clash]:
    rules = [(plan, rule) for plan in plans for rule in plan.rules]
    for one in rules:
        for other in rules:
            if one[1].continuous and not other[1].continuous and one[1].vault_name != other[1].vault_name:
                yield Clash(one, other, bucket)


def _picks_all(selection: Selection, place: Place) -> bool:
    """Whether the selection picks every bucket that there is, or will be."""
    if conditions(selection) or selection.not_resources:
        return False
    return any(covers(resource_pattern(each.text or "*").text, arns_of(S3, place)) for each in elements(selection))


def clash_problem(clash: Clash) -> Problem:
    """The problem, which is that of both plans."""
    (plan, rule), (other, other_rule) = clash.continuous, clash.periodic
    what = "all S3 buckets" if clash.bucket is None else f"bucket {name(clash.bucket, 40)}"
    words = (
        f"Backup rule {called(rule, plan, shown)} backs up {what} continuously to vault"
        f" {quote(name(rule.vault_name, 30))}, {called(other_rule, other, shown)}"
        f" periodically to {quote(name(other_rule.vault_name, 30))}."
        for shown in NAMES
    )
    return Problem.worded(words, "Name one vault: a bucket's backups share it.")

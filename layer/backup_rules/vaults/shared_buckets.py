"""Buckets that one backup rule backs up continuously and another periodically, to different vaults.

S3 keeps both kinds of backups of a bucket in one vault: where two rules name different ones, the jobs of one of them
fail ("already has continuous backup enabled for another vault").
Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/s3-backups.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from backup_rules.arns import Place
from backup_rules.plans.plans import BackupRule, Plan
from backup_rules.plans.words import called
from backup_rules.resources.resource_types import S3, Resource
from backup_rules.selections.joining import ResourceTable, first
from backup_rules.selections.picking import Selection, alike, conditions, elements, resource_pattern
from backup_rules.selections.untagged import arns_of
from backup_rules.selections.wildcards import covers
from backup_rules.values import dataclass
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
    table = ResourceTable(buckets)
    # One bucket more than there are stands for all that there may be.
    whatever = 1 << len(table.resources)
    picked: dict[str, int] = defaultdict(int)
    for one, group in alike(judged).items():
        buckets_of_it = table.picked(one) | (whatever if _picks_all(one, place) else 0)
        for each in group:
            picked[each.summary.plan_id] |= buckets_of_it
    rules = [(plans[each], rule) for each in sorted(picked) for rule in plans[each].rules]
    found: dict[str, dict[tuple[str, str, str, str], Clash]] = defaultdict(dict)
    for shared, one_rule, other_rule in sorted(_pairs(rules, picked)):
        (plan, rule), (other, periodic) = rules[one_rule], rules[other_rule]
        bucket = table.resources[shared].short_name if shared < len(table.resources) else None
        clash = Clash((plan, rule), (other, periodic), bucket)
        pair = (plan.id, rule.id or rule.name, other.id, periodic.id or periodic.name)
        for plan_id in {plan.id, other.id}:
            found[plan_id].setdefault(pair, clash)
    return {plan_id: tuple(pairs.values()) for plan_id, pairs in found.items()}


def _pairs(rules: list[tuple[Plan, BackupRule]], picked: Mapping[str, int]) -> Iterator[tuple[int, int, int]]:
    """The pairs of rules, by number, that clash, each after the number of the first bucket that both pick."""
    periodic = [(number, plan.id, rule.vault_name) for number, (plan, rule) in enumerate(rules) if not rule.continuous]
    for number, (plan, rule) in enumerate(rules):
        if rule.continuous:
            for other, plan_id, vault_name in periodic:
                if vault_name != rule.vault_name and (shared := picked[plan.id] & picked[plan_id]):
                    yield first(shared), number, other


def _picks_all(selection: Selection, place: Place) -> bool:
    """Whether the selection picks every bucket that there is, or will be."""
    if conditions(selection) or selection.not_resources:
        return False
    return any(covers(resource_pattern(each.text or "*").text, arns_of(S3, place)) for each in elements(selection))


def clash_problem(clash: Clash, *, further: bool = False) -> Problem:
    """The problem, which is that of both plans. `further`: beside another one of the plan."""
    (plan, rule), (other, other_rule) = clash.continuous, clash.periodic
    what = "all S3 buckets" if clash.bucket is None else f"bucket {name(clash.bucket, 40)}"
    words = (
        f"Backup rule {called(rule, plan, shown)} backs up {what} continuously to vault"
        f" {quote(name(rule.vault_name, 30))}, {called(other_rule, other, shown)}"
        f" periodically to {quote(name(other_rule.vault_name, 30))}."
        for shown in NAMES
    )
    return Problem.worded(words, "Name one vault: a bucket's backups share it.", further=further)

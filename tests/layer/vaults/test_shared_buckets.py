"""Backup rules that share buckets and not vaults, found as one would by going through every bucket and pair."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from backup_rules.arns import Place
from backup_rules.plans.plans import BackupRule, Plan, PlanSummary
from backup_rules.resources.resource_types import S3, Resource
from backup_rules.selections.picking import Picker, Selection, SelectionSummary, TagCondition
from backup_rules.vaults.shared_buckets import clashes

HERE = Place("aws", "111122223333", "eu-west-1")
TAGS = st.sampled_from(["a", "b", "c"])

rules = st.builds(
    lambda name, vault, continuous: BackupRule(name, name, vault, continuous=continuous),
    st.sampled_from(["r-1", "r-2", "r-3"]),
    st.sampled_from(["one", "two"]),
    st.booleans(),
)
plans = st.lists(st.lists(rules, max_size=3), min_size=1, max_size=3)
asked = st.lists(st.tuples(st.integers(0, 2), st.one_of(st.just("*"), TAGS)), max_size=5)
buckets = st.lists(st.sets(TAGS, max_size=2), max_size=4)


@settings(max_examples=300)
@given(plans, asked, buckets)
def test_as_by_hand(
    rules_of_plans: list[list[BackupRule]], wanted: list[tuple[int, str]], tags: list[set[str]]
) -> None:
    made = {
        f"p-{n}": Plan(
            PlanSummary(f"p-{n}", f"arn:aws:backup:eu-west-1:111122223333:backup-plan:p-{n}", f"plan-{n}", "v1"),
            datetime(2026, 1, 1, tzinfo=UTC),
            tuple(each),
        )
        for n, each in enumerate(rules_of_plans)
    }
    summary = SelectionSummary("s", "s", "p-0", "plan", "arn:aws:iam::111122223333:role/backup")
    selections = [
        Selection(
            replace(summary, id=f"s-{number}", plan_id=f"p-{plan}"),
            resources=("*",) if tag == "*" else (),
            list_of_tags=() if tag == "*" else (TagCondition(tag, "x"),),
        )
        for number, (plan, tag) in enumerate(wanted)
    ]
    there = [Resource(f"arn:aws:s3:::bucket-{n}", S3, dict.fromkeys(sorted(each), "x")) for n, each in enumerate(tags)]
    expected: dict[str, dict[tuple[str, ...], str | None]] = {}
    of_judged = [each for each in selections if each.summary.plan_id in made]
    groups: list[tuple[set[str], str | None]] = [
        ({each.summary.plan_id for each in of_judged if Picker.of(each).picks(bucket)}, bucket.short_name)
        for bucket in there
    ]
    groups.append(({each.summary.plan_id for each in of_judged if each.resources}, None))
    for plan_ids, bucket_name in groups:
        of_plans = [(plan_id, rule) for plan_id in sorted(plan_ids) for rule in made[plan_id].rules]
        for (plan, rule), (other, periodic) in product(of_plans, of_plans):
            if rule.continuous and not periodic.continuous and rule.vault_name != periodic.vault_name:
                for plan_id in (plan, other):
                    expected.setdefault(plan_id, {}).setdefault((plan, rule.id, other, periodic.id), bucket_name)
    found = clashes(made, selections, there, HERE)
    told = {
        plan_id: {
            (each.continuous[0].id, each.continuous[1].id, each.periodic[0].id, each.periodic[1].id): each.bucket
            for each in of_plan
        }
        for plan_id, of_plan in found.items()
    }
    assert {plan_id: list(each.items()) for plan_id, each in told.items()} == {
        plan_id: list(each.items()) for plan_id, each in expected.items()
    }

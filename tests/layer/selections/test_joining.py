"""Selections put to many resources at once pick what they pick of each by itself."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from backup_rules.resources.resource_types import EBS, RDS_CLUSTER, RDS_INSTANCE, S3, Resource, Unsupported
from backup_rules.selections.joining import ResourceTable, first, last, members
from backup_rules.selections.opt_in import Reached, reach
from backup_rules.selections.picking import ElementKind, Picker, Selection, opt_in_applies
from backup_rules.selections.ready import AllMeant
from tests.layer.selections.test_picking import SUMMARY, oracle_picks, resources, selections

many_resources = st.lists(
    st.builds(
        lambda each, kind: replace(each, unsupported=kind),
        resources,
        st.sampled_from([None, None, Unsupported.GATEWAY]),
    ),
    max_size=8,
)


def numbered(some: list[Selection]) -> list[Selection]:
    return [replace(each, summary=replace(SUMMARY, id=str(number))) for number, each in enumerate(some)]


@given(st.sets(st.integers(0, 300), min_size=1))
def test_a_number_holds_a_set(numbers: set[int]) -> None:
    found = sum(1 << number for number in numbers)
    assert list(members(found)) == sorted(numbers)
    assert (first(found), last(found)) == (min(numbers), max(numbers))


@settings(max_examples=200)
@given(selections, many_resources)
def test_a_table_is_picked_from_as_each_resource_is(each: Selection, some: list[Resource]) -> None:
    table = ResourceTable(some)
    joined = table.join(each)
    expected = [number for number, about in enumerate(some) if not about.unsupported and oracle_picks(each, about)]
    assert list(members(joined.picked)) == expected
    free = replace(each, not_resources=(), string_equals=(), string_not_equals=(), string_like=(), string_not_like=())
    picker = Picker.of(free)
    for number, about in enumerate(some):
        named = {element for element, found in joined.named.items() if found >> number & 1}
        assert named == set(picker.picks(replace(about, cluster_member=False, unsupported=None)))


@settings(max_examples=60)
@given(selections)
def test_what_many_resources_share_is_remembered_and_still_right(each: Selection) -> None:
    """More resources than are remembered as they come: all kinds of tags and names, over and over."""
    some = [
        Resource(f"arn:aws:{kind.service}:eu-west-1:111122223333:{kind.resource_prefix}{name}", kind, {"a": value})
        for kind in (EBS, RDS_INSTANCE, RDS_CLUSTER)
        for name in ("vol-1", "web-prod")
        for value in ("", "x", "prod", "pro d")
        for _ in range(9)
    ]
    table = ResourceTable(some)
    for _ in range(2):
        assert list(members(table.picked(each))) == [n for n, about in enumerate(some) if Picker.of(each).picks(about)]


@settings(max_examples=100)
@given(st.lists(selections, max_size=4), many_resources)
def test_reach_counts_as_one_would_by_hand(some: list[Selection], listed: list[Resource]) -> None:
    judged = numbered(some)
    found = reach(judged, listed)
    for each in judged:
        by_hand: dict[object, Reached] = {}
        for about in listed:
            by = Picker.of(each).picks(about)
            if not by:
                continue
            gated = opt_in_applies(about.type, by)
            entry = by_hand.setdefault(about.type, Reached(by[0], about, 0, 0))
            if gated and not entry.gated:
                entry.by, entry.example = by[0], about
            entry.number += 1
            entry.gated += gated
        assert list(found.get(each.summary, {}).items()) == list(by_hand.items())


@settings(max_examples=100)
@given(st.lists(selections, max_size=5), many_resources)
def test_the_buckets_that_are_picked_and_by_how_many(some: list[Selection], listed: list[Resource]) -> None:
    judged = numbered(some)
    distinct = list({each.arn: each for each in listed}.values())
    every = AllMeant(judged, distinct)
    for about in (each for each in distinct if each.type is S3):
        pickers = [each.summary for each in judged if Picker.of(each).picks(replace(about, unsupported=None))]
        found = every.buckets().get(about.arn)
        assert (found is None) is (not pickers)
        if found is not None:
            assert found[1] in pickers
            assert found[2] == len(pickers)


@settings(max_examples=100)
@given(selections, many_resources)
def test_what_is_meant_though_it_cannot_be_backed_up(each: Selection, listed: list[Resource]) -> None:
    acts = []
    for about in listed:
        if about.unsupported and about.type is not S3:
            kinds = {by.kind for by in Picker.of(each).picks(replace(about, unsupported=None))}
            if kinds & {ElementKind.TAG, ElementKind.ARN}:
                acts.append("tag" if ElementKind.TAG in kinds else "name")
    meant = AllMeant([each], listed).by_selection.get(each.summary)
    found = {} if meant is None else {act: some.number for (_, act), some in meant.unsupported.items()}
    assert list(found.items()) == [(act, acts.count(act)) for act in dict.fromkeys(acts)]

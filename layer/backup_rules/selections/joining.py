"""Many resources, to which selections are put: which of them a selection picks is found for all of them at once.

A set of resources is a whole number here, one bit for each, in the order in which they were given: what a condition
lets pass and what an element names are such numbers, and `&` joins them. So a selection costs a few operations on
numbers, whatever it picks: with 6,000 selections that all ask something else, and 20,000 resources, none of the 120
million pairs is looked at by itself. `Picker` says of one resource what this says of many.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from backup_rules.selections.picking import Picker
from backup_rules.selections.texts import Texts
from backup_rules.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from backup_rules.resources.resource_types import Resource, ResourceType
    from backup_rules.selections.picking import Condition, Element, ElementKind, Selection
    from backup_rules.selections.wildcards import Wildcard

# What so many resources carry or match is remembered as a set, which takes 2.5 kB here: many selections ask for it.
_MANY = 16
_PATTERNS_REMEMBERED = 1_024


def members(found: int) -> Iterator[int]:
    """The numbers of the resources in a set, in order."""
    while found:
        lowest = found & -found
        yield lowest.bit_length() - 1
        found ^= lowest


def first(found: int) -> int:
    """The number of the first resource of a set that is not empty."""
    return (found & -found).bit_length() - 1


def last(found: int) -> int:
    """That of the last one."""
    return found.bit_length() - 1


@dataclass(frozen=True, slots=True)
class Joined:
    """A selection put to a table: the resources that it picks, and those that each of its elements names.

    Elements that name nothing are left out; what they name counts without regard to conditions and NotResources.
    """

    picker: Picker
    picked: int
    named: Mapping[Element, int]

    def named_by(self, *kinds: ElementKind) -> int:
        """What the elements of these kinds name."""
        found = 0
        for element, each in self.named.items():
            if element.kind in kinds:
                found |= each
        return found


class ResourceTable:
    """Resources, numbered from 0 in the order in which they were given."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = tuple(resources)
        self.all = (1 << len(self.resources)) - 1
        # What the patterns match that were asked for. A set takes room for all resources: of few the numbers are kept.
        self._patterns: dict[str, int] = {}
        self._few: dict[str, Sequence[int]] = {}

    def where(self, holds: Callable[[Resource], object]) -> int:
        """The resources of which something holds."""
        return _set_of([number for number, each in enumerate(self.resources) if holds(each)])

    def picked(self, selection: Selection) -> int:
        """The resources that the selection picks: those of which `Picker.picks` says so."""
        return self.join(selection).picked

    def join(self, selection: Selection) -> Joined:
        """The resources that the selection picks, and those that its elements name."""
        picker = Picker.of(selection)
        named = {element: found for element, found in self._elements(picker) if found}
        return Joined(picker, self._among(picker, named.values()), named)

    def by_type(self, found: int) -> dict[ResourceType, int]:
        """The types in a set, each with those of the set that are of it, in the order of their first resources."""
        parts = [(kind, here) for kind, every in self._types.items() if (here := found & every)]
        return dict(sorted(parts, key=lambda each: first(each[1])))

    def _among(self, picker: Picker, named: Iterable[int]) -> int:
        found = self.can_be_picked
        for condition in picker.conditions:
            if not found:
                return 0
            found &= self._passing(condition)
        names = 0
        for each in named:
            names |= each
        found &= names
        for excluded in picker.excluded:
            if not found:
                return 0
            found &= ~self._pattern(excluded)
        return found

    def _elements(self, picker: Picker) -> Iterator[tuple[Element, int]]:
        for arn, element in picker.arns.items():
            yield element, _set_of(self._arns.equal_to(arn))
        for pattern, element in picker.patterns:
            yield element, self._pattern(pattern)
        for tag, element in picker.tags:
            values = self._values.get(tag.key)
            yield element, 0 if values is None else values.equal_to(tag.value)

    def _pattern(self, pattern: Wildcard) -> int:
        known = self._patterns.get(pattern.text)
        if known is not None:
            return known
        numbers = self._few.get(pattern.text)
        if numbers is None:
            numbers = self._arns.matching(pattern)
            if len(numbers) <= _MANY:
                self._few[pattern.text] = numbers
        found = _set_of(numbers)
        if len(numbers) > _MANY and len(self._patterns) < _PATTERNS_REMEMBERED:
            self._patterns[pattern.text] = found
        return found

    def _passing(self, condition: Condition) -> int:
        values = None if condition.key is None else self._values.get(condition.key)
        if values is None:
            return self.all if condition.negative else 0
        meeting = values.equal_to(condition.value) if condition.pattern is None else values.matching(condition.pattern)
        return self.all & ~meeting if condition.negative else meeting

    @cached_property
    def can_be_picked(self) -> int:
        """All but the members of clusters, and what AWS Backup cannot back up."""
        return self.all & ~self.where(lambda each: each.cluster_member or each.unsupported)

    @cached_property
    def _types(self) -> dict[ResourceType, int]:
        numbers: dict[ResourceType, list[int]] = {}
        for number, each in enumerate(self.resources):
            numbers.setdefault(each.type, []).append(number)
        return {kind: _set_of(of_type) for kind, of_type in numbers.items()}

    @cached_property
    def _arns(self) -> Texts:
        return Texts([each.arn for each in self.resources])

    @cached_property
    def _values(self) -> dict[str, _Values]:
        carriers: dict[str, dict[str, list[int]]] = {}
        for number, each in enumerate(self.resources):
            for key, value in each.tags.items():
                carriers.setdefault(key, {}).setdefault(value, []).append(number)
        return {key: _Values(of_key) for key, of_key in carriers.items()}


class _Values:
    """The values of one tag key, each with the resources that carry it."""

    def __init__(self, carriers: dict[str, list[int]]) -> None:
        self._carriers = carriers
        self._many: dict[str, int] = {}

    def equal_to(self, value: str) -> int:
        known = self._many.get(value)
        if known is not None:
            return known
        carriers = self._carriers.get(value, ())
        found = _set_of(carriers)
        if len(carriers) > _MANY:
            self._many[value] = found
        return found

    def matching(self, pattern: Wildcard) -> int:
        values = [self._texts.texts[each] for each in self._texts.matching(pattern)]
        many = 0
        for value in values:
            if len(self._carriers[value]) > _MANY:
                many |= self.equal_to(value)
        return many | _set_of([n for value in values if len(c := self._carriers[value]) <= _MANY for n in c])

    @cached_property
    def _texts(self) -> Texts:
        return Texts(list(self._carriers))


def _set_of(numbers: Sequence[int]) -> int:
    if len(numbers) < 2:
        return 1 << numbers[0] if numbers else 0
    row = bytearray((max(numbers) >> 3) + 1)
    for number in numbers:
        row[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(row, "little")

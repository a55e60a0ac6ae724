"""Backup selections: which resources they pick, and by which of their elements.

A selection picks (Resources or ListOfTags) and all Conditions, without NotResources. Letter case counts everywhere.
Where AWS's texts are silent or at odds, this module holds:

* Neither resources nor tags: `*`, as the API reference says ("attempts to select all"), though AWS refuses to create
  such a selection.
* An ARN with an empty Region or account (`arn:aws:ec2:::instance/*`, as the guide writes them) means any of them: a
  plan only reaches its own Region and account. A `*` reaches across colons and slashes, and may stand anywhere.
* A ListOfTags key is taken as written. `aws:ResourceTag/backup` there asks for a tag of that very name, which no
  resource can carry, since names beginning with `aws:` are AWS's own.
* A Conditions key names a tag only with the prefix `aws:ResourceTag/`, in that letter case. Without it, no resource has
  what it names: a positive condition never holds, and a negative one always does.
* A resource without the tag passes a negative condition, and no positive one: not even StringLike `*`.
* All conditions must hold, also two on one key, as the API reference says ("must match all conditions"). The guide's
  CloudFormation example reads as if StringEquals and StringLike on one key were alternatives; it would pick nothing.

Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html and
https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from backup_rules.arns import Arn
from backup_rules.resources.resource_types import OPT_IN_ALWAYS_APPLIES, RESOURCE_TYPES, S3, Resource, ResourceType
from backup_rules.selections.wildcards import Wildcard, covers
from backup_rules.values import dataclass
from backup_rules.wording.quoting import quote, quote_tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

RESOURCE_TAG_PREFIX = "aws:ResourceTag/"


@dataclass(frozen=True, slots=True)
class TagCondition:
    """A tag that a selection asks for. `key` is as written: bare in ListOfTags, `aws:ResourceTag/…` in Conditions."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class SelectionSummary:
    """A selection as `ListBackupSelections` tells of it."""

    id: str
    name: str
    plan_id: str
    plan_name: str
    role_arn: str | None
    """None: it was not told."""
    creation_date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection whole: (resources or list_of_tags) and all conditions, without not_resources."""

    summary: SelectionSummary
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    list_of_tags: tuple[TagCondition, ...] = ()
    string_equals: tuple[TagCondition, ...] = ()
    string_not_equals: tuple[TagCondition, ...] = ()
    string_like: tuple[TagCondition, ...] = ()
    string_not_like: tuple[TagCondition, ...] = ()


def alike(selections: Iterable[Selection]) -> dict[Selection, list[Selection]]:
    """The selections by what they ask for: the first of each kind, with all that ask for exactly the same.

    A thousand selections are often a few dozen questions; each need be put to the resources only once.
    """
    groups: dict[tuple[object, ...], list[Selection]] = {}
    for each in selections:
        question = (
            each.resources,
            each.not_resources,
            each.list_of_tags,
            each.string_equals,
            each.string_not_equals,
            each.string_like,
            each.string_not_like,
        )
        groups.setdefault(question, []).append(each)
    return {group[0]: group for group in groups.values()}


class ElementKind(Enum):
    """How far an element of a selection reaches, which decides whether the service opt-in counts."""

    ARN = "ARN"
    TYPE_WILDCARD = "resource-type wildcard"
    SERVICE_WILDCARD = "service wildcard"
    EVERYTHING = "everything"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Element:
    """What a selection picks by: an entry of its resources, or one of its tags.

    `text` is the entry as written, `"key"="value"` for a tag, and empty where the selection names neither.
    """

    kind: ElementKind
    text: str

    def describe(self) -> str:
        """The element in the middle of a sentence: `tag "backup"="true"`, `"*"`, `arn:aws:ec2:*`."""
        if self.kind is ElementKind.TAG:
            return f"tag {self.text}"
        if self.kind is ElementKind.EVERYTHING:
            return quote(self.text) if self.text else 'implied "*"'
        return self.text


def elements(selection: Selection) -> tuple[Element, ...]:
    """All elements of the selection, each once: its resources, then its tags, in the order in which they stand."""
    if not selection.resources and not selection.list_of_tags:
        return (Element(ElementKind.EVERYTHING, ""),)
    entries = (resource_element(entry) for entry in selection.resources)
    tags = (_tag_element(tag) for tag in selection.list_of_tags)
    return tuple(dict.fromkeys((*entries, *tags)))


def resource_element(entry: str) -> Element:
    """The entry of a selection's resources with its kind.

    Without any `*`, it is an ARN. With one, it is

    * a resource-type wildcard where the ARN prefix of a protected type is written out in full:
      `arn:aws:ec2:*:*:volume/*`, `arn:aws:dynamodb:*:*:table/prod-*`, `arn:aws:ec2:*:volume/*`. The ARNs of S3 have no
      such prefix, and buckets are all that is protected of it: `arn:aws:s3:::*` and `arn:aws:s3:::logs-*` name them;
    * a service wildcard where only a service is named: `arn:aws:ec2:*`, `arn:aws:fsx:*:*:*`, `arn:aws:s3:*`,
      `arn:aws:ec2:*:*:vol*`;
    * everything where not even that is: `*`, `arn:aws:*`, `*prod*`.
    """
    if "*" not in entry:
        return Element(ElementKind.ARN, entry)
    if _types_written_out(entry):
        return Element(ElementKind.TYPE_WILDCARD, entry)
    if _service_pattern(entry).strip("*"):
        return Element(ElementKind.SERVICE_WILDCARD, entry)
    return Element(ElementKind.EVERYTHING, entry)


def types_named(element: Element) -> tuple[ResourceType, ...]:
    """The protected types that the element names, whether or not any such resource exists.

    `arn:aws:ec2:*` names EBS and EC2; an RDS cluster's ARN all four types that share its form. A tag and `*` name none.
    """
    if element.kind in {ElementKind.EVERYTHING, ElementKind.TAG}:
        return ()
    if element.kind is ElementKind.TYPE_WILDCARD:
        return _types_written_out(element.text)
    arn = Arn.parse(element.text)
    start = arn.resource.split("*", 1)[0] if arn else ""
    if arn is None and element.kind is ElementKind.ARN:
        return ()
    return tuple(
        each
        for each in _types_of_service(element.text)
        if start.startswith(each.resource_prefix) or ("*" in element.text and each.resource_prefix.startswith(start))
    )


def opt_in_applies(resource_type: ResourceType, picked_by: Iterable[Element]) -> bool:
    """Whether the Region's opt-in decides about a resource of this type that is picked by these elements.

    It does when it is picked by nothing but tags, service wildcards and `*`; for Aurora, DocumentDB and Neptune
    clusters always. `picked_by` is what `Picker.picks` gave, or what `elements` says, not empty.

    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/getting-started.html#service-opt-in
    """
    explicit = {ElementKind.ARN, ElementKind.TYPE_WILDCARD}
    return resource_type in OPT_IN_ALWAYS_APPLIES or all(each.kind not in explicit for each in picked_by)


def tags_narrow_nothing(selection: Selection) -> bool:
    """Whether the selection's tags have no effect, because its resources already name everything."""
    return bool(selection.list_of_tags) and any(covers(entry, "*") for entry in selection.resources)


def _tag_element(tag: TagCondition) -> Element:
    return Element(ElementKind.TAG, quote_tag(tag.key, tag.value))


def _service_pattern(entry: str) -> str:
    """The service that `entry` names, with its wildcards; `*` where it names none."""
    parts = entry.split(":", 3)
    return parts[2] if len(parts) > 2 and parts[0] == "arn" else "*"


def _types_of_service(entry: str) -> tuple[ResourceType, ...]:
    return _types_of_services(_service_pattern(entry))


@lru_cache(maxsize=256)
def _types_of_services(pattern: str) -> tuple[ResourceType, ...]:
    service = Wildcard.of(pattern)
    return tuple(each for each in RESOURCE_TYPES if service.matches(each.service))


def _types_written_out(entry: str) -> tuple[ResourceType, ...]:
    buckets = _service_pattern(entry) == S3.service and Arn.parse(entry) is not None
    return tuple(
        each for each in _types_of_service(entry) if (buckets if each is S3 else f":{each.resource_prefix}" in entry)
    )


class Operator(Enum):
    """The four kinds of conditions, in AWS's words."""

    STRING_EQUALS = "StringEquals"
    STRING_NOT_EQUALS = "StringNotEquals"
    STRING_LIKE = "StringLike"
    STRING_NOT_LIKE = "StringNotLike"

    @property
    def negative(self) -> bool:
        """Whether the condition leaves out the resources with such a tag, and keeps all others."""
        return self in {Operator.STRING_NOT_EQUALS, Operator.STRING_NOT_LIKE}

    @property
    def takes_pattern(self) -> bool:
        """Whether a `*` in the value is a wildcard."""
        return self in {Operator.STRING_LIKE, Operator.STRING_NOT_LIKE}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. `key` is that of the tag, bare; None where `written_key` lacks the prefix and so names no tag."""

    operator: Operator
    written_key: str
    key: str | None
    value: str
    negative: bool
    pattern: Wildcard | None

    @classmethod
    def of(cls, operator: Operator, written: TagCondition) -> Self:
        """The condition that is written so under the operator."""
        prefixed = written.key.startswith(RESOURCE_TAG_PREFIX)
        key = written.key.removeprefix(RESOURCE_TAG_PREFIX) if prefixed else None
        pattern = Wildcard.of(written.value) if operator.takes_pattern else None
        return cls(operator, written.key, key, written.value, operator.negative, pattern)

    def holds(self, tags: Mapping[str, str]) -> bool:
        """Whether a resource with these tags passes."""
        found = None if self.key is None else tags.get(self.key)
        if found is None:
            return self.negative
        return self.value_meets(found) != self.negative

    def value_meets(self, found: str) -> bool:
        """Whether the tag's value is the one named here, be it asked for or left out."""
        return found == self.value if self.pattern is None else self.pattern.matches(found)

    def __str__(self) -> str:
        return f"{self.operator.value} {quote_tag(self.key if self.key is not None else self.written_key, self.value)}"


def conditions(selection: Selection) -> tuple[Condition, ...]:
    """All conditions of the selection, which must hold together."""
    written = {
        Operator.STRING_EQUALS: selection.string_equals,
        Operator.STRING_NOT_EQUALS: selection.string_not_equals,
        Operator.STRING_LIKE: selection.string_like,
        Operator.STRING_NOT_LIKE: selection.string_not_like,
    }
    return tuple(Condition.of(operator, each) for operator, group in written.items() for each in group)


def resource_pattern(entry: str) -> Wildcard:
    """The pattern that an entry of `resources` or `not_resources` stands for: an empty Region or account is any.

    Except for S3, whose ARNs have neither: without a wildcard, they can be looked up.
    """
    arn = Arn.parse(entry)
    if arn is not None and arn.service != S3.service:
        return Wildcard.of(str(replace(arn, region=arn.region or "*", account=arn.account or "*")))
    return Wildcard.of(entry)


@dataclass(frozen=True, slots=True)
class Picker:
    """A selection made ready for judging resources, which are taken to be of the plan's own Region and account."""

    selection: Selection
    arns: Mapping[str, Element]
    patterns: tuple[tuple[Wildcard, Element], ...]
    tags: tuple[tuple[TagCondition, Element], ...]
    conditions: tuple[Condition, ...]
    excluded: tuple[Wildcard, ...]

    @classmethod
    def of(cls, selection: Selection) -> Self:
        """The picker of `selection`."""
        entries = [
            (resource_pattern(each.text or "*"), each)
            for each in elements(selection)
            if each.kind is not ElementKind.TAG
        ]
        return cls(
            selection,
            {pattern.text: element for pattern, element in entries if "*" not in pattern.text},
            tuple((pattern, element) for pattern, element in entries if "*" in pattern.text),
            tuple((tag, _tag_element(tag)) for tag in dict.fromkeys(selection.list_of_tags)),
            conditions(selection),
            tuple(resource_pattern(entry) for entry in dict.fromkeys(selection.not_resources)),
        )

    def picks(self, resource: Resource) -> tuple[Element, ...]:
        """The elements by which the selection picks the resource: an ARN, then wildcards, then tags. Empty: it doesn't.

        A DB instance that is a member of a cluster is never picked, as its cluster is; nor what cannot be backed up.
        """
        if (
            resource.cluster_member
            or resource.unsupported
            or not all(each.holds(resource.tags) for each in self.conditions)
        ):
            return ()
        found = tuple(self._elements_naming(resource))
        return () if found and any(each.matches(resource.arn) for each in self.excluded) else found

    def _elements_naming(self, resource: Resource) -> Iterator[Element]:
        if resource.arn in self.arns:
            yield self.arns[resource.arn]
        yield from (element for pattern, element in self.patterns if pattern.matches(resource.arn))
        yield from (element for tag, element in self.tags if resource.tags.get(tag.key) == tag.value)

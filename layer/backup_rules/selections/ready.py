"""What a selection picks, or would: is it of a kind and in a state that AWS Backup can back up?

Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/s3-backups.html (versioning),
https://docs.aws.amazon.com/aws-backup/latest/devguide/eks-backups.html (authentication mode) and those of `Unsupported`
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from backup_rules.resources.resource_types import EKS, S3, Resource, Unsupported
from backup_rules.selections.joining import Joined, ResourceTable, first, members
from backup_rules.selections.picking import ElementKind, Selection, SelectionSummary, alike
from backup_rules.selections.words import called
from backup_rules.values import dataclass
from backup_rules.wording.annotations import NAMES, name, sentence
from backup_rules.wording.findings import Finding, Note, Problem

CONFIG_MAP = "CONFIG_MAP"
ENABLED = "Enabled"


@dataclass(frozen=True, slots=True)
class Some:
    """So many resources, of which one is the example."""

    example: Resource
    number: int


@dataclass(frozen=True, slots=True)
class Meant:
    """What a selection picks that may not be ready.

    `unsupported`: by the reason and by how it is meant (`tag` or `name` it). `clusters` and `buckets` are sets of the
    table that holds them.
    """

    unsupported: Mapping[tuple[Unsupported, str], Some]
    clusters: int
    buckets: int


class AllMeant:
    """What all judged selections pick of S3 and EKS, and what they name or tag though AWS Backup cannot back it up."""

    def __init__(self, selections: Iterable[Selection], resources: Iterable[Resource]) -> None:
        concerned = [each for each in resources if each.unsupported or each.type in {EKS, S3}]
        self._unsupported: dict[Unsupported, int] = defaultdict(int)
        for number, each in enumerate(concerned):
            if each.unsupported:
                self._unsupported[each.unsupported] |= 1 << number
        self._table = ResourceTable(replace(each, unsupported=None) for each in concerned)
        self._resources = concerned
        self._s3 = self._table.where(lambda each: each.type is S3)
        self.by_selection: dict[SelectionSummary, Meant] = {}
        for one, group in alike(selections).items():
            joined = self._table.join(one)
            if joined.picked:
                meant = self._meant(joined)
                self.by_selection |= {each.summary: meant for each in group}

    def _meant(self, joined: Joined) -> Meant:
        # A wild card picks around what cannot be backed up; a tag or an ARN means that very thing.
        buckets, others = joined.picked & self._s3, joined.picked & ~self._s3
        tagged = others & joined.named_by(ElementKind.TAG)
        named = others & joined.named_by(ElementKind.ARN) & ~tagged
        unsupported: list[tuple[int, tuple[Unsupported, str], Some]] = []
        clusters = tagged | named
        for reason, every in self._unsupported.items():
            for found, act in ((tagged & every, "tag"), (named & every, "name")):
                if found:
                    some = Some(self._resources[first(found)], found.bit_count())
                    unsupported.append((first(found), (reason, act), some))
            clusters &= ~every
        unsupported.sort(key=lambda each: each[0])
        return Meant({key: some for _, key, some in unsupported}, clusters, buckets)

    def buckets(self) -> dict[str, tuple[Resource, SelectionSummary, int]]:
        """The buckets that are picked, by ARN, each with the first selection that picks it, and how many do."""
        picked: dict[int, SelectionSummary] = {}
        counters = _Counters()
        seen = 0
        for selection, meant in self.by_selection.items():
            picked |= dict.fromkeys(members(meant.buckets & ~seen), selection)
            seen |= meant.buckets
            counters.add(meant.buckets)
        return {
            self._resources[number].arn: (self._resources[number], selection, counters.of(number))
            for number, selection in picked.items()
        }

    def having(self, states: Mapping[str, str | None], wanted: str | None) -> int:
        """The buckets (by name) and clusters (by ARN) of that state; None: those whose state is not told."""
        return self._table.where(lambda each: states.get(_bucket_name(each) if each.type is S3 else each.arn) == wanted)

    def some(self, found: int) -> Some | None:
        """The resources of a set, in words; None where it is empty."""
        return Some(self._resources[first(found)], found.bit_count()) if found else None


class _Counters:
    """How many of the sets that were added hold a number: binary counters side by side, one set for each digit."""

    def __init__(self) -> None:
        self._digits: list[int] = []

    def add(self, found: int) -> None:
        carried = found
        for place, digits in enumerate(self._digits):
            self._digits[place], carried = digits ^ carried, digits & carried
            if not carried:
                return
        if carried:
            self._digits.append(carried)

    def of(self, number: int) -> int:
        return sum((digits >> number & 1) << place for place, digits in enumerate(self._digits))


def selection_findings(
    selection: SelectionSummary,
    unsupported: Mapping[tuple[Unsupported, str], Some],
    *,
    wrong_clusters: Some | None,
    unknown_clusters: int,
    unrecorded_buckets: int,
) -> Iterator[Finding]:
    """What is said about the selection.

    Args:
        selection: which.
        unsupported: what it means of that: see `Meant`.
        wrong_clusters: the EKS clusters that it picks, of authentication mode CONFIG_MAP.
        unknown_clusters: how many of those it picks have a mode that AWS Config does not tell.
        unrecorded_buckets: how many of the buckets that it picks have a versioning that AWS Config does not tell.
    """
    for (reason, act), some in unsupported.items():
        yield _unsupported(selection, reason.what, reason.instead.format(act=act), act, some)
    if wrong_clusters is not None:
        act = "picks"
        words = (
            f"{sentence(called(selection, shown))} {act} {_counted(wrong_clusters, 'EKS cluster', shown[0])} with"
            f" authentication mode {CONFIG_MAP}, which AWS Backup cannot back up."
            for shown in NAMES
        )
        yield Problem.worded(words, "Set the authentication mode to API_AND_CONFIG_MAP.")
    if unknown_clusters:
        yield Note(
            f"AWS Config does not tell the authentication mode of {_number(unknown_clusters, 'EKS cluster')} that it"
            " picks: AWS Backup needs API or API_AND_CONFIG_MAP."
        )
    if unrecorded_buckets:
        yield Note(
            f"AWS Config has not recorded the versioning of {_number(unrecorded_buckets, 'S3 bucket')} that it picks:"
            " AWS Backup needs it Enabled."
        )


def _unsupported(selection: SelectionSummary, what: str, instead: str, act: str, some: Some) -> Problem:
    words = (
        f"{sentence(called(selection, shown))} {act}s {_counted(some, what, shown[0])}, which AWS Backup cannot back"
        " up."
        for shown in NAMES
    )
    return Problem.worded(words, sentence(instead))


def bucket_finding(bucket: str, status: str, picker: SelectionSummary, pickers: int) -> Problem | None:
    """What is said about a bucket that so many selections pick, `picker` first, with such versioning; None: ready."""
    if status == ENABLED:
        return None
    more = f" and {pickers - 1} more" if pickers > 1 else ""
    words = (
        f"Versioning of bucket {name(bucket, 63)} is {status}, so every backup of it fails, by"
        f" {called(picker, shown)}{more}."
        for shown in NAMES
    )
    return Problem.worded(words, "Enable versioning of the bucket.")


def _bucket_name(bucket: Resource) -> str:
    return bucket.config_id or bucket.short_name


def _counted(some: Some, what: str, length: int) -> str:
    example = name(some.example.short_name, max(length, 24))
    if some.number == 1:
        return f"{what} {example}"
    return f"{some.number} times {_article(what)}, such as {example}"


def _article(what: str) -> str:
    return f"an {what}" if what[:1].upper() in "AEIOR" and not what.startswith("RDS") else f"a {what}"


def _number(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"
